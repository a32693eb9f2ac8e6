import type {
  CodedValue,
  EntityIdentifier,
  PatientIdentifier,
  PatientStatement,
  Person,
  PlacerOrder,
  RequestedStart,
  VisitStatement,
} from './vocabulary.ts';

/** What messages from outside say, in the words of the department: HL7 is left behind, nothing is decided yet. */

/** One ORC group of a message: what is asked for which order (RAD TF-2 4.2). */
export interface OrderRequest {
  /** ORC-1, HL7 table 0119 */
  readonly orderControl: string;
  /** ORC-5, HL7 table 0038; undefined when it is empty */
  readonly orderStatus: string | undefined;
  /** ORC-2 */
  readonly placerOrderNumber: EntityIdentifier;
  /** ORC-3, else OBR-3 */
  readonly fillerOrderNumber: EntityIdentifier | undefined;
  /** Undefined where the group has no OBR: a cancel, a hold or a status query needs none. */
  readonly order: PlacerOrder | undefined;
  /** What the group clears with `""`. */
  readonly cleared: readonly (keyof PlacerOrder)[];
  /** The number of the ORC in the message, from 1: where an error is shown. */
  readonly sequence: number;
}

/** A reply of the placer to our SN: ORC of ORR^O02 or ORG^O20 (RAD TF-2 4.3). */
export interface OrderReply {
  /** NA: number assigned; UA: unable to accept. */
  readonly orderControl: string;
  readonly placerOrderNumber: EntityIdentifier | undefined;
  /** ORC-3, else OBR-3: ours. */
  readonly fillerOrderNumber: EntityIdentifier | undefined;
  readonly sequence: number;
}

/** One PID/MRG group of ADT^A40 or A47 (RAD TF-2 4.12, ITI TF-2 3.30). */
export interface PatientMerge {
  /** PID: who the patient is from now on. */
  readonly survivor: PatientStatement;
  /** PV1 of the group */
  readonly visit: VisitStatement | undefined;
  /** MRG-1, every repetition. */
  readonly subsumed: readonly PatientIdentifier[];
  /** The number of the group in the message, from 1. */
  readonly sequence: number;
}

/** One service of an appointment: AIS. */
export interface AppointmentService {
  /** AIS-3 */
  readonly service: CodedValue;
  /** AIS-4, else SCH-11.4 */
  readonly start?: RequestedStart;
  /** AIS-7 in minutes, else SCH-9, else SCH-11.3 */
  readonly minutes?: number;
}

/** What SIU says of an appointment (HL7 v2.5.1 chapter 10). */
export interface Appointment {
  /** SCH-1 */
  readonly placerAppointment: EntityIdentifier | undefined;
  /** SCH-2 */
  readonly fillerAppointment: EntityIdentifier | undefined;
  /** SCH-26 */
  readonly placerOrderNumber: EntityIdentifier | undefined;
  /** SCH-27 */
  readonly fillerOrderNumber: EntityIdentifier | undefined;
  readonly services: readonly AppointmentService[];
  /** SCH-11.6, AIG or AIL say nothing that we plan by; the station comes from the catalogue or the sender's rule. */
  readonly scheduledStationAeTitles?: readonly string[];
  /** PID; not every sender repeats it after S12. */
  readonly patient: PatientStatement | undefined;
  readonly visit: VisitStatement | undefined;
}

/** OBR-25 as far as a report manager's word changes a procedure (HL7 table 0123). */
export type ResultStatus = 'P' | 'F' | 'C' | 'X';

/** One OBR group of ORU^R01: what a report manager says of a procedure. */
export interface ResultReport {
  /** PID-3 of its patient; undefined without a PID. */
  readonly identifiers: readonly PatientIdentifier[] | undefined;
  /** ORC-3, else OBR-3 */
  readonly fillerOrderNumber: EntityIdentifier | undefined;
  /** ORC-2, else OBR-2 */
  readonly placerOrderNumber: EntityIdentifier | undefined;
  /** OBR-18 */
  readonly accessionNumber: string | undefined;
  /** OBR-19 */
  readonly requestedProcedureId: string | undefined;
  /** OBX with 110180 (DCM), or ZDS-1 */
  readonly studyInstanceUids: readonly string[];
  /** OBR-4 */
  readonly service: CodedValue | undefined;
  readonly resultStatus: ResultStatus;
  /** OBX-5 of every text observation, line by line. */
  readonly lines: readonly string[];
  /** OBR-22, else OBR-7, as it came */
  readonly reportedAt?: string;
  /** OBR-32.1 */
  readonly interpreter?: Person;
  /** The number of the OBR in the message, from 1. */
  readonly sequence: number;
}
