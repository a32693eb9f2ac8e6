import { describe, expect, it } from 'vitest';
import { type Dataset, type DatasetInput, dataset, tagOf } from '../../src/dicom/dataset.ts';
import { storable } from '../../src/mapping/dicom-checks.ts';
import {
  type MppsUpdate,
  applySet,
  createRefusal,
  instancesOf,
  isRefusal,
  mppsFromDicom,
} from '../../src/mapping/mpps-from-dicom.ts';
import type { MppsRefusal } from '../../src/workflow/mpps-rules.ts';

const scheduledStep: DatasetInput = {
  StudyInstanceUID: '2.25.1',
  ReferencedStudySequence: [{ ReferencedSOPClassUID: '1.2.840.10008.3.1.2.3.1', ReferencedSOPInstanceUID: '2.25.11' }],
  AccessionNumber: 'A1',
  RequestedProcedureID: 'RP1',
  RequestedProcedureDescription: 'Head',
  ScheduledProcedureStepID: 'S1',
  ScheduledProcedureStepDescription: 'Head routine',
  ScheduledProtocolCodeSequence: [],
};

const creation: DatasetInput = {
  ScheduledStepAttributesSequence: [scheduledStep],
  PatientName: 'ALDER^ADA',
  PatientID: 'P1',
  PatientBirthDate: '19700102',
  PatientSex: 'F',
  ReferencedPatientSequence: [],
  PerformedProcedureStepID: 'PPS1',
  PerformedStationAETitle: 'MR1',
  PerformedStationName: null,
  PerformedLocation: null,
  PerformedProcedureStepStartDate: '20260105',
  PerformedProcedureStepStartTime: '093000',
  PerformedProcedureStepStatus: 'IN PROGRESS',
  PerformedProcedureStepDescription: null,
  PerformedProcedureTypeDescription: null,
  ProcedureCodeSequence: [],
  PerformedProcedureStepEndDate: null,
  PerformedProcedureStepEndTime: null,
  PerformedProcedureStepDiscontinuationReasonCodeSequence: [],
  Modality: 'MR',
  StudyID: null,
  PerformedProtocolCodeSequence: [],
  PerformedSeriesSequence: [],
};

