import { type Dataset, text } from '../dicom/dataset.ts';
import { type PatientNumber, patientFromDicom, patientNumberFromDicom } from '../mapping/patient-from-dicom.ts';
import { type UnscheduledStep, unscheduledStepFromDicom } from '../mapping/unscheduled-from-dicom.ts';
import { localTimeOf } from '../platform/clock.ts';
import { differencesOf } from '../workflow/patient-changes.ts';
import { startProcedure } from '../workflow/procedure-machine.ts';
import { type Patient, type PlannedProcedure, acknowledgedBy } from '../workflow/vocabulary.ts';
import { takeNumbers } from '../store/numbers.ts';
import { createOrder } from '../store/orders.ts';
import { type StoredPatient, lockPatient } from '../store/patients.ts';
import { createProcedure } from '../store/procedures.ts';
import { createTemporaryPatient, patientNumbered, takeTemporaryNumber } from '../store/temporary-patients.ts';
import { isTemporaryNumber, temporaryAuthority } from './department.ts';
import type { InboundDicom } from './inbound-dicom.ts';
import { type Cause, type HeldOrder, type Unit, hold } from './unit-of-work.ts';
import { waitsForNothing } from './waiting.ts';

/** What was made for an MPPS that nobody had ordered. */
export interface Unscheduled {
  readonly held: HeldOrder;
  /** What a person should look at in whose it is. */
  readonly doubts: readonly ('unknown-patient' | 'patient-differs' | 'number-in-use')[];
}

/**
 * The unscheduled case (RAD TF-2 4.6.4.1.2.3.2): a requested procedure with one step for each study that the modality
 * made up, under its Study Instance UID, at once. An order that nobody has placed holds their place; they are on no
 * worklist and nobody is told of them before they are bound to one.
 */
export async function makeUnscheduled(
  unit: Unit,
  inbound: InboundDicom,
  performed: { readonly dataset: Dataset; readonly studyInstanceUids: readonly string[] },
): Promise<Unscheduled> {
  const { dataset, studyInstanceUids } = performed;
  const { cause } = inbound;
  const { patient, doubts } = await patientOf(unit, inbound, dataset);
  const numbers = await takeNumbers(unit.tx, {
    accessionNumber: 1,
    fillerOrderNumber: 1,
    requestedProcedureId: studyInstanceUids.length,
    scheduledProcedureStepId: studyInstanceUids.length,
  });
  const step = unscheduledStepFromDicom(dataset);
  const order = await createOrder(unit.tx, {
    patientId: patient.id,
    visit: undefined,
    order: { service: step.code },
    placerOrderIssuer: undefined,
    unreconciled: true,
    fillerOrderNumber: numbers.fillerOrderNumber[0] ?? '',
    accessionNumbers: numbers.accessionNumber,
    nextAccessionNumber: async () => (await takeNumbers(unit.tx, { accessionNumber: 1 })).accessionNumber[0] ?? '',
    patientDifferences: [],
    location: '',
    sendingApplication: '',
    sendingFacility: '',
    messageId: undefined,
    at: cause.at,
  });
  const held: HeldOrder = { order, patient, procedures: [], waits: waitsForNothing, announcements: [] };
  for (const [index, studyInstanceUid] of studyInstanceUids.entries()) {
    const plan = planOf(unit, step, {
      studyInstanceUid,
      requestedProcedureId: numbers.requestedProcedureId[index] ?? '',
      scheduledProcedureStepId: numbers.scheduledProcedureStepId[index] ?? '',
    });
    held.procedures.push(await startUnordered(unit, held, plan, cause));
  }
  return { held, doubts };
}

/**
 * The patient whom the modality's number means, or a temporary one made of what it says. A number that only modalities
 * have used, as one typed for everybody who is not known, does not make one of two whom they call differently.
 */
