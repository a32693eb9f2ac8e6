import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { items, text } from '../../src/dicom/dataset.ts';
import { field, orm, serial } from '../support/messages.ts';
import { type OrderSite, lanesEmpty, startOrderSite } from '../support/order-site.ts';

/** A site that schedules by itself, and one that leaves it to its staff; its placer wants all that is optional. */
let site: OrderSite;
let waiting: OrderSite;
beforeAll(async () => {
  const sends = { orderControls: ['XX'], orderStatuses: ['SC', 'HD'] };
  [site, waiting] = [
    await startOrderSite(),
    await startOrderSite({ policy: { autoSchedule: false }, placer: { version: '2.5.1', sends } }),
  ];
});
afterAll(async () => {
  await site.stop();
  await waiting.stop();
});
beforeEach(async () => {
  await site.news();
  await waiting.news();
});

interface Procedure {
  readonly number: string;
  /** Requested procedure IDs. */
  readonly ids: string[];
  /** Scheduled procedure step IDs. */
  readonly steps: string[];
}

async function ordered(at: OrderSite, service = 'WRIST^^TESTPLAN'): Promise<Procedure> {
  const number = `B${serial()}`;
  const order = { placerOrderNumber: `${number}^HIS`, service, orcStart: '20260301090000' };
  expect(await at.send(orm([order]))).toMatchObject({ code: 'AA' });
  await at.news();
  const { requestedProcedures } = await at.order({ placerOrderNumber: number });
  const steps = requestedProcedures.flatMap((one) => one.steps.map((step) => step.scheduledProcedureStepId));
  return { number, ids: requestedProcedures.map((one) => one.requestedProcedureId), steps };
}

const act = (at: OrderSite, id: string | undefined, verb: string, body: object = {}) =>
  at.post(`/api/procedures/${id}/${verb}`, body, 'the scanner is down');

async function expectDone(at: OrderSite, id: string | undefined, verb: string, body: object = {}): Promise<void> {
  expect((await act(at, id, verb, body)).status, `${verb} of ${id}`).toBe(200);
}

const statusesOf = async (at: OrderSite, number: string): Promise<(string | undefined)[]> =>
  (await at.offered(number)).map((row) =>
    text(items(row, 'ScheduledProcedureStepSequence')[0] ?? {}, 'ScheduledProcedureStepStatus'),
  );

const appointment = (texts: readonly string[]): string =>
  texts.find((one) => field(one, 'MSH', 9).startsWith('SIU')) ?? '';

describe('staff schedule a procedure (RAD-4, RAD-48 S12)', () => {
  it('given a planned procedure, then nothing is known of it outside until it is scheduled where and when staff say', async () => {
    const { number, ids, steps } = await ordered(waiting);
    expect(await waiting.offered(number)).toEqual([]);
    await expectDone(waiting, ids[0], 'schedule', { step: steps[0], start: '2026-03-02T10:30', station: 'DX7' });
    expect(await waiting.news()).toEqual(['IM RAD-4 NW/SC', 'OP RAD-48 S12', 'OP RAD-3 SC/SC', 'RM RAD-4 NW/SC']);
    const orderMessage = waiting.texts.find((one) => field(one, 'MSH', 9).startsWith('ORM')) ?? '';
    expect(field(orderMessage, 'ORC', 7).split('^')[3]).toBe('20260302103000');
    const booked = appointment(waiting.texts);
    expect(field(booked, 'MSH', 9)).toBe('SIU^S12^SIU_S12');
    expect(field(booked, 'MSH', 12)).toBe('2.4');
    expect([field(booked, 'RGS', 2), field(booked, 'AIS', 2)]).toEqual(['A', 'A']);
    expect(field(booked, 'AIS', 4)).toBe('20260302103000');
    expect(field(booked, 'SCH', 26)).toBe(`${number}^HIS`);
    const keys = { ScheduledProcedureStepStartDate: '20260302', ScheduledStationAETitle: 'DX7' };
    expect(await waiting.offered(number, keys)).toHaveLength(1);
  });

  it('given two procedures of an order, then each is scheduled by itself, in a study of its own', async () => {
    const { number, ids } = await ordered(waiting, 'TRUNK^^TESTPLAN');
    await expectDone(waiting, ids[1], 'schedule');
    expect((await waiting.news()).filter((one) => one.includes('RAD-4 '))).toHaveLength(2);
    expect(await waiting.offered(number)).toHaveLength(1);
    await expectDone(waiting, ids[0], 'schedule');
    expect(await waiting.offered(number)).toHaveLength(2);
  });

  it('given a modality that began before anybody had scheduled it, then it can still be announced, once, as scheduled (NW/SC)', async () => {
    const { number, ids } = await ordered(waiting);
    await waiting.begin(number);
    await waiting.news();
    await expectDone(waiting, ids[0], 'schedule');
    expect((await waiting.news()).filter((one) => !one.startsWith('OP'))).toEqual(['IM RAD-4 NW/SC', 'RM RAD-4 NW/SC']);
    expect((await act(waiting, ids[0], 'schedule')).status).toBe(409);
    expect(await waiting.news()).toEqual([]);
  });
});

