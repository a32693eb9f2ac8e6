import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/platform/log.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/prisma.ts';
import type { Department } from '../../src/transactions/department.ts';
import { applySettings } from '../../src/transactions/timers.ts';
import type { TestDepartment } from '../http/support.ts';
import { orm, serial } from '../support/messages.ts';
import { type StepOnWorklist, completed, newUid, notification, stepsOf } from '../support/mpps.ts';
import {
  type About,
  HOUR,
  begun,
  first,
  inShort,
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

/** What a modality performs under a study of its own. */
const newStudy = () => ({ studyInstanceUid: newUid(), requestedProcedureId: '' });

describe('effects', () => {
  let active: TestDepartment;
  let other: TestDepartment;
  beforeAll(async () => {
    active = await withEffects({
      stepNotStarted: 'noShow',
      performedStepNotEnded: 'discontinue',
      orderNumberNotAssigned: 'schedule',
    });
    other = await withEffects({
      stepNotStarted: 'cancel',
      imagesNotAvailable: 'none',
      orderNumberNotAssigned: 'askAgain',
    });
  });
  afterAll(() => Promise.all([active.stop(), other.stop()]));

  it('noShow: given a step that is not started, then it is on hold, and is not put there again once it is released', async () => {
    const step = first(await ordered(active));
    const news = await newsWhile(active, () => later(active, 27 * HOUR));
    expect(news).toEqual([]);
    expect(await stateOf(active, step)).toBe('held SCHEDULED');
    const said = `waited for 24h`;
    expect(await storyOf(active, step)).toEqual([
      `stepNotStarted scheduled>scheduled: ${step.scheduledProcedureStepId}; ${said}`,
      `hold scheduled>held: ${said}`,
    ]);
    expect(await inShort(active, step)).toEqual(['stepNotStarted settled noShow']);
    await active.post(`/api/procedures/${step.requestedProcedureId}/release`);
    await later(active, HOUR);
    expect(await stateOf(active, step)).toBe('scheduled SCHEDULED');
  });

  it('cancel: given a step that is not started, then RAD-13, RAD-48 and RAD-3 OC as by staff', async () => {
    const step = first(await ordered(other));
    const news = await newsWhile(other, () => later(other, 27 * HOUR));
    expect(news.sort()).toEqual(['IM updateProcedure', 'OP cancelOrder', 'OP notifyAppointment']);
    expect(await stateOf(other, step)).toBe('cancelled CANCELLED');
    expect(await inShort(other, step)).toEqual(['stepNotStarted settled cancel']);
  });

  it.each([
    [
      'its patient has arrived',
      async (at: TestDepartment, steps: StepOnWorklist[]) => {
        await at.post(`/api/procedures/${first(steps).requestedProcedureId}/arrive`, {
          step: first(steps).scheduledProcedureStepId,
        });
      },
    ],
    [
      'another step of it is still to come',
      async (at: TestDepartment, steps: StepOnWorklist[]) => {
        const step = steps[1]?.scheduledProcedureStepId;
        await at.post(`/api/procedures/${first(steps).requestedProcedureId}/reschedule`, {
          step,
          start: '2030-01-05T10:00',
        });
      },
    ],
    [
      'another step of it was begun',
      async (at: TestDepartment, steps: StepOnWorklist[]) => void (await begun(at, steps[1] ?? first(steps))),
    ],
  ])('given %s, then noShow and cancel are left to a person', async (_what, happens) => {
    for (const at of [active, other]) {
      const steps = await ordered(at, { service: 'SPINE^^TESTPLAN' });
      await happens(at, steps);
      const before = await stateOf(at, first(steps));
      await later(at, 27 * HOUR);
      expect((await inShort(at, first(steps)))[0]).toBe('stepNotStarted fired alarm');
      expect((await stateOf(at, first(steps))).split(' ')[0]).toBe(before.split(' ')[0]);
    }
  });

  it.each([
    [
      'its patient is there for another procedure of the order',
      'TRUNK',
      (at: TestDepartment, [, other]: StepOnWorklist[]) =>
        at.post(`/api/procedures/${other?.requestedProcedureId}/arrive`),
    ],
    [
      'another procedure of the order was begun',
      'TRUNK',
      (at: TestDepartment, [, other]: StepOnWorklist[]) => begun(at, other as StepOnWorklist),
    ],
    [
      'its patient is there for another order',
      'WRIST',
      async (at: TestDepartment, [step]: StepOnWorklist[]) => {
        const placerOrderNumber = `T${serial()}`;
        const patient = { identifier: `${step?.patientId}^^^CLINIC` };
        await at.hl7(orm([{ orcStart: '20280105100000', placerOrderNumber: `${placerOrderNumber}^HIS` }], patient));
        const { requestedProcedureId } = first(await stepsOf(at.store, placerOrderNumber));
        await at.post(`/api/procedures/${requestedProcedureId}/arrive`);
      },
    ],
    [
      'its patient has come and left',
      'SPINE',
      async (at: TestDepartment, [, other]: StepOnWorklist[]) => {
        const path = `/api/procedures/${other?.requestedProcedureId}`;
        await at.post(`${path}/arrive`, { step: other?.scheduledProcedureStepId });
        await at.post(`${path}/depart`, { step: other?.scheduledProcedureStepId });
      },
    ],
    [
      'it was performed and is to be repeated',
      'WRIST',
      async (at: TestDepartment, [step]: StepOnWorklist[]) => {
        const uid = await begun(at, step as StepOnWorklist);
        await at.nSet(uid, completed([], { PerformedProcedureStepStatus: 'DISCONTINUED' }));
        await at.post(`/api/procedures/${step?.requestedProcedureId}/decide`, { decision: 'repeat' });
      },
    ],
    [
      'its modality sends no MPPS and images of it are there',
      'WRIST',
      (at: TestDepartment, [step]: StepOnWorklist[]) =>
        at.notify(notification(step?.studyInstanceUid ?? '', [newUid()])),
    ],
    [
      'an MPPS of its study names a step that is not known',
      'WRIST',
      (at: TestDepartment, [step]: StepOnWorklist[]) =>
        begun(at, { ...(step as StepOnWorklist), scheduledProcedureStepId: 'UNKNOWN' }),
    ],
    [
      'an examination of its patient waits to be bound to an order',
      'WRIST',
      (at: TestDepartment, [step]: StepOnWorklist[]) =>
        begun(at, { ...(step as StepOnWorklist), ...newStudy(), scheduledProcedureStepId: '', accessionNumber: '' }),
    ],
  ])('given %s, then noShow and cancel of it are left to a person', async (_what, service, happens) => {
    for (const at of [active, other]) {
      const steps = await ordered(at, { service: `${service}^^TESTPLAN` });
      await happens(at, steps);
      await later(at, 27 * HOUR);
      expect(await inShort(at, first(steps))).toContain('stepNotStarted fired alarm');
      expect(await stateOf(at, first(steps))).toMatch(/^scheduled /);
    }
  });

  it('discontinue: given an MPPS that does not end, then it is DISCONTINUED as by N-SET, for a person to decide, and nobody is told of it', async () => {
    const step = first(await ordered(active));
    const uid = await begun(active, step);
    const news = await newsWhile(active, () => later(active, 25 * HOUR));
    expect(news).toEqual([]);
    expect(await storyOf(active, step)).toEqual([
      `performedStepNotEnded inProgress>inProgress: ${uid}; waited for 24h`,
      'performedStepDiscontinued inProgress>inProgress: ended by the department; waited for 24h',
    ]);
    expect(await inShort(active, step)).toEqual(['performedStepNotEnded settled discontinue']);
    const { body } = await active.get(`/api/performed-steps/${uid}`);
    expect(body).toMatchObject({
      performedProcedureStepStatus: 'DISCONTINUED',
      exception: 'discontinued',
      dataset: {
        '00400250': { Value: [expect.stringMatching(/^\d{8}$/)] },
        '00400251': { Value: [expect.stringMatching(/^\d{6}$/)] },
      },
    });
    await active.post(`/api/procedures/${step.requestedProcedureId}/decide`, { decision: 'repeat' });
    expect(await stateOf(active, step)).toBe('scheduled SCHEDULED');
  });

  it('given its modality ends it after all, then 0110, and what it says is in the journal, listed and relayed (PS3.4 F.7.2.2)', async () => {
    const step = first(await ordered(active));
    const uid = await begun(active, step);
    await later(active, 25 * HOUR);
    const news = await newsWhile(active, async () => {
      for (let count = 0; count < 2; count++) expect(await active.nSet(uid, completed([newUid()]))).toBe(0x0110);
    });
    expect(news).toEqual(['IM.dicom relayMpps', 'IM.dicom relayMpps']);
    const { body } = await active.get('/api/unscheduled');
    const { items } = body as { items: { sopInstanceUid: string; exception: string }[] };
    expect(items.find(({ sopInstanceUid }) => sopInstanceUid === uid)?.exception).toBe('discontinued, late-update');
    const late = await active.store.prisma.history.findMany({
      where: { procedure: { requestedProcedureId: step.requestedProcedureId }, event: 'performedStepUpdated' },
      include: { message: true },
    });
    expect(late).toMatchObject(
      [1, 2].map(() => ({ message: { outcome: 'REFUSED', answerCode: '0110', controlId: uid } })),
    );
    expect(await stateOf(active, step)).toBe('inProgress STARTED');
    await active.post(`/api/procedures/${step.requestedProcedureId}/decide`, { decision: 'complete' });
    expect(await stateOf(active, step)).toBe('completed COMPLETED');
  });

  it('given a late N-SET on what its modality had ended itself, then it is refused and nothing else', async () => {
    const step = first(await ordered(active));
    const uid = await begun(active, step);
    expect(await active.nSet(uid, completed([]))).toBe(0);
    const news = await newsWhile(active, async () => expect(await active.nSet(uid, completed([]))).toBe(0x0110));
    expect(news).toEqual([]);
  });

  it('schedule: given a number that does not come, then it is scheduled without it, goes on waiting, and takes the number later', async () => {
    const order = await placed(active);
    const news = await newsWhile(active, () => later(active, HOUR));
    // no RAD-48: its placer would not know of which order
    expect(news).toEqual(['IM announceProcedure']);
    expect(await stateOf(active, order)).toBe('scheduled SCHEDULED');
    expect((await inShort(active, order))[1]).toBe('orderNumberNotAssigned fired schedule');
    const numbered = await newsWhile(active, () => active.hl7(numbering(order.fillerOrderNumber)));
    expect(numbered).toEqual(['IM updateProcedure', 'OP notifyAppointment']);
    expect((await inShort(active, order))[1]).toBe('orderNumberNotAssigned settled schedule');
  });

  it('schedule: given a modality has begun what waits for its number, then its study is announced all the same', async () => {
    const order = await placed(active);
    await begun(active, first(await stepsOf(active.store, { fillerOrderNumber: order.fillerOrderNumber })));
    expect(await newsWhile(active, () => later(active, HOUR))).toEqual(['IM announceProcedure']);
    expect(await stateOf(active, order)).toBe('inProgress STARTED');
    expect(await inShort(active, order)).toContain('orderNumberNotAssigned fired schedule');
  });

  it('schedule: given staff have cancelled what waits for its number, then nothing is waited for', async () => {
    const order = await placed(active);
    await active.post(`/api/procedures/${order.requestedProcedureId}/cancel`);
    expect(await newsWhile(active, () => later(active, HOUR))).toEqual([]);
    expect(await inShort(active, order)).toEqual([]);
  });

  it('askAgain: given SN was answered without a number, then it goes out once more, and then there is an alarm', async () => {
    const order = await placed(other);
    await other.heard('OP', {});
    while ((await other.store.prisma.delivery.count({ where: { destination: 'OP', deliveryStatus: 'PENDING' } })) > 0)
      await other.heard('OP', {});
    expect(await newsWhile(other, () => later(other, HOUR))).toEqual(['OP requestOrderNumber']);
    expect((await inShort(other, order))[1]).toBe('orderNumberNotAssigned pending askAgain');
    expect(await newsWhile(other, () => later(other, HOUR))).toEqual([]);
    expect((await inShort(other, order))[1]).toBe('orderNumberNotAssigned fired alarm');
  });

  it('askAgain: given SN has not left its lane, then it is not sent twice', async () => {
    const order = await placed(other);
    expect(await newsWhile(other, () => later(other, HOUR))).toEqual([]);
    expect((await inShort(other, order))[1]).toBe('orderNumberNotAssigned fired alarm');
  });

  it('none: given images that do not come, then nobody hears of it', async () => {
    const step = first(await ordered(other));
    await other.nSet(await begun(other, step), completed([newUid()]));
    await later(other, 1000 * HOUR);
    expect(await inShort(other, step)).toEqual([]);
    expect(await storyOf(other, step)).toEqual([]);
  });
});

describe('settings that change, and databases of older programs', () => {
  it('given other ages, effects or another time zone at the next start, then what is pending is due by them', async () => {
    const at = await withEffects({});
    const step = first(await ordered(at, { orcStart: '20260107100000' }));
    const { config } = at.department;
    const changed = (timers: object, timeZone = 'Europe/Berlin'): Department => {
      const organisation = { ...config.organisation, timeZone };
      return { ...at.department, config: { ...config, organisation, timers: { ...config.timers, ...timers } } };
    };
    await applySettings(changed({ stepNotStarted: { after: HOUR, effect: 'alarm' } }));
    expect(await timersOf(at, step)).toMatchObject([{ dueAt: '2026-01-07T10:00:00.000Z' }]);
    await applySettings(changed({}, 'America/New_York'));
    expect(await timersOf(at, step)).toMatchObject([{ dueAt: '2026-01-08T15:00:00.000Z' }]);
    await applySettings(changed({ stepNotStarted: { after: HOUR, effect: 'none' } }));
    expect(await timersOf(at, step)).toEqual([]);
    await applySettings(at.department);
    expect(await timersOf(at, step)).toMatchObject([{ dueAt: '2026-01-08T09:00:00.000Z' }]);
    await at.stop();
  });

  it('given a database without timers, when it is migrated, then what waits already is waited for', async () => {
    const at = await withEffects({});
    const waits = first(await ordered(at, { orcStart: '20260107100000' }));
    const begins = first(await ordered(at));
    const uid = await begun(at, begins);
    const ends = first(await ordered(at));
    await at.nSet(await begun(at, ends), completed([newUid()]));
    const order = await placed(at);
    const held = first(await ordered(at));
    await at.post(`/api/procedures/${held.requestedProcedureId}/hold`);
    const of = (about: About) => timersOf(at, about);
    const all = async () => [await of(waits), await of(begins), await of(ends), await of(order), await of(held)];
    const before = await all();
    const { prisma } = at.store;
    await prisma.$executeRaw`DROP TABLE "Timer"`;
    await prisma.$executeRaw`ALTER TABLE "AvailabilityQuery" ADD COLUMN "alarmedAt" TIMESTAMPTZ(3)`;
    await prisma.$executeRaw`DELETE FROM "_prisma_migrations" WHERE migration_name LIKE '%_timers'`;
    expect((await migrate(at.database.url)).applied).toEqual(['00000000000008_timers']);
    const store = openStore(at.database.url, silentLog);
    await applySettings({ ...at.department, store });
    await store.close();
    expect(await all()).toEqual(before);
    expect(before.flat().find(({ sopInstanceUid }) => sopInstanceUid === uid)).toBeDefined();
    await at.stop();
  });
});
