import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDicomClient } from '../../src/dicom/client.ts';
import { startDicomServer } from '../../src/dicom/server.ts';
import type { DicomServerOptions } from '../../src/dicom/server.ts';
import { encodeDataset, IMPLICIT_VR_LITTLE_ENDIAN } from '../../src/dicom/codec.ts';
import { dataset } from '../../src/dicom/dataset.ts';
import { encodePdu, encodeRelease, pduType } from '../../src/dicom/pdu.ts';
import { sopClass } from '../../src/dicom/status.ts';
import { associateRequest, echo, echoCommand, message, rawPeer } from './raw-peer.ts';
import type { RawPeer } from './raw-peer.ts';

const created: (string | undefined)[] = [];
const limits = { associations: 4, pduBytes: 16_384, messageBytes: 100_000, idleMs: 60_000, artimMs: 10_000 };

const options = (change: Partial<DicomServerOptions> = {}): DicomServerOptions => ({
  host: '127.0.0.1',
  port: 0,
  calledAeTitles: ['DSS'],
  callingAeTitles: ['CT1', 'PROBE'],
  limits,
  handlers: {
    async *find() {
      for (let i = 0; i < 3; i++)
        yield { status: 0xff00, dataset: dataset({ PatientID: `P${i}`, PatientName: 'A'.repeat(60) }) };
    },
    nCreate: async ({ sopInstanceUid }) => {
      created.push(sopInstanceUid);
      return { status: 0 };
    },
    nSet: async () => ({ status: 0 }),
  },
  ...change,
});

let server: Awaited<ReturnType<typeof startDicomServer>>;
beforeAll(async () => {
  server = await startDicomServer(options());
});
afterAll(() => server.stop());

const pdv = (contextId: number, control: number, value: Buffer): Buffer => {
  const header = Buffer.alloc(6);
  header.writeUInt32BE(value.length + 2, 0);
  header[4] = contextId;
  header[5] = control;
  return Buffer.concat([header, value]);
};
const data = (...pdvs: Buffer[]): Buffer => encodePdu(pduType.data, Buffer.concat(pdvs));
const withBytes = (bytes: Buffer, at: number, ...values: number[]): Buffer => {
  const copy = Buffer.from(bytes);
  values.forEach((value, index) => (copy[at + index] = value));
  return copy;
};
const echoes = (port: number): Promise<number> =>
  createDicomClient({
    host: '127.0.0.1',
    port,
    callingAeTitle: 'PROBE',
    calledAeTitle: 'DSS',
    timeoutMs: 5_000,
  }).echo();
const association = async (request = associateRequest()): Promise<RawPeer> => {
  const peer = await rawPeer(server.port);
  peer.write(request);
  expect((await peer.next()).type).toBe(pduType.associateAccept);
  return peer;
};
const findCommand = {
  AffectedSOPClassUID: sopClass.modalityWorklistFind,
  CommandField: 0x20,
  MessageID: 1,
  Priority: 0,
};
const identifier = encodeDataset(dataset({ PatientID: null }), IMPLICIT_VR_LITTLE_ENDIAN);
const mpps = { AffectedSOPClassUID: sopClass.modalityPerformedProcedureStep, CommandField: 0x140, MessageID: 1 };

describe('PS3.8 9.3.4 A-ASSOCIATE-RJ', () => {
  const rq = associateRequest();
  it.each([
    ['an unknown called AE title', associateRequest({ called: 'OTHER' }), [1, 1, 7]],
    ['an unknown calling AE title', associateRequest({ calling: 'STRANGER' }), [1, 1, 3]],
    ['another protocol version', withBytes(rq, 6, 0, 2), [2, 2, 2]],
    ['another application context', withBytes(rq, 6 + 68 + 4, 0x39), [1, 1, 2]],
    ['a maximum length of 6, which leaves no room', associateRequest({ maxPduLength: 6 }), [1, 2, 1]],
    ['a maximum length of 1', associateRequest({ maxPduLength: 1 }), [1, 2, 1]],
    ['no presentation context', associateRequest({ contexts: [] }), [1, 2, 1]],
  ])('answers %s with its reason, ignores data sent after it, and still echoes', async (_, request, reason) => {
    const before = created.length;
    const peer = await rawPeer(server.port);
    peer.write(request, message(5, mpps, identifier));
    const { type, body } = await peer.next();
    expect([type, ...body.subarray(1, 4)]).toEqual([pduType.associateReject, ...reason]);
    expect((await peer.next()).type).toBe('closed');
    expect(created.length).toBe(before);
    expect(await echoes(server.port)).toBe(0);
  });

  it('rejects one association too many as a temporary congestion (2,3,2), and takes it when there is room', async () => {
    const peers = await Promise.all(Array.from({ length: limits.associations }, () => association()));
    const late = await rawPeer(server.port);
    late.write(associateRequest());
    expect([...(await late.next()).body.subarray(1, 4)]).toEqual([2, 3, 2]);
    for (const peer of peers) {
      peer.write(encodeRelease(pduType.releaseRequest));
      expect((await peer.next()).type).toBe(pduType.releaseResponse);
    }
    expect(await echoes(server.port)).toBe(0);
  });
});

