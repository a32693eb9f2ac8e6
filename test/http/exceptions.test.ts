import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatasetInput } from '../../src/dicom/dataset.ts';
import type { StoredMachine } from '../../src/workflow/procedure-machine.ts';
import { exceptionKinds, type ExceptionKind } from '../../src/workflow/exceptions.ts';
import { type ProcedureAction, possible, procedureActions } from '../../src/workflow/staff-actions.ts';
import { adt, orm } from '../support/messages.ts';
import { completed, discontinued, inProgress, newUid, stepsOf } from '../support/mpps.ts';
import { givenUp as reasonGiven } from '../support/order-site.ts';
import { sampled } from '../support/until.ts';
import { type Got, type TestDepartment, startDepartment } from './support.ts';

let house: TestDepartment;
beforeAll(async () => {
  house = await startDepartment({ policy: { autoSchedule: false }, temporaryPatients: { numbers: 'T9000-T9009' } });
  await house.hl7(adt('A04', { identifier: 'KNOWN^^^CLINIC', name: 'Lindqvist^Maja' }));
});
afterAll(() => house.stop());

interface Step {
  readonly action: string;
  readonly path: string;
  readonly body: Record<string, unknown> | null;
  readonly reason: string;
}
interface Entry {
  readonly id: string;
  readonly kind: ExceptionKind;
  readonly since: string;
  readonly mppsUid: string | null;
  readonly requestedProcedureIds: string[];
  readonly nextSteps: Step[];
}

const list = async (query = ''): Promise<Entry[]> =>
  ((await house.get(`/api/exceptions?limit=500${query}`)).body as { items: Entry[] }).items;

const why = { 'X-Reason': 'a test' };
const post = (path: string, body: unknown = {}): Promise<Got> => house.post(path, body, why);

const givenUp = (code: string): DatasetInput => completed([], reasonGiven(code));

let count = 0;
interface Made {
  readonly id: string;
  readonly number: string;
}

/** A planned procedure; with two MR steps for SPINE. */
async function planned(service = 'WRIST', patient?: string): Promise<Made> {
  const number = `X${++count}`;
  const order = { placerOrderNumber: `${number}^HIS`, service: `${service}^^TESTPLAN`, orcStart: '202601051400' };
  await house.hl7(orm([order], { identifier: `${patient ?? `P${number}`}^^^CLINIC` }));
  const { items } = (await house.get(`/api/procedures?placerOrderNumber=${number}`)).body as {
    items: { requestedProcedureId: string }[];
  };
  return { id: items[0]?.requestedProcedureId ?? '', number };
}

/** Put on the worklist, and acted on. */
async function after(service: string, ...verbs: readonly string[]): Promise<Made> {
  const made = await planned(service);
  for (const verb of ['schedule', ...verbs])
    expect((await post(`/api/procedures/${made.id}/${verb}`)).status, verb).toBe(200);
  return made;
}

/** Begun: for each step named by its place an MPPS, and how each ends. */
async function performed(
  { id, number }: Made,
  ends: readonly (DatasetInput | null)[],
  change: DatasetInput = {},
): Promise<{ id: string; number: string; uids: string[] }> {
  const steps = await stepsOf(house.store, number);
  const uids: string[] = [];
  for (const [index, end] of ends.entries()) {
    const uid = newUid();
    const step = steps[index % steps.length];
    expect(await house.nCreate(uid, inProgress(step ? [step] : [], change))).toBe(0);
    if (end) expect(await house.nSet(uid, end)).toBe(0);
    uids.push(uid);
  }
  return { id, number, uids };
}

/** Performed without an order, for a patient who is known or not. */
async function unscheduled(
  patientId: string,
  end: DatasetInput | null,
  PatientName = 'Lindqvist^Maja',
): Promise<string> {
  const uid = newUid();
  const nothing = { AccessionNumber: null, RequestedProcedureID: null, ScheduledProcedureStepID: null };
  const item = { StudyInstanceUID: newUid(), ...nothing };
  const content = inProgress([], {
    ScheduledStepAttributesSequence: [item],
    PatientID: patientId,
    PatientName,
    Modality: 'DX',
    PerformedStationAETitle: 'DX1',
  });
  expect(await house.nCreate(uid, content)).toBe(0);
  if (end) expect(await house.nSet(uid, end)).toBe(0);
  return uid;
}

