import type { ProcedureEvent, ProcedureEventType } from '../../src/workflow/procedure-context.ts';
import { type Advance, type StoredMachine, advance, startProcedure } from '../../src/workflow/procedure-machine.ts';
import type { Confirmation, PlannedProcedure } from '../../src/workflow/vocabulary.ts';

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

/** A machine that was just made; its patient was registered unless the order created him. */
export function machineOf(steps: number, { registered = true } = {}): StoredMachine {
  return startProcedure({
    procedure: procedureOf(steps),
    registration: registered ? confirmation(1, { peer: 'ADT' }) : undefined,
    order: confirmation(2),
  });
}

type PerformedType = Extract<ProcedureEventType, `performedStep${string}`>;

const noInstances = { named: 0, available: 0 };

/** An event of an MPPS; `instances` count for its final ones. */
export function performed(
  type: PerformedType,
  performedStep: string,
  steps: readonly string[],
  instances: { readonly named: number; readonly available: number; readonly notification?: Confirmation } = noInstances,
): ProcedureEvent {
  const about = {
    performedStep,
    steps,
    confirmation: confirmation(6, { kind: 'response', peer: 'MR1', code: '0000' }),
  };
  if (type === 'performedStepCompleted' || type === 'performedStepDiscontinued') return { type, ...about, instances };
  return { type, ...about };
}

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

/** Moves a machine as it would come back from the store: through JSON. */
export function step(machine: StoredMachine, event: ProcedureEvent): Advance | undefined {
  return advance(JSON.parse(JSON.stringify(machine)) as StoredMachine, event);
}

/** Moves a machine by events that it has to allow. */
export function run(machine: StoredMachine, ...events: readonly ProcedureEvent[]): StoredMachine {
  return events.reduce((before, event, index) => {
    const moved = step(before, event);
    if (!moved) throw new Error(`event ${index} (${event.type}) was refused`);
    return moved.machine;
  }, machine);
}