describe('PS3.8 9.2 violations end in A-ABORT or closing, and the server lives', () => {
  const longHeader = Buffer.from([4, 0, 0xff, 0xff, 0xff, 0xff, 0, 0]);
  it.each<[string, Buffer[]]>([
    ['data', [echo(1)]],
    ['a release request', [encodeRelease(pduType.releaseRequest)]],
    ['an unknown PDU', [encodePdu(0x55, Buffer.alloc(4))]],
    ['an association request of 4 GiB', [Buffer.from([1, 0, 0xff, 0xff, 0xff, 0xff])]],
    ['an association request of 10 bytes', [encodePdu(pduType.associateRequest, Buffer.alloc(10))]],
    ['an item longer than its PDU', [withBytes(associateRequest(), 6 + 68 + 2, 0xff, 0xff)]],
    [
      'one context identifier twice',
      [
        associateRequest({
          contexts: [1, 1].map((id) => ({
            id,
            abstractSyntax: sopClass.verification,
            transferSyntaxes: [IMPLICIT_VR_LITTLE_ENDIAN],
          })),
        }),
      ],
    ],
  ])('before the association: %s', async (_, bytes) => {
    const peer = await rawPeer(server.port);
    peer.write(...bytes);
    expect([(await peer.next()).type, (await peer.next()).type]).toEqual([pduType.abort, 'closed']);
    expect(await echoes(server.port)).toBe(0);
  });

  it.each<[string, Buffer[]]>([
    ['a PDU length of 0xFFFFFFFF', [longHeader]],
    ['a PDU one byte longer than advertised', [encodePdu(pduType.data, Buffer.alloc(limits.pduBytes + 1))]],
    ['a second association request', [associateRequest()]],
    ['an unknown PDU', [encodePdu(0x55, Buffer.alloc(4))]],
    ['a PDV longer than its PDU', [encodePdu(pduType.data, Buffer.from([0, 0, 0, 99, 1, 3]))]],
    ['a PDV length of 1', [encodePdu(pduType.data, Buffer.from([0, 0, 0, 1, 1, 3, 0]))]],
    ['data on a context that was not proposed', [echo(1, 9)]],
    ['a data set without command', [data(pdv(1, 2, identifier))]],
    ['a command that is no data set', [data(pdv(1, 3, Buffer.from('nonsense')))]],
    ['a command without Command Field', [data(pdv(1, 3, Buffer.alloc(0)))]],
    [
      'a response that nobody asked for',
      [message(3, { CommandField: 0x8030, MessageIDBeingRespondedTo: 1, Status: 0 })],
    ],
    [
      'messages of two contexts interleaved',
      [data(pdv(1, 1, echoCommand(1).subarray(0, 12)), pdv(3, 3, echoCommand(2)))],
    ],
    [
      'a message larger than allowed',
      Array.from({ length: 10 }, (_, i) =>
        i === 0
          ? data(pdv(5, 3, message(5, mpps, identifier).subarray(12, -identifier.length - 12)))
          : data(pdv(5, 0, Buffer.alloc(16_000))),
      ),
    ],
  ])('on an association: %s', async (_, bytes) => {
    const peer = await association();
    peer.write(...bytes);
    expect([(await peer.next()).type, (await peer.next()).type]).toEqual([pduType.abort, 'closed']);
    expect(await echoes(server.port)).toBe(0);
  });

  it('forgets an association that is dropped in the middle of a PDU', async () => {
    const peer = await association();
    peer.write(echo(1).subarray(0, 20));
    peer.end();
    expect(await echoes(server.port)).toBe(0);
  });
});

