/**
 * The words of the department, as plain values. Shapes of names, codes and identifiers follow the HL7 data types
 * (XPN, XCN, CWE, EI, CX); which field they come from is said at each. Everything here can be stored as JSON.
 */

/** XPN / PN components, in HL7's names. */
export interface NameParts {
  readonly family?: string;
  readonly given?: string;
  readonly middle?: string;
  readonly suffix?: string;
  readonly prefix?: string;
  readonly degree?: string;
}

/** A name; its parts are the alphabetic representation, beside which others may stand (XPN-8, PS3.5 6.2.1.2). */
export interface PersonName extends NameParts {
  readonly ideographic?: NameParts;
  readonly phonetic?: NameParts;
}

/** An assigning authority (HD): namespace, or universal id and its type. */
export interface AssigningAuthority {
  readonly namespace?: string;
  readonly universalId?: string;
  readonly universalIdType?: string;
}

/** A person who acts: XCN of 2.5.1, XCN and CN of 2.3.1. */
export interface Person extends PersonName {
  readonly id?: string;
  readonly assigningAuthority?: AssigningAuthority;
}

/** CE / CWE. */
export interface CodedValue {
  readonly code?: string;
  readonly meaning?: string;
  readonly scheme?: string;
  readonly alternateCode?: string;
  readonly alternateMeaning?: string;
  readonly alternateScheme?: string;
}

/** A code that is complete enough for a DICOM code sequence item. */
export interface Code {
  readonly code: string;
  readonly scheme: string;
  readonly meaning: string;
}

/** EI: an order number and who gave it. */
export interface EntityIdentifier {
  readonly id: string;
  readonly namespace?: string;
  readonly universalId?: string;
  readonly universalIdType?: string;
}

/** PL. */
export interface Location {
  readonly pointOfCare?: string;
  readonly room?: string;
  readonly bed?: string;
  readonly facility?: string;
}

/** One repetition of PID-3, its assigning authority always known. */
export interface PatientIdentifier {
  readonly value: string;
  readonly assigningAuthority: string;
  readonly universalId?: string;
  readonly universalIdType?: string;
  readonly identifierType?: string;
}

/** The rest of PID that travels into messages and worklists. */
export interface Demographics {
  /** PID-6 */
  readonly motherName?: PersonName;
  /** PID-10 */
  readonly race?: string;
  /** PID-11, component by component. */
  readonly address?: readonly string[];
  /** PID-15 */
  readonly primaryLanguage?: CodedValue;
  /** PID-18 */
  readonly accountNumber?: { readonly id: string; readonly assigningAuthority?: AssigningAuthority };
  /** AL1-3 */
  readonly allergies?: readonly string[];
  /** NTE-3 behind PID */
  readonly comments?: readonly string[];
}

export interface Patient {
  readonly identifiers: readonly PatientIdentifier[];
  readonly name: PersonName;
  /** PID-7 as `YYYY-MM-DD` */
  readonly birthDate?: string | undefined;
  /** PID-8, HL7 table 0001 */
  readonly sex?: string | undefined;
  readonly demographics: Demographics;
}

/**
 * What a message says of a patient: `undefined` leaves the stored value, `null` (HL7 `""`) clears it
 * (ITI TF-2 Appendix C).
 */
export interface PatientStatement {
  readonly identifiers: readonly PatientIdentifier[];
  readonly name: PersonName;
  readonly birthDate: string | null | undefined;
  readonly sex: string | null | undefined;
  readonly demographics: { readonly [K in keyof Demographics]: Demographics[K] | null | undefined };
}

export type VisitStatus = 'PREADMIT' | 'OPEN' | 'CLOSED' | 'CANCELLED';

