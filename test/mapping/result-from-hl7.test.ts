import { describe, expect, it } from 'vitest';
import { resultsFromHl7 } from '../../src/mapping/result-from-hl7.ts';
import { failureOf } from '../hl7/support.ts';
import { mshOf, readingOf, segment } from './reading.ts';

const pid = 'PID|1||P1^^^HOSP^MR||ALDER^ADA||19700102|F';
const orc = 'ORC|RE|O1^EMR|F1^RIS';
const obr = (more: Record<number, string> = {}): string =>
  segment('OBR', { 1: '1', 2: 'O1^EMR', 3: 'F1^RIS', 4: 'HEAD^MR of the head^PLAN', 25: 'F', ...more });
const obx = (more: Record<number, string> = {}): string =>
  segment('OBX', { 1: '1', 2: 'TX', 3: '18748-4^Diagnostic imaging report^LN', 5: 'Normal.', 11: 'F', ...more });
const uidObx = (value: string, code = '110180^Study Instance UID^DCM'): string => obx({ 2: 'ST', 3: code, 5: value });

const reading = (...lines: string[]) => readingOf([mshOf('ORU^R01'), pid, ...lines]);
const resultsOf = (...lines: string[]) => resultsFromHl7(reading(...lines));
const resultOf = (...lines: string[]) => resultsOf(...lines)[0];
const failure = (...lines: string[]) => failureOf(() => resultsOf(...lines));

describe('a result of a report manager (ORU^R01, HL7 v2.5.1 7.3.1)', () => {
  it('has what it belongs to, its status and its text', () => {
    const fields = { 18: 'A1', 19: 'RP1', 22: '20260105101500', 32: 'D9&REED&RUTH&&&DR' };
    expect(resultsOf(orc, obr(fields), uidObx('1.2.3'), obx({ 5: 'Findings.' }), obx({ 5: 'Normal.' }))).toEqual([
      {
        identifiers: [{ value: 'P1', assigningAuthority: 'HOSP', identifierType: 'MR' }],
        fillerOrderNumber: { id: 'F1', namespace: 'RIS' },
        placerOrderNumber: { id: 'O1', namespace: 'EMR' },
        accessionNumber: 'A1',
        requestedProcedureId: 'RP1',
        studyInstanceUids: ['1.2.3'],
        service: { code: 'HEAD', meaning: 'MR of the head', scheme: 'PLAN' },
        resultStatus: 'F',
        lines: ['Findings.', 'Normal.'],
        reportedAt: '20260105101500',
        interpreter: { id: 'D9', family: 'REED', given: 'RUTH', prefix: 'DR' },
        sequence: 1,
      },
    ]);
  });

  it('is one for each OBR, with an ORC of its own, none, or of another patient', () => {
    const results = resultsOf(
      ...[orc, obr(), obx({ 5: 'one' }), obr({ 3: 'F2', 25: 'P' }), obx({ 5: 'two' })],
      ...['PID|2||P2||BIRCH', 'ORC|RE||F3', obr({ 2: '', 3: '', 25: 'C' }), obx({ 5: 'three' })],
    );
    expect(
      results.map(({ fillerOrderNumber, resultStatus, lines, sequence }) => [
        fillerOrderNumber?.id,
        resultStatus,
        lines,
        sequence,
      ]),
    ).toEqual([
      ['F1', 'F', ['one'], 1],
      ['F2', 'P', ['two'], 2],
      ['F3', 'C', ['three'], 3],
    ]);
  });

  it('prefers the numbers of ORC to those of OBR', () => {
    const result = resultOf('ORC|RE|O8|F8', obr());
    expect([result?.placerOrderNumber?.id, result?.fillerOrderNumber?.id]).toEqual(['O8', 'F8']);
  });

  it.each([
    ['OBR-22', { 7: '20260105', 22: '20260106' }, '20260106'],
    ['OBR-7 where OBR-22 is empty', { 7: '20260105' }, '20260105'],
  ])('was reported at the time of %s, as it came', (_, fields, reportedAt) => {
    expect(resultOf(orc, obr(fields))?.reportedAt).toBe(reportedAt);
  });

  it.each([
    ['subcomponents (NDL)', 'D9&REED&RUTH^20260105', { id: 'D9', family: 'REED', given: 'RUTH' }],
    [
      'components, as senders write it who keep XCN',
      'D9^REED^RUTH^^^DR',
      { id: 'D9', family: 'REED', given: 'RUTH', prefix: 'DR' },
    ],
    ['an identifier alone', 'D9', { id: 'D9' }],
    ['an identifier and a time', 'D9^20260105', { id: 'D9' }],
  ])('has its interpreter (OBR-32) from %s', (_, value, interpreter) => {
    expect(resultOf(orc, obr({ 32: value }))?.interpreter).toEqual(interpreter);
  });

  it('has no interpreter and no time where none is named', () => {
    expect(resultOf(orc, obr())).not.toHaveProperty('interpreter');
    expect(resultOf(orc, obr())).not.toHaveProperty('reportedAt');
  });
});

