import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { items, text } from '../../src/dicom/dataset.ts';
import { type OrderFields, adt, field, orderReply, orm, serial } from '../support/messages.ts';
import { type OrderSite, givenUp, lanesEmpty, startOrderSite } from '../support/order-site.ts';
import { accepts, numbers } from '../support/peers.ts';
import { until } from '../support/until.ts';

/**
 * The order's way through the department, a test for each trigger that comes or is told by HL7: what came, what went
 * out with its ORC-1/ORC-5, and where the order stands. The usual site, and one whose placer wants all statuses.
 */
let site: OrderSite;
let talkative: OrderSite;
beforeAll(async () => {
  const senders = [{ match: { application: 'HIS' }, orderControls: ['XO', 'HD', 'RL'] }];
  const sends = { orderStatuses: ['SC', 'A', 'HD'] };
  [site, talkative] = [await startOrderSite({ senders }), await startOrderSite({ senders, placer: { sends } })];
});
afterAll(async () => {
  await site.stop();
  await talkative.stop();
});
beforeEach(async () => {
  // An SN that still waits in the lane would get the answer that is meant for the next one.
  await lanesEmpty(site);
  site.op.will(accepts);
  await site.news();
  await talkative.news();
});

interface Ordered {
  readonly number: string;
  readonly say: (control: string, change?: OrderFields) => ReturnType<OrderSite['send']>;
  /** Where it stands: ORC-5, state of its procedures, status of their steps. */
  readonly standing: () => Promise<string>;
  readonly act: (verb: string, body?: object) => Promise<number>;
}

async function standingOf(at: OrderSite, where: Parameters<OrderSite['order']>[0]): Promise<string> {
  const { orderStatus, requestedProcedures } = await at.order(where);
  const states = requestedProcedures.map((one) => one.state).join(' ');
  return `${orderStatus}, ${states}, ${requestedProcedures.flatMap((one) => one.steps.map((step) => step.stepStatus)).join(' ')}`;
}

async function ordered(at = site, more: OrderFields = {}): Promise<Ordered> {
  const number = `T${serial()}`;
  const patient = { identifier: `P${number}^^^CLINIC` };
  const placerOrderNumber = `${number}^HIS`;
  const order = { placerOrderNumber, orcStart: '20260301090000', ...more };
  expect(await at.send(orm([order], patient))).toMatchObject({ code: 'AA' });
  await at.news();
  return {
    number,
    say: (control, change = {}) => at.send(orm([{ placerOrderNumber, control, ...change }], patient)),
    standing: () => standingOf(at, { placerOrderNumber: number }),
    act: async (verb, body = {}) => {
      const [procedure] = (await at.order({ placerOrderNumber: number })).requestedProcedures;
      return (await at.post(`/api/procedures/${procedure?.requestedProcedureId}/${verb}`, body)).status;
    },
  };
}

/** An order of the department. */
async function placed(more: object = {}) {
  const value = `T${serial()}`;
  const patient = { identifiers: [{ value, assigningAuthority: 'CLINIC' }], name: { family: 'Lindqvist' } };
  const service = { code: 'WRIST', scheme: 'TESTPLAN' };
  const { status, body } = await site.post('/api/orders', { patient, service, ...more });
  expect(status).toBe(201);
  const { fillerOrderNumber } = body as { fillerOrderNumber: string };
  return { fillerOrderNumber, patient: { identifier: `${value}^^^CLINIC` } };
}

describe('an order comes and is scheduled', () => {
  it('1: RAD-2 NW with a new number, then ACK AA; 2 and 3: RAD-4 NW/SC to each manager, RAD-48 S12 to the placer', async () => {
    const number = `T${serial()}`;
    expect(await site.send(orm([{ placerOrderNumber: `${number}^HIS`, service: 'TRUNK^^TESTPLAN' }]))).toMatchObject({
      code: 'AA',
    });
    const each = (one: string): string[] => [one, one];
    const expected = [...each('IM RAD-4 NW/SC'), ...each('OP RAD-48 S12'), ...each('RM RAD-4 NW/SC')];
    expect(await site.news()).toEqual(expected);
    const uids = site.texts.filter((one) => one.includes('\rZDS|')).map((one) => field(one, 'ZDS', 1).split('^')[0]);
    expect(new Set(uids).size).toBe(2);
    expect(await standingOf(site, { placerOrderNumber: number })).toBe('SC, scheduled scheduled, SCHEDULED SCHEDULED');
    expect(await site.offered(number)).toHaveLength(2);
  });

  it('3, a placer that wants it: RAD-3 SC/SC beside RAD-48', async () => {
    await talkative.send(orm([{}]));
    expect((await talkative.news()).filter((one) => one.startsWith('OP')).sort()).toEqual([
      'OP RAD-3 SC/SC',
      'OP RAD-48 S12',
    ]);
  });
});