describe('staff reschedule a procedure (RAD-13 XO/SC, RAD-48 S13)', () => {
  it('given it is scheduled, then the placer hears of the appointment and the managers of the procedure', async () => {
    const { number, ids } = await ordered(site);
    await expectDone(site, ids[0], 'reschedule', { start: '2026-03-04T08:00' });
    expect(await site.news()).toEqual(['IM RAD-13 XO/SC', 'OP RAD-48 S13', 'RM RAD-13 XO/SC']);
    const moved = appointment(site.texts);
    expect([field(moved, 'RGS', 2), field(moved, 'AIS', 2)]).toEqual(['U', 'U']);
    expect(field(moved, 'AIS', 4)).toBe('20260304080000');
    expect(await site.offered(number, { ScheduledProcedureStepStartDate: '20260301' })).toEqual([]);
    expect(await site.offered(number, { ScheduledProcedureStepStartDate: '20260304' })).toHaveLength(1);
  });

  it('given another room, then the worklist shows it (0040,0011), and RAD-13 carries it in IPC-8 (v2.5.1)', async () => {
    const { number, ids } = await ordered(waiting);
    await expectDone(waiting, ids[0], 'schedule', { location: 'ROOM 3' });
    await waiting.news();
    await expectDone(waiting, ids[0], 'reschedule', { location: 'ROOM 7' });
    expect(await waiting.news()).toEqual(expect.arrayContaining(['IM RAD-13 XO/SC', 'RM RAD-13 XO/SC']));
    const [row] = await waiting.offered(number, { ScheduledProcedureStepLocation: null });
    const [step] = items(row ?? {}, 'ScheduledProcedureStepSequence');
    expect(text(step ?? {}, 'ScheduledProcedureStepLocation')).toBe('ROOM 7');
    const changed = waiting.texts.find((one) => one.includes('\rIPC|') && field(one, 'ORC', 1) === 'XO') ?? '';
    expect(field(changed, 'IPC', 8)).toBe('ROOM 7');
    // What is at another station is no longer in that room.
    await expectDone(waiting, ids[0], 'reschedule', { station: 'DX9' });
    const [after] = await waiting.offered(number, { ScheduledProcedureStepLocation: null });
    const [moved] = items(after ?? {}, 'ScheduledProcedureStepSequence');
    expect(text(moved ?? {}, 'ScheduledProcedureStepLocation')).toBeUndefined();
  });

  it.each([
    ['another day', '2026-03-04T08:00', 'SCHEDULED'],
    ['later that day', '2026-03-01T15:00', 'ARRIVED'],
  ])('given the patient is there and it is %s, then its step is %s -> %s', async (_when, start, status) => {
    const { number, ids } = await ordered(site);
    await expectDone(site, ids[0], 'arrive');
    await expectDone(site, ids[0], 'reschedule', { start });
    expect(await statusesOf(site, number)).toEqual([status]);
  });

  it('given the patient has left, then another appointment is another chance: he is awaited again', async () => {
    const { number, ids } = await ordered(site);
    await expectDone(site, ids[0], 'arrive');
    await expectDone(site, ids[0], 'depart');
    expect(await statusesOf(site, number)).toEqual(['DEPARTED']);
    await expectDone(site, ids[0], 'reschedule', { start: '2026-03-01T15:00' });
    expect(await statusesOf(site, number)).toEqual(['SCHEDULED']);
  });

  it('given a procedure that is only planned, then it moves and nobody hears of it', async () => {
    const { number, ids } = await ordered(waiting);
    await expectDone(waiting, ids[0], 'reschedule', { start: '2026-03-04T08:00' });
    const said = (await waiting.news()).filter((one) => !one.includes('RAD-3 XX'));
    expect(said).toEqual([]);
    await expectDone(waiting, ids[0], 'schedule');
    expect(await waiting.offered(number, { ScheduledProcedureStepStartDate: '20260304' })).toHaveLength(1);
  });

  it('given a placer that wants XX, then it is sent the order as it is now, with both numbers', async () => {
    const { number, ids } = await ordered(waiting);
    await expectDone(waiting, ids[0], 'schedule');
    await waiting.news();
    await expectDone(waiting, ids[0], 'reschedule', { start: '2026-03-04T08:00' });
    const news = await waiting.news();
    expect(news.filter((one) => one.startsWith('OP')).sort()).toEqual(['OP RAD-3 XX/', 'OP RAD-48 S13']);
    const changed = waiting.texts.find((one) => field(one, 'ORC', 1) === 'XX') ?? '';
    expect(field(changed, 'MSH', 9)).toBe('OMG^O19^OMG_O19');
    expect(field(changed, 'ORC', 2)).toBe(`${number}^HIS`);
    expect(field(changed, 'ORC', 3)).toMatch(/^F\d+\^SWF_OF$/);
    expect(field(changed, 'TQ1', 7)).toBe('20260304080000');
  });
});

