import type { OrderStatus } from '../workflow/order-status.ts';
import type { PlacerOrder } from '../workflow/vocabulary.ts';
import { SwfError } from '../platform/errors.ts';
import type { Prisma } from './generated/client.ts';
import { type StoredVisit, toVisit } from './visits.ts';
import { type Tx, json } from './prisma.ts';

export interface NewOrder {
  readonly patientId: number;
  readonly visit: StoredVisit | undefined;
  readonly order: PlacerOrder;
  /** Undefined while an order of the department waits for its number. */
  readonly placerOrderIssuer: string | undefined;
  readonly departmental?: boolean;
  readonly numberPending?: boolean;
  /** Holds the place of an order for what was performed unscheduled. */
  readonly unreconciled?: boolean;
  readonly fillerOrderNumber: string;
  /** In order of preference: the placer's own (where the site accepts it), then one of ours. */
  readonly accessionNumbers: readonly string[];
  /** Another one of ours, where a placer has used the one that was next. */
  readonly nextAccessionNumber: () => Promise<string>;
  readonly patientDifferences: readonly string[];
  /** Where the placer order number stands in the message: `ORC^1^2`. */
  readonly location: string;
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  /** Undefined for an order of the department. */
  readonly messageId: number | undefined;
  readonly at: Date;
}

export interface StoredOrder {
  readonly id: number;
  readonly patientId: number;
  readonly visit: StoredVisit | undefined;
  /** Undefined while an order of the department waits for its number. */
  readonly placerOrderNumber: string | undefined;
  readonly placerOrderIssuer: string | undefined;
  /** Placed by the department (RAD-3 SN). */
  readonly departmental: boolean;
  /** The placer has been asked for its number and has not answered. */
  readonly numberPending: boolean;
  /** Holds the place of an order for what was performed unscheduled. */
  readonly unreconciled: boolean;
  /** Who cancelled or discontinued it. */
  readonly endedBy: 'placer' | 'filler' | undefined;
  readonly fillerOrderNumber: string;
  readonly accessionNumber: string;
  readonly appointmentNumbers: readonly string[];
  readonly orderStatus: string;
  readonly reportedOrderStatus: string | null;
  readonly details: PlacerOrder;
  /** Names of the fields in which the order's PID differs from the registered patient. */
  readonly patientDifferences: readonly string[];
  readonly sendingApplication: string;
  readonly sendingFacility: string;
}

/**
 * Creates the order under the first accession number that is free; the unique indexes decide, not a look before.
 * Throws 'duplicate-key' (HL7 205) when the placer order number is known.
 */
export async function createOrder(tx: Tx, order: NewOrder): Promise<StoredOrder> {
  const candidates = [...order.accessionNumbers];
  for (let attempt = 0; attempt < MOST_ACCESSION_NUMBERS; attempt++) {
    const accessionNumber = candidates.shift() ?? (await order.nextAccessionNumber());
    const created = await tx.order.createManyAndReturn({
      data: [columnsOf(order, accessionNumber)],
      skipDuplicates: true,
    });
    if (created[0]) return toOrder(created[0], order.visit);
    await refuseKnown(tx, order);
  }
  throw new SwfError('internal', 'no accession number was free');
}

// Beyond this many in a row something else is wrong than a placer that used some of our numbers.
const MOST_ACCESSION_NUMBERS = 100;

async function refuseKnown(tx: Tx, { order, placerOrderIssuer, location }: NewOrder): Promise<void> {
  const placerOrderNumber = order.placerOrderNumber?.id;
  if (placerOrderNumber === undefined || placerOrderIssuer === undefined) return;
  const known = await findPlacerOrder(tx, { placerOrderNumber, placerOrderIssuer });
  if (known !== undefined)
    throw new SwfError('duplicate-key', 'an order with this placer order number (ORC-2) exists', { location });
}

