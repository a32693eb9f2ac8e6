import type { IdentifierKind } from './disguise.ts';

/** What a field holds, as far as it matters to whoever must not be recognised. */
export type FieldKind =
  | 'keep'
  | 'code'
  | 'date'
  | 'birthDate'
  | 'person'
  | 'personName'
  | 'address'
  | 'phone'
  | 'text'
  | 'place'
  | 'timing'
  | 'observation'
  | { readonly id: IdentifierKind }
  | { readonly uid: string };

const patient = { id: 'patientId' } as const;
const visit = { id: 'visitNumber' } as const;
const account = { id: 'accountNumber' } as const;
const placer = { id: 'placerOrderNumber' } as const;
const filler = { id: 'fillerOrderNumber' } as const;
const accession = { id: 'accessionNumber' } as const;
const procedure = { id: 'requestedProcedureId' } as const;
const step = { id: 'scheduledProcedureStepId' } as const;
const study = { uid: 'studyInstanceUid' } as const;

/** The fields that an exported message may have, by segment; whatever is not here is left out of it. */
export const fieldKinds: Readonly<Record<string, Readonly<Record<number, FieldKind>>>> = {
  EVN: { 1: 'keep', 2: 'date' },
  PID: {
    ...{ 1: 'keep', 2: patient, 3: patient, 4: patient, 5: 'personName', 6: 'personName', 7: 'birthDate', 8: 'keep' },
    ...{ 9: 'personName', 10: 'code', 11: 'address', 13: 'phone', 14: 'phone', 15: 'code', 16: 'code', 17: 'code' },
    ...{ 18: account },
  },
  PV1: {
    ...{ 1: 'keep', 2: 'keep', 3: 'place', 4: 'keep', 6: 'place', 7: 'person', 8: 'person', 9: 'person', 10: 'keep' },
    ...{ 15: 'keep', 16: 'keep', 17: 'person', 18: 'keep', 19: visit, 36: 'keep', 44: 'date', 45: 'date', 51: 'keep' },
  },
  MRG: { 1: patient, 3: account, 4: patient, 5: visit, 7: 'personName' },
  AL1: { 1: 'keep', 2: 'code', 3: 'code', 4: 'code', 5: 'text', 6: 'date' },
  DG1: { 1: 'keep', 2: 'keep', 3: 'code', 4: 'text', 5: 'date', 6: 'keep' },
  NTE: { 1: 'keep', 2: 'keep', 3: 'text' },
  ORC: {
    ...{
      1: 'keep',
      2: placer,
      3: filler,
      4: { id: 'placerGroupNumber' },
      5: 'keep',
      6: 'keep',
      7: 'timing',
      9: 'date',
    },
    ...{ 10: 'person', 11: 'person', 12: 'person', 13: 'place', 14: 'phone', 15: 'date', 16: 'code', 17: 'code' },
    ...{ 18: 'code', 19: 'person' },
  },
  OBR: {
    ...{ 1: 'keep', 2: placer, 3: filler, 4: 'code', 5: 'keep', 6: 'date', 7: 'date', 8: 'date', 10: 'person' },
    ...{ 11: 'keep', 12: 'code', 13: 'text', 14: 'date', 15: 'code', 16: 'person', 17: 'phone', 18: accession },
    ...{ 19: procedure, 20: step, 22: 'date', 24: 'keep', 25: 'keep', 27: 'timing', 28: 'person' },
    ...{ 30: 'keep', 31: 'code', 36: 'date', 41: 'keep', 44: 'code', 45: 'code', 46: 'code' },
  },
  TQ1: { 1: 'keep', 2: 'code', 7: 'date', 8: 'date', 9: 'code' },
  IPC: { 1: accession, 2: procedure, 3: study, 4: step, 5: 'code', 6: 'code', 7: 'text', 8: 'code', 9: 'keep' },
  ZDS: { 1: study },
  OBX: { 1: 'keep', 2: 'keep', 3: 'code', 4: 'keep', 5: 'observation', 6: 'code', 11: 'keep', 14: 'date' },
  SCH: { 2: procedure, 26: placer, 27: filler },
  AIS: { 1: 'keep', 3: 'code', 4: 'date' },
};

/** What an exported scenario checks of a message that went out, by segment: field and component. */
export const checkedPlaces: Readonly<Record<string, readonly string[]>> = {
  MSH: ['12'],
  PID: ['3.1', '5.1', '5.2', '7', '8'],
  MRG: ['1.1'],
  ORC: ['1', '2.1', '3.1', '5'],
  OBR: ['4.1', '18.1', '19.1', '20.1', '24', '27.4'],
  TQ1: ['7'],
  IPC: ['1.1', '2.1', '3.1', '4.1', '5.1', '9'],
  ZDS: ['1.1'],
  SCH: ['2.1', '26.1', '27.1'],
  AIS: ['3.1', '4'],
};

/** Attributes that identify something; texts that are not here are replaced. */
export const identifierKeywords: Readonly<Record<string, IdentifierKind>> = {
  PatientID: 'patientId',
  AccessionNumber: 'accessionNumber',
  RequestedProcedureID: 'requestedProcedureId',
  ScheduledProcedureStepID: 'scheduledProcedureStepId',
  PerformedProcedureStepID: 'performedProcedureStepId',
  StudyID: 'studyId',
  AdmissionID: 'visitNumber',
  PlacerOrderNumberImagingServiceRequest: 'placerOrderNumber',
  FillerOrderNumberImagingServiceRequest: 'fillerOrderNumber',
};

/** Texts of a vocabulary, and names of devices: they say nothing about a patient. */
export const keptKeywords = new Set([
  ...['CodeValue', 'CodingSchemeDesignator', 'CodingSchemeVersion', 'CodeMeaning', 'SpecificCharacterSet'],
  ...['IssuerOfPatientID', 'TypeOfPatientID'],
]);

/** How UIDs are called in the scenario, by their keyword. */
export const uidNames: Readonly<Record<string, string>> = {
  StudyInstanceUID: 'studyInstanceUid',
  SeriesInstanceUID: 'series',
  ReferencedSOPInstanceUID: 'instance',
  SOPInstanceUID: 'mpps',
};

/** What an exported scenario checks of a data set that went out. */
export const checkedKeywords = [
  ...['SOPInstanceUID', 'PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex', 'PerformedProcedureStepStatus'],
  ...['PerformedStationAETitle', 'Modality'],
  ...['StudyInstanceUID', 'AccessionNumber', 'RequestedProcedureID', 'ScheduledProcedureStepID'].map(
    (keyword) => `ScheduledStepAttributesSequence[0].${keyword}`,
  ),
];
