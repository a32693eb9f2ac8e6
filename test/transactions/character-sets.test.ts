import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, texts } from '../../src/dicom/dataset.ts';
import { createDeframer, frame } from '../../src/hl7/mllp.ts';
import type { TestDepartment } from '../http/support.ts';
import { startDepartment } from '../http/support.ts';
import { type Identified, type NameIn, japanese, names, orderIn } from '../support/character-set-names.ts';
import { field, messageOf, msh, segment, serial } from '../support/messages.ts';
import { dicomClient } from '../support/mpps.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { peerWith } from '../support/outbox.ts';
import { type PeerEntry, type TestServer, startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** A message as its bytes are, each one character. */
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const somebody = (): Identified => ({ patientId: `C${serial()}`, placerOrderNumber: `C${serial()}` });

/** What DICOM JSON makes of a name (PS3.18 F.2.2). */
function jsonName(name: string): object {
  const groups = name.split('=');
  const keys = ['Alphabetic', 'Ideographic', 'Phonetic'];
  return Object.fromEntries(groups.map((group, index) => [keys[index], group])) as object;
}

describe('text from the wire to the worklist and out again (HL7 table 0211, PS3.3 C.12.1.1.2)', () => {
  const manager = (name: string, port: number, characterSet?: string): PeerEntry =>
    peerWith(
      {
        entry: {
          name,
          actor: 'image-manager',
          hl7: { host: '127.0.0.1', port, application: name, facility: 'RADIOLOGY', version: '2.3.1' },
        },
      },
      characterSet === undefined ? {} : { hl7: { characterSet } },
    );

  async function houseFor({ set, other }: NameIn): Promise<TestDepartment> {
    const peers = [manager('SAME', 4101, set), manager('OTHER', 4102, other), manager('PLAIN', 4103, 'ASCII')];
    return startDepartment({ peers: [...peers, manager('UNSET', 4104)] });
  }

  it.each(names)(
    'given $set, then name, worklist and every peer have the same text, or the page of the peer says why not',
    async (one) => {
      const house = await houseFor(one);
      const who = somebody();
      expect(await house.answerTo(orderIn(one, who))).toContain('MSA|AA|');

      const { items } = (await house.get(`/api/worklist?patientId=${who.patientId}`)).body as {
        items: Record<string, { Value: unknown[] }>[];
      };
      expect(items[0]?.['00100010']?.Value).toEqual([jsonName(one.name)]);

      const { items: journal } = (await house.get('/api/messages?direction=out')).body as {
        items: { id: number; peer: string; remarks: string[] }[];
      };
      const rows = await house.store.prisma.message.findMany({ where: { direction: 'OUT' } });
      const rawOf = (peer: string): string => latin1(rows.find((row) => row.peer === peer)?.raw ?? Buffer.of());
      const remarksOf = (peer: string): string[] | undefined => journal.find((entry) => entry.peer === peer)?.remarks;
      const inUtf8 = (peer: string): void => {
        expect(field(rawOf(peer), 'MSH', 18)).toBe('UNICODE UTF-8');
        const [family = ''] = one.name.split(/[\^=]/);
        expect(Buffer.from(field(rawOf(peer), 'PID', 5), 'latin1').toString('utf8')).toContain(family);
      };
      expect(field(rawOf('SAME'), 'MSH', 18)).toBe(one.set);
      expect(field(rawOf('SAME'), 'PID', 5)).toBe(one.bytes);
      expect(remarksOf('SAME')).toEqual([]);
      for (const peer of ['OTHER', 'PLAIN', 'UNSET']) inUtf8(peer);
      expect(remarksOf('UNSET')).toEqual([]);
      for (const peer of ['OTHER', 'PLAIN']) {
        const [remark = ''] = remarksOf(peer) ?? [];
        expect(remark).toMatch(/cannot carry.*UNICODE UTF-8/);
        expect(remark).not.toContain(one.name.split('^')[0]);
      }

      const [procedure] = await house.store.prisma.requestedProcedure.findMany();
      const history = (await house.get(`/api/procedures/${procedure?.requestedProcedureId}/history`)).body as {
        items: { event: string; cause: { by: string } }[];
      };
      const notCarried = history.items.filter(({ event }) => event === 'characterSetNotCarried');
      expect(notCarried.map(({ cause }) => cause.by).sort()).toEqual(['OTHER', 'PLAIN']);

      const lanes = (await house.get('/api/destinations')).body as {
        items: { name: string; characterSetProblems: number }[];
      };
      expect(
        Object.fromEntries(lanes.items.map(({ name, characterSetProblems }) => [name, characterSetProblems])),
      ).toEqual({
        SAME: 0,
        OTHER: 1,
        PLAIN: 1,
        UNSET: 0,
      });
      await house.stop();
    },
  );

  it('given a patient update that a peer cannot be told in its set (RAD-12), then its page and the history say so', async () => {
    const house = await houseFor({ set: '8859/1', other: '8859/7', bytes: '', name: '', terms: '' });
    const who = somebody();
    await house.answerTo(orderIn({ set: '', bytes: 'Plain^Ann' }, who));
    const head = `${msh('ADT^A08^ADT_A01')}||||||8859/5`;
    const pid = segment('PID', { 3: `${who.patientId}^^^CLINIC`, 5: '\xc1\xde\xda^\xb2\xd5' });
    const update = Buffer.from(messageOf(head, 'EVN|A08', pid, 'PV1||O'), 'latin1');
    expect(await house.answerTo(update)).toContain('MSA|AA|');
    const rows = await house.store.prisma.message.findMany({ where: { direction: 'OUT', transaction: 'RAD-12' } });
    const remarked = rows.filter(({ remarks }) => remarks.length > 0).map(({ peer }) => peer);
    expect(remarked.sort()).toEqual(['OTHER', 'PLAIN', 'SAME']);
    const lines = await house.store.prisma.history.findMany({ where: { event: 'characterSetNotCarried' } });
    expect(lines.map(({ causedBy }) => causedBy).sort()).toEqual(remarked);
    await house.stop();
  });

  it('given text that is ASCII, then no message names a set, and nothing is said of any peer', async () => {
    const house = await houseFor({ set: '8859/1', other: 'ISO IR87', bytes: '', name: '', terms: '' });
    expect(await house.answerTo(orderIn({ set: '8859/1', bytes: 'Plain^Ann' }, somebody()))).toContain('MSA|AA|');
    const rows = await house.store.prisma.message.findMany({ where: { direction: 'OUT' } });
    expect(rows.map((row) => [field(latin1(row.raw), 'MSH', 18), row.remarks])).toEqual(rows.map(() => ['', []]));
    await house.stop();
  });
});

describe('over real sockets', () => {
  const unreadable = { aeTitle: 'ASCII1', characterSet: 'ISO_IR 6' };
  let peer: PeerDouble;
  let server: TestServer;
  beforeAll(async () => {
    peer = await startPeer('IM', 'image-manager', { version: '2.5.1' });
    server = await startTestServer({
      peers: [peerWith(peer, { hl7: { characterSet: japanese.set } })],
      stations: [unreadable, ...names.map(({ terms }, index) => ({ aeTitle: `ST${index}`, characterSet: terms }))],
      senders: [{ match: { application: 'OLD' }, characterSet: '8859/2' }],
    });
  });
  afterAll(async () => {
    await server.stop();
    await peer.down();
  });

  /** Sends bytes in a frame and gives the bytes of the answer. */
  async function exchange(message: Uint8Array): Promise<Buffer> {
    const socket = connect({ host: '127.0.0.1', port: server.ports.hl7 });
    await once(socket, 'connect');
    socket.write(frame(message));
    const deframer = createDeframer({ messageBytes: 1 << 20 });
    try {
      for await (const chunk of socket) {
        for (const event of deframer.push(chunk as Buffer))
          if (event.kind === 'frame') return Buffer.from(event.message);
      }
      throw new Error('the connection ended without an answer');
    } finally {
      socket.destroy();
    }
  }

  const found = async (aeTitle: string, patientId: string) => {
    const keys = { PatientName: null, PatientID: patientId, SpecificCharacterSet: 'ISO_IR 192' };
    const { datasets } = await dicomClient(server.ports.dicom, aeTitle).find(keys);
    return datasets.map((one) => ({ terms: one.SpecificCharacterSet, name: text(one, 'PatientName') }));
  };

  it.each(names.map((one, index) => ({ ...one, aeTitle: `ST${index}` })))(
    'given $set, when a station that reads $terms asks, then it has the name in its own set, and any other in UTF-8',
    async (one) => {
      const who = somebody();
      expect((await exchange(orderIn(one, who))).toString()).toContain('MSA|AA|');
      expect(await found(one.aeTitle, who.patientId)).toEqual([{ terms: one.terms.split('\\'), name: one.name }]);
      expect(await found('ANYBODY', who.patientId)).toEqual([{ terms: ['ISO_IR 192'], name: one.name }]);
      expect(await found(unreadable.aeTitle, who.patientId)).toEqual([{ terms: ['ISO_IR 192'], name: one.name }]);
    },
  );

  it('given three groups in Japanese and an archive that reads them, then it has the same three, in v2.5.1', async () => {
    const one = names.find(({ set }) => set === japanese.set);
    const who = somebody();
    if (one) await exchange(orderIn(one, who));
    const arrived = await until('the procedure at the archive', () =>
      peer.received.find(({ placerOrderNumber }) => placerOrderNumber === who.placerOrderNumber),
    );
    const raw = latin1(arrived.bytes);
    expect([field(raw, 'MSH', 9), field(raw, 'MSH', 18)]).toEqual(['OMI^O23^OMI_O23', japanese.set]);
    expect(field(raw, 'PID', 5)).toBe(one?.bytes);
  });

  it.each([
    ['8859/1', 'M\xfcnster'],
    ['8859/5', '\xbc\xde\xe1\xda\xd2\xd0'],
    ['UNICODE UTF-8', Buffer.from('Münster').toString('latin1')],
    [japanese.set, '\x1b$B@DLZ\x1b(B'],
    ['KS X 1001', '\xc0\xb1\xbc\xad'],
    ['GB 18030-2000', '\xc1\xd6'],
  ])(
    'given a sender whose facility is written in %s, then its answer is in the same set, byte for byte',
    async (set, facility) => {
      const head = `MSH|^~\\&|HIS|${facility}|SWF_OF|RADIOLOGY|20260105080000||ADT^A04|${serial()}|P|2.5.1||||||${set}`;
      const pid = segment('PID', { 3: `C${serial()}^^^CLINIC`, 5: 'Plain^Ann' });
      const raw = latin1(await exchange(Buffer.from(messageOf(head, 'EVN|A04', pid, 'PV1||O'), 'latin1')));
      expect(field(raw, 'MSA', 1)).toBe('AA');
      expect([field(raw, 'MSH', 6), field(raw, 'MSH', 18)]).toEqual([facility, set]);
    },
  );

  it('given another delimiter for each, then the answer uses them all, MSH-18 and its repetitions too', async () => {
    const head = `MSH#*@?%#HIS#\x1b$B@DLZ\x1b(B#SWF_OF#RADIOLOGY#20260105080000##ADT*A04#${serial()}#P#2.5.1######ISO IR6@ISO IR87`;
    const pid = `PID###C${serial()}***CLINIC##\x1b$B@DLZ\x1b(B*X`;
    const raw = latin1(await exchange(Buffer.from(messageOf(head, 'EVN#A04', pid, 'PV1##O'), 'latin1')));
    const fields = raw.split('\r')[0]?.split('#') ?? [];
    expect([fields[1], fields[5], fields[8], fields[17]]).toEqual([
      '*@?%',
      '\x1b$B@DLZ\x1b(B',
      'ACK*A04*ACK',
      'ISO IR6@ISO IR87',
    ]);
    expect(raw).toContain('\rMSA#AA#');
  });

  it('given no MSH-18 and a sender whose set the site knows, then it is read in that', async () => {
    const who = somebody();
    const bytes = latin1(orderIn({ set: '', bytes: '\xa3\xb1cka^\xafaneta' }, who)).replace('|HIS|', '|OLD|');
    expect((await exchange(Buffer.from(bytes, 'latin1'))).toString('latin1')).toContain('MSA|AA|');
    expect(await found('ANYBODY', who.patientId)).toMatchObject([{ name: 'Łącka^Żaneta' }]);
  });

  it.each([
    ['UTF-8', Buffer.from('Łącka^Żaneta').toString('latin1'), 'Łącka^Żaneta'],
    ['Latin 1', 'M\xfc\xdfig^J\xf6rn', 'Müßig^Jörn'],
  ])('given no MSH-18 and bytes that are %s, then they are read as that', async (_what, bytes, name) => {
    const who = somebody();
    expect((await exchange(orderIn({ set: '', bytes }, who))).toString('latin1')).toContain('MSA|AA|');
    expect(await found('ANYBODY', who.patientId)).toMatchObject([{ name }]);
  });

  it.each([
    ['bytes that are none in UTF-8', 'UNICODE UTF-8', 'M\xfcller^X'],
    ['an escape sequence of no set', japanese.set, '\x1b$Zxx^X'],
    ['half a character', japanese.set, '\x1b$B@\x1b(B^X'],
    ['a code that the set has not', '8859/7', '\xff^X'],
    ['a set that nobody knows', 'KLINGON', 'Plain^X'],
    ['a set that DICOM has no term for', 'CNS 11643-1992', 'Plain^X'],
  ])(
    'given %s, then AE at MSH-18 and nothing is stored: a wrong name is worse than none',
    async (_what, set, bytes) => {
      const who = somebody();
      const raw = (await exchange(orderIn({ set, bytes }, who))).toString('latin1');
      expect(field(raw, 'MSA', 1)).toBe('AE');
      expect(field(raw, 'ERR', 1)).toMatch(/^MSH\^1\^18\^10[23]$/);
      expect(await found('ANYBODY', who.patientId)).toEqual([]);
    },
  );

  it('given a later update in another set, then what it says replaces the name for everybody', async () => {
    const who = somebody();
    await exchange(orderIn({ set: '8859/1', bytes: 'M\xfcller^J\xf6rn' }, who));
    const head = `${msh('ADT^A08^ADT_A01')}||||||8859/5`;
    const pid = segment('PID', {
      3: `${who.patientId}^^^CLINIC`,
      5: '\xc1\xde\xda\xde\xdb\xde\xd2\xd0^\xb2\xd5\xe0\xd0',
    });
    const raw = await exchange(Buffer.from(messageOf(head, 'EVN|A08', pid, 'PV1||O'), 'latin1'));
    expect(raw.toString('latin1')).toContain('MSA|AA|');
    expect(await found('ANYBODY', who.patientId)).toMatchObject([{ name: 'Соколова^Вера' }]);
  });

  it('given text other than names, then it is carried too, and cut by characters, never inside one', async () => {
    const who = somebody();
    const reason = 'Übergröße '.repeat(10).trim();
    const message = latin1(orderIn({ set: 'UNICODE UTF-8', bytes: 'Plain^Ann' }, who)).replace(
      /OBR\|[^\r]*/,
      segment('OBR', { 1: '1', 4: 'WRIST^^TESTPLAN', 31: Buffer.from(`^${reason}`).toString('latin1') }),
    );
    await exchange(Buffer.from(message, 'latin1'));
    const keys = { PatientID: who.patientId, ReasonForTheRequestedProcedure: null };
    const { datasets } = await dicomClient(server.ports.dicom, 'ST0').find(keys);
    const [value] = datasets.flatMap((one) => texts(one, 'ReasonForTheRequestedProcedure'));
    expect(value).toBe(reason.slice(0, 64));
  });
});
