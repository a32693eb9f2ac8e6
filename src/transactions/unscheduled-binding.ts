import { SwfError } from '../platform/errors.ts';
import { performedAs } from '../workflow/planning.ts';
import { cameToNothing, nothingPerformed } from '../workflow/procedure-context.ts';
import { type PlacerOrder, acknowledgedBy } from '../workflow/vocabulary.ts';
import { changeOrder, findAccession, findFillerOrder, findOnlyPlacerOrder, findPlacerOrder } from '../store/orders.ts';
import { ordersOfPerformedStep, settleExceptions, unreconciledOrderOf } from '../store/performed-steps.ts';
import type { StoredPatient } from '../store/patients.ts';
import { type Tx, changedMeanwhile } from '../store/prisma.ts';
import { findProcedureOrder } from '../store/find-procedures.ts';
import { moveProcedure, recodeProcedure } from '../store/procedures.ts';
import type { Actor, OrderNamed } from './actions.ts';
import type { Department } from './department.ts';
import { causeOf } from './actor-cause.ts';
import { isReported } from './order-changes.ts';
import { scheduling } from './order-creation.ts';
import { resendResult } from './order-number.ts';
import { reconcilePatient, tellOfRegistration } from './reconciliation.ts';
import {
  type Cause,
  type HeldOrder,
  type HeldProcedure,
  type Unit,
  finish,
  holdOrders,
  runUnit,
  send,
  stateOf,
  takeDown,
} from './unit-of-work.ts';

/** An examination that was performed before it was ordered becomes that of an order (RAD TF-1 4.4.3, PIR cases 3 and 5). */

interface Performed {
  /** Whom the modality named. */
  readonly named: StoredPatient;
  /** Whose order it is. */
  readonly meant: StoredPatient;
  readonly cause: Cause;
  /** A person says that the modality had the number of somebody else. */
  readonly anotherPatient: true | undefined;
}

/**
 * Whose an examination is: a temporary patient is the one of the order from now on (RAD-12 A40). Throws 'state-forbids'
 * for another patient who is known: his examination is not given to somebody else.
 */
export async function patientPerformed(
  unit: Unit,
  { named, meant, cause, anotherPatient }: Performed,
): Promise<StoredPatient> {
  if (named.id === meant.id) return meant;
  if (isMeant(named, anotherPatient)) return reconcilePatient(unit, { named, meant, cause });
  // Two patients who are known are never made one: RAD-4 tells under whose name its study belongs.
  if (anotherPatient) return meant;
  const sentence =
    'it was performed under the number of another patient who is known here: bind it to an order of his, or say that the number was wrong (anotherPatient)';
  throw new SwfError('state-forbids', sentence);
}

/** A temporary patient is the one of the order, unless the modality had his number by mistake: then he is another one. */
const isMeant = ({ temporary, identifiers }: StoredPatient, anotherPatient: true | undefined): boolean =>
  temporary && !(anotherPatient && identifiers.length > 0);

const underAnother = 'it was performed under the number of another patient';

/** Why an examination is an order's; that it was another patient's until now stays to be seen. */
export function boundBecause({ named, meant, cause, anotherPatient }: Performed): Cause {
  if (named.id === meant.id || isMeant(named, anotherPatient)) return cause;
  return { ...cause, remark: [underAnother, cause.remark].filter(Boolean).join('; ') };
}

/** What was performed is called as it was ordered, and is nobody's to look at any more. */
export async function takeOver(unit: Unit, procedures: readonly HeldProcedure[], order: PlacerOrder): Promise<void> {
  const { catalogue, policy } = unit.department.config;
  const site = { catalogue, unknownProcedure: policy.unknownProcedure };
  for (const procedure of procedures) {
    const modality = procedure.stored.steps[0]?.modality ?? '';
    const { code, contents } = performedAs(order, site, modality);
    procedure.stored = await recodeProcedure(unit.tx, procedure.stored, code, contents);
  }
  const stepIds = procedures.flatMap(({ stored }) => stored.steps.map(({ id }) => id));
  await settleExceptions(unit.tx, stepIds, ['unscheduled', 'unknown-patient', 'number-in-use', 'patient-differs']);
}

/** The order that a person names. Throws 'unknown-key', or 'ambiguous-key' where several issuers gave the number. */
async function orderNamed(tx: Tx, named: OrderNamed): Promise<number> {
  const { requestedProcedureId, fillerOrderNumber, accessionNumber, placerOrderNumber, placerOrderIssuer } = named;
  const found =
    (requestedProcedureId && (await findProcedureOrder(tx, requestedProcedureId))) ??
    (fillerOrderNumber && (await findFillerOrder(tx, fillerOrderNumber))) ??
    (accessionNumber && (await findAccession(tx, accessionNumber))) ??
    (placerOrderNumber &&
      (placerOrderIssuer
        ? await findPlacerOrder(tx, { placerOrderNumber, placerOrderIssuer })
        : await findOnlyPlacerOrder(tx, placerOrderNumber)));
  if (typeof found === 'number') return found;
  throw new SwfError('unknown-key', 'no order, or more than one, has this number; GET /api/orders lists them');
}

async function placeholderOf(tx: Tx, sopInstanceUid: string): Promise<number> {
  const id = await unreconciledOrderOf(tx, { sopInstanceUid });
  if (id !== undefined) return id;
  if ((await ordersOfPerformedStep(tx, sopInstanceUid)) === undefined)
    throw new SwfError('unknown-key', 'no performed step has this SOP instance UID');
  throw new SwfError('state-forbids', 'the performed step is not unscheduled: it waits for no order');
}

