import { type LocalDateTime, instantOf } from '../platform/clock.ts';
import type { StoredOrder } from '../store/orders.ts';
import type { Tx } from '../store/prisma.ts';
import type { StoredProcedure } from '../store/procedures.ts';
import { type Span, addTimers, endTimers } from '../store/timers.ts';
import type { StoredMachine } from '../workflow/procedure-machine.ts';
import { type TimerKind, waitsForStart } from '../workflow/timers.ts';
import type { Department } from './department.ts';

/** What an order waits for, by its state: compared before and after, it says which timers are made and ended. */
export interface Waits {
  /** Steps that are to be started, by database id: when, and how far their patient is. */
  readonly steps: ReadonlyMap<number, { readonly start: LocalDateTime; readonly stepStatus: string }>;
  /** The order placer is to number it (RAD-3 SN). */
  readonly number: boolean;
}

export const waitsForNothing: Waits = { steps: new Map(), number: false };

interface Standing {
  readonly order: StoredOrder;
  readonly procedures: readonly { readonly stored: StoredProcedure; readonly machine: StoredMachine }[];
}

/** What was performed without an order waits for nothing but a person. */
export function waitsOf({ order, procedures }: Standing): Waits {
  const steps = procedures.flatMap(({ stored, machine }) =>
    stored.steps.filter(({ stepStatus }) => waitsForStart(machine, stepStatus)),
  );
  return {
    steps: new Map((order.unreconciled ? [] : steps).map(({ id, start, stepStatus }) => [id, { start, stepStatus }])),
    number: order.numberPending && order.endedBy === undefined,
  };
}

/** The transaction that begins or ends the waiting. */
export interface Within {
  readonly tx: Tx;
  readonly department: Pick<Department, 'config'>;
  /** When timers that it made are due; who waits for them hears of it after the commit. */
  readonly dueTimers: Date[];
}

/** When a timer of a kind is due whose age counts from an instant. */
export function spanOf({ config }: Within['department'], kind: TimerKind, since: Date): Span {
  const { after, effect } = config.timers[kind];
  return { since, dueAt: effect === 'none' ? null : new Date(since.getTime() + after) };
}

/** The age of a step that is not started counts from its start, or from when it began to wait where that is later. */
export function sinceStart({ config }: Within['department'], start: LocalDateTime, waitsFrom: Date): Date {
  const startsAt = instantOf(start, config.organisation.timeZone);
  return startsAt.getTime() > waitsFrom.getTime() ? startsAt : waitsFrom;
}

/** From now on something is waited for, anew where it was waited for before. */
export async function beginWaiting(
  within: Within,
  kind: TimerKind,
  waits: readonly { readonly about: number; readonly since: Date }[],
  at: Date,
): Promise<void> {
  const { tx, department, dueTimers } = within;
  const timers = waits.map(({ about, since }) => ({ kind, about, waitsFrom: at, ...spanOf(department, kind, since) }));
  await addTimers(tx, timers);
  dueTimers.push(...timers.flatMap(({ dueAt }) => dueAt ?? []));
}

/** An order that is being saved: what it waited for, and what it waits for now. */
interface Saved {
  readonly orderId: number;
  readonly before: Waits;
  readonly now: Waits;
  readonly at: Date;
}

/** Steps to start and numbers to come: their timers begin and end with the state of the order, by the same commit. */
export async function followWaits(within: Within, { orderId, before, now, at }: Saved): Promise<void> {
  const { tx, department } = within;
  const same = (id: number): boolean => JSON.stringify(before.steps.get(id)) === JSON.stringify(now.steps.get(id));
  const ended = [...before.steps.keys()].filter((id) => !same(id));
  const begun = [...now.steps].filter(([id]) => !same(id));
  await endTimers(tx, 'stepNotStarted', ended, at);
  const steps = begun.map(([about, { start }]) => ({ about, since: sinceStart(department, start, at) }));
  await beginWaiting(within, 'stepNotStarted', steps, at);
  if (before.number && !now.number) await endTimers(tx, 'orderNumberNotAssigned', [orderId], at);
  if (now.number && !before.number)
    await beginWaiting(within, 'orderNumberNotAssigned', [{ about: orderId, since: at }], at);
}
