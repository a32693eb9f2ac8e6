import { ordersFromHl7 } from '../mapping/order-from-hl7.ts';
import { patientFromHl7, visitFromHl7 } from '../mapping/patient-from-hl7.ts';
import { localTimeOf } from '../platform/clock.ts';
import { SwfError } from '../platform/errors.ts';
import { completedByOrder, differenceRemark, differencesOf, registered } from '../workflow/patient-changes.ts';
import { planProcedures, planSize } from '../workflow/planning.ts';
import type { ProcedureEvent } from '../workflow/procedure-context.ts';
import { advance, startProcedure } from '../workflow/procedure-machine.ts';
import {
  type PatientStatement,
  type PlacerOrder,
  type PlannedProcedure,
  acknowledgedBy,
} from '../workflow/vocabulary.ts';
import { remark } from '../store/messages.ts';
import { takeNumbers } from '../store/numbers.ts';
import { type StoredOrder, createOrder } from '../store/orders.ts';
import {
  type StoredPatient,
  type StoredVisit,
  findOrCreatePatient,
  isKnownPatient,
  savePatient,
  saveVisit,
} from '../store/patients.ts';
import { createProcedure } from '../store/procedures.ts';
import { procedureDestinations } from './department.ts';
import type { InboundHl7, InboundHl7Transaction } from './inbound-hl7.ts';
import { type HeldOrder, type HeldProcedure, type Unit, finish, hold, note } from './unit-of-work.ts';

/** RAD-2 Placer Order Management (RAD TF-2 4.2): the order placer asks for procedures; all orders of a message or none. */
export const placerOrder: InboundHl7Transaction = {
  id: 'RAD-2',
  name: 'Placer Order Management',
  accepts: ['ORM^O01', 'OMG^O19'],
  handle: async (unit, inbound) => {
    const { reading, at } = inbound;
    const orders = ordersFromHl7(reading);
    const said = patientFromHl7(reading);
    const visit = visitFromHl7(reading);
    const { patient, differences } = await patientOfOrder(unit, said, inbound);
    const stored =
      visit && (await saveVisit(unit.tx, patient.id, visit, { at, visitStatus: undefined, source: 'order' }));
    const held: HeldOrder[] = [];
    for (const [index, order] of orders.entries()) {
      const location = `ORC^${index + 1}^2`;
      held.push(await createPlannedOrder(unit, inbound, { order, patient, visit: stored, differences, location }));
    }
    await remark(unit.tx, inbound.messageId, reading.remarks);
    await finish(unit, held, at);
  },
};

/** The patient of an order: one it has to create, or a known one of whom it fills only what is empty. */
async function patientOfOrder(
  unit: Unit,
  said: PatientStatement,
  inbound: InboundHl7,
): Promise<{ patient: StoredPatient; differences: string[] }> {
  const { tx, department } = unit;
  const { reading, at } = inbound;
  if (department.config.policy.unknownPatient === 'reject' && !(await isKnownPatient(tx, said.identifiers))) {
    throw new SwfError('unknown-key', 'the patient (PID-3) is not known', { location: 'PID^1^3' });
  }
  const unknown = () => ({ patient: registered(undefined, said), at });
  const found = await findOrCreatePatient(tx, said.identifiers, unknown);
  if (found.foreign > 0)
    reading.remarks.push(`${found.foreign} identifiers in PID-3 belong to another patient and stay there`);
  if (found.created) {
    reading.remarks.push('the order created its patient: no registration had come');
    return { patient: found.patient, differences: [] };
  }
  const differences = differencesOf(found.patient, said);
  const completed = completedByOrder(found.patient, said);
  await savePatient(tx, found.patient.id, completed);
  if (differences.length > 0)
    inbound.reading.remarks.push(`PID differs from the registered patient in: ${differences.join(', ')}`);
  return { patient: { ...found.patient, ...completed }, differences };
}

interface OrderToSave {
  readonly order: PlacerOrder;
  readonly patient: StoredPatient;
  readonly visit: StoredVisit | undefined;
  readonly differences: readonly string[];
  /** Where its placer order number stands. */
  readonly location: string;
}

