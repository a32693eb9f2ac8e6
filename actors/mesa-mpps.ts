import { type Dataset, type DatasetInput, dataset, items, text } from '../src/dicom/dataset.ts';
import { sopClass } from '../src/dicom/status.ts';
import { localTimeOf } from '../src/platform/clock.ts';
import { shown } from './checks.ts';
import { type Mismatch, mismatch } from './mesa-case.ts';
import type { FieldsOfMessage } from './mesa-message.ts';
import { nameOfPatient } from './mesa-names.ts';
import type { Examination } from './mesa-plan.ts';
import { dicomValueAt } from './places.ts';
import type { Stage } from './stage.ts';

/** MR Image Storage: what the kit's modality makes. */
const imageClass = '1.2.840.10008.5.1.4.1.1.4';

/** PS3.16 CID 9300, as far as kits use it. */
const discontinuationReasons: Readonly<Record<string, string>> = {
  '110500': 'Doctor canceled procedure',
  '110501': 'Equipment failure',
  '110513': 'Discontinued for unspecified reason',
  '110514': 'Incorrect worklist entry selected',
};

/** The clock, ids and time zone of a playing. */
export type Sources = Pick<Stage, 'clock' | 'ids' | 'timeZone'>;

function now({ clock, timeZone }: Sources): { date: string; time: string } {
  const local = localTimeOf(clock.now(), timeZone);
  return { date: local.date.replaceAll('-', ''), time: local.time.replaceAll(':', '') };
}

/** RAD-6 of a step of the worklist: an N-CREATE with what the answer says (PS3.4 table F.7.2-1). */
export function beginOf(item: Dataset, station: string, sources: Sources): Dataset {
  const [scheduled = {}] = items(item, 'ScheduledProcedureStepSequence');
  const attributes = {
    StudyInstanceUID: item['StudyInstanceUID'],
    ReferencedStudySequence: item['ReferencedStudySequence'] ?? [],
    AccessionNumber: item['AccessionNumber'] ?? [],
    RequestedProcedureID: item['RequestedProcedureID'] ?? [],
    RequestedProcedureDescription: item['RequestedProcedureDescription'] ?? [],
    ScheduledProcedureStepID: scheduled['ScheduledProcedureStepID'] ?? [],
    ScheduledProcedureStepDescription: scheduled['ScheduledProcedureStepDescription'] ?? [],
    ScheduledProtocolCodeSequence: scheduled['ScheduledProtocolCodeSequence'] ?? [],
  };
  const patient = {
    PatientName: item['PatientName'] ?? [],
    PatientID: item['PatientID'] ?? [],
    PatientBirthDate: item['PatientBirthDate'] ?? [],
    PatientSex: item['PatientSex'] ?? [],
  };
  const performed = {
    ProcedureCodeSequence: item['RequestedProcedureCodeSequence'] ?? [],
    PerformedProtocolCodeSequence: scheduled['ScheduledProtocolCodeSequence'] ?? [],
    Modality: text(scheduled, 'Modality') ?? 'MR',
  };
  return created({ attributes, patient, performed, station }, sources);
}

/** RAD-6 of what nobody ordered: the patient as the ADT has it, a study of the modality's own. */
export function beginUnscheduled(
  unscheduled: NonNullable<Examination['unscheduled']>,
  station: string,
  sources: Sources,
) {
  const { field, component }: FieldsOfMessage = unscheduled.patient.fields;
  const attributes = {
    StudyInstanceUID: sources.ids.uid(),
    ReferencedStudySequence: [],
    AccessionNumber: null,
    RequestedProcedureID: null,
    RequestedProcedureDescription: null,
    ScheduledProcedureStepID: null,
    ScheduledProcedureStepDescription: null,
    ScheduledProtocolCodeSequence: [],
  };
  const patient = {
    PatientName: nameOfPatient(field('PID-5')),
    PatientID: component('PID-3', 1),
    PatientBirthDate: field('PID-7'),
    PatientSex: field('PID-8'),
  };
  const { performedCode, modality } = unscheduled;
  const code = { CodeValue: performedCode, CodingSchemeDesignator: 'DSS_MESA', CodeMeaning: performedCode };
  const protocols = performedCode === undefined ? [] : [code];
  const performed = { ProcedureCodeSequence: [], PerformedProtocolCodeSequence: protocols, Modality: modality };
  return created({ attributes, patient, performed, station }, sources);
}

interface Beginning {
  readonly attributes: DatasetInput;
  readonly patient: DatasetInput;
  readonly performed: DatasetInput;
  readonly station: string;
}

