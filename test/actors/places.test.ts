import { describe, expect, it } from 'vitest';
import { dicomPlaceProblem, dicomValueAt, dicomValues, hl7Values } from '../../actors/places.ts';
import { dataset } from '../../src/dicom/dataset.ts';
import { parseMessage } from '../../src/hl7/message.ts';

const item = dataset({
  PatientID: 'P1',
  ReferencedFrameNumber: ['1', '2'],
  AccessionNumber: null,
  ScheduledProcedureStepSequence: [{ Modality: 'MR', ScheduledStationAETitle: ['MR1', 'MR2'] }, { Modality: 'CT' }],
});

describe('a DICOM place', () => {
  it.each([
    ['PatientID', 'P1'],
    ['ScheduledProcedureStepSequence[0].Modality', 'MR'],
    ['ScheduledProcedureStepSequence[1].Modality', 'CT'],
    ['ScheduledProcedureStepSequence[0].ScheduledStationAETitle', 'MR1\\MR2'],
    ['AccessionNumber', undefined],
    ['StudyInstanceUID', undefined],
    ['ScheduledProcedureStepSequence[2].Modality', undefined],
    ['PatientID[0].Modality', undefined],
  ])('%s reads %s', (place, value) => {
    expect(dicomValueAt(item, place)).toBe(value);
  });

  it('is a chain of items ending in a keyword of PS3.6', () => {
    expect(dicomPlaceProblem('ScheduledProcedureStepSequence[0].Modality')).toBeUndefined();
    expect(dicomPlaceProblem('00400100[0].00080060')).toBeUndefined();
    expect(dicomPlaceProblem('ScheduledProcedureStepSequence[0]')).toContain('is not a place');
    expect(dicomPlaceProblem('ScheduledProcedureStepSequence.Modality')).toContain('is not a place');
    expect(dicomPlaceProblem('PatientNmae')).toBe('PatientNmae is not a DICOM keyword');
  });

  it('offers the values of all items as identifiers', () => {
    expect(dicomValues(item)).toEqual(new Set(['P1', '1', '2', 'MR', 'MR1', 'MR2', 'CT']));
  });
});

describe('the values of an HL7 message', () => {
  it('are its fields and every part of them, by the delimiters it declares (HL7 v2.5.1 2.14.9.2)', () => {
    const text = 'MSH$%*\\#$A$B\rPID$$$P1%%%HOSP#1.2#ISO*P2';
    const { header } = parseMessage(Buffer.from('MSH$%*\\#$A$B$$$$$ADT%A04$1$P$2.5.1'));

    const values = hl7Values(text, header.delimiters);

    for (const value of ['P1', 'HOSP', '1.2', 'P2', 'P1%%%HOSP#1.2#ISO']) expect(values).toContain(value);
    expect(values).not.toContain('');
    expect(values).not.toContain('P');
  });
});
