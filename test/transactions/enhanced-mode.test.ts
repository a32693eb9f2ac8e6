import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Envelope, type Sender, adt, connectSender, field, framed, orm, serial } from '../support/messages.ts';
import { type Outbox, type Put, watchOutbox } from '../support/outbox.ts';
import { type PeerDouble, accepts, answers, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let peer: PeerDouble;
let server: TestServer;
let sender: Sender;
let outbox: Outbox;
beforeAll(async () => {
  // The lane of the sender itself: it is an order placer too.
  peer = await startPeer('WARD', 'order-placer', { version: '2.5.1', application: 'WARD_HIS' });
  server = await startTestServer({
    peers: [peer.entry],
    senders: [
      { match: { application: 'WARD_HIS' }, acknowledgement: 'enhanced' },
      { match: { application: 'NO_LANE' }, acknowledgement: 'enhanced' },
      { match: { application: 'PLAIN' }, acknowledgement: 'original' },
    ],
  });
  sender = await connectSender(server.ports.hl7);
  outbox = watchOutbox(server.store);
});
afterAll(async () => {
  sender.end();
  await server.stop();
  await peer.down();
});
beforeEach(async () => {
  peer.will(accepts);
  await outbox.news();
});

const outcomes = {
  /** Is carried out. */
  AA: (envelope: Envelope) => adt('A04', {}, envelope),
  /** Lacks PID-3. */
  AE: (envelope: Envelope) => adt('A04', { identifier: '' }, envelope),
  /** An event that nobody carries out. */
  AR: (envelope: Envelope) => adt('A60', {}, envelope),
} as const;

type Outcome = keyof typeof outcomes;

/** A message with MSH-15 and MSH-16. */
function asking(outcome: Outcome, accept: string, application: string, envelope: Envelope = {}): string {
  const version = envelope.version ?? '2.5.1';
  const message = outcomes[outcome]({ application: 'WARD_HIS', ...envelope, version });
  return message.replace(`|${version}\r`, `|${version}|||${accept}|${application}\r`);
}

/** The answer on the connection: undefined for silence, which the answer of the next message shows. */
async function answerTo(message: string): Promise<string | undefined> {
  const next = `NEXT${serial()}`;
  sender.write(Buffer.concat([framed(message), framed(adt('A04', {}, { application: 'PLAIN', controlId: next }))]));
  const first = await sender.next();
  if (first?.controlId === next) return undefined;
  expect((await sender.next())?.controlId).toBe(next);
  expect(first?.controlId).toBe(field(message, 'MSH', 10));
  return first?.code;
}

const acknowledgements = async (): Promise<Put[]> =>
  (await outbox.news()).filter(({ messageType }) => messageType.startsWith('ACK'));

// HL7 table 0155.
const wants: Readonly<Record<string, readonly Outcome[]>> = {
  AL: ['AA', 'AE', 'AR'],
  NE: [],
  SU: ['AA'],
  ER: ['AE', 'AR'],
  '': [],
};

const onConnection = { AA: 'CA', AE: 'CE', AR: 'CR' } as const;

describe('a sender in enhanced mode (HL7 v2.5.1 2.9.3, table 0155)', () => {
  const cells = Object.keys(wants).flatMap((accept) =>
    Object.keys(wants).flatMap((application) =>
      accept === '' && application === '' ? [] : [[accept, application] as const],
    ),
  );

  it.each(cells)(
    'given MSH-15 is "%s" and MSH-16 is "%s", then each answers what it asks for',
    async (accept, application) => {
      for (const outcome of ['AA', 'AE', 'AR'] as const) {
        const message = asking(outcome, accept, application);
        const expected = wants[accept]?.includes(outcome) ? onConnection[outcome] : undefined;
        expect(await answerTo(message), outcome).toBe(expected);
        const sent = (await acknowledgements()).map(({ text }) => [field(text, 'MSA', 1), field(text, 'MSA', 2)]);
        const told = wants[application]?.includes(outcome) ? [[outcome, field(message, 'MSH', 10)]] : [];
        expect(sent, outcome).toEqual(told);
      }
    },
  );

  it('given neither MSH-15 nor MSH-16, then it is answered in original mode (2.9.2)', async () => {
    for (const outcome of ['AA', 'AE', 'AR'] as const) expect(await answerTo(asking(outcome, '', ''))).toBe(outcome);
    expect(await acknowledgements()).toEqual([]);
  });

  it('given CE, then it says by ERR what was wrong, as AE does', async () => {
    const answer = await sender.send(asking('AE', 'AL', 'NE'));
    expect(answer).toMatchObject({ code: 'CE', error: '101', location: expect.stringMatching(/^PID\^1\^3/) as string });
  });

  it('given a message that wanted no answer, then it was carried out and stands in the journal with its answer', async () => {
    const controlId = `N${serial()}`;
    expect(await answerTo(asking('AA', 'NE', 'NE', { controlId }))).toBeUndefined();
    const [row] = await server.store.prisma.message.findMany({ where: { controlId, direction: 'IN' } });
    expect(row).toMatchObject({ outcome: 'ACCEPTED', answerCode: 'AA' });
  });

  it('given v2.3.1, then the same', async () => {
    expect(await answerTo(asking('AA', 'AL', 'AL', { version: '2.3.1' }))).toBe('CA');
    const [put] = await acknowledgements();
    expect(field(put?.text ?? '', 'MSH', 12)).toBe('2.3.1');
  });
});

describe('the application acknowledgement', () => {
  it('given it is wanted, then it travels by the lane of the sender as a message of its own that asks for CA', async () => {
    const message = asking('AA', 'AL', 'AL');
    expect(await answerTo(message)).toBe('CA');
    const [put] = await acknowledgements();
    expect(put).toMatchObject({ destination: 'WARD', messageType: 'ACK^A04' });
    const text = put?.text ?? '';
    expect([3, 4, 5, 6].map((number) => field(text, 'MSH', number))).toEqual([
      'SWF_OF',
      'RADIOLOGY',
      'WARD_HIS',
      'CLINIC',
    ]);
    expect(field(text, 'MSH', 9)).toBe('ACK^A04^ACK');
    expect([field(text, 'MSH', 15), field(text, 'MSH', 16)]).toEqual(['AL', 'NE']);
    expect(field(text, 'MSH', 10)).not.toBe(field(message, 'MSH', 10));
    await until('the acknowledgement at the sender', () =>
      peer.received.find(({ controlId }) => controlId === put?.controlId),
    );
  });

  it('given the sender answers it with CA, then it is delivered and its lane goes on', async () => {
    peer.will(answers('CA'));
    await answerTo(asking('AA', 'AL', 'AL'));
    const [put] = await acknowledgements();
    await until('delivered', async () => {
      const delivery = await server.store.prisma.delivery.findUnique({ where: { messageId: put?.id ?? 0 } });
      return delivery?.deliveryStatus === 'DELIVERED';
    });
  });

  it('given a refusal, then it has ERR with the code, and nothing of the message was done', async () => {
    const before = await server.store.prisma.patient.count();
    await sender.send(asking('AE', 'AL', 'ER'));
    const [put] = await acknowledgements();
    expect(field(put?.text ?? '', 'MSA', 1)).toBe('AE');
    expect(field(put?.text ?? '', 'ERR', 3).split('^')[0]).toBe('101');
    expect(await server.store.prisma.patient.count()).toBe(before);
  });

  it('given an order, then it leaves after the commit together with what the order causes, and once', async () => {
    const order = orm([{}], {}, { application: 'WARD_HIS' }).replace('|2.3.1\r', '|2.3.1|||AL|AL\r');
    expect(await sender.send(order)).toMatchObject({ code: 'CA' });
    const out = await outbox.news();
    expect(out.map(({ messageType }) => messageType).sort()).toEqual(['ACK^O01', 'SIU^S12']);
  });

  it('given a sender that no peer of the site is, then there is no lane to send it by, and CA is all', async () => {
    expect(await answerTo(asking('AA', 'AL', 'AL', { application: 'NO_LANE' }))).toBe('CA');
    expect(await acknowledgements()).toEqual([]);
  });
});

describe('a message that comes twice in enhanced mode', () => {
  it('given the same content, then the same CA and no second application acknowledgement', async () => {
    const message = asking('AA', 'AL', 'AL');
    const first = await sender.send(message);
    expect(await acknowledgements()).toHaveLength(1);
    expect(await sender.send(message)).toEqual(first);
    expect(await acknowledgements()).toEqual([]);
  });

  it('given the same content and MSH-15 NE, then silence both times', async () => {
    const message = asking('AA', 'NE', 'NE');
    expect(await answerTo(message)).toBeUndefined();
    expect(await answerTo(message)).toBeUndefined();
    const rows = await server.store.prisma.message.count({ where: { controlId: field(message, 'MSH', 10) } });
    expect(rows).toBe(1);
  });

  it('given one that was refused, then it is carried out anew', async () => {
    const message = asking('AE', 'AL', 'NE');
    const [first, second] = [await sender.send(message), await sender.send(message)];
    expect([first.code, second.code]).toEqual(['CE', 'CE']);
    expect(second.raw).not.toBe(first.raw);
  });
});

describe('everybody else', () => {
  const others = ['HIS', 'PLAIN'].flatMap((application) =>
    [
      ['AL', 'NE'],
      ['AL', 'AL'],
      ['NE', 'NE'],
      ['NE', 'AL'],
      ['ER', 'ER'],
      ['SU', 'SU'],
      ['', 'AL'],
    ].map(([accept = '', wanted = '']) => [application, accept, wanted] as const),
  );

  it.each(others)(
    'given %s with MSH-15 "%s" and MSH-16 "%s", then it is answered in original mode all the same',
    async (application, accept, wanted) => {
      for (const outcome of ['AA', 'AE', 'AR'] as const) {
        expect(await answerTo(asking(outcome, accept, wanted, { application })), outcome).toBe(outcome);
      }
      expect(await acknowledgements()).toEqual([]);
    },
  );
});
