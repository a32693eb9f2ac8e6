import { cameToNothing, nothingPerformed } from './procedure-context.ts';
import { type ActedProcedure, type PossibleAction, type ProcedureAction, possible } from './staff-actions.ts';
import type { PerformedProcedureStepStatus } from './vocabulary.ts';

/** What can be done about an exception: with a procedure of it, or with what it is about. */
export type ExceptionAction =
  ProcedureAction | 'match' | 'order' | 'reconcile' | 'resume' | 'retry' | 'skip' | 'settle';

/** What an exception is about, as far as it decides what can be done. */
export interface ExceptionFacts {
  readonly procedures: readonly ConcernedProcedure[];
  /** Status of the MPPS; undefined where it is about none. */
  readonly performed?: PerformedProcedureStepStatus | undefined;
  /** Undefined where it is about no message in a lane. */
  readonly delivery?: DeliveryFacts | undefined;
}

interface ConcernedProcedure extends ActedProcedure {
  readonly requestedProcedureId: string;
  /** Its patient is temporary and has a number, so that a person can say by it who he is. */
  readonly reconcilable: boolean;
}

export interface DeliveryFacts {
  readonly lanePaused: boolean;
  /** It asks the placer for a number (RAD-3 SN) that its order has by now, or has no use for any more. */
  readonly outlived: boolean;
}

type Rule = (facts: ExceptionFacts) => boolean;

interface ExceptionRow {
  readonly sentence: string;
  /** In the order in which they usually help. */
  readonly actions: readonly ExceptionAction[];
  /** Whether a person may close it because nothing else is to be done. */
  readonly settle: Rule;
}

const always: Rule = () => true;
const never: Rule = () => false;
const ended: Rule = ({ performed }) => performed !== 'IN PROGRESS';
const nothingToDecide: Rule = ({ procedures }) => !procedures.some((one) => possible(one, 'decide'));
/** What can neither be announced without the number nor cancelled is done: the number alone is missing. */
const nothingToAnnounce: Rule = ({ procedures }) =>
  !procedures.some((one) => possible(one, 'schedule') ?? possible(one, 'cancel'));
const nothingPlanned: Rule = ({ procedures }) =>
  !procedures.some(({ machine }) => machine.value.acquisition === 'planned');

/** Every reason for a person to look at something: the first ones are those that an MPPS can have. */
export const exceptionKinds = {
  unscheduled: {
    sentence: 'A modality performed it without an order: bind it to one, or order it.',
    actions: ['match', 'order', 'reconcile', 'settle'],
    settle: ended,
  },
  'unknown-patient': {
    sentence: 'A modality named a patient whom nobody had registered or ordered for: whose is it?',
    actions: ['reconcile', 'match', 'order', 'settle'],
    settle: ended,
  },
  'number-in-use': {
    sentence: 'A modality used a number of the list of temporary patients that is somebody else’s: whose is it?',
    actions: ['match', 'order', 'settle'],
    settle: ended,
  },
  'patient-differs': {
    sentence: 'The patient whose examination it is taken to be has another number, or is called otherwise.',
    actions: ['match', 'order', 'reconcile', 'settle'],
    settle: always,
  },
  'no-open-step': {
    sentence: 'An MPPS names a step or study of which nothing was left to be performed, as of a cancelled order.',
    actions: ['settle'],
    settle: always,
  },
  'already-started': {
    sentence: 'Two modalities, or two MPPS, performed one scheduled step at the same time.',
    actions: ['settle'],
    settle: always,
  },
  discontinued: {
    sentence: 'A modality discontinued it.',
    actions: ['decide', 'reschedule', 'release', 'change', 'reorder', 'depart', 'discontinue', 'cancel', 'settle'],
    settle: nothingToDecide,
  },
  'wrong-entry': {
    sentence: 'It was begun under the wrong worklist entry: its step waits again, the images belong to somebody else.',
    actions: ['reschedule', 'hold', 'release', 'cancel', 'settle'],
    settle: always,
  },
  'procedure-ended': {
    sentence: 'An MPPS ended after its procedure had been cancelled or discontinued: there may be images.',
    actions: ['settle'],
    settle: always,
  },
  'late-update': {
    sentence: 'A modality went on with what the department had ended for it: decide by what it said last.',
    actions: ['decide', 'reschedule', 'discontinue', 'settle'],
    settle: nothingToDecide,
  },
  'delivery-refused': {
    sentence: 'A peer refused a message.',
    actions: ['resume', 'retry', 'skip', 'reconcile'],
    settle: never,
  },
  'order-alarm': {
    sentence: 'An order needs a person.',
    actions: ['schedule', 'cancel', 'reconcile', 'settle'],
    settle: nothingPlanned,
  },
  'number-pending': {
    sentence: 'The order placer was asked for a placer order number and has not answered.',
    actions: ['schedule', 'cancel', 'reconcile', 'settle'],
    settle: nothingToAnnounce,
  },
  'step-not-started': {
    sentence: 'A step has not been started.',
    actions: ['reschedule', 'no-show', 'release', 'cancel', 'reconcile', 'settle'],
    settle: always,
  },
  'performed-step-not-ended': {
    sentence: 'A modality has not ended what it performs.',
    actions: ['decide', 'discontinue', 'settle'],
    settle: always,
  },
  'images-overdue': {
    sentence: 'Images of a completed procedure are not known to be available.',
    actions: ['settle'],
    settle: always,
  },
  'not-in-catalogue': {
    sentence: 'The ordered service is not in the catalogue: its steps were planned from the order.',
    actions: ['change', 'reorder', 'reschedule', 'cancel', 'settle'],
    settle: always,
  },
} as const satisfies Record<string, ExceptionRow>;

