import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Sender,
  adt,
  connectSender,
  field,
  messageOf,
  msh,
  orm,
  pid,
  segment,
  serial,
} from '../support/messages.ts';
import { inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { type Outbox, inShort, watchOutbox } from '../support/outbox.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { oru, siu } from '../support/statements.ts';
import { type WebClient, historyOf, proceduresOf, webClient } from '../support/web.ts';

let peers: PeerDouble[];
let server: TestServer;
let sender: Sender;
let web: WebClient;
let outbox: Outbox;
beforeAll(async () => {
  peers = [await startPeer('OP', 'order-placer'), await startPeer('IM', 'image-manager', { version: '2.5.1' })];
  server = await startTestServer({
    peers: peers.map(({ entry }) => entry),
    senders: [
      { match: { application: 'OLD_HIS' }, serviceCode: 'OBR-4.4' },
      { match: { application: 'WARD_HIS' }, acknowledgement: 'enhanced' },
    ],
  });
  sender = await connectSender(server.ports.hl7);
  web = webClient(server.ports.http);
  outbox = watchOutbox(server.store);
});
afterAll(async () => {
  sender.end();
  await server.stop();
  await Promise.all(peers.map((peer) => peer.down()));
});

interface DryRun {
  readonly answer: string;
  readonly answerCode: string;
  readonly transaction?: string;
  readonly rules: readonly string[];
  readonly procedures: readonly { readonly state: string; readonly steps: readonly object[] }[];
  readonly history: readonly { readonly event: string; readonly from: string; readonly to: string }[];
  readonly messages: readonly {
    readonly destination: string;
    readonly transaction: string;
    readonly messageType: string;
    readonly text: string;
  }[];
}

async function dryRun(message: string): Promise<DryRun> {
  const { status, body } = await web.post<DryRun>('/api/dry-run', message);
  expect(status).toBe(200);
  return body;
}

/** Rows of every table, and a fingerprint of their contents. */
async function contents(): Promise<Record<string, string>> {
  const { prisma } = server.store;
  const tables = await prisma.$queryRawUnsafe<{ name: string }[]>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1",
  );
  expect(tables.length).toBeGreaterThan(10);
  const rows: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await prisma.$queryRawUnsafe<{ seen: string }[]>(
      `SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') AS seen FROM "${name}" t`,
    );
    rows[name] = row?.seen ?? '';
  }
  return rows;
}

/** Everything that has been sent was answered: no lane changes a row any more. */
async function atRest(): Promise<void> {
  const { prisma } = server.store;
  await expect.poll(() => prisma.delivery.count({ where: { deliveryStatus: 'PENDING' } }), { timeout: 10_000 }).toBe(0);
}

/** MSH without its time and control id. */
function stripped(line: string): string {
  const fields = line.split('|');
  return line.startsWith('MSH|') ? fields.with(6, 'TIME').with(9, 'ID').join('|') : line;
}

/** Segments on lines; numbers that are taken anew each time, UIDs and times of now as a word. */
const masked = (text: string): string =>
  text
    .trimEnd()
    .split(/[\r\n]/)
    .map(stripped)
    .join('\n')
    .replaceAll(/2\.25\.\d+/g, 'UID')
    .replaceAll(/\b(RP|S|F|A)\d{4,}\b/g, '$1')
    .replaceAll(/\b20\d{12}[+-]\d{4}/g, 'TIME');

interface Known {
  readonly placerOrderNumber: string;
  readonly patient: { readonly identifier: string };
}

async function ordered(): Promise<Known> {
  const placerOrderNumber = `Y${serial()}`;
  const patient = { identifier: `Y${serial()}^^^CLINIC` };
  expect(await sender.send(adt('A04', patient))).toMatchObject({ code: 'AA' });
  const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'SPINE^^TESTPLAN' };
  expect(await sender.send(orm([order], patient))).toMatchObject({ code: 'AA' });
  return { placerOrderNumber, patient };
}

