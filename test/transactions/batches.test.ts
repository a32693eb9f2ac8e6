import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  type Sender,
  adt,
  connectSender,
  field,
  framed,
  messageOf,
  orm,
  readAnswer,
  serial,
} from '../support/messages.ts';
import { type TestServer, startTestServer } from '../support/server.ts';

let server: TestServer;
let sender: Sender;
beforeAll(async () => {
  server = await startTestServer({ senders: [{ match: { application: 'WARD_HIS' }, acknowledgement: 'enhanced' }] });
  sender = await connectSender(server.ports.hl7);
});
afterAll(async () => {
  sender.end();
  await server.stop();
});

const header = (name: 'FHS' | 'BHS', controlId: string): string =>
  `${name}|^~\\&|HIS|CLINIC|SWF_OF|RADIOLOGY|20260105080000||${name}|note|${controlId}`;

/** A batch of messages with BHS and BTS. */
const batchOf = (messages: readonly string[], controlId = `B${serial()}`): string =>
  messageOf(header('BHS', controlId)) + messages.join('') + messageOf(`BTS|${messages.length}`);

const fileOf = (batches: readonly string[], controlId = `F${serial()}`): string =>
  messageOf(header('FHS', controlId)) + batches.join('') + messageOf(`FTS|${batches.length}`);

const send = async (content: string): Promise<string> => (await sender.send(content)).raw;

/** The acknowledgements in an answer, in their order. */
const answersIn = (raw: string): Answer[] =>
  raw
    .split(/(?=MSH\||BTS\||BHS\||FTS\|)/)
    .filter((part) => part.startsWith('MSH|'))
    .map(readAnswer);

const namesIn = (raw: string): string[] =>
  raw
    .split('\r')
    .map((line) => line.slice(0, 3))
    .filter(Boolean);

const known = (value: string): Promise<number> => server.store.prisma.patientIdentifier.count({ where: { value } });

describe('a batch over MLLP (HL7 v2.5.1 2.10.3)', () => {
  it('given two messages in BHS and BTS, then both are carried out and the answer is a batch of both', async () => {
    const ids = [`B${serial()}`, `B${serial()}`];
    const raw = await send(
      batchOf(
        ids.map((controlId) => adt('A04', {}, { controlId })),
        'BATCH1',
      ),
    );
    expect(namesIn(raw)).toEqual(['BHS', 'MSH', 'MSA', 'MSH', 'MSA', 'BTS']);
    expect(answersIn(raw).map(({ code, controlId }) => [code, controlId])).toEqual(ids.map((id) => ['AA', id]));
    expect(field(raw, 'BTS', 1)).toBe('2');
    const bhs = raw.split('\r')[0]?.split('|') ?? [];
    expect(bhs.slice(2, 6)).toEqual(['SWF_OF', 'RADIOLOGY', 'HIS', 'CLINIC']);
    expect(bhs[11]).toBe('BATCH1');
    expect(bhs[10]).not.toBe('BATCH1');
  });

  it('given a file of two batches, then the answer is a file of two batches', async () => {
    const raw = await send(fileOf([batchOf([adt('A04')]), batchOf([adt('A04'), adt('A04')])], 'FILE1'));
    expect(namesIn(raw).filter((name) => name !== 'MSH' && name !== 'MSA')).toEqual([
      'FHS',
      'BHS',
      'BTS',
      'BHS',
      'BTS',
      'FTS',
    ]);
    expect(answersIn(raw).map(({ code }) => code)).toEqual(['AA', 'AA', 'AA']);
    expect(raw.split('\r')[0]?.split('|')[11]).toBe('FILE1');
    expect([field(raw, 'BTS', 1), field(raw, 'BTS', 1, 2), field(raw, 'FTS', 1)]).toEqual(['1', '2', '2']);
  });

  it('given one of three is refused, then the others are done and each has its own answer', async () => {
    const value = `B${serial()}`;
    const messages = [
      adt('A04', { identifier: `${value}^^^CLINIC` }),
      adt('A04', { identifier: '' }),
      orm([{}], { identifier: `${value}^^^CLINIC` }),
    ];
    const answers = answersIn(await send(batchOf(messages)));
    expect(answers.map(({ code, error }) => [code, error])).toEqual([
      ['AA', ''],
      ['AE', '101'],
      ['AA', ''],
    ]);
    expect(await known(value)).toBe(1);
    expect(await server.store.prisma.order.count({ where: { patient: { identifiers: { some: { value } } } } })).toBe(1);
  });

  it('given the same message twice in it, then it is done once and answered twice alike', async () => {
    const value = `B${serial()}`;
    const message = adt('A04', { identifier: `${value}^^^CLINIC` });
    const [first, second] = answersIn(await send(batchOf([message, message])));
    expect(second?.raw).toBe(first?.raw);
    expect(await server.store.prisma.message.count({ where: { controlId: field(message, 'MSH', 10) } })).toBe(1);
  });

  it('given the whole batch again, then the same answers and nothing twice', async () => {
    const value = `B${serial()}`;
    const batch = batchOf([adt('A04', { identifier: `${value}^^^CLINIC` })]);
    const [first, second] = [await send(batch), await send(batch)];
    expect(answersIn(second)).toEqual(answersIn(first));
    expect(await known(value)).toBe(1);
  });

  it('given messages with character sets and delimiters of their own, then each is read and answered in its own', async () => {
    const [one, two] = [`B${serial()}`, `B${serial()}`];
    const latin1 = adt('A04', { identifier: `${one}^^^CLINIC`, name: 'Müller^Jörg' }).replace(
      '|2.3.1\r',
      '|2.3.1||||||8859/1\r',
    );
    const other = adt('A04', { identifier: `${two}^^^CLINIC`, name: 'Yıldız^Işıl' })
      .replace('|2.3.1\r', '|2.3.1||||||UNICODE UTF-8\r')
      .replaceAll('|', '#');
    const bytes = Buffer.concat([
      Buffer.from(messageOf(header('BHS', 'SETS'))),
      Buffer.from(latin1, 'latin1'),
      Buffer.from(other, 'utf8'),
      Buffer.from(messageOf('BTS|2')),
    ]);
    sender.write(Buffer.concat([Buffer.of(0x0b), bytes, Buffer.of(0x1c, 0x0d)]));
    const raw = (await sender.next())?.raw ?? '';
    expect(raw).toContain('\rMSA|AA|');
    expect(raw).toContain('\rMSA#AA#');
    const names = await server.store.prisma.patient.findMany({
      where: { identifiers: { some: { value: { in: [one, two] } } } },
      orderBy: { id: 'asc' },
    });
    expect(names.map(({ name }) => name)).toEqual([
      { family: 'Müller', given: 'Jörg' },
      { family: 'Yıldız', given: 'Işıl' },
    ]);
  });

  it('given a batch of no messages, then an empty batch is the answer', async () => {
    const raw = await send(batchOf([]));
    expect(namesIn(raw)).toEqual(['BHS', 'BTS']);
    expect(field(raw, 'BTS', 1)).toBe('0');
  });

  it('given CR LF or LF at the end of segments, then it is read as one with CR', async () => {
    for (const end of ['\r\n', '\n']) {
      const raw = await send(batchOf([adt('A04'), adt('A04')]).replaceAll('\r', end));
      expect(answersIn(raw).map(({ code }) => code)).toEqual(['AA', 'AA']);
    }
  });

  it('given a sender in enhanced mode that wants no answer to one message, then the batch leaves it out and counts the rest', async () => {
    const quiet = adt('A04', {}, { application: 'WARD_HIS' }).replace('|2.3.1\r', '|2.3.1|||NE|NE\r');
    const raw = await send(batchOf([adt('A04'), quiet]));
    expect(answersIn(raw).map(({ code }) => code)).toEqual(['AA']);
    expect(field(raw, 'BTS', 1)).toBe('1');
  });

  it('given an acknowledgement among the messages, then it has no answer and the others have theirs', async () => {
    const ack = messageOf('MSH|^~\\&|HIS|CLINIC|SWF_OF|RADIOLOGY|20260105080000||ACK|X1|P|2.3.1', 'MSA|AA|4711');
    expect(answersIn(await send(batchOf([adt('A04'), ack]))).map(({ code }) => code)).toEqual(['AA']);
  });

  it('given another frame right behind it, then that is answered after it', async () => {
    const controlId = `B${serial()}`;
    sender.write(Buffer.concat([framed(batchOf([adt('A04'), adt('A04')])), framed(adt('A04', {}, { controlId }))]));
    expect(namesIn((await sender.next())?.raw ?? '')[0]).toBe('BHS');
    expect(await sender.next()).toMatchObject({ code: 'AA', controlId });
  });
});

