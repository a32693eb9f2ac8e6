import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataset, items, text, texts } from '../../src/dicom/dataset.ts';
import type { Dataset, DatasetInput } from '../../src/dicom/dataset.ts';
import { matchesWorklist, worklistConditions } from '../../src/dicom/matching.ts';
import type { WorklistConditions } from '../../src/dicom/matching.ts';
import { answerFor } from '../../src/dicom/worklist-answer.ts';
import { checkWorklistIdentifier, unsupportedKeys } from '../../src/dicom/worklist-keys.ts';
import { matchesWildcard } from '../../src/dicom/matching-values.ts';

const step = (keys: DatasetInput): DatasetInput => ({ ScheduledProcedureStepSequence: keys });

const candidate = dataset({
  PatientName: 'Müller^Jörg=山田^太郎=やまだ^たろう',
  PatientID: 'P1',
  PatientBirthDate: '19700131',
  PatientWeight: '71.5',
  AccessionNumber: 'A0001',
  RequestedProcedureID: 'RP1',
  RequestedProcedureDescription: 'CT Abdomen',
  StudyInstanceUID: '1.2.3',
  AdmissionID: null,
  RequestedProcedureCodeSequence: { CodeValue: 'CTABD', CodingSchemeDesignator: '99L', CodeMeaning: 'CT Abdomen' },
  ScheduledProcedureStepSequence: {
    ScheduledStationAETitle: ['CT1', 'CT2'],
    ScheduledProcedureStepStartDate: '20260105',
    ScheduledProcedureStepStartTime: '103000',
    Modality: 'CT',
    ScheduledProcedureStepID: 'SPS1',
    ScheduledPerformingPhysicianName: 'Doe^Jane',
    ScheduledProtocolCodeSequence: [
      { CodeValue: 'X', CodingSchemeDesignator: '99L' },
      { CodeValue: 'Y', CodingSchemeDesignator: '99L' },
    ],
  },
});

const matches = (keys: DatasetInput, of: Dataset = candidate): boolean => matchesWorklist(of, dataset(keys));

