import type { FormattedAttribute } from './dicom-checks.ts';

/** Type of an attribute: 1 with a value, 1C so where its condition holds, 2 present though it may be empty, 3 optional. */
type AttributeType = '1' | '1C' | '2' | '3';

/** Types for the modality and for us, as PS3.4 5.4 writes them; `NA` may not be sent. */
export type Usage = `${AttributeType}/${AttributeType}` | 'NA';

/** One attribute of an MPPS; `in` names the sequence whose every item it belongs to. */
export interface MppsAttribute {
  readonly keyword: string;
  readonly in?: readonly string[];
  readonly create: Usage;
  readonly set: Usage;
  /** Type that it has once the status is COMPLETED or DISCONTINUED. */
  readonly final?: AttributeType;
  /** When it ends it has to be there, but what it would name may not have been made. */
  readonly finalMayBeEmpty?: true;
  readonly format?: FormattedAttribute['format'];
}

/** What of an MPPS a modality may do: create it, change it, end it. */
export type MppsPhase = 'create' | 'set' | 'final';

const scheduled = ['ScheduledStepAttributesSequence'];
const study = [...scheduled, 'ReferencedStudySequence'];
const series = ['PerformedSeriesSequence'];

const references = ['ReferencedImageSequence', 'ReferencedNonImageCompositeSOPInstanceSequence'];

