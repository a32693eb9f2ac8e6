import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adt, messageOf, msh, orm, pid } from '../support/messages.ts';
import { completed, inProgress, newUid, stepsOf } from '../support/mpps.ts';
import { type Got, type TestDepartment, startDepartment } from './support.ts';

let house: TestDepartment;
/** A department where nothing is scheduled by itself and nobody is treated whom no RAD-1 has named. */
let waiting: TestDepartment;
beforeAll(async () => {
  house = await startDepartment();
  waiting = await startDepartment({ policy: { autoSchedule: false, unknownPatient: 'reject' } });
});
afterAll(async () => {
  await house.stop();
  await waiting.stop();
});

const WRIST = 'WRIST^Wrist in two planes^TESTPLAN';
const SPINE = 'SPINE^Spine with contrast^TESTPLAN';
const TRUNK = 'TRUNK^Trunk PET and CT^TESTPLAN';

interface Step {
  readonly scheduledProcedureStepId: string;
  readonly stepStatus: string;
  readonly scheduledStationAeTitles: string[];
  readonly start: string;
}
interface Procedure {
  readonly requestedProcedureId: string;
  readonly accessionNumber: string;
  readonly state: string;
  readonly steps: Step[];
}
interface Line {
  readonly event: string;
  readonly cause: { readonly messageId: number | null; readonly by: string | null };
  readonly remark: string | null;
}
interface List<T> {
  readonly items: T[];
}

async function itemsOf<T>(path: string, at = house): Promise<T[]> {
  return ((await at.get(path)).body as List<T>).items;
}

/** Orders something by RAD-2; the procedures that it became. */
async function ordered(number: string, service: string, at = house): Promise<Procedure[]> {
  const order = { placerOrderNumber: `${number}^HIS`, service, orcStart: '202601051400' };
  const patient = { identifier: `P${number}^^^CLINIC` };
  if (at === waiting) await at.hl7(adt('A04', patient));
  await at.hl7(orm([order], patient));
  return itemsOf<Procedure>(`/api/procedures?placerOrderNumber=${number}`, at);
}

async function orderedOne(number: string, service = WRIST, at = house): Promise<Procedure> {
  const [one] = await ordered(number, service, at);
  if (!one) throw new Error(`nothing came of order ${number}`);
  return one;
}

const act = (id: string, verb: string, body?: unknown, reason?: string): Promise<Got> =>
  house.post(`/api/procedures/${id}/${verb}`, body, reason === undefined ? {} : { 'X-Reason': reason });

const historyOf = (id: string): Promise<Line[]> => itemsOf<Line>(`/api/procedures/${id}/history`);

/** How many messages of a transaction wait for anybody. */
async function sent(transaction: string): Promise<number> {
  return (await itemsOf(`/api/messages?direction=out&transaction=${transaction}&limit=500`)).length;
}

