import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sender, connectSender, serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { cx, stay } from '../support/patient-site.ts';
import {
  type Fields,
  adtEvent,
  historyOf,
  merge,
  newPatient,
  orderFor,
  storedOrder,
  storedPatient,
  updatesAbout,
  wantsEverything,
  worklistOf,
} from '../support/patients.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';

/** A site whose staff schedule, so that each stage of an order can be reached; IM as it comes, IM_B wants every event. */
let peers: PeerDouble[];
let server: TestServer;
let adt: Sender;
beforeAll(async () => {
  const im = await startPeer('IM', 'image-manager');
  const imB = await startPeer('IM_B', 'image-manager', { version: '2.5.1', application: 'ARCHIVE_B' });
  peers = [im, imB];
  server = await startTestServer({ peers: [im.entry, wantsEverything(imB.entry)], policy: { autoSchedule: false } });
  adt = await connectSender(server.ports.hl7);
});
afterAll(async () => {
  adt.end();
  await server.stop();
  await Promise.all(peers.map((peer) => peer.down()));
});

const stages = ['ordered', 'scheduled', 'started', 'completed'] as const;
type Stage = (typeof stages)[number];

const states: Readonly<Record<Stage, { readonly state: string; readonly step: string }>> = {
  ordered: { state: 'planned', step: 'SCHEDULED' },
  scheduled: { state: 'scheduled', step: 'SCHEDULED' },
  started: { state: 'inProgress', step: 'STARTED' },
  completed: { state: 'completed', step: 'COMPLETED' },
};

async function accepted(message: string): Promise<void> {
  expect(await adt.send(message)).toMatchObject({ code: 'AA', error: '' });
}

interface Patient {
  readonly value: string;
  readonly visit: string;
  readonly number: string;
}

async function patient(admitted: string, pv1: Fields = {}): Promise<Patient> {
  const [value, visit, number] = [newPatient(), `V${serial()}`, `G${serial()}`];
  await accepted(adtEvent(admitted, { identifier: cx(value), pv1: stay(visit, pv1) }));
  return { value, visit, number };
}

/** Brings an order of the patient to a stage; what was told of the patient up to then is of no interest. */
async function orderAt(stage: Stage, { value, visit, number }: Patient): Promise<void> {
  await accepted(orderFor(cx(value), { number, visit }));
  if (stage === 'ordered') return;
  const [procedure] = (await storedOrder(server, number)).requestedProcedures;
  const path = `/api/procedures/${procedure?.requestedProcedureId}/schedule`;
  const { status } = await fetch(`http://127.0.0.1:${server.ports.http}${path}`, { method: 'POST' });
  expect(status).toBe(200);
  if (stage === 'scheduled') return;
  const [uid, unit] = [newUid(), modality(server.ports.dicom)];
  expect(await unit.create(uid, inProgress(await stepsOf(server.store, number)))).toBe(0);
  if (stage === 'completed') expect(await unit.set(uid, completed([newUid()]))).toBe(0);
}

const toldOf = async (value: string): Promise<string[]> =>
  (await updatesAbout(server, value)).map(({ to, event }) => `${to} ${event}`).sort();

async function expectStage(stage: Stage, number: string): Promise<void> {
  const { state, step } = states[stage];
  const { requestedProcedures } = await storedOrder(server, number);
  expect(requestedProcedures).toMatchObject([{ state, steps: [{ stepStatus: step }] }]);
}

interface Row {
  readonly event: string;
  readonly given: string;
  readonly pv1: Fields;
  /** What the visit is afterwards. */
  readonly visit: object;
  /** Attributes of the worklist that follow at once. */
  readonly listed: object;
  /** RAD-12 where a procedure of the patient is known. */
  readonly told: readonly string[];
}

