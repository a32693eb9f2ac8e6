import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Sender, adt, connectSender, framed, messageOf, msh, orm, pid, pv1, serial } from '../support/messages.ts';
import { type TestServer, startTestServer } from '../support/server.ts';

let server: TestServer;
let bystander: Sender;
beforeAll(async () => {
  server = await startTestServer();
  bystander = await connectSender(server.ports.hl7);
});
afterAll(async () => {
  bystander.end();
  await server.stop();
});

const open: Sender[] = [];
async function sender(): Promise<Sender> {
  const one = await connectSender(server.ports.hl7);
  open.push(one);
  return one;
}

/** What other connections go through must not change, whatever one of them sends. */
afterEach(async () => {
  for (const one of open.splice(0)) one.end();
  expect(await bystander.send(adt('A04'))).toMatchObject({ code: 'AA' });
});

describe('MSH (HL7 v2.5.1 2.14.9; ITI TF-2 Appendix C)', () => {
  it.each([
    ['MFN^M02^MFN_M02', '2.3.1', '200', 'MSH^1^9'],
    ['MFN^M02^MFN_M02', '2.5.1', '200', 'MSH^1^9^1^1'],
    ['ADT^A24^ADT_A24', '2.3.1', '201', 'MSH^1^9'],
    ['ADT^A24^ADT_A24', '2.5.1', '201', 'MSH^1^9^1^2'],
    ['SIU^S17^SIU_S12', '2.5.1', '201', 'MSH^1^9^1^2'],
    ['OMG^O21', '2.5.1', '201', 'MSH^1^9^1^2'],
    ['ORM^O02', '2.3.1', '201', 'MSH^1^9'],
  ])(
    'given %s in v%s, which nobody carries out, then AR %s at %s and a line in the journal',
    async (type, version, error, location) => {
      const one = await sender();
      const controlId = `E${serial()}`;
      const answer = await one.send(messageOf(msh(type, { version, controlId }), pid(), pv1()));
      expect(answer).toMatchObject({ code: 'AR', error, location, controlId });
      const journal = await server.store.prisma.message.findMany({ where: { controlId } });
      expect(journal).toMatchObject([{ direction: 'IN', outcome: 'REFUSED', answerCode: 'AR' }]);
      expect(Buffer.from(journal[0]?.answer ?? []).toString()).toBe(answer.raw);
    },
  );

  it.each(['P', 'T', 'D'])(
    'given MSH-11 is %s, then it is carried out and comes back in the answer',
    async (processingId) => {
      const answer = await (await sender()).send(adt('A04', {}, { processingId }));
      expect(answer.code).toBe('AA');
      expect(answer.raw.split('\r')[0]?.split('|')[10]).toBe(processingId);
    },
  );

  it('given MSH-11 is anything else, then AR 202', async () => {
    expect(await (await sender()).send(adt('A04', {}, { processingId: 'X' }))).toMatchObject({
      code: 'AR',
      error: '202',
    });
  });

  it.each(['2.1', '2.2', '2.3', '3.0', 'new'])('given MSH-12 is %s, then AR 203', async (version) => {
    expect(await (await sender()).send(adt('A04', {}, { version }))).toMatchObject({ code: 'AR', error: '203' });
  });

  it.each(['2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.8.2'])(
    'given MSH-12 is %s, then it is read (equal or higher is acceptable)',
    async (version) => {
      expect(await (await sender()).send(adt('A04', {}, { version }))).toMatchObject({ code: 'AA' });
    },
  );

  it.each([
    ['MSH-9', messageOf(msh(''), pid(), pv1()), 'MSH^1^9'],
    ['MSH-10', adt('A04', {}, { controlId: '' }), 'MSH^1^10'],
    ['MSH-12', adt('A04', {}, { version: '' }), 'MSH^1^12'],
  ])('given %s is empty, then AE 101 names it', async (_what, message, location) => {
    expect(await (await sender()).send(message)).toMatchObject({ code: 'AE', error: '101', location });
  });

  it('given the answer, then sender and receiver have changed places and MSH-9 is ACK^event^ACK', async () => {
    const { raw } = await (await sender()).send(adt('A04', {}, { application: 'HIS', facility: 'CLINIC' }));
    const fields = raw.split('\r')[0]?.split('|') ?? [];
    expect(fields.slice(2, 6)).toEqual(['SWF_OF', 'RADIOLOGY', 'HIS', 'CLINIC']);
    expect(fields[8]).toBe('ACK^A04^ACK');
    expect(fields[9]).toMatch(/^.{1,20}$/);
  });

  it('given `receiver: ours`, then MSH-5 and MSH-6 must be ours: 101 where empty, 103 where another is meant', async () => {
    const strict = await startTestServer({ policy: { receiver: 'ours' } });
    const one = await connectSender(strict.ports.hl7);
    const send = (envelope: object) => one.send(adt('A04', {}, { version: '2.5.1', ...envelope }));
    expect(await send({})).toMatchObject({ code: 'AA' });
    expect(await send({ receivingApplication: 'PACS' })).toMatchObject({
      code: 'AE',
      error: '103',
      location: 'MSH^1^5',
    });
    expect(await send({ receivingFacility: 'LAB' })).toMatchObject({ code: 'AE', error: '103', location: 'MSH^1^6' });
    expect(await send({ receivingApplication: '' })).toMatchObject({ code: 'AE', error: '101', location: 'MSH^1^5' });
    expect(await send({ receivingFacility: '' })).toMatchObject({ code: 'AE', error: '101', location: 'MSH^1^6' });
    one.end();
    await strict.stop();
  });

  it('given `receiver: any`, then a message for somebody else is carried out', async () => {
    expect(await (await sender()).send(adt('A04', {}, { receivingApplication: 'PACS' }))).toMatchObject({ code: 'AA' });
  });

  it('given other delimiters in MSH-1 and MSH-2, then they are read and used in the answer', async () => {
    const value = `E${serial()}`;
    const message = adt('A04', { identifier: `${value}^^^CLINIC` })
      .replaceAll('|', '#')
      .replaceAll('^', '*')
      .replace('#*~\\&', '#*~\\&');
    const answer = await (await sender()).send(message);
    expect(answer.raw.startsWith('MSH#*~\\&#SWF_OF#')).toBe(true);
    expect(answer.raw).toContain('\rMSA#AA#');
    expect(await server.store.prisma.patientIdentifier.count({ where: { value, assigningAuthority: 'CLINIC' } })).toBe(
      1,
    );
  });
});

