import type { RenderedMessage } from '../mapping/rendered.ts';
import type { Envelope, OrderSubject } from '../mapping/segments-to-hl7.ts';
import type { StoredOrder } from '../store/orders.ts';
import type { OutgoingMessage } from '../store/outbox.ts';
import type { StoredPatient } from '../store/patients.ts';
import type { StoredProcedure } from '../store/procedures.ts';
import { accountOfStay } from '../workflow/patient-changes.ts';
import { orderOfService } from '../workflow/planning.ts';
import type { Department, Hl7Peer } from './department.ts';

/** An order with its patient, as it stands when a message about it is made. */
export interface Subject {
  readonly order: StoredOrder;
  readonly patient: StoredPatient;
}

type ShownProcedure = Pick<StoredProcedure, 'serviceIndex'>;

/** MSH of a new message to a peer, with a control id of its own. */
export function envelopeFor(department: Department, peer: Hl7Peer, at: Date): Envelope {
  const { organisation } = department.config;
  return {
    version: peer.hl7.version,
    application: organisation.application,
    facility: organisation.facility,
    receivingApplication: peer.hl7.application,
    receivingFacility: peer.hl7.facility,
    controlId: department.ids.controlId(),
    at,
    timeZone: organisation.timeZone,
    characterSet: peer.hl7.characterSet,
  };
}

/** The order as a message shows it: of one procedure, with what its own OBR said. */
export function subjectOf({ order, patient }: Subject, envelope: Envelope, procedure?: ShownProcedure): OrderSubject {
  return {
    patient: patientInStay(patient, order.visit),
    visit: order.visit,
    order: orderOfService(order.details, procedure?.serviceIndex ?? 0),
    fillerOrderNumber: order.fillerOrderNumber,
    accessionNumber: order.accessionNumber,
    application: envelope.application,
  };
}

/** The patient as he was in the stay of an order: his account can be another one by now. */
function patientInStay(patient: StoredPatient, visit: StoredOrder['visit']): StoredPatient {
  if (!visit || visit.details.visitIdentifier) return patient;
  const accountNumber = accountOfStay(patient.demographics.accountNumber, visit);
  return { ...patient, demographics: { ...patient.demographics, ...(accountNumber ? { accountNumber } : {}) } };
}

/** What a message is about: its IHE transaction, the effect that made it, and whose delivery it is. */
export interface About {
  readonly transaction: string;
  readonly effect: string;
  readonly orderId?: number;
  readonly procedureId?: number;
  readonly patientId?: number;
}

/** A finished message as the outbox takes it. */
export function outgoing(peer: Hl7Peer, envelope: Envelope, rendered: RenderedMessage, about: About): OutgoingMessage {
  return {
    destination: peer.name,
    protocol: 'HL7',
    messageType: rendered.messageType,
    controlId: envelope.controlId,
    sendingApplication: envelope.application,
    sendingFacility: envelope.facility,
    raw: rendered.bytes,
    remark: rendered.remark,
    ...about,
  };
}
