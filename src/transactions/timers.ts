import { durationText } from '../platform/clock.ts';
import { SwfError, describeError } from '../platform/errors.ts';
import { lockPerformedStep } from '../store/performed-steps.ts';
import {
  type DueTimer,
  type PendingTimer,
  changeTimer,
  correctSince,
  dueTimers,
  hasTraces,
  isRequestPending,
  lockDueTimer,
  ordersOfTimer,
  putOffTimer,
  removeTimer,
  setAge,
  stepTimers,
} from '../store/timers.ts';
import { areDue } from '../workflow/images-due.ts';
import { isAllowed } from '../workflow/procedure-machine.ts';
import { type TimerKind, canGiveUp, timerKinds } from '../workflow/timers.ts';
import type { Department } from './department.ts';
import { markEnded } from './order-changes.ts';
import { scheduling } from './order-creation.ts';
import { endPerformed } from './rad-07-ended.ts';
import { imagesKnown } from './rad-11-availability-query.ts';
import {
  type Cause,
  type HeldOrder,
  type HeldProcedure,
  type Unit,
  finish,
  holdFound,
  orderStatusNow,
  runUnit,
  send,
  takeDown,
} from './unit-of-work.ts';
import { sinceStart, spanOf, waitsOf } from './waiting.ts';

/** A timer that fires, locked behind its orders. */
interface Firing {
  readonly timer: PendingTimer;
  readonly orders: readonly HeldOrder[];
  readonly cause: Cause;
}

/** What was done: `alarm` also where the wanted effect was not possible. */
type Done = 'alarm' | 'noShow' | 'cancel' | 'discontinue' | 'schedule' | 'askAgain';

interface Fired {
  readonly done: Done;
  /** The procedures that it is about. */
  readonly procedures: readonly HeldProcedure[];
}

/** Carries out what a timer of a kind stands for; undefined where nothing is waited for any more. */
type Fire = (unit: Unit, firing: Firing) => Promise<Fired | undefined>;

const kinds: Readonly<Record<TimerKind, { readonly fire: Fire; readonly alarm: string }>> = {
  stepNotStarted: { fire: fireStep, alarm: 'alarm: a step has not been started' },
  performedStepNotEnded: { fire: firePerformed, alarm: 'alarm: a performed step has not ended' },
  imagesNotAvailable: { fire: fireImages, alarm: 'alarm: images are overdue' },
  orderNumberNotAssigned: { fire: fireNumber, alarm: 'alarm: an order has no placer order number' },
};

/** The line of the history that a timer fired has the name of its kind; what it did follows with the same cause. */
function tell(firing: Firing, procedures: readonly HeldProcedure[], what: (procedure: HeldProcedure) => string): void {
  const { timer, cause } = firing;
  for (const procedure of procedures) {
    const remark = [what(procedure), cause.remark].filter(Boolean).join('; ');
    takeDown(procedure, timer.kind, { ...cause, remark });
  }
}

const holding = (orders: readonly HeldOrder[], stepId: number) =>
  orders
    .flatMap((held) => held.procedures.map((procedure) => ({ held, procedure })))
    .find(({ procedure }) => procedure.stored.steps.some(({ id }) => id === stepId));

/** A step that is not started: an alarm, or its procedure is given up where that needs nobody's judgement. */
async function fireStep(unit: Unit, firing: Firing): Promise<Fired | undefined> {
  const { timer, orders, cause } = firing;
  const found = holding(orders, timer.about);
  if (!found || !waitsOf(found.held).steps.has(timer.about)) return undefined;
  const { held, procedure } = found;
  const step = procedure.stored.steps.find(({ id }) => id === timer.about);
  tell(firing, [procedure], () => step?.scheduledProcedureStepId ?? '');
  const { effect } = unit.department.config.timers.stepNotStarted;
  const procedures = [procedure];
  if ((effect !== 'noShow' && effect !== 'cancel') || !(await mayGiveUp(unit, found, effect, cause.at)))
    return { done: 'alarm', procedures };
  const done = send(procedure, effect === 'noShow' ? { type: 'hold', noShow: true } : { type: 'cancel' }, cause);
  if (done && effect === 'cancel' && orderStatusNow(held) === 'CA') await markEnded(unit, held, 'filler');
  return { done: done ? effect : 'alarm', procedures };
}

