import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeDataset,
  encodeDataset,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '../../src/dicom/codec.ts';
import { dataset, items, keywordOf, tagOf, text, texts, toDicomJson, vrOf } from '../../src/dicom/dataset.ts';
import type { Dataset } from '../../src/dicom/dataset.ts';
import { SwfError } from '../../src/platform/errors.ts';

const SYNTAXES = [IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN];
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const implicit = (digits: string): Dataset => decodeDataset(hex(digits), IMPLICIT_VR_LITTLE_ENDIAN);
const refusing = (action: () => unknown): SwfError => {
  try {
    action();
  } catch (error) {
    if (error instanceof SwfError) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

const nested = (depth: number): Dataset =>
  depth === 0 ? { Modality: ['CT'] } : { ScheduledProcedureStepSequence: [nested(depth - 1)] };

const word = fc.string({ unit: fc.constantFrom(...'ABCxyz019 -_'), maxLength: 12 }).map((value) => value.trim() || 'A');
const international = fc
  .string({ unit: fc.constantFrom(...'Aä山한Жأ😀'), minLength: 1, maxLength: 12 })
  .map((value) => `${value}A`);
const leaf = fc.record(
  {
    AccessionNumber: word.map((value) => [value]),
    PatientName: international.map((value) => [`${value}^B=${value}`]),
    ScheduledStationAETitle: fc.array(word, { minLength: 2, maxLength: 3 }),
    StudyInstanceUID: fc.constant(['1.2.840.1']),
    PregnancyStatus: fc.array(fc.integer({ min: 0, max: 65_535 }), { minLength: 1, maxLength: 3 }),
    PatientWeight: fc.constantFrom(['71.50'], []),
    AttributeIdentifierList: fc.constant(['00400100']),
    '00410010': fc.constant(['ACME']),
    '00411001': fc.uint8Array({ minLength: 1, maxLength: 9 }).map((value) => [Uint8Array.from([...value, ...value])]),
  },
  { requiredKeys: [] },
);
const anyDataset = fc.record(
  { ...{ base: leaf }, children: fc.array(leaf, { maxLength: 3 }), hasChildren: fc.boolean() },
  { requiredKeys: ['base', 'children', 'hasChildren'] },
);

describe('PS3.5 7 data set encoding', () => {
  it('gives back every data set in both transfer syntaxes', () => {
    fc.assert(
      fc.property(anyDataset, fc.constantFrom(...SYNTAXES), ({ base, children, hasChildren }, syntax) => {
        const sequence = hasChildren ? { ScheduledProcedureStepSequence: children } : {};
        const given = { SpecificCharacterSet: ['ISO_IR 192'], ...base, ...sequence } as Dataset;
        const bytes = encodeDataset(given, syntax);
        expect(bytes.length % 2).toBe(0);
        expect(decodeDataset(bytes, syntax)).toEqual(given);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('throws nothing but SwfError for bytes of any kind', () => {
    const sample = encodeDataset(
      dataset({ PatientName: 'Ä', ScheduledProcedureStepSequence: { Modality: 'CT' } }),
      SYNTAXES[1] ?? '',
    );
    const mutated = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(mutated, fc.constantFrom(...SYNTAXES), (changes, syntax) => {
        const bytes = Buffer.from(sample);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          decodeDataset(bytes, syntax);
        } catch (error) {
          expect(error).toBeInstanceOf(SwfError);
        }
      }),
      { numRuns: 500, seed: 2 },
    );
  });

  it('pads UI with NUL and text with a blank (PS3.5 6.2)', () => {
    const bytes = encodeDataset(dataset({ StudyInstanceUID: '1.2', PatientID: 'A' }), IMPLICIT_VR_LITTLE_ENDIAN);
    expect(bytes).toEqual(hex('1000 2000 02000000 4120 2000 0d00 04000000 312e3200'));
  });

  it('writes elements in the order of their tags (PS3.5 7.1)', () => {
    const bytes = encodeDataset(dataset({ PatientID: 'AB', AccessionNumber: 'CD' }), EXPLICIT_VR_LITTLE_ENDIAN);
    expect(bytes).toEqual(hex('0800 5000 5348 0200 4344 1000 2000 4c4f 0200 4142'));
  });

  it('reads sequences and items of undefined length (PS3.5 7.5.2)', () => {
    const read = implicit(
      '4000 0001 ffffffff feff 00e0 ffffffff 0800 6000 02000000 4354 feff 0de0 00000000 feff dde0 00000000',
    );
    expect(read).toEqual({ ScheduledProcedureStepSequence: [{ Modality: ['CT'] }] });
  });

  it('keeps zero-length elements, sequences and items apart', () => {
    const read = implicit('0800 5000 00000000 0800 1011 00000000 4000 0001 08000000 feff 00e0 00000000');
    expect(read).toEqual({ AccessionNumber: [], ReferencedStudySequence: [], ScheduledProcedureStepSequence: [{}] });
  });

  it('leaves out group lengths and keeps ranges, blanks within and numbers as they were sent', () => {
    const read = implicit(
      '0800 0000 04000000 08000000 4000 0200 0a000000 32303236303130312d20 1000 3010 06000000 37312e353020',
    );
    expect(read).toEqual({ ScheduledProcedureStepStartDate: ['20260101-'], PatientWeight: ['71.50'] });
  });

  it('reads a known attribute of VR UN as what it is, in Implicit VR (PS3.5 6.2.2)', () => {
    const bytes = hex('4000 0001 554e 0000 12000000 feff 00e0 0a000000 0800 6000 02000000 4354');
    expect(decodeDataset(bytes, EXPLICIT_VR_LITTLE_ENDIAN)).toEqual({
      ScheduledProcedureStepSequence: [{ Modality: ['CT'] }],
    });
  });

  it.each([
    ['a length beyond the end', '0800 5000 88130000 4131', '00080050'],
    ['an incomplete header', '0800 5000 00', '00000000'],
    ['an item longer than its sequence', '4000 0001 08000000 feff 00e0 10000000', '00400100'],
    ['something else in a sequence', '4000 0001 08000000 0800 6000 00000000', '00400100'],
    ['a sequence without end', '4000 0001 ffffffff feff 00e0 00000000', '00400100'],
    ['an element twice', '0800 5000 00000000 0800 5000 00000000', '00080050'],
    ['undefined length of text', '0800 5000 ffffffff', '00080050'],
    ['three bytes of US', '1000 c021 03000000 010203', '001021C0'],
    ['a character set after the text', '1000 1000 02000000 4142 0800 0500 00000000', '00080005'],
  ])('refuses %s', (_, digits, tag) => {
    const error = refusing(() => implicit(digits));
    expect(error.code).toBe('data-type');
    expect([tag, 'FFFEE000']).toContain(error.place.tags?.[0]);
  });

  it('refuses an invalid VR and one of another kind than the dictionary', () => {
    expect(refusing(() => decodeDataset(hex('0800 5000 5858 0000'), EXPLICIT_VR_LITTLE_ENDIAN)).code).toBe('data-type');
    expect(refusing(() => decodeDataset(hex('0800 5000 5553 0200 0100'), EXPLICIT_VR_LITTLE_ENDIAN)).code).toBe(
      'data-type',
    );
  });

  it('refuses more than 16 nested sequences in both directions', () => {
    const deepest = encodeDataset(nested(16), IMPLICIT_VR_LITTLE_ENDIAN);
    expect(decodeDataset(deepest, IMPLICIT_VR_LITTLE_ENDIAN)).toEqual(nested(16));
    expect(refusing(() => encodeDataset(nested(17), IMPLICIT_VR_LITTLE_ENDIAN)).code).toBe('data-type');
    const header = Buffer.alloc(8);
    header.writeUInt16LE(0x0040, 0);
    header.writeUInt16LE(0x0100, 2);
    header.writeUInt32LE(deepest.length + 8, 4);
    const item = Buffer.from(header);
    item.writeUInt16LE(0xfffe, 0);
    item.writeUInt16LE(0xe000, 2);
    item.writeUInt32LE(deepest.length, 4);
    const tooDeep = Buffer.concat([header, item, deepest]);
    expect(refusing(() => decodeDataset(tooDeep, IMPLICIT_VR_LITTLE_ENDIAN)).message).toMatch(/nested/);
  });

  it.each([
    ['AE title of 17 characters', { ScheduledStationAETitle: 'A'.repeat(17) }],
    ['accession number of 17 characters', { AccessionNumber: 'A'.repeat(17) }],
    ['UID of 65 characters', { StudyInstanceUID: '1.'.repeat(32) + '1' }],
    ['UID with letters', { StudyInstanceUID: '1.2.A' }],
    ['date that is text', { PatientBirthDate: 'today' }],
    ['line break in a line', { PatientID: 'A\rB' }],
    ['escape character', { RequestedProcedureDescription: 'A\u001bB' }],
    ['backslash in one value', { PatientID: 'A\\B' }],
    ['name group of 65 characters', { PatientName: 'A'.repeat(65) }],
    ['four name groups', { PatientName: `A=B=C=${'D'.repeat(60)}` }],
    ['number out of range', { PregnancyStatus: 70_000 }],
    ['text where a number belongs', { PregnancyStatus: '4' }],
    ['ideograph in an AE title', { ScheduledStationAETitle: '山' }],
    ['text in place of an item', { ScheduledProcedureStepSequence: 'CT' }],
  ])('refuses to write: %s', (_, input) => {
    expect(refusing(() => encodeDataset(dataset(input), EXPLICIT_VR_LITTLE_ENDIAN)).code).toBe('data-type');
  });

  it('never quotes a value in a refusal', () => {
    const error = refusing(() => encodeDataset(dataset({ PatientID: 'SECRET'.repeat(20) }), IMPLICIT_VR_LITTLE_ENDIAN));
    expect(error.message).not.toContain('SECRET');
  });

  it('allows lines in long text', () => {
    const given = dataset({ MedicalAlerts: 'A', AdditionalPatientHistory: 'one\r\ntwo' });
    expect(decodeDataset(encodeDataset(given, IMPLICIT_VR_LITTLE_ENDIAN), IMPLICIT_VR_LITTLE_ENDIAN)).toEqual(given);
  });

  it('adds ISO_IR 192 when text beyond ASCII has no character set', () => {
    const written = encodeDataset(dataset({ PatientName: 'Müller' }), IMPLICIT_VR_LITTLE_ENDIAN);
    expect(implicit(written.toString('hex'))).toEqual({
      SpecificCharacterSet: ['ISO_IR 192'],
      PatientName: ['Müller'],
    });
  });

  it('uses the set of the data set inside items, and an item’s own before it (PS3.5 7.5.3)', () => {
    const given = dataset({
      SpecificCharacterSet: 'ISO_IR 100',
      ScheduledProcedureStepSequence: [
        { ScheduledProcedureStepDescription: 'Schädel' },
        { SpecificCharacterSet: 'ISO_IR 144', ScheduledProcedureStepDescription: 'Люк' },
      ],
    });
    const written = encodeDataset(given, EXPLICIT_VR_LITTLE_ENDIAN);
    expect(written.includes(Buffer.from('Sch\xe4del', 'latin1'))).toBe(true);
    expect(written.includes(hex('bbeeda'))).toBe(true);
    expect(decodeDataset(written, EXPLICIT_VR_LITTLE_ENDIAN)).toEqual(given);
  });

  it('refuses another transfer syntax', () => {
    expect(refusing(() => decodeDataset(Buffer.alloc(0), '1.2.840.10008.1.2.2')).code).toBe('data-type');
  });

  it('writes and reads one worklist row in well under a millisecond, and a large one in linear time', () => {
    const row = dataset({
      PatientName: 'MÜLLER^JÖRG',
      ScheduledProcedureStepSequence: Array.from({ length: 400 }, () => ({
        Modality: 'CT',
        ScheduledStationName: 'A  '.repeat(5),
      })),
    });
    const start = process.hrtime.bigint();
    for (let i = 0; i < 10; i++) decodeDataset(encodeDataset(row, SYNTAXES[0] ?? ''), SYNTAXES[0] ?? '');
    const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
    expect(milliseconds).toBeLessThan(1_000);
  });
});

describe('data sets', () => {
  it('are made of scalars, lists, items, null and undefined', () => {
    expect(
      dataset({ PatientID: 'P', PatientSex: null, PatientName: '', Modality: undefined, ReferencedStudySequence: [] }),
    ).toEqual({ PatientID: ['P'], PatientSex: [], PatientName: [], ReferencedStudySequence: [] });
    expect(dataset({ '00100020': 'P' })).toEqual({ PatientID: ['P'] });
  });

  it('refuse a keyword that DICOM does not know', () => {
    expect(refusing(() => dataset({ PatientNmae: 'A' })).code).toBe('data-type');
  });

  it('are read as trimmed text', () => {
    const ds = dataset({ PatientID: ' P ', ScheduledStationAETitle: ['A', ' ', 'B '], PregnancyStatus: 4 });
    expect(text(ds, 'PatientID')).toBe('P');
    expect(text(ds, 'PregnancyStatus')).toBe('4');
    expect(text(ds, 'PatientName')).toBeUndefined();
    expect(texts(ds, 'ScheduledStationAETitle')).toEqual(['A', 'B']);
    expect(items(ds, 'ReferencedStudySequence')).toEqual([]);
  });

  it('know the dictionary (PS3.6)', () => {
    expect([tagOf('StudyInstanceUID'), vrOf('StudyInstanceUID'), keywordOf('0020000D')]).toEqual([
      '0020000D',
      'UI',
      'StudyInstanceUID',
    ]);
    expect([vrOf('00410010'), vrOf('00411001'), keywordOf('0041100a')]).toEqual(['LO', 'UN', '0041100A']);
  });

  it('become DICOM JSON (PS3.18 Annex F)', () => {
    const ds = dataset({
      PatientName: 'Yamada^Tarou=山田^太郎',
      PatientWeight: '71.5',
      PatientSex: null,
      ScheduledProcedureStepSequence: { ScheduledStationAETitle: ['A', 'B'] },
      '00411001': Uint8Array.from([1, 2]),
    });
    expect(toDicomJson(ds)).toEqual({
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎' }] },
      '00100040': { vr: 'CS' },
      '00101030': { vr: 'DS', Value: [71.5] },
      '00400100': { vr: 'SQ', Value: [{ '00400001': { vr: 'AE', Value: ['A', 'B'] } }] },
      '00411001': { vr: 'UN', InlineBinary: 'AQI=' },
    });
  });
});
