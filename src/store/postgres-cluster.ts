import { execFile } from 'node:child_process';
import { access, mkdtemp, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { SwfError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { handOver } from './postgres-account.ts';
import type { PostgresAccount } from './postgres-account.ts';
import { localeArguments, majorVersion } from './postgres-binaries.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';

const run = promisify(execFile);

/** Where a cluster is, and how it is to be run. */
export interface ClusterPlace {
  readonly dataDir: string;
  readonly cluster: string;
  readonly durable: boolean;
  readonly log: Log;
}

/** What runs a cluster. */
export interface Programs {
  readonly binaries: PostgresBinaries;
  readonly account: PostgresAccount;
  readonly socketDir: string;
}

export const OTHER_FOLDER =
  'choose a data folder that this account may write and reach (SWF_DATA_DIR), or set DATABASE_URL';

export const unavailable = (text: string): SwfError => new SwfError('database-unavailable', text);

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** The command line of a program of PostgreSQL, without its arguments. */
export function commandOf({ binaries, account }: Programs, program: string): [string, string[]] {
  const [first = '', ...rest] = [...account.prefix, ...binaries.prefix, join(binaries.binDir, program)];
  return [first, rest];
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

/** Runs `initdb` beside the cluster folder and renames: a cluster is there whole or not at all. */
export async function createCluster(place: ClusterPlace, programs: Programs): Promise<void> {
  place.log.info({ path: place.cluster }, 'creating the embedded database');
  const [program, args] = commandOf(programs, 'initdb');
  const locale = localeArguments(await majorVersion(programs.binaries));
  const draft = await mkdtemp(`${place.cluster}.init-`);
  const sync = !place.durable ? ['--no-sync'] : [];
  try {
    await handOver(draft, programs.account);
    const all = [...args, '-D', draft, '-U', 'postgres', '-A', 'trust', '--no-instructions', ...locale, ...sync];
    await run(program, all, { ...programs.account.as, timeout: 120_000 });
    await rename(draft, place.cluster);
    if (place.durable) await syncFolder(dirname(place.cluster));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // another process was faster
    if (await exists(place.cluster)) return;
    const said = (error as { stderr?: string }).stderr ?? String(error);
    throw unavailable(
      `the embedded database could not be created in ${place.dataDir}: ${said.trim().split('\n').at(-1) ?? ''}; ${OTHER_FOLDER}`,
    );
  }
}

/** Removes what an interrupted {@link createCluster} left. */
export async function removeDrafts(cluster: string): Promise<void> {
  for (const name of await readdir(dirname(cluster))) {
    if (!name.startsWith(`${basename(cluster)}.init-`)) continue;
    await rm(join(dirname(cluster), name), { recursive: true, force: true });
  }
}

/** Why a server did not start, and what to do. */
export async function explain(
  { cluster }: ClusterPlace,
  { binaries }: Programs,
  said: readonly string[],
): Promise<SwfError> {
  const made = Number.parseInt(await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => ''), 10);
  const installed = await majorVersion(binaries);
  if (made && made !== installed) {
    return unavailable(
      `the database in ${cluster} was made by PostgreSQL ${made}, which PostgreSQL ${installed} cannot read; ` +
        `set PG_BIN to the programs of version ${made}, or choose another data folder (SWF_DATA_DIR)`,
    );
  }
  const fatal = said.filter((line) => /FATAL|PANIC|error/i.test(line)).at(-1) ?? said.at(-1) ?? 'it said nothing';
  const advice = fatal.includes('ermission denied') ? `; ${OTHER_FOLDER}` : '';
  return unavailable(`the embedded database in ${cluster} did not start: ${fatal}${advice}`);
}