/** PS3.4 tables F.7.2-1 and F.7.2-2. Attributes that are not listed are of type 3: they are taken and kept. */
export const mppsAttributes: readonly MppsAttribute[] = [
  { keyword: 'SpecificCharacterSet', create: '1C/1C', set: '1C/1C' },
  { keyword: 'ScheduledStepAttributesSequence', create: '1/1', set: 'NA' },
  { keyword: 'StudyInstanceUID', in: scheduled, create: '1/1', set: 'NA', format: 'uid' },
  { keyword: 'ReferencedStudySequence', in: scheduled, create: '2/2', set: 'NA' },
  { keyword: 'ReferencedSOPClassUID', in: study, create: '1/1', set: 'NA', format: 'uid' },
  { keyword: 'ReferencedSOPInstanceUID', in: study, create: '1/1', set: 'NA', format: 'uid' },
  { keyword: 'AccessionNumber', in: scheduled, create: '2/2', set: 'NA' },
  { keyword: 'IssuerOfAccessionNumberSequence', in: scheduled, create: '3/3', set: 'NA' },
  { keyword: 'PlacerOrderNumberImagingServiceRequest', in: scheduled, create: '3/3', set: 'NA' },
  { keyword: 'OrderPlacerIdentifierSequence', in: scheduled, create: '3/3', set: 'NA' },
  { keyword: 'FillerOrderNumberImagingServiceRequest', in: scheduled, create: '3/3', set: 'NA' },
  { keyword: 'OrderFillerIdentifierSequence', in: scheduled, create: '3/3', set: 'NA' },
  { keyword: 'RequestedProcedureID', in: scheduled, create: '2/2', set: 'NA' },
  { keyword: 'RequestedProcedureCodeSequence', in: scheduled, create: '3/3', set: 'NA', format: 'code' },
  { keyword: 'RequestedProcedureDescription', in: scheduled, create: '2/2', set: 'NA' },
  { keyword: 'ScheduledProcedureStepID', in: scheduled, create: '2/2', set: 'NA' },
  { keyword: 'ScheduledProcedureStepDescription', in: scheduled, create: '2/2', set: 'NA' },
  { keyword: 'ScheduledProtocolCodeSequence', in: scheduled, create: '2/2', set: 'NA', format: 'code' },
  { keyword: 'PatientName', create: '2/2', set: 'NA' },
  { keyword: 'PatientID', create: '2/2', set: 'NA' },
  { keyword: 'IssuerOfPatientID', create: '3/3', set: 'NA' },
  { keyword: 'IssuerOfPatientIDQualifiersSequence', create: '3/3', set: 'NA' },
  { keyword: 'OtherPatientIDsSequence', create: '3/3', set: 'NA' },
  { keyword: 'PatientBirthDate', create: '2/2', set: 'NA' },
  { keyword: 'PatientSex', create: '2/2', set: 'NA' },
  { keyword: 'ReferencedPatientSequence', create: '2/2', set: 'NA' },
  { keyword: 'AdmissionID', create: '3/3', set: 'NA' },
  { keyword: 'IssuerOfAdmissionIDSequence', create: '3/3', set: 'NA' },
  { keyword: 'PerformedProcedureStepID', create: '1/1', set: 'NA' },
  { keyword: 'PerformedStationAETitle', create: '1/1', set: 'NA' },
  { keyword: 'PerformedStationName', create: '2/2', set: 'NA' },
  { keyword: 'PerformedLocation', create: '2/2', set: 'NA' },
  { keyword: 'PerformedProcedureStepStartDate', create: '1/1', set: 'NA', format: 'date' },
  { keyword: 'PerformedProcedureStepStartTime', create: '1/1', set: 'NA', format: 'time' },
  { keyword: 'PerformedProcedureStepStatus', create: '1/1', set: '3/1', final: '1' },
  { keyword: 'PerformedProcedureStepDescription', create: '2/2', set: '3/2' },
  { keyword: 'PerformedProcedureTypeDescription', create: '2/2', set: '3/2' },
  { keyword: 'ProcedureCodeSequence', create: '2/2', set: '3/2', format: 'code' },
  { keyword: 'ReasonForPerformedProcedureCodeSequence', create: '3/3', set: '3/3', format: 'code' },
  { keyword: 'PerformedProcedureStepEndDate', create: '2/2', set: '3/1', final: '1', format: 'date' },
  { keyword: 'PerformedProcedureStepEndTime', create: '2/2', set: '3/1', final: '1', format: 'time' },
  { keyword: 'CommentsOnThePerformedProcedureStep', create: '3/3', set: '3/3' },
  {
    keyword: 'PerformedProcedureStepDiscontinuationReasonCodeSequence',
    create: '3/3',
    set: '3/3',
    final: '3',
    format: 'code',
  },
  { keyword: 'Modality', create: '1/1', set: 'NA' },
  { keyword: 'StudyID', create: '2/2', set: 'NA' },
  { keyword: 'PerformedProtocolCodeSequence', create: '2/2', set: '3/2', format: 'code' },
  { keyword: 'PerformedSeriesSequence', create: '2/2', set: '3/1', final: '1', finalMayBeEmpty: true },
  { keyword: 'PerformingPhysicianName', in: series, create: '2/2', set: '2/2', final: '2' },
  { keyword: 'ProtocolName', in: series, create: '1/1', set: '1/1', final: '1' },
  { keyword: 'OperatorsName', in: series, create: '2/2', set: '2/2', final: '2' },
  { keyword: 'SeriesInstanceUID', in: series, create: '1/1', set: '1/1', final: '1', format: 'uid' },
  { keyword: 'SeriesDescription', in: series, create: '2/2', set: '2/2', final: '2' },
  { keyword: 'RetrieveAETitle', in: series, create: '2/2', set: '2/2', final: '2' },
  ...references.flatMap((sequence): MppsAttribute[] => {
    const types = { create: '1/1', set: '1/1', final: '1' } as const;
    const within = [...series, sequence];
    return [
      { keyword: sequence, in: series, create: '2/2', set: '2/2', final: '2' },
      { keyword: 'ReferencedSOPClassUID', in: within, ...types, format: 'uid' },
      { keyword: 'ReferencedSOPInstanceUID', in: within, ...types, format: 'uid' },
    ];
  }),
  { keyword: 'BillingProcedureStepSequence', create: '3/3', set: '3/3' },
  { keyword: 'FilmConsumptionSequence', create: '3/3', set: '3/3' },
  { keyword: 'BillingSuppliesAndDevicesSequence', create: '3/3', set: '3/3' },
];

/** The type that the modality has to keep to in a phase; undefined where it may not send the attribute. */
function typeIn(attribute: MppsAttribute, phase: MppsPhase): string | undefined {
  return attribute[phase]?.split('/')[0];
}

/** The attributes that are of a type in a phase. */
export function attributesOfType(phase: MppsPhase, type: AttributeType): MppsAttribute[] {
  return mppsAttributes.filter((attribute) => typeIn(attribute, phase) === type);
}

/** The attributes whose values have a format. */
export const formattedAttributes: readonly FormattedAttribute[] = mppsAttributes.flatMap(({ format, ...attribute }) =>
  format === undefined ? [] : [{ ...attribute, format }],
);

const ofTheInstance = new Map(mppsAttributes.filter((one) => one.in === undefined).map((one) => [one.keyword, one]));

/** The row of an attribute that stands in no sequence; undefined for one that the table does not name. */
export function mppsAttribute(keyword: string): MppsAttribute | undefined {
  return ofTheInstance.get(keyword);
}