describe('what is unusual but legal works', () => {
  it('takes presentation contexts in any order, and answers each (PS3.8 9.3.2.2)', async () => {
    const syntaxes = [IMPLICIT_VR_LITTLE_ENDIAN];
    const peer = await rawPeer(server.port);
    peer.write(
      associateRequest({
        contexts: [
          { id: 9, abstractSyntax: sopClass.verification, transferSyntaxes: syntaxes },
          { id: 3, abstractSyntax: '1.2.3', transferSyntaxes: syntaxes },
          { id: 5, abstractSyntax: sopClass.verification, transferSyntaxes: ['1.2.840.10008.1.2.1.99'] },
        ],
      }),
    );
    const { type, body } = await peer.next();
    const results = [...body.toString('latin1').matchAll(/\x21\0..(.)\0(.)\0/gs)].map(([, id = '', result = '']) => [
      id.charCodeAt(0),
      result.charCodeAt(0),
    ]);
    expect([type, results]).toEqual([
      pduType.associateAccept,
      [
        [9, 0],
        [3, 3],
        [5, 4],
      ],
    ]);
    peer.write(echo(7, 9));
    expect((await peer.message()).command).toMatchObject({ MessageIDBeingRespondedTo: [7], Status: [0] });
    peer.end();
  });

  it('answers every request of several PDVs in one PDU, and requests sent ahead, one after the other', async () => {
    const peer = await association();
    peer.write(data(pdv(3, 3, echoCommand(1)), pdv(3, 3, echoCommand(2))), echo(3));
    const answered = [await peer.message(), await peer.message(), await peer.message()];
    expect(answered.map(({ command }) => command['MessageIDBeingRespondedTo'])).toEqual([[1], [2], [3]]);
    peer.end();
  });

  it('reads a command byte by byte and in PDVs of one byte', async () => {
    const peer = await association();
    const command = echoCommand(4);
    const pdvs = [...command].map((byte, index) =>
      data(pdv(3, index === command.length - 1 ? 3 : 1, Buffer.from([byte]))),
    );
    for (const byte of Buffer.concat(pdvs)) peer.write(Buffer.from([byte]));
    expect((await peer.message()).command).toMatchObject({ MessageIDBeingRespondedTo: [4], Status: [0] });
    peer.end();
  });

  it('honours a maximum length of 32 bytes (PS3.8 D.1)', async () => {
    const peer = await association(associateRequest({ maxPduLength: 32 }));
    peer.write(message(1, findCommand, identifier));
    const answers = [await peer.message(), await peer.message(), await peer.message(), await peer.message()];
    expect(answers.map(({ command }) => command['Status'])).toEqual([[0xff00], [0xff00], [0xff00], [0]]);
    expect(Math.max(...answers.map(({ longest }) => longest))).toBe(32);
    peer.end();
  });

  it('refuses a command that no service of the context has with 0211 (PS3.7 C.5.23)', async () => {
    const peer = await association();
    peer.write(
      message(1, { AffectedSOPClassUID: sopClass.modalityWorklistFind, CommandField: 1, MessageID: 8 }, identifier),
    );
    expect((await peer.message()).command).toMatchObject({
      CommandField: [0x8001],
      MessageIDBeingRespondedTo: [8],
      Status: [0x0211],
    });
    peer.write(message(3, { CommandField: 0x0777, MessageID: 9 }));
    expect((await peer.message()).command).toMatchObject({ CommandField: [0x8777], Status: [0x0211] });
    peer.write(echo(10));
    expect((await peer.message()).command).toMatchObject({ Status: [0] });
    peer.end();
  });

  it('refuses a command for another SOP class than that of its context with 0122', async () => {
    const peer = await association();
    peer.write(message(5, { ...mpps, AffectedSOPClassUID: '1.2.3' }, identifier));
    expect((await peer.message()).command).toMatchObject({ Status: [0x0122] });
    peer.end();
  });

  it('answers what came before a release request, then the release', async () => {
    const peer = await association();
    peer.write(
      message(5, { ...mpps, AffectedSOPInstanceUID: '1.2.3' }, identifier),
      encodeRelease(pduType.releaseRequest),
    );
    expect((await peer.message()).command).toMatchObject({ Status: [0], AffectedSOPInstanceUID: ['1.2.3'] });
    expect([(await peer.next()).type, (await peer.next()).type]).toEqual([pduType.releaseResponse, 'closed']);
  });

  it('takes no notice of a C-CANCEL that comes too late', async () => {
    const peer = await association();
    const cancel = message(1, { CommandField: 0x0fff, MessageIDBeingRespondedTo: 1 });
    peer.write(cancel, message(1, findCommand, identifier));
    const answers = [await peer.message(), await peer.message(), await peer.message(), await peer.message()];
    expect(answers.map(({ command }) => command['Status'])).toEqual([[0xff00], [0xff00], [0xff00], [0]]);
    peer.end();
  });
});

describe('timers', () => {
  it('closes a connection that sends no whole association request (ARTIM, PS3.8 9.1.5)', async () => {
    const impatient = await startDicomServer(options({ limits: { ...limits, artimMs: 50 } }));
    const silent = await rawPeer(impatient.port);
    const slow = await rawPeer(impatient.port);
    slow.write(associateRequest().subarray(0, 30));
    expect([(await silent.next()).type, (await slow.next()).type]).toEqual(['closed', 'closed']);
    expect(await echoes(impatient.port)).toBe(0);
    await impatient.stop();
  });

  it('aborts an association that is idle, also in the middle of a PDU', async () => {
    const impatient = await startDicomServer(options({ limits: { ...limits, idleMs: 50 } }));
    const peer = await rawPeer(impatient.port);
    peer.write(associateRequest());
    expect((await peer.next()).type).toBe(pduType.associateAccept);
    peer.write(echo(1).subarray(0, 20));
    expect([(await peer.next()).type, (await peer.next()).type]).toEqual([pduType.abort, 'closed']);
    await impatient.stop();
  });

  it('destroys a connection whose peer stays after a rejection', async () => {
    const strict = await startDicomServer(options({ limits: { ...limits, artimMs: 50 } }));
    const peer = await rawPeer(strict.port);
    peer.write(associateRequest({ called: 'OTHER' }));
    expect([(await peer.next()).type, (await peer.next()).type]).toEqual([pduType.associateReject, 'closed']);
    await strict.stop();
  });
});
