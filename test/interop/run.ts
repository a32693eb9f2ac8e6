// `npm run interop`: foreign programs ask a throwaway server of ours, one line for each thing they were told to do.
import { chmodSync } from 'node:fs';
import { startThrowawayServer } from '../../actors/throwaway-server.ts';
import { testCatalogue, writeSite } from '../support/site.ts';
import { type Judge, type Ports, judges, versionOf } from './judges.ts';
import { manySteps, orderEverything } from './orders.ts';
import { scratch } from './programs.ts';

const say = (verdict: string, program: string, text: string): void =>
  void process.stdout.write(`${verdict.padEnd(5)} ${program.padEnd(38)} ${text}\n`);

const interrupted = new AbortController();
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());

/** Asks one program and gives how many of its checks failed. */
async function hear({ program, debianPackage, checks }: Judge, ports: Ports): Promise<number> {
  const name = `${program} (${debianPackage} ${versionOf(debianPackage)})`.replace(' )', ')');
  let failed = 0;
  try {
    for await (const { asked, came, expected } of checks(ports)) {
      const isOk = came === expected;
      failed += isOk ? 0 : 1;
      const text = `${asked} -> ${came || 'nothing'}`;
      say(isOk ? 'ok' : 'FAIL', name, isOk ? text : `${text}, expected ${expected || 'nothing'}`);
    }
  } catch (error) {
    failed += 1;
    const reason = error instanceof Error ? error.message.trim() : String(error);
    say('FAIL', name, interrupted.signal.aborted ? 'interrupted' : reason);
  }
  return failed;
}

async function hearAll(ports: Ports): Promise<number> {
  let failed = 0;
  for (const judge of judges) {
    const { program, debianPackage, isHere } = judge;
    if (interrupted.signal.aborted) return failed + 1;
    if (isHere) failed += await hear(judge, ports);
    else
      say(
        '-',
        program,
        `not installed; on Debian: apt-get install ${debianPackage}${program.endsWith('.cc') ? ' g++' : ''}`,
      );
  }
  return failed;
}

const folder = scratch();
// The database may run as an account of its own, which must be able to pass through.
chmodSync(folder.path, 0o711);
try {
  const siteFile = await writeSite(folder.path, { catalogue: [...testCatalogue, manySteps] });
  const environment = { ...process.env, SWF_LOG_LEVEL: 'warn' };
  const { signal } = interrupted;
  const server = await startThrowawayServer({ siteFile, transcripts: folder.path, environment, signal });
  try {
    // Without its server a program that is being asked ends soon.
    signal.addEventListener('abort', () => void server.stop());
    const ports = { hl7: server.orderFiller.hl7.port, dicom: server.orderFiller.dicom.port };
    await orderEverything(ports.hl7);
    process.exitCode = (await hearAll(ports)) === 0 ? 0 : 1;
  } finally {
    await server.stop();
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  folder.remove();
}
