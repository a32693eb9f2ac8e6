import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Command, configOf, parse } from './cli-io.ts';
import { workflowDocument } from './cli-docs.ts';
import { structuresDocument } from './cli-docs-hl7.ts';
import { mppsAttributesDocument } from './cli-docs-mpps.ts';
import { openApiDocument } from './http/openapi.ts';
import { createLog } from './platform/log.ts';
import { version } from './platform/version.ts';
import { embeddedDatabase } from './server.ts';
import { startEmbeddedPostgres } from './store/embedded-postgres.ts';
import { migrate, pendingMigrations } from './store/migrate.ts';

/** `swf migrate`: what `serve` does at its start, alone. */
export const runMigrate: Command = async (args, io) => {
  const parsed = parse(args, { flags: ['dry-run'] });
  const config = configOf(parsed, io);
  const log = createLog(config.logLevel);
  const embedded =
    config.databaseUrl === undefined ? await startEmbeddedPostgres(embeddedDatabase(config, log)) : undefined;
  const url = config.databaseUrl ?? embedded?.url ?? '';
  try {
    const dryRun = parsed.flags.has('dry-run');
    const names = dryRun ? await pendingMigrations(url) : (await migrate(url)).applied;
    for (const name of names) io.print(`${dryRun ? 'pending' : 'applied'}  ${name}`);
    if (names.length === 0) io.print('nothing to apply: the database is up to date');
    return 0;
  } finally {
    await embedded?.stop();
  }
};

/** `swf config`: what is in force, with secrets hidden. */
export const runConfig: Command = async (args, io) => {
  const config = configOf(parse(args, { flags: ['json'] }), io);
  const shown = {
    ...config,
    databaseUrl: config.databaseUrl?.replace(/:\/\/[^@/]*@/, '://***@'),
    apiToken: config.apiToken === undefined ? undefined : '***',
  };
  io.print(JSON.stringify(shown, undefined, 2));
  return Promise.resolve(0);
};

/** `swf docs DIR`: the documents that are made from the program itself. */
export const runDocs: Command = async (args, io) => {
  const parsed = parse(args, { flags: ['check'], positionals: 1 });
  const folder = resolve(io.workingDirectory, parsed.positionals[0] ?? 'docs');
  const documents = {
    'openapi.json': `${JSON.stringify(openApiDocument(version), undefined, 2)}\n`,
    'workflow.md': workflowDocument(),
    'conformance/hl7-structures.md': structuresDocument(),
    'conformance/mpps-attributes.md': mppsAttributesDocument(),
  };
  const stale: string[] = [];
  for (const [name, content] of Object.entries(documents)) {
    const path = join(folder, name);
    if (!parsed.flags.has('check')) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      io.print(`wrote  ${name}`);
    } else if (readOrEmpty(path) !== content) stale.push(name);
  }
  for (const name of stale) io.error(`${name} is stale: npm run docs writes it anew`);
  return Promise.resolve(stale.length === 0 ? 0 : 1);
};

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
