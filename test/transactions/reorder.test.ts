import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orm, serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid } from '../support/mpps.ts';
import { type OrderSite, lanesEmpty, startOrderSite } from '../support/order-site.ts';
import { accepts, numbers } from '../support/peers.ts';
import { type WebClient, historyOf, webClient } from '../support/web.ts';

/** Another order in the place of one that has not begun (RAD TF-1 3.3.3; MESA 132). */

let site: OrderSite;
let web: WebClient;
beforeAll(async () => {
  site = await startOrderSite();
  web = webClient(site.server.ports.http);
});
afterAll(() => site.stop());

async function ordered(service = 'WRIST') {
  const number = `C${serial()}`;
  const order = { placerOrderNumber: `${number}^HIS`, service: `${service}^^TESTPLAN`, orcStart: '20260301090000' };
  expect((await site.send(orm([order], { identifier: `P${number}^^^CLINIC`, name: 'Known^Katrin' }))).code).toBe('AA');
  await site.news();
  const { requestedProcedures } = await site.order({ placerOrderNumber: number });
  return { number, ids: requestedProcedures.map((one) => one.requestedProcedureId), requestedProcedures };
}

const spine = { service: { code: 'SPINE', scheme: 'TESTPLAN' } };
const reorder = (id: string | undefined, body: object = spine) =>
  site.post(`/api/procedures/${id}/reorder`, body, 'metal in the wrist');

interface Placed {
  readonly fillerOrderNumber: string;
  readonly patientId: string;
  readonly procedures: readonly { readonly requestedProcedureId: string }[];
}

