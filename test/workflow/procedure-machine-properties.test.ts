import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OptionalOrderStatus, orderStatusOf, statusToReport } from '../../src/workflow/order-status.ts';
import { transactionsOf } from '../../src/workflow/core-transactions.ts';
import { type ProcedureContext, type StepFacts } from '../../src/workflow/procedure-context.ts';
import { type ProcedureEvent, answerEvents } from '../../src/workflow/procedure-events.ts';
import { type StoredMachine, advance } from '../../src/workflow/procedure-machine.ts';
import type { StepStatus } from '../../src/workflow/vocabulary.ts';
import {
  acknowledged,
  arrived,
  confirmation,
  decision,
  departed,
  discontinued,
  machineOf,
  numbered,
  offered,
  performed,
  refused,
  reported,
  rescheduled,
  resultOf,
  scheduled,
  staff,
  stored,
  wishesOf,
} from './machine.ts';

// S9 is nobody's; most events name steps that are there, so that most of them lead somewhere.
const stepIds = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(['S1'], ['S2'], ['S3'], ['S1', 'S2']) },
  { weight: 1, arbitrary: fc.subarray(['S1', 'S2', 'S3', 'S9']) },
);
const mppsUid = fc.constantFrom('M1', 'M2', 'M3', 'M4');
const peer = fc.constantFrom('IM', 'RM', 'STRANGER');
const messageId = fc.integer({ min: 1, max: 59 });
const counts = fc.tuple(fc.nat(3), fc.nat(3)).map(([a, b]) => ({ named: Math.max(a, b), available: Math.min(a, b) }));

// What a final MPPS finds available was reported before: the notification comes along.
const notification = confirmation(5, { kind: 'notification', peer: 'PACS', code: '0000' });
const countsOfFinal = counts.map((one) => (one.available > 0 ? { ...one, notification } : one));

const performing: fc.Arbitrary<ProcedureEvent> = fc.oneof(
  fc.tuple(mppsUid, stepIds).map(([mpps, steps]) => performed('performedStepStarted', mpps, steps)),
  fc
    .tuple(fc.constantFrom('performedStepUpdated', 'performedStepCompleted'), mppsUid, stepIds, countsOfFinal)
    .map(([type, mpps, steps, instances]) => performed(type, mpps, steps, instances)),
  fc
    .tuple(mppsUid, stepIds, fc.constantFrom('wrongEntry', 'ends', 'cancelsOrder', 'holds', 'decide'), countsOfFinal)
    .map(([mpps, steps, effect, instances]) => discontinued(mpps, steps, effect, instances)),
);

const anyEvent: fc.Arbitrary<ProcedureEvent> = fc.oneof(
  { weight: 2, arbitrary: fc.subarray(['IM', 'RM']).map((destinations) => scheduled(...destinations)) },
  { weight: 1, arbitrary: messageId.map(patientRegistered) },
  { weight: 1, arbitrary: messageId.map(numbered) },
  { weight: 2, arbitrary: fc.tuple(peer, messageId).map(([name, id]) => acknowledged(name, id)) },
  { weight: 1, arbitrary: peer.map(refused) },
  { weight: 1, arbitrary: fc.constantFrom(...answerEvents).map((type): ProcedureEvent => ({ type })) },
  { weight: 1, arbitrary: messageId.map(offered) },
  { weight: 1, arbitrary: fc.constantFrom<ProcedureEvent>(staff.cancel, staff.discontinue) },
  { weight: 3, arbitrary: fc.constantFrom<ProcedureEvent>(staff.hold, staff.noShow, staff.release, staff.change) },
  { weight: 1, arbitrary: stepIds.map((steps) => rescheduled(...steps)) },
  { weight: 1, arbitrary: stepIds.map((steps) => arrived(...steps)) },
  { weight: 1, arbitrary: stepIds.map((steps) => departed(...steps)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(stepIds, fc.constantFrom('accepted', 'repeated'))
      .map(([steps, decided]) => decision(decided, ...steps)),
  },
  { weight: 2, arbitrary: fc.constantFrom('preliminary', 'final', 'corrected', 'cancelled').map(resultOf) },
  { weight: 12, arbitrary: performing },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.boolean(), countsOfFinal).map(([ended, instances]) => evidence(ended, instances)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(counts, messageId).map(([{ named, available }, id]) => reported(named, available, id)),
  },
);

