import type { Tx } from './prisma.ts';

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

/** The next numbers of several kinds, as many as asked for of each, e.g. `A000123`. */
export async function takeNumbers(
  tx: Tx,
  wanted: Readonly<Partial<Record<NumberKind, number>>>,
): Promise<Readonly<Record<NumberKind, readonly string[]>>> {
  const kinds = (Object.keys(sequences) as NumberKind[]).flatMap((kind) =>
    Array<NumberKind>(wanted[kind] ?? 0).fill(kind),
  );
  const rows = await tx.$queryRaw<{ kind: NumberKind; n: bigint }[]>`
    SELECT k.kind, nextval(k.sequence::regclass) AS n
    FROM unnest(${kinds}::text[], ${kinds.map((kind) => sequences[kind].sequence)}::text[]) AS k(kind, sequence)`;
  const numbersOf = (kind: NumberKind): string[] =>
    rows.filter((row) => row.kind === kind).map((row) => sequences[kind].prefix + String(row.n).padStart(6, '0'));
  return {
    accessionNumber: numbersOf('accessionNumber'),
    fillerOrderNumber: numbersOf('fillerOrderNumber'),
    requestedProcedureId: numbersOf('requestedProcedureId'),
    scheduledProcedureStepId: numbersOf('scheduledProcedureStepId'),
  };
}
