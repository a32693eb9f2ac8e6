import type { Direction, Outcome, Protocol } from './generated/enums.ts';
import type { Prisma } from './generated/client.ts';
import type { Store } from './prisma.ts';
import { type Page, type PageRequest, behind, instant, newestFirst, pageOf, readSnapshot } from './read-page.ts';

/** A journal entry without its bytes. */
export interface MessageView {
  readonly id: number;
  readonly direction: 'in' | 'out';
  readonly protocol: Protocol;
  /** RAD-n; null while unknown. */
  readonly transaction: string | null;
  /** MSH-9 or the DIMSE request. */
  readonly messageType: string;
  /** MSH-10, or the affected SOP Instance UID. */
  readonly controlId: string;
  /** MSH-3 and MSH-4, or the calling AE title. */
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  /** Whom it came from (sending application or AE title) or went to (name of the peer). */
  readonly peer: string;
  readonly at: string;
  readonly outcome: (typeof outcomes)[Outcome];
  /** AA, AE, AR, or a DIMSE status in four hexadecimal digits. */
  readonly answerCode: string | null;
  readonly controlIdReused: boolean;
  readonly remarks: readonly string[];
}

/** How an outgoing message fares in its lane. */
export interface DeliveryView {
  readonly destination: string;
  readonly effect: string;
  readonly deliveryStatus: string;
  readonly attempts: number;
  readonly lastAttemptAt: string | null;
  readonly settledAt: string | null;
  readonly lastError: string | null;
  /** What a person last did with it. */
  readonly lastAction: {
    readonly action: 'retry' | 'skip';
    readonly by: string;
    readonly at: string;
    readonly reason: string | null;
  } | null;
}

/** A journal entry with what stood on the wire. */
export interface WholeMessage {
  readonly message: MessageView;
  readonly raw: Uint8Array;
  readonly answer: Uint8Array | null;
  readonly transferSyntaxUid: string | null;
  readonly delivery: DeliveryView | null;
  /** Requested procedures that it moved or announces. */
  readonly requestedProcedureIds: readonly string[];
}

export interface MessageFilter {
  readonly direction?: 'in' | 'out' | undefined;
  readonly protocol?: Protocol | undefined;
  readonly transaction?: string | undefined;
  readonly peer?: string | undefined;
  readonly outcome?: MessageView['outcome'] | undefined;
  readonly controlId?: string | undefined;
  readonly requestedProcedureId?: string | undefined;
}

const listed = {
  id: true,
  direction: true,
  protocol: true,
  transaction: true,
  messageType: true,
  controlId: true,
  sendingApplication: true,
  sendingFacility: true,
  peer: true,
  at: true,
  outcome: true,
  answerCode: true,
  controlIdReused: true,
  remarks: true,
} as const satisfies Prisma.MessageSelect;

const whole = {
  ...listed,
  raw: true,
  answer: true,
  transferSyntaxUid: true,
  delivery: { include: { procedure: { select: { requestedProcedureId: true } } } },
  history: { select: { procedure: { select: { requestedProcedureId: true } } }, orderBy: { id: 'asc' } },
} as const satisfies Prisma.MessageSelect;

const directions = { IN: 'in', OUT: 'out' } as const satisfies Record<Direction, string>;
const outcomes = {
  ACCEPTED: 'accepted',
  REFUSED: 'refused',
  WAITING: 'waiting',
  SKIPPED: 'skipped',
} as const satisfies Record<Outcome, string>;

function toView(row: Prisma.MessageGetPayload<{ select: typeof listed }>): MessageView {
  return {
    id: row.id,
    direction: directions[row.direction],
    protocol: row.protocol,
    transaction: row.transaction,
    messageType: row.messageType,
    controlId: row.controlId,
    sendingApplication: row.sendingApplication,
    sendingFacility: row.sendingFacility,
    peer: row.peer ?? row.sendingApplication,
    at: instant(row.at),
    outcome: outcomes[row.outcome],
    answerCode: row.answerCode,
    controlIdReused: row.controlIdReused,
    remarks: row.remarks,
  };
}

type WholeRow = Prisma.MessageGetPayload<{ select: typeof whole }>;

function toDelivery(delivery: NonNullable<WholeRow['delivery']>): DeliveryView {
  return {
    destination: delivery.destination,
    effect: delivery.effect,
    deliveryStatus: delivery.deliveryStatus,
    attempts: delivery.attempts,
    lastAttemptAt: instant(delivery.lastAttemptAt),
    settledAt: instant(delivery.settledAt),
    lastError: delivery.lastError,
    lastAction: delivery.lastAction as DeliveryView['lastAction'],
  };
}

/** What moved or tells of a procedure, brought its order, or registered, merged or changed its patient since. */
function aboutProcedure(requestedProcedureId: string): Prisma.MessageWhereInput {
  const procedure = { requestedProcedureId };
  const order = { requestedProcedures: { some: procedure } };
  const ofOrder = { orders: { some: order } };
  // Under the identity that it has now, or under one that was merged into it.
  const patient = { OR: [ofOrder, { mergedInto: ofOrder }, { mergedInto: { mergedInto: ofOrder } }] };
  return {
    OR: [
      { history: { some: { procedure } } },
      { results: { some: { procedure } } },
      { orders: { some: order } },
      { registrations: { some: patient } },
      { merges: { some: patient } },
      {
        delivery: { OR: [{ procedure }, { procedureId: null, order }, { procedureId: null, orderId: null, patient }] },
      },
    ],
  };
}

function conditions({ requestedProcedureId, ...filter }: MessageFilter) {
  const { direction, protocol, transaction, peer, outcome, controlId } = filter;
  const all: Prisma.MessageWhereInput[] = [];
  if (direction !== undefined) all.push({ direction: direction === 'in' ? 'IN' : 'OUT' });
  if (protocol !== undefined) all.push({ protocol });
  if (transaction !== undefined) all.push({ transaction });
  if (outcome !== undefined) all.push({ outcome: outcome.toUpperCase() as Outcome });
  if (controlId !== undefined) all.push({ controlId });
  if (requestedProcedureId !== undefined) all.push(aboutProcedure(requestedProcedureId));
  if (peer !== undefined) all.push({ OR: [{ peer }, { direction: 'IN', sendingApplication: peer }] });
  return all;
}

/** Journal entries that meet a filter, newest first. */
export async function listMessages(store: Store, filter: MessageFilter, page: PageRequest): Promise<Page<MessageView>> {
  const where = { AND: [...conditions(filter), behind(page)] };
  const rows = await readSnapshot(store, (tx) => tx.message.findMany({ where, select: listed, ...newestFirst(page) }));
  return pageOf(rows, page, toView);
}

/** One journal entry; undefined when there is none with this id. */
export async function findMessage(store: Store, id: number): Promise<WholeMessage | undefined> {
  const row = await readSnapshot(store, (tx) => tx.message.findUnique({ where: { id }, select: whole }));
  if (!row) return undefined;
  const procedures = [...row.history.map((line) => line.procedure), row.delivery?.procedure];
  const ids = procedures.flatMap((procedure) => (procedure ? [procedure.requestedProcedureId] : []));
  return {
    message: toView(row),
    raw: row.raw,
    answer: row.answer,
    transferSyntaxUid: row.transferSyntaxUid,
    delivery: row.delivery && toDelivery(row.delivery),
    requestedProcedureIds: [...new Set(ids)],
  };
}
