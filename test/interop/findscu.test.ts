import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, startTestServer, testCatalogue } from '../support/server.ts';
import { type Reading, dcmtk, findRows, findscu, stepKey } from './dcmtk.ts';
import { type DicomJson, stepOf, tags, valuesOf } from './dicom-json.ts';
import { describeWith } from './describe-with.ts';
import { MANY, manySteps, orderEverything } from './orders.ts';
import { callOf, output, pythonWith } from './programs.ts';

const pydicomToJson = 'import sys, pydicom; print(pydicom.dcmread(sys.argv[1]).to_json())';

const startDate = stepKey('ScheduledProcedureStepStartDate');
const startTime = stepKey('ScheduledProcedureStepStartTime');

const { findscu: hasFindscu, dcm2json } = dcmtk;

describeWith('RAD-5 asked by findscu (DCMTK)', { findscu: hasFindscu, dcm2json }, () => {
  let server: TestServer;
  const find = (keys: Readonly<Record<string, string>>, reading: Reading = {}): Promise<DicomJson[]> =>
    findRows(callOf(server.ports.dicom), keys, reading);
  const patients = async (keys: Readonly<Record<string, string>>): Promise<string[]> =>
    (await find(keys)).map((row) => stepOf(row).patientId).sort();

  beforeAll(async () => {
    server = await startTestServer({ catalogue: [...testCatalogue, manySteps] });
    await orderEverything(server.ports.hl7);
  });
  afterAll(() => server.stop());

  it.each(['-xe', '-xi'])(
    'given one scheduled step, when its patient is asked for with %s, then the row has every return key (PS3.4 table K.6-1)',
    async (syntax) => {
      const rows = await find({ PatientID: 'PA1' }, { syntax });
      const [stored] = await server.store.prisma.scheduledProcedureStep.findMany({
        where: { procedure: { order: { patient: { identifiers: { some: { value: 'PA1' } } } } } },
        include: { procedure: { include: { order: true } } },
      });
      expect(rows.map(stepOf)).toEqual([
        {
          patientName: 'Oskarsson^Liv',
          patientId: 'PA1',
          accessionNumber: stored?.procedure.order.accessionNumber,
          requestedProcedureId: stored?.procedure.requestedProcedureId,
          studyInstanceUid: stored?.procedure.studyInstanceUid,
          modality: 'DX',
          stations: 'DX1',
          startDate: '20300115',
          startTime: '090000',
          stepId: stored?.scheduledProcedureStepId,
          protocol: 'WR2',
        },
      ]);
    },
  );

  it('given steps of several patients, when patient-based keys are combined, then only rows that match all are sent (RAD TF-2 4.5)', async () => {
    const [row] = (await find({ PatientID: 'PA2' })).map(stepOf);
    const accessionNumber = row?.accessionNumber ?? '';
    const requestedProcedureId = row?.requestedProcedureId ?? '';
    expect(await patients({ AccessionNumber: accessionNumber })).toEqual(['PA2', 'PA2']);
    expect(await patients({ RequestedProcedureID: requestedProcedureId })).toEqual(['PA2', 'PA2']);
    expect(await patients({ AccessionNumber: accessionNumber, PatientName: 'Osmund^Tor' })).toEqual(['PA2', 'PA2']);
    expect(await patients({ AccessionNumber: accessionNumber, PatientID: 'PA1' })).toEqual([]);
  });

  it('given steps of three rooms, when date, modality and station are combined, then the list of that room comes (RAD TF-2 4.5)', async () => {
    expect(await patients({ [stepKey('ScheduledProcedureStepStartDate')]: '20300117' })).toEqual(['PA3', 'PA3']);
    expect(await patients({ [stepKey('Modality')]: 'CT' })).toEqual(['PA3']);
    expect(await patients({ [stepKey('ScheduledStationAETitle')]: 'MR1' })).toEqual(['PA2', 'PA2']);
    const room = { [stepKey('ScheduledStationAETitle')]: 'PET1', [stepKey('Modality')]: 'PT' };
    expect(await patients({ ...room, [stepKey('ScheduledProcedureStepStartDate')]: '20300117' })).toEqual(['PA3']);
    expect(await patients({ ...room, [stepKey('ScheduledProcedureStepStartDate')]: '20300116' })).toEqual([]);
  });

  it('given dates from the 15th to the 17th, when ranges are asked for, then both ends are included (PS3.4 C.2.2.2.5)', async () => {
    const range = (value: string): Promise<string[]> =>
      patients({ [stepKey('ScheduledProcedureStepStartDate')]: value });
    expect(await range('20300115-20300116')).toEqual(['PA1', 'PA2', 'PA2']);
    expect(await range('-20300115')).toEqual(['PA1']);
    expect(await range('20300117-20300131')).toEqual(['PA3', 'PA3']);
    const interval = {
      [stepKey('ScheduledProcedureStepStartDate')]: '20300115-20300116',
      [stepKey('ScheduledProcedureStepStartTime')]: '0930-1015',
    };
    // one interval from the first date and time to the last, not the same hours every day (PS3.4 K.4)
    expect(await patients(interval)).toEqual(['PA2']);
  });

  it('given names that begin alike, when wildcards are used, then case does not matter and ? is one character (PS3.4 C.2.2.2.4)', async () => {
    expect(await patients({ PatientName: 'Os*' })).toEqual(['PA1', 'PA2', 'PA2']);
    expect(await patients({ PatientName: 'OSKARSSON^L?V' })).toEqual(['PA1']);
    expect(await patients({ PatientName: '*^Liv' })).toEqual(['PA1', 'PA3', 'PA3']);
    expect(await patients({ PatientName: 'Oskarsson^L?' })).toEqual([]);
  });

  it(`given ${MANY} rows, when findscu cancels after two, then the answer ends with FE00 before the last row (PS3.4 C.4.1.3)`, async () => {
    const keys = ['-k', `${stepKey('ScheduledStationAETitle')}=US1`, '-k', 'AccessionNumber'];
    const rows = (text: string): number => text.match(/AccessionNumber/g)?.length ?? 0;
    const all = await findscu(callOf(server.ports.dicom), keys);
    expect(all.said).toMatch(/Final Find Response \(Success\)/);
    const cancelled = await findscu(callOf(server.ports.dicom), ['--cancel', '2', ...keys]);
    expect(cancelled.said).toMatch(/Final Find Response \(Cancel: MatchingTerminatedDueToCancelRequest\)/);
    expect(rows(cancelled.said)).toBeLessThan(rows(all.said));
  });

  it('given no row that matches, when asked, then the answer is success alone (PS3.4 K.4.1.1.4)', async () => {
    const { said } = await findscu(callOf(server.ports.dicom), ['-k', 'PatientID=NOBODY']);
    expect(said).toMatch(/Received Final Find Response \(Success\)/);
    expect(said).not.toMatch(/Pending/);
  });

  it.each([
    ['a code in another case', { [stepKey('Modality')]: 'dx' }, '', 0],
    [
      'a key that no worklist has',
      { MilitaryRank: 'GENERAL', PatientName: 'OS*' },
      'WarningUnsupportedOptionalKeys',
      3,
    ],
    ['* for a text without value', { [stepKey('CommentsOnTheScheduledProcedureStep')]: '*', PatientID: 'PA1' }, '', 1],
    ['one day, from a time on', { [startDate]: '20300116', [startTime]: '1015-' }, '', 1],
    ['a range that ends before it begins', { [startDate]: '20300117-20300115' }, '', 0],
  ] as const)(
    'given %s, when findscu asks, then the rows and their status are those of PS3.4 C.2.2.2 and K.4.1.1.4',
    async (_what, keys, pending, rows) => {
      const options = Object.entries(keys).flatMap(([key, value]) => ['-k', `${key}=${value}`]);
      const { said } = await findscu(callOf(server.ports.dicom), options);
      const states = [...said.matchAll(/Find Response: \d+ \(Pending(?:: (\w+))?\)/g)].map(([, state = '']) => state);
      expect(states).toEqual(Array.from({ length: rows }, () => pending));
      expect(said).toMatch(/Final Find Response \(Success\)/);
    },
  );

  it('given ASCII and values that nobody knows, when whole steps are asked for, then there is no character set, no value is made up, and rows come in the order of their start (PS3.4 C.2.2.2.6)', async () => {
    const wholeSteps = { PatientName: 'OS*', PregnancyStatus: '', 'ScheduledProcedureStepSequence[0]': '' };
    const { said } = await findscu(
      callOf(server.ports.dicom),
      Object.entries(wholeSteps).flatMap(([key, value]) => ['-k', value ? `${key}=${value}` : key]),
    );
    expect(said).not.toMatch(/SpecificCharacterSet/);
    expect(said.match(/PregnancyStatus/g)).toHaveLength(4);
    expect(said).not.toMatch(/\(0010,21c0\) US \d/);
    const starts = [...said.matchAll(/\(0040,0003\) TM \[(\d+) *\]/g)].map(([, start]) => start);
    expect(starts).toEqual(['090000', '100000', '103000']);
  });

  it('given an unknown called AE title, when findscu associates, then it is rejected with that reason (PS3.8 9.3.4)', async () => {
    const call = { ...callOf(server.ports.dicom), called: 'OTHER' };
    const { status, said } = await findscu(call, ['-k', 'PatientID']);
    expect(status).not.toBe(0);
    expect(said).toMatch(/Called AE Title Not Recognized/);
  });

  const pydicom = pythonWith('pydicom');
  it.skipIf(!pydicom)(
    'given an extracted row, when pydicom reads it, then it sees the same step (PS3.18 F.2)',
    async () => {
      const toJson = (file: string): Promise<string> => output(pydicom ?? '', ['-c', pydicomToJson, file]);
      const byPydicom = await find({ PatientID: 'PA2' }, { toJson });
      const byDcmtk = await find({ PatientID: 'PA2' });
      expect(byPydicom.map(stepOf)).toEqual(byDcmtk.map(stepOf));
      expect(byPydicom.map((row) => valuesOf(row, tags.patientName))).toEqual([['Osmund^Tor'], ['Osmund^Tor']]);
    },
  );
});
