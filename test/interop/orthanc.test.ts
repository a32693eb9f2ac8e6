import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectSender, orm } from '../support/messages.ts';
import { stepsOf } from '../support/mpps.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { describeWith } from './describe-with.ts';
import { type Orthanc, hasOrthanc, startOrthanc } from './orthanc.ts';

describeWith('RAD-5 asked by Orthanc', { Orthanc: hasOrthanc }, () => {
  let server: TestServer;
  let orthanc: Orthanc;

  beforeAll(async () => {
    server = await startTestServer();
    const sender = await connectSender(server.ports.hl7);
    const people = [
      ['R1', { identifier: 'PR1^^^CLINIC', name: 'Sandvik^Odd' }],
      ['R2', { identifier: 'PR2^^^CLINIC', name: 'Sand^Eli' }],
    ] as const;
    for (const [number, patient] of people) {
      const message = orm([{ placerOrderNumber: `${number}^HIS`, orcStart: '203001150900' }], patient);
      expect((await sender.send(message)).code).toBe('AA');
    }
    sender.end();
    orthanc = await startOrthanc(server.ports.dicom);
  });
  afterAll(async () => {
    await orthanc.stop();
    await server.stop();
  });

  it('given the server as a modality of Orthanc, when it is echoed, then it answers, and under another AE title it does not (PS3.7 9.1.5)', async () => {
    expect(await orthanc.echo('filler')).toBe(200);
    expect(await orthanc.echo('stranger')).not.toBe(200);
  });

  it('given a scheduled step, when Orthanc asks for its patient, then the row has the identifiers of the order (PS3.4 table K.6-1)', async () => {
    const [step] = await stepsOf(server.store, 'R1');
    const keys = {
      PatientID: 'PR1',
      PatientName: '',
      AccessionNumber: '',
      StudyInstanceUID: '',
      RequestedProcedureID: '',
      ScheduledProcedureStepSequence: [
        {
          Modality: '',
          ScheduledStationAETitle: '',
          ScheduledProcedureStepStartDate: '',
          ScheduledProcedureStepID: '',
        },
      ],
    };
    const rows = await orthanc.find(keys);
    expect(rows).toHaveLength(1);
    expect(rows).toMatchObject([
      {
        PatientID: 'PR1',
        PatientName: 'Sandvik^Odd',
        AccessionNumber: step?.accessionNumber,
        StudyInstanceUID: step?.studyInstanceUid,
        RequestedProcedureID: step?.requestedProcedureId,
        ScheduledProcedureStepSequence: [
          {
            Modality: 'DX',
            ScheduledStationAETitle: 'DX1',
            ScheduledProcedureStepStartDate: '20300115',
            ScheduledProcedureStepID: step?.scheduledProcedureStepId,
          },
        ],
      },
    ]);
  });

  it('given two patients, when Orthanc asks with a wildcard, for a room, or for another day, then the right rows come (PS3.4 C.2.2.2)', async () => {
    const ids = async (query: object): Promise<unknown[]> =>
      (await orthanc.find({ PatientID: '', ...query })).map((row) => row['PatientID']).sort();
    expect(await ids({ PatientName: 'SAND*' })).toEqual(['PR1', 'PR2']);
    expect(await ids({ PatientName: 'Sandv?k^Odd' })).toEqual(['PR1']);
    const room = (ScheduledProcedureStepStartDate: string): object => ({
      ScheduledProcedureStepSequence: [
        { ScheduledStationAETitle: 'DX1', Modality: 'DX', ScheduledProcedureStepStartDate },
      ],
    });
    expect(await ids(room('20300115'))).toEqual(['PR1', 'PR2']);
    expect(await ids(room('20300116-'))).toEqual([]);
  });
});