describe('an acknowledgement that comes as a message (HL7 v2.5.1 2.9.2)', () => {
  it.each(['ACK', 'ACK^A04', 'ACK^O01^ACK'])(
    'given MSH-9 is %s, then it is not answered, its connection is closed, and nothing is stored',
    async (type) => {
      const [one, other] = [await sender(), await sender()];
      const controlId = `E${serial()}`;
      one.write(framed(messageOf(msh(type, { controlId }), 'MSA|AA|4711')));
      expect(await one.next()).toBeUndefined();
      await one.closed;
      expect(await server.store.prisma.message.count({ where: { controlId } })).toBe(0);
      expect(await other.send(adt('A04'))).toMatchObject({ code: 'AA' });
    },
  );

  it('given messages before it on its connection, then those are answered', async () => {
    const one = await sender();
    one.write(Buffer.concat([framed(adt('A04')), framed(messageOf(msh('ACK'), 'MSA|AA|4711'))]));
    expect(await one.next()).toMatchObject({ code: 'AA' });
    expect(await one.next()).toBeUndefined();
  });
});

describe('content that no text may hold', () => {
  it('given a NUL byte, then AE 102, the bytes are in the journal as they came, and nothing else is stored', async () => {
    const value = `E${serial()}`;
    const controlId = `E${serial()}`;
    const message = adt('A04', { identifier: `${value}^^^CLINIC`, name: 'Lind\0qvist^Maja' }, { controlId });
    expect(await (await sender()).send(message)).toMatchObject({ code: 'AE', error: '102' });
    const { raw } = await server.store.prisma.message.findFirstOrThrow({ where: { controlId } });
    expect(Buffer.from(raw).toString()).toBe(message);
    expect(await server.store.prisma.patientIdentifier.count({ where: { value } })).toBe(0);
  });

  it('given a NUL byte in MSH, then the refusal is answered and journalled too', async () => {
    const before = await server.store.prisma.message.count({ where: { outcome: 'REFUSED' } });
    const answer = await (await sender()).send(adt('A04', {}, { application: 'H\0IS' }));
    expect(answer.code).toBe('AE');
    expect(await server.store.prisma.message.count({ where: { outcome: 'REFUSED' } })).toBe(before + 1);
  });

  it('given a character set that nobody knows (MSH-18), then AE 102 or 103', async () => {
    const message = adt('A04').replace('|2.3.1\r', '|2.3.1||||||KLINGON\r');
    const answer = await (await sender()).send(message);
    expect(answer.code).toBe('AE');
    expect(['102', '103']).toContain(answer.error);
  });

  it('given Latin-1 that MSH-18 announces, then the name is stored as it was meant', async () => {
    const value = `E${serial()}`;
    const message = adt('A04', { identifier: `${value}^^^CLINIC`, name: 'Müller^Jörg' }).replace(
      '|2.3.1\r',
      '|2.3.1||||||8859/1\r',
    );
    expect(await (await sender()).send(message, 'latin1')).toMatchObject({ code: 'AA' });
    const { patient } = await server.store.prisma.patientIdentifier.findFirstOrThrow({
      where: { value },
      include: { patient: true },
    });
    expect(patient.name).toEqual({ family: 'Müller', given: 'Jörg' });
  });
});

