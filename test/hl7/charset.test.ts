import { describe, expect, it } from 'vitest';
import { parseMessage, readText } from '../../src/hl7/message.ts';
import { failureOf } from './support.ts';

function message(set: string, name: Uint8Array): Uint8Array {
  const head = `MSH|^~\\&|EMR|H|DSS|RAD|||ADT^A04|C1|P|2.3.1||||||${set}\rPID|||1||`;
  return Buffer.concat([Buffer.from(head, 'latin1'), name, Buffer.from('^X\r')]);
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('MSH-18 Character Set (HL7 v2.5.1 2.14.9.18, table 0211)', () => {
  it.each([
    ['8859/1', bytes(0xfc), '\u00FC'],
    ['8859/2', bytes(0xb3), '\u0142'],
    ['8859/3', bytes(0xa1), '\u0126'],
    ['8859/4', bytes(0xb1), '\u0105'],
    ['8859/5', bytes(0xb0), '\u0410'],
    ['8859/6', bytes(0xc7), '\u0627'],
    ['8859/7', bytes(0xc1), '\u0391'],
    ['8859/8', bytes(0xe0), '\u05D0'],
    ['8859/9', bytes(0xdd), '\u0130'],
    ['8859/15', bytes(0xa4), '\u20AC'],
    ['UNICODE UTF-8', bytes(0xe6, 0xbc, 0xa2), '\u6F22'],
    ['GB 18030-2000', bytes(0xd6, 0xd0), '\u4E2D'],
    ['UTF-8', bytes(0xc3, 0xbc), '\u00FC'],
    ['ISO_8859-1', bytes(0xfc), '\u00FC'],
    ['ISO8859/1', bytes(0xfc), '\u00FC'],
    ['ISO IR100', bytes(0xfc), '\u00FC'],
    ['gb18030', bytes(0xd6, 0xd0), '\u4E2D'],
    ['~8859/2', bytes(0xb3), '\u0142'],
  ])('reads %s', (set, name, text) => {
    expect(parseMessage(message(set, name)).get('PID-5.1')).toBe(text);
  });

  it('does not take the second byte of a GB 18030 character for a delimiter', () => {
    const parsed = parseMessage(message('GB 18030-2000', bytes(0x81, 0x7c, 0x81, 0x5e, 0x81, 0x5c)));
    expect(parsed.get('PID-5.1')).toHaveLength(3);
    expect(parsed.get('PID-5.2')).toBe('X');
  });

  it.each(['KLINGON', 'UTF-16', 'UNICODE UTF-8~KLINGON'])('refuses %s with 103 at MSH-18', (set) => {
    expect(failureOf(() => parseMessage(message(set, bytes(0x41))))).toEqual({
      code: 'value-not-found',
      location: 'MSH^1^18',
    });
  });

  it.each(['BIG-5', 'CNS 11643-1992', 'UNICODE UTF-8~BIG-5'])(
    'refuses %s with 103 and says why: DICOM has no term for it',
    (set) => {
      const parse = () => parseMessage(message(set, bytes(0x41)));
      expect(failureOf(parse)).toEqual({ code: 'value-not-found', location: 'MSH^1^18' });
      expect(parse).toThrow(/DICOM.*UNICODE UTF-8/);
    },
  );

  it.each(['UNICODE UTF-8', '8859/3', 'GB 18030-2000', 'ISO IR6~ISO IR87', 'ISO IR14', '~KS X 1001'])(
    'refuses bytes that are not %s rather than guessing a name',
    (set) => {
      expect(failureOf(() => parseMessage(message(set, bytes(0xff, 0xa5, 0xff))))).toEqual({
        code: 'data-type',
        location: 'MSH^1^18',
      });
    },
  );

  it('shows the text of a message that is refused', () => {
    expect(readText(message('UNICODE UTF-8', bytes(0xfc)))).toContain('PID|||1||\u00FC^X');
    expect(readText(message('KLINGON', bytes(0x41)))).toContain('A^X');
    expect(readText(Buffer.from('hello'))).toBeUndefined();
  });
});

describe('a message without MSH-18', () => {
  it('is UTF-8 when it is valid UTF-8, else 8859/1', () => {
    const inUtf8 = parseMessage(message('', bytes(0xc3, 0xbc)));
    const inLatin1 = parseMessage(message('', bytes(0xfc)));
    expect([inUtf8.get('PID-5.1'), inUtf8.header.characterSet]).toEqual(['\u00FC', 'UNICODE UTF-8']);
    expect([inLatin1.get('PID-5.1'), inLatin1.header.characterSet]).toEqual(['\u00FC', '8859/1']);
    expect(parseMessage(message('', bytes(0x41))).header.characterSet).toBe('');
  });

  it('is read in the set that is given for the sender', () => {
    const parsed = parseMessage(message('', bytes(0xb3)), { characterSet: '8859/2' });
    expect(parsed.get('PID-5.1')).toBe('\u0142');
  });

  it('is treated like one that says ASCII', () => {
    expect(parseMessage(message('ASCII', bytes(0xfc))).get('PID-5.1')).toBe('\u00FC');
  });

  it('keeps to MSH-18 where it is there, whatever is given for the sender', () => {
    const parsed = parseMessage(message('8859/1', bytes(0xb3)), { characterSet: '8859/2' });
    expect(parsed.get('PID-5.1')).toBe('\u00B3');
  });
});
