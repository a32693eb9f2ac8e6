import { nameKeyOf } from '../workflow/vocabulary.ts';
import type {
  Demographics,
  Patient,
  PatientIdentifier,
  PersonName,
  Visit,
  VisitDetails,
  VisitStatement,
  VisitStatus,
} from '../workflow/vocabulary.ts';
import { Prisma } from './generated/client.ts';
import { type Tx, dateColumn, dateOf, json } from './prisma.ts';

export interface StoredPatient extends Patient {
  readonly id: number;
  /** The ADT message that registered the patient; undefined while only orders have named him. */
  readonly registration:
    { readonly messageId: number; readonly at: Date; readonly sendingApplication: string } | undefined;
}

/** Locks patients for this transaction, always in the order of their ids. */
export async function lockPatients(tx: Tx, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.$queryRaw`SELECT id FROM "Patient" WHERE id = ANY(${[...ids]}::int[]) ORDER BY id FOR UPDATE`;
}

async function patientIdOf(tx: Tx, identifier: PatientIdentifier): Promise<number | undefined> {
  const found = await tx.patientIdentifier.findUnique({
    where: { value_assigningAuthority: { value: identifier.value, assigningAuthority: identifier.assigningAuthority } },
    select: { patientId: true },
  });
  return found?.patientId;
}

function identifierRow(patientId: number, identifier: PatientIdentifier) {
  return {
    patientId,
    value: identifier.value,
    assigningAuthority: identifier.assigningAuthority,
    universalId: identifier.universalId ?? null,
    universalIdType: identifier.universalIdType ?? null,
    identifierType: identifier.identifierType ?? null,
  };
}

function patientColumns(patient: Patient) {
  return {
    name: json(patient.name),
    nameKey: nameKeyOf(patient.name),
    birthDate: patient.birthDate === undefined ? null : dateColumn(patient.birthDate),
    sex: patient.sex ?? null,
    demographics: json(patient.demographics),
  };
}

const withIdentifiers = {
  identifiers: { orderBy: { id: 'asc' } },
  registeredBy: { select: { sendingApplication: true } },
} as const;

/** Reads locked patients, by id. */
export async function loadPatients(tx: Tx, ids: readonly number[]): Promise<Map<number, StoredPatient>> {
  const rows = await tx.patient.findMany({ where: { id: { in: [...ids] } }, include: withIdentifiers });
  return new Map(rows.map((row) => [row.id, toPatient(row)]));
}

/** Reads a locked patient. */
export async function loadPatient(tx: Tx, id: number): Promise<StoredPatient> {
  return toPatient(await tx.patient.findUniqueOrThrow({ where: { id }, include: withIdentifiers }));
}

function toPatient(row: Prisma.PatientGetPayload<{ include: typeof withIdentifiers }>): StoredPatient {
  const { registeredByMessageId: messageId, registeredAt: at } = row;
  const sendingApplication = row.registeredBy?.sendingApplication ?? '';
  return {
    id: row.id,
    identifiers: row.identifiers.map(toIdentifier),
    name: row.name as PersonName,
    birthDate: row.birthDate ? dateOf(row.birthDate) : undefined,
    sex: row.sex ?? undefined,
    demographics: row.demographics as Demographics,
    registration: messageId === null || at === null ? undefined : { messageId, at, sendingApplication },
  };
}

export function toIdentifier(row: {
  value: string;
  assigningAuthority: string;
  universalId: string | null;
  universalIdType: string | null;
  identifierType: string | null;
}): PatientIdentifier {
  return {
    value: row.value,
    assigningAuthority: row.assigningAuthority,
    ...(row.universalId === null ? {} : { universalId: row.universalId }),
    ...(row.universalIdType === null ? {} : { universalIdType: row.universalIdType }),
    ...(row.identifierType === null ? {} : { identifierType: row.identifierType }),
  };
}

/**
 * The patient that an identifier means, locked; made from `unknown` when there is none. The unique index decides who
 * makes him: the loser of a race waits for the winner's commit and takes the winner's patient.
 */
