import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Sender, connectSender, field, orm, serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { type Outbox, type Put, inShort, peerWith, watchOutbox } from '../support/outbox.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, type TestServerOptions, startTestServer } from '../support/server.ts';
import { type ReportFields, oru } from '../support/statements.ts';
import { until } from '../support/until.ts';
import { type ShownProcedure, type WebClient, historyOf, proceduresOf, webClient } from '../support/web.ts';

interface House {
  readonly server: TestServer;
  readonly sender: Sender;
  readonly web: WebClient;
  readonly outbox: Outbox;
  readonly placer: PeerDouble;
  stop(): Promise<void>;
}

interface HouseOptions extends Pick<TestServerOptions, 'policy'> {
  readonly version?: '2.3.1' | '2.5.1';
  readonly sends?: object;
}

async function startHouse({ version = '2.3.1', sends, policy }: HouseOptions = {}): Promise<House> {
  const placer = await startPeer('OP', 'order-placer', { version });
  const entry = peerWith(placer, { sends: { appointments: 'none', ...sends } });
  const server = await startTestServer({ peers: [entry], ...(policy ? { policy } : {}) });
  const sender = await connectSender(server.ports.hl7);
  return {
    server,
    sender,
    placer,
    web: webClient(server.ports.http),
    outbox: watchOutbox(server.store),
    stop: async () => {
      sender.end();
      await server.stop();
      await placer.down();
    },
  };
}

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.stop());
beforeEach(async () => void (await house.outbox.news()));

interface Ordered {
  readonly placerOrderNumber: string;
  readonly fillerOrderNumber: string;
  readonly patient: { readonly identifier: string };
  readonly first: ShownProcedure;
  readonly procedures: readonly ShownProcedure[];
}

const somebody = () => ({ identifier: `R${serial()}^^^CLINIC` });

async function ordered(service = 'WRIST', { sender, web, outbox } = house, patient = somebody()): Promise<Ordered> {
  const placerOrderNumber = `R${serial()}`;
  const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: `${service}^^TESTPLAN` };
  expect((await sender.send(orm([order], patient))).code).toBe('AA');
  const procedures = await proceduresOf(web, placerOrderNumber);
  const [first] = procedures;
  if (!first) throw new Error('the order has no procedure');
  await outbox.news();
  return { placerOrderNumber, fillerOrderNumber: first.fillerOrderNumber, patient, first, procedures };
}

/** A report of an order, from the report manager; the answer. */
const report = ({ fillerOrderNumber, patient }: Ordered, fields: ReportFields, { sender } = house) =>
  sender.send(oru([{ fillerOrderNumber, ...fields }], patient));

const reportsOf = async ({ placerOrderNumber }: Ordered, { web } = house): Promise<string[]> =>
  (await proceduresOf(web, placerOrderNumber)).map((procedure) => procedure.report);

/** The lines of a report that goes to the placer: OBX-5 of its text observations. */
const linesOf = ({ text }: Put): string[] =>
  text
    .split('\r')
    .filter((line) => line.startsWith('OBX|') && line.split('|')[2] === 'TX')
    .map((line) => line.split('|')[5] ?? '');

