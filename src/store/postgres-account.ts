import { execFile } from 'node:child_process';
import { chmod, chown, lchown, readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SwfError } from '../platform/errors.ts';

const run = promisify(execFile);

/** Under which account PostgreSQL runs, and what must stand before it on a command line. */
export interface PostgresAccount {
  readonly prefix: readonly string[];
  /** Set when the process changes its account: files must then belong to it. */
  readonly as?: { readonly uid: number; readonly gid: number };
}

const works = (program: string, ...args: string[]): Promise<boolean> =>
  run(program, [...args, 'true'], { timeout: 5000 }).then(
    () => true,
    () => false,
  );

// PostgreSQL is to end when we are killed: the kernel then sends it the signal of a fast shutdown.
const DIE_WITH_PARENT = ['setpriv', '--pdeathsig', 'INT'] as const;
// PostgreSQL refuses uid 0. In a user namespace it sees another uid, while its files stay ours.
const NOT_ROOT = ['unshare', '--user', '--map-user=65534'] as const;

async function unprivileged(): Promise<{ uid: number; gid: number }> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = (passwd.split('\n').find((line) => line.startsWith(`${name}:`)) ?? '').split(':');
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new SwfError(
    'database-unavailable',
    'PostgreSQL does not run as root, and there is neither an account "postgres" nor "nobody"; start as another user, or set DATABASE_URL',
  );
}

/** The owner of a folder that exists. */
export async function ownerOf(folder: string): Promise<{ uid: number; gid: number } | undefined> {
  const { uid, gid } = await stat(folder).catch(() => ({ uid: -1, gid: -1 }));
  return uid < 0 ? undefined : { uid, gid };
}

/** Chooses the account for a cluster folder (which may not exist yet): ours, or for root one that PostgreSQL accepts. */
export async function chooseAccount(cluster: string): Promise<PostgresAccount> {
  const dying = (await works(...DIE_WITH_PARENT)) ? DIE_WITH_PARENT : [];
  if (process.getuid?.() !== 0) return { prefix: dying };
  const owner = await ownerOf(cluster);
  if (owner && owner.uid !== 0) return { prefix: dying, as: owner };
  if (await works(...NOT_ROOT)) return { prefix: [...NOT_ROOT, ...dying] };
  return { prefix: dying, as: await unprivileged() };
}

/** Gives a folder and all that is in it to the account, if PostgreSQL runs under another one than we do. */
export async function handOver(folder: string, { as }: PostgresAccount): Promise<void> {
  if (!as || (await ownerOf(folder))?.uid === as.uid) return;
  for (const name of await readdir(folder, { recursive: true })) await lchown(join(folder, name), as.uid, as.gid);
  await chown(folder, as.uid, as.gid);
}

/** Lets the account through a folder of ours to its own folder in it, and nobody else. */
export async function letPass(folder: string, { as }: PostgresAccount): Promise<void> {
  const { uid, mode } = await stat(folder);
  if (!as || uid === as.uid || mode & 0o001) return;
  await chown(folder, uid, as.gid);
  await chmod(folder, (mode & 0o777) | 0o010);
}
