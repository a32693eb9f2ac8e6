import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDicomClient } from '../../src/dicom/client.ts';
import { encodeDataset, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '../../src/dicom/codec.ts';
import { type Dataset, dataset } from '../../src/dicom/dataset.ts';
import { encodePdu, encodeRelease, pduType } from '../../src/dicom/pdu.ts';
import { createPduReader } from '../../src/dicom/pdu-reader.ts';
import { type DicomHandlers, type DicomServer, startDicomServer } from '../../src/dicom/server.ts';
import { sopClass } from '../../src/dicom/status.ts';
import { associateRequest, echo, message, rawPeer } from './raw-peer.ts';

// What dcmjs-dimse does when it is used bare, and what must not be seen through our wrap. Told elsewhere already: data after
// a rejection, a second association request, PDUs that are too long, maximum lengths of 1 and 6, contexts out of order,
// several PDVs in one PDU, A-ABORT for violations (guard.test.ts); requests that overtake each other, identifiers that
// are cut off, the SOP class of a row, what the client makes of silence (server.test.ts); values that are cut or changed,
// text within sequences, the cost of a row (codec.test.ts, charset.test.ts). N-EVENT-REPORT is neither sent nor taken.

const limits = { associations: 20, pduBytes: 131_072, messageBytes: 300_000, idleMs: 20_000, artimMs: 20_000 };
const { modalityPerformedProcedureStep: mpps, modalityWorklistFind: worklist } = sopClass;
const identifier = encodeDataset(dataset({ PatientID: null }), IMPLICIT_VR_LITTLE_ENDIAN);

/** What the handlers do is what a test says; each starts from these. */
const quiet: DicomHandlers = {
  async *find() {
    yield { status: 0xff00, dataset: dataset({ PatientID: 'P1' }) };
  },
  nCreate: async () => ({ status: 0 }),
  nSet: async () => ({ status: 0 }),
};
let handlers: DicomHandlers = quiet;
let server: DicomServer;

const serverOptions = {
  host: '127.0.0.1',
  port: 0,
  calledAeTitles: ['DSS'],
  callingAeTitles: 'any',
  limits,
  handlers: {
    find: (...asked) => handlers.find(...asked),
    nCreate: (...asked) => handlers.nCreate(...asked),
    nSet: (...asked) => handlers.nSet(...asked),
  } satisfies DicomHandlers,
} as const;

beforeAll(async () => {
  server = await startDicomServer(serverOptions);
});
afterAll(() => server.stop());
afterEach(() => {
  handlers = quiet;
});

const clientOf = (port: number) =>
  createDicomClient({ host: '127.0.0.1', port, callingAeTitle: 'CT1', calledAeTitle: 'DSS', timeoutMs: 5_000 });
const echoes = (): Promise<number> => clientOf(server.port).echo();

async function associated(request = associateRequest(), { port } = server) {
  const peer = await rawPeer(port);
  peer.write(request);
  expect((await peer.next()).type).toBe(pduType.associateAccept);
  return peer;
}

const find = (messageId: number, content: Buffer = identifier): Buffer =>
  message(1, { AffectedSOPClassUID: worklist, CommandField: 0x20, MessageID: messageId, Priority: 0 }, content);
const create = (messageId: number, content: Buffer = identifier): Buffer =>
  message(
    5,
    { AffectedSOPClassUID: mpps, AffectedSOPInstanceUID: '1.2.3', CommandField: 0x140, MessageID: messageId },
    content,
  );
const statusOf = ({ command }: { command: Dataset }): unknown => command['Status']?.[0];

describe('who is not let in is not served', () => {
  it('given a presentation context that was refused, when a request comes on it, then no handler hears of it', async () => {
    let heard = 0;
    handlers = { ...quiet, nCreate: async () => ({ status: (heard += 1) }) };
    const refused = { id: 5, abstractSyntax: mpps, transferSyntaxes: ['1.2.840.10008.1.2.2'] };
    const taken = { id: 3, abstractSyntax: sopClass.verification, transferSyntaxes: [IMPLICIT_VR_LITTLE_ENDIAN] };
    const peer = await associated(associateRequest({ contexts: [taken, refused] }));
    peer.write(create(1));
    expect([(await peer.next()).type, (await peer.next()).type]).toEqual([pduType.abort, 'closed']);
    expect(heard).toBe(0);
    expect(await echoes()).toBe(0);
  });
});

describe('a handler that fails ends its request and nothing else', () => {
  const throwing = (): never => {
    throw new Error('SECRET');
  };

  it.each<[string, Partial<DicomHandlers>]>([
    ['throws at once', { find: throwing, nCreate: throwing, nSet: throwing }],
    [
      'rejects later',
      {
        // eslint-disable-next-line require-yield
        async *find() {
          await Promise.reject(new Error('SECRET'));
        },
        nCreate: () => Promise.reject(new Error('SECRET')),
        nSet: () => Promise.reject(new Error('SECRET')),
      },
    ],
  ])('given one that %s, when more requests are in the pipe, then each is answered, in order', async (_, failing) => {
    handlers = { ...quiet, ...failing };
    const peer = await associated();
    peer.write(create(1), create(2), find(3), create(4), echo(5));
    const seen: unknown[] = [];
    for (let i = 1; i <= 5; i++) {
      const said = await peer.message();
      seen.push([said.command['MessageIDBeingRespondedTo']?.[0], statusOf(said)]);
    }
    expect(seen).toEqual([
      [1, 0x0110],
      [2, 0x0110],
      [3, 0xc001],
      [4, 0x0110],
      [5, 0],
    ]);
    peer.end();
  });

  it('given what it left for after the response throws, then the response stands and the association lives', async () => {
    handlers = { ...quiet, nCreate: async () => ({ status: 0, afterwards: throwing }) };
    const peer = await associated();
    peer.write(create(1), echo(2));
    for (const status of [0, 0]) expect(statusOf(await peer.message())).toBe(status);
    peer.end();
  });
});

describe('every request is answered exactly once', () => {
  it('given requests of all kinds and a release in one write, then as many answers come as requests, then the release', async () => {
    const unknown = message(3, { AffectedSOPClassUID: sopClass.verification, CommandField: 0x0777, MessageID: 4 });
    const otherClass = message(5, { AffectedSOPClassUID: '1.2.3', CommandField: 0x140, MessageID: 5 }, identifier);
    const late = message(1, { CommandField: 0x0fff, MessageIDBeingRespondedTo: 2 });
    const peer = await associated();
    peer.write(echo(1), find(2), create(3), unknown, otherClass, late, encodeRelease(pduType.releaseRequest));
    const answered: unknown[] = [];
    // the row of the C-FIND, or its end, comes before the next answer
    while (answered.at(-1) !== 5) answered.push((await peer.message()).command['MessageIDBeingRespondedTo']?.[0]);
    expect([...new Set(answered)]).toEqual([1, 2, 3, 4, 5]);
    expect(answered.filter((id) => id !== 2)).toEqual([1, 3, 4, 5]);
    expect([(await peer.next()).type, (await peer.next()).type]).toEqual([pduType.releaseResponse, 'closed']);
  });

  it('given a command, then nothing of those before it is in its answer', async () => {
    const peer = await associated();
    peer.write(create(1), message(1, { CommandField: 0x0fff, MessageIDBeingRespondedTo: 77 }), echo(2));
    await peer.message();
    const { command } = await peer.message();
    expect(command).toEqual({
      CommandGroupLength: [66],
      AffectedSOPClassUID: [sopClass.verification],
      CommandField: [0x8030],
      MessageIDBeingRespondedTo: [2],
      CommandDataSetType: [0x0101],
      Status: [0],
    });
    peer.end();
  });
});

describe('no peer makes the others wait', () => {
  /** How long the slowest of many echoes took, each on an association of its own, in milliseconds. */
  async function slowestEcho(count: number): Promise<number> {
    let slowest = 0;
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      expect(await echoes()).toBe(0);
      slowest = Math.max(slowest, performance.now() - start);
    }
    return slowest;
  }

  it('given 2,000 rows go to a peer that reads slowly, then echoes are answered meanwhile, and all rows arrive', async () => {
    const row = dataset({ PatientID: 'P', AdditionalPatientHistory: 'H'.repeat(8_000) });
    let taken = 0;
    handlers = {
      ...quiet,
      async *find() {
        for (; taken < 2_000; taken++) yield { status: 0xff00 as const, dataset: row };
      },
    };
    const peer = await associated();
    peer.pause();
    peer.write(find(1));
    expect(await slowestEcho(20)).toBeLessThan(1_000);
    expect(taken).toBeLessThan(2_000);
    peer.resume();
    let rows = 0;
    while (statusOf(await peer.message()) === 0xff00) rows += 1;
    expect(rows).toBe(2_000);
    peer.end();
  });

  it('given 250 KB of nested sequences, then they are refused as too deep at once', async () => {
    const item = Buffer.from('40000001ffffffff' + 'feff00e0ffffffff', 'hex');
    const deep = Buffer.concat(Array.from({ length: 15_000 }, () => item));
    const peer = await associated();
    const start = performance.now();
    peer.write(find(1, deep), echo(2));
    expect(statusOf(await peer.message())).toBe(0xa900);
    expect(statusOf(await peer.message())).toBe(0);
    expect(performance.now() - start).toBeLessThan(1_000);
    peer.end();
  });

  it('given a PDU that comes in crumbs, then reading it takes linear time (PS3.8 9.3.1)', () => {
    const pdu = encodePdu(pduType.data, Buffer.alloc(2_000_000));
    const whole: number[] = [];
    const reader = createPduReader({
      maxPduLength: 2_000_000,
      onPdu: (_, body) => void whole.push(body.length),
      onViolation: (text) => expect.fail(text),
    });
    const start = performance.now();
    for (let at = 0; at < pdu.length; at += 16) reader.push(pdu.subarray(at, at + 16));
    expect(whole).toEqual([2_000_000]);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('given a peer that drips a byte at a time, then it is closed at its time all the same (ARTIM, PS3.8 9.1.5)', async () => {
    const impatient = await startDicomServer({ ...serverOptions, limits: { ...limits, artimMs: 100, idleMs: 100 } });
    const request = associateRequest();
    const dripping = async (before: Buffer, bytes: Buffer): Promise<unknown> => {
      const peer = await rawPeer(impatient.port);
      if (before.length > 0) {
        peer.write(before);
        await peer.next();
      }
      let at = 0;
      const drip = setInterval(() => peer.write(bytes.subarray(at, (at += 1))), 5);
      const end = (await peer.next()).type;
      clearInterval(drip);
      peer.end();
      return end;
    };
    const ends = await Promise.all([dripping(Buffer.alloc(0), request), dripping(request, create(1))]);
    expect(ends).toEqual(['closed', pduType.abort]);
    await impatient.stop();
  });

  it('given answers of several writes, then none waits for an acknowledgement of TCP', async () => {
    const peer = await associated();
    const start = performance.now();
    for (let i = 1; i <= 50; i++) {
      peer.write(find(i));
      for (const status of [0xff00, 0]) expect(statusOf(await peer.message())).toBe(status);
    }
    // each would have waited 40 ms
    expect(performance.now() - start).toBeLessThan(1_800);
    peer.end();
  });

  it('given a thousand requests on one association, then the last ones are answered as quickly as the first', async () => {
    const peer = await associated();
    const start = performance.now();
    for (let i = 1; i <= 1_000; i++) peer.write(echo(i));
    for (let i = 1; i <= 1_000; i++) expect(statusOf(await peer.message())).toBe(0);
    expect(performance.now() - start).toBeLessThan(5_000);
    peer.end();
  });
});

describe('what is half right is not taken for whole', () => {
  it('given an identifier of garbage, then A900 and nobody is asked for rows', async () => {
    let asked = 0;
    handlers = {
      ...quiet,
      find: (...about) => {
        asked += 1;
        return quiet.find(...about);
      },
    };
    const peer = await associated();
    peer.write(find(1, Buffer.from('this is no data set at all')));
    expect(statusOf(await peer.message())).toBe(0xa900);
    expect(asked).toBe(0);
    peer.end();
  });
});

describe('both Little Endian transfer syntaxes (PS3.5 10)', () => {
  it.each([
    ['Implicit VR', [IMPLICIT_VR_LITTLE_ENDIAN], IMPLICIT_VR_LITTLE_ENDIAN],
    ['Explicit VR', [EXPLICIT_VR_LITTLE_ENDIAN], EXPLICIT_VR_LITTLE_ENDIAN],
    ['both', [IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN], EXPLICIT_VR_LITTLE_ENDIAN],
  ])('given %s is offered, then requests are read and rows are written in it', async (_, transferSyntaxes, spoken) => {
    const seen: [Dataset, string][] = [];
    const given = dataset({
      SpecificCharacterSet: 'ISO_IR 192',
      PatientName: 'Müller',
      ReferencedStudySequence: [{ PatientID: 'P' }],
    });
    handlers = {
      ...quiet,
      async *find(asked, { transferSyntaxUid }) {
        seen.push([asked, transferSyntaxUid]);
        yield { status: 0xff00 as const, dataset: given };
      },
    };
    const peer = await associated(
      associateRequest({ contexts: [{ id: 1, abstractSyntax: worklist, transferSyntaxes }] }),
    );
    peer.write(find(1, encodeDataset(given, spoken)));
    expect((await peer.message()).dataset).toEqual(encodeDataset(given, spoken));
    expect(seen).toEqual([[given, spoken]]);
    peer.end();
  });
});

describe('our own requests', () => {
  it('take FF01 for a match and the status after it for the end (PS3.4 K.4.1.1.4)', async () => {
    handlers = {
      ...quiet,
      async *find() {
        yield { status: 0xff01, dataset: dataset({ PatientID: 'P1' }) };
        yield { status: 0xff00, dataset: dataset({ PatientID: 'P2' }) };
      },
    };
    const { status, datasets } = await clientOf(server.port).find({ PatientID: null });
    expect([status, datasets]).toEqual([0, [{ PatientID: ['P1'] }, { PatientID: ['P2'] }]]);
  });
});
