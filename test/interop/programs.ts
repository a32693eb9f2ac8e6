import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const RUN_WITHIN_MS = 20_000;

/** True when a program can be started. */
export function installed(program: string, ...args: string[]): boolean {
  const { error, status } = spawnSync(program, args, { stdio: 'ignore', timeout: RUN_WITHIN_MS });
  return error === undefined && status === 0;
}

/** The Python that has all these modules, undefined when none has. */
export function pythonWith(...modules: string[]): string | undefined {
  const pythons = [process.env['PYTHON'], 'python3', '/usr/bin/python3'].filter((name) => name !== undefined);
  return pythons.find((python) => installed(python, '-c', `import ${modules.join(', ')}`));
}

/** A script of this folder. */
export const script = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, or kills it; what it prints is text. */
export function run(program: string, args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { timeout: RUN_WITHIN_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 26 } as const;
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const status = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
      resolve({ status, stdout, stderr });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Runs a program that must succeed and gives what it printed. */
export async function output(program: string, args: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await run(program, args, input);
  if (status !== 0) throw new Error(`${program} ended with status ${status}: ${stderr}${stdout}`);
  return stdout;
}

/** A program that runs beside the test. */
export interface Companion {
  readonly child: ChildProcess;
  /** The lines of its standard output so far. */
  readonly lines: readonly string[];
  /** The lines of its standard error so far. */
  readonly errors: readonly string[];
  /** True when it has ended by itself or was ended. */
  ended(): boolean;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const STOP_WITHIN_MS = 5_000;

/** Starts a program that runs until it is stopped. */
export function companion(program: string, args: readonly string[]): Companion {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const errors: string[] = [];
  let over = false;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true;
      resolve();
    };
    child.once('close', end);
    child.once('error', end);
  });
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  return {
    child,
    lines,
    errors,
    ended: () => over,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** A folder for what a program writes. */
export function scratch(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'swf-interop-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Who calls whom, and at which DICOM port of this machine. */
export interface Call {
  readonly port: number;
  readonly calling: string;
  readonly called: string;
}

/** A call of our server by an application entity. */
export const callOf = (port: number, calling = 'DX1'): Call => ({ port, calling, called: 'SWF_OF' });
