import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatasetInput } from '../../src/dicom/dataset.ts';
import { adt, field, orm, serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { type OrderSite, lanesEmpty, startOrderSite } from '../support/order-site.ts';
import { accepts, numbers } from '../support/peers.ts';

/** What was performed before it was ordered (RAD TF-1 4.4.3 and 4.4.5: PIR cases 3 and 5). */

let site: OrderSite;
let dx: ReturnType<typeof modality>;
beforeAll(async () => {
  site = await startOrderSite();
  dx = modality(site.server.ports.dicom);
});
afterAll(() => site.stop());

/** An unscheduled MPPS, its study and its UID. */
async function performed(patientId: string | null, end: DatasetInput | null = completed([newUid()])) {
  const [study, uid] = [newUid(), newUid()];
  const nothing = { AccessionNumber: null, RequestedProcedureID: null, ScheduledProcedureStepID: null };
  const content = inProgress([], {
    ScheduledStepAttributesSequence: [{ StudyInstanceUID: study, ...nothing }],
    PatientID: patientId,
    PatientName: 'Typed^By Hand',
    Modality: 'DX',
    PerformedStationAETitle: 'DX1',
  });
  expect(await dx.create(uid, content)).toBe(0);
  if (end) expect(await dx.set(uid, end)).toBe(0);
  return { study, uid };
}

const match = (uid: string, body: object) => site.post(`/api/unscheduled/${uid}/match`, body, 'ordered by telephone');

async function ordered(patientId: string, service = 'WRIST'): Promise<string> {
  const placerOrderNumber = `B${serial()}`;
  const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: `${service}^^TESTPLAN` };
  const answer = await site.send(orm([order], { identifier: `${patientId}^^^CLINIC`, name: 'Known^Katrin' }));
  expect(answer.code).toBe('AA');
  await site.news();
  return placerOrderNumber;
}

const listed = async (uid: string): Promise<string | null> =>
  (await site.server.store.prisma.performedProcedureStep.findUniqueOrThrow({ where: { sopInstanceUid: uid } }))
    .exception;