describe('an order of the department', () => {
  it('4: staff place it, then RAD-3 SN, nothing else, and its number is pending', async () => {
    const { fillerOrderNumber } = await placed();
    expect(await site.news()).toEqual(['OP RAD-3 SN/']);
    expect(await site.order({ fillerOrderNumber })).toMatchObject({ numberPending: true, placerOrderNumber: null });
    expect(await standingOf(site, { fillerOrderNumber })).toBe('SC, planned, SCHEDULED');
  });

  it('5: NA (ORR^O02), then it has the number and 2 follows; 6: NW with that number, then AA and no change', async () => {
    const number = `T${serial()}`;
    site.op.will(numbers({ placerOrderNumber: `${number}^HIS` }));
    const { fillerOrderNumber, patient } = await placed();
    await until('the number', async () => (await site.order({ fillerOrderNumber })).placerOrderNumber ?? undefined);
    expect(await site.news()).toEqual(['IM RAD-4 NW/SC', 'OP RAD-3 SN/', 'OP RAD-48 S12', 'RM RAD-4 NW/SC']);
    expect(await site.send(orm([{ placerOrderNumber: `${number}^HIS` }], patient))).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual([]);
    expect(await site.server.store.prisma.order.count({ where: { placerOrderNumber: number } })).toBe(1);
    expect(await standingOf(site, { fillerOrderNumber })).toBe('SC, scheduled, SCHEDULED');
  });

  it('5b: UA, then an alarm, and it waits without a number', async () => {
    const { fillerOrderNumber } = await placed();
    await site.news();
    expect(await site.send(orderReply({ control: 'UA', fillerOrderNumber }))).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual([]);
    const order = await site.order({ fillerOrderNumber });
    expect(order).toMatchObject({ placerOrderNumber: null, numberPending: false });
    expect(order.alarm).not.toBeNull();
  });
});

describe('an acquisition is given up (RAD-7 DISCONTINUED)', () => {
  it('11: wrong worklist entry (110514), then the step is SCHEDULED again; RAD-3 SC/SC where the placer wants it', async () => {
    for (const [at, told] of [
      [site, []],
      [talkative, ['OP RAD-3 SC/SC']],
    ] as const) {
      const { number, standing } = await ordered(at);
      const uids = await at.begin(number);
      expect(await at.news()).toEqual(['OP RAD-3 SC/IP']);
      await at.end(uids, givenUp('110514'));
      expect(await at.news()).toEqual(told);
      expect(await standing()).toBe('SC, scheduled, SCHEDULED');
      expect(await at.offered(number)).toHaveLength(1);
    }
  });

  it('11, begun again: IP is not reported twice to a placer that heard of no step back, and again to one that did', async () => {
    for (const [at, told] of [
      [site, []],
      [talkative, ['OP RAD-3 SC/IP']],
    ] as const) {
      const { number } = await ordered(at);
      await at.end(await at.begin(number), givenUp('110514'));
      await at.news();
      const again = await at.begin(number);
      expect(await at.news()).toEqual(told);
      await at.end(again);
      expect(await at.news()).toEqual(['OP RAD-3 SC/CM']);
    }
  });

  it('12: the examination will not take place (110508), then RAD-13 DC/CA, RAD-3 SC/DC, off the worklist', async () => {
    const { number, standing } = await ordered();
    const uids = await site.begin(number);
    await site.news();
    await site.end(uids, givenUp('110508'));
    expect(await site.news()).toEqual(['IM RAD-13 DC/CA', 'OP RAD-3 SC/DC', 'RM RAD-13 DC/CA']);
    expect(await standing()).toBe('DC, discontinued, DISCONTINUED');
    expect(await site.offered(number)).toEqual([]);
  });

  it('12, one of two procedures: RAD-13 for that one, and RAD-3 waits for the other', async () => {
    const { number, standing } = await ordered(site, { service: 'TRUNK^^TESTPLAN' });
    const [first = '', second = ''] = await site.begin(number);
    await site.news();
    await site.end([first], givenUp('110508'));
    expect(await site.news()).toEqual(['IM RAD-13 DC/CA', 'RM RAD-13 DC/CA']);
    expect(await standing()).toBe('IP, discontinued inProgress, DISCONTINUED STARTED');
    await site.end([second]);
    expect(await site.news()).toEqual(['OP RAD-3 SC/CM']);
  });

  it('13: any other reason (110501), then nothing is told, the step stays STARTED on the worklist, and a person is asked', async () => {
    const { number, standing } = await ordered();
    const uids = await site.begin(number);
    await site.news();
    await site.end(uids, givenUp('110501'));
    expect(await site.news()).toEqual([]);
    expect(await standing()).toBe('IP, inProgress, STARTED');
    expect(await site.offered(number)).toHaveLength(1);
    const { exception } = await site.server.store.prisma.performedProcedureStep.findFirstOrThrow({
      where: { sopInstanceUid: uids[0] ?? '' },
    });
    expect(exception).toContain('discontinued');
  });
});

