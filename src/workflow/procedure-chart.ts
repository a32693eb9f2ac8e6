import { assign, setup } from 'xstate';
import {
  type ProcedureContext,
  type Waiting,
  acquisitionComplete,
  acquisitionDiscontinued,
  announcementConfirmed,
  cameToNothing,
  imagesAvailable,
  imagesPartlyAvailable,
  isUnderWay,
  nothingPerformed,
  reduce,
} from './procedure-context.ts';
import { type ProcedureEvent, type ReportState, answerEvents } from './procedure-events.ts';
import {
  type Guard,
  type Guarded,
  after,
  completedByDecision,
  completes,
  ends,
  holdsNoShow,
  isAnnounced,
  isPerforming,
  isUndone,
  isUndoneFrom,
  patientArrives,
  patientDeparts,
  stepsAreOpen,
  stepsCanBePerformed,
  stepsCanMove,
  undoneTo,
  waitsForCorrection,
  waitsForDecision,
} from './procedure-guards.ts';
import { notifyAppointment, updateProcedure } from './procedure-effects.ts';
import type { Effect } from './procedure-effects.ts';
import type { Confirmation, PlannedProcedure } from './vocabulary.ts';

export interface ProcedureInput {
  readonly procedure: PlannedProcedure;
  /** RAD-1, when the ADT registered the patient before the order came. */
  readonly registration: Confirmation | undefined;
  /** RAD-2: our acknowledgement of the order; undefined while an order of the department waits for its number. */
  readonly order: Confirmation | undefined;
}

const begunFrom = (state: Waiting) => ({ type: 'begunFrom' as const, params: { state } });

/** A modality may begin what was never put on the worklist: a fact is not refused. */
const begins = (state: Waiting) => ({
  guard: stepsAreOpen,
  target: 'inProgress' as const,
  actions: begunFrom(state),
});

/** A step that its MPPS had discontinued makes the whole one that was begun; nobody hears of what nobody was told of. */
const cancelled = (told: readonly ReturnType<typeof notifyAppointment>[]) =>
  [
    {
      guard: (guarded: Guarded) => acquisitionDiscontinued(after(guarded)),
      target: 'discontinued',
      actions: [updateProcedure('DC/CA'), ...told],
    },
    { target: 'cancelled', actions: [updateProcedure('CA/CA'), ...told] },
  ] as const;
const moved = {
  guard: stepsCanMove,
  actions: ['remember' as const, updateProcedure('XO/SC'), notifyAppointment('S13')],
};
const changed = { actions: [updateProcedure('XO/SC')] };

/** What was begun and leaves nothing behind stands where it was begun from. */
const backTo = (permitted: Guard) =>
  (['planned', 'held', 'scheduled'] as const).map((state) => ({ guard: undoneTo(state, permitted), target: state }));

/** Which report may follow which: a preliminary one does not follow a final one. */
const reportsAfter: Readonly<Record<ReportState, readonly Exclude<ReportState, 'none'>[]>> = {
  none: ['preliminary', 'final', 'corrected', 'cancelled'],
  preliminary: ['preliminary', 'final', 'corrected', 'cancelled'],
  final: ['final', 'corrected', 'cancelled'],
  corrected: ['corrected', 'cancelled'],
  cancelled: ['preliminary', 'final', 'corrected'],
};

/** A report that is news goes on to the order placer; a cancelled one has no result to send. */
function reportOn(from: ReportState) {
  const transitions = reportsAfter[from].map((report) => ({
    guard: ({ event }: Guarded) => event.type === 'resultReported' && event.report === report,
    target: report,
    actions:
      report === 'cancelled' ? [] : [{ type: 'effect' as const, params: { name: 'sendResult' as const, report } }],
  }));
  return { on: { resultReported: transitions } };
}

