import { describe, expect, it } from 'vitest';
import { encodeReported, mshSegment } from '../../src/hl7/encode.ts';
import { parseMessage, readHeader, readText, usesEscapes } from '../../src/hl7/message.ts';
import { createDeframer, frame } from '../../src/hl7/mllp.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** PID-5 as bytes, each character one of them. */
function received(set: string, name: string, end = '\r'): Buffer {
  const head = `MSH|^~\\&|EMR|H|DSS|RAD|||ADT^A04|C1|P|2.5.1||||||${set}`;
  return latin1([head, `PID|||1||${name}`, 'NTE|1||after', ''].join(end));
}

const msh = mshSegment({
  sendingApplication: 'DSS',
  receivingApplication: 'EMR',
  dateTime: '20260105090500',
  messageType: 'ADT',
  triggerEvent: 'A04',
  controlId: 'C1',
  version: '2.5.1',
});

type Repetitions = readonly (readonly string[])[];

/** PID-5 as it is written, each byte as one character. */
function written(set: string, repetitions: Repetitions): string {
  const pid = ['PID', undefined, undefined, '1', undefined, { repetitions }] as const;
  const { bytes, fits, characterSet } = encodeReported([msh, pid], { characterSet: set });
  expect([fits, characterSet]).toEqual([true, set]);
  const [head = '', line = ''] = Buffer.from(bytes).toString('latin1').split('\r');
  expect(head.split('|')[17]).toBe(set);
  return line.slice('PID|||1||'.length);
}

function namesIn(bytes: Uint8Array): string[][] {
  const pid = parseMessage(bytes).first('PID');
  const count = pid?.repetitions(5) ?? 0;
  return Array.from({ length: count }, (_, r) => [1, 2].map((component) => pid?.get(5, component, 1, r + 1) ?? ''));
}

// Invented names; the bytes are those of an independent encoder for each set.
const names: readonly [set: string, bytes: string, repetitions: Repetitions][] = [
  ['8859/1', 'M\xfc\xdfig^J\xf6rn', [['Müßig', 'Jörn']]],
  ['8859/2', '\xa3\xb1cka^\xafaneta', [['Łącka', 'Żaneta']]],
  ['8859/3', '\xa1a\xbf-\xafebbu\xf5^X', [['Ħaż-Żebbuġ', 'X']]],
  ['8859/4', '\xd3elle^X', [['Ķelle', 'X']]],
  ['8859/5', '\xc1\xde\xda\xde\xdb\xde\xd2\xd0^\xb2\xd5\xe0\xd0', [['Соколова', 'Вера']]],
  ['8859/6', '\xd3\xc7\xe4\xe5^\xe7\xcf\xe9', [['سالم', 'هدى']]],
  ['8859/7', '\xca\xe1\xeb\xeb\xde^\xc5\xeb\xdd\xed\xe7', [['Καλλή', 'Ελένη']]],
  ['8859/8', '\xec\xe5\xe9^\xf0\xe5\xf2\xe4', [['לוי', 'נועה']]],
  ['8859/9', 'A\xf0ao\xf0lu^X', [['Ağaoğlu', 'X']]],
  ['8859/15', '\xbcillet^\xa4', [['Œillet', '€']]],
  ['UNICODE UTF-8', '\xe9\x9d\x92\xe6\x9c\xa8^X', [['青木', 'X']]],
  ['GB 18030-2000', '\xc1\xd6^\xcf\xfe\xd1\xe0\x954\xb25', [['林', '晓燕\u{20BB7}']]],
  ['ISO IR14', '\xb1\xb5\xb7^\xd0\xbb\xb7', [['ｱｵｷ', 'ﾐｻｷ']]],
  ['ISO IR87', '\x1b$B@DLZ\x1b(B^\x1b$BH~:i\x1b(B', [['青木', '美咲']]],
  ['ISO IR159', '\x1b$(D0!\x1b(B^X', [['丂', 'X']]],
  ['KS X 1001', '\xbe\xc6^\xc0\xb1\xbc\xad', [['아', '윤서']]],
  [
    'ISO IR6~ISO IR87',
    'AOKI^MISAKI~\x1b$B@DLZ\x1b(B^\x1b$BH~:i\x1b(B~\x1b$B$"$*$-\x1b(B^\x1b$B$_$5$-\x1b(B',
    [
      ['AOKI', 'MISAKI'],
      ['青木', '美咲'],
      ['あおき', 'みさき'],
    ],
  ],
  ['~ISO IR14~ISO IR87~ISO IR159', '\x1b$BU%\x1b$(D0!\x1b(B^\x1b)I\xb1\xb5\xb7', [['侫丂', 'ｱｵｷ']]],
  ['ISO IR14~ISO IR87', '\xb1\xb5\xb7^\x1b$B@DLZ\x1b(J', [['ｱｵｷ', '青木']]],
  [
    '~KS X 1001',
    'YUN^AH~\x1b$)C\xeb\xc5^\x1b$)C\xe4\xb9~\x1b$)C\xc0\xb1^\x1b$)C\xbe\xc6',
    [
      ['YUN', 'AH'],
      ['尹', '阿'],
      ['윤', '아'],
    ],
  ],
  ['8859/1~8859/5', 'M\xfcller^\x1b-L\xb2\xd5\xe0\xd0\x1b-A~\xd6', [['Müller', 'Вера'], ['Ö']]],
];

