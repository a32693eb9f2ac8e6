import type { Decided, DiscontinuationEffect } from './discontinuation.ts';
import type { Confirmation } from './vocabulary.ts';

/** What can happen to a requested procedure, as its machine hears of it. */

export interface PerformedStepEvent {
  /** SOP Instance UID of the MPPS. */
  readonly performedStep: string;
  /** Scheduled procedure step IDs of this procedure that the MPPS performs. */
  readonly steps: readonly string[];
  readonly confirmation: Confirmation;
}

export interface InstanceCounts {
  readonly named: number;
  readonly available: number;
  /** What already reported instances of this MPPS, when it came before the N-SET. */
  readonly notification?: Confirmation | undefined;
}

/** What a peer did with a message about the procedure; RAD-4 has events of its own, for its answer moves the machine. */
export const answerEvents = [
  'orderStatusConfirmed',
  'orderStatusRefused',
  'procedureUpdateConfirmed',
  'procedureUpdateRefused',
  'appointmentConfirmed',
  'appointmentRefused',
  'resultConfirmed',
  'resultRefused',
] as const;

/** How far the report of a procedure is. */
export type ReportState = 'none' | 'preliminary' | 'final' | 'corrected' | 'cancelled';

export type ProcedureEvent =
  | { readonly type: 'schedule'; readonly destinations: readonly string[] }
  | { readonly type: 'orderNumberAssigned'; readonly confirmation: Confirmation }
  | { readonly type: 'cancel' | 'discontinue' | 'release' | 'change' }
  | { readonly type: 'hold'; readonly noShow?: true }
  /** `awaited`: those of the steps for which the patient has to come again, another day. */
  | { readonly type: 'reschedule'; readonly movedSteps: readonly string[]; readonly awaited?: readonly string[] }
  | { readonly type: 'arrive' | 'depart'; readonly movedSteps: readonly string[] }
  | { readonly type: 'decide'; readonly movedSteps: readonly string[]; readonly decided: Decided }
  | { readonly type: 'resultReported'; readonly report: Exclude<ReportState, 'none'> }
  | { readonly type: 'patientRegistered'; readonly confirmation: Confirmation }
  | { readonly type: 'procedureScheduledConfirmed'; readonly confirmation: Confirmation }
  | { readonly type: 'procedureScheduledRefused'; readonly peer: string }
  | { readonly type: (typeof answerEvents)[number] }
  | { readonly type: 'offered'; readonly confirmation: Confirmation }
  | ({ readonly type: 'performedStepStarted' } & PerformedStepEvent)
  | ({ readonly type: 'performedStepUpdated' } & PerformedStepEvent)
  | ({ readonly type: 'performedStepCompleted' } & PerformedStepEvent & { readonly instances: InstanceCounts })
  | ({ readonly type: 'performedStepDiscontinued' } & Omit<PerformedStepEvent, 'confirmation'> & {
        readonly instances: InstanceCounts;
        readonly effect: DiscontinuationEffect;
      })
  /** RAD-20, RAD-21: an evidence creator works on its images. */
  | { readonly type: 'evidenceStarted' | 'evidenceUpdated' }
  | { readonly type: 'evidenceEnded'; readonly instances: InstanceCounts }
  | { readonly type: 'availabilityReported'; readonly instances: InstanceCounts; readonly confirmation: Confirmation };

export type ProcedureEventType = ProcedureEvent['type'];