describe('a report from a report manager (ORU^R01, HL7 v2.5.1 7.3.1, table 0123)', () => {
  it.each([
    ['P', 'preliminary', ['OP ORU^R01 RE/']],
    ['R', 'preliminary', ['OP ORU^R01 RE/']],
    ['F', 'final', ['OP ORM^O01 SC/CM', 'OP ORU^R01 RE/']],
    ['C', 'corrected', ['OP ORM^O01 SC/CM', 'OP ORU^R01 RE/']],
    ['X', 'cancelled', []],
  ])(
    'given OBR-25 is %s, then the report is %s and the placer hears what there is to hear',
    async (resultStatus, state, out) => {
      const order = await ordered();
      expect(await report(order, { resultStatus, text: ['No fracture.'] })).toMatchObject({ code: 'AA' });
      expect(await reportsOf(order)).toEqual([state]);
      expect(inShort(await house.outbox.news()).sort()).toEqual(out);
    },
  );

  it('given OBR-25 is empty, then OBX-11 that all observations share says it; without either it is AE 101', async () => {
    const order = await ordered();
    expect(await report(order, { text: ['No fracture.'] })).toMatchObject({ code: 'AA' });
    expect(await reportsOf(order)).toEqual(['final']);
    expect(await report(await ordered(), {})).toMatchObject({ code: 'AE', error: '101', location: 'OBR^1^25' });
  });

  it('given OBR-25 says nothing of a report, then AE 103 and nothing is stored', async () => {
    const order = await ordered();
    expect(await report(order, { resultStatus: 'O' })).toMatchObject({
      code: 'AE',
      error: '103',
      location: 'OBR^1^25',
    });
    expect(await reportsOf(order)).toEqual(['none']);
  });

  it('given preliminary, final, corrected and cancelled in turn, then each is passed on once and OBR-25 says which', async () => {
    const order = await ordered();
    const told: string[] = [];
    for (const resultStatus of ['P', 'F', 'C', 'X']) {
      expect(await report(order, { resultStatus, text: [`version ${resultStatus}`] })).toMatchObject({ code: 'AA' });
      for (const { text } of await house.outbox.news('RAD-28')) told.push(field(text, 'OBR', 25));
    }
    expect(told).toEqual(['P', 'F', 'C']);
    expect(await reportsOf(order)).toEqual(['cancelled']);
  });

  it.each([
    [['F'], 'P', 'final'],
    [['F', 'C'], 'F', 'corrected'],
    [['F', 'C'], 'P', 'corrected'],
  ])(
    'given %j, when %s comes late, then AA, the report stays %s, nobody hears it and the history says so',
    async (before, late, state) => {
      const order = await ordered();
      for (const resultStatus of before) await report(order, { resultStatus, text: ['first'] });
      await house.outbox.news();
      expect(await report(order, { resultStatus: late, text: ['late'] })).toMatchObject({ code: 'AA' });
      expect(await reportsOf(order)).toEqual([state]);
      expect(await house.outbox.news()).toEqual([]);
      const history = await historyOf(house.web, order.first.requestedProcedureId);
      expect(history.filter(({ remark }) => remark?.includes('not allowed in this state'))).toMatchObject([
        { event: 'resultReported', cause: { by: 'REPORTS' } },
      ]);
    },
  );

  it('given a correction of a correction, then it is passed on too', async () => {
    const order = await ordered();
    for (const resultStatus of ['F', 'C']) await report(order, { resultStatus, text: ['first'] });
    await house.outbox.news();
    await report(order, { resultStatus: 'C', text: ['second'] });
    expect((await house.outbox.news()).map(linesOf)).toEqual([['second']]);
  });
});

