import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What `postmaster.pid` in a cluster folder says about a server. */
export type Postmaster =
  | { readonly state: 'absent' }
  /** Starting, ending, or dead and not yet reaped by its parent: PostgreSQL refuses to start beside it. */
  | { readonly state: 'changing'; readonly pid: number }
  | { readonly state: 'ready'; readonly pid: number; readonly socketDir: string; readonly port: number };

/** Name of the folder that holds the socket: short, because a socket's path has at most 107 bytes. */
export const SOCKET_DIR_PREFIX = 'swf-pg-';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

// After a crash the number may belong to any other process, or to a dead one that nobody has reaped: PostgreSQL would
// refuse to start beside either. A postmaster works in its cluster folder. That no process of the dead server lives on is
// checked by PostgreSQL itself, by its shared memory.
async function isNoPostmaster(pid: number, cluster: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  if (/^\d+ \(.*\) Z /s.test(stat)) return true;
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (cwd !== undefined) return cwd !== (await realpath(cluster));
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command !== '' && !command.includes('postgres');
}

async function readPidFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}

/** Reads `postmaster.pid`; one that names a process that is no postmaster of this cluster is removed. */
export async function readPostmaster(cluster: string): Promise<Postmaster> {
  const file = join(cluster, 'postmaster.pid');
  const text = await readPidFile(file);
  const [pid = '', , , port = '', socketDir = '', , , status = ''] = text.split('\n').map((line) => line.trim());
  // a negative number is a standalone backend
  const number = Math.abs(Number(pid));
  if (!number || !isAlive(number)) return { state: 'absent' };
  if (await isNoPostmaster(number, cluster)) {
    if ((await readPidFile(file)) === text) await rm(file, { force: true });
    return { state: 'absent' };
  }
  if (status !== 'ready') return { state: 'changing', pid: number };
  return { state: 'ready', pid: number, socketDir, port: Number(port) };
}

/** The socket folder of the last start, from `postmaster.opts`: it is left behind when everything was killed at once. */
export async function lastSocketDir(cluster: string): Promise<string | undefined> {
  const options = await readFile(join(cluster, 'postmaster.opts'), 'utf8').catch(() => '');
  const folder = /"-k" "([^"]+)"/.exec(options)?.[1];
  return folder !== undefined && basename(folder).startsWith(SOCKET_DIR_PREFIX) ? folder : undefined;
}
