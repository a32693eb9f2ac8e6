import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { freshDatabase } from '../support/database.ts';
import { type Sender, connectSender, orm, serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { type PeerDouble, accepts, answers, startPeer } from '../support/peers.ts';
import { type TestServer, type TestServerOptions, startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let peers: PeerDouble[] = [];
let server: TestServer;
let placer: Sender;

/** A server with these peers. */
async function site(doubles: readonly PeerDouble[], options: TestServerOptions = {}): Promise<void> {
  peers = [...doubles];
  server = await startTestServer({ peers: peers.map(({ entry }) => entry), ...options });
  placer = await connectSender(server.ports.hl7);
}

afterEach(async () => {
  placer.end();
  await Promise.all([server.stop(), ...peers.map((peer) => peer.down())]);
});

const imageManager = (name = 'IM') => startPeer(name, 'image-manager');

/** Sends an order and gives its placer order number. */
async function newOrder(change: { service?: string } = {}): Promise<string> {
  const placerOrderNumber = `L${serial()}`;
  const answer = await placer.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS`, ...change }]));
  expect(answer.code).toBe('AA');
  return placerOrderNumber;
}

/** The rows of a lane, once none of them is pending. */
const settled = (destination: string) =>
  until(`the lane of ${destination} is empty`, async () => {
    const rows = await server.store.prisma.delivery.findMany({
      where: { destination },
      orderBy: { id: 'asc' },
      include: { message: true },
    });
    return rows.length > 0 && rows.every((row) => row.deliveryStatus !== 'PENDING') ? rows : undefined;
  });

describe('RAD-4 Procedure Scheduled (RAD TF-2 4.4): who gets what', () => {
  it('given an order, then every image manager and every report manager gets one RAD-4 in its own version, the placer the appointment alone', async () => {
    const [op, im, imB, rm] = [
      await startPeer('OP', 'order-placer'),
      await imageManager(),
      await startPeer('IM_B', 'image-manager', { version: '2.5.1' }),
      await startPeer('RM', 'report-manager'),
    ];
    await site([op, im, imB, rm]);
    const placerOrderNumber = await newOrder();
    for (const peer of [im, imB, rm]) await settled(peer.entry.name);
    expect(im.received).toMatchObject([{ type: 'ORM^O01', order: 'NW/SC', placerOrderNumber }]);
    expect(rm.received).toMatchObject([{ type: 'ORM^O01', order: 'NW/SC', placerOrderNumber }]);
    expect(imB.received).toMatchObject([{ type: 'OMI^O23', order: 'NW/SC', placerOrderNumber }]);
    await settled('OP');
    expect(op.received.map(({ type }) => type)).toEqual(['SIU^S12']);
    expect(new Set([im, imB, rm].flatMap((peer) => peer.received.map((one) => one.controlId))).size).toBe(3);
  });

  it('given an order of two procedures, then there is one RAD-4 for each study', async () => {
    const im = await imageManager();
    await site([im]);
    const placerOrderNumber = await newOrder({ service: 'TRUNK^^TESTPLAN' });
    await settled('IM');
    const studies = await server.store.prisma.requestedProcedure.findMany({
      where: { order: { placerOrderNumber } },
      orderBy: { id: 'asc' },
    });
    expect(im.received.map(({ raw }) => /^ZDS\|([^^|]+)/m.exec(raw.replaceAll('\r', '\n'))?.[1])).toEqual(
      studies.map(({ studyInstanceUid }) => studyInstanceUid),
    );
  });
});

describe('a peer that is away', () => {
  it('given the peer is down, when it comes back on its port, then everything arrives in the order of the commits', async () => {
    const im = await imageManager();
    await im.down();
    await site([im]);
    const numbers: string[] = [];
    for (let i = 0; i < 5; i++) numbers.push(await newOrder());
    await until(
      'an attempt failed',
      async () => (await server.store.prisma.delivery.findFirst({ where: { attempts: { gt: 1 } } }))?.lastError,
    );
    await im.up();
    const rows = await settled('IM');
    expect(rows.map(({ deliveryStatus }) => deliveryStatus)).toEqual(Array(5).fill('DELIVERED'));
    expect(im.received.map((one) => one.placerOrderNumber)).toEqual(numbers);
  });

  it('given a peer that goes silent and then down, when it comes back, then the same message comes again', async () => {
    const im = await imageManager();
    im.will({ kind: 'silence' }, accepts);
    await site([im]);
    await newOrder();
    await im.arrived(1);
    await im.down();
    await im.up();
    const [row] = await settled('IM');
    expect(row).toMatchObject({ deliveryStatus: 'DELIVERED', attempts: 2 });
    expect(im.received[1]?.raw).toBe(im.received[0]?.raw);
  });

  it('given a server that was stopped with unsent messages, when it is started again, then they go out with their bytes', async () => {
    const im = await imageManager();
    im.will({ kind: 'close' });
    await site([im]);
    const database = server.database;
    const one = await startTestServer({ peers: [im.entry], database });
    const sender = await connectSender(one.ports.hl7);
    await sender.send(orm([{}]));
    await im.arrived(1);
    sender.end();
    await one.stop();
    im.will(accepts);
    const [row] = await settled('IM');
    expect(row).toMatchObject({ deliveryStatus: 'DELIVERED' });
    expect(im.distinct()).toHaveLength(1);
    expect(new Set(im.received.map(({ raw }) => raw)).size).toBe(1);
  });

  it('given two servers on one database, then one of them sends and nothing goes out twice', async () => {
    const im = await imageManager();
    await site([im]);
    const other = await startTestServer({ peers: [im.entry], database: server.database });
    const sender = await connectSender(other.ports.hl7);
    for (let i = 0; i < 5; i++) await Promise.all([newOrder(), sender.send(orm([{}]))]);
    const rows = await until('ten deliveries', async () => {
      const all = await settled('IM');
      return all.length === 10 ? all : undefined;
    });
    sender.end();
    await other.stop();
    expect(im.received.map(({ controlId }) => controlId)).toEqual(rows.map(({ message }) => message.controlId));
  });

  it('given two servers on one database, when the one that sends stops, then the other takes over within 10 s, in order', async () => {
    const database = await freshDatabase();
    onTestFinished(() => database.drop());
    const im = await imageManager();
    im.will({ kind: 'silence' });
    const first = await startTestServer({ peers: [im.entry], database });
    await site([im], { database });
    const numbers = [await newOrder()];
    await im.arrived(1);
    // each commit would wake a second lane, and it would send the first message again
    for (let i = 0; i < 10; i++) numbers.push(await newOrder());
    expect(im.received).toHaveLength(1);
    im.will(accepts);
    await first.stop();
    await until('all have arrived', () => im.distinct().length === numbers.length, 10_000);
    expect(im.distinct().map((one) => one.placerOrderNumber)).toEqual(numbers);
    // the one in flight comes again, with its bytes; nothing else does
    expect(im.received).toHaveLength(numbers.length + 1);
    expect(im.received[1]?.raw).toBe(im.received[0]?.raw);
  });
});

describe('step 3 of a procedure', () => {
  it('given one of two destinations refuses, then step 3 has not happened; given all accept, then it has', async () => {
    const [im, rm] = [await imageManager(), await startPeer('RM', 'report-manager')];
    rm.will(answers('AE', '101'), accepts);
    await site([im, rm]);
    const numbers = [await newOrder(), await newOrder()];
    await Promise.all([settled('IM'), settled('RM')]);
    const states = await Promise.all(
      numbers.map(async (placerOrderNumber) => {
        const { machine } = await server.store.prisma.requestedProcedure.findFirstOrThrow({
          where: { order: { placerOrderNumber } },
        });
        return machine as { value: { announcement: string }; context: { announcements: object } };
      }),
    );
    expect(states.map(({ value }) => value.announcement)).toEqual(['sent', 'confirmed']);
    expect(states.map(({ context }) => context.announcements)).toEqual([
      { IM: 'confirmed', RM: 'refused' },
      { IM: 'confirmed', RM: 'confirmed' },
    ]);
  });
});

describe('lanes', () => {
  it('given one destination does not answer, then the others get theirs', async () => {
    const [im, rm] = [await imageManager(), await startPeer('RM', 'report-manager')];
    im.will({ kind: 'silence' });
    await site([im, rm]);
    const numbers = [await newOrder(), await newOrder(), await newOrder()];
    const rows = await until('three at RM', async () => {
      const all = await settled('RM');
      return all.length === 3 ? all : undefined;
    });
    expect(rows.map(({ deliveryStatus }) => deliveryStatus)).toEqual(['DELIVERED', 'DELIVERED', 'DELIVERED']);
    expect(rm.received.map((one) => one.placerOrderNumber)).toEqual(numbers);
    // one in flight: nothing follows what is unanswered
    expect(im.received.map((one) => one.placerOrderNumber)).toEqual([numbers[0]]);
  });

  it('given forty orders of four patients from four connections at once, then those of one patient leave in the order of their commits', async () => {
    const im = await imageManager();
    await site([im]);
    const senders = await Promise.all(Array.from({ length: 4 }, () => connectSender(server.ports.hl7)));
    const sent = await Promise.all(
      senders.map(async (sender) => {
        const identifier = `L${serial()}^^^CLINIC`;
        const numbers = Array.from({ length: 10 }, () => `L${serial()}`);
        for (const placerOrderNumber of numbers) {
          const message = orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }], { identifier });
          expect(await sender.send(message)).toMatchObject({ code: 'AA' });
        }
        return numbers;
      }),
    );
    await im.arrived(40);
    const arrived = im.received.map((one) => one.placerOrderNumber);
    for (const numbers of sent) expect(arrived.filter((one) => numbers.includes(one))).toEqual(numbers);
    expect(arrived).toHaveLength(40);
    senders.forEach((sender) => sender.end());
  });
});

describe('RAD-3 Filler Order Management (RAD TF-2 4.3): the status of the order, to its placer', () => {
  const sends = { appointments: 'none' };

  it('given two order placers, then RAD-3 goes to the one whose MSH-3 and MSH-4 brought the order, else to the first', async () => {
    const op = await startPeer('OP', 'order-placer', { application: 'FIRST', sends });
    const opB = await startPeer('OP_B', 'order-placer', { application: 'SECOND', version: '2.5.1', sends });
    await site([op, opB]);
    const dx = modality(server.ports.dicom);
    for (const application of ['SECOND', 'STRANGER']) {
      const placerOrderNumber = `L${serial()}`;
      await placer.send(
        orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }], {}, { application, facility: 'CLINIC' }),
      );
      expect(await dx.create(newUid(), inProgress(await stepsOf(server.store, placerOrderNumber)))).toBe(0);
    }
    await opB.arrived(1);
    await op.arrived(1);
    expect(opB.received).toMatchObject([{ type: 'OMG^O19', order: 'SC/IP' }]);
    expect(op.received).toMatchObject([{ type: 'ORM^O01', order: 'SC/IP' }]);
  });

  it('given a placer that is down, then IP and CM reach it in that order, once each', async () => {
    const op = await startPeer('OP', 'order-placer', { sends });
    await op.down();
    await site([op]);
    const placerOrderNumber = await newOrder();
    const dx = modality(server.ports.dicom);
    const uid = newUid();
    await dx.create(uid, inProgress(await stepsOf(server.store, placerOrderNumber)));
    await dx.set(uid, completed([newUid()]));
    await op.up();
    await settled('OP');
    expect(op.received.map(({ order }) => order)).toEqual(['SC/IP', 'SC/CM']);
  });
});
