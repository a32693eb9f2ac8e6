import { readText } from '../../src/hl7/message.ts';
import type { Store } from '../../src/store/prisma.ts';
import { field } from './messages.ts';
import type { PeerDouble } from './peers.ts';
import type { PeerEntry } from './server.ts';

/** A message that was put into a lane. */
export interface Put {
  readonly id: number;
  readonly destination: string;
  /** RAD-n */
  readonly transaction: string;
  /** MSH-9.1 and 9.2 */
  readonly messageType: string;
  readonly controlId: string;
  /** ORC-1 and ORC-5, e.g. `SC/IP`. */
  readonly order: string;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly remarks: readonly string[];
}

/** What goes into the lanes; it is committed before the message that causes it is answered, so nobody has to wait. */
export interface Outbox {
  /** What was put in since the last call, oldest first; of some transactions only, where they are named. */
  news(...transactions: readonly string[]): Promise<Put[]>;
}

export function watchOutbox(store: Store): Outbox {
  let last = 0;
  return {
    news: async (...transactions) => {
      const rows = await store.prisma.message.findMany({
        where: { direction: 'OUT', id: { gt: last } },
        orderBy: { id: 'asc' },
      });
      last = rows.at(-1)?.id ?? last;
      const wanted = rows.filter((row) => transactions.length === 0 || transactions.includes(row.transaction ?? ''));
      return wanted.map((row) => {
        const text = readText(row.raw) ?? '';
        return {
          id: row.id,
          destination: row.peer ?? '',
          transaction: row.transaction ?? '',
          messageType: row.messageType,
          controlId: row.controlId,
          order: `${field(text, 'ORC', 1)}/${field(text, 'ORC', 5)}`,
          text,
          bytes: row.raw,
          remarks: row.remarks,
        };
      });
    },
  };
}

/** `TO TYPE` of each message, with ORC-1 and ORC-5 where it has an ORC: what a test expects at a glance. */
export function inShort(messages: readonly Put[]): string[] {
  return messages.map(({ destination, messageType, order }) =>
    [destination, messageType, order === '/' ? '' : order].filter(Boolean).join(' '),
  );
}

/** A peer of the site file with further settings, such as `sends` or `hl7.characterSet`. */
export function peerWith(
  { entry }: Pick<PeerDouble, 'entry'>,
  { hl7 = {}, ...more }: { readonly hl7?: object; readonly sends?: object },
): PeerEntry {
  return { ...entry, ...more, hl7: { ...entry.hl7, ...hl7 } };
}