describe('POST /api/procedures/{id}/reschedule', () => {
  it('given a scheduled procedure, when it is moved to another time, then it is there, and its managers are told (RAD-13)', async () => {
    const { requestedProcedureId: id } = await orderedOne('R1');
    const before = await sent('RAD-13');
    const got = await act(id, 'reschedule', { start: '2026-01-06T09:15' }, 'scanner down');
    expect(got).toMatchObject({ status: 200, body: { state: 'scheduled', steps: [{ start: '2026-01-06T09:15:00' }] } });
    expect((await house.get(`/api/procedures/${id}`)).body).toEqual(got.body);
    expect((await sent('RAD-13')) - before).toBe(2);
  });

  it('given a reason, when a procedure is moved, then the history has who did it and why', async () => {
    const { requestedProcedureId: id } = await orderedOne('R2');
    await act(id, 'reschedule', { station: 'DX2' }, 'scanner down');
    const line = (await historyOf(id)).find(({ event }) => event === 'reschedule');
    expect(line).toMatchObject({ cause: { messageId: null, by: 'department' } });
    expect(line?.remark).toContain('scanner down');
    expect((await house.get(`/api/procedures/${id}`)).body).toMatchObject({
      steps: [{ scheduledStationAeTitles: ['DX2'], start: '2026-01-05T14:00:00' }],
    });
  });

  it('given two steps, when all are moved, then their order and distance stay; when one is named, only it moves', async () => {
    const { requestedProcedureId: id } = await orderedOne('R3', SPINE);
    const all = (await act(id, 'reschedule', { start: '2026-01-07T10:00:30' })).body as Procedure;
    expect(all.steps.map(({ start }) => start)).toEqual(['2026-01-07T10:00:30', '2026-01-07T10:30:30']);
    const second = all.steps[1]?.scheduledProcedureStepId;
    const one = (await act(id, 'reschedule', { step: second, start: '2026-01-08T08:00' })).body as Procedure;
    expect(one.steps.map(({ start }) => start)).toEqual(['2026-01-07T10:00:30', '2026-01-08T08:00:00']);
  });

  it('given a body that says nothing or nonsense, when it is posted, then it is 400 and nothing moves', async () => {
    const { requestedProcedureId: id } = await orderedOne('R4');
    const wrong = [
      undefined,
      {},
      { step: 'S1' },
      { start: '2026-02-30T10:00' },
      { start: '2026-01-06T24:00' },
      { start: '2026-01-06T10:00Z' },
      { start: '2026-01-06' },
      { station: 'A\\B' },
      { station: 'SEVENTEEN_LETTERS' },
      { start: '2026-01-06T10:00', minutes: 5 },
    ];
    const before = (await historyOf(id)).length;
    for (const body of wrong) expect((await act(id, 'reschedule', body)).status, JSON.stringify(body)).toBe(400);
    expect(await historyOf(id)).toHaveLength(before);
  });

  it('given a step that the procedure has not, when it is moved, then it is 404', async () => {
    const { requestedProcedureId: id } = await orderedOne('R5');
    const got = await act(id, 'reschedule', { step: 'NONE', start: '2026-01-06T10:00' });
    expect(got).toMatchObject({ status: 404, body: { type: 'unknown-key' } });
  });
});