async function mayGiveUp(
  unit: Unit,
  { held, procedure }: NonNullable<ReturnType<typeof holding>>,
  effect: 'noShow' | 'cancel',
  at: Date,
): Promise<boolean> {
  const { stored, machine } = procedure;
  const steps = stored.steps.map(({ stepStatus, start }) => ({
    stepStatus,
    startsAt: sinceStart(unit.department, start, new Date(0)),
  }));
  const ordered = held.procedures.flatMap((one) => one.stored.steps.map(({ stepStatus }) => stepStatus));
  const { studyInstanceUid } = stored;
  const traces = await hasTraces(unit.tx, { studyInstanceUid, patientId: held.order.patientId });
  return canGiveUp(machine, { steps, ordered, traces }, { effect, at });
}

/** An MPPS that its modality does not end: an alarm, or the department ends it (PS3.4 F.7.2.2). */
async function firePerformed(unit: Unit, firing: Firing): Promise<Fired | undefined> {
  const { timer, orders, cause } = firing;
  if (timer.sopInstanceUid === undefined) return undefined;
  const stored = await lockPerformedStep(unit.tx, timer.sopInstanceUid);
  if (stored.performedProcedureStepStatus !== 'IN PROGRESS') return undefined;
  const procedures = orders
    .flatMap((held) => held.procedures)
    .filter(({ stored: one }) => {
      return stored.evidenceOf.includes(one.id) || one.steps.some(({ id }) => stored.stepIds.includes(id));
    });
  tell(firing, procedures, () => stored.sopInstanceUid);
  if (unit.department.config.timers.performedStepNotEnded.effect !== 'discontinue')
    return { done: 'alarm', procedures };
  await endPerformed(unit, { orders, stored }, { ...cause, remark: `ended by the department; ${cause.remark}` });
  return { done: 'discontinue', procedures };
}

/** Images that do not come: there is nothing to be done about it here but to tell; the asking (RAD-11) goes on. */
function fireImages(_: Unit, firing: Firing): Promise<Fired | undefined> {
  const { timer, orders } = firing;
  const procedures = orders.flatMap((held) => held.procedures).filter(({ stored }) => stored.id === timer.about);
  if (!procedures.some(({ machine }) => areDue(machine))) return Promise.resolve(undefined);
  tell(firing, procedures, imagesKnown);
  return Promise.resolve({ done: 'alarm', procedures });
}

/**
 * RAD-3 SN without an answer: an alarm; or what waits is scheduled all the same, as after a refusal staff would do, and a
 * number that comes later is still the order's; or the placer is asked once more before anybody is told.
 */
async function fireNumber(unit: Unit, firing: Firing): Promise<Fired | undefined> {
  const { timer, cause } = firing;
  const { config } = unit.department;
  const held = firing.orders.find(({ order }) => order.id === timer.about);
  if (!held || !waitsOf(held).number) return undefined;
  const { procedures } = held;
  tell(firing, procedures, () => '');
  const { effect } = config.timers.orderNumberNotAssigned;
  if (effect === 'schedule' && config.policy.autoSchedule) {
    const due = procedures.filter((procedure) => isToBeScheduled(unit, procedure));
    for (const procedure of due) send(procedure, scheduling(unit.department), cause);
    return { done: due.length > 0 ? 'schedule' : 'alarm', procedures };
  }
  // What has not left its lane would only be asked twice.
  const again = effect === 'askAgain' && timer.effect !== 'askAgain' && !(await isRequestPending(unit.tx, timer.about));
  if (!again) return { done: 'alarm', procedures };
  held.announcements.push({ name: 'requestOrderNumber' });
  return { done: 'askAgain', procedures };
}

