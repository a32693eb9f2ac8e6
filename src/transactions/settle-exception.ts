import { SwfError } from '../platform/errors.ts';
import { canSettle } from '../workflow/exceptions.ts';
import { stopAsking } from '../store/availability-queries.ts';
import { ordersOfProcedures } from '../store/find-procedures.ts';
import { changeOrder } from '../store/orders.ts';
import { settleException as settlePerformed } from '../store/performed-steps.ts';
import { markCatalogued } from '../store/procedures.ts';
import { settleTimer } from '../store/timers.ts';
import { type ExceptionView, addSettledException, findException } from '../store/read-exceptions.ts';
import type { Actor } from './actions.ts';
import { causeOf } from './actor-cause.ts';
import type { Department } from './department.ts';
import { type Unit, finish, holdFound, runUnit, takeDown } from './unit-of-work.ts';

async function open(unit: Unit, id: string): Promise<ExceptionView> {
  const found = await findException(unit.tx, id);
  if (found) return found;
  throw new SwfError('unknown-key', 'no exception with this id is open: GET /api/exceptions lists those that are');
}

/** Takes away what puts a case on the list; false where that was done in the same instant. */
async function close({ tx }: Unit, { kind, subject }: ExceptionView, at: Date): Promise<boolean> {
  if (subject.kind === 'performedStep') return settlePerformed(tx, subject.id, kind);
  if (kind === 'images-overdue') for (const id of subject.procedureIds) await stopAsking(tx, id);
  if (subject.kind === 'timer') return settleTimer(tx, subject.id, at);
  if (kind === 'not-in-catalogue') return markCatalogued(tx, subject.id);
  if (kind === 'order-alarm') {
    await changeOrder(tx, subject.id, { alarm: null });
    return true;
  }
  return false;
}

/**
 * Closes a case of the exception list because nothing else is to be done; who and why stands in the history of the
 * procedures concerned. Throws 'unknown-key' for a case that is not open, 'state-forbids' where something has to be done
 * first.
 */
export async function settleException(department: Department, id: string, actor: Actor): Promise<ExceptionView> {
  const cause = causeOf(department, actor);
  return runUnit(department, async (unit) => {
    const { subject } = await open(unit, id);
    const orders = await holdFound(unit, () => ordersOfProcedures(unit.tx, subject.procedureIds));
    const exception = await open(unit, id);
    const { kind } = exception;
    if (!canSettle(kind, exception.facts) || !(await close(unit, exception, cause.at)))
      throw new SwfError('state-forbids', 'something has to be done about it first: its nextSteps say what');
    const reason = cause.remark ?? '';
    await addSettledException(unit.tx, { exception: id, kind, at: cause.at, settledBy: cause.causedBy, reason });
    const line = { ...cause, remark: [kind, reason].filter(Boolean).join('; ') };
    for (const procedure of orders.flatMap((held) => held.procedures)) {
      if (subject.procedureIds.includes(procedure.stored.id)) takeDown(procedure, 'exceptionSettled', line);
    }
    await finish(unit, orders, cause.at);
    return exception;
  });
}
