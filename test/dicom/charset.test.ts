import { describe, expect, it } from 'vitest';
import { canEncode, characterSetOf } from '../../src/dicom/charset.ts';
import { SwfError } from '../../src/platform/errors.ts';

const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');

// Names as the standard prints them (PS3.5 annexes H to K) and one per single-byte set (PS3.3 table C.12-2).
const NAMES: readonly [terms: string[], encoded: Buffer, text: string][] = [
  [['ISO_IR 100'], bytes('M\xfcller^J\xf6rg'), 'Müller^Jörg'],
  [['ISO_IR 101'], bytes('W\xb3adys\xb3aw'), 'Władysław'],
  [['ISO_IR 109'], bytes('\xbdurdan'), '½urdan'],
  [['ISO_IR 110'], bytes('\xd0ikule'), 'Đikule'],
  [['ISO_IR 144'], bytes('\xbb\xee\xda'), 'Люк'],
  [['ISO_IR 127'], bytes('\xe2\xc8\xc7\xe6\xea'), 'قباني'],
  [['ISO_IR 126'], bytes('\xc4\xe9\xef\xed'), 'Διον'],
  [['ISO_IR 138'], bytes('\xf9\xf8\xe5\xef'), 'שרון'],
  [['ISO_IR 148'], bytes('\xdeahin^\xddnci'), 'Şahin^İnci'],
  [['ISO_IR 203'], bytes('\xbcuvre \xa4'), 'Œuvre €'],
  [['ISO_IR 166'], bytes('\xca\xc1\xaa\xd2\xc2'), 'สมชาย'],
  [['ISO_IR 13'], bytes('\xd4\xcf\xc0\xde^\xc0\xdb\xb3'), 'ﾔﾏﾀﾞ^ﾀﾛｳ'],
  [['ISO_IR 192'], Buffer.from('Wang^XiaoDong=王^小東'), 'Wang^XiaoDong=王^小東'],
  [['GB18030'], bytes('Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab'), 'Wang^XiaoDong=王^小东'],
  [
    ['', 'ISO 2022 IR 87'],
    bytes('Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B'),
    'Yamada^Tarou=山田^太郎=やまだ^たろう',
  ],
  [
    ['ISO 2022 IR 13', 'ISO 2022 IR 87'],
    bytes('\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J'),
    'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
  ],
  [
    ['', 'ISO 2022 IR 149'],
    bytes('Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf'),
    'Hong^Gildong=洪^吉洞=홍^길동',
  ],
  [['', 'ISO 2022 IR 58'], bytes('Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab'), 'Zhang^XiaoDong=张^小东'],
  [['', 'ISO 2022 IR 87', 'ISO 2022 IR 159'], bytes('A=\x1b$(D0!\x1b(B'), 'A=丂'],
  [['ISO 2022 IR 100', 'ISO 2022 IR 144'], bytes('J\xf6rg=\x1b-L\xbb\xee\xda'), 'Jörg=Люк'],
];

describe('PS3.3 C.12.1.1.2 Specific Character Set', () => {
  it.each(NAMES)('reads a name in %j', (terms, encoded, text) => {
    expect(characterSetOf(terms).decode(encoded, true)).toBe(text);
  });

  it.each(NAMES)('writes the same bytes for a name in %j', (terms, encoded, text) => {
    expect(characterSetOf(terms).encode(text, true)).toEqual(encoded);
  });

  it('takes the second byte of a two-byte character for no backslash (PS3.5 6.1.2.5.3)', () => {
    // given: JIS X 0208 row 33, whose characters may have 0x5C as second byte
    const set = characterSetOf(['', 'ISO 2022 IR 87']);
    const encoded = bytes('\x1b$B!\\\x1b(B');
    // when, then
    expect(set.decode(encoded, true)).toBe('＋');
    expect(set.encode('＋', true)).toEqual(encoded);
  });

  it('goes back to the first set after a line break (PS3.5 6.1.2.5.3)', () => {
    const set = characterSetOf(['', 'ISO 2022 IR 149']);
    const written = set.encode('홍\r\n길', false);
    expect(written).toEqual(bytes('\x1b$)C\xc8\xab\r\n\x1b$)C\xb1\xe6'));
    expect(set.decode(written, false)).toBe('홍\r\n길');
  });

  it('refuses a character that the set does not have, in place of writing a question mark', () => {
    expect(() => characterSetOf(['ISO_IR 100']).encode('Łukasz', true)).toThrow(SwfError);
    expect(() => characterSetOf(['', 'ISO 2022 IR 87']).encode('Müller', true)).toThrow(SwfError);
    expect(canEncode('山', ['ISO_IR 100'])).toBe(false);
  });

  it('reads ASCII in a set that it does not know, and nothing else', () => {
    const set = characterSetOf(['ISO_IR 999']);
    expect(set.decode(bytes('ADAMS'), true)).toBe('ADAMS');
    expect(() => set.decode(bytes('M\xfcller'), true)).toThrow(/not supported/);
  });

  it('refuses an escape sequence that designates no known set', () => {
    expect(() => characterSetOf(['', 'ISO 2022 IR 87']).decode(bytes('\x1b$Zxx'), true)).toThrow(SwfError);
  });

  it('reads a vendor row of JIS X 0208 and never writes one: no other reader knows it (PS3.3 table C.12-4)', () => {
    const set = characterSetOf(['', 'ISO 2022 IR 87']);
    expect(set.decode(bytes('\x1b$B|b\x1b(B'), true)).toBe('髙');
    expect(canEncode('高', ['', 'ISO 2022 IR 87'])).toBe(true);
    expect(canEncode('髙', ['', 'ISO 2022 IR 87'])).toBe(false);
  });

  it('reads the one set beside ASCII also where its escape sequence was left out', () => {
    const set = characterSetOf(['', 'ISO 2022 IR 149']);
    expect(set.decode(bytes('Hong=\xfb\xf3=\xc8\xab'), true)).toBe('Hong=洪=홍');
    expect(set.decode(bytes('\x1b$)C\xc8\xab\r\n\xb1\xe6'), false)).toBe('홍\r\n길');
    // with two of them nobody can know
    expect(characterSetOf(['', 'ISO 2022 IR 149', 'ISO 2022 IR 100']).decode(bytes('\xfc'), true)).toBe('ü');
  });

  it('keeps undeclared bytes beyond ASCII as Latin-1', () => {
    expect(characterSetOf([]).decode(bytes('M\xfcller'), true)).toBe('Müller');
  });
});
