import { type Dataset, items, tagOf, text } from '../dicom/dataset.ts';
import type { MppsRefusal, ScheduledStepReference } from '../workflow/mpps-rules.ts';
import type { PerformedProcedureStepStatus } from '../workflow/vocabulary.ts';
import { type FormattedAttribute, type RequiredAttribute, invalidValues, missingAttributes } from './dicom-checks.ts';

/** PS3.4 F.7.2-1: what an N-CREATE must carry with a value. */
const requiredAtCreate: readonly RequiredAttribute[] = [
  { keyword: 'ScheduledStepAttributesSequence' },
  { keyword: 'StudyInstanceUID', in: ['ScheduledStepAttributesSequence'] },
  { keyword: 'ReferencedSOPClassUID', in: ['ScheduledStepAttributesSequence', 'ReferencedStudySequence'] },
  { keyword: 'ReferencedSOPInstanceUID', in: ['ScheduledStepAttributesSequence', 'ReferencedStudySequence'] },
  { keyword: 'PerformedProcedureStepID' },
  { keyword: 'PerformedStationAETitle' },
  { keyword: 'PerformedProcedureStepStartDate' },
  { keyword: 'PerformedProcedureStepStartTime' },
  { keyword: 'PerformedProcedureStepStatus' },
  { keyword: 'Modality' },
];

/** What each item of a Performed Series Sequence must carry, whenever there are items. */
const requiredOfSeries: readonly RequiredAttribute[] = [
  { keyword: 'ProtocolName', in: ['PerformedSeriesSequence'] },
  { keyword: 'SeriesInstanceUID', in: ['PerformedSeriesSequence'] },
  ...['ReferencedImageSequence', 'ReferencedNonImageCompositeSOPInstanceSequence'].flatMap((sequence) => [
    { keyword: 'ReferencedSOPClassUID', in: ['PerformedSeriesSequence', sequence] },
    { keyword: 'ReferencedSOPInstanceUID', in: ['PerformedSeriesSequence', sequence] },
  ]),
];

/** Sequences whose items refer to an instance. */
const references = [
  ['ScheduledStepAttributesSequence', 'ReferencedStudySequence'],
  ['PerformedSeriesSequence', 'ReferencedImageSequence'],
  ['PerformedSeriesSequence', 'ReferencedNonImageCompositeSOPInstanceSequence'],
];

const formatted: readonly FormattedAttribute[] = [
  { keyword: 'StudyInstanceUID', in: ['ScheduledStepAttributesSequence'], format: 'uid' },
  { keyword: 'PerformedProcedureStepStartDate', format: 'date' },
  { keyword: 'PerformedProcedureStepStartTime', format: 'time' },
  { keyword: 'PerformedProcedureStepEndDate', format: 'date' },
  { keyword: 'PerformedProcedureStepEndTime', format: 'time' },
  { keyword: 'SeriesInstanceUID', in: ['PerformedSeriesSequence'], format: 'uid' },
  ...references.flatMap((path): FormattedAttribute[] => [
    { keyword: 'ReferencedSOPClassUID', in: path, format: 'uid' },
    { keyword: 'ReferencedSOPInstanceUID', in: path, format: 'uid' },
  ]),
];

/** PS3.4 F.7.2-1: not allowed in N-SET; what identifies patient, request and start cannot change. */
const notInSet: ReadonlySet<string> = new Set([
  'ScheduledStepAttributesSequence',
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'IssuerOfPatientIDQualifiersSequence',
  'OtherPatientIDsSequence',
  'PatientBirthDate',
  'PatientSex',
  'ReferencedPatientSequence',
  'AdmissionID',
  'IssuerOfAdmissionIDSequence',
  'PerformedProcedureStepID',
  'PerformedStationAETitle',
  'PerformedStationName',
  'PerformedLocation',
  'PerformedProcedureStepStartDate',
  'PerformedProcedureStepStartTime',
  'Modality',
  'StudyID',
]);

/** An MPPS as the department reads it. */
export interface Mpps {
  readonly performedProcedureStepId: string;
  readonly performedStationAeTitle: string;
  readonly modality: string;
  readonly references: readonly ScheduledStepReference[];
}

/** Why an N-CREATE is refused, checked in the order of PS3.4 F.7.2.1; undefined when it is not. */
export function createRefusal(dataset: Dataset): MppsRefusal | undefined {
  const missing = missingAttributes(dataset, [...requiredAtCreate, ...requiredOfSeries]);
  if (missing) return missing;
  if (text(dataset, 'PerformedProcedureStepStatus') !== 'IN PROGRESS') {
    return statusRefusal('a new performed procedure step has the status IN PROGRESS');
  }
  return invalidValues(dataset, formatted);
}

