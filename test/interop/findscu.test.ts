import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectSender, messageOf, msh, orm, pid, pv1, segment } from '../support/messages.ts';
import { type TestServer, startTestServer, testCatalogue } from '../support/server.ts';
import { type DicomJson, readDatasets, stepOf, tags, valuesOf } from './dicom-json.ts';
import { describeWith, installed, output, pythonWith, run, scratch } from './programs.ts';

const MANY = 300;

const manySteps = {
  service: { code: 'MANY', scheme: 'TESTPLAN', meaning: 'Many steps' },
  requestedProcedures: [
    {
      code: { code: 'MANY', scheme: 'TESTPLAN', meaning: 'Many steps' },
      steps: Array.from({ length: MANY }, () => ({ modality: 'US', stations: ['US1'], minutes: 1, protocols: [] })),
    },
  ],
};

const people = {
  osk: { identifier: 'PA1^^^CLINIC', name: 'Oskarsson^Liv' },
  osm: { identifier: 'PA2^^^CLINIC', name: 'Osmund^Tor' },
  berg: { identifier: 'PA3^^^CLINIC', name: 'Berg^Liv' },
} as const;

const wrist = 'WRIST^Wrist in two planes^TESTPLAN';
const spine = 'SPINE^Spine with contrast^TESTPLAN';

async function orderEverything(port: number): Promise<void> {
  const sender = await connectSender(port);
  const order = async (service: string, orcStart: string, patient: object): Promise<void> => {
    expect((await sender.send(orm([{ service, orcStart }], patient))).code).toBe('AA');
  };
  await order(wrist, '203001150900', people.osk);
  await order(spine, '203001161000', people.osm);
  await order('TRUNK^Trunk PET and CT^TESTPLAN', '203001171100', people.berg);
  const many = segment('OBR', { 1: '1', 2: 'M1^HIS', 4: 'MANY^Many steps^TESTPLAN', 27: '1^^^203002010700^^R' });
  const orc = segment('ORC', { 1: 'NW', 2: 'M1^HIS' });
  const bulk = messageOf(msh('ORM^O01'), pid({ identifier: 'PA4^^^CLINIC', name: 'Ruud^Per' }), pv1(), orc, many);
  expect((await sender.send(bulk)).code).toBe('AA');
  sender.end();
}

const returnKeys = [
  'AccessionNumber',
  'PatientName',
  'PatientID',
  'StudyInstanceUID',
  'RequestedProcedureID',
  'ScheduledProcedureStepSequence[0].Modality',
  'ScheduledProcedureStepSequence[0].ScheduledStationAETitle',
  'ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate',
  'ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartTime',
  'ScheduledProcedureStepSequence[0].ScheduledProcedureStepID',
  'ScheduledProcedureStepSequence[0].ScheduledProtocolCodeSequence[0].CodeValue',
];

const step = (keyword: string): string => `ScheduledProcedureStepSequence[0].${keyword}`;

const programs = { findscu: installed('findscu', '--version'), dcm2json: installed('dcm2json', '--version') };

const pydicomToJson = 'import sys, pydicom; print(pydicom.dcmread(sys.argv[1]).to_json())';

