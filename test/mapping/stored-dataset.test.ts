import { describe, expect, it } from 'vitest';
import {
  decodeDataset,
  encodeDataset,
  encodeReceived,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '../../src/dicom/codec.ts';
import { type Dataset, type DatasetInput, dataset } from '../../src/dicom/dataset.ts';
import { datasetFromStored, storable } from '../../src/mapping/stored-dataset.ts';

type Stored = Parameters<typeof datasetFromStored>[0];

/** What a database of JSON makes of a data set. */
const kept = (ds: Dataset): Dataset => datasetFromStored(JSON.parse(JSON.stringify(storable(ds))) as Stored);
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const SYNTAXES = [IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN];

/** One element in Explicit VR with a length field of 16 bits. */
function element(tag: string, vr: string, value: Buffer): Buffer {
  const number = Number.parseInt(tag, 16);
  const header = Buffer.alloc(8);
  header.writeUInt16LE(number >>> 16, 0);
  header.writeUInt16LE(number & 0xffff, 2);
  header.write(vr, 4, 'latin1');
  header.writeUInt16LE(value.length, 6);
  return Buffer.concat([header, value]);
}

describe('a data set that is kept between N-CREATE and N-GET', () => {
  const sequence: DatasetInput = {
    ScheduledStepAttributesSequence: [{ AccessionNumber: 'A1', ModalitiesInStudy: [] }],
  };

  it.each<[string, DatasetInput]>([
    ['texts, lists of texts, and empty values', { PatientID: 'P', OtherPatientIDs: ['A', '', 'B'], PatientSex: null }],
    [
      'all groups of a name',
      { SpecificCharacterSet: ['', 'ISO 2022 IR 87'], PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' },
    ],
    ['a character set and its letters', { SpecificCharacterSet: 'ISO_IR 100', PatientName: 'Müller^Jörg' }],
    [
      'sequences within sequences, empty items, empty sequences',
      { ...sequence, ReferencedPatientSequence: [{}], ProcedureCodeSequence: [] },
    ],
    [
      'numbers of every kind',
      {
        PregnancyStatus: [4, 65_535],
        EntranceDoseInmGy: '0.50',
        TotalNumberOfExposures: 7,
        DistanceSourceToDetector: '1.0e+3',
      },
    ],
    ['bytes', { EncapsulatedDocument: Uint8Array.of(0, 1, 254, 255) }],
    ['private attributes with their owner', { '00290010': 'ACME 1.0', '00291010': Uint8Array.of(0x4d, 0xfc) }],
    [
      'a private sequence',
      { '00290010': 'ACME 1.0', '00291020': [{ PatientID: 'P', '00291021': Uint8Array.of(1, 2) }] },
    ],
    ['tags', { SelectorAttribute: '00400252' }],
    ['a URI and a long text', { RetrieveURI: 'http://pacs/1', CommentsOnThePerformedProcedureStep: 'one\r\ntwo' }],
  ])('keeps %s, to the byte and in both transfer syntaxes', (_, input) => {
    const given = dataset(input);
    for (const syntax of SYNTAXES) {
      const bytes = encodeDataset(given, syntax);
      const read = decodeDataset(bytes, syntax);
      expect(kept(read)).toEqual(read);
      expect(encodeReceived(kept(read), syntax)).toEqual(bytes);
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324, 1.7976931348623157e308])(
    'keeps the number %d, which JSON may not have',
    (number) => {
      expect(kept({ RealWorldValueSlope: [number] })).toEqual({ RealWorldValueSlope: [number] });
    },
  );

  it('loses nothing but NUL, which the database does not keep', () => {
    expect(kept({ PatientID: ['A\0B'] })).toEqual({ PatientID: ['AB'] });
  });

  it.each<[string, Buffer]>([
    ['an id that is too long for its VR', element('00400253', 'SH', Buffer.from('LONGER THAN SIXTEEN '))],
    ['a UID with a letter', element('0020000D', 'UI', Buffer.from('1.2.A\0'))],
    ['a control character', element('00100020', 'LO', Buffer.from('A\x01B '))],
    ['letters of a set that is not named', element('00100010', 'PN', Buffer.from('Müller', 'latin1'))],
    ['the other one of two VRs', element('00280106', 'SS', hex('f6ff'))],
    ['a number wider than its VR', element('001021C0', 'UL', hex('70110100'))],
  ])('gives back %s as it came', (_, bytes) => {
    expect(encodeReceived(kept(decodeDataset(bytes, EXPLICIT_VR_LITTLE_ENDIAN)), EXPLICIT_VR_LITTLE_ENDIAN)).toEqual(
      bytes,
    );
  });

  it('writes a value that is too long for Explicit VR with VR UN (PS3.5 6.2.2)', () => {
    const long = dataset({ PatientID: 'P'.repeat(70_000) });
    const bytes = encodeReceived(long, EXPLICIT_VR_LITTLE_ENDIAN);
    expect(bytes.subarray(0, 8)).toEqual(hex('1000 2000 554e 0000'));
    expect(decodeDataset(bytes, EXPLICIT_VR_LITTLE_ENDIAN)).toEqual(long);
  });

  it('is written in ISO_IR 192 where an N-SET brought what its own set cannot carry', () => {
    const mixed = dataset({ SpecificCharacterSet: 'ISO_IR 100', PatientName: 'Müller', ProtocolName: '頭部' });
    const read = decodeDataset(encodeReceived(mixed, EXPLICIT_VR_LITTLE_ENDIAN), EXPLICIT_VR_LITTLE_ENDIAN);
    expect(read).toEqual({ ...mixed, SpecificCharacterSet: ['ISO_IR 192'] });
  });
});
