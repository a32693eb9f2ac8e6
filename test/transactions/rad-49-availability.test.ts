import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sender, adt, connectSender, orm, serial } from '../support/messages.ts';
import {
  type StepOnWorklist,
  completed,
  dicomClient,
  inProgress,
  modality,
  newUid,
  notification,
  notify,
  scheduledItem,
  stepsOf,
} from '../support/mpps.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { times, until } from '../support/until.ts';

let peers: PeerDouble[];
let server: TestServer;
let sender: Sender;
let dx: ReturnType<typeof modality>;
beforeAll(async () => {
  peers = [await startPeer('IM', 'image-manager'), await startPeer('RM', 'report-manager', { version: '2.5.1' })];
  server = await startTestServer({ peers: peers.map(({ entry }) => entry) });
  sender = await connectSender(server.ports.hl7);
  dx = modality(server.ports.dicom);
});
afterAll(async () => {
  sender.end();
  await server.stop();
  await Promise.all(peers.map((peer) => peer.down()));
});

interface Ordered {
  readonly placerOrderNumber: string;
  readonly patientId: string;
  readonly steps: StepOnWorklist[];
  readonly step: StepOnWorklist;
}

async function orderOf(service = 'WRIST'): Promise<Ordered> {
  const placerOrderNumber = `I${serial()}`;
  const patientId = `I${serial()}`;
  const identifier = `${patientId}^^^CLINIC`;
  await sender.send(adt('A04', { identifier }));
  await sender.send(
    orm([{ placerOrderNumber: `${placerOrderNumber}^HIS`, service: `${service}^^TESTPLAN` }], { identifier }),
  );
  const steps = await stepsOf(server.store, placerOrderNumber);
  const [step] = steps;
  if (!step) throw new Error('the order has no step');
  return { placerOrderNumber, patientId, steps, step };
}

/** Performs a step and gives the instances that its final MPPS names. */
async function perform(steps: readonly StepOnWorklist[], images: readonly string[]): Promise<string> {
  const uid = newUid();
  expect(await dx.create(uid, inProgress(steps))).toBe(0);
  expect(await dx.set(uid, completed(images))).toBe(0);
  return uid;
}

interface ShownProcedure {
  readonly state: string;
  readonly availability: string;
  readonly instances: { readonly named: number; readonly available: number };
  readonly transactions: readonly {
    readonly step: number;
    readonly transaction: string;
    readonly happened: boolean;
    readonly at: string | null;
    readonly confirmedBy: readonly { kind: string; peer: string; messageId: number; code: string }[];
  }[];
}

/** GET /api/procedures/{id}: the procedure as anybody outside sees it. */
async function shown({ requestedProcedureId }: StepOnWorklist): Promise<ShownProcedure> {
  const response = await fetch(`http://127.0.0.1:${server.ports.http}/api/procedures/${requestedProcedureId}`);
  expect(response.status).toBe(200);
  return (await response.json()) as ShownProcedure;
}

const availabilityOf = async (step: StepOnWorklist): Promise<string> => {
  const { availability, instances } = await shown(step);
  return `${availability} ${instances.available}/${instances.named}`;
};

