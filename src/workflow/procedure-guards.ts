import { isOpen } from './mpps-rules.ts';
import {
  type ProcedureContext,
  type StepFacts,
  acquisitionComplete,
  acquisitionDiscontinued,
  nothingPerformed,
  reduce,
} from './procedure-context.ts';
import { type ProcedureEvent } from './procedure-events.ts';

/** What a guard is asked: the context before the event, and the event. */
export interface Guarded {
  readonly context: ProcedureContext;
  readonly event: ProcedureEvent;
}

export type Guard = (guarded: Guarded) => boolean;

/** The context as the event would leave it. */
export const after = ({ context, event }: Guarded): ProcedureContext => reduce(context, event);

/** The steps that an MPPS event names belong to this procedure and are open. */
export const stepsAreOpen = ({ context, event }: Guarded): boolean =>
  'steps' in event &&
  event.steps.length > 0 &&
  event.steps.every((id) => isOpen(context.steps[id]?.stepStatus ?? 'CANCELLED'));

/** They are open, or completed and performed further (append case). */
export const stepsCanBePerformed = ({ context, event }: Guarded): boolean =>
  'steps' in event &&
  event.steps.length > 0 &&
  event.steps.every((id) => {
    const stepStatus = context.steps[id]?.stepStatus ?? 'CANCELLED';
    return isOpen(stepStatus) || stepStatus === 'COMPLETED';
  });

/** The MPPS was accepted for these steps before. */
export const isPerforming = ({ context, event }: Guarded): boolean =>
  'performedStep' in event &&
  event.steps.some((id) => context.steps[id]?.performedSteps[event.performedStep] === 'IN PROGRESS');

/** The MPPS ends the acquisition: done. */
export const completes = (guarded: Guarded): boolean => isPerforming(guarded) && acquisitionComplete(after(guarded));

/** The MPPS ends the acquisition: nothing was completed. */
export const ends = (guarded: Guarded): boolean => isPerforming(guarded) && acquisitionDiscontinued(after(guarded));

/** The MPPS was begun under the wrong worklist entry, and nothing else was performed. */
export const isUndone = (guarded: Guarded): boolean => isPerforming(guarded) && nothingPerformed(after(guarded));

/** The same, where the acquisition had been begun from this state. */
export const isUndoneFrom =
  (state: 'planned' | 'held'): Guard =>
  (guarded) =>
    isUndone(guarded) && guarded.context.begunFrom === state;

/** What was ordered is wrong, and nothing else was performed. */
export const waitsForCorrection = (guarded: Guarded): boolean =>
  guarded.event.type === 'performedStepDiscontinued' && guarded.event.effect === 'holds' && isUndone(guarded);

/** A hold of somebody's own, on what is on hold since the patient did not come. */
export const holdsNoShow = ({ context, event }: Guarded): boolean =>
  event.type === 'hold' && context.noShow === true && event.noShow === undefined;

const movable = new Set(['SCHEDULED', 'ARRIVED', 'READY', 'DEPARTED']);

/** The steps that staff name belong to this procedure and have not begun. */
export const stepsCanMove = ({ context, event }: Guarded): boolean =>
  'movedSteps' in event &&
  event.movedSteps.length > 0 &&
  event.movedSteps.every((id) => movable.has(context.steps[id]?.stepStatus ?? ''));

const named = ({ event }: Guarded): readonly string[] => ('movedSteps' in event ? event.movedSteps : []);

/** The steps that are named wait for the patient, or he had left. */
export const patientArrives = (guarded: Guarded): boolean =>
  named(guarded).length > 0 &&
  named(guarded).every((id) => ['SCHEDULED', 'DEPARTED'].includes(guarded.context.steps[id]?.stepStatus ?? ''));

/** It was begun, nothing of it goes on, and what was performed of it was discontinued for a person to decide. */
const isUndecided = (facts: StepFacts | undefined): boolean =>
  facts?.stepStatus === 'STARTED' && !Object.values(facts.performedSteps).includes('IN PROGRESS');

/** The patient was there, and nothing is being performed of the steps that are named. */
export const patientDeparts = (guarded: Guarded): boolean =>
  named(guarded).length > 0 &&
  named(guarded).every((id) => {
    const facts = guarded.context.steps[id];
    return ['ARRIVED', 'READY'].includes(facts?.stepStatus ?? '') || isUndecided(facts);
  });

/** The steps that are named wait for a person to say what their discontinued MPPS mean. */
export const waitsForDecision = (guarded: Guarded): boolean =>
  named(guarded).length > 0 && named(guarded).every((id) => isUndecided(guarded.context.steps[id]));

/** A person's word ends the acquisition. */
export const completedByDecision: Guard = (guarded) => waitsForDecision(guarded) && acquisitionComplete(after(guarded));

/** A person's word leaves nothing that was performed; where the acquisition had been begun from this state. */
export const undoneTo =
  (state: 'planned' | 'held' | 'scheduled', permitted: Guard): Guard =>
  (guarded) =>
    permitted(guarded) && nothingPerformed(after(guarded)) && (guarded.context.begunFrom ?? 'scheduled') === state;

/** The peer was told; what it has acknowledged it cannot refuse any more. */
export const isAnnounced = ({ context, event }: Guarded): boolean =>
  (event.type === 'procedureScheduledConfirmed' && event.confirmation.peer in context.announcements) ||
  (event.type === 'procedureScheduledRefused' &&
    event.peer in context.announcements &&
    context.announcements[event.peer] !== 'confirmed');
