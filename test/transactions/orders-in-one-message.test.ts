import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type OrderFields, connectSender, field, orm, serial } from '../support/messages.ts';
import { type OrderSite, startOrderSite } from '../support/order-site.ts';
import { accepts } from '../support/peers.ts';
import { oru, siu } from '../support/statements.ts';

let open: OrderSite;
beforeAll(async () => {
  open = await startOrderSite({
    senders: [{ match: { application: 'HIS' }, orderControls: ['XO', 'SS', 'HD', 'RL'] }],
  });
  open.op.will(accepts);
});
afterAll(() => open.stop());
// what other tests sent is not looked at
beforeEach(async () => void (await open.news()));

const person = () => ({ identifier: `M${serial()}^^^CLINIC` });
const named = (number: string, more: OrderFields = {}): OrderFields => ({
  placerOrderNumber: `${number}^HIS`,
  ...more,
});
const SCHEDULED = ['IM RAD-4 NW/SC', 'OP RAD-48 S12', 'RM RAD-4 NW/SC'];
const CANCELLED = ['IM RAD-13 CA/CA', 'OP RAD-48 S15', 'RM RAD-13 CA/CA'];

/** An order of the department that waits for its number. */
async function waiting() {
  const value = `M${serial()}`;
  const patient = {
    identifiers: [{ value, assigningAuthority: 'CLINIC' }],
    name: { family: 'Lindqvist', given: 'Maja' },
  };
  const service = { code: 'WRIST', scheme: 'TESTPLAN', meaning: 'Wrist in two planes' };
  const { status, body } = await open.post('/api/orders', { patient, service });
  expect(status).toBe(201);
  await open.news();
  const { fillerOrderNumber } = body as { fillerOrderNumber: string };
  return { fillerOrderNumber, patient: { identifier: `${value}^^^CLINIC` } };
}

describe('several ORC groups about one order in one message: each sees what the one before did', () => {
  it('given NA and then the placer’s NW of an order of the department, then it is numbered and scheduled once (RAD TF-2 4.3)', async () => {
    const { fillerOrderNumber, patient } = await waiting();
    const number = `M${serial()}`;
    const groups = [named(number, { control: 'NA', fillerOrderNumber, withoutService: true }), named(number)];
    expect(await open.send(orm(groups, patient))).toMatchObject({ code: 'AA' });
    expect(await open.news()).toEqual(SCHEDULED);
    expect(await open.offered(number)).toHaveLength(1);
  });

  it('given NA twice, then it is numbered and scheduled once', async () => {
    const { fillerOrderNumber, patient } = await waiting();
    const number = `M${serial()}`;
    const reply = named(number, { control: 'NA', fillerOrderNumber, withoutService: true });
    expect(await open.send(orm([reply, reply], patient))).toMatchObject({ code: 'AA' });
    expect(await open.news()).toEqual(SCHEDULED);
  });

  it('given CA and then the placer’s NW of an order of the department, then the cancel is carried out', async () => {
    const { fillerOrderNumber, patient } = await waiting();
    const number = `M${serial()}`;
    await open.send(orm([named(number, { control: 'NA', fillerOrderNumber })], patient));
    await open.news();
    expect(await open.send(orm([named(number, { control: 'CA' }), named(number)], patient))).toMatchObject({
      code: 'AA',
    });
    expect(await open.news()).toEqual(CANCELLED);
    expect(await open.offered(number)).toEqual([]);
  });

  it('given NA whose PID is another patient, then AR 204 and the order still waits', async () => {
    const { fillerOrderNumber } = await waiting();
    const other = person();
    await open.send(orm([named(`M${serial()}`)], other));
    const reply = named(`M${serial()}`, { control: 'NA', fillerOrderNumber });
    expect(await open.send(orm([reply], other))).toMatchObject({ code: 'AR', error: '204', location: 'PID^1^3' });
    expect(await open.order({ fillerOrderNumber })).toMatchObject({ numberPending: true, placerOrderNumber: null });
  });

  it.each(['before', 'behind'])(
    'given a parent is cancelled %s its children, then all of them are (HL7 table 0119)',
    async (place) => {
      const [parent, one, two] = [`M${serial()}`, `M${serial()}`, `M${serial()}`];
      const patient = person();
      const child = { control: 'CH', parent: `${parent}&HIS` };
      await open.send(orm([named(parent, { control: 'PA' }), named(one, child), named(two, child)], patient));
      const numbers = place === 'before' ? [parent, one, two] : [one, two, parent];
      const answer = await open.send(
        orm(
          numbers.map((number) => named(number, { control: 'CA' })),
          patient,
        ),
      );
      expect(answer).toMatchObject({ code: 'AA' });
      for (const placerOrderNumber of numbers) expect((await open.order({ placerOrderNumber })).orderStatus).toBe('CA');
    },
  );

  it('given a parent is cancelled with one of two children, then AE and nothing is cancelled', async () => {
    const [parent, one, two] = [`M${serial()}`, `M${serial()}`, `M${serial()}`];
    const patient = person();
    const child = { control: 'CH', parent: `${parent}&HIS` };
    await open.send(orm([named(parent, { control: 'PA' }), named(one, child), named(two, child)], patient));
    const cancels = [one, parent].map((number) => named(number, { control: 'CA' }));
    expect(await open.send(orm(cancels, patient))).toMatchObject({ code: 'AE', error: '103' });
    expect((await open.order({ placerOrderNumber: one })).orderStatus).toBe('SC');
  });
});

