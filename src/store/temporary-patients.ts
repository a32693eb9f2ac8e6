import type { Patient, PatientIdentifier } from '../workflow/vocabulary.ts';
import { identifierRow, patientColumns } from './patients.ts';
import type { Tx } from './prisma.ts';

/**
 * The only patient with a number that a modality sent, by its issuer where that is said; not locked. Undefined where
 * nobody has it, and where several do: a number alone decides between nobody. One of `lent`, our own authority for
 * numbers that a modality has from nobody, is free again once a merge has replaced it: it means no survivor (PIR case 5).
 */
export async function patientNumbered(
  tx: Tx,
  number: { readonly value: string; readonly issuer: string | undefined },
  lent: string,
): Promise<number | undefined> {
  const { value, issuer } = number;
  const ofIssuer = issuer === undefined ? {} : { OR: [{ assigningAuthority: issuer }, { universalId: issuer }] };
  const rows = await tx.patientIdentifier.findMany({
    where: { value, ...ofIssuer, NOT: { current: false, assigningAuthority: lent } },
    select: { patientId: true },
    distinct: ['patientId'],
    take: 2,
  });
  return rows.length === 1 ? rows[0]?.patientId : undefined;
}

/**
 * Makes a patient whom only a modality has named; locked by the transaction that makes him. A number that somebody has,
 * or had, stays there. Somebody who takes it in the same instant makes the unit start again.
 */
export async function createTemporaryPatient(tx: Tx, patient: Patient, at: Date): Promise<number> {
  const data = { ...patientColumns(patient), temporary: true, createdAt: at };
  const { id } = await tx.patient.create({ data, select: { id: true } });
  const own: PatientIdentifier[] = [];
  for (const identifier of patient.identifiers) {
    const { value, assigningAuthority } = identifier;
    const taken = await tx.patientIdentifier.findFirst({ where: { value, assigningAuthority }, select: { id: true } });
    if (!taken) own.push(identifier);
  }
  await tx.patientIdentifier.createMany({ data: own.map((one) => identifierRow(id, one)) });
  return id;
}

/** Whether a modality has used a number for somebody else whose examination still waits for an order. */
export async function isUsedForOthers(tx: Tx, value: string, patientId: number): Promise<boolean> {
  const rows = await tx.$queryRaw<{ id: number }[]>`
    SELECT o.id FROM "Order" o
    JOIN "RequestedProcedure" r ON r."orderId" = o.id
    JOIN "ScheduledProcedureStep" s ON s."procedureId" = r.id
    JOIN "PerformedStepLink" l ON l."stepId" = s.id
    JOIN "PerformedProcedureStep" p ON p.id = l."performedStepId"
    WHERE o.unreconciled AND o."patientId" <> ${patientId} AND p.dataset -> 'PatientID' ->> 0 = ${value}
    LIMIT 1`;
  return rows.length > 0;
}

/** Whether only a modality has named a patient. */
export async function isTemporary(tx: Tx, id: number): Promise<boolean> {
  return (await tx.patient.count({ where: { id, temporary: true } })) > 0;
}
