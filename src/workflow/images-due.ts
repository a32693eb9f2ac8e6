import type { StoredMachine } from './procedure-machine.ts';

/** Whether its acquisition is completed, its MPPS name instances, and not all of them are known to be available. */
export function areDue({ value, context }: StoredMachine): boolean {
  return value.acquisition === 'completed' && value.availability !== 'available' && context.instances.named > 0;
}

/**
 * Whether a change of a procedure begins or ends the asking for its images (RAD-11). Images that were available once and
 * went offline are not asked for: whoever moved them said so.
 */
export function askingAfter(before: StoredMachine, now: StoredMachine): 'begins' | 'ends' | undefined {
  if (!areDue(now)) return areDue(before) ? 'ends' : undefined;
  const isMore = before.context.instances.named !== now.context.instances.named;
  return before.value.acquisition !== 'completed' || isMore ? 'begins' : undefined;
}
