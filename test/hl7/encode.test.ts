import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeMessage, encodeReported, mshSegment } from '../../src/hl7/encode.ts';
import type { Field, SegmentValues } from '../../src/hl7/encode.ts';
import { parseMessage } from '../../src/hl7/message.ts';
import { failureOf, linesOf } from './support.ts';

const values = {
  sendingApplication: 'DSS',
  sendingFacility: 'RAD',
  receivingApplication: ['PACS', '1.2.3', 'ISO'],
  receivingFacility: 'RAD',
  dateTime: '20260105090500+0100',
  messageType: 'OMI',
  triggerEvent: 'O23',
  messageStructure: 'OMI_O23',
  controlId: 'C1',
  version: '2.5.1',
};
const msh = mshSegment(values);

function encode(segment: SegmentValues, characterSet = ''): Uint8Array {
  return encodeMessage([msh, segment], { characterSet });
}

const lineOf = (segment: SegmentValues): string | undefined => linesOf(encode(segment))[1];

describe('writing a message (HL7 v2.5.1 2.6)', () => {
  it('puts in MSH-1 and MSH-2 and ends every segment with CR', () => {
    expect(Buffer.from(encode(['PID', '1'])).toString()).toBe(
      'MSH|^~\\&|DSS|RAD|PACS^1.2.3^ISO|RAD|20260105090500+0100||OMI^O23^OMI_O23|C1|P|2.5.1\rPID|1\r',
    );
  });

  it('puts the profile into MSH-21', () => {
    const bytes = encodeMessage([mshSegment({ ...values, profile: ['RAD-4', 'IHE'] })], { characterSet: '' });
    expect(linesOf(bytes)[0]?.split('|')[20]).toBe('RAD-4^IHE');
  });

  it('writes components, subcomponents and repetitions', () => {
    const field: Field = { repetitions: [['1', undefined, undefined, ['A', '1.2', 'ISO']], ['2']] };
    expect(lineOf(['PID', undefined, undefined, field])).toBe('PID|||1^^^A&1.2&ISO~2');
  });

  it('leaves out what is empty at the end of fields and segments', () => {
    const field: Field = { repetitions: [[''], ['1', ['', ''], undefined], []] };
    expect(lineOf(['PID', field, '', undefined, [undefined, '']])).toBe('PID|~1');
  });

  it('writes null as an order to delete and two quotes as a text', () => {
    const segment: SegmentValues = ['PID', null, '""', ['a', null, '""']];
    expect(lineOf(segment)).toBe('PID|""|\\X22\\"|a^""^\\X22\\"');
    const pid = parseMessage(encode(segment)).first('PID');
    expect([pid?.get(1), pid?.get(2), pid?.get(3, 2), pid?.get(3, 3)]).toEqual([null, '""', null, '""']);
  });

  it('escapes delimiters, line ends and control characters', () => {
    expect(lineOf(['NTE', 'a|b^c~d\\e&f'])).toBe('NTE|a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f');
    expect(lineOf(['NTE', 'a\nb\rc\x0b\x1c\x7f'])).toBe('NTE|a\\.br\\b\\X0D\\c\\X0B\\\\X1C\\\\X7F\\');
  });

  it('passes a switch of character sets on as the switch it is (HL7 v2.5.1 2.7.3)', () => {
    const value = 'a\\C2D41\\b\\M242844\\c\\M24\\d\\C2842';
    expect(lineOf(['NTE', value])).toBe('NTE|a\\C2D41\\b\\M242844\\c\\E\\M24\\E\\d\\E\\C2842');
    expect(parseMessage(encode(['NTE', value])).get('NTE-1')).toBe(value);
  });

  it('writes the text of highlighting and of escape sequences as text (HL7 v2.5.1 2.7)', () => {
    const value = '\\H\\urgent\\N\\ \\X0D\\ \\.br\\ \\F\\';
    expect(lineOf(['NTE', value])).toContain('\\E\\H\\E\\urgent\\E\\N\\E\\');
    expect(parseMessage(encode(['NTE', value])).get('NTE-1')).toBe(value);
  });

  it('lets no value begin a segment of its own', () => {
    const lines = linesOf(encode(['PID', 'A\rEVN|x\nOBR|1']));
    expect(lines).toHaveLength(2);
  });

  it('refuses a first segment other than MSH, a second MSH and a name that is none', () => {
    const write = (segments: SegmentValues[]) => failureOf(() => encodeMessage(segments, { characterSet: '' })).code;
    expect(write([['PID']])).toBe('internal');
    expect(write([])).toBe('internal');
    expect(write([msh, msh])).toBe('internal');
    expect(write([msh, ['PID\r']])).toBe('internal');
  });
});

