import { stepToWorklist } from '../../src/mapping/step-to-worklist.ts';
import type { WorklistSource } from '../../src/workflow/worklist-item.ts';

export const site = { application: 'SWF_OF' };

/** A step of which everything is known that a department can know. */
export const known: WorklistSource = {
  scheduledProcedureStepId: 'S1',
  stepStatus: 'ARRIVED',
  modality: 'CT',
  scheduledStationAeTitles: ['CT1', 'CT2'],
  startDate: '2026-07-05',
  startTime: '09:30:00',
  step: {
    description: 'Chest, two phases',
    protocols: [
      { code: 'P1', scheme: 'PLAN', meaning: 'Native' },
      { code: 'P2', scheme: 'PLAN', meaning: 'Contrast' },
    ],
    stationName: 'Scanner one',
    location: 'Room 12',
    contrastAgent: 'Iodine 300',
    preMedication: 'None needed',
  },
  requestedProcedureId: 'RP1',
  studyInstanceUid: '2.25.11',
  code: { code: 'CHEST', scheme: 'PLAN', meaning: 'CT of the chest' },
  serviceIndex: 0,
  accessionNumber: 'A1',
  fillerOrderNumber: 'F1',
  order: {
    placerOrderNumber: { id: 'O1', namespace: 'EMR' },
    service: { code: 'CTCHEST', scheme: 'HIS', meaning: 'Chest' },
    priority: 'S',
    orderingProvider: { id: '1', family: 'ORDER', given: 'OLE' },
    scheduledPerformer: { id: '2', family: 'PERFORM', given: 'PIA' },
    enteringOrganisation: { code: 'W1', scheme: 'ORG', meaning: 'Ward one' },
    enterersDepartment: 'Emergency',
    orderingFacilityAddress: ['Hill 1', '', 'Town'],
    confidentialityCode: { code: 'V', meaning: 'Very restricted' },
    dangerCode: { code: 'I', meaning: 'Infectious' },
    relevantClinicalInformation: 'Pacemaker',
    transportationMode: 'CART',
    reason: { code: 'R05', scheme: 'I10', meaning: 'Cough' },
    comments: ['second floor'],
    bodyWeight: '71.5',
    bodyHeight: '1.8',
  },
  patientName: { family: 'Aoki', given: 'Mai', ideographic: { family: '青木', given: '舞' } },
  birthDate: '1980-02-03',
  sex: 'F',
  demographics: {
    motherName: { family: 'Mori' },
    address: ['Lane 2', 'Town'],
    primaryLanguage: { code: 'ja', scheme: 'ISO639', meaning: 'Japanese' },
    allergies: ['Latex'],
    comments: ['hard of hearing', 'comes with her son'],
  },
  identifiers: [
    { value: 'P1', assigningAuthority: 'HOSP', universalId: '1.2.3', universalIdType: 'ISO' },
    { value: 'N1', assigningAuthority: 'STATE' },
  ],
  patientClass: 'I',
  visit: {
    location: { pointOfCare: 'W1', room: '2' },
    referringDoctor: { id: '3', family: 'REFER', given: 'RUTH' },
    ambulatoryStatus: 'B6',
    vipIndicator: 'Head of state',
    visitIdentifier: { id: 'V1', assigningAuthority: { namespace: 'HOSP' } },
  },
  visitStatus: 'OPEN',
  begun: { date: '20260705', time: '094500' },
};

/** Its worklist item. */
export const full = stepToWorklist(known, { ...site, timeZone: 'Europe/Berlin' });
/** The item of a step of which next to nothing is known. */
export const bare = stepToWorklist(
  {
    ...known,
    step: { description: 'Chest', protocols: [] },
    order: { service: { code: 'CTCHEST' } },
    demographics: {},
    patientClass: null,
    visit: null,
    begun: null,
    identifiers: known.identifiers.slice(1),
    birthDate: null,
    sex: null,
  },
  site,
);
