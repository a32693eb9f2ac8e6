import { type Tx, dateColumn } from './prisma.ts';

/** Which procedures and orders are meant, before anything is locked. */

/** Procedures of a patient, or of one of his visits, that have not ended; what happens to him stands in their history. */
export async function openProcedures(
  tx: Tx,
  of: { readonly patientId: number } | { readonly visitId: number },
): Promise<{ readonly id: number; readonly state: string }[]> {
  return tx.requestedProcedure.findMany({
    where: { order: of, state: { in: ['planned', 'scheduled', 'held', 'inProgress'] } },
    select: { id: true, state: true },
    orderBy: { id: 'asc' },
  });
}

/** Every procedure of a patient. */
export async function proceduresOfPatient(
  tx: Tx,
  patientId: number,
): Promise<{ readonly id: number; readonly state: string }[]> {
  const select = { id: true, state: true };
  return tx.requestedProcedure.findMany({ where: { order: { patientId } }, select, orderBy: { id: 'asc' } });
}

/** Every scheduled step of a patient, by database id. */
export async function stepsOfPatient(tx: Tx, patientId: number): Promise<number[]> {
  const where = { procedure: { order: { patientId } } };
  const rows = await tx.scheduledProcedureStep.findMany({ where, select: { id: true }, orderBy: { id: 'asc' } });
  return rows.map((row) => row.id);
}

/** Orders of a patient with a procedure whose machine does not know yet that he was registered (step 1 of the eight). */
export async function ordersWithoutRegistration(tx: Tx, patientId: number): Promise<number[]> {
  const rows = await tx.$queryRaw<{ orderId: number }[]>`
    SELECT DISTINCT r."orderId" FROM "RequestedProcedure" r JOIN "Order" o ON o.id = r."orderId"
    WHERE o."patientId" = ${patientId} AND r.machine #> '{context,confirmations,1}' IS NULL
    ORDER BY r."orderId"`;
  return rows.map((row) => row.orderId);
}

/** Orders of a patient with a step on a day (`YYYY-MM-DD`) that waits for him. */
export async function ordersOfDay(tx: Tx, patientId: number, date: string): Promise<number[]> {
  const step = { startDate: dateColumn(date), stepStatus: 'SCHEDULED' as const };
  const where = { patientId, requestedProcedures: { some: { state: 'scheduled', steps: { some: step } } } };
  const rows = await tx.order.findMany({ where, select: { id: true }, orderBy: { id: 'asc' } });
  return rows.map((row) => row.id);
}

/** Orders whose procedures have one of these studies, accession numbers or steps; nothing is locked yet. */
export async function ordersOfReferences(
  tx: Tx,
  references: { readonly studyInstanceUids: readonly string[]; readonly accessionNumbers: readonly string[] },
): Promise<number[]> {
  const rows = await tx.requestedProcedure.findMany({
    where: {
      OR: [
        { studyInstanceUid: { in: [...references.studyInstanceUids] } },
        { order: { accessionNumber: { in: [...references.accessionNumbers] } } },
      ],
    },
    select: { orderId: true },
    distinct: ['orderId'],
  });
  return rows.map((row) => row.orderId).sort((a, b) => a - b);
}

/** The order of the procedure with a requested procedure ID, not locked. */
export async function findProcedureOrder(tx: Tx, requestedProcedureId: string): Promise<number | undefined> {
  const row = await tx.requestedProcedure.findUnique({ where: { requestedProcedureId }, select: { orderId: true } });
  return row?.orderId;
}

/** The orders of procedures, by database ids. */
export async function ordersOfProcedures(tx: Tx, procedureIds: readonly number[]): Promise<number[]> {
  const rows = await tx.requestedProcedure.findMany({
    where: { id: { in: [...procedureIds] } },
    select: { orderId: true },
    distinct: ['orderId'],
  });
  return rows.map((row) => row.orderId).sort((a, b) => a - b);
}