describe('an order that is reported complete without MPPS', () => {
  async function reportedComplete() {
    const number = `M${serial()}`;
    const patient = person();
    await open.send(orm([named(number)], patient));
    const report = oru([{ placerOrderNumber: `${number}^HIS`, resultStatus: 'F', text: ['Nothing found.'] }], patient);
    expect(await open.send(report)).toMatchObject({ code: 'AA' });
    expect(await open.news()).toContain('OP RAD-3 SC/CM');
    return { number, patient };
  }

  it.each(['CA', 'DC'])(
    'given %s, then AE, the placer hears CM again and not SC, and it is not cancelled (RAD TF-2 4.3)',
    async (control) => {
      const { number, patient } = await reportedComplete();
      expect(await open.send(orm([named(number, { control })], patient))).toMatchObject({ code: 'AE', error: '103' });
      expect(await open.news()).toEqual(['OP RAD-3 SC/CM']);
      expect(await open.offered(number)).toHaveLength(1);
    },
  );

  it('given SS, then SR says CM', async () => {
    const { number, patient } = await reportedComplete();
    await open.send(orm([named(number, { control: 'SS' })], patient));
    expect(await open.news()).toEqual(['OP RAD-3 SR/CM']);
  });
});

describe('an order of two services', () => {
  const secondObr = (fields: string): string => `\rOBR|2|||SPINE^Spine with contrast^TESTPLAN${fields}\r`;
  const withSecond = (message: string, fields = ''): string => message.replace(/\r$/, secondObr(fields));

  async function ordered() {
    const number = `M${serial()}`;
    const patient = person();
    const message = withSecond(orm([named(number, { orcStart: '20260105080000' })], patient), '|||||||||||L^^^^LEFT');
    expect(await open.send(message)).toMatchObject({ code: 'AA' });
    expect((await open.order({ placerOrderNumber: number })).requestedProcedures).toHaveLength(2);
    await open.news();
    return { number, patient };
  }
  const startsOf = async (number: string): Promise<string[]> =>
    (await open.order({ placerOrderNumber: number })).requestedProcedures.map(
      ({ steps: [step] }) => step?.startDate.toISOString().slice(0, 10) ?? '',
    );

  it('given XO says another side in the second OBR, then RAD-13 of its procedure says that side', async () => {
    const { number, patient } = await ordered();
    const change = withSecond(orm([named(number, { control: 'XO' })], patient), '|||||||||||R^^^^RIGHT');
    expect(await open.send(change)).toMatchObject({ code: 'AA' });
    await open.news();
    const spine = open.texts.find((one) => one.startsWith('MSH') && one.includes('SPINE') && one.includes('ZDS')) ?? '';
    expect(field(spine, 'OBR', 15)).toContain('RIGHT');
  });

  it('given S12 names the services in another order, then each is where its own AIS says', async () => {
    const { number, patient } = await ordered();
    const services = [
      { code: 'SPINE^^TESTPLAN', start: '20260201080000' },
      { code: 'WRIST^^TESTPLAN', start: '20260301080000' },
    ];
    const appointment = { placerAppointment: `A${serial()}^BOOKING`, placerOrderNumber: `${number}^HIS`, services };
    expect(await open.send(siu('S12', appointment, patient))).toMatchObject({ code: 'AA' });
    expect(await startsOf(number)).toEqual(['2026-03-01', '2026-02-01']);
  });

  it.each(['S13', 'S14'])('given %s of the second service alone, then the first stays where it is', async (event) => {
    const { number, patient } = await ordered();
    const services = [{ code: 'SPINE^^TESTPLAN', start: '20260201080000' }];
    const appointment = { placerAppointment: `A${serial()}^BOOKING`, placerOrderNumber: `${number}^HIS`, services };
    expect(await open.send(siu(event, appointment, patient))).toMatchObject({ code: 'AA' });
    expect(await startsOf(number)).toEqual(['2026-01-05', '2026-02-01']);
  });
});

