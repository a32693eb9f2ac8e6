import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noteAttempt, takeDelivery } from '../../src/store/outbox.ts';
import { orm } from '../support/messages.ts';
import { type TestDepartment, startDepartment } from './support.ts';

let house: TestDepartment;
beforeAll(async () => {
  house = await startDepartment();
});
afterAll(() => house.stop());

interface Lane {
  readonly name: string;
}

async function lanes(): Promise<Record<string, unknown>> {
  const { body } = (await house.get('/api/destinations')) as { body: { items: Lane[]; next: null } };
  expect(body.next).toBeNull();
  return Object.fromEntries(body.items.map(({ name, ...lane }) => [name, lane]));
}

const order = (number: string): string => orm([{ placerOrderNumber: `${number}^HIS` }], { identifier: 'P1^^^CLINIC' });

const idle = {
  paused: false,
  pausedSince: null,
  pausedBy: null,
  pauseReason: null,
  pending: 0,
  oldestPendingSeconds: null,
  refused: 0,
  characterSetProblems: 0,
  lastSuccessAt: null,
  lastError: null,
  lastErrorAt: null,
};

describe('GET /api/destinations', () => {
  it('given nothing was ever sent, when asked, then every peer of the site has an empty lane', async () => {
    expect(await lanes()).toEqual({
      OP: { actor: 'order-placer', address: '127.0.0.1:4001', ...idle },
      IM: { actor: 'image-manager', address: '127.0.0.1:4002', ...idle },
      RM: { actor: 'report-manager', address: '127.0.0.1:4003', ...idle },
    });
  });

  it('given messages wait, when time passes, then each lane tells how many and how old the oldest is', async () => {
    await house.hl7(order('O1'));
    house.clock.advance(90_500);
    await house.hl7(order('O2'));
    expect(await lanes()).toMatchObject({
      OP: { pending: 2, oldestPendingSeconds: 90 },
      IM: { pending: 2, oldestPendingSeconds: 90 },
      RM: { pending: 2, oldestPendingSeconds: 90 },
    });
  });

  it('given an attempt failed, when asked, then the last error and its time are there and the message still waits', async () => {
    const head = await takeDelivery(house.store, 'RM', house.clock.now());
    if (!head) throw new Error('nothing waits for RM');
    await noteAttempt(house.store, head, { at: house.clock.now(), error: 'no connection' });
    expect(await lanes()).toMatchObject({
      RM: { pending: 2, lastError: 'no connection', lastErrorAt: house.clock.now().toISOString(), lastSuccessAt: null },
    });
  });

  it('given one was delivered and one refused, when asked, then success, refusal and its reason are there', async () => {
    await house.heard('IM', {});
    house.clock.advance(1_000);
    await house.heard('IM', { kind: 'refused', code: 'AE', error: 'AE 103' });
    expect(await lanes()).toMatchObject({
      IM: {
        pending: 0,
        oldestPendingSeconds: null,
        refused: 1,
        lastSuccessAt: new Date(house.clock.now().getTime() - 1_000).toISOString(),
        lastError: 'AE 103',
        lastErrorAt: house.clock.now().toISOString(),
      },
    });
  });

  it('given a failed attempt that later succeeded, when asked, then no error is left', async () => {
    await house.heard('RM', {});
    expect(await lanes()).toMatchObject({ RM: { pending: 1, lastError: null, lastErrorAt: null } });
  });

  it('given a peer that left the site file with messages waiting, when asked, then its lane is still there', async () => {
    await house.store.prisma.delivery.updateMany({ where: { destination: 'RM' }, data: { destination: 'GONE' } });
    expect(await lanes()).toMatchObject({
      RM: idle,
      GONE: { actor: null, address: null, pending: 1 },
    });
  });
});
