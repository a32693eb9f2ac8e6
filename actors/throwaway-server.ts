import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { OrderFiller } from './stage.ts';
import { parseDicomAddress, parseHttpAddress, parseMllpAddress } from './addresses.ts';

/** A server of ours in a process of its own, with nothing in it and nothing left of it afterwards. */
export interface ThrowawayServer {
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
  const launch = async (siteFile: string | undefined): Promise<OrderFiller> => {
    life = launchServer({ ...options, siteFile }, folder);
    return addressesPrinted(life, options.signal);
  };
  const stop = async (): Promise<void> => {
    await life?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const orderFiller = await launch(options.siteFile);
    const restart = async (siteFile: string | undefined): Promise<OrderFiller> => {
      await life?.stop();
      return launch(siteFile);
    };
    return { orderFiller, restart, stop };
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
}

function launchServer(options: Options, folder: string): ServerProcess {
  const { program = join('src', 'cli.ts') } = options;
  const child = spawn(process.execPath, ['--import', 'tsx', program, 'serve'], {
    cwd: packageFolder,
    env: environmentOf(options, join(folder, 'data')),
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
  return { child, ended, lastErrors: log.lastLines, stop };
}

function environmentOf({ siteFile, environment }: Options, dataFolder: string): NodeJS.ProcessEnv {
  const own = {
    SWF_HOST: '127.0.0.1',
    SWF_HL7_PORT: '0',
    SWF_DICOM_PORT: '0',
    SWF_HTTP_PORT: '0',
    SWF_DATA_DIR: dataFolder,
  };
  const inherited = Object.entries(environment).filter(([name]) => name !== 'DATABASE_URL' && name !== 'SWF_CONFIG');
  return { ...Object.fromEntries(inherited), ...own, ...(siteFile === undefined ? {} : { SWF_CONFIG: siteFile }) };
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
