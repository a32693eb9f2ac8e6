import type { Store, Tx } from './prisma.ts';
import { instant, readSnapshot } from './read-page.ts';

/** How a delivery lane stands. */
export interface LaneView {
  readonly destination: string;
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

interface LaneCounts {
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
    pending: counts.open.get(destination)?.pending ?? 0,
    oldestPendingAt: instant(head?.createdAt ?? null),
    refused: counts.open.get(destination)?.refused ?? 0,
    characterSetProblems: counts.characterSetProblems.get(destination) ?? 0,
    lastDeliveredAt: instant(delivered?.settledAt ?? null),
    lastError: failed?.lastError ?? null,
    lastErrorAt: instant(failed?.lastAttemptAt ?? null),
  };
}

/** The lanes of these destinations, and those of others that still hold something: a peer may have left the site file. */
export async function readLanes(store: Store, destinations: readonly string[]): Promise<LaneView[]> {
  return readSnapshot(store, async (tx) => {
    const counts = { open: await openCounts(tx), characterSetProblems: await characterSetProblemsOf(tx) };
    const lanes: LaneView[] = [];
    for (const destination of new Set([...destinations, ...counts.open.keys()]))
      lanes.push(await laneOf(tx, destination, counts));
    return lanes;
  });
}