describe('staff cancel a procedure (RAD-13 CA/CA, RAD-48 S15, RAD-3 OC)', () => {
  it('given the only procedure of its order, then the placer is told of the order by OC (no OBR in v2.3.1)', async () => {
    const { number, ids } = await ordered(site);
    await expectDone(site, ids[0], 'cancel');
    const news = await site.news();
    expect(news.filter((one) => !one.includes('RAD-3'))).toEqual([
      'IM RAD-13 CA/CA',
      'OP RAD-48 S15',
      'RM RAD-13 CA/CA',
    ]);
    const cancelled = site.texts[news.findIndex((one) => one.includes('RAD-3'))] ?? '';
    expect(field(cancelled, 'ORC', 1)).toBe('OC');
    expect(field(cancelled, 'ORC', 2)).toBe(`${number}^HIS`);
    expect(cancelled.split('\r').map((line) => line.slice(0, 3))).toEqual(['MSH', 'PID', 'PV1', 'ORC', '']);
    expect([field(appointment(site.texts), 'RGS', 2), field(appointment(site.texts), 'AIS', 2)]).toEqual(['D', 'D']);
    expect(await site.offered(number)).toEqual([]);
    expect(await site.order({ placerOrderNumber: number })).toMatchObject({ orderStatus: 'CA', endedBy: 'filler' });
  });

  it('given a placer of v2.5.1, then OC is OMG^O19 with ORC-5 CA, TQ1 and OBR', async () => {
    const { ids } = await ordered(waiting);
    await expectDone(waiting, ids[0], 'cancel');
    expect(await waiting.news()).toEqual(['OP RAD-3 OC/CA']);
    const lines = (waiting.texts[0] ?? '').split('\r').map((line) => line.slice(0, 3));
    expect(lines).toEqual(['MSH', 'PID', 'PV1', 'ORC', 'TQ1', 'OBR', '']);
    expect(field(waiting.texts[0] ?? '', 'MSH', 9)).toBe('OMG^O19^OMG_O19');
  });

  it('given one of two procedures, then no OC; with the second one it comes, once', async () => {
    const { number, ids } = await ordered(site, 'TRUNK^^TESTPLAN');
    await expectDone(site, ids[0], 'cancel');
    expect(await site.news()).toEqual(['IM RAD-13 CA/CA', 'OP RAD-48 S15', 'RM RAD-13 CA/CA']);
    expect(await site.offered(number)).toHaveLength(1);
    await expectDone(site, ids[1], 'cancel');
    expect((await site.news()).filter((one) => one.includes('RAD-3'))).toEqual(['OP RAD-3 OC/']);
  });

  it('given one procedure is cancelled, when the other is completed, then RAD-3 SC/IP and SC/CM, and no OC', async () => {
    const { number, ids } = await ordered(site, 'TRUNK^^TESTPLAN');
    await expectDone(site, ids[1], 'cancel');
    await site.news();
    await site.end(await site.begin(number, 1));
    expect(await site.news()).toEqual(['OP RAD-3 SC/IP', 'OP RAD-3 SC/CM']);
  });
});

