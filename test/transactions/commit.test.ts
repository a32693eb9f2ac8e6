import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Sender, adt, connectSender, orm, serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid, notification, notify, stepsOf } from '../support/mpps.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { times, until } from '../support/until.ts';

let im: PeerDouble;
let server: TestServer;
let sender: Sender;
let reader: pg.Client;
let administrator: pg.Client;
beforeEach(async () => {
  im = await startPeer('IM', 'image-manager');
  server = await startTestServer({ peers: [im.entry] });
  sender = await connectSender(server.ports.hl7);
  reader = new pg.Client({ connectionString: server.database.url });
  administrator = new pg.Client({ connectionString: inject('databaseUrl') });
  reader.on('error', () => undefined);
  await Promise.all([reader.connect(), administrator.connect()]);
});
afterEach(async () => {
  sender.end();
  await reader.end().catch(() => undefined);
  await administrator.end();
  await server.stop();
  await im.down();
});

/** One value, read on a connection that is not the server's. */
async function read(sql: string, ...values: unknown[]): Promise<unknown> {
  const { rows } = await reader.query<Record<string, unknown>>(sql, values);
  return Object.values(rows[0] ?? {})[0];
}

const database = (): string => new URL(server.database.url).pathname.slice(1);

/** The database is gone: nobody can connect, and who was connected is not any more. */
async function stopDatabase(): Promise<void> {
  await administrator.query(`ALTER DATABASE ${database()} ALLOW_CONNECTIONS false`);
  await administrator.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database()]);
}

const databaseAnswers = (): Promise<boolean> =>
  until('the database answers', () =>
    server.store.ping().then(
      () => true,
      () => undefined,
    ),
  );

const startDatabase = (): Promise<unknown> =>
  administrator.query(`ALTER DATABASE ${database()} ALLOW_CONNECTIONS true`);

describe('an answer is a promise', () => {
  it('given an answer has arrived, then its effect can be read on another connection at that moment', async () => {
    const dx = modality(server.ports.dicom);
    await times(20, async () => {
      const value = `K${serial()}`;
      const identifier = `${value}^^^CLINIC`;
      const [uid, image] = [newUid(), newUid()];
      expect((await sender.send(adt('A04', { identifier }))).code).toBe('AA');
      expect(await read('SELECT count(*)::int FROM "PatientIdentifier" WHERE value = $1', value)).toBe(1);
      expect((await sender.send(orm([{ placerOrderNumber: `${value}^HIS` }], { identifier }))).code).toBe('AA');
      expect(await read('SELECT count(*)::int FROM "Order" WHERE "placerOrderNumber" = $1', value)).toBe(1);
      const [step] = await stepsOf(server.store, value);
      if (!step) throw new Error('the order has no step');
      const status = 'SELECT "stepStatus"::text FROM "ScheduledProcedureStep" WHERE "scheduledProcedureStepId" = $1';
      expect(await dx.create(uid, inProgress([step]))).toBe(0);
      expect(await read(status, step.scheduledProcedureStepId)).toBe('STARTED');
      expect(await dx.set(uid, completed([image]))).toBe(0);
      expect(await read(status, step.scheduledProcedureStepId)).toBe('COMPLETED');
      expect(await notify(server.ports.dicom, notification(step.studyInstanceUid, [image]))).toBe(0);
      expect(
        await read(
          'SELECT availability FROM "RequestedProcedure" WHERE "studyInstanceUid" = $1',
          step.studyInstanceUid,
        ),
      ).toBe('available');
    });
  });

  it('given an AA, then the journal has the message with exactly that answer, and the message for the image manager is in its lane', async () => {
    const placerOrderNumber = `K${serial()}`;
    const answer = await sender.send(
      orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }], {}, { controlId: placerOrderNumber }),
    );
    const stored = (await read('SELECT answer FROM "Message" WHERE "controlId" = $1', placerOrderNumber)) as Buffer;
    expect(stored.toString()).toBe(answer.raw);
    const sql =
      'SELECT count(*)::int FROM "Delivery" d JOIN "Order" o ON o.id = d."orderId" WHERE o."placerOrderNumber" = $1';
    expect(await read(sql, placerOrderNumber)).toBe(1);
  });
});

describe('the database is away (HL7 table 0357: 207; PS3.7: 0110)', () => {
  it('given it is stopped, then orders are AR 207, MPPS 0110, worklists A700, and when it is back the same messages are carried out once', async () => {
    const dx = modality(server.ports.dicom);
    const known = `K${serial()}`;
    await sender.send(orm([{ placerOrderNumber: `${known}^HIS` }]));
    const steps = await stepsOf(server.store, known);
    await im.arrived(1);
    const placerOrderNumber = `K${serial()}`;
    const message = orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }], {}, { controlId: placerOrderNumber });
    const uid = newUid();
    await stopDatabase();
    expect(await sender.send(message)).toMatchObject({ code: 'AR', error: '207', controlId: placerOrderNumber });
    expect(await sender.send(adt('A04'))).toMatchObject({ code: 'AR', error: '207' });
    expect(await dx.create(uid, inProgress(steps))).toBe(0x0110);
    expect((await dx.find({ ScheduledProcedureStepSequence: [] })).status).toBe(0xa700);
    await startDatabase();
    await databaseAnswers();
    expect(await server.store.prisma.order.count({ where: { placerOrderNumber } })).toBe(0);
    expect(await server.store.prisma.performedProcedureStep.count()).toBe(0);
    expect(await sender.send(message)).toMatchObject({ code: 'AA' });
    expect(await dx.create(uid, inProgress(steps))).toBe(0);
    expect(await server.store.prisma.order.count({ where: { placerOrderNumber } })).toBe(1);
    // the lanes have found their way back as well
    await until('RAD-4 of the order', () => im.received.some((one) => one.placerOrderNumber === placerOrderNumber));
    expect(im.distinct()).toHaveLength(2);
  });

  it('given connections are cut while orders arrive, then what was AA is there once, the rest is AR 207 and can be sent again', async () => {
    const senders = await Promise.all(Array.from({ length: 4 }, () => connectSender(server.ports.hl7)));
    const accepted: string[] = [];
    const refused: string[] = [];
    let cuts = 0;
    let cutting = true;
    const work = senders.map(async (one) => {
      for (let i = 0; i < 15; i++) {
        const placerOrderNumber = `K${serial()}`;
        const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'TRUNK^^TESTPLAN' };
        const message = orm([order], {}, { controlId: placerOrderNumber });
        const { code, error } = await one.send(message);
        if (code !== 'AA') expect(`${code} ${error}`).toBe('AR 207');
        (code === 'AA' ? accepted : refused).push(message);
      }
    });
    const cut = (async () => {
      const sql = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 ORDER BY random() LIMIT 2';
      while (cutting) {
        cuts += (await administrator.query(sql, [database()])).rowCount ?? 0;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    await Promise.all(work);
    cutting = false;
    await cut;
    expect(cuts).toBeGreaterThan(10);
    await databaseAnswers();
    for (const message of [...refused, ...accepted]) expect(await sender.send(message)).toMatchObject({ code: 'AA' });
    const orders = await server.store.prisma.order.findMany({
      include: { requestedProcedures: { include: { steps: true, deliveries: true } } },
    });
    expect(orders).toHaveLength(60);
    for (const { requestedProcedures } of orders) {
      const made = requestedProcedures.map(({ steps, deliveries }) => [steps.length, deliveries.length]);
      expect(made).toEqual([
        [1, 1],
        [1, 1],
      ]);
    }
    senders.forEach((one) => one.end());
  });
});
