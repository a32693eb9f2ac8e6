import type { Direction, Outcome, Protocol } from './generated/enums.ts';
import { type Store, type Tx, storeError } from './prisma.ts';

/** A message as it came in, before anybody knows what it does. */
export interface InboundMessage {
  readonly protocol: Protocol;
  readonly transaction: string | undefined;
  /** `ORM^O01`, `N-CREATE` */
  readonly messageType: string;
  /** MSH-10 or a SOP Instance UID. */
  readonly controlId: string;
  /** MSH-3 and MSH-4, or the calling AE title. */
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  readonly raw: Uint8Array;
  readonly transferSyntaxUid?: string | undefined;
  readonly at: Date;
}

export interface Answer {
  /** AA, AE, AR, or a DIMSE status in four hexadecimal digits. */
  readonly code: string;
  readonly bytes?: Uint8Array | undefined;
}

/** `duplicate`: the same content was accepted before; its stored answer is to be sent and nothing else done. */
export type Admission =
  | { readonly kind: 'new'; readonly messageId: number; readonly controlIdReused: boolean }
  | { readonly kind: 'duplicate'; readonly messageId: number; readonly answer: Uint8Array };

// PostgreSQL text cannot hold NUL, and names from outside must not grow without end.
function clean(text: string): string {
  return text.replaceAll('\0', '').slice(0, 200);
}

function bytes(value: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(value);
}

function row(message: InboundMessage, outcome: Outcome, answer: Answer | undefined) {
  return {
    direction: 'IN' as Direction,
    protocol: message.protocol,
    transaction: message.transaction ?? null,
    messageType: clean(message.messageType),
    controlId: clean(message.controlId),
    sendingApplication: clean(message.sendingApplication),
    sendingFacility: clean(message.sendingFacility),
    raw: bytes(message.raw),
    transferSyntaxUid: message.transferSyntaxUid ?? null,
    at: message.at,
    outcome,
    answerCode: answer?.code ?? null,
    answer: answer?.bytes ? bytes(answer.bytes) : null,
  };
}

/**
 * Admits a message to the journal with the answer that the commit will promise. A copy with the same content key
 * waits here for the first one to commit and then is its duplicate; where the first one rolled back, it is new.
 */
export async function admit(tx: Tx, message: InboundMessage, contentKey: string, answer: Answer): Promise<Admission> {
  const inserted = await tx.message.createManyAndReturn({
    data: [{ ...row(message, 'ACCEPTED', answer), contentKey }],
    skipDuplicates: true,
    select: { id: true },
  });
  const created = inserted[0];
  if (!created) {
    const first = await tx.message.findUniqueOrThrow({ where: { contentKey }, select: { id: true, answer: true } });
    return { kind: 'duplicate', messageId: first.id, answer: first.answer ?? new Uint8Array() };
  }
  const controlIdReused = await markReused(tx, created.id, message);
  return { kind: 'new', messageId: created.id, controlIdReused };
}

async function markReused(tx: Tx, messageId: number, message: InboundMessage): Promise<boolean> {
  const other = await tx.message.findFirst({
    where: {
      sendingApplication: clean(message.sendingApplication),
      sendingFacility: clean(message.sendingFacility),
      controlId: clean(message.controlId),
      direction: 'IN',
      outcome: 'ACCEPTED',
      id: { not: messageId },
    },
    select: { id: true },
  });
  if (!other) return false;
  await tx.message.update({ where: { id: messageId }, data: { controlIdReused: true } });
  return true;
}

/** Admits a stored message that is carried out again: it has no content key, which its first copy keeps. */
export async function admitAgain(tx: Tx, message: InboundMessage, answer: Answer): Promise<number> {
  return (await tx.message.create({ data: row(message, 'ACCEPTED', answer), select: { id: true } })).id;
}

/** The entry that a copy of a message would be answered from; undefined when it would be carried out. */
export async function acceptedBefore(tx: Tx, contentKey: string): Promise<number | undefined> {
  return (await tx.message.findUnique({ where: { contentKey }, select: { id: true } }))?.id;
}

/** A message of the journal, as it came. */
export async function storedMessage(
  store: Store,
  id: number,
): Promise<{ readonly direction: Direction; readonly protocol: Protocol; readonly raw: Uint8Array } | undefined> {
  try {
    const select = { direction: true, protocol: true, raw: true };
    return (await store.prisma.message.findUnique({ where: { id }, select })) ?? undefined;
  } catch (error) {
    throw storeError(error);
  }
}

/** Admits a DICOM request; these have no content key, since the instance itself says whether it is known. */
export async function admitRequest(tx: Tx, message: InboundMessage, status: string): Promise<number> {
  const created = await tx.message.create({ data: row(message, 'ACCEPTED', { code: status }), select: { id: true } });
  return created.id;
}

/** A query of ours that was answered (C-FIND): it goes out at once and through no lane. */
export interface AnsweredQuery {
  readonly transaction: string;
  /** Our AE title. */
  readonly sendingApplication: string;
  readonly peer: string;
  /** The keys that were asked. */
  readonly raw: Uint8Array;
  readonly transferSyntaxUid: string;
  readonly at: Date;
  readonly outcome: Extract<Outcome, 'ACCEPTED' | 'REFUSED'>;
  /** The status of the final response in four hexadecimal digits. */
  readonly answerCode: string;
}

/** Journals a query of ours with what came of it. */
export async function journalQuery(tx: Tx, query: AnsweredQuery): Promise<number> {
  const about = { direction: 'OUT', protocol: 'DICOM', messageType: 'C-FIND', controlId: '' } as const;
  const data = { ...query, ...about, sendingFacility: '', raw: bytes(query.raw) };
  return (await tx.message.create({ data, select: { id: true } })).id;
}

/** The answer of an admitted request that is not plain success, such as a DIMSE warning. */
export async function noteAnswer(tx: Tx, messageId: number, status: string): Promise<void> {
  await tx.message.update({ where: { id: messageId }, data: { answerCode: status } });
}

/** Adds sentences to a journal entry: what was odd about an accepted message. */
export async function remark(tx: Tx, messageId: number, remarks: readonly string[]): Promise<void> {
  if (remarks.length === 0) return;
  await tx.message.update({ where: { id: messageId }, data: { remarks: { push: [...remarks] } } });
}

/** Journals a refusal with its answer, in a transaction of its own: the unit that refused was rolled back. */
export async function journalRefusal(
  tx: Pick<Tx, 'message'>,
  message: InboundMessage,
  answer: Answer,
  reason: string,
): Promise<number> {
  const created = await tx.message.create({
    data: { ...row(message, 'REFUSED', answer), remarks: [reason] },
    select: { id: true },
  });
  return created.id;
}
