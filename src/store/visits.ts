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
  readonly stay?: { readonly stands: readonly VisitStatus[]; readonly prior?: VisitNumber | undefined };
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

/**
 * The visit that a message means: by its number, else by the number it had before. A stay that is there and is named by
 * no number, or by a new one (A06, A07), is the only one of the patient that stands as the event wants it.
 */
async function findVisit(tx: Tx, patientId: number, said: VisitStatement, { stay }: VisitChange) {
  const { visitNumber, assigningAuthority } = said;
  const numbered =
    visitNumber === undefined ? null : await findNumbered(tx, patientId, { visitNumber, assigningAuthority });
  if (numbered || !stay) return numbered;
  const before = stay.prior && (await findNumbered(tx, patientId, stay.prior));
  if (before) return before;
  const standing = { patientId, visitStatus: { in: [...stay.stands] } };
  const [only, another] = await tx.visit.findMany({ where: standing, orderBy: { id: 'desc' }, take: 2 });
  return another ? null : (only ?? null);
}

/** Saves a visit of a locked patient. A visit without a number cannot be found again: it is the message's own. */
export async function saveVisit(
  tx: Tx,
  patientId: number,
  said: VisitStatement,
  change: VisitChange,
): Promise<StoredVisit> {
  const { visitNumber, assigningAuthority } = said;
  const stored = await findVisit(tx, patientId, said, change);
  const after = visitAfter(stored ? toVisit(stored) : undefined, said, change.source);
  const columns = {
    visitStatus: change.visitStatus ?? stored?.visitStatus ?? 'OPEN',
    patientClass: after.patientClass ?? null,
    details: json(after.details),
    updatedAt: change.at,
  };
  // The number that the stay has from now on.
  const renumbered = visitNumber === undefined ? {} : { visitNumber, assigningAuthority };
  const saved = stored
    ? await tx.visit.update({ where: { id: stored.id }, data: { ...columns, ...renumbered } })
    : await tx.visit.create({ data: { patientId, visitNumber: visitNumber ?? null, assigningAuthority, ...columns } });
  return toVisit(saved);
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
