import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { exportScenario } from './export.ts';
import { describeProblem, loadScenario, scenarioFilesAt } from './lint.ts';
import { CannotListen } from './listeners.ts';
import { type PlayScenariosOptions, loadScenarios, playScenarios } from './play-scenarios.ts';
import { playMesa } from './play-mesa.ts';
import { httpOf, loadSite } from './site.ts';
import type { Tester } from './staff.ts';
import { ServerDidNotStart } from './throwaway-server.ts';
import { UsageError } from './usage-error.ts';

/** What the commands see of the outside. */
export interface Surroundings {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  readonly colour: boolean;
  /** Shows a line that changes below those of `out`; undefined where there is no terminal. */
  readonly status?: ((text: string) => void) | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly signal: AbortSignal;
  /** Asks a person at the terminal; undefined when standard input is none. */
  readonly tester?: Tester | undefined;
}

/** Exit status: done, it did not work, asked wrongly. */
type ExitStatus = 0 | 1 | 2;

export const usage = `swf-play  plays IHE Scheduled Workflow scenarios against an Order Filler

Usage  swf-play <command> [options]

Commands  run PATH...     play the scenarios in these folders, each to its end or to a step that fails
          lint PATH...    say what is wrong in them, play nothing
          list [PATH]     name the scenarios in a folder (default: scenarios) and what they follow
          export ID...    write what happened to these requested procedures of ours as a scenario (--to DIR)
                          in which names, identifiers, dates and free text are invented
          mesa DIR [NNN]  play the Order Filler scripts of a MESA kit, all or those named

Options of run and mesa
  --site FILE             the site file: where the Order Filler is and where our actors listen
                          (default: SWF_CONFIG, else swf.yaml)
  --of mllp://HOST:PORT   another Order Filler in our place, for HL7
  --of-dicom AET@HOST:PORT  and for DICOM; what staff do there, the tester is asked to do
  --of-http http://HOST:PORT  where it takes what staff do by HTTP (token: SWF_API_TOKEN)
  --start                 first start a throwaway server of ours on free ports
  --step N                stop after step N (run)
  --keep-going            play the steps after a failed one too
  --jobs N                play N scenarios at a time; one that disturbs its actors is played alone
  --shuffle               play them in another order each time
  --rounds N              play everything N times on the same server, each time in another order
  --seed N                draw \${run} and \${uid}, and the order of --shuffle, from N: the same as before
  --brief                 show the steps of those only that did not pass
  --report FILE           write a JUnit report
  --html FILE             write a report for people, with a sequence diagram of each scenario (or into a folder)
  --transcripts DIR       keep every message and dataset there (default: transcripts)
  --to DIR                the folder that export makes
  --catalogue-out FILE    write the catalogue that the kit's codes need, play nothing (mesa)

  -h, --help   --version
Exit status  0 all passed, or were skipped because nobody was there to be asked
             1 a scenario failed, or nothing could be played   2 asked wrongly
Example      swf-play run scenarios/01-simple-case --start
`;

const options = {
  site: { type: 'string' },
  of: { type: 'string' },
  'of-dicom': { type: 'string' },
  'of-http': { type: 'string' },
  start: { type: 'boolean' },
  step: { type: 'string' },
  'keep-going': { type: 'boolean' },
  jobs: { type: 'string', short: 'j' },
  shuffle: { type: 'boolean' },
  rounds: { type: 'string' },
  seed: { type: 'string' },
  brief: { type: 'boolean' },
  report: { type: 'string' },
  html: { type: 'string' },
  transcripts: { type: 'string' },
  to: { type: 'string' },
  'catalogue-out': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parse>['values'];

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
}

/** Runs one command of `swf-play`; never rejects. */
export async function main(args: readonly string[], surroundings: Surroundings): Promise<ExitStatus> {
  try {
    const { values, positionals } = readArguments(args);
    if (values.help) return print(surroundings, usage.trimEnd());
    if (values.version) return print(surroundings, versionOfPackage());
    const [command = '', ...paths] = positionals;
    const run = Object.hasOwn(commands, command) ? commands[command as keyof typeof commands] : undefined;
    if (!run) throw new UsageError([command === '' ? 'a command is missing' : `there is no command ${command}`, help]);
    return await run(paths, values, surroundings);
  } catch (error) {
    return explain(error, surroundings);
  }
}

const help = 'See swf-play --help';

function readArguments(args: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(args);
  } catch (error) {
    throw new UsageError([error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error), help]);
  }
}

