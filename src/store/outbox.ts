import type { Prisma } from './generated/client.ts';
import type { DeliveryStatus, Protocol } from './generated/enums.ts';
import type { Store, Tx } from './prisma.ts';

/** A finished message for one destination: the bytes and control id never change again. */
export interface OutgoingMessage {
  /** The lane. */
  readonly destination: string;
  /** The name of the peer; else that of its lane. */
  readonly peer?: string | undefined;
  readonly protocol: Protocol;
  readonly transaction: string;
  readonly messageType: string;
  readonly controlId: string;
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  readonly raw: Uint8Array;
  /** How raw is encoded, for a DICOM data set. */
  readonly transferSyntaxUid?: string | undefined;
  /** announceProcedure, reportOrderStatus: what made it. */
  readonly effect: string;
  readonly orderId?: number | undefined;
  readonly procedureId?: number | undefined;
  readonly patientId?: number | undefined;
  /** What a person should know of it: its text did not fit the receiver's character set. */
  readonly remark?: string | undefined;
}

/** Puts messages into the lanes. The patient is locked, so ids follow the order of commits that concern him. */
export async function addDeliveries(tx: Tx, messages: readonly OutgoingMessage[], at: Date): Promise<void> {
  if (messages.length === 0) return;
  const created = await tx.message.createManyAndReturn({
    data: messages.map((message) => messageRow(message, at)),
    select: { id: true },
  });
  // Rows come back in the order of their values, so that each delivery finds its message.
  await tx.delivery.createMany({
    data: messages.map((message, index) => ({
      messageId: created[index]?.id ?? 0,
      destination: message.destination,
      effect: message.effect,
      deliveryStatus: 'PENDING' as const,
      orderId: message.orderId ?? null,
      procedureId: message.procedureId ?? null,
      patientId: message.patientId ?? null,
      createdAt: at,
    })),
  });
}

function messageRow(message: OutgoingMessage, at: Date) {
  return {
    direction: 'OUT' as const,
    protocol: message.protocol,
    transaction: message.transaction,
    messageType: message.messageType,
    controlId: message.controlId,
    sendingApplication: message.sendingApplication,
    sendingFacility: message.sendingFacility,
    peer: message.peer ?? message.destination,
    at,
    raw: new Uint8Array(message.raw),
    transferSyntaxUid: message.transferSyntaxUid ?? null,
    outcome: 'WAITING' as const,
    remarks: message.remark === undefined ? [] : [message.remark],
  };
}

export interface PendingDelivery {
  readonly id: number;
  readonly messageId: number;
  /** The lane. */
  readonly destination: string;
  readonly peer: string;
  readonly transaction: string;
  readonly messageType: string;
  /** What made it: announceProcedure, requestOrderNumber. */
  readonly effect: string;
  readonly controlId: string;
  readonly raw: Uint8Array;
  readonly transferSyntaxUid: string | undefined;
  readonly attempts: number;
  /** An attempt was begun before, whatever came of it. */
  readonly attempted: boolean;
  /** When this attempt was begun. */
  readonly takenAt: Date;
  readonly orderId: number | undefined;
  readonly procedureId: number | undefined;
}

/** What a lane carries, and whom it is about. */
export const carriedBy = (row: Prisma.DeliveryGetPayload<{ include: { message: true } }>) => ({
  destination: row.destination,
  peer: row.message.peer ?? row.destination,
  transaction: row.message.transaction ?? '',
  messageType: row.message.messageType,
  effect: row.effect,
  controlId: row.message.controlId,
  raw: row.message.raw,
  transferSyntaxUid: row.message.transferSyntaxUid ?? undefined,
  orderId: row.orderId ?? undefined,
  procedureId: row.procedureId ?? undefined,
});

/** Who has been told of a procedure of these patients (RAD-4), by peer names. */
export async function destinationsKnowing(tx: Tx, patientIds: readonly number[]): Promise<string[]> {
  const rows = await tx.delivery.groupBy({
    by: ['destination'],
    where: { effect: 'announceProcedure', order: { patientId: { in: [...patientIds] } } },
  });
  return rows.map((row) => row.destination).sort();
}

