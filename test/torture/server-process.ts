import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const packageFolder = fileURLToPath(new URL('../..', import.meta.url));
const READY_WITHIN_MS = 40_000;

/** The whole program as a process of its own, as anybody runs it. */
export interface ServerProcess {
  readonly ports: { readonly hl7: number; readonly dicom: number; readonly http: number };
  /** kill -9: nothing in the process gets a chance to finish anything. */
  kill(): Promise<void>;
  /** SIGTERM; gives the exit status. */
  stop(): Promise<number | null>;
  /** What it wrote to standard error. */
  readonly log: readonly string[];
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function portsOf(lines: ReadonlyMap<string, string>): ServerProcess['ports'] {
  const port = (name: string): number => Number(/:(\d+)$/.exec(lines.get(name) ?? '')?.[1]);
  return { hl7: port('hl7'), dicom: port('dicom'), http: port('http') };
}

/** Starts `swf serve` with its own embedded database in a data folder and waits until it says that it is ready. */
export async function startServerProcess(siteFile: string, dataDir: string): Promise<ServerProcess> {
  const { DATABASE_URL: _url, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', join('src', 'cli.ts'), 'serve', '--config', siteFile], {
    cwd: packageFolder,
    env: { ...inherited, SWF_DATA_DIR: dataDir, SWF_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // It must not outlive the tests.
  const killChild = (): void => void child.kill('SIGKILL');
  process.once('exit', killChild);
  child.once('exit', () => process.off('exit', killChild));
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const lines = new Map<string, string>();
  const ready = new Promise<void>((resolve, reject) => {
    const give = (reason: string) => (): void => reject(new Error([reason, ...log.slice(-10)].join('\n')));
    const timer = setTimeout(give('the server was not ready in time'), READY_WITHIN_MS);
    child.once('exit', give('the server ended before it was ready'));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [name = '', address = ''] = line.trim().split(/\s+/);
      lines.set(name, address);
      if (name !== 'ready') return;
      clearTimeout(timer);
      resolve();
    });
  });
  try {
    await ready;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    ports: portsOf(lines),
    log,
    kill: async () => {
      child.kill('SIGKILL');
      await ended(child);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended(child);
      return child.exitCode;
    },
  };
}
