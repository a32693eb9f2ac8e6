import { resultsFromHl7 } from '../mapping/result-from-hl7.ts';
import { SwfError } from '../platform/errors.ts';
import type { ReportState } from '../workflow/procedure-events.ts';
import type { ResultReport, ResultStatus } from '../workflow/statements.ts';
import { remark } from '../store/messages.ts';
import { findAccession, findFillerOrder } from '../store/orders.ts';
import type { Tx } from '../store/prisma.ts';
import { ordersOfReferences } from '../store/find-procedures.ts';
import { addResult } from '../store/procedures.ts';
import type { InboundHl7, InboundHl7Transaction } from './inbound-hl7.ts';
import { causeOf } from './inbound-cause.ts';
import { findByPlacerNumber } from './order-number.ts';
import { checkOwner } from './order-owner.ts';
import { type HeldOrder, type HeldProcedure, finish, holdFound, send } from './unit-of-work.ts';

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
    const orders = await holdFound(unit, async () => {
      ids.splice(0);
      for (const result of results) ids.push(await orderOf(unit.tx, result, inbound));
      return [...new Set(ids)].sort((a, b) => a - b);
    });
    for (const [index, result] of results.entries()) {
      const held = orders.find(({ order }) => order.id === ids[index]);
      if (!held) continue;
      const { remarks } = reading;
      if (result.identifiers) await checkOwner(unit.tx, held.patient, { identifiers: result.identifiers, remarks });
      for (const procedure of proceduresOf(held, result)) await report(unit.tx, inbound, { procedure, result });
    }
    await remark(unit.tx, messageId, reading.remarks);
    await finish(unit, orders, at);
  },
};

/** Filler order number, then the placer's, then accession number, then study: the first that is known decides. */
async function orderOf(tx: Tx, result: ResultReport, { sendingApplication }: InboundHl7): Promise<number> {
  const { fillerOrderNumber, placerOrderNumber, accessionNumber, studyInstanceUids, sequence } = result;
  const id =
    (fillerOrderNumber && (await findFillerOrder(tx, fillerOrderNumber.id))) ??
    (placerOrderNumber && (await findByPlacerNumber(tx, placerOrderNumber, sendingApplication))) ??
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

/** A report that is news is kept and passed on; one that would go backwards stands in the history alone. */
async function report(
  tx: Tx,
  inbound: InboundHl7,
  { procedure, result }: { readonly procedure: HeldProcedure; readonly result: ResultReport },
): Promise<void> {
  const { resultStatus, lines, reportedAt, interpreter } = result;
  const { messageId, at, sendingApplication, sendingFacility } = inbound;
  const before = procedure.effects.length;
  if (!send(procedure, { type: 'resultReported', report: states[resultStatus] }, causeOf(inbound))) return;
  const content = { resultStatus, lines, reportedAt, interpreter };
  await addResult(tx, procedure.stored.id, { ...content, messageId, at });
  for (const effect of procedure.effects.slice(before))
    procedure.reports.set(effect, { ...content, sendingApplication, sendingFacility });
}
