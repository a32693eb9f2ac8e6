import { type Dataset, dataset, items, tagOf, text } from '../dicom/dataset.ts';
import { isUid } from '../platform/ids.ts';
import type { MppsRefusal } from '../workflow/mpps-rules.ts';
import {
  type FormattedAttribute,
  type RequiredAttributes,
  type Validation,
  checkPresence,
  checkValues,
  isRefusal,
} from './dicom-checks.ts';

const series = ['ReferencedSeriesSequence'];
const instance = ['ReferencedSeriesSequence', 'ReferencedSOPSequence'];

const performed = ['ReferencedPerformedProcedureStepSequence'];

/** PS3.4 R.3-1: what an Instance Availability Notification must carry. */
const requiredAttributes: RequiredAttributes = {
  one: [
    { keyword: 'ReferencedSOPClassUID', in: performed },
    { keyword: 'ReferencedSOPInstanceUID', in: performed },
    { keyword: 'StudyInstanceUID' },
    { keyword: 'ReferencedSeriesSequence' },
    { keyword: 'SeriesInstanceUID', in: series },
    { keyword: 'ReferencedSOPSequence', in: series },
    { keyword: 'ReferencedSOPClassUID', in: instance },
    { keyword: 'ReferencedSOPInstanceUID', in: instance },
    { keyword: 'InstanceAvailability', in: instance },
    { keyword: 'RetrieveAETitle', in: instance },
  ],
  two: [
    { keyword: 'ReferencedPerformedProcedureStepSequence' },
    { keyword: 'PerformedWorkitemCodeSequence', in: performed },
  ],
};

const formatted: readonly FormattedAttribute[] = [
  { keyword: 'ReferencedSOPClassUID', in: performed, format: 'uid' },
  { keyword: 'ReferencedSOPInstanceUID', in: performed, format: 'uid' },
  { keyword: 'ReferencedSOPClassUID', in: instance, format: 'uid' },
  { keyword: 'StudyInstanceUID', format: 'uid' },
  { keyword: 'SeriesInstanceUID', in: series, format: 'uid' },
  { keyword: 'ReferencedSOPInstanceUID', in: instance, format: 'uid' },
];

const availabilities: ReadonlySet<string> = new Set(['ONLINE', 'NEARLINE', 'OFFLINE', 'UNAVAILABLE']);

/** What an Image Manager says of one instance. */
export interface InstanceReport {
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly instanceAvailability: string;
  readonly retrieveAeTitle: string;
}

export interface ReportedAvailability {
  readonly studyInstanceUid: string;
  readonly instances: readonly InstanceReport[];
  /** What was odd about it, for the journal. */
  readonly remarks: readonly string[];
}

/** RAD-49: a notification, or why it is refused (0120, 0121, 0106). */
export function availabilityFromDicom(dataset: Dataset, validation: Validation): ReportedAvailability | MppsRefusal {
  const presence = checkPresence(dataset, requiredAttributes, validation);
  if (isRefusal(presence)) return presence;
  const values = checkValues(dataset, formatted, validation);
  if (isRefusal(values)) return values;
  const studyInstanceUid = text(dataset, 'StudyInstanceUID') ?? '';
  const references = items(dataset, 'ReferencedSeriesSequence').flatMap((one) => items(one, 'ReferencedSOPSequence'));
  const instances = references.map((reference) => ({
    sopInstanceUid: text(reference, 'ReferencedSOPInstanceUID') ?? '',
    studyInstanceUid,
    instanceAvailability: text(reference, 'InstanceAvailability') ?? '',
    retrieveAeTitle: text(reference, 'RetrieveAETitle') ?? '',
  }));
  if (instances.some((one) => !availabilities.has(one.instanceAvailability))) {
    return {
      status: 0x0106,
      comment: 'invalid attribute value',
      attributeIdentifierList: [tagOf('InstanceAvailability')],
    };
  }
  return { studyInstanceUid, instances, remarks: [...presence, ...values] };
}

/** RAD-11: the keys that ask for the instances of a series (PS3.4 C.6.2, Study Root, IMAGE level). */
export function availabilityKeys(studyInstanceUid: string, seriesInstanceUid: string): Dataset {
  return dataset({
    QueryRetrieveLevel: 'IMAGE',
    StudyInstanceUID: studyInstanceUid,
    SeriesInstanceUID: seriesInstanceUid,
    SOPInstanceUID: null,
    InstanceAvailability: null,
    RetrieveAETitle: null,
  });
}

/**
 * RAD-11: the instances that were found. What is found is there unless its match says otherwise: Instance Availability
 * is optional (PS3.4 C.4.1.1.3.2). A match of another study is none.
 */
export function availabilityFromMatches(studyInstanceUid: string, matches: readonly Dataset[]): InstanceReport[] {
  return matches.flatMap((match) => {
    const sopInstanceUid = text(match, 'SOPInstanceUID');
    if (sopInstanceUid === undefined || !isUid(sopInstanceUid)) return [];
    if ((text(match, 'StudyInstanceUID') ?? studyInstanceUid) !== studyInstanceUid) return [];
    const said = text(match, 'InstanceAvailability')?.toUpperCase() ?? '';
    const instanceAvailability = availabilities.has(said) ? said : 'ONLINE';
    const retrieveAeTitle = text(match, 'RetrieveAETitle') ?? '';
    return [{ sopInstanceUid, studyInstanceUid, instanceAvailability, retrieveAeTitle }];
  });
}
