import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Sender,
  adt,
  connectSender,
  messageOf,
  msh,
  omg,
  orm,
  pid,
  pv1,
  segment,
  serial,
} from '../support/messages.ts';
import { type TestServer, type TestServerOptions, startTestServer } from '../support/server.ts';
import { times } from '../support/until.ts';

let server: TestServer;
let placer: Sender;
beforeAll(async () => {
  server = await startTestServer();
  placer = await connectSender(server.ports.hl7);
});
afterAll(async () => {
  placer.end();
  await server.stop();
});

const others: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of others.splice(0)) await stop();
});

/** A server with other settings, for one test. */
async function site(options: TestServerOptions): Promise<{ server: TestServer; placer: Sender }> {
  const other = await startTestServer(options);
  const sender = await connectSender(other.ports.hl7);
  others.push(async () => {
    sender.end();
    await other.stop();
  });
  return { server: other, placer: sender };
}

const ordersOf = (placerOrderNumber: string, { store } = server) =>
  store.prisma.order.findMany({
    where: { placerOrderNumber },
    include: {
      patient: { include: { identifiers: true } },
      requestedProcedures: { include: { steps: { orderBy: { id: 'asc' } } }, orderBy: { id: 'asc' } },
    },
  });

async function onlyOrder(placerOrderNumber: string, of = server) {
  const [order, ...more] = await ordersOf(placerOrderNumber, of);
  expect(more).toEqual([]);
  if (!order) throw new Error('there is no such order');
  return order;
}

/** Start of the first step, as a worklist shows it. */
async function startOf(placerOrderNumber: string, of = server): Promise<string> {
  const order = await onlyOrder(placerOrderNumber, of);
  const [first] = order.requestedProcedures[0]?.steps ?? [];
  return `${first?.startDate.toISOString().slice(0, 10)} ${first?.startTime.toISOString().slice(11, 19)}`;
}

const number = (): string => `O${serial()}`;

describe('RAD-2 Placer Order Management (RAD TF-2 4.2)', () => {
  for (const [build, type] of [
    [orm, 'ORM^O01 of v2.3.1'],
    [omg, 'OMG^O19 of v2.5.1'],
  ] as const) {
    it(`given a new order as ${type}, then order, procedure and step are there, numbered and scheduled, and the answer is AA`, async () => {
      const placerOrderNumber = number();
      const answer = await placer.send(build([{ placerOrderNumber: `${placerOrderNumber}^HIS` }]));
      expect(answer).toMatchObject({ code: 'AA', error: '' });
      const order = await onlyOrder(placerOrderNumber);
      expect(order).toMatchObject({ placerOrderIssuer: 'HIS', orderStatus: 'SC', sendingApplication: 'HIS' });
      expect(order.fillerOrderNumber).toMatch(/^F\d+$/);
      expect(order.accessionNumber).toMatch(/^A\d{1,15}$/);
      expect(order.requestedProcedures).toMatchObject([
        {
          state: 'scheduled',
          code: { code: 'WRIST', scheme: 'TESTPLAN' },
          steps: [{ stepStatus: 'SCHEDULED', modality: 'DX', scheduledStationAeTitles: ['DX1'], minutes: 20 }],
        },
      ]);
      expect(order.requestedProcedures[0]?.studyInstanceUid).toMatch(/^2\.25\.\d+$/);
    });
  }

  it('given a service that is two procedures, then they share order and accession number and have a study each', async () => {
    const placerOrderNumber = number();
    await placer.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'TRUNK^^TESTPLAN' }]));
    const { requestedProcedures } = await onlyOrder(placerOrderNumber);
    expect(requestedProcedures.map(({ code }) => code)).toMatchObject([{ code: 'TRPET' }, { code: 'TRCT' }]);
    expect(new Set(requestedProcedures.map((one) => one.studyInstanceUid)).size).toBe(2);
    expect(new Set(requestedProcedures.map((one) => one.requestedProcedureId)).size).toBe(2);
  });

  it('given several ORC groups, then each is an order of its own', async () => {
    const numbers = [number(), number(), number()];
    const answer = await placer.send(orm(numbers.map((one) => ({ placerOrderNumber: `${one}^HIS` }))));
    expect(answer.code).toBe('AA');
    const orders = await Promise.all(numbers.map((one) => onlyOrder(one)));
    expect(new Set(orders.map(({ accessionNumber }) => accessionNumber)).size).toBe(3);
    expect(new Set(orders.map(({ patientId }) => patientId)).size).toBe(1);
  });

  it.each([
    ['has no OBR-4', { service: '^^TESTPLAN' }, { code: 'AE', error: '101', location: 'OBR^3^4^1^1' }],
    ['cancels what nobody ordered', { control: 'CA' }, { code: 'AR', error: '204', location: 'ORC^3^2' }],
    ['is a change, which this sender may not', { control: 'XO' }, { code: 'AE', error: '103', location: 'ORC^3^1' }],
    [
      'repeats the number of the first',
      { placerOrderNumber: 'SAME^HIS' },
      { code: 'AR', error: '205', location: 'ORC^3^2' },
    ],
  ])(
    'given the third of three ORC groups %s, then all are refused and nothing is stored',
    async (_what, wrong, refusal) => {
      const first = 'placerOrderNumber' in wrong ? 'SAME' : number();
      const good = [{ placerOrderNumber: `${first}^HIS` }, { placerOrderNumber: `${number()}^HIS` }];
      const third = { placerOrderNumber: `${number()}^HIS`, ...wrong };
      const patients = await server.store.prisma.patient.count();
      const answer = await placer.send(omg([...good, third]));
      expect(answer).toMatchObject(refusal);
      expect(await ordersOf(first)).toEqual([]);
      expect(await server.store.prisma.patient.count()).toBe(patients);
    },
  );
});

