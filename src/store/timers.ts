import type { LocalDateTime } from '../platform/clock.ts';
import type { TimerKind } from '../workflow/timers.ts';
import { Prisma } from './generated/client.ts';
import { type Store, type Tx, dateOf, timeOf } from './prisma.ts';

/** Which column says what a timer is about. */
const subjects = {
  stepNotStarted: 'stepId',
  performedStepNotEnded: 'performedStepId',
  imagesNotAvailable: 'procedureId',
  orderNumberNotAssigned: 'orderId',
} as const satisfies Record<TimerKind, keyof Prisma.TimerUncheckedCreateInput>;

/** From when and until when something is waited for. */
export interface Span {
  readonly since: Date;
  /** Null: the site does not want to know. */
  readonly dueAt: Date | null;
}

/** Something that is waited for from now on. */
export interface NewTimer extends Span {
  readonly kind: TimerKind;
  /** Database id of the step, performed step, procedure or order; it, or its orders, are locked. */
  readonly about: number;
  readonly waitsFrom: Date;
}

export async function addTimers(tx: Tx, timers: readonly NewTimer[]): Promise<void> {
  if (timers.length === 0) return;
  await tx.timer.createMany({
    data: timers.map(({ about, ...timer }) => ({ ...timer, [subjects[timer.kind]]: about })),
  });
}

/** What was waited for has come, or is not wanted any more: pending timers go, those that have fired are settled. */
export async function endTimers(tx: Tx, kind: TimerKind, about: readonly number[], at: Date): Promise<void> {
  if (about.length === 0) return;
  const subject = Prisma.raw(`"${subjects[kind]}"`);
  const ids = [...about];
  await tx.$executeRaw`
    WITH come AS (DELETE FROM "Timer" WHERE ${subject} = ANY(${ids}::int[]) AND kind = ${kind} AND "firedAt" IS NULL)
    UPDATE "Timer" SET "settledAt" = ${at}::timestamptz
    WHERE ${subject} = ANY(${ids}::int[]) AND kind = ${kind} AND "firedAt" IS NOT NULL AND "settledAt" IS NULL`;
}

/** Somebody has seen to what did not come; false where that was done before. */
export async function settleTimer(tx: Tx, id: number, at: Date): Promise<boolean> {
  const where = { id, firedAt: { not: null }, settledAt: null };
  return (await tx.timer.updateMany({ where, data: { settledAt: at } })).count > 0;
}

/** A timer whose time has come. */
export interface DueTimer {
  readonly id: number;
  readonly kind: TimerKind;
}

/** Timers that are due, the longest due first. */
export async function dueTimers(store: Store, now: Date, limit: number): Promise<DueTimer[]> {
  const rows = await store.prisma.timer.findMany({
    where: { firedAt: null, dueAt: { lte: now } },
    orderBy: { dueAt: 'asc' },
    take: limit,
    select: { id: true, kind: true },
  });
  return rows.map(({ id, kind }) => ({ id, kind: kind as TimerKind }));
}

/** When the next timer is due; undefined when nothing is waited for. */
export async function nextDueAt(store: Store): Promise<Date | undefined> {
  const where = { firedAt: null, dueAt: { not: null } };
  const row = await store.prisma.timer.findFirst({ where, orderBy: { dueAt: 'asc' }, select: { dueAt: true } });
  return row?.dueAt ?? undefined;
}

/** The orders that a timer concerns, not locked; none where it is about an MPPS that performs nothing known. */
export async function ordersOfTimer(tx: Tx, id: number): Promise<number[]> {
  const rows = await tx.$queryRaw<{ orderId: number }[]>`
    SELECT t."orderId" FROM "Timer" t WHERE t.id = ${id} AND t."orderId" IS NOT NULL
    UNION
    SELECT r."orderId" FROM "Timer" t JOIN "RequestedProcedure" r ON r.id = t."procedureId" WHERE t.id = ${id}
    UNION
    SELECT r."orderId" FROM "Timer" t
    JOIN "ScheduledProcedureStep" s ON s.id = t."stepId"
    JOIN "RequestedProcedure" r ON r.id = s."procedureId" WHERE t.id = ${id}
    UNION
    SELECT r."orderId" FROM "Timer" t
    JOIN "PerformedStepLink" l ON l."performedStepId" = t."performedStepId"
    JOIN "ScheduledProcedureStep" s ON s.id = l."stepId"
    JOIN "RequestedProcedure" r ON r.id = s."procedureId" WHERE t.id = ${id}
    UNION
    SELECT r."orderId" FROM "Timer" t
    JOIN "EvidenceLink" e ON e."performedStepId" = t."performedStepId"
    JOIN "RequestedProcedure" r ON r.id = e."procedureId" WHERE t.id = ${id}
    ORDER BY 1`;
  return rows.map(({ orderId }) => orderId);
}

