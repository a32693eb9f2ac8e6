import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatasetInput, dataset, items, text, texts } from '../../src/dicom/dataset.ts';
import { IMPLICIT_VR_LITTLE_ENDIAN, encodeDataset } from '../../src/dicom/codec.ts';
import { commandNumber } from '../../src/dicom/dimse.ts';
import { associateRequest, message, rawPeer } from '../dicom/raw-peer.ts';
import { type Sender, adt, connectSender, orm, serial } from '../support/messages.ts';
import { completed, dicomClient, discontinued, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let server: TestServer;
let sender: Sender;
beforeAll(async () => {
  server = await startTestServer();
  sender = await connectSender(server.ports.hl7);
});
afterAll(async () => {
  sender.end();
  await server.stop();
});

/** The keys of a query; every return key that a test looks at is asked for. */
function keysOf(step: DatasetInput = {}, others: DatasetInput = {}): DatasetInput {
  return {
    PatientName: null,
    PatientID: null,
    AccessionNumber: null,
    RequestedProcedureID: null,
    StudyInstanceUID: null,
    ...others,
    ScheduledProcedureStepSequence: [
      {
        ScheduledStationAETitle: null,
        ScheduledProcedureStepStartDate: null,
        ScheduledProcedureStepStartTime: null,
        Modality: null,
        ScheduledProcedureStepID: null,
        ...step,
      },
    ],
  };
}

/** Family names on the answer, sorted, and its status. */
async function ask(step?: DatasetInput, others?: DatasetInput, { ports } = server): Promise<string[]> {
  const { status, datasets } = await dicomClient(ports.dicom).find(keysOf(step, others));
  expect(status).toBe(0);
  return datasets.map((one) => (text(one, 'PatientName') ?? '').split('^')[0] ?? '').sort();
}

interface Wanted {
  readonly name: string;
  readonly start?: string;
  readonly service?: string;
}

async function order({ name, start = '20260301093000', service = 'WRIST' }: Wanted, by = sender): Promise<string> {
  const placerOrderNumber = `W${serial()}`;
  const fields = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: `${service}^^TESTPLAN`, obr36: start };
  expect(await by.send(orm([fields], { name: `${name}^Given` }))).toMatchObject({ code: 'AA' });
  return placerOrderNumber;
}

