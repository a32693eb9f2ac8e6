import { describe, expect, it } from 'vitest';
import { type Dataset, type DatasetInput, dataset, tagOf } from '../../src/dicom/dataset.ts';
import { type Checked, isRefusal } from '../../src/mapping/dicom-checks.ts';
import {
  type MppsUpdate,
  applySet,
  checkCreate,
  instancesOf,
  mppsFromDicom,
} from '../../src/mapping/mpps-from-dicom.ts';
import type { MppsRefusal } from '../../src/workflow/mpps-rules.ts';
import { completion, creation, image, scheduledStep, series } from './mpps-data.ts';

const create = (more: DatasetInput = {}): Checked => checkCreate(dataset({ ...creation, ...more }), 'lenient');
const withItem = (more: DatasetInput): DatasetInput => ({
  ScheduledStepAttributesSequence: [{ ...scheduledStep, ...more }],
});
const withSeries = (more: DatasetInput): DatasetInput => ({ PerformedSeriesSequence: [{ ...series, ...more }] });
const set = (change: DatasetInput, stored: DatasetInput = creation): MppsUpdate | MppsRefusal =>
  applySet(dataset(stored), dataset(change), 'lenient');
const tags = (...keywords: string[]): string[] => keywords.map(tagOf);

describe('an N-CREATE (RAD-6; PS3.4 F.7.2-1)', () => {
  it('with every attribute is taken', () => {
    expect(create()).toEqual([]);
  });

  it('with series that are there already is taken', () => {
    expect(create(withSeries({}))).toEqual([]);
  });

  it('with attributes that the table does not name is taken (type 3)', () => {
    expect(create({ FilmConsumptionSequence: [], CommentsOnThePerformedProcedureStep: 'x' })).toEqual([]);
  });

  it('looks at every item of a group case', () => {
    const items = [scheduledStep, { ...scheduledStep, StudyInstanceUID: undefined }];
    expect(create({ ScheduledStepAttributesSequence: items })).toMatchObject({ status: 0x0120 });
  });

  it('of an unscheduled step, with nothing but a study UID in its item, is taken', () => {
    const item = Object.fromEntries(Object.keys(scheduledStep).map((keyword) => [keyword, null]));
    expect(create({ ScheduledStepAttributesSequence: [{ ...item, StudyInstanceUID: '2.25.7' }] })).toEqual([]);
  });

  it.each(['COMPLETED', 'DISCONTINUED', 'in progress', 'X'])('with the status %s is refused with 0106', (status) => {
    expect(create({ PerformedProcedureStepStatus: status })).toMatchObject({
      status: 0x0106,
      attributeIdentifierList: tags('PerformedProcedureStepStatus'),
    });
  });

  it('is told of what is missing before it is told of its status', () => {
    expect(create({ PerformedProcedureStepStatus: 'COMPLETED', Modality: undefined })).toMatchObject({
      status: 0x0120,
    });
  });

  it.each([
    ['StudyInstanceUID', withItem({ StudyInstanceUID: '1.02.3' })],
    ['ReferencedSOPInstanceUID', withItem({ ReferencedStudySequence: [{ ...image, ReferencedSOPInstanceUID: 'x' }] })],
    ['PerformedProcedureStepStartDate', { PerformedProcedureStepStartDate: '2026-01-05' }],
    ['PerformedProcedureStepStartDate', { PerformedProcedureStepStartDate: '20260230' }],
    ['PerformedProcedureStepStartDate', { PerformedProcedureStepStartDate: '20261301' }],
    ['PerformedProcedureStepStartTime', { PerformedProcedureStepStartTime: '240000' }],
    ['PerformedProcedureStepStartTime', { PerformedProcedureStepStartTime: '9:30' }],
    ['SeriesInstanceUID', withSeries({ SeriesInstanceUID: '1..2' })],
    [
      'ReferencedSOPInstanceUID',
      withSeries({ ReferencedImageSequence: [{ ...image, ReferencedSOPInstanceUID: 'a' }] }),
    ],
    ['ReferencedSOPClassUID', withSeries({ ReferencedImageSequence: [{ ...image, ReferencedSOPClassUID: 'MR' }] })],
  ] as [string, DatasetInput][])('with an invalid %s is refused with 0106: %#', (keyword, more) => {
    expect(create(more)).toMatchObject({ status: 0x0106, attributeIdentifierList: tags(keyword) });
  });

  const code = { CodeValue: 'T1', CodingSchemeDesignator: 'SITE', CodeMeaning: 'Head' };

  it.each([
    ['a meaning alone', { CodeMeaning: 'Head' }],
    ['a value without scheme', { ...code, CodingSchemeDesignator: undefined }],
    ['a long value without scheme', { LongCodeValue: 'A LONG CODE', CodeMeaning: 'Head' }],
    ['an empty value', { ...code, CodeValue: null }],
  ] as [string, DatasetInput][])('with a code item that is %s is refused with 0106 (PS3.3 8.8)', (_, item) => {
    const sequence = 'PerformedProtocolCodeSequence';
    const refusal = { status: 0x0106, attributeIdentifierList: tags(sequence) };
    expect(create({ [sequence]: [code, item] })).toMatchObject(refusal);
  });

  it('takes codes with a scheme, long ones, and URNs', () => {
    const long = { LongCodeValue: 'A LONG CODE', CodingSchemeDesignator: 'SITE', CodeMeaning: 'Head' };
    const urn = { URNCodeValue: 'urn:oid:1.2.3', CodeMeaning: 'Head' };
    expect(create({ ProcedureCodeSequence: [code, long, urn] })).toEqual([]);
  });

  it.each([
    ['an item with nothing in it', { ProcedureCodeSequence: [{}] }, 'ProcedureCodeSequence'],
    ['a code without meaning', { ProcedureCodeSequence: [{ ...code, CodeMeaning: null }] }, 'ProcedureCodeSequence'],
    ['an id of 17 characters', { PerformedProcedureStepID: 'P'.repeat(17) }, 'PerformedProcedureStepID'],
    ['an AE title of 17 characters', { PerformedStationAETitle: 'A'.repeat(17) }, 'PerformedStationAETitle'],
  ] as [string, DatasetInput, string][])(
    'takes %s with a remark, which names the attribute only; strict validation refuses it with 0106',
    (_, more, keyword) => {
      const tag = tagOf(keyword);
      const taken = create(more);
      expect(taken).toEqual([`kept, though not as the standard has it: (${tag.slice(0, 4)},${tag.slice(4)})`]);
      expect(checkCreate(dataset({ ...creation, ...more }), 'strict')).toMatchObject({
        status: 0x0106,
        attributeIdentifierList: [tag],
      });
    },
  );

  it.each(['09', '0930', '093000', '093000.5', '235960'])('takes the start time %s (PS3.5 6.2 TM)', (time) => {
    expect(create({ PerformedProcedureStepStartTime: time })).toEqual([]);
  });

  it('quotes no value in its refusal, and fits Error Comment (LO)', () => {
    const refusal = create({ PerformedProcedureStepStartDate: 'ALDER' });
    if (!isRefusal(refusal)) throw new Error('it was taken');
    expect(refusal.comment).not.toContain('ALDER');
    expect(refusal.comment.length).toBeLessThanOrEqual(64);
  });
});

