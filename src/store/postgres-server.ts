import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { commandOf } from './postgres-cluster.ts';
import type { ClusterPlace, Programs } from './postgres-cluster.ts';

/** The port names the socket; nothing listens on TCP. */
export const PORT = 5432;

/** A server process of ours. */
export interface Server {
  readonly process: ChildProcess;
  readonly socketDir: string;
  /** The last lines it said; all of them are there when it has closed. */
  readonly said: string[];
  readonly closed: Promise<void>;
}

function serverArguments({ cluster, durable }: ClusterPlace, socketDir: string): string[] {
  const safe = durable ? 'on' : 'off';
  const settings: Record<string, string | number> = {
    listen_addresses: '',
    port: PORT,
    unix_socket_permissions: '0700',
    fsync: safe,
    synchronous_commit: safe,
    full_page_writes: safe,
    max_connections: 100,
    timezone: 'UTC',
    log_timezone: 'UTC',
    // errors of statements quote values: they are the client's business and never in a log
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_line_prefix: '',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', cluster, '-k', socketDir, ...flags];
}

/** Starts the server; it may not be ready yet, or end at once. */
export function launch(place: ClusterPlace, programs: Programs): Server {
  const [program, args] = commandOf(programs, 'postgres');
  // a process group of its own: Ctrl-C goes to ours, and only we stop the database, last
  const child = spawn(program, [...args, ...serverArguments(place, programs.socketDir)], {
    ...programs.account.as,
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', (error) => {
      said.push(error.message);
      resolve();
    });
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n').filter(Boolean)) {
      said.push(line);
      place.log.debug({}, `PostgreSQL: ${line}`);
    }
    said.splice(0, said.length - 20);
  });
  // the server must never keep us running
  child.unref();
  (child.stderr as unknown as { unref(): void }).unref();
  return { process: child, socketDir: programs.socketDir, said, closed };
}

export const hasEnded = (child: ChildProcess): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

async function waitForEnd(child: ChildProcess, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds;
  while (!hasEnded(child) && performance.now() < until) await pause(5);
  return hasEnded(child);
}

/** Fast shutdown, then immediate, then by force; PostgreSQL recovers from each at the next start. */
export async function stopServer({ process: child, socketDir }: Server, durable: boolean): Promise<void> {
  for (const signal of durable ? (['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) : (['SIGQUIT', 'SIGKILL'] as const)) {
    if (hasEnded(child)) break;
    child.kill(signal);
    await waitForEnd(child, 10_000);
  }
  await rm(socketDir, { recursive: true, force: true });
}
