import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AcquisitionState, orderStatusOf, statusToReport } from '../../src/workflow/order-status.ts';
import { type ProcedureContext, type ProcedureEvent, transactionsOf } from '../../src/workflow/procedure-context.ts';
import { type RegionStates, type StoredMachine, advance } from '../../src/workflow/procedure-machine.ts';
import { acknowledged, confirmation, machineOf, offered, performed, refused, reported, scheduled } from './machine.ts';

const stepIds = fc.subarray(['S1', 'S2', 'S3', 'S9']);
const mppsUid = fc.constantFrom('M1', 'M2', 'M3');
const peer = fc.constantFrom('IM', 'RM', 'STRANGER');
const messageId = fc.integer({ min: 1, max: 59 });
const counts = fc.tuple(fc.nat(3), fc.nat(3)).map(([a, b]) => ({ named: Math.max(a, b), available: Math.min(a, b) }));

const anyEvent: fc.Arbitrary<ProcedureEvent> = fc.oneof(
  fc.subarray(['IM', 'RM']).map((destinations) => scheduled(...destinations)),
  messageId.map((id): ProcedureEvent => ({ type: 'patientRegistered', confirmation: confirmation(id) })),
  fc.tuple(peer, messageId).map(([name, id]) => acknowledged(name, id)),
  peer.map(refused),
  fc.constantFrom<ProcedureEvent>({ type: 'orderStatusConfirmed' }, { type: 'orderStatusRefused' }),
  messageId.map(offered),
  fc.tuple(mppsUid, stepIds).map(([mpps, steps]) => performed('performedStepStarted', mpps, steps)),
  fc
    .tuple(
      fc.constantFrom('performedStepUpdated', 'performedStepCompleted', 'performedStepDiscontinued'),
      mppsUid,
      stepIds,
      counts,
    )
    .map(([type, mpps, steps, instances]) => performed(type, mpps, steps, instances)),
  fc.tuple(counts, messageId).map(([{ named, available }, id]) => reported(named, available, id)),
);

// An MPPS whose N-CREATE came before is a duplicate and never reaches the machine (0111).
function isDuplicate(context: ProcedureContext, event: ProcedureEvent): boolean {
  if (event.type !== 'performedStepStarted') return false;
  return Object.values(context.steps).some((facts) => facts.performedSteps[event.performedStep] !== undefined);
}

const happenedOf = (machine: StoredMachine): boolean[] =>
  transactionsOf(machine.context).map(({ happened }) => happened);

/** Acquisition and announcement, worked out from the facts alone. */
function rolledUp(context: ProcedureContext, scheduledOnce: boolean): Omit<RegionStates, 'facts'> {
  const steps = Object.values(context.steps);
  const performedSteps = steps.flatMap((facts) => Object.values(facts.performedSteps));
  const complete = steps.every((facts) => {
    const statuses = Object.values(facts.performedSteps);
    return statuses.includes('COMPLETED') && !statuses.includes('IN PROGRESS');
  });
  const waiting: AcquisitionState = scheduledOnce ? 'scheduled' : 'planned';
  const begun: AcquisitionState = performedSteps.length > 0 ? 'inProgress' : waiting;
  const answers = Object.values(context.announcements);
  const sent = answers.every((answer) => answer === 'confirmed') ? 'confirmed' : 'sent';
  const { named, available } = context.instances;
  const some = complete && named > 0 && available === named ? 'available' : 'partial';
  return {
    acquisition: complete ? 'completed' : begun,
    announcement: answers.length === 0 ? 'due' : sent,
    availability: available === 0 ? 'unknown' : some,
  };
}

interface Course {
  readonly machine: StoredMachine;
  readonly scheduledOnce: boolean;
}

function checkStep({ machine, scheduledOnce }: Course, event: ProcedureEvent): Course {
  const stored = JSON.parse(JSON.stringify(machine)) as StoredMachine;
  expect(stored).toStrictEqual(machine);
  const moved = advance(stored, event);
  expect(stored).toStrictEqual(machine);
  if (!moved) return { machine, scheduledOnce };
  const next = { machine: moved.machine, scheduledOnce: scheduledOnce || event.type === 'schedule' };
  const before = happenedOf(machine);
  const now = happenedOf(moved.machine);
  expect(now.filter((happened, index) => before[index] === true && !happened)).toEqual([]);
  const { facts, ...regions } = moved.machine.value;
  expect([facts, regions]).toEqual(['open', rolledUp(moved.machine.context, next.scheduledOnce)]);
  return next;
}

describe('whatever comes, in whatever order', () => {
  it('a machine never throws, never un-happens a transaction, and its state agrees with its facts', () => {
    const course = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.array(anyEvent, { maxLength: 40 }));
    fc.assert(
      fc.property(course, ([steps, events]) => {
        let now: Course = { machine: machineOf(steps), scheduledOnce: false };
        for (const event of events) if (!isDuplicate(now.machine.context, event)) now = checkStep(now, event);
      }),
      { numRuns: 500 },
    );
  });

  it('RAD-4 is asked for at most once', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let machine = machineOf(2);
        let asked = 0;
        for (const event of events) {
          const moved = advance(machine, event);
          asked += moved?.effects.length ?? 0;
          machine = moved?.machine ?? machine;
        }
        expect(asked).toBeLessThanOrEqual(1);
        expect(asked === 1).toBe(Object.keys(machine.context.announcements).length > 0);
      }),
    );
  });

  it('an order of two procedures is reported forward only: nothing, IP, then CM', () => {
    const which = fc.tuple(fc.boolean(), anyEvent);
    fc.assert(
      fc.property(fc.array(which, { maxLength: 60 }), (events) => {
        const machines = [machineOf(1), machineOf(2)];
        const reports: string[] = [];
        for (const [second, event] of events) {
          const index = second ? 1 : 0;
          const machine = machines[index];
          if (!machine || isDuplicate(machine.context, event)) continue;
          machines[index] = advance(machine, event)?.machine ?? machine;
          const orderStatus = orderStatusOf(machines.map((one) => one.value.acquisition));
          const report = statusToReport(reports.at(-1) ?? null, orderStatus, 'on-mpps-completed');
          if (report) reports.push(report);
        }
        expect(['', 'IP', 'IP CM']).toContain(reports.join(' '));
      }),
    );
  });

  it('refused events change nothing: with or without them the machine ends the same', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let machine = machineOf(2);
        const taken = events.filter((event) => {
          const moved = advance(machine, event);
          machine = moved?.machine ?? machine;
          return moved !== undefined;
        });
        const again = taken.reduce((one, event) => advance(one, event)?.machine ?? one, machineOf(2));
        expect(again).toStrictEqual(machine);
      }),
    );
  });
});
