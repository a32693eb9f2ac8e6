import type { StoredMachine } from './procedure-machine.ts';
import type { StepStatus } from './vocabulary.ts';

/** What a department waits for, and wants to know when it does not come. */
export const timerKinds = [
  'stepNotStarted',
  'performedStepNotEnded',
  'imagesNotAvailable',
  'orderNumberNotAssigned',
] as const;

export type TimerKind = (typeof timerKinds)[number];

const canStart: ReadonlySet<StepStatus> = new Set(['SCHEDULED', 'ARRIVED', 'READY']);

/**
 * Whether a step is to be started. What is on hold waits for a person, a patient who has left was seen, and where there
 * is a report the examination took place, with or without MPPS.
 */
export function waitsForStart({ value }: StoredMachine, stepStatus: StepStatus): boolean {
  const open = ['planned', 'scheduled', 'inProgress'].includes(value.acquisition);
  return open && canStart.has(stepStatus) && ['none', 'cancelled'].includes(value.report);
}

/** A step as far as it matters for giving up its procedure. */
interface StepToStart {
  readonly stepStatus: StepStatus;
  readonly startsAt: Date;
}

/** What a procedure that is to be given up is part of. */
interface ToGiveUp {
  readonly steps: readonly StepToStart[];
  /** Statuses of the steps of all procedures of its order. */
  readonly ordered: readonly StepStatus[];
  /** Something was performed that is not of its steps, as where a modality sends no MPPS, or its patient is there. */
  readonly traces: boolean;
}

const nobodyCame: ReadonlySet<StepStatus> = new Set(['SCHEDULED', 'CANCELLED']);

/**
 * Whether a procedure whose step was not started can be given up without a person: nothing of it was begun, its patient
 * has come for nothing of the order, and none of its steps is still to come. A no-show is one of what was on the worklist.
 */
export function canGiveUp(
  { value }: StoredMachine,
  { steps, ordered, traces }: ToGiveUp,
  wanted: { readonly effect: 'noShow' | 'cancel'; readonly at: Date },
): boolean {
  const states = wanted.effect === 'noShow' ? ['scheduled'] : ['planned', 'scheduled'];
  const toCome = steps.some(({ startsAt }) => startsAt.getTime() > wanted.at.getTime());
  return states.includes(value.acquisition) && !traces && !toCome && ordered.every((one) => nobodyCame.has(one));
}