describe('every character set of HL7 table 0211 that DICOM has a term for', () => {
  it.each(names)('given a name in %s, then it is read as it was meant', (set, bytes, repetitions) => {
    const values = repetitions.map((parts) => [parts[0], parts[1] ?? '']);
    expect(namesIn(received(set, bytes))).toEqual(values);
  });

  it.each(names)(
    'given a peer that wants %s, then the same bytes are written under that label',
    (set, bytes, parts) => {
      expect(written(set, parts)).toBe(bytes);
    },
  );

  it.each(['\r', '\n', '\r\n'])('given lines that end in %j, then a switched set is read the same', (end) => {
    const message = received('ISO IR6~ISO IR87', '\x1b$B@DLZ\x1b(B', end);
    expect(parseMessage(message).get('PID-5')).toBe('青木');
    expect(parseMessage(message).get('NTE-3')).toBe('after');
  });

  it.each([
    ['ISO 2022 IR 6~ISO 2022 IR 87', '\x1b$B@DLZ\x1b(B', '青木'],
    ['ASCII~iso-ir-87', '\x1b$B@DLZ\x1b(B', '青木'],
    ['ISO_IR 13', '\xb1', 'ｱ'],
    ['ks_x_1001', '\xbe\xc6', '아'],
    ['ISO IR149', '\xbe\xc6', '아'],
  ])('given the spelling %s, then it means the same set', (set, bytes, name) => {
    expect(parseMessage(received(set, bytes)).get('PID-5')).toBe(name);
  });
});