function created({ attributes, patient, performed, station }: Beginning, sources: Sources): Dataset {
  const { date, time } = now(sources);
  const id = sources.ids.controlId().slice(-12);
  return dataset({
    ScheduledStepAttributesSequence: [attributes],
    ...patient,
    ReferencedPatientSequence: [],
    PerformedProcedureStepID: `PPS${id}`,
    PerformedStationAETitle: station,
    PerformedStationName: null,
    PerformedLocation: null,
    PerformedProcedureStepStartDate: date,
    PerformedProcedureStepStartTime: time,
    PerformedProcedureStepStatus: 'IN PROGRESS',
    PerformedProcedureStepDescription: null,
    PerformedProcedureTypeDescription: null,
    // PS3.4 F.7.2.2: an N-SET only changes what the N-CREATE has.
    PerformedProcedureStepDiscontinuationReasonCodeSequence: [],
    PerformedProcedureStepEndDate: null,
    PerformedProcedureStepEndTime: null,
    StudyID: id,
    ...performed,
    PerformedSeriesSequence: [],
  });
}

/** RAD-7: an N-SET with a series of two images; discontinued with its reason, where the kit says so. */
export function endOf(begun: Dataset, discontinuedFor: string | undefined, sources: Sources): Dataset {
  const { date, time } = now(sources);
  const meaning = discontinuationReasons[discontinuedFor ?? ''] ?? 'Discontinued';
  const reason = { CodeValue: discontinuedFor, CodingSchemeDesignator: 'DCM', CodeMeaning: meaning };
  const image = (): DatasetInput => ({
    ReferencedSOPClassUID: imageClass,
    ReferencedSOPInstanceUID: sources.ids.uid(),
  });
  return dataset({
    PerformedProcedureStepStatus: discontinuedFor === undefined ? 'COMPLETED' : 'DISCONTINUED',
    PerformedProcedureStepEndDate: date,
    PerformedProcedureStepEndTime: time,
    ...(discontinuedFor === undefined ? {} : { PerformedProcedureStepDiscontinuationReasonCodeSequence: [reason] }),
    PerformedProtocolCodeSequence: begun['PerformedProtocolCodeSequence'] ?? [],
    PerformedSeriesSequence: [
      {
        PerformingPhysicianName: null,
        ProtocolName: 'AXIAL',
        OperatorsName: null,
        SeriesInstanceUID: sources.ids.uid(),
        SeriesDescription: null,
        RetrieveAETitle: null,
        ReferencedImageSequence: [image(), image()],
        ReferencedNonImageCompositeSOPInstanceSequence: [],
      },
    ],
  });
}

/** RAD-49 of everything that an N-SET names (PS3.4 table R.3.2-1). */
export function availabilityOf(
  { uid, studyInstanceUid, set }: { uid: string; studyInstanceUid: string; set: Dataset },
  retrieveAeTitle: string,
): Dataset {
  const series = items(set, 'PerformedSeriesSequence').map((one) => ({
    SeriesInstanceUID: text(one, 'SeriesInstanceUID'),
    ReferencedSOPSequence: items(one, 'ReferencedImageSequence').map((image) => ({
      ...image,
      InstanceAvailability: 'ONLINE',
      RetrieveAETitle: retrieveAeTitle,
    })),
  }));
  return dataset({
    ReferencedPerformedProcedureStepSequence: [
      {
        ReferencedSOPClassUID: sopClass.modalityPerformedProcedureStep,
        ReferencedSOPInstanceUID: uid,
        PerformedWorkitemCodeSequence: [],
      },
    ],
    StudyInstanceUID: studyInstanceUid,
    ReferencedSeriesSequence: series,
  });
}

const attributes = 'ScheduledStepAttributesSequence[0]';

/** What the kit's grader compares of a performed step that was passed on, and what ours needs beside it. */
const comparedOf = {
  'N-CREATE': [
    'PatientName',
    'PatientID',
    'PatientBirthDate',
    'PatientSex',
    `${attributes}.StudyInstanceUID`,
    `${attributes}.AccessionNumber`,
    `${attributes}.RequestedProcedureID`,
    `${attributes}.RequestedProcedureDescription`,
    `${attributes}.ScheduledProcedureStepID`,
    `${attributes}.ScheduledProcedureStepDescription`,
    'PerformedProcedureStepStatus',
    'ProcedureCodeSequence[0].CodeValue',
    'Modality',
    'PerformedProtocolCodeSequence[0].CodeValue',
    'StudyID',
  ],
  'N-SET': [
    'PerformedProcedureStepStatus',
    'PerformedProcedureStepDiscontinuationReasonCodeSequence[0].CodeValue',
    'PerformedProtocolCodeSequence[0].CodeValue',
    'PerformedSeriesSequence[0].SeriesInstanceUID',
    'PerformedSeriesSequence[0].ReferencedImageSequence[0].ReferencedSOPInstanceUID',
  ],
} as const;

/** A performed step as it was passed on, beside what the modality sent. */
export function compareRelayed(
  type: 'N-CREATE' | 'N-SET',
  sent: Dataset,
  received: Dataset,
): { mismatches: readonly Mismatch[]; places: readonly string[] } {
  const places = comparedOf[type];
  const mismatches = places.flatMap((place) => {
    const expected = dicomValueAt(sent, place);
    const value = dicomValueAt(received, place);
    return mismatch(place, expected ?? null, value)
      ? [{ place, expected: shown(expected), received: shown(value) }]
      : [];
  });
  return { mismatches, places };
}