describe('staff hold and release a procedure', () => {
  it('given it is held, then it is off the worklist and nobody is told; released it is back', async () => {
    const { number, ids } = await ordered(site);
    await expectDone(site, ids[0], 'hold');
    expect(await site.offered(number)).toEqual([]);
    expect((await site.order({ placerOrderNumber: number })).orderStatus).toBe('HD');
    await expectDone(site, ids[0], 'release');
    expect(await site.offered(number)).toHaveLength(1);
    expect(await site.news()).toEqual([]);
  });

  it('given a placer that wants the statuses SC and HD, then it hears each change', async () => {
    const { ids } = await ordered(waiting);
    await expectDone(waiting, ids[0], 'schedule');
    await waiting.news();
    await expectDone(waiting, ids[0], 'hold');
    expect(await waiting.news()).toEqual(['OP RAD-3 SC/HD']);
    await expectDone(waiting, ids[0], 'release');
    expect(await waiting.news()).toEqual(['OP RAD-3 SC/SC']);
  });

  it('given it is held, when the modality begins all the same, then that is a fact: it is in progress and RAD-3 SC/IP', async () => {
    const { number, ids } = await ordered(site);
    await expectDone(site, ids[0], 'hold');
    await site.begin(number);
    expect(await site.news()).toEqual(['OP RAD-3 SC/IP']);
    expect((await act(site, ids[0], 'release')).status).toBe(409);
  });
});

describe('the patient arrives (0040,0020)', () => {
  it('given two steps, when the patient arrives for one, then the worklist shows ARRIVED and SCHEDULED, and nobody is told', async () => {
    const { number, ids, steps } = await ordered(site, 'SPINE^^TESTPLAN');
    expect(await statusesOf(site, number)).toEqual(['SCHEDULED', 'SCHEDULED']);
    await expectDone(site, ids[0], 'arrive', { step: steps[0] });
    expect(await statusesOf(site, number)).toEqual(['ARRIVED', 'SCHEDULED']);
    await expectDone(site, ids[0], 'arrive');
    expect(await statusesOf(site, number)).toEqual(['ARRIVED', 'ARRIVED']);
    expect(await site.news()).toEqual([]);
  });

  it('given the patient has arrived, then the step can be begun, moved and cancelled like a scheduled one', async () => {
    const begun = await ordered(site);
    await expectDone(site, begun.ids[0], 'arrive');
    await site.begin(begun.number);
    expect(await statusesOf(site, begun.number)).toEqual(['STARTED']);
    const moved = await ordered(site);
    await expectDone(site, moved.ids[0], 'arrive');
    await expectDone(site, moved.ids[0], 'reschedule', { start: '2026-03-04T08:00' });
    const cancelled = await ordered(site);
    await expectDone(site, cancelled.ids[0], 'arrive');
    await expectDone(site, cancelled.ids[0], 'cancel');
    expect(await site.offered(cancelled.number)).toEqual([]);
  });
});

describe('what the state does not allow: 409, a line in the history, and nothing goes out', () => {
  const moveBody = { start: '2026-03-04T08:00' };
  const rows: [string, (one: Procedure) => Promise<unknown>, [string, object][]][] = [
    [
      'scheduled',
      () => Promise.resolve(),
      [
        ['schedule', {}],
        ['release', {}],
      ],
    ],
    [
      'held',
      ({ ids }) => act(site, ids[0], 'hold'),
      [
        ['hold', {}],
        ['schedule', {}],
      ],
    ],
    [
      'inProgress',
      ({ number }) => site.begin(number),
      [
        ['schedule', {}],
        ['hold', {}],
        ['release', {}],
        ['cancel', {}],
        ['arrive', {}],
        ['reschedule', moveBody],
      ],
    ],
    [
      'completed',
      async ({ number }) => site.end(await site.begin(number)),
      [
        ['schedule', {}],
        ['hold', {}],
        ['release', {}],
        ['cancel', {}],
        ['arrive', {}],
        ['reschedule', moveBody],
      ],
    ],
    [
      'cancelled',
      ({ ids }) => act(site, ids[0], 'cancel'),
      [
        ['schedule', {}],
        ['hold', {}],
        ['release', {}],
        ['cancel', {}],
        ['arrive', {}],
        ['reschedule', moveBody],
      ],
    ],
  ];
  it.each(rows)('given a procedure that is %s', async (state, bring, refused) => {
    const one = await ordered(site);
    await bring(one);
    await lanesEmpty(site);
    await site.news();
    for (const [verb, body] of refused) {
      const got = await act(site, one.ids[0], verb, body);
      expect(got, verb).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
      const [procedure] = (await site.order({ placerOrderNumber: one.number })).requestedProcedures;
      expect(procedure?.state, verb).toBe(state);
      const line = procedure?.history.at(-1);
      expect(line, verb).toMatchObject({ event: verb, fromState: state, toState: state, causedBy: 'department' });
      expect(line?.remark, verb).toContain('not allowed in this state');
      expect(line?.remark, verb).toContain('the scanner is down');
    }
    expect(await site.news()).toEqual([]);
  });
});