describe('RAD-49 Instance Availability Notification (RAD TF-2 4.49, PS3.4 R)', () => {
  it('given two images, when the archive reports one and then the other, then the study is partial and then available', async () => {
    const { step } = await orderOf();
    const images = [newUid(), newUid()];
    await perform([step], images);
    expect(await availabilityOf(step)).toBe('unknown 0/2');
    expect(await notify(server.ports.dicom, notification(step.studyInstanceUid, images.slice(0, 1)))).toBe(0);
    expect(await availabilityOf(step)).toBe('partial 1/2');
    expect(await notify(server.ports.dicom, notification(step.studyInstanceUid, images.slice(1)))).toBe(0);
    expect(await availabilityOf(step)).toBe('available 2/2');
  });

  it('given the same notification again, then it is 0000 and nothing is noted twice', async () => {
    const { step, placerOrderNumber } = await orderOf();
    const image = newUid();
    await perform([step], [image]);
    for (let i = 0; i < 3; i++)
      expect(await notify(server.ports.dicom, notification(step.studyInstanceUid, [image]))).toBe(0);
    expect(await availabilityOf(step)).toBe('available 1/1');
    const events = await server.store.prisma.history.count({
      where: { procedure: { order: { placerOrderNumber } }, event: 'availabilityReported' },
    });
    expect(events).toBe(1);
    const { transactions } = await shown(step);
    expect(transactions[7]?.confirmedBy).toHaveLength(1);
  });

  it('given NEARLINE, then it counts; given OFFLINE or UNAVAILABLE, then it does not', async () => {
    const { step } = await orderOf();
    const images = [newUid(), newUid(), newUid()] as const;
    await perform([step], images);
    await notify(server.ports.dicom, notification(step.studyInstanceUid, [images[0]], 'NEARLINE'));
    await notify(server.ports.dicom, notification(step.studyInstanceUid, [images[1]], 'OFFLINE'));
    await notify(server.ports.dicom, notification(step.studyInstanceUid, [images[2]], 'UNAVAILABLE'));
    expect(await availabilityOf(step)).toBe('partial 1/3');
    await notify(server.ports.dicom, notification(step.studyInstanceUid, images.slice(1)));
    expect(await availabilityOf(step)).toBe('available 3/3');
  });

  it('given an image that was available and is gone, then the study is not available any more, and step 8 has happened all the same', async () => {
    const { step } = await orderOf();
    const image = newUid();
    await perform([step], [image]);
    await notify(server.ports.dicom, notification(step.studyInstanceUid, [image]));
    await notify(server.ports.dicom, notification(step.studyInstanceUid, [image], 'UNAVAILABLE'));
    expect(await availabilityOf(step)).toBe('unknown 0/1');
    expect((await shown(step)).transactions[7]).toMatchObject({ happened: true });
  });

  it('given the notification comes before the N-SET that names the images, then it counts when they are named', async () => {
    const { step } = await orderOf();
    const [uid, image] = [newUid(), newUid()];
    await dx.create(uid, inProgress([step]));
    expect(await notify(server.ports.dicom, notification(step.studyInstanceUid, [image]))).toBe(0);
    expect(await availabilityOf(step)).toBe('unknown 0/0');
    await dx.set(uid, completed([image]));
    expect(await availabilityOf(step)).toBe('available 1/1');
    const { transactions } = await shown(step);
    expect(transactions.slice(5).map(({ confirmedBy }) => confirmedBy.map(({ kind }) => kind))).toEqual([
      ['notification'],
      ['response'],
      ['notification'],
    ]);
  });

  it('given notification and N-SET in the same instant, then the study is available', async () => {
    await times(20, async () => {
      const { step } = await orderOf();
      const [uid, image] = [newUid(), newUid()];
      await dx.create(uid, inProgress([step]));
      const statuses = await Promise.all([
        dx.set(uid, completed([image])),
        notify(server.ports.dicom, notification(step.studyInstanceUid, [image])),
      ]);
      expect(statuses).toEqual([0, 0]);
      expect(await availabilityOf(step)).toBe('available 1/1');
    });
  });

  it('given a group case under a new Study Instance UID, when the notification comes while the N-SET is being carried out, then it counts', async () => {
    const { steps } = await orderOf('TRUNK');
    const [uid, image, study] = [newUid(), newUid(), newUid()];
    const items = steps.map((step) => ({ ...scheduledItem(step), StudyInstanceUID: study }));
    expect(await dx.create(uid, { ...inProgress(steps), ScheduledStepAttributesSequence: items })).toBe(0);
    // nothing else may be under way that writes history
    await until('every RAD-4 is settled', async () =>
      (await server.store.prisma.delivery.count({ where: { deliveryStatus: 'PENDING' } })) === 0 ? true : undefined,
    );
    const holder = new pg.Client({ connectionString: server.database.url });
    await holder.connect();
    const waiting = async (): Promise<number> => {
      const sql = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return (await holder.query<{ n: number }>(sql)).rows[0]?.n ?? 0;
    };
    try {
      // the N-SET has counted the instances and cannot commit yet
      await holder.query('BEGIN; LOCK TABLE "History" IN EXCLUSIVE MODE');
      const set = dx.set(uid, completed([image]));
      await until('the N-SET waits', async () => ((await waiting()) === 1 ? true : undefined));
      let answered = false;
      const notified = notify(server.ports.dicom, notification(study, [image])).finally(() => (answered = true));
      await until('the notification waits or is answered', async () =>
        answered || (await waiting()) === 2 ? true : undefined,
      );
      await holder.query('COMMIT');
      expect(await Promise.all([set, notified])).toEqual([0, 0]);
    } finally {
      await holder.end();
    }
    for (const step of steps) expect(await availabilityOf(step)).toBe('available 1/1');
  });

  it('given a final MPPS that names no instance, then the study stays unknown', async () => {
    const { step } = await orderOf();
    await perform([step], []);
    await notify(server.ports.dicom, notification(step.studyInstanceUid, [newUid()]));
    expect(await availabilityOf(step)).toBe('unknown 0/0');
    expect(await shown(step)).toMatchObject({ state: 'completed' });
  });

  it('given images of a study that nobody ordered, then the notification is stored and answered 0000', async () => {
    const image = newUid();
    expect(await notify(server.ports.dicom, notification(newUid(), [image]))).toBe(0);
    expect(
      await server.store.prisma.instanceAvailability.findUnique({ where: { sopInstanceUid: image } }),
    ).toMatchObject({
      instanceAvailability: 'ONLINE',
      retrieveAeTitle: 'ARCHIVE',
    });
  });

  it('given a notification without a study or with an unknown availability, then 0120 and 0106', async () => {
    const whole = notification(newUid(), [newUid()]);
    expect(await notify(server.ports.dicom, { ...whole, StudyInstanceUID: undefined })).toBe(0x0120);
    expect(await notify(server.ports.dicom, notification(newUid(), [newUid()], 'PERHAPS'))).toBe(0x0106);
  });
});