describe('an MPPS as the department reads it', () => {
  it('has its station, modality and one reference for each item', () => {
    const second = { ...scheduledStep, ScheduledProcedureStepID: 'S2', ReferencedStudySequence: [] };
    const mpps = mppsFromDicom(dataset({ ...creation, ScheduledStepAttributesSequence: [scheduledStep, second] }));
    expect(mpps).toMatchObject({ performedProcedureStepId: 'PPS1', performedStationAeTitle: 'MR1', modality: 'MR' });
    expect(mpps.references).toEqual([
      {
        studyInstanceUid: '2.25.1',
        scheduledProcedureStepId: 'S1',
        requestedProcedureId: 'RP1',
        accessionNumber: 'A1',
        referencedStudyUids: ['2.25.11'],
      },
      expect.objectContaining({ scheduledProcedureStepId: 'S2', referencedStudyUids: [] }),
    ]);
  });

  it('says nothing where the modality sent nothing or blanks', () => {
    const item = { StudyInstanceUID: '2.25.7', ScheduledProcedureStepID: null, AccessionNumber: '  ' };
    const [reference] = mppsFromDicom(dataset({ ScheduledStepAttributesSequence: [item] })).references;
    expect(reference).toMatchObject({ scheduledProcedureStepId: undefined, accessionNumber: undefined });
  });
});

