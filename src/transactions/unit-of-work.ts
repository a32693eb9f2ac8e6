import { type OrderStatus, type ProcedureStanding, orderStatusOf, statusToReport } from '../workflow/order-status.ts';
import type { ProcedureEvent } from '../workflow/procedure-events.ts';
import { type Advance, type Effect, type StoredMachine, advance } from '../workflow/procedure-machine.ts';
import { type OutgoingMessage, addDeliveries } from '../store/outbox.ts';
import { type StoredOrder, loadOrders, lockOrders, ownersOfOrders, saveOrderStatus } from '../store/orders.ts';
import { type StoredPatient, loadPatients, lockPatients } from '../store/patients.ts';
import { type Tx, changedMeanwhile } from '../store/prisma.ts';
import {
  type HistoryLine,
  type StoredProcedure,
  addHistory,
  lockProceduresOf,
  saveMachine,
} from '../store/procedures.ts';
import { lastHistoryLine } from '../store/read-unit.ts';
import { type Department, placerOf } from './department.ts';
import { type Preview, type UnitPreview, lookAt } from './preview.ts';
import { followImages } from './images-due.ts';
import type { OrderAnnouncement } from './rad-03-filler-order.ts';
import { type Announcement, render } from './render.ts';
import type { ReportContent } from './rad-28-result.ts';
import { type Waits, followWaits, waitsOf } from './waiting.ts';

/** Why something changes: the message or request behind it, who sent it, and when. */
export interface Cause {
  readonly messageId: number | undefined;
  readonly causedBy: string;
  readonly at: Date;
  /** A sentence for the history, without patient data. */
  readonly remark?: string | undefined;
}

/** One database transaction of the department; every cause goes through it. */
export interface Unit {
  readonly tx: Tx;
  readonly department: Department;
  /** Lanes that have something to send once the commit is done. */
  readonly destinations: Set<string>;
  /** Lanes that a person wants to go on at once. */
  readonly hurried: Set<string>;
  /** Everything that goes out, and the rules that fired, for those who want to see a unit before it is done. */
  readonly messages: OutgoingMessage[];
  readonly rules: string[];
  /** When timers that it made are due. */
  readonly dueTimers: Date[];
}

/** A procedure that is locked, while it moves. */
export interface HeldProcedure {
  stored: StoredProcedure;
  machine: StoredMachine;
  readonly effects: Effect[];
  readonly history: HistoryLine[];
  /** What each of its results says. */
  readonly reports: Map<Effect, ReportContent>;
}

/** An order that is locked, with its patient and all its procedures. */
export interface HeldOrder {
  order: StoredOrder;
  readonly patient: StoredPatient;
  readonly procedures: HeldProcedure[];
  /** What it waited for when it was locked; nothing for a new one. */
  readonly waits: Waits;
  /** What its placer is to hear beside what follows from the machines. */
  readonly announcements: OrderNews[];
}

/** An announcement about an order whose procedures are filled in when everything has moved. */
export type OrderNews = Distributed<OrderAnnouncement>;
type Distributed<T> = T extends unknown ? Omit<T, 'procedures'> : never;

/**
 * Runs one unit; after its commit the lanes hear of what they have to send, and whoever fires timers
 * of new ones. In a department that only looks it is rolled
 * back instead, and its preview has what it would have done; numbers that it took from the sequences stay taken.
 */
export async function runUnit<T>(department: Department, work: (unit: Unit) => Promise<T>): Promise<T> {
  const { preview } = department;
  if (preview) return onlyLook(department, preview, work);
  const { result, unit } = await department.store.transaction(async (tx) => {
    const begun = unitIn(tx, department);
    return { result: await work(begun), unit: begun };
  });
  department.store.notifyDeliveries([...unit.destinations], 'wake');
  department.store.notifyDeliveries([...unit.hurried], 'hurry');
  department.store.notifyTimers(unit.dueTimers);
  return result;
}

/** Ends a unit whose effects nobody wants. */
class OnlyLooked<T> extends Error {
  readonly result: T;
  readonly seen: UnitPreview;
  constructor(result: T, seen: UnitPreview) {
    super('a preview stores nothing');
    this.result = result;
    this.seen = seen;
  }
}

async function onlyLook<T>(department: Department, preview: Preview, work: (unit: Unit) => Promise<T>): Promise<T> {
  const { store } = department;
  const ended = await store
    .transaction(async (tx): Promise<never> => {
      const unit = unitIn(tx, department);
      const lastLine = await lastHistoryLine(tx);
      const result = await work(unit);
      const lanes = [...new Set([...unit.destinations, ...unit.hurried])].sort();
      throw new OnlyLooked(result, await lookAt(tx, store, { messages: unit.messages, lanes, lastLine }));
    })
    .catch((error: unknown) => {
      if (error instanceof OnlyLooked) return error as OnlyLooked<T>;
      throw error;
    });
  preview.units.push(ended.seen);
  return ended.result;
}