const rows: readonly Row[] = [
  { event: 'A02', given: 'A01', pv1: { 3: 'ICU^2^B' }, visit: {}, listed: { location: 'ICU^2^B' }, told: ['IM_B A02'] },
  {
    event: 'A06',
    given: 'A04',
    pv1: { 2: 'I' },
    visit: { patientClass: 'I' },
    listed: { patientClass: 'I' },
    told: ['IM_B A06'],
  },
  {
    event: 'A07',
    given: 'A01',
    pv1: { 2: 'O' },
    visit: { patientClass: 'O' },
    listed: { patientClass: 'O' },
    told: ['IM_B A07'],
  },
  { event: 'A03', given: 'A01', pv1: {}, visit: { visitStatus: 'CLOSED' }, listed: {}, told: ['IM_B A03'] },
  { event: 'A11', given: 'A01', pv1: {}, visit: { visitStatus: 'CANCELLED' }, listed: {}, told: [] },
  { event: 'A38', given: 'A05', pv1: {}, visit: { visitStatus: 'CANCELLED' }, listed: {}, told: [] },
];

describe('events of a visit at each stage of an order (RAD TF-2 4.12; ITI TF-2 3.31)', () => {
  it.each(rows)('given no order yet, when $event comes, then the visit follows and nobody is told', async (row) => {
    const one = await patient(row.given, row.event === 'A06' ? { 2: 'O' } : {});
    await accepted(adtEvent(row.event, { identifier: cx(one.value), pv1: stay(one.visit, row.pv1) }));
    expect((await storedPatient(server, one.value)).visits).toMatchObject([{ visitNumber: one.visit, ...row.visit }]);
    expect(await toldOf(one.value)).toEqual([]);
  });

  it.each(stages.flatMap((stage) => rows.map((row) => ({ stage, ...row }))))(
    'given an order that is $stage, when $event comes, then the order stays, the visit and the worklist follow, and who knows it is told',
    async ({ stage, ...row }) => {
      const one = await patient(row.given, row.event === 'A06' ? { 2: 'O' } : {});
      await orderAt(stage, one);
      await accepted(adtEvent(row.event, { identifier: cx(one.value), pv1: stay(one.visit, row.pv1) }));
      await expectStage(stage, one.number);
      const order = await storedOrder(server, one.number);
      expect(order.visit).toMatchObject({ visitNumber: one.visit, ...row.visit });
      const offered = stage === 'scheduled' || stage === 'started' ? [row.listed] : [];
      expect(await worklistOf(server, order.accessionNumber)).toMatchObject(offered);
      expect(await toldOf(one.value)).toEqual(stage === 'ordered' ? [] : row.told);
    },
  );

  it.each(stages)('given an order that is %s, when A11 comes, then it is marked while it is open', async (stage) => {
    const one = await patient('A01');
    await orderAt(stage, one);
    await accepted(adtEvent('A11', { identifier: cx(one.value), pv1: stay(one.visit) }));
    const marked = (await historyOf(server, one.number)).includes('visitCancelled');
    expect(marked).toBe(stage !== 'completed');
  });
});

describe('A40 at the stage that no image manager knows of (RAD TF-2 4.12)', () => {
  it('given an order that nobody has scheduled, when its patient is merged, then it goes along, nobody is told, and RAD-4 names the survivor', async () => {
    const [real, doe] = [await patient('A04'), await patient('A04')];
    await orderAt('ordered', doe);
    await accepted(merge(cx(real.value), cx(doe.value), 'Real^Rita'));
    expect(await toldOf(doe.value)).toEqual([]);
    const order = await storedOrder(server, doe.number);
    expect(order.patient.name).toMatchObject({ family: 'Real' });
    const [procedure] = order.requestedProcedures;
    const path = `/api/procedures/${procedure?.requestedProcedureId}/schedule`;
    await fetch(`http://127.0.0.1:${server.ports.http}${path}`, { method: 'POST' });
    const sent = await server.store.prisma.delivery.findMany({
      where: { effect: 'announceProcedure', procedureId: procedure?.id ?? 0 },
      include: { message: true },
    });
    const texts = sent.map(({ message }) => Buffer.from(message.raw).toString());
    expect(texts).toHaveLength(2);
    for (const text of texts)
      expect(text).toMatch(new RegExp(`\\rPID\\|1\\|\\|${real.value}\\^\\^\\^CLINIC[^|]*\\|\\|Real\\^Rita`));
  });
});