describe('an N-SET (RAD-7; PS3.4 F.7.2.2)', () => {
  const updateOf = (result: MppsUpdate | MppsRefusal): MppsUpdate => {
    if (isRefusal(result)) throw new Error(`refused with ${result.status.toString(16)}`);
    return result;
  };

  it.each(['COMPLETED', 'DISCONTINUED'])('to %s with end and series is taken', (status) => {
    const result = updateOf(set({ ...completion, PerformedProcedureStepStatus: status }));
    expect([result.status, result.toleratedAttributes]).toEqual([status, []]);
  });

  it('without a status, and with IN PROGRESS, leaves the step in progress', () => {
    const changes = [{ PerformedProcedureStepDescription: 'x' }, { PerformedProcedureStepStatus: 'IN PROGRESS' }];
    expect(changes.map((change) => updateOf(set(change)).status)).toEqual(['IN PROGRESS', 'IN PROGRESS']);
  });

  it('changes what it carries and keeps the rest', () => {
    const stored = dataset(creation);
    const before = structuredClone(stored);
    const { dataset: after } = updateOf(applySet(stored, dataset(completion), 'lenient'));
    expect(after).toEqual({ ...stored, ...dataset(completion) });
    expect(stored).toEqual(before);
  });

  it('replaces a sequence as a whole', () => {
    const more = withSeries({ SeriesInstanceUID: '2.25.51' });
    const { dataset: after } = updateOf(set(more, { ...creation, PerformedSeriesSequence: [series] }));
    expect(after['PerformedSeriesSequence']).toHaveLength(1);
  });

  it.each([
    ['an unknown status', { PerformedProcedureStepStatus: 'DONE' }, 0x0106, ['PerformedProcedureStepStatus']],
    ['an empty status', { PerformedProcedureStepStatus: null }, 0x0121, ['PerformedProcedureStepStatus']],
    [
      'no end date',
      { ...completion, PerformedProcedureStepEndDate: undefined },
      0x0121,
      ['PerformedProcedureStepEndDate'],
    ],
    [
      'no end time',
      { ...completion, PerformedProcedureStepEndTime: undefined },
      0x0121,
      ['PerformedProcedureStepEndTime'],
    ],
    [
      'an empty end time',
      { ...completion, PerformedProcedureStepEndTime: null },
      0x0121,
      ['PerformedProcedureStepEndTime'],
    ],
    [
      'an end date that is none',
      { ...completion, PerformedProcedureStepEndDate: '20260231' },
      0x0106,
      ['PerformedProcedureStepEndDate'],
    ],
    [
      'a series without protocol name',
      { ...completion, ...withSeries({ ProtocolName: undefined }) },
      0x0120,
      ['ProtocolName'],
    ],
    [
      'a series without UID',
      { ...completion, ...withSeries({ SeriesInstanceUID: null }) },
      0x0121,
      ['SeriesInstanceUID'],
    ],
  ] as [string, DatasetInput, number, string[]][])(
    'to a final status with %s is refused',
    (_, change, status, keywords) => {
      expect(set(change)).toMatchObject({ status, attributeIdentifierList: tags(...keywords) });
    },
  );

  it('to a final status names everything that was never there with 0120', () => {
    const keywords = ['PerformedProcedureStepEndDate', 'PerformedProcedureStepEndTime', 'PerformedSeriesSequence'];
    const stored = { ...creation, ...Object.fromEntries(keywords.map((keyword) => [keyword, undefined])) };
    expect(set({ PerformedProcedureStepStatus: 'COMPLETED' }, stored)).toMatchObject({
      status: 0x0120,
      attributeIdentifierList: tags(...keywords),
    });
  });

  it('to a final status may follow one that brought end and series', () => {
    const stored = { ...creation, ...completion, PerformedProcedureStepStatus: 'IN PROGRESS' };
    expect(updateOf(set({ PerformedProcedureStepStatus: 'COMPLETED' }, stored)).status).toBe('COMPLETED');
  });

  it('to a final status may name no series, or a series without instances: the SCP cannot know what was made', () => {
    const none = { ...completion, PerformedSeriesSequence: [] };
    const bare = { ...completion, ...withSeries({ ReferencedImageSequence: [] }) };
    const ended = [none, bare].map((change) => updateOf(set(change)));
    expect(ended.map(({ status, dataset: after }) => [status, instancesOf(after)])).toEqual([
      ['COMPLETED', []],
      ['COMPLETED', []],
    ]);
    expect(ended.map(({ remarks }) => remarks)).toEqual([
      ['ended without a series'],
      ['ended with a series that names no instance'],
    ]);
    expect(updateOf(set(completion)).remarks).toEqual([]);
  });

  it('with an attribute that was never created lists it', () => {
    const reason = 'PerformedProcedureStepDiscontinuationReasonCodeSequence';
    const code = {
      CodeValue: '110514',
      CodingSchemeDesignator: 'DCM',
      CodeMeaning: 'Incorrect worklist entry selected',
    };
    const change = { ...completion, PerformedProcedureStepStatus: 'DISCONTINUED', [reason]: [code] };
    expect(updateOf(set(change)).toleratedAttributes).toEqual([]);
    expect(updateOf(set(change, { ...creation, [reason]: undefined })).toleratedAttributes).toEqual(tags(reason));
  });

  it('brings its character set where the N-CREATE needed none (type 1C)', () => {
    const change = { SpecificCharacterSet: 'ISO_IR 100', PerformedProcedureStepDescription: 'Schädel' };
    const result = updateOf(set(change));
    expect(result.dataset).toMatchObject(dataset(change));
    expect(result.toleratedAttributes).toEqual([]);
  });

  it('keeps the character set of the N-CREATE', () => {
    const stored = { ...creation, SpecificCharacterSet: 'ISO_IR 100' };
    const result = updateOf(set({ ...completion, SpecificCharacterSet: 'ISO_IR 192' }, stored));
    expect(result.dataset['SpecificCharacterSet']).toEqual(['ISO_IR 100']);
    expect(result.toleratedAttributes).toEqual([]);
  });
});

describe('the instances of an MPPS (PS3.3 C.4.15)', () => {
  it('are images and others of every series', () => {
    const report = { ReferencedSOPClassUID: '1.2.3', ReferencedSOPInstanceUID: '2.25.200' };
    const other = {
      ...series,
      SeriesInstanceUID: '2.25.51',
      ReferencedImageSequence: [],
      ReferencedNonImageCompositeSOPInstanceSequence: [report],
    };
    const mpps: Dataset = dataset({ PerformedSeriesSequence: [series, other] });
    expect(instancesOf(mpps).map((one) => [one.seriesInstanceUid, one.sopInstanceUid, one.sopClassUid])).toEqual([
      ['2.25.50', '2.25.100', '1.2.840.10008.5.1.4.1.1.4'],
      ['2.25.50', '2.25.101', '1.2.840.10008.5.1.4.1.1.4'],
      ['2.25.51', '2.25.200', '1.2.3'],
    ]);
  });

  it('are none before a series is named', () => {
    expect(instancesOf(dataset(creation))).toEqual([]);
  });
});