export async function findOrCreatePatient(
  tx: Tx,
  identifier: PatientIdentifier,
  unknown: () => { readonly patient: Patient; readonly at: Date },
): Promise<{ readonly patient: StoredPatient; readonly created: boolean }> {
  const known = await patientIdOf(tx, identifier);
  if (known !== undefined) return { patient: await lockAndLoad(tx, known), created: false };
  const { patient, at } = unknown();
  const made = await tx.patient.create({ data: { ...patientColumns(patient), createdAt: at }, select: { id: true } });
  const { count } = await tx.patientIdentifier.createMany({
    data: [identifierRow(made.id, identifier)],
    skipDuplicates: true,
  });
  if (count === 1) {
    await addIdentifiers(tx, made.id, patient.identifiers);
    return { patient: await lockAndLoad(tx, made.id), created: true };
  }
  await tx.patient.delete({ where: { id: made.id } });
  const winner = await patientIdOf(tx, identifier);
  // The winner can only be missing when it was merged away in the same instant: the unit is repeated.
  if (winner === undefined)
    throw new Prisma.PrismaClientKnownRequestError('patient vanished', { code: 'P2034', clientVersion: '' });
  return { patient: await lockAndLoad(tx, winner), created: false };
}

async function lockAndLoad(tx: Tx, id: number): Promise<StoredPatient> {
  await lockPatients(tx, [id]);
  return loadPatient(tx, id);
}

/** The patient that an identifier means, locked; undefined when there is none. */
export async function findPatient(tx: Tx, identifier: PatientIdentifier): Promise<StoredPatient | undefined> {
  const known = await patientIdOf(tx, identifier);
  return known === undefined ? undefined : lockAndLoad(tx, known);
}

/** Adds identifiers that nobody has yet; one that another patient has stays his. Returns how many were another's. */
export async function addIdentifiers(
  tx: Tx,
  patientId: number,
  identifiers: readonly PatientIdentifier[],
): Promise<number> {
  if (identifiers.length === 0) return 0;
  await tx.patientIdentifier.createMany({
    data: identifiers.map((one) => identifierRow(patientId, one)),
    skipDuplicates: true,
  });
  const own = await tx.patientIdentifier.findMany({
    where: { patientId },
    select: { value: true, assigningAuthority: true },
  });
  const has = (one: PatientIdentifier): boolean =>
    own.some((row) => row.value === one.value && row.assigningAuthority === one.assigningAuthority);
  return identifiers.filter((one) => !has(one)).length;
}

/** Saves what changed in a locked patient. */
export async function savePatient(
  tx: Tx,
  id: number,
  patient: Patient,
  registration?: { readonly messageId: number; readonly at: Date },
): Promise<void> {
  await tx.patient.update({
    where: { id },
    data: {
      ...patientColumns(patient),
      ...(registration ? { registeredByMessageId: registration.messageId, registeredAt: registration.at } : {}),
    },
  });
}

export interface StoredVisit extends Visit {
  readonly id: number;
}

/** Saves a visit of a locked patient: fields that the message leaves out keep their stored values. */
export async function saveVisit(
  tx: Tx,
  patientId: number,
  visit: VisitStatement,
  change: { readonly at: Date; readonly visitStatus: VisitStatus | undefined },
): Promise<StoredVisit> {
  const key = { patientId, visitNumber: visit.visitNumber, assigningAuthority: visit.assigningAuthority };
  const stored = await tx.visit.findUnique({ where: { patientId_visitNumber_assigningAuthority: key } });
  const details: VisitDetails = { ...((stored?.details ?? {}) as VisitDetails), ...visit.details };
  const columns = {
    visitStatus: change.visitStatus ?? stored?.visitStatus ?? 'OPEN',
    patientClass: visit.patientClass ?? stored?.patientClass ?? null,
    details: json(details),
    updatedAt: change.at,
  };
  const saved = stored
    ? await tx.visit.update({ where: { id: stored.id }, data: columns })
    : await tx.visit.create({ data: { ...key, ...columns } });
  return toVisit(saved);
}

export function toVisit(row: {
  id: number;
  visitNumber: string;
  assigningAuthority: string;
  visitStatus: VisitStatus;
  patientClass: string | null;
  details: unknown;
}): StoredVisit {
  return {
    id: row.id,
    visitNumber: row.visitNumber,
    assigningAuthority: row.assigningAuthority,
    visitStatus: row.visitStatus,
    patientClass: row.patientClass ?? undefined,
    details: row.details as VisitDetails,
  };
}
