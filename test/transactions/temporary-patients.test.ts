import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatasetInput } from '../../src/dicom/dataset.ts';
import { adt, field, orm, serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid } from '../support/mpps.ts';
import { type OrderSite, lanesEmpty, startOrderSite } from '../support/order-site.ts';
import { merge } from '../support/patients.ts';
import { accepts, numbers } from '../support/peers.ts';
import { type WebClient, historyOf, webClient } from '../support/web.ts';

/** Patients whom nobody has registered, and who they are (RAD TF-1 4.4.4 and 4.4.5: PIR cases 4 and 5). */

let site: OrderSite;
let web: WebClient;
let device: ReturnType<typeof modality>;
beforeAll(async () => {
  // An order for somebody whom no message has named is rejected; a number of the department's list names somebody.
  site = await startOrderSite({
    policy: { unknownPatient: 'reject' },
    temporaryPatients: {
      assigningAuthority: 'OF1',
      numbers: ['T9000-T9049', { range: 'X01-X02', modality: 'XA' }],
      name: 'UNKNOWN',
    },
  });
  web = webClient(site.server.ports.http);
  device = modality(site.server.ports.dicom);
});
afterAll(() => site.stop());

interface Registered {
  readonly number: string;
  readonly state: string;
  readonly modality: string | null;
  readonly takenBy: string | null;
  readonly survivorId: string | null;
  readonly procedures: number;
}

const register = (body: object = {}) => site.post('/api/temporary-patients', body, 'brought in without papers');

async function newNumber(body: object = {}): Promise<string> {
  const answer = await register(body);
  expect(answer.status).toBe(201);
  return (answer.body as Registered).number;
}

async function entry(number: string): Promise<Registered | undefined> {
  const { items } = await web.get<{ items: Registered[] }>(`/api/temporary-patients?number=${number}`);
  return items[0];
}

/** The patient whom the ADT registers once somebody knows who he is. */
async function real(name = 'Real^Rita'): Promise<string> {
  const id = `R${serial()}`;
  expect((await site.send(adt('A04', { identifier: `${id}^^^CLINIC`, name }))).code).toBe('AA');
  await site.news();
  return id;
}

const reconcile = (number: string, id: string, assigningAuthority = 'CLINIC') =>
  site.post(`/api/patients/${number}/reconcile`, { survivor: { value: id, assigningAuthority } }, 'papers were found');

/** RAD-3 SN, and its NA. */
async function order(number: string, more: object = {}) {
  const placerOrderNumber = `TP${serial()}`;
  site.op.will(numbers({ placerOrderNumber: `${placerOrderNumber}^HIS` }));
  const patient = { identifiers: [{ value: number, assigningAuthority: 'OF1' }] };
  const answer = await site.post('/api/orders', { patient, service: { code: 'WRIST', scheme: 'TESTPLAN' }, ...more });
  await lanesEmpty(site);
  site.op.will(accepts);
  return { ...answer, placerOrderNumber };
}

/** An MPPS that nobody ordered, under a number of the list. */
async function performed(number: string, name = 'Typed^By Hand', end: DatasetInput | null = completed([newUid()])) {
  const [study, uid] = [newUid(), newUid()];
  const content = inProgress([], {
    ScheduledStepAttributesSequence: [{ StudyInstanceUID: study }],
    PatientID: number,
    PatientName: name,
    PatientBirthDate: null,
    PatientSex: null,
    Modality: 'DX',
    PerformedStationAETitle: 'DX1',
  });
  expect(await device.create(uid, content)).toBe(0);
  if (end) expect(await device.set(uid, end)).toBe(0);
  const { exception } = await site.server.store.prisma.performedProcedureStep.findUniqueOrThrow({
    where: { sopInstanceUid: uid },
  });
  return { study, uid, exception };
}

/** What of the news is a merge. */
const merges = async (): Promise<string[]> => (await site.news()).filter((line) => line.endsWith(' A40'));
const mergeText = (): string => site.texts.find((text) => text.includes('\rMRG|')) ?? '';

