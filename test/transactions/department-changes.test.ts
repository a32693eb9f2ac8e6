import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { items, text } from '../../src/dicom/dataset.ts';
import { field, orm, serial } from '../support/messages.ts';
import { type OrderSite, givenUp, startOrderSite } from '../support/order-site.ts';

/** What staff change, discontinue or note of a procedure (RAD TF-2 4.13; department workflow). */

let site: OrderSite;
beforeAll(async () => {
  site = await startOrderSite();
});
afterAll(() => site.stop());

interface Ordered {
  readonly number: string;
  readonly ids: readonly string[];
}

async function ordered(service = 'WRIST'): Promise<Ordered> {
  const number = `K${serial()}`;
  await site.send(orm([{ placerOrderNumber: `${number}^HIS`, service: `${service}^^TESTPLAN` }]));
  await site.news();
  const { requestedProcedures } = await site.order({ placerOrderNumber: number });
  return { number, ids: requestedProcedures.map((one) => one.requestedProcedureId) };
}

const act = (id: string | undefined, verb: string, body: object = {}) =>
  site.post(`/api/procedures/${id}/${verb}`, body, 'as the physician asked');

const stateOf = async ({ number }: Ordered) => {
  const { orderStatus, requestedProcedures } = await site.order({ placerOrderNumber: number });
  return [orderStatus, ...requestedProcedures.map(({ state }) => state)].join(' ');
};

const procedureCode = (): string =>
  field(site.texts.find((one) => field(one, 'MSH', 9).startsWith('ORM') && one.includes('ZDS|')) ?? '', 'OBR', 44);

describe('another procedure than was planned, under the same study', () => {
  const code = { code: 'HAND', scheme: 'TESTPLAN', meaning: 'Hand in two planes' };

  it.each([
    ['before it begins', async () => {}, 'IM RAD-13 XO/SC'],
    ['while it is performed', ({ number }: Ordered) => site.begin(number), 'IM RAD-13 XO/SC'],
    ['after it was completed', async ({ number }: Ordered) => site.end(await site.begin(number)), 'IM RAD-13 XO/CM'],
  ])('%s: RAD-13 with its code', async (_when, bring, told) => {
    const one = await ordered();
    await bring(one);
    await site.news();
    expect(await act(one.ids[0], 'change', { code })).toMatchObject({ status: 200 });
    expect(await site.news()).toEqual([told, told.replace('IM', 'RM')]);
    expect(procedureCode()).toBe('HAND^Hand in two planes^TESTPLAN');
    const [procedure] = (await site.order({ placerOrderNumber: one.number })).requestedProcedures;
    expect(procedure?.history.find(({ event }) => event === 'change')?.remark).toBe('as the physician asked');
  });

  it('that the catalogue has: its steps are what the catalogue says, as long as none has begun', async () => {
    const one = await ordered('TRUNK');
    const [, computed] = one.ids;
    expect(await act(computed, 'change', { code: { code: 'TRCT' } })).toMatchObject({ status: 200 });
    await site.news();
    const [row] = await site.offered(one.number, { Modality: 'CT', ScheduledProtocolCodeSequence: [] });
    const step = items(row ?? {}, 'ScheduledProcedureStepSequence')[0] ?? {};
    expect(items(step, 'ScheduledProtocolCodeSequence').map((protocol) => text(protocol, 'CodeValue'))).toEqual([
      'TRC',
    ]);
  });

  it('is refused once it was cancelled, and when no code is said', async () => {
    const one = await ordered();
    expect(await act(one.ids[0], 'change', {})).toMatchObject({ status: 400 });
    await act(one.ids[0], 'cancel');
    await site.news();
    expect(await act(one.ids[0], 'change', { code })).toMatchObject({ status: 409 });
    expect(await site.news()).toEqual([]);
  });
});

describe('staff discontinue what is under way', () => {
  it('the only procedure: RAD-13 DC/CA and RAD-3 SC/DC, off the worklist', async () => {
    const one = await ordered();
    await site.begin(one.number);
    await site.news();
    expect(await act(one.ids[0], 'discontinue')).toMatchObject({ status: 200 });
    expect(await site.news()).toEqual(['IM RAD-13 DC/CA', 'OP RAD-3 SC/DC', 'RM RAD-13 DC/CA']);
    expect(await stateOf(one)).toBe('DC discontinued');
    expect(await site.offered(one.number)).toEqual([]);
  });

  it('one of two steps that was done stays done: RAD-13 XO/CM and RAD-3 SC/CM', async () => {
    const one = await ordered('SPINE');
    await site.end(await site.begin(one.number, 1));
    await site.news();
    expect(await act(one.ids[0], 'discontinue')).toMatchObject({ status: 200 });
    expect(await site.news()).toEqual(['IM RAD-13 XO/CM', 'OP RAD-3 SC/CM', 'RM RAD-13 XO/CM']);
  });

  it('not what has not begun: it is cancelled instead', async () => {
    const one = await ordered();
    expect(await act(one.ids[0], 'discontinue')).toMatchObject({ status: 409 });
    expect(await stateOf(one)).toBe('SC scheduled');
  });
});