describe('POST /api/procedures/{id}/hold, release, cancel, arrive', () => {
  it('given a scheduled procedure, when it is held, then it is off the worklist until it is released', async () => {
    const { requestedProcedureId: id, accessionNumber } = await orderedOne('H1');
    const offered = async (): Promise<number> =>
      (await itemsOf(`/api/worklist?accessionNumber=${accessionNumber}`)).length;
    expect(await offered()).toBe(1);
    expect(await act(id, 'hold', undefined, 'patient ate')).toMatchObject({ status: 200, body: { state: 'held' } });
    expect(await offered()).toBe(0);
    expect(await act(id, 'release')).toMatchObject({ status: 200, body: { state: 'scheduled' } });
    expect(await offered()).toBe(1);
  });

  it('given a scheduled procedure, when it is cancelled, then it is, and a second time is 409', async () => {
    const { requestedProcedureId: id } = await orderedOne('H2');
    expect(await act(id, 'cancel', {}, 'doubled order')).toMatchObject({
      status: 200,
      body: { state: 'cancelled', orderStatus: 'CA', steps: [{ stepStatus: 'CANCELLED' }] },
    });
    expect(await act(id, 'cancel')).toMatchObject({ status: 409, body: { type: 'state-forbids', status: 409 } });
    expect((await historyOf(id)).find(({ event }) => event === 'cancel')?.remark).toContain('doubled order');
  });

  it('given a procedure that has been performed, when it is cancelled, held or moved, then it is 409 and it stays', async () => {
    const { requestedProcedureId: id } = await orderedOne('H3');
    const steps = await stepsOf(house.store, 'H3');
    const uid = newUid();
    expect(await house.nCreate(uid, inProgress(steps))).toBe(0);
    expect(await house.nSet(uid, completed())).toBe(0);
    const before = (await house.get(`/api/procedures/${id}`)).body;
    for (const [verb, body] of [
      ['cancel', {}],
      ['hold', {}],
      ['release', {}],
      ['arrive', {}],
      ['schedule', {}],
      ['reschedule', { start: '2026-01-06T10:00' }],
    ] as const) {
      expect(await act(id, verb, body), verb).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
    }
    expect((await house.get(`/api/procedures/${id}`)).body).toEqual(before);
  });

  it('given two steps, when the patient arrives for one, then that one is ARRIVED; without a step all are', async () => {
    const { requestedProcedureId: id, steps } = await orderedOne('H4', SPINE);
    const first = await act(id, 'arrive', { step: steps[0]?.scheduledProcedureStepId });
    expect(first).toMatchObject({
      status: 200,
      body: { steps: [{ stepStatus: 'ARRIVED' }, { stepStatus: 'SCHEDULED' }] },
    });
    const second = await orderedOne('H5', SPINE);
    const got = await act(second.requestedProcedureId, 'arrive');
    expect(got).toMatchObject({ status: 200, body: { steps: [{ stepStatus: 'ARRIVED' }, { stepStatus: 'ARRIVED' }] } });
  });

  it('given a verb that takes no step, when one is named, then it is 400: nobody takes the whole for the part', async () => {
    const { requestedProcedureId: id, steps } = await orderedOne('H6', SPINE);
    const got = await act(id, 'cancel', { step: steps[0]?.scheduledProcedureStepId });
    expect(got).toMatchObject({ status: 400, body: { type: 'unknown-parameter' } });
    expect((await house.get(`/api/procedures/${id}`)).body).toMatchObject({ state: 'scheduled' });
  });

  it('given an accession number of one procedure, when it is the id, then that is meant; of several it is 409, of none 404', async () => {
    const { accessionNumber } = await orderedOne('H7');
    expect(await act(accessionNumber, 'hold')).toMatchObject({ status: 200, body: { accessionNumber, state: 'held' } });
    const two = await ordered('H8', TRUNK);
    expect(await act(two[0]?.accessionNumber ?? '', 'hold')).toMatchObject({
      status: 409,
      body: { type: 'ambiguous-key', procedures: two.map((one) => one.requestedProcedureId).sort() },
    });
    expect(await act('NONE', 'hold')).toMatchObject({ status: 404, body: { type: 'unknown-key' } });
  });
});

describe('POST /api/procedures/{id}/schedule', () => {
  it('given policy.autoSchedule false, when a planned procedure is scheduled, then it is on the worklist and its managers are told (RAD-4)', async () => {
    const { requestedProcedureId: id, accessionNumber, state } = await orderedOne('S1', WRIST, waiting);
    expect(state).toBe('planned');
    const worklist = `/api/worklist?accessionNumber=${accessionNumber}`;
    expect(await itemsOf(worklist, waiting)).toEqual([]);
    const placement = { start: '2026-01-06T11:30', station: 'DX2' };
    expect(await waiting.post(`/api/procedures/${id}/schedule`, placement)).toMatchObject({
      status: 200,
      body: { state: 'scheduled', steps: [{ start: '2026-01-06T11:30:00', scheduledStationAeTitles: ['DX2'] }] },
    });
    expect(await itemsOf(worklist, waiting)).toHaveLength(1);
    expect(await itemsOf('/api/messages?direction=out&transaction=RAD-4', waiting)).toHaveLength(2);
    expect((await waiting.post(`/api/procedures/${id}/schedule`)).status).toBe(409);
  });

  it('given no body, when a planned procedure is scheduled, then it stays where the order wanted it', async () => {
    const { requestedProcedureId: id } = await orderedOne('S2', WRIST, waiting);
    expect(await waiting.post(`/api/procedures/${id}/schedule`)).toMatchObject({
      status: 200,
      body: { state: 'scheduled', steps: [{ start: '2026-01-05T14:00:00', scheduledStationAeTitles: ['DX1'] }] },
    });
  });
});