/** A timer that is locked and still pending. */
export interface PendingTimer {
  readonly id: number;
  readonly kind: TimerKind;
  /** Database id of the step, performed step, procedure or order. */
  readonly about: number;
  /** SOP Instance UID of the performed step, where it is about one. */
  readonly sopInstanceUid: string | undefined;
  readonly effect: string | null;
}

/** Locks a timer that is due; undefined when it has fired, has gone or was put off meanwhile. Its orders are locked before. */
export async function lockDueTimer(tx: Tx, id: number, now: Date): Promise<PendingTimer | undefined> {
  await tx.$queryRaw`SELECT id FROM "Timer" WHERE id = ${id} FOR UPDATE`;
  const where = { id, firedAt: null, dueAt: { lte: now } };
  const row = await tx.timer.findFirst({ where, include: { performedStep: { select: { sopInstanceUid: true } } } });
  if (!row) return undefined;
  const kind = row.kind as TimerKind;
  const { effect, performedStep } = row;
  return { id, kind, about: row[subjects[kind]] ?? 0, sopInstanceUid: performedStep?.sopInstanceUid, effect };
}

/** Changes a locked timer: it fires, or is pending once more. */
export async function changeTimer(
  tx: Tx,
  id: number,
  change: Partial<Span> & { readonly firedAt?: Date | null; readonly effect?: string },
): Promise<void> {
  await tx.timer.update({ where: { id }, data: change });
}

/** Removes a locked timer for which nothing is waited any more. */
export async function removeTimer(tx: Tx, id: number): Promise<void> {
  await tx.timer.delete({ where: { id } });
}

/** Puts off what could not be done, so that it does not hold up what else is due. */
export async function putOffTimer(store: Store, id: number, dueAt: Date): Promise<void> {
  await store.prisma.timer.updateMany({ where: { id, firedAt: null }, data: { dueAt } });
}

/** Whether the department itself has ended an MPPS that its modality did not end. */
export async function endedByTimer(tx: Tx, performedStepId: number): Promise<boolean> {
  return (await tx.timer.count({ where: { performedStepId, effect: 'discontinue' } })) > 0;
}

/**
 * Whether something was performed that may be what a procedure waits for (images or an MPPS of its study, an examination
 * of its patient that is not bound to an order yet), or its patient is there for something else. The patient is locked.
 */
export async function hasTraces(
  tx: Tx,
  { studyInstanceUid, patientId }: { readonly studyInstanceUid: string; readonly patientId: number },
): Promise<boolean> {
  const found =
    (await tx.performedProcedureStep.findFirst({
      where: { studyInstanceUids: { has: studyInstanceUid } },
      select: { id: true },
    })) ??
    (await tx.instanceAvailability.findFirst({ where: { studyInstanceUid }, select: { sopInstanceUid: true } })) ??
    (await tx.order.findFirst({ where: { patientId, unreconciled: true, endedBy: null }, select: { id: true } })) ??
    (await tx.scheduledProcedureStep.findFirst({
      where: { stepStatus: { in: ['ARRIVED', 'READY', 'STARTED'] }, procedure: { order: { patientId } } },
      select: { id: true },
    }));
  return found !== null;
}

/** What was asked of the placer by SN is still in its lane. */
export async function isRequestPending(tx: Tx, orderId: number): Promise<boolean> {
  const where = { orderId, effect: 'requestOrderNumber', deliveryStatus: 'PENDING' as const };
  return (await tx.delivery.count({ where })) > 0;
}

/** Puts the pending timers of a kind as the settings say now: due so long after `since`, or never. */
export async function setAge(store: Store, kind: TimerKind, after: number | undefined): Promise<void> {
  const age = after === undefined ? null : after / 1000;
  await store.prisma.$executeRaw`
    UPDATE "Timer" SET "dueAt" = since + make_interval(secs => ${age}::float8)
    WHERE kind = ${kind} AND "firedAt" IS NULL
      AND "dueAt" IS DISTINCT FROM since + make_interval(secs => ${age}::float8)`;
}

/** A pending timer of a step, and when the step starts. */
export interface StepTimer {
  readonly id: number;
  readonly waitsFrom: Date;
  readonly since: Date;
  readonly start: LocalDateTime;
}

/** Pending timers of steps behind an id, in the order of their ids. */
export async function stepTimers(store: Store, behind: number, limit: number): Promise<StepTimer[]> {
  const rows = await store.prisma.timer.findMany({
    where: { id: { gt: behind }, kind: 'stepNotStarted', firedAt: null },
    orderBy: { id: 'asc' },
    take: limit,
    include: { step: { select: { startDate: true, startTime: true } } },
  });
  return rows.flatMap(({ id, waitsFrom, since, step }) =>
    step ? [{ id, waitsFrom, since, start: { date: dateOf(step.startDate), time: timeOf(step.startTime) } }] : [],
  );
}

/** Puts the start of a pending timer right, unless somebody has moved it since. */
export async function correctSince(store: Store, { id, since }: StepTimer, right: Date): Promise<void> {
  await store.prisma.timer.updateMany({ where: { id, since, firedAt: null }, data: { since: right } });
}
