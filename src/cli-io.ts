import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type Config, loadConfig } from './platform/config.ts';

/** What a command may touch: results go to `print`, everything else to `error`. */
export interface Io {
  print(text: string): void;
  error(text: string): void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
}

/** One subcommand; its value is the exit status. */
export type Command = (args: readonly string[], io: Io) => Promise<number>;

/** The command line was wrong: exit status 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

export interface Parsed {
  readonly text: Readonly<Record<string, string | undefined>>;
  readonly flags: ReadonlySet<string>;
  readonly positionals: readonly string[];
}

/** Parses options; `texts` take a value, `flags` take none. Every command knows --config. */
export function parse(
  args: readonly string[],
  options: { texts?: readonly string[]; flags?: readonly string[]; positionals?: number },
): Parsed {
  const config: ParseArgsConfig['options'] = { config: { type: 'string', short: 'c' } };
  for (const name of options.texts ?? []) config[name] = { type: 'string' };
  for (const name of options.flags ?? []) config[name] = { type: 'boolean' };
  const most = options.positionals ?? 0;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: config,
      allowPositionals: most > 0,
      strict: true,
    });
    if (positionals.length > most)
      throw new UsageError(`${JSON.stringify(positionals[most])} is one argument too many`);
    const entries = Object.entries(values);
    const text = Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
    return { text, flags: new Set(entries.filter(([, value]) => value === true).map(([name]) => name)), positionals };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(error instanceof Error ? error.message : 'the command line cannot be read');
  }
}

/** The configuration that a command line asks for. */
export function configOf(parsed: Parsed, io: Io): Config {
  return loadConfig({
    file: parsed.text['config'],
    environment: io.environment,
    workingDirectory: io.workingDirectory,
  });
}

/** Rows of text in columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