describe('matching of worklist keys (PS3.4 C.2.2.2, K.6.1.2)', () => {
  const latinPhonetic = dataset({ PatientName: '山田^太郎==Yamada^Tarou' });
  const greek = dataset({ PatientName: 'ΠΑΠΑΣΟΥ^ΑΝΝΑ' });

  it.each<[string, boolean, DatasetInput, Dataset?]>([
    ['zero-length key: universal', true, { PatientID: null, AdmissionID: null }],
    ['`*`: universal, also for an unknown value', true, { AdmissionID: '*', PatientID: '*' }],
    ['a value against an unknown value', false, { AdmissionID: 'ADM' }],
    ['a value against an absent attribute', false, { RequestingPhysician: 'DOE' }],
    ['the exact value', true, { PatientID: 'P1', AccessionNumber: 'A0001' }],
    ['padding around the value', true, { PatientID: ' P1 ' }],
    ['another value', false, { PatientID: 'P2' }],
    ['case matters in identifiers', false, { PatientID: 'p1' }],
    ['two keys, one of them wrong', false, { PatientID: 'P1', AccessionNumber: 'A0002' }],
    ['wildcard `*` in the middle', true, { AccessionNumber: 'A*1' }],
    ['wildcard `?`', true, { AccessionNumber: 'A000?' }],
    ['wildcard `?` needs a character', false, { AccessionNumber: 'A0001?' }],
    ['wildcard in a key of single values, accepted all the same', true, step({ ScheduledStationAETitle: 'CT*' })],
    ['name without regard to case', true, { PatientName: 'MÜLLER^JÖRG' }],
    ['name in decomposed Unicode', true, { PatientName: 'Mu\u0308ller^Jo\u0308rg' }],
    ['name with empty trailing components', true, { PatientName: 'Müller^Jörg^^' }],
    ['name prefix', true, { PatientName: 'mül*' }],
    ['name wildcard over the components', true, { PatientName: '*^j?rg' }],
    ['family name alone is not the name', false, { PatientName: 'Müller' }],
    ['ideographic name without `=`', true, { PatientName: '山田*' }],
    ['phonetic name without `=`', true, { PatientName: 'やまだ^たろう' }],
    ['a Latin key without `=` in another group than the alphabetic', true, { PatientName: 'yamada*' }, latinPhonetic],
    ['a Latin key with `=` means the alphabetic group', false, { PatientName: 'yamada*=' }, latinPhonetic],
    ['a Greek name, whose sigma is written by its place', true, { PatientName: 'παπασ*' }, greek],
    ['name groups each by itself', true, { PatientName: 'Müller*=山田*' }],
    ['an empty name group matches all', true, { PatientName: '=山田^太郎' }],
    ['one name group wrong', false, { PatientName: 'Müller*=鈴木*' }],
    ['one of several AE titles', true, step({ ScheduledStationAETitle: 'CT2' })],
    ['another AE title', false, step({ ScheduledStationAETitle: 'CT3' })],
    ['a list of AE titles: any', true, step({ ScheduledStationAETitle: ['MR1', 'CT1'] })],
    ['a list of modalities: any', true, step({ Modality: ['MR', 'CT'] })],
    ['a list of other modalities', false, step({ Modality: ['MR', 'US'] })],
    ['a UID of a list', true, { StudyInstanceUID: ['1.2.9', '1.2.3'] }],
    ['a beginning of a UID', false, { StudyInstanceUID: '1.2' }],
    ['the day', true, step({ ScheduledProcedureStepStartDate: '20260105' })],
    ['another day', false, step({ ScheduledProcedureStepStartDate: '20260106' })],
    ['a range of days, ends included', true, step({ ScheduledProcedureStepStartDate: '20260105-20260105' })],
    ['a range from', true, step({ ScheduledProcedureStepStartDate: '20260105-' })],
    ['a range from, too late', false, step({ ScheduledProcedureStepStartDate: '20260106-' })],
    ['a range until', true, step({ ScheduledProcedureStepStartDate: '-20260105' })],
    ['a range until, too early', false, step({ ScheduledProcedureStepStartDate: '-20260104' })],
    ['a time range on every day', true, step({ ScheduledProcedureStepStartTime: '1000-1100' })],
    ['a time of less precision', true, step({ ScheduledProcedureStepStartTime: '1030' })],
    [
      'a single date with a time range',
      false,
      step({ ScheduledProcedureStepStartDate: '20260105', ScheduledProcedureStepStartTime: '1100-1200' }),
    ],
    [
      'both ranges are one interval',
      true,
      step({ ScheduledProcedureStepStartDate: '20260104-20260106', ScheduledProcedureStepStartTime: '180000-080000' }),
    ],
    [
      'before the interval begins on its first day',
      false,
      step({ ScheduledProcedureStepStartDate: '20260105-20260106', ScheduledProcedureStepStartTime: '180000-080000' }),
    ],
    [
      'after the interval ends on its last day',
      false,
      step({ ScheduledProcedureStepStartDate: '20260104-20260105', ScheduledProcedureStepStartTime: '180000-080000' }),
    ],
    [
      'an interval that is open at its end',
      true,
      step({ ScheduledProcedureStepStartDate: '20260105-', ScheduledProcedureStepStartTime: '1030-' }),
    ],
    [
      'a date range with a single time: the time on every day',
      false,
      step({ ScheduledProcedureStepStartDate: '20260101-20260131', ScheduledProcedureStepStartTime: '11' }),
    ],
    ['a number, however it is written', true, { PatientWeight: '71.50' }],
    ['sequence of zero length', true, { ScheduledProcedureStepSequence: [] }],
    ['sequence with one empty item', true, step({})],
    [
      'sequence of universal keys, unknown on our side',
      true,
      { ReferencedStudySequence: { ReferencedSOPClassUID: null } },
    ],
    [
      'keys inside nested sequences, any item',
      true,
      step({ ScheduledProtocolCodeSequence: { CodeValue: 'Y', CodingSchemeDesignator: '99L' } }),
    ],
    ['no item has all keys', false, step({ ScheduledProtocolCodeSequence: { CodeValue: 'Z' } })],
    ['keys in a sequence that is unknown', false, { ReferencedStudySequence: { ReferencedSOPInstanceUID: '1.2' } }],
    [
      'an optional key that is not supported is ignored',
      true,
      { StudyDescription: 'X', '00411001': Uint8Array.from([1, 2]) },
    ],
    [
      'a key of a step beside the step sequence is not supported and ignored',
      true,
      { Modality: 'MR', ScheduledProcedureStepStartDate: '2020-', ScheduledProcedureStepStartTime: '10-' },
    ],
    ['a key of the patient within the step is not supported and ignored', true, step({ PatientID: 'P2' })],
    [
      'a key in a sequence that no worklist has is ignored',
      true,
      step({ ReferencedDefinedProtocolSequence: { ReferencedSOPInstanceUID: '1.2' } }),
    ],
    [
      '`*` in a date, a time or a UID, from devices that write it everywhere',
      true,
      {
        StudyInstanceUID: '*',
        PatientBirthDate: '*',
        ...step({ ScheduledProcedureStepStartDate: '*', ScheduledProcedureStepStartTime: '*' }),
      },
    ],
    [
      'character set and time zone are no keys',
      true,
      { SpecificCharacterSet: 'ISO_IR 100', TimezoneOffsetFromUTC: '+0100' },
    ],
  ])('%s: %s', (_, expected, keys, of = candidate) => {
    expect(matches(keys, of)).toBe(expected);
  });

  it('needs time in proportion to the lengths for a key full of stars', () => {
    expect(matchesWildcard('a'.repeat(5_000), '*a'.repeat(1_000) + 'b')).toBe(false);
  });

  it('takes the stored time for the beginning of what it leaves out', () => {
    const early = dataset(step({ ScheduledProcedureStepStartTime: '10' }));
    expect(matches(step({ ScheduledProcedureStepStartTime: '1000-1001' }), early)).toBe(true);
    expect(matches(step({ ScheduledProcedureStepStartTime: '1001-1002' }), early)).toBe(false);
  });
});

