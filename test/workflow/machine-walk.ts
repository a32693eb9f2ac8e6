import { expect } from 'vitest';
import { getShortestPaths } from 'xstate/graph';
import { orderStatusOf, statusToReport } from '../../src/workflow/order-status.ts';
import {
  type Advance,
  type Effect,
  type StoredMachine,
  advance,
  procedureMachine,
} from '../../src/workflow/procedure-machine.ts';
import { waitsForStart } from '../../src/workflow/timers.ts';
import type { TestDepartment } from '../http/support.ts';
import { orm, serial } from '../support/messages.ts';
import { newUid, stepsOf } from '../support/mpps.ts';
import { type Letter, type Names, type Walked, alphabetOf } from './machine-alphabet.ts';
import { confirmation, procedureOf, stored } from './machine.ts';

/** Paths through the machine of one procedure, and how they are walked in a department. */

/** A machine without who confirmed what: that tells no two states apart. */
function factsOf({ value, context }: StoredMachine) {
  const { confirmations, ...facts } = context;
  return { value, facts: stored(facts), confirmed: Object.keys(confirmations).sort() };
}

/** What tells one state of a procedure from another. */
const keyOf = (machine: StoredMachine): string => JSON.stringify([machine.value, factsOf(machine).facts]);

const namesOf = (steps: number): Names => ({
  steps: Array.from({ length: steps }, (_, index) => `S${index + 1}`),
  performed: Array.from({ length: steps }, (_, index) => `M${index + 1}`),
});

const heard = (letter: Letter, machine: StoredMachine, names: Names): Advance | undefined =>
  letter.barred?.(machine) ? undefined : advance(machine, letter.event(machine, names));

/**
 * Names of events, path by path, that lead over every transition out of every state which fewer than `depth` events
 * reach. One that is the beginning of another is walked with that one.
 */
function transitionPaths(steps: number, depth: number): string[][] {
  const names = namesOf(steps);
  const letters = alphabetOf(steps);
  const moving = (machine: StoredMachine) =>
    letters.flatMap((letter) => {
      const moved = letter.reaches(machine, names) ? heard(letter, machine, names) : undefined;
      return moved ? [{ letter, moved: moved.machine }] : [];
    });
  // States are met in the order of their distance.
  const distances = new Map<string, number>();
  const reached = getShortestPaths(procedureMachine, {
    input: { procedure: procedureOf(steps), registration: undefined, order: confirmation(2) },
    serializeState: (snapshot) => keyOf(snapshot as unknown as StoredMachine),
    events: (snapshot) => {
      const machine = snapshot as unknown as StoredMachine;
      const distance = distances.get(keyOf(machine)) ?? 0;
      const moves = distance < depth ? moving(machine) : [];
      for (const { moved } of moves) if (!distances.has(keyOf(moved))) distances.set(keyOf(moved), distance + 1);
      return moves.map(({ letter }) => ({ ...letter.event(machine, names), name: letter.name }));
    },
    limit: 200_000,
  });
  const paths = reached.flatMap(({ state, steps: taken }) => {
    const events = taken.flatMap(({ event }) => (event as { readonly name?: string }).name ?? []);
    if (events.length >= depth) return [events];
    return moving(state as unknown as StoredMachine).map(({ letter }) => [...events, letter.name]);
  });
  const all = [...new Set(paths.map((events) => events.join(' ')))].sort();
  // Sorted, a path stands before those that it begins.
  return all.filter((one, index) => !all[index + 1]?.startsWith(`${one} `)).map((one) => one.split(' '));
}

/** What RAD-3 has said of the order, as it follows from its one procedure. */
interface Told {
  reported: string | null;
}

const mistaken = ({ context }: StoredMachine): boolean =>
  Object.values(context.steps).some(({ lastEffect }) => lastEffect === 'cancelsOrder');

function newsOfOrder(machine: StoredMachine, told: Told): string[] {
  const { value } = machine;
  const orderStatus = orderStatusOf([value.acquisition]);
  if (orderStatus === 'CA' || (orderStatus === 'DC' && mistaken(machine))) {
    const news = told.reported === 'CA' ? [] : ['OP cancelOrder'];
    told.reported = 'CA';
    return news;
  }
  const standing = { state: value.acquisition, report: value.report };
  const status = statusToReport(told.reported, [standing], { policy: 'on-mpps-completed', wanted: [] });
  if (status === undefined) return [];
  told.reported = status;
  return ['OP reportOrderStatus'];
}

const receivers = (effect: Effect): readonly string[] => ('destinations' in effect ? effect.destinations : ['OP']);

/** The messages that effects ask for: `IM announceProcedure`. */
const messagesOf = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => receivers(effect).map((destination) => `${destination} ${effect.name}`));

