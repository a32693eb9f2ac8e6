import { describe, expect, it } from 'vitest';
import { type Dataset, type DatasetInput, dataset, items, keywordOf, texts } from '../../src/dicom/dataset.ts';
import { keyVerdicts, matchesWorklist } from '../../src/dicom/matching.ts';
import { answerFor } from '../../src/dicom/worklist-answer.ts';
import { checkWorklistIdentifier, unsupportedKeys } from '../../src/dicom/worklist-keys.ts';
import { stepToWorklist } from '../../src/mapping/step-to-worklist.ts';
import type { WorklistSource } from '../../src/workflow/worklist-item.ts';
import { bare, full, known, site } from './known-step.ts';

const STEP = '00400100';

/** A key by its tag; a tag with `>` stands in the item of the step sequence. */
function keyOf(tag: string, value: DatasetInput[string] = null): Dataset {
  const nested = tag.startsWith('>');
  const keyword = keywordOf(tag.replace('>', ''));
  return dataset(nested ? { [keywordOf(STEP)]: [{ [keyword]: value }] } : { [keyword]: value });
}

/** What stands behind a tag of an item: texts, or for a sequence the texts of its items. */
function valuesIn(item: Dataset, tag: string): string[] {
  const within = tag.startsWith('>') ? (items(item, keywordOf(STEP))[0] ?? {}) : item;
  const keyword = keywordOf(tag.replace('>', ''));
  const held = items(within, keyword);
  return held.length === 0
    ? texts(within, keyword)
    : held.map((one) =>
        Object.keys(one)
          .flatMap((key) => texts(one, key))
          .join('^'),
      );
}

interface Row {
  readonly tag: string;
  readonly has: readonly string[];
  /** R: matched by every worklist; R+: by IHE; O: by us as well; none: asked for only. */
  readonly matched?: 'R' | 'R+' | 'O';
  /** Has a value also where next to nothing is known. */
  readonly always?: true;
}

const name = 'Aoki^Mai=青木^舞';

// PS3.4 table K.6-1 with what RAD TF-2 4.5 adds, in the order of the worklist information model.
const rows: readonly Row[] = [
  { tag: '>00400001', has: ['CT1', 'CT2'], matched: 'R', always: true },
  { tag: '>00400002', has: ['20260705'], matched: 'R', always: true },
  { tag: '>00400003', has: ['093000'], matched: 'R', always: true },
  { tag: '>00080060', has: ['CT'], matched: 'R', always: true },
  { tag: '>00400006', has: ['PERFORM^PIA'], matched: 'R' },
  { tag: '>00400007', has: ['Chest, two phases'], matched: 'O', always: true },
  { tag: '>00400008', has: ['P1^PLAN^Native', 'P2^PLAN^Contrast'] },
  { tag: '>00400009', has: ['S1'], matched: 'O', always: true },
  { tag: '>00400010', has: ['Scanner one'], matched: 'O' },
  { tag: '>00400011', has: ['Room 12'], matched: 'O' },
  { tag: '>00400012', has: ['None needed'], matched: 'O' },
  { tag: '>00321070', has: ['Iodine 300'], matched: 'O' },
  { tag: '>00400020', has: ['ARRIVED'], matched: 'O', always: true },
  { tag: '>0018990C', has: [] },
  { tag: '>0018990D', has: [] },
  { tag: '00401001', has: ['RP1'], matched: 'R+', always: true },
  { tag: '00321060', has: ['CT of the chest'], matched: 'O', always: true },
  { tag: '00321064', has: ['CHEST^PLAN^CT of the chest'], always: true },
  { tag: '0020000D', has: ['2.25.11'], matched: 'O', always: true },
  { tag: '00081110', has: ['1.2.840.10008.3.1.2.3.1^2.25.11'], always: true },
  { tag: '00080020', has: ['20260705'], matched: 'O' },
  { tag: '00080030', has: ['094500'], matched: 'O' },
  { tag: '00401003', has: ['STAT'], matched: 'O' },
  { tag: '00401004', has: ['CART'], matched: 'O' },
  { tag: '00401002', has: ['Cough'] },
  { tag: '0040100A', has: ['R05^I10^Cough'] },
  { tag: '00401008', has: ['Very restricted'] },
  { tag: '00080050', has: ['A1'], matched: 'R+', always: true },
  { tag: '00080051', has: ['SWF_OF'], always: true },
  { tag: '00321032', has: ['ORDER^OLE'], matched: 'O' },
  { tag: '00080090', has: ['REFER^RUTH'], matched: 'O' },
  { tag: '00402016', has: ['O1'], matched: 'O' },
  { tag: '00400026', has: ['EMR'] },
  { tag: '00402017', has: ['F1'], matched: 'O', always: true },
  { tag: '00400027', has: ['SWF_OF'], always: true },
  { tag: '00080080', has: ['Ward one'], matched: 'O' },
  { tag: '00080082', has: ['W1^ORG^Ward one'] },
  { tag: '00081040', has: ['Emergency'], matched: 'O' },
  { tag: '00080081', has: ['Hill 1, Town'] },
  { tag: '00380010', has: ['V1'], matched: 'O' },
  { tag: '00380014', has: ['HOSP'] },
  { tag: '00380300', has: ['W1^2'], matched: 'O' },
  { tag: '00380016', has: ['I'] },
  { tag: '00081120', has: [] },
  { tag: '00100010', has: [name], matched: 'R', always: true },
  { tag: '00100020', has: ['P1'], matched: 'R', always: true },
  { tag: '00100021', has: ['HOSP'], matched: 'O', always: true },
  { tag: '00100024', has: ['1.2.3^ISO'] },
  { tag: '00101002', has: ['N1^STATE^TEXT'] },
  { tag: '00101060', has: ['Mori'] },
  { tag: '00100030', has: ['19800203'], matched: 'O' },
  { tag: '00100040', has: ['F'], matched: 'O' },
  { tag: '00101040', has: ['Lane 2, Town'] },
  { tag: '00100101', has: ['ja^ISO639^Japanese'] },
  { tag: '00101030', has: ['71.5'], matched: 'O' },
  { tag: '00101020', has: ['1.8'], matched: 'O' },
  { tag: '00104000', has: ['hard of hearing comes with her son'] },
  { tag: '00403001', has: ['Head of state'], matched: 'O' },
  { tag: '00380500', has: ['Infectious'], matched: 'O' },
  { tag: '001021C0', has: ['3'], matched: 'O' },
  { tag: '00102000', has: ['Pacemaker'], matched: 'O' },
  { tag: '00102110', has: ['Latex'], matched: 'O' },
  { tag: '00380050', has: [] },
  { tag: '00380100', has: [] },
  { tag: '00400500', has: [] },
  { tag: '0040A390', has: [] },
];

