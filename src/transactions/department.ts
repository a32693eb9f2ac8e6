import type { Clock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { describeError } from '../platform/errors.ts';
import type { Ids } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { isInRange, numbersOf, rangeOf } from '../platform/number-range.ts';
import type { Store } from '../store/prisma.ts';
import type { Preview } from './preview.ts';

/** What every transaction works with; time and chance are handed in. */
export interface Department {
  readonly store: Store;
  readonly config: Config;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly background: Background;
  /** Somebody only wants to see what a unit would do. */
  readonly preview?: Preview;
}

/** Work that nobody waits for, but that a clean stop lets finish. */
export interface Background {
  run(work: () => Promise<void>): void;
  settled(): Promise<void>;
}

export function createBackground(log: Log): Background {
  const running = new Set<Promise<void>>();
  return {
    run: (work) => {
      const promise = work().catch((error: unknown) => log.warn(describeError(error), 'work in the background failed'));
      running.add(promise);
      void promise.finally(() => running.delete(promise));
    },
    settled: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

type Peer = Config['peers'][number];

/** A peer that takes HL7. */
export type Hl7Peer = Peer & { readonly hl7: NonNullable<Peer['hl7']> };

function takesHl7(peer: Peer): peer is Hl7Peer {
  return peer.hl7 !== undefined;
}

export function hl7Peers(config: Config): Hl7Peer[] {
  return config.peers.filter(takesHl7);
}

/** An image manager that takes DICOM. */
export type ImageManager = Peer & { readonly dicom: NonNullable<Peer['dicom']> };

function isImageManager(peer: Peer): peer is ImageManager {
  return peer.actor === 'image-manager' && peer.dicom !== undefined;
}

/** Whom we ask for images (RAD-11). */
export function imageManagers(config: Config): ImageManager[] {
  return config.peers.filter(isImageManager);
}

/** To whom performed procedure steps are relayed (RAD-6, RAD-7). */
export function relayDestinations(config: Config): ImageManager[] {
  return config.policy.relayMpps ? imageManagers(config) : [];
}

/** A peer has a lane for each protocol: that of HL7 has its name, that of DICOM a name that no peer can have. */
export function laneName(peer: string, protocol: 'HL7' | 'DICOM'): string {
  return protocol === 'HL7' ? peer : `${peer}.dicom`;
}

/** A delivery lane of the site, and where it leads. */
export interface LaneOfSite {
  readonly name: string;
  readonly peer: Peer;
  readonly address: { readonly host: string; readonly port: number };
}

/** Every delivery lane of the site. */
export function lanesOf(config: Config): LaneOfSite[] {
  return [
    ...hl7Peers(config).map((peer) => ({ name: laneName(peer.name, 'HL7'), peer, address: peer.hl7 })),
    ...relayDestinations(config).map((peer) => ({ name: laneName(peer.name, 'DICOM'), peer, address: peer.dicom })),
  ];
}

/** Who gives the numbers of patients whom nobody has registered. */
export function temporaryAuthority({ temporaryPatients, organisation }: Config): string {
  return temporaryPatients.assigningAuthority ?? organisation.application;
}

/** The department's list of numbers, in its order. */
export function listedNumbers(config: Config) {
  const numbers = config.temporaryPatients.numbers.flatMap(({ range, modality }) =>
    numbersIn(range).map((number) => ({ number, modality })),
  );
  return { assigningAuthority: temporaryAuthority(config), numbers };
}

const numbersIn = (text: string): string[] => {
  const range = rangeOf(text);
  return range ? numbersOf(range) : [];
};

/** Whether a number is on the department's list. */
export function isTemporaryNumber({ temporaryPatients }: Config, number: string): boolean {
  return temporaryPatients.numbers.some(({ range: text }) => {
    const range = rangeOf(text);
    return range !== undefined && isInRange(range, number);
  });
}

/** RAD-4, RAD-12 and RAD-13 go to every image manager and every report manager. */
export function procedureDestinations(config: Config): Hl7Peer[] {
  return hl7Peers(config).filter((peer) => peer.actor !== 'order-placer');
}

/** RAD-3 goes to the order placer that sent the order, else to the first one of the site. */
export function placerOf(
  config: Config,
  order: { readonly sendingApplication: string; readonly sendingFacility: string },
): Hl7Peer | undefined {
  const placers = hl7Peers(config).filter((peer) => peer.actor === 'order-placer');
  const sent = placers.find(
    (peer) => peer.hl7.application === order.sendingApplication && peer.hl7.facility === order.sendingFacility,
  );
  return sent ?? placers[0];
}
