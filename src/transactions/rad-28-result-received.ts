import { resultsFromHl7 } from '../mapping/result-from-hl7.ts';
import { SwfError } from '../platform/errors.ts';
import type { ReportState } from '../workflow/procedure-context.ts';
import type { ResultReport, ResultStatus } from '../workflow/statements.ts';
import { remark } from '../store/messages.ts';
import { findAccession, findFillerOrder, findPlacerOrder } from '../store/orders.ts';
import type { Tx } from '../store/prisma.ts';
import { addResult, ordersOfReferences } from '../store/procedures.ts';
import type { InboundHl7, InboundHl7Transaction } from './inbound-hl7.ts';
import { issuerOf } from './order-creation.ts';
import { type HeldOrder, type HeldProcedure, finish, holdOrders, send } from './unit-of-work.ts';

const states: Readonly<Record<ResultStatus, Exclude<ReportState, 'none'>>> = {
  P: 'preliminary',
  F: 'final',
  C: 'corrected',
  X: 'cancelled',
};

/** ORU^R01 of a report manager: how far the report of a procedure is; all results of a message or none. */
export const resultsReported: InboundHl7Transaction = {
  id: 'RAD-28',
  name: 'Observation Result',
  accepts: ['ORU^R01'],
  handle: async (unit, inbound) => {
    const { reading, messageId, at } = inbound;
    const results = resultsFromHl7(reading);
    const ids: number[] = [];
    for (const result of results) ids.push(await orderOf(unit.tx, result, inbound));
    const orders = await holdOrders(
      unit,
      [...new Set(ids)].sort((a, b) => a - b),
    );
    for (const [index, result] of results.entries()) {
      const held = orders.find(({ order }) => order.id === ids[index]);
      for (const procedure of held ? proceduresOf(held, result) : [])
        await report(unit.tx, inbound, { procedure, result });
    }
    await remark(unit.tx, messageId, reading.remarks);
    await finish(unit, orders, at);
  },
};

/** Filler order number, then the placer's, then accession number, then study: the first that is known decides. */
async function orderOf(tx: Tx, result: ResultReport, { sendingApplication }: InboundHl7): Promise<number> {
  const { fillerOrderNumber, placerOrderNumber, accessionNumber, studyInstanceUids, sequence } = result;
  const placer = placerOrderNumber && {
    placerOrderNumber: placerOrderNumber.id,
    placerOrderIssuer: issuerOf(placerOrderNumber, sendingApplication),
  };
  const id =
    (fillerOrderNumber && (await findFillerOrder(tx, fillerOrderNumber.id))) ??
    (placer && (await findPlacerOrder(tx, placer))) ??
    (accessionNumber === undefined ? undefined : await findAccession(tx, accessionNumber)) ??
    (await ordersOfReferences(tx, { studyInstanceUids, accessionNumbers: [] }))[0];
  if (id !== undefined) return id;
  throw new SwfError('unknown-key', 'the result is of no order that is known (OBR-3, OBR-2, OBR-18)', {
    location: `OBR^${sequence}^3`,
  });
}

/** The procedures that a result is of: the one it names, else those with its service code, else all of the order. */
function proceduresOf({ procedures }: HeldOrder, result: ResultReport): HeldProcedure[] {
  const named = procedures.filter(
    ({ stored }) =>
      stored.requestedProcedureId === result.requestedProcedureId ||
      result.studyInstanceUids.includes(stored.studyInstanceUid),
  );
  if (named.length > 0) return named;
  const coded = procedures.filter(({ stored }) => stored.code.code === result.service?.code);
  return coded.length > 0 ? coded : procedures;
}

async function report(
  tx: Tx,
  { messageId, at, sendingApplication, sendingFacility }: InboundHl7,
  { procedure, result }: { readonly procedure: HeldProcedure; readonly result: ResultReport },
): Promise<void> {
  const { resultStatus, lines, reportedAt, interpreter } = result;
  await addResult(tx, procedure.stored.id, { resultStatus, lines, reportedAt, interpreter, messageId, at });
  procedure.report = { resultStatus, lines, reportedAt, interpreter, sendingApplication, sendingFacility };
  const cause = { messageId, causedBy: sendingApplication, at };
  send(procedure, { type: 'resultReported', report: states[resultStatus] }, cause);
}