describe('a patient whom the department registers itself (PIR case 4)', () => {
  it('given an order under his number, then SN, RAD-4 and the worklist name him by it, and he stays temporary', async () => {
    const number = await newNumber({ modality: 'DX', sex: 'F' });
    expect(await entry(number)).toMatchObject({ state: 'used', modality: 'DX', takenBy: 'department', procedures: 0 });
    const { status, placerOrderNumber } = await order(number);
    expect(status).toBe(201);
    expect(await site.news()).toEqual(expect.arrayContaining(['OP RAD-3 SN/', 'IM RAD-4 NW/SC', 'RM RAD-4 NW/SC']));
    for (const text of site.texts.filter((one) => one.includes('\rPID|'))) {
      expect(field(text, 'PID', 3)).toMatch(new RegExp(`^${number}\\^\\^\\^OF1`));
      expect(field(text, 'PID', 5)).toBe(`UNKNOWN^${number}`);
    }
    const [item] = await site.offered(placerOrderNumber);
    expect(item?.PatientID).toEqual([number]);
    expect(await entry(number)).toMatchObject({ state: 'used', procedures: 1 });
  });

  it.each(['before', 'during', 'after'] as const)(
    'given he is reconciled %s the examination, then everything is the survivor’s, and order placer, image and report managers hear it (RAD-12 A40)',
    async (when) => {
      const number = await newNumber();
      const { placerOrderNumber } = await order(number);
      const uids = when === 'before' ? [] : await site.begin(placerOrderNumber);
      if (when === 'after') await site.end(uids);
      const id = await real();
      const answer = await reconcile(number, id);
      expect(answer).toMatchObject({
        status: 200,
        body: {
          identifiers: [{ value: id, assigningAuthority: 'CLINIC' }],
          formerIdentifiers: [{ value: number, assigningAuthority: 'OF1' }],
          orders: [{ placerOrderNumber }],
        },
      });
      expect(await merges()).toEqual(['IM RAD-12 A40', 'OP RAD-12 A40', 'RM RAD-12 A40']);
      expect(field(mergeText(), 'PID', 3)).toMatch(new RegExp(`^${id}\\^\\^\\^CLINIC`));
      expect(field(mergeText(), 'MRG', 1)).toBe(`${number}^^^OF1`);
      expect(field(mergeText(), 'MRG', 4)).toBe(`${number}^^^OF1`);
      expect(field(mergeText(), 'MRG', 7)).toBe(`UNKNOWN^${number}`);
      expect(await entry(number)).toMatchObject({ state: 'reconciled', survivorId: id, procedures: 0 });
      if (when === 'before') {
        expect((await site.offered(placerOrderNumber))[0]?.PatientID).toEqual([id]);
        uids.push(...(await site.begin(placerOrderNumber)));
      }
      if (when !== 'after') await site.end(uids);
      const { requestedProcedures, orderStatus } = await site.order({ placerOrderNumber });
      expect(orderStatus).toBe('CM');
      const [procedure] = requestedProcedures;
      const lines = await historyOf(web, procedure?.requestedProcedureId ?? '');
      expect(lines.find(({ event }) => event === 'patientMerged')).toMatchObject({
        cause: { by: 'department', messageId: null },
        remark: 'papers were found',
      });
      // Step 1 of the eight has happened: the ADT has registered who he is.
      expect(lines.map(({ event }) => event)).toContain('patientRegistered');
    },
  );

  it('given the ADT merges his number itself (A40), then the number is reconciled, and the placer hears it from the ADT alone', async () => {
    const number = await newNumber();
    const { placerOrderNumber } = await order(number);
    const id = await real();
    expect((await site.send(merge(`${id}^^^CLINIC`, `${number}^^^OF1`, 'Real^Rita'))).code).toBe('AA');
    expect(await merges()).toEqual(['IM RAD-12 A40', 'RM RAD-12 A40']);
    expect(await entry(number)).toMatchObject({ state: 'reconciled', survivorId: id });
    expect((await site.offered(placerOrderNumber))[0]?.PatientID).toEqual([id]);
  });

  it('given an order under his number for somebody of another name, then 409: a number is one patient’s', async () => {
    const number = await newNumber({ name: { family: 'Doe', given: 'John' } });
    const named = { identifiers: [{ value: number, assigningAuthority: 'OF1' }], name: { family: 'Roe' } };
    expect(await order(number, { patient: named })).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
    expect(await site.news()).toEqual([]);
    expect(await entry(number)).toMatchObject({ procedures: 0 });
  });
});

