import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTimers } from '../../src/delivery/timers.ts';
import { silentLog } from '../../src/platform/log.ts';
import { type Store, openStore } from '../../src/store/prisma.ts';
import type { Department } from '../../src/transactions/department.ts';
import { rescheduleProcedure } from '../../src/transactions/department-procedures.ts';
import { fireDueTimers } from '../../src/transactions/timers.ts';
import { type TestDepartment, startDepartment } from '../http/support.ts';
import { inLine } from '../support/in-line.ts';
import { orm, serial } from '../support/messages.ts';
import { type StepOnWorklist, completed, inProgress, newUid, stepsOf } from '../support/mpps.ts';
import { until } from '../support/until.ts';

/** Timers that fire while others change what they are about, and workers that are several or end in between. */

let at: TestDepartment;
/** A second process on the same database. */
let second: Store;
beforeAll(async () => {
  at = await startDepartment({
    timers: { stepNotStarted: { effect: 'noShow' }, performedStepNotEnded: { effect: 'discontinue' } },
  });
  second = openStore(at.database.url, silentLog);
});
afterAll(async () => {
  await second.close();
  await at.stop();
});

const HOUR = 3_600_000;
const otherProcess = (): Department => ({ ...at.department, store: second });

async function ordered(): Promise<{ readonly step: StepOnWorklist; readonly patientId: number }> {
  const placerOrderNumber = `A${serial()}`;
  await at.hl7(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }]));
  const [step] = await stepsOf(at.store, placerOrderNumber);
  const { patientId } = await at.store.prisma.order.findFirstOrThrow({ where: { placerOrderNumber } });
  if (!step) throw new Error('the order has no step');
  return { step, patientId };
}

async function begun() {
  const { step, patientId } = await ordered();
  const uid = newUid();
  expect(await at.nCreate(uid, inProgress([step]))).toBe(0);
  return { step, patientId, uid };
}

const fires = () => fireDueTimers(at.department);

async function storyOf({ requestedProcedureId }: StepOnWorklist) {
  const { state, steps, history } = await at.store.prisma.requestedProcedure.findUniqueOrThrow({
    where: { requestedProcedureId },
    include: {
      steps: { include: { timers: true } },
      history: { where: { causedBy: 'timer' }, orderBy: { id: 'asc' } },
    },
  });
  return { state, steps, events: history.map(({ event }) => event) };
}

describe('a timer that fires in the instant in which what it waits for comes: whoever is first has it', () => {
  it('given the MPPS ends first, then it is completed and the timer does nothing', async () => {
    const { step, patientId, uid } = await begun();
    at.clock.advance(25 * HOUR);
    const [status] = await inLine<[number, boolean]>(at, patientId, () => at.nSet(uid, completed([])), fires);
    expect(status).toBe(0);
    expect(await storyOf(step)).toMatchObject({ state: 'completed', events: [] });
  });

  it('given the timer is first, then the department has ended it, and the N-SET is refused and kept', async () => {
    const { step, patientId, uid } = await begun();
    at.clock.advance(25 * HOUR);
    const [, status] = await inLine<[boolean, number]>(at, patientId, fires, () => at.nSet(uid, completed([])));
    expect(status).toBe(0x0110);
    const events = ['performedStepNotEnded', 'performedStepDiscontinued'];
    expect(await storyOf(step)).toMatchObject({ state: 'inProgress', events });
    const { exception } = await at.store.prisma.performedProcedureStep.findUniqueOrThrow({
      where: { sopInstanceUid: uid },
    });
    expect(exception).toBe('discontinued, late-update');
  });

  const moves = (step: StepOnWorklist) => async (): Promise<void> => {
    const start = { date: '2030-01-07', time: '10:00:00' };
    await rescheduleProcedure(
      at.department,
      step.requestedProcedureId,
      { start },
      { name: 'staff', reason: undefined },
    );
  };

  it('given it is moved first, then it stays scheduled and waits for its new start', async () => {
    const { step, patientId } = await ordered();
    at.clock.advance(25 * HOUR);
    await inLine<[void, boolean]>(at, patientId, moves(step), fires);
    const { state, steps, events } = await storyOf(step);
    expect([state, events]).toEqual(['scheduled', []]);
    expect(steps[0]?.timers).toMatchObject([{ dueAt: new Date('2030-01-08T09:00:00Z'), firedAt: null }]);
  });

  it('given the timer is first, then the new start takes its hold off, and it waits for that', async () => {
    const { step, patientId } = await ordered();
    at.clock.advance(25 * HOUR);
    await inLine<[boolean, void]>(at, patientId, fires, moves(step));
    const { state, steps, events } = await storyOf(step);
    expect([state, events]).toEqual(['scheduled', ['stepNotStarted', 'hold']]);
    expect(steps).toMatchObject([{ startDate: new Date('2030-01-07') }]);
    expect(steps[0]?.timers).toMatchObject([
      { effect: 'noShow', settledAt: expect.any(Date) as Date },
      { dueAt: new Date('2030-01-08T09:00:00Z'), firedAt: null },
    ]);
  });
});

