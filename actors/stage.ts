import type { Clock } from '../src/platform/clock.ts';
import type { Config } from '../src/platform/config.ts';
import type { Ids } from '../src/platform/ids.ts';
import { adtIdentity } from './adt.ts';
import { type Archive, createArchive } from './archive.ts';
import { type Behaviours, createBehaviours } from './behaviours.ts';
import type { Hl7Identity } from './hl7-file.ts';
import { type Hl7Sender, createHl7Sender } from './hl7-sender.ts';
import { type Answerers, type Listeners, startListeners } from './listeners.ts';
import { type Mailbox, createMailbox } from './mailbox.ts';
import { type CalledDicom, modalityAeTitle } from './modality.ts';
import type { HttpAddress, Tester } from './staff.ts';
import { type Scenario, kindOf } from './scenario.ts';

/** Where the Order Filler under test listens. */
export interface OrderFiller {
  readonly hl7: { readonly host: string; readonly port: number };
  readonly dicom: { readonly aeTitle: string; readonly host: string; readonly port: number };
  /** Undefined for somebody else's: then a person does there what is done by HTTP at ours. */
  readonly http?: HttpAddress | undefined;
}

/** The Order Filler as a process that the player has started. */
export interface Life {
  /** Ends it at once, as `kill -9` does. Does nothing when it does not run. */
  kill(): Promise<void>;
  /** Starts it on the same data and ports and waits until it is ready. Does nothing when it runs. */
  start(): Promise<void>;
}

export interface Senders {
  of(actor: string): Hl7Sender;
  close(): void;
}

/** Everything scenarios are played on: the Order Filler's addresses, and the actors of the site. */
export interface Stage {
  readonly orderFiller: OrderFiller;
  readonly timeZone: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly mailbox: Mailbox;
  readonly archive: Archive;
  readonly behaviours: Behaviours;
  readonly listeners: Listeners;
  /** Whom to ask; undefined when nobody is there. */
  readonly tester?: Tester | undefined;
  /** Undefined for an Order Filler that the player has not started. */
  readonly life?: Life | undefined;
  /** How an actor signs its HL7 messages: MSH-3 and MSH-4. */
  identityOf(actor: string): Hl7Identity;
  /** The identity of the Order Filler: MSH-5 and MSH-6 of what it is sent. */
  readonly orderFillerIdentity: Hl7Identity;
  /** HL7 connections to the Order Filler for one playing, one for each actor, opened when it first sends. */
  openSenders(): Senders;
  /** How an actor calls the Order Filler by DICOM. */
  calledBy(actor: string, timeoutMs: number): CalledDicom;
  stop(): Promise<void>;
}

/**
 * Listens as every peer of the site, then finds out where the Order Filler is: a port that is taken shows before a
 * server is started. Rejects with CannotListen, or as `findOrderFiller` does; then nothing listens.
 */
export async function startStage(
  site: Config,
  findOrderFiller: () => Promise<OrderFiller>,
  given: Pick<Stage, 'clock' | 'ids' | 'tester' | 'life'> & { readonly answerers?: Answerers },
): Promise<Stage> {
  const { clock, ids } = given;
  const mailbox = createMailbox();
  const archive = createArchive();
  const behaviours = createBehaviours();
  const { timeZone } = site.organisation;
  const listeners = await startListeners(
    site.peers,
    { mailbox, archive, behaviours, clock, ids, timeZone },
    given.answerers,
  );
  try {
    return stageOf(site, await findOrderFiller(), { mailbox, archive, behaviours, listeners, ...given });
  } catch (error) {
    await listeners.stop();
    throw error;
  }
}

function stageOf(
  site: Config,
  orderFiller: OrderFiller,
  parts: Pick<Stage, 'mailbox' | 'archive' | 'behaviours' | 'listeners' | 'clock' | 'ids' | 'tester' | 'life'>,
): Stage {
  const { application, facility, timeZone } = site.organisation;
  const peerOf = (actor: string): Config['peers'][number] | undefined => site.peers.find((peer) => peer.name === actor);
  const callingAeTitle = (actor: string): string =>
    kindOf(actor) === 'MOD' ? modalityAeTitle(actor) : (peerOf(actor)?.dicom?.aeTitle ?? actor.slice(0, 16));
  return {
    orderFiller,
    timeZone,
    ...parts,
    identityOf: (actor) => peerOf(actor)?.hl7 ?? adtIdentity,
    orderFillerIdentity: { application, facility },
    openSenders: () => openSenders(orderFiller.hl7),
    calledBy: (actor, timeoutMs) => {
      const { aeTitle, host, port } = orderFiller.dicom;
      return { host, port, calledAeTitle: aeTitle, callingAeTitle: callingAeTitle(actor), timeoutMs };
    },
    stop: () => parts.listeners.stop(),
  };
}

function openSenders({ host, port }: OrderFiller['hl7']): Senders {
  const senders = new Map<string, Hl7Sender>();
  return {
    of: (actor) => {
      const sender = senders.get(actor) ?? createHl7Sender(host, port);
      senders.set(actor, sender);
      return sender;
    },
    close: () => senders.forEach((sender) => sender.close()),
  };
}

/** Actors of a scenario that must listen but have no address in the site file: one sentence each. */
export function missingPeers(scenarios: readonly Scenario[], site: Config): string[] {
  const known = new Set(site.peers.map((peer) => peer.name));
  const listens = (actor: string): boolean => ['OP', 'IM', 'RM'].includes(kindOf(actor) ?? '');
  return scenarios.flatMap(({ name, cast }) =>
    cast
      .filter((actor) => listens(actor) && !known.has(actor))
      .map((actor) => `${name}: the cast has ${actor}, but no peer of the site file is named ${actor}`),
  );
}
