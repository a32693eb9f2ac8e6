import type { PatientIdentifier } from '../workflow/vocabulary.ts';
import type { Tx } from './prisma.ts';

/** Two locked patients: who stays, and who goes into him. */
export interface Merge {
  readonly survivorId: number;
  readonly subsumedId: number;
  /** MRG-1: what no longer names anybody but the survivor. */
  readonly identifiers: readonly PatientIdentifier[];
  readonly messageId: number;
  readonly at: Date;
}

/**
 * Makes two patients one (RAD TF-2 4.12): identifiers, visits and orders go to the survivor, and with the orders their
 * procedures, steps and MPPS. Nothing is deleted: a subsumed identifier still finds the survivor. One of another
 * authority than any of the survivor's stays in use.
 */
export async function mergePatients(tx: Tx, merge: Merge): Promise<void> {
  const { survivorId, subsumedId, messageId, at } = merge;
  await moveIdentifiers(tx, merge);
  await moveVisits(tx, merge);
  await tx.order.updateMany({ where: { patientId: subsumedId }, data: { patientId: survivorId } });
  // Who was merged into the one that goes now is merged into the one that stays.
  await tx.patient.updateMany({ where: { mergedIntoId: subsumedId }, data: { mergedIntoId: survivorId } });
  const merged = { mergedIntoId: survivorId, mergedByMessageId: messageId, mergedAt: at };
  await tx.patient.update({ where: { id: subsumedId }, data: merged });
}

async function moveIdentifiers(tx: Tx, { survivorId, subsumedId, identifiers }: Merge): Promise<void> {
  const rows = await tx.patientIdentifier.findMany({ where: { patientId: subsumedId }, orderBy: { id: 'asc' } });
  const kept = await tx.patientIdentifier.findMany({ where: { patientId: survivorId, current: true } });
  const authorities = new Set(kept.map((row) => row.assigningAuthority));
  await tx.patientIdentifier.deleteMany({ where: { patientId: subsumedId } });
  // New rows: the survivor's own identifiers stay the first ones, and the first one names him outside.
  await tx.patientIdentifier.createMany({
    data: rows.map(({ id: _id, ...row }) => ({
      ...row,
      patientId: survivorId,
      current: row.current && !identifiers.some((one) => isRow(row, one)) && !authorities.has(row.assigningAuthority),
    })),
  });
}

function isRow(row: { value: string; assigningAuthority: string }, identifier: PatientIdentifier): boolean {
  return row.value === identifier.value && row.assigningAuthority === identifier.assigningAuthority;
}

/** A visit that both patients have under one number is one visit. */
async function moveVisits(tx: Tx, { survivorId, subsumedId }: Merge): Promise<void> {
  const theirs = await tx.visit.findMany({ where: { patientId: survivorId, visitNumber: { not: null } } });
  for (const visit of await tx.visit.findMany({ where: { patientId: subsumedId } })) {
    const same = theirs.find(
      (one) => one.visitNumber === visit.visitNumber && one.assigningAuthority === visit.assigningAuthority,
    );
    if (!same) {
      await tx.visit.update({ where: { id: visit.id }, data: { patientId: survivorId } });
      continue;
    }
    await tx.order.updateMany({ where: { visitId: visit.id }, data: { visitId: same.id } });
    await tx.visit.delete({ where: { id: visit.id } });
  }
}

/**
 * Gives a locked patient another identifier of the same authority (ADT^A47, ITI TF-2 3.30): it takes the place of the
 * old one, which still finds him.
 */
export async function replaceIdentifier(
  tx: Tx,
  patientId: number,
  change: { readonly old: PatientIdentifier; readonly replacement: PatientIdentifier | undefined },
): Promise<void> {
  const { old, replacement } = change;
  const { value, assigningAuthority } = old;
  const row = await tx.patientIdentifier.findFirst({ where: { patientId, value, assigningAuthority } });
  if (!row) return;
  if (!replacement) {
    await tx.patientIdentifier.update({ where: { id: row.id }, data: { current: false } });
    return;
  }
  const { id: _id, ...former } = row;
  // The replacement was added with the message; it takes the old one's row, so that it names the patient outside as that did.
  await tx.patientIdentifier.deleteMany({
    where: { patientId, value: replacement.value, assigningAuthority: replacement.assigningAuthority },
  });
  const { universalId = null, universalIdType = null, identifierType = null } = replacement;
  await tx.patientIdentifier.update({
    where: { id: row.id },
    data: { value: replacement.value, universalId, universalIdType, identifierType, current: true },
  });
  await tx.patientIdentifier.create({ data: { ...former, current: false } });
}
