import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMPLICIT_VR_LITTLE_ENDIAN, decodeDataset, encodeDataset } from '../../src/dicom/codec.ts';
import { type Dataset, type DatasetInput, dataset, items, text, texts } from '../../src/dicom/dataset.ts';
import { commandNumber } from '../../src/dicom/dimse.ts';
import { associateRequest, message, rawPeer } from '../dicom/raw-peer.ts';
import { type Sender, connectSender, orm, serial } from '../support/messages.ts';
import { type StepOnWorklist, dicomClient, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { givenUp } from '../support/order-site.ts';
import { adtEvent, merge } from '../support/patients.ts';
import { type TestServer, startTestServer } from '../support/server.ts';

let server: TestServer;
let sender: Sender;

/** A step as the tests know it without asking the worklist. */
interface Known extends StepOnWorklist {
  readonly name: string;
  readonly date: string;
}
const steps: Known[] = [];

async function order(name: string, patientId: string, service: string, date: string): Promise<string> {
  const placerOrderNumber = `Q${serial()}`;
  const fields = {
    placerOrderNumber: `${placerOrderNumber}^HIS`,
    service: `${service}^^TESTPLAN`,
    obr36: `${date}0800`,
  };
  const patient = { identifier: `${patientId}^^^CLINIC`, name };
  expect(await sender.send(orm([fields], patient))).toMatchObject({ code: 'AA' });
  const dicomName = name.replace(/~.*/, '');
  const placed = await stepsOf(server.store, placerOrderNumber);
  steps.push(...placed.map((step) => ({ ...step, name: dicomName, date })));
  return placerOrderNumber;
}

beforeAll(async () => {
  server = await startTestServer({
    stations: [
      { aeTitle: 'OWN', quirks: ['own-station-only'] },
      { aeTitle: 'PET1', quirks: ['own-station-only'] },
      { aeTitle: 'SIMPLE', quirks: ['pending-ff00', 'drop-empty', 'name-prefix', 'ignore-date'] },
    ],
    worklists: [
      { aeTitle: 'MWL_CT', modalities: ['CT', 'DX'] },
      { aeTitle: 'MWL_PET', stations: ['PET1'] },
      { aeTitle: 'MWL_BOTH', modalities: ['CT'], stations: ['PET1', 'MR1'] },
      { aeTitle: 'MWL_ALL' },
    ],
  });
  sender = await connectSender(server.ports.hl7);
  // Two patients of one name, one patient with two orders, one order with two procedures, several days and rooms.
  await order('Same^Sam', 'S1', 'TRUNK', '20260601');
  await order('Same^Sam', 'S1', 'WRIST', '20260602');
  await order('Same^Sam', 'S2', 'TRUNK', '20260602');
  await order('Other^Olga', 'S3', 'SPINE', '20260601');
  await order('Other^Olga', 'S3', 'WRIST', '20260601');
});
afterAll(async () => {
  sender.end();
  await server.stop();
});

const stepKeys = { ScheduledStationAETitle: null, ScheduledProcedureStepStartDate: null, Modality: null };

/** Steps that are answered, by their ids in order; the status of the end must be success. */
async function ask(keys: DatasetInput, as = 'DX1', called = 'SWF_OF'): Promise<Dataset[]> {
  const { status, datasets } = await dicomClient(server.ports.dicom, as, called).find({ PatientID: null, ...keys });
  expect(status).toBe(0);
  return datasets;
}

const idsOf = (found: readonly Dataset[]): string[] =>
  found
    .map((one) => text(items(one, 'ScheduledProcedureStepSequence')[0] ?? {}, 'ScheduledProcedureStepID') ?? '')
    .sort();

const step = (keys: DatasetInput = {}): DatasetInput => ({
  ScheduledProcedureStepSequence: [{ ...stepKeys, ScheduledProcedureStepID: null, ...keys }],
});

/** Every way to take one or more of some things. */
const subsetsOf = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: 2 ** all.length - 1 }, (_, bits) => all.filter((__, place) => ((bits + 1) >> place) & 1));

const expected = (keep: (one: Known) => boolean): string[] =>
  steps
    .filter(keep)
    .map((one) => one.scheduledProcedureStepId)
    .sort();

