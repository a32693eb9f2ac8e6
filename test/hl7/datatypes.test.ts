import { describe, expect, it } from 'vitest';
import {
  cwe,
  cx,
  ei,
  formatLocalTimestamp,
  formatTimestamp,
  pl,
  readTimestamp,
  siteTimeOf,
  toCwe,
  toCx,
  toEi,
  toPl,
  toXcn,
  toXpn,
  xcn,
  xpn,
} from '../../src/hl7/datatypes.ts';
import { encodeMessage, mshSegment } from '../../src/hl7/encode.ts';
import type { Field } from '../../src/hl7/encode.ts';
import { parseMessage } from '../../src/hl7/message.ts';
import type { Segment } from '../../src/hl7/message.ts';
import { failureOf } from './support.ts';

const msh = mshSegment({
  sendingApplication: 'A',
  dateTime: '20260105',
  messageType: 'ADT',
  triggerEvent: 'A04',
  controlId: '1',
  version: '2.5.1',
});

/** Field 1 of a segment. */
function written(field: Field): Segment {
  const segment = parseMessage(encodeMessage([msh, ['ZXX', field, 'x']], { characterSet: '' })).first('ZXX');
  if (!segment) throw new Error('the segment is missing');
  return segment;
}

function read(text: string): Segment {
  const segment = parseMessage(Buffer.from(`MSH|^~\\&|A|||||| ADT^A04|1|P|2.5.1\rZXX|${text}`)).first('ZXX');
  if (!segment) throw new Error('the segment is missing');
  return segment;
}

describe('data types as plain objects (HL7 v2.5.1 chapter 2A)', () => {
  it('reads CX, its authority in subcomponents', () => {
    const segment = read('1^^^ADT1&1.2.3&ISO^MR~2');
    expect(cx(segment, 1)).toEqual({
      id: '1',
      assigningAuthority: { namespace: 'ADT1', universalId: '1.2.3', universalIdType: 'ISO' },
      identifierType: 'MR',
    });
    expect(cx(segment, 1, 2)).toEqual({ id: '2' });
    expect(cx(segment, 1, 3)).toBeUndefined();
  });

  it('reads XPN and XCN; the surname is the first part of FN', () => {
    expect(xpn(read('van Berg&van&Berg^Anna^M^Jr^Dr^MD^L^A'), 1)).toEqual({
      family: 'van Berg',
      given: 'Anna',
      middle: 'M',
      suffix: 'Jr',
      prefix: 'Dr',
      degree: 'MD',
      nameType: 'L',
      representation: 'A',
    });
    expect(xcn(read('7^Berg^Anna^^^Dr^^^EMR&1.2&ISO^L^^^^^I'), 1)).toEqual({
      id: '7',
      family: 'Berg',
      given: 'Anna',
      prefix: 'Dr',
      assigningAuthority: { namespace: 'EMR', universalId: '1.2', universalIdType: 'ISO' },
      nameType: 'L',
      representation: 'I',
    });
  });

  it('omits what is absent or deleted, and gives undefined where nothing is left', () => {
    expect(xpn(read('Berg^""'), 1)).toEqual({ family: 'Berg' });
    for (const text of ['', '""', '^^^&&']) {
      const segment = read(text);
      const values = [cx, xpn, xcn, ei, cwe, pl].map((type) => type(segment, 1));
      expect(values).toEqual(Array(6).fill(undefined));
    }
    expect(cx(read('^^^ADT1'), 1)).toBeUndefined();
  });

  it('writes each type as it reads it', () => {
    const hd = { namespace: 'N', universalId: '1.2', universalIdType: 'ISO' };
    const name = { family: 'Be|rg', given: 'A^', middle: 'M', suffix: 'S', prefix: 'P', degree: 'D' };
    const xname = { ...name, nameType: 'L', representation: 'A' };
    const code = {
      code: 'C',
      meaning: 'M',
      scheme: 'S',
      alternateCode: 'c',
      alternateMeaning: 'm',
      alternateScheme: 's',
    };
    const place = { pointOfCare: 'W', room: '1', bed: '2', facility: 'F' };
    const identifier = { id: '1', assigningAuthority: hd, identifierType: 'MR' };
    expect(cx(written(toCx(identifier)), 1)).toEqual(identifier);
    expect(xpn(written(toXpn(xname)), 1)).toEqual(xname);
    expect(xcn(written(toXcn({ id: '9', ...xname, assigningAuthority: hd })), 1)).toEqual({
      id: '9',
      ...xname,
      assigningAuthority: hd,
    });
    expect(ei(written(toEi({ id: '1', ...hd })), 1)).toEqual({ id: '1', ...hd });
    expect(cwe(written(toCwe(code)), 1)).toEqual(code);
    expect(pl(written(toPl(place)), 1)).toEqual(place);
  });
});

describe('time stamps (TS, HL7 v2.5.1 chapter 2A)', () => {
  it.each([
    ['20260105', { date: '2026-01-05' }],
    ['2026010509', { date: '2026-01-05', time: '09:00:00' }],
    ['202601050930', { date: '2026-01-05', time: '09:30:00' }],
    ['20260105093015', { date: '2026-01-05', time: '09:30:15' }],
    ['20260105093015.1234-0330', { date: '2026-01-05', time: '09:30:15', offset: '-0330' }],
    ['202601050930+0100', { date: '2026-01-05', time: '09:30:00', offset: '+0100' }],
    ['20240229', { date: '2024-02-29' }],
  ])('reads %s', (text, timestamp) => {
    expect(readTimestamp(text)).toEqual(timestamp);
  });

  it.each([
    '',
    '2026',
    '202601',
    '20260230',
    '20261301',
    '20260100',
    '2026010524',
    '202601050960',
    '20260105093060',
    '2026010509301',
    '20260105+1500',
    '20260105-1300',
    '20260105+0060',
    '2026-01-05',
    'today',
  ])('refuses %j with 102', (text) => {
    expect(failureOf(() => readTimestamp(text)).code).toBe('data-type');
  });

  it('turns an offset into the time of the site and leaves a local time as it is', () => {
    const siteTime = (text: string) => siteTimeOf(readTimestamp(text), 'Europe/Berlin');
    expect(siteTime('20260105233000+0000')).toEqual({ date: '2026-01-06', time: '00:30:00' });
    expect(siteTime('20260705120000-0430')).toEqual({ date: '2026-07-05', time: '18:30:00' });
    expect(siteTime('20260105233000')).toEqual({ date: '2026-01-05', time: '23:30:00' });
    expect(siteTime('20260105+0000')).toEqual({ date: '2026-01-05' });
  });

  it('writes an instant with the offset of the zone, and a local time without', () => {
    const instant = new Date('2026-01-05T08:05:00Z');
    expect(formatTimestamp(instant, 'Europe/Berlin')).toBe('20260105090500+0100');
    expect(formatTimestamp(instant, 'UTC')).toBe('20260105080500+0000');
    expect(formatLocalTimestamp({ date: '2026-01-05', time: '09:30:00' })).toBe('20260105093000');
    expect(formatLocalTimestamp({ date: '2026-01-05' })).toBe('20260105');
  });
});
