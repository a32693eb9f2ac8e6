import { type Command, configOf, parse } from './cli-io.ts';
import { createLog } from './platform/log.ts';
import { startServer } from './server.ts';

// Ctrl-C reaches the whole process group and npm passes it on as well: a second signal this soon is the same one.
const SAME_SIGNAL_MS = 2_000;

const exitStatus = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

type Signal = keyof typeof exitStatus;

/** `swf serve`: runs until a signal ends it, or the embedded database does. */
export const runServe: Command = async (args, io) => {
  const config = configOf(parse(args, {}), io);
  const log = createLog(config.logLevel);
  const ended = firstSignal(io.environment['npm_lifecycle_event'] !== undefined);
  for (const setting of config.unused) log.debug({ error: setting }, 'a setting is accepted and has no effect yet');
  const server = await startServer(config, { log });
  const { hl7, dicom, http } = server.ports;
  io.print(`hl7    mllp://${config.hl7.host}:${hl7}`);
  io.print(`dicom  ${config.dicom.aeTitle}@${config.dicom.host}:${dicom}`);
  io.print(`http   http://${config.http.host}:${http}`);
  io.print('ready');
  const signal = await Promise.race([ended, server.databaseLost.then(() => undefined)]);
  log.info({ outcome: signal ?? 'database lost' }, 'stopping: what was accepted is finished first');
  await server.stop();
  if (signal !== undefined) return exitStatus[signal];
  io.error('The embedded database ended by itself. What was acknowledged is on disk: start again.');
  return 1;
};

function firstSignal(underNpm: boolean): Promise<Signal> {
  return new Promise((resolve) => {
    let first: number | undefined;
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        const now = performance.now();
        if (first === undefined) {
          first = now;
          resolve(signal);
        } else if (now - first > SAME_SIGNAL_MS) process.exit(exitStatus[signal]);
      });
    }
    if (underNpm) watchParent(() => resolve('SIGTERM'));
  });
}

const PARENT_LOOK_MS = 500;

/** npm that was killed cannot pass a signal on: the server must not outlive it. */
function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, PARENT_LOOK_MS);
  timer.unref();
}
