import { type LocalDateTime, plusSeconds, secondsBetween } from '../platform/clock.ts';
import { SwfError } from '../platform/errors.ts';
import { orderStatusOf } from '../workflow/order-status.ts';
import type { PlacerOrder } from '../workflow/vocabulary.ts';
import { changeOrder } from '../store/orders.ts';
import { type StoredStep, moveStep } from '../store/procedures.ts';
import { type Cause, type HeldOrder, type HeldProcedure, type Unit, send } from './unit-of-work.ts';

/** What the states of an order's procedures mean for those who want to change it. */
export function orderStatusNow(held: HeldOrder) {
  return orderStatusOf(held.procedures.map((procedure) => procedure.machine.value.acquisition));
}

const stateOf = (procedure: HeldProcedure) => procedure.machine.value.acquisition;

/** Something of the order was begun or done: it can no longer be cancelled. */
export function hasStarted(held: HeldOrder): boolean {
  return held.procedures.some((procedure) => ['inProgress', 'completed'].includes(stateOf(procedure)));
}

/** Every procedure of the order has ended. */
export function hasEnded(held: HeldOrder): boolean {
  return ['CM', 'DC', 'CA'].includes(orderStatusNow(held));
}

const endedStates = ['completed', 'discontinued', 'cancelled'];

/** Ends an order: what has not begun is cancelled, what is under way discontinued, what is done stays done. */
export async function endOrder(
  unit: Unit,
  held: HeldOrder,
  ending: { readonly by: 'placer' | 'filler'; readonly cause: Cause },
): Promise<void> {
  for (const procedure of held.procedures) {
    const state = stateOf(procedure);
    if (endedStates.includes(state)) continue;
    send(procedure, { type: state === 'inProgress' ? 'discontinue' : 'cancel' }, ending.cause);
  }
  await changeOrder(unit.tx, held.order.id, { endedBy: ending.by, alarm: null });
  held.order = { ...held.order, endedBy: ending.by };
}

/** Where a step is to be; what is left out stays. */
export interface Placement {
  /** Undefined: every step that has not begun, moved together. */
  readonly step?: string | undefined;
  readonly start?: LocalDateTime | undefined;
  readonly station?: string | undefined;
}

/** The step has not begun. */
export const canMove = (step: StoredStep): boolean => ['SCHEDULED', 'ARRIVED', 'READY'].includes(step.stepStatus);

/** The steps that a placement concerns. Throws 'unknown-key' for a step of another procedure. */
export function stepsToMove(procedure: HeldProcedure, { step }: Placement): StoredStep[] {
  const { steps } = procedure.stored;
  if (step === undefined) return steps.filter(canMove);
  const named = steps.filter((one) => one.scheduledProcedureStepId === step);
  if (named.length > 0) return named;
  throw new SwfError('unknown-key', 'the procedure has no step with this scheduled procedure step ID');
}

/** Moves steps in time, keeping their distances, and to another station; the rows follow, the event is the caller's. */
export async function moveSteps(
  unit: Unit,
  procedure: HeldProcedure,
  steps: readonly StoredStep[],
  { start, station }: Placement,
): Promise<void> {
  const first = [...steps].sort((a, b) => secondsBetween(b.start, a.start))[0];
  if (!first) return;
  const seconds = start ? secondsBetween(first.start, start) : 0;
  const moved = new Map<number, StoredStep>();
  for (const step of steps) {
    const scheduledStationAeTitles = station === undefined ? step.scheduledStationAeTitles : [station];
    const after = { ...step, start: plusSeconds(step.start, seconds), scheduledStationAeTitles };
    await moveStep(unit.tx, step.id, after);
    moved.set(step.id, after);
  }
  procedure.stored = {
    ...procedure.stored,
    steps: procedure.stored.steps.map((step) => moved.get(step.id) ?? step),
  };
}

/** Moves the steps of a procedure that have not begun and tells its machine; false where none can be moved. */
export async function reschedule(
  unit: Unit,
  procedure: HeldProcedure,
  placement: Placement,
  cause: Cause,
): Promise<boolean> {
  const steps = stepsToMove(procedure, placement);
  const movedSteps = steps.map((step) => step.scheduledProcedureStepId);
  const allowed = send(procedure, { type: 'reschedule', movedSteps }, cause);
  if (allowed) await moveSteps(unit, procedure, steps, placement);
  return allowed;
}

/** Writes an order's content anew. */
export async function rewriteOrder(unit: Unit, held: HeldOrder, details: PlacerOrder): Promise<void> {
  await changeOrder(unit.tx, held.order.id, { details });
  held.order = { ...held.order, details };
}
