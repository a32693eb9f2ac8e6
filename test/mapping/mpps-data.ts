import type { DatasetInput } from '../../src/dicom/dataset.ts';

/** A scheduled step as a modality copies it from the worklist. */
export const scheduledStep: DatasetInput = {
  StudyInstanceUID: '2.25.1',
  ReferencedStudySequence: [{ ReferencedSOPClassUID: '1.2.840.10008.3.1.2.3.1', ReferencedSOPInstanceUID: '2.25.11' }],
  AccessionNumber: 'A1',
  RequestedProcedureID: 'RP1',
  RequestedProcedureDescription: 'Head',
  ScheduledProcedureStepID: 'S1',
  ScheduledProcedureStepDescription: 'Head routine',
  ScheduledProtocolCodeSequence: [],
};

/** RAD-6 with every attribute of types 1 and 2, and (0040,0281), which only so can be set later. */
export const creation: DatasetInput = {
  ScheduledStepAttributesSequence: [scheduledStep],
  PatientName: 'ALDER^ADA',
  PatientID: 'P1',
  PatientBirthDate: '19700102',
  PatientSex: 'F',
  ReferencedPatientSequence: [],
  PerformedProcedureStepID: 'PPS1',
  PerformedStationAETitle: 'MR1',
  PerformedStationName: null,
  PerformedLocation: null,
  PerformedProcedureStepStartDate: '20260105',
  PerformedProcedureStepStartTime: '093000',
  PerformedProcedureStepStatus: 'IN PROGRESS',
  PerformedProcedureStepDescription: null,
  PerformedProcedureTypeDescription: null,
  ProcedureCodeSequence: [],
  PerformedProcedureStepEndDate: null,
  PerformedProcedureStepEndTime: null,
  PerformedProcedureStepDiscontinuationReasonCodeSequence: [],
  Modality: 'MR',
  StudyID: null,
  PerformedProtocolCodeSequence: [],
  PerformedSeriesSequence: [],
};

/** A reference to an image. */
export const image = { ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.4', ReferencedSOPInstanceUID: '2.25.100' };

/** A series of two images. */
export const series: DatasetInput = {
  PerformingPhysicianName: null,
  ProtocolName: 'Head routine',
  OperatorsName: null,
  SeriesInstanceUID: '2.25.50',
  SeriesDescription: null,
  RetrieveAETitle: null,
  ReferencedImageSequence: [image, { ...image, ReferencedSOPInstanceUID: '2.25.101' }],
  ReferencedNonImageCompositeSOPInstanceSequence: [],
};

/** RAD-7. */
export const completion: DatasetInput = {
  PerformedProcedureStepStatus: 'COMPLETED',
  PerformedProcedureStepEndDate: '20260105',
  PerformedProcedureStepEndTime: '095500',
  PerformedSeriesSequence: [series],
};
