import type {
  CodedValue,
  Demographics,
  PatientIdentifier,
  PersonName,
  PlacerOrder,
  StepDetails,
  StepStatus,
  VisitDetails,
  VisitStatus,
} from './vocabulary.ts';

/** Everything that one item of a modality worklist is made of: a step with its procedure, order, patient and visit. */
export interface WorklistSource {
  readonly scheduledProcedureStepId: string;
  readonly stepStatus: StepStatus;
  readonly modality: string;
  readonly scheduledStationAeTitles: readonly string[];
  /** `YYYY-MM-DD` and `HH:MM:SS` */
  readonly startDate: string;
  readonly startTime: string;
  readonly step: StepDetails;
  readonly requestedProcedureId: string;
  readonly studyInstanceUid: string;
  readonly code: CodedValue;
  readonly accessionNumber: string;
  readonly fillerOrderNumber: string;
  readonly order: PlacerOrder;
  /** Which OBR of the order the procedure is of. */
  readonly serviceIndex: number;
  readonly patientName: PersonName;
  readonly birthDate: string | null;
  readonly sex: string | null;
  readonly demographics: Demographics;
  readonly identifiers: readonly PatientIdentifier[];
  readonly patientClass: string | null;
  readonly visit: VisitDetails | null;
  readonly visitStatus?: VisitStatus | null;
  /** PV1-19.1, else PID-18.1, and who gave it. */
  readonly visitNumber?: string | null;
  readonly visitAuthority?: string | null;
  /** (0040,0244) and (0040,0245) of the first MPPS of the procedure, as the modality wrote them. */
  readonly begun?: { readonly date: string; readonly time: string } | null;
}
