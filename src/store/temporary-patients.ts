import type { Patient, PatientIdentifier } from '../workflow/vocabulary.ts';
import { advisoryLocks } from './advisory-lock.ts';
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

/** A temporary patient who was made now; locked by the transaction that makes him. */
interface MadePatient {
  readonly id: number;
  /** The numbers that are his; one that somebody has stays there. */
  readonly identifiers: readonly PatientIdentifier[];
}

/**
 * Makes a patient whom nobody has registered. A number that somebody has, or had, stays there, unless it is one of
 * `lent` that a merge has made free. Somebody who takes it in the same instant makes the unit start again.
 */
export async function createTemporaryPatient(
  tx: Tx,
  patient: Patient,
  { lent, at }: { readonly lent: string; readonly at: Date },
): Promise<MadePatient> {
  const data = { ...patientColumns(patient), temporary: true, createdAt: at };
  const { id } = await tx.patient.create({ data, select: { id: true } });
  const identifiers: PatientIdentifier[] = [];
  for (const identifier of patient.identifiers) {
    const { value, assigningAuthority } = identifier;
    if (assigningAuthority === lent) {
      await tx.patientIdentifier.deleteMany({ where: { value, assigningAuthority, current: false } });
    }
    const taken = await tx.patientIdentifier.findFirst({ where: { value, assigningAuthority }, select: { id: true } });
    if (!taken) identifiers.push(identifier);
  }
  await tx.patientIdentifier.createMany({ data: identifiers.map((one) => identifierRow(id, one)) });
  return { id, identifiers };
}

/** A number on images of a temporary patient whose examination waits for an order. */
interface NumberOnImages {
  readonly value: string;
  readonly patientId: number;
  readonly since: Date;
}

/** On whose images these numbers are, whether or not they are his: two may have been examined under one number. */
export async function numbersOnImages(tx: Tx, values: readonly string[]): Promise<NumberOnImages[]> {
  return tx.$queryRaw<NumberOnImages[]>`
    SELECT p.dataset -> 'PatientID' ->> 0 AS value, o."patientId", min(p."createdAt") AS since
    FROM "Order" o
    JOIN "Patient" t ON t.id = o."patientId" AND t.temporary
    JOIN "RequestedProcedure" r ON r."orderId" = o.id
    JOIN "ScheduledProcedureStep" s ON s."procedureId" = r.id
    JOIN "PerformedStepLink" l ON l."stepId" = s.id
    JOIN "PerformedProcedureStep" p ON p.id = l."performedStepId"
    WHERE o.unreconciled AND p.dataset -> 'PatientID' ->> 0 = ANY(${[...values]}::text[])
    GROUP BY 1, 2`;
}

/**
 * Which of these numbers a modality uses at this moment, and for whom: its images go on under the number also when their
 * patient has another one by now.
 */
export async function numbersInProgress(
  tx: Tx,
  assigningAuthority: string,
  values: readonly string[],
): Promise<NumberOnImages[]> {
  return tx.$queryRaw<NumberOnImages[]>`
    SELECT p.dataset -> 'PatientID' ->> 0 AS value, o."patientId", min(p."createdAt") AS since
    FROM "PerformedProcedureStep" p
    JOIN "PerformedStepLink" l ON l."performedStepId" = p.id
    JOIN "ScheduledProcedureStep" s ON s.id = l."stepId"
    JOIN "RequestedProcedure" r ON r.id = s."procedureId"
    JOIN "Order" o ON o.id = r."orderId"
    WHERE p."performedProcedureStepStatus" = 'IN PROGRESS' AND p.dataset -> 'PatientID' ->> 0 = ANY(${[...values]}::text[])
      AND COALESCE(p.dataset -> 'IssuerOfPatientID' ->> 0, ${assigningAuthority}) = ${assigningAuthority}
    GROUP BY 1, 2`;
}

/** Whether only modalities have named a patient: neither by an order, nor under a number of the department's list. */
export async function isNamedByModality(tx: Tx, id: number): Promise<boolean> {
  const listed = { some: { reconciledAt: null } };
  return (await tx.patient.count({ where: { id, temporary: true, NOT: { temporaryNumbers: listed } } })) > 0;
}

/** A number of the department's list, and who takes it for a patient. */
export interface NumberTaken {
  readonly value: string;
  readonly assigningAuthority: string;
  readonly modality: string | undefined;
  /** A person, or the AE title of a modality. */
  readonly takenBy: string;
  readonly reason: string | undefined;
  readonly at: Date;
}

/** Puts a number into use for a locked patient; false when it is somebody's (the unique index decides). */
export async function takeTemporaryNumber(tx: Tx, patientId: number, taken: NumberTaken): Promise<boolean> {
  const { at, modality = null, reason = null, ...columns } = taken;
  const data = [{ ...columns, patientId, modality, reason, since: at }];
  return (await tx.temporaryNumber.createMany({ data, skipDuplicates: true })).count > 0;
}

/** A number of a patient is free again: he was merged into another one, or has another number now. */
export async function freeTemporaryNumber(tx: Tx, patientId: number, value: string, at: Date): Promise<void> {
  await tx.temporaryNumber.updateMany({ where: { patientId, value, reconciledAt: null }, data: { reconciledAt: at } });
}

/** Whether a number that is somebody's now was that of a patient who was merged into this one. */
export async function wasReconciledWith(tx: Tx, number: PatientIdentifier, survivorId: number): Promise<boolean> {
  const { value, assigningAuthority } = number;
  const before = { value, assigningAuthority, reconciledAt: { not: null }, patient: { mergedIntoId: survivorId } };
  return (await tx.temporaryNumber.count({ where: before })) > 0;
}

/**
 * Which of these numbers may be given to somebody by whoever asks first, the best one first: what was never used, in the order of the list,
 * then what was reconciled, longest ago first. One that is somebody's without the list, on the
 * images of another temporary patient, or under which a modality still makes images is not free.
 */
export async function freeNumbers(tx: Tx, assigningAuthority: string, numbers: readonly string[]): Promise<string[]> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${advisoryLocks.temporaryNumbers})`;
  const where = { assigningAuthority, value: { in: [...numbers] } };
  const held = await tx.patientIdentifier.findMany({ where: { ...where, current: true }, select: { value: true } });
  const uses = await tx.temporaryNumber.findMany({ where, select: { value: true, reconciledAt: true } });
  const others = [
    ...(await numbersOnImages(tx, numbers)),
    ...(await numbersInProgress(tx, assigningAuthority, numbers)),
  ];
  const usedUntil = new Map<string, number>([...held, ...others].map(({ value }) => [value, Infinity]));
  for (const { value, reconciledAt } of uses) {
    usedUntil.set(value, Math.max(usedUntil.get(value) ?? 0, reconciledAt?.getTime() ?? Infinity));
  }
  const until = (value: string): number => usedUntil.get(value) ?? 0;
  return numbers.filter((value) => until(value) < Infinity).sort((a, b) => until(a) - until(b));
}
