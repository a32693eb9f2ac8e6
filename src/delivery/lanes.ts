import { holdLaneLock } from '../store/lane-lock.ts';
import { type Department, hl7Peers, relayDestinations } from '../transactions/department.ts';
import { carryByDicom } from './dicom-lane.ts';
import { carryByHl7 } from './hl7-lane.ts';
import { type Carrier, type Lane, startLane } from './lane.ts';

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

function carriersOf(department: Department, tls: PeerTls): Carrier[] {
  const { config } = department;
  return [
    ...hl7Peers(config).map((peer) => carryByHl7(peer, tls.hl7.get(peer.name))),
    ...relayDestinations(config).map((peer) => carryByDicom(department, { peer, tls: tls.dicom.get(peer.name) })),
  ];
}

/** Starts every lane of the site as soon as this process has the right to send. */
export function startLanes(department: Department, url: string, tls: PeerTls): Lanes {
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
      for (const carrier of carriersOf(department, tls)) lanes.set(carrier.lane, startLane(department, carrier));
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
