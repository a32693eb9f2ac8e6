import type { LocalDateTime } from '../platform/clock.ts';
import type { UnitShown } from '../store/read-unit.ts';
import type { CodedValue, PatientStatement, Person, PersonName } from '../workflow/vocabulary.ts';
import type { MessageShown } from './preview.ts';

/** A person of the department who acts, and why. */
export interface Actor {
  /** Who, for the history: `department` while nobody signs in. */
  readonly name: string;
  /** `X-Reason`; kept in the history. */
  readonly reason: string | undefined;
}

/** An order that the department places itself (RAD-3 SN). */
export interface DepartmentOrder {
  readonly patient: PatientStatement;
  /** PV1-19 of a stay that is known. */
  readonly visitNumber?: string;
  readonly service: CodedValue;
  readonly modality?: string;
  readonly station?: string;
  /** Site-local; undefined: now. */
  readonly start?: LocalDateTime;
  /** HL7 table 0485 */
  readonly priority?: string;
  readonly orderingProvider?: Person;
  /** ORC-17; undefined: the department's own. */
  readonly enteringOrganisation?: CodedValue;
  readonly callBackPhone?: string;
  readonly reason?: CodedValue;
  readonly relevantClinicalInformation?: string;
  /** HL7 table 0124 */
  readonly transportationMode?: string;
  /** The study under which the examination was made already (PIR cases 3 and 5). */
  readonly studyInstanceUid?: string;
  /** It was made under the number of another patient, who is known: it is not his. */
  readonly anotherPatient?: true;
  /** Name of the order placer; undefined: the first of the site. */
  readonly placer?: string;
}

/** What is ordered in the place of an order that has not begun; what is left out is as it was. */
export type Reorder = Pick<
  DepartmentOrder,
  'service' | 'modality' | 'station' | 'start' | 'priority' | 'reason' | 'relevantClinicalInformation'
>;

export interface PlacedOrder {
  readonly orderId: number;
  readonly fillerOrderNumber: string;
  readonly accessionNumber: string;
  readonly requestedProcedureIds: readonly string[];
}

/** A patient as a person names him: PID-3.1, and PID-3.4 where the number alone does not tell. */
export interface IdentifierNamed {
  readonly value: string;
  readonly assigningAuthority?: string | undefined;
}

/** A patient whom the department registers itself, under a number of its list (PIR case 4). */
export interface TemporaryPatient {
  /** Of the list; undefined: the next free one. */
  readonly number?: string;
  readonly name?: PersonName;
  /** `YYYY-MM-DD` */
  readonly birthDate?: string;
  /** HL7 table 0001 */
  readonly sex?: string;
  /** Where he is examined. */
  readonly modality?: string;
}

/** An order as a person names it: by one of its numbers. */
export interface OrderNamed {
  readonly placerOrderNumber?: string | undefined;
  /** ORC-2.2, else MSH-3; needed where several issuers gave the number. */
  readonly placerOrderIssuer?: string | undefined;
  readonly fillerOrderNumber?: string | undefined;
  readonly accessionNumber?: string | undefined;
  /** One procedure of it, where several wait. */
  readonly requestedProcedureId?: string | undefined;
  /** The number at the modality was that of another patient, who is known: the examination is not his. */
  readonly anotherPatient?: true | undefined;
}

/** Where and when a step is to be: what is left out stays. */
export interface StepPlacement {
  /** Scheduled procedure step ID; undefined: every step, moved together. */
  readonly step?: string;
  /** Site-local. */
  readonly start?: LocalDateTime;
  /** Scheduled station AE title. */
  readonly station?: string;
  /** (0040,0011): the room. */
  readonly location?: string;
}

/** What a message would do, had it come by MLLP; nothing of it is stored. */
export interface DryRun extends UnitShown {
  /** The acknowledgement as text, segments on lines. */
  readonly answer: string;
  /** MSA-1 */
  readonly answerCode: string;
  /** The IHE transaction that MSH-9 picked; undefined: none. */
  readonly transaction: string | undefined;
  /** Sentences: which rules fired, what is missing or odd. */
  readonly rules: readonly string[];
  readonly messages: readonly MessageShown[];
}
