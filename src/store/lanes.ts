import type { Prisma } from './generated/client.ts';
import type { DeliveryStatus } from './generated/enums.ts';
import { type OutgoingMessage, carriedBy } from './outbox.ts';
import { type Tx, json } from './prisma.ts';

/** A person who acts on a lane or a message, when and why. */
export interface Handling {
  readonly by: string;
  readonly at: Date;
  readonly reason: string | undefined;
}

/** Whether a lane that the site file may have lost still holds something. */
export async function hasDeliveries(tx: Tx, destination: string): Promise<boolean> {
  return (await tx.delivery.findFirst({ where: { destination }, select: { id: true } })) !== null;
}

/** Stops a lane for every process on the database; false where it is stopped (the unique index decides between two). */
export async function pauseLane(tx: Tx, destination: string, { by, at, reason }: Handling): Promise<boolean> {
  const data = [{ destination, pausedAt: at, pausedBy: by, reason: reason ?? null }];
  return (await tx.lanePause.createMany({ data, skipDuplicates: true })).count > 0;
}

/** Lets a lane go on; false where nobody has stopped it. */
export async function resumeLane(tx: Tx, destination: string, { by, at, reason }: Handling): Promise<boolean> {
  const data = { resumedAt: at, resumedBy: by, resumeReason: reason ?? null };
  return (await tx.lanePause.updateMany({ where: { destination, resumedAt: null }, data })).count > 0;
}

/** A message in a lane, as a person handles it. */
export interface LaneMessage extends OutgoingMessage {
  readonly id: number;
  readonly messageId: number;
  readonly deliveryStatus: DeliveryStatus;
  /** An attempt to send it is under way. */
  readonly inFlight: boolean;
  /** Why the last attempt did not succeed, or why the peer refused. */
  readonly lastError: string | undefined;
}

function toLaneMessage(row: Prisma.DeliveryGetPayload<{ include: { message: true } }>): LaneMessage {
  const { message } = row;
  return {
    id: row.id,
    messageId: row.messageId,
    ...carriedBy(row),
    protocol: message.protocol,
    sendingApplication: message.sendingApplication,
    sendingFacility: message.sendingFacility,
    patientId: row.patientId ?? undefined,
    deliveryStatus: row.deliveryStatus,
    inFlight: row.inFlightSince !== null,
    lastError: row.lastError ?? undefined,
  };
}

/** The message of a lane with this id of the journal; undefined where the lane has none. */
export async function findLaneMessage(
  tx: Tx,
  destination: string,
  messageId: number,
): Promise<LaneMessage | undefined> {
  const row = await tx.delivery.findUnique({ where: { messageId, destination }, include: { message: true } });
  return row ? toLaneMessage(row) : undefined;
}

/** The oldest message of a lane in this status; undefined where there is none. */
export async function oldestMessage(
  tx: Tx,
  destination: string,
  deliveryStatus: DeliveryStatus,
): Promise<LaneMessage | undefined> {
  const where = { destination, deliveryStatus };
  const row = await tx.delivery.findFirst({ where, orderBy: { id: 'asc' }, include: { message: true } });
  return row ? toLaneMessage(row) : undefined;
}

/** Locks a message of a lane and reads how it stands; its orders are locked before. */
export async function lockLaneMessage(tx: Tx, id: number): Promise<LaneMessage> {
  await tx.$queryRaw`SELECT id FROM "Delivery" WHERE id = ${id} FOR UPDATE`;
  return toLaneMessage(await tx.delivery.findUniqueOrThrow({ where: { id }, include: { message: true } }));
}

const actionOf = (action: 'retry' | 'skip', { by, at, reason }: Handling) =>
  json({ action, by, at: at.toISOString(), reason: reason ?? null });

/** Puts a locked message that was refused back into its lane, the same bytes under the same control id. */
export async function sendAgain(tx: Tx, id: number, handling: Handling): Promise<void> {
  await tx.delivery.update({
    where: { id },
    data: {
      deliveryStatus: 'PENDING',
      settledAt: null,
      lastAction: actionOf('retry', handling),
      message: { update: { outcome: 'WAITING' } },
    },
  });
}

/** Closes a locked message: it is not sent, or not again. */
export async function closeMessage(tx: Tx, id: number, handling: Handling): Promise<void> {
  await tx.delivery.update({
    where: { id },
    data: {
      deliveryStatus: 'SKIPPED',
      settledAt: handling.at,
      inFlightSince: null,
      lastAction: actionOf('skip', handling),
      message: { update: { outcome: 'SKIPPED' } },
    },
  });
}