describe('POST /api/orders', () => {
  const patient = { identifiers: [{ value: 'D1', assigningAuthority: 'CLINIC' }] };
  const service = { code: 'WRIST', scheme: 'TESTPLAN', meaning: 'Wrist in two planes' };

  it('given a known patient, when the department orders, then the order waits for its number, and its placer is asked (RAD-3 SN)', async () => {
    await house.hl7(adt('A04', { identifier: 'D1^^^CLINIC', name: 'Lindqvist^Maja' }));
    const order = { patient, service, start: '2026-01-05T15:00', reason: { code: 'FALL' }, priority: 'S' };
    const got = await house.post('/api/orders', order, { 'X-Reason': 'asked for by telephone' });
    expect(got).toMatchObject({
      status: 201,
      body: { placerOrderNumber: null, patientId: 'D1', numberPending: true, alarm: null, procedures: [{}] },
    });
    const location = got.headers.get('location') ?? '';
    expect(await itemsOf(location)).toEqual([got.body]);
    const [asked] = await itemsOf<{ id: number; peer: string }>('/api/messages?direction=out&transaction=RAD-3');
    expect(asked).toMatchObject({ peer: 'OP' });
    const text = (await house.get(`/api/messages/${asked?.id}`, { Accept: 'text/plain' })).text;
    expect(text).toMatch(/\rORC\|SN\|\|/);
    expect(text).toContain('WRIST^Wrist in two planes^TESTPLAN');
  });

  it('given a new patient with a name, when the department orders, then the patient is there', async () => {
    const who = {
      identifiers: [{ value: 'D2', assigningAuthority: 'CLINIC' }],
      name: { family: 'Costa', given: 'Rui' },
      birthDate: '1984-02-29',
      sex: 'M',
    };
    expect((await house.post('/api/orders', { patient: who, service })).status).toBe(201);
    expect((await house.get('/api/patients/D2')).body).toMatchObject({ ...who, orders: [{ placerOrderNumber: null }] });
  });

  it('given a body that is wrong, when it is posted, then it is 400 with its place, and nothing is ordered', async () => {
    const before = (await house.get('/api/orders?limit=500')).body;
    const wrong: [unknown, string][] = [
      [undefined, 'patient: '],
      [{ service }, 'patient: '],
      [{ patient }, 'service: '],
      [{ patient: { identifiers: [] }, service }, 'patient.identifiers: '],
      [{ patient: { identifiers: [{ value: 'X' }] }, service }, 'patient.identifiers.0.assigningAuthority: '],
      [{ patient: { ...patient, birthDate: '1983-02-29' }, service }, 'patient.birthDate: '],
      [{ patient: { ...patient, sex: 'W' }, service }, 'patient.sex: '],
      [{ patient, service: { scheme: 'TESTPLAN' } }, 'service.code: '],
      [{ patient, service, start: '20260105' }, 'start: '],
      [{ patient, service, studyInstanceUid: '1.02.3' }, 'studyInstanceUid: '],
      [{ patient, service, priority: 'stat' }, 'priority: '],
      [{ patient: { ...patient, adress: 'x' }, service }, "'patient.adress'"],
    ];
    for (const [body, place] of wrong) {
      const got = await house.post('/api/orders', body);
      expect(got.status, place).toBe(400);
      expect((got.body as { detail: string }).detail).toContain(place);
    }
    expect((await house.get('/api/orders?limit=500')).body).toEqual(before);
  });
});