describe('identifiers that are refused with A900 (PS3.4 K.4.1.1.4)', () => {
  it.each<[string, DatasetInput, string]>([
    ['two items', { ScheduledProcedureStepSequence: [{ Modality: 'CT' }, { Modality: 'MR' }] }, '00400100'],
    ['a date that does not exist', step({ ScheduledProcedureStepStartDate: '20260230' }), '00400002'],
    ['a range of three', step({ ScheduledProcedureStepStartDate: '20260101-20260102-20260103' }), '00400002'],
    ['a range without ends', step({ ScheduledProcedureStepStartDate: '-' }), '00400002'],
    ['two dates', step({ ScheduledProcedureStepStartDate: ['20260101', '20260102'] }), '00400002'],
    ['an impossible time', step({ ScheduledProcedureStepStartTime: '2560' }), '00400003'],
    ['an invalid UID', { StudyInstanceUID: '1.02.3' }, '0020000D'],
  ])('%s', (_, keys, tag) => {
    const refusal = checkWorklistIdentifier(dataset(keys));
    expect(refusal).toMatchObject({ status: 0xa900, offendingElements: [tag] });
    expect(refusal?.comment.length).toBeLessThanOrEqual(64);
  });

  it.each<[string, DatasetInput]>([
    ['all keys empty', { StudyInstanceUID: null, ...step({ ScheduledProcedureStepStartDate: null }) }],
    ['ranges', step({ ScheduledProcedureStepStartDate: '20260101-', ScheduledProcedureStepStartTime: '-1200' })],
    ['several UIDs', { StudyInstanceUID: ['1.2.3', '1.2.4'] }],
    ['an invalid value of a key that is ignored', { InstanceCreationDate: 'x' }],
    ['an invalid value of a key that stands in the wrong place', { ScheduledProcedureStepStartDate: 'x' }],
    ['`*` in a date and a UID', { StudyInstanceUID: '*', ...step({ ScheduledProcedureStepStartDate: '*' }) }],
  ])('not: %s', (_, keys) => {
    expect(checkWorklistIdentifier(dataset(keys))).toBeUndefined();
  });
});

