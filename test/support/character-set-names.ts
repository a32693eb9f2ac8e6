import { messageOf, msh, segment } from './messages.ts';

/** A person name in one of the sets of HL7 table 0211 (PS3.3 C.12.1.1.2). */
export interface NameIn {
  /** MSH-18 */
  readonly set: string;
  /** PID-5, each byte as one character: the bytes of an independent encoder. */
  readonly bytes: string;
  /** The name that it stands for, as DICOM writes it (PS3.5 6.2.1.2). */
  readonly name: string;
  /** (0008,0005) of a station that can read it. */
  readonly terms: string;
  /** A set that cannot carry it. */
  readonly other: string;
}

/** ASCII with Japanese, as MSH-18 and as (0008,0005). */
export const japanese = { set: 'ISO IR6~ISO IR87', terms: '\\ISO 2022 IR 87' };
const korean = { set: '~KS X 1001', terms: '\\ISO 2022 IR 149' };

// Invented names in every set of HL7 table 0211 that DICOM has a term for (PS3.3 C.12.1.1.2).
export const names: readonly NameIn[] = [
  { set: '8859/1', bytes: 'M\xfc\xdfig^J\xf6rn', name: 'Müßig^Jörn', terms: 'ISO_IR 100', other: '8859/5' },
  { set: '8859/2', bytes: '\xa3\xb1cka^\xafaneta', name: 'Łącka^Żaneta', terms: 'ISO_IR 101', other: '8859/1' },
  { set: '8859/3', bytes: '\xa1a\xbf-\xafebbu\xf5^X', name: 'Ħaż-Żebbuġ^X', terms: 'ISO_IR 109', other: '8859/1' },
  { set: '8859/4', bytes: '\xd3elle^X', name: 'Ķelle^X', terms: 'ISO_IR 110', other: '8859/1' },
  {
    set: '8859/5',
    bytes: '\xc1\xde\xda\xde\xdb\xde\xd2\xd0^\xb2\xd5\xe0\xd0',
    name: 'Соколова^Вера',
    terms: 'ISO_IR 144',
    other: '8859/7',
  },
  { set: '8859/6', bytes: '\xd3\xc7\xe4\xe5^\xe7\xcf\xe9', name: 'سالم^هدى', terms: 'ISO_IR 127', other: '8859/8' },
  {
    set: '8859/7',
    bytes: '\xca\xe1\xeb\xeb\xde^\xc5\xeb\xdd\xed\xe7',
    name: 'Καλλή^Ελένη',
    terms: 'ISO_IR 126',
    other: '8859/5',
  },
  { set: '8859/8', bytes: '\xec\xe5\xe9^\xf0\xe5\xf2\xe4', name: 'לוי^נועה', terms: 'ISO_IR 138', other: '8859/6' },
  { set: '8859/9', bytes: 'A\xf0ao\xf0lu^X', name: 'Ağaoğlu^X', terms: 'ISO_IR 148', other: '8859/1' },
  { set: '8859/15', bytes: '\xbcillet^Zo\xe9', name: 'Œillet^Zoé', terms: 'ISO_IR 203', other: '8859/1' },
  { set: 'UNICODE UTF-8', bytes: '\xe9\x9d\x92\xe6\x9c\xa8^X', name: '青木^X', terms: 'ISO_IR 192', other: '8859/1' },
  {
    set: 'GB 18030-2000',
    bytes: '\xc1\xd6^\xcf\xfe\xd1\xe0\x954\xb25',
    name: '林^晓燕\u{20BB7}',
    terms: 'GB18030',
    other: 'KS X 1001',
  },
  { set: 'ISO IR14', bytes: '\xb1\xb5\xb7^\xd0\xbb\xb7', name: 'ｱｵｷ^ﾐｻｷ', terms: 'ISO_IR 13', other: '8859/1' },
  {
    set: 'ISO IR87',
    bytes: '\x1b$B@DLZ\x1b(B^\x1b$BH~:i\x1b(B',
    name: '青木^美咲',
    terms: '\\ISO 2022 IR 87',
    other: '8859/1',
  },
  { set: 'ISO IR159', bytes: '\x1b$(D0!\x1b(B^X', name: '丂^X', terms: '\\ISO 2022 IR 159', other: 'ISO IR87' },
  {
    set: 'KS X 1001',
    bytes: '\xbe\xc6^\xc0\xb1\xbc\xad',
    name: '아^윤서',
    terms: '\\ISO 2022 IR 149',
    other: 'ISO IR87',
  },
  {
    ...japanese,
    bytes: 'AOKI^MISAKI^^^^^^A~\x1b$B@DLZ\x1b(B^\x1b$BH~:i\x1b(B^^^^^^I~\x1b$B$"$*$-\x1b(B^\x1b$B$_$5$-\x1b(B^^^^^^P',
    name: 'AOKI^MISAKI=青木^美咲=あおき^みさき',
    other: '8859/1',
  },
  {
    ...korean,
    bytes: 'YUN^AH^^^^^^A~\x1b$)C\xeb\xc5^\x1b$)C\xe4\xb9^^^^^^I~\x1b$)C\xc0\xb1^\x1b$)C\xbe\xc6^^^^^^P',
    name: 'YUN^AH=尹^阿=윤^아',
    other: 'ISO IR87',
  },
];

export interface Identified {
  readonly patientId: string;
  readonly placerOrderNumber: string;
}

/** RAD-2 with a name in a character set, as bytes. */
export function orderIn(
  { set, bytes }: Pick<NameIn, 'set' | 'bytes'>,
  { patientId, placerOrderNumber }: Identified,
): Buffer {
  const pid = segment('PID', { 1: '1', 3: `${patientId}^^^CLINIC`, 5: bytes, 7: '19800101', 8: 'F' });
  const head = `${msh('ORM^O01^ORM_O01')}||||||${set}`;
  const orc = segment('ORC', { 1: 'NW', 2: `${placerOrderNumber}^HIS` });
  const obr = segment('OBR', { 1: '1', 4: 'WRIST^^TESTPLAN' });
  return Buffer.from(messageOf(head, pid, orc, obr), 'latin1');
}
