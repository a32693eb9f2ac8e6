import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TimerView, listFiredTimers } from '../../src/store/read-timers.ts';
import type { TestDepartment } from '../http/support.ts';
import { serial } from '../support/messages.ts';
import { completed, discontinued, inProgress, newUid, notification } from '../support/mpps.ts';
import {
  HOUR,
  begun,
  first,
  inShort,
  instant,
  later,
  newsWhile,
  numbering,
  ordered,
  placed,
  stateOf,
  storyOf,
  timersOf,
  withEffects,
} from '../support/timers.ts';

let usual: TestDepartment;
beforeAll(async () => {
  usual = await withEffects({});
});
afterAll(() => usual.stop());

describe('what is waited for is a row, made and removed by the commit that begins or ends the waiting', () => {
  it('given a step is scheduled, then it is due 24 h after its start; moved, by its new start; begun, no longer', async () => {
    const step = first(await ordered(usual, { orcStart: '20260107100000' }));
    expect(await timersOf(usual, step)).toMatchObject([
      {
        kind: 'stepNotStarted',
        state: 'pending',
        scheduledProcedureStepId: step.scheduledProcedureStepId,
        since: '2026-01-07T09:00:00.000Z',
        dueAt: '2026-01-08T09:00:00.000Z',
      },
    ]);
    const path = `/api/procedures/${step.requestedProcedureId}`;
    await usual.post(`${path}/reschedule`, { start: '2026-01-09T10:30' });
    expect(await timersOf(usual, step)).toMatchObject([{ dueAt: '2026-01-10T09:30:00.000Z' }]);
    await begun(usual, step);
    expect(await timersOf(usual, step)).toMatchObject([
      { kind: 'performedStepNotEnded', since: instant(usual), dueAt: instant(usual, 24 * HOUR) },
    ]);
  });

  it('given a start in the past, a release or an arrival, then its age counts from there', async () => {
    const step = first(await ordered(usual, { orcStart: '20251201100000' }));
    expect(await timersOf(usual, step)).toMatchObject([{ since: instant(usual) }]);
    const path = `/api/procedures/${step.requestedProcedureId}`;
    await usual.post(`${path}/hold`);
    expect(await timersOf(usual, step)).toEqual([]);
    usual.clock.advance(1000);
    await usual.post(`${path}/release`);
    expect(await timersOf(usual, step)).toMatchObject([{ since: instant(usual) }]);
    usual.clock.advance(1000);
    await usual.post(`${path}/arrive`);
    expect(await timersOf(usual, step)).toMatchObject([{ since: instant(usual) }]);
  });

  it.each(['cancel', 'no-show'])('given staff %s it, then nothing is waited for', async (action) => {
    const step = first(await ordered(usual));
    expect((await usual.post(`/api/procedures/${step.requestedProcedureId}/${action}`)).status).toBe(200);
    expect(await timersOf(usual, step)).toEqual([]);
  });

  it('given an N-SET that leaves it IN PROGRESS, then the modality is alive and its age counts anew; a final one ends it', async () => {
    const step = first(await ordered(usual));
    const uid = await begun(usual, step);
    usual.clock.advance(HOUR);
    expect(await usual.nSet(uid, { PerformedProcedureStepDescription: 'goes on' })).toBe(0);
    expect(await timersOf(usual, step)).toMatchObject([{ sopInstanceUid: uid, since: instant(usual) }]);
    expect(await usual.nSet(uid, discontinued())).toBe(0);
    expect(await timersOf(usual, step)).toEqual([]);
  });

  it('given it is completed, then its images are waited for until all are there', async () => {
    const step = first(await ordered(usual));
    const images = [newUid(), newUid()];
    expect(await usual.nSet(await begun(usual, step), completed(images))).toBe(0);
    expect(await inShort(usual, step)).toEqual(['imagesNotAvailable pending']);
    await usual.notify(notification(step.studyInstanceUid, images.slice(0, 1)));
    expect(await inShort(usual, step)).toEqual(['imagesNotAvailable pending']);
    await usual.notify(notification(step.studyInstanceUid, images));
    expect(await inShort(usual, step)).toEqual([]);
  });

  it('given a report comes without MPPS, then the examination took place and no step is waited for', async () => {
    const step = first(await ordered(usual));
    const { order } = await usual.store.prisma.requestedProcedure.findUniqueOrThrow({
      where: { requestedProcedureId: step.requestedProcedureId },
      include: { order: true },
    });
    await usual.hl7(
      `MSH|^~\\&|RM|CLINIC|SWF_OF|RADIOLOGY|20260105||ORU^R01|T${serial()}|P|2.3.1\rPID|1||${step.patientId}^^^CLINIC||Lindqvist^Maja\rOBR|1|${order.placerOrderNumber ?? ''}^HIS|${order.fillerOrderNumber}^SWF_OF|WRIST^^TESTPLAN||||||||||||||${step.accessionNumber}|||||||F\rOBX|1|TX|||nothing found||||||F\r`,
    );
    expect(await timersOf(usual, step)).toEqual([]);
  });

  it('given an order of the department, then its number is waited for until NA, and beside it its step', async () => {
    const order = await placed(usual);
    expect(await inShort(usual, order)).toEqual(['stepNotStarted pending', 'orderNumberNotAssigned pending']);
    expect((await timersOf(usual, order))[1]).toMatchObject({
      ...{ fillerOrderNumber: order.fillerOrderNumber },
      dueAt: instant(usual, HOUR),
    });
    await usual.hl7(numbering(order.fillerOrderNumber));
    expect(await inShort(usual, order)).toEqual(['stepNotStarted pending']);
    const cancelled = await placed(usual);
    await usual.post(`/api/procedures/${cancelled.requestedProcedureId}/cancel`);
    expect(await inShort(usual, cancelled)).toEqual([]);
  });

  it.each([
    ['the clocks go forward in between', '20260328120000', '2026-03-29T11:00:00.000Z'],
    ['the clocks go back in between', '20261024120000', '2026-10-25T10:00:00.000Z'],
    ['the start is in the hour that does not exist', '20260329023000', '2026-03-30T01:30:00.000Z'],
    ['the start is in the hour that comes twice: the first', '20261025023000', '2026-10-26T00:30:00.000Z'],
  ])('given %s, then 24 h are 24 h (Europe/Berlin)', async (_what, orcStart, dueAt) => {
    expect(await timersOf(usual, first(await ordered(usual, { orcStart })))).toMatchObject([{ dueAt }]);
  });
});