describe('the patient of an order (RAD TF-2 4.2; the ADT is the source of demographics)', () => {
  it('given nobody registered him, then the order creates the patient and he is not registered', async () => {
    const value = `Q${serial()}`;
    const placerOrderNumber = number();
    await placer.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }], { identifier: `${value}^^^CLINIC` }));
    const { patient, patientDifferences } = await onlyOrder(placerOrderNumber);
    expect(patient).toMatchObject({ name: { family: 'Lindqvist' }, registeredByMessageId: null });
    expect(patientDifferences).toEqual([]);
  });

  it('given empty fields of the registered patient, when the order has them, then it fills them and no others', async () => {
    const identifier = `Q${serial()}^^^CLINIC`;
    const placerOrderNumber = number();
    await placer.send(adt('A04', { identifier, birthDate: '', sex: 'F', address: '2 Quay Street' }));
    await placer.send(
      orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }], {
        identifier,
        birthDate: '19790412',
        address: '9 Other Road',
      }),
    );
    const { patient, patientDifferences } = await onlyOrder(placerOrderNumber);
    expect(patient.birthDate?.toISOString().slice(0, 10)).toBe('1979-04-12');
    expect(patient).toMatchObject({ sex: 'F', demographics: { address: ['2 Quay Street'] } });
    expect(patientDifferences).toEqual([]);
  });

  it('given PID of the order differs, then it is accepted, nothing is overwritten, and order, history and journal say where', async () => {
    const identifier = `Q${serial()}^^^CLINIC`;
    const placerOrderNumber = number();
    await placer.send(adt('A04', { identifier, name: 'Lindqvist^Maja', birthDate: '19790412', sex: 'F' }));
    const answer = await placer.send(
      orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }], {
        identifier,
        name: 'Lindkvist^Maja',
        birthDate: '19790421',
        sex: 'M',
      }),
    );
    expect(answer.code).toBe('AA');
    const { patient, patientDifferences, requestedProcedures } = await onlyOrder(placerOrderNumber);
    expect(patient).toMatchObject({ name: { family: 'Lindqvist' }, sex: 'F' });
    expect(patientDifferences).toEqual(['name', 'birthDate', 'sex']);
    const history = await server.store.prisma.history.findMany({
      where: { procedureId: requestedProcedures[0]?.id ?? 0 },
      orderBy: { id: 'asc' },
    });
    expect(history[0]?.remark).toContain('name, birthDate, sex');
    const journal = await server.store.prisma.message.findFirstOrThrow({ where: { controlId: answer.controlId } });
    expect(journal.remarks.join()).toContain('name, birthDate, sex');
    // marks name fields and never quote what they hold
    expect(JSON.stringify([history, journal.remarks])).not.toMatch(/Lind[qk]vist|197904/);
  });

  it('given `unknownPatient: reject`, when he is not registered, then AR 204 names PID-3 and nothing is stored', async () => {
    const { server: other, placer: sender } = await site({ policy: { unknownPatient: 'reject' } });
    const identifier = `Q${serial()}^^^CLINIC`;
    const placerOrderNumber = number();
    const order = orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }], { identifier });
    expect(await sender.send(order)).toMatchObject({ code: 'AR', error: '204', location: 'PID^1^3' });
    expect(await other.store.prisma.patient.count()).toBe(0);
    await sender.send(adt('A04', { identifier }));
    expect(await sender.send(order)).toMatchObject({ code: 'AA' });
    await onlyOrder(placerOrderNumber, other);
  });
});

