import type { Tx } from './prisma.ts';
import { Prisma } from './generated/client.ts';

/**
 * Numbers from PostgreSQL sequences: never MAX+1 and never from memory. A rollback leaves a gap; a number is never
 * given twice. Formats stay within 16 characters (DICOM SH).
 */
const sequences = {
  accessionNumber: { sequence: 'accession_number_seq', prefix: 'A' },
  fillerOrderNumber: { sequence: 'filler_order_number_seq', prefix: 'F' },
  requestedProcedureId: { sequence: 'requested_procedure_id_seq', prefix: 'RP' },
  scheduledProcedureStepId: { sequence: 'scheduled_procedure_step_id_seq', prefix: 'S' },
} as const;

export type NumberKind = keyof typeof sequences;

/** The next numbers of a kind, e.g. `A000123`. */
export async function takeNumbers(tx: Tx, kind: NumberKind, count: number): Promise<string[]> {
  const { sequence, prefix } = sequences[kind];
  const rows = await tx.$queryRaw<{ n: bigint }[]>(
    Prisma.sql`SELECT nextval(${sequence}::regclass) AS n FROM generate_series(1, ${count}::int)`,
  );
  return rows.map((row) => prefix + String(row.n).padStart(6, '0'));
}