describe('ISO 2022 in HL7 (HL7 v2.5.1 2.14.9.18, 2.14.9.20; table 0356)', () => {
  const japanese = 'ISO IR6~ISO IR87';

  it('given a two-byte character whose second byte looks like a delimiter, then it is none', () => {
    // given: the second bytes are | ^ ~ \ &
    const bytes = '\x1b$B0|0^0~0\\0&\x1b(B^X~Y';
    // when
    const message = received(japanese, bytes);
    // then
    expect(namesIn(message)).toEqual([
      ['淫緯蔭移愛', 'X'],
      ['Y', ''],
    ]);
    expect(written(japanese, [['淫緯蔭移愛', 'X'], ['Y']])).toBe(bytes);
  });

  it('given a sender that forgets to switch back, then the end of the segment does it', () => {
    const message = parseMessage(received(japanese, 'AOKI^\x1b$BH~:i'));
    expect([message.get('PID-5.2'), message.get('NTE-3')]).toEqual(['美咲', 'after']);
  });

  it.each([
    ['SO and SI (ISO-2022-KR)', '~KS X 1001', '\x1b$)C\x0e@1<-\x0f^X', '윤서'],
    ['SO and SI without a designation', '~KS X 1001', '\x0e@1<-\x0f^X', '윤서'],
    ['no escape sequence at all', '~KS X 1001', '\xc0\xb1\xbc\xad^X', '윤서'],
    ['no escape sequence for katakana', '~ISO IR14~ISO IR87', '\xb1^X', 'ｱ'],
    ['seven-bit katakana', '~ISO IR14~ISO IR87', '\x1b(I15\x1b(B^X', 'ｱｵ'],
    ['the escape sequence of 1978', japanese, '\x1b$@@DLZ\x1b(J^X', '青木'],
  ])('given %s, then the name is read nevertheless', (_, set, bytes, name) => {
    expect(namesIn(received(set, bytes))).toEqual([[name, 'X']]);
  });

  it.each([
    ['an escape sequence that is not known', '\x1b$Zxx'],
    ['half a two-byte character', '\x1b$B@DL\x1b(B'],
    ['a code without a character', '\x1b$B\x7e\x7e\x1b(B'],
    ['bytes above 0x7F with nothing designated for them', 'M\xfcller'],
  ])('given %s, then the message is refused at MSH-18 in place of a guess', (_, name) => {
    expect(() => parseMessage(received(japanese, name))).toThrow(/not valid in ISO IR6~ISO IR87/);
    expect(readText(received(japanese, name))).toContain('PID|||1||');
  });

  it('given switches that are written with the escape character of HL7, then they count as well (2.7.3)', () => {
    const message = received(japanese, '\\M2442\\@D0|\\C2842\\^X\\C2842\\');
    expect(namesIn(message)).toEqual([['青淫', 'X']]);
    expect(readText(message)).toContain('青淫^X');
  });

  it('given a switch to a set that is not known, then it stays as it stands', () => {
    expect(parseMessage(received(japanese, 'a\\C2D7A\\b')).get('PID-5')).toBe('a\\C2D7A\\b');
  });

  it('given bytes in hexadecimal, then they are read in the sets of the message', () => {
    const name = '\\X1B24424044\\\\X4C5A1B2842\\^\\X0D\\\\X1B\\';
    expect(namesIn(received(japanese, name))).toEqual([['青木', '\r\x1b']]);
    expect(parseMessage(received('~KS X 1001', '\\XBEC6\\')).get('PID-5')).toBe('아');
  });

  it('given a sender without MSH-18 whose sets the site knows, then the message is read in them', () => {
    const parsed = parseMessage(received('', '\x1b$B@DLZ\x1b(B'), { characterSet: japanese });
    expect([parsed.get('PID-5'), parsed.header.characterSet]).toEqual(['青木', japanese]);
  });

  it('tells which messages may hold ESC, SO and SI', () => {
    const uses = (set: string) => usesEscapes(parseMessage(received(set, 'X')).header);
    expect([japanese, 'ISO IR14', 'KS X 1001', '~8859/5'].map(uses)).toEqual([true, true, true, true]);
    expect(['', 'ASCII', '8859/1', 'UNICODE UTF-8', '~UNICODE UTF-8'].map(uses)).toEqual(Array(5).fill(false));
    const unknown = readHeader(received('KLINGON', 'X'));
    expect(unknown && usesEscapes(unknown)).toBe(false);
  });

  it('given a frame that is cut in two at any byte, then the names are the same', () => {
    const message = received('~ISO IR87~KS X 1001', '\x1b$B@DLZ\x1b(B^\x1b$)C\xc0\xb1\xbc\xad');
    const framed = Buffer.from(frame(message));
    for (let cut = 1; cut < framed.length; cut++) {
      const deframer = createDeframer({ messageBytes: 1000 });
      const events = [framed.subarray(0, cut), framed.subarray(cut)].flatMap((chunk) => deframer.push(chunk));
      const whole = events.flatMap((event) => (event.kind === 'frame' ? [namesIn(event.message)] : []));
      expect([cut, whole]).toEqual([cut, [[['青木', '윤서']]]]);
    }
  });
});