/** A value of the right form that the step does not have. */
const others: Readonly<Record<string, string>> = {
  '>00400002': '20260706',
  '>00400003': '103000',
  '00080020': '20260101',
  '00080030': '000000',
  '0020000D': '2.25.12',
  '00100030': '19800204',
  '00101030': '99',
  '00101020': '2',
  '001021C0': '1',
};

describe('every key of the worklist (PS3.4 table K.6-1, RAD TF-2 4.5)', () => {
  it.each(rows)('$tag comes back with $has', ({ tag, has }) => {
    const answer = answerFor(full, keyOf(tag));
    expect(Object.keys(answer).filter((keyword) => keyword !== 'SpecificCharacterSet')).toHaveLength(1);
    expect(valuesIn(answer, tag)).toEqual(has);
  });

  it.each(rows)('$tag is in the answer where next to nothing is known', ({ tag, always = false }) => {
    const answer = answerFor(bare, keyOf(tag));
    const [within = {}] = tag.startsWith('>') ? items(answer, keywordOf(STEP)) : [answer];
    expect(within[keywordOf(tag.replace('>', ''))]).toBeDefined();
    expect(valuesIn(answer, tag).length > 0).toBe(always);
  });

  it.each(rows.filter(({ matched }) => matched))('$tag is matched ($matched)', ({ tag, has }) => {
    const other = others[tag] ?? 'ELSE';
    const value = (text: string): Dataset => keyOf(tag, tag === '001021C0' ? Number(text) : text);
    for (const text of has) expect(matchesWorklist(full, value(text))).toBe(true);
    expect(matchesWorklist(full, value(other))).toBe(false);
    expect([unsupportedKeys(value(other)), checkWorklistIdentifier(value(other))]).toEqual([[], undefined]);
    // an unknown value matches universal keys only
    const unknown = { ...full, [keywordOf(STEP)]: [{}] };
    if (tag.startsWith('>')) expect(matchesWorklist(unknown, value(has[0] ?? ''))).toBe(false);
  });

  it.each(rows.filter(({ matched, has }) => !matched && has.length === 1 && !has[0]?.includes('^')))(
    '$tag with a value is ignored in the matching, said by FF01, or a sequence',
    ({ tag }) => {
      const isText = items(full, keywordOf(tag)).length === 0;
      if (!isText) return expect(items(full, keywordOf(tag))).toHaveLength(1);
      expect(matchesWorklist(full, keyOf(tag, 'ELSE'))).toBe(true);
      return expect(unsupportedKeys(keyOf(tag, 'ELSE'))).toEqual([keywordOf(tag)]);
    },
  );

  it('(0008,0005) is never matched and never of zero length', () => {
    const asked = dataset({ SpecificCharacterSet: 'ISO_IR 13', PatientID: null });
    expect(matchesWorklist(full, asked)).toBe(true);
    expect(answerFor(full, dataset({ SpecificCharacterSet: 'UNHEARD OF', PatientID: null }))).toEqual({
      PatientID: ['P1'],
    });
  });

  it.each([
    ['2026-07-05', '09:30:00', 'Europe/Berlin', '+0200'],
    ['2026-01-05', '09:30:00', 'Europe/Berlin', '+0100'],
    ['2026-03-29', '01:59:59', 'Europe/Berlin', '+0100'],
    ['2026-03-29', '03:00:00', 'Europe/Berlin', '+0200'],
    ['2026-10-25', '02:30:00', 'Europe/Berlin', '+0200'],
    ['2026-10-25', '03:00:00', 'Europe/Berlin', '+0100'],
    ['2026-07-05', '23:30:00', 'America/St_Johns', '-0230'],
    ['2026-01-05', '00:10:00', 'Pacific/Kiritimati', '+1400'],
    ['2026-01-05', '00:10:00', 'UTC', '+0000'],
  ])('(0008,0201) is the offset of the start %s %s in %s: %s', (startDate, startTime, timeZone, offset) => {
    const item = stepToWorklist({ ...known, startDate, startTime }, { ...site, timeZone });
    const asked = dataset({ TimezoneOffsetFromUTC: '-1100', PatientID: 'P1' });
    expect(matchesWorklist(item, asked)).toBe(true);
    expect(answerFor(item, asked)).toEqual({ TimezoneOffsetFromUTC: [offset], PatientID: ['P1'] });
    expect(answerFor(item, dataset({ PatientID: null }))).toEqual({ PatientID: ['P1'] });
    expect(answerFor(bare, dataset({ TimezoneOffsetFromUTC: null }))).toEqual({});
  });

  it('an accession number of the placer has the issuer that the placer names, and none where it names none', () => {
    const issuerOf = (issuer: WorklistSource['order']['requestedAccessionNumberIssuer']) => {
      const order = {
        ...known.order,
        requestedAccessionNumber: 'A1',
        ...(issuer ? { requestedAccessionNumberIssuer: issuer } : {}),
      };
      return valuesIn(stepToWorklist({ ...known, order }, site), '00080051');
    };
    expect(issuerOf({ namespace: 'EMR', universalId: '1.2', universalIdType: 'ISO' })).toEqual(['EMR^1.2^ISO']);
    expect(issuerOf(undefined)).toEqual([]);
  });

  it('a cancelled visit is said in (0040,0400) of the step: the order stands (ADT^A11, A38)', () => {
    const comment = (visitStatus: 'OPEN' | 'CANCELLED') =>
      valuesIn(stepToWorklist({ ...known, visitStatus }, site), '>00400400').join();
    expect([comment('OPEN'), comment('CANCELLED')]).toEqual(['', expect.stringContaining('Visit cancelled') as string]);
  });
});

