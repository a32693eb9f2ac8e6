import { SwfError } from '../platform/errors.ts';
import { findProcedureOrder } from '../store/find-procedures.ts';
import type { Actor } from './actions.ts';
import type { Department } from './department.ts';
import { causeOf } from './actor-cause.ts';
import {
  type Cause,
  type HeldOrder,
  type HeldProcedure,
  type Unit,
  finish,
  holdFound,
  runUnit,
  stateOf,
  takeDownRefused,
} from './unit-of-work.ts';

/** What a person acts on. */
export interface Acting {
  readonly procedure: HeldProcedure;
  readonly held: HeldOrder;
  readonly cause: Cause;
}

/** Why something is not done; its attempt stands in the history. */
interface Refused {
  readonly refused: string;
}

/** What was done: true, or another order that was made on the way; false: the state of the procedure does not allow it. */
type Done = boolean | Refused | { readonly made: HeldOrder };

type Action = (unit: Unit, acting: Acting) => Promise<Done> | Done;

/**
 * What a person does with a procedure, in one unit. What its state does not allow is refused after the attempt stands
 * in the history. Throws 'unknown-key' for a procedure that is not known, 'state-forbids' for a refusal.
 */
export async function act(department: Department, id: string, actor: Actor, action: Action): Promise<void> {
  const cause = causeOf(department, actor);
  const refused = await runUnit(department, async (unit) => {
    const orders = await holdFound(unit, async () => {
      const orderId = await findProcedureOrder(unit.tx, id);
      return orderId === undefined ? [] : [orderId];
    });
    const [held] = orders;
    const procedure = held?.procedures.find(({ stored }) => stored.requestedProcedureId === id);
    if (!held || !procedure) throw new SwfError('unknown-key', 'no procedure has this requested procedure ID');
    const done = await action(unit, { procedure, held, cause });
    const made = typeof done === 'object' && 'made' in done ? [done.made] : [];
    await finish(unit, [...orders, ...made], cause.at);
    if (typeof done === 'object') return 'refused' in done ? done.refused : undefined;
    return done ? undefined : `the procedure is ${stateOf(procedure)}: that is not possible now`;
  });
  if (refused !== undefined) throw new SwfError('state-forbids', refused);
}

/** Refuses an attempt that the facts do not allow, with a sentence. */
export function refuse({ procedure, cause }: Acting, event: string, sentence: string): Refused {
  takeDownRefused(procedure, event, cause);
  return { refused: sentence };
}

/** What was performed unscheduled: nobody may hear of it, nor lose it, before it is ordered. */
export const notOrdered = 'nobody has ordered it: bind it to an order first (POST /api/unscheduled/{mppsUid}/match)';
