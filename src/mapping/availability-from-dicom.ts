import { type Dataset, items, tagOf, text } from '../dicom/dataset.ts';
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

export interface ReportedAvailability {
  readonly studyInstanceUid: string;
  readonly instances: readonly {
    readonly sopInstanceUid: string;
    readonly studyInstanceUid: string;
    readonly instanceAvailability: string;
    readonly retrieveAeTitle: string;
  }[];
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
