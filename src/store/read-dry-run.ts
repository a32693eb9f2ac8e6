import { type Tx, dateOf, timeOf } from './prisma.ts';

/** What a message has made or moved so far, within its own transaction. */
export interface ProcedureShown {
  readonly procedures: readonly {
    readonly requestedProcedureId: string;
    readonly accessionNumber: string;
    readonly studyInstanceUid: string;
    readonly state: string;
    readonly steps: readonly {
      readonly scheduledProcedureStepId: string;
      readonly stepStatus: string;
      readonly modality: string;
      readonly scheduledStationAeTitles: readonly string[];
      readonly start: string;
    }[];
  }[];
  readonly history: readonly {
    readonly requestedProcedureId: string;
    readonly event: string;
    readonly from: string;
    readonly to: string;
    readonly remark: string | null;
  }[];
}

/** The history lines of a message, and the procedures that they are about as they stand now. */
export async function proceduresOfMessage(tx: Tx, messageId: number): Promise<ProcedureShown> {
  const lines = await tx.history.findMany({ where: { messageId }, orderBy: { id: 'asc' } });
  const ids = [...new Set(lines.map((line) => line.procedureId))];
  const rows = await tx.requestedProcedure.findMany({
    where: { id: { in: ids } },
    include: { steps: { orderBy: { id: 'asc' } }, order: { select: { accessionNumber: true } } },
    orderBy: { id: 'asc' },
  });
  const names = new Map(rows.map((row) => [row.id, row.requestedProcedureId]));
  return {
    procedures: rows.map((row) => ({
      requestedProcedureId: row.requestedProcedureId,
      accessionNumber: row.order.accessionNumber,
      studyInstanceUid: row.studyInstanceUid,
      state: row.state,
      steps: row.steps.map((step) => ({
        scheduledProcedureStepId: step.scheduledProcedureStepId,
        stepStatus: step.stepStatus,
        modality: step.modality,
        scheduledStationAeTitles: step.scheduledStationAeTitles,
        start: `${dateOf(step.startDate)}T${timeOf(step.startTime)}`,
      })),
    })),
    history: lines.map((line) => ({
      requestedProcedureId: names.get(line.procedureId) ?? '',
      event: line.event,
      from: line.fromState,
      to: line.toState,
      remark: line.remark,
    })),
  };
}
