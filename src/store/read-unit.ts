import type { Prisma } from './generated/client.ts';
import type { Tx } from './prisma.ts';
import { type StepView, stepShown } from './read-procedures.ts';

/** A procedure as one sees it who looks at a unit before it is done. */
export interface ProcedureShown {
  readonly requestedProcedureId: string;
  readonly accessionNumber: string;
  readonly studyInstanceUid: string;
  /** ORC-5 */
  readonly orderStatus: string;
  readonly state: string;
  readonly steps: readonly StepView[];
}

export interface HistoryShown {
  readonly requestedProcedureId: string;
  readonly event: string;
  readonly from: string;
  readonly to: string;
  readonly remark: string | null;
}

/** What a unit has made or moved so far, within its own transaction. */
export interface UnitShown {
  readonly procedures: readonly ProcedureShown[];
  readonly history: readonly HistoryShown[];
}

const listed = {
  steps: { orderBy: { id: 'asc' } },
  order: { select: { accessionNumber: true, orderStatus: true } },
} as const satisfies Prisma.RequestedProcedureInclude;

type Row = Prisma.RequestedProcedureGetPayload<{ include: typeof listed }>;

const toShown = (row: Row): ProcedureShown => ({
  requestedProcedureId: row.requestedProcedureId,
  accessionNumber: row.order.accessionNumber,
  studyInstanceUid: row.studyInstanceUid,
  orderStatus: row.order.orderStatus,
  state: row.state,
  steps: row.steps.map(stepShown),
});

/** Procedures as they stand, those that are there, in the order of their making. */
export async function proceduresNamed(tx: Tx, requestedProcedureIds: readonly string[]): Promise<ProcedureShown[]> {
  const where = { requestedProcedureId: { in: [...requestedProcedureIds] } };
  const rows = await tx.requestedProcedure.findMany({ where, include: listed, orderBy: { id: 'asc' } });
  return rows.map(toShown);
}

/** Lines of the history, and the procedures that they are about as they stand now. */
async function shownBy(tx: Tx, where: Prisma.HistoryWhereInput): Promise<UnitShown> {
  const lines = await tx.history.findMany({
    where,
    include: { procedure: { select: { requestedProcedureId: true } } },
    orderBy: { id: 'asc' },
  });
  const history = lines.map((line) => ({
    requestedProcedureId: line.procedure.requestedProcedureId,
    event: line.event,
    from: line.fromState,
    to: line.toState,
    remark: line.remark,
  }));
  const ids = [...new Set(history.map(({ requestedProcedureId }) => requestedProcedureId))];
  return { procedures: await proceduresNamed(tx, ids), history };
}

/** What a message has made or moved. */
export function shownOfMessage(tx: Tx, messageId: number): Promise<UnitShown> {
  return shownBy(tx, { messageId });
}

/** The newest line of the history that others have written. */
export async function lastHistoryLine(tx: Tx): Promise<number> {
  return (await tx.history.aggregate({ _max: { id: true } }))._max.id ?? 0;
}

/** What this transaction has made or moved since that line. */
export async function shownSince(tx: Tx, lastLine: number): Promise<UnitShown> {
  // Others write lines meanwhile: whose a row is, its inserting transaction says.
  const own = await tx.$queryRaw<{ id: number }[]>`
    SELECT id FROM "History" WHERE id > ${lastLine} AND xmin = pg_current_xact_id()::xid`;
  return shownBy(tx, { id: { in: own.map(({ id }) => id) } });
}
