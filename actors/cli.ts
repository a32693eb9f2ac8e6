import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { main } from './commands.ts';

const stopped = new AbortController();
let signalStatus: number | undefined;
let firstSignal = 0;

/** The first signal stops the playing and cleans up; a second one, later than an echo of the first, ends at once. */
function onSignal(status: number): void {
  if (signalStatus === undefined) {
    signalStatus = status;
    firstSignal = performance.now();
    stopped.abort();
  } else if (performance.now() - firstSignal >= 2000) process.exit(status);
}

process.on('SIGINT', () => onSignal(130));
process.on('SIGTERM', () => onSignal(143));
// A reader that has seen enough (`| head`) must not end the cleaning up.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

/** Asks the person at the terminal; the question goes beside the result. */
async function ask(text: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  terminal.once('SIGINT', () => onSignal(130));
  // Who closes standard input (Ctrl-D) has skipped the step.
  const gone = once(terminal, 'close').then(() => 's');
  return Promise.race([terminal.question(text, { signal: stopped.signal }), gone]).finally(() => terminal.close());
}

let shown = '';
const wipe = (): string => (shown === '' ? '' : '\r\u001b[2K');

/** The line below all others; cut to the terminal, since a line that wraps cannot be wiped. */
function showStatus(text: string): void {
  const next = text.slice(0, (process.stdout.columns || 80) - 1);
  process.stdout.write(`${wipe()}${next}`);
  shown = next;
}

const status = await main(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${wipe()}${line}\n${shown}`),
  status: process.stdout.isTTY ? showStatus : undefined,
  err: (line) => void process.stderr.write(`${line}\n`),
  colour: process.stdout.isTTY && !process.env['NO_COLOR'],
  environment: process.env,
  workingDirectory: process.cwd(),
  signal: stopped.signal,
  tester: process.stdin.isTTY ? ask : undefined,
});
process.exitCode = signalStatus ?? status;
