import type { Dataset, DatasetInput } from '../../src/dicom/dataset.ts';
import { type Answer, type Sender, connectSender, field } from './messages.ts';
import { completed, inProgress, modality, newUid, stepsOf } from './mpps.ts';
import { type PeerDouble, startPeer } from './peers.ts';
import { type TestServer, type TestSite, startTestServer } from './server.ts';
import { until } from './until.ts';

/** A department with an order placer OP, an image manager IM (v2.3.1) and a report manager RM (v2.5.1), all listening. */
export interface OrderSite {
  readonly server: TestServer;
  readonly op: PeerDouble;
  readonly im: PeerDouble;
  readonly rm: PeerDouble;
  send(message: string): Promise<Answer>;
  /** What was put into the lanes since the last call, peer by peer in the order of the lane: `IM RAD-4 NW/SC`. */
  news(): Promise<string[]>;
  /** What `news` told last, as it went out. */
  readonly texts: string[];
  /** Items of the worklist for an order. */
  offered(placerOrderNumber: string, keys?: DatasetInput): Promise<Dataset[]>;
  /** RAD-6 for the steps of an order, or for the first so many, one MPPS each; their UIDs. */
  begin(order: string | { readonly fillerOrderNumber: string }, steps?: number): Promise<string[]>;
  /** RAD-7. */
  end(uids: readonly string[], change?: DatasetInput): Promise<void>;
  /** POST to the web interface. */
  post(path: string, body?: unknown, reason?: string): Promise<{ readonly status: number; readonly body: unknown }>;
  /** An order with its procedures, steps and their history, as they are stored. */
  order(where: OrderKey): ReturnType<typeof readOrder>;
  stop(): Promise<void>;
}

type OrderKey = { readonly placerOrderNumber: string } | { readonly fillerOrderNumber: string };

function readOrder(server: TestServer, where: OrderKey) {
  return server.store.prisma.order.findFirstOrThrow({
    where,
    include: {
      requestedProcedures: {
        orderBy: { id: 'asc' },
        include: { steps: { orderBy: { id: 'asc' } }, history: { orderBy: { id: 'asc' } } },
      },
    },
  });
}

const eventOf = (raw: string): string => field(raw, 'MSH', 9).split('^')[1] ?? '';

/** `NW/SC` of an order message, `S12` of an appointment, `A08` of a patient update. */
function gist(raw: string): string {
  if (!/\rORC\|/.test(raw)) return eventOf(raw);
  return `${field(raw, 'ORC', 1)}/${field(raw, 'ORC', 5)}`;
}

function newsOf(server: TestServer, texts: string[]): () => Promise<string[]> {
  let last = 0;
  return async () => {
    const rows = await server.store.prisma.delivery.findMany({
      where: { id: { gt: last } },
      orderBy: { id: 'asc' },
      include: { message: true },
    });
    last = rows.at(-1)?.id ?? last;
    const told = rows
      .map(({ destination, message: { transaction, raw } }) => ({
        destination,
        transaction,
        text: Buffer.from(raw).toString(),
      }))
      .sort((one, other) => one.destination.localeCompare(other.destination));
    texts.splice(0, texts.length, ...told.map(({ text }) => text));
    return told.map(({ destination, transaction, text }) => `${destination} ${transaction} ${gist(text)}`);
  };
}

const worklistKeys: DatasetInput = {
  PatientID: null,
  AccessionNumber: null,
  RequestedProcedureID: null,
  StudyInstanceUID: null,
};

const stepKeys: DatasetInput = {
  ScheduledProcedureStepID: null,
  ScheduledProcedureStepStartDate: null,
  ScheduledProcedureStepStartTime: null,
  ScheduledProcedureStepStatus: null,
  ScheduledStationAETitle: null,
};

function actorsOf(server: TestServer): Pick<OrderSite, 'offered' | 'begin' | 'end'> {
  const device = modality(server.ports.dicom);
  const expectDone = (status: number): void => {
    if (status !== 0) throw new Error(`the MPPS was answered ${status.toString(16)}`);
  };
  return {
    offered: async (placerOrderNumber, keys = {}) => {
      const PlacerOrderNumberImagingServiceRequest = placerOrderNumber;
      const ScheduledProcedureStepSequence = [{ ...stepKeys, ...keys }];
      const query = { ...worklistKeys, PlacerOrderNumberImagingServiceRequest, ScheduledProcedureStepSequence };
      return (await device.find(query)).datasets;
    },
    begin: async (order, count) => {
      const uids: string[] = [];
      for (const step of (await stepsOf(server.store, order)).slice(0, count)) {
        const uid = newUid();
        expectDone(await device.create(uid, inProgress([step])));
        uids.push(uid);
      }
      return uids;
    },
    end: async (uids, change = {}) => {
      for (const uid of uids) expectDone(await device.set(uid, completed([newUid()], change)));
    },
  };
}

/** RAD-7 of a step that was given up for a reason of PS3.16 CID 9300. */
export const givenUp = (code: string): DatasetInput => ({
  PerformedProcedureStepStatus: 'DISCONTINUED',
  PerformedProcedureStepDiscontinuationReasonCodeSequence: [
    { CodeValue: code, CodingSchemeDesignator: 'DCM', CodeMeaning: 'given up' },
  ],
});

export interface OrderSiteOptions extends Omit<TestSite, 'peers'> {
  readonly placer?: { readonly version?: '2.3.1' | '2.5.1'; readonly sends?: object };
  /** A site without an order placer. */
  readonly withoutPlacer?: boolean;
}

/** Starts the three peers and a server that knows them. */
export async function startOrderSite(options: OrderSiteOptions = {}): Promise<OrderSite> {
  const { placer = {}, withoutPlacer = false, ...site } = options;
  const op = await startPeer('OP', 'order-placer', placer);
  const im = await startPeer('IM', 'image-manager');
  const rm = await startPeer('RM', 'report-manager', { version: '2.5.1' });
  const listening = withoutPlacer ? [im, rm] : [op, im, rm];
  const server = await startTestServer({ ...site, peers: listening.map(({ entry }) => entry) });
  const sender: Sender = await connectSender(server.ports.hl7);
  const texts: string[] = [];
  return {
    server,
    op,
    im,
    rm,
    texts,
    send: (message) => sender.send(message),
    news: newsOf(server, texts),
    ...actorsOf(server),
    post: async (path, body = {}, reason) => {
      const headers = { 'Content-Type': 'application/json', ...(reason === undefined ? {} : { 'X-Reason': reason }) };
      const url = `http://127.0.0.1:${server.ports.http}${path}`;
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
      return { status: response.status, body: await response.json() };
    },
    order: (where) => readOrder(server, where),
    stop: async () => {
      sender.end();
      await server.stop();
      await Promise.all([op, im, rm].map((peer) => peer.down()));
    },
  };
}

/** Waits until the lanes of a site have nothing to send. */
export const lanesEmpty = ({ server }: OrderSite): Promise<true> =>
  until('every lane is empty', async () =>
    (await server.store.prisma.delivery.count({ where: { deliveryStatus: 'PENDING' } })) === 0 ? true : undefined,
  );