describe('conditions for the database', () => {
  it('are the values without wildcards', () => {
    const identifier = dataset({
      PatientName: 'Müller^J*',
      PatientID: 'P1',
      AccessionNumber: 'A*',
      RequestedProcedureID: 'RP1',
      StudyInstanceUID: ['1.2.3', '1.2.4'],
      ...step({
        ScheduledStationAETitle: ['CT1', 'CT2'],
        ScheduledProcedureStepStartDate: '20260101-20260131',
        Modality: 'CT',
        ScheduledProcedureStepID: 'SPS1',
      }),
    });
    expect(worklistConditions(identifier)).toEqual({
      patientName: { prefix: 'm', inAnyGroup: true },
      patientId: 'P1',
      requestedProcedureId: 'RP1',
      studyInstanceUids: ['1.2.3', '1.2.4'],
      stationAeTitles: ['CT1', 'CT2'],
      startDateFrom: '2026-01-01',
      startDateTo: '2026-01-31',
      modalities: ['CT'],
      scheduledProcedureStepId: 'SPS1',
    });
  });

  it('are none for an all-universal query', () => {
    expect(worklistConditions(dataset({ PatientName: '*', PatientID: null, ...step({ Modality: '*' }) }))).toEqual({});
  });

  it('have one day for a single date, and open ends', () => {
    const of = (date: string): WorklistConditions =>
      worklistConditions(dataset(step({ ScheduledProcedureStepStartDate: date })));
    expect(of('20260105')).toEqual({ startDateFrom: '2026-01-05', startDateTo: '2026-01-05' });
    expect(of('-20260105')).toEqual({ startDateTo: '2026-01-05' });
    expect(of('20260105-')).toEqual({ startDateFrom: '2026-01-05' });
    // A database's calendar has no year 0.
    expect(of('00000101-20260105')).toEqual({ startDateTo: '2026-01-05' });
    expect([of('-00001231'), of('00000101')]).toEqual([{}, {}]);
    expect(of('*')).toEqual({});
  });

  it('have the beginning of the name: of any group for a key without `=`, else of the alphabetic one', () => {
    const of = (key: string) => worklistConditions(dataset({ PatientName: key })).patientName;
    expect(of('山田*')).toEqual({ prefix: '山田', inAnyGroup: true });
    expect(of('Adams^A')).toEqual({ prefix: 'adams', inAnyGroup: true });
    expect(of('ADAMS*=山田*')).toEqual({ prefix: 'adams', inAnyGroup: false });
    expect([of('=山田*'), of('*s'), of('Ö*')]).toEqual([undefined, undefined, undefined]);
  });

  it('never exclude a match', () => {
    const name = fc.constantFrom(
      'ADAMS^ANNA',
      'adams^ben',
      'MÜLLER^J',
      '山田^太郎',
      '^X',
      'A B^C',
      'ADAMS=山田',
      '=山田',
      'ADAMS^A=山田=やまだ',
    );
    const nameKey = fc.constantFrom(
      'ADAMS*',
      'adams^anna',
      'AD?MS^*',
      '*',
      '山*',
      'A*=山*',
      'mül*',
      '=山田',
      'ADAMS ^ANNA',
      'やま*',
      '山田',
      '',
    );
    const key = fc.constantFrom('', '*', 'A', 'A*', '?', 'B');
    const value = fc.constantFrom('', 'A', 'AB', 'B');
    const day = fc.constantFrom('20260101', '20260102', '20260103');
    const dayKey = fc.constantFrom('', '20260102', '20260102-', '-20260102', '20260101-20260102');
    const timeKey = fc.constantFrom('', '10', '12-', '-08', '1800-0600');
    const record = fc.record({ name, nameKey, id: value, idKey: key, aet: value, aetKey: key, day, dayKey, timeKey });
    const count = { matches: 0 };
    fc.assert(
      fc.property(record, (given) => {
        const stored = dataset({
          PatientName: given.name,
          PatientID: given.id,
          ...step({
            ScheduledStationAETitle: [given.aet, 'Z'],
            ScheduledProcedureStepStartDate: given.day,
            ScheduledProcedureStepStartTime: '1230',
          }),
        });
        const identifier = dataset({
          PatientName: given.nameKey,
          PatientID: given.idKey,
          ...step({
            ScheduledStationAETitle: given.aetKey,
            ScheduledProcedureStepStartDate: given.dayKey,
            ScheduledProcedureStepStartTime: given.timeKey,
          }),
        });
        if (!matchesWorklist(stored, identifier)) return;
        count.matches += 1;
        const conditions = worklistConditions(identifier);
        const stepStored = items(stored, 'ScheduledProcedureStepSequence')[0] ?? {};
        const groups = (text(stored, 'PatientName') ?? '').toLowerCase().split('=');
        const { prefix = '', inAnyGroup = false } = conditions.patientName ?? {};
        expect((inAnyGroup ? groups : groups.slice(0, 1)).some((group) => group.startsWith(prefix))).toBe(true);
        if (conditions.patientId !== undefined) expect(text(stored, 'PatientID')).toBe(conditions.patientId);
        const aets = texts(stepStored, 'ScheduledStationAETitle');
        if (conditions.stationAeTitles)
          expect(conditions.stationAeTitles.some((each) => aets.includes(each))).toBe(true);
        const iso = given.day.replace(/(....)(..)(..)/, '$1-$2-$3');
        expect(iso >= (conditions.startDateFrom ?? '') && iso <= (conditions.startDateTo ?? '9')).toBe(true);
      }),
      { numRuns: 3_000, seed: 3 },
    );
    expect(count.matches).toBeGreaterThan(100);
  });
});