describe('a batch that cannot be taken apart', () => {
  it.each([
    [
      'a segment before the first message',
      (one: string) => messageOf(header('BHS', 'X'), 'PID|1') + one + messageOf('BTS|1'),
    ],
    ['BTS that ends nothing', (one: string) => messageOf(header('FHS', 'X'), 'BTS|0') + one],
    ['something behind FTS', (one: string) => fileOf([batchOf([one])]) + adt('A04')],
    ['FHS in the middle', (one: string) => batchOf([one]).replace('\rBTS|', `\r${header('FHS', 'X')}\rBTS|`)],
  ])(
    'given %s, then AE 100 to the first message, nothing is done, and the content is in the journal',
    async (_what, make) => {
      const value = `B${serial()}`;
      const message = adt('A04', { identifier: `${value}^^^CLINIC` });
      const answer = await sender.send(make(message));
      expect(answer).toMatchObject({ code: 'AE', error: '100', controlId: field(message, 'MSH', 10) });
      expect(await known(value)).toBe(0);
      const journal = await server.store.prisma.message.findMany({ where: { controlId: answer.controlId } });
      expect(journal).toMatchObject([{ outcome: 'REFUSED', answerCode: 'AE' }]);
    },
  );

  it('given no message in it at all and out of order, then the connection is closed: there is nothing to answer', async () => {
    const one = await connectSender(server.ports.hl7);
    one.write(framed(messageOf(header('BHS', 'X'), 'PID|1', 'BTS|0')));
    expect(await one.next()).toBeUndefined();
    one.end();
  });

  it('given two messages in a frame without BHS, then nothing is lost silently: refused, and neither is done', async () => {
    const [one, two] = [`B${serial()}`, `B${serial()}`];
    const frame = adt('A04', { identifier: `${one}^^^CLINIC` }) + adt('A04', { identifier: `${two}^^^CLINIC` });
    const answer = await sender.send(frame);
    expect(answer).toMatchObject({ code: 'AE', error: '100' });
    expect([await known(one), await known(two)]).toEqual([0, 0]);
  });

  it('given BTS-1 that counts more messages than there are, then a remark in the journal says so: one may be lost', async () => {
    const message = adt('A04');
    const raw = await send(batchOf([message]).replace('BTS|1', 'BTS|2'));
    expect(answersIn(raw).map(({ code }) => code)).toEqual(['AA']);
    const [row] = await server.store.prisma.message.findMany({ where: { controlId: field(message, 'MSH', 10) } });
    expect(row?.remarks.join()).toContain('BTS-1');
  });
});
