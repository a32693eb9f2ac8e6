import type { DiscontinuationEffect } from '../../src/workflow/discontinuation.ts';
import type { ProcedureEvent, ProcedureEventType, ReportState } from '../../src/workflow/procedure-events.ts';
import {
  type Advance,
  type Effect,
  type StoredMachine,
  advance,
  startProcedure,
} from '../../src/workflow/procedure-machine.ts';
import type { Confirmation, PlannedProcedure, StepStatus } from '../../src/workflow/vocabulary.ts';

/** What confirmed something, told apart by its message id. */
export function confirmation(messageId: number, more: Partial<Confirmation> = {}): Confirmation {
  const at = `2026-01-05T08:00:${String(messageId % 60).padStart(2, '0')}.000Z`;
  return { kind: 'ack', peer: 'EMR', messageId, code: 'AA', at, ...more };
}

/** A procedure with as many MR steps as wanted: S1, S2 and so on. */
export function procedureOf(steps: number): PlannedProcedure {
  return {
    requestedProcedureId: 'RP1',
    studyInstanceUid: '2.25.1',
    code: { code: 'HEAD', scheme: 'L', meaning: 'Head' },
    serviceIndex: 0,
    steps: Array.from({ length: steps }, (_, index) => ({
      scheduledProcedureStepId: `S${index + 1}`,
      modality: 'MR',
      scheduledStationAeTitles: ['MR1'],
      start: { date: '2026-01-05', time: '09:30:00' },
      minutes: 30,
      description: 'Head',
      protocols: [],
    })),
  };
}

/**
 * A machine that was just made; its patient was registered unless the order created him, and its order came from the
 * placer unless it is the department's own and waits for its number.
 */
export function machineOf(steps: number, { registered = true, numbered = true } = {}): StoredMachine {
  return startProcedure({
    procedure: procedureOf(steps),
    registration: registered ? confirmation(1, { peer: 'ADT' }) : undefined,
    order: numbered ? confirmation(2) : undefined,
  });
}

type PerformedType = Extract<ProcedureEventType, `performedStep${string}`>;

interface Counts {
  readonly named: number;
  readonly available: number;
  readonly notification?: Confirmation;
}

const noInstances: Counts = { named: 0, available: 0 };

const about = (performedStep: string, steps: readonly string[]) => ({
  performedStep,
  steps,
  confirmation: confirmation(6, { kind: 'response', peer: 'MR1', code: '0000' }),
});

/** An event of an MPPS that goes on or was completed; `instances` count for the latter. */
export function performed(
  type: Exclude<PerformedType, 'performedStepDiscontinued'>,
  performedStep: string,
  steps: readonly string[],
  instances: Counts = noInstances,
): ProcedureEvent {
  if (type === 'performedStepCompleted') return { type, ...about(performedStep, steps), instances };
  return { type, ...about(performedStep, steps) };
}

/** A discontinued MPPS, by what its reason means. */
export const discontinued = (
  performedStep: string,
  steps: readonly string[],
  effect: DiscontinuationEffect = 'decide',
  instances: Counts = noInstances,
): ProcedureEvent => ({ type: 'performedStepDiscontinued', ...about(performedStep, steps), instances, effect });

export const completed = (mpps: string, steps: readonly string[], named = 2, available = 0): ProcedureEvent =>
  performed('performedStepCompleted', mpps, steps, { named, available });

export const updated = (mpps: string, ...steps: string[]): ProcedureEvent =>
  performed('performedStepUpdated', mpps, steps);

export const scheduled = (...destinations: string[]): ProcedureEvent => ({ type: 'schedule', destinations });

export const acknowledged = (peer: string, messageId = 3): ProcedureEvent => ({
  type: 'procedureScheduledConfirmed',
  confirmation: confirmation(messageId, { peer }),
});

export const refused = (peer: string): ProcedureEvent => ({ type: 'procedureScheduledRefused', peer });

export const offered = (messageId = 4): ProcedureEvent => ({
  type: 'offered',
  confirmation: confirmation(messageId, { kind: 'query', peer: 'MR1', code: '0000' }),
});

export const reported = (named: number, available: number, messageId = 8): ProcedureEvent => ({
  type: 'availabilityReported',
  instances: { named, available },
  confirmation: confirmation(messageId, { kind: 'notification', peer: 'PACS', code: '0000' }),
});

export const started = (mpps: string, ...steps: string[]): ProcedureEvent =>
  performed('performedStepStarted', mpps, steps);

/** What a placer or the staff does with a whole procedure. */
export const staff = {
  cancel: { type: 'cancel' },
  discontinue: { type: 'discontinue' },
  hold: { type: 'hold' },
  noShow: { type: 'hold', noShow: true },
  release: { type: 'release' },
  change: { type: 'change' },
} as const satisfies Record<string, ProcedureEvent>;

export const rescheduled = (...movedSteps: string[]): ProcedureEvent => ({ type: 'reschedule', movedSteps });

export const arrived = (...movedSteps: string[]): ProcedureEvent => ({ type: 'arrive', movedSteps });

export const departed = (...movedSteps: string[]): ProcedureEvent => ({ type: 'depart', movedSteps });

/** What a person says of the discontinued MPPS of steps. */
export const decision = (decided: 'accepted' | 'repeated', ...movedSteps: string[]): ProcedureEvent => ({
  type: 'decide',
  movedSteps,
  decided,
});

export const numbered = (messageId = 9): ProcedureEvent => ({
  type: 'orderNumberAssigned',
  confirmation: confirmation(messageId),
});

export const resultOf = (report: Exclude<ReportState, 'none'>): ProcedureEvent => ({ type: 'resultReported', report });

/** What a move asks for, in the words of the wire and in no order: `RAD-4 IM,RM`, `RAD-13 XO/SC IM`, `S12`, `ORU final`. */
export function wishesOf(effects: readonly Effect[] = []): string[] {
  return effects.map(wishOf).sort();
}

function wishOf(effect: Effect): string {
  switch (effect.name) {
    case 'announceProcedure':
      return `RAD-4 ${effect.destinations.join(',')}`;
    case 'updateProcedure':
      return `RAD-13 ${effect.control} ${effect.destinations.join(',')}`;
    case 'notifyAppointment':
      return effect.triggerEvent;
    case 'sendResult':
      return `ORU ${effect.report}`;
  }
}

/** The statuses of the steps of a procedure, in their order. */
export const stepStatusesOf = ({ context }: StoredMachine): StepStatus[] =>
  Object.values(context.steps).map(({ stepStatus }) => stepStatus);

/** A value as a jsonb column gives it back: undefined is gone, and the keys stand by length, then by their letters. */
export function stored<T>(value: T): T {
  return inOrder(JSON.parse(JSON.stringify(value))) as T;
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, inOrder(part)]));
}

/** Moves a machine as it would come back from the store. */
export function step(machine: StoredMachine, event: ProcedureEvent): Advance | undefined {
  return advance(stored(machine), event);
}

/** Moves a machine by events that it has to allow. */
export function run(machine: StoredMachine, ...events: readonly ProcedureEvent[]): StoredMachine {
  return events.reduce((before, event, index) => {
    const moved = step(before, event);
    if (!moved) throw new Error(`event ${index} (${event.type}) was refused`);
    return moved.machine;
  }, machine);
}
