import type { Actor } from './actions.ts';
import type { Department } from './department.ts';
import type { Cause } from './unit-of-work.ts';

/** Why something changes: a person, with the reason given. */
export function causeOf(department: Department, actor: Actor): Cause {
  return { messageId: undefined, causedBy: actor.name, at: department.clock.now(), remark: actor.reason };
}