/** An order of one procedure, planned, as the model begins. */
async function ordered(at: TestDepartment, steps: number): Promise<Walked> {
  const placerOrderNumber = `M${serial()}`;
  const service = steps === 1 ? 'WRIST^^TESTPLAN' : 'SPINE^^TESTPLAN';
  await at.hl7(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS`, service }]));
  const worklist = await stepsOf(at.store, placerOrderNumber);
  return {
    at,
    placerOrderNumber,
    worklist,
    requestedProcedureId: worklist[0]?.requestedProcedureId ?? '',
    steps: worklist.map(({ scheduledProcedureStepId }) => scheduledProcedureStepId),
    performed: worklist.map(() => newUid()),
    images: [],
  };
}

interface Seen {
  readonly machine: StoredMachine;
  readonly history: readonly {
    readonly id: number;
    readonly event: string;
    readonly fromState: string;
    readonly toState: string;
    readonly remark: string | null;
  }[];
  readonly messages: readonly string[];
  readonly stepStatuses: readonly string[];
  readonly waitsFor: readonly string[];
}

/** The procedure as it stands in the database, and all that was said of it so far: one statement, for there are many looks. */
async function look({ at, requestedProcedureId }: Walked): Promise<Seen> {
  const [row] = await at.store.prisma.$queryRaw<Seen[]>`
    SELECT r.machine,
      ARRAY(SELECT to_jsonb(h) FROM "History" h WHERE h."procedureId" = r.id ORDER BY h.id) AS history,
      ARRAY(SELECT d.destination || ' ' || d.effect FROM "Delivery" d WHERE d."orderId" = r."orderId" ORDER BY d.id)
        AS messages,
      ARRAY(SELECT s."stepStatus"::text FROM "ScheduledProcedureStep" s WHERE s."procedureId" = r.id ORDER BY s.id)
        AS "stepStatuses",
      ARRAY(SELECT s."scheduledProcedureStepId" FROM "ScheduledProcedureStep" s
        JOIN "Timer" t ON t."stepId" = s.id AND t."settledAt" IS NULL WHERE s."procedureId" = r.id ORDER BY s.id)
        AS "waitsFor"
    FROM "RequestedProcedure" r WHERE r."requestedProcedureId" = ${requestedProcedureId}`;
  if (!row) throw new Error('the procedure is not there');
  return row;
}

function expectSame(seen: Seen, model: StoredMachine): void {
  expect(factsOf(seen.machine)).toEqual(factsOf(model));
  const statuses = Object.entries(model.context.steps).sort(([one], [other]) => (one < other ? -1 : 1));
  expect(seen.stepStatuses).toEqual(statuses.map(([, { stepStatus }]) => stepStatus));
  const waiting = statuses.filter(([, { stepStatus }]) => waitsForStart(model, stepStatus));
  expect(seen.waitsFor).toEqual(waiting.map(([id]) => id));
}

/**
 * Walks one path with a procedure of its own. After each event the stored machine is the model's, the history has one
 * line more, and the lanes hold what its effects ask for and nothing else. Where the path ends in a state that is new to
 * `tried`, everything is tried that is not allowed there: nothing changes, and the history has what a machine refused.
 */
async function walk(at: TestDepartment, steps: number, path: readonly string[], tried: Set<string>): Promise<void> {
  const letters = alphabetOf(steps);
  const walked = await ordered(at, steps);
  let before = await look(walked);
  let model = before.machine;
  const told: Told = { reported: null };

  async function step(letter: Letter): Promise<void> {
    const reached = letter.reaches(model, walked);
    const event = letter.event(model, walked);
    const moved = reached ? heard(letter, model, walked) : undefined;
    await letter.act(walked);
    const now = await look(walked);
    model = moved?.machine ?? model;
    expectSame(now, model);
    const lines = now.history.slice(before.history.length);
    const { acquisition } = model.value;
    const line = moved
      ? { event: event.type, fromState: moved.from, toState: moved.to, remark: null }
      : { event: event.type, fromState: acquisition, toState: acquisition, remark: 'not allowed in this state' };
    expect(lines).toMatchObject(reached ? [line] : []);
    const messages = moved ? [...messagesOf(moved.effects), ...newsOfOrder(model, told)] : [];
    expect(now.messages.slice(before.messages.length).sort()).toEqual(messages.sort());
    before = now;
  }

  for (const name of path) {
    const letter = letters.find((one) => one.name === name);
    if (!letter) throw new Error(`there is no ${name}`);
    await step(letter);
  }
  const end = JSON.stringify([model.value, anonymous(model, walked)]);
  if (tried.has(end)) return;
  tried.add(end);
  for (const letter of letters) {
    if (letter.reaches(model, walked) && heard(letter, model, walked)) continue;
    await step(letter);
  }
}

/** The statuses of the steps, without the names that are this procedure's own. */
const anonymous = ({ context }: StoredMachine, { steps, performed }: Names) =>
  steps.map((id, index) => {
    const facts = context.steps[id];
    return [facts?.stepStatus, facts?.performedSteps[performed[index] ?? ''], facts?.lastEffect, context.noShow];
  });

/** Walks the paths of a depth, a few at a time; the first that goes astray is named. Gives how many there were. */
export async function walkAll(at: TestDepartment, steps: number, depth: number): Promise<number> {
  const paths = transitionPaths(steps, depth);
  const left = [...paths];
  const tried = new Set<string>();
  const worker = async (): Promise<void> => {
    for (let path = left.shift(); path; path = left.shift()) {
      const events = path.join(' ');
      await walk(at, steps, path, tried).catch((error: unknown) => {
        throw new Error(`${events}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      });
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  return paths.length;
}
