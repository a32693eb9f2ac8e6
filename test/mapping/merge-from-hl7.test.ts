import { describe, expect, it } from 'vitest';
import { mergesFromHl7, priorVisitFromHl7 } from '../../src/mapping/merge-from-hl7.ts';
import { failureOf } from '../hl7/support.ts';
import { mshOf, readingOf } from './reading.ts';

const evn = 'EVN||20260105080000';
const pid = 'PID|1||P1^^^HOSP^MR||ALDER^ADA||19700102|F';
const mergesOf = (...lines: string[]) => mergesFromHl7(readingOf([mshOf('ADT^A40^ADT_A39'), evn, ...lines]));
const failure = (...lines: string[]) => failureOf(() => mergesOf(...lines));

describe('a merge (ADT^A40, RAD TF-2 4.12, HL7 v2.5.1 3.3.40)', () => {
  it('has who the patient is from now on, and every identifier that is no more', () => {
    expect(mergesOf(pid, 'MRG|T1^^^HOSP^MR~T2^^^OTHER&1.2&ISO')).toMatchObject([
      {
        survivor: { identifiers: [{ value: 'P1', assigningAuthority: 'HOSP' }], name: { family: 'ALDER' } },
        visit: undefined,
        subsumed: [
          { value: 'T1', assigningAuthority: 'HOSP', identifierType: 'MR' },
          { value: 'T2', assigningAuthority: 'OTHER', universalId: '1.2', universalIdType: 'ISO' },
        ],
        sequence: 1,
      },
    ]);
  });

  it('gives MRG-1 without an authority that of the sender, as PID-3, with a remark at MRG', () => {
    const reading = readingOf([mshOf('ADT^A40'), evn, pid, 'MRG|T1']);
    expect(mergesFromHl7(reading)[0]?.subsumed).toEqual([{ value: 'T1', assigningAuthority: 'SENDER' }]);
    expect(reading.remarks.join()).toContain('MRG^1^1^1^4');
  });

  it('given several PID/MRG groups, reads in each its own PID, MRG and PV1, in their order', () => {
    const merges = mergesOf(
      pid,
      'MRG|T1^^^HOSP',
      'PV1|1|I|W1|||||||||||||||||V1^^^HOSP',
      'PID|2||P2^^^HOSP||BIRCH^BEN||19550607|M',
      'MRG|T2^^^HOSP',
    );
    expect(
      merges.map(({ survivor, visit, subsumed, sequence }) => [
        survivor.name.family,
        visit?.patientClass,
        subsumed.map(({ value }) => value),
        sequence,
      ]),
    ).toEqual([
      ['ALDER', 'I', ['T1'], 1],
      ['BIRCH', undefined, ['T2'], 2],
    ]);
  });

  it('needs no PV1: nothing is remarked, and a strict site takes it (ITI TF-2 3.30)', () => {
    const reading = readingOf([mshOf('ADT^A40'), evn, pid, 'MRG|T1^^^HOSP'], { validation: 'strict' });
    expect(mergesFromHl7(reading)).toHaveLength(1);
    expect(reading.remarks).toEqual([]);
  });

  it('reads a change of identifier (ADT^A47, HL7 v2.5.1 3.3.47) in the same way', () => {
    const reading = readingOf([mshOf('ADT^A47^ADT_A30', '2.5.1'), evn, pid, 'MRG|T1^^^HOSP^MR']);
    expect(mergesFromHl7(reading)).toMatchObject([{ subsumed: [{ value: 'T1' }], sequence: 1 }]);
  });

  it.each([
    ['an empty MRG-1', [pid, 'MRG|'], 'required-field-missing', 'MRG^1^1'],
    ['an MRG-1 of blanks', [pid, 'MRG|  ^^^HOSP'], 'required-field-missing', 'MRG^1^1'],
    ['an MRG-1 of ""', [pid, 'MRG|""'], 'required-field-missing', 'MRG^1^1'],
    ['an empty MRG-1 in the second group', [pid, 'MRG|T1', pid, 'MRG|'], 'required-field-missing', 'MRG^2^1'],
    ['a patient merged with himself', [pid, 'MRG|P1^^^HOSP'], 'duplicate-key', 'MRG^1^1'],
    ['himself in the second group', [pid, 'MRG|T1', pid, 'MRG|P1^^^HOSP'], 'duplicate-key', 'MRG^2^1'],
    ['an identifier of 65 characters', [pid, `MRG|T1~${'T'.repeat(65)}`], 'data-type', 'MRG^1^1^2^1'],
    [
      'a second patient without PID-3',
      [pid, 'MRG|T1', 'PID|2||||X^Y', 'MRG|T2'],
      'required-field-missing',
      'PID^2^3^1^1',
    ],
    ['a group without MRG', [pid], 'segment-sequence', 'MRG^1'],
    ['a group without PID', ['MRG|T1'], 'segment-sequence', 'PID^1'],
  ])('refuses %s', (_, lines, ...refusal) => {
    const { code, location } = failure(...lines);
    expect([code, location]).toEqual(refusal);
  });

  it('leaves an identifier that both name with the survivor, such as a national number', () => {
    const [one] = mergesOf(pid, 'MRG|T1^^^HOSP~P1^^^HOSP');
    expect(one?.subsumed.map(({ value }) => value)).toEqual(['T1']);
  });

  it('takes the same number of another authority for another patient', () => {
    expect(mergesOf(pid, 'MRG|P1^^^OTHER')).toHaveLength(1);
  });

  it('knows an authority by its universal id too', () => {
    const lines = ['PID|1||P1^^^HOSP&1.2.3&ISO||ALDER^ADA', 'MRG|P1^^^&1.2.3&ISO'];
    expect(failure(...lines)).toEqual({ code: 'duplicate-key', location: 'MRG^1^1' });
  });
});

describe('the visit that a change of class ends (ADT^A06, A07; RAD TF-2 4.12)', () => {
  const priorOf = (...lines: string[]) =>
    priorVisitFromHl7(readingOf([mshOf('ADT^A06^ADT_A06'), evn, pid, ...lines, 'PV1|1|I']));

  it.each([
    ['MRG-5', 'MRG|P1||ACC1||V1^^^HOSP', { visitNumber: 'V1', assigningAuthority: 'HOSP' }],
    [
      'MRG-3 where MRG-5 is empty, as PID-18 stands for PV1-19',
      'MRG|P1||ACC1^^^BILL',
      { visitNumber: 'ACC1', assigningAuthority: 'BILL' },
    ],
    ['the sender where it names no authority', 'MRG|P1||||V1', { visitNumber: 'V1', assigningAuthority: 'SENDER' }],
  ])('is that of %s', (_, mrg, prior) => {
    expect(priorOf(mrg)).toEqual(prior);
  });

  it('is none without MRG, or with one that names no visit', () => {
    expect(priorOf()).toBeUndefined();
    expect(priorOf('MRG|P1||  ||""')).toBeUndefined();
  });

  it('is refused with 102 where DICOM cannot carry it', () => {
    expect(failureOf(() => priorOf(`MRG|P1||||${'V'.repeat(65)}`))).toEqual({
      code: 'data-type',
      location: 'MRG^1^5^1^1',
    });
  });
});
