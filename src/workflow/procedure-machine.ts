import { initialTransition, transition } from 'xstate';
import type { AcquisitionState } from './order-status.ts';
import { type ProcedureInput, procedureMachine } from './procedure-chart.ts';
import type { ProcedureContext } from './procedure-context.ts';
import type { ProcedureEvent, ReportState } from './procedure-events.ts';
import type { Effect } from './procedure-effects.ts';

export { procedureMachine };
export type { Effect };

/**
 * The machine of one requested procedure, as a pure reducer: transitions return effects as data and nothing runs.
 * It has no timers, no invoked and no spawned actors, for a stored machine could not bring them back.
 */

/** Raised whenever a stored machine of an older shape needs a migration. */
export const MACHINE_VERSION = 2;

/** A machine at rest, as it is stored: its state value and its context, nothing else. */
export interface StoredMachine {
  readonly value: RegionStates;
  readonly context: ProcedureContext;
}

export interface RegionStates {
  readonly acquisition: AcquisitionState;
  readonly announcement: 'due' | 'sent' | 'confirmed';
  readonly availability: 'unknown' | 'partial' | 'available';
  readonly report: ReportState;
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

// A field without a value is no field once it is stored.
function atRest({ value, context }: Snapshot): StoredMachine {
  const kept = Object.entries(context).filter(([, fact]) => fact !== undefined);
  return { value, context: Object.fromEntries(kept) as unknown as ProcedureContext };
}

function effectsOf(actions: readonly Action[], context: ProcedureContext): Effect[] {
  const effects = actions.map((action) => {
    if (action.type === 'effect') return action.params as Effect;
    // A timer or an invoked actor would be lost with the process.
    throw new Error(`action ${action.type} is not allowed in a stored machine`);
  });
  // Nobody has been told of the procedure or of its appointment yet: there is nobody to tell of its change.
  return effects.filter((effect) => {
    if (effect.name === 'notifyAppointment') return !context.withoutAppointment || effect.triggerEvent === 'S12';
    return !('destinations' in effect) || effect.destinations.length > 0;
  });
}

/** Where an event led, for a person: the acquisition when it moved or nothing did, else the regions that moved. */
function describeMove(before: RegionStates, now: RegionStates): { from: string; to: string } {
  const moved = (['announcement', 'availability', 'report'] as const).filter(
    (region) => before[region] !== now[region],
  );
  if (before.acquisition !== now.acquisition || moved.length === 0)
    return { from: before.acquisition, to: now.acquisition };
  const describe = (value: RegionStates): string => moved.map((region) => `${region}.${value[region]}`).join(', ');
  return { from: describe(before), to: describe(now) };
}

/**
 * A stored machine of an older version in today's shape. Version 1 knew no reports and told nobody of appointments; its
 * contexts hold nothing that has another meaning now. Undefined for a version that is not known.
 */
export function upgraded(machine: unknown, version: number): StoredMachine | undefined {
  const stored = machine as StoredMachine;
  if (version === MACHINE_VERSION) return stored;
  if (version !== 1) return undefined;
  const value: RegionStates = { ...stored.value, report: 'none' };
  const silent = value.acquisition === 'planned' ? {} : { withoutAppointment: true as const };
  return { value, context: { ...stored.context, ...silent } };
}

/** A new machine for a planned procedure. */
export function startProcedure(input: ProcedureInput): StoredMachine {
  return atRest(initialTransition(procedureMachine, input)[0]);
}

const atStart = ({ value, context }: StoredMachine): Snapshot =>
  procedureMachine.resolveState({ value: value as never, context });

/** Whether an event is allowed in the state of a machine. */
export function isAllowed(stored: StoredMachine, event: ProcedureEvent): boolean {
  return atStart(stored).can(event);
}

/** Moves a machine by one event; undefined when the event is not allowed in its state. Throws on an unknown stored state. */
export function advance(stored: StoredMachine, event: ProcedureEvent): Advance | undefined {
  const before = atStart(stored);
  if (!before.can(event)) return undefined;
  const [next, actions] = transition(procedureMachine, before, event);
  const machine = atRest(next);
  return { machine, ...describeMove(stored.value, machine.value), effects: effectsOf(actions, machine.context) };
}
