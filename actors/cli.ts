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

/** Says what is to be done and waits for Enter. Comes back at once when the playing is stopped. */
async function askAtTerminal(text: string): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    await terminal.question(`  >  at the Order Filler: ${text}; then press Enter `, { signal: stopped.signal });
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
  } finally {
    terminal.close();
  }
}

const status = await main(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  colour: process.stdout.isTTY && !process.env['NO_COLOR'],
  environment: process.env,
  workingDirectory: process.cwd(),
  signal: stopped.signal,
  ask: process.stdin.isTTY ? askAtTerminal : undefined,
});
process.exitCode = signalStatus ?? status;
