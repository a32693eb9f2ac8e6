import type { Store, Tx } from './prisma.ts';
import { instant, readSnapshot } from './read-page.ts';

/** How a delivery lane stands. */
export interface LaneView {
  readonly destination: string;
  /** Somebody has stopped it: since when, who and why; undefined while it runs. */
  readonly pause: LanePause | undefined;
  readonly pending: number;
  /** Since when its oldest message waits. */
  readonly oldestPendingAt: string | null;
  /** Messages that the peer refused; they are not sent again by themselves. */
  readonly refused: number;
  /** Messages whose text the peer's character set could not carry: they went out in another one. */
  readonly characterSetProblems: number;
  readonly lastDeliveredAt: string | null;
  readonly lastError: string | null;
  readonly lastErrorAt: string | null;
}

export interface LanePause {
  readonly since: string;
  readonly by: string;
  readonly reason: string | null;
}

interface LaneCounts {
  readonly pauses: ReadonlyMap<string, LanePause>;
  readonly open: ReadonlyMap<string, { readonly pending: number; readonly refused: number }>;
  readonly characterSetProblems: ReadonlyMap<string, number>;
}

async function openCounts(tx: Tx): Promise<LaneCounts['open']> {
  const rows = await tx.delivery.groupBy({
    by: ['destination', 'deliveryStatus'],
    where: { deliveryStatus: { in: ['PENDING', 'REFUSED'] } },
    _count: { _all: true },
  });
  const counts = new Map<string, { pending: number; refused: number }>();
  for (const row of rows) {
    const count = counts.get(row.destination) ?? { pending: 0, refused: 0 };
    count[row.deliveryStatus === 'PENDING' ? 'pending' : 'refused'] = row._count._all;
    counts.set(row.destination, count);
  }
  return counts;
}

async function pausesOf(tx: Tx): Promise<LaneCounts['pauses']> {
  const rows = await tx.lanePause.findMany({ where: { resumedAt: null } });
  return new Map(
    rows.map((row) => [row.destination, { since: instant(row.pausedAt), by: row.pausedBy, reason: row.reason }]),
  );
}

/** A remark on what we send is about nothing else (outbox). */
async function characterSetProblemsOf(tx: Tx): Promise<LaneCounts['characterSetProblems']> {
  const rows = await tx.message.groupBy({
    by: ['peer'],
    where: { direction: 'OUT', protocol: 'HL7', remarks: { isEmpty: false } },
    _count: { _all: true },
  });
  return new Map(rows.map(({ peer, _count }) => [peer ?? '', _count._all]));
}

/** Only the head of a lane is tried, and a lane goes in order of ids: three rows tell how it stands. */
async function laneOf(tx: Tx, destination: string, counts: LaneCounts): Promise<LaneView> {
  const select = { createdAt: true, settledAt: true, lastAttemptAt: true, lastError: true } as const;
  const lane = (deliveryStatus: 'PENDING' | 'REFUSED' | 'DELIVERED', id: 'asc' | 'desc') =>
    tx.delivery.findFirst({ where: { destination, deliveryStatus }, orderBy: { id }, select });
  const head = await lane('PENDING', 'asc');
  const refused = await lane('REFUSED', 'desc');
  const delivered = await lane('DELIVERED', 'desc');
  // The head was tried after everything before it was settled.
  const failed = head?.lastError ? head : refused;
  return {
    destination,
    pause: counts.pauses.get(destination),
    pending: counts.open.get(destination)?.pending ?? 0,
    oldestPendingAt: instant(head?.createdAt ?? null),
    refused: counts.open.get(destination)?.refused ?? 0,
    characterSetProblems: counts.characterSetProblems.get(destination) ?? 0,
    lastDeliveredAt: instant(delivered?.settledAt ?? null),
    lastError: failed?.lastError ?? null,
    lastErrorAt: instant(failed?.lastAttemptAt ?? null),
  };
}

/**
 * The lanes of these destinations, and those of others that still hold something or are stopped: a peer may have left the
 * site file.
 */
export async function lanesIn(tx: Tx, destinations: readonly string[]): Promise<LaneView[]> {
  const pauses = await pausesOf(tx);
  const counts = { pauses, open: await openCounts(tx), characterSetProblems: await characterSetProblemsOf(tx) };
  const lanes: LaneView[] = [];
  for (const destination of new Set([...destinations, ...counts.open.keys(), ...pauses.keys()]))
    lanes.push(await laneOf(tx, destination, counts));
  return lanes;
}

/** The same, at one instant. Rejects with 'database-unavailable'. */
export async function readLanes(store: Store, destinations: readonly string[]): Promise<LaneView[]> {
  return readSnapshot(store, (tx) => lanesIn(tx, destinations));
}