describe('the patient did not come', () => {
  it('the procedure is off the worklist until it is released', async () => {
    const one = await ordered();
    expect(await act(one.ids[0], 'no-show')).toMatchObject({ status: 200 });
    expect([await stateOf(one), (await site.offered(one.number)).length]).toEqual(['HD held', 0]);
    expect(await act(one.ids[0], 'no-show')).toMatchObject({ status: 409 });
    expect(await act(one.ids[0], 'release')).toMatchObject({ status: 200 });
    expect([await stateOf(one), (await site.offered(one.number)).length]).toEqual(['SC scheduled', 1]);
  });

  it('another time is another appointment and takes the hold off, another station alone does not', async () => {
    const one = await ordered();
    await act(one.ids[0], 'no-show');
    expect(await act(one.ids[0], 'reschedule', { station: 'XR9' })).toMatchObject({ status: 200 });
    expect([await stateOf(one), (await site.offered(one.number)).length]).toEqual(['HD held', 0]);
    expect(await act(one.ids[0], 'reschedule', { start: '2031-07-08T09:00' })).toMatchObject({ status: 200 });
    expect([await stateOf(one), (await site.offered(one.number)).length]).toEqual(['SC scheduled', 1]);
  });

  it('a hold of staff stays when the procedure is moved', async () => {
    const one = await ordered();
    await act(one.ids[0], 'hold');
    expect(await act(one.ids[0], 'reschedule', { start: '2031-07-08T09:00' })).toMatchObject({ status: 200 });
    expect(await stateOf(one)).toBe('HD held');
  });
});

describe('a discontinued MPPS whose reason leaves it to a person', () => {
  async function givenUpFor(code: string): Promise<Ordered & { readonly uid: string }> {
    const one = await ordered();
    const [uid = ''] = await site.begin(one.number);
    await site.end([uid], givenUp(code));
    await site.news();
    return { ...one, uid };
  }

  const exceptionOf = async (sopInstanceUid: string): Promise<string | null> =>
    (await site.server.store.prisma.performedProcedureStep.findUniqueOrThrow({ where: { sopInstanceUid } })).exception;

  it('was enough: step and order are completed, RAD-3 SC/CM, and nobody need look any more', async () => {
    const one = await givenUpFor('110513');
    expect(await exceptionOf(one.uid)).toBe('discontinued');
    expect(await act(one.ids[0], 'decide', { decision: 'complete' })).toMatchObject({ status: 200 });
    expect([await stateOf(one), await exceptionOf(one.uid)]).toEqual(['CM completed', null]);
    expect(await site.news()).toEqual(['OP RAD-3 SC/CM']);
  });

  it('is performed again: the step waits on the worklist, and the next MPPS completes it', async () => {
    const one = await givenUpFor('110501');
    expect(await act(one.ids[0], 'decide', { decision: 'repeat' })).toMatchObject({ status: 200 });
    expect([await stateOf(one), (await site.offered(one.number)).length]).toEqual(['SC scheduled', 1]);
    await site.end(await site.begin(one.number));
    expect(await stateOf(one)).toBe('CM completed');
    await site.news();
  });

  it('is decided once, and not while something goes on', async () => {
    const one = await givenUpFor('110501');
    await act(one.ids[0], 'decide', { decision: 'complete' });
    expect(await act(one.ids[0], 'decide', { decision: 'repeat' })).toMatchObject({ status: 409 });
    const going = await ordered();
    await site.begin(going.number);
    expect(await act(going.ids[0], 'decide', { decision: 'repeat' })).toMatchObject({ status: 409 });
    expect(await act(going.ids[0], 'decide', { decision: 'perhaps' })).toMatchObject({ status: 400 });
    await site.news();
  });
});

describe('the patient leaves without the examination (0040,0020)', () => {
  it('DEPARTED stays on the worklist; he may come back, and a modality may begin', async () => {
    const one = await ordered();
    expect(await act(one.ids[0], 'depart')).toMatchObject({ status: 409 });
    await act(one.ids[0], 'arrive');
    expect(await act(one.ids[0], 'depart')).toMatchObject({ status: 200 });
    const [row] = await site.offered(one.number);
    const step = items(row ?? {}, 'ScheduledProcedureStepSequence')[0] ?? {};
    expect(text(step, 'ScheduledProcedureStepStatus')).toBe('DEPARTED');
    expect(await act(one.ids[0], 'arrive')).toMatchObject({ status: 200 });
    await site.begin(one.number);
    expect(await stateOf(one)).toBe('IP inProgress');
    await site.news();
  });
});
