import type { Patient } from '../workflow/vocabulary.ts';
import { identifierRow, patientColumns } from './patients.ts';
import type { Tx } from './prisma.ts';

/**
 * The only patient with a number that a modality sent, by its issuer where that is said; not locked. Undefined where
 * nobody has it, and where several do: a number alone decides between nobody.
 */
export async function patientNumbered(
  tx: Tx,
  number: { readonly value: string; readonly issuer: string | undefined },
): Promise<number | undefined> {
  const { value, issuer } = number;
  const ofIssuer = issuer === undefined ? {} : { OR: [{ assigningAuthority: issuer }, { universalId: issuer }] };
  const rows = await tx.patientIdentifier.findMany({
    where: { value, ...ofIssuer },
    select: { patientId: true },
    distinct: ['patientId'],
    take: 2,
  });
  return rows.length === 1 ? rows[0]?.patientId : undefined;
}

/**
 * Makes a patient whom only a modality has named; locked by the transaction that makes him. Somebody who takes one of
 * his identifiers in the same instant makes the unit start again.
 */
export async function createTemporaryPatient(tx: Tx, patient: Patient, at: Date): Promise<number> {
  const data = { ...patientColumns(patient), temporary: true, createdAt: at };
  const { id } = await tx.patient.create({ data, select: { id: true } });
  await tx.patientIdentifier.createMany({ data: patient.identifiers.map((one) => identifierRow(id, one)) });
  return id;
}