async function procedureOfMpps(sopInstanceUid: string): Promise<string> {
  const { body } = await house.get(`/api/performed-steps/${sopInstanceUid}`);
  const { scheduledSteps } = body as { scheduledSteps: { requestedProcedureId: string }[] };
  return scheduledSteps[0]?.requestedProcedureId ?? '';
}

const idOf = ({ id }: Made): string => id;

/** The first procedure of an order of two, of which the other one was begun, or is acted on. */
async function firstOfTwo({ id, number }: Made, verb?: string): Promise<string> {
  const { items } = (await house.get(`/api/procedures?placerOrderNumber=${number}`)).body as {
    items: { requestedProcedureId: string; state: string }[];
  };
  expect(items).toHaveLength(2);
  const begun = items.find(({ state }) => state === 'inProgress')?.requestedProcedureId ?? id;
  if (verb !== undefined) expect((await post(`/api/procedures/${begun}/${verb}`)).status).toBe(200);
  return items.find(({ requestedProcedureId }) => requestedProcedureId !== begun)?.requestedProcedureId ?? '';
}

/** Every state that decides what staff may do with a procedure. */
const states: readonly [string, () => Promise<string>][] = [
  ['planned', async () => idOf(await planned())],
  ['scheduled', async () => idOf(await after('WRIST'))],
  ['scheduled, the patient is there', async () => idOf(await after('WRIST', 'arrive'))],
  ['scheduled, the patient has left', async () => idOf(await after('WRIST', 'arrive', 'depart'))],
  ['held', async () => idOf(await after('WRIST', 'hold'))],
  ['held, the patient did not come', async () => idOf(await after('WRIST', 'no-show'))],
  ['in progress', async () => idOf(await performed(await after('WRIST'), [null]))],
  ['in progress, begun before it was scheduled', async () => idOf(await performed(await planned(), [null]))],
  ['one of two steps completed', async () => idOf(await performed(await after('SPINE'), [completed([newUid()])]))],
  ['waits for a decision', async () => idOf(await performed(await after('WRIST'), [discontinued()]))],
  ['one step undecided, one goes on', async () => idOf(await performed(await after('SPINE'), [discontinued(), null]))],
  ['completed', async () => idOf(await performed(await after('WRIST'), [completed([newUid()])]))],
  ['discontinued', async () => idOf(await performed(await after('WRIST'), [givenUp('110500')]))],
  ['wrong worklist entry', async () => idOf(await performed(await after('WRIST'), [givenUp('110514')]))],
  ['cancelled', async () => idOf(await after('WRIST', 'cancel'))],
  [
    'one of two of its order, the other one begun',
    async () => firstOfTwo(await performed(await planned('TRUNK'), [null])),
  ],
  ['one of two of its order, the other one cancelled', async () => firstOfTwo(await planned('TRUNK'), 'cancel')],
  ['unscheduled, in progress', async () => procedureOfMpps(await unscheduled('NOBODY1', null))],
  ['unscheduled, completed', async () => procedureOfMpps(await unscheduled('NOBODY2', completed([newUid()])))],
  ['unscheduled, given up', async () => procedureOfMpps(await unscheduled('NOBODY3', givenUp('110500')))],
];

const filled: { readonly [action in ProcedureAction]?: object } = {
  reschedule: { start: '2026-01-06T10:00' },
  decide: { decision: 'repeat' },
  change: { code: { code: 'SPINE', scheme: 'TESTPLAN', meaning: 'Spine with contrast' } },
  reorder: { service: { code: 'SPINE', scheme: 'TESTPLAN' } },
};