describe('an order that the placer has not numbered', () => {
  it('given UA and later NW that names our number (ORC-3), then that order has the number and no other is made', async () => {
    const { fillerOrderNumber, patient } = await waiting();
    const [refused, number] = [`M${serial()}`, `M${serial()}`];
    await open.send(orm([named(refused, { control: 'UA', fillerOrderNumber, withoutService: true })], patient));
    expect((await open.order({ fillerOrderNumber })).alarm).not.toBeNull();
    expect(await open.send(orm([named(number, { fillerOrderNumber })], patient))).toMatchObject({ code: 'AA' });
    expect(await open.news()).toEqual(SCHEDULED);
    expect(await open.order({ fillerOrderNumber })).toMatchObject({ placerOrderNumber: number, alarm: null });
  });

  it('given an appointment is called off after it was begun, then AE and no RAD-3 goes out without a number', async () => {
    const { fillerOrderNumber, patient } = await waiting();
    await open.begin({ fillerOrderNumber });
    await open.news();
    const appointment = { placerAppointment: `A${serial()}^BOOKING`, fillerOrderNumber: `${fillerOrderNumber}^SWF_OF` };
    expect(await open.send(siu('S15', appointment, patient))).toMatchObject({ code: 'AE' });
    expect(await open.news()).toEqual([]);
  });
});

describe('an appointment that comes from somebody else than the placer of its order', () => {
  it('given S15, then the placer hears that its order is cancelled (RAD-3 OC)', async () => {
    const number = `M${serial()}`;
    const patient = person();
    await open.send(orm([named(number)], patient));
    await open.news();
    const appointment = { placerAppointment: `A${serial()}^BOOKING`, placerOrderNumber: `${number}^HIS` };
    expect(await open.send(siu('S15', appointment, patient))).toMatchObject({ code: 'AA' });
    expect((await open.news()).filter((line) => line.includes('RAD-3'))).toEqual(['OP RAD-3 OC/']);
  });

  it('given S12 and S13 of a new one in the same instant, then both are AA and it made one order', async () => {
    const other = await connectSender(open.server.ports.hl7);
    for (let round = 0; round < 5; round++) {
      const services = [{ code: 'WRIST^^TESTPLAN', start: '20260201080000' }];
      const appointment = { placerAppointment: `A${serial()}^BOOKING`, services };
      const patient = person();
      const both = [open.send(siu('S12', appointment, patient)), other.send(siu('S13', appointment, patient))];
      expect((await Promise.all(both)).map(({ code }) => code)).toEqual(['AA', 'AA']);
    }
    other.end();
  });
});

