import type { Prisma } from './generated/client.ts';
import type { Store } from './prisma.ts';
import {
  type Page,
  type PageRequest,
  behind,
  firstIdentifier,
  instant,
  newestFirst,
  ofPatient,
  pageOf,
  patientIdOf,
  readSnapshot,
} from './read-page.ts';

/** An order as others see it. */
export interface OrderView {
  /** ORC-2.1 */
  readonly placerOrderNumber: string | null;
  /** ORC-2.2, else MSH-3 of the message that brought it. */
  readonly placerOrderIssuer: string | null;
  /** ORC-3.1 */
  readonly fillerOrderNumber: string;
  /** OBR-18 / IPC-1 */
  readonly accessionNumber: string;
  /** PID-3.1, the first identifier of the patient. */
  readonly patientId: string;
  /** ORC-5 */
  readonly orderStatus: string;
  /** ORC-5 as RAD-3 last reported it. */
  readonly reportedOrderStatus: string | null;
  /** The order placer has been asked for its number and has not answered (RAD-3 SN). */
  readonly numberPending: boolean;
  /** What a person has to do; null when nothing. */
  readonly alarm: string | null;
  /** How the visit of the order stands; null without one. */
  readonly visitStatus: string | null;
  /** Names of the fields in which the order's PID differs from the registered patient. */
  readonly patientDifferences: readonly string[];
  readonly procedures: readonly { readonly requestedProcedureId: string; readonly state: string }[];
  readonly createdAt: string;
}

export interface OrderFilter {
  readonly placerOrderNumber?: string | undefined;
  readonly placerOrderIssuer?: string | undefined;
  readonly accessionNumber?: string | undefined;
  /** Any identifier value of the patient. */
  readonly patientId?: string | undefined;
  readonly orderStatus?: string | undefined;
}

const shown = {
  patient: firstIdentifier,
  visit: { select: { visitStatus: true } },
  requestedProcedures: { select: { requestedProcedureId: true, state: true }, orderBy: { id: 'asc' } },
} as const satisfies Prisma.OrderInclude;

function toView(row: Prisma.OrderGetPayload<{ include: typeof shown }>): OrderView {
  return {
    placerOrderNumber: row.placerOrderNumber,
    placerOrderIssuer: row.placerOrderIssuer,
    fillerOrderNumber: row.fillerOrderNumber,
    accessionNumber: row.accessionNumber,
    patientId: patientIdOf(row.patient),
    orderStatus: row.orderStatus,
    reportedOrderStatus: row.reportedOrderStatus,
    numberPending: row.numberPending,
    alarm: row.alarm,
    visitStatus: row.visit?.visitStatus ?? null,
    patientDifferences: row.patientDifferences,
    procedures: row.requestedProcedures,
    createdAt: instant(row.createdAt),
  };
}

function conditions({ patientId, ...columns }: OrderFilter): Prisma.OrderWhereInput {
  const given = Object.entries(columns).filter(([, value]) => value !== undefined);
  const ordered = { unreconciled: false };
  return { ...ordered, ...Object.fromEntries(given), ...(patientId === undefined ? {} : ofPatient(patientId)) };
}

/** Orders that meet a filter, newest first. */
export async function listOrders(store: Store, filter: OrderFilter, page: PageRequest): Promise<Page<OrderView>> {
  const where = { AND: [conditions(filter), behind(page)] };
  const rows = await readSnapshot(store, (tx) => tx.order.findMany({ where, include: shown, ...newestFirst(page) }));
  return pageOf(rows, page, toView);
}

// A number that more issuers than this have given names no order anyway.
const MOST_ISSUERS = 20;

/** Orders with a placer order number: it is unique only within its issuer. */
export async function findOrders(
  store: Store,
  placerOrderNumber: string,
  placerOrderIssuer?: string,
): Promise<OrderView[]> {
  const where = conditions({ placerOrderNumber, placerOrderIssuer });
  const rows = await readSnapshot(store, (tx) =>
    tx.order.findMany({ where, include: shown, orderBy: { id: 'asc' }, take: MOST_ISSUERS }),
  );
  return rows.map(toView);
}
