import { SwfError } from '../platform/errors.ts';
import { nameKeyOf } from '../workflow/person-name.ts';
import type { Demographics, Patient, PatientIdentifier, PersonName } from '../workflow/vocabulary.ts';
import type { Prisma } from './generated/client.ts';
import { type Tx, changedMeanwhile, dateColumn, dateOf, json } from './prisma.ts';

export interface StoredPatient extends Patient {
  readonly id: number;
  /** Identifiers that a merge or a change of identifier has replaced: they still mean this patient. */
  readonly formerIdentifiers: readonly PatientIdentifier[];
  /** Named by a modality alone, or by the department under a number of its list. */
  readonly temporary: boolean;
  /** The ADT message that registered the patient; undefined while only orders have named him. */
  readonly registration:
    { readonly messageId: number; readonly at: Date; readonly sendingApplication: string } | undefined;
}

/** Locks patients for this transaction, always in the order of their ids. */
export async function lockPatients(tx: Tx, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.$queryRaw`SELECT id FROM "Patient" WHERE id = ANY(${[...ids]}::int[]) ORDER BY id FOR UPDATE`;
}

/** The same identifier: the same authority by its universal id where both name one, else by its namespace. */
export function isSameIdentifier(
  row: Pick<IdentifierRow, 'value' | 'assigningAuthority' | 'universalId'>,
  identifier: PatientIdentifier,
): boolean {
  if (row.value !== identifier.value) return false;
  const bothUniversal = row.universalId !== null && identifier.universalId !== undefined;
  return bothUniversal
    ? row.universalId === identifier.universalId
    : row.assigningAuthority === identifier.assigningAuthority;
}

/** The same identifier; an authority that is known under another universal id is refused. */
function isSame(row: IdentifierRow, identifier: PatientIdentifier): boolean {
  if (isSameIdentifier(row, identifier)) return true;
  if (row.value !== identifier.value || row.assigningAuthority !== identifier.assigningAuthority) return false;
  // One namespace under two universal ids is two authorities, and two authorities are never joined silently.
  throw new SwfError('value-not-found', 'the assigning authority (PID-3.4) is known here under another universal id', {
    location: 'PID^1^3^1^4',
  });
}

/** Whom identifiers mean. */
interface Owner {
  readonly id: number;
  /** By an identifier that a merge has replaced. */
  readonly subsumed: boolean;
}

interface IdentifierRow {
  readonly patientId: number;
  readonly value: string;
  readonly assigningAuthority: string;
  readonly universalId: string | null;
  readonly current: boolean;
}

/**
 * The patient whom the identifiers mean, not locked: the first one decides where it is known, else the only patient
 * that another one names. Somebody who has another number of the first one's authority is another person who shares an
 * identifier (a family's insurance number). Throws 'ambiguous-key' (HL7 204) where they name several.
 */
export async function findPatientId(tx: Tx, identifiers: readonly PatientIdentifier[]): Promise<Owner | undefined> {
  const rows = await tx.patientIdentifier.findMany({
    where: { value: { in: identifiers.map((one) => one.value) } },
    orderBy: { id: 'asc' },
  });
  const ownersOf = (identifier: PatientIdentifier): number[] =>
    rows.filter((row) => isSame(row, identifier)).map((row) => row.patientId);
  const [first, ...others] = identifiers.map(ownersOf);
  const named = new Set(first && first.length > 0 ? first : others.flat());
  if (named.size > 1) {
    throw new SwfError('ambiguous-key', `the identifiers (PID-3) belong to ${named.size} patients`, {
      location: 'PID^1^3',
    });
  }
  const [owner] = named;
  if (owner === undefined) return undefined;
  const meant = identifiers.find((identifier) => ownersOf(identifier).includes(owner));
  const subsumed = rows.some((row) => meant !== undefined && isSame(row, meant) && !row.current);
  if (first?.includes(owner)) return { id: owner, subsumed };
  const otherNumber = await tx.patientIdentifier.findFirst({
    where: { patientId: owner, current: true, ...ofAuthority(identifiers[0]) },
  });
  return otherNumber ? undefined : { id: owner, subsumed };
}

