import { settleExceptions } from '../store/performed-steps.ts';
import { type StoredStep, markCatalogued, recodeProcedure } from '../store/procedures.ts';
import { plannedProcedureOf } from '../workflow/planning.ts';
import { stepsConcerned } from '../workflow/staff-actions.ts';
import type { CodedValue, StepStatus } from '../workflow/vocabulary.ts';
import type { Actor, StepPlacement } from './actions.ts';
import { type Department, placerOf } from './department.ts';
import { canMove, isReported, markEnded, moveSteps, reschedule, stepNamed, stepsToMove } from './order-changes.ts';
import { scheduling } from './order-creation.ts';
import { act, notOrdered, refuse } from './procedure-action.ts';
import { type HeldOrder, type HeldProcedure, type Unit, orderStatusNow, send, stateOf } from './unit-of-work.ts';

/** XX to a placer that asks for it: the department has changed its order (RAD TF-2 4.3). */
function tellOfChange(unit: Unit, held: HeldOrder): void {
  const placer = placerOf(unit.department.config, held.order);
  const wanted = placer?.sends.orderControls.includes('XX') ?? false;
  if (wanted && held.order.placerOrderNumber !== undefined) held.announcements.push({ name: 'changeOrder' });
}

/** Puts a planned procedure on the worklist and announces it (RAD-4, RAD-48). */
export async function scheduleProcedure(
  department: Department,
  id: string,
  placement: StepPlacement,
  actor: Actor,
): Promise<void> {
  await act(department, id, actor, async (unit, acting) => {
    const { procedure, held, cause } = acting;
    if (held.order.unreconciled) return refuse(acting, 'schedule', notOrdered);
    const planned = stateOf(procedure) === 'planned';
    if (planned) await moveSteps(unit, procedure, stepsToMove(procedure, placement), placement);
    // Behind planned, schedule is still allowed where a modality began before anybody had announced the procedure.
    return send(procedure, scheduling(department), cause);
  });
}

/** Moves steps that have not begun in time or to another station (RAD-13 XO/SC, RAD-48 S13). */
export async function rescheduleProcedure(
  department: Department,
  id: string,
  placement: StepPlacement,
  actor: Actor,
): Promise<void> {
  await act(department, id, actor, async (unit, { procedure, held, cause }) => {
    const moved = await reschedule(unit, procedure, placement, cause);
    if (moved) tellOfChange(unit, held);
    return moved;
  });
}

/** Cancels a procedure that has not begun (RAD-13 CA/CA, RAD-48 S15); with the last of its order RAD-3 OC. */
export async function cancelProcedure(department: Department, id: string, actor: Actor): Promise<void> {
  await act(department, id, actor, async (unit, acting) => {
    const { procedure, held, cause } = acting;
    if (held.order.unreconciled) return refuse(acting, 'cancel', notOrdered);
    if (isReported(procedure)) return refuse(acting, 'cancel', 'the procedure is reported: that is not possible now');
    const allowed = send(procedure, { type: 'cancel' }, cause);
    if (allowed && orderStatusNow(held) === 'CA') await markEnded(unit, held, 'filler');
    return allowed;
  });
}

/** Takes a scheduled procedure off the worklist. */
export async function holdProcedure(department: Department, id: string, actor: Actor): Promise<void> {
  await act(department, id, actor, (_, { procedure, cause }) => send(procedure, { type: 'hold' }, cause));
}

/** Puts a procedure that was on hold back on the worklist. */
export async function releaseProcedure(department: Department, id: string, actor: Actor): Promise<void> {
  await act(department, id, actor, (_, { procedure, cause }) => send(procedure, { type: 'release' }, cause));
}

/** Steps that a person names, else those of these statuses. */
function stepsMeant(procedure: HeldProcedure, step: string | undefined, statuses: readonly StepStatus[]): StoredStep[] {
  if (step !== undefined) return stepNamed(procedure, step);
  return procedure.stored.steps.filter(({ stepStatus }) => statuses.includes(stepStatus));
}