function evidence(
  ended: boolean,
  instances: Extract<ProcedureEvent, { type: 'evidenceEnded' }>['instances'],
): ProcedureEvent {
  return ended ? { type: 'evidenceEnded', instances } : { type: 'evidenceStarted' };
}

function patientRegistered(id: number): ProcedureEvent {
  return { type: 'patientRegistered', confirmation: confirmation(id) };
}

/**
 * An event as it reaches a machine, if it does: a known MPPS is not begun again (0111) and a final one not ended again
 * (0110); what is said of an MPPS is said of every step that it began.
 */
function reaching(context: ProcedureContext, event: ProcedureEvent): ProcedureEvent | undefined {
  if (!('performedStep' in event)) return event;
  const begun = Object.entries(context.steps).filter(([, facts]) => facts.performedSteps[event.performedStep]);
  if (begun.length === 0) return event;
  const over = begun.some(([, facts]) => facts.performedSteps[event.performedStep] !== 'IN PROGRESS');
  if (event.type === 'performedStepStarted' || over) return undefined;
  return { ...event, steps: begun.map(([id]) => id) };
}

const happenedOf = (machine: StoredMachine): boolean[] =>
  transactionsOf(machine.context).map(({ happened }) => happened);

/** The statuses that a step may have by what was performed of it; one that was ended stays ended (department roll-up). */
function statusesBy({ stepStatus, performedSteps, discontinued: effects }: StepFacts): readonly StepStatus[] {
  if (stepStatus === 'CANCELLED')
    return Object.keys(performedSteps).every((uid) => effects?.[uid]) ? ['CANCELLED'] : [];
  if (stepStatus === 'DISCONTINUED') return Object.keys(performedSteps).length > 0 ? ['DISCONTINUED'] : [];
  const statuses = Object.values(performedSteps);
  // What goes on after it had been completed, and is stopped by the placer, is as complete as it was.
  if (statuses.includes('COMPLETED') && statuses.includes('IN PROGRESS')) return ['STARTED', 'COMPLETED'];
  if (statuses.includes('IN PROGRESS')) return ['STARTED'];
  if (statuses.includes('COMPLETED')) return ['COMPLETED'];
  const reasons = Object.keys(performedSteps).map((uid) => effects?.[uid]);
  if (reasons.includes('accepted')) return ['COMPLETED'];
  const undone = ['wrongEntry', 'holds', 'repeated'];
  if (reasons.every((reason) => reason !== undefined && undone.includes(reason)))
    return ['SCHEDULED', 'ARRIVED', 'DEPARTED'];
  // Which of two reasons was said last these facts do not tell.
  return [
    reasons.includes('decide') || reasons.includes('holds') ? ['STARTED' as const] : [],
    reasons.includes('ends') || reasons.includes('cancelsOrder') ? ['DISCONTINUED' as const] : [],
  ].flat();
}

/** The acquisitions that the statuses of the steps allow (department roll-up). */
function acquisitionsBy(statuses: readonly StepStatus[]): readonly string[] {
  const only = (...some: StepStatus[]): boolean => statuses.every((status) => some.includes(status));
  if (only('CANCELLED')) return ['cancelled'];
  if (only('CANCELLED', 'DISCONTINUED')) return ['discontinued'];
  if (only('CANCELLED', 'DISCONTINUED', 'COMPLETED')) return ['completed'];
  if (statuses.includes('STARTED') || statuses.includes('COMPLETED')) return ['inProgress'];
  return ['planned', 'scheduled', 'held'];
}

