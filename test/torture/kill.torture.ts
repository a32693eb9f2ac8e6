import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/platform/log.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { type Store, openStore } from '../../src/store/prisma.ts';
import { connectSender, orm } from '../support/messages.ts';
import { type StepOnWorklist, completed, dicomClient, inProgress, newUid, sopClass } from '../support/mpps.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { writeSite } from '../support/server.ts';
import { until } from '../support/until.ts';
import { text, items } from '../../src/dicom/dataset.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const ROUNDS = 6;
const SENDERS = 4;
/** The kill comes after so many answers of a round and a moment more: counted in work, it hits a slow machine alike. */
const KILL_AFTER = { fewestAnswers: 2, mostAnswers: 40, momentMs: 100 };
const SEED = 20_260_105;

/** Numbers between 0 and 1 that are the same on every run (a linear congruential generator). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One order on its way through the department, as its senders know it. */
interface Case {
  readonly placerOrderNumber: string;
  readonly message: string;
  /** MPPS instances with the images they name, one for each of the two procedures. */
  readonly mpps: readonly { readonly uid: string; readonly image: string }[];
  acknowledged: boolean;
  readonly created: Set<string>;
  readonly completed: Set<string>;
}

let folder: string;
let dataDir: string;
let peers: PeerDouble[];
let running: ServerProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swf kill '));
  dataDir = join(folder, 'data');
  peers = [
    await startPeer('OP', 'order-placer'),
    await startPeer('IM', 'image-manager'),
    await startPeer('RM', 'report-manager', { version: '2.5.1' }),
  ];
});
afterEach(async () => {
  await running?.kill();
  await Promise.all(peers.map((peer) => peer.down()));
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

let counter = 0;
function newCase(): Case {
  const placerOrderNumber = `X${++counter}`;
  const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'TRUNK^^TESTPLAN' };
  // few patients, so that senders wait for each other
  const patient = { identifier: `P${counter % 4}^^^CLINIC` };
  return {
    placerOrderNumber,
    message: orm([order], patient, { controlId: placerOrderNumber }),
    mpps: [1, 2].map(() => ({ uid: newUid(), image: newUid() })),
    acknowledged: false,
    created: new Set(),
    completed: new Set(),
  };
}

/** The steps of an order as the worklist offers them. */
async function stepsOnWorklist(port: number, one: Case): Promise<StepOnWorklist[]> {
  const { datasets } = await dicomClient(port, 'PET1').find({
    AccessionNumber: null,
    RequestedProcedureID: null,
    StudyInstanceUID: null,
    PatientID: null,
    PlacerOrderNumberImagingServiceRequest: one.placerOrderNumber,
    ScheduledProcedureStepSequence: [{ ScheduledProcedureStepID: null, Modality: null, ScheduledStationAETitle: null }],
  });
  const steps = datasets.map((row) => {
    const [item = {}] = items(row, 'ScheduledProcedureStepSequence');
    return {
      scheduledProcedureStepId: text(item, 'ScheduledProcedureStepID') ?? '',
      requestedProcedureId: text(row, 'RequestedProcedureID') ?? '',
      studyInstanceUid: text(row, 'StudyInstanceUID') ?? '',
      accessionNumber: text(row, 'AccessionNumber') ?? '',
      modality: text(item, 'Modality') ?? '',
      station: text(item, 'ScheduledStationAETitle') ?? '',
      patientId: text(row, 'PatientID') ?? '',
    };
  });
  return steps.sort((a, b) => (a.scheduledProcedureStepId < b.scheduledProcedureStepId ? -1 : 1));
}

/** What was done before counts as done: 0111 after a create, 0110 after a set that came again. */
const SUCCESS = new Set([0x0000]);
const SUCCESS_OF_CREATE = new Set([0x0000, 0x0111]);
const SUCCESS_OF_SET = new Set([0x0000, 0x0110]);

/** Carries a case on from wherever its sender knows it to be; rejects when the server is gone. */
async function carryOn(
  ports: ServerProcess['ports'],
  one: Case,
  first: boolean,
  answered: () => void = () => undefined,
): Promise<void> {
  if (!one.acknowledged) {
    const sender = await connectSender(ports.hl7);
    try {
      expect(await sender.send(one.message)).toMatchObject({ code: 'AA', controlId: one.placerOrderNumber });
    } finally {
      sender.end();
    }
    one.acknowledged = true;
    answered();
  }
  const client = dicomClient(ports.dicom, 'PET1');
  const mpps = sopClass.modalityPerformedProcedureStep;
  const steps = one.created.size === one.mpps.length ? [] : await stepsOnWorklist(ports.dicom, one);
  for (const [index, { uid }] of one.mpps.entries()) {
    const step = steps[index];
    if (one.created.has(uid) || !step) continue;
    const { status } = await client.nCreate(mpps, uid, inProgress([step]));
    expect(first ? SUCCESS : SUCCESS_OF_CREATE).toContain(status);
    one.created.add(uid);
    answered();
  }
  await Promise.all(
    one.mpps.map(async ({ uid, image }) => {
      if (!one.created.has(uid) || one.completed.has(uid)) return;
      const { status } = await client.nSet(mpps, uid, completed([image]));
      expect(first ? SUCCESS : SUCCESS_OF_SET).toContain(status);
      one.completed.add(uid);
      answered();
    }),
  );
}

describe('kill -9 at any moment', () => {
  it(`given ${ROUNDS} kills while orders and MPPS arrive, when everything unacknowledged is sent again, then every effect is there exactly once and every message goes out under one control id`, async () => {
    const chance = seeded(SEED);
    const site = await writeSite(folder, {
      peers: peers.map(({ entry }) => entry),
      retry: { first: '50ms', factor: 1, longest: '50ms' },
    });
    const cases: Case[] = [];
    let interrupted = 0;
    for (let round = 0; round <= ROUNDS; round++) {
      const server = await startServerProcess(site, dataDir);
      running = server;
      // whatever is open from before is sent again first, from a single connection
      for (const one of cases) if (one.completed.size < one.mpps.length) await carryOn(server.ports, one, false);
      if (round === ROUNDS) break;
      let gone = false;
      const { fewestAnswers, mostAnswers, momentMs } = KILL_AFTER;
      let awaited = fewestAnswers + Math.floor(chance() * (mostAnswers - fewestAnswers));
      let reached = (): void => undefined;
      const enough = new Promise<void>((resolve) => (reached = resolve));
      const answered = (): void => (--awaited === 0 ? reached() : undefined);
      const senders = Array.from({ length: SENDERS }, async () => {
        while (!gone) {
          const one = newCase();
          cases.push(one);
          await carryOn(server.ports, one, true, answered).catch((error: unknown) => {
            // a wrong answer is a failure; no answer is what a kill looks like from outside
            if (!gone) throw error;
            interrupted += 1;
          });
        }
      });
      const moment = chance() * momentMs;
      const killed = enough.then(async () => {
        await new Promise<void>((resolve) => setTimeout(resolve, moment));
        gone = true;
        return server.kill();
      });
      await Promise.all([killed, ...senders]);
    }
    // the kills came in the middle of work, and there was work
    expect(interrupted).toBeGreaterThanOrEqual(ROUNDS);
    expect(cases.length).toBeGreaterThan(interrupted);
    await withStore(async (store) => {
      await until('every lane is empty', async () =>
        (await store.prisma.delivery.count({ where: { deliveryStatus: 'PENDING' } })) === 0 ? true : undefined,
      );
      for (const one of cases) await expectOnce(store, one);
      expect(await store.prisma.order.count()).toBe(cases.length);
      expect(await store.prisma.patient.count()).toBeLessThanOrEqual(4);
      expect(await store.prisma.performedProcedureStep.count()).toBe(2 * cases.length);
      await expectDelivered(store);
    });
    expect(await running?.stop()).toBe(143);
  }, 90_000);
});

/** Reads the database of the running server beside it. */
async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  const database = await startEmbeddedPostgres({ dataDir, log: silentLog, attachOnly: true });
  const store = openStore(database.url, silentLog);
  try {
    await work(store);
  } finally {
    await store.close();
    await database.stop();
  }
}

