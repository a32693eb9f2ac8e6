import { afterAll, beforeAll, expect } from 'vitest';
import { fixedClock } from '../../src/platform/clock.ts';
import { type Answer, type Sender, connectSender, serial } from './messages.ts';
import {
  type AdtFields,
  type Fields,
  type ListedPatient,
  PATIENT_NAME,
  adtEvent,
  newPatient,
  orderFor,
  storedOrder,
  updatesAbout,
  wantsEverything,
  worklistOf,
} from './patients.ts';
import { type PeerDouble, startPeer } from './peers.ts';
import { type TestServer, startTestServer } from './server.ts';
import { until } from './until.ts';

/** An identifier of the usual authority, or of another one. */
export const cx = (value: string, authority = 'CLINIC'): string => `${value}^^^${authority}`;

/** PV1 of an inpatient's stay. */
export const stay = (visit: string, fields: Fields = {}): Fields => ({
  2: 'I',
  3: 'WARD7^12^A',
  19: cx(visit),
  ...fields,
});

/** The message beyond the identifier. */
export type Message = Omit<AdtFields, 'identifier'>;

/** A patient whom no other test knows, with the numbers of a stay and of an order that he may have. */
export interface Case {
  readonly value: string;
  readonly identifier: string;
  readonly visit: string;
  readonly number: string;
  /** Sends an ADT event, which is answered AA; gives the control id. */
  send(event: string, message?: Message, version?: string): Promise<string>;
  /** Orders and schedules a procedure in the stay. */
  order(): Promise<void>;
  /** The steps of the order, as a modality sees them. */
  listed(): Promise<ListedPatient[]>;
}

/** RAD-12 to every peer, as `told` gives it. */
export const everybody = (event: string): string[] => [`IM ${event}`, `IM_B ${event}`, `RM ${event}`];

async function rowsOf({ store: { prisma } }: TestServer): Promise<unknown[]> {
  return Promise.all([
    prisma.patient.findMany({ orderBy: { id: 'asc' } }),
    prisma.patientIdentifier.findMany({ orderBy: { id: 'asc' } }),
    prisma.visit.findMany({ orderBy: { id: 'asc' } }),
    prisma.order.findMany({ orderBy: { id: 'asc' }, select: { id: true, patientId: true, visitId: true } }),
    prisma.delivery.count({ where: { effect: 'updatePatient' } }),
  ]);
}

/**
 * A site for one test file: IM (v2.3.1) and RM (v2.3.1) as they come, IM_B (v2.5.1) wants every event; two senders.
 * The clock stands on the day on which the orders of `orderFor` start.
 */
export function patientSite() {
  let started: { server: TestServer; peers: PeerDouble[]; his: Sender; other: Sender } | undefined;
  const running = () => {
    if (!started) throw new Error('the site is not up yet');
    return started;
  };
  beforeAll(async () => {
    const archive = await startPeer('IM', 'image-manager');
    const archiveB = await startPeer('IM_B', 'image-manager', { version: '2.5.1', application: 'ARCHIVE_B' });
    const reports = await startPeer('RM', 'report-manager');
    const entries = [archive.entry, wantsEverything(archiveB.entry), reports.entry];
    const server = await startTestServer({ peers: entries, clock: fixedClock('2026-01-05T08:00:00Z') });
    const [his, other] = [await connectSender(server.ports.hl7), await connectSender(server.ports.hl7)];
    started = { server, peers: [archive, archiveB, reports], his, other };
  });
  afterAll(async () => {
    if (!started) return;
    started.his.end();
    started.other.end();
    await started.server.stop();
    for (const peer of started.peers) await peer.down();
  });

  const send = (message: string): Promise<Answer> => running().his.send(message);

  async function accepted(message: string): Promise<Answer> {
    const answer = await send(message);
    expect(answer).toMatchObject({ code: 'AA', error: '' });
    return answer;
  }

  /** Registers a patient by A04 and gives his identifier value. */
  async function register(name = PATIENT_NAME, pv1: Fields = { 2: 'O' }): Promise<string> {
    const value = newPatient();
    await accepted(adtEvent('A04', { identifier: cx(value), name, pv1 }));
    return value;
  }

  /** Orders and schedules a procedure of a patient; gives its placer order number. */
  async function placeOrder(value: string, visit?: string): Promise<string> {
    const number = `O${serial()}`;
    await accepted(orderFor(cx(value), { number, ...(visit === undefined ? {} : { visit }) }));
    return number;
  }

  /** The steps of an order, as a modality sees them. */
  const listedAs = async (number: string): Promise<ListedPatient[]> =>
    worklistOf(running().server, (await storedOrder(running().server, number)).accessionNumber);

  /** A message that is answered so and leaves everything as it is. */
  async function refused(message: string, answer: Partial<Answer>): Promise<void> {
    const before = await rowsOf(running().server);
    expect(await send(message)).toMatchObject(answer);
    expect(await rowsOf(running().server)).toEqual(before);
  }

  /** RAD-12 about a patient as `PEER EVENT`, sorted; each has reached its peer, byte by byte. */
  async function told(value: string): Promise<string[]> {
    const { server, peers } = running();
    const sent = await updatesAbout(server, value);
    for (const { to, raw } of sent) {
      const peer = peers.find(({ entry }) => entry.name === to);
      await until(`RAD-12 at ${to}`, () => peer?.received.some((one) => one.raw === raw));
    }
    return sent.map(({ to, event }) => `${to} ${event}`).sort();
  }

  function newCase(): Case {
    const value = newPatient();
    const [identifier, number, visit] = [cx(value), `O${serial()}`, `V${serial()}`];
    return {
      value,
      identifier,
      number,
      visit,
      send: async (event, message = {}, version = '2.3.1') =>
        (await accepted(adtEvent(event, { identifier, ...message }, { version }))).controlId,
      order: async () => void (await accepted(orderFor(identifier, { number, visit }))),
      listed: () => listedAs(number),
    };
  }

  return {
    get server() {
      return running().server;
    },
    get peers() {
      return running().peers;
    },
    send,
    /** The same on another connection. */
    other: (message: string): Promise<Answer> => running().other.send(message),
    accepted,
    refused,
    register,
    placeOrder,
    listedAs,
    told,
    newCase,
  };
}
