import { canReorder } from '../workflow/staff-actions.ts';
import type { PlacerOrder } from '../workflow/vocabulary.ts';
import type { Actor, Reorder } from './actions.ts';
import { departmentOrderDetails, senderOf } from './department-orders.ts';
import { type Department, placerOf } from './department.ts';
import { endOrder, firstStart } from './order-changes.ts';
import { makeOrder } from './order-creation.ts';
import { type Acting, act, notOrdered, refuse } from './procedure-action.ts';
import type { HeldOrder, Unit } from './unit-of-work.ts';

/**
 * An order of another service in the place of one that has not begun (RAD TF-1 3.3.3; MESA 132): the order of the
 * procedure is cancelled whole (RAD-3 OC, RAD-13 CA/CA, RAD-48 S15), and one of the department takes its place for the
 * same patient and stay (RAD-3 SN; RAD-4 with a new study once it is numbered). Gives its accession number. Throws
 * 'unknown-key', and 'state-forbids' where something of the order has begun, or nothing is left of it.
 */
export async function reorderProcedure(
  department: Department,
  id: string,
  wanted: Reorder,
  actor: Actor,
): Promise<string> {
  let accessionNumber = '';
  await act(department, id, actor, async (unit, acting) => {
    const { held, cause } = acting;
    if (held.order.unreconciled) return refuse(acting, 'reorder', notOrdered);
    if (!canReorder(held.procedures.map(({ machine }) => machine))) return refuse(acting, 'reorder', begun);
    const made = await orderInstead(unit, acting, wanted);
    const { fillerOrderNumber } = made.order;
    const why = `${fillerOrderNumber} is ordered in its place (ORC-3)`;
    const remark = [why, cause.remark].filter(Boolean).join('; ');
    await endOrder(unit, held, { by: 'filler', cause: { ...cause, remark } });
    accessionNumber = made.order.accessionNumber;
    return { made };
  });
  return accessionNumber;
}

const begun =
  'something of its order has begun or ended: change the procedure (POST /api/procedures/{id}/change), or discontinue it and place another order';

/** What the order says of who wants it, why and how; not what was wanted, nor the numbers that its placer gave it. */
function keptOf(order: PlacerOrder) {
  const { orderingProvider, callBackPhone, enteringOrganisation, priority, reason, relevantClinicalInformation } =
    order;
  const { transportationMode, transportArranged, dangerCode, confidentialityCode, bodyWeight, bodyHeight } = order;
  const requested = { orderingProvider, callBackPhone, enteringOrganisation, priority, reason };
  const patient = { relevantClinicalInformation, dangerCode, confidentialityCode, bodyWeight, bodyHeight };
  const kept = { ...requested, ...patient, transportationMode, transportArranged };
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) as Partial<typeof kept>;
}

async function orderInstead(unit: Unit, { held, cause }: Acting, wanted: Reorder): Promise<HeldOrder> {
  const { department } = unit;
  const { order, patient } = held;
  const start = wanted.start ?? firstStart(held.procedures);
  const details = { ...keptOf(order.details), ...wanted, ...(start === undefined ? {} : { start }) };
  const placer = placerOf(department.config, order);
  const remark = [`in the place of ${order.fillerOrderNumber} (ORC-3)`, cause.remark].filter(Boolean).join('; ');
  const origin = { ...senderOf(unit, placer), messageId: undefined, remarks: [], confirmation: undefined };
  const made = await makeOrder(
    unit,
    { ...origin, cause: { ...cause, remark } },
    {
      order: departmentOrderDetails(department, details, cause.at),
      patient,
      visit: order.visit,
      differences: order.patientDifferences,
      location: '',
      departmental: true,
      numberPending: placer !== undefined,
    },
  );
  if (placer) made.announcements.push({ name: 'requestOrderNumber' });
  return made;
}
