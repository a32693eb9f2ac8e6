import type { MllpClientOptions } from '../hl7/mllp-client.ts';
import { holdLaneLock } from '../store/lane-lock.ts';
import { type Department, type Hl7Peer, hl7Peers } from '../transactions/department.ts';
import { type Lane, startLane } from './lane.ts';

// A stop waits this long for the answer of the message in flight; unanswered, it goes out again after the next start.
const STOP_GRACE_MS = 2_000;

/** All lanes of the site. */
export interface Lanes {
  stop(): Promise<void>;
}

/** Starts a lane for each peer that takes HL7, as soon as this process has the right to send. */
export function startLanes(
  department: Department,
  url: string,
  tlsOf: (peer: Hl7Peer) => MllpClientOptions['tls'],
): Lanes {
  const lanes = new Map<string, Lane>();
  department.store.onDeliveries((destinations) => {
    for (const destination of destinations) lanes.get(destination)?.wake();
  });
  const stopAll = async (graceMs: number): Promise<void> => {
    const running = [...lanes.values()];
    lanes.clear();
    await Promise.all(running.map((lane) => lane.stop(graceMs)));
  };
  const lock = holdLaneLock(url, department.log, {
    onTaken: () => {
      for (const peer of hl7Peers(department.config)) lanes.set(peer.name, startLane(department, peer, tlsOf(peer)));
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