describe('the MLLP stream (HL7 Transport Specification: MLLP)', () => {
  it('given a message in many pieces, then it is one message', async () => {
    const one = await sender();
    for (const byte of framed(orm([{}]))) one.write(Buffer.of(byte));
    expect(await one.next()).toMatchObject({ code: 'AA' });
  });

  it('given several messages in one packet, then each is answered, in their order', async () => {
    const one = await sender();
    const ids = Array.from({ length: 5 }, () => `E${serial()}`);
    one.write(Buffer.concat(ids.map((controlId) => framed(adt('A04', {}, { controlId })))));
    for (const controlId of ids) expect(await one.next()).toMatchObject({ code: 'AA', controlId });
  });

  it('given half a message and then the end of the connection, then nothing is stored', async () => {
    const one = await sender();
    const controlId = `E${serial()}`;
    const whole = framed(adt('A04', {}, { controlId }));
    one.write(whole.subarray(0, whole.length - 20));
    one.end();
    await one.closed;
    expect(await bystander.send(adt('A04'))).toMatchObject({ code: 'AA' });
    expect(await server.store.prisma.message.count({ where: { controlId } })).toBe(0);
  });

  it('given a frame of 20 MB, then the connection is closed and nothing of it is stored', async () => {
    const one = await sender();
    const before = await server.store.prisma.message.count();
    one.write(
      Buffer.concat([
        Buffer.of(0x0b),
        Buffer.from('MSH|^~\\&|HIS|'),
        Buffer.alloc(20_000_000, 0x41),
        Buffer.of(0x1c, 0x0d),
      ]),
    );
    expect(await one.next()).toBeUndefined();
    expect(await server.store.prisma.message.count()).toBe(before);
  });

  it('given a large message within the limit, then it is carried out', async () => {
    const one = await sender();
    const note = `NTE|1||${'x'.repeat(2_000_000)}\r`;
    expect(await one.send(orm([{}]) + note)).toMatchObject({ code: 'AA' });
  });

  it('given a frame that holds no message, then the connection is closed without an answer', async () => {
    const one = await sender();
    one.write(framed('GET / HTTP/1.1\r\n'));
    expect(await one.next()).toBeUndefined();
  });

  it('given garbage between two messages, then both are answered', async () => {
    const one = await sender();
    one.write(Buffer.concat([framed(adt('A04')), Buffer.from('garbage\r\n'), framed(adt('A04'))]));
    expect(await one.next()).toMatchObject({ code: 'AA' });
    expect(await one.next()).toMatchObject({ code: 'AA' });
  });

  it('given a flood of random bytes, then the connection is closed and the server goes on', async () => {
    const one = await sender();
    one.write(randomBytes(1_000_000).map((byte) => (byte === 0x0b ? 0x20 : byte)));
    expect(await one.next()).toBeUndefined();
  });
});