/** One order with its procedures and steps; its numbers are taken at once. */
async function createPlannedOrder(unit: Unit, inbound: InboundHl7, toSave: OrderToSave): Promise<HeldOrder> {
  const { tx, department } = unit;
  const { order, patient } = toSave;
  const { catalogue, organisation, policy } = department.config;
  const size = planSize(order, catalogue, policy.unknownProcedure);
  const numbers = await takeNumbers(tx, {
    accessionNumber: 1,
    fillerOrderNumber: 1,
    requestedProcedureId: size.procedures,
    scheduledProcedureStepId: size.steps,
  });
  if (!size.inCatalogue)
    inbound.reading.remarks.push(
      'the ordered service (OBR-4) is not in the catalogue: one step was planned from the order',
    );
  const saved = await saveOrder(unit, inbound, { ...toSave, numbers });
  const identifiers = {
    requestedProcedureIds: numbers.requestedProcedureId,
    scheduledProcedureStepIds: numbers.scheduledProcedureStepId,
    studyInstanceUids: Array.from({ length: size.procedures }, () => department.ids.uid()),
  };
  const site = { catalogue, unknownProcedure: policy.unknownProcedure };
  const plans = planProcedures(order, site, identifiers, localTimeOf(inbound.at, organisation.timeZone));
  const procedures: HeldProcedure[] = [];
  for (const plan of plans) procedures.push(await startPlan(unit, inbound, { plan, order: saved, patient }));
  return { order: saved, patient, procedures };
}

type TakenNumbers = Awaited<ReturnType<typeof takeNumbers>>;

async function saveOrder(
  unit: Unit,
  inbound: InboundHl7,
  { order, patient, visit, differences, location, numbers }: OrderToSave & { readonly numbers: TakenNumbers },
): Promise<StoredOrder> {
  const { tx, department } = unit;
  const wanted = wantedAccessionNumber(order, department.config.policy.accessionNumber, inbound);
  return createOrder(tx, {
    patientId: patient.id,
    visit,
    order,
    placerOrderIssuer:
      order.placerOrderNumber.namespace ?? order.placerOrderNumber.universalId ?? inbound.sendingApplication,
    fillerOrderNumber: numbers.fillerOrderNumber[0] ?? '',
    accessionNumbers: [...wanted, ...numbers.accessionNumber],
    nextAccessionNumber: async () => (await takeNumbers(tx, { accessionNumber: 1 })).accessionNumber[0] ?? '',
    patientDifferences: differences,
    location,
    sendingApplication: inbound.sendingApplication,
    sendingFacility: inbound.sendingFacility,
    messageId: inbound.messageId,
    at: inbound.at,
  });
}

/** The placer's accession number, where the site takes it and DICOM can carry it (SH, 16 characters). */
function wantedAccessionNumber(order: PlacerOrder, policy: 'assign' | 'accept', inbound: InboundHl7): string[] {
  const wanted = order.requestedAccessionNumber?.trim();
  if (policy === 'assign' || wanted === undefined) return [];
  if (/^[\x21-\x5b\x5d-\x7e][\x20-\x5b\x5d-\x7e]{0,15}$/.test(wanted)) return [wanted];
  inbound.reading.remarks.push('the accession number of the order does not fit DICOM (16 characters); ours is used');
  return [];
}

interface PlanToStart {
  readonly plan: PlannedProcedure;
  readonly order: StoredOrder;
  readonly patient: StoredPatient;
}

/** A planned procedure gets its machine, and where the site schedules by itself its first event. */
async function startPlan(
  unit: Unit,
  inbound: InboundHl7,
  { plan, order, patient }: PlanToStart,
): Promise<HeldProcedure> {
  const { department, tx } = unit;
  const { registration } = patient;
  const { messageId, at, sendingApplication } = inbound;
  const planned = startProcedure({
    procedure: plan,
    registration: registration && acknowledgedBy(registration.sendingApplication, { ...registration, code: 'AA' }),
    order: acknowledgedBy(sendingApplication, { messageId, code: 'AA', at }),
  });
  const schedule: ProcedureEvent = {
    type: 'schedule',
    destinations: procedureDestinations(department.config).map((peer) => peer.name),
  };
  const moved = department.config.policy.autoSchedule ? advance(planned, schedule) : undefined;
  // Created where it stands after its first event: a new procedure is written once.
  const held = hold(await createProcedure(tx, order.id, plan, { machine: moved?.machine ?? planned, at }));
  const cause = { messageId, causedBy: sendingApplication, at };
  const { patientDifferences: differs } = order;
  const remark = differs.length > 0 ? differenceRemark(differs) : undefined;
  const toState = planned.value.acquisition;
  held.history.push({ procedureId: held.stored.id, event: 'ordered', fromState: '', toState, remark, ...cause });
  if (moved) note(held, schedule, moved, cause);
  return held;
}
