import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DatasetInput, dataset } from '../../src/dicom/dataset.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, encodeDataset } from '../../src/dicom/codec.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { lanesOf } from '../../src/transactions/department.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { freshDatabase } from '../support/database.ts';
import { type ImageManagerDouble, startImageManager } from '../support/image-manager.ts';
import { type Sender, connectSender, orm, serial } from '../support/messages.ts';
import {
  type StepOnWorklist,
  completed,
  dicomClient,
  inProgress,
  modality,
  newUid,
  sopClass,
  stepsOf,
} from '../support/mpps.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { times, until } from '../support/until.ts';

let certificate: Certificate;
let im: ImageManagerDouble;
let secure: ImageManagerDouble;
let server: TestServer;
let placer: Sender;
let dx: ReturnType<typeof modality>;
beforeAll(async () => {
  certificate = makeCertificate();
  const { files, key, cert } = certificate;
  const tls = { server: { key, cert, ca: cert, requireClientCertificate: true }, files };
  im = await startImageManager('IM', 'ARCHIVE1');
  secure = await startImageManager('IM2', 'ARCHIVE2', { tls });
  // Queries for images (RAD-11) would be among what the image managers are told.
  const availability = { first: '1h' };
  server = await startTestServer({ peers: [im.entry, secure.entry], availability });
  placer = await connectSender(server.ports.hl7);
  dx = modality(server.ports.dicom);
});
afterEach(async () => {
  im.will(0);
  await im.up();
});
afterAll(async () => {
  placer.end();
  await server.stop();
  await Promise.all([im.down(), secure.down()]);
  certificate.remove();
});

async function orderedStep(): Promise<StepOnWorklist> {
  const placerOrderNumber = `R${serial()}`;
  expect((await placer.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }]))).code).toBe('AA');
  const [step] = await stepsOf(server.store, placerOrderNumber);
  if (!step) throw new Error('the order has no step');
  return step;
}

const unscheduled = (change: DatasetInput = {}): DatasetInput => ({
  ...inProgress([]),
  ScheduledStepAttributesSequence: [{ StudyInstanceUID: newUid(), ReferencedStudySequence: [], AccessionNumber: null }],
  Modality: 'DX',
  ...change,
});

/** What the lanes did with the requests about an instance, once nothing of it waits. */
const settled = (sopInstanceUid: string, store = server.store) =>
  until('the requests about an instance are settled', async () => {
    const rows = await store.prisma.delivery.findMany({
      where: { message: { controlId: sopInstanceUid } },
      include: { message: true },
      orderBy: { id: 'asc' },
    });
    return rows.some((row) => row.deliveryStatus === 'PENDING') ? undefined : rows;
  });

const typesOf = (requests: readonly { readonly type: string }[]): string[] => requests.map(({ type }) => type);

/** The lines of the history of a procedure that tell of the relay. */
async function relayLines({ requestedProcedureId }: StepOnWorklist): Promise<string[]> {
  const rows = await server.store.prisma.history.findMany({
    where: { procedure: { requestedProcedureId }, event: { startsWith: 'mpps' } },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ event, fromState, toState, causedBy }) => `${event} ${fromState}-${toState} ${causedBy}`);
}