function announcementBy({ announcements }: ProcedureContext): string {
  const answers = Object.values(announcements);
  if (answers.length === 0) return 'due';
  return answers.every((answer) => answer === 'confirmed') ? 'confirmed' : 'sent';
}

function availabilityBy({ instances: { named, available } }: ProcedureContext, acquisition: string): string {
  if (available === 0) return 'unknown';
  return acquisition === 'completed' && available === named ? 'available' : 'partial';
}

function checkAgreement({ value, context }: StoredMachine): void {
  const facts = Object.values(context.steps);
  for (const one of facts) expect(statusesBy(one)).toContain(one.stepStatus);
  expect(acquisitionsBy(facts.map(({ stepStatus }) => stepStatus))).toContain(value.acquisition);
  const expected = [announcementBy(context), availabilityBy(context, value.acquisition), 'open'];
  expect([value.announcement, value.availability, value.facts]).toEqual(expected);
}

interface Course {
  readonly machine: StoredMachine;
  /** Everything that was asked for. */
  readonly wishes: readonly string[];
}

const final = new Set(['completed', 'discontinued', 'cancelled']);

function checkStep({ machine, wishes }: Course, event: ProcedureEvent): Course {
  const before = stored(machine);
  expect(before).toStrictEqual(machine);
  const moved = advance(before, event);
  expect(before).toStrictEqual(machine);
  if (!moved) return { machine, wishes };
  const now = happenedOf(moved.machine);
  expect(happenedOf(machine).filter((happened, index) => happened && now[index] !== true)).toEqual([]);
  checkAgreement(moved.machine);
  const asked = wishesOf(moved.effects);
  const { acquisition } = machine.value;
  // What was completed can be gone on with (append case); every other end is one.
  const goesOn = acquisition === 'completed' && event.type === 'performedStepStarted';
  if (final.has(acquisition)) expect(moved.machine.value.acquisition).toBe(goesOn ? 'inProgress' : acquisition);
  checkWishes({ machine: moved.machine, wishes }, acquisition, asked);
  return { machine: moved.machine, wishes: [...wishes, ...asked] };
}

/** RAD-13 only to whom RAD-4 went before; after the end nothing but what is true of an end. */
function checkWishes({ machine, wishes }: Course, before: string, asked: readonly string[]): void {
  const destinations = Object.keys(machine.context.announcements).sort().join(',');
  for (const wish of asked.filter((one) => one.startsWith('RAD-13'))) {
    expect(wishes).toContain(`RAD-4 ${destinations}`);
    expect(wish.split(' ')[2]).toBe(destinations);
  }
  const [allowed] = final.has(before) ? [before === 'completed' ? /^(RAD-13 XO\/CM|RAD-4|ORU)/ : /^ORU/] : [/^/];
  for (const wish of asked) expect(wish).toMatch(allowed);
}

/** Walks a machine through everything that can come. */
function walk(steps: number, events: readonly ProcedureEvent[], options?: { readonly numbered: boolean }): Course {
  let course: Course = { machine: machineOf(steps, options), wishes: [] };
  for (const event of events) {
    const reached = reaching(course.machine.context, event);
    if (reached) course = checkStep(course, reached);
  }
  return course;
}

const manyEvents = fc.array(anyEvent, { maxLength: 50, size: 'max' });