const image = { ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.4', ReferencedSOPInstanceUID: '2.25.100' };

const series: DatasetInput = {
  PerformingPhysicianName: null,
  ProtocolName: 'Head routine',
  OperatorsName: null,
  SeriesInstanceUID: '2.25.50',
  SeriesDescription: null,
  RetrieveAETitle: null,
  ReferencedImageSequence: [image, { ...image, ReferencedSOPInstanceUID: '2.25.101' }],
  ReferencedNonImageCompositeSOPInstanceSequence: [],
};

const completion: DatasetInput = {
  PerformedProcedureStepStatus: 'COMPLETED',
  PerformedProcedureStepEndDate: '20260105',
  PerformedProcedureStepEndTime: '095500',
  PerformedSeriesSequence: [series],
};

const create = (more: DatasetInput = {}): MppsRefusal | undefined => createRefusal(dataset({ ...creation, ...more }));
const withItem = (more: DatasetInput): DatasetInput => ({
  ScheduledStepAttributesSequence: [{ ...scheduledStep, ...more }],
});
const withSeries = (more: DatasetInput): DatasetInput => ({ PerformedSeriesSequence: [{ ...series, ...more }] });
const set = (change: DatasetInput, stored: DatasetInput = creation): MppsUpdate | MppsRefusal =>
  applySet(dataset(stored), dataset(change));
const tags = (...keywords: string[]): string[] => keywords.map(tagOf);

describe('an N-CREATE (RAD-6; PS3.4 F.7.2-1)', () => {
  it('with every attribute is taken', () => {
    expect(create()).toBeUndefined();
  });

  it('with series that are there already is taken', () => {
    expect(create(withSeries({}))).toBeUndefined();
  });

  it('with attributes that the table does not name is taken (type 3)', () => {
    expect(create({ FilmConsumptionSequence: [], CommentsOnThePerformedProcedureStep: 'x' })).toBeUndefined();
  });

  const typeOne = [
    'PerformedProcedureStepID',
    'PerformedStationAETitle',
    'PerformedProcedureStepStartDate',
    'PerformedProcedureStepStartTime',
    'PerformedProcedureStepStatus',
    'Modality',
    'ScheduledStepAttributesSequence',
  ];

  it.each(typeOne)('without %s is refused with 0120, with an empty one with 0121', (keyword) => {
    expect(create({ [keyword]: undefined })).toMatchObject({ status: 0x0120, attributeIdentifierList: tags(keyword) });
    expect(create({ [keyword]: null })).toMatchObject({ status: 0x0121, attributeIdentifierList: tags(keyword) });
  });

  it('names every attribute that is missing', () => {
    const bare = createRefusal(dataset({ PerformedProcedureStepStatus: 'IN PROGRESS' }));
    expect(bare?.status).toBe(0x0120);
    const expected = tags(...typeOne.filter((keyword) => keyword !== 'PerformedProcedureStepStatus'));
    expect([...(bare?.attributeIdentifierList ?? [])].sort()).toEqual(expected.sort());
  });

  it.each([
    ['StudyInstanceUID', withItem({ StudyInstanceUID: undefined }), 0x0120],
    ['StudyInstanceUID', withItem({ StudyInstanceUID: null }), 0x0121],
    ['ReferencedSOPInstanceUID', withItem({ ReferencedStudySequence: [{ ReferencedSOPClassUID: '1.2' }] }), 0x0120],
    ['ReferencedSOPClassUID', withItem({ ReferencedStudySequence: [{ ReferencedSOPInstanceUID: '1.2' }] }), 0x0120],
    ['ProtocolName', withSeries({ ProtocolName: undefined }), 0x0120],
    ['ProtocolName', withSeries({ ProtocolName: null }), 0x0121],
    ['SeriesInstanceUID', withSeries({ SeriesInstanceUID: undefined }), 0x0120],
    ['ReferencedSOPClassUID', withSeries({ ReferencedImageSequence: [{ ReferencedSOPInstanceUID: '1.2' }] }), 0x0120],
    [
      'ReferencedSOPInstanceUID',
      withSeries({ ReferencedNonImageCompositeSOPInstanceSequence: [{ ReferencedSOPClassUID: '1.2' }] }),
      0x0120,
    ],
  ] as [string, DatasetInput, number][])('asks %s of each item where it is type 1: %#', (keyword, more, status) => {
    expect(create(more)).toMatchObject({ status, attributeIdentifierList: tags(keyword) });
  });

  it('looks at every item of a group case', () => {
    const items = [scheduledStep, { ...scheduledStep, StudyInstanceUID: undefined }];
    expect(create({ ScheduledStepAttributesSequence: items })?.status).toBe(0x0120);
  });

  it.each([
    'PatientName',
    'PatientID',
    'PatientBirthDate',
    'PatientSex',
    'ReferencedPatientSequence',
    'PerformedStationName',
    'PerformedLocation',
    'PerformedProcedureStepDescription',
    'ProcedureCodeSequence',
    'StudyID',
    'PerformedSeriesSequence',
  ])('takes an empty %s (type 2)', (keyword) => {
    expect(create({ [keyword]: null })).toBeUndefined();
  });

  it('of an unscheduled step, with nothing but a study UID in its item, is taken', () => {
    const item = Object.fromEntries(Object.keys(scheduledStep).map((keyword) => [keyword, null]));
    expect(create({ ScheduledStepAttributesSequence: [{ ...item, StudyInstanceUID: '2.25.7' }] })).toBeUndefined();
  });

  it.each(['COMPLETED', 'DISCONTINUED', 'in progress', 'X'])('with the status %s is refused with 0106', (status) => {
    expect(create({ PerformedProcedureStepStatus: status })).toMatchObject({
      status: 0x0106,
      attributeIdentifierList: tags('PerformedProcedureStepStatus'),
    });
  });

  it('is told of what is missing before it is told of its status', () => {
    expect(create({ PerformedProcedureStepStatus: 'COMPLETED', Modality: undefined })?.status).toBe(0x0120);
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

  it.each(['09', '0930', '093000', '093000.5', '235960'])('takes the start time %s (PS3.5 6.2 TM)', (time) => {
    expect(create({ PerformedProcedureStepStartTime: time })).toBeUndefined();
  });

  it('quotes no value in its refusal, and fits Error Comment (LO)', () => {
    const refusal = create({ PerformedProcedureStepStartDate: 'ALDER' });
    expect(refusal?.comment).not.toContain('ALDER');
    expect(refusal?.comment.length).toBeLessThanOrEqual(64);
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
    const { dataset: after } = updateOf(applySet(stored, dataset(completion)));
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
    for (const change of [none, bare]) {
      const result = updateOf(set(change));
      expect([result.status, instancesOf(result.dataset)]).toEqual(['COMPLETED', []]);
    }
  });

  const notAllowed: DatasetInput = {
    ScheduledStepAttributesSequence: [{ ...scheduledStep, StudyInstanceUID: '2.25.9' }],
    PatientName: 'OTHER^NAME',
    PatientID: 'P9',
    IssuerOfPatientID: 'X',
    PatientBirthDate: '19990909',
    PatientSex: 'M',
    ReferencedPatientSequence: [],
    OtherPatientIDsSequence: [],
    AdmissionID: 'V9',
    PerformedProcedureStepID: 'PPS9',
    PerformedStationAETitle: 'MR9',
    PerformedStationName: 'NINE',
    PerformedLocation: 'NINE',
    PerformedProcedureStepStartDate: '20260109',
    PerformedProcedureStepStartTime: '090909',
    Modality: 'CT',
    StudyID: '9',
  };

  it.each(Object.entries(notAllowed))(
    'does not change %s, and says so in the list of the warning 0107',
    (keyword, value) => {
      const result = updateOf(set({ ...completion, [keyword]: value }));
      expect(result.toleratedAttributes).toEqual(tags(keyword));
      expect(result.dataset[keyword]).toEqual(dataset(creation)[keyword]);
      expect(result.status).toBe('COMPLETED');
    },
  );

  it('with all of them lists all of them', () => {
    const result = updateOf(set({ ...completion, ...notAllowed }));
    expect([...result.toleratedAttributes].sort()).toEqual(tags(...Object.keys(notAllowed)).sort());
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

describe('an instance as it is stored between N-CREATE and N-SET', () => {
  it('given bytes, numbers that JSON has not and NUL, then it can be stored again and again', () => {
    const first = storable({
      '00291010': [Uint8Array.of(0, 1, 255)],
      PatientSize: [Number.NaN],
      PatientName: ['A\0B'],
    });
    const stored = JSON.parse(JSON.stringify(first)) as Dataset;
    expect(stored).toEqual({ '00291010': [{ InlineBinary: 'AAH/' }], PatientSize: ['NaN'], PatientName: ['AB'] });
    expect(storable(stored)).toEqual(stored);
  });
});