/** Also behind planned: a modality can begin before the number comes, and its study has to be announced. */
function isToBeScheduled({ department }: Unit, { machine }: HeldProcedure): boolean {
  const { acquisition, announcement } = machine.value;
  const waits = announcement === 'due' && !['scheduled', 'held'].includes(acquisition);
  return waits && isAllowed(machine, scheduling(department));
}

/** One timer in one unit, under the locks of whatever else moves its orders: whoever comes first has it. */
async function fireOne(department: Department, { id, kind }: DueTimer): Promise<Fired | undefined> {
  const at = department.clock.now();
  const remark = `waited for ${durationText(department.config.timers[kind].after)}`;
  const cause: Cause = { messageId: undefined, causedBy: 'timer', at, remark };
  return runUnit(department, async (unit) => {
    const orders = await holdFound(unit, () => ordersOfTimer(unit.tx, id));
    const timer = await lockDueTimer(unit.tx, id, at);
    if (!timer) return undefined;
    // Made by a process with other settings.
    if (department.config.timers[kind].effect === 'none') return void (await changeTimer(unit.tx, id, { dueAt: null }));
    await changeTimer(unit.tx, id, { firedAt: at });
    const fired = await kinds[kind].fire(unit, { timer, orders, cause });
    // A program that knew of no timers has moved it.
    if (!fired) return void (await removeTimer(unit.tx, id));
    await noteDone(unit, { timer, fired, at });
    await finish(unit, orders, at);
    return fired;
  });
}

async function noteDone(
  unit: Unit,
  { timer, fired, at }: { readonly timer: PendingTimer; readonly fired: Fired; readonly at: Date },
): Promise<void> {
  const { done: effect } = fired;
  if (effect !== 'askAgain') return changeTimer(unit.tx, timer.id, { effect });
  const span = spanOf(unit.department, timer.kind, at);
  await changeTimer(unit.tx, timer.id, { ...span, effect, firedAt: null });
  unit.dueTimers.push(...[span.dueAt].flatMap((dueAt) => dueAt ?? []));
}

const BATCH = 100;
const PUT_OFF_MS = 600_000;

// With time these go away by themselves: the same is tried again.
const passing: ReadonlySet<string> = new Set(['conflict', 'database-unavailable']);

/**
 * Fires what is due, until `stopped` says so; true where there may be more. Rejects with 'database-unavailable' or
 * 'conflict'.
 */
export async function fireDueTimers(department: Department, stopped: () => boolean = () => false): Promise<boolean> {
  const { store, clock, log } = department;
  const due = await dueTimers(store, clock.now(), BATCH);
  for (const timer of due) {
    if (stopped()) return true;
    const fields = { timer: timer.kind };
    try {
      const fired = await fireOne(department, timer);
      const procedureId = fired?.procedures[0]?.stored.requestedProcedureId;
      if (fired) log.warn({ ...fields, procedureId, outcome: fired.done }, kinds[timer.kind].alarm);
    } catch (error) {
      if (error instanceof SwfError && passing.has(error.code)) throw error;
      // One that cannot be carried out must not hold up all the others.
      log.error({ ...fields, ...describeError(error) }, 'a timer could not be carried out');
      await putOffTimer(store, timer.id, new Date(clock.now().getTime() + PUT_OFF_MS));
    }
  }
  return due.length === BATCH;
}

const PAGE = 1000;

/** Puts what is pending as the settings say now; ages and the time zone may be others than when it was made. */
export async function applySettings(department: Department): Promise<void> {
  const { store, config } = department;
  for (let last = 0; ;) {
    const page = await stepTimers(store, last, PAGE);
    for (const timer of page) {
      const since = sinceStart(department, timer.start, timer.waitsFrom);
      if (since.getTime() !== timer.since.getTime()) await correctSince(store, timer, since);
    }
    last = page.at(-1)?.id ?? 0;
    if (page.length < PAGE) break;
  }
  for (const kind of timerKinds) {
    const { after, effect } = config.timers[kind];
    await setAge(store, kind, effect === 'none' ? undefined : after);
  }
}
