import { describe, expect, it } from 'vitest';
import type { Hl7Message } from '../../src/hl7/message.ts';
import { type ProcedureControl, procedureControls, procedureToHl7 } from '../../src/mapping/procedure-to-hl7.ts';
import type { Hl7Version, OrderSubject } from '../../src/mapping/segments-to-hl7.ts';
import {
  departmentOrder,
  envelope,
  namesOf,
  order,
  procedure,
  procedureMoved,
  received,
  subject,
  valuesOf,
  versions,
} from './outgoing.ts';

const message = (version: Hl7Version, control: ProcedureControl, about: OrderSubject = subject): Hl7Message =>
  received(procedureToHl7(envelope(version), about, procedure, control));
const rad4 = (version: Hl7Version, more: Partial<OrderSubject> = {}): Hl7Message =>
  message(version, procedureControls.scheduled, { ...subject, ...more });

describe('RAD-4 in v2.3.1 (RAD TF-2 4.4: ORM^O01 with ZDS)', () => {
  const sent = rad4('2.3.1');

  it('has one ORC and OBR for each protocol of each step, and one ZDS at the end', () => {
    expect(namesOf(sent)).toBe('MSH PID PV1 ORC OBR ORC OBR ORC OBR ORC OBR ZDS');
  });

  it.each([
    ['MSH-9.1', 'ORM'],
    ['MSH-9.2', 'O01'],
    ['MSH-3', 'SWF_OF'],
    ['MSH-5', 'PEER'],
    ['MSH-7', '20260105080000+0100'],
    ['MSH-10', 'C1'],
    ['MSH-11', 'P'],
    ['MSH-12', '2.3.1'],
    ['PID-3.1', 'P1'],
    ['PID-3.4', 'HOSP'],
    ['PID-5.1', 'ALDER'],
    ['PV1-2', 'U'],
    ['ORC-1', 'NW'],
    ['ORC-2', 'O1'],
    ['ORC-3.1', 'F1'],
    ['ORC-3.2', 'SWF_OF'],
    ['ORC-4', 'G1'],
    ['ORC-5', 'SC'],
    ['ORC-7.4', '20260105093000'],
    ['ORC-7.6', 'S'],
    ['ORC-9', '20260105075900'],
    ['ORC-10.2', 'CLERK'],
    ['ORC-12', 'D1'],
    ['ORC-14', '555 1212'],
    ['ORC-17', 'W1'],
    ['OBR-2', 'O1'],
    ['OBR-3', 'F1'],
    ['OBR-4.1', 'HEAD'],
    ['OBR-4.4', 'P1'],
    ['OBR-4.5', 'P1 meant'],
    ['OBR-4.6', 'DEPT'],
    ['OBR-12', 'INF'],
    ['OBR-13', 'Pacemaker'],
    ['OBR-15.5', 'L'],
    ['OBR-18', 'A1'],
    ['OBR-19', 'RP1'],
    ['OBR-20', 'S1'],
    ['OBR-24', 'MR'],
    ['OBR-27.4', '20260105093000'],
    ['OBR-30', 'WALK'],
    ['OBR-31.2', 'Headache'],
    ['OBR-41', 'A'],
    ['OBR-44', 'HEAD'],
    ['ZDS-1.1', '2.25.1'],
    ['ZDS-1.3', 'Application'],
    ['ZDS-1.4', 'DICOM'],
  ])('%s is %s', (place, value) => {
    expect(sent.get(place)).toBe(value);
  });

  it('gives each pair its number, its step and its own start', () => {
    const pairs = sent.all('OBR').map((obr, index) => {
      const orc = sent.all('ORC')[index];
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
  const sent = rad4('2.5.1');

  it('has exactly one order group, and one IPC for each protocol of each step', () => {
    expect(namesOf(sent)).toBe('MSH PID PV1 ORC TQ1 OBR IPC IPC IPC IPC');
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
    expect(sent.get(place)).toBe(value);
  });

  it.each(['MSH-8', 'ORC-7', 'OBR-15.5', 'OBR-18', 'OBR-27', 'IPC-7', 'IPC-8'])('%s is not used', (place) => {
    expect(sent.get(place)).toBeUndefined();
  });

  it('names step and protocol in each IPC, and all steps share the start in TQ1', () => {
    expect(sent.all('IPC').map((ipc) => [ipc.get(4), ipc.get(6)])).toEqual([
      ['S1', 'P1'],
      ['S2', 'P2'],
      ['S2', 'P3'],
      ['S3', undefined],
    ]);
    expect(sent.all('TQ1')).toHaveLength(1);
  });

  it('given a later step that was moved before the others, then TQ1-7 is its start: the procedure begins with it', () => {
    const moved = procedureToHl7(envelope('2.5.1'), subject, procedureMoved, procedureControls.scheduled);
    expect(received(moved).get('TQ1-7')).toBe('20260105084500');
  });
});

describe.each(versions)(
  'an order of the department that waits for its placer number (RAD TF-2 4.4), v%s',
  (version) => {
    it('leaves ORC-2 and OBR-2 empty and says the filler number', () => {
      const sent = rad4(version, { order: departmentOrder() });
      expect(valuesOf(sent, ['ORC-2', 'OBR-2', 'ORC-3', 'OBR-3'])).toEqual([undefined, undefined, 'F1', 'F1']);
    });
  },
);

describe.each(versions)('RAD-13 (RAD TF-2 4.13) in v%s', (version) => {
  it.each([
    ['cancelled', 'CA', 'CA'],
    ['discontinued', 'DC', 'CA'],
    ['changed', 'XO', 'SC'],
    ['changedAfterCompletion', 'XO', 'CM'],
  ] as const)('of a procedure that was %s says %s/%s in every ORC', (name, orderControl, orderStatus) => {
    const orcs = message(version, procedureControls[name]).all('ORC');
    const said = orcs.map((orc) => [orc.get(1), orc.get(5)]);
    expect(said).toEqual(Array(version === '2.3.1' ? 4 : 1).fill([orderControl, orderStatus]));
  });

  it.each(['cancelled', 'discontinued', 'changed', 'changedAfterCompletion'] as const)(
    'of a procedure that was %s is the whole RAD-4 again with the same numbers, but for ORC-1 and ORC-5',
    (name) => {
      const textOf = (control: ProcedureControl): string =>
        Buffer.from(procedureToHl7(envelope(version), subject, procedure, control).bytes).toString();
      const { orderControl, orderStatus } = procedureControls[name];
      const asScheduled = textOf(procedureControls[name])
        .replaceAll(`ORC|${orderControl}|`, 'ORC|NW|')
        .replaceAll(`|F1^SWF_OF|G1^EMR|${orderStatus}|`, '|F1^SWF_OF|G1^EMR|SC|');
      expect(asScheduled).toBe(textOf(procedureControls.scheduled));
    },
  );
});
