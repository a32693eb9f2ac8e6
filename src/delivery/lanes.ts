import { holdLaneLock } from '../store/lane-lock.ts';
import {
  type Department,
  type ImageManager,
  hl7Peers,
  imageManagers,
  relayDestinations,
} from '../transactions/department.ts';
import { type AvailabilityQueries, startAvailabilityQueries } from './availability-queries.ts';
import type { Called } from './dicom-call.ts';
import { carryByDicom } from './dicom-lane.ts';
import { carryByHl7 } from './hl7-lane.ts';
import { type Carrier, type Lane, startLane } from './lane.ts';
import { type Timers, startTimers } from './timers.ts';

// A stop waits this long for the answer of the message in flight; unanswered, it goes out again after the next start.
const STOP_GRACE_MS = 2_000;

/** All lanes of the site. */
export interface Lanes {
  stop(): Promise<void>;
}

/** Key and certificates for TLS to peers, by name. */
export interface PeerTls {
  readonly hl7: ReadonlyMap<string, TlsTexts>;
  readonly dicom: ReadonlyMap<string, TlsTexts>;
}

interface TlsTexts {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly ca?: Buffer;
}

const calledBy =
  ({ dicom }: PeerTls) =>
  (peer: ImageManager): Called => ({ peer, tls: dicom.get(peer.name) });

function carriersOf(department: Department, tls: PeerTls): Carrier[] {
  const { config } = department;
  return [
    ...hl7Peers(config).map((peer) => carryByHl7(peer, tls.hl7.get(peer.name))),
    ...relayDestinations(config)
      .map(calledBy(tls))
      .map((called) => carryByDicom(department, called)),
  ];
}

/** Starts every lane of the site, the asking for images and the timers, as soon as this process has the right to send. */
export function startLanes(department: Department, url: string, tls: PeerTls): Lanes {
  const lanes = new Map<string, Lane>();
  let queries: AvailabilityQueries | undefined;
  let timers: Timers | undefined;
  department.store.onDeliveries((destinations, how) => {
    for (const destination of destinations) lanes.get(destination)?.[how]();
  });
  department.store.onTimers((dueAt) => timers?.wake(dueAt));
  const stopAll = async (graceMs: number): Promise<void> => {
    const running = [...lanes.values(), ...(queries ? [queries] : []), ...(timers ? [timers] : [])];
    lanes.clear();
    queries = undefined;
    timers = undefined;
    await Promise.all(running.map((lane) => lane.stop(graceMs)));
  };
  const lock = holdLaneLock(url, department.log, {
    onTaken: () => {
      for (const carrier of carriersOf(department, tls)) lanes.set(carrier.lane, startLane(department, carrier));
      const called = imageManagers(department.config).map(calledBy(tls));
      if (called.length > 0) queries = startAvailabilityQueries(department, called);
      timers = startTimers(department);
    },
    // Somebody else may be sending already.
    onLost: () => stopAll(0),
  });
  return {
    stop: async () => {
      await stopAll(STOP_GRACE_MS);
      await lock.stop();
    },
  };
}
