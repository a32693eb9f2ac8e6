import { describe, expect, it } from 'vitest';
import { type DatasetInput, dataset, tagOf, vrOf } from '../../src/dicom/dataset.ts';
import { availabilityFromDicom } from '../../src/mapping/availability-from-dicom.ts';

const instance: DatasetInput = {
  ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
  ReferencedSOPInstanceUID: '2.25.100',
  InstanceAvailability: 'ONLINE',
  RetrieveAETitle: 'PACS',
};
const other: DatasetInput = { ...instance, ReferencedSOPInstanceUID: '2.25.101', InstanceAvailability: 'NEARLINE' };

const notification = (instances: DatasetInput[], more: DatasetInput = {}): DatasetInput => ({
  ReferencedPerformedProcedureStepSequence: [],
  StudyInstanceUID: '2.25.1',
  ReferencedSeriesSequence: [{ SeriesInstanceUID: '2.25.50', ReferencedSOPSequence: instances }],
  ...more,
});

const read = (input: DatasetInput): ReturnType<typeof availabilityFromDicom> =>
  availabilityFromDicom(dataset(input), 'lenient');

describe('an Instance Availability Notification (RAD-49; PS3.4 R.3-1)', () => {
  it('says of each instance of each series whether and where it is', () => {
    const second = { SeriesInstanceUID: '2.25.51', ReferencedSOPSequence: [other] };
    const first = { SeriesInstanceUID: '2.25.50', ReferencedSOPSequence: [instance] };
    expect(read(notification([], { ReferencedSeriesSequence: [first, second] }))).toEqual({
      studyInstanceUid: '2.25.1',
      instances: [
        {
          sopInstanceUid: '2.25.100',
          studyInstanceUid: '2.25.1',
          instanceAvailability: 'ONLINE',
          retrieveAeTitle: 'PACS',
        },
        {
          sopInstanceUid: '2.25.101',
          studyInstanceUid: '2.25.1',
          instanceAvailability: 'NEARLINE',
          retrieveAeTitle: 'PACS',
        },
      ],
      remarks: [],
    });
  });

  it.each(['ONLINE', 'NEARLINE', 'OFFLINE', 'UNAVAILABLE'])('knows %s', (availability) => {
    expect(read(notification([{ ...instance, InstanceAvailability: availability }]))).toHaveProperty('instances');
  });

  it('names the performed steps with class and instance; what kind of work they were may be left out', () => {
    const step = { ReferencedSOPClassUID: '1.2.840.10008.3.1.2.3.3', ReferencedSOPInstanceUID: '2.25.9' };
    const of = (item?: DatasetInput) =>
      notification([instance], { ReferencedPerformedProcedureStepSequence: item && [item] });
    expect(read(of({ ...step, PerformedWorkitemCodeSequence: null }))).toMatchObject({ remarks: [] });
    expect(read(of(step))).toMatchObject({ remarks: ['left out, though of type 2: (0040,4019)'] });
    expect(read(of())).toMatchObject({ remarks: ['left out, though of type 2: (0008,1111)'] });
    expect(availabilityFromDicom(dataset(of()), 'strict')).toMatchObject({ status: 0x0120 });
    const unnamed = read(of({ ...step, ReferencedSOPInstanceUID: null }));
    expect(unnamed).toMatchObject({ status: 0x0121, attributeIdentifierList: [tagOf('ReferencedSOPInstanceUID')] });
  });

  it('may say where else to retrieve (type 3)', () => {
    const more = { RetrieveURI: 'http://pacs/1', StorageMediaFileSetID: 'CD1', RetrieveLocationUID: '1.2.3' };
    expect(read(notification([{ ...instance, ...more }]))).toHaveProperty('instances');
  });

  it.each(['StudyInstanceUID', 'ReferencedSeriesSequence'])(
    'without %s is refused with 0120, with an empty one with 0121, or 0120 where it has no items',
    (keyword) => {
      const withoutValue = vrOf(keyword) === 'SQ' ? 0x0120 : 0x0121;
      const refusals = [undefined, null].map((value) => read(notification([instance], { [keyword]: value })));
      expect(refusals).toMatchObject([
        { status: 0x0120, attributeIdentifierList: [tagOf(keyword)] },
        { status: withoutValue, attributeIdentifierList: [tagOf(keyword)] },
      ]);
    },
  );

  it.each(['SeriesInstanceUID', 'ReferencedSOPSequence'])('without %s in a series is refused', (keyword) => {
    const series = { SeriesInstanceUID: '2.25.50', ReferencedSOPSequence: [instance] };
    const refusals = [undefined, null].map((value) =>
      read(notification([], { ReferencedSeriesSequence: [series, { ...series, [keyword]: value }] })),
    );
    expect(refusals).toMatchObject([
      { status: 0x0120, attributeIdentifierList: [tagOf(keyword)] },
      { status: vrOf(keyword) === 'SQ' ? 0x0120 : 0x0121, attributeIdentifierList: [tagOf(keyword)] },
    ]);
  });

  it.each(['ReferencedSOPClassUID', 'ReferencedSOPInstanceUID', 'InstanceAvailability', 'RetrieveAETitle'])(
    'without %s of an instance is refused',
    (keyword) => {
      const refusals = [undefined, null].map((value) => read(notification([other, { ...instance, [keyword]: value }])));
      expect(refusals).toMatchObject([
        { status: 0x0120, attributeIdentifierList: [tagOf(keyword)] },
        { status: 0x0121, attributeIdentifierList: [tagOf(keyword)] },
      ]);
    },
  );

  it.each([
    ['InstanceAvailability', { InstanceAvailability: 'SOMEWHERE' }],
    ['ReferencedSOPInstanceUID', { ReferencedSOPInstanceUID: '1.02' }],
    ['ReferencedSOPClassUID', { ReferencedSOPClassUID: 'MR' }],
  ] as [string, DatasetInput][])('with an invalid %s is refused with 0106', (keyword, more) => {
    expect(read(notification([other, { ...instance, ...more }]))).toMatchObject({
      status: 0x0106,
      attributeIdentifierList: [tagOf(keyword)],
    });
  });

  it('with an invalid study or series UID is refused with 0106', () => {
    const series = { SeriesInstanceUID: 'x', ReferencedSOPSequence: [instance] };
    expect(read(notification([instance], { StudyInstanceUID: '1.' }))).toMatchObject({ status: 0x0106 });
    expect(read(notification([], { ReferencedSeriesSequence: [series] }))).toMatchObject({ status: 0x0106 });
  });

  it('takes all or nothing: one instance that is wrong refuses the whole notification', () => {
    const result = read(notification([instance, other, { ...instance, ReferencedSOPInstanceUID: 'x' }]));
    expect(result).not.toHaveProperty('instances');
  });
});