describe('the two ways to ask (RAD TF-2 4.5): every combination of their keys', () => {
  const patientKeys = ['PatientName', 'PatientID', 'AccessionNumber', 'RequestedProcedureID'] as const;
  const patientValues: Record<(typeof patientKeys)[number], (one: Known) => string> = {
    PatientName: ({ name }) => name,
    PatientID: ({ patientId }) => patientId,
    AccessionNumber: ({ accessionNumber }) => accessionNumber,
    RequestedProcedureID: ({ requestedProcedureId }) => requestedProcedureId,
  };

  it.each(subsetsOf(patientKeys))('patient based: %s %s %s %s', async (...given) => {
    const keys = given.filter((key) => key !== undefined);
    for (const wanted of [steps[0], steps[1], steps[3], steps.at(-1)]) {
      if (!wanted) throw new Error('there are no steps');
      const values = Object.fromEntries(keys.map((key) => [key, patientValues[key](wanted)]));
      const same = (one: Known): boolean => keys.every((key) => patientValues[key](one) === values[key]);
      expect(idsOf(await ask({ ...values, ...step() }))).toEqual(expected(same));
    }
    // A value that nobody has, in one of the keys, finds nobody.
    const nobody = Object.fromEntries(
      keys.map((key) => [key, key === keys[0] ? 'NOBODY' : patientValues[key](steps[0] as Known)]),
    );
    expect(await ask({ ...nobody, ...step() })).toEqual([]);
  });

  const broadKeys = ['ScheduledProcedureStepStartDate', 'Modality', 'ScheduledStationAETitle'] as const;
  const broadValues: Record<(typeof broadKeys)[number], (one: Known) => string> = {
    ScheduledProcedureStepStartDate: ({ date }) => date,
    Modality: ({ modality: asked }) => asked,
    ScheduledStationAETitle: ({ station }) => station,
  };

  it.each(subsetsOf(broadKeys))('broad: %s %s %s', async (...given) => {
    const keys = given.filter((key) => key !== undefined);
    for (const wanted of steps) {
      const values = Object.fromEntries(keys.map((key) => [key, broadValues[key](wanted)]));
      const same = (one: Known): boolean => keys.every((key) => broadValues[key](one) === values[key]);
      expect(idsOf(await ask(step(values)))).toEqual(expected(same));
    }
  });

  it('both at once, and nothing at all', async () => {
    const wanted = steps[0] as Known;
    const both = {
      PatientName: wanted.name,
      ...step({ Modality: 'CT', ScheduledProcedureStepStartDate: wanted.date }),
    };
    expect(idsOf(await ask(both))).toEqual(
      expected((one) => one.name === wanted.name && one.modality === 'CT' && one.date === wanted.date),
    );
    expect(idsOf(await ask(step()))).toEqual(expected(() => true));
  });
});

describe('names of several groups (PS3.4 C.2.2.2.1.1)', () => {
  beforeAll(async () => {
    await order('Yama^Taro~山田^太郎^^^^^L^I~やまだ^たろう^^^^^L^P', 'J1', 'WRIST', '20260603');
    await order('山口^花^^^^^L^I~Yamaguchi^Hana^^^^^L^P', 'J2', 'WRIST', '20260603');
    steps.splice(-2);
  });
  it.each([
    ['yama*', ['J1', 'J2']],
    ['yamaguchi^*', ['J2']],
    ['山*', ['J1', 'J2']],
    ['山田*', ['J1']],
    ['やまだ*', ['J1']],
    ['yama*=', ['J1']],
    ['=山口*', ['J2']],
    ['==Yamaguchi*', ['J2']],
    ['*hana', ['J2']],
    ['たろう*', []],
  ])('the key %s finds %j', async (PatientName, patients) => {
    const found = await ask({ PatientName, ...step({ ScheduledProcedureStepStartDate: '20260603' }) });
    expect(found.map((one) => text(one, 'PatientID')).sort()).toEqual(patients);
  });
});

