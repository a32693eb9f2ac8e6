import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inLine } from '../support/in-line.ts';
import { field, orm, serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid, notification, notify } from '../support/mpps.ts';
import { type OrderSite, lanesEmpty, startOrderSite } from '../support/order-site.ts';

/** What was performed without an order, while a person binds it and others go on: each has looked before the other is done. */

let site: OrderSite;
let dx: ReturnType<typeof modality>;
beforeAll(async () => {
  site = await startOrderSite();
  dx = modality(site.server.ports.dicom);
});
afterAll(() => site.stop());

const prisma = () => site.server.store.prisma;

async function ordered(patientId: string): Promise<string> {
  const placerOrderNumber = `L${serial()}`;
  const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'WRIST^^TESTPLAN' };
  expect((await site.send(orm([order], { identifier: `${patientId}^^^CLINIC` }))).code).toBe('AA');
  return placerOrderNumber;
}

/** A patient with so many orders, and an examination of his that nobody ordered, begun under a study of the modality. */
async function begun(orders = 1) {
  const patientId = `L${serial()}`;
  const numbers: string[] = [];
  for (let count = 0; count < orders; count++) numbers.push(await ordered(patientId));
  const [study, uid] = [newUid(), newUid()];
  const content = inProgress([], {
    ScheduledStepAttributesSequence: [{ StudyInstanceUID: study }],
    PatientID: patientId,
    Modality: 'DX',
    PerformedStationAETitle: 'DX1',
  });
  expect(await dx.create(uid, content)).toBe(0);
  await lanesEmpty(site);
  await site.news();
  const { patientId: row } = await prisma().order.findFirstOrThrow({ where: { placerOrderNumber: numbers[0] ?? '' } });
  return { patientId, row, orders: numbers, order: numbers[0] ?? '', study, uid };
}

const match = async (uid: string, placerOrderNumber: string): Promise<number> => {
  const order = await site.order({ placerOrderNumber });
  const requestedProcedureId = order.requestedProcedures[0]?.requestedProcedureId;
  return (await site.post(`/api/unscheduled/${uid}/match`, { requestedProcedureId })).status;
};

const place = async ({ study, patientId }: { readonly study: string; readonly patientId: string }): Promise<number> => {
  const patient = { identifiers: [{ value: patientId, assigningAuthority: 'CLINIC' }], name: {} };
  const service = { code: 'WRIST', scheme: 'TESTPLAN' };
  return (await site.post('/api/orders', { patient, service, studyInstanceUid: study })).status;
};

async function statesOf(placerOrderNumber: string): Promise<string[]> {
  const { orderStatus, requestedProcedures } = await site.order({ placerOrderNumber });
  return [orderStatus, ...requestedProcedures.map(({ state, availability }) => `${state} ${availability}`)];
}

const bothStood = ['cancelled unknown'];

describe('an examination that is bound to an order while its modality goes on', () => {
  it('given it is completed in the same instant, then the order is completed', async () => {
    const { row, order, uid } = await begun();
    const answers = await inLine<[number, number]>(
      site.server,
      row,
      () => match(uid, order),
      () => dx.set(uid, completed([newUid()])),
    );
    expect(answers).toEqual([200, 0]);
    expect(await statesOf(order)).toEqual(['CM', ...bothStood, 'completed unknown']);
  });

  it('given its images are reported in the same instant, then they are those of the order', async () => {
    const { row, order, uid, study } = await begun();
    const image = newUid();
    expect(await dx.set(uid, completed([image]))).toBe(0);
    const answers = await inLine<[number, number]>(
      site.server,
      row,
      () => match(uid, order),
      () => notify(site.server.ports.dicom, notification(study, [image])),
    );
    expect(answers).toEqual([200, 0]);
    expect(await statesOf(order)).toEqual(['CM', ...bothStood, 'completed available']);
  });
});

describe('an examination that two people give to an order in the same instant', () => {
  it('given two orders, then the first has it, the second is refused and still waits', async () => {
    const { row, orders, uid } = await begun(2);
    const [first = '', second = ''] = orders;
    const answers = await inLine<[number, number]>(
      site.server,
      row,
      () => match(uid, first),
      () => match(uid, second),
    );
    expect(answers).toEqual([200, 409]);
    expect(await statesOf(first)).toEqual(['IP', ...bothStood, 'inProgress unknown']);
    expect(await statesOf(second)).toEqual(['SC', 'scheduled unknown']);
  });

  it('given an order and one that the department places, then the first has it and the second is refused', async () => {
    const { row, order, uid, ...placed } = await begun();
    const answers = await inLine<[number, number]>(
      site.server,
      row,
      () => match(uid, order),
      () => place(placed),
    );
    expect(answers).toEqual([200, 409]);
    expect(await prisma().order.count({ where: { patientId: row, departmental: true } })).toBe(0);
    expect(await statesOf(order)).toEqual(['IP', ...bothStood, 'inProgress unknown']);
  });

  it('given the department places one and another person binds it, then it stays with the one that was placed', async () => {
    const { row, order, uid, ...placed } = await begun();
    const answers = await inLine<[number, number]>(
      site.server,
      row,
      () => place(placed),
      () => match(uid, order),
    );
    expect(answers).toEqual([201, 409]);
    expect(await statesOf(order)).toEqual(['SC', 'scheduled unknown']);
  });

  it('given the department places two, then there is one, and its placer is asked for one number', async () => {
    const { row, ...placed } = await begun();
    const answers = await inLine<[number, number]>(
      site.server,
      row,
      () => place(placed),
      () => place(placed),
    );
    expect(answers).toEqual([201, 409]);
    await site.news();
    expect(site.texts.filter((text) => text.includes('\rORC|') && field(text, 'ORC', 1) === 'SN')).toHaveLength(1);
  });
});
