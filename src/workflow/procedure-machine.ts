import { assign, initialTransition, setup, transition } from 'xstate';
import type { AcquisitionState } from './order-status.ts';
import {
  type ProcedureContext,
  type ProcedureEvent,
  acquisitionComplete,
  announcementConfirmed,
  imagesAvailable,
  imagesPartlyAvailable,
  reduce,
} from './procedure-context.ts';
import { isOpen } from './mpps-rules.ts';
import type { Confirmation, PlannedProcedure } from './vocabulary.ts';

/**
 * The machine of one requested procedure, as a pure reducer: transitions return effects as data and nothing runs.
 * It has no timers, no invoked and no spawned actors, for a stored machine could not bring them back.
 */

/** Raised whenever a stored machine of an older shape needs a migration. */
export const MACHINE_VERSION = 1;

/** What a transition asks for; carried out by rendering messages in the same database transaction. */
export interface Effect {
  readonly name: 'announceProcedure';
  readonly destinations: readonly string[];
}

interface ProcedureInput {
  readonly procedure: PlannedProcedure;
  /** RAD-1, when the ADT registered the patient before the order came. */
  readonly registration: Confirmation | undefined;
  /** RAD-2: our acknowledgement of the order. */
  readonly order: Confirmation;
}

interface Guarded {
  readonly context: ProcedureContext;
  readonly event: ProcedureEvent;
}

const after = ({ context, event }: Guarded): ProcedureContext => reduce(context, event);

/** The steps that an MPPS event names belong to this procedure and are open. */
const stepsAreOpen = ({ context, event }: Guarded): boolean =>
  'steps' in event &&
  event.steps.length > 0 &&
  event.steps.every((id) => isOpen(context.steps[id]?.stepStatus ?? 'CANCELLED'));

/** The MPPS was accepted for these steps before. */
const isPerforming = ({ context, event }: Guarded): boolean =>
  'performedStep' in event &&
  event.steps.some((id) => context.steps[id]?.performedSteps[event.performedStep] === 'IN PROGRESS');

const completes = (guarded: Guarded): boolean => isPerforming(guarded) && acquisitionComplete(after(guarded));
// What a peer has acknowledged it cannot refuse any more.
const isAnnounced = ({ context, event }: Guarded): boolean =>
  (event.type === 'procedureScheduledConfirmed' && event.confirmation.peer in context.announcements) ||
  (event.type === 'procedureScheduledRefused' &&
    event.peer in context.announcements &&
    context.announcements[event.peer] !== 'confirmed');

type Guard = (guarded: Guarded) => boolean;

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
  performedStepCompleted: [...availabilityAfter(isPerforming)],
  performedStepDiscontinued: [...availabilityAfter(isPerforming)],
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
    confirmations: { ...(input.registration ? { 1: [input.registration] } : {}), 2: [input.order] },
  }),
  states: {
    // What was performed, by the steps; the order's status rolls up from here.
    acquisition: {
      initial: 'planned',
      states: {
        planned: {
          on: {
            // A modality may start what was never put on the worklist: a fact is not refused.
            performedStepStarted: { guard: stepsAreOpen, target: 'inProgress' },
            schedule: { target: 'scheduled' },
          },
        },
        scheduled: { on: { performedStepStarted: { guard: stepsAreOpen, target: 'inProgress' } } },
        inProgress: {
          on: {
            performedStepCompleted: { guard: completes, target: 'completed' },
            // The last MPPS of a step may end without completion after another one completed it.
            performedStepDiscontinued: { guard: completes, target: 'completed' },
          },
        },
        completed: {},
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
              guard: ({ event }) => event.destinations.length > 0,
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
    // The facts behind the other regions: each permitted event is written into the context exactly once.
    facts: {
      initial: 'open',
      states: {
        open: {
          on: {
            schedule: { guard: ({ context }) => Object.keys(context.announcements).length === 0, actions: 'remember' },
            patientRegistered: { guard: ({ context }) => context.confirmations[1] === undefined, actions: 'remember' },
            procedureScheduledConfirmed: { guard: isAnnounced, actions: 'remember' },
            procedureScheduledRefused: { guard: isAnnounced, actions: 'remember' },
            orderStatusConfirmed: { actions: 'remember' },
            orderStatusRefused: { actions: 'remember' },
            offered: { guard: ({ context }) => context.confirmations[4] === undefined, actions: 'remember' },
            performedStepStarted: { guard: stepsAreOpen, actions: 'remember' },
            performedStepUpdated: { guard: isPerforming, actions: 'remember' },
            performedStepCompleted: { guard: isPerforming, actions: 'remember' },
            performedStepDiscontinued: { guard: isPerforming, actions: 'remember' },
            availabilityReported: { actions: 'remember' },
          },
        },
      },
    },
  },
});

/** A machine at rest, as it is stored: its state value and its context, nothing else. */
export interface StoredMachine {
  readonly value: RegionStates;
  readonly context: ProcedureContext;
}

export interface RegionStates {
  readonly acquisition: AcquisitionState;
  readonly announcement: 'due' | 'sent' | 'confirmed';
  readonly availability: 'unknown' | 'partial' | 'available';
  readonly facts: 'open';
}

/** A machine moved: where it stands, where it came from in words for the history, and what it asks for. */
export interface Advance {
  readonly machine: StoredMachine;
  readonly from: string;
  readonly to: string;
  readonly effects: readonly Effect[];
}

type Snapshot = ReturnType<typeof procedureMachine.resolveState>;
type Action = ReturnType<typeof transition<typeof procedureMachine>>[1][number];

function atRest(snapshot: Snapshot): StoredMachine {
  return { value: snapshot.value, context: snapshot.context };
}

function effectsOf(actions: readonly Action[]): Effect[] {
  return actions.map((action) => {
    if (action.type === 'effect') return action.params as Effect;
    // A timer or an invoked actor would be lost with the process.
    throw new Error(`action ${action.type} is not allowed in a stored machine`);
  });
}

/** Where an event led, for a person: the acquisition when it moved or nothing did, else the regions that moved. */
function describeMove(before: RegionStates, now: RegionStates): { from: string; to: string } {
  const moved = (['announcement', 'availability'] as const).filter((region) => before[region] !== now[region]);
  if (before.acquisition !== now.acquisition || moved.length === 0)
    return { from: before.acquisition, to: now.acquisition };
  const describe = (value: RegionStates): string => moved.map((region) => `${region}.${value[region]}`).join(', ');
  return { from: describe(before), to: describe(now) };
}

/** A new machine for a planned procedure. */
export function startProcedure(input: ProcedureInput): StoredMachine {
  return atRest(initialTransition(procedureMachine, input)[0]);
}

/** Moves a machine by one event; undefined when the event is not allowed in its state. Throws on an unknown stored state. */
export function advance(stored: StoredMachine, event: ProcedureEvent): Advance | undefined {
  const before = procedureMachine.resolveState({ value: stored.value as never, context: stored.context });
  if (!before.can(event)) return undefined;
  const [next, actions] = transition(procedureMachine, before, event);
  const machine = atRest(next);
  return { machine, ...describeMove(stored.value, machine.value), effects: effectsOf(actions) };
}
