import { localTimeOf } from '../platform/clock.ts';
import { differenceRemark } from '../workflow/patient-changes.ts';
import { isGuessed, planProcedures, planSize } from '../workflow/planning.ts';
import type { ProcedureEvent } from '../workflow/procedure-events.ts';
import { advance, startProcedure } from '../workflow/procedure-machine.ts';
import { type Confirmation, type PlacerOrder, type PlannedProcedure, acknowledgedBy } from '../workflow/vocabulary.ts';
import { takeNumbers } from '../store/numbers.ts';
import { type StoredOrder, createOrder } from '../store/orders.ts';
import type { StoredPatient } from '../store/patients.ts';
import { createProcedure } from '../store/procedures.ts';
import type { StoredVisit } from '../store/visits.ts';
import { type Department, procedureDestinations } from './department.ts';
import { type Cause, type HeldOrder, type HeldProcedure, type Unit, hold, note } from './unit-of-work.ts';
import { waitsForNothing } from './waiting.ts';

/** Where an order comes from. */
export interface OrderOrigin {
  /** MSH-3 and MSH-4 of the message that brought it, or the placer that the department asks for a number. */
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  /** Undefined for an order of the department. */
  readonly messageId: number | undefined;
  readonly cause: Cause;
  /** Sentences about what was odd; whoever brought the order keeps them. */
  readonly remarks: string[];
  /** RAD-2; undefined while an order of the department waits for its number. */
  readonly confirmation: Confirmation | undefined;
}

/** An order that is to be made, with its procedures and steps. */
export interface OrderToMake {
  readonly order: PlacerOrder;
  readonly patient: StoredPatient;
  readonly visit: StoredVisit | undefined;
  /** Names of the fields in which the order's PID differs from the patient's. */
  readonly differences: readonly string[];
  /** Where its placer order number stands. */
  readonly location: string;
  /** The number of its first OBR in the message. */
  readonly firstObr?: number;
  /** Placed by the department itself. */
  readonly departmental?: boolean;
  /** The placer is asked for a number; nothing is scheduled before it answers. */
  readonly numberPending?: boolean;
  /** Whether its procedures are scheduled at once; undefined: by the site's policy. */
  readonly schedule?: boolean;
  /** Studies under which the examination was made already, in the order of the procedures. */
  readonly studyInstanceUids?: readonly string[];
  /** A parent whose children are performed in its place. */
  readonly withoutProcedures?: boolean;
}

/** One order with its procedures and steps; its numbers are taken at once. */
export async function makeOrder(unit: Unit, origin: OrderOrigin, toMake: OrderToMake): Promise<HeldOrder> {
  const { tx, department } = unit;
  const { order, patient } = toMake;
  const { catalogue, organisation, policy } = department.config;
  const place = toMake.firstObr === undefined ? {} : { firstObr: toMake.firstObr };
  const site = { catalogue, unknownProcedure: policy.unknownProcedure, ...place };
  const nothing = { procedures: 0, steps: 0, inCatalogue: true };
  const size = toMake.withoutProcedures ? nothing : planSize(order, site);
  const numbers = await takeNumbers(tx, {
    accessionNumber: 1,
    fillerOrderNumber: 1,
    requestedProcedureId: size.procedures,
    scheduledProcedureStepId: size.steps,
  });
  if (!size.inCatalogue)
    origin.remarks.push('the ordered service (OBR-4) is not in the catalogue: its steps were planned from the order');
  unit.rules.push(
    `${toMake.location || 'order'}: procedures ${size.procedures}, steps ${size.steps}, ${size.inCatalogue ? 'by the catalogue' : 'not in the catalogue'}`,
  );
  const saved = await saveOrder(unit, origin, { ...toMake, numbers });
  const given = toMake.studyInstanceUids ?? [];
  const identifiers = {
    requestedProcedureIds: numbers.requestedProcedureId,
    scheduledProcedureStepIds: numbers.scheduledProcedureStepId,
    studyInstanceUids: Array.from({ length: size.procedures }, (_, index) => given[index] ?? department.ids.uid()),
  };
  const receivedAt = localTimeOf(origin.cause.at, organisation.timeZone);
  const plans = toMake.withoutProcedures ? [] : planProcedures(order, site, identifiers, receivedAt);
  const procedures: HeldProcedure[] = [];
  const schedule = toMake.schedule ?? (policy.autoSchedule && !toMake.numberPending);
  for (const plan of plans) procedures.push(await startPlan(unit, origin, { plan, order: saved, patient, schedule }));
  return { order: saved, patient, procedures, waits: waitsForNothing, announcements: [] };
}

