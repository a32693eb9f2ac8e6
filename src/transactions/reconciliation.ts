import { SwfError } from '../platform/errors.ts';
import type { PatientIdentifier } from '../workflow/vocabulary.ts';
import { mergePatients } from '../store/merges.ts';
import { type StoredPatient, findIdentified, lockPatient, lockPatients } from '../store/patients.ts';
import { settleExceptions } from '../store/performed-steps.ts';
import { numbersOnImages } from '../store/temporary-patients.ts';
import type { Tx } from '../store/prisma.ts';
import { proceduresOfPatient, stepsOfPatient } from '../store/find-procedures.ts';
import { addHistory } from '../store/procedures.ts';
import type { Actor, IdentifierNamed } from './actions.ts';
import type { Department } from './department.ts';
import { causeOf } from './actor-cause.ts';
import { placersKnowing, tellOfPatient } from './patient-updates.ts';
import { tellRegistered } from './rad-01-12-patient.ts';
import { type Cause, type Unit, runUnit, standingLine } from './unit-of-work.ts';

/** A patient whom nobody has registered becomes the one who he is (RAD TF-1 4.4, PIR cases 3, 4 and 5). */

interface Reconciling {
  readonly named: StoredPatient;
  readonly meant: StoredPatient;
  readonly cause: Cause;
}

/**
 * The temporary patient is the other one from now on: visits, orders, procedures and performed steps are his; RAD-12 A40
 * to everybody who may have images under the temporary number, and to the order placers who know an order under it.
 */
export async function reconcilePatient(unit: Unit, { named, meant, cause }: Reconciling): Promise<StoredPatient> {
  const { tx } = unit;
  const { identifiers, name } = named;
  const { at } = cause;
  const procedures = await proceduresOfPatient(tx, named.id);
  const shared = await isShared(tx, named);
  const placers = await placersKnowing(unit, named.id);
  await mergePatients(tx, { survivorId: meant.id, subsumedId: named.id, identifiers, messageId: undefined, at });
  const merged = shared ? whileShared(cause) : cause;
  await addHistory(
    tx,
    procedures.map((procedure) => standingLine(procedure, 'patientMerged', merged)),
  );
  const patient = await lockPatient(tx, meant.id);
  const merge = { visit: undefined, triggerEvent: 'A40', changed: true, merged: { identifiers, name }, at } as const;
  // The others know him by the number on his images, which may be the right one without the name of its issuer.
  const others = identifiers.filter(({ value }) => !meant.identifiers.some((own) => own.value === value));
  // Order placers have orders of his under it, and no images of anybody.
  if (others.length > 0) await tellOfPatient(unit, { patient, ...merge, everybody: !shared, placers });
  return patient;
}

const numberShared = 'the number is on images of somebody else as well: image managers were not told that it is his';

/** Why others were not told of a merge. */
export const whileShared = (cause: Cause): Cause => ({
  ...cause,
  remark: [cause.remark, numberShared].filter(Boolean).join('; '),
});

/** Images of somebody else are under a number of a temporary patient: they are not his, whoever he is. */
export async function isShared(tx: Tx, { id, identifiers }: StoredPatient): Promise<boolean> {
  const onImages = await numbersOnImages(
    tx,
    identifiers.map(({ value }) => value),
  );
  return onImages.some(({ patientId }) => patientId !== id);
}

/** His procedures learn that the ADT has registered him, after what else the unit does with them. */
export async function tellOfRegistration(unit: Unit, patient: StoredPatient, cause: Cause): Promise<void> {
  const { registration } = patient;
  if (registration) await tellRegistered(unit, patient.id, { registration, cause });
}

/** Somebody has said who the patient of these steps is: a person need not look at it any more. */
export const settleWhose = (tx: Tx, stepIds: readonly number[]): Promise<void> =>
  settleExceptions(tx, stepIds, ['unknown-patient', 'number-in-use']);

/**
 * Staff say who a temporary patient is. Throws 'unknown-key' for somebody who is not known, 'ambiguous-key' for a number
 * of several patients, 'state-forbids' where he is not temporary, or the other one is, or was merged himself.
 */
export async function reconcile(
  department: Department,
  { temporary, survivor }: { readonly temporary: IdentifierNamed; readonly survivor: PatientIdentifier },
  actor: Actor,
): Promise<void> {
  const cause = causeOf(department, actor);
  await runUnit(department, async (unit) => {
    const { tx } = unit;
    const who = await identified(tx, temporary, 'no patient has this identifier');
    const other = await identified(tx, survivor, 'no patient has the identifier of the survivor (survivor)');
    if (who.former) throw refused('it was reconciled before: the number means another patient now');
    if (other.former) throw refused('the survivor was merged into another patient: name that one (survivor)');
    if (who.id === other.id) throw refused('both identifiers are those of the same patient');
    await lockPatients(tx, [who.id, other.id]);
    const named = await lockPatient(tx, who.id);
    const meant = await lockPatient(tx, other.id);
    checkReconcilable(named, meant);
    const stepIds = await stepsOfPatient(tx, named.id);
    const patient = await reconcilePatient(unit, { named, meant, cause });
    await settleWhose(tx, stepIds);
    await tellOfRegistration(unit, patient, cause);
  });
}

async function identified(tx: Tx, named: IdentifierNamed, nobody: string) {
  const [only, another] = await findIdentified(tx, named);
  if (!only) throw new SwfError('unknown-key', nobody);
  if (!another) return only;
  const sentence = 'several assigning authorities gave this identifier: name one (?assigningAuthority=)';
  throw new SwfError('ambiguous-key', sentence);
}

function checkReconcilable(named: StoredPatient, meant: StoredPatient): void {
  if (!named.temporary)
    throw refused('the patient is not temporary: patients whom others know are merged by the ADT (ADT^A40)');
  if (meant.temporary)
    throw refused('the survivor is temporary as well: name the patient whom the ADT or an order has named (survivor)');
}

const refused = (sentence: string): SwfError => new SwfError('state-forbids', sentence);