function columnsOf(order: NewOrder, accessionNumber: string) {
  return {
    patientId: order.patientId,
    visitId: order.visit?.id ?? null,
    placerOrderNumber: order.order.placerOrderNumber?.id ?? null,
    placerOrderIssuer: order.placerOrderIssuer ?? null,
    departmental: order.departmental ?? false,
    numberPending: order.numberPending ?? false,
    unreconciled: order.unreconciled ?? false,
    fillerOrderNumber: order.fillerOrderNumber,
    accessionNumber,
    orderStatus: 'SC',
    details: json(order.order),
    patientDifferences: [...order.patientDifferences],
    sendingApplication: order.sendingApplication,
    sendingFacility: order.sendingFacility,
    messageId: order.messageId ?? null,
    createdAt: order.at,
  };
}

/** Locks orders for this transaction, in the order of their ids; their patients are locked before. */
export async function lockOrders(tx: Tx, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.$queryRaw`SELECT id FROM "Order" WHERE id = ANY(${[...ids]}::int[]) ORDER BY id FOR UPDATE`;
}

/** Reads locked orders. */
export async function loadOrders(tx: Tx, ids: readonly number[]): Promise<StoredOrder[]> {
  const rows = await tx.order.findMany({
    where: { id: { in: [...ids] } },
    include: { visit: true },
    orderBy: { id: 'asc' },
  });
  return rows.map((row) => toOrder(row, row.visit ? toVisit(row.visit) : undefined));
}

function toOrder(row: Prisma.OrderGetPayload<object>, visit: StoredVisit | undefined): StoredOrder {
  return {
    id: row.id,
    patientId: row.patientId,
    visit,
    placerOrderNumber: row.placerOrderNumber ?? undefined,
    placerOrderIssuer: row.placerOrderIssuer ?? undefined,
    departmental: row.departmental,
    numberPending: row.numberPending,
    unreconciled: row.unreconciled,
    endedBy: row.endedBy === 'placer' || row.endedBy === 'filler' ? row.endedBy : undefined,
    fillerOrderNumber: row.fillerOrderNumber,
    accessionNumber: row.accessionNumber,
    appointmentNumbers: row.appointmentNumbers,
    orderStatus: row.orderStatus,
    reportedOrderStatus: row.reportedOrderStatus,
    details: row.details as unknown as PlacerOrder,
    patientDifferences: row.patientDifferences,
    sendingApplication: row.sendingApplication,
    sendingFacility: row.sendingFacility,
  };
}

/** Saves an order's status, and what RAD-3 now reports of it. */
export async function saveOrderStatus(
  tx: Tx,
  id: number,
  orderStatus: OrderStatus,
  reported: string | null,
): Promise<void> {
  await tx.order.update({ where: { id }, data: { orderStatus, reportedOrderStatus: reported } });
}

/** What changes in a locked order beside its status. */
export interface OrderChange {
  readonly patientId?: number;
  readonly details?: PlacerOrder;
  readonly placerOrderNumber?: string;
  readonly placerOrderIssuer?: string;
  readonly numberPending?: boolean;
  readonly departmental?: boolean;
  readonly unreconciled?: boolean;
  readonly sendingApplication?: string;
  readonly sendingFacility?: string;
  readonly patientDifferences?: readonly string[];
  readonly endedBy?: 'placer' | 'filler';
  /** A sentence for a person who has to act; null when that is done. */
  readonly alarm?: { readonly sentence: string; readonly at: Date } | null;
  readonly visitId?: number;
  /** `id^issuer` of each. */
  readonly appointmentNumbers?: readonly string[];
}

/** Changes a locked order. */
export async function changeOrder(tx: Tx, id: number, change: OrderChange): Promise<void> {
  const { details, appointmentNumbers, patientDifferences, alarm, ...columns } = change;
  const data = {
    ...columns,
    ...(alarm === undefined ? {} : { alarm: alarm?.sentence ?? null, alarmedAt: alarm?.at ?? null }),
    ...(patientDifferences ? { patientDifferences: [...patientDifferences] } : {}),
    ...(details ? { details: json(details) } : {}),
    ...(appointmentNumbers ? { appointmentNumbers: [...appointmentNumbers] } : {}),
  };
  await tx.order.update({ where: { id }, data });
}