describe('the order that a report is of', () => {
  const matched = async (order: Ordered, fields: ReportFields): Promise<void> => {
    const answer = await house.sender.send(oru([{ resultStatus: 'P', text: ['x'], ...fields }], order.patient));
    expect(answer).toMatchObject({ code: 'AA' });
    expect(await reportsOf(order)).toEqual(['preliminary']);
  };

  it('given ORC-3 and OBR-3, then it is found', async () => {
    const order = await ordered();
    await matched(order, { fillerOrderNumber: `${order.fillerOrderNumber}^SWF_OF` });
  });

  it('given OBR-3 without an ORC (v2.3.1), then it is found', async () => {
    const order = await ordered();
    await matched(order, { fillerOrderNumber: order.fillerOrderNumber, withoutOrc: true });
  });

  it('given the placer order number alone (OBR-2), then it is found', async () => {
    const order = await ordered();
    await matched(order, { placerOrderNumber: `${order.placerOrderNumber}^HIS` });
  });

  it('given a placer order number without an issuer, as our RAD-4 told it, then it is found', async () => {
    const [placerOrderNumber, patient] = [`R${serial()}`, somebody()];
    expect(await house.sender.send(orm([{ placerOrderNumber }], patient))).toMatchObject({ code: 'AA' });
    const answer = await house.sender.send(oru([{ placerOrderNumber, resultStatus: 'P', text: ['x'] }], patient));
    expect(answer).toMatchObject({ code: 'AA' });
    expect((await proceduresOf(house.web, placerOrderNumber)).map(({ report }) => report)).toEqual(['preliminary']);
  });

  it('given PID-3 without an authority, then its value is enough: the number of the order says which patient is meant', async () => {
    const order = await ordered();
    const [identifier = ''] = order.patient.identifier.split('^');
    expect(await report({ ...order, patient: { identifier } }, { resultStatus: 'P', text: ['x'] })).toMatchObject({
      code: 'AA',
    });
  });

  it('given the accession number alone (OBR-18), then it is found', async () => {
    const order = await ordered();
    await matched(order, { accessionNumber: order.first.accessionNumber });
  });

  it('given the study instance UID alone (OBX with 110180), then it is found', async () => {
    const order = await ordered();
    await matched(order, { studyInstanceUid: order.first.studyInstanceUid });
  });

  it('given no number at all, then AE 101', async () => {
    const order = await ordered();
    const answer = await house.sender.send(oru([{ resultStatus: 'F', text: ['x'] }], order.patient));
    expect(answer).toMatchObject({ code: 'AE', error: '101' });
  });

  it('given numbers that nobody has, then AR 204 and nothing is stored', async () => {
    const before = await house.server.store.prisma.result.count();
    const order = await ordered();
    const answer = await report(order, {
      fillerOrderNumber: 'F-NOBODY',
      placerOrderNumber: 'NOBODY^HIS',
      resultStatus: 'F',
    });
    expect(answer).toMatchObject({ code: 'AR', error: '204', location: 'OBR^1^3' });
    expect(await house.server.store.prisma.result.count()).toBe(before);
    expect(await house.outbox.news()).toEqual([]);
  });

  it('given two results of which the second is of no order, then AR 204 at the second OBR and none is done', async () => {
    const order = await ordered();
    const results = [
      { fillerOrderNumber: order.fillerOrderNumber, resultStatus: 'F', text: ['x'] },
      { fillerOrderNumber: 'F-NOBODY', resultStatus: 'F', text: ['x'] },
    ];
    const answer = await house.sender.send(oru(results, order.patient));
    expect(answer).toMatchObject({ code: 'AR', error: '204', location: 'OBR^2^3' });
    expect(await reportsOf(order)).toEqual(['none']);
  });

  it('given two results of two orders of the patient, then both are reported', async () => {
    const patient = somebody();
    const one = await ordered('WRIST', house, patient);
    const other = await ordered('SPINE', house, patient);
    const results = [one, other].map(({ fillerOrderNumber }) => ({
      fillerOrderNumber,
      resultStatus: 'P',
      text: ['x'],
    }));
    expect(await house.sender.send(oru(results, one.patient))).toMatchObject({ code: 'AA' });
    expect([...(await reportsOf(one)), ...(await reportsOf(other))]).toEqual(['preliminary', 'preliminary']);
  });

  it('given PID of another patient, then AR 204 at PID-3: a report is not laid to the wrong person', async () => {
    const [order, other] = [await ordered(), await ordered()];
    const answer = await report({ ...order, patient: other.patient }, { resultStatus: 'F', text: ['x'] });
    expect(answer).toMatchObject({ code: 'AR', error: '204', location: 'PID^1^3' });
    expect(await reportsOf(order)).toEqual(['none']);
    expect(await house.outbox.news()).toEqual([]);
  });
});

describe('an order with several procedures', () => {
  it('given OBR-19 names one, then only that one is reported and the order is not complete', async () => {
    const order = await ordered('TRUNK');
    const requestedProcedureId = order.procedures[1]?.requestedProcedureId ?? '';
    await report(order, { requestedProcedureId, resultStatus: 'F', text: ['x'] });
    expect(await reportsOf(order)).toEqual(['none', 'final']);
    expect(inShort(await house.outbox.news())).toEqual(['OP ORU^R01 RE/']);
  });

  it('given OBR-4 is the code of one, then only that one is reported', async () => {
    const order = await ordered('TRUNK');
    await report(order, { service: 'TRCT^Trunk CT^TESTPLAN', resultStatus: 'F', text: ['x'] });
    expect(await reportsOf(order)).toEqual(['none', 'final']);
  });

  it('given nothing names one, then the report is of all of them', async () => {
    const order = await ordered('TRUNK');
    await report(order, { service: 'TRUNK^^TESTPLAN', resultStatus: 'P', text: ['x'] });
    expect(await reportsOf(order)).toEqual(['preliminary', 'preliminary']);
  });

  it('given one final report after the other, then SC/CM goes out once, with the last', async () => {
    const order = await ordered('TRUNK');
    const told: string[][] = [];
    for (const { requestedProcedureId } of order.procedures) {
      await report(order, { requestedProcedureId, resultStatus: 'F', text: ['x'] });
      told.push(inShort(await house.outbox.news('RAD-3')));
    }
    expect(told).toEqual([[], ['OP ORM^O01 SC/CM']]);
  });

  it('given one was cancelled by staff, then the final report of the other completes the order', async () => {
    const order = await ordered('TRUNK');
    const [one, other] = order.procedures;
    await house.web.post(`/api/procedures/${one?.requestedProcedureId}/cancel`);
    await house.outbox.news();
    await report(order, { requestedProcedureId: other?.requestedProcedureId ?? '', resultStatus: 'F', text: ['x'] });
    expect(inShort(await house.outbox.news('RAD-3'))).toEqual(['OP ORM^O01 SC/CM']);
  });
});

