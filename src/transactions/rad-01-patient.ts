import { patientFromHl7, visitFromHl7 } from '../mapping/patient-from-hl7.ts';
import { registered } from '../workflow/patient-changes.ts';
import type { Confirmation, VisitStatus } from '../workflow/vocabulary.ts';
import { remark } from '../store/messages.ts';
import { addIdentifiers, findOrCreatePatient, savePatient, saveVisit } from '../store/patients.ts';
import { ordersAwaitingRegistration } from '../store/orders.ts';
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
    const said = patientFromHl7(reading);
    const visit = visitFromHl7(reading);
    const [identifier] = said.identifiers;
    if (!identifier) return;
    const { patient } = await findOrCreatePatient(unit.tx, identifier, () => ({
      patient: registered(undefined, said),
      at,
    }));
    const foreign = await addIdentifiers(unit.tx, patient.id, said.identifiers);
    if (foreign > 0)
      reading.remarks.push(`${foreign} further identifiers in PID-3 belong to another patient and stay there`);
    await savePatient(unit.tx, patient.id, registered(patient, said), { messageId, at });
    if (visit) {
      const visitStatus = visitStatusOf[reading.message.header.triggerEvent];
      await saveVisit(unit.tx, patient.id, visit, { at, visitStatus });
    }
    await remark(unit.tx, messageId, reading.remarks);
    if (!patient.registration) await tellProcedures(unit, patient.id, inbound);
  },
};

/** Orders that came before their patient was registered: their procedures learn that step 1 has happened. */
async function tellProcedures(unit: Unit, patientId: number, inbound: InboundHl7): Promise<void> {
  const orders = await holdOrders(unit, await ordersAwaitingRegistration(unit.tx, patientId));
  const { messageId, at, sendingApplication } = inbound;
  const cause: Cause = { messageId, causedBy: sendingApplication, at };
  const confirmation: Confirmation = {
    kind: 'ack',
    peer: sendingApplication,
    messageId,
    code: 'AA',
    at: at.toISOString(),
  };
  for (const { procedures } of orders) {
    for (const procedure of procedures) send(procedure, { type: 'patientRegistered', confirmation }, cause);
  }
  await finish(unit, orders, at);
}