function statusRefusal(comment: string): MppsRefusal {
  return { status: 0x0106, comment, attributeIdentifierList: [tagOf('PerformedProcedureStepStatus')] };
}

function referenceOf(item: Dataset): ScheduledStepReference {
  return {
    studyInstanceUid: text(item, 'StudyInstanceUID') ?? '',
    scheduledProcedureStepId: text(item, 'ScheduledProcedureStepID'),
    requestedProcedureId: text(item, 'RequestedProcedureID'),
    accessionNumber: text(item, 'AccessionNumber'),
    referencedStudyUids: items(item, 'ReferencedStudySequence').flatMap(
      (study) => text(study, 'ReferencedSOPInstanceUID') ?? [],
    ),
  };
}

/** RAD-6: a checked N-CREATE data set. */
export function mppsFromDicom(dataset: Dataset): Mpps {
  return {
    performedProcedureStepId: text(dataset, 'PerformedProcedureStepID') ?? '',
    performedStationAeTitle: text(dataset, 'PerformedStationAETitle') ?? '',
    modality: text(dataset, 'Modality') ?? '',
    references: items(dataset, 'ScheduledStepAttributesSequence').map(referenceOf),
  };
}

const statuses: ReadonlySet<string> = new Set(['IN PROGRESS', 'COMPLETED', 'DISCONTINUED']);

/** An N-SET applied to the stored instance: the result, and what was odd about it. */
export interface MppsUpdate {
  readonly status: PerformedProcedureStepStatus;
  readonly dataset: Dataset;
  /** Attributes that were left out (not allowed) or were never created: the answer is the warning 0107. */
  readonly toleratedAttributes: readonly string[];
}

/** RAD-7: an N-SET on a stored instance that is IN PROGRESS (PS3.4 F.7.2.2). */
export function applySet(stored: Dataset, change: Dataset): MppsUpdate | MppsRefusal {
  const status = text(change, 'PerformedProcedureStepStatus') ?? 'IN PROGRESS';
  if (!statuses.has(status)) return statusRefusal('the status is IN PROGRESS, COMPLETED or DISCONTINUED');
  const allowed = Object.entries(change).filter(
    ([keyword]) => !notInSet.has(keyword) && keyword !== 'SpecificCharacterSet',
  );
  const dataset: Dataset = { ...stored, ...Object.fromEntries(allowed) };
  const refusal =
    missingAttributes(dataset, [...requiredInSet, ...(status === 'IN PROGRESS' ? [] : requiredAtEnd)]) ??
    invalidValues(dataset, formatted);
  if (refusal) return refusal;
  const odd = Object.keys(change).filter((keyword) => notInSet.has(keyword) || !(keyword in stored));
  const tolerated = odd.filter(
    (keyword) => keyword !== 'SpecificCharacterSet' && keyword !== 'PerformedProcedureStepStatus',
  );
  return { status: status as PerformedProcedureStepStatus, dataset, toleratedAttributes: tolerated.map(tagOf) };
}

/** What a final step must have (PS3.4 F.7.2-1); its series sequence may be empty when nothing was made. */
const requiredAtEnd: readonly RequiredAttribute[] = [
  { keyword: 'PerformedProcedureStepEndDate' },
  { keyword: 'PerformedProcedureStepEndTime' },
  { keyword: 'PerformedSeriesSequence', mayBeEmpty: true },
];

/** What the result of every N-SET must have. */
const requiredInSet: readonly RequiredAttribute[] = [{ keyword: 'PerformedProcedureStepStatus' }, ...requiredOfSeries];

export function isRefusal(result: MppsUpdate | MppsRefusal): result is MppsRefusal {
  return !('dataset' in result);
}

/** Every instance that the Performed Series Sequence names, images and others (PS3.3 C.4.15). */
export function instancesOf(
  dataset: Dataset,
): { sopInstanceUid: string; sopClassUid: string; seriesInstanceUid: string }[] {
  return items(dataset, 'PerformedSeriesSequence').flatMap((series) => {
    const references = [
      ...items(series, 'ReferencedImageSequence'),
      ...items(series, 'ReferencedNonImageCompositeSOPInstanceSequence'),
    ];
    return references.flatMap((reference) => {
      const sopInstanceUid = text(reference, 'ReferencedSOPInstanceUID');
      if (sopInstanceUid === undefined) return [];
      const sopClassUid = text(reference, 'ReferencedSOPClassUID') ?? '';
      return [{ sopInstanceUid, sopClassUid, seriesInstanceUid: text(series, 'SeriesInstanceUID') ?? '' }];
    });
  });
}
