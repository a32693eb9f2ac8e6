import { describe, expect, it } from 'vitest';
import { type Dataset, type DatasetInput, dataset, tagOf, vrOf } from '../../src/dicom/dataset.ts';
import { type Validation, isRefusal } from '../../src/mapping/dicom-checks.ts';
import { mppsAttributes } from '../../src/mapping/mpps-attributes.ts';
import { applySet, checkCreate } from '../../src/mapping/mpps-from-dicom.ts';
import { completion, creation, image, scheduledStep, series } from './mpps-data.ts';

// PS3.4 tables F.7.2-1 and F.7.2-2, typed anew: attribute, types at N-CREATE, at N-SET, type when it ends.
const typed = `
SpecificCharacterSet                    1C/1C 1C/1C -
ScheduledStepAttributesSequence         1/1 NA -
> StudyInstanceUID                      1/1 NA -
> ReferencedStudySequence               2/2 NA -
>> ReferencedSOPClassUID                1/1 NA -
>> ReferencedSOPInstanceUID             1/1 NA -
> AccessionNumber                       2/2 NA -
> IssuerOfAccessionNumberSequence       3/3 NA -
> PlacerOrderNumberImagingServiceRequest 3/3 NA -
> OrderPlacerIdentifierSequence         3/3 NA -
> FillerOrderNumberImagingServiceRequest 3/3 NA -
> OrderFillerIdentifierSequence         3/3 NA -
> RequestedProcedureID                  2/2 NA -
> RequestedProcedureCodeSequence        3/3 NA -
> RequestedProcedureDescription         2/2 NA -
> ScheduledProcedureStepID              2/2 NA -
> ScheduledProcedureStepDescription     2/2 NA -
> ScheduledProtocolCodeSequence         2/2 NA -
PatientName                             2/2 NA -
PatientID                               2/2 NA -
IssuerOfPatientID                       3/3 NA -
IssuerOfPatientIDQualifiersSequence     3/3 NA -
OtherPatientIDsSequence                 3/3 NA -
PatientBirthDate                        2/2 NA -
PatientSex                              2/2 NA -
ReferencedPatientSequence               2/2 NA -
AdmissionID                             3/3 NA -
IssuerOfAdmissionIDSequence             3/3 NA -
PerformedProcedureStepID                1/1 NA -
PerformedStationAETitle                 1/1 NA -
PerformedStationName                    2/2 NA -
PerformedLocation                       2/2 NA -
PerformedProcedureStepStartDate         1/1 NA -
PerformedProcedureStepStartTime         1/1 NA -
PerformedProcedureStepStatus            1/1 3/1 1
PerformedProcedureStepDescription       2/2 3/2 -
PerformedProcedureTypeDescription       2/2 3/2 -
ProcedureCodeSequence                   2/2 3/2 -
ReasonForPerformedProcedureCodeSequence 3/3 3/3 -
PerformedProcedureStepEndDate           2/2 3/1 1
PerformedProcedureStepEndTime           2/2 3/1 1
CommentsOnThePerformedProcedureStep     3/3 3/3 -
PerformedProcedureStepDiscontinuationReasonCodeSequence 3/3 3/3 3
Modality                                1/1 NA -
StudyID                                 2/2 NA -
PerformedProtocolCodeSequence           2/2 3/2 -
PerformedSeriesSequence                 2/2 3/1 1
> PerformingPhysicianName               2/2 2/2 2
> ProtocolName                          1/1 1/1 1
> OperatorsName                         2/2 2/2 2
> SeriesInstanceUID                     1/1 1/1 1
> SeriesDescription                     2/2 2/2 2
> RetrieveAETitle                       2/2 2/2 2
> ReferencedImageSequence               2/2 2/2 2
>> ReferencedSOPClassUID                1/1 1/1 1
>> ReferencedSOPInstanceUID             1/1 1/1 1
> ReferencedNonImageCompositeSOPInstanceSequence 2/2 2/2 2
>> ReferencedSOPClassUID                1/1 1/1 1
>> ReferencedSOPInstanceUID             1/1 1/1 1
BillingProcedureStepSequence            3/3 3/3 -
FilmConsumptionSequence                 3/3 3/3 -
BillingSuppliesAndDevicesSequence       3/3 3/3 -
`;

interface Row {
  readonly keyword: string;
  /** The sequences that it stands in. */
  readonly path: readonly string[];
  readonly create: string;
  readonly set: string;
  readonly final: string;
}

/** The rows, each below the sequence that was named before it. */
function rowsOf(table: string): Row[] {
  const above: string[] = [];
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [, level = '', keyword = '', create = '', set = '', final = ''] =
        /^(>*) ?(\S+) +(\S+) (\S+) (\S+)$/.exec(line) ?? [];
      above.length = level.length;
      const path = [...above];
      above.push(keyword);
      return { keyword, path, create, set, final };
    });
}