/** Who has a number, by its authority where that is said; not locked. `former`: a merge has replaced it. */
export async function findIdentified(
  tx: Tx,
  { value, assigningAuthority }: { readonly value: string; readonly assigningAuthority?: string | undefined },
): Promise<{ readonly id: number; readonly former: boolean }[]> {
  const rows = await tx.patientIdentifier.findMany({
    where: { value, ...(assigningAuthority === undefined ? {} : { assigningAuthority }) },
    select: { patientId: true, current: true },
    distinct: ['patientId'],
    orderBy: [{ current: 'desc' }, { id: 'asc' }],
  });
  return rows.map(({ patientId: id, current }) => ({ id, former: !current }));
}

/** Identifiers of the authority that gave this one, by its namespace or its universal id. */
function ofAuthority(identifier: PatientIdentifier | undefined): Prisma.PatientIdentifierWhereInput {
  const { assigningAuthority = '', universalId } = identifier ?? {};
  return { OR: [{ assigningAuthority }, ...(universalId === undefined ? [] : [{ universalId }])] };
}

/** The row of an identifier. */
export function identifierRow(patientId: number, identifier: PatientIdentifier) {
  return {
    patientId,
    value: identifier.value,
    assigningAuthority: identifier.assigningAuthority,
    universalId: identifier.universalId ?? null,
    universalIdType: identifier.universalIdType ?? null,
    identifierType: identifier.identifierType ?? null,
  };
}