describe('the result message to the order placer', () => {
  it('given a final report, then it has our order numbers, the study, the text line by line, the interpreter and OBR-25', async () => {
    const order = await ordered();
    const interpreter = '77&Reader&Rosa';
    await report(order, {
      resultStatus: 'F',
      text: ['Findings', 'No fracture.'],
      interpreter,
      reportedAt: '20260105140000',
    });
    const [{ text } = { text: '' }] = await house.outbox.news('RAD-28');
    expect(text.split('\r')[0]?.split('|')).toMatchObject({
      2: 'SWF_OF',
      4: 'HIS',
      5: 'CLINIC',
      8: 'ORU^R01',
      11: '2.3.1',
    });
    expect(field(text, 'OBR', 2)).toBe(`${order.placerOrderNumber}^HIS`);
    expect(field(text, 'OBR', 3)).toBe(`${order.fillerOrderNumber}^SWF_OF`);
    expect(field(text, 'OBR', 4)).toBe('WRIST^Wrist in two planes^TESTPLAN');
    expect(field(text, 'OBR', 22)).toBe('20260105140000');
    expect(field(text, 'OBR', 25)).toBe('F');
    expect(field(text, 'OBR', 32)).toBe(interpreter);
    expect(field(text, 'OBX', 3)).toMatch(/^110180\^/);
    expect(field(text, 'OBX', 5)).toBe(order.first.studyInstanceUid);
    expect(field(text, 'OBX', 5, 2)).toBe('Findings');
    expect(field(text, 'OBX', 5, 3)).toBe('No fracture.');
    expect(field(text, 'PID', 3)).toContain(order.patient.identifier.split('^')[0]);
  });

  it.each([
    ['line breaks', ['one\\.br\\two\\.br\\\\.br\\four'], ['one', 'two', '', 'four']],
    ['escaped delimiters', ['a \\F\\ b \\S\\ c \\T\\ d \\E\\ e'], ['a \\F\\ b \\S\\ c \\T\\ d \\E\\ e']],
    ['bare component and subcomponent separators', ['T1 & T2 ^ PD'], ['T1 \\T\\ T2 \\S\\ PD']],
    ['repetitions', ['one~two'], ['one', 'two']],
    ['an escaped repetition separator', ['about \\R\\5 mm'], ['about \\R\\5 mm']],
    ['bytes in hexadecimal', ['a\\X7C\\b'], ['a\\F\\b']],
    ['highlighting', ['a \\H\\big\\N\\ one'], ['a big one']],
    ['an empty observation', ['one', '', 'three'], ['one', 'three']],
  ])('given a text with %s, then the placer reads the same text', async (_what, said, lines) => {
    const order = await ordered();
    expect(await report(order, { resultStatus: 'P', text: said })).toMatchObject({ code: 'AA' });
    expect((await house.outbox.news('RAD-28')).map(linesOf)).toEqual([lines]);
  });

  it('given the report comes from the placer itself, then it is stored and not sent back', async () => {
    const order = await ordered();
    const { fillerOrderNumber, patient } = order;
    const own = { application: 'HIS', facility: 'CLINIC' };
    const answer = await house.sender.send(oru([{ fillerOrderNumber, resultStatus: 'P', text: ['x'] }], patient, own));
    expect(answer).toMatchObject({ code: 'AA' });
    expect(await reportsOf(order)).toEqual(['preliminary']);
    expect(await house.outbox.news()).toEqual([]);
  });

  it('given it was sent, then the placer has it, and its answer stands in the history', async () => {
    const order = await ordered();
    await report(order, { resultStatus: 'P', text: ['over the wire'] });
    const [put] = await house.outbox.news('RAD-28');
    const arrived = await until('the report at the placer', () =>
      house.placer.received.find(({ controlId }) => controlId === put?.controlId),
    );
    expect(Buffer.from(arrived.bytes).equals(Buffer.from(put?.bytes ?? []))).toBe(true);
    await until('the answer in the history', async () => {
      const history = await historyOf(house.web, order.first.requestedProcedureId);
      return history.some(({ event, cause }) => event === 'resultConfirmed' && cause.by === 'OP');
    });
  });

  it('given the same message comes again, then it has the first answer and nothing goes out twice', async () => {
    const order = await ordered();
    const message = oru(
      [{ fillerOrderNumber: order.fillerOrderNumber, resultStatus: 'F', text: ['x'] }],
      order.patient,
    );
    const first = await house.sender.send(message);
    await house.outbox.news();
    expect(await house.sender.send(message)).toEqual(first);
    expect(await house.outbox.news()).toEqual([]);
  });
});