describe('an order is called off', () => {
  it('14: staff cancel it, then RAD-3 OC, RAD-13 CA/CA, RAD-48 S15, and it is off the worklist at once', async () => {
    const { number, act, standing } = await ordered();
    expect(await act('cancel')).toBe(200);
    expect(await site.offered(number)).toEqual([]);
    expect((await site.news()).sort()).toEqual(
      ['IM RAD-13 CA/CA', 'OP RAD-3 OC/', 'OP RAD-48 S15', 'RM RAD-13 CA/CA'].sort(),
    );
    expect(await standing()).toBe('CA, cancelled, CANCELLED');
  });

  it('15: the placer cancels it before its start, then the same without OC', async () => {
    const { say, standing } = await ordered();
    expect(await say('CA')).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual(['IM RAD-13 CA/CA', 'OP RAD-48 S15', 'RM RAD-13 CA/CA']);
    expect(await standing()).toBe('CA, cancelled, CANCELLED');
  });

  it('16: the placer cancels it after its start, then AE with ERR, RAD-3 with the real status, and no change', async () => {
    const { number, say, standing } = await ordered();
    const uids = await site.begin(number);
    await site.news();
    const late = await say('CA');
    expect(late).toMatchObject({ code: 'AE', error: '103' });
    expect(late.text).not.toBe('');
    expect(await site.news()).toEqual(['OP RAD-3 SC/IP']);
    expect(await standing()).toBe('IP, inProgress, STARTED');
    await site.end(uids);
    await site.news();
    expect(await say('CA')).toMatchObject({ code: 'AE', error: '103' });
    expect(await site.news()).toEqual(['OP RAD-3 SC/CM']);
  });

  it('16, one of two procedures is completed and the other waits: the order has begun, so nothing is cancelled', async () => {
    const { number, say, standing } = await ordered(site, { service: 'TRUNK^^TESTPLAN' });
    await site.end(await site.begin(number, 1));
    await site.news();
    expect(await say('CA')).toMatchObject({ code: 'AE', error: '103' });
    expect(await site.news()).toEqual(['OP RAD-3 SC/IP']);
    expect(await standing()).toBe('IP, completed scheduled, COMPLETED SCHEDULED');
  });

  it('17: the placer discontinues it after its start, then RAD-13 DC/CA; what had not begun is cancelled, CA/CA', async () => {
    const { number, say, standing } = await ordered(site, { service: 'TRUNK^^TESTPLAN' });
    await site.begin(number, 1);
    await site.news();
    expect(await say('DC')).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual([
      'IM RAD-13 DC/CA',
      'IM RAD-13 CA/CA',
      'OP RAD-48 S15',
      'RM RAD-13 DC/CA',
      'RM RAD-13 CA/CA',
    ]);
    expect(await standing()).toBe('DC, discontinued cancelled, DISCONTINUED CANCELLED');
  });

  it('17, one procedure is done: it stays done and is reported, the other is called off', async () => {
    const { number, say, standing } = await ordered(site, { service: 'TRUNK^^TESTPLAN' });
    await site.end(await site.begin(number, 1));
    await site.news();
    expect(await say('DC')).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual(['IM RAD-13 CA/CA', 'OP RAD-48 S15', 'OP RAD-3 SC/CM', 'RM RAD-13 CA/CA']);
    expect(await standing()).toBe('CM, completed cancelled, COMPLETED CANCELLED');
  });
});