/** What was bound to an order between the look and the locks is looked for again: nobody else can have it. */
export function checkWaits(performed: HeldOrder | undefined): asserts performed is HeldOrder {
  if (!performed?.order.unreconciled || performed.procedures.length === 0) throw changedMeanwhile();
}

/** An examination that came to nothing does not take the place of one that waits. */
function checkPerformed({ procedures }: HeldOrder): void {
  if (procedures.some(({ machine: { context } }) => !nothingPerformed(context) && !cameToNothing(context))) return;
  const sentence = 'it was given up, or begun under the wrong worklist entry: the order is still to be performed';
  throw new SwfError('state-forbids', sentence);
}

const waiting: ReadonlySet<string> = new Set(['planned', 'scheduled', 'held']);

/** The procedure of the order that was performed: the one that is named, else the only one that waits for that modality. */
function meantBy(order: HeldOrder, performed: HeldOrder, named: OrderNamed): HeldProcedure {
  const modalities = performed.procedures.flatMap(({ stored }) => stored.steps.map(({ modality }) => modality));
  const open = order.procedures.filter((one) => waiting.has(stateOf(one)) && !isReported(one));
  const { requestedProcedureId } = named;
  const meant =
    requestedProcedureId === undefined
      ? open.filter(({ stored }) => stored.steps.some(({ modality }) => modalities.includes(modality)))
      : open.filter(({ stored }) => stored.requestedProcedureId === requestedProcedureId);
  const [only, another] = meant;
  if (only && !another) return only;
  const sentence = another
    ? 'several procedures of the order wait for that modality: name one (requestedProcedureId)'
    : 'no procedure of the order waits to be performed with that modality; name one (requestedProcedureId)';
  throw new SwfError(another ? 'ambiguous-key' : 'state-forbids', sentence);
}

/** The machine of what was performed learns what the order's knew of patient and order. */
function tellOfOrder(procedure: HeldProcedure, { from, patient, cause }: Origin): void {
  const known = from.machine.context.confirmations;
  const { registration } = patient;
  const confirmed = procedure.machine.context.confirmations;
  if (registration && !confirmed[1]) {
    const confirmation = acknowledgedBy(registration.sendingApplication, { ...registration, code: 'AA' });
    send(procedure, { type: 'patientRegistered', confirmation }, cause);
  }
  const [ordered] = known[2] ?? [];
  if (ordered && !confirmed[2]) send(procedure, { type: 'orderNumberAssigned', confirmation: ordered }, cause);
}

interface Origin {
  readonly from: HeldProcedure;
  readonly patient: StoredPatient;
  readonly cause: Cause;
}

/**
 * Binds an unscheduled MPPS to an order that is known: the procedure that waited in the order is taken back (RAD-13
 * CA/CA, where it was announced), and the one that was performed takes its place under the modality's Study Instance UID
 * (RAD-4). Gives the requested procedure IDs that the order has got.
 */
export async function bindToOrder(
  department: Department,
  sopInstanceUid: string,
  named: OrderNamed,
  actor: Actor,
): Promise<string[]> {
  const cause = causeOf(department, actor);
  return runUnit(department, async (unit) => {
    const placeholderId = await placeholderOf(unit.tx, sopInstanceUid);
    const orderId = await orderNamed(unit.tx, named);
    const orders = await holdOrders(
      unit,
      [...new Set([placeholderId, orderId])].sort((a, b) => a - b),
    );
    const performed = orders.find(({ order }) => order.id === placeholderId);
    const order = orders.find((held) => held.order.id === orderId);
    checkWaits(performed);
    checkPerformed(performed);
    if (!order || order.order.unreconciled)
      throw new SwfError('state-forbids', 'that is no order: it was performed unscheduled as well');
    const from = meantBy(order, performed, named);
    const { anotherPatient } = named;
    const whose = { named: performed.patient, meant: order.patient, cause, anotherPatient };
    const patient = await patientPerformed(unit, whose);
    const bound = boundBecause(whose);
    const moved = await replace(unit, { order, performed, from, cause, bound });
    for (const procedure of moved) {
      tellOfOrder(procedure, { from, patient, cause });
      send(procedure, scheduling(department), cause);
      await resendResult(unit, procedure);
    }
    await finish(unit, [{ ...order, patient }], cause.at);
    await tellOfRegistration(unit, patient, cause);
    return moved.map(({ stored }) => stored.requestedProcedureId);
  });
}

interface Replacing {
  readonly order: HeldOrder;
  readonly performed: HeldOrder;
  readonly from: HeldProcedure;
  readonly cause: Cause;
  /** Why it is the order's. */
  readonly bound: Cause;
}

/** The procedures that were performed, as those of the order. */
async function replace(unit: Unit, { order, performed, from, cause, bound }: Replacing): Promise<HeldProcedure[]> {
  const { serviceIndex } = from.stored;
  const why = 'performed under another study before it was ordered';
  send(from, { type: 'cancel' }, { ...cause, remark: [why, cause.remark].filter(Boolean).join('; ') });
  const moved = [...performed.procedures];
  for (const procedure of moved) {
    procedure.stored = await moveProcedure(unit.tx, procedure.stored, { orderId: order.order.id, serviceIndex });
    takeDown(procedure, 'bound', bound);
  }
  await takeOver(unit, moved, order.order.details);
  // Its numbers were never told to anybody.
  await changeOrder(unit.tx, performed.order.id, { endedBy: 'filler' });
  order.procedures.push(...moved);
  return moved;
}