describe('the status of a result (OBR-25, HL7 table 0123)', () => {
  it.each([
    ['P', 'P'],
    ['R', 'P'],
    ['F', 'F'],
    ['C', 'C'],
    ['X', 'X'],
  ])('%s is %s', (value, resultStatus) => {
    expect(resultOf(orc, obr({ 25: value }))?.resultStatus).toBe(resultStatus);
  });

  it.each(['O', 'I', 'S', 'A', 'Y', 'Z', 'f', 'FINAL', 'constructor'])(
    '%s is refused with 103 at its place',
    (value) => {
      expect(failure(orc, obr(), orc, obr({ 25: value }))).toEqual({ code: 'value-not-found', location: 'OBR^2^25' });
    },
  );

  it.each([
    ['F of all', ['F', 'F'], 'F'],
    ['R of all', ['R', 'R'], 'P'],
    ['the only one that is there', ['', 'C'], 'C'],
  ])('is where it is empty that of the observations (OBX-11): %s', (_, values, resultStatus) => {
    expect(resultOf(orc, obr({ 25: '' }), ...values.map((value) => obx({ 11: value })))?.resultStatus).toBe(
      resultStatus,
    );
  });

  it.each([
    ['the observations disagree', ['F', 'P']],
    ['they have none', ['', '']],
    ['theirs says nothing of a report', ['D']],
    ['there are none', []],
  ])('is refused with 101 where it is empty and %s', (_, values) => {
    expect(failure(orc, obr({ 25: '' }), ...values.map((value) => obx({ 11: value })))).toEqual({
      code: 'required-field-missing',
      location: 'OBR^1^25',
    });
  });
});

describe('what a result belongs to', () => {
  const nameless = obr({ 2: '', 3: '' });

  it.each([
    ['ORC-3', ['ORC|RE||F1', nameless]],
    ['OBR-3', [obr({ 2: '' })]],
    ['ORC-2', ['ORC|RE|O1', nameless]],
    ['OBR-2', [obr({ 3: '' })]],
    ['OBR-18', [obr({ 2: '', 3: '', 18: 'A1' })]],
    ['a study instance UID in OBX', [nameless, uidObx('1.2.3')]],
    ['a study instance UID in ZDS', [nameless, obx(), 'ZDS|1.2.3^RIS^Application^DICOM']],
  ])('is known by %s alone', (_, lines) => {
    expect(resultsOf(...lines)).toHaveLength(1);
  });

  it.each([
    ['nothing', ['ORC|RE', nameless, obx()]],
    ['a requested procedure ID alone', [obr({ 2: '', 3: '', 19: 'RP1' })]],
    ['a UID that is none', [nameless, uidObx('1.2.x')]],
  ])('by %s is refused with 101 at OBR-3', (_, lines) => {
    expect(failure(...lines)).toEqual({ code: 'required-field-missing', location: 'OBR^1^3' });
  });

  it.each([
    ['ORC-3', [`ORC|RE||${'F'.repeat(65)}`, obr()], 'ORC^1^3^1^1'],
    ['OBR-18', [obr({ 18: 'A'.repeat(65) })], 'OBR^1^18'],
    ['OBR-19', [obr({ 19: 'R'.repeat(65) })], 'OBR^1^19'],
  ])('is refused with 102 where %s is longer than DICOM carries', (_, lines, location) => {
    expect(failure(...lines)).toEqual({ code: 'data-type', location });
  });
});

