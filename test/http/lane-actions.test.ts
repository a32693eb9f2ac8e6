import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noteAttempt, takeDelivery } from '../../src/store/outbox.ts';
import { adt, orm } from '../support/messages.ts';
import { type Got, type TestDepartment, startDepartment } from './support.ts';

/** What staff do with a lane, without anybody who sends: an attempt is what the test says it is. */

let house: TestDepartment;
beforeAll(async () => {
  house = await startDepartment();
});
afterAll(() => house.stop());

let count = 0;

/** An order; its RAD-4 waits for IM. The requested procedure ID. */
async function ordered(): Promise<string> {
  const number = `L${++count}`;
  await house.hl7(orm([{ placerOrderNumber: `${number}^HIS` }], { identifier: `P${number}^^^CLINIC` }));
  const { body } = (await house.get(`/api/procedures?placerOrderNumber=${number}`)) as {
    body: { items: { requestedProcedureId: string }[] };
  };
  return body.items[0]?.requestedProcedureId ?? '';
}

const lane = (verb: string, body?: object, reason?: string, name = 'IM'): Promise<Got> =>
  house.post(`/api/destinations/${name}/${verb}`, body, reason === undefined ? {} : { 'X-Reason': reason });

const take = (name = 'IM') => takeDelivery(house.store, name, house.clock.now());

async function taken() {
  const head = await take();
  if (!head) throw new Error('nothing waits for IM');
  return head;
}

/** Nothing is left in the lane of IM. */
async function emptied(): Promise<void> {
  await house.store.prisma.delivery.updateMany({
    where: { deliveryStatus: { in: ['PENDING', 'REFUSED'] } },
    data: { deliveryStatus: 'DELIVERED', inFlightSince: null },
  });
}

/** An order whose RAD-4 was refused by IM. */
async function refused(): Promise<{ id: string; messageId: number; controlId: string; raw: Uint8Array }> {
  const id = await ordered();
  const head = await taken();
  await noteAttempt(house.store, head, { at: house.clock.now(), error: 'no answer' });
  await house.heard('IM', { kind: 'refused', code: 'AE', error: 'AE 103' });
  return { id, messageId: head.messageId, controlId: head.controlId, raw: head.raw };
}

async function lineOf(id: string, event: string) {
  const { body } = (await house.get(`/api/procedures/${id}/history`)) as { body: { items: { event: string }[] } };
  return body.items.find((line) => line.event === event);
}

const shown = (got: Got) => got.body as { message: { messageId: number; deliveryStatus: string } | null };

describe('POST /api/destinations/{name}/pause, resume', () => {
  it('given messages wait, when the lane is stopped, then nothing is taken from it, who and why is shown, and others go on', async () => {
    await emptied();
    await ordered();
    expect(await lane('pause', undefined, 'archive is being moved')).toMatchObject({
      status: 200,
      body: {
        name: 'IM',
        paused: true,
        pausedSince: house.clock.now().toISOString(),
        pausedBy: 'department',
        pauseReason: 'archive is being moved',
        pending: 1,
        message: null,
      },
    });
    expect(await take()).toBeUndefined();
    expect(await take('RM')).toMatchObject({ transaction: 'RAD-4' });
    expect((await house.get('/readyz')).status).toBe(200);
    expect(await lane('pause')).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
    expect(await lane('resume')).toMatchObject({ status: 200, body: { paused: false, pausedSince: null } });
    expect(await take()).toMatchObject({ transaction: 'RAD-4' });
    expect(await lane('resume')).toMatchObject({ status: 409 });
    const [pause] = await house.store.prisma.lanePause.findMany({ where: { destination: 'IM' } });
    expect(pause).toMatchObject({ reason: 'archive is being moved', resumedBy: 'department' });
  });

  it('given a lane that nobody has, then 404; given one with messages whose peer left the site file, then it is known', async () => {
    for (const verb of ['pause', 'resume', 'retry', 'skip'])
      expect(await lane(verb, {}, 'why', 'NOBODY'), verb).toMatchObject({ status: 404, body: { type: 'unknown-key' } });
    await ordered();
    await house.store.prisma.delivery.updateMany({ where: { destination: 'RM' }, data: { destination: 'LEFT' } });
    expect(await lane('skip', {}, 'the peer is gone', 'LEFT')).toMatchObject({ status: 200, body: { actor: null } });
  });
});

