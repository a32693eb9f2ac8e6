import type { ProcedureEvent } from './procedure-events.ts';
import { type StoredMachine, isAllowed } from './procedure-machine.ts';
import type { StepStatus } from './vocabulary.ts';

/** What staff do with a requested procedure, by the word for it. */
export const procedureActions = [
  'schedule',
  'reschedule',
  'cancel',
  'hold',
  'release',
  'no-show',
  'arrive',
  'depart',
  'decide',
  'discontinue',
  'change',
  'reorder',
] as const;

export type ProcedureAction = (typeof procedureActions)[number];

/** What the machine of the procedure alone allows or refuses. */
type MachineAction = Exclude<ProcedureAction, 'reorder'>;

/** The steps that an action concerns where nobody names one, by their statuses. */
export const stepsConcerned = {
  reschedule: ['SCHEDULED', 'ARRIVED', 'READY', 'DEPARTED'],
  arrive: ['SCHEDULED', 'DEPARTED'],
  depart: ['ARRIVED', 'READY', 'STARTED'],
  decide: ['STARTED'],
} as const satisfies { readonly [action in ProcedureAction]?: readonly StepStatus[] };

/** A procedure as far as it decides what staff may do with it. */
export interface ActedProcedure {
  readonly machine: StoredMachine;
  /** Somebody has ordered it: what was performed unscheduled and is not bound yet was not. */
  readonly ordered: boolean;
  /** The machines of every procedure of its order, its own among them. */
  readonly ofOrder: readonly StoredMachine[];
}

/** A report says that the examination took place, whether or not its modality sends MPPS. */
export const isReported = ({ value }: StoredMachine): boolean => !['none', 'cancelled'].includes(value.report);

/** Something is left of an order, and nothing of it has begun: another one can take its place (RAD TF-1 3.3.3). */
export function canReorder(ofOrder: readonly StoredMachine[]): boolean {
  const begun = ofOrder.some(
    (one) => ['inProgress', 'completed', 'discontinued'].includes(one.value.acquisition) || isReported(one),
  );
  return !begun && ofOrder.some(({ value }) => value.acquisition !== 'cancelled');
}

function eventOf(action: MachineAction, movedSteps: readonly string[]): ProcedureEvent {
  switch (action) {
    case 'schedule':
      // Whom it is announced to does not decide whether it may be scheduled, as long as there is somebody.
      return { type: action, destinations: ['anybody'] };
    case 'no-show':
      return { type: 'hold', noShow: true };
    case 'decide':
      return { type: action, movedSteps, decided: 'repeated' };
    case 'reschedule':
    case 'arrive':
    case 'depart':
      return { type: action, movedSteps };
    default:
      return { type: action };
  }
}

function stepsOf({ context }: StoredMachine, action: MachineAction): string[] {
  const statuses: readonly StepStatus[] = action in stepsConcerned ? stepsConcerned[action as 'arrive'] : [];
  return Object.entries(context.steps)
    .filter(([, { stepStatus }]) => statuses.includes(stepStatus))
    .map(([id]) => id)
    .sort();
}

/** Nobody may hear of what nobody has ordered, nor lose it; what is reported has taken place. */
function isForbidden({ machine, ordered }: ActedProcedure, action: ProcedureAction): boolean {
  if (action === 'cancel' && isReported(machine)) return true;
  return !ordered && ['cancel', 'schedule', 'reorder'].includes(action);
}

/** How an action is possible now. */
export interface PossibleAction {
  readonly action: ProcedureAction;
  /** The scheduled procedure step ID that has to be named, where it is not possible for all that it concerns at once. */
  readonly step?: string;
}

/** Whether a procedure may be acted on like this now, asked of its machine; undefined where it may not. */
export function possible(procedure: ActedProcedure, action: ProcedureAction): PossibleAction | undefined {
  const { machine } = procedure;
  if (isForbidden(procedure, action)) return undefined;
  if (action === 'reorder') return canReorder(procedure.ofOrder) ? { action } : undefined;
  const steps = stepsOf(machine, action);
  if (isAllowed(machine, eventOf(action, steps))) return { action };
  const step = steps.find((one) => isAllowed(machine, eventOf(action, [one])));
  return step === undefined ? undefined : { action, step };
}
