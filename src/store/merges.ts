import type { PatientIdentifier } from '../workflow/vocabulary.ts';
import { isSameIdentifier } from './patients.ts';
import type { Tx } from './prisma.ts';

/** Two locked patients: who stays, and who goes into him. */
export interface Merge {
  readonly survivorId: number;
  readonly subsumedId: number;
  /** MRG-1: what no longer names anybody but the survivor. */
  readonly identifiers: readonly PatientIdentifier[];
  /** Undefined where staff have made them one. */
  readonly messageId: number | undefined;
  readonly at: Date;
}

/**
 * Makes two patients one (RAD TF-2 4.12): identifiers, visits and orders go to the survivor, and with the orders their
 * procedures, steps and MPPS. Nothing is deleted: a subsumed identifier still finds the survivor. One of another
 * authority than any of the survivor's stays in use. A survivor whom no ADT had registered is as the other was.
 */
export async function mergePatients(tx: Tx, merge: Merge): Promise<void> {
  const { survivorId, subsumedId, messageId, at } = merge;
  await moveIdentifiers(tx, merge);
  await tx.temporaryNumber.updateMany({
    where: { patientId: subsumedId, reconciledAt: null },
    data: { reconciledAt: at },
  });
  await moveVisits(tx, merge);
  await tx.order.updateMany({ where: { patientId: subsumedId }, data: { patientId: survivorId } });
  await inheritRegistration(tx, merge);
  // Who was merged into the one that goes now is merged into the one that stays.
  await tx.patient.updateMany({ where: { mergedIntoId: subsumedId }, data: { mergedIntoId: survivorId } });
  const merged = { mergedIntoId: survivorId, mergedByMessageId: messageId ?? null, mergedAt: at };
  await tx.patient.update({ where: { id: subsumedId }, data: merged });
}

async function inheritRegistration(tx: Tx, { survivorId, subsumedId }: Merge): Promise<void> {
  const { registeredByMessageId, registeredAt } = await tx.patient.findUniqueOrThrow({ where: { id: subsumedId } });
  await tx.patient.updateMany({
    where: { id: survivorId, registeredByMessageId: null },
    data: { registeredByMessageId, registeredAt },
  });
}

async function moveIdentifiers(tx: Tx, { survivorId, subsumedId, identifiers }: Merge): Promise<void> {
  const rows = await tx.patientIdentifier.findMany({ where: { patientId: subsumedId }, orderBy: { id: 'asc' } });
  const kept = await tx.patientIdentifier.findMany({ where: { patientId: survivorId, current: true } });
  const authorities = new Set(kept.map((row) => row.assigningAuthority));
  const universal = new Set(kept.flatMap((row) => row.universalId ?? []));
  // A number of the department's list is nobody's once its patient has gone, also where MRG-1 names another one of his.
  const lent = await tx.temporaryNumber.findMany({ where: { patientId: subsumedId, reconciledAt: null } });
  await tx.patientIdentifier.deleteMany({ where: { patientId: subsumedId } });
  // New rows: the survivor's own identifiers stay the first ones, and the first one names him outside.
  await tx.patientIdentifier.createMany({
    data: rows.map(({ id: _id, ...row }) => {
      const ofKnownAuthority =
        authorities.has(row.assigningAuthority) || (row.universalId !== null && universal.has(row.universalId));
      const named = [...identifiers, ...lent].some((one) => isSameIdentifier(row, one));
      return { ...row, patientId: survivorId, current: row.current && !named && !ofKnownAuthority };
    }),
  });
}

/** Visits go to the survivor; one that both have under one number is one visit, as it was last told. */
async function moveVisits(tx: Tx, { survivorId, subsumedId }: Merge): Promise<void> {
  const numbered = { visitNumber: { not: null } };
  const theirs = await tx.visit.findMany({ where: { patientId: survivorId, ...numbered } });
  for (const visit of theirs) {
    const { visitNumber, assigningAuthority } = visit;
    const same = await tx.visit.findFirst({ where: { patientId: subsumedId, visitNumber, assigningAuthority } });
    if (!same) continue;
    await tx.order.updateMany({ where: { visitId: same.id }, data: { visitId: visit.id } });
    const { visitStatus, patientClass, details, updatedAt } = same;
    await tx.visit.delete({ where: { id: same.id } });
    if (updatedAt <= visit.updatedAt) continue;
    const latest = { visitStatus, patientClass, updatedAt, ...(details === null ? {} : { details }) };
    await tx.visit.update({ where: { id: visit.id }, data: latest });
  }
  await tx.visit.updateMany({ where: { patientId: subsumedId }, data: { patientId: survivorId } });
}

/** The row of a patient's identifier. */
async function rowOf(tx: Tx, patientId: number, identifier: PatientIdentifier) {
  const rows = await tx.patientIdentifier.findMany({ where: { patientId, value: identifier.value } });
  return rows.find((row) => isSameIdentifier(row, identifier));
}

/** Takes an identifier of a locked patient out of use; it still finds him, and his last one stays in use. */
export async function retireIdentifier(tx: Tx, patientId: number, identifier: PatientIdentifier): Promise<void> {
  const row = await rowOf(tx, patientId, identifier);
  if (!row) return;
  const others = await tx.patientIdentifier.count({ where: { patientId, current: true, id: { not: row.id } } });
  if (others > 0) await tx.patientIdentifier.update({ where: { id: row.id }, data: { current: false } });
}

/** Keeps an identifier that nobody has as a former one of a patient: it finds him, should anybody still use it. */
export async function keepFormerIdentifier(tx: Tx, patientId: number, identifier: PatientIdentifier): Promise<void> {
  const { value, assigningAuthority, universalId, universalIdType, identifierType } = identifier;
  const authority = { universalId: universalId ?? null, universalIdType: universalIdType ?? null };
  const data = [{ patientId, value, assigningAuthority, ...authority, identifierType: identifierType ?? null }];
  await tx.patientIdentifier.createMany({
    data: data.map((row) => ({ ...row, current: false })),
    skipDuplicates: true,
  });
}

/**
 * Gives a locked patient another identifier of the same authority (ADT^A47, ITI TF-2 3.30): it takes the place of the
 * old one, which still finds him.
 */
export async function replaceIdentifier(
  tx: Tx,
  patientId: number,
  { old, replacement }: { readonly old: PatientIdentifier; readonly replacement: PatientIdentifier },
): Promise<void> {
  const row = await rowOf(tx, patientId, old);
  const next = await rowOf(tx, patientId, replacement);
  if (!row || row.id === next?.id) return;
  const { id: _id, ...former } = row;
  // The replacement takes the old one's row, so that it names the patient outside as that did.
  if (next) await tx.patientIdentifier.delete({ where: { id: next.id } });
  const { value, assigningAuthority, universalId, universalIdType, identifierType } = replacement;
  const authority = { universalId: universalId ?? null, universalIdType: universalIdType ?? null };
  await tx.patientIdentifier.update({
    where: { id: row.id },
    data: { value, assigningAuthority, ...authority, identifierType: identifierType ?? null, current: true },
  });
  await tx.patientIdentifier.create({ data: { ...former, current: false } });
}
