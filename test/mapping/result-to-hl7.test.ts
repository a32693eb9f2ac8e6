import { describe, expect, it } from 'vitest';
import type { Hl7Message } from '../../src/hl7/message.ts';
import { type ReportNews, resultToHl7 } from '../../src/mapping/result-to-hl7.ts';
import type { Hl7Version } from '../../src/mapping/segments-to-hl7.ts';
import { envelope, namesOf, procedure, received, subject, valuesOf, versions } from './outgoing.ts';

const report: ReportNews = {
  resultStatus: 'F',
  lines: ['No fracture.', 'Follow-up | in & 2 weeks.'],
  reportedAt: '20260105101500',
  interpreter: { id: 'D9', family: 'REED', given: 'RUTH', assigningAuthority: { namespace: 'HOSP' } },
};

const result = (version: Hl7Version, more: Partial<ReportNews> = {}): Hl7Message =>
  received(resultToHl7(envelope(version), subject, procedure, { ...report, ...more }));

describe.each(versions)('a report for the order placer (ORU^R01, HL7 v2.5.1 7.3.1) in v%s', (version) => {
  it('has the study and each line of the text as an observation', () => {
    expect(namesOf(result(version))).toBe('MSH PID PV1 ORC OBR OBX OBX OBX');
  });

  it.each([
    ['MSH-9.1', 'ORU'],
    ['MSH-9.2', 'R01'],
    ['MSH-12', version],
    ['PID-3.1', 'P1'],
    ['ORC-1', 'RE'],
    ['ORC-2', 'O1'],
    ['ORC-3', 'F1'],
    ['OBR-2', 'O1'],
    ['OBR-3', 'F1'],
    ['OBR-4.1', 'HEAD'],
    ['OBR-4.2', 'Head'],
    ['OBR-4.3', 'PLAN'],
    ['OBR-16', 'D1'],
    ['OBR-22', '20260105101500'],
    ['OBR-25', 'F'],
    ['OBR-32.1.1', 'D9'],
    ['OBR-32.1.2', 'REED'],
    ['OBR-32.1.3', 'RUTH'],
    ['OBR-32.1.9', 'HOSP'],
  ])('%s is %s', (place, value) => {
    expect(result(version).get(place)).toBe(value);
  });

  it('says no status of the order: a result is not one (ORC-5)', () => {
    expect(result(version).get('ORC-5')).toBeUndefined();
  });

  it('names the study as 110180 of DCM, before the text as 18748-4 of LN', () => {
    const rows = result(version)
      .all('OBX')
      .map((obx) => [obx.get(1), obx.get(2), obx.get(3, 1), obx.get(3, 3), obx.get(4), obx.get(5), obx.get(11)]);
    expect(rows).toEqual([
      ['1', 'ST', '110180', 'DCM', '1', '2.25.1', 'F'],
      ['2', 'TX', '18748-4', 'LN', '1', 'No fracture.', 'F'],
      ['3', 'TX', '18748-4', 'LN', '1', 'Follow-up | in & 2 weeks.', 'F'],
    ]);
  });

  it.each(['P', 'F', 'C'] as const)('%s stands in OBR-25 and in OBX-11 of every observation', (resultStatus) => {
    const sent = result(version, { resultStatus });
    expect([sent.get('OBR-25'), ...sent.all('OBX').map((obx) => obx.get(11))]).toEqual(Array(4).fill(resultStatus));
  });

  it('given a report without a time, then OBR-22 is the time of the message: a report must have one', () => {
    expect(result(version, { reportedAt: undefined }).get('OBR-22')).toBe('20260105080000+0100');
  });

  it('given a report without text or reader, then the study alone is observed and OBR-32 is empty', () => {
    const sent = result(version, { lines: [], interpreter: undefined });
    expect(namesOf(sent)).toBe('MSH PID PV1 ORC OBR OBX');
    expect(sent.get('OBR-32')).toBeUndefined();
  });

  it('given an empty line between two, then it keeps its place', () => {
    const lines = result(version, { lines: ['one', '', 'three'] }).all('OBX');
    expect(lines.slice(1).map((obx) => obx.get(5))).toEqual(['one', undefined, 'three']);
  });
});

describe('a report between the versions', () => {
  it('v2.3.1 has accession number and requested procedure ID in OBR-18 and OBR-19; v2.5.1 has no place for them', () => {
    expect(valuesOf(result('2.3.1'), ['OBR-18', 'OBR-19'])).toEqual(['A1', 'RP1']);
    expect(valuesOf(result('2.5.1'), ['OBR-18', 'OBR-19'])).toEqual([undefined, undefined]);
  });
});
