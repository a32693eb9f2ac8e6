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

/**
 * Whether a procedure whose step was not started can be given up without a person: nothing of it was begun, its patient
 * has not come, and none of its steps is still to come. A no-show is one of what was on the worklist.
 */
export function canGiveUp(
  { value }: StoredMachine,
  steps: readonly StepToStart[],
  wanted: { readonly effect: 'noShow' | 'cancel'; readonly at: Date },
): boolean {
  const states = wanted.effect === 'noShow' ? ['scheduled'] : ['planned', 'scheduled'];
  const came = steps.some(({ stepStatus }) => ['ARRIVED', 'READY'].includes(stepStatus));
  const toCome = steps.some(({ startsAt }) => startsAt.getTime() > wanted.at.getTime());
  return states.includes(value.acquisition) && !came && !toCome;
}