describe('RAD-5 Query Modality Worklist (RAD TF-2 4.5, PS3.4 K): what is asked for', () => {
  beforeAll(async () => {
    await order({ name: 'Abel', start: '20260401080000' });
    await order({ name: 'Abendroth', start: '20260401220000' });
    await order({ name: 'Berg', start: '20260402090000', service: 'TRUNK' });
    await order({ name: 'Citra', start: '20260404120000', service: 'SPINE' });
  });
  const day = { ScheduledProcedureStepStartDate: '20260401-20260404' };

  it('given no key has a value, then everything that is scheduled is answered', async () => {
    expect(await ask(day)).toEqual(['Abel', 'Abendroth', 'Berg', 'Berg', 'Citra', 'Citra']);
    expect((await ask()).length).toBeGreaterThanOrEqual(6);
  });

  it.each<[string, DatasetInput, DatasetInput, string[]]>([
    ['a beginning of the name with *', {}, { PatientName: 'Ab*' }, ['Abel', 'Abendroth']],
    ['a name in other case', {}, { PatientName: 'ABEL^given' }, ['Abel']],
    ['one unknown letter with ?', {}, { PatientName: 'A?el*' }, ['Abel']],
    ['a whole name that nobody has', {}, { PatientName: 'Abe' }, []],
    ['a station', { ScheduledStationAETitle: 'PET1' }, {}, ['Berg', 'Berg']],
    ['a modality', { Modality: 'CT' }, {}, ['Berg']],
    ['station and modality', { ScheduledStationAETitle: 'MR1', Modality: 'MR' }, {}, ['Citra', 'Citra']],
    ['station and another modality', { ScheduledStationAETitle: 'MR1', Modality: 'CT' }, {}, []],
  ])('given %s, then exactly those are answered', async (_what, step, others, names) => {
    expect(await ask({ ...day, ...step }, others)).toEqual(names);
  });

  it.each<[string, string, string | null, string[]]>([
    ['one day', '20260401', null, ['Abel', 'Abendroth']],
    ['a range, both ends included', '20260401-20260402', null, ['Abel', 'Abendroth', 'Berg', 'Berg']],
    ['from a day on', '20260404-', null, ['Citra', 'Citra']],
    ['one day and a time range', '20260401', '0700-1200', ['Abel']],
    ['date and time range as one interval (PS3.4 K)', '20260401-20260402', '2100-1000', ['Abendroth', 'Berg', 'Berg']],
  ])('given %s, then exactly those are answered', async (_what, date, time, names) => {
    expect(await ask({ ScheduledProcedureStepStartDate: date, ScheduledProcedureStepStartTime: time })).toEqual(names);
  });

  it('given accession number, procedure id or patient id alone, then the right one is answered (patient-based query)', async () => {
    const placerOrderNumber = await order({ name: 'Dorn' });
    const [step] = await stepsOf(server.store, placerOrderNumber);
    expect(await ask({}, { AccessionNumber: step?.accessionNumber })).toEqual(['Dorn']);
    expect(await ask({}, { RequestedProcedureID: step?.requestedProcedureId })).toEqual(['Dorn']);
    expect(await ask({}, { PatientID: step?.patientId })).toEqual(['Dorn']);
    expect(await ask({}, { StudyInstanceUID: step?.studyInstanceUid })).toEqual(['Dorn']);
    expect(await ask({ ScheduledProcedureStepID: step?.scheduledProcedureStepId })).toEqual(['Dorn']);
  });

  it('given a match, then what was asked comes back and nothing else (PS3.4 K.4.1.2.2)', async () => {
    const placerOrderNumber = await order({ name: 'Eder' });
    const [step] = await stepsOf(server.store, placerOrderNumber);
    const keys = { PatientName: 'Eder*', StudyInstanceUID: null, ScheduledProcedureStepSequence: [] };
    const { datasets } = await dicomClient(server.ports.dicom).find(keys);
    expect(datasets).toHaveLength(1);
    const [item = {}] = datasets;
    expect(
      Object.keys(item)
        .filter((key) => key !== 'SpecificCharacterSet')
        .sort(),
    ).toEqual(Object.keys(keys).sort());
    expect(texts(item, 'StudyInstanceUID')).toEqual([step?.studyInstanceUid]);
    expect(items(item, 'ScheduledProcedureStepSequence').map((one) => text(one, 'ScheduledStationAETitle'))).toEqual([
      'DX1',
    ]);
  });

  it('given two items in the step sequence, then A900 (PS3.4 K.4.1.1.4)', async () => {
    const two = { ScheduledProcedureStepSequence: [{ Modality: 'CT' }, { Modality: 'MR' }] };
    expect((await dicomClient(server.ports.dicom).find(two)).status).toBe(0xa900);
  });

  it('given a change of demographics, then the worklist shows it at once (nothing is copied)', async () => {
    const identifier = `W${serial()}^^^CLINIC`;
    await sender.send(orm([{}], { identifier, name: 'Before^Given' }));
    expect(await ask({}, { PatientName: 'Before*' })).toEqual(['Before']);
    await sender.send(adt('A04', { identifier, name: 'After^Given' }));
    expect(await ask({}, { PatientName: 'Before*' })).toEqual([]);
    expect(await ask({}, { PatientName: 'After*' })).toEqual(['After']);
  });
});

describe('who is on the worklist', () => {
  it('given a step that is scheduled, started, completed, then it is on, on, off', async () => {
    const placerOrderNumber = await order({ name: 'Fink' });
    const dx = modality(server.ports.dicom);
    const uid = newUid();
    expect(await ask({}, { PatientName: 'Fink*' })).toEqual(['Fink']);
    await dx.create(uid, inProgress(await stepsOf(server.store, placerOrderNumber)));
    expect(await ask({}, { PatientName: 'Fink*' })).toEqual(['Fink']);
    await dx.set(uid, completed([newUid()]));
    expect(await ask({}, { PatientName: 'Fink*' })).toEqual([]);
  });

  it('given a step that was discontinued, then it stays until somebody has decided', async () => {
    const placerOrderNumber = await order({ name: 'Gull' });
    const dx = modality(server.ports.dicom);
    const uid = newUid();
    await dx.create(uid, inProgress(await stepsOf(server.store, placerOrderNumber)));
    await dx.set(uid, discontinued());
    expect(await ask({}, { PatientName: 'Gull*' })).toEqual(['Gull']);
  });

  it('given `startedOnWorklist: false`, then a started step is off', async () => {
    const other = await startTestServer({ policy: { startedOnWorklist: false } });
    const by = await connectSender(other.ports.hl7);
    const placerOrderNumber = await order({ name: 'Hauk' }, by);
    expect(await ask({}, {}, other)).toEqual(['Hauk']);
    const uid = newUid();
    await modality(other.ports.dicom).create(uid, inProgress(await stepsOf(other.store, placerOrderNumber)));
    expect(await ask({}, {}, other)).toEqual([]);
    by.end();
    await other.stop();
  });

  it('given `autoSchedule: false`, then what nobody has scheduled is not on the worklist and nobody hears of it', async () => {
    const other = await startTestServer({ policy: { autoSchedule: false } });
    const by = await connectSender(other.ports.hl7);
    const placerOrderNumber = await order({ name: 'Holm' }, by);
    expect(await ask({}, {}, other)).toEqual([]);
    expect(await other.store.prisma.delivery.count()).toBe(0);
    // a modality may start it all the same: a fact is not refused
    const started = inProgress(await stepsOf(other.store, placerOrderNumber));
    expect(await modality(other.ports.dicom).create(newUid(), started)).toBe(0);
    expect(await ask({}, {}, other)).toEqual(['Holm']);
    by.end();
    await other.stop();
  });
});