describe('the eight transactions of the simple case (RAD TF-1 3.3)', () => {
  it('given all eight, then each has happened and says what confirmed it; before, each has not', async () => {
    const { step, patientId } = await orderOf();
    const happened = async (): Promise<string> =>
      (await shown(step)).transactions.map((one) => (one.happened ? one.step : '-')).join('');
    await until('RAD-4 is acknowledged', async () => (await happened()).includes('3'));
    expect(await happened()).toBe('123-----');
    await dicomClient(server.ports.dicom).find({ PatientID: patientId, ScheduledProcedureStepSequence: [] });
    await until('the offer is noted', async () => (await happened()).includes('4'));
    const [uid, first, second] = [newUid(), newUid(), newUid()];
    await dx.create(uid, inProgress([step]));
    expect(await happened()).toBe('12345---');
    await dx.set(uid, completed([first, second]));
    expect(await happened()).toBe('12345-7-');
    await notify(server.ports.dicom, notification(step.studyInstanceUid, [first]));
    expect(await happened()).toBe('1234567-');
    await notify(server.ports.dicom, notification(step.studyInstanceUid, [second]));
    const { transactions, ...procedure } = await shown(step);
    expect(procedure).toMatchObject({ state: 'completed', availability: 'available' });
    expect(transactions.map(({ transaction }) => transaction)).toEqual([
      'RAD-1',
      'RAD-2',
      'RAD-4',
      'RAD-5',
      'RAD-6',
      'RAD-8',
      'RAD-7',
      'RAD-49',
    ]);
    expect(transactions.every((one) => one.happened && one.at !== null)).toBe(true);
    const confirmed = transactions.map(({ confirmedBy }) =>
      confirmedBy.map(({ kind, peer, code }) => `${kind} ${peer} ${code}`).sort(),
    );
    expect(confirmed).toEqual([
      ['ack HIS AA'],
      ['ack HIS AA'],
      ['ack IM AA', 'ack RM AA'],
      ['query DX1 0000'],
      ['response DX1 0000'],
      ['notification ARCHIVE 0000'],
      ['response DX1 0000'],
      ['notification ARCHIVE 0000'],
    ]);
    // every confirmation is a line of the journal
    const ids = transactions.flatMap(({ confirmedBy }) => confirmedBy.map(({ messageId }) => messageId));
    expect(await server.store.prisma.message.count({ where: { id: { in: ids } } })).toBe(new Set(ids).size);
  });

  it('given an order that had to create its patient, then step 1 has not happened until ADT registers him', async () => {
    const placerOrderNumber = `I${serial()}`;
    const identifier = `I${serial()}^^^CLINIC`;
    await sender.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }], { identifier }));
    const [step] = await stepsOf(server.store, placerOrderNumber);
    if (!step) throw new Error('the order has no step');
    expect((await shown(step)).transactions[0]).toMatchObject({ happened: false, at: null, confirmedBy: [] });
    await sender.send(adt('A04', { identifier }));
    expect((await shown(step)).transactions[0]).toMatchObject({
      happened: true,
      confirmedBy: [{ kind: 'ack', code: 'AA' }],
    });
    await sender.send(adt('A01', { identifier }));
    expect((await shown(step)).transactions[0]?.confirmedBy).toHaveLength(1);
  });
});