/** The fields of PV1 that messages and worklists carry. */
export interface VisitDetails {
  /** PV1-3 */
  readonly location?: Location;
  /** PV1-7 */
  readonly attendingDoctor?: Person;
  /** PV1-8 */
  readonly referringDoctor?: Person;
  /** PV1-10 */
  readonly hospitalService?: string;
  /** PV1-15 */
  readonly ambulatoryStatus?: string;
  /** PV1-16 */
  readonly vipIndicator?: string;
  /** PV1-17 */
  readonly admittingDoctor?: Person;
  /** PV1-19 as it came */
  readonly visitIdentifier?: { readonly id: string; readonly assigningAuthority?: AssigningAuthority };
  /** PV1-44 as it came */
  readonly admitTime?: string;
  /** PV1-45 as it came */
  readonly dischargeTime?: string;
  /** PV1-51 */
  readonly visitIndicator?: string;
}

/** What a message says of a visit: `undefined` leaves the stored value, `null` clears it. */
export interface VisitStatement {
  /** PV1-19.1, else PID-18.1; undefined when the sender has none. */
  readonly visitNumber: string | undefined;
  readonly assigningAuthority: string;
  readonly patientClass: string | null | undefined;
  readonly details: { readonly [K in keyof VisitDetails]: VisitDetails[K] | null | undefined };
}

export interface Visit {
  readonly visitNumber: string | undefined;
  readonly assigningAuthority: string;
  readonly patientClass: string | undefined;
  readonly details: VisitDetails;
  readonly visitStatus: VisitStatus;
}

/** A date with or without a time, on the site's wall clock. */
export interface RequestedStart {
  /** `YYYY-MM-DD` */
  readonly date: string;
  /** `HH:MM:SS`; a date alone means 00:00. */
  readonly time?: string;
}

/** A step that an order names itself: the IPC segments with one scheduled procedure step ID (IPC-4). */
export interface RequestedStep {
  /** IPC-5 */
  readonly modality?: string;
  /** IPC-6, complete codes only. */
  readonly protocols: readonly Code[];
  /** IPC-7.1 */
  readonly stationName?: string;
  /** IPC-8.2, else IPC-8.1 */
  readonly location?: string;
  /** IPC-9 */
  readonly scheduledStationAeTitles: readonly string[];
  /** How long it takes; undefined: as long as a step that nobody planned. */
  readonly minutes?: number;
}

/** What one OBR orders. */
export interface OrderedService {
  /** OBR-4 */
  readonly service: CodedValue;
  /** OBR-24 */
  readonly modality?: string;
  /** OBR-44 */
  readonly procedureCode?: CodedValue;
  /** OBR-12 */
  readonly dangerCode?: CodedValue;
  /** OBR-13 */
  readonly relevantClinicalInformation?: string;
  /** OBR-15, component by component; laterality is the fifth. */
  readonly specimenSource?: readonly string[];
  /** OBR-30 */
  readonly transportationMode?: string;
  /** OBR-31 */
  readonly reason?: CodedValue;
  /** OBR-34.1, the first repetition */
  readonly scheduledPerformer?: Person;
  /** OBR-41 */
  readonly transportArranged?: string;
  /** OBR-46 */
  readonly placerSupplementalServiceInformation?: CodedValue;
  /** By the site's rule for this sender. */
  readonly scheduledStationAeTitles?: readonly string[];
  /** IPC, one entry for each step; only where the sender plans the steps itself. */
  readonly steps?: readonly RequestedStep[];
}

