import { dryRunReport } from './cli-dry-run.ts';
import { readHl7File } from './cli-hl7-file.ts';
import { post } from './cli-http.ts';
import { type Command, type Io, UsageError, configOf, parse, table } from './cli-io.ts';
import { dryRun } from './http/schemas-messages.ts';
import { type Ack, readAck } from './hl7/ack.ts';
import { readHeader, readText } from './hl7/header.ts';
import { createMllpClient } from './hl7/mllp-client.ts';
import type { Config } from './platform/config.ts';
import { SwfError } from './platform/errors.ts';
import { readSiteFiles } from './site-files.ts';
import { type Hl7Peer, hl7Peers } from './transactions/department.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;

/** HL7 table 0008: the message was taken. */
const isAccepted = (code: string): boolean => code === 'AA' || code === 'CA';

function peerOf(config: Config, name: string): Hl7Peer {
  const peers = hl7Peers(config);
  const found = peers.find((peer) => peer.name === name);
  if (found) return found;
  const names = peers.map((peer) => peer.name).join(', ') || 'none';
  throw new UsageError(`the site has no peer ${JSON.stringify(name)} that takes HL7; it has ${names}`);
}

interface Exchange {
  readonly ack: Ack;
  readonly answer: Uint8Array;
  readonly durationMs: number;
}

/** Sends one message and takes one answer. Throws SwfError 'no-acknowledgement'. */
async function exchange(config: Config, { name, hl7 }: Hl7Peer, message: Uint8Array): Promise<Exchange> {
  const tls = readSiteFiles(config).peers.hl7.get(name);
  const timeouts = { connectTimeoutMs: CONNECT_TIMEOUT_MS, answerTimeoutMs: ANSWER_TIMEOUT_MS };
  const client = createMllpClient({ host: hl7.host, port: hl7.port, ...timeouts, ...(tls ? { tls } : {}) });
  const startedAt = performance.now();
  const answer = await client.send(message).finally(() => client.close());
  const durationMs = Math.round(performance.now() - startedAt);
  const ack = readAck(answer);
  if (!ack) throw new SwfError('no-acknowledgement', `${name} answered with something else than an acknowledgement`);
  return { ack, answer, durationMs };
}

/** An acknowledgement to be shown. */
interface Sent {
  /** MSA-1 */
  readonly code: string;
  readonly rows: readonly (readonly string[])[];
  readonly document: object;
}

async function sendTo(config: Config, peer: Hl7Peer, message: Uint8Array): Promise<Sent> {
  const { ack, answer, durationMs } = await exchange(config, peer, message);
  const { code, controlId, errorCodes, text = '' } = ack;
  const sent = readHeader(message)?.controlId ?? '';
  if (controlId !== sent) {
    const sentence = `${peer.name} answered ${code} to another control id (MSA-2) than that of the file (MSH-10)`;
    throw new SwfError('no-acknowledgement', sentence);
  }
  const address = `mllp://${peer.hl7.host}:${peer.hl7.port}`;
  const rows = [
    ['answer', code],
    ...errorCodes.map((error) => ['error', error]),
    ...(text === '' ? [] : [['text', text]]),
    ['from', `${peer.name}  ${address}  ${durationMs} ms`],
  ];
  const whole = (readText(answer) ?? '').replace(/\r\n?/g, '\n');
  const shown = { peer: peer.name, address, answerCode: code, controlId, errorCodes, text, durationMs };
  return { code, rows, document: { ...shown, answer: whole } };
}

/** `swf send FILE --dry-run`: what the running server would do with the message. */
async function tryOut(config: Config, message: Uint8Array, show: { json: boolean; io: Io }): Promise<number> {
  const { ok, body, detail } = await post(config, '/api/dry-run', message);
  if (!ok) throw new SwfError('internal', detail);
  const run = dryRun.safeParse(body);
  if (!run.success) {
    throw new SwfError('internal', 'the server answered something else than a dry run: is it of the same version?');
  }
  show.io.print(show.json ? JSON.stringify(run.data, undefined, 2) : dryRunReport(run.data));
  return isAccepted(run.data.answerCode) ? 0 : 1;
}

/** `swf send`: an HL7 file to a peer of the site by MLLP, or to the running server to be tried out. */
export const runSend: Command = async (args, io) => {
  const parsed = parse(args, { texts: ['to'], flags: ['dry-run', 'json'], positionals: 1 });
  const [file] = parsed.positionals;
  const { to } = parsed.text;
  const json = parsed.flags.has('json');
  if (file === undefined) throw new UsageError('say which file to send, or - for standard input');
  if ((to === undefined) !== parsed.flags.has('dry-run')) {
    throw new UsageError('say where it goes: --to PEER; or --dry-run to ask what it would do here');
  }
  const config = configOf(parsed, io);
  const peer = to === undefined ? undefined : peerOf(config, to);
  const message = await readHl7File(file, io);
  if (!peer) return tryOut(config, message, { json, io });
  const sent = await sendTo(config, peer, message);
  io.print(json ? JSON.stringify(sent.document, undefined, 2) : table(sent.rows));
  return isAccepted(sent.code) ? 0 : 1;
};