const rows = rowsOf(typed);
const nameOf = ({ path, keyword }: Row): string => [...path, keyword].join(' > ');
const cases = (wanted: (row: Row) => boolean): [string, Row][] => rows.filter(wanted).map((row) => [nameOf(row), row]);

/** The data set with an attribute changed in the first item of its sequences; undefined takes it away. */
function changed(ds: DatasetInput, path: readonly string[], change: DatasetInput): DatasetInput {
  const [sequence, ...rest] = path;
  if (sequence === undefined) return { ...ds, ...change };
  const [first = {}, ...others] = (ds[sequence] ?? []) as DatasetInput[];
  return { ...ds, [sequence]: [changed(first, rest, change), ...others] };
}

/** Something that an attribute can hold. */
function someValue(keyword: string): DatasetInput[string] {
  const code = { CodeValue: 'C', CodingSchemeDesignator: 'SITE', CodeMeaning: 'Code' };
  const byVr: Readonly<Record<string, DatasetInput[string]>> = { SQ: [code], DA: '20260106', TM: '1200', PN: 'B^C' };
  return byVr[vrOf(keyword)] ?? 'X';
}

const ofType = (type: string, usage: string): boolean => usage.split('/')[0] === type;
// A report beside the images, so that every row of the table has an item to stand in.
const fullSeries = { ...series, ReferencedNonImageCompositeSOPInstanceSequence: [image] };
const full: DatasetInput = { ...creation, PerformedSeriesSequence: [fullSeries] };
const ending: DatasetInput = { ...completion, PerformedSeriesSequence: [fullSeries] };
const created = (content: DatasetInput, validation: Validation = 'lenient') =>
  checkCreate(dataset(content), validation);
const set = (change: DatasetInput, validation: Validation = 'lenient', stored: Dataset = dataset(creation)) =>
  applySet(stored, dataset(change), validation);
const refusal = (status: number, ...keywords: string[]) => ({
  status,
  attributeIdentifierList: keywords.map(tagOf),
});
const leftOut = (keyword: string): string =>
  `left out, though of type 2: (${tagOf(keyword).slice(0, 4)},${tagOf(keyword).slice(4)})`;

describe('the attributes of an MPPS (PS3.4 F.7.2-1, F.7.2-2)', () => {
  it('are those of the table, in its order', () => {
    const ours = mppsAttributes.map(({ keyword, in: path = [], create, set, final = '-' }) => ({
      keyword,
      path,
      create,
      set,
      final,
    }));
    expect(ours).toEqual(rows);
  });
});

describe('N-CREATE', () => {
  it.each(cases(({ create }) => ofType('1', create)))(
    '%s is type 1: 0120 without it, 0121 without its value, and a sequence without items is missing',
    (_, { keyword, path }) => {
      expect(created(changed(full, path, { [keyword]: undefined }))).toMatchObject(refusal(0x0120, keyword));
      const withoutValue = vrOf(keyword) === 'SQ' ? 0x0120 : 0x0121;
      expect(created(changed(full, path, { [keyword]: null }))).toMatchObject(refusal(withoutValue, keyword));
    },
  );

  it.each(cases(({ create }) => ofType('2', create)))(
    '%s is type 2: taken when empty; left out it is a remark, and 0120 in strict validation',
    (_, { keyword, path }) => {
      expect(created(changed(full, path, { [keyword]: null }), 'strict')).toEqual([]);
      const without = changed(full, path, { [keyword]: undefined });
      expect(created(without)).toEqual([leftOut(keyword)]);
      expect(created(without, 'strict')).toMatchObject(refusal(0x0120, keyword));
    },
  );

  it.each(cases(({ create }) => ofType('3', create) || ofType('1C', create)))(
    '%s is optional: taken without it, empty, and with a value',
    (_, { keyword, path }) => {
      const value = keyword === 'SpecificCharacterSet' ? 'ISO_IR 100' : someValue(keyword);
      for (const given of [undefined, null, value])
        expect(created(changed(full, path, { [keyword]: given }), 'strict')).toEqual([]);
    },
  );

  it('names all that is missing, in the order of the table, before what has no value', () => {
    const bare = { PerformedProcedureStepStatus: 'IN PROGRESS', Modality: null };
    const missing = rows
      .filter(({ create, path, keyword }) => ofType('1', create) && path.length === 0 && !(keyword in bare))
      .map(({ keyword }) => keyword);
    expect(created(bare)).toMatchObject(refusal(0x0120, ...missing));
  });

  it('with all of type 1 and nothing else is taken, with one remark', () => {
    const one = rows.filter(({ create, path }) => ofType('1', create) && path.length === 0);
    const content = Object.fromEntries(one.map(({ keyword }) => [keyword, creation[keyword]]));
    const item = { StudyInstanceUID: scheduledStep['StudyInstanceUID'] };
    const taken = created({ ...content, ScheduledStepAttributesSequence: [item] });
    expect(taken).toEqual([expect.stringContaining('(0010,0010)')]);
  });
});