describe('the answer (PS3.4 K.4.1.2)', () => {
  it('has the requested keys and nothing else; what is not known has zero length', () => {
    const identifier = dataset({
      PatientID: null,
      AdmissionID: null,
      MedicalAlerts: null,
      StudyInstanceUID: '1.2.3',
      ...step({ Modality: 'CT', ScheduledStationAETitle: null, PreMedication: null }),
    });
    expect(answerFor(candidate, identifier)).toEqual({
      PatientID: ['P1'],
      AdmissionID: [],
      MedicalAlerts: [],
      StudyInstanceUID: ['1.2.3'],
      ScheduledProcedureStepSequence: [
        { Modality: ['CT'], ScheduledStationAETitle: ['CT1', 'CT2'], PreMedication: [] },
      ],
    });
  });

  it('has whole sequences where the key has zero length or an item of zero length', () => {
    const whole = candidate['RequestedProcedureCodeSequence'];
    expect(answerFor(candidate, dataset({ RequestedProcedureCodeSequence: [] }))).toEqual({
      RequestedProcedureCodeSequence: whole,
    });
    expect(answerFor(candidate, dataset({ RequestedProcedureCodeSequence: [{}] }))).toEqual({
      RequestedProcedureCodeSequence: whole,
    });
    expect(answerFor(candidate, dataset({ ReferencedStudySequence: [] }))).toEqual({ ReferencedStudySequence: [] });
  });

  it('is in the character set that was asked in, when it has all characters', () => {
    const set = (terms: string | string[] | null, name = 'Müller'): unknown =>
      answerFor(dataset({ PatientName: name }), dataset({ SpecificCharacterSet: terms, PatientName: null }))[
        'SpecificCharacterSet'
      ];
    expect(set('ISO_IR 100')).toEqual(['ISO_IR 100']);
    expect(set('ISO_IR 144')).toEqual(['ISO_IR 192']);
    expect(set(null)).toEqual(['ISO_IR 192']);
    expect(set('ISO_IR 100', 'ADAMS')).toEqual(['ISO_IR 100']);
    expect(set(null, 'ADAMS')).toEqual([]);
    expect(set(['', 'ISO 2022 IR 87'], 'A=山田')).toEqual(['', 'ISO 2022 IR 87']);
    expect(answerFor(dataset({ PatientName: 'ADAMS' }), dataset({ PatientName: null }))).toEqual({
      PatientName: ['ADAMS'],
    });
    expect(answerFor(candidate, dataset({ PatientName: null }))['SpecificCharacterSet']).toEqual(['ISO_IR 192']);
  });

  it('leaves out private keys, and the time zone unless it is known', () => {
    const identifier = dataset({ PatientID: null, TimezoneOffsetFromUTC: null, '00410010': 'ACME', '00411001': null });
    expect(answerFor(candidate, identifier)).toEqual({ PatientID: ['P1'] });
    const zoned = { ...candidate, TimezoneOffsetFromUTC: ['+0100'] };
    expect(answerFor(zoned, identifier)).toEqual({ PatientID: ['P1'], TimezoneOffsetFromUTC: ['+0100'] });
  });
});

describe('keys that are not supported (FF01)', () => {
  it('are optional ones with a value, wherever they stand', () => {
    const identifier = dataset({
      PatientID: 'P1',
      BodyPartExamined: 'X',
      ReferencedStudySequence: { StudyDescription: 'Y' },
      '00410010': 'ACME',
      '00411001': Uint8Array.from([1, 2]),
    });
    expect(unsupportedKeys(identifier)).toEqual(['BodyPartExamined', 'StudyDescription', '00411001']);
  });

  it('are those that stand where the worklist does not have them', () => {
    const identifier = dataset({
      Modality: 'CT',
      CodeValue: 'X',
      RequestedProcedureCodeSequence: { CodeValue: 'X', PatientID: 'P1' },
      ...step({ PatientID: 'P1', ReferencedDefinedProtocolSequence: { ReferencedSOPInstanceUID: '1.2' } }),
    });
    expect(unsupportedKeys(identifier)).toEqual([
      'Modality',
      'CodeValue',
      'PatientID',
      'PatientID',
      'ReferencedSOPInstanceUID',
    ]);
  });

  it('are none when nothing is asked of them', () => {
    expect(
      unsupportedKeys(
        dataset({ BodyPartExamined: null, SpecificCharacterSet: 'ISO_IR 100', ...step({ Modality: 'CT' }) }),
      ),
    ).toEqual([]);
  });
});