describe('a timer fires once, says so, and is settled by what comes afterwards', () => {
  it('given a step that is not started, then an alarm; its MPPS settles it', async () => {
    const step = first(await ordered(usual));
    const news = await newsWhile(usual, () => later(usual, 27 * HOUR));
    expect(news).toEqual([]);
    expect(await inShort(usual, step)).toEqual(['stepNotStarted fired alarm']);
    expect(await stateOf(usual, step)).toBe('scheduled SCHEDULED');
    const said = `${step.scheduledProcedureStepId}; waited for 24h`;
    expect(await storyOf(usual, step)).toEqual([`stepNotStarted scheduled>scheduled: ${said}`]);
    const lines = usual.lines.filter(({ procedureId }) => procedureId === step.requestedProcedureId);
    expect(lines.map(({ text, timer, outcome }) => [text, timer, outcome])).toEqual([
      ['alarm: a step has not been started', 'stepNotStarted', 'alarm'],
    ]);
    await later(usual, 100 * HOUR);
    expect(await storyOf(usual, step)).toHaveLength(1);
    const fired = await listFiredTimers(usual.store, { limit: 500 });
    expect(fired.items.filter((one) => one.requestedProcedureIds.includes(step.requestedProcedureId))).toHaveLength(1);
    await begun(usual, step);
    expect(await inShort(usual, step)).toEqual(['stepNotStarted settled alarm', 'performedStepNotEnded pending']);
  });

  it.each(['reschedule', 'hold', 'cancel', 'arrive'])(
    'given staff %s it afterwards, then it is settled',
    async (action) => {
      const step = first(await ordered(usual));
      await later(usual, 27 * HOUR);
      const body = action === 'reschedule' ? { start: '2027-01-05T10:00' } : {};
      await usual.post(`/api/procedures/${step.requestedProcedureId}/${action}`, body);
      const [fired, ...pending] = await inShort(usual, step);
      expect(fired).toBe('stepNotStarted settled alarm');
      expect(pending).toEqual(['hold', 'cancel'].includes(action) ? [] : ['stepNotStarted pending']);
    },
  );

  it('given the second of two steps is not started, then an alarm while the first is done', async () => {
    const steps = await ordered(usual, { service: 'SPINE^^TESTPLAN' });
    await usual.nSet(await begun(usual, first(steps)), completed([]));
    await later(usual, 27 * HOUR);
    expect(await inShort(usual, first(steps))).toEqual(['stepNotStarted fired alarm']);
  });

  it('given an MPPS that does not end, or images that do not come, then an alarm each', async () => {
    const [one, other] = [first(await ordered(usual)), first(await ordered(usual))];
    const uid = await begun(usual, one);
    const images = [newUid()];
    await usual.nSet(await begun(usual, other), completed(images));
    await later(usual, 25 * HOUR);
    expect(await storyOf(usual, one)).toEqual([`performedStepNotEnded inProgress>inProgress: ${uid}; waited for 24h`]);
    const known = '0 of 1 instances are known to be available';
    expect(await storyOf(usual, other)).toEqual([`imagesNotAvailable completed>completed: ${known}; waited for 24h`]);
    await usual.nSet(uid, completed([]));
    await usual.notify(notification(other.studyInstanceUid, images));
    expect(await inShort(usual, one)).toEqual(['performedStepNotEnded settled alarm']);
    expect(await inShort(usual, other)).toEqual(['imagesNotAvailable settled alarm']);
  });

  it('given an MPPS that performs no step that is known, then it is told of as well', async () => {
    const step = first(await ordered(usual));
    const uid = newUid();
    const content = inProgress([{ ...step, scheduledProcedureStepId: 'UNKNOWN' }]);
    expect(await usual.nCreate(uid, content)).toBe(0);
    await later(usual, 25 * HOUR);
    const { items } = await listFiredTimers(usual.store, { limit: 500 });
    expect(items.find(({ sopInstanceUid }) => sopInstanceUid === uid)).toMatchObject({
      requestedProcedureIds: [],
      effect: 'alarm',
    });
  });

  it('given a number that does not come, then an alarm after 1 h; NA settles it', async () => {
    const order = await placed(usual);
    await later(usual, HOUR);
    expect(await storyOf(usual, order)).toEqual(['orderNumberNotAssigned planned>planned: waited for 1h']);
    await usual.hl7(numbering(order.fillerOrderNumber));
    expect((await inShort(usual, order))[1]).toBe('orderNumberNotAssigned settled alarm');
  });
});

describe('GET /api/timers', () => {
  it('given kinds and states, then each filter and the pages show what they say', async () => {
    const step = first(await ordered(usual));
    await later(usual, 27 * HOUR);
    const pending = first(await ordered(usual, { orcStart: '20270105100000' }));
    const list = async (query: string) =>
      (await usual.get(`/api/timers?${query}`)).body as { items: TimerView[]; next: string | null };
    const ids = async (query: string) =>
      (await list(`${query}&limit=500`)).items.flatMap((one) => one.requestedProcedureIds);
    expect(await ids('state=fired&kind=stepNotStarted')).toContain(step.requestedProcedureId);
    expect(await ids('state=fired')).not.toContain(pending.requestedProcedureId);
    expect(await ids('state=pending')).toContain(pending.requestedProcedureId);
    expect(await ids('state=settled')).not.toContain(step.requestedProcedureId);
    expect(await ids('kind=imagesNotAvailable')).not.toContain(step.requestedProcedureId);
    const page = await list('limit=1');
    expect(page.items).toHaveLength(1);
    expect((await list(`limit=1&after=${page.next ?? ''}`)).items).not.toEqual(page.items);
    expect((await usual.get('/api/timers?kind=nothing')).status).toBe(400);
  });
});
