import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type OrderFields,
  type Sender,
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
import { type Outbox, inShort, peerWith, watchOutbox } from '../support/outbox.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { type ShownProcedure, type WebClient, historyOf, proceduresOf, webClient } from '../support/web.ts';

interface House {
  readonly server: TestServer;
  readonly sender: Sender;
  readonly web: WebClient;
  readonly outbox: Outbox;
  readonly placers: readonly PeerDouble[];
  stop(): Promise<void>;
}

interface HouseOptions {
  readonly version?: '2.3.1' | '2.5.1';
  readonly appointments?: string;
  readonly policy?: Readonly<Record<string, boolean>>;
}

/** Two placers: HIS, to which the test's orders belong, and another one that must hear nothing of them. */
async function startHouse({ version = '2.3.1', appointments, policy }: HouseOptions = {}): Promise<House> {
  const other = await startPeer('OTHER', 'order-placer', { application: 'OTHER_HIS' });
  const placer = await startPeer('OP', 'order-placer', { version });
  const sends = appointments === undefined ? {} : { appointments };
  const peers = [peerWith(placer, { sends }), other.entry];
  const server = await startTestServer({ peers, ...(policy ? { policy } : {}) });
  const sender = await connectSender(server.ports.hl7);
  return {
    server,
    sender,
    placers: [placer, other],
    web: webClient(server.ports.http),
    outbox: watchOutbox(server.store),
    stop: async () => {
      sender.end();
      await server.stop();
      await Promise.all([placer, other].map((peer) => peer.down()));
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
  readonly patient: { readonly identifier: string };
  readonly first: ShownProcedure;
  readonly procedures: readonly ShownProcedure[];
}

async function ordered(service = 'WRIST', fields: OrderFields = {}, { sender, web } = house): Promise<Ordered> {
  const placerOrderNumber = `S${serial()}`;
  const patient = { identifier: `S${serial()}^^^CLINIC` };
  const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: `${service}^^TESTPLAN`, ...fields };
  expect((await sender.send(orm([order], patient))).code).toBe('AA');
  const procedures = await proceduresOf(web, placerOrderNumber);
  const [first] = procedures;
  if (!first) throw new Error('the order has no procedure');
  return { placerOrderNumber, patient, first, procedures };
}

/** What staff do with a procedure; it must succeed. */
async function act({ requestedProcedureId }: ShownProcedure, verb: string, body: object = {}, { web } = house) {
  expect(await web.post(`/api/procedures/${requestedProcedureId}/${verb}`, body)).toMatchObject({ status: 200 });
}

describe('RAD-48 Appointment Notification (RAD TF-2 4.48), HL7 v2.4', () => {
  it('given an order is scheduled, then S12 names procedure and protocol, start, order numbers and the appointment', async () => {
    const { first, placerOrderNumber, patient } = await ordered('WRIST', { orcStart: '20260107143000' });
    const out = await house.outbox.news();
    expect(inShort(out)).toEqual(['OP SIU^S12']);
    const text = out[0]?.text ?? '';
    expect(field(text, 'MSH', 9)).toBe('SIU^S12^SIU_S12');
    expect(field(text, 'MSH', 12)).toBe('2.4');
    expect(field(text, 'MSH', 5)).toBe('HIS');
    expect(field(text, 'SCH', 2)).toBe(`${first.requestedProcedureId}^SWF_OF`);
    expect(field(text, 'SCH', 6)).not.toBe('');
    expect(field(text, 'SCH', 11).split('^')[3]).toBe('20260107143000');
    expect(field(text, 'SCH', 16)).not.toBe('');
    expect(field(text, 'SCH', 25).split('^')[0]).toBe('Booked');
    expect(field(text, 'SCH', 26)).toBe(`${placerOrderNumber}^HIS`);
    expect(field(text, 'SCH', 27)).toBe(`${first.fillerOrderNumber}^SWF_OF`);
    expect(field(text, 'PID', 3)).toContain(patient.identifier.split('^')[0]);
    expect([field(text, 'RGS', 1), field(text, 'RGS', 2)]).toEqual(['1', 'A']);
    expect([field(text, 'AIS', 1), field(text, 'AIS', 2)]).toEqual(['1', 'A']);
    expect(field(text, 'AIS', 3)).toBe('WRIST^Wrist in two planes^TESTPLAN^WR2^Protocol WR2^TESTPLAN');
    expect(field(text, 'AIS', 4)).toBe('20260107143000');
    expect([field(text, 'AIS', 7), field(text, 'AIS', 8)]).toEqual(['20', 'min^minute^ISO+']);
  });

  it('given a procedure of two steps, then AIS names the first that is scheduled', async () => {
    await ordered('SPINE', { orcStart: '20260107090000' });
    const [{ text } = { text: '' }] = await house.outbox.news();
    expect(field(text, 'AIS', 3)).toContain('SPN^');
    expect(field(text, 'AIS', 4)).toBe('20260107090000');
    expect(field(text, 'AIS', 3, 2)).toBe('');
    expect(field(text, 'SCH', 11).split('^').slice(2, 4)).toEqual(['M45', '20260107090000']);
  });

  it('given an order of two procedures, then each is an appointment of its own', async () => {
    const { procedures } = await ordered('TRUNK');
    const out = await house.outbox.news();
    expect(inShort(out)).toEqual(['OP SIU^S12', 'OP SIU^S12']);
    expect(out.map(({ text }) => field(text, 'SCH', 2).split('^')[0])).toEqual(
      procedures.map(({ requestedProcedureId }) => requestedProcedureId),
    );
  });

  it('given staff move it, then S13 says the new start with action U', async () => {
    const { first } = await ordered('WRIST', { orcStart: '20260107143000' });
    await house.outbox.news();
    await act(first, 'reschedule', { start: '2026-01-08T07:15:00' });
    const out = await house.outbox.news();
    expect(inShort(out)).toEqual(['OP SIU^S13']);
    const text = out[0]?.text ?? '';
    expect([field(text, 'RGS', 2), field(text, 'AIS', 2)]).toEqual(['U', 'U']);
    expect(field(text, 'AIS', 4)).toBe('20260108071500');
    expect(field(text, 'SCH', 2)).toBe(`${first.requestedProcedureId}^SWF_OF`);
  });

  it('given only the second step is moved, then S13 still names the first that is scheduled', async () => {
    const { first } = await ordered('SPINE', { orcStart: '20260107090000' });
    await house.outbox.news();
    const step = first.steps[1]?.scheduledProcedureStepId ?? '';
    await act(first, 'reschedule', { step, start: '2026-01-07T13:00:00' });
    const [{ text } = { text: '' }] = await house.outbox.news();
    expect(field(text, 'MSH', 9)).toBe('SIU^S13^SIU_S12');
    expect(field(text, 'AIS', 4)).toBe('20260107090000');
  });

  it('given staff cancel it, then S15 with action D, beside OC for the order', async () => {
    const { first } = await ordered();
    await house.outbox.news();
    await act(first, 'cancel');
    const out = await house.outbox.news();
    expect(inShort(out).sort()).toEqual(['OP ORM^O01 OC/', 'OP SIU^S15']);
    const text = out.find(({ messageType }) => messageType === 'SIU^S15')?.text ?? '';
    expect([field(text, 'RGS', 2), field(text, 'AIS', 2)]).toEqual(['D', 'D']);
    expect(field(text, 'SCH', 25).split('^')[0]).toBe('Cancelled');
  });

  it('given the placer cancels its order, then S15, and no OC: our acknowledgement said it', async () => {
    const { placerOrderNumber, patient } = await ordered();
    await house.outbox.news();
    const cancel = orm(
      [{ control: 'CA', placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'WRIST^^TESTPLAN' }],
      patient,
    );
    expect(await house.sender.send(cancel)).toMatchObject({ code: 'AA' });
    expect(inShort(await house.outbox.news())).toEqual(['OP SIU^S15']);
  });

  it('given one of two procedures is cancelled, then only its appointment is called off', async () => {
    const { procedures } = await ordered('TRUNK');
    await house.outbox.news();
    const [, second] = procedures;
    if (second) await act(second, 'cancel');
    const out = await house.outbox.news();
    expect(inShort(out)).toEqual(['OP SIU^S15']);
    expect(field(out[0]?.text ?? '', 'SCH', 2).split('^')[0]).toBe(second?.requestedProcedureId);
  });

  it('given a hold, a release, an arrival and a start, then no appointment is told', async () => {
    const { first, placerOrderNumber } = await ordered();
    await house.outbox.news();
    for (const verb of ['hold', 'release', 'arrive']) await act(first, verb);
    const steps = await stepsOf(house.server.store, placerOrderNumber);
    expect(await modality(house.server.ports.dicom).create(newUid(), inProgress(steps))).toBe(0);
    expect(await house.outbox.news('RAD-48')).toEqual([]);
  });

  it('given it was delivered, then the placer of the order alone has it, and its answer is in the history', async () => {
    const { first } = await ordered();
    const [put] = await house.outbox.news();
    const [placer, other] = house.placers;
    await until('S12 at the placer', () => placer?.received.find(({ controlId }) => controlId === put?.controlId));
    await until('the answer in the history', async () => {
      const history = await historyOf(house.web, first.requestedProcedureId);
      return history.some(({ event, cause }) => event === 'appointmentConfirmed' && cause.by === 'OP');
    });
    expect(other?.received).toEqual([]);
  });
});

describe('by peer and site', () => {
  it('given `appointments: none`, then the placer hears of none', async () => {
    const own = await startHouse({ appointments: 'none' });
    const { first } = await ordered('WRIST', {}, own);
    await act(first, 'reschedule', { start: '2026-01-08T07:15:00' }, own);
    await act(first, 'cancel', {}, own);
    expect(inShort(await own.outbox.news())).toEqual(['OP ORM^O01 OC/']);
    await own.stop();
  });

  it('given `appointments: 2.5.1`, then they go in v2.5.1, whatever else the placer speaks', async () => {
    const own = await startHouse({ appointments: '2.5.1' });
    await ordered('WRIST', {}, own);
    const [{ text } = { text: '' }] = await own.outbox.news('RAD-48');
    expect([field(text, 'MSH', 9), field(text, 'MSH', 12)]).toEqual(['SIU^S12^SIU_S12', '2.5.1']);
    await own.stop();
  });

  it('given a placer in v2.5.1 without the setting, then they go in v2.4 (Gazelle registers RAD-48 for v2.4 only)', async () => {
    const own = await startHouse({ version: '2.5.1' });
    await ordered('WRIST', {}, own);
    const [{ text } = { text: '' }] = await own.outbox.news('RAD-48');
    expect(field(text, 'MSH', 12)).toBe('2.4');
    await own.stop();
  });

  it('given `autoSchedule: false`, then S12 comes when staff schedule it, where they schedule it', async () => {
    const own = await startHouse({ policy: { autoSchedule: false } });
    const { first } = await ordered('WRIST', {}, own);
    expect(await own.outbox.news()).toEqual([]);
    await act(first, 'reschedule', { start: '2026-01-09T10:00:00' }, own);
    expect(await own.outbox.news()).toEqual([]);
    await act(first, 'schedule', { start: '2026-01-09T11:00:00' }, own);
    const out = await own.outbox.news('RAD-48');
    expect(inShort(out)).toEqual(['OP SIU^S12']);
    expect(field(out[0]?.text ?? '', 'AIS', 4)).toBe('20260109110000');
    await own.stop();
  });

  it('given a planned procedure is cancelled, then there was no appointment to call off', async () => {
    const own = await startHouse({ policy: { autoSchedule: false } });
    const { first } = await ordered('WRIST', {}, own);
    await act(first, 'cancel', {}, own);
    expect(await own.outbox.news('RAD-48')).toEqual([]);
    await own.stop();
  });
});

describe('an order of the department (RAD-3 SN)', () => {
  it('given the placer has not numbered it, then no S12; given NA, then S12 with its number', async () => {
    const identifier = `S${serial()}`;
    const order = {
      patient: { identifiers: [{ value: identifier, assigningAuthority: 'CLINIC' }], name: { family: 'Roth' } },
      service: { code: 'WRIST', scheme: 'TESTPLAN' },
      start: '2026-01-07T16:00:00',
    };
    const placed = await house.web.post<{ fillerOrderNumber: string }>('/api/orders', order);
    expect(placed.status).toBe(201);
    const { fillerOrderNumber } = placed.body;
    expect(inShort(await house.outbox.news())).toEqual(['OP ORM^O01 SN/']);
    const number = `S${serial()}`;
    const reply = messageOf(
      msh('ORR^O02'),
      'MSA|AA|1',
      pid({ identifier: `${identifier}^^^CLINIC` }),
      segment('ORC', { 1: 'NA', 2: `${number}^HIS`, 3: `${fillerOrderNumber}^SWF_OF` }),
    );
    expect(await house.sender.send(reply)).toMatchObject({ code: 'AA' });
    const out = await house.outbox.news();
    expect(inShort(out)).toEqual(['OP SIU^S12']);
    expect(field(out[0]?.text ?? '', 'SCH', 26)).toBe(`${number}^HIS`);
    expect(field(out[0]?.text ?? '', 'AIS', 4)).toBe('20260107160000');
  });
});