type TakenNumbers = Awaited<ReturnType<typeof takeNumbers>>;

/** The issuer of a placer order number: its own, else the application that sent it (HL7 v2.5.1 4.5.1.2). */
export function issuerOf(
  number: { readonly namespace?: string; readonly universalId?: string },
  sendingApplication: string,
): string {
  return number.namespace ?? number.universalId ?? sendingApplication;
}

async function saveOrder(
  unit: Unit,
  origin: OrderOrigin,
  toMake: OrderToMake & { readonly numbers: TakenNumbers },
): Promise<StoredOrder> {
  const { tx, department } = unit;
  const { order, patient, visit, numbers } = toMake;
  const wanted = wantedAccessionNumber(order, department.config.policy.accessionNumber, origin);
  const number = order.placerOrderNumber;
  return createOrder(tx, {
    patientId: patient.id,
    visit,
    order,
    placerOrderIssuer: number && issuerOf(number, origin.sendingApplication),
    departmental: toMake.departmental ?? false,
    numberPending: toMake.numberPending ?? false,
    fillerOrderNumber: numbers.fillerOrderNumber[0] ?? '',
    accessionNumbers: [...wanted, ...numbers.accessionNumber],
    nextAccessionNumber: async () => (await takeNumbers(tx, { accessionNumber: 1 })).accessionNumber[0] ?? '',
    patientDifferences: toMake.differences,
    location: toMake.location,
    sendingApplication: origin.sendingApplication,
    sendingFacility: origin.sendingFacility,
    messageId: origin.messageId,
    at: origin.cause.at,
  });
}

/** The placer's accession number, where the site takes it and DICOM can carry it (SH, 16 characters). */
function wantedAccessionNumber(order: PlacerOrder, policy: 'assign' | 'accept', { remarks }: OrderOrigin): string[] {
  const wanted = order.requestedAccessionNumber?.trim();
  if (policy === 'assign' || wanted === undefined) return [];
  if (/^[\x21-\x5b\x5d-\x7e][\x20-\x5b\x5d-\x7e]{0,15}$/.test(wanted)) return [wanted];
  remarks.push('the accession number of the order does not fit DICOM (16 characters); ours is used');
  return [];
}

/** What puts a procedure on the worklist and announces it to every image manager and report manager. */
export function scheduling(department: Department): ProcedureEvent {
  return { type: 'schedule', destinations: procedureDestinations(department.config).map((peer) => peer.name) };
}

interface PlanToStart {
  readonly plan: PlannedProcedure;
  readonly order: StoredOrder;
  readonly patient: StoredPatient;
  readonly schedule: boolean;
}

/** Why a procedure is planned and on no worklist. */
function waitsFor({ confirmation }: OrderOrigin): string {
  return confirmation
    ? 'waits to be scheduled (POST /api/procedures/{id}/schedule)'
    : 'waits for the placer order number, or to be scheduled';
}

/** A planned procedure gets its machine, and where it is scheduled at once its first event. */
async function startPlan(
  unit: Unit,
  origin: OrderOrigin,
  { plan, order, patient, schedule }: PlanToStart,
): Promise<HeldProcedure> {
  const { registration } = patient;
  const { cause } = origin;
  const planned = startProcedure({
    procedure: plan,
    registration: registration && acknowledgedBy(registration.sendingApplication, { ...registration, code: 'AA' }),
    order: origin.confirmation,
  });
  const event = scheduling(unit.department);
  const moved = schedule ? advance(planned, event) : undefined;
  // Created where it stands after its first event: a new procedure is written once.
  const uncatalogued = isGuessed(order.details, plan.serviceIndex, unit.department.config.catalogue);
  const start = { machine: moved?.machine ?? planned, at: cause.at, uncatalogued };
  const held = hold(await createProcedure(unit.tx, order.id, plan, start));
  const { patientDifferences: differs } = order;
  const waits = schedule ? undefined : waitsFor(origin);
  const differ = differs.length > 0 ? differenceRemark(differs) : undefined;
  const remarks = [cause.remark, waits, differ].filter(Boolean);
  const remark = remarks.length > 0 ? remarks.join('; ') : undefined;
  const toState = planned.value.acquisition;
  const ordered = { procedureId: held.stored.id, event: 'ordered', fromState: '', toState };
  held.history.push({ ...ordered, ...cause, remark });
  if (moved) note(held, event, moved, { ...cause, remark: undefined });
  return held;
}
