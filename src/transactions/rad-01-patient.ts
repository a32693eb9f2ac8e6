import { patientFromHl7, visitFromHl7 } from '../mapping/patient-from-hl7.ts';
import { expected, textOf } from '../mapping/reader.ts';
import { differenceRemark, differencesOf, registered } from '../workflow/patient-changes.ts';
import { type VisitStatus, acknowledgedBy } from '../workflow/vocabulary.ts';
import { remark } from '../store/messages.ts';
import { findOrCreatePatient, savePatient, saveVisit } from '../store/patients.ts';
import { markDifferences, ordersOfPatient } from '../store/orders.ts';
import type { InboundHl7, InboundHl7Transaction } from './inbound-hl7.ts';
import { type Cause, type Unit, finish, holdOrders, send } from './unit-of-work.ts';

/** What each event makes of the visit (RAD TF-2 4.1). */
const visitStatusOf: Readonly<Record<string, VisitStatus>> = { A01: 'OPEN', A04: 'OPEN', A05: 'PREADMIT' };

/** RAD-1 Patient Registration (RAD TF-2 4.1): the ADT names a patient and a visit. */
export const patientRegistration: InboundHl7Transaction = {
  id: 'RAD-1',
  name: 'Patient Registration',
  accepts: ['ADT^A01', 'ADT^A04', 'ADT^A05'],
  handle: async (unit, inbound) => {
    const { reading, messageId, at } = inbound;
    const evn = reading.message.first('EVN');
    expected(reading, evn !== undefined && textOf(evn, 2) !== undefined, 'EVN^1^2', 'the recorded time (EVN-2)');
    const said = patientFromHl7(reading);
    const visit = visitFromHl7(reading);
    const unknown = () => ({ patient: registered(undefined, said), at });
    const { patient, created, foreign } = await findOrCreatePatient(unit.tx, said.identifiers, unknown);
    if (foreign > 0) reading.remarks.push(`${foreign} identifiers in PID-3 belong to another patient and stay there`);
    const changed = created ? [] : differencesOf(patient, said);
    // A number that was given again shows here first: another person under the same identifier.
    if (changed.length > 0) reading.remarks.push(`the registration changes the known patient's ${changed.join(', ')}`);
    await savePatient(unit.tx, patient.id, registered(patient, said), { messageId, at });
    if (visit) {
      const visitStatus = visitStatusOf[reading.message.header.triggerEvent];
      await saveVisit(unit.tx, patient.id, visit, { at, visitStatus, source: 'adt' });
    }
    await remark(unit.tx, messageId, reading.remarks);
    if (!patient.registration) await tellProcedures(unit, inbound, { patientId: patient.id, changed });
  },
};

/** Orders that came before their patient was registered: their procedures learn that step 1 has happened. */
async function tellProcedures(
  unit: Unit,
  inbound: InboundHl7,
  { patientId, changed }: { readonly patientId: number; readonly changed: readonly string[] },
): Promise<void> {
  const orders = await holdOrders(unit, await ordersOfPatient(unit.tx, patientId));
  // What an order said of the patient and the registration does not is for a person to look at, whichever came first.
  if (changed.length > 0)
    await markDifferences(
      unit.tx,
      orders.map(({ order }) => order.id),
      changed,
    );
  const remark = changed.length > 0 ? differenceRemark(changed) : undefined;
  const { messageId, at, sendingApplication } = inbound;
  const cause: Cause = { messageId, causedBy: sendingApplication, at, remark };
  const confirmation = acknowledgedBy(sendingApplication, { messageId, code: 'AA', at });
  for (const { procedures } of orders) {
    for (const procedure of procedures) send(procedure, { type: 'patientRegistered', confirmation }, cause);
  }
  await finish(unit, orders, at);
}