/** The columns of a patient that messages change. */
export function patientColumns(patient: Patient) {
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

/** Locks and reads a patient; one that was merged between the look and the lock is looked for again. */
export async function lockPatient(tx: Tx, id: number): Promise<StoredPatient> {
  await lockPatients(tx, [id]);
  return readLocked(tx, id);
}

async function readLocked(tx: Tx, id: number): Promise<StoredPatient> {
  const row = await tx.patient.findUnique({ where: { id }, include: withIdentifiers });
  if (!row || row.mergedIntoId !== null) throw changedMeanwhile();
  return toPatient(row);
}

function toPatient(row: Prisma.PatientGetPayload<{ include: typeof withIdentifiers }>): StoredPatient {
  const { registeredByMessageId: messageId, registeredAt: at } = row;
  const sendingApplication = row.registeredBy?.sendingApplication ?? '';
  return {
    id: row.id,
    identifiers: row.identifiers.filter(({ current }) => current).map(toIdentifier),
    formerIdentifiers: row.identifiers.filter(({ current }) => !current).map(toIdentifier),
    name: row.name as PersonName,
    birthDate: row.birthDate ? dateOf(row.birthDate) : undefined,
    sex: row.sex ?? undefined,
    demographics: row.demographics as Demographics,
    temporary: row.temporary,
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

/** The patient whom identifiers mean, locked. */
export interface FoundPatient {
  readonly patient: StoredPatient;
  readonly created: boolean;
  /** How many of the identifiers belong to another patient and stay there. */
  readonly foreign: number;
  /** How many of the identifiers he did not have before. */
  readonly added: number;
  /** He was named by an identifier that a merge has replaced. */
  readonly subsumed: boolean;
}

/**
 * The patient whom the identifiers mean, locked; made from `unknown` when there is none. The unique index decides who
 * makes him: the loser of a race waits for the winner's commit and takes the winner's patient.
 */
export async function findOrCreatePatient(
  tx: Tx,
  identifiers: readonly PatientIdentifier[],
  unknown: () => { readonly patient: Patient; readonly at: Date },
): Promise<FoundPatient> {
  const known = await findPatientId(tx, identifiers);
  if (known === undefined) {
    const made = await createPatient(tx, identifiers, unknown());
    if (made) return { ...made, created: true, subsumed: false, added: 0 };
  }
  const owner = known ?? (await findPatientId(tx, identifiers));
  // The winner can only be missing when it was merged away in the same instant: the unit is repeated.
  if (owner === undefined) throw changedMeanwhile();
  await lockPatients(tx, [owner.id]);
  const { foreign, added } = await addIdentifiers(tx, owner.id, identifiers);
  return { patient: await readLocked(tx, owner.id), created: false, foreign, added, subsumed: owner.subsumed };
}

/** Makes a patient; undefined when somebody else has the first identifier by now. Others that are somebody's stay his. */
async function createPatient(
  tx: Tx,
  identifiers: readonly PatientIdentifier[],
  { patient, at }: { readonly patient: Patient; readonly at: Date },
): Promise<{ readonly patient: StoredPatient; readonly foreign: number } | undefined> {
  // A new row is locked by the transaction that makes it.
  const { id } = await tx.patient.create({ data: { ...patientColumns(patient), createdAt: at }, select: { id: true } });
  const own = distinct(identifiers);
  const inserted = await tx.patientIdentifier.createManyAndReturn({
    data: own.map((identifier) => identifierRow(id, identifier)),
    skipDuplicates: true,
  });
  const [first] = own;
  if (
    first &&
    inserted.some((row) => row.value === first.value && row.assigningAuthority === first.assigningAuthority)
  ) {
    const identity = { identifiers: inserted.map(toIdentifier), formerIdentifiers: [], registration: undefined };
    const temporary = false;
    const stored = { ...patient, id, temporary, ...identity };
    return { patient: stored, foreign: own.length - inserted.length };
  }
  await tx.patientIdentifier.deleteMany({ where: { patientId: id } });
  await tx.patient.delete({ where: { id } });
  return undefined;
}

function distinct(identifiers: readonly PatientIdentifier[]): PatientIdentifier[] {
  return [...new Map(identifiers.map((one) => [`${one.assigningAuthority}\n${one.value}`, one])).values()];
}

/** An authority that was named by its namespace alone: once its universal id is said, another one is another authority. */
async function learnUniversalIds(
  tx: Tx,
  rows: readonly (IdentifierRow & { readonly id: number })[],
  identifiers: readonly PatientIdentifier[],
): Promise<void> {
  for (const row of rows.filter(({ universalId }) => universalId === null)) {
    const said = identifiers.find((one) => one.universalId !== undefined && isSame(row, one));
    if (said === undefined) continue;
    const taken = { value: row.value, universalId: said.universalId ?? null };
    if (await tx.patientIdentifier.findFirst({ where: taken, select: { id: true } })) continue;
    const { universalId = null, universalIdType = null } = said;
    await tx.patientIdentifier.update({ where: { id: row.id }, data: { universalId, universalIdType } });
  }
}

/** Adds identifiers that nobody has yet; one that another patient has stays his. */
export async function addIdentifiers(
  tx: Tx,
  patientId: number,
  identifiers: readonly PatientIdentifier[],
): Promise<{ readonly foreign: number; readonly added: number }> {
  const rows = await tx.patientIdentifier.findMany({ where: { value: { in: identifiers.map((one) => one.value) } } });
  await learnUniversalIds(
    tx,
    rows.filter((row) => row.patientId === patientId),
    identifiers,
  );
  const unknown = identifiers.filter((identifier) => !rows.some((row) => isSame(row, identifier)));
  if (unknown.length > 0) {
    await tx.patientIdentifier.createMany({
      data: unknown.map((one) => identifierRow(patientId, one)),
      skipDuplicates: true,
    });
  }
  const foreign = rows.filter((row) => row.patientId !== patientId && identifiers.some((one) => isSame(row, one)));
  return { foreign: foreign.length, added: unknown.length };
}

/** Saves what changed in a locked patient. */
export async function savePatient(
  tx: Tx,
  id: number,
  patient: Patient,
  {
    registration,
    temporary = false,
  }: {
    readonly registration?: { readonly messageId: number; readonly at: Date } | undefined;
    readonly temporary?: boolean;
  } = {},
): Promise<void> {
  await tx.patient.update({
    where: { id },
    data: {
      ...patientColumns(patient),
      temporary,
      ...(registration ? { registeredByMessageId: registration.messageId, registeredAt: registration.at } : {}),
    },
  });
}