describe('several workers', () => {
  it('given two processes see the same timers due, then each is carried out once', async () => {
    const { step, patientId } = await ordered();
    at.clock.advance(25 * HOUR);
    await inLine<[boolean, boolean]>(at, patientId, fires, () => fireDueTimers(otherProcess()));
    expect(await storyOf(step)).toMatchObject({ state: 'held', events: ['stepNotStarted', 'hold'] });
  });

  it('given a worker ends between the look and the commit, then nothing was done, and the next one does it', async () => {
    const { step, patientId } = await ordered();
    at.clock.advance(25 * HOUR);
    const dies = async (): Promise<string> => {
      const url = new URL(at.database.url);
      url.searchParams.set('application_name', 'dying');
      const dying = openStore(url.toString(), silentLog);
      const died = await fireDueTimers({ ...at.department, store: dying }).then(
        () => 'lived',
        () => 'died',
      );
      await dying.close();
      return died;
    };
    const holder = new pg.Client({ connectionString: at.database.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT id FROM "Patient" WHERE id = $1 FOR UPDATE', [patientId]);
    const death = dies();
    const sql = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'dying' AND wait_event_type = 'Lock'`;
    const killer = new pg.Client({ connectionString: at.database.url });
    await killer.connect();
    await until('the worker is in its unit', async () => (await killer.query<{ n: number }>(sql)).rows[0]?.n === 1);
    await killer.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dying'`);
    await holder.query('COMMIT');
    expect(await death).toBe('died');
    await Promise.all([holder.end(), killer.end()]);
    expect(await storyOf(step)).toMatchObject({ state: 'scheduled', events: [] });
    await fires();
    expect(await storyOf(step)).toMatchObject({ state: 'held', events: ['stepNotStarted', 'hold'] });
  });

  it('given a timer that cannot be carried out, then it is put off and the others are not held up', async () => {
    const [bad, good] = [await ordered(), await ordered()];
    const where = { requestedProcedureId: bad.step.requestedProcedureId };
    await at.store.prisma.requestedProcedure.update({ where, data: { machineVersion: 99 } });
    at.clock.advance(25 * HOUR);
    await fires();
    expect(await storyOf(good.step)).toMatchObject({ state: 'held' });
    expect(at.lines.filter(({ text }) => text === 'a timer could not be carried out')).toHaveLength(1);
    await fires();
    expect(at.lines.filter(({ text }) => text === 'a timer could not be carried out')).toHaveLength(1);
    await at.store.prisma.requestedProcedure.update({ where, data: { machineVersion: 2 } });
    at.clock.advance(HOUR);
    await fires();
    expect(await storyOf(bad.step)).toMatchObject({ state: 'held' });
  });
});

describe('the worker', () => {
  it('given it sleeps, when a timer is made that is due before it would look again, then it wakes and fires it', async () => {
    const quick = await startDepartment({ timers: { stepNotStarted: { after: '1ms', effect: 'noShow' } } });
    const timers = startTimers(quick.department);
    quick.store.onTimers(timers.wake);
    // the second one finds it asleep for a minute
    for (let count = 0; count < 2; count++) {
      const placerOrderNumber = `W${serial()}`;
      await quick.hl7(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }]));
      quick.clock.advance(1);
      const where = { order: { placerOrderNumber }, state: 'held' };
      await until('it is on hold', () => quick.store.prisma.requestedProcedure.findFirst({ where }).then(Boolean));
    }
    await timers.stop();
    await quick.stop();
  });
});