describe('a number of the list that a modality uses (PIR case 5; MESA 101)', () => {
  it('given the patient is reconciled, then A40 goes out, and the order that follows announces the study of the modality', async () => {
    const number = 'T9040';
    const { study, uid, exception } = await performed(number);
    expect(exception).toBe('unscheduled, unknown-patient');
    expect(await entry(number)).toMatchObject({ state: 'used', modality: 'DX', procedures: 1 });
    const id = await real();
    expect((await reconcile(number, id)).status).toBe(200);
    // No order placer has heard of him.
    expect(await merges()).toEqual(['IM RAD-12 A40', 'RM RAD-12 A40']);
    expect(field(mergeText(), 'MRG', 4)).toBe(`${number}^^^OF1`);
    const { items } = await web.get<{ items: { sopInstanceUid: string; exception: string }[] }>('/api/unscheduled');
    expect(items.find(({ sopInstanceUid }) => sopInstanceUid === uid)?.exception).toBe('unscheduled');
    const patient = { identifiers: [{ value: id, assigningAuthority: 'CLINIC' }] };
    const { status, placerOrderNumber } = await order(number, { patient, studyInstanceUid: study });
    expect(status).toBe(201);
    const news = await site.news();
    expect(news).toEqual(expect.arrayContaining(['IM RAD-4 NW/SC', 'OP RAD-3 SN/', 'OP RAD-3 SC/CM']));
    const announced = site.texts.find((text) => text.includes('\rZDS|')) ?? '';
    expect(field(announced, 'ZDS', 1).split('^')[0]).toBe(study);
    expect(field(announced, 'PID', 3)).toMatch(new RegExp(`^${id}\\^`));
    // A later merge by the ADT goes on.
    const last = await real('Last^Rita');
    expect((await site.send(merge(`${last}^^^CLINIC`, `${id}^^^CLINIC`, 'Last^Rita'))).code).toBe('AA');
    expect(await merges()).toEqual(['IM RAD-12 A40', 'RM RAD-12 A40']);
    expect((await site.order({ placerOrderNumber })).orderStatus).toBe('CM');
    expect(await entry(number)).toMatchObject({ state: 'reconciled', survivorId: last });
  });

  it('given an order that came meanwhile takes the examination, then RAD-4 carries the study, and the number is reconciled', async () => {
    const number = 'T9041';
    const { study, uid } = await performed(number);
    const id = await real();
    const placerOrderNumber = `TP${serial()}`;
    const nw = orm([{ placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'WRIST^^TESTPLAN' }], {
      identifier: `${id}^^^CLINIC`,
      name: 'Real^Rita',
    });
    expect((await site.send(nw)).code).toBe('AA');
    await site.news();
    const bound = await site.post(`/api/unscheduled/${uid}/match`, { placerOrderNumber });
    expect(bound).toMatchObject({ status: 200, body: { studyInstanceUid: study, state: 'completed' } });
    expect(await merges()).toEqual(['IM RAD-12 A40', 'RM RAD-12 A40']);
    expect(await entry(number)).toMatchObject({ state: 'reconciled', survivorId: id });
  });

  it('given it is used for another name before the merge, then that is an exception and another patient', async () => {
    const number = 'T9042';
    await performed(number, 'Unknown^Man');
    const woman = await performed(number, 'Unknown^Woman');
    expect(woman.exception).toBe('unscheduled, unknown-patient, number-in-use');
    expect(await entry(number)).toMatchObject({ state: 'used', procedures: 1 });
    const id = await real();
    expect((await reconcile(number, id)).status).toBe(200);
    // Her images are under the number as well: nobody hears that all of them are his.
    expect(await merges()).toEqual([]);
    // And it stays in use until her images are somebody's.
    expect(await entry(number)).toMatchObject({ state: 'used', survivorId: null, procedures: 1 });
    expect(await register({ number })).toMatchObject({ status: 409 });
  });

  it('given images without MPPS, then staff put the number into use, and A40 reaches who has the images', async () => {
    expect(await newNumber({ number: 'T9043' })).toBe('T9043');
    expect(await register({ number: 'T9043' })).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
    expect((await reconcile('T9043', await real())).status).toBe(200);
    expect(await merges()).toEqual(['IM RAD-12 A40', 'RM RAD-12 A40']);
  });

  it('given the number is used again after the merge, then for somebody else, and his merge is told as well', async () => {
    const number = 'T9044';
    await performed(number);
    const first = await real();
    expect((await reconcile(number, first)).status).toBe(200);
    expect(await merges()).toHaveLength(2);
    const { exception } = await performed(number);
    expect(exception).toBe('unscheduled, unknown-patient');
    expect(await entry(number)).toMatchObject({ state: 'used', survivorId: null, procedures: 1 });
    const second = await real('Second^Sven');
    expect((await reconcile(number, second)).status).toBe(200);
    expect(await merges()).toHaveLength(2);
    const orders = async (id: string) => (await web.get<{ orders: unknown[] }>(`/api/patients/${id}`)).orders.length;
    expect([await orders(first), await orders(second)]).toEqual([1, 1]);
  });
});

