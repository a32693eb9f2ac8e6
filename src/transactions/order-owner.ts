import { SwfError } from '../platform/errors.ts';
import type { PatientIdentifier } from '../workflow/vocabulary.ts';
import { type StoredPatient, findPatientId } from '../store/patients.ts';
import type { Tx } from '../store/prisma.ts';
import { namedBySubsumed } from './order-patient.ts';

/** Whom a message about a known order names, and where what is odd about it is kept. */
export interface Named {
  readonly identifiers: readonly PatientIdentifier[];
  readonly remarks: string[];
}

/**
 * An order of one patient is not changed, reported or moved by a message about another. Throws 'unknown-key' (HL7 204)
 * at PID-3. Identifiers of authorities that are not known here contradict nobody: the order number decided.
 */
export async function checkOwner(tx: Tx, owner: StoredPatient, { identifiers, remarks }: Named): Promise<void> {
  const said = await findPatientId(tx, identifiers);
  if (said?.id === owner.id) {
    if (said.subsumed) remarks.push(namedBySubsumed);
    return;
  }
  const known = [...owner.identifiers, ...owner.formerIdentifiers];
  const shared = identifiers.some((one) => known.some((other) => other.assigningAuthority === one.assigningAuthority));
  if (said || shared) {
    throw new SwfError('unknown-key', 'the order belongs to another patient (PID-3)', { location: 'PID^1^3' });
  }
  remarks.push('PID-3 names no identifier of an authority that is known here; the order number decided');
}