describe('what staff may do with a procedure', () => {
  it.each(sampled(states))(
    'given it is %s, then what is said to be possible is not refused, and all else is',
    async (_, make) => {
      const id = await make();
      const row = await house.store.prisma.requestedProcedure.findUniqueOrThrow({
        where: { requestedProcedureId: id },
        include: { order: { include: { requestedProcedures: true } } },
      });
      const machineOf = ({ machine }: { machine: unknown }) => machine as StoredMachine;
      const { unreconciled, requestedProcedures } = row.order;
      const ofOrder = requestedProcedures.map(machineOf);
      const procedure = { machine: machineOf(row), ordered: !unreconciled, ofOrder };
      const before = await house.store.prisma.history.count();
      const said: string[] = [];
      const done: string[] = [];
      for (const action of procedureActions) {
        const found = possible(procedure, action);
        if (found) said.push(action);
        const body = { ...filled[action], ...(found?.step === undefined ? {} : { step: found.step }) };
        const got = await post(`/api/procedures/${id}/${action}?dryRun=true`, body);
        expect([200, 409], `${action}: ${got.text}`).toContain(got.status);
        if (got.status === 200) done.push(action);
      }
      expect(said).toEqual(done);
      expect(await house.store.prisma.history.count()).toBe(before);
    },
  );
});

/** Cases of every kind, each with what makes it; the id of the MPPS, message, order or procedure by which it is found. */
const order = (patient: string, service: string) => ({
  patient: { identifiers: [{ value: patient, assigningAuthority: 'CLINIC' }], name: { family: 'Costa' } },
  service: { code: service, scheme: 'TESTPLAN' },
});

let numbersUsed = 0;
/** A second patient under a number of the list: he has none of his own. */
async function numberInUse(): Promise<void> {
  const number = `T900${numbersUsed++}`;
  await unscheduled(number, completed([newUid()]), 'First');
  house.clock.advance(1_000);
  await unscheduled(number, completed([newUid()]), 'Second');
}

async function cancelledWhileOpen(): Promise<void> {
  const { uids, id } = await performed(await after('WRIST'), [null]);
  expect((await post(`/api/procedures/${id}/discontinue`)).status).toBe(200);
  expect(await house.nSet(uids[0] ?? '', completed([newUid()]))).toBe(0);
}

/** What somebody waits for has not come in time. */
async function fire(where: object): Promise<void> {
  const data = { firedAt: house.clock.now(), effect: 'alarm' };
  expect((await house.store.prisma.timer.updateMany({ where, data })).count).toBe(1);
}

/** The MPPS was ended by the department, then by its modality after all. */
async function lateUpdate(): Promise<void> {
  const { uids } = await performed(await after('WRIST'), [givenUp('110500')]);
  const sopInstanceUid = uids[0] ?? '';
  await house.store.prisma.performedProcedureStep.update({
    where: { sopInstanceUid },
    data: { exception: 'discontinued, late-update' },
  });
}

