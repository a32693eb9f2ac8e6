import { type Hl7Message, parseMessage } from '../../src/hl7/message.ts';
import type { RenderedMessage } from '../../src/mapping/rendered.ts';
import type { Envelope, Hl7Version, OrderSubject } from '../../src/mapping/segments-to-hl7.ts';
import type { PlacerOrder, PlannedProcedure, PlannedStep } from '../../src/workflow/vocabulary.ts';

/** The two dialects, for a test that holds in both. */
export const versions = ['2.3.1', '2.5.1'] as const;

export const order: PlacerOrder = {
  placerOrderNumber: { id: 'O1', namespace: 'EMR' },
  placerGroupNumber: { id: 'G1', namespace: 'EMR' },
  priority: 'S',
  transactionTime: '20260105075900',
  effectiveTime: '20260105080000',
  enteredBy: { family: 'CLERK', given: 'CAL' },
  orderingProvider: { id: 'D1', family: 'ELM' },
  callBackPhone: '555 1212',
  enteringOrganisation: { code: 'W1', meaning: 'Ward', scheme: 'DEPT' },
  service: { code: 'SVC', meaning: 'Service', scheme: 'L' },
  dangerCode: { code: 'INF', meaning: 'Infectious', scheme: 'DEPT' },
  relevantClinicalInformation: 'Pacemaker',
  specimenSource: ['', '', '', '', 'L'],
  transportationMode: 'WALK',
  reason: { meaning: 'Headache' },
  transportArranged: 'A',
};

/** The same order as the department would place it itself: no number of a placer's yet, no message that brought it. */
export function departmentOrder(): PlacerOrder {
  const { placerOrderNumber: _number, transactionTime: _time, ...rest } = order;
  return rest;
}

export const subject: OrderSubject = {
  patient: {
    identifiers: [{ value: 'P1', assigningAuthority: 'HOSP' }],
    name: { family: 'ALDER', given: 'ADA' },
    sex: 'F',
    demographics: {},
  },
  visit: undefined,
  order,
  fillerOrderNumber: 'F1',
  accessionNumber: 'A1',
  application: 'SWF_OF',
};

const step = (id: string, time: string, protocols: string[]): PlannedStep => ({
  scheduledProcedureStepId: id,
  modality: 'MR',
  scheduledStationAeTitles: ['MR1', 'MR2'],
  start: { date: '2026-01-05', time },
  minutes: 30,
  description: id,
  protocols: protocols.map((code) => ({ code, scheme: 'DEPT', meaning: `${code} meant` })),
});

export const procedure: PlannedProcedure = {
  requestedProcedureId: 'RP1',
  studyInstanceUid: '2.25.1',
  code: { code: 'HEAD', meaning: 'Head', scheme: 'PLAN' },
  serviceIndex: 0,
  steps: [step('S1', '09:30:00', ['P1']), step('S2', '10:00:00', ['P2', 'P3']), step('S3', '10:30:00', [])],
};

/** The procedure after its third step was moved before the others. */
export const procedureMoved: PlannedProcedure = {
  ...procedure,
  steps: [...procedure.steps.slice(0, 2), step('S3', '08:45:00', ['P4'])],
};

export const start = { date: '2026-01-05', time: '09:30:00' };

export const envelope = (version: Hl7Version, characterSet?: string): Envelope => ({
  version,
  application: 'SWF_OF',
  facility: 'RADIOLOGY',
  receivingApplication: 'PEER',
  receivingFacility: 'HOSP',
  controlId: 'C1',
  at: new Date('2026-01-05T07:00:00Z'),
  timeZone: 'Europe/Berlin',
  characterSet,
});

/** What the receiver reads. */
export const received = (message: RenderedMessage): Hl7Message => parseMessage(message.bytes);

export const namesOf = (message: Hl7Message): string => message.segments.map(({ name }) => name).join(' ');

/** The values of several places, in their order; undefined where there is nothing. */
export const valuesOf = (message: Hl7Message, places: readonly string[]): (string | null | undefined)[] =>
  places.map((place) => message.get(place));
