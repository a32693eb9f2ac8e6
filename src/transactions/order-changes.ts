import { type LocalDateTime, plusSeconds, secondsBetween } from '../platform/clock.ts';
import { SwfError } from '../platform/errors.ts';
import { isReported as isReportedMachine, stepsConcerned } from '../workflow/staff-actions.ts';
import type { PlacerOrder } from '../workflow/vocabulary.ts';
import { changeOrder } from '../store/orders.ts';
import { type StoredStep, moveStep } from '../store/procedures.ts';
import {
  type Cause,
  type HeldOrder,
  type HeldProcedure,
  type Unit,
  orderStatusNow,
  send,
  stateOf,
} from './unit-of-work.ts';

/** A report says that it took place. */
export const isReported = ({ machine }: HeldProcedure): boolean => isReportedMachine(machine);

/** Something of the order was begun, done or reported: it can no longer be cancelled. */
export function hasStarted(held: HeldOrder): boolean {
  return held.procedures.some(
    (procedure) => ['inProgress', 'completed'].includes(stateOf(procedure)) || isReported(procedure),
  );
}

/** The status as its placer hears it again: what RAD-3 has said of what was done is not taken back. */
export function orderStatusToRepeat(held: HeldOrder) {
  const status = orderStatusNow(held);
  const { reportedOrderStatus: told } = held.order;
  if (told === 'CM' && ['SC', 'HD', 'IP'].includes(status)) return told;
  return told === 'A' && status === 'IP' ? told : status;
}

/** It has ended, or is reported: nothing is left that could be cancelled or discontinued. */
const isOver = (procedure: HeldProcedure): boolean =>
  endedStates.includes(stateOf(procedure)) || (stateOf(procedure) !== 'inProgress' && isReported(procedure));

/** Nothing of the order is left to be ended. */
export function isDone(held: HeldOrder): boolean {
  return held.procedures.every(isOver);
}

const endedStates = ['completed', 'discontinued', 'cancelled'];

/** Ends an order: what has not begun is cancelled, what is under way discontinued, what is done stays done. */
export async function endOrder(
  unit: Unit,
  held: HeldOrder,
  ending: { readonly by: 'placer' | 'filler'; readonly cause: Cause },
): Promise<void> {
  for (const procedure of held.procedures) {
    if (isOver(procedure)) continue;
    send(procedure, { type: stateOf(procedure) === 'inProgress' ? 'discontinue' : 'cancel' }, ending.cause);
  }
  await markEnded(unit, held, ending.by);
}

/** Keeps who ended an order; nothing is left that a person had to see to. */
export async function markEnded(unit: Unit, held: HeldOrder, endedBy: 'placer' | 'filler'): Promise<void> {
  await changeOrder(unit.tx, held.order.id, { endedBy, alarm: null });
  held.order = { ...held.order, endedBy };
}

/** Where a step is to be; what is left out stays. */
export interface Placement {
  /** Undefined: every step that has not begun, moved together. */
  readonly step?: string | undefined;
  readonly start?: LocalDateTime | undefined;
  readonly station?: string | undefined;
  /** (0040,0011) */
  readonly location?: string | undefined;
}

/** The step has not begun. */
export const canMove = ({ stepStatus }: StoredStep): boolean =>
  stepsConcerned.reschedule.some((status) => status === stepStatus);

/** The steps that a placement concerns. Throws 'unknown-key' for a step of another procedure. */
export function stepsToMove(procedure: HeldProcedure, { step }: Placement): StoredStep[] {
  const { steps } = procedure.stored;
  return step === undefined ? steps.filter(canMove) : stepNamed(procedure, step);
}

/** The step that a person names. Throws 'unknown-key' for one of another procedure. */
export function stepNamed({ stored }: HeldProcedure, step: string): StoredStep[] {
  const named = stored.steps.filter((one) => one.scheduledProcedureStepId === step);
  if (named.length > 0) return named;
  throw new SwfError('unknown-key', 'the procedure has no step with this scheduled procedure step ID');
}

/** A step at one station; the name and place of another one are not its own any more. */
function atStation(step: StoredStep, station: string): StoredStep {
  const { stationName: _name, location: _location, ...rest } = step;
  return { ...(step.scheduledStationAeTitles.includes(station) ? step : rest), scheduledStationAeTitles: [station] };
}