describe('a report and the status of its order (RAD-3, HL7 table 0038)', () => {
  async function perform(order: Ordered, { server } = house): Promise<void> {
    const dx = modality(server.ports.dicom);
    const uid = newUid();
    expect(await dx.create(uid, inProgress(await stepsOf(server.store, order.placerOrderNumber)))).toBe(0);
    expect(await dx.set(uid, completed([newUid()]))).toBe(0);
  }

  it('given the order was reported complete by its MPPS, then its final report does not report it again', async () => {
    const order = await ordered();
    await perform(order);
    expect(inShort(await house.outbox.news('RAD-3'))).toEqual(['OP ORM^O01 SC/IP', 'OP ORM^O01 SC/CM']);
    await report(order, { resultStatus: 'F', text: ['x'] });
    expect(inShort(await house.outbox.news())).toEqual(['OP ORU^R01 RE/']);
  });

  it('given a modality without MPPS, then the final report completes the order', async () => {
    const order = await ordered();
    await report(order, { resultStatus: 'P', text: ['x'] });
    expect(await house.outbox.news('RAD-3')).toEqual([]);
    await report(order, { resultStatus: 'F', text: ['x'] });
    expect(inShort(await house.outbox.news('RAD-3'))).toEqual(['OP ORM^O01 SC/CM']);
  });

  it('given `reportOrderComplete: on-report-verified`, then CM waits for the final report', async () => {
    const own = await startHouse({ policy: { reportOrderComplete: 'on-report-verified' } });
    const order = await ordered('WRIST', own);
    await perform(order, own);
    expect(inShort(await own.outbox.news('RAD-3'))).toEqual(['OP ORM^O01 SC/IP']);
    await report(order, { resultStatus: 'P', text: ['x'] }, own);
    expect(await own.outbox.news('RAD-3')).toEqual([]);
    await report(order, { resultStatus: 'F', text: ['x'] }, own);
    expect(inShort(await own.outbox.news('RAD-3'))).toEqual(['OP ORM^O01 SC/CM']);
    await report(order, { resultStatus: 'C', text: ['x'] }, own);
    expect(await own.outbox.news('RAD-3')).toEqual([]);
    await own.stop();
  });

  it('given `reportOrderComplete: never`, then neither MPPS nor report completes it', async () => {
    const own = await startHouse({ policy: { reportOrderComplete: 'never' } });
    const order = await ordered('WRIST', own);
    await perform(order, own);
    await report(order, { resultStatus: 'F', text: ['x'] }, own);
    expect(inShort(await own.outbox.news('RAD-3'))).toEqual(['OP ORM^O01 SC/IP']);
    await own.stop();
  });
});

describe('by peer', () => {
  it('given a placer in v2.5.1, then the report goes as ORU^R01^ORU_R01 of v2.5.1, and SC/CM as OMG^O19', async () => {
    const own = await startHouse({ version: '2.5.1' });
    const order = await ordered('WRIST', own);
    expect(await report(order, { resultStatus: 'F', text: ['x'] }, own)).toMatchObject({ code: 'AA' });
    const out = await own.outbox.news();
    expect(inShort(out).sort()).toEqual(['OP OMG^O19 SC/CM', 'OP ORU^R01 RE/']);
    const text = out.find(({ messageType }) => messageType === 'ORU^R01')?.text ?? '';
    expect(field(text, 'MSH', 9)).toBe('ORU^R01^ORU_R01');
    expect(field(text, 'MSH', 12)).toBe('2.5.1');
    expect(field(text, 'OBR', 25)).toBe('F');
    expect(field(text, 'OBX', 11, 2)).toBe('F');
    await own.stop();
  });

  it('given a report manager in v2.5.1, then its report is read as one in v2.3.1', async () => {
    const order = await ordered();
    const { fillerOrderNumber, patient } = order;
    const message = oru([{ fillerOrderNumber, resultStatus: 'P', text: ['x'] }], patient, { version: '2.5.1' });
    expect(await house.sender.send(message)).toMatchObject({ code: 'AA' });
    expect(await reportsOf(order)).toEqual(['preliminary']);
  });

  it('given `sends.results: false`, then the placer gets no report, but the order is completed', async () => {
    const own = await startHouse({ sends: { results: false } });
    const order = await ordered('WRIST', own);
    await report(order, { resultStatus: 'F', text: ['x'] }, own);
    expect(inShort(await own.outbox.news())).toEqual(['OP ORM^O01 SC/CM']);
    await own.stop();
  });
});
