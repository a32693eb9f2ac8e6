import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Command, configOf, parse, table } from './cli-io.ts';
import { createDicomClient } from './dicom/client.ts';
import type { Config } from './platform/config.ts';
import { SwfError, describeError } from './platform/errors.ts';
import { createLog } from './platform/log.ts';
import { embeddedDatabase } from './server.ts';
import { type SiteFiles, type TlsFiles, readSiteFiles } from './site-files.ts';
import { startEmbeddedPostgres } from './store/embedded-postgres.ts';
import { pendingMigrations } from './store/migrate.ts';

const TIMEOUT_MS = 5_000;

/** One line of `swf check`. */
interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'FAIL' | 'note';
  readonly text: string;
}

async function finding(name: string, where: string, look: () => Promise<string>): Promise<Finding> {
  const startedAt = performance.now();
  try {
    const seen = await look();
    return { name, state: 'ok', text: `${where}  ${seen}  ${Math.round(performance.now() - startedAt)} ms` };
  } catch (error) {
    const reason = error instanceof SwfError ? plain(error.message) : connectionProblem(error);
    return { name, state: 'FAIL', text: `${where}  ${reason}` };
  }
}

const problems: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nobody listens there',
  ENOTFOUND: 'no such host name',
  ETIMEDOUT: 'no answer: is a firewall between?',
  EHOSTUNREACH: 'the host cannot be reached',
};

function connectionProblem(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return (typeof code === 'string' && problems[code]) || describeError(error).error;
}

/** The same words for the same thing, whichever protocol met it. */
function plain(message: string): string {
  const code = Object.keys(problems).find((one) => message.endsWith(one));
  return (code !== undefined && problems[code]) || message;
}

/** Whether our own server runs: nothing to fail about, it may be stopped on purpose. */
async function checkServer(config: Config): Promise<Finding> {
  const { host, port } = config.hl7;
  const found = await finding('serve', `mllp://${host}:${port}`, () => canConnect({ host, port }, undefined));
  return found.state === 'ok' ? found : { ...found, state: 'note', text: `mllp://${host}:${port}  not running` };
}

function canConnect(address: { host: string; port: number }, tls: TlsFiles | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const { host, port } = address;
    const socket = tls ? connectTls({ host, port, ...tls }) : connect({ host, port });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      socket.destroy();
      resolve('connected');
    });
    socket.once('error', reject);
  });
}

interface Called {
  readonly host: string;
  readonly port: number;
  readonly aeTitle: string;
  readonly tls?: TlsFiles | undefined;
}

async function echo({ host, port, aeTitle, tls }: Called, callingAeTitle: string): Promise<string> {
  const client = createDicomClient({
    host,
    port,
    callingAeTitle,
    calledAeTitle: aeTitle,
    timeoutMs: TIMEOUT_MS,
    ...(tls ? { tls } : {}),
  });
  const status = await client.echo();
  if (status !== 0)
    throw new SwfError('no-acknowledgement', `C-ECHO ended with 0x${status.toString(16).padStart(4, '0')}`);
  return 'C-ECHO';
}

async function checkDatabase(config: Config): Promise<Finding> {
  const where = config.databaseUrl === undefined ? `embedded in ${config.dataDir}` : 'DATABASE_URL';
  return finding('database', where, async () => {
    const log = createLog('silent');
    const embedded =
      config.databaseUrl === undefined ? await startEmbeddedPostgres(embeddedDatabase(config, log)) : undefined;
    try {
      const pending = await pendingMigrations(config.databaseUrl ?? embedded?.url ?? '');
      return pending.length === 0
        ? 'up to date'
        : `${pending.length} migrations pending; swf serve and swf migrate apply them`;
    } finally {
      await embedded?.stop();
    }
  });
}

async function checkPeer(peer: Config['peers'][number], config: Config, files: SiteFiles): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { name, hl7, dicom } = peer;
  if (hl7) {
    const tls = files.peers.hl7.get(name);
    findings.push(await finding(name, `mllp://${hl7.host}:${hl7.port}`, () => canConnect(hl7, tls)));
  }
  if (dicom) {
    const where = `${dicom.aeTitle}@${dicom.host}:${dicom.port}`;
    const called = { ...dicom, tls: files.peers.dicom.get(name) };
    findings.push(await finding(name, where, () => echo(called, config.dicom.aeTitle)));
  }
  return findings;
}

async function checkStations(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { aeTitle, host, port } of config.stations) {
    if (host === undefined || port === undefined) continue;
    findings.push(
      await finding(aeTitle, `${aeTitle}@${host}:${port}`, () => echo({ host, port, aeTitle }, config.dicom.aeTitle)),
    );
  }
  return findings;
}

/** `swf check`: configuration, database, and every peer and station that has an address. */
export const runCheck: Command = async (args, io) => {
  const parsed = parse(args, { flags: ['json'] });
  const config = configOf(parsed, io);
  const files = readSiteFiles(config);
  const findings: Finding[] = [
    { name: 'config', state: 'ok', text: config.file ?? 'no site file: defaults' },
    { name: 'catalogue', state: 'ok', text: `${config.catalogue.length} services` },
    await checkDatabase(config),
    await checkServer(config),
  ];
  for (const peer of config.peers) findings.push(...(await checkPeer(peer, config, files)));
  findings.push(...(await checkStations(config)));
  findings.push(...config.unused.map((text): Finding => ({ name: 'setting', state: 'note', text })));
  const failed = findings.filter(({ state }) => state === 'FAIL').length;
  if (parsed.flags.has('json')) io.print(JSON.stringify({ ok: failed === 0, findings }, undefined, 2));
  else io.print(table(findings.map(({ name, state, text }) => [name, state, text])));
  return failed === 0 ? 0 : 1;
};