/** Steps moved in time, keeping their distances, and to another station or place. */
function placed(steps: readonly StoredStep[], { start, station, location }: Placement): StoredStep[] {
  const first = [...steps].sort((a, b) => secondsBetween(b.start, a.start))[0];
  const seconds = start && first ? secondsBetween(first.start, start) : 0;
  return steps.map((step) => ({
    ...(station === undefined ? step : atStation(step, station)),
    ...(location === undefined ? {} : { location }),
    start: plusSeconds(step.start, seconds),
  }));
}

/** Moves steps in time, and to another station or place; the rows follow, the event is the caller's. */
export async function moveSteps(
  unit: Unit,
  procedure: HeldProcedure,
  steps: readonly StoredStep[],
  placement: Placement,
): Promise<void> {
  const moved = new Map(placed(steps, placement).map((step) => [step.id, step]));
  for (const step of moved.values()) await moveStep(unit.tx, step.id, step);
  procedure.stored = {
    ...procedure.stored,
    steps: procedure.stored.steps.map((step) => moved.get(step.id) ?? step),
  };
}

/** The steps for which the patient has to come again: on another day, or anew after he had left. */
function awaitedAgain(steps: readonly StoredStep[], placement: Placement): string[] {
  if (placement.start === undefined) return [];
  const days = new Map(placed(steps, placement).map(({ id, start }) => [id, start.date]));
  return steps
    .filter(({ id, start, stepStatus }) => stepStatus === 'DEPARTED' || days.get(id) !== start.date)
    .map((step) => step.scheduledProcedureStepId);
}

/** For who did not come another appointment takes the hold off; any other hold is for somebody to take off. */
export function takeOffNoShow(procedure: HeldProcedure, cause: Cause): void {
  if (procedure.machine.context.noShow) send(procedure, { type: 'release' }, cause);
}

/**
 * Moves the steps of a procedure that have not begun and tells its machine; false where none can be moved. Whoever gives
 * another time, for who did not come it is another appointment.
 */
export async function reschedule(
  unit: Unit,
  procedure: HeldProcedure,
  placement: Placement,
  cause: Cause,
): Promise<boolean> {
  const steps = stepsToMove(procedure, placement);
  const movedSteps = steps.map((step) => step.scheduledProcedureStepId);
  const awaited = awaitedAgain(steps, placement);
  const allowed = send(procedure, { type: 'reschedule', movedSteps, awaited }, cause);
  if (!allowed) return false;
  await moveSteps(unit, procedure, steps, placement);
  if (placement.start !== undefined) takeOffNoShow(procedure, cause);
  return true;
}

/** What moves by how much, and where to. */
export interface Shift {
  readonly seconds: number;
  readonly station?: string | undefined;
  readonly cause: Cause;
}

/** When the first step of several procedures that has not begun starts. */
export function firstStart(procedures: readonly HeldProcedure[]): LocalDateTime | undefined {
  const starts = procedures.flatMap(({ stored }) => stored.steps.filter(canMove).map(({ start }) => start));
  return starts.sort((a, b) => secondsBetween(b, a))[0];
}

/** Moves what has not begun of a procedure by so many seconds, or to another station; false where nothing can be moved. */
export async function shift(
  unit: Unit,
  procedure: HeldProcedure,
  { seconds, station, cause }: Shift,
): Promise<boolean> {
  const first = firstStart([procedure]);
  if (!first) return false;
  const start = seconds === 0 ? undefined : plusSeconds(first, seconds);
  return reschedule(unit, procedure, { start, station }, cause);
}

/** The station where the sender may say it: where the catalogue has the service, it says it (contract of the site file). */
export function stationFor(unit: Unit, held: HeldOrder, stations: readonly string[] | undefined): string | undefined {
  const { code } = held.order.details.service;
  const planned = unit.department.config.catalogue.some((entry) => entry.service.code === code);
  return planned ? undefined : stations?.[0];
}

/** Writes an order's content anew. */
export async function rewriteOrder(unit: Unit, held: HeldOrder, details: PlacerOrder): Promise<void> {
  await changeOrder(unit.tx, held.order.id, { details });
  held.order = { ...held.order, details };
}