/** Where an event that `permitted` lets in leaves the images. */
function availabilityAfter(permitted: Guard) {
  const when = (holds: (context: ProcedureContext) => boolean): Guard => {
    return (guarded) => permitted(guarded) && holds(after(guarded));
  };
  return [
    { guard: when(imagesAvailable), target: 'available' },
    { guard: when(imagesPartlyAvailable), target: 'partial' },
    { guard: permitted, target: 'unknown' },
  ] as const;
}

const availabilityOn = {
  // More is begun of what had been completed: not everything is there.
  performedStepStarted: [...availabilityAfter(stepsCanBePerformed)],
  performedStepCompleted: [...availabilityAfter(isPerforming)],
  performedStepDiscontinued: [...availabilityAfter(isPerforming)],
  discontinue: [...availabilityAfter(({ context }) => isUnderWay(context))],
  decide: [...availabilityAfter(waitsForDecision)],
  evidenceEnded: [...availabilityAfter(() => true)],
  availabilityReported: [...availabilityAfter(() => true)],
};

export const procedureMachine = setup({
  types: {
    context: {} as ProcedureContext,
    events: {} as ProcedureEvent,
    input: {} as ProcedureInput,
  },
  actions: {
    remember: assign(({ context, event }) => reduce(context, event)),
    begunFrom: assign((_, { state }: { state: Waiting }) => ({ begunFrom: state })),
    effect: (_, _params: Effect) => {},
  },
}).createMachine({
  id: 'requestedProcedure',
  type: 'parallel',
  context: ({ input }) => ({
    requestedProcedureId: input.procedure.requestedProcedureId,
    studyInstanceUid: input.procedure.studyInstanceUid,
    steps: Object.fromEntries(
      input.procedure.steps.map((step) => [
        step.scheduledProcedureStepId,
        { stepStatus: 'SCHEDULED' as const, performedSteps: {} },
      ]),
    ),
    announcements: {},
    instances: { named: 0, available: 0 },
    confirmations: {
      ...(input.registration ? { 1: [input.registration] } : {}),
      ...(input.order ? { 2: [input.order] } : {}),
    },
  }),
  states: {
    // What was performed, by the steps; the order's status rolls up from here.
    acquisition: {
      initial: 'planned',
      states: {
        planned: {
          on: {
            performedStepStarted: begins('planned'),
            schedule: { target: 'scheduled', actions: [notifyAppointment('S12')] },
            cancel: cancelled([]),
            reschedule: { guard: stepsCanMove, actions: 'remember' },
            change: { actions: 'remember' },
          },
        },
        scheduled: {
          on: {
            performedStepStarted: begins('scheduled'),
            cancel: cancelled([notifyAppointment('S15')]),
            hold: { target: 'held', actions: 'remember' },
            reschedule: moved,
            change: changed,
          },
        },
        held: {
          on: {
            performedStepStarted: begins('held'),
            cancel: cancelled([notifyAppointment('S15')]),
            // After a no-show somebody else may have his own reason: his hold is his to take off.
            hold: { guard: holdsNoShow, actions: 'remember' },
            release: { target: 'scheduled', actions: 'remember' },
            reschedule: moved,
            change: changed,
          },
        },
        inProgress: {
          on: {
            performedStepCompleted: { guard: completes, target: 'completed' },
            performedStepDiscontinued: [
              // The last MPPS of a step may end without completion after another one completed it.
              { guard: completes, target: 'completed' },
              { guard: ends, target: 'discontinued', actions: [updateProcedure('DC/CA')] },
              { guard: isUndoneFrom('planned'), target: 'planned' },
              { guard: waitsForCorrection, target: 'held' },
              { guard: isUndoneFrom('held'), target: 'held' },
              { guard: isUndone, target: 'scheduled' },
            ],
            discontinue: [
              {
                guard: (guarded) => acquisitionComplete(after(guarded)),
                target: 'completed',
                actions: [updateProcedure('XO/CM')],
              },
              { target: 'discontinued', actions: [updateProcedure('DC/CA')] },
            ],
            // Begun before anybody scheduled it: there is no appointment yet that could be moved.
            schedule: { guard: ({ context }) => context.begunFrom === 'planned', actions: [notifyAppointment('S12')] },
            reschedule: [
              {
                guard: (guarded) => stepsCanMove(guarded) && guarded.context.begunFrom === 'planned',
                actions: [updateProcedure('XO/SC')],
              },
              moved,
            ],
            change: changed,
            depart: backTo(patientDeparts),
            decide: [{ guard: completedByDecision, target: 'completed' as const }, ...backTo(waitsForDecision)],
          },
        },
        completed: {
          on: {
            // Append case: more is performed of what had been completed.
            performedStepStarted: { guard: stepsCanBePerformed, target: 'inProgress' },
            change: { actions: [updateProcedure('XO/CM')] },
          },
        },
        discontinued: {},
        cancelled: {},
      },
    },
    // RAD-4 to image managers and report managers.
    announcement: {
      initial: 'due',
      states: {
        due: {
          on: {
            // Announced whatever was performed meanwhile: a study that its image manager does not know is due.
            schedule: {
              guard: ({ context, event }) => event.destinations.length > 0 && !cameToNothing(context),
              target: 'sent',
              actions: {
                type: 'effect',
                params: ({ event }) => ({ name: 'announceProcedure', destinations: event.destinations }),
              },
            },
          },
        },
        sent: {
          on: {
            procedureScheduledConfirmed: {
              guard: (guarded) => isAnnounced(guarded) && announcementConfirmed(after(guarded)),
              target: 'confirmed',
            },
          },
        },
        confirmed: {},
      },
    },
    // Images, as RAD-49 reports them.
    availability: {
      initial: 'unknown',
      states: { unknown: { on: availabilityOn }, partial: { on: availabilityOn }, available: { on: availabilityOn } },
    },
    // Reports, as a report manager sends them.
    report: {
      initial: 'none',
      states: {
        none: reportOn('none'),
        preliminary: reportOn('preliminary'),
        final: reportOn('final'),
        corrected: reportOn('corrected'),
        cancelled: reportOn('cancelled'),
      },
    },
    // The facts behind the other regions: each permitted event is written into the context exactly once.
    facts: {
      initial: 'open',
      states: {
        open: {
          on: {
            schedule: {
              guard: ({ context }) => Object.keys(context.announcements).length === 0 && !cameToNothing(context),
              actions: 'remember',
            },
            patientRegistered: { guard: ({ context }) => context.confirmations[1] === undefined, actions: 'remember' },
            procedureScheduledConfirmed: { guard: isAnnounced, actions: 'remember' },
            procedureScheduledRefused: { guard: isAnnounced, actions: 'remember' },
            orderNumberAssigned: {
              guard: ({ context }) => context.confirmations[2] === undefined,
              actions: 'remember',
            },
            ...Object.fromEntries(answerEvents.map((type) => [type, { actions: 'remember' as const }])),
            cancel: { guard: ({ context }) => nothingPerformed(context), actions: 'remember' },
            discontinue: { guard: ({ context }) => isUnderWay(context), actions: 'remember' },
            arrive: { guard: patientArrives, actions: 'remember' },
            depart: { guard: patientDeparts, actions: 'remember' },
            decide: { guard: waitsForDecision, actions: 'remember' },
            offered: { guard: ({ context }) => context.confirmations[4] === undefined, actions: 'remember' },
            performedStepStarted: { guard: stepsCanBePerformed, actions: 'remember' },
            performedStepUpdated: { guard: isPerforming, actions: 'remember' },
            performedStepCompleted: { guard: isPerforming, actions: 'remember' },
            performedStepDiscontinued: { guard: isPerforming, actions: 'remember' },
            evidenceStarted: { actions: 'remember' },
            evidenceUpdated: { actions: 'remember' },
            evidenceEnded: { actions: 'remember' },
            availabilityReported: { actions: 'remember' },
          },
        },
      },
    },
  },
});
