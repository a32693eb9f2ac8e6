import type { Demographics, Patient, PatientStatement, PersonName } from './vocabulary.ts';

function merged<T>(stored: T | undefined, said: T | null | undefined): T | undefined {
  if (said === null) return undefined;
  return said === undefined ? stored : said;
}

function mergedDemographics(stored: Demographics, said: PatientStatement['demographics']): Demographics {
  const keys = new Set([...Object.keys(stored), ...Object.keys(said)]) as Set<keyof Demographics>;
  const entries = [...keys].map((key) => [key, merged<unknown>(stored[key], said[key])]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Demographics;
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
    demographics: mergedDemographics(stored?.demographics ?? {}, said.demographics),
  };
}

export function sameIdentifier(
  a: { readonly value: string; readonly assigningAuthority: string },
  b: { readonly value: string; readonly assigningAuthority: string },
): boolean {
  return a.value === b.value && a.assigningAuthority === b.assigningAuthority;
}

/** A known patient as an order names him: the order fills what is empty and changes nothing (the ADT is the source). */
export function completedByOrder(stored: Patient, said: PatientStatement): Patient {
  const filled = mergedDemographics(removeNulls(said.demographics), stored.demographics);
  return {
    ...stored,
    birthDate: stored.birthDate ?? said.birthDate ?? undefined,
    sex: stored.sex ?? said.sex ?? undefined,
    demographics: filled,
  };
}

function removeNulls(said: PatientStatement['demographics']): Demographics {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null && value !== undefined));
}

// U is HL7's "unknown" and no value to disagree with.
const unknownSex = new Set([undefined, null, '', 'U']);

function sameName(a: PersonName, b: PersonName): boolean {
  const fold = (text: string | undefined): string => (text ?? '').normalize('NFC').trim().toUpperCase();
  return fold(a.family) === fold(b.family) && fold(a.given) === fold(b.given) && fold(a.middle) === fold(b.middle);
}

/** Where an order's PID disagrees with the stored patient: the names of the fields, to be looked at by a person. */
export function differencesOf(stored: Patient, said: PatientStatement): string[] {
  const differences: string[] = [];
  if (!sameName(stored.name, said.name)) differences.push('name');
  if (said.birthDate && stored.birthDate && said.birthDate !== stored.birthDate) differences.push('birthDate');
  if (!unknownSex.has(said.sex) && !unknownSex.has(stored.sex) && said.sex !== stored.sex) differences.push('sex');
  return differences;
}