/** The order with a placer order number, not locked. */
export async function findPlacerOrder(
  tx: Tx,
  number: { readonly placerOrderNumber: string; readonly placerOrderIssuer: string },
): Promise<number | undefined> {
  const where = { placerOrderNumber_placerOrderIssuer: number };
  return (await tx.order.findUnique({ where, select: { id: true } }))?.id;
}

/** An order that a new one could be the echo of. */
export interface OrderLike {
  readonly id: number;
  readonly patientId: number;
  readonly placerOrderNumber: string | null;
  readonly fillerOrderNumber: string;
  readonly departmental: boolean;
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  /** OBR-4.1 */
  readonly service: string | undefined;
}

/** The order with a placer order number, and the patient's orders that wait for theirs; not locked. */
export async function ordersLike(
  tx: Tx,
  number: { readonly placerOrderNumber: string; readonly placerOrderIssuer: string },
  patientId: number,
): Promise<OrderLike[]> {
  const waiting = { patientId, departmental: true, numberPending: true };
  const rows = await tx.order.findMany({ where: { OR: [number, waiting] }, orderBy: { id: 'asc' } });
  return rows.map((row) => ({ ...row, service: (row.details as unknown as PlacerOrder).service.code }));
}

/** Whether an order is the parent of one that has not ended (ORC-8). */
export async function hasOpenChildren(tx: Tx, parent: StoredOrder): Promise<boolean> {
  const child = { path: ['parent', 'id'], equals: parent.placerOrderNumber ?? '' };
  const orderStatus = { notIn: ['CM', 'DC', 'CA'] };
  return (await tx.order.count({ where: { patientId: parent.patientId, details: child, orderStatus } })) > 0;
}

/** The only order with a placer order number whose issuer nobody says; undefined where there are several. */
export async function findOnlyPlacerOrder(tx: Tx, placerOrderNumber: string): Promise<number | undefined> {
  const [only, another] = await tx.order.findMany({ where: { placerOrderNumber }, select: { id: true }, take: 2 });
  return another ? undefined : only?.id;
}

/** The order of an appointment by its number, `id^issuer`; not locked. */
export async function findAppointment(tx: Tx, appointmentNumber: string): Promise<number | undefined> {
  const where = { appointmentNumbers: { has: appointmentNumber } };
  return (await tx.order.findFirst({ where, select: { id: true }, orderBy: { id: 'desc' } }))?.id;
}

/** The order with a filler order number of ours, not locked. */
export async function findFillerOrder(tx: Tx, fillerOrderNumber: string): Promise<number | undefined> {
  return (await tx.order.findUnique({ where: { fillerOrderNumber }, select: { id: true } }))?.id;
}

/** The order with an accession number, not locked. */
export async function findAccession(tx: Tx, accessionNumber: string): Promise<number | undefined> {
  return (await tx.order.findUnique({ where: { accessionNumber }, select: { id: true } }))?.id;
}

/** Patients and orders that own procedures, before anything is locked. */
export async function ownersOfOrders(tx: Tx, orderIds: readonly number[]): Promise<number[]> {
  const rows = await tx.order.findMany({
    where: { id: { in: [...orderIds] } },
    select: { patientId: true },
    distinct: ['patientId'],
  });
  return rows.map((row) => row.patientId).sort((a, b) => a - b);
}

/** Marks orders whose PID disagrees with the registration that came after them. */
export async function markDifferences(tx: Tx, ids: readonly number[], differences: readonly string[]): Promise<void> {
  await tx.order.updateMany({ where: { id: { in: [...ids] } }, data: { patientDifferences: [...differences] } });
}

/** Who brought or was asked about a patient's orders, as far as an order placer has heard of them (MSH-3, MSH-4). */
export async function ordersKnownToPlacers(
  tx: Tx,
  patientId: number,
): Promise<{ readonly sendingApplication: string; readonly sendingFacility: string }[]> {
  return tx.order.findMany({
    where: { patientId, unreconciled: false, OR: [{ placerOrderNumber: { not: null } }, { numberPending: true }] },
    select: { sendingApplication: true, sendingFacility: true },
    distinct: ['sendingApplication', 'sendingFacility'],
    orderBy: { id: 'asc' },
  });
}
