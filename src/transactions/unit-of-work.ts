import { SwfError } from '../platform/errors.ts';
import { orderStatusOf, statusToReport } from '../workflow/order-status.ts';
import type { ProcedureEvent } from '../workflow/procedure-context.ts';
import { type Advance, type Effect, type StoredMachine, advance } from '../workflow/procedure-machine.ts';
import { addDeliveries } from '../store/outbox.ts';
import { type StoredOrder, loadOrders, lockOrders, ownersOfOrders, saveOrderStatus } from '../store/orders.ts';
import { type StoredPatient, loadPatients, lockPatients } from '../store/patients.ts';
import type { Tx } from '../store/prisma.ts';
import {
  type HistoryLine,
  type StoredProcedure,
  addHistory,
  lockProceduresOf,
  saveMachine,
} from '../store/procedures.ts';
import { type Department, placerOf } from './department.ts';
import { type Announcement, render } from './render.ts';

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
}

/** A procedure that is locked, while it moves. */
export interface HeldProcedure {
  stored: StoredProcedure;
  machine: StoredMachine;
  readonly effects: Effect[];
  readonly history: HistoryLine[];
}

/** An order that is locked, with its patient and all its procedures. */
export interface HeldOrder {
  readonly order: StoredOrder;
  readonly patient: StoredPatient;
  readonly procedures: HeldProcedure[];
}

/** Runs one unit; after its commit the lanes hear of what they have to send. */
export async function runUnit<T>(department: Department, work: (unit: Unit) => Promise<T>): Promise<T> {
  const { result, destinations } = await department.store.transaction(async (tx) => {
    const unit: Unit = { tx, department, destinations: new Set() };
    const done = await work(unit);
    return { result: done, destinations: [...unit.destinations] };
  });
  department.store.notifyDeliveries(destinations);
  return result;
}

export function hold(stored: StoredProcedure): HeldProcedure {
  return { stored, machine: stored.machine, effects: [], history: [] };
}

/**
 * Locks orders with their patients and all their procedures: patients, then orders, then procedures, ids ascending,
 * for every cause alike. Locking only the procedures that an MPPS names would let two completions of one order each
 * see the other open.
 */
export async function holdOrders(unit: Unit, orderIds: readonly number[]): Promise<HeldOrder[]> {
  if (orderIds.length === 0) return [];
  const { tx } = unit;
  const patientIds = await ownersOfOrders(tx, orderIds);
  await lockPatients(tx, patientIds);
  await lockOrders(tx, orderIds);
  const procedures = await lockProceduresOf(tx, orderIds);
  const patients = await loadPatients(tx, patientIds);
  const orders = await loadOrders(tx, orderIds);
  return orders.map((order) => {
    const patient = patients.get(order.patientId);
    if (!patient)
      throw new SwfError('conflict', 'the order moved to another patient in the same instant; send it again');
    return { order, patient, procedures: procedures.filter(({ orderId }) => orderId === order.id).map(hold) };
  });
}

/** Moves a held procedure by an event. An event that its state does not allow goes into the history as refused. */
export function send(procedure: HeldProcedure, event: ProcedureEvent, cause: Cause): boolean {
  const moved = advance(procedure.machine, event);
  if (moved) {
    note(procedure, event, moved, cause);
    return true;
  }
  const state = procedure.machine.value.acquisition;
  const remark = 'not allowed in this state';
  procedure.history.push({
    procedureId: procedure.stored.id,
    event: event.type,
    fromState: state,
    toState: state,
    remark,
    ...cause,
  });
  return false;
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
      procedure.stored = await saveMachine(unit.tx, procedure.stored, procedure.machine, at);
    }
  }
  await addHistory(
    unit.tx,
    held.procedures.flatMap((procedure) => procedure.history),
  );
}

/** The order's status by the states of its procedures, and what RAD-3 has to say of it now. */
async function rollUp(unit: Unit, held: HeldOrder): Promise<Announcement[]> {
  const { order, procedures } = held;
  const orderStatus = orderStatusOf(procedures.map((procedure) => procedure.machine.value.acquisition));
  const policy = unit.department.config.policy.reportOrderComplete;
  // Without an order placer nobody is told, and nothing counts as reported.
  const told = placerOf(unit.department.config, order) !== undefined;
  const report = told ? statusToReport(order.reportedOrderStatus, orderStatus, policy) : undefined;
  if (orderStatus !== order.orderStatus || report) {
    await saveOrderStatus(unit.tx, order.id, orderStatus, report ?? order.reportedOrderStatus);
  }
  const stored = procedures.map((procedure) => procedure.stored);
  return report ? [{ name: 'reportOrderStatus', orderStatus: report, procedures: stored }] : [];
}

/** Saves what moved, decides the orders' status, and puts the messages that follow into the lanes. */
export async function finish(unit: Unit, orders: readonly HeldOrder[], at: Date): Promise<void> {
  for (const held of orders) {
    await saveProcedures(unit, held, at);
    const announcements: Announcement[] = held.procedures.flatMap((procedure) =>
      procedure.effects.map((effect) => ({ ...effect, procedure: procedure.stored })),
    );
    announcements.push(...(await rollUp(unit, held)));
    const messages = announcements.flatMap((announcement) => render(unit.department, held, announcement, at));
    await addDeliveries(unit.tx, messages, at);
    for (const message of messages) unit.destinations.add(message.destination);
  }
}