/** One order with two completed procedures, each performed once, and each RAD-4, RAD-48 and RAD-3 made once. */
async function expectOnce(store: Store, one: Case): Promise<void> {
  const orders = await store.prisma.order.findMany({
    where: { placerOrderNumber: one.placerOrderNumber },
    include: {
      requestedProcedures: {
        include: { steps: { include: { performedSteps: { include: { performedStep: true } } } } },
      },
      deliveries: { include: { message: true } },
    },
  });
  expect(orders).toHaveLength(1);
  const { orderStatus, requestedProcedures = [], deliveries = [] } = orders[0] ?? {};
  expect([one.placerOrderNumber, orderStatus, ...requestedProcedures.map(({ state }) => state)]).toEqual([
    one.placerOrderNumber,
    'CM',
    'completed',
    'completed',
  ]);
  const performed = requestedProcedures.flatMap(({ steps }) =>
    steps.flatMap(({ performedSteps }) => performedSteps.map((link) => link.performedStep)),
  );
  expect(performed.map(({ sopInstanceUid }) => sopInstanceUid).sort()).toEqual(one.mpps.map(({ uid }) => uid).sort());
  expect(performed.map((step) => step.performedProcedureStepStatus)).toEqual(['COMPLETED', 'COMPLETED']);
  const made = deliveries.map(({ destination, message }) => `${message.transaction} ${destination}`).sort();
  const each = ['RAD-3 OP', 'RAD-4 IM', 'RAD-4 RM', 'RAD-48 OP'];
  expect(made).toEqual(each.flatMap((one) => [one, one]));
  const journal = await store.prisma.message.count({
    where: { controlId: one.placerOrderNumber, direction: 'IN', outcome: 'ACCEPTED' },
  });
  expect(journal).toBe(1);
}

/** What every peer has received is what the journal says was sent: nothing missing, nothing under two control ids. */
async function expectDelivered(store: Store): Promise<void> {
  for (const peer of peers) {
    const sent = await store.prisma.message.findMany({
      where: { peer: peer.entry.name, direction: 'OUT' },
      include: { delivery: true },
    });
    const received = peer.distinct();
    expect(received.map(({ controlId }) => controlId).sort()).toEqual(sent.map(({ controlId }) => controlId).sort());
    expect(sent.every(({ delivery }) => delivery?.deliveryStatus === 'DELIVERED')).toBe(true);
    // the bytes under one control id never change, however often they came
    const bytes = new Map(sent.map(({ controlId, raw }) => [controlId, Buffer.from(raw).toString()]));
    for (const { controlId, raw } of peer.received) expect(raw).toBe(bytes.get(controlId));
  }
  const [op] = peers;
  const reports = (op?.distinct() ?? []).filter(({ type }) => type === 'ORM^O01');
  const statuses = reports.map(({ placerOrderNumber, order }) => `${placerOrderNumber} ${order}`);
  expect(new Set(statuses).size).toBe(statuses.length);
}