/** The order for which we asked its placer for a number under this control id (RAD-3 SN). */
export async function orderOfRequest(tx: Tx, controlId: string): Promise<number | undefined> {
  const where = { effect: 'requestOrderNumber', message: { controlId } };
  return (await tx.delivery.findFirst({ where, select: { orderId: true } }))?.orderId ?? undefined;
}

/**
 * Takes the lowest unsent row of a lane and notes that an attempt begins, before anything is sent: a crash in it makes the
 * next one a resend, and nobody closes the message underneath it. Undefined where nothing waits, or the lane is stopped.
 * A lane keeps no cursor, because a row with a lower id can commit later.
 */
export async function takeDelivery(
  { prisma }: Store,
  destination: string,
  at: Date,
): Promise<PendingDelivery | undefined> {
  const [taken] = await prisma.$queryRaw<{ id: number; attempted: boolean }[]>`
    UPDATE "Delivery" d SET "lastAttemptAt" = ${at}::timestamptz, "inFlightSince" = ${at}::timestamptz
    FROM (
      SELECT id, "lastAttemptAt" IS NOT NULL AS attempted FROM "Delivery"
      WHERE destination = ${destination} AND "deliveryStatus" = 'PENDING'
        AND NOT EXISTS (SELECT 1 FROM "LanePause" WHERE destination = ${destination} AND "resumedAt" IS NULL)
      ORDER BY id LIMIT 1
    ) head
    WHERE d.id = head.id AND d."deliveryStatus" = 'PENDING'
    RETURNING d.id, head.attempted`;
  if (!taken) return undefined;
  const row = await prisma.delivery.findUniqueOrThrow({ where: { id: taken.id }, include: { message: true } });
  return {
    id: row.id,
    messageId: row.messageId,
    ...carriedBy(row),
    attempts: row.attempts,
    attempted: taken.attempted,
    takenAt: at,
  };
}

/** Nothing of a lane is under way: what a process that ended had begun is not in flight any more. */
export async function forgetAttempts({ prisma }: Store, destination: string): Promise<void> {
  await prisma.delivery.updateMany({
    where: { destination, deliveryStatus: 'PENDING', inFlightSince: { not: null } },
    data: { inFlightSince: null },
  });
}

/**
 * Notes an attempt that decided nothing: the row stays at the head of its lane. One that another process has taken since
 * is in flight there.
 */
export async function noteAttempt(
  store: Store,
  { id, takenAt }: Pick<PendingDelivery, 'id' | 'takenAt'>,
  attempt: { readonly at: Date; readonly error: string },
): Promise<void> {
  await store.prisma.delivery.updateMany({
    where: { id, inFlightSince: takenAt },
    data: { attempts: { increment: 1 }, lastAttemptAt: attempt.at, inFlightSince: null, lastError: attempt.error },
  });
}

export interface Settlement {
  readonly status: Extract<DeliveryStatus, 'DELIVERED' | 'REFUSED'>;
  readonly at: Date;
  readonly answerCode: string;
  readonly answer: Uint8Array | undefined;
  readonly error: string | undefined;
}

/** Settles a row once; false when somebody else settled it before. */
export async function settle(tx: Tx, id: number, settlement: Settlement): Promise<boolean> {
  const { count } = await tx.delivery.updateMany({
    where: { id, deliveryStatus: 'PENDING' },
    data: {
      deliveryStatus: settlement.status,
      attempts: { increment: 1 },
      lastAttemptAt: settlement.at,
      inFlightSince: null,
      settledAt: settlement.at,
      lastError: settlement.error ?? null,
    },
  });
  if (count === 0) return false;
  await tx.message.updateMany({
    where: { delivery: { id } },
    data: {
      outcome: settlement.status === 'DELIVERED' ? 'ACCEPTED' : 'REFUSED',
      answerCode: settlement.answerCode,
      answer: settlement.answer ? new Uint8Array(settlement.answer) : null,
    },
  });
  return true;
}