describe('POST /api/procedures/{id}/reorder', () => {
  it('given nothing has begun, then one commit cancels the order (OC, CA/CA, S15) and places the other (SN), which NA puts on the list under a new study', async () => {
    const { number, ids, requestedProcedures } = await ordered();
    const newNumber = `C${serial()}`;
    site.op.will(numbers({ placerOrderNumber: `${newNumber}^HIS` }));
    const { status, body } = await reorder(ids[0]);
    await lanesEmpty(site);
    site.op.will(accepts);
    expect(status).toBe(201);
    expect(body).toMatchObject({ patientId: `P${number}` });
    const news = await site.news();
    const told = (peer: string) => news.filter((line) => line.startsWith(peer));
    expect(told('IM')).toEqual(['IM RAD-13 CA/CA', 'IM RAD-4 NW/SC']);
    expect(told('RM')).toEqual(['RM RAD-13 CA/CA', 'RM RAD-4 NW/SC']);
    expect(told('OP')).toEqual(['OP RAD-48 S15', 'OP RAD-3 OC/', 'OP RAD-3 SN/', 'OP RAD-48 S12']);
    expect(await site.offered(number)).toEqual([]);
    // When the other was to start, on the plan of the new service.
    const [first, second] = await site.offered(newNumber);
    expect([first, second].map((item) => item?.StudyInstanceUID)).not.toContainEqual([
      requestedProcedures[0]?.studyInstanceUid,
    ]);
    const { orderStatus, requestedProcedures: made, patientId } = await site.order({ placerOrderNumber: newNumber });
    const old = await site.order({ placerOrderNumber: number });
    expect([old.orderStatus, orderStatus]).toEqual(['CA', 'SC']);
    expect(patientId).toBe(old.patientId);
    expect(made[0]?.steps[0]?.startDate.toISOString()).toContain('2026-03-01');
    const lines = await historyOf(web, ids[0] ?? '');
    const { fillerOrderNumber } = body as Placed;
    expect(lines.find(({ event }) => event === 'cancel')).toMatchObject({
      remark: `${fillerOrderNumber} is ordered in its place (ORC-3); metal in the wrist`,
      cause: { by: 'department' },
    });
    const [begin] = await historyOf(web, made[0]?.requestedProcedureId ?? '');
    expect(begin?.remark).toContain(`in the place of ${old.fillerOrderNumber} (ORC-3); metal in the wrist`);
  });

  it('given who ordered it, why, and for which stay, then the other order says the same, and what staff say otherwise', async () => {
    const { number } = await ordered();
    const stay = `V${serial()}`;
    const order = await site.order({ placerOrderNumber: number });
    const details = {
      ...(order.details as object),
      orderingProvider: { id: 'D7', family: 'Asker' },
      reason: { code: 'FALL', meaning: 'Fall' },
      callBackPhone: '555',
      requestedAccessionNumber: 'NOT-OURS',
    };
    const { prisma } = site.server.store;
    const at = new Date();
    const visit = await prisma.visit.create({
      data: {
        patientId: order.patientId,
        visitNumber: stay,
        assigningAuthority: 'CLINIC',
        visitStatus: 'OPEN',
        details: {},
        updatedAt: at,
      },
    });
    await prisma.order.update({ where: { id: order.id }, data: { details, visitId: visit.id } });
    const id = order.requestedProcedures[0]?.requestedProcedureId;
    const { body } = await reorder(id, { ...spine, start: '2026-03-02T10:30', station: 'MR2', priority: 'S' });
    const { fillerOrderNumber } = body as Placed;
    const made = await site.order({ fillerOrderNumber });
    expect(made.details).toMatchObject({
      service: spine.service,
      orderingProvider: { id: 'D7', family: 'Asker' },
      reason: { code: 'FALL' },
      callBackPhone: '555',
      priority: 'S',
    });
    expect(made.details).not.toHaveProperty('requestedAccessionNumber');
    expect(made).toMatchObject({ visitId: visit.id, departmental: true, placerOrderNumber: null, numberPending: true });
    expect(made.requestedProcedures[0]?.steps[0]).toMatchObject({ stepStatus: 'SCHEDULED' });
    expect(made.requestedProcedures[0]?.steps[0]?.startDate.toISOString()).toContain('2026-03-02');
    await site.news();
  });

  it('given an order of two procedures, then it is cancelled whole', async () => {
    const { number, ids } = await ordered('TRUNK');
    expect((await reorder(ids[1])).status).toBe(201);
    expect((await site.order({ placerOrderNumber: number })).requestedProcedures.map(({ state }) => state)).toEqual([
      'cancelled',
      'cancelled',
    ]);
    expect((await site.news()).filter((line) => line === 'OP RAD-3 OC/')).toHaveLength(1);
  });

  it.each<[string, (number: string, id: string) => Promise<unknown>]>([
    ['has begun', (number) => site.begin(number)],
    ['is done', async (number) => site.end(await site.begin(number))],
    ['was cancelled', (_, id) => site.post(`/api/procedures/${id}/cancel`)],
  ])('given it %s, then 409, the attempt stands in the history, and nobody hears of it', async (_what, before) => {
    const { number, ids } = await ordered();
    await before(number, ids[0] ?? '');
    await site.news();
    expect(await reorder(ids[0])).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
    expect(await site.news()).toEqual([]);
    // What the placer confirms of the news before may come behind it.
    const lines = (await historyOf(web, ids[0] ?? '')).filter(({ event }) => event === 'reorder');
    expect(lines).toMatchObject([{ remark: 'not allowed in this state; metal in the wrist' }]);
    const { patientId } = await site.order({ placerOrderNumber: number });
    expect(await site.server.store.prisma.order.count({ where: { patientId } })).toBe(1);
  });

  it('given it was performed without an order, then 409 and the attempt stands in the history, as of schedule and cancel', async () => {
    const device = modality(site.server.ports.dicom);
    const [study, uid] = [newUid(), newUid()];
    const content = { ScheduledStepAttributesSequence: [{ StudyInstanceUID: study }], PatientID: `U${serial()}` };
    expect(await device.create(uid, inProgress([], content))).toBe(0);
    expect(await device.set(uid, completed([newUid()]))).toBe(0);
    const { requestedProcedureId } = await site.server.store.prisma.requestedProcedure.findUniqueOrThrow({
      where: { studyInstanceUid: study },
    });
    for (const verb of ['schedule', 'cancel', 'reorder']) {
      const body = verb === 'reorder' ? spine : {};
      expect((await site.post(`/api/procedures/${requestedProcedureId}/${verb}`, body)).status).toBe(409);
      expect((await historyOf(web, requestedProcedureId)).at(-1)?.event).toBe(verb);
    }
    expect(await site.news()).toEqual([]);
  });

  it('given a service that is missing, or a procedure that nobody knows, then 400 and 404', async () => {
    const { ids } = await ordered();
    expect((await reorder(ids[0], {})).status).toBe(400);
    expect((await reorder('NONE')).status).toBe(404);
  });
});