describe('a list for each called AE title (worklists[]) and each device (stations[].quirks)', () => {
  it.each<[string, (one: Known) => boolean]>([
    ['MWL_CT', ({ modality: one }) => one === 'CT' || one === 'DX'],
    ['MWL_PET', ({ station }) => station === 'PET1'],
    ['MWL_BOTH', ({ modality: one, station }) => one === 'CT' && station === 'PET1'],
    ['MWL_ALL', () => true],
    ['SWF_OF', () => true],
  ])('%s shows its steps, and keys count on top of it', async (called, keep) => {
    const until = '-20260602';
    const shown = await ask(step({ ScheduledProcedureStepStartDate: until }), 'DX1', called);
    expect(idsOf(shown)).toEqual(expected(keep));
    const patient = await ask({ PatientID: 'S1', ...step() }, 'DX1', called);
    expect(idsOf(patient)).toEqual(expected((one) => keep(one) && one.patientId === 'S1'));
  });

  it('an AE title that is neither ours nor a view is rejected', async () => {
    await expect(ask(step(), 'DX1', 'MWL_XX')).rejects.toThrow(
      /has not the AE title that is called .result 1, source 1, reason 7/,
    );
  });

  it('a device that is shown its own steps only sees no others, in whatever view', async () => {
    expect(await ask(step(), 'OWN')).toEqual([]);
    expect(idsOf(await ask(step(), 'PET1'))).toEqual(expected(({ station }) => station === 'PET1'));
    const inView = await ask(step(), 'PET1', 'MWL_CT');
    expect(idsOf(inView)).toEqual(expected(({ station, modality: one }) => station === 'PET1' && one === 'CT'));
  });

  it('a device with quirks is answered as it can read it', async () => {
    const keys = { PatientName: 'Oth', PatientWeight: null, AdmissionID: null };
    const query = { ...keys, ...step({ ScheduledProcedureStepStartDate: '20200101', PreMedication: null }) };
    expect(await ask(query)).toEqual([]);
    const found = await ask(query, 'SIMPLE');
    expect(idsOf(found)).toEqual(expected(({ name }) => name === 'Other^Olga'));
    for (const one of found) {
      expect(one['PatientWeight']).toBeUndefined();
      expect(items(one, 'ScheduledProcedureStepSequence')[0]?.['PreMedication']).toBeUndefined();
      expect(text(one, 'AdmissionID')).toBe('V1');
    }
  });

  it('the time zone comes where it is asked for, at the start of the step', async () => {
    const [found = {}] = await ask({ PatientID: 'S1', TimezoneOffsetFromUTC: '+0900', ...step() });
    expect(texts(found, 'TimezoneOffsetFromUTC')).toEqual(['+0200']);
    expect((await ask({ PatientID: 'S1', ...step() })).every((one) => one['TimezoneOffsetFromUTC'] === undefined)).toBe(
      true,
    );
  });
});

describe('who is on the list', () => {
  const listed = async (number: string): Promise<Dataset[]> => {
    const [{ accessionNumber } = never()] = await stepsOf(server.store, number);
    return ask({
      AccessionNumber: accessionNumber,
      PatientName: null,
      StudyDate: null,
      StudyTime: null,
      ...step({ CommentsOnTheScheduledProcedureStep: null, ScheduledProcedureStepStatus: null }),
    });
  };
  const never = (): never => {
    throw new Error('there is no step');
  };
  const place = async (name: string, patientId: string): Promise<string> => {
    const number = await order(`${name}^A`, patientId, 'WRIST', '20260604');
    steps.splice(-1);
    return number;
  };

  it('a cancelled order is on no list (MESA 132)', async () => {
    const number = await place('Cancel', 'W1');
    expect(await listed(number)).toHaveLength(1);
    await sender.send(
      orm([{ control: 'CA', placerOrderNumber: `${number}^HIS` }], { identifier: 'W1^^^CLINIC', name: 'Cancel^A' }),
    );
    expect(await listed(number)).toEqual([]);
  });

  it('a step that was begun by mistake (110514) is back, SCHEDULED, and its study has not begun', async () => {
    const number = await place('Mistake', 'W2');
    const dx = modality(server.ports.dicom);
    const uid = newUid();
    const begun = { PerformedProcedureStepStartDate: '20260604', PerformedProcedureStepStartTime: '081530' };
    await dx.create(uid, inProgress(await stepsOf(server.store, number), begun));
    const [started = {}] = await listed(number);
    expect([text(started, 'StudyDate'), text(started, 'StudyTime')]).toEqual(['20260604', '081530']);
    expect(
      await dx.set(uid, {
        ...givenUp('110514'),
        PerformedProcedureStepEndDate: '20260604',
        PerformedProcedureStepEndTime: '0816',
        PerformedSeriesSequence: [],
      }),
    ).toBe(0);
    const [back = {}] = await listed(number);
    expect(text(items(back, 'ScheduledProcedureStepSequence')[0] ?? {}, 'ScheduledProcedureStepStatus')).toBe(
      'SCHEDULED',
    );
    expect(back['StudyDate']).toEqual([]);
  });

  it('a merged patient is there under the surviving identifier at once, and under no other', async () => {
    await place('Survivor', 'W3');
    const number = await place('Merged', 'W4');
    await sender.send(merge('W3^^^CLINIC', 'W4^^^CLINIC', 'Survivor^A'));
    expect((await listed(number)).map((one) => text(one, 'PatientID'))).toEqual(['W3']);
    expect(await ask({ PatientID: 'W4', ...step() })).toEqual([]);
  });

  it.each([
    ['A11', 'A01'],
    ['A38', 'A05'],
  ])('%s cancels the visit: the step stays, and says so', async (cancel, event) => {
    const [patientId, visit] = [`W${serial()}`, { 2: 'I', 3: 'WARD', 19: `V${serial()}^^^CLINIC` }];
    const patient = { identifier: `${patientId}^^^CLINIC`, name: 'Visit^A', pv1: visit };
    const admitted = await sender.send(adtEvent(event, patient));
    expect(admitted).toMatchObject({ code: 'AA' });
    const number = `Q${serial()}`;
    const fields = { placerOrderNumber: `${number}^HIS`, service: 'WRIST^^TESTPLAN', obr36: '202606040800' };
    const ordered = orm([fields], { identifier: patient.identifier, name: patient.name }).replace(
      /PV1[^\r]*/,
      `PV1||I|WARD||||||||||||||||${visit[19]}`,
    );
    expect(await sender.send(ordered)).toMatchObject({ code: 'AA' });
    const comment = async (): Promise<string | undefined> => {
      const [one = never()] = await listed(number);
      return text(items(one, 'ScheduledProcedureStepSequence')[0] ?? {}, 'CommentsOnTheScheduledProcedureStep');
    };
    expect(await comment()).toBeUndefined();
    expect(await sender.send(adtEvent(cancel, patient))).toMatchObject({ code: 'AA' });
    expect(await comment()).toMatch(/^Visit cancelled/);
  });
});