describe('the study instance UIDs of a result (110180 of DCM, PS3.16 D)', () => {
  it.each([
    ['the value of an OBX', [uidObx('1.2.3')], ['1.2.3']],
    ['an OBX whose code is the alternate one', [uidObx('1.2.3', 'X^Study^L^110180^Study Instance UID^DCM')], ['1.2.3']],
    ['an OBX without a coding scheme', [uidObx('1.2.3', '110180')], ['1.2.3']],
    ['a component of the value', [uidObx('^1.2.3^ISO')], ['1.2.3']],
    ['ZDS-1', ['ZDS|1.2.4^RIS^Application^DICOM'], ['1.2.4']],
    ['several, each once', [uidObx('1.2.3'), uidObx('1.2.5'), 'ZDS|1.2.3'], ['1.2.3', '1.2.5']],
    ['no OBX of another scheme', [uidObx('1.2.3', '110180^Something^LOCAL')], []],
  ])('are read from %s', (_, lines, uids) => {
    expect(resultOf(orc, obr(), ...lines)?.studyInstanceUids).toEqual(uids);
  });

  it('are remarked where they are none', () => {
    const odd = reading(orc, obr(), uidObx('SECRET'));
    expect(resultsFromHl7(odd)[0]?.studyInstanceUids).toEqual([]);
    expect(odd.remarks).toEqual(['OBX-5 is not a study instance UID and is not used']);
  });
});

describe('the text of a result (OBX-5, HL7 v2.5.1 7.4.2)', () => {
  it.each([
    [
      'TX, FT, ST and no type at all',
      [obx({ 5: 'a' }), obx({ 2: 'FT', 5: 'b' }), obx({ 2: 'ST', 5: 'c' }), obx({ 2: '', 5: 'd' })],
      ['a', 'b', 'c', 'd'],
    ],
    ['repetitions as lines', [obx({ 5: 'a~~b' })], ['a', '', 'b']],
    ['line breaks as lines', [obx({ 2: 'FT', 5: 'a\\.br\\b\\.br\\\\.br\\c' })], ['a', 'b', '', 'c']],
    ['delimiters that were escaped as text', [obx({ 5: 'a\\R\\b \\T\\ c\\S\\d' })], ['a~b & c^d']],
    ['repetitions beside an escaped separator as one text', [obx({ 5: 'a\\R\\b~c' })], ['a~b~c']],
    ['no codes and numbers', [obx({ 2: 'CE', 5: 'X^y^z' }), obx({ 2: 'NM', 5: '7' })], []],
    ['no UID', [uidObx('1.2.3')], []],
    ['nothing from empty and cleared values', [obx({ 5: '' }), obx({ 5: '""' })], []],
  ])('has %s', (_, lines, expected) => {
    expect(resultOf(orc, obr(), ...lines)?.lines).toEqual(expected);
  });

  it.each(['ED', 'RP'])('has no document (%s), with a remark', (type) => {
    const document = reading(orc, obr(), obx({ 2: type, 5: '^application^pdf^Base64^SECRET' }));
    expect(resultsFromHl7(document)[0]?.lines).toEqual([]);
    expect(document.remarks).toEqual(['an OBX holds a document, which is not read']);
  });
});
