import { describe, expect, it } from 'vitest';
import type { Hl7Message } from '../../src/hl7/message.ts';
import { type PatientNews, patientToHl7 } from '../../src/mapping/patient-to-hl7.ts';
import type { Hl7Version } from '../../src/mapping/segments-to-hl7.ts';
import { SwfError } from '../../src/platform/errors.ts';
import type { Visit } from '../../src/workflow/vocabulary.ts';
import { envelope, namesOf, received, subject, valuesOf, versions } from './outgoing.ts';

const visit: Visit = {
  visitNumber: 'V1',
  assigningAuthority: 'HOSP',
  patientClass: 'I',
  details: { location: { pointOfCare: 'W1', room: '12' }, visitIdentifier: { id: 'V1' } },
  visitStatus: 'OPEN',
};

const merged: PatientNews['merged'] = {
  identifiers: [
    { value: 'T1', assigningAuthority: 'SWF_OF' },
    { value: 'T2', assigningAuthority: 'CLINIC', universalId: '1.2.3', universalIdType: 'ISO' },
  ],
  name: { family: 'DOE', given: 'JO' },
};

const base: PatientNews = {
  triggerEvent: 'A08',
  patient: subject.patient,
  visit,
  recordedAt: new Date('2026-01-05T06:30:00Z'),
};

const news = (version: Hl7Version, more: Partial<PatientNews> = {}): Hl7Message =>
  received(patientToHl7(envelope(version), { ...base, ...more }));
const merge = (version: Hl7Version): Hl7Message => news(version, { triggerEvent: 'A40', merged });

describe.each(versions)('RAD-12 (RAD TF-2 4.12) in v%s', (version) => {
  it.each(['A02', 'A03', 'A06', 'A07', 'A08', 'A12', 'A13'] as const)('%s is MSH EVN PID PV1', (triggerEvent) => {
    const sent = news(version, { triggerEvent });
    expect(namesOf(sent)).toBe('MSH EVN PID PV1');
    expect(valuesOf(sent, ['MSH-9.1', 'MSH-9.2', 'MSH-12'])).toEqual(['ADT', triggerEvent, version]);
  });

  it('A40 is MSH EVN PID MRG', () => {
    expect(namesOf(merge(version))).toBe('MSH EVN PID MRG');
  });

  it('is under our own MSH, with the patient and the visit as they stand with us', () => {
    const sent = news(version);
    expect(valuesOf(sent, ['MSH-3', 'MSH-4', 'MSH-5', 'MSH-10'])).toEqual(['SWF_OF', 'RADIOLOGY', 'PEER', 'C1']);
    expect(valuesOf(sent, ['PID-3.1', 'PID-3.4', 'PID-5.1', 'PID-8'])).toEqual(['P1', 'HOSP', 'ALDER', 'F']);
    expect(valuesOf(sent, ['PV1-2', 'PV1-3.1', 'PV1-3.2', 'PV1-19'])).toEqual(['I', 'W1', '12', 'V1']);
  });

  it('given a patient without a visit, then PV1-2 is U: it must be valued', () => {
    expect(news(version, { visit: undefined }).get('PV1-2')).toBe('U');
  });

  it('says in EVN-2 when it was recorded, with the offset, and in EVN-6 when it happened as far as that is known', () => {
    const recorded = '20260105073000+0100';
    expect(valuesOf(news(version), ['EVN-2', 'EVN-6'])).toEqual([recorded, undefined]);
    expect(news(version, { occurredAt: '202601050725' }).get('EVN-6')).toBe('202601050725');
  });

  it('A40 names the survivor in PID, every identifier of the other in MRG-1 and his name in MRG-7', () => {
    const sent = merge(version);
    expect(valuesOf(sent, ['PID-3.1', 'PID-5.1'])).toEqual(['P1', 'ALDER']);
    expect(valuesOf(sent, ['MRG-1.1', 'MRG-1.4', 'MRG-1(2).1', 'MRG-1(2).4.2'])).toEqual([
      'T1',
      'SWF_OF',
      'T2',
      '1.2.3',
    ]);
    expect(valuesOf(sent, ['MRG-7.1', 'MRG-7.2'])).toEqual(['DOE', 'JO']);
  });

  it('given a merged name in two representations, then MRG-7 repeats as PID-5 does (XPN-8)', () => {
    const name = { family: 'YAMADA', ideographic: { family: '山田' } };
    const sent = news(version, { triggerEvent: 'A40', merged: { identifiers: merged.identifiers, name } });
    expect(valuesOf(sent, ['MRG-7.1', 'MRG-7.8', 'MRG-7(2).1', 'MRG-7(2).8'])).toEqual(['YAMADA', 'A', '山田', 'I']);
  });

  it('given a merged patient without a name, then MRG-7 is empty', () => {
    const nameless = { identifiers: merged.identifiers };
    expect(news(version, { triggerEvent: 'A40', merged: nameless }).get('MRG-7')).toBeUndefined();
  });

  it('given a merge that does not say who was merged, or another event that does, then it is not sent: the error names MRG', () => {
    const attempt = (): unknown => patientToHl7(envelope(version), { ...base, triggerEvent: 'A40' });
    expect(attempt).toThrow(SwfError);
    expect(attempt).toThrow(/MRG/);
    const empty = (): unknown =>
      patientToHl7(envelope(version), { ...base, triggerEvent: 'A40', merged: { identifiers: [] } });
    expect(empty).toThrow(/MRG/);
    const other = (): unknown => patientToHl7(envelope(version), { ...base, triggerEvent: 'A08', merged });
    expect(other).toThrow(/MRG/);
  });
});

describe('RAD-12 between the versions', () => {
  it.each([
    ['A02', 'ADT_A02'],
    ['A03', 'ADT_A03'],
    ['A06', 'ADT_A06'],
    ['A07', 'ADT_A06'],
    ['A08', 'ADT_A01'],
    ['A12', 'ADT_A12'],
    ['A13', 'ADT_A01'],
  ] as const)('%s of v2.5.1 has the structure %s (table 0354)', (triggerEvent, structure) => {
    expect(news('2.5.1', { triggerEvent }).get('MSH-9.3')).toBe(structure);
  });

  it('A40 of v2.5.1 has the structure ADT_A39 (table 0354)', () => {
    expect(merge('2.5.1').get('MSH-9.3')).toBe('ADT_A39');
  });

  it('the event stands in EVN-1 in v2.3.1 only (ITI TF-2 3.30)', () => {
    expect(news('2.3.1').get('EVN-1')).toBe('A08');
    expect(news('2.5.1').get('EVN-1')).toBeUndefined();
  });

  it('MRG-4 repeats the first merged identifier in v2.3.1 only', () => {
    expect(valuesOf(merge('2.3.1'), ['MRG-4.1', 'MRG-4.4'])).toEqual(['T1', 'SWF_OF']);
    expect(merge('2.5.1').get('MRG-4')).toBeUndefined();
  });

  it('v2.5.1 gives every identifier a type: PI where none is known', () => {
    expect(valuesOf(merge('2.5.1'), ['PID-3.5', 'MRG-1.5'])).toEqual(['PI', 'PI']);
    expect(valuesOf(merge('2.3.1'), ['PID-3.5', 'MRG-1.5'])).toEqual([undefined, undefined]);
  });
});
