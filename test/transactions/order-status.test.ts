import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sender, connectSender, orm, serial } from '../support/messages.ts';
import { type StepOnWorklist, completed, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { times, until } from '../support/until.ts';

let op: PeerDouble;
let server: TestServer;
let placer: Sender;
beforeAll(async () => {
  op = await startPeer('OP', 'order-placer');
  server = await startTestServer({ peers: [op.entry] });
  placer = await connectSender(server.ports.hl7);
});
afterAll(async () => {
  placer.end();
  await server.stop();
  await op.down();
});

async function orderOf(service: string): Promise<{ placerOrderNumber: string; steps: StepOnWorklist[] }> {
  const placerOrderNumber = `C${serial()}`;
  const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: `${service}^^TESTPLAN` };
  expect(await placer.send(orm([order]))).toMatchObject({ code: 'AA' });
  return { placerOrderNumber, steps: await stepsOf(server.store, placerOrderNumber) };
}

/** Every RAD-3 that the department has made for an order, by its journal. */
async function reported(placerOrderNumber: string): Promise<string[]> {
  const rows = await server.store.prisma.delivery.findMany({
    where: { order: { placerOrderNumber }, message: { transaction: 'RAD-3' } },
    orderBy: { id: 'asc' },
    include: { message: true },
  });
  return rows.map(
    ({ message }) =>
      /\rORC\|([^|]*)\|(?:[^|]*\|){3}([^|\r]*)/.exec(Buffer.from(message.raw).toString())?.slice(1, 3).join('/') ?? '',
  );
}

const orderStatus = async (placerOrderNumber: string): Promise<string> =>
  (await server.store.prisma.order.findFirstOrThrow({ where: { placerOrderNumber } })).orderStatus;

describe('RAD-3 order status (RAD TF-2 4.3)', () => {
  it('given two procedures, when their steps start one after the other, then SC/IP is sent once', async () => {
    const { placerOrderNumber, steps } = await orderOf('TRUNK');
    const pet = modality(server.ports.dicom, 'PET1');
    for (const step of steps) expect(await pet.create(newUid(), inProgress([step]))).toBe(0);
    expect(await reported(placerOrderNumber)).toEqual(['SC/IP']);
    expect(await orderStatus(placerOrderNumber)).toBe('IP');
  });

  it('given two procedures, when one of them is completed, then nothing is reported until the other one is', async () => {
    const { placerOrderNumber, steps } = await orderOf('TRUNK');
    const pet = modality(server.ports.dicom, 'PET1');
    const uids = steps.map(() => newUid());
    for (const [index, step] of steps.entries()) await pet.create(uids[index] ?? '', inProgress([step]));
    await pet.set(uids[0] ?? '', completed([newUid()]));
    expect(await reported(placerOrderNumber)).toEqual(['SC/IP']);
    expect(await orderStatus(placerOrderNumber)).toBe('IP');
    await pet.set(uids[1] ?? '', completed([newUid()]));
    expect(await reported(placerOrderNumber)).toEqual(['SC/IP', 'SC/CM']);
    expect(await orderStatus(placerOrderNumber)).toBe('CM');
  });

  it('given one procedure of two steps, then SC/CM follows the second', async () => {
    const { placerOrderNumber, steps } = await orderOf('SPINE');
    const mr = modality(server.ports.dicom, 'MR1');
    for (const [index, step] of steps.entries()) {
      const uid = newUid();
      await mr.create(uid, inProgress([step]));
      await mr.set(uid, completed([newUid()]));
      expect(await reported(placerOrderNumber)).toEqual(index === 0 ? ['SC/IP'] : ['SC/IP', 'SC/CM']);
    }
  });

  it('given two steps of two procedures, when both start in the same instant, then SC/IP is sent once', async () => {
    const [pet, ct] = [modality(server.ports.dicom, 'PET1'), modality(server.ports.dicom, 'CT1')];
    await times(20, async () => {
      const { placerOrderNumber, steps } = await orderOf('TRUNK');
      const [first, second] = steps;
      if (!first || !second) throw new Error('the order has two steps');
      const statuses = await Promise.all([
        pet.create(newUid(), inProgress([first])),
        ct.create(newUid(), inProgress([second])),
      ]);
      expect(statuses).toEqual([0, 0]);
      expect(await reported(placerOrderNumber)).toEqual(['SC/IP']);
    });
  });

  it('given two procedures of one order, when both are completed in the same instant, then SC/CM is sent once', async () => {
    const [pet, ct] = [modality(server.ports.dicom, 'PET1'), modality(server.ports.dicom, 'CT1')];
    await times(50, async () => {
      const { placerOrderNumber, steps } = await orderOf('TRUNK');
      const [first, second] = steps;
      if (!first || !second) throw new Error('the order has two steps');
      const uids = [newUid(), newUid()] as const;
      await Promise.all([pet.create(uids[0], inProgress([first])), ct.create(uids[1], inProgress([second]))]);
      const statuses = await Promise.all([
        pet.set(uids[0], completed([newUid()])),
        ct.set(uids[1], completed([newUid()])),
      ]);
      expect(statuses).toEqual([0, 0]);
      expect(await reported(placerOrderNumber)).toEqual(['SC/IP', 'SC/CM']);
      expect(await orderStatus(placerOrderNumber)).toBe('CM');
    });
    // and the placer has heard exactly that
    await until(
      'every RAD-3 is delivered',
      async () => (await server.store.prisma.delivery.count({ where: { deliveryStatus: 'PENDING' } })) === 0,
    );
    const heard = op.received.filter(({ order }) => order === 'SC/CM').map((one) => one.placerOrderNumber);
    expect(new Set(heard).size).toBe(heard.length);
  });

  it.each(['never', 'on-report-verified'])(
    'given `reportOrderComplete: %s`, then SC/CM is not sent and the order is CM all the same',
    async (reportOrderComplete) => {
      const other = await startTestServer({ peers: [op.entry], policy: { reportOrderComplete } });
      const sender = await connectSender(other.ports.hl7);
      await sender.send(orm([{ placerOrderNumber: 'N1^HIS' }]));
      const dx = modality(other.ports.dicom);
      const uid = newUid();
      await dx.create(uid, inProgress(await stepsOf(other.store, 'N1')));
      await dx.set(uid, completed([newUid()]));
      expect((await other.store.prisma.order.findFirstOrThrow()).orderStatus).toBe('CM');
      expect(await other.store.prisma.message.count({ where: { transaction: 'RAD-3' } })).toBe(1);
      sender.end();
      await other.stop();
    },
  );
});