describe('a number of the list that may mean somebody else', () => {
  const placed = async (id: string): Promise<string> => {
    const placerOrderNumber = `TP${serial()}`;
    const nw = orm([{ placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'WRIST^^TESTPLAN' }], {
      identifier: `${id}^^^CLINIC`,
      name: 'Real^Rita',
    });
    expect((await site.send(nw)).code).toBe('AA');
    await site.news();
    return placerOrderNumber;
  };

  it('given staff say that the modality had the number of another temporary patient, then he stays who he is (anotherPatient)', async () => {
    const number = await newNumber();
    const { placerOrderNumber: his } = await order(number);
    await site.news();
    const { uid } = await performed(number, `UNKNOWN^${number}`);
    const id = await real();
    const hers = await placed(id);
    const bound = await site.post(`/api/unscheduled/${uid}/match`, { placerOrderNumber: hers, anotherPatient: true });
    expect(bound).toMatchObject({ status: 200, body: { patientId: id } });
    expect(await merges()).toEqual([]);
    expect((await site.offered(his))[0]?.PatientID).toEqual([number]);
    expect(await entry(number)).toMatchObject({ state: 'used', procedures: 1 });
  });

  it('given an order of the department under a number whose patient was reconciled, then 409: it may be meant for the next one', async () => {
    const number = await newNumber();
    const id = await real();
    expect((await reconcile(number, id)).status).toBe(200);
    await site.news();
    expect(await order(number)).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
    expect(await site.news()).toEqual([]);
    expect((await web.get<{ orders: unknown[] }>(`/api/patients/${id}`)).orders).toEqual([]);
  });

  it('given an order of the department under a number that nobody has, then it is refused until its patient is registered', async () => {
    const number = 'T9046';
    const patient = { identifiers: [{ value: number, assigningAuthority: 'OF1' }], name: { family: 'Doe' } };
    expect((await order(number, { patient })).status).toBeGreaterThanOrEqual(400);
    expect(await entry(number)).toMatchObject({ state: 'free' });
    await site.news();
  });

  it('given an order of the department under his number and another one, then 409: who he is, is said by reconcile, and told', async () => {
    const number = await newNumber();
    const ours = { value: number, assigningAuthority: 'OF1' };
    const patient = { identifiers: [{ value: `R${serial()}`, assigningAuthority: 'CLINIC' }, ours] };
    expect(await order(number, { patient })).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
    expect((await reconcile(number, await real())).status).toBe(200);
    await site.news();
  });

  it('given the number was given again, when the ADT merges it into whom it meant before, then the new patient stays who he is', async () => {
    const number = 'T9045';
    await performed(number);
    const first = await real();
    expect((await reconcile(number, first)).status).toBe(200);
    expect(await newNumber({ number })).toBe(number);
    await site.news();
    expect((await site.send(merge(`${first}^^^CLINIC`, `${number}^^^OF1`, 'Real^Rita'))).code).toBe('AR');
    expect(await entry(number)).toMatchObject({ state: 'used', survivorId: null });
    expect(await merges()).toEqual([]);
  });

  it('given the patient is reconciled while his examination goes on, then nobody gets the number before it has ended', async () => {
    const number = 'T9047';
    const { uid } = await performed(number, 'Typed^By Hand', null);
    expect((await reconcile(number, await real())).status).toBe(200);
    await site.news();
    expect(await register({ number })).toMatchObject({ status: 409 });
    expect(await device.set(uid, completed([newUid()]))).toBe(0);
    expect(await register({ number })).toMatchObject({ status: 201 });
  });

  it('given images of somebody else are under the number, when its patient is reconciled, then the order placer hears it, who has no images', async () => {
    const number = await newNumber();
    await order(number);
    await site.news();
    const { exception } = await performed(number, 'Somebody^Else');
    expect(exception).toContain('number-in-use');
    expect((await reconcile(number, await real())).status).toBe(200);
    expect(await merges()).toEqual(['OP RAD-12 A40']);
  });

  it('given images of somebody else are under the number, when the ADT merges its patient, then image managers do not hear that all of them are his', async () => {
    const number = 'T9048';
    await performed(number, 'Unknown^Man');
    await performed(number, 'Unknown^Woman');
    const id = await real();
    expect((await site.send(merge(`${id}^^^CLINIC`, `${number}^^^OF1`, 'Real^Rita'))).code).toBe('AA');
    expect(await merges()).toEqual([]);
    expect(await entry(number)).toMatchObject({ state: 'used', procedures: 1 });
  });

  it('given the ADT merges whom a modality named (A40), then nobody has to say any more who he is', async () => {
    const number = `M${serial()}`;
    const { uid } = await performed(number);
    const id = await real();
    expect((await site.send(merge(`${id}^^^CLINIC`, `${number}^^^OF1`, 'Real^Rita'))).code).toBe('AA');
    await site.news();
    const { items } = await web.get<{ items: { sopInstanceUid: string; exception: string }[] }>('/api/unscheduled');
    expect(items.find(({ sopInstanceUid }) => sopInstanceUid === uid)?.exception).toBe('unscheduled');
  });
});