const idsOf = (steps: readonly StoredStep[]): string[] => steps.map((one) => one.scheduledProcedureStepId);

/** The patient is there: steps of the procedure that wait for him, or the one that is named. */
export async function arriveProcedure(
  department: Department,
  id: string,
  step: string | undefined,
  actor: Actor,
): Promise<void> {
  await act(department, id, actor, (_, { procedure, cause }) => {
    const movedSteps = idsOf(stepsMeant(procedure, step, stepsConcerned.arrive));
    return send(procedure, { type: 'arrive', movedSteps }, cause);
  });
}

/** The patient has left without the examination: steps for which he had come, or the one that is named. */
export async function departProcedure(
  department: Department,
  id: string,
  step: string | undefined,
  actor: Actor,
): Promise<void> {
  await act(department, id, actor, async (unit, { procedure, cause }) => {
    const steps = stepsMeant(procedure, step, stepsConcerned.depart);
    const allowed = send(procedure, { type: 'depart', movedSteps: idsOf(steps) }, cause);
    if (allowed) await decided(unit, steps);
    return allowed;
  });
}

/** What a discontinued MPPS means whose reason leaves it to a person: it was enough, or its step is performed again. */
export async function decideProcedure(
  department: Department,
  id: string,
  said: { readonly decision: 'complete' | 'repeat'; readonly step?: string },
  actor: Actor,
): Promise<void> {
  await act(department, id, actor, async (unit, { procedure, cause }) => {
    const steps = stepsMeant(procedure, said.step, stepsConcerned.decide);
    const answer = said.decision === 'complete' ? 'accepted' : 'repeated';
    const allowed = send(procedure, { type: 'decide', movedSteps: idsOf(steps), decided: answer }, cause);
    if (allowed) await decided(unit, steps);
    return allowed;
  });
}

/** Somebody has looked at what was discontinued of these steps. */
const decided = ({ tx }: Unit, steps: readonly StoredStep[]): Promise<void> =>
  settleExceptions(
    tx,
    steps.map(({ id }) => id),
    ['discontinued', 'late-update'],
  );

/** The patient did not come: off the worklist until there is another appointment, or staff release it. */
export async function noteNoShow(department: Department, id: string, actor: Actor): Promise<void> {
  await act(department, id, actor, (_, { procedure, cause }) => send(procedure, { type: 'hold', noShow: true }, cause));
}

/** Ends a procedure that is under way (RAD-13 DC/CA, or XO/CM where part of it is done; RAD-3 SC/DC with the last). */
export async function discontinueProcedure(department: Department, id: string, actor: Actor): Promise<void> {
  await act(department, id, actor, async (unit, { procedure, held, cause }) => {
    const allowed = send(procedure, { type: 'discontinue' }, cause);
    if (allowed && orderStatusNow(held) === 'DC') await markEnded(unit, held, 'filler');
    return allowed;
  });
}

/**
 * Another procedure than was planned, under the same study (RAD-13 XO/SC, after completion XO/CM). What the catalogue
 * has under that code says what the steps are, as long as none has begun and they are as many, of the same modalities.
 */
export async function changeProcedure(
  department: Department,
  id: string,
  code: CodedValue,
  actor: Actor,
): Promise<void> {
  await act(department, id, actor, async (unit, { procedure, held, cause }) => {
    if (!send(procedure, { type: 'change' }, cause)) return false;
    const planned = plannedProcedureOf(code, department.config.catalogue);
    const { steps } = procedure.stored;
    const fits =
      planned?.steps.length === steps.length &&
      steps.every((step, index) => canMove(step) && step.modality === planned.steps[index]?.modality);
    const contents = fits ? planned.steps : steps;
    procedure.stored = await recodeProcedure(unit.tx, procedure.stored, { ...planned?.code, ...code }, contents);
    if (planned) await markCatalogued(unit.tx, procedure.stored.id);
    tellOfChange(unit, held);
    return true;
  });
}