describe('Performed Procedure Step Manager (RAD TF-2 4.6, 4.7): what goes on to image managers', () => {
  it.each([
    ['Implicit VR Little Endian', IMPLICIT_VR_LITTLE_ENDIAN],
    ['Explicit VR Little Endian', EXPLICIT_VR_LITTLE_ENDIAN],
  ])('given N-CREATE and N-SET in %s, then the same bytes arrive, by TLS too', async (_, transferSyntaxUid) => {
    const uid = newUid();
    const mpps = sopClass.modalityPerformedProcedureStep;
    const private_ = { '00091010': Buffer.from('of the vendor '), SpecificCharacterSet: 'ISO_IR 100' };
    const create = encodeDataset(dataset(unscheduled({ ...private_, PatientName: 'Bjørn^Åse' })), transferSyntaxUid);
    const set = encodeDataset(
      dataset(completed([newUid()], { CommentsOnThePerformedProcedureStep: 'x' })),
      transferSyntaxUid,
    );
    const client = dicomClient(server.ports.dicom);
    expect((await client.nCreate(mpps, uid, { raw: create, transferSyntaxUid })).status).toBe(0);
    // an attribute that was not created: a warning, and it goes on all the same (PS3.7 C.4.2)
    expect((await client.nSet(mpps, uid, { raw: set, transferSyntaxUid })).status).toBe(0x0107);
    for (const manager of [im, secure]) {
      const requests = await manager.about(uid, 2);
      expect(requests).toMatchObject([
        { type: 'N-CREATE', callingAeTitle: 'SWF_OF', transferSyntaxUid },
        { type: 'N-SET', callingAeTitle: 'SWF_OF', transferSyntaxUid },
      ]);
      expect(requests.map(({ raw }) => Buffer.from(raw))).toEqual([create, set]);
    }
    expect(
      (await settled(uid)).map(({ destination, deliveryStatus, effect, message }) => [
        destination,
        deliveryStatus,
        effect,
        message.direction,
        message.protocol,
        message.transaction,
        message.messageType,
        message.peer,
        message.transferSyntaxUid,
        message.answerCode,
      ]),
    ).toEqual(
      [
        ['IM.dicom', 'RAD-6', 'N-CREATE', 'IM'],
        ['IM2.dicom', 'RAD-6', 'N-CREATE', 'IM2'],
        ['IM.dicom', 'RAD-7', 'N-SET', 'IM'],
        ['IM2.dicom', 'RAD-7', 'N-SET', 'IM2'],
      ].map(([lane, transaction, type, peer]) => [
        lane,
        'DELIVERED',
        'relayMpps',
        'OUT',
        'DICOM',
        transaction,
        type,
        peer,
        transferSyntaxUid,
        '0000',
      ]),
    );
  });

  it('given an N-CREATE without an instance UID, then it goes on with the one that we gave it (PS3.7 10.1.5.1.4)', async () => {
    const client = dicomClient(server.ports.dicom);
    const created = await client.nCreate(sopClass.modalityPerformedProcedureStep, undefined, unscheduled());
    expect(created).toMatchObject({ status: 0, sopInstanceUid: expect.stringMatching(/^2\.25\./) as string });
    expect(typesOf(await im.about(created.sopInstanceUid ?? '', 1))).toEqual(['N-CREATE']);
  });

  it('given the image manager itself sends one, then it is not sent back, and the other one gets it', async () => {
    const uid = newUid();
    const archive = modality(server.ports.dicom, 'ARCHIVE1');
    expect(await archive.create(uid, unscheduled())).toBe(0);
    expect(await archive.set(uid, completed())).toBe(0);
    expect(typesOf(await secure.about(uid, 2))).toEqual(['N-CREATE', 'N-SET']);
    expect((await settled(uid)).map(({ destination }) => destination)).toEqual(['IM2.dicom', 'IM2.dicom']);
  });

  it('given requests that we refuse, then nobody hears of them', async () => {
    const uid = newUid();
    expect(await dx.create(uid, unscheduled())).toBe(0);
    expect(await dx.create(uid, unscheduled())).toBe(0x0111);
    expect(await dx.set(uid, completed())).toBe(0);
    const again = await dicomClient(server.ports.dicom).nSet(sopClass.modalityPerformedProcedureStep, uid, completed());
    expect(again).toMatchObject({ status: 0x0110, errorId: 0xa710 });
    expect((await settled(uid)).filter(({ destination }) => destination === 'IM.dicom')).toHaveLength(2);
  });

  it('given an N-SET without a data set, then it goes on without one', async () => {
    const uid = newUid();
    expect(await dx.create(uid, unscheduled())).toBe(0);
    const nothing = { raw: new Uint8Array(0), transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN };
    const client = dicomClient(server.ports.dicom);
    expect(await client.nSet(sopClass.modalityPerformedProcedureStep, uid, nothing)).toMatchObject({ status: 0 });
    expect((await im.about(uid, 2)).map(({ raw }) => raw.length === 0)).toEqual([false, true]);
  });

  it('given policy.relayMpps is off, then no lane is there for it', () => {
    const environment = { SWF_CONFIG: 'swf.yaml' };
    const config = loadConfig({ environment, workingDirectory: process.cwd() });
    const names = (relayMpps: boolean): string[] =>
      lanesOf({ ...config, policy: { ...config.policy, relayMpps } }).map(({ name }) => name);
    expect(names(true)).toEqual(['OP', 'IM', 'RM', 'OP_B', 'IM_B', 'IM.dicom']);
    expect(names(false)).toEqual(['OP', 'IM', 'RM', 'OP_B', 'IM_B']);
  });
});