const unitIn = (tx: Tx, department: Department): Unit => ({
  tx,
  department,
  destinations: new Set(),
  hurried: new Set(),
  messages: [],
  rules: [],
  dueTimers: [],
});

export function hold(stored: StoredProcedure): HeldProcedure {
  return { stored, machine: stored.machine, effects: [], history: [], reports: new Map() };
}

/**
 * Locks orders with their patients and all their procedures: patients, then orders, then procedures, ids ascending,
 * for every cause alike. Locking only the procedures that an MPPS names would let two completions of one order each
 * see the other open. `alsoPatients` are patients whom the unit goes on to change.
 */
export async function holdOrders(
  unit: Unit,
  orderIds: readonly number[],
  alsoPatients: readonly number[] = [],
): Promise<HeldOrder[]> {
  if (orderIds.length === 0) return [];
  const { tx } = unit;
  const patientIds = await ownersOfOrders(tx, orderIds);
  await lockPatients(tx, [...new Set([...patientIds, ...alsoPatients])]);
  await lockOrders(tx, orderIds);
  const procedures = await lockProceduresOf(tx, orderIds);
  const patients = await loadPatients(tx, patientIds);
  const orders = await loadOrders(tx, orderIds);
  return orders.map((order) => {
    const patient = patients.get(order.patientId);
    // A merge has moved the order to another patient in the same instant.
    if (!patient) throw changedMeanwhile();
    const own = procedures.filter(({ orderId }) => orderId === order.id).map(hold);
    return { order, patient, procedures: own, waits: waitsOf({ order, procedures: own }), announcements: [] };
  });
}

/**
 * The orders that a look finds, held as `holdOrders` does. A procedure that was bound to another order between the look
 * and the locks is found there when the unit starts again.
 */
export async function holdFound(unit: Unit, find: () => Promise<readonly number[]>): Promise<HeldOrder[]> {
  const orders = await holdOrders(unit, await find());
  checkHeld(orders, await find());
  return orders;
}

/** Starts the unit again where orders are meant by now that it does not hold. */
export function checkHeld(orders: readonly HeldOrder[], meant: readonly number[]): void {
  if (!meant.every((id) => orders.some(({ order }) => order.id === id))) throw changedMeanwhile();
}

/** The state of its acquisition. */
export const stateOf = (procedure: HeldProcedure) => procedure.machine.value.acquisition;

/** The order's status by the states of its procedures (HL7 table 0038). */
export function orderStatusNow({ order, procedures }: HeldOrder): OrderStatus {
  // A parent order has no procedures of its own: it has ended when its placer says so.
  return procedures.length === 0 && order.endedBy ? 'CA' : orderStatusOf(procedures.map(stateOf));
}

/** Moves a held procedure by an event. An event that its state does not allow goes into the history as refused. */
export function send(procedure: HeldProcedure, event: ProcedureEvent, cause: Cause): boolean {
  const moved = advance(procedure.machine, event);
  if (moved) {
    note(procedure, event, moved, cause);
    return true;
  }
  takeDownRefused(procedure, event.type, cause);
  return false;
}

/** Takes down an attempt that the state or the facts do not allow. */
export function takeDownRefused(procedure: HeldProcedure, event: string, cause: Cause): void {
  const remark = ['not allowed in this state', cause.remark].filter(Boolean).join('; ');
  takeDown(procedure, event, { ...cause, remark });
}

/** Takes down what happened to a procedure without moving its machine. */
export function takeDown(procedure: HeldProcedure, event: string, cause: Cause): void {
  procedure.history.push(standingLine({ id: procedure.stored.id, state: stateOf(procedure) }, event, cause));
}

/** A line of the history about a procedure that stays in its state. */
export function standingLine(
  { id: procedureId, state }: { readonly id: number; readonly state: string },
  event: string,
  cause: Cause,
): HistoryLine {
  return { procedureId, event, fromState: state, toState: state, ...cause };
}

/** Takes down where an event led a held procedure. */
export function note(procedure: HeldProcedure, event: ProcedureEvent, moved: Advance, cause: Cause): void {
  const { machine, effects, from: fromState, to: toState } = moved;
  procedure.machine = machine;
  procedure.effects.push(...effects);
  procedure.history.push({ procedureId: procedure.stored.id, event: event.type, fromState, toState, ...cause });
}