describe('POST /api/destinations/{name}/retry', () => {
  it('given a refused message and one that waits, when it is retried, then it is the next one, the same bytes under the same control id', async () => {
    await emptied();
    const { id, messageId, controlId, raw } = await refused();
    await ordered();
    const got = await lane('retry', { messageId }, 'the archive knows the patient now');
    expect(got).toMatchObject({
      status: 200,
      body: { pending: 2, refused: 0, message: { messageId, deliveryStatus: 'PENDING' } },
    });
    expect((await house.get(`/api/messages/${messageId}`)).body).toMatchObject({
      outcome: 'waiting',
      delivery: { lastAction: { action: 'retry', by: 'department', reason: 'the archive knows the patient now' } },
    });
    const next = await take();
    expect(next).toMatchObject({ messageId, controlId });
    expect(Buffer.from(next?.raw ?? [])).toEqual(Buffer.from(raw));
    expect(await lineOf(id, 'deliveryRetried')).toMatchObject({
      cause: { messageId, by: 'department' },
      remark: 'RAD-4 to IM; the archive knows the patient now',
    });
    // What was refused once is confirmed by the answer to the second attempt.
    await house.heard('IM', {});
    expect(await lineOf(id, 'procedureScheduledConfirmed')).toMatchObject({ cause: { messageId, by: 'IM' } });
  });

  it('given several refused messages, when none is named, then the oldest goes; given none, or one that was not refused, then 409', async () => {
    await emptied();
    const [first, second] = [await refused(), await refused()];
    expect(shown(await lane('retry')).message?.messageId).toBe(first.messageId);
    expect(await lane('retry', { messageId: String(first.messageId) })).toMatchObject({ status: 409 });
    for (const messageId of ['x', '0', '99999999999', 1.5])
      expect((await lane('retry', { messageId })).status).toBe(400);
    expect(shown(await lane('retry')).message?.messageId).toBe(second.messageId);
    expect(await lane('retry')).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
    expect(await lane('retry', { messageId: 999_999 })).toMatchObject({ status: 404 });
    expect(await lane('retry', { messageId: first.messageId }, undefined, 'RM')).toMatchObject({ status: 404 });
  });

  it('given the placer refused to number an order, when SN is sent again, then the order waits for its number again', async () => {
    await emptied();
    await house.hl7(adt('A04', { identifier: 'SN1^^^CLINIC' }));
    const order = {
      patient: { identifiers: [{ value: 'SN1', assigningAuthority: 'CLINIC' }] },
      service: { code: 'WRIST', scheme: 'TESTPLAN' },
    };
    const { body } = (await house.post('/api/orders', order)) as { body: { accessionNumber: string } };
    const now = async () =>
      (await house.store.prisma.order.findUniqueOrThrow({
        where: { accessionNumber: body.accessionNumber },
      })) as object;
    await house.heard('OP', { kind: 'refused', code: 'AE', error: 'AE 204' });
    expect(await now()).toMatchObject({
      numberPending: false,
      alarm: expect.stringContaining('AE 204') as string,
      alarmedAt: house.clock.now(),
    });
    expect((await lane('retry', {}, 'the placer knows the patient now', 'OP')).status).toBe(200);
    expect(await now()).toMatchObject({ numberPending: true, alarm: null, alarmedAt: null });
    expect((await lane('skip', {}, 'nobody will', 'OP')).status).toBe(200);
    expect(await now()).toMatchObject({
      numberPending: false,
      alarm: expect.stringContaining('did not ask') as string,
    });
  });
});

describe('POST /api/destinations/{name}/skip', () => {
  it('given a refused message, when it is closed without a reason, then 400; with one, then it is SKIPPED and stays so', async () => {
    await emptied();
    const { id, messageId } = await refused();
    expect(await lane('skip', { messageId })).toMatchObject({ status: 400, body: { type: 'required-field-missing' } });
    const got = await lane('skip', { messageId }, 'entered there by hand');
    expect(got).toMatchObject({ status: 200, body: { refused: 0, message: { messageId, deliveryStatus: 'SKIPPED' } } });
    expect(await lineOf(id, 'deliverySkipped')).toMatchObject({ remark: 'RAD-4 to IM; entered there by hand' });
    const messages = (await house.get('/api/messages?outcome=skipped&peer=IM')).body as { items: { id: number }[] };
    expect(messages.items.map((one) => one.id)).toContain(messageId);
    for (const verb of ['retry', 'skip']) expect((await lane(verb, { messageId }, 'once more')).status, verb).toBe(409);
  });

  it('given the head of a lane is in flight, when it is closed, then 409; once its attempt has ended, then the lane goes on with the next', async () => {
    await emptied();
    await ordered();
    const head = await taken();
    await ordered();
    const skip = () => lane('skip', { messageId: head.messageId }, 'the archive cannot read it');
    expect(await skip()).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
    await noteAttempt(house.store, head, { at: house.clock.now(), error: 'no answer' });
    expect(await skip()).toMatchObject({ status: 200, body: { pending: 1 } });
    expect((await take())?.messageId).toBeGreaterThan(head.messageId);
    expect(await lane('skip', {}, 'this one too')).toMatchObject({ status: 409 });
  });

  it('given another process has taken over the lane, when the attempt of the first ends, then the message is still in flight', async () => {
    await emptied();
    await ordered();
    const before = await taken();
    house.clock.advance(5_000);
    await taken();
    await noteAttempt(house.store, before, { at: house.clock.now(), error: 'the connection was closed' });
    const got = await lane('skip', { messageId: before.messageId }, 'the archive cannot read it');
    expect(got).toMatchObject({ status: 409, body: { type: 'state-forbids' } });
  });
});