describe('an order changes', () => {
  it('18: staff move it, then RAD-13 XO/SC and RAD-48 S13, and the state is the same', async () => {
    const { act, standing } = await ordered();
    expect(await act('reschedule', { start: '2026-03-02T11:00', station: 'DX2' })).toBe(200);
    expect(await site.news()).toEqual(['IM RAD-13 XO/SC', 'OP RAD-48 S13', 'RM RAD-13 XO/SC']);
    expect(await standing()).toBe('SC, scheduled, SCHEDULED');
  });

  it('19: its content changes before or during the examination, then RAD-13 XO/SC', async () => {
    const { number, say, standing } = await ordered();
    const change = { reason: 'FALL^Fall^L' };
    expect(await say('XO', change)).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual(['IM RAD-13 XO/SC', 'RM RAD-13 XO/SC']);
    await site.begin(number);
    await site.news();
    expect(await say('XO', { reason: 'FALL2^Fall again^L' })).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual(['IM RAD-13 XO/SC', 'RM RAD-13 XO/SC']);
    expect(await standing()).toBe('IP, inProgress, STARTED');
  });

  it('20: its content changes after completion, then RAD-13 XO/CM', async () => {
    const { number, say, standing } = await ordered();
    await site.end(await site.begin(number));
    await site.news();
    expect(await say('XO', { reason: 'FALL^Fall^L' })).toMatchObject({ code: 'AA' });
    expect(await site.news()).toEqual(['IM RAD-13 XO/CM', 'RM RAD-13 XO/CM']);
    expect(await standing()).toBe('CM, completed, COMPLETED');
  });

  it('23: it is placed for a study that was made before, then RAD-4 NW/SC carries that Study Instance UID', async () => {
    const number = `T${serial()}`;
    site.op.will(numbers({ placerOrderNumber: `${number}^HIS` }));
    const { fillerOrderNumber } = await placed({ studyInstanceUid: `2.25.${Number(number.slice(1))}99` });
    await until('the number', async () => (await site.order({ fillerOrderNumber })).placerOrderNumber ?? undefined);
    expect(await site.news()).toContain('IM RAD-4 NW/SC');
    const toManager = site.texts.find((one) => one.includes('\rZDS|')) ?? '';
    expect(field(toManager, 'ZDS', 1).split('^')[0]).toBe(`2.25.${Number(number.slice(1))}99`);
    expect(field(toManager, 'ORC', 2)).toBe(`${number}^HIS`);
  });

  it('26: the placer holds and releases it (HD, RL), then off and on the worklist; RAD-3 only where the placer wants it', async () => {
    for (const [at, held, released] of [
      [site, [], []],
      [talkative, ['OP RAD-3 SC/HD'], ['OP RAD-3 SC/SC']],
    ] as const) {
      const { number, say, standing } = await ordered(at);
      expect(await say('HD')).toMatchObject({ code: 'AA' });
      expect(await at.news()).toEqual(held);
      expect(await standing()).toBe('HD, held, SCHEDULED');
      expect(await at.offered(number)).toEqual([]);
      expect(await say('RL')).toMatchObject({ code: 'AA' });
      expect(await at.news()).toEqual(released);
      expect(await at.offered(number)).toHaveLength(1);
    }
  });

  it('28: the patient arrives (A10), then the steps of the day are ARRIVED on the worklist and no order message goes out', async () => {
    const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Berlin' })
      .format(Date.now())
      .replaceAll('-', '');
    const { number } = await ordered(site, { orcStart: `${today}235900` });
    expect(await site.send(adt('A10', { identifier: `P${number}^^^CLINIC` }))).toMatchObject({ code: 'AA' });
    expect((await site.news()).filter((one) => !one.includes('RAD-12'))).toEqual([]);
    const [row] = await site.offered(number);
    const [step = {}] = items(row ?? {}, 'ScheduledProcedureStepSequence');
    expect(text(step, 'ScheduledProcedureStepStatus')).toBe('ARRIVED');
  });
});

describe('RAD-3 goes only forward (RAD TF-2 4.3)', () => {
  it('given a placer that wants every status, then one of two completed procedures is A, and CM is the last', async () => {
    const { number } = await ordered(talkative, { service: 'TRUNK^^TESTPLAN' });
    const [first = '', second = ''] = await talkative.begin(number);
    await talkative.end([first]);
    await talkative.end([second]);
    expect(await talkative.news()).toEqual(['OP RAD-3 SC/IP', 'OP RAD-3 SC/A', 'OP RAD-3 SC/CM']);
  });
});