/** The order of one ORC group in our words: what its ORC, TQ1, NTE, OBX and first OBR say. */
export interface PlacerOrder extends OrderedService {
  /** ORC-2; none while an order of the department waits for its number. */
  readonly placerOrderNumber?: EntityIdentifier;
  /** ORC-4 */
  readonly placerGroupNumber?: EntityIdentifier;
  /** ORC-8.1, the parent's placer order number. */
  readonly parent?: EntityIdentifier;
  /** What the second and every further OBR under the same ORC orders. */
  readonly furtherServices?: readonly OrderedService[];
  /** ORC-7.1 and 7.2 */
  readonly quantity?: string;
  readonly interval?: string;
  /** TQ1-9.1, ORC-7.6, OBR-27.6, OBR-5: HL7 table 0485 */
  readonly priority?: string;
  /** TQ1-7, ORC-7.4, OBR-27.4, OBR-36, in that precedence */
  readonly requestedStart?: RequestedStart;
  /** ORC-9 as it came */
  readonly transactionTime?: string;
  /** ORC-10 */
  readonly enteredBy?: Person;
  /** ORC-12, else OBR-16 */
  readonly orderingProvider?: Person;
  /** ORC-13.9 */
  readonly enterersDepartment?: string;
  /** ORC-14 */
  readonly callBackPhone?: string;
  /** ORC-15 as it came */
  readonly effectiveTime?: string;
  /** ORC-17 */
  readonly enteringOrganisation?: CodedValue;
  /** ORC-22, component by component. */
  readonly orderingFacilityAddress?: readonly string[];
  /** ORC-28 */
  readonly confidentialityCode?: CodedValue;
  /** NTE-3 */
  readonly comments?: readonly string[];
  /** OBX "Body Weight" in kg and "Body Height" in m */
  readonly bodyWeight?: string;
  readonly bodyHeight?: string;
  /** OBR-18 or IPC-1, used only where the site accepts it. */
  readonly requestedAccessionNumber?: string;
  /** IPC-1.2 to IPC-1.4: who gave it. */
  readonly requestedAccessionNumberIssuer?: AssigningAuthority;
}

/** What a plan says of a step for the modality alone; each is a text for the worklist. */
export interface StepRemarks {
  /** (0040,0010), at most 16 characters */
  readonly stationName?: string;
  /** (0040,0011), at most 16 characters */
  readonly location?: string;
  /** (0032,1070) */
  readonly contrastAgent?: string;
  /** (0040,0012) */
  readonly preMedication?: string;
}

/** What a step carries beside its number, place and time. */
export interface StepDetails extends StepRemarks {
  readonly description: string;
  readonly protocols: readonly Code[];
}

export interface PlannedStep extends StepDetails {
  readonly scheduledProcedureStepId: string;
  readonly modality: string;
  readonly scheduledStationAeTitles: readonly string[];
  /** `YYYY-MM-DD`, `HH:MM:SS`, site-local. */
  readonly start: { readonly date: string; readonly time: string };
  readonly minutes: number;
}

export interface PlannedProcedure {
  readonly requestedProcedureId: string;
  readonly studyInstanceUid: string;
  readonly code: CodedValue;
  /** Which OBR of the order it is of: 0 for the first, then as in `furtherServices`. */
  readonly serviceIndex: number;
  readonly steps: readonly PlannedStep[];
}

/** (0040,0020), and the three internal ends that no worklist shows. */
export type StepStatus =
  'SCHEDULED' | 'ARRIVED' | 'READY' | 'STARTED' | 'DEPARTED' | 'COMPLETED' | 'CANCELLED' | 'DISCONTINUED';

/** (0040,0252) */
export type PerformedProcedureStepStatus = 'IN PROGRESS' | 'COMPLETED' | 'DISCONTINUED';

/** What confirmed one of the eight transactions. */
export interface Confirmation {
  readonly kind: 'ack' | 'response' | 'notification' | 'query';
  /** A peer's name, a sending application or an AE title. */
  readonly peer: string;
  readonly messageId: number;
  /** MSA-1 or a DIMSE status in four hexadecimal digits. */
  readonly code: string;
  /** ISO 8601 instant. */
  readonly at: string;
}

/** An acknowledgement as a confirmation: ours to a sender, or a peer's to us. */
export function acknowledgedBy(
  peer: string,
  ack: { readonly messageId: number; readonly code: string; readonly at: Date },
): Confirmation {
  return { kind: 'ack', peer, messageId: ack.messageId, code: ack.code, at: ack.at.toISOString() };
}