describe('POST /api/unscheduled/{mppsUid}/match', () => {
  it('given the order of the patient came meanwhile, then its procedure is taken back and the performed one announced under the study of the modality', async () => {
    const patientId = `B${serial()}`;
    const placerOrderNumber = await ordered(patientId);
    const { study, uid } = await performed(patientId);
    expect(await listed(uid)).toBe('unscheduled, patient-differs');
    const { status, body } = await match(uid, { placerOrderNumber });
    expect(status).toBe(200);
    expect(body).toMatchObject({ placerOrderNumber, studyInstanceUid: study, state: 'completed', orderStatus: 'CM' });
    expect(await site.news()).toEqual([
      'IM RAD-13 CA/CA',
      'IM RAD-4 NW/SC',
      'OP RAD-48 S15',
      'OP RAD-3 SC/CM',
      'RM RAD-13 CA/CA',
      'RM RAD-4 NW/SC',
    ]);
    const announced = site.texts.find((text) => field(text, 'ORC', 1) === 'NW' && text.includes('ZDS'));
    expect(field(announced ?? '', 'ZDS', 1).split('^')[0]).toBe(study);
    expect(field(announced ?? '', 'ORC', 2).split('^')[0]).toBe(placerOrderNumber);
    expect(await listed(uid)).toBeNull();
    const order = await site.order({ placerOrderNumber });
    expect(order.requestedProcedures.map(({ state }) => state)).toEqual(['cancelled', 'completed']);
    expect(await site.offered(placerOrderNumber)).toEqual([]);
  });

  it('given it is still in progress, then the order is in progress and the later N-SET completes it', async () => {
    const patientId = `B${serial()}`;
    const { uid } = await performed(patientId, null);
    const placerOrderNumber = await ordered(patientId);
    expect((await match(uid, { placerOrderNumber, placerOrderIssuer: 'HIS' })).status).toBe(200);
    expect(await site.news()).toEqual([
      'IM RAD-13 CA/CA',
      'IM RAD-4 NW/SC',
      'OP RAD-48 S15',
      'OP RAD-48 S12',
      'OP RAD-3 SC/IP',
      'RM RAD-13 CA/CA',
      'RM RAD-4 NW/SC',
    ]);
    expect(await dx.set(uid, completed([newUid()]))).toBe(0);
    expect((await site.order({ placerOrderNumber })).orderStatus).toBe('CM');
    expect(await site.news()).toEqual(['OP RAD-3 SC/CM']);
  });

  it('given the modality made up the patient, then he is merged into the patient of the order and everybody hears A40', async () => {
    const [typed, patientId] = [`T${serial()}`, `B${serial()}`];
    const { uid } = await performed(typed);
    expect(await listed(uid)).toBe('unscheduled, unknown-patient');
    const placerOrderNumber = await ordered(patientId);
    expect((await match(uid, { placerOrderNumber })).status).toBe(200);
    const news = await site.news();
    expect(news.filter((line) => line.includes('A40'))).toEqual(['IM RAD-12 A40', 'RM RAD-12 A40']);
    const merge = site.texts.find((text) => text.includes('MRG|')) ?? '';
    expect(field(merge, 'MRG', 1).split('^')[0]).toBe(typed);
    expect(field(merge, 'PID', 3).split('^')[0]).toBe(patientId);
  });

  it('given another patient who is known, then 409 and nothing moves: his examination is not given to somebody else', async () => {
    const [his, hers] = [`B${serial()}`, `B${serial()}`];
    await ordered(his);
    const { uid } = await performed(his);
    const placerOrderNumber = await ordered(hers);
    expect(await match(uid, { placerOrderNumber })).toMatchObject({ status: 409 });
    expect(await listed(uid)).toBe('unscheduled, patient-differs');
    expect((await site.order({ placerOrderNumber })).orderStatus).toBe('SC');
    expect(await site.news()).toEqual([]);
  });

  it('given a person says that the number at the modality was another patient’s, then the examination alone is moved, and nobody is merged', async () => {
    const [his, hers] = [`B${serial()}`, `B${serial()}`];
    await ordered(his);
    const { study, uid } = await performed(his);
    const placerOrderNumber = await ordered(hers);
    const { status, body } = await match(uid, { placerOrderNumber, anotherPatient: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({ patientId: hers, studyInstanceUid: study, state: 'completed', orderStatus: 'CM' });
    const news = await site.news();
    expect(news).toEqual(expect.arrayContaining(['IM RAD-13 CA/CA', 'IM RAD-4 NW/SC', 'OP RAD-3 SC/CM']));
    expect(news.filter((line) => line.includes('RAD-12'))).toEqual([]);
    const announced = site.texts.find((text) => text.includes('ZDS|') && field(text, 'ORC', 1) === 'NW') ?? '';
    expect(field(announced, 'PID', 3).split('^')[0]).toBe(hers);
    const { requestedProcedures } = await site.order({ placerOrderNumber });
    const moved = requestedProcedures.find(({ studyInstanceUid }) => studyInstanceUid === study);
    const bound = moved?.history.find(({ event }) => event === 'bound');
    expect(bound?.remark).toBe('it was performed under the number of another patient; ordered by telephone');
    expect(await listed(uid)).toBeNull();
  });

  it.each([
    ['no order of that number', 404, async () => ({ placerOrderNumber: `NONE${serial()}` })],
    ['no number at all', 400, async () => ({})],
    [
      'a procedure that is done',
      409,
      async () => {
        const placerOrderNumber = await ordered(`B${serial()}`);
        await site.end(await site.begin(placerOrderNumber));
        await site.news();
        return { placerOrderNumber };
      },
    ],
  ])('given %s, then %i', async (_what, status, body) => {
    const { uid } = await performed(`B${serial()}`);
    expect(await match(uid, await body())).toMatchObject({ status });
    expect(await listed(uid)).toBe('unscheduled, unknown-patient');
  });

  it('given an MPPS that is not known, or fitted its step, then 404 and 409', async () => {
    const placerOrderNumber = await ordered(`B${serial()}`);
    const [uid = ''] = await site.begin(placerOrderNumber);
    expect(await match(newUid(), { placerOrderNumber })).toMatchObject({ status: 404 });
    expect(await match(uid, { placerOrderNumber })).toMatchObject({ status: 409 });
    await site.news();
  });

  it('given several procedures wait for that modality, then one has to be named', async () => {
    const patientId = `B${serial()}`;
    const orders = ['WRIST', 'WRIST'].map((service) => ({ service: `${service}^^TESTPLAN` }));
    const placerOrderNumber = `B${serial()}`;
    const [first, second] = orders;
    const obr = `\rOBR|2|${placerOrderNumber}^HIS||${second?.service ?? ''}`;
    const text = orm([{ placerOrderNumber: `${placerOrderNumber}^HIS`, ...first }], {
      identifier: `${patientId}^^^CLINIC`,
    });
    expect((await site.send(text.trimEnd() + obr + '\r')).code).toBe('AA');
    const { uid } = await performed(patientId);
    expect(await match(uid, { placerOrderNumber })).toMatchObject({ status: 409 });
    const [, step] = await stepsOf(site.server.store, placerOrderNumber);
    const requestedProcedureId = step?.requestedProcedureId;
    expect(await match(uid, { requestedProcedureId })).toMatchObject({ status: 200 });
    const { requestedProcedures } = await site.order({ placerOrderNumber });
    expect(requestedProcedures.map(({ state }) => state)).toEqual(['scheduled', 'cancelled', 'completed']);
    await site.news();
  });
});

describe('POST /api/orders for what was performed (RAD-3 SN; MESA 105)', () => {
  const place = (studyInstanceUid: string, patientId: string, more: object = {}) =>
    site.post('/api/orders', {
      ...more,
      patient: { identifiers: [{ value: patientId, assigningAuthority: 'CLINIC' }], name: { family: 'Known' } },
      service: { code: 'WRIST', scheme: 'TESTPLAN' },
      studyInstanceUid,
    });

  it('given the placer numbers it, then RAD-4 carries the study of the modality, RAD-3 the status, and no second study is made', async () => {
    const patientId = `B${serial()}`;
    await site.send(adt('A04', { identifier: `${patientId}^^^CLINIC`, name: 'Known^Katrin' }));
    const { study, uid } = await performed(patientId);
    const number = `N${serial()}`;
    site.op.will(numbers({ placerOrderNumber: `${number}^HIS` }));
    const { status, body } = await place(study, patientId);
    expect(status).toBe(201);
    await lanesEmpty(site);
    site.op.will(accepts);
    const news = await site.news();
    expect(news).toEqual(expect.arrayContaining(['IM RAD-4 NW/SC', 'RM RAD-4 NW/SC', 'OP RAD-3 SC/CM']));
    expect(body).toMatchObject({ procedures: [{ state: 'completed' }] });
    // The step is what was ordered (RAD TF-2 4.4: OBR-4.4 to 4.6).
    const announced = site.texts.find((text) => text.includes('ZDS|')) ?? '';
    expect(field(announced, 'OBR', 4).split('^').slice(3)).toEqual(['WR2', 'Protocol WR2', 'TESTPLAN']);
    const order = await site.order({ placerOrderNumber: number });
    expect(order.requestedProcedures.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([study]);
    expect(order).toMatchObject({ unreconciled: false, orderStatus: 'CM', departmental: true });
    expect(await listed(uid)).toBeNull();
  });

  it('given it was performed under the number of another patient, then 409 until a person says so', async () => {
    const [his, hers] = [`B${serial()}`, `B${serial()}`];
    for (const id of [his, hers]) await site.send(adt('A04', { identifier: `${id}^^^CLINIC`, name: 'Known^Katrin' }));
    const { study } = await performed(his);
    expect(await place(study, hers)).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
    expect(await place(study, hers, { anotherPatient: true })).toMatchObject({
      status: 201,
      body: { patientId: hers },
    });
    const news = await site.news();
    expect(news.filter((line) => line.includes('RAD-12'))).toEqual([]);
    expect(field(site.texts[news.indexOf('OP RAD-3 SN/')] ?? '', 'PID', 3).split('^')[0]).toBe(hers);
  });

  it('given the study of another order, then 409', async () => {
    const patientId = `B${serial()}`;
    const placerOrderNumber = await ordered(patientId);
    const [step] = await stepsOf(site.server.store, placerOrderNumber);
    expect(await place(step?.studyInstanceUid ?? '', patientId)).toMatchObject({ status: 409 });
  });
});
