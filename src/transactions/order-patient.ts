import { SwfError } from '../platform/errors.ts';
import { completedByOrder, differencesOf, registered } from '../workflow/patient-changes.ts';
import type { Patient, PatientStatement } from '../workflow/vocabulary.ts';
import { type StoredPatient, findOrCreatePatient, findPatientId, savePatient } from '../store/patients.ts';
import { isNamedByModality } from '../store/temporary-patients.ts';
import { type Department, temporaryAuthority } from './department.ts';
import type { Unit } from './unit-of-work.ts';

/** The patient of an order: one it has to create, or a known one of whom it fills only what is empty. */
export async function patientOfOrder(
  unit: Unit,
  said: PatientStatement,
  { at, remarks }: { readonly at: Date; readonly remarks: string[] },
): Promise<{ readonly patient: StoredPatient; readonly differences: string[] }> {
  const { tx, department } = unit;
  const reject = department.config.policy.unknownPatient === 'reject';
  const known = reject ? await findPatientId(tx, said.identifiers) : undefined;
  // That a modality has named him makes him known to nobody; a number of the department's list does.
  if (reject && (!known || (await isNamedByModality(tx, known.id)))) {
    throw new SwfError('unknown-key', 'the patient (PID-3) is not known', { location: 'PID^1^3' });
  }
  const unknown = () => ({ patient: registered(undefined, said), at });
  const found = await findOrCreatePatient(tx, said.identifiers, unknown);
  if (found.foreign > 0) remarks.push(`${found.foreign} identifiers in PID-3 belong to another patient and stay there`);
  if (found.created) {
    remarks.push('the order created its patient: no registration had come');
    return { patient: found.patient, differences: [] };
  }
  if (found.subsumed) remarks.push(namedBySubsumed);
  const differences = differencesOf(found.patient, said);
  const temporary = isUnderOurs(department, found.patient);
  const renamed = found.patient.temporary && !temporary;
  const completed = renamed ? calledBy(said, found.patient) : completedByOrder(found.patient, said);
  await savePatient(tx, found.patient.id, completed, { temporary });
  if (differences.length > 0) remarks.push(`PID differs from the registered patient in: ${differences.join(', ')}`);
  return { patient: { ...found.patient, ...completed, temporary }, differences };
}

/**
 * Nobody outside has named him: an order under a number of ours says nothing of who he is, and he waits to be reconciled
 * with whom he is (PIR cases 4 and 5).
 */
function isUnderOurs({ config }: Department, { temporary, identifiers }: StoredPatient): boolean {
  const ours = temporaryAuthority(config);
  return temporary && identifiers.every(({ assigningAuthority }) => assigningAuthority === ours);
}

/** Whoever orders knows better what a patient is called than the modality that was the first to name him. */
function calledBy(said: PatientStatement, patient: StoredPatient): Patient {
  const named = Object.keys(said.name).length > 0;
  return registered(patient, named ? said : { ...said, name: patient.name });
}

/** W of a message that still uses a merged identifier. */
export const namedBySubsumed = 'PID-3 names an identifier that was merged into another patient, who is meant now';
