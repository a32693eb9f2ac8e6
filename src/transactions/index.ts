import type { InboundHl7Transaction } from './inbound-hl7.ts';
import { appointments } from './appointments.ts';
import { patientRegistration, patientUpdate } from './rad-01-12-patient.ts';
import { placerOrder } from './rad-02-placer-order.ts';
import { orderReply } from './rad-03-order-reply.ts';
import { patientMerge } from './rad-12-merge.ts';
import { resultsReported } from './rad-28-result-received.ts';

/** The IHE transactions that come in by HL7; MSH-9 picks one. */
export const inboundHl7Transactions: readonly InboundHl7Transaction[] = [
  patientRegistration,
  patientUpdate,
  patientMerge,
  placerOrder,
  orderReply,
  appointments,
  resultsReported,
];

/** One IHE transaction of the department, for documents and pages. */
export interface TransactionInfo {
  readonly id: string;
  readonly name: string;
  readonly direction: 'in' | 'out' | 'in, out';
  readonly service: string;
  /** The files under src/transactions. */
  readonly file: string;
}

/** Every transaction that this version takes part in; SIU in is HL7's own, RAD-28 stands for reports by ORU^R01. */
export const transactionList: readonly TransactionInfo[] = [
  {
    id: 'RAD-1',
    name: 'Patient Registration',
    direction: 'in',
    service: 'ADT^A01, A04, A05, A10, A11, A28, A38',
    file: 'rad-01-12-patient.ts',
  },
  {
    id: 'RAD-2',
    name: 'Placer Order Management',
    direction: 'in',
    service: 'ORM^O01, OMG^O19, OMI^O23',
    file: 'rad-02-placer-order.ts',
  },
  {
    id: 'RAD-3',
    name: 'Filler Order Management',
    direction: 'in, out',
    service: 'ORM^O01, OMG^O19 (SN, OC, SC); ORR^O02, ORG^O20 (NA, UA)',
    file: 'rad-03-filler-order.ts, rad-03-order-reply.ts',
  },
  {
    id: 'RAD-4',
    name: 'Procedure Scheduled',
    direction: 'out',
    service: 'ORM^O01 + ZDS, OMI^O23 (NW/SC)',
    file: 'rad-04-13-procedure.ts',
  },
  { id: 'RAD-5', name: 'Query Modality Worklist', direction: 'in', service: 'C-FIND', file: 'rad-05-worklist.ts' },
  {
    id: 'RAD-6',
    name: 'Modality Procedure Step In Progress',
    direction: 'in, out',
    service: 'N-CREATE',
    file: 'rad-06-07-mpps.ts, rad-06-07-relay.ts',
  },
  {
    id: 'RAD-7',
    name: 'Modality Procedure Step Completed',
    direction: 'in, out',
    service: 'N-SET',
    file: 'rad-06-07-mpps.ts, rad-06-07-relay.ts',
  },
  {
    id: 'RAD-11',
    name: 'Images Availability Query',
    direction: 'out',
    service: 'C-FIND',
    file: 'rad-11-availability-query.ts',
  },
  {
    id: 'RAD-12',
    name: 'Patient Update',
    direction: 'in, out',
    service: 'ADT^A02, A03, A06, A07, A08, A12, A13, A31, A40, A47',
    file: 'rad-01-12-patient.ts, rad-12-merge.ts, patient-updates.ts',
  },
  {
    id: 'RAD-13',
    name: 'Procedure Update',
    direction: 'out',
    service: 'ORM^O01 + ZDS, OMI^O23 (CA/CA, DC/CA, XO/SC, XO/CM)',
    file: 'rad-04-13-procedure.ts',
  },
  {
    id: 'RAD-28',
    name: 'Structured Report Export',
    direction: 'in, out',
    service: 'ORU^R01',
    file: 'rad-28-result-received.ts, rad-28-result.ts',
  },
  {
    id: 'RAD-48',
    name: 'Appointment Notification',
    direction: 'out',
    service: 'SIU^S12, S13, S15',
    file: 'rad-48-appointment.ts',
  },
  {
    id: 'RAD-49',
    name: 'Instance Availability Notification',
    direction: 'in',
    service: 'N-CREATE',
    file: 'rad-11-49-availability.ts',
  },
  {
    id: 'SIU',
    name: 'Scheduling Information',
    direction: 'in',
    service: 'SIU^S12, S13, S14, S15, S26',
    file: 'appointments.ts',
  },
];