const cases: readonly [ExceptionKind, () => Promise<unknown>, readonly string[]][] = [
  ['unscheduled', () => unscheduled('NOBODY4', completed([newUid()])), ['match', 'order', 'reconcile', 'settle']],
  ['unscheduled', () => unscheduled('NOBODY5', null), ['match', 'order', 'reconcile']],
  ['unscheduled', () => unscheduled('KNOWN', completed([newUid()])), ['match', 'order', 'settle']],
  ['unknown-patient', () => unscheduled('NOBODY6', givenUp('110500')), ['reconcile', 'order', 'settle']],
  ['unknown-patient', numberInUse, ['match', 'order', 'settle']],
  ['number-in-use', numberInUse, ['match', 'order', 'settle']],
  ['patient-differs', () => unscheduled('KNOWN', completed([newUid()]), 'Otherwise'), ['match', 'order', 'settle']],
  ['patient-differs', async () => performed(await after('WRIST'), [null], { PatientID: 'OTHER' }), ['settle']],
  ['no-open-step', async () => performed(await after('WRIST', 'cancel'), [completed([newUid()])]), ['settle']],
  ['already-started', async () => performed(await after('WRIST'), [null, null]), ['settle']],
  [
    'discontinued',
    async () => performed(await after('WRIST'), [discontinued()]),
    ['decide', 'change', 'depart', 'discontinue'],
  ],
  ['discontinued', async () => performed(await after('WRIST'), [givenUp('110500')]), ['settle']],
  [
    'discontinued',
    async () => performed(await after('WRIST'), [givenUp('110502')]),
    ['reschedule', 'release', 'change', 'reorder', 'cancel', 'settle'],
  ],
  [
    'wrong-entry',
    async () => performed(await after('WRIST'), [givenUp('110514')]),
    ['reschedule', 'hold', 'cancel', 'settle'],
  ],
  ['procedure-ended', cancelledWhileOpen, ['settle']],
  ['not-in-catalogue', () => planned('UNHEARD'), ['change', 'reorder', 'reschedule', 'cancel', 'settle']],
  [
    'number-pending',
    async () => {
      await post('/api/orders', order('N1', 'WRIST'));
      await fire({ order: { patient: { identifiers: { some: { value: 'N1' } } } } });
    },
    ['schedule', 'cancel'],
  ],
  [
    'order-alarm',
    async () => {
      await post('/api/orders', order('N2', 'WRIST'));
      await house.store.prisma.delivery.deleteMany({
        where: { destination: 'OP', order: { patient: { identifiers: { none: { value: 'N2' } } } } },
      });
      await house.heard('OP', { kind: 'refused', code: 'AE', error: 'AE 204' });
    },
    ['schedule', 'cancel'],
  ],
  [
    'delivery-refused',
    async () => {
      await after('WRIST');
      await house.heard('IM', { kind: 'refused', code: 'AE', error: 'AE 103' });
    },
    ['retry', 'skip'],
  ],
  [
    'images-overdue',
    async () => {
      const { id } = await performed(await after('WRIST'), [completed([newUid()])]);
      const { id: procedureId } = await house.store.prisma.requestedProcedure.findUniqueOrThrow({
        where: { requestedProcedureId: id },
      });
      const at = house.clock.now();
      await house.store.prisma.availabilityQuery.create({ data: { procedureId, since: at, nextAt: at } });
      const told = { kind: 'imagesNotAvailable', procedureId, waitsFrom: at, since: at, dueAt: at, firedAt: at };
      await house.store.prisma.timer.create({ data: told });
    },
    ['settle'],
  ],
  [
    'step-not-started',
    async () => {
      const { id } = await after('WRIST');
      await fire({ step: { procedure: { requestedProcedureId: id } } });
    },
    ['reschedule', 'no-show', 'cancel', 'settle'],
  ],
  [
    'performed-step-not-ended',
    async () => {
      const { uids } = await performed(await after('WRIST'), [null]);
      await fire({ performedStep: { sopInstanceUid: uids[0] ?? '' } });
    },
    ['discontinue', 'settle'],
  ],
  ['late-update', lateUpdate, ['settle']],
];

/** Who a temporary patient may be. */
const survivor = { survivor: { value: 'KNOWN', assigningAuthority: 'CLINIC' } };

const previewOf = (path: string): string => `${path}${path.includes('?') ? '&' : '?'}dryRun=true`;

async function patientOf({ requestedProcedureIds: [id = ''] }: Entry): Promise<string> {
  const { body } = await house.get(`/api/procedures/${id}`);
  return (body as { patientId?: string } | undefined)?.patientId ?? '';
}

/** The route that says who the patient of an entry is, by a number of his. */
const reconcileOf = async (entry: Entry): Promise<string> =>
  `/api/patients/${(await patientOf(entry)) || 'KNOWN'}/reconcile`;

/** The path of a step with what has to be filled in it. */
async function pathOf(entry: Entry, { action, path }: Step): Promise<string> {
  if (action !== 'reconcile') return path;
  expect(path).toBe('/api/patients/{id}/reconcile?assigningAuthority={assigningAuthority}');
  return `${await reconcileOf(entry)}?assigningAuthority=`;
}

/** The body of a step with what has to be filled in it. */
async function bodyOf(entry: Entry, { action, body }: Step): Promise<object> {
  const his = body?.['anotherPatient'] !== true && (await patientOf(entry)) === 'KNOWN';
  if (action === 'match')
    return { ...body, placerOrderNumber: (await planned('WRIST', his ? 'KNOWN' : undefined)).number };
  if (action === 'order') return { ...body, ...order(his ? 'KNOWN' : 'NOBODY7', 'WRIST') };
  if (action === 'reconcile') return survivor;
  return { ...body, ...filled[action as ProcedureAction] };
}

