import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../src/http/routes.ts';
import { orm } from '../support/messages.ts';
import { completed, inProgress, newUid, stepsOf } from '../support/mpps.ts';
import { type TestDepartment, startDepartment } from './support.ts';

let house: TestDepartment;
beforeAll(async () => {
  house = await startDepartment();
});
afterAll(() => house.stop());

interface Preview {
  readonly procedures: { requestedProcedureId: string; before: object | null; after: object }[];
  readonly history: { event: string }[];
  readonly messages: { destination: string; transaction: string; text: string }[];
  readonly destinations: object[];
}

let count = 0;
async function ordered(): Promise<{ id: string; number: string }> {
  const number = `D${++count}`;
  await house.hl7(orm([{ placerOrderNumber: `${number}^HIS` }], { identifier: `P${number}^^^CLINIC` }));
  const { items } = (await house.get(`/api/procedures?placerOrderNumber=${number}`)).body as {
    items: { requestedProcedureId: string }[];
  };
  return { id: items[0]?.requestedProcedureId ?? '', number };
}

/** Everything that a preview could leave behind. */
async function rows(): Promise<unknown> {
  const { prisma } = house.store;
  return {
    messages: await prisma.message.count(),
    deliveries: await prisma.delivery.findMany({ orderBy: { id: 'asc' } }),
    history: await prisma.history.count(),
    orders: await prisma.order.findMany({ orderBy: { id: 'asc' } }),
    procedures: await prisma.requestedProcedure.findMany({ orderBy: { id: 'asc' } }),
    performed: await prisma.performedProcedureStep.findMany({ orderBy: { id: 'asc' } }),
    pauses: await prisma.lanePause.count(),
  };
}

async function look(path: string, body: object = {}, status = 200): Promise<Preview> {
  const before = await rows();
  const got = await house.post(`${path}?dryRun=true`, body, { 'X-Reason': 'only looking' });
  expect(got.status, got.text).toBe(status);
  expect(await rows()).toEqual(before);
  return got.body as Preview;
}

describe('?dryRun=true', () => {
  it('given a scheduled procedure, when its cancel is looked at, then state before and after, history and every message are shown, and nothing is done', async () => {
    const { id } = await ordered();
    const seen = await look(`/api/procedures/${id}/cancel`);
    expect(seen.procedures).toMatchObject([
      {
        requestedProcedureId: id,
        before: { state: 'scheduled', orderStatus: 'SC', steps: [{ stepStatus: 'SCHEDULED' }] },
        after: { state: 'cancelled', orderStatus: 'CA', steps: [{ stepStatus: 'CANCELLED' }] },
      },
    ]);
    expect(seen.history).toMatchObject([
      { event: 'cancel', from: 'scheduled', to: 'cancelled', remark: 'only looking' },
    ]);
    const sent = seen.messages.map(({ destination, transaction }) => `${destination} ${transaction}`).sort();
    expect(sent).toEqual(['IM RAD-13', 'OP RAD-3', 'OP RAD-48', 'RM RAD-13']);
    expect(seen.messages.every(({ text }) => text.startsWith('MSH|'))).toBe(true);
    expect(seen.destinations).toContainEqual(
      expect.objectContaining({
        name: 'IM',
        before: expect.objectContaining({ pending: 1 }) as object,
        after: expect.objectContaining({ pending: 2 }) as object,
      }),
    );
    const deed = await house.post(`/api/procedures/${id}/cancel`);
    expect(deed.body).toMatchObject({ state: 'cancelled', orderStatus: 'CA' });
  });

  it('given a state that forbids it, or a body that is wrong, then it is refused as the deed is, and the history has no attempt', async () => {
    const { id } = await ordered();
    expect(await look(`/api/procedures/${id}/release`, {}, 409)).toMatchObject({ type: 'state-forbids' });
    await look(`/api/procedures/${id}/reschedule`, {}, 400);
    await look('/api/procedures/NONE/cancel', {}, 404);
    expect((await house.post(`/api/procedures/${id}/hold?dryRun=yes`)).status).toBe(400);
    expect((await house.post(`/api/procedures/${id}/hold?dryRun=false`)).body).toMatchObject({ state: 'held' });
  });

  it('given an order of the department, then the order that would be made has nothing before it', async () => {
    const order = {
      patient: { identifiers: [{ value: 'DRY', assigningAuthority: 'CLINIC' }], name: { family: 'Costa' } },
      service: { code: 'WRIST', scheme: 'TESTPLAN' },
    };
    const seen = await look('/api/orders', order);
    expect(seen.procedures).toMatchObject([{ before: null, after: { state: 'planned', orderStatus: 'SC' } }]);
    expect(seen.messages).toMatchObject([{ destination: 'OP', transaction: 'RAD-3' }]);
    expect((await house.get('/api/patients/DRY')).status).toBe(404);
  });

  it('given what was performed unscheduled, then binding it shows what becomes of both procedures', async () => {
    const { id, number } = await ordered();
    const [step] = await stepsOf(house.store, number);
    const uid = newUid();
    const nothing = { AccessionNumber: null, RequestedProcedureID: null, ScheduledProcedureStepID: null };
    const content = inProgress(step ? [step] : [], {
      ScheduledStepAttributesSequence: [{ StudyInstanceUID: newUid(), ...nothing }],
    });
    expect(await house.nCreate(uid, content)).toBe(0);
    expect(await house.nSet(uid, completed([newUid()]))).toBe(0);
    const seen = await look(`/api/unscheduled/${uid}/match`, { placerOrderNumber: number });
    expect(seen.procedures).toMatchObject([
      { requestedProcedureId: id, before: { state: 'scheduled' }, after: { state: 'cancelled' } },
      { before: { state: 'completed' }, after: { state: 'completed', orderStatus: 'CM' } },
    ]);
    expect(seen.history.map(({ event }) => event)).toContain('bound');
  });

  it('given a refused message, then retry shows it, and skip and pause show how their lane would stand', async () => {
    await ordered();
    await house.heard('RM', { kind: 'refused', code: 'AE', error: 'AE 103' });
    const retried = await look('/api/destinations/RM/retry');
    expect(retried.messages).toMatchObject([{ destination: 'RM', transaction: 'RAD-4' }]);
    expect(retried.history).toMatchObject([{ event: 'deliveryRetried' }]);
    const [{ before, after } = { before: {}, after: {} }] = (await look('/api/destinations/RM/skip')).destinations as {
      before: object;
      after: object;
    }[];
    expect([before, after]).toMatchObject([{ refused: 1 }, { refused: 0 }]);
    expect((await look('/api/destinations/RM/pause')).destinations).toMatchObject([
      { name: 'RM', before: { paused: false }, after: { paused: true } },
    ]);
  });

  it('given every route that keeps a reason, then it can be looked at first', () => {
    const kept = routes.filter(({ method, reason }) => method === 'post' && reason);
    expect(kept.length).toBeGreaterThan(15);
    expect(kept.filter(({ act }) => !act).map(({ path }) => path)).toEqual([]);
  });
});
