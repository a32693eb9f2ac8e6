import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../src/hl7/message.ts';
import { procedureScheduled, procedureToHl7 } from '../../src/mapping/procedure-to-hl7.ts';
import type { Envelope, Hl7Version, OrderSubject } from '../../src/mapping/segments-to-hl7.ts';
import { statusToHl7 } from '../../src/mapping/status-to-hl7.ts';
import type { PlacerOrder, PlannedProcedure } from '../../src/workflow/vocabulary.ts';

const order: PlacerOrder = {
  placerOrderNumber: { id: 'O1', namespace: 'EMR' },
  placerGroupNumber: { id: 'G1', namespace: 'EMR' },
  priority: 'S',
  transactionTime: '20260105075900',
  orderingProvider: { id: 'D1', family: 'ELM' },
  enteringOrganisation: { code: 'W1', meaning: 'Ward', scheme: 'DEPT' },
  service: { code: 'SVC', meaning: 'Service', scheme: 'L' },
  specimenSource: ['', '', '', '', 'L'],
};

const subject: OrderSubject = {
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

const step = (id: string, time: string, protocols: string[]) => ({
  scheduledProcedureStepId: id,
  modality: 'MR',
  scheduledStationAeTitles: ['MR1', 'MR2'],
  start: { date: '2026-01-05', time },
  minutes: 30,
  description: id,
  protocols: protocols.map((code) => ({ code, scheme: 'DEPT', meaning: `${code} meant` })),
});

const procedure: PlannedProcedure = {
  requestedProcedureId: 'RP1',
  studyInstanceUid: '2.25.1',
  code: { code: 'HEAD', meaning: 'Head', scheme: 'PLAN' },
  steps: [step('S1', '09:30:00', ['P1']), step('S2', '10:00:00', ['P2', 'P3']), step('S3', '10:30:00', [])],
};

const envelope = (version: Hl7Version): Envelope => ({
  version,
  application: 'SWF_OF',
  facility: 'RADIOLOGY',
  receivingApplication: 'PACS',
  receivingFacility: 'HOSP',
  controlId: 'C1',
  at: new Date('2026-01-05T07:00:00Z'),
  timeZone: 'Europe/Berlin',
});

const rad4 = (version: Hl7Version, more: Partial<OrderSubject> = {}) =>
  parseMessage(procedureToHl7(envelope(version), { ...subject, ...more }, procedure, procedureScheduled).bytes);
const rad3 = (version: Hl7Version, orderStatus: 'IP' | 'CM' | 'DC' = 'IP') =>
  parseMessage(
    statusToHl7(envelope(version), subject, { orderStatus, start: { date: '2026-01-05', time: '09:30:00' } }).bytes,
  );

const namesOf = (message: ReturnType<typeof rad4>): string => message.segments.map(({ name }) => name).join(' ');

describe('RAD-4 in v2.3.1 (RAD TF-2 4.4: ORM^O01 with ZDS)', () => {
  const message = rad4('2.3.1');

  it('has one ORC and OBR for each protocol of each step, and one ZDS at the end', () => {
    expect(namesOf(message)).toBe('MSH PID PV1 ORC OBR ORC OBR ORC OBR ORC OBR ZDS');
  });

  it.each([
    ['MSH-9.1', 'ORM'],
    ['MSH-9.2', 'O01'],
    ['MSH-3', 'SWF_OF'],
    ['MSH-5', 'PACS'],
    ['MSH-7', '20260105080000+0100'],
    ['MSH-11', 'P'],
    ['MSH-12', '2.3.1'],
    ['PID-3.1', 'P1'],
    ['PID-3.4', 'HOSP'],
    ['PV1-2', 'U'],
    ['ORC-1', 'NW'],
    ['ORC-2', 'O1'],
    ['ORC-3', 'F1'],
    ['ORC-4', 'G1'],
    ['ORC-5', 'SC'],
    ['ORC-7.4', '20260105093000'],
    ['ORC-7.6', 'S'],
    ['OBR-2', 'O1'],
    ['OBR-3', 'F1'],
    ['OBR-4.1', 'HEAD'],
    ['OBR-4.4', 'P1'],
    ['OBR-4.5', 'P1 meant'],
    ['OBR-4.6', 'DEPT'],
    ['OBR-15.5', 'L'],
    ['OBR-18', 'A1'],
    ['OBR-19', 'RP1'],
    ['OBR-20', 'S1'],
    ['OBR-24', 'MR'],
    ['OBR-27.4', '20260105093000'],
    ['OBR-44', 'HEAD'],
    ['ZDS-1.1', '2.25.1'],
    ['ZDS-1.3', 'Application'],
    ['ZDS-1.4', 'DICOM'],
  ])('%s is %s', (place, value) => {
    expect(message.get(place)).toBe(value);
  });

  it('gives each pair its number, its step and its own start', () => {
    const pairs = message.all('OBR').map((obr, index) => {
      const orc = message.all('ORC')[index];
      return [obr.get(1), obr.get(20), obr.get(4, 4), orc?.get(7, 4)];
    });
    expect(pairs).toEqual([
      ['1', 'S1', 'P1', '20260105093000'],
      ['2', 'S2', 'P2', '20260105100000'],
      ['3', 'S2', 'P3', '20260105100000'],
      ['4', 'S3', undefined, '20260105103000'],
    ]);
  });

  it('carries the laterality of an order that came in v2.5.1 (OBR-46) in OBR-15.5', () => {
    const { specimenSource: _, ...rest } = order;
    const later = { ...rest, placerSupplementalServiceInformation: { code: 'R', meaning: 'Right', scheme: 'HL70411' } };
    expect(rad4('2.3.1', { order: later }).get('OBR-15.5')).toBe('R');
  });
});

describe('RAD-4 in v2.5.1 (RAD TF-2 4.4: OMI^O23 with IPC)', () => {
  const message = rad4('2.5.1');

  it('has exactly one order group, and one IPC for each protocol of each step', () => {
    expect(namesOf(message)).toBe('MSH PID PV1 ORC TQ1 OBR IPC IPC IPC IPC');
  });

  it.each([
    ['MSH-9.1', 'OMI'],
    ['MSH-9.2', 'O23'],
    ['MSH-9.3', 'OMI_O23'],
    ['MSH-12', '2.5.1'],
    ['PID-3.5', 'PI'],
    ['PV1-2', 'U'],
    ['ORC-1', 'NW'],
    ['ORC-3', 'F1'],
    ['ORC-5', 'SC'],
    ['TQ1-7', '20260105093000'],
    ['TQ1-9', 'S'],
    ['OBR-1', '1'],
    ['OBR-3', 'F1'],
    ['OBR-4.1', 'HEAD'],
    ['OBR-44', 'HEAD'],
    ['OBR-46', 'L'],
    ['IPC-1', 'A1'],
    ['IPC-2', 'RP1'],
    ['IPC-3', '2.25.1'],
    ['IPC-4', 'S1'],
    ['IPC-5.1', 'MR'],
    ['IPC-5.3', 'DCM'],
    ['IPC-6.1', 'P1'],
    ['IPC-6.2', 'P1 meant'],
    ['IPC-6.3', 'DEPT'],
    ['IPC-9', 'MR1'],
    ['IPC-9(2)', 'MR2'],
  ])('%s is %s', (place, value) => {
    expect(message.get(place)).toBe(value);
  });

  it.each(['MSH-8', 'ORC-7', 'OBR-15.5', 'OBR-27'])('%s is not used', (place) => {
    expect(message.get(place)).toBeUndefined();
  });

  it('names step and protocol in each IPC, and all steps share the start in TQ1', () => {
    expect(message.all('IPC').map((ipc) => [ipc.get(4), ipc.get(6)])).toEqual([
      ['S1', 'P1'],
      ['S2', 'P2'],
      ['S2', 'P3'],
      ['S3', undefined],
    ]);
    expect(message.all('TQ1')).toHaveLength(1);
  });
});

describe('RAD-3 status update (RAD TF-2 4.3)', () => {
  it('in v2.3.1 is MSH and ORC alone', () => {
    expect(namesOf(rad3('2.3.1'))).toBe('MSH ORC');
  });

  it('in v2.5.1 is OMG^O19 with ORC, TQ1 and OBR', () => {
    const message = rad3('2.5.1');
    expect(namesOf(message)).toBe('MSH PID PV1 ORC TQ1 OBR');
    expect([message.get('MSH-9.1'), message.get('MSH-9.2'), message.get('MSH-9.3')]).toEqual(['OMG', 'O19', 'OMG_O19']);
    expect([message.get('TQ1-7'), message.get('OBR-4.1'), message.get('ORC-7')]).toEqual([
      '20260105093000',
      'SVC',
      undefined,
    ]);
  });

  it.each(['IP', 'CM', 'DC'] as const)('%s stands in ORC-5 with ORC-1 SC and both order numbers', (orderStatus) => {
    for (const version of ['2.3.1', '2.5.1'] as const) {
      const message = rad3(version, orderStatus);
      expect(['ORC-1', 'ORC-2', 'ORC-3', 'ORC-5'].map((place) => message.get(place))).toEqual([
        'SC',
        'O1',
        'F1',
        orderStatus,
      ]);
    }
  });
});