function explain(error: unknown, { err }: Surroundings): ExitStatus {
  if (error instanceof UsageError) {
    for (const problem of error.problems) err(problem);
    return 2;
  }
  const known = error instanceof CannotListen || error instanceof ServerDidNotStart;
  err(
    known
      ? error.message
      : `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return 1;
}

function print({ out }: Surroundings, text: string): ExitStatus {
  out(text);
  return 0;
}

function versionOfPackage(): string {
  const file = fileURLToPath(new URL('../package.json', import.meta.url));
  return `swf-play ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
}

const commands = {
  run: async (paths: readonly string[], values: Values, surroundings: Surroundings): Promise<ExitStatus> => {
    if (paths.length === 0) throw new UsageError(['run needs the path of a scenario', help]);
    const { passed, failed } = await playScenarios(paths, playOptions(values, surroundings));
    return failed > 0 || passed === 0 ? 1 : 0;
  },
  lint: async (paths: readonly string[], _: Values, surroundings: Surroundings): Promise<ExitStatus> => {
    if (paths.length === 0) throw new UsageError(['lint needs the path of a scenario', help]);
    const scenarios = loadScenarios(paths, surroundings.workingDirectory);
    for (const { name, steps } of scenarios) surroundings.out(`${name}  ok, ${steps.length} steps`);
    return 0;
  },
  list: async (paths: readonly string[], _: Values, surroundings: Surroundings): Promise<ExitStatus> =>
    list(paths[0] ?? 'scenarios', surroundings),
  export: async (ids: readonly string[], values: Values, surroundings: Surroundings): Promise<ExitStatus> => {
    if (ids.length === 0) throw new UsageError(['export needs a requested procedure ID', help]);
    if (values.to === undefined) throw new UsageError(['export needs the folder to write: --to DIR', help]);
    const options = playOptions(values, surroundings);
    const site = loadSite(options);
    const http = httpOf(site, options);
    if (!http) throw new UsageError(['export reads from a server of ours: say where with --of-http http://HOST:PORT']);
    const { days, birthDays } = daysOf(options.seed ?? randomInt(2 ** 31));
    const folder = resolve(surroundings.workingDirectory, values.to);
    const { signal } = surroundings;
    const { steps, files, remarks } = await exportScenario(ids, { folder, http, site, days, birthDays, signal });
    remarks.forEach((remark) => surroundings.err(remark));
    surroundings.out(`${values.to}  ${steps} steps, ${files} files: read it before you pass it on`);
    return 0;
  },
  mesa: async (paths: readonly string[], values: Values, surroundings: Surroundings): Promise<ExitStatus> => {
    const [folder, ...names] = paths;
    if (folder === undefined) throw new UsageError(['mesa needs the folder of a MESA kit', help]);
    const { tester } = surroundings;
    const ask =
      tester && (async (text: string) => void (await tester(`  >  at the Order Filler: ${text}; then press Enter `)));
    const own = { catalogueOut: values['catalogue-out'], ask };
    return (await playMesa(folder, names, { ...playOptions(values, surroundings), ...own })) ? 0 : 1;
  },
};

function playOptions(values: Values, surroundings: Surroundings): PlayScenariosOptions {
  const { out, colour, environment, workingDirectory, signal, tester, status } = surroundings;
  return {
    site: values.site,
    of: values.of,
    ofDicom: values['of-dicom'],
    ofHttp: values['of-http'],
    start: values.start,
    lastStep: numberOf('step', values.step, 1),
    jobs: numberOf('jobs', values.jobs, 1),
    shuffle: values.shuffle,
    rounds: numberOf('rounds', values.rounds, 1),
    seed: numberOf('seed', values.seed, 0),
    keepGoing: values['keep-going'],
    brief: values.brief,
    report: values.report,
    html: values.html,
    transcripts: values.transcripts,
    environment,
    workingDirectory,
    signal,
    tester,
    screen: { write: out, colour, status },
  };
}

function numberOf(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (number < least) throw new UsageError([`--${option} is a number from ${least}`]);
  return number;
}

/** Whole weeks, so that a Monday stays one; never none. */
function daysOf(seed: number): { days: number; birthDays: number } {
  return { days: -7 * (20 + (seed % 80)), birthDays: 30 + (seed % 290) };
}

function list(path: string, { out, err, workingDirectory }: Surroundings): ExitStatus {
  const files = scenarioFilesAt(resolve(workingDirectory, path));
  if (files.length === 0) throw new UsageError([`${path}: there is no scenario.yaml here, nor in a folder in it`]);
  const loaded = files.map(loadScenario);
  const scenarios = loaded.flatMap(({ scenario }) => scenario ?? []);
  const longest = Math.max(0, ...scenarios.map(({ name }) => name.length));
  for (const { name, profile = '', title, reference } of scenarios) {
    const follows = reference.length > 0 ? `  [${reference.join('; ')}]` : '';
    out(`${name.padEnd(longest)}  ${profile.padEnd(6)}  ${title}${follows}`);
  }
  const problems = loaded.flatMap((one) => one.problems);
  problems.forEach((problem) => err(describeProblem(problem)));
  return problems.length > 0 ? 2 : 0;
}
