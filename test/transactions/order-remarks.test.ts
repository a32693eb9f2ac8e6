import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { texts } from '../../src/dicom/dataset.ts';
import { type Sender, connectSender, messageOf, msh, orm, pid, pv1, segment, serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { startPeer } from '../support/peers.ts';
import { type TestServer, type TestServerOptions, startTestServer } from '../support/server.ts';

let server: TestServer;
let placer: Sender;
beforeAll(async () => {
  server = await startTestServer();
  placer = await connectSender(server.ports.hl7);
});
afterAll(async () => {
  placer.end();
  await server.stop();
});

/** A server with other settings, for the time of some work. */
async function withSite(
  options: TestServerOptions,
  work: (server: TestServer, placer: Sender) => Promise<void>,
): Promise<void> {
  const other = await startTestServer(options);
  const sender = await connectSender(other.ports.hl7);
  try {
    await work(other, sender);
  } finally {
    sender.end();
    await other.stop();
  }
}

describe('what an order says of the patient, on the worklist (PS3.4 K.6-1)', () => {
  it('given relevant clinical information (OBR-13) of 200 characters, then MedicalAlerts has all of it in values of at most 64', async () => {
    const placerOrderNumber = `R${serial()}`;
    const words = Array.from({ length: 25 }, (_, index) => `word${String(index).padStart(3, '0')}`);
    const information = `${words.slice(0, 16).join(' ')} ${'x'.repeat(72)}`;
    expect(information).toHaveLength(200);
    const orc = segment('ORC', { 1: 'NW', 2: `${placerOrderNumber}^HIS` });
    const obr = segment('OBR', { 1: '1', 4: 'WRIST^^TESTPLAN', 13: information });
    const message = messageOf(msh('ORM^O01'), pid(), pv1(), orc, obr);
    expect(await placer.send(message)).toMatchObject({ code: 'AA' });
    const { datasets } = await modality(server.ports.dicom).find({
      MedicalAlerts: null,
      PlacerOrderNumberImagingServiceRequest: placerOrderNumber,
      ScheduledProcedureStepSequence: [{}],
    });
    expect(datasets).toHaveLength(1);
    const alerts = texts(datasets[0] ?? {}, 'MedicalAlerts');
    expect(alerts.length).toBeGreaterThan(3);
    for (const alert of alerts) expect(alert.length).toBeLessThanOrEqual(64);
    // a value ends where a blank was, or within a word that fits no value
    expect(alerts.join('').replaceAll(' ', '')).toBe(information.replaceAll(' ', ''));
    expect(alerts[0]).toBe(words.slice(0, 8).join(' '));
  });
});

describe('a service that cannot be carried, or that nobody planned (OBR-4)', () => {
  it('given a backslash in OBR-4.1, then AE 102 names it and nothing is stored', async () => {
    const placerOrderNumber = `R${serial()}`;
    const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'WR\\E\\IST^Wrist^TESTPLAN' };
    const answer = await placer.send(orm([order], {}, { version: '2.5.1' }));
    expect(answer).toMatchObject({ code: 'AE', error: '102', location: 'OBR^1^4^1^1' });
    expect(await server.store.prisma.order.count({ where: { placerOrderNumber } })).toBe(0);
  });

  it('given a service that is not in the catalogue, then the journal says that one step was planned; of one that is, it does not', async () => {
    const remarksAfter = async (service: string): Promise<string> => {
      const { code, controlId } = await placer.send(orm([{ service }]));
      expect(code).toBe('AA');
      return (await server.store.prisma.message.findFirstOrThrow({ where: { controlId } })).remarks.join('\n');
    };
    expect(await remarksAfter('ODD^Odd view^ELSEWHERE')).toMatch(/OBR-4.*not in the catalogue/);
    expect(await remarksAfter('WRIST^^TESTPLAN')).not.toContain('catalogue');
  });
});

describe('`accessionNumber: accept` and numbers that look like ours', () => {
  it('given a placer used a number that our sequence has still to come to, then later orders get others and none fails', async () => {
    await withSite({ policy: { accessionNumber: 'accept' } }, async (other, sender) => {
      const accessionOf = async (accessionNumber?: string): Promise<string> => {
        const placerOrderNumber = `R${serial()}`;
        const order = { placerOrderNumber: `${placerOrderNumber}^HIS` };
        const answer = await sender.send(orm([accessionNumber === undefined ? order : { ...order, accessionNumber }]));
        expect(answer).toMatchObject({ code: 'AA' });
        return (await other.store.prisma.order.findFirstOrThrow({ where: { placerOrderNumber } })).accessionNumber;
      };
      const ours = (n: number): string => `A${String(n).padStart(6, '0')}`;
      const now = Number((await accessionOf()).slice(1));
      // each order takes one number of the sequence, used or not
      expect(await accessionOf(ours(now + 4))).toBe(ours(now + 4));
      expect(await accessionOf(ours(now + 5))).toBe(ours(now + 5));
      expect(await accessionOf()).toBe(ours(now + 3));
      expect(await accessionOf()).toBe(ours(now + 6));
      expect(await accessionOf()).toBe(ours(now + 7));
    });
  });
});

describe('what was reported to the order placer (RAD-3, RAD TF-2 4.3)', () => {
  const reportedAfter = async (other: TestServer, sender: Sender): Promise<(string | null)[]> => {
    const placerOrderNumber = `R${serial()}`;
    await sender.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }]));
    const uid = newUid();
    const dx = modality(other.ports.dicom);
    expect(await dx.create(uid, inProgress(await stepsOf(other.store, placerOrderNumber)))).toBe(0);
    expect(await dx.set(uid, completed([newUid()]))).toBe(0);
    const { orderStatus, reportedOrderStatus } = await other.store.prisma.order.findFirstOrThrow({
      where: { placerOrderNumber },
    });
    return [orderStatus, reportedOrderStatus];
  };

  it('given the site has no order placer, when an order is completed, then nothing counts as reported', async () => {
    expect(await reportedAfter(server, placer)).toEqual(['CM', null]);
    expect(await server.store.prisma.message.count({ where: { transaction: 'RAD-3' } })).toBe(0);
  });

  it('given it has one, then CM does', async () => {
    const op = await startPeer('OP', 'order-placer');
    await withSite({ peers: [op.entry] }, async (other, sender) => {
      expect(await reportedAfter(other, sender)).toEqual(['CM', 'CM']);
    });
    await op.down();
  });
});