const messages: readonly [what: string, make: (known: Known) => string, code: string][] = [
  ['a new patient', () => adt('A04', { identifier: `Y${serial()}^^^CLINIC` }), 'AA'],
  [
    'an order of two procedures',
    ({ patient }) => orm([{ placerOrderNumber: `Y${serial()}^HIS`, service: 'TRUNK^^TESTPLAN' }], patient),
    'AA',
  ],
  [
    'an order of a patient whom nobody knows',
    () => orm([{ placerOrderNumber: `Y${serial()}^HIS` }], { identifier: `Y${serial()}^^^CLINIC` }),
    'AA',
  ],
  ['a changed name', ({ patient }) => adt('A08', { ...patient, name: 'Other^Name' }), 'AA'],
  [
    'a cancel',
    ({ placerOrderNumber, patient }) =>
      orm([{ control: 'CA', placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'SPINE^^TESTPLAN' }], patient),
    'AA',
  ],
  [
    'a merge',
    ({ patient }) =>
      messageOf(
        msh('ADT^A40^ADT_A39'),
        'EVN|A40',
        pid({ identifier: `Y${serial()}^^^CLINIC` }),
        segment('MRG', { 1: patient.identifier }),
      ),
    'AA',
  ],
  [
    'a final report',
    ({ placerOrderNumber, patient }) =>
      oru([{ placerOrderNumber: `${placerOrderNumber}^HIS`, resultStatus: 'F', text: ['x'] }], patient),
    'AA',
  ],
  [
    'an appointment',
    ({ placerOrderNumber, patient }) =>
      siu(
        'S13',
        {
          placerAppointment: 'Z',
          placerOrderNumber: `${placerOrderNumber}^HIS`,
          services: [{ code: 'SPINE', start: '20260121093000' }],
        },
        patient,
      ),
    'AA',
  ],
  ['an order without PID-3', () => orm([{}], { identifier: '' }), 'AE'],
  ['an event that nobody carries out', () => adt('A60'), 'AR'],
  ['a cancel of nothing', ({ patient }) => orm([{ control: 'CA', placerOrderNumber: 'NOBODY^HIS' }], patient), 'AR'],
];

describe('a dry run (POST /api/dry-run)', () => {
  it.each(messages)(
    'given %s, then nothing is stored or sent, and it shows what then really happens',
    async (_what, make, code) => {
      const known = await ordered();
      const message = make(known);
      await atRest();
      await outbox.news();
      const before = await contents();
      const shown = await dryRun(message);
      expect(await contents()).toEqual(before);
      expect(shown.answerCode).toBe(code);

      const real = await sender.send(message);
      expect(real.code).toBe(code);
      expect(masked(shown.answer)).toBe(masked(real.raw));
      const out = await outbox.news();
      expect(shown.messages.map((one) => ({ ...one, text: masked(one.text) }))).toEqual(
        out.map(({ destination, transaction, messageType, text }) => ({
          destination,
          transaction,
          messageType,
          text: masked(text),
        })),
      );
      const journal = await server.store.prisma.message.findFirstOrThrow({
        where: { controlId: field(message, 'MSH', 10), direction: 'IN' },
        include: { history: { orderBy: { id: 'asc' } } },
      });
      expect(shown.history.map(({ event, from, to }) => [event, from, to])).toEqual(
        journal.history.map(({ event, fromState, toState }) => [event, fromState, toState]),
      );
      if (code === 'AA') for (const remark of journal.remarks) expect(shown.rules).toContain(remark);
    },
  );

  it('given an order, then the procedures, their steps and starts are those that it really gets', async () => {
    const message = orm([
      { placerOrderNumber: `Y${serial()}^HIS`, service: 'SPINE^^TESTPLAN', orcStart: '20260301080000' },
    ]);
    const { procedures, transaction } = await dryRun(message);
    expect(transaction).toBe('RAD-2');
    expect(procedures).toMatchObject([
      {
        state: 'scheduled',
        steps: [
          { modality: 'MR', scheduledStationAeTitles: ['MR1'], start: '2026-03-01T08:00:00', stepStatus: 'SCHEDULED' },
          { modality: 'MR', scheduledStationAeTitles: ['MR1'], start: '2026-03-01T08:30:00', stepStatus: 'SCHEDULED' },
        ],
      },
    ]);
  });

  it('given rules that fire, then they are named: the transaction, the rule for the sender', async () => {
    const { rules } = await dryRun(orm([{ service: 'X^^LOCAL^WRIST^^TESTPLAN' }], {}, { application: 'OLD_HIS' }));
    expect(rules[0]).toContain('RAD-2');
    expect(rules[1]).toBe('senders[0] matches MSH-3 and MSH-4');
    expect((await dryRun(orm([{}]))).rules[1]).toContain('no rule of senders matches');
  });

  it('given a cancel that comes too late, then it shows AE, what the placer would hear, and stores nothing', async () => {
    const { placerOrderNumber, patient } = await ordered();
    const steps = await stepsOf(server.store, placerOrderNumber);
    expect(await modality(server.ports.dicom).create(newUid(), inProgress(steps))).toBe(0);
    const cancel = orm(
      [{ control: 'CA', placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'SPINE^^TESTPLAN' }],
      patient,
    );
    await atRest();
    await outbox.news();
    const before = await contents();
    const shown = await dryRun(cancel);
    expect(await contents()).toEqual(before);
    expect(shown.answerCode).toBe('AE');
    expect(await sender.send(cancel)).toMatchObject({ code: 'AE', error: '103' });
    const out = await outbox.news();
    expect(inShort(out)).toEqual(['OP ORM^O01 SC/IP']);
    expect(shown.messages.map(({ destination, messageType }) => [destination, messageType])).toEqual([
      ['OP', 'ORM^O01'],
    ]);
  });

  it('given a copy of what was accepted before, then it says so and would do nothing', async () => {
    const message = adt('A04');
    await sender.send(message);
    const { rules, procedures, messages: out } = await dryRun(message);
    expect(rules.join()).toMatch(/copy of message \d+/);
    expect([procedures, out]).toEqual([[], []]);
  });

  it.each([
    ['a message', '', 'CA'],
    ['one that is refused', '^^^CLINIC', 'CE'],
  ])(
    'given %s of a sender in enhanced mode, then it shows the answer that this sender gets',
    async (_what, identifier, code) => {
      const wanted = identifier === '' ? {} : { identifier };
      const message = adt('A04', wanted, { application: 'WARD_HIS' }).replace('|2.3.1\r', '|2.3.1|||AL|NE\r');
      const { answer } = await dryRun(message);
      expect(answer).toContain(`MSA|${code}|`);
      expect(await sender.send(message)).toMatchObject({ code });
    },
  );

  it('given a refusal, then the rules that fired before it are named too', async () => {
    const { rules } = await dryRun(orm([{}], { identifier: '' }, { application: 'OLD_HIS' }));
    expect(rules.at(-1)).toContain('refused, 101');
    expect(rules.join()).toContain('RAD-2');
    expect(rules.join()).toContain('senders[0]');
  });

  it('given a text without MSH, then 400', async () => {
    expect(await web.post('/api/dry-run', 'PID|1\r')).toMatchObject({ status: 400 });
  });
});