describe('whatever comes, in whatever order', () => {
  it('a machine never throws, never un-happens a transaction, leaves no end, and its regions agree with its facts', () => {
    const course = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean(), manyEvents);
    fc.assert(
      fc.property(course, ([steps, isNumbered, events]) => {
        walk(steps, events, { numbered: isNumbered });
      }),
      { numRuns: 250 },
    );
  });

  it('RAD-4 and S12 are asked for at most once, S15 and the end of a procedure too', () => {
    fc.assert(
      fc.property(manyEvents, (events) => {
        const { machine, wishes } = walk(2, events);
        const times = (start: RegExp): number => wishes.filter((wish) => start.test(wish)).length;
        expect(times(/^RAD-4/)).toBe(Object.keys(machine.context.announcements).length > 0 ? 1 : 0);
        expect([times(/^S12/), times(/^S15/), times(/^RAD-13 (CA|DC)/)].filter((count) => count > 1)).toEqual([]);
      }),
    );
  });

  it('an appointment is moved or called off only after it was made: S13 and S15 follow S12', () => {
    fc.assert(
      fc.property(manyEvents, (events) => {
        const appointments = walk(2, events).wishes.filter((wish) => /^S1\d$/.test(wish));
        expect(appointments[0] ?? 'S12').toBe('S12');
      }),
      { numRuns: 250 },
    );
  });

  it('a report goes forward: nothing preliminary after a final one, nothing final after a corrected one', () => {
    fc.assert(
      fc.property(manyEvents, (events) => {
        let machine = machineOf(1);
        for (const event of events) {
          const before = machine.value.report;
          machine = advance(machine, event)?.machine ?? machine;
          const now = machine.value.report;
          expect(['final > preliminary', 'corrected > preliminary', 'corrected > final']).not.toContain(
            `${before} > ${now}`,
          );
          if (before !== 'none') expect(now).not.toBe('none');
        }
      }),
    );
  });

  it('refused events change nothing: with or without them the machine ends the same', () => {
    fc.assert(
      fc.property(manyEvents, (events) => {
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

describe('what RAD-3 reports of an order of two procedures, whatever comes', () => {
  const wantedStatuses = fc.subarray<OptionalOrderStatus>(['SC', 'A', 'HD']);
  const policies = fc.constantFrom('on-mpps-completed', 'on-report-verified', 'never');

  type Wants = Parameters<typeof statusToReport>[2];

  function reportsOf(events: readonly (readonly [boolean, ProcedureEvent])[], wants: Wants): string[] {
    const machines = [machineOf(1), machineOf(2)];
    const reports: string[] = [];
    for (const [second, event] of events) {
      const index = second ? 1 : 0;
      const machine = machines[index];
      const reached = machine && reaching(machine.context, event);
      if (!reached) continue;
      machines[index] = advance(machine, reached)?.machine ?? machine;
      const standings = machines.map(({ value }) => ({ state: value.acquisition, report: value.report }));
      const report = statusToReport(reports.at(-1) ?? null, standings, wants);
      if (report) reports.push(report);
      if (report === 'DC') expect(orderStatusOf(standings.map(({ state }) => state))).toBe('DC');
    }
    return reports;
  }

  const happening = fc.array(fc.tuple(fc.boolean(), anyEvent), { maxLength: 80, size: 'max' });

  it('is forward only where the placer wants nothing beyond IHE: nothing, IP, then CM or DC', () => {
    fc.assert(
      fc.property(happening, policies, (events, policy) => {
        expect(reportsOf(events, { policy, wanted: [] }).join(' ')).toMatch(/^(IP)? ?(CM|DC)?$/);
      }),
    );
  });

  it('says nothing twice in a row, nothing after CM or DC, only the end after A, and only what the placer wants', () => {
    fc.assert(
      fc.property(happening, policies, wantedStatuses, (events, policy, wanted) => {
        const reports = reportsOf(events, { policy, wanted });
        const line = reports.join(' ');
        expect(line).toMatch(/^((SC|HD|IP) ?)*(A ?)?(CM|DC)?$/);
        expect(line).not.toMatch(/\b(\w+) \1\b/);
        // Whoever was told of a hold is told of its end.
        const known = ['IP', 'CM', 'DC', ...wanted, ...(wanted.includes('HD') ? ['SC'] : [])];
        expect(reports.filter((one) => !known.includes(one))).toEqual([]);
        if (!wanted.includes('SC')) expect(line).not.toMatch(/^SC|(?<!HD) SC/);
        if (policy === 'never') expect(reports).not.toContain('CM');
      }),
    );
  });
});
