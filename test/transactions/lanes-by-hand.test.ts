import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orm, serial } from '../support/messages.ts';
import { type PeerDouble, accepts, answers, startPeer } from '../support/peers.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { connectSender } from '../support/messages.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** Stopping, retrying and skipping with a peer that really listens. */

let im: PeerDouble;
let rm: PeerDouble;
let database: TestDatabase;
let server: TestServer;
// A wait that no test has the time for: whoever goes on before it was woken.
const retry = { first: '10m', factor: 1, longest: '10m' };

const start = (): Promise<TestServer> => startTestServer({ database, peers: [im.entry, rm.entry], retry });

beforeAll(async () => {
  im = await startPeer('IM', 'image-manager');
  rm = await startPeer('RM', 'report-manager');
  database = await freshDatabase();
  server = await start();
});
afterAll(async () => {
  await server.stop();
  await im.down();
  await rm.down();
  await database.drop();
});

/** An order; its number. */
async function order(): Promise<string> {
  const sender = await connectSender(server.ports.hl7);
  const number = `Y${serial()}`;
  await sender.send(orm([{ placerOrderNumber: `${number}^HIS` }], { identifier: `${number}^^^CLINIC` }));
  sender.end();
  return number;
}

async function act(verb: string, body: object = {}): Promise<void> {
  const headers = { 'Content-Type': 'application/json', 'X-Reason': 'by hand' };
  const url = `http://127.0.0.1:${server.ports.http}/api/destinations/IM/${verb}`;
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(response.status, await response.text()).toBe(200);
}

const statuses = async (): Promise<string[]> =>
  (await server.store.prisma.delivery.findMany({ where: { destination: 'IM' }, orderBy: { id: 'asc' } })).map(
    (row) => row.deliveryStatus,
  );

describe('a lane that a person handles', () => {
  it('given it is stopped, when the server starts anew, then nothing is sent until it is resumed, and then at once and in order', async () => {
    await act('pause');
    const first = await order();
    await server.stop();
    server = await start();
    const second = await order();
    await rm.arrived(2);
    expect(im.received).toHaveLength(0);
    await act('resume');
    await im.arrived(2);
    expect(im.received.map(({ placerOrderNumber }) => placerOrderNumber)).toEqual([first, second]);
    await until('both are delivered', async () => (await statuses()).every((one) => one === 'DELIVERED') || undefined);
  });

  it('given a refused message, when it is retried, then the same bytes go out again at once', async () => {
    im.will(answers('AE', '103'), accepts);
    await order();
    await until('it is refused', async () => (await statuses())[2] === 'REFUSED' || undefined);
    await act('retry');
    await im.arrived(4);
    expect(im.received[3]?.bytes).toEqual(im.received[2]?.bytes);
    await until('it is delivered', async () => (await statuses())[2] === 'DELIVERED' || undefined);
  });

  it('given the head waits before it is tried again, when it is skipped, then the next one goes out at once', async () => {
    im.will(answers('AR', '207'), accepts);
    await order();
    await until('it was tried', async () => {
      const head = await server.store.prisma.delivery.findFirst({ where: { deliveryStatus: 'PENDING', attempts: 1 } });
      return head?.inFlightSince === null || undefined;
    });
    await order();
    await act('skip');
    await im.arrived(6);
    await until('it is delivered', async () => (await statuses())[4] === 'DELIVERED' || undefined);
    expect(await statuses()).toEqual(['DELIVERED', 'DELIVERED', 'DELIVERED', 'SKIPPED', 'DELIVERED']);
    expect(im.received[5]?.controlId).not.toBe(im.received[4]?.controlId);
  });
});
