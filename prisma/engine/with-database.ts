/* eslint-disable no-console */
// node --import tsx prisma/engine/with-database.ts -- COMMAND ARGUMENTS...
// Runs a command with DATABASE_URL set to an empty scratch database; its exit status is the command's.
import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withScratchCluster } from './scratch-cluster.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const status = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The exit status of a command that gets the environment variable DATABASE_URL. */
export function runWithUrl(command: string, args: readonly string[], url: string): Promise<number> {
  const programs = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
  const path = [programs, process.env.PATH ?? ''].join(delimiter);
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, PATH: path, DATABASE_URL: url } });
  // the command decides what a signal means; we stay until it has ended, to stop the database
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of signals) process.on(signal, pass);
  return new Promise<number>((resolve) => {
    child.once('error', (error) => {
      console.error(`${command} cannot be run: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code, signal) => resolve(code ?? status[signal as keyof typeof status] ?? 1));
  }).finally(() => {
    for (const signal of signals) process.off(signal, pass);
  });
}

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...args] = argv[0] === '--' ? argv.slice(1) : argv;
  if (command === undefined) {
    console.error('usage: node --import tsx prisma/engine/with-database.ts -- COMMAND ARGUMENTS...');
    return 2;
  }
  return withScratchCluster((url) => runWithUrl(command, args, url));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