describe('numbers of an order (HL7 table 0357)', () => {
  it('given a placer order number that exists, when another message brings it, then AR 205 and one order', async () => {
    const placerOrderNumber = number();
    const order = [{ placerOrderNumber: `${placerOrderNumber}^HIS` }];
    expect(await placer.send(orm(order))).toMatchObject({ code: 'AA' });
    expect(await placer.send(omg(order))).toMatchObject({ code: 'AR', error: '205', location: 'ORC^1^2' });
    await onlyOrder(placerOrderNumber);
  });

  it('given the same number from another issuer (ORC-2.2), then it is another order', async () => {
    const placerOrderNumber = number();
    await placer.send(orm([{ placerOrderNumber: `${placerOrderNumber}^NORTH` }]));
    expect(await placer.send(orm([{ placerOrderNumber: `${placerOrderNumber}^SOUTH` }]))).toMatchObject({ code: 'AA' });
    expect(await ordersOf(placerOrderNumber)).toHaveLength(2);
  });

  it('given two messages with one number in the same instant, then one is AA, the other AR 205', async () => {
    const second = await connectSender(server.ports.hl7);
    await times(20, async () => {
      const placerOrderNumber = number();
      const order = [{ placerOrderNumber: `${placerOrderNumber}^HIS` }];
      const answers = await Promise.all([placer.send(orm(order)), second.send(orm(order))]);
      expect(answers.map(({ code, error }) => code + error).sort()).toEqual(['AA', 'AR205']);
      await onlyOrder(placerOrderNumber);
    });
    second.end();
  });

  it('given `accessionNumber: assign`, when OBR-18 has one, then ours is used', async () => {
    const placerOrderNumber = number();
    await placer.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS`, accessionNumber: 'THEIRS1' }]));
    expect((await onlyOrder(placerOrderNumber)).accessionNumber).toMatch(/^A\d+$/);
  });

  it('given `accessionNumber: accept`, then OBR-18 is used when it is valued, fits DICOM (SH) and is free', async () => {
    const { server: other, placer: sender } = await site({ policy: { accessionNumber: 'accept' } });
    const accessionOf = async (accessionNumber?: string): Promise<string> => {
      const placerOrderNumber = number();
      const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, ...(accessionNumber ? { accessionNumber } : {}) };
      expect(await sender.send(orm([order]))).toMatchObject({ code: 'AA' });
      return (await onlyOrder(placerOrderNumber, other)).accessionNumber;
    };
    expect(await accessionOf('THEIRS1')).toBe('THEIRS1');
    expect(await accessionOf('THEIRS1')).toMatch(/^A\d+$/);
    expect(await accessionOf('SEVENTEEN-LETTERS')).toMatch(/^A\d+$/);
    expect(await accessionOf('BACK\\E\\SLASH')).toMatch(/^A\d+$/);
    expect(await accessionOf()).toMatch(/^A\d+$/);
  });

  it('given `accept` and two orders with one free accession number in the same instant, then both are AA and one has it', async () => {
    const { server: other, placer: sender } = await site({ policy: { accessionNumber: 'accept' } });
    const second = await connectSender(other.ports.hl7);
    let rounds = 0;
    await times(10, async (round) => {
      rounds = round;
      const wanted = `SAME${round}`;
      const send = (by: Sender) => by.send(orm([{ placerOrderNumber: `${number()}^HIS`, accessionNumber: wanted }]));
      const answers = await Promise.all([send(sender), send(second)]);
      expect(answers.map(({ code }) => code)).toEqual(['AA', 'AA']);
      expect(await other.store.prisma.order.count({ where: { accessionNumber: wanted } })).toBe(1);
    });
    expect(await other.store.prisma.order.count()).toBe(2 * rounds);
    second.end();
  });
});

describe('what is ordered, and when', () => {
  it('given a service that the plan does not know, when the site accepts it, then it is one step from OBR-4 and OBR-24', async () => {
    const placerOrderNumber = number();
    const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'ODD^Odd view^ELSEWHERE', modality: 'US' };
    await placer.send(orm([order]));
    expect((await onlyOrder(placerOrderNumber)).requestedProcedures).toMatchObject([
      { code: { code: 'ODD', meaning: 'Odd view' }, steps: [{ modality: 'US' }] },
    ]);
  });

  it('given `unknownProcedure: reject`, then AE 103 names OBR-4', async () => {
    const { server: other, placer: sender } = await site({ policy: { unknownProcedure: 'reject' } });
    const answer = await sender.send(orm([{ service: 'ODD^Odd view^ELSEWHERE' }]));
    expect(answer).toMatchObject({ code: 'AE', error: '103', location: 'OBR^1^4' });
    expect(await other.store.prisma.order.count()).toBe(0);
    expect(await sender.send(orm([{ service: 'WRIST^^TESTPLAN' }]))).toMatchObject({ code: 'AA' });
  });

  const all = {
    tq1Start: '20260301093000',
    orcStart: '20260302093000',
    obrStart: '20260303093000',
    obr36: '20260304093000',
  };
  it.each([
    ['TQ1-7', all, '2026-03-01 09:30:00'],
    ['ORC-7.4', { ...all, tq1Start: '' }, '2026-03-02 09:30:00'],
    ['OBR-27.4', { obrStart: all.obrStart, obr36: all.obr36 }, '2026-03-03 09:30:00'],
    ['OBR-36', { obr36: all.obr36 }, '2026-03-04 09:30:00'],
    ['a date alone', { obr36: '20260305' }, '2026-03-05 00:00:00'],
    ['a time in the past', { obr36: '199903041205' }, '1999-03-04 12:05:00'],
    ['an offset, converted to the wall clock of the site', { obr36: '20260306093000+0500' }, '2026-03-06 05:30:00'],
  ])('given %s is the first that says when, then the first step starts then', async (_what, start, expected) => {
    const placerOrderNumber = number();
    expect(await placer.send(omg([{ placerOrderNumber: `${placerOrderNumber}^HIS`, ...start }]))).toMatchObject({
      code: 'AA',
    });
    expect(await startOf(placerOrderNumber)).toBe(expected);
  });

  it('given the order does not say when, then the first step starts at its receipt, to the minute, on the clock of the site', async () => {
    const clock = { now: () => new Date('2026-07-01T22:41:37Z') };
    const { server: other, placer: sender } = await site({ clock });
    const placerOrderNumber = number();
    await sender.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }]));
    expect(await startOf(placerOrderNumber, other)).toBe('2026-07-02 00:41:00');
  });

  it('given two steps, then the second starts when the first one ends', async () => {
    const placerOrderNumber = number();
    const order = {
      placerOrderNumber: `${placerOrderNumber}^HIS`,
      service: 'SPINE^^TESTPLAN',
      obr36: '20260301234500',
    };
    await placer.send(orm([order]));
    const [procedure] = (await onlyOrder(placerOrderNumber)).requestedProcedures;
    expect(
      procedure?.steps.map(
        (step) => step.startDate.toISOString().slice(0, 10) + step.startTime.toISOString().slice(10, 16),
      ),
    ).toEqual(['2026-03-01T23:45', '2026-03-02T00:15']);
  });

  it('given the requested start is no time stamp, then AE 102 names its place', async () => {
    expect(await placer.send(orm([{ orcStart: 'tomorrow' }]))).toMatchObject({
      code: 'AE',
      error: '102',
      location: 'ORC^1^7',
    });
  });

  it.each([
    ['ORC-1', { control: '' }, '101', 'ORC^1^1'],
    ['ORC-2', { placerOrderNumber: '^HIS' }, '101', 'ORC^1^2'],
    ['OBR-4', { service: '' }, '101', 'OBR^1^4'],
  ])('given %s is empty, then AE %s names it', async (_what, order, error, location) => {
    const answer = await placer.send(orm([order]));
    expect(answer).toMatchObject({ code: 'AE', error, location });
  });
});

describe('the structure of an order message (HL7 table 0357: 100)', () => {
  const orc = (): string => segment('ORC', { 1: 'NW', 2: `${number()}^HIS` });
  const obr = segment('OBR', { 1: '1', 4: 'WRIST^^TESTPLAN' });
  it.each([
    ['ORC stands before PID', () => [orc(), pid(), obr]],
    ['there is no PID', () => [pv1(), orc(), obr]],
    ['there is no ORC', () => [pid(), pv1()]],
    ['OBR stands before ORC', () => [pid(), pv1(), obr, orc()]],
    ['an ORC has no OBR', () => [pid(), pv1(), orc()]],
    ['the second of two ORC has no OBR', () => [pid(), pv1(), orc(), obr, orc()]],
  ])('given %s, then AE 100 and nothing is stored', async (_what, segments) => {
    const before = await server.store.prisma.order.count();
    const answer = await placer.send(messageOf(msh('ORM^O01^ORM_O01'), ...segments()));
    expect(answer).toMatchObject({ code: 'AE', error: '100' });
    expect(await server.store.prisma.order.count()).toBe(before);
  });

  it('given two OBR under one ORC, then they are two procedures of one order (HL7 v2.5.1 4.4.1)', async () => {
    const placerOrderNumber = number();
    const further = segment('OBR', { 1: '2', 4: 'TRUNK^^TESTPLAN' });
    const order = segment('ORC', { 1: 'NW', 2: `${placerOrderNumber}^HIS` });
    expect(await placer.send(messageOf(msh('ORM^O01'), pid(), pv1(), order, obr, further))).toMatchObject({
      code: 'AA',
    });
    const { requestedProcedures } = await onlyOrder(placerOrderNumber);
    expect(requestedProcedures.map(({ code }) => code)).toMatchObject([
      { code: 'WRIST' },
      { code: 'TRPET' },
      { code: 'TRCT' },
    ]);
  });

  it('given segments that nobody defined, then they are left alone and the order is accepted (ITI TF-2 Appendix C)', async () => {
    const message = messageOf(msh('ORM^O01^ORM_O01'), pid(), pv1(), 'ZXX|1|odd', orc(), obr, 'ZYY|odd', 'NTE|1||note');
    expect(await placer.send(message)).toMatchObject({ code: 'AA' });
  });
});