describe('POST /api/messages/{id}/replay', () => {
  it('given a message that was refused, when its cause is mended and it is replayed, then it is carried out as a new entry', async () => {
    const patient = { identifier: 'M1^^^CLINIC' };
    const refused = await waiting.answerTo(orm([{ placerOrderNumber: 'M1^HIS' }], patient));
    expect(refused).toContain('MSA|AR|');
    const [first] = await itemsOf<{ id: number }>('/api/messages?outcome=refused', waiting);
    const replay = (): Promise<Got> => waiting.post(`/api/messages/${first?.id}/replay`);
    expect(await replay()).toMatchObject({ status: 202, body: { answerCode: 'AR' } });
    await waiting.hl7(adt('A04', patient));
    const got = await replay();
    expect(got).toMatchObject({ status: 202, body: { answerCode: 'AA' } });
    const { messageId } = got.body as { messageId: number };
    expect(messageId).toBeGreaterThan(first?.id ?? Infinity);
    const entry = { direction: 'in', transaction: 'RAD-2', answerCode: 'AA' };
    expect((await waiting.get(`/api/messages/${messageId}`)).body).toMatchObject(entry);
    expect(await itemsOf('/api/orders?placerOrderNumber=M1', waiting)).toHaveLength(1);
  });

  it('given a message that was carried out, when it is replayed, then nothing is there twice', async () => {
    await house.hl7(orm([{ placerOrderNumber: 'M2^HIS' }], { identifier: 'M2^^^CLINIC' }));
    const [first] = await itemsOf<{ id: number }>('/api/messages?direction=in&transaction=RAD-2');
    const before = await sent('RAD-4');
    expect((await house.post(`/api/messages/${first?.id}/replay`)).status).toBe(202);
    expect(await itemsOf('/api/orders?placerOrderNumber=M2')).toHaveLength(1);
    expect(await sent('RAD-4')).toBe(before);
  });

  it('given no such entry, or one that went out, when it is replayed, then it is refused', async () => {
    expect(await house.post('/api/messages/2147483647/replay')).toMatchObject({
      status: 404,
      body: { type: 'unknown-key' },
    });
    expect((await house.post('/api/messages/abc/replay')).status).toBe(400);
    const [out] = await itemsOf<{ id: number }>('/api/messages?direction=out');
    expect((await house.post(`/api/messages/${out?.id}/replay`)).status).toBe(409);
  });
});

describe('POST /api/dry-run', () => {
  const tables = ['orders?limit=500', 'procedures?limit=500', 'messages?limit=500', 'destinations'];
  const everything = async (): Promise<unknown[]> =>
    Promise.all(tables.map(async (name) => (await house.get(`/api/${name}`)).body));

  it('given a new order, when it is tried out, then the answer, procedures, history and messages are there, and nothing is stored', async () => {
    const before = await everything();
    const message = orm([{ placerOrderNumber: 'T1^HIS', service: SPINE, orcStart: '202601051400' }], {
      identifier: 'T1^^^CLINIC',
    });
    const got = await house.request('POST', '/api/dry-run', {
      headers: { 'Content-Type': 'text/plain' },
      body: message,
    });
    expect(got).toMatchObject({
      status: 200,
      body: {
        answerCode: 'AA',
        transaction: 'RAD-2',
        procedures: [
          { state: 'scheduled', steps: [{ start: '2026-01-05T14:00:00' }, { start: '2026-01-05T14:30:00' }] },
        ],
        messages: [
          { destination: 'OP', transaction: 'RAD-48' },
          { destination: 'IM', transaction: 'RAD-4', text: expect.stringContaining('ORC|NW') as string },
          { destination: 'RM', transaction: 'RAD-4' },
        ],
      },
    });
    expect((got.body as { history: unknown[] }).history.length).toBeGreaterThan(0);
    expect(await everything()).toEqual(before);
    expect((await house.get('/api/patients/T1')).status).toBe(404);
  });

  it('given a message that would be refused, when it is tried out as JSON, then the answer says why, and nothing is stored', async () => {
    const before = await everything();
    const message = messageOf(msh('ORM^O01'), pid({ identifier: 'T2^^^CLINIC' }), 'ORC|NW');
    const got = await house.post('/api/dry-run', { message });
    expect(got).toMatchObject({ status: 200, body: { transaction: 'RAD-2', procedures: [], messages: [] } });
    expect((got.body as { answerCode: string }).answerCode).toMatch(/^A[ER]$/);
    expect((got.body as { answer: string }).answer).toMatch(/\nMSA\|A[ER]\|/);
    expect(await everything()).toEqual(before);
  });

  it('given what is no HL7 message, when it is tried out, then it is 400 and not quoted', async () => {
    for (const message of ['SECRET', '']) {
      const got = await house.post('/api/dry-run', { message });
      expect(got.status).toBe(400);
      expect(got.text).not.toContain('SECRET');
    }
  });
});
