import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Sender, connectSender, field, messageOf, orm, serial } from '../support/messages.ts';
import { inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { type Outbox, inShort, peerWith, watchOutbox } from '../support/outbox.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { type AppointmentFields, siu } from '../support/statements.ts';
import { type ShownProcedure, type WebClient, historyOf, proceduresOf, webClient } from '../support/web.ts';

let peers: PeerDouble[];
let server: TestServer;
let sender: Sender;
let web: WebClient;
let outbox: Outbox;
beforeAll(async () => {
  const [placer, manager] = [await startPeer('OP', 'order-placer'), await startPeer('IM', 'image-manager')];
  peers = [placer, manager];
  server = await startTestServer({
    peers: [peerWith(placer, { sends: { appointments: 'none' } }), manager.entry],
    senders: [{ match: { application: 'ROOMS' }, station: 'ZRM-1' }],
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
beforeEach(async () => void (await outbox.news()));

const person = () => ({ identifier: `B${serial()}^^^CLINIC` });
const wrist = { code: 'WRIST^Wrist in two planes^TESTPLAN', start: '20260120100000', minutes: '30' };

/** The only procedure of an order. */
async function procedureOf(placerOrderNumber: string): Promise<ShownProcedure> {
  const procedures = await proceduresOf(web, placerOrderNumber);
  expect(procedures).toHaveLength(1);
  return procedures[0] as ShownProcedure;
}

const startsOf = async (placerOrderNumber: string): Promise<string[]> =>
  (await proceduresOf(web, placerOrderNumber)).flatMap(({ steps }) => steps.map(({ start }) => start));

interface Ordered {
  readonly number: string;
  readonly patient: { readonly identifier: string };
  readonly procedure: ShownProcedure;
}

/** An order that came by RAD-2, for 5 January at 8. */
async function ordered(service = 'WRIST'): Promise<Ordered> {
  const number = `B${serial()}`;
  const patient = person();
  const order = { placerOrderNumber: `${number}^HIS`, service: `${service}^^TESTPLAN`, orcStart: '20260105080000' };
  expect(await sender.send(orm([order], patient))).toMatchObject({ code: 'AA' });
  const [procedure] = await proceduresOf(web, number);
  if (!procedure) throw new Error('the order has no procedure');
  await outbox.news();
  return { number, patient, procedure };
}

interface Booked extends Ordered {
  readonly appointment: AppointmentFields;
}

/** An order that an appointment made. */
async function booked(code = wrist.code): Promise<Booked> {
  const number = `APPT${serial()}`;
  const patient = person();
  const appointment = { placerAppointment: `${number}^BOOKING`, services: [{ ...wrist, code }] };
  expect(await sender.send(siu('S12', appointment, patient))).toMatchObject({ code: 'AA' });
  await outbox.news();
  return { number, patient, procedure: await procedureOf(number), appointment };
}

describe('SIU^S12, an appointment of no order that is known (HL7 v2.5.1 10.3.1)', () => {
  it('given patient, service and start, then an order is made, scheduled at that start and announced', async () => {
    const number = `APPT${serial()}`;
    const message = siu('S12', { placerAppointment: `${number}^BOOKING`, services: [wrist] }, person());
    expect(await sender.send(message)).toMatchObject({ code: 'AA' });
    const procedure = await procedureOf(number);
    expect(procedure).toMatchObject({
      state: 'scheduled',
      orderStatus: 'SC',
      steps: [{ start: '2026-01-20T10:00:00' }],
    });
    const out = await outbox.news();
    expect(inShort(out)).toEqual(['IM ORM^O01 NW/SC']);
    expect(field(out[0]?.text ?? '', 'ORC', 2)).toContain(number);
  });

  it('given the shape of a booking system without SCH-11 in its place (SCH-9 holds the timing), then AIS counts', async () => {
    const number = `APPT${serial()}`;
    const message = messageOf(
      'MSH|^~\\&|RIS|IMAGING|ARCHIVE|STORE|20260115103000||SIU^S12|' + `B${serial()}` + '|P|2.5.1',
      `SCH|${number}^RIS|${number}^ARCHIVE||||||^^^20260120100000^^20260120|30|min^minutes|Booked`,
      `PID|1||B${serial()}^^^CLINIC^MR||Halvorsen^Ida^B||19910309|F`,
      'RGS|1||ROOM_1',
      'AIS|1||HEAD_CT^Head CT^LOCAL|20260120100000|30|min',
    );
    expect(await sender.send(message)).toMatchObject({ code: 'AA' });
    expect(await procedureOf(number)).toMatchObject({ state: 'scheduled', steps: [{ start: '2026-01-20T10:00:00' }] });
  });

  it.each([
    ['SCH-26 before SCH-1 and SCH-2', { placerOrderNumber: 'N', placerAppointment: 'X1', fillerAppointment: 'X2' }],
    ['SCH-1 before SCH-2', { placerAppointment: 'N', fillerAppointment: 'X3' }],
    ['SCH-2 where there is no other', { fillerAppointment: 'N' }],
  ])('given its numbers, then the order is known by %s', async (_what, numbers) => {
    const number = `APPT${serial()}`;
    const named = Object.fromEntries(
      Object.entries(numbers).map(([key, value]) => [key, value === 'N' ? number : value + number]),
    );
    expect(await sender.send(siu('S12', { ...named, services: [wrist] }, person()))).toMatchObject({ code: 'AA' });
    expect(await procedureOf(number)).toMatchObject({ placerOrderNumber: number });
  });

  it('given two services, then the order has the procedures of both', async () => {
    const number = `APPT${serial()}`;
    const head = { code: 'HEAD^Head CT^LOCAL', start: '20260120100000' };
    expect(
      await sender.send(siu('S12', { placerAppointment: number, services: [wrist, head] }, person())),
    ).toMatchObject({
      code: 'AA',
    });
    expect(await proceduresOf(web, number)).toHaveLength(2);
  });

  it('given no start in AIS-4, then SCH-11.4 is the start', async () => {
    const number = `APPT${serial()}`;
    const fields = { placerAppointment: number, timing: '1^once^M20^20260121093000', services: [{ code: wrist.code }] };
    expect(await sender.send(siu('S12', fields, person()))).toMatchObject({ code: 'AA' });
    expect(await startsOf(number)).toEqual(['2026-01-21T09:30:00']);
  });

  it('given a start with an offset, then it is on the clock of the site', async () => {
    const number = `APPT${serial()}`;
    const services = [{ ...wrist, start: '20260120090000+0000' }];
    await sender.send(siu('S12', { placerAppointment: number, services }, person()));
    expect(await startsOf(number)).toEqual(['2026-01-20T10:00:00']);
  });

  it('given a sender whose station field is set, then the step is at that station', async () => {
    const number = `APPT${serial()}`;
    const message = siu(
      'S12',
      { placerAppointment: number, services: [{ ...wrist, code: 'HEAD^Head^LOCAL' }] },
      person(),
      {
        application: 'ROOMS',
      },
    );
    const withRoom = message.replace(/\rPID\|/, '\rZRM|CT7\rPID|');
    expect(await sender.send(withRoom)).toMatchObject({ code: 'AA' });
    expect(await procedureOf(number)).toMatchObject({ steps: [{ scheduledStationAeTitles: ['CT7'] }] });
  });

  it.each([
    { what: 'no PID', fields: { placerAppointment: 'N', services: [wrist] }, error: '100' },
    { what: 'no number (SCH-1, SCH-2)', fields: { services: [wrist] }, error: '101' },
    { what: 'no AIS-3', fields: { placerAppointment: 'N', services: [{ start: '20260120100000' }] }, error: '101' },
    {
      what: 'an AIS-4 that is no time',
      fields: { placerAppointment: 'N', services: [{ ...wrist, start: 'tomorrow' }] },
      error: '102',
    },
  ])('given $what, then AE $error and nothing is made', async ({ what, fields, error }) => {
    const before = await server.store.prisma.order.count();
    const number = `APPT${serial()}`;
    const appointment = 'placerAppointment' in fields ? { ...fields, placerAppointment: number } : fields;
    const answer = await sender.send(siu('S12', appointment, what === 'no PID' ? undefined : person()));
    expect(answer).toMatchObject({ code: 'AE', error });
    expect(await server.store.prisma.order.count()).toBe(before);
    expect(await outbox.news()).toEqual([]);
  });
});

describe('SIU of an order that is known', () => {
  it.each([
    ['SCH-27', ({ procedure }: Ordered) => ({ fillerOrderNumber: procedure.fillerOrderNumber })],
    ['SCH-26', ({ number }: Ordered) => ({ placerOrderNumber: `${number}^HIS` })],
    [
      'SCH-2, as our RAD-48 names it',
      ({ procedure }: Ordered) => ({ fillerAppointment: procedure.requestedProcedureId }),
    ],
  ])('given S12 with %s, then its steps are where the appointment says and no order is made', async (_what, by) => {
    const order = await ordered();
    const appointment = { placerAppointment: `Z${serial()}`, services: [wrist], ...by(order) };
    expect(await sender.send(siu('S12', appointment, order.patient))).toMatchObject({ code: 'AA' });
    expect(await startsOf(order.number)).toEqual(['2026-01-20T10:00:00']);
    expect(inShort(await outbox.news())).toEqual(['IM ORM^O01 XO/SC']);
  });

  it('given SCH-26 without an issuer from a booking system, then it is the order that the placer numbered so, not a second one', async () => {
    const number = `B${serial()}`;
    const patient = person();
    expect(await sender.send(orm([{ placerOrderNumber: number }], patient))).toMatchObject({ code: 'AA' });
    const appointment = { placerAppointment: `Z${serial()}`, placerOrderNumber: number, services: [wrist] };
    expect(await sender.send(siu('S12', appointment, patient))).toMatchObject({ code: 'AA' });
    expect(await startsOf(number)).toEqual(['2026-01-20T10:00:00']);
  });

  it.each([
    ['SCH-1', 'placerAppointment'],
    ['SCH-2', 'fillerAppointment'],
  ] as const)(
    'given S12 with all its numbers, when S13 names %s alone, then it is that appointment, not a second order',
    async (_what, key) => {
      const [number, patient] = [`B${serial()}`, person()];
      const names = { placerAppointment: `P${number}`, fillerAppointment: `F${number}` };
      await sender.send(siu('S12', { ...names, placerOrderNumber: number, services: [wrist] }, patient));
      const orders = await server.store.prisma.order.count();
      const services = [{ ...wrist, start: '20260121143000' }];
      expect(await sender.send(siu('S13', { [key]: names[key], services }, patient))).toMatchObject({ code: 'AA' });
      expect(await server.store.prisma.order.count()).toBe(orders);
      expect(await startsOf(number)).toEqual(['2026-01-21T14:30:00']);
    },
  );

  it('given an order that waits to be scheduled, when S12 places it, then it is scheduled there', async () => {
    const waiting = await startTestServer({ policy: { autoSchedule: false } });
    const one = await connectSender(waiting.ports.hl7);
    const own = webClient(waiting.ports.http);
    const patient = person();
    await one.send(orm([{ placerOrderNumber: 'W1^HIS', service: 'SPINE^^TESTPLAN' }], patient));
    expect(await proceduresOf(own, 'W1')).toMatchObject([{ state: 'planned' }]);
    const appointment = { placerAppointment: 'A1', placerOrderNumber: 'W1^HIS', services: [wrist] };
    expect(await one.send(siu('S12', appointment, patient))).toMatchObject({ code: 'AA' });
    expect(await proceduresOf(own, 'W1')).toMatchObject([
      { state: 'scheduled', steps: [{ start: '2026-01-20T10:00:00' }, { start: '2026-01-20T10:30:00' }] },
    ]);
    one.end();
    await waiting.stop();
  });

  it('given S13 with another start, then the steps move together and RAD-13 XO/SC says so', async () => {
    const order = await ordered('SPINE');
    const services = [{ ...wrist, start: '20260121143000' }];
    const appointment = { placerAppointment: 'Z', placerOrderNumber: `${order.number}^HIS`, services };
    expect(await sender.send(siu('S13', appointment, order.patient))).toMatchObject({ code: 'AA' });
    expect(await startsOf(order.number)).toEqual(['2026-01-21T14:30:00', '2026-01-21T15:00:00']);
    expect(inShort(await outbox.news())).toEqual(['IM ORM^O01 XO/SC']);
  });

  it('given S13 of a booking without PID, then it moves too', async () => {
    const { number, appointment } = await booked();
    const services = [{ ...wrist, start: '20260121143000' }];
    expect(await sender.send(siu('S13', { ...appointment, services }))).toMatchObject({ code: 'AA' });
    expect(await startsOf(number)).toEqual(['2026-01-21T14:30:00']);
  });

  it.each(['placerAppointment', 'fillerAppointment'] as const)(
    'given S13 that calls the appointment by the number of the order alone (%s), then its steps move and no order is made',
    async (field) => {
      const { number, patient } = await ordered();
      const moved = { [field]: `${number}^HIS`, services: [{ ...wrist, start: '20260121110000' }] };
      expect(await sender.send(siu('S13', moved, patient))).toMatchObject({ code: 'AA' });
      expect(await startsOf(number)).toEqual(['2026-01-21T11:00:00']);
    },
  );

  it('given S13 with the start it has, then nobody is told', async () => {
    const { appointment } = await booked();
    expect(await sender.send(siu('S13', appointment))).toMatchObject({ code: 'AA' });
    expect(await outbox.news()).toEqual([]);
  });

  it('given S14 with another time, then it moves', async () => {
    const { number, patient, appointment } = await booked();
    const moved = { ...appointment, services: [{ ...wrist, start: '20260120110000' }] };
    expect(await sender.send(siu('S14', moved, patient))).toMatchObject({ code: 'AA' });
    expect(await startsOf(number)).toEqual(['2026-01-20T11:00:00']);
    expect(inShort(await outbox.news())).toEqual(['IM ORM^O01 XO/SC']);
  });

  it('given S14 with another service, both without a plan in the catalogue, then the procedure is the other one', async () => {
    const { number, patient, procedure, appointment } = await booked('HEAD^Head^LOCAL');
    const other = { ...appointment, services: [{ ...wrist, code: 'HAND^Hand^LOCAL' }] };
    expect(await sender.send(siu('S14', other, patient))).toMatchObject({ code: 'AA' });
    const out = await outbox.news();
    expect(inShort(out)).toEqual(['IM ORM^O01 XO/SC']);
    expect(field(out[0]?.text ?? '', 'OBR', 4)).toContain('HAND');
    expect(await procedureOf(number)).toMatchObject({ requestedProcedureId: procedure.requestedProcedureId });
  });

  it('given S14 that takes away a service with a plan, then AE 103 at AIS-3 and nothing is done', async () => {
    const { patient, appointment } = await booked();
    const other = { ...appointment, services: [{ ...wrist, code: 'HAND^Hand^LOCAL' }] };
    expect(await sender.send(siu('S14', other, patient))).toMatchObject({ code: 'AE', error: '103' });
    expect(await outbox.news()).toEqual([]);
  });

  it('given S14 with a service that has a plan of its own, then AE 103 at AIS-3 and nothing is done', async () => {
    const { number, patient, appointment } = await booked();
    const other = { ...appointment, services: [{ ...wrist, code: 'TRUNK^^TESTPLAN', start: '20260122110000' }] };
    expect(await sender.send(siu('S14', other, patient))).toMatchObject({
      code: 'AE',
      error: '103',
      location: 'AIS^1^3',
    });
    expect(await startsOf(number)).toEqual(['2026-01-20T10:00:00']);
    expect(await outbox.news()).toEqual([]);
  });

  it('given S15, then order and procedure are cancelled, off the worklist, and RAD-13 CA/CA says so', async () => {
    const { number, patient, appointment } = await booked();
    const cancel = { placerAppointment: `${number}^BOOKING`, fillerAppointment: '' };
    expect(appointment.placerAppointment).toBe(cancel.placerAppointment);
    expect(await sender.send(siu('S15', cancel, patient))).toMatchObject({ code: 'AA' });
    expect(await procedureOf(number)).toMatchObject({ state: 'cancelled', orderStatus: 'CA' });
    expect(inShort(await outbox.news())).toEqual(['IM ORM^O01 CA/CA']);
    const { items } = await web.get<{ items: object[] }>(
      `/api/worklist?patientId=${patient.identifier.split('^')[0] ?? ''}`,
    );
    expect(items).toEqual([]);
  });

  it('given S15 a second time, then AA and nothing', async () => {
    const { appointment } = await booked();
    await sender.send(siu('S15', appointment));
    await outbox.news();
    expect(await sender.send(siu('S15', appointment))).toMatchObject({ code: 'AA' });
    expect(await outbox.news()).toEqual([]);
  });

  it('given S26, the patient did not come, then the procedure is on hold, off the worklist, and the history says why', async () => {
    const { number, patient, procedure, appointment } = await booked();
    expect(await sender.send(siu('S26', appointment, patient))).toMatchObject({ code: 'AA' });
    expect(await procedureOf(number)).toMatchObject({ state: 'held', orderStatus: 'HD' });
    const history = await historyOf(web, procedure.requestedProcedureId);
    expect(history.at(-1)).toMatchObject({ event: 'hold', remark: 'the patient did not show up' });
    const { items } = await web.get<{ items: object[] }>(
      `/api/worklist?patientId=${patient.identifier.split('^')[0] ?? ''}`,
    );
    expect(items).toEqual([]);
  });

  it('given S13 after S26, then it is released to the new time', async () => {
    const { number, appointment } = await booked();
    await sender.send(siu('S26', appointment));
    const services = [{ ...wrist, start: '20260127080000' }];
    expect(await sender.send(siu('S13', { ...appointment, services }))).toMatchObject({ code: 'AA' });
    expect(await procedureOf(number)).toMatchObject({ state: 'scheduled', steps: [{ start: '2026-01-27T08:00:00' }] });
  });
});

describe('SIU that comes too late, or is of nothing', () => {
  it.each(['S15', 'S26'])('given %s of an appointment that nobody knows, then AR 204', async (event) => {
    const answer = await sender.send(
      siu(event, { placerAppointment: `NOBODY${serial()}`, services: [wrist] }, person()),
    );
    expect(answer).toMatchObject({ code: 'AR', error: '204' });
  });

  it.each(['S13', 'S14'])(
    'given %s of an unknown one with PID and AIS-3, then it makes an order, remarked',
    async (event) => {
      const number = `APPT${serial()}`;
      const controlId = `B${serial()}`;
      const message = siu(event, { placerAppointment: number, services: [wrist] }, person(), { controlId });
      expect(await sender.send(message)).toMatchObject({ code: 'AA' });
      expect(await procedureOf(number)).toMatchObject({ state: 'scheduled' });
      const { items } = await web.get<{ items: { remarks: string[] }[] }>(`/api/messages?controlId=${controlId}`);
      expect(items[0]?.remarks.join()).toContain('was not known');
    },
  );

  it.each(['S13', 'S14'])('given %s of an unknown one without PID, then AR 204', async (event) => {
    const answer = await sender.send(siu(event, { placerAppointment: `NOBODY${serial()}`, services: [wrist] }));
    expect(answer).toMatchObject({ code: 'AR', error: '204' });
  });

  it.each(['S15', 'S26'])(
    'given an examination that has begun, when %s comes, then AE, it goes on, and the placer hears how it stands',
    async (event) => {
      const order = await ordered();
      const steps = await stepsOf(server.store, order.number);
      expect(await modality(server.ports.dicom).create(newUid(), inProgress(steps))).toBe(0);
      await outbox.news();
      const appointment = { placerAppointment: 'Z', placerOrderNumber: `${order.number}^HIS`, services: [wrist] };
      expect(await sender.send(siu(event, appointment, order.patient))).toMatchObject({ code: 'AE', error: '103' });
      expect(await procedureOf(order.number)).toMatchObject({ state: 'inProgress' });
      expect(inShort(await outbox.news())).toEqual(['OP ORM^O01 SC/IP']);
    },
  );

  it('given S13 of an order that was cancelled, then AE and it stays cancelled', async () => {
    const { number, appointment } = await booked();
    await sender.send(siu('S15', appointment));
    await outbox.news();
    expect(await sender.send(siu('S13', appointment))).toMatchObject({ code: 'AE' });
    expect(await procedureOf(number)).toMatchObject({ state: 'cancelled' });
  });

  it.each(['S12', 'S13', 'S14', 'S15', 'S26'])(
    'given %s of an order with PID of another patient, then AR 204 at PID-3 and nothing is done',
    async (event) => {
      const order = await ordered();
      const appointment = { placerAppointment: 'Z', placerOrderNumber: `${order.number}^HIS`, services: [wrist] };
      const answer = await sender.send(siu(event, appointment, person()));
      expect(answer).toMatchObject({ code: 'AR', error: '204', location: 'PID^1^3' });
      expect(await procedureOf(order.number)).toMatchObject({
        state: 'scheduled',
        steps: [{ start: '2026-01-05T08:00:00' }],
      });
      expect(await outbox.news()).toEqual([]);
    },
  );

  it('given an event that nobody carries out (S17), then AR 201', async () => {
    expect(await sender.send(siu('S17', { placerAppointment: 'Z' }, person()))).toMatchObject({
      code: 'AR',
      error: '201',
    });
  });
});