describe('MSH-18 of a message that is written', () => {
  const labelOf = (bytes: Uint8Array): string | undefined => linesOf(bytes, 'latin1')[0]?.split('|')[17];

  it('is empty for ASCII, whatever set is wanted', () => {
    expect(labelOf(encode(['PID', 'Mueller'], '8859/1'))).toBeUndefined();
  });

  it('names the wanted set, and the bytes are in it', () => {
    const bytes = encode(['PID', 'M\u00FCller'], '8859/1');
    expect(labelOf(bytes)).toBe('8859/1');
    expect(Buffer.from(bytes).includes(Buffer.from('M\xFCller', 'latin1'))).toBe(true);
  });

  it.each(['', '8859/1', '8859/15', 'GB 18030-2000', 'UNICODE UTF-8'])(
    'is a set that carries the text when %j is wanted',
    (set) => {
      const value = 'M\u00FCller \u6F22 \u0142 \u{1F600}';
      const message = parseMessage(encode(['PID', value], set));
      expect(message.get('PID-1')).toBe(value);
      expect(message.header.characterSets).toEqual([set === 'GB 18030-2000' ? set : 'UNICODE UTF-8']);
    },
  );

  it('repeats, where the wanted set is switched by escape sequences', () => {
    const bytes = encode(['PID', '\u9752\u6728'], 'ISO IR6~ISO IR87');
    expect(linesOf(bytes, 'latin1')).toEqual([expect.stringMatching(/\|ISO IR6~ISO IR87$/), 'PID|\x1b$B@DLZ\x1b(B']);
  });

  it.each([
    ['', 'M\u00FCller', true, 'UNICODE UTF-8'],
    ['8859/1', 'Mueller', true, ''],
    ['8859/1', 'M\u00FCller', true, '8859/1'],
    ['8859/1', '\u9752', false, 'UNICODE UTF-8'],
    ['ASCII', 'M\u00FCller', false, 'UNICODE UTF-8'],
    ['ISO IR6~ISO IR87', '\u9752', true, 'ISO IR6~ISO IR87'],
    ['ISO IR6~ISO IR87', 'M\u00FCller', false, 'UNICODE UTF-8'],
    ['KS X 1001', '\u9752\u{20BB7}', false, 'UNICODE UTF-8'],
  ])('given %j and the text %j, then it is said whether the set fits: %s', (wanted, value, fits, characterSet) => {
    const { bytes, ...report } = encodeReported([msh, ['PID', value]], { characterSet: wanted });
    expect(report).toEqual({ fits, characterSet });
    expect(parseMessage(bytes).get('PID-1')).toBe(value);
  });

  it('refuses a wanted set that is unknown', () => {
    expect(failureOf(() => encode(['PID', '1'], 'KLINGON')).code).toBe('value-not-found');
  });
});

describe('what is written is read again', () => {
  const sub = fc.oneof(
    fc.constant(undefined),
    fc.constant(null),
    // NUL is no character of a text: the reader leaves it out.
    fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((text) => !text.includes('\0')),
    fc.stringMatching(/^[|^~\\&\r\n"FSTREXHN.br0-9a-z]{1,12}$/),
    // Japanese and Korean between controls and delimiters: ESC is one of them.
    fc.string({
      unit: fc.constantFrom(...'\u3042\u9752\uC724\uFF71\u0416|^\\\x1B\x0E()$BJa'),
      minLength: 1,
      maxLength: 12,
    }),
  );
  const repetition = fc.array(fc.oneof(sub, fc.array(sub, { maxLength: 3 })), { maxLength: 4 });
  const fields = fc.array(fc.array(repetition, { minLength: 1, maxLength: 3 }), { maxLength: 5 });
  const sets = fc.constantFrom(
    ...['', '8859/1', '8859/5', 'GB 18030-2000', 'UNICODE UTF-8', 'ISO IR14~ISO IR87', '~KS X 1001~8859/5'],
  );

  it('for every value, at every place, in every set', () => {
    fc.assert(
      fc.property(fields, sets, (values, characterSet) => {
        const segment: SegmentValues = ['ZXX', 'x', ...values.map((repetitions) => ({ repetitions }))];
        const message = parseMessage(encode(segment, characterSet));
        expect(message.segments).toHaveLength(2);
        const read = message.first('ZXX');
        values.forEach((repetitions, f) =>
          repetitions.forEach((components, r) => {
            if (isDeleted(components)) return expect(read?.get(f + 2, 1, 1, r + 1)).toBeNull();
            components.forEach((component, c) => {
              if (isDeleted(subsOf(component))) return expect(read?.get(f + 2, c + 1, 1, r + 1)).toBeNull();
              subsOf(component).forEach((value, s) => expect(read?.get(f + 2, c + 1, s + 1, r + 1)).toBe(value));
            });
          }),
        );
      }),
      { seed: 3, numRuns: 400 },
    );
  });

  type Sub = string | null | undefined;
  const subsOf = (component: Sub | Sub[]): Sub[] => (Array.isArray(component) ? component : [component]);
  /** `""` alone deletes the whole component, or the whole field. */
  const isDeleted = (parts: (Sub | Sub[])[]): boolean => {
    const [first, ...others] = parts.flatMap((part) => (Array.isArray(part) && part.length === 0 ? [undefined] : part));
    return first === null && others.every((value) => value === undefined);
  };
});