describe('POST /api/patients/{id}/reconcile', () => {
  it.each<[string, number, string, (number: string, id: string) => Promise<{ status: number; body: unknown }>]>([
    ['nobody has the number', 404, 'no patient has this identifier', (_, id) => reconcile('T9049', id)],
    ['nobody is the survivor', 404, '(survivor)', (number) => reconcile(number, 'NOBODY')],
    ['he is not temporary', 409, 'not temporary', async (_, id) => reconcile(id, await real())],
    ['the survivor is temporary', 409, 'temporary as well', async (n) => reconcile(n, await newNumber(), 'OF1')],
    ['both are one patient', 409, 'the same patient', (number) => reconcile(number, number, 'OF1')],
    [
      'he was reconciled before',
      409,
      'reconciled before',
      async (number, id) => {
        expect((await reconcile(number, id)).status).toBe(200);
        await site.news();
        return reconcile(number, id);
      },
    ],
    [
      'the survivor was merged',
      409,
      'was merged into another patient',
      async (number, id) => {
        await site.send(merge(`${await real()}^^^CLINIC`, `${id}^^^CLINIC`, 'Real^Rita'));
        await site.news();
        return reconcile(number, id);
      },
    ],
  ])('given %s, then %i with a sentence, and nobody hears of it', async (_what, status, sentence, act) => {
    const number = await newNumber();
    const id = await real();
    const answer = await act(number, id);
    expect(answer.status).toBe(status);
    expect((answer.body as { detail: string }).detail).toContain(sentence);
    expect(await site.news()).toEqual([]);
  });

  it('given a body that names nobody, then 400', async () => {
    expect((await site.post(`/api/patients/${await newNumber()}/reconcile`, {})).status).toBe(400);
  });
});

describe('the register', () => {
  const list = (query = '') =>
    web.get<{ items: Registered[]; next: string | null }>(`/api/temporary-patients?${query}`);

  it('lists every number in the order of the list, by pages and filters', async () => {
    const { items, next } = await list('limit=500');
    expect(next).toBeNull();
    expect(items.map(({ number }) => number)).toEqual([
      ...Array.from({ length: 50 }, (_, index) => `T${9000 + index}`),
      'X01',
      'X02',
    ]);
    const paged: string[] = [];
    let after: string | null = '0';
    for (let page = 0; after !== null && page < 10; page++) {
      const got: Awaited<ReturnType<typeof list>> = await list(`limit=20${after === '0' ? '' : `&after=${after}`}`);
      paged.push(...got.items.map(({ number }) => number));
      after = got.next;
    }
    expect(paged).toEqual(items.map(({ number }) => number));
    expect((await list('modality=XA')).items.map(({ number, state }) => [number, state])).toEqual([
      ['X01', 'free'],
      ['X02', 'free'],
    ]);
    expect((await list('state=used')).items.every(({ state }) => state === 'used')).toBe(true);
  });

  it('given several register at once, then each has another number; where none is left, 409 until one is reconciled', async () => {
    const both = await Promise.all([newNumber({ modality: 'XA' }), newNumber({ modality: 'XA' })]);
    // Numbers that are for no modality come first on the list: only these two are the list of XA.
    expect(new Set(both).size).toBe(2);
    const free =
      (await list('state=free&limit=500')).items.length + (await list('state=reconciled&limit=500')).items.length;
    const taken = await Promise.all(Array.from({ length: free }, () => register({ modality: 'XA' })));
    expect(taken.map(({ status }) => status)).toEqual(Array(free).fill(201));
    expect(new Set(taken.map(({ body }) => (body as Registered).number)).size).toBe(free);
    expect(await register({ modality: 'XA' })).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
    const [number = ''] = both;
    expect((await reconcile(number, await real())).status).toBe(200);
    expect(await newNumber({ modality: 'XA' })).toBe(number);
  });

  it('given a number that is not on the list, then 400', async () => {
    expect(await register({ number: 'T9050' })).toMatchObject({ status: 400, body: { type: 'value-not-found' } });
  });
});