describe('a long answer', () => {
  const FIND = 0x20;
  const CANCEL = 0xfff;
  const MWL = '1.2.840.10008.5.1.4.31';
  let large: TestServer;
  let by: Sender;
  beforeAll(async () => {
    large = await startTestServer({ limits: { dicom: { worklistRows: 60 } } });
    by = await connectSender(large.ports.hl7);
    for (let message = 1; message <= 6; message++) {
      const groups = Array.from({ length: 10 }, () => ({ obr36: '20260501080000' }));
      expect(await by.send(orm(groups))).toMatchObject({ code: 'AA' });
    }
  });
  afterAll(async () => {
    by.end();
    await large.stop();
  });

  it('given as many matches as the limit, then all are answered', async () => {
    const { status, datasets } = await dicomClient(large.ports.dicom).find(keysOf());
    expect([status, datasets.length]).toEqual([0, 60]);
    expect(new Set(datasets.map((one) => text(one, 'AccessionNumber'))).size).toBe(60);
  });

  it('given one more, then the answer ends with A700 after the limit (PS3.4 K.4.1.1.4)', async () => {
    await by.send(orm([{ obr36: '20260601080000' }]));
    const { status, datasets } = await dicomClient(large.ports.dicom).find(keysOf());
    expect([status, datasets.length]).toEqual([0xa700, 60]);
    const narrower = keysOf({ ScheduledProcedureStepStartDate: '20260601' });
    expect((await dicomClient(large.ports.dicom).find(narrower)).datasets).toHaveLength(1);
  });

  it('given C-CANCEL in the middle, then the answer ends with FE00 and the association goes on (PS3.4 K.4.1.3)', async () => {
    const peer = await rawPeer(large.ports.dicom);
    peer.write(associateRequest({ called: 'SWF_OF', calling: 'DX1' }));
    await peer.next();
    const identifier = encodeDataset(dataset(keysOf()), IMPLICIT_VR_LITTLE_ENDIAN);
    const query = (id: number) =>
      message(1, { AffectedSOPClassUID: MWL, CommandField: FIND, MessageID: id, Priority: 0 }, identifier);
    peer.write(query(7), message(1, { CommandField: CANCEL, MessageIDBeingRespondedTo: 7 }));
    let rows = 0;
    let status = 0xff00;
    while (status === 0xff00) {
      const { command } = await peer.message();
      status = commandNumber(command, 'Status') ?? 0;
      if (status === 0xff00) rows += 1;
    }
    expect(status).toBe(0xfe00);
    expect(rows).toBeLessThan(60);
    peer.write(query(8));
    expect(commandNumber((await peer.message()).command, 'MessageIDBeingRespondedTo')).toBe(8);
    peer.end();
  });
});

describe('the first offer of a procedure', () => {
  it('given a worklist answer that holds it, then it is noted once, whoever asks how often', async () => {
    const placerOrderNumber = await order({ name: 'Ibsen' });
    const procedure = () =>
      server.store.prisma.requestedProcedure.findFirstOrThrow({ where: { order: { placerOrderNumber } } });
    expect((await procedure()).offered).toBe(false);
    const ask3 = () =>
      Promise.all(
        ['DX1', 'DX2', 'DX3'].map((ae) =>
          dicomClient(server.ports.dicom, ae).find(keysOf({}, { PatientName: 'Ibsen*' })),
        ),
      );
    await ask3();
    const { id } = await until('the offer is noted', async () =>
      (await procedure()).offered ? procedure() : undefined,
    );
    await ask3();
    // a later event of the same procedure comes after whatever these answers would have noted
    await modality(server.ports.dicom).create(newUid(), inProgress(await stepsOf(server.store, placerOrderNumber)));
    const history = await server.store.prisma.history.findMany({ where: { procedureId: id }, orderBy: { id: 'asc' } });
    expect(history.map(({ event }) => event)).toEqual(['ordered', 'schedule', 'offered', 'performedStepStarted']);
    expect((await procedure()).machine).toMatchObject({
      context: {
        confirmations: { 4: [{ kind: 'query', code: '0000', peer: expect.stringMatching(/^DX[123]$/) as string }] },
      },
    });
  });

  it('given an answer without it, then nothing is noted', async () => {
    const placerOrderNumber = await order({ name: 'Jensen' });
    await ask({}, { PatientName: 'Nobody*' });
    await modality(server.ports.dicom).create(newUid(), inProgress(await stepsOf(server.store, placerOrderNumber)));
    const { offered } = await server.store.prisma.requestedProcedure.findFirstOrThrow({
      where: { order: { placerOrderNumber } },
    });
    expect(offered).toBe(false);
  });
});
