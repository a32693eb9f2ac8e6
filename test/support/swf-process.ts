import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const packageFolder = fileURLToPath(new URL('../..', import.meta.url));

/** The command line as a process of its own. */
export interface SwfProcess {
  readonly child: ChildProcess;
  readonly output: readonly string[];
  readonly errors: readonly string[];
  /** Its exit status once it has ended and all it wrote is there; a signal that killed it counts as a shell counts it. */
  readonly ended: Promise<number>;
  hasEnded(): boolean;
}

// What a shell reports for a process that a signal has killed: 128 and its number.
const statusOfSignal: Readonly<Record<string, number>> = { SIGINT: 130, SIGKILL: 137, SIGTERM: 143 };

/** Settings of whoever runs the tests must not reach the process. */
function foreign(name: string): boolean {
  return name === 'DATABASE_URL' || name.startsWith('SWF_');
}

/** Runs `swf` with arguments. It does not outlive the tests. */
export function startSwf(args: readonly string[], environment: Readonly<Record<string, string>>): SwfProcess {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign(name)));
  const child = spawn(process.execPath, ['--import', 'tsx', join('src', 'cli.ts'), ...args], {
    cwd: packageFolder,
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killChild = (): void => void child.kill('SIGKILL');
  process.once('exit', killChild);
  const [output, errors]: [string[], string[]] = [[], []];
  createInterface({ input: child.stdout }).on('line', (line) => output.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  let over = false;
  const ended = once(child, 'close').then(([status, signal]) => {
    over = true;
    process.off('exit', killChild);
    return (status as number | null) ?? statusOfSignal[String(signal)] ?? -1;
  });
  return { child, output, errors, ended, hasEnded: () => over };
}
