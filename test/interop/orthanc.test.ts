import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePorts } from '../actors/site.ts';
import { connectSender, orm } from '../support/messages.ts';
import { stepsOf } from '../support/mpps.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { type Companion, companion, describeWith, installed, scratch } from './programs.ts';

/** A worklist row as Orthanc shows it: keywords and values. */
type Row = Readonly<Record<string, unknown>>;

describeWith('RAD-5 asked by Orthanc', { Orthanc: installed('Orthanc', '--version') }, () => {
  const folder = scratch();
  let server: TestServer;
  let orthanc: Companion;
  let rest: string;

  async function post(path: string, body: unknown): Promise<{ status: number; json: unknown }> {
    const answer = await fetch(`${rest}${path}`, { method: 'POST', body: JSON.stringify(body) });
    return { status: answer.status, json: await answer.json() };
  }
  const find = async (query: unknown): Promise<Row[]> => {
    const { status, json } = await post('/modalities/filler/find-worklist', query);
    expect(status).toBe(200);
    return json as Row[];
  };

  /** Orthanc cannot take any free port, so it is given one. */
  async function startOrthanc(): Promise<void> {
    const [port = 0] = await freePorts(1);
    const file = join(folder.path, 'orthanc.json');
    const configuration = {
      StorageDirectory: folder.path,
      IndexDirectory: folder.path,
      Plugins: [],
      HttpPort: port,
      RemoteAccessAllowed: false,
      AuthenticationEnabled: false,
      DicomServerEnabled: false,
      DicomAet: 'ORTHANC',
      DicomModalities: {
        filler: ['SWF_OF', '127.0.0.1', server.ports.dicom],
        stranger: ['OTHER', '127.0.0.1', server.ports.dicom],
      },
    };
    writeFileSync(file, JSON.stringify(configuration));
    orthanc = companion('Orthanc', [file]);
    rest = `http://127.0.0.1:${port}`;
    const answers = (): Promise<boolean> =>
      fetch(`${rest}/system`)
        .then((answer) => answer.ok)
        .catch(() => false);
    await until('Orthanc answers', async () => orthanc.ended() || (await answers()), 30_000);
    if (orthanc.ended()) throw new Error(`Orthanc ended: ${orthanc.errors.slice(-3).join('\n')}`);
  }

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
    await startOrthanc();
  });
  afterAll(async () => {
    await orthanc.stop();
    await server.stop();
    folder.remove();
  });

  it('given the server as a modality of Orthanc, when it is echoed, then it answers, and under another AE title it does not (PS3.7 9.1.5)', async () => {
    expect((await post('/modalities/filler/echo', {})).status).toBe(200);
    expect((await post('/modalities/stranger/echo', {})).status).not.toBe(200);
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
    const rows = await find(keys);
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
      (await find({ PatientID: '', ...query })).map((row) => row['PatientID']).sort();
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