describeWith('RAD-5 asked by findscu (DCMTK)', programs, () => {
  let server: TestServer;
  const address = (): string[] => ['-aet', 'DX1', '-aec', 'SWF_OF', '127.0.0.1', String(server.ports.dicom)];

  /** The rows of one query, extracted by findscu and read by dcm2json unless another reader is given. */
  async function find(
    keys: Readonly<Record<string, string>>,
    syntax = '-xe',
    toJson = (file: string): Promise<string> => output('dcm2json', [file]),
  ): Promise<DicomJson[]> {
    const folder = scratch();
    try {
      const all = { ...Object.fromEntries(returnKeys.map((key) => [key, ''])), ...keys };
      const arguments_ = Object.entries(all).flatMap(([key, value]) => ['-k', `${key}=${value}`]);
      await output('findscu', ['-W', '-X', syntax, '-od', folder.path, ...arguments_, ...address()]);
      return await readDatasets(folder.path, toJson);
    } finally {
      folder.remove();
    }
  }
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
      const rows = await find({ PatientID: 'PA1' }, syntax);
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
    expect(await patients({ [step('ScheduledProcedureStepStartDate')]: '20300117' })).toEqual(['PA3', 'PA3']);
    expect(await patients({ [step('Modality')]: 'CT' })).toEqual(['PA3']);
    expect(await patients({ [step('ScheduledStationAETitle')]: 'MR1' })).toEqual(['PA2', 'PA2']);
    const room = { [step('ScheduledStationAETitle')]: 'PET1', [step('Modality')]: 'PT' };
    expect(await patients({ ...room, [step('ScheduledProcedureStepStartDate')]: '20300117' })).toEqual(['PA3']);
    expect(await patients({ ...room, [step('ScheduledProcedureStepStartDate')]: '20300116' })).toEqual([]);
  });

  it('given dates from the 15th to the 17th, when ranges are asked for, then both ends are included (PS3.4 C.2.2.2.5)', async () => {
    const range = (value: string): Promise<string[]> => patients({ [step('ScheduledProcedureStepStartDate')]: value });
    expect(await range('20300115-20300116')).toEqual(['PA1', 'PA2', 'PA2']);
    expect(await range('-20300115')).toEqual(['PA1']);
    expect(await range('20300117-20300131')).toEqual(['PA3', 'PA3']);
    const interval = {
      [step('ScheduledProcedureStepStartDate')]: '20300115-20300116',
      [step('ScheduledProcedureStepStartTime')]: '0930-1015',
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
    const keys = ['-k', `${step('ScheduledStationAETitle')}=US1`, '-k', 'AccessionNumber'];
    const all = await run('findscu', ['-v', '-W', ...keys, ...address()]);
    const rows = (text: string): number => text.match(/AccessionNumber/g)?.length ?? 0;
    expect(all.stderr + all.stdout).toMatch(/Final Find Response \(Success\)/);
    const cancelled = await run('findscu', ['-v', '-W', '--cancel', '2', ...keys, ...address()]);
    expect(cancelled.stderr + cancelled.stdout).toMatch(
      /Final Find Response \(Cancel: MatchingTerminatedDueToCancelRequest\)/,
    );
    expect(rows(cancelled.stderr + cancelled.stdout)).toBeLessThan(rows(all.stderr + all.stdout));
  });

  it('given no row that matches, when asked, then the answer is success alone (PS3.4 K.4.1.1.4)', async () => {
    const { stdout, stderr } = await run('findscu', ['-v', '-W', '-k', 'PatientID=NOBODY', ...address()]);
    expect(stdout + stderr).toMatch(/Received Final Find Response \(Success\)/);
    expect(stdout + stderr).not.toMatch(/Pending/);
  });

  it('given an unknown called AE title, when findscu associates, then it is rejected with that reason (PS3.8 9.3.4)', async () => {
    const port = String(server.ports.dicom);
    const { status, stdout, stderr } = await run('findscu', [
      '-W',
      '-k',
      'PatientID',
      '-aec',
      'OTHER',
      '127.0.0.1',
      port,
    ]);
    expect(status).not.toBe(0);
    expect(stdout + stderr).toMatch(/Called AE Title Not Recognized/);
  });

  const pydicom = pythonWith('pydicom');
  it.skipIf(!pydicom)(
    'given an extracted row, when pydicom reads it, then it sees the same step (PS3.18 F.2)',
    async () => {
      const byPydicom = await find({ PatientID: 'PA2' }, '-xe', (file) =>
        output(pydicom ?? '', ['-c', pydicomToJson, file]),
      );
      const byDcmtk = await find({ PatientID: 'PA2' });
      expect(byPydicom.map(stepOf)).toEqual(byDcmtk.map(stepOf));
      expect(byPydicom.map((row) => valuesOf(row, tags.patientName))).toEqual([['Osmund^Tor'], ['Osmund^Tor']]);
    },
  );
});