describe('the statuses of an answer (PS3.4 K.4.1.1.4)', () => {
  const FIND = 0x20;
  const MWL = '1.2.840.10008.5.1.4.31';

  /** The statuses of all responses to one query, and the offending element of the last. */
  async function statuses(keys: DatasetInput, calling = 'DX1', sopClass = MWL): Promise<string[]> {
    const peer = await rawPeer(server.ports.dicom);
    peer.write(associateRequest({ called: 'SWF_OF', calling }));
    await peer.next();
    const command = { AffectedSOPClassUID: sopClass, CommandField: FIND, MessageID: 1, Priority: 0 };
    peer.write(message(1, command, encodeDataset(dataset(keys), IMPLICIT_VR_LITTLE_ENDIAN)));
    const all: string[] = [];
    for (;;) {
      const { command: response, dataset: bytes } = await peer.message();
      const status = commandNumber(response, 'Status') ?? 0;
      all.push(status.toString(16).toUpperCase().padStart(4, '0'));
      if ((status & 0xff00) === 0xff00)
        expect(decodeDataset(bytes ?? Buffer.alloc(0), IMPLICIT_VR_LITTLE_ENDIAN)).not.toEqual({});
      else {
        expect(bytes).toBeUndefined();
        peer.end();
        return [...all, ...texts(response, 'OffendingElement')];
      }
    }
  }

  const s2 = { PatientID: 'S2' };
  it.each<[string, DatasetInput, string[]]>([
    ['two matches, then the end', { ...s2, ...step() }, ['FF00', 'FF00', '0000']],
    ['no match: the end alone', { PatientID: 'NOBODY', ...step() }, ['0000']],
    ['a key that is not supported', { ...s2, StudyDescription: 'X', ...step() }, ['FF01', 'FF01', '0000']],
    [
      'a key that is not supported, without a value',
      { ...s2, StudyDescription: null, ...step() },
      ['FF00', 'FF00', '0000'],
    ],
    ['two items', { ScheduledProcedureStepSequence: [{}, {}] }, ['A900', '00400100']],
    ['no day', step({ ScheduledProcedureStepStartDate: '20260231' }), ['A900', '00400002']],
    ['no UID', { StudyInstanceUID: '1.02', ...step() }, ['A900', '0020000D']],
  ])('%s', async (_what, keys, all) => {
    expect(await statuses(keys)).toEqual(all);
  });

  it('FF00 in the place of FF01 for a device that cannot take it', async () => {
    expect(await statuses({ ...s2, StudyDescription: 'X', ...step() }, 'SIMPLE')).toEqual(['FF00', 'FF00', '0000']);
  });

  it('0122 for another SOP class', async () => {
    expect(await statuses(step(), 'DX1', '1.2.840.10008.5.1.4.1.2.2.1')).toEqual(['0122']);
  });
});