/** A request that an entry of this kind could offer, whether or not it does now. */
async function asked(entry: Entry, action: string): Promise<{ path: string; body: object }> {
  const [id = ''] = entry.requestedProcedureIds;
  if (action === 'match')
    return { path: `/api/unscheduled/${entry.mppsUid}/match`, body: { requestedProcedureId: id } };
  if (action === 'settle') return { path: `/api/exceptions/${entry.id}/settle`, body: {} };
  if (action === 'reconcile') return { path: await reconcileOf(entry), body: survivor };
  if (action === 'resume') return { path: '/api/destinations/IM/resume', body: {} };
  return { path: `/api/procedures/${id}/${action}`, body: filled[action as ProcedureAction] ?? {} };
}

async function added(make: () => Promise<unknown>, kind: ExceptionKind): Promise<Entry> {
  const before = new Set((await list()).map(({ id }) => id));
  house.clock.advance(1_000);
  await make();
  const found = (await list()).find((one) => one.kind === kind && !before.has(one.id));
  if (!found) throw new Error(`no exception of kind ${kind} came of it`);
  return found;
}

describe('GET /api/exceptions', () => {
  it.each(cases)(
    'given %s, then every step that is offered is not refused, and what is not offered is',
    async (kind, make, offered) => {
      const entry = await added(make, kind);
      expect(entry.nextSteps.map(({ action }) => action)).toEqual(offered);
      expect((await list(`&kind=${kind}`)).map(({ id }) => id)).toContain(entry.id);
      const [id = ''] = entry.requestedProcedureIds;
      const ofIt = (await list()).filter((one) => one.requestedProcedureIds.includes(id));
      expect(await list(`&requestedProcedureId=${id}`)).toEqual(ofIt);
      for (const step of entry.nextSteps) {
        const got = await post(previewOf(await pathOf(entry, step)), await bodyOf(entry, step));
        expect(got, `${step.action}: ${got.text}`).toMatchObject({ status: 200, body: { dryRun: true } });
        if (step.reason === 'required') expect((await house.post(step.path, step.body ?? {})).status).toBe(400);
      }
      const others = exceptionKinds[kind].actions.filter((action) => !offered.includes(action) && action !== 'order');
      for (const action of others) {
        const { path, body } = await asked(entry, action);
        expect((await post(previewOf(path), body)).status, action).toBe(409);
      }
    },
  );

  it('given every page of one entry, then together they are the list, newest first', async () => {
    const all = await list();
    const paged: string[] = [];
    for (let after = ''; ;) {
      const { items, next } = (await house.get(`/api/exceptions?limit=3${after}`)).body as {
        items: Entry[];
        next: string | null;
      };
      paged.push(...items.map(({ id }) => id));
      if (next === null) break;
      after = `&after=${encodeURIComponent(next)}`;
    }
    expect(paged).toEqual(all.map(({ id }) => id));
    expect(all.map(({ since }) => since)).toEqual(
      all
        .map(({ since }) => since)
        .sort()
        .reverse(),
    );
    expect(new Set(paged).size).toBe(paged.length);
  });

  it.each(['?kind=nothing', '?after=7', '?after=1.x', '?limit=0', '?state=open'])(
    'given %s, then 400',
    async (query) => {
      expect((await house.get(`/api/exceptions${query}`)).status).toBe(400);
    },
  );

  it("given an examination under a number of another patient, then his name may be another one's as well (anotherPatient)", async () => {
    const entry = await added(() => unscheduled('KNOWN', completed([newUid()]), 'Else'), 'patient-differs');
    for (const step of entry.nextSteps.slice(0, 2)) expect(step.body).toMatchObject({ anotherPatient: true });
    const { body } = await house.get('/api/exceptions?kind=unscheduled&limit=1');
    const [plain] = (body as { items: Entry[] }).items;
    expect(plain?.nextSteps.map(({ action }) => action)).toEqual(['match', 'order', 'settle']);
    for (const step of plain?.nextSteps.slice(0, 2) ?? []) expect(step.body).not.toHaveProperty('anotherPatient');
  });

  it('given a stopped lane, when a message in it was refused, then resume is offered first', async () => {
    const entry = await added(async () => {
      await after('WRIST');
      await house.heard('IM', { kind: 'refused', code: 'AE', error: 'AE 103' });
      await post('/api/destinations/IM/pause');
    }, 'delivery-refused');
    expect(entry.nextSteps.map(({ action }) => action)).toEqual(['resume', 'retry', 'skip']);
    await post('/api/destinations/IM/resume');
  });
});

