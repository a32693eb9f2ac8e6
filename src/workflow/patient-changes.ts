import type {
  Demographics,
  NameParts,
  Patient,
  PatientStatement,
  PersonName,
  VisitDetails,
  VisitStatement,
} from './vocabulary.ts';

function merged<T>(stored: T | undefined, said: T | null | undefined): T | undefined {
  if (said === null) return undefined;
  return said === undefined ? stored : said;
}

/** Stored fields and what a message says of them: absent keeps, `null` clears. */
function mergedFields<T extends object>(stored: T, said: { readonly [K in keyof T]: T[K] | null | undefined }): T {
  const keys = new Set([...Object.keys(stored), ...Object.keys(said)]) as Set<keyof T>;
  const entries = [...keys].map((key) => [key, merged<unknown>(stored[key], said[key])] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as T;
}

function withoutNulls<T extends object>(said: { readonly [K in keyof T]: T[K] | null | undefined }): T {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null && value !== undefined)) as T;
}

/** A patient as the ADT says: an absent field keeps the stored value, `""` clears it (RAD TF-2 4.1). */
export function registered(stored: Patient | undefined, said: PatientStatement): Patient {
  const known = stored?.identifiers ?? [];
  const added = said.identifiers.filter((identifier) => !known.some((other) => sameIdentifier(identifier, other)));
  return {
    identifiers: [...known, ...added],
    name: said.name,
    birthDate: merged(stored?.birthDate, said.birthDate),
    sex: merged(stored?.sex, said.sex),
    demographics: mergedFields<Demographics>(stored?.demographics ?? {}, said.demographics),
  };
}

function sameIdentifier(
  a: { readonly value: string; readonly assigningAuthority: string },
  b: { readonly value: string; readonly assigningAuthority: string },
): boolean {
  return a.value === b.value && a.assigningAuthority === b.assigningAuthority;
}

function withoutComments({ comments: _comments, ...others }: Demographics): Demographics {
  return others;
}

/** A known patient as an order names him: the order fills what is empty and changes nothing (the ADT is the source). */
export function completedByOrder(stored: Patient, said: PatientStatement): Patient {
  const added = withoutNulls<Demographics>(said.demographics);
  const allergies = [...new Set([...(stored.demographics.allergies ?? []), ...(added.allergies ?? [])])];
  // Only orders carry comments on the patient: the newest ones count.
  const { comments } = said.demographics.comments === undefined ? stored.demographics : added;
  return {
    ...stored,
    birthDate: stored.birthDate ?? said.birthDate ?? undefined,
    sex: stored.sex ?? said.sex ?? undefined,
    // An allergy is not contradicted by another one: both are worth knowing.
    demographics: {
      ...added,
      ...withoutComments(stored.demographics),
      ...(allergies.length > 0 ? { allergies } : {}),
      ...(comments ? { comments } : {}),
    },
  };
}

/** What a message makes of a visit's fields: the ADT's word counts, an order fills only what is empty. */
export function visitAfter(
  stored: { readonly patientClass: string | undefined; readonly details: VisitDetails } | undefined,
  said: VisitStatement,
  source: 'adt' | 'order',
): { readonly patientClass: string | undefined; readonly details: VisitDetails } {
  const before = stored ?? { patientClass: undefined, details: {} };
  if (source === 'order') {
    return {
      patientClass: before.patientClass ?? said.patientClass ?? undefined,
      details: { ...withoutNulls<VisitDetails>(said.details), ...before.details },
    };
  }
  return {
    patientClass: merged(before.patientClass, said.patientClass),
    details: mergedFields(before.details, said.details),
  };
}

/** Whether anything that others know of a patient is other than it was. */
export function patientChanged(before: Patient, after: Patient): boolean {
  const known = ({ identifiers, name, birthDate, sex, demographics }: Patient): string => {
    const told = sorted(withoutComments(demographics));
    return JSON.stringify([sorted(identifiers), sorted(name), birthDate ?? null, sex ?? null, told]);
  };
  return known(before) !== known(after);
}

// Columns come back from the database in an order of their own.
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a.localeCompare(b));
  return entries.map(([key, part]) => [key, sorted(part)]);
}

/** Events that always go on to who knows the patient; RAD-12 calls both A08 (RAD TF-2 4.12). */
const alwaysTold: ReadonlySet<string> = new Set(['A08', 'A31']);

/**
 * The RAD-12 event that a peer is sent for an event of the ADT: the event itself where the peer wants it, else A08
 * where the patient's data changed; undefined: nothing that the peer has to know.
 */
export function updateFor<T extends string>(
  triggerEvent: string,
  changed: boolean,
  wanted: readonly T[],
): T | 'A08' | undefined {
  const own = wanted.find((event) => event === triggerEvent);
  if (own !== undefined) return own;
  return changed || alwaysTold.has(triggerEvent) ? 'A08' : undefined;
}

/**
 * The account under which a stay is known: the patient's own, unless the stay was numbered by another one (PID-18 where
 * there was no PV1-19); undefined: the stay has a number of its own, or nobody said any.
 */
export function accountOfStay(
  account: Demographics['accountNumber'],
  stay: { readonly visitNumber?: string | null | undefined; readonly assigningAuthority?: string | null | undefined },
): Demographics['accountNumber'] {
  const { visitNumber, assigningAuthority } = stay;
  if (!visitNumber || account?.id === visitNumber) return account;
  return { id: visitNumber, ...(assigningAuthority ? { assigningAuthority: { namespace: assigningAuthority } } : {}) };
}

// U is HL7's "unknown" and no value to disagree with.
const unknownSex = new Set([undefined, null, '', 'U']);

const fold = (text: string | undefined): string => (text ?? '').normalize('NFC').trim().toUpperCase();

function sameParts(a: NameParts, b: NameParts): boolean {
  return fold(a.family) === fold(b.family) && fold(a.given) === fold(b.given) && fold(a.middle) === fold(b.middle);
}

/** A representation that only one of them has contradicts nothing. */
function sameName(a: PersonName, b: PersonName): boolean {
  const agree = (one: NameParts | undefined, other: NameParts | undefined): boolean =>
    !one || !other || sameParts(one, other);
  return sameParts(a, b) && agree(a.ideographic, b.ideographic) && agree(a.phonetic, b.phonetic);
}

/** The same, as a sentence for the history. */
export function differenceRemark(differences: readonly string[]): string {
  return `the order's PID differs from the registered patient in: ${differences.join(', ')}`;
}

/** Where an order's PID disagrees with the stored patient: the names of the fields, to be looked at by a person. */
export function differencesOf(stored: Patient, said: PatientStatement): string[] {
  const differences: string[] = [];
  // An order of the department may leave out the name of a patient who is known.
  const named = Object.keys(said.name).length > 0;
  if (named && !sameName(stored.name, said.name)) differences.push('name');
  if (said.birthDate && stored.birthDate && said.birthDate !== stored.birthDate) differences.push('birthDate');
  if (!unknownSex.has(said.sex) && !unknownSex.has(stored.sex) && said.sex !== stored.sex) differences.push('sex');
  return differences;
}
