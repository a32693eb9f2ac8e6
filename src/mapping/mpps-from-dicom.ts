import { type Dataset, items, tagOf, text } from '../dicom/dataset.ts';
import type { MppsRefusal, ScheduledStepReference } from '../workflow/mpps-rules.ts';
import type { PerformedProcedureStepStatus } from '../workflow/vocabulary.ts';
import {
  type Checked,
  type RequiredAttributes,
  type Validation,
  checkPresence,
  checkValues,
  isRefusal,
} from './dicom-checks.ts';
import { attributesOfType, formattedAttributes, mppsAttribute } from './mpps-attributes.ts';

/** What has to be in an N-CREATE, and in each series that an N-SET carries. */
const requiredAt = (phase: 'create' | 'set'): RequiredAttributes => ({
  one: attributesOfType(phase, '1'),
  two: attributesOfType(phase, '2'),
});
const requiredInCreate = requiredAt('create');
const requiredInSet = requiredAt('set');

/** What an instance has to have after an N-SET that leaves it in progress, and after one that ends it. */
const requiredInProgress: RequiredAttributes = { one: [{ keyword: 'PerformedProcedureStepStatus' }], two: [] };
const requiredAtEnd: RequiredAttributes = {
  one: attributesOfType('final', '1')
    .filter((attribute) => attribute.in === undefined)
    .map(({ keyword, finalMayBeEmpty: mayBeEmpty = false }) => ({ keyword, mayBeEmpty })),
  two: [],
};

/** An MPPS as the department reads it. */
export interface Mpps {
  readonly performedProcedureStepId: string;
  readonly performedStationAeTitle: string;
  readonly modality: string;
  readonly references: readonly ScheduledStepReference[];
}

/** An N-CREATE by its attributes, checked in the order of PS3.4 F.7.2.1: 0120 and 0121, the status, other values. */
export function checkCreate(dataset: Dataset, validation: Validation): Checked {
  const presence = checkPresence(dataset, requiredInCreate, validation);
  if (isRefusal(presence)) return presence;
  if (text(dataset, 'PerformedProcedureStepStatus') !== 'IN PROGRESS') {
    return statusRefusal('a new performed procedure step has the status IN PROGRESS');
  }
  const values = checkValues(dataset, formattedAttributes, validation);
  return isRefusal(values) ? values : [...presence, ...values];
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
  readonly remarks: readonly string[];
}

const isFinal = (status: string): boolean => status !== 'IN PROGRESS';

/** PS3.4 F.7.2-1: what identifies patient, request and start cannot be set. */
const mayBeSet = (keyword: string): boolean => mppsAttribute(keyword)?.set !== 'NA';

/** Never created; one of type 2 that the N-CREATE left out was taken as empty and can be set. */
const wasCreated = (stored: Dataset, keyword: string): boolean =>
  keyword in stored || (mppsAttribute(keyword)?.create ?? '3/3') !== '3/3';

/** The instance with the changes; where only the N-SET needed a character set, it brings it (type 1C). */
function changed(stored: Dataset, change: Dataset): Dataset {
  const { SpecificCharacterSet: set, ...rest } = change;
  const needsSet = set !== undefined && (stored['SpecificCharacterSet'] ?? []).length === 0;
  return { ...stored, ...rest, ...(needsSet ? { SpecificCharacterSet: set } : {}) };
}

/** PS3.4 F.7.2.2.2: an instance that ends names what it made. That nothing was made the SCP cannot know. */
function remarksAtEnd(dataset: Dataset): string[] {
  const series = items(dataset, 'PerformedSeriesSequence');
  if (series.length === 0) return ['ended without a series'];
  return series.every((one) => referencesOf(one).length > 0) ? [] : ['ended with a series that names no instance'];
}

/** RAD-7: an N-SET on a stored instance that is IN PROGRESS (PS3.4 F.7.2.2). */
export function applySet(stored: Dataset, change: Dataset, validation: Validation): MppsUpdate | MppsRefusal {
  const status = text(change, 'PerformedProcedureStepStatus') ?? 'IN PROGRESS';
  if (!statuses.has(status)) return statusRefusal('the status is IN PROGRESS, COMPLETED or DISCONTINUED');
  const tolerated = Object.keys(change).filter((keyword) => !mayBeSet(keyword) || !wasCreated(stored, keyword));
  const toleratedAttributes = tolerated.map(tagOf);
  if (validation === 'strict' && tolerated.length > 0) {
    return { status: 0x0105, comment: 'no such attribute', attributeIdentifierList: toleratedAttributes };
  }
  const allowed = Object.fromEntries(Object.entries(change).filter(([keyword]) => mayBeSet(keyword)));
  const dataset = changed(stored, allowed);
  const checks = [
    checkPresence(allowed, requiredInSet, validation),
    checkPresence(dataset, isFinal(status) ? requiredAtEnd : requiredInProgress, validation),
    checkValues(allowed, formattedAttributes, validation),
  ];
  const refusal = checks.find(isRefusal);
  if (refusal) return refusal;
  const remarks = [
    ...checks.flatMap((check) => (isRefusal(check) ? [] : check)),
    ...(isFinal(status) ? remarksAtEnd(dataset) : []),
  ];
  return { status: status as PerformedProcedureStepStatus, dataset, toleratedAttributes, remarks };
}

function referencesOf(series: Dataset): readonly Dataset[] {
  return [
    ...items(series, 'ReferencedImageSequence'),
    ...items(series, 'ReferencedNonImageCompositeSOPInstanceSequence'),
  ];
}

/** Every instance that the Performed Series Sequence names, images and others (PS3.3 C.4.15). */
export function instancesOf(
  dataset: Dataset,
): { sopInstanceUid: string; sopClassUid: string; seriesInstanceUid: string }[] {
  return items(dataset, 'PerformedSeriesSequence').flatMap((series) =>
    referencesOf(series).flatMap((reference) => {
      const sopInstanceUid = text(reference, 'ReferencedSOPInstanceUID');
      if (sopInstanceUid === undefined) return [];
      const sopClassUid = text(reference, 'ReferencedSOPClassUID') ?? '';
      return [{ sopInstanceUid, sopClassUid, seriesInstanceUid: text(series, 'SeriesInstanceUID') ?? '' }];
    }),
  );
}