describe('the DICOM lane of an image manager', () => {
  it('given it is down, when it comes back, then everything arrives in the order in which it was accepted', async () => {
    await im.down();
    const uids = Array.from({ length: 4 }, newUid);
    for (const uid of uids) expect(await dx.create(uid, unscheduled())).toBe(0);
    for (const uid of uids) expect(await dx.set(uid, completed())).toBe(0);
    const [first] = uids;
    const head = await until('an attempt failed', () =>
      server.store.prisma.delivery.findFirst({
        where: { destination: 'IM.dicom', message: { controlId: first ?? '' }, attempts: { gt: 1 } },
      }),
    );
    expect(head.lastError).toContain('connection failed');
    const before = im.received.length;
    await im.up();
    for (const uid of uids) await settled(uid);
    const arrived = im.received.slice(before).map(({ type, sopInstanceUid }) => `${type} ${sopInstanceUid}`);
    expect(arrived).toEqual([...uids.map((uid) => `N-CREATE ${uid}`), ...uids.map((uid) => `N-SET ${uid}`)]);
  });

  it('given it refuses a request, then that is kept and counted, the lane goes on, and the history has both', async () => {
    const step = await orderedStep();
    const uid = newUid();
    im.will(0x0110, 0);
    expect(await dx.create(uid, inProgress([step]))).toBe(0);
    expect(await dx.set(uid, completed([newUid()]))).toBe(0);
    const rows = (await settled(uid)).filter(({ destination }) => destination === 'IM.dicom');
    expect(rows).toMatchObject([
      { deliveryStatus: 'REFUSED', lastError: 'status 0110', message: { outcome: 'REFUSED', answerCode: '0110' } },
      { deliveryStatus: 'DELIVERED', lastError: null, message: { outcome: 'ACCEPTED', answerCode: '0000' } },
    ]);
    const lines = await relayLines(step);
    expect(lines).toHaveLength(4);
    expect(lines.filter((line) => line.endsWith(' IM'))).toEqual([
      expect.stringMatching(/^mppsRelayRefused (\w+)-\1 IM$/),
      expect.stringMatching(/^mppsRelayed (\w+)-\1 IM$/),
    ]);
    const url = `http://127.0.0.1:${server.ports.http}/api/destinations`;
    const { items } = (await (await fetch(url)).json()) as { items: { name: string }[] };
    expect(items.find(({ name }) => name === 'IM.dicom')).toMatchObject({
      actor: 'image-manager',
      address: `127.0.0.1:${im.entry.dicom?.port}`,
      pending: 0,
      refused: 1,
    });
  });

  it('given the answer to an N-CREATE was lost, when it is sent again and the instance is known (0111), then it is delivered', async () => {
    const uid = newUid();
    im.will('silence', 0x0111);
    expect(await dx.create(uid, unscheduled())).toBe(0);
    await im.about(uid, 1);
    // what a crash at this moment would leave behind says that the next attempt is a resend
    const where = { destination: 'IM.dicom', message: { controlId: uid } };
    expect(await server.store.prisma.delivery.findFirst({ where })).toMatchObject({
      deliveryStatus: 'PENDING',
      attempts: 0,
      lastAttemptAt: expect.any(Date) as Date,
    });
    await im.down();
    await im.up();
    const [row] = (await settled(uid)).filter(({ destination }) => destination === 'IM.dicom');
    expect(row).toMatchObject({ deliveryStatus: 'DELIVERED', attempts: 2, message: { answerCode: '0111' } });
  });

  it('given it knows an instance that was never sent to it (0111), then that is a refusal', async () => {
    const uid = newUid();
    im.will(0x0111, 0);
    expect(await dx.create(uid, unscheduled())).toBe(0);
    const [row] = (await settled(uid)).filter(({ destination }) => destination === 'IM.dicom');
    expect(row).toMatchObject({ deliveryStatus: 'REFUSED', attempts: 1 });
  });

  it('given it is configured for another AE title, then that is tried again until somebody mends it', async () => {
    const database = await freshDatabase();
    const wrong = { ...im.entry, dicom: { ...im.entry.dicom, aeTitle: 'NOBODY' } } as typeof im.entry;
    const uids = [newUid(), newUid()];
    const one = await startTestServer({ peers: [wrong], database });
    for (const uid of uids) expect(await modality(one.ports.dicom).create(uid, unscheduled())).toBe(0);
    const rejected = await until('an association was rejected', () =>
      one.store.prisma.delivery.findFirst({ where: { attempts: { gt: 0 } } }),
    );
    expect(rejected).toMatchObject({
      deliveryStatus: 'PENDING',
      lastError: expect.stringContaining('rejected') as string,
    });
    await one.stop();
    // and over a restart of the server nothing is lost or overtaken
    const before = im.received.length;
    const other = await startTestServer({ peers: [im.entry], database });
    await times(2, async (round) => {
      expect(await settled(uids[round - 1] ?? '', other.store)).toMatchObject([{ deliveryStatus: 'DELIVERED' }]);
    });
    expect(im.received.slice(before).map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(uids);
    await other.stop();
    await database.drop();
  });
});