describe('matching, case by case (PS3.4 C.2.2.2, K.2.2.1)', () => {
  const step = (keys: DatasetInput): DatasetInput => ({ ScheduledProcedureStepSequence: [keys] });
  const ending = (key: string): DatasetInput => ({ PatientName: key });

  it.each<[string, DatasetInput, boolean]>([
    ['a key of zero length matches', { PatientID: null, ...step({ Modality: null }) }, true],
    ...['ScheduledStationAETitle', 'Modality', 'ScheduledProcedureStepDescription', 'ScheduledStationName'].map(
      (keyword): [string, DatasetInput, boolean] => [
        `\`*\` is universal in ${keyword}`,
        step({ [keyword]: '*' }),
        true,
      ],
    ),
    ['`*` is universal for a value that is not known', { SpecialNeeds: '*', PatientName: '*' }, true],
    ['a text is exact', { AccessionNumber: 'A' }, false],
    ['a text is compared with case', { AccessionNumber: 'a1' }, false],
    ['a name is compared without case', ending('AOKI^MAI'), true],
    ['`*` stands for nothing too', { AccessionNumber: 'A1*' }, true],
    ['`?` stands for one character', { AccessionNumber: '?1' }, true],
    ['`?` does not stand for none', { AccessionNumber: 'A1?' }, false],
    ['a wildcard in a single-value key is taken', step({ ScheduledStationAETitle: 'C?1', Modality: 'C*' }), true],
    ['a wildcard in the patient id is taken', { PatientID: 'P*' }, true],
    ['a date range has its ends', step({ ScheduledProcedureStepStartDate: '20260705-20260706' }), true],
    ['a date range open at its beginning', step({ ScheduledProcedureStepStartDate: '-20260705' }), true],
    ['a date range open at its end', step({ ScheduledProcedureStepStartDate: '20260706-' }), false],
    ['a time range alone holds on every day', step({ ScheduledProcedureStepStartTime: '0900-1000' }), true],
    ['a time range alone does not cross midnight', step({ ScheduledProcedureStepStartTime: '2200-1000' }), false],
    ...(
      [
        ['from the evening before to the next morning', '20260704-20260706', '2200-0600', true],
        ['that ends before the step', '20260704-20260705', '2200-0600', false],
        ['that begins after the step', '20260705-20260706', '1000-2000', false],
      ] as const
    ).map(([what, date, time, matches]): [string, DatasetInput, boolean] => [
      `a date and a time range are one interval ${what}`,
      step({ ScheduledProcedureStepStartDate: date, ScheduledProcedureStepStartTime: time }),
      matches,
    ]),
    [
      'a date range and one time: the time on each day',
      step({ ScheduledProcedureStepStartDate: '20260701-20260731', ScheduledProcedureStepStartTime: '0930' }),
      true,
    ],
    [
      'a date range and another time',
      step({ ScheduledProcedureStepStartDate: '20260701-20260731', ScheduledProcedureStepStartTime: '0931' }),
      false,
    ],
    ['one date is the whole day', step({ ScheduledProcedureStepStartDate: '20260705' }), true],
    ['a UID is exact', { StudyInstanceUID: '2.25.1' }, false],
    ['a list of UIDs: any', { StudyInstanceUID: ['2.25.1', '2.25.11'] }, true],
    ['a sequence with one item of zero length', { ScheduledProcedureStepSequence: [{}] }, true],
    ['a sequence of zero length', { ScheduledProcedureStepSequence: [], ReferencedStudySequence: [] }, true],
    ['a value where nothing is stored', { SpecialNeeds: 'CHAIR' }, false],
    ['any value of several in the step', step({ ScheduledStationAETitle: 'CT2' }), true],
    ['none of several in the step', step({ ScheduledStationAETitle: 'CT3' }), false],
    ['a key that is not supported is ignored', { PatientAddress: 'X', StudyDescription: 'X' }, true],
    ['a name key without `=` in the alphabetic group', ending('aoki*'), true],
    ['a name key without `=` in the ideographic group', ending('青木*'), true],
    ['a name key without `=` in no group', ending('mori*'), false],
    ['a name key with `=` is compared group by group', ending('Aoki^Mai=青木^舞'), true],
    ['a name key with `=` whose second group differs', ending('Aoki^Mai=森^舞'), false],
    ['a name key with `=` does not mean another group', ending('青木*='), false],
  ])('%s: %j is %s', (_what, keys, expected) => {
    expect(checkWorklistIdentifier(dataset(keys))).toBeUndefined();
    expect(matchesWorklist(full, dataset(keys))).toBe(expected);
  });

  it('two items in the step sequence are refused with A900', () => {
    const two = dataset({ ScheduledProcedureStepSequence: [{}, {}] });
    expect(checkWorklistIdentifier(two)).toMatchObject({ status: 0xa900, offendingElements: [STEP] });
  });

  it('a sequence of zero length comes back whole', () => {
    const answer = answerFor(full, dataset({ ScheduledProcedureStepSequence: [] }));
    expect(answer['ScheduledProcedureStepSequence']).toEqual(full['ScheduledProcedureStepSequence']);
  });

  it('verdicts say of each key what was asked, what is stored and whether it fits', () => {
    const keys = {
      PatientName: 'Mori*',
      AccessionNumber: null,
      StudyDescription: 'X',
      RequestedProcedureCodeSequence: [{ CodeValue: 'CHEST' }],
      ReferencedPatientSequence: [{ ReferencedSOPInstanceUID: '1.2' }],
      ...step({ Modality: 'MR', ScheduledProcedureStepStartDate: '20260701-', ScheduledProcedureStepStartTime: '08-' }),
    };
    expect([...keyVerdicts(full, dataset(keys))]).toEqual([
      { keyword: 'PatientName', asked: ['Mori*'], stored: [name], matches: false },
      { keyword: 'CodeValue', asked: ['CHEST'], stored: ['CHEST'], matches: true },
      {
        keyword: 'ReferencedPatientSequence',
        asked: ['ReferencedSOPInstanceUID=1.2'],
        stored: [],
        matches: false,
      },
      {
        keyword: 'ScheduledProcedureStepStartDate',
        asked: ['20260701- 08-'],
        stored: ['20260705 093000'],
        matches: true,
      },
      { keyword: 'Modality', asked: ['MR'], stored: ['CT'], matches: false },
    ]);
  });
});