describe('a replay (POST /api/messages/{id}/replay)', () => {
  const entryOf = async (controlId: string): Promise<number> =>
    (await server.store.prisma.message.findFirstOrThrow({ where: { controlId, direction: 'IN' } })).id;
  const replay = (id: number) => web.post<{ messageId: number; answerCode: string }>(`/api/messages/${id}/replay`);

  it('given a message that was refused for a reason that is gone, then it is carried out as a new entry', async () => {
    const { placerOrderNumber, patient } = await ordered();
    const number = `Y${serial()}`;
    const report = oru([{ placerOrderNumber: `${number}^HIS`, resultStatus: 'P', text: ['x'] }], patient);
    expect(await sender.send(report)).toMatchObject({ code: 'AR', error: '204' });
    const id = await entryOf(field(report, 'MSH', 10));
    expect(await replay(id)).toMatchObject({ status: 202, body: { answerCode: 'AR' } });
    await server.store.prisma.order.updateMany({ where: { placerOrderNumber }, data: { placerOrderNumber: number } });
    await outbox.news();
    const { status, body } = await replay(id);
    expect([status, body.answerCode]).toEqual([202, 'AA']);
    expect(body.messageId).toBeGreaterThan(id);
    expect(inShort(await outbox.news())).toEqual(['OP ORU^R01 RE/']);
    const [procedure] = await proceduresOf(web, number);
    expect(procedure?.report).toBe('preliminary');
    const history = await historyOf(web, procedure?.requestedProcedureId ?? '');
    expect(history.find(({ event }) => event === 'resultReported')?.cause.messageId).toBe(body.messageId);
    const { remarks } = await web.get<{ remarks: string[] }>(`/api/messages/${body.messageId}`);
    expect(remarks.join()).toContain(`message ${id} was carried out again`);
  });

  it('given a message that was accepted, then it is carried out anew, whatever its control id; a copy by MLLP is still a copy', async () => {
    const { patient } = await ordered();
    const update = adt('A08', { ...patient, name: 'First^Name' });
    const first = await sender.send(update);
    await sender.send(adt('A08', { ...patient, name: 'Second^Name' }));
    const id = await entryOf(field(update, 'MSH', 10));
    expect(await replay(id)).toMatchObject({ status: 202, body: { answerCode: 'AA' } });
    const value = patient.identifier.split('^')[0] ?? '';
    const { name } = await web.get<{ name: object }>(`/api/patients/${value}`);
    expect(name).toMatchObject({ family: 'First' });
    expect(await sender.send(update)).toEqual(first);
  });

  it('given an order that was accepted, then AR 205: it is there', async () => {
    const message = orm([{ placerOrderNumber: `Y${serial()}^HIS` }]);
    await sender.send(message);
    expect(await replay(await entryOf(field(message, 'MSH', 10)))).toMatchObject({ body: { answerCode: 'AR' } });
  });

  it('given an entry that is not there, or one that we sent, then 404 and 409', async () => {
    expect((await replay(2_000_000_000)).status).toBe(404);
    await ordered();
    const [sent] = await outbox.news();
    expect((await replay(sent?.id ?? 0)).status).toBe(409);
  });
});
