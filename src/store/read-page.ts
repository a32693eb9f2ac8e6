import type { Prisma } from './generated/client.ts';
import { type Store, type Tx, storeError } from './prisma.ts';

/** One page of a list: the newest rows first, by id. */
export interface PageRequest {
  readonly limit: number;
  /** The cursor of the page before; undefined asks for the first page. */
  readonly after?: number | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Asks for the rows that follow; null when there are none. */
  readonly next: string | null;
}

/**
 * Reads everything that an answer shows at one instant: without a snapshot a procedure could be shown with the steps
 * of a moment later. Rejects with 'database-unavailable'.
 */
export async function readSnapshot<T>(store: Store, work: (tx: Tx) => Promise<T>): Promise<T> {
  try {
    return await store.prisma.$transaction(work, { isolationLevel: 'RepeatableRead' });
  } catch (error) {
    throw storeError(error);
  }
}

/** How many rows to read, newest first: one more than shown, which tells whether there is another page. */
export function newestFirst({ limit }: PageRequest) {
  return { take: limit + 1, orderBy: { id: 'desc' as const } };
}

/** The condition behind a cursor; a row that is gone by now does not matter to it. */
export function behind({ after }: PageRequest): { id?: Prisma.IntFilter } {
  return after === undefined ? {} : { id: { lt: after } };
}

/** A page of rows that were read with one more than the limit. */
export function pageOf<R extends { readonly id: number }, T>(
  rows: readonly R[],
  { limit }: PageRequest,
  view: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(view), next: rows.length > limit && last ? String(last.id) : null };
}

/** ISO 8601 with milliseconds, in UTC; null stays null. */
export function instant(at: Date): string;
export function instant(at: Date | null): string | null;
export function instant(at: Date | null): string | null {
  return at ? at.toISOString() : null;
}

/** Orders of the patient who has this identifier value, whoever assigned it (PID-3.1). */
export function ofPatient(value: string): Prisma.OrderWhereInput {
  return { patient: { identifiers: { some: { value } } } };
}

/** The identifier that stands for a patient outside: the first one that came, as a worklist shows it. */
export const firstIdentifier = {
  select: {
    identifiers: {
      select: { value: true },
      orderBy: [{ current: 'desc' }, { id: 'asc' }],
      take: 1,
    },
  },
} satisfies Prisma.PatientDefaultArgs;

export function patientIdOf(patient: { readonly identifiers: readonly { readonly value: string }[] }): string {
  return patient.identifiers[0]?.value ?? '';
}
