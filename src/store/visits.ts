import { visitAfter } from '../workflow/patient-changes.ts';
import type { Visit, VisitDetails, VisitStatement, VisitStatus } from '../workflow/vocabulary.ts';
import { type Tx, json } from './prisma.ts';

export interface StoredVisit extends Visit {
  readonly id: number;
}

/** What a message makes of a visit. */
export interface VisitChange {
  readonly at: Date;
  /** Undefined keeps it; a new visit is open. */
  readonly visitStatus: VisitStatus | undefined;
  readonly source: 'adt' | 'order';
  /** The message is about a stay that is there: without its number, the only one that stands so is meant. */
  readonly stay?: {
    readonly stands: readonly VisitStatus[];
    readonly prior?: VisitNumber | undefined;
    /** The stay may go on under another number. */
    readonly renumbers?: true | undefined;
  };
}

/** PV1-19 or PID-18, and who gave it. */
export interface VisitNumber {
  readonly visitNumber: string;
  readonly assigningAuthority: string;
}

async function findNumbered(tx: Tx, patientId: number, number: VisitNumber) {
  const { visitNumber, assigningAuthority } = number;
  const key = { patientId, visitNumber, assigningAuthority };
  return tx.visit.findUnique({ where: { patientId_visitNumber_assigningAuthority: key } });
}

/** A stay goes on as another one that is there: what was ordered in it belongs to that one, and it is closed. */
async function continueAs(tx: Tx, prior: { readonly id: number }, visit: { readonly id: number }): Promise<void> {
  if (prior.id === visit.id) return;
  await tx.order.updateMany({ where: { visitId: prior.id }, data: { visitId: visit.id } });
  await tx.visit.update({ where: { id: prior.id }, data: { visitStatus: 'CLOSED' } });
}

/**
 * The visit that a message means: by its number, else by the number it had before. A stay that is there and is named by
 * no number, or by a new one (A06, A07), is the only one of the patient that stands as the event wants it. A prior
 * number that is not known names no stay that could be guessed.
 */
async function findVisit(tx: Tx, patientId: number, said: VisitStatement, { stay }: VisitChange) {
  const { visitNumber, assigningAuthority } = said;
  const numbered =
    visitNumber === undefined ? null : await findNumbered(tx, patientId, { visitNumber, assigningAuthority });
  const before = stay?.prior && (await findNumbered(tx, patientId, stay.prior));
  if (numbered && before) await continueAs(tx, before, numbered);
  if (numbered || before || !stay || stay.prior) return numbered ?? before;
  // A number that is not known means another stay, but for one that has none yet.
  const named = visitNumber !== undefined && !stay.renumbers ? { visitNumber: null } : {};
  // What an order said of a stay of its own is nobody else's.
  const standing = { patientId, registered: true, visitStatus: { in: [...stay.stands] }, ...named };
  const [only, another] = await tx.visit.findMany({ where: standing, orderBy: { id: 'desc' }, take: 2 });
  return another ? null : (only ?? null);
}

/**
 * Saves a visit of a locked patient. Undefined where an ADT event is about a stay that is there, names none by its
 * number, and the patient has not exactly one that it could be about.
 */
export async function saveVisit(
  tx: Tx,
  patientId: number,
  said: VisitStatement,
  change: VisitChange,
): Promise<StoredVisit | undefined> {
  const { visitNumber, assigningAuthority } = said;
  const stored = await findVisit(tx, patientId, said, change);
  if (!stored && change.source === 'adt' && change.stay && visitNumber === undefined) return undefined;
  const after = visitAfter(stored ? toVisit(stored) : undefined, said, change.source);
  const columns = {
    visitStatus: change.visitStatus ?? stored?.visitStatus ?? 'OPEN',
    patientClass: after.patientClass ?? null,
    details: json(after.details),
    updatedAt: change.at,
    ...(change.source === 'adt' ? { registered: true } : {}),
  };
  // The number that the stay has from now on.
  const renumbered = visitNumber === undefined ? {} : { visitNumber, assigningAuthority };
  const saved = stored
    ? await tx.visit.update({ where: { id: stored.id }, data: { ...columns, ...renumbered } })
    : await tx.visit.create({ data: { patientId, visitNumber: visitNumber ?? null, assigningAuthority, ...columns } });
  return toVisit(saved);
}

/** The only stay of a patient that the ADT has told of and that is open or about to be. */
export async function onlyStay(tx: Tx, patientId: number): Promise<StoredVisit | undefined> {
  const where = { patientId, registered: true, visitStatus: { in: ['OPEN' as const, 'PREADMIT' as const] } };
  const [only, another] = await tx.visit.findMany({ where, take: 2 });
  return only && !another ? toVisit(only) : undefined;
}

/** How an order finds its stay: without a number it is the only one that is open or about to be. */
export function visitOfOrder(at: Date): VisitChange {
  return { at, visitStatus: undefined, source: 'order', stay: { stands: ['OPEN', 'PREADMIT'] } };
}

export function toVisit(row: {
  id: number;
  visitNumber: string | null;
  assigningAuthority: string;
  visitStatus: VisitStatus;
  patientClass: string | null;
  details: unknown;
}): StoredVisit {
  return {
    id: row.id,
    visitNumber: row.visitNumber ?? undefined,
    assigningAuthority: row.assigningAuthority,
    visitStatus: row.visitStatus,
    patientClass: row.patientClass ?? undefined,
    details: row.details as VisitDetails,
  };
}