describe('a hold of the placer on what waits after a no-show', () => {
  it('given S26, HD and then S13, then it stays on hold: the hold is the placer’s to take off', async () => {
    const number = `M${serial()}`;
    const patient = person();
    await open.send(orm([named(number)], patient));
    const appointment = {
      placerAppointment: `A${serial()}^BOOKING`,
      placerOrderNumber: `${number}^HIS`,
      services: [{ code: 'WRIST^^TESTPLAN', start: '20260201080000' }],
    };
    expect(await open.send(siu('S26', appointment, patient))).toMatchObject({ code: 'AA' });
    expect(await open.send(orm([named(number, { control: 'HD' })], patient))).toMatchObject({ code: 'AA' });
    expect(await open.send(siu('S13', appointment, patient))).toMatchObject({ code: 'AA' });
    expect(await open.offered(number)).toEqual([]);
    expect(await open.send(orm([named(number, { control: 'RL' })], patient))).toMatchObject({ code: 'AA' });
    expect(await open.offered(number)).toHaveLength(1);
  });
});

describe('another time after a no-show is another appointment, whoever gives it', () => {
  async function missed(service = 'WRIST') {
    const number = `M${serial()}`;
    const patient = person();
    const order = (control: string, more: OrderFields = {}): string =>
      orm([named(number, { control, service: `${service}^^TESTPLAN`, orcStart: '20260301090000', ...more })], patient);
    expect(await open.send(order('NW'))).toMatchObject({ code: 'AA' });
    const appointment = (start: string) => ({
      placerAppointment: `A${serial()}^BOOKING`,
      placerOrderNumber: `${number}^HIS`,
      services: [{ code: `${service}^^TESTPLAN`, start }],
    });
    const act = async (verb: string): Promise<unknown> => {
      const [procedure] = (await open.order({ placerOrderNumber: number })).requestedProcedures;
      return open.post(`/api/procedures/${procedure?.requestedProcedureId}/${verb}`);
    };
    return { number, patient, order, appointment, act };
  }

  it.each(['WRIST', 'TRUNK'])(
    'given XO with another start, then %s is on the worklist at that time',
    async (service) => {
      const { number, order, act } = await missed(service);
      const before = (await open.offered(number)).length;
      await act('no-show');
      expect(await open.offered(number)).toHaveLength(before - 1);
      await open.news();
      expect(await open.send(order('XO', { orcStart: '20260302090000' }))).toMatchObject({ code: 'AA' });
      const offered = await open.offered(number);
      expect(offered).toHaveLength(before);
      expect((await open.news()).filter((one) => one.startsWith('IM'))).toEqual(Array(before).fill('IM RAD-13 XO/SC'));
      const { requestedProcedures } = await open.order({ placerOrderNumber: number });
      // peers answer meanwhile
      const moves = requestedProcedures[0]?.history.filter(({ event }) => ['reschedule', 'release'].includes(event));
      expect(moves?.map(({ event }) => event)).toEqual(['reschedule', 'release']);
    },
  );

  it('given XO with another reason for the same time, then it stays on hold', async () => {
    const { number, order, act } = await missed();
    await act('no-show');
    expect(await open.send(order('XO', { clinicalInformation: 'Fall' }))).toMatchObject({ code: 'AA' });
    expect(await open.offered(number)).toEqual([]);
  });

  it('given a hold of staff and XO with another start, then it stays on hold', async () => {
    const { number, order, act } = await missed();
    await act('hold');
    expect(await open.send(order('XO', { orcStart: '20260302090000' }))).toMatchObject({ code: 'AA' });
    expect(await open.offered(number)).toEqual([]);
  });

  it('given S14, then another time takes the hold off, and anything else of the appointment does not', async () => {
    const { number, patient, appointment } = await missed();
    const sent = (event: string, start: string) => open.send(siu(event, appointment(start), patient));
    expect(await sent('S26', '20260301090000')).toMatchObject({ code: 'AA' });
    expect(await sent('S14', '20260301090000')).toMatchObject({ code: 'AA' });
    expect(await open.offered(number)).toEqual([]);
    expect(await sent('S14', '20260302090000')).toMatchObject({ code: 'AA' });
    expect(await open.offered(number)).toHaveLength(1);
  });
});
