import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Life, OrderFiller } from './stage.ts';
import { parseDicomAddress, parseHttpAddress, parseMllpAddress } from './addresses.ts';

/** A server of ours in a process of its own, with nothing in it and nothing left of it afterwards. */
export interface ThrowawayServer extends Life {
  readonly orderFiller: OrderFiller;
  /** Ends it, waits for its end, starts it on the same data with this site file. Rejects with ServerDidNotStart. */
  restart(siteFile: string | undefined): Promise<OrderFiller>;
  /** Ends it, waits for its end, removes its data. */
  stop(): Promise<void>;
}

/** The server did not come up: the sentence says why. */
export class ServerDidNotStart extends Error {
  override readonly name = 'ServerDidNotStart';
}

const packageFolder = fileURLToPath(new URL('..', import.meta.url));

/** Creating the embedded database takes seconds; on a slow disk more. */
const startWithinMs = 180_000;
const stopWithinMs = 10_000;
const linesShown = 15;

interface Options {
  /** The site file, as an absolute path; undefined when there is none and the defaults hold. */
  readonly siteFile: string | undefined;
  /** The folder for `server.log`. */
  readonly transcripts: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** The program that serves; our own unless a test says otherwise. */
  readonly program?: string;
}

/**
 * Starts `swf serve` on free ports with a data folder of its own and waits until it says that it is ready.
 * Rejects with ServerDidNotStart, then nothing runs.
 */
export async function startThrowawayServer(options: Options): Promise<ThrowawayServer> {
  const folder = mkdtempSync(join(tmpdir(), 'swf-play-'));
  // The database may run as an account of its own, which must be able to pass through.
  chmodSync(folder, 0o711);
  mkdirSync(options.transcripts, { recursive: true });
  rmSync(join(options.transcripts, 'server.log'), { force: true });
  let life: ServerProcess | undefined;
  let last: { readonly siteFile: string | undefined; readonly orderFiller: OrderFiller } | undefined;
  const launch = async (siteFile: string | undefined, again?: OrderFiller): Promise<OrderFiller> => {
    life = launchServer({ ...options, siteFile }, folder, again);
    const orderFiller = await addressesPrinted(life, options.signal);
    last = { siteFile, orderFiller };
    return orderFiller;
  };
  const kill = async (): Promise<void> => {
    await life?.kill();
    life = undefined;
  };
  const start = async (): Promise<void> => {
    if (!life) await launch(last?.siteFile, last?.orderFiller);
  };
  const stop = async (): Promise<void> => {
    await life?.stop();
    await endDatabase(folder);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const orderFiller = await launch(options.siteFile);
    const restart = async (siteFile: string | undefined): Promise<OrderFiller> => {
      await life?.stop();
      return launch(siteFile);
    };
    return { orderFiller, restart, kill, start, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One life of the server. */
interface ServerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  readonly lastErrors: readonly string[];
  stop(): Promise<void>;
  kill(): Promise<void>;
}

function launchServer(options: Options, folder: string, again: OrderFiller | undefined): ServerProcess {
  const { program = join('src', 'cli.ts') } = options;
  const child = spawn(process.execPath, ['--import', 'tsx', program, 'serve'], {
    cwd: packageFolder,
    env: environmentOf(options, join(folder, 'data'), again),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = keepLog(child, options.transcripts);
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = async (): Promise<void> => {
    await stopChild(child, ended);
    await log.written;
  };
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await log.written;
  };
  return { child, ended, lastErrors: log.lastLines, stop, kill };
}

/** Free ports, or those that it had. */
function environmentOf(
  { siteFile, environment }: Options,
  dataFolder: string,
  again: OrderFiller | undefined,
): NodeJS.ProcessEnv {
  const http = again?.http && new URL(again.http.url).port;
  const own = {
    SWF_HOST: '127.0.0.1',
    SWF_HL7_PORT: String(again?.hl7.port ?? 0),
    SWF_DICOM_PORT: String(again?.dicom.port ?? 0),
    SWF_HTTP_PORT: http ?? '0',
    SWF_DATA_DIR: dataFolder,
  };
  const inherited = Object.entries(environment).filter(([name]) => name !== 'DATABASE_URL' && name !== 'SWF_CONFIG');
  return { ...Object.fromEntries(inherited), ...own, ...(siteFile === undefined ? {} : { SWF_CONFIG: siteFile }) };
}

/** The database of a server that was killed lives on, for the next one; when that is stopped it is nobody's. */
async function endDatabase(folder: string): Promise<void> {
  const file = join(folder, 'data', 'postgres', 'postmaster.pid');
  if (!existsSync(file)) return;
  const [first = '', , , , socketFolder = ''] = readFileSync(file, 'utf8').split('\n');
  const pid = Number(first);
  if (!Number.isInteger(pid) || pid <= 1) return;
  const until = performance.now() + stopWithinMs;
  for (let lives = signalled(pid, 'SIGQUIT'); lives && performance.now() < until; lives = signalled(pid, 0))
    await pause(20);
  if (basename(socketFolder).startsWith('swf-pg-')) rmSync(socketFolder, { recursive: true, force: true });
}

/** Whether there is such a process. */
function signalled(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
  await ended;
  clearTimeout(timer);
}

/** Reads what the server prints until `ready`: one line for each address. */
function addressesPrinted({ child, ended, lastErrors }: ServerProcess, signal: AbortSignal): Promise<OrderFiller> {
  const printed = new Map<string, string>();
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stopped);
      reject(new ServerDidNotStart([reason, ...lastErrors].join('\n  ')));
    };
    const stopped = (): void => fail('stopped before the server was ready');
    const timer = setTimeout(() => fail(`the server was not ready after ${startWithinMs / 1000} s`), startWithinMs);
    signal.addEventListener('abort', stopped, { once: true });
    void ended.then(() => fail('the server ended before it was ready'));
    child.stdout?.on('error', () => {});
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [name = '', address = ''] = line.trim().split(/\s+/);
        printed.set(name, address);
        if (name !== 'ready') return;
        clearTimeout(timer);
        signal.removeEventListener('abort', stopped);
        try {
          resolve(addressesOf(printed));
        } catch {
          fail('the server did not print its addresses');
        }
      });
    }
  });
}

function addressesOf(printed: ReadonlyMap<string, string>): OrderFiller {
  return {
    hl7: parseMllpAddress(printed.get('hl7') ?? ''),
    dicom: parseDicomAddress(printed.get('dicom') ?? ''),
    http: { url: parseHttpAddress(printed.get('http') ?? '') },
  };
}

/** The server's own log goes to a file of the transcripts; its last lines are kept for a person. */
function keepLog(child: ChildProcess, transcripts: string): { lastLines: readonly string[]; written: Promise<void> } {
  const lastLines: string[] = [];
  const file = createWriteStream(join(transcripts, 'server.log'), { flags: 'a' });
  const written = finished(file).catch(() => {});
  if (!child.stderr) return { lastLines, written: Promise.resolve() };
  child.stderr.pipe(file);
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastLines.push(line);
    if (lastLines.length > linesShown) lastLines.shift();
  });
  return { lastLines, written };
}
