import type { LaneView } from '../store/read-destinations.ts';
import type { Preview } from '../transactions/preview.ts';

const counts = ({ pause, pending, refused }: LaneView) => ({ paused: pause !== undefined, pending, refused });

/** What would have been done, as the interface answers it. */
export function previewShown({ units }: Preview) {
  return {
    dryRun: true as const,
    procedures: units.flatMap(({ procedures }) =>
      procedures.map(({ before = null, after }) => ({
        requestedProcedureId: after.requestedProcedureId,
        before,
        after,
      })),
    ),
    history: units.flatMap(({ history }) => history),
    messages: units.flatMap(({ messages }) => messages),
    destinations: units.flatMap(({ lanes }) =>
      lanes.map(({ before, after }) => ({
        name: after.destination,
        before: counts(before),
        after: counts(after),
      })),
    ),
  };
}