async function patientOf(
  unit: Unit,
  inbound: InboundDicom,
  dataset: Dataset,
): Promise<{ readonly patient: StoredPatient; readonly doubts: Unscheduled['doubts'] }> {
  const { tx, department } = unit;
  const named = patientFromDicom(dataset, temporaryAuthority(department.config));
  const known = await knownPatient(unit, { number: patientNumberFromDicom(dataset), named });
  const patient = known === undefined ? undefined : await lockPatient(tx, known);
  const { birthDate, sex } = named;
  const differs = patient !== undefined && differencesOf(patient, { ...named, birthDate, sex }).length > 0;
  if (patient?.temporary === false) return { patient, doubts: differs ? ['patient-differs'] : [] };
  if (patient && !differs) return { patient, doubts: ['unknown-patient'] };
  return temporaryPatient(unit, inbound, { named, modality: text(dataset, 'Modality') });
}

/** Somebody who is known to nobody; a number of the department's list is in use from now on. */
async function temporaryPatient(
  { tx, department }: Unit,
  { request, cause }: InboundDicom,
  { named, modality }: { readonly named: Patient; readonly modality: string | undefined },
): Promise<{ readonly patient: StoredPatient; readonly doubts: Unscheduled['doubts'] }> {
  const { config } = department;
  const lent = temporaryAuthority(config);
  const made = await createTemporaryPatient(tx, named, { lent, at: cause.at });
  const [own] = named.identifiers;
  const listed = own?.assigningAuthority === lent && isTemporaryNumber(config, own.value);
  if (listed && made.identifiers.length > 0) {
    const taken = { value: own.value, assigningAuthority: lent, modality, takenBy: request.callingAeTitle };
    await takeTemporaryNumber(tx, made.id, { ...taken, reason: undefined, at: cause.at });
  }
  const inUse = listed && made.identifiers.length === 0;
  const patient = await lockPatient(tx, made.id);
  return { patient, doubts: ['unknown-patient', ...(inUse ? (['number-in-use'] as const) : [])] };
}

async function knownPatient(
  { tx, department }: Unit,
  { number, named }: { readonly number: PatientNumber | undefined; readonly named: Patient },
): Promise<number | undefined> {
  const lent = temporaryAuthority(department.config);
  const known = number && (await patientNumbered(tx, number, lent));
  // A number of ours that a patient has whose issuer is in doubt is not given a second time.
  const [own] = named.identifiers;
  return known ?? (own && patientNumbered(tx, { value: own.value, issuer: own.assigningAuthority }, lent));
}

const MINUTES = 30;

function planOf(
  unit: Unit,
  step: UnscheduledStep,
  ids: Pick<PlannedProcedure, 'studyInstanceUid' | 'requestedProcedureId'> & { scheduledProcedureStepId: string },
): PlannedProcedure {
  const { studyInstanceUid, requestedProcedureId, scheduledProcedureStepId } = ids;
  const { timeZone } = unit.department.config.organisation;
  const { code, modality, stationAeTitle, description, protocols } = step;
  const start = step.start ?? localTimeOf(unit.department.clock.now(), timeZone);
  const planned = { scheduledProcedureStepId, modality, start, description, protocols, minutes: MINUTES };
  const steps = [{ ...planned, scheduledStationAeTitles: [stationAeTitle] }];
  return { requestedProcedureId, studyInstanceUid, code, serviceIndex: 0, steps };
}

async function startUnordered(unit: Unit, { order, patient }: HeldOrder, plan: PlannedProcedure, cause: Cause) {
  const { registration } = patient;
  const machine = startProcedure({
    procedure: plan,
    registration: registration && acknowledgedBy(registration.sendingApplication, { ...registration, code: 'AA' }),
    order: undefined,
  });
  const procedure = hold(await createProcedure(unit.tx, order.id, plan, { machine, at: cause.at }));
  const toState = machine.value.acquisition;
  const remark = 'performed without an order; waits to be bound to one';
  const line = { procedureId: procedure.stored.id, event: 'unscheduled', fromState: '', toState };
  procedure.history.push({ ...line, ...cause, remark });
  return procedure;
}