describe('N-SET', () => {
  it.each(cases(({ set: usage, path }) => usage === 'NA' && path.length === 0))(
    '%s may not be set: it is left as it was, listed with the warning 0107, and 0105 in strict validation',
    (_, { keyword }) => {
      const change = { ...completion, [keyword]: someValue(keyword) };
      const stored = dataset({ ...creation, [keyword]: null });
      const result = set(change, 'lenient', stored);
      if (isRefusal(result)) throw new Error('it was refused');
      expect([result.status, result.toleratedAttributes]).toEqual(['COMPLETED', [tagOf(keyword)]]);
      expect(result.dataset[keyword]).toEqual([]);
      expect(set(change, 'strict', stored)).toMatchObject(refusal(0x0105, keyword));
    },
  );

  it.each(
    cases(({ set: usage, path, keyword }) => usage.startsWith('3/') && path.length === 0 && !(keyword in completion)),
  )('%s can be set when it was created, even empty; of type 3 and not created it is set and listed', (_, row) => {
    const { keyword, create } = row;
    const change = { [keyword]: someValue(keyword) };
    const empty = set(change, 'strict', dataset({ ...creation, [keyword]: null }));
    expect(empty).toMatchObject({ toleratedAttributes: [], dataset: dataset(change) });
    const absent = set(change, 'lenient', dataset({ ...creation, [keyword]: undefined }));
    const listed = ofType('3', create) ? [tagOf(keyword)] : [];
    expect(absent).toMatchObject({ toleratedAttributes: listed, dataset: dataset(change) });
  });

  it.each(cases(({ set: usage }) => ofType('1', usage)))(
    '%s is type 1 wherever a series is sent: 0120 without it, 0121 without its value',
    (_, { keyword, path }) => {
      const change = { PerformedSeriesSequence: [fullSeries] };
      expect(set(changed(change, path, { [keyword]: undefined }))).toMatchObject(refusal(0x0120, keyword));
      expect(set(changed(change, path, { [keyword]: null }))).toMatchObject(refusal(0x0121, keyword));
    },
  );

  it.each(cases(({ set: usage }) => ofType('2', usage)))(
    '%s is type 2 wherever a series is sent: left out it is a remark, and 0120 in strict validation',
    (_, { keyword, path }) => {
      const without = changed(ending, path, { [keyword]: undefined });
      expect(set(without)).toMatchObject({ status: 'COMPLETED', remarks: [leftOut(keyword)] });
      expect(set(without, 'strict')).toMatchObject(refusal(0x0120, keyword));
    },
  );

  it.each(cases(({ final, path }) => final === '1' && path.length === 0))(
    '%s is there when the step ends: 0120 where it never was, 0121 where it is empty (of series that can be)',
    (_, { keyword }) => {
      if (keyword === 'PerformedProcedureStepStatus') {
        expect(set({ ...ending, [keyword]: null })).toMatchObject(refusal(0x0121, keyword));
        return;
      }
      const without = { ...ending, [keyword]: undefined };
      const never = dataset({ ...creation, [keyword]: undefined });
      expect(set(without, 'lenient', never)).toMatchObject(refusal(0x0120, keyword));
      const empty = set({ ...ending, [keyword]: null });
      const mayBeEmpty = keyword === 'PerformedSeriesSequence';
      expect(empty).toMatchObject(mayBeEmpty ? { status: 'COMPLETED' } : refusal(0x0121, keyword));
      // nothing of this is asked for while the step is in progress
      expect(set({ [keyword]: null })).toMatchObject({ status: 'IN PROGRESS' });
    },
  );

  it.each([undefined, [], [{ CodeValue: '110500', CodingSchemeDesignator: 'DCM', CodeMeaning: 'Doctor cancelled' }]])(
    'DISCONTINUED needs no reason (type 3): %#',
    (reason) => {
      const change = {
        ...ending,
        PerformedProcedureStepStatus: 'DISCONTINUED',
        PerformedProcedureStepDiscontinuationReasonCodeSequence: reason,
      };
      expect(set(change, 'strict')).toMatchObject({ status: 'DISCONTINUED' });
    },
  );
});