export type ExceptionKind = keyof typeof exceptionKinds;

export const exceptionKindNames = Object.keys(exceptionKinds) as ExceptionKind[];

/** A reason of an MPPS (PerformedProcedureStep.exception) and each other kind has its row. */
export function isExceptionKind(kind: string): kind is ExceptionKind {
  return Object.hasOwn(exceptionKinds, kind);
}

/** What can be done about an exception now. */
export interface PossibleStep {
  readonly action: ExceptionAction;
  /** The procedure that it is done with. */
  readonly requestedProcedureId?: string;
  /** See PossibleAction. */
  readonly step?: string;
}

/** What was performed unscheduled came to something, and can take the place of what waits in an order. */
const canBeBound: Rule = ({ procedures }) =>
  procedures.some(
    ({ machine: { context }, ordered }) => !ordered && !nothingPerformed(context) && !cameToNothing(context),
  );

/** Actions that are no procedure's; what is left out here is asked of the machines. */
const rules: { readonly [action in ExceptionAction]?: Rule } = {
  match: canBeBound,
  order: ({ procedures }) => procedures.some(({ ordered }) => !ordered),
  reconcile: ({ procedures }) => procedures.some(({ reconcilable }) => reconcilable),
  resume: ({ delivery }) => delivery?.lanePaused ?? false,
  retry: ({ delivery }) => delivery?.outlived === false,
  skip: ({ delivery }) => delivery !== undefined,
};

/** Whether a person may close it. */
export function canSettle(kind: ExceptionKind, facts: ExceptionFacts): boolean {
  return exceptionKinds[kind].settle(facts);
}

/** What can be done about an exception in its present state: nothing else is offered, and all else is refused. */
export function possibleSteps(kind: ExceptionKind, facts: ExceptionFacts): PossibleStep[] {
  const actions: readonly ExceptionAction[] = exceptionKinds[kind].actions;
  return actions.flatMap((action): PossibleStep[] => {
    const rule = action === 'settle' ? (held: ExceptionFacts) => canSettle(kind, held) : rules[action];
    if (rule) return rule(facts) ? [{ action }] : [];
    return facts.procedures.flatMap((one): PossibleStep[] => {
      const found: PossibleAction | undefined = possible(one, action as ProcedureAction);
      return found ? [{ ...found, requestedProcedureId: one.requestedProcedureId }] : [];
    });
  });
}
