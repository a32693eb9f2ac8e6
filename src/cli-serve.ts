import { type Command, configOf, parse } from './cli-io.ts';
import { createLog } from './platform/log.ts';
import { startServer } from './server.ts';

// Ctrl-C reaches the whole process group and npm passes it on as well: a second signal this soon is the same one.
const SAME_SIGNAL_MS = 2_000;

const exitStatus = { SIGINT: 130, SIGTERM: 143 } as const;

/** `swf serve`: runs until a signal ends it. */
export const runServe: Command = async (args, io) => {
  const config = configOf(parse(args, {}), io);
  const log = createLog(config.logLevel);
  const ended = firstSignal();
  for (const setting of config.unused) log.debug({ error: setting }, 'a setting is accepted and has no effect yet');
  const server = await startServer(config, { log });
  const { hl7, dicom, http } = server.ports;
  io.print(`hl7    mllp://${config.hl7.host}:${hl7}`);
  io.print(`dicom  ${config.dicom.aeTitle}@${config.dicom.host}:${dicom}`);
  io.print(`http   http://${config.http.host}:${http}`);
  io.print('ready');
  const signal = await ended;
  log.info({ outcome: signal }, 'stopping: what was accepted is finished first');
  await server.stop();
  return exitStatus[signal];
};

function firstSignal(): Promise<keyof typeof exitStatus> {
  return new Promise((resolve) => {
    let first: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        const now = performance.now();
        if (first === undefined) {
          first = now;
          resolve(signal);
        } else if (now - first > SAME_SIGNAL_MS) process.exit(exitStatus[signal]);
      });
    }
  });
}