async function saveProcedures(unit: Unit, held: HeldOrder, at: Date): Promise<void> {
  for (const procedure of held.procedures) {
    if (procedure.machine !== procedure.stored.machine) {
      const saved = { procedureId: procedure.stored.id, before: procedure.stored.machine, now: procedure.machine, at };
      procedure.stored = await saveMachine(unit.tx, procedure.stored, procedure.machine, at);
      await followImages(unit, saved);
    }
  }
  const now = waitsOf(held);
  await followWaits(unit, { orderId: held.order.id, before: held.waits, now, at });
  await addHistory(
    unit.tx,
    held.procedures.flatMap((procedure) => procedure.history),
  );
}

/** What the placer is to hear of the order's status, and the status that then counts as reported. */
function newsOfStatus(
  unit: Unit,
  { order, procedures }: HeldOrder,
  orderStatus: OrderStatus,
): { readonly news?: OrderNews; readonly reported: string | null } {
  const { config } = unit.department;
  const placer = placerOf(config, order);
  const silent = { reported: order.reportedOrderStatus };
  // Without an order placer nobody is told; without its number the placer would not know of what.
  if (!placer || order.placerOrderNumber === undefined) return silent;
  const ended = orderStatus === 'CA' || orderStatus === 'DC';
  // The placer ended it itself: our acknowledgement has told it.
  if (ended && order.endedBy === 'placer') return { reported: orderStatus };
  // An order that should not have been there is cancelled for its placer, also when it was begun.
  if (orderStatus === 'CA' || (orderStatus === 'DC' && procedures.some(wasOrderedByMistake))) {
    if (order.reportedOrderStatus === 'CA') return silent;
    return { news: { name: 'cancelOrder' }, reported: 'CA' };
  }
  const standings = procedures.map(({ machine }): ProcedureStanding => ({
    state: machine.value.acquisition,
    report: machine.value.report,
  }));
  const policy = config.policy.reportOrderComplete;
  const report = statusToReport(order.reportedOrderStatus, standings, { policy, wanted: placer.sends.orderStatuses });
  return report ? { news: { name: 'reportOrderStatus', orderStatus: report }, reported: report } : silent;
}

const wasOrderedByMistake = ({ machine }: HeldProcedure): boolean =>
  Object.values(machine.context.steps).some(({ lastEffect }) => lastEffect === 'cancelsOrder');

/** The order's status by the states of its procedures, and what RAD-3 has to say of it now. */
async function rollUp(unit: Unit, held: HeldOrder): Promise<OrderNews[]> {
  const { order } = held;
  const orderStatus = orderStatusNow(held);
  const { news, reported } = newsOfStatus(unit, held, orderStatus);
  if (orderStatus !== order.orderStatus || reported !== order.reportedOrderStatus) {
    await saveOrderStatus(unit.tx, order.id, orderStatus, reported);
  }
  return news ? [news] : [];
}

function announcementsOf(held: HeldOrder): Announcement[] {
  return held.procedures.flatMap(({ stored, effects, reports }) =>
    effects.map((effect): Announcement => {
      if (effect.name !== 'sendResult') return { ...effect, procedure: stored };
      return { ...effect, procedure: stored, content: reports.get(effect) };
    }),
  );
}

/** Puts finished messages into the lanes. */
export async function deliver(unit: Unit, messages: readonly OutgoingMessage[], at: Date): Promise<void> {
  await addDeliveries(unit.tx, messages, at);
  unit.messages.push(...messages);
  for (const message of messages) unit.destinations.add(message.destination);
}

/** Saves what moved, decides the orders' status, and puts the messages that follow into the lanes. */
export async function finish(unit: Unit, orders: readonly HeldOrder[], at: Date): Promise<void> {
  for (const held of orders) {
    await saveProcedures(unit, held, at);
    const ofOrder = [...(await rollUp(unit, held)), ...held.announcements];
    const procedures = held.procedures.map((procedure) => procedure.stored);
    const announcements = [...announcementsOf(held), ...ofOrder.map((news): Announcement => ({ ...news, procedures }))];
    const messages = announcements.flatMap((announcement) => render(unit.department, held, announcement, at));
    await deliver(unit, messages, at);
    await noteRemarks(unit, held, messages, at);
  }
}

/** The line of the history that says so. */
export const characterSetNotCarried = 'characterSetNotCarried';

/** What a receiver's character set could not carry stands in the history of the procedures that it is about. */
async function noteRemarks(unit: Unit, held: HeldOrder, messages: readonly OutgoingMessage[], at: Date): Promise<void> {
  const lines = messages.flatMap(({ remark, destination, procedureId }) =>
    remark === undefined
      ? []
      : held.procedures
          .filter(({ stored }) => procedureId === undefined || stored.id === procedureId)
          .map((procedure) => {
            const cause = { messageId: undefined, causedBy: destination, at, remark };
            return standingLine({ id: procedure.stored.id, state: stateOf(procedure) }, characterSetNotCarried, cause);
          }),
  );
  await addHistory(unit.tx, lines);
}