describe('POST /api/exceptions/{id}/settle', () => {
  it('given an MPPS on a cancelled order, when it is closed with a reason, then it leaves the list and the history has why', async () => {
    const make = async () => performed(await after('WRIST', 'cancel'), [completed([newUid()])]);
    const entry = await added(make, 'no-open-step');
    const settle = () => post(`/api/exceptions/${entry.id}/settle`);
    expect(await settle()).toMatchObject({ status: 200, body: { id: entry.id, kind: 'no-open-step', settled: true } });
    expect((await list()).map(({ id }) => id)).not.toContain(entry.id);
    expect(await settle()).toMatchObject({ status: 404, body: { type: 'unknown-key' } });
    const [procedure = ''] = entry.requestedProcedureIds;
    const { items } = (await house.get(`/api/procedures/${procedure}/history`)).body as { items: object[] };
    expect(items.at(-1)).toMatchObject({
      event: 'exceptionSettled',
      cause: { by: 'department' },
      remark: 'no-open-step; a test',
    });
    const row = await house.store.prisma.performedProcedureStep.findFirstOrThrow({
      where: { sopInstanceUid: entry.mppsUid ?? '' },
    });
    expect(row.exception).toBeNull();
    const [kept] = await house.store.prisma.settledException.findMany({ where: { exception: entry.id } });
    expect(kept).toMatchObject({ kind: 'no-open-step', settledBy: 'department', reason: 'a test' });
  });

  it('given one of two reasons is closed, then the other stays; given images are given up, then nobody asks for them any more', async () => {
    const uid = await unscheduled('NOBODY8', completed([newUid()]));
    const both = (await list()).filter((one) => one.mppsUid === uid);
    expect(both.map(({ kind }) => kind).sort()).toEqual(['unknown-patient', 'unscheduled']);
    await post(`/api/exceptions/${both.find(({ kind }) => kind === 'unknown-patient')?.id}/settle`);
    expect((await list()).filter((one) => one.mppsUid === uid).map(({ kind }) => kind)).toEqual(['unscheduled']);
    const [images] = await list('&kind=images-overdue');
    expect((await post(`/api/exceptions/${images?.id}/settle`)).status).toBe(200);
    expect(await house.store.prisma.availabilityQuery.count()).toBe(0);
  });

  it('given an alarm whose procedure is off the worklist, then it stays until that is decided, and then it is gone', async () => {
    const [entry] = await list('&kind=order-alarm');
    expect((await post(`/api/exceptions/${entry?.id}/settle`)).status).toBe(409);
    const step = entry?.nextSteps.find(({ action }) => action === 'schedule');
    expect((await post(step?.path ?? '')).status).toBe(200);
    expect((await post(`/api/exceptions/${entry?.id}/settle`)).status).toBe(200);
    expect(await list('&kind=order-alarm')).toEqual([]);
  });

  it('given a service that the catalogue has not, when staff say which procedure of it is meant, then it is on the list no longer', async () => {
    const entry = await added(() => planned('UNKNOWN'), 'not-in-catalogue');
    const step = entry.nextSteps.find(({ action }) => action === 'change');
    expect((await post(step?.path ?? '', filled.change)).status).toBe(200);
    expect((await list()).map(({ id }) => id)).not.toContain(entry.id);
  });

  it('given a patient of ADT, when nothing is wrong, then nothing is listed', async () => {
    const before = await list();
    await house.hl7(adt('A04', { identifier: 'FINE^^^CLINIC' }));
    await performed(await after('WRIST', 'arrive'), [completed([newUid()])]);
    expect(await list()).toEqual(before);
  });
});
