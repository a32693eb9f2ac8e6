import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { adt, connectSender, omg, orm } from '../support/messages.ts';
import {
  completed,
  dicomClient,
  inProgress,
  modality,
  newUid,
  notification,
  notify,
  stepsOf,
} from '../support/mpps.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { describeWith } from './describe-with.ts';
import { type Companion, companion, installed, output, scratch } from './programs.ts';

const root = process.getuid?.() === 0;
const mayCapture = root && installed('tshark', '-i', 'lo', '-a', 'duration:1', '-w', '/dev/null');

/** Everything by which the dissectors say that bytes are not what the standard asks for. */
const faults = {
  malformed: '_ws.malformed',
  error: '_ws.expert.severity == 8388608',
  itemLength: 'dicom.assoc.item.len.invalid',
  pdvContext: 'dicom.pdv.ctx.invalid',
  pdvFlags: 'dicom.pdv.flags.invalid',
  syntaxes:
    'dicom.no_abstract_syntax || dicom.multiple_abstract_syntax || dicom.no_transfer_syntax || dicom.multiple_transfer_syntax',
  tagWithoutData: 'dicom.data.tag.missing',
  hl7: 'hl7.malformed',
} as const;

/** One line a packet on standard output tells how far the capture is. */
function startCapture(file: string, ports: readonly number[]): Companion {
  const filter = ports.map((port) => `tcp port ${port}`).join(' or ');
  const shown = ['-P', '-l', '-T', 'fields', '-e', 'tcp.srcport', '-e', 'tcp.dstport'];
  return companion('tshark', ['-i', 'lo', '-f', filter, '-w', file, ...shown]);
}

/** Connects to a port and closes at once; gives the own port. */
async function knock(port: number): Promise<number> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  const own = (socket.address() as AddressInfo).port;
  socket.destroy();
  return own;
}

/** Connects to a port again and again until the capture shows one of these connections. */
async function captures(capture: Companion, port: number): Promise<void> {
  const knocks: number[] = [];
  const end = performance.now() + 30_000;
  const seen = (): boolean => knocks.some((own) => capture.lines.includes(`${own}\t${port}`));
  while (!seen()) {
    if (capture.ended() || performance.now() > end) throw new Error(`no capture: ${capture.errors.join(' ')}`);
    knocks.push(await knock(port));
    await until('the capture shows the connection', seen, 500).catch(() => undefined);
  }
}

/** Both dialects from registration to images, refusals included, with letters beyond ASCII. */
async function playDay(server: TestServer, peers: readonly PeerDouble[]): Promise<void> {
  const patient = { identifier: 'PW1^^^CLINIC', name: 'Åström^Zoë' };
  const utf8 = (message: string): string => message.replace(/(\|P\|2\.\d\.\d)\r/, '$1||||||UNICODE UTF-8\r');
  const sender = await connectSender(server.ports.hl7);
  expect((await sender.send(utf8(adt('A04', patient)))).code).toBe('AA');
  const first = orm([{ placerOrderNumber: 'W1^HIS', orcStart: '203001150900' }], patient);
  expect((await sender.send(utf8(first))).code).toBe('AA');
  const second = omg([{ placerOrderNumber: 'W2^HIS', tq1Start: '20300115100000' }], patient);
  expect((await sender.send(utf8(second))).code).toBe('AA');
  expect((await sender.send(orm([{ placerOrderNumber: 'W1^HIS' }], patient))).code).toBe('AR');
  expect((await sender.send(adt('Z99', patient, { version: '2.5.1' }))).code).toBe('AR');
  sender.end();
  const client = dicomClient(server.ports.dicom);
  expect(await client.echo()).toBe(0);
  const { datasets } = await client.find({ PatientName: 'Å*', ScheduledProcedureStepSequence: [] });
  expect(datasets).toHaveLength(2);
  const steps = await stepsOf(server.store, 'W1');
  const [uid, image] = [newUid(), newUid()];
  const dx1 = modality(server.ports.dicom);
  expect(await dx1.create(uid, inProgress(steps))).toBe(0);
  expect(await dx1.create(uid, inProgress(steps))).toBe(0x0111);
  expect(await dx1.set(uid, completed([image]))).toBe(0);
  expect(await notify(server.ports.dicom, notification(steps[0]?.studyInstanceUid ?? '', [image]))).toBe(0);
  const [placer, ...managers] = peers;
  await placer?.arrived(2);
  for (const manager of managers) await manager.arrived(2);
}

describeWith(
  'the bytes on the wire as tshark dissects them',
  { 'tshark with the right to capture': mayCapture },
  () => {
    const folder = scratch();
    const file = join(folder.path, 'day.pcapng');
    let server: TestServer;
    let peers: PeerDouble[];

    const hl7Ports = (): number[] => [server.ports.hl7, ...peers.map((peer) => peer.entry.hl7.port)];
    const frames = async (filter: string): Promise<string[]> => {
      const hl7 = hl7Ports().flatMap((port) => ['-d', `tcp.port==${port},hl7`]);
      const decode = [...hl7, '-d', `tcp.port==${server.ports.dicom},dicom`];
      const fields = ['-T', 'fields', '-e', 'frame.number', '-e', '_ws.col.Info'];
      const lines = await output('tshark', ['-r', file, ...decode, '-Y', filter, ...fields]);
      return lines.split('\n').filter((line) => line !== '');
    };

    beforeAll(async () => {
      peers = [
        await startPeer('OP', 'order-placer'),
        await startPeer('IM', 'image-manager'),
        await startPeer('IM_B', 'image-manager', { version: '2.5.1', application: 'ARCHIVE_B' }),
      ];
      server = await startTestServer({ peers: peers.map((peer) => peer.entry) });
      const capture = startCapture(file, [...hl7Ports(), server.ports.dicom]);
      await captures(capture, server.ports.hl7);
      await playDay(server, peers);
      // what was sent before is in the capture when this is
      await captures(capture, server.ports.hl7);
      await capture.stop('SIGINT');
    });
    afterAll(async () => {
      await server.stop();
      await Promise.all(peers.map((peer) => peer.down()));
      folder.remove();
    });

    it('given a day of both dialects, when it was captured, then every kind of message is in it', async () => {
      const dicom = (await frames('dicom')).join('\n');
      for (const kind of ['A-ASSOCIATE accept', 'C-ECHO-RSP', 'C-FIND-RSP', 'N-CREATE-RSP', 'N-SET-RSP'])
        expect(dicom).toContain(kind);
      for (const type of ['ADT', 'ORM', 'OMG', 'OMI', 'ACK'])
        expect(await frames(`hl7.message.type == "${type}"`), type).not.toEqual([]);
      expect(await frames('dicom.pdu.type == 7'), 'A-ABORT').toEqual([]);
    });

    it.each(Object.entries(faults))(
      'given the captured day, when tshark looks for %s, then there is none (PS3.8 9.3, HL7 v2.5.1 2.6)',
      async (_fault, filter) => {
        expect(await frames(filter)).toEqual([]);
      },
    );
  },
);
