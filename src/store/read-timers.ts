import type { TimerKind } from '../workflow/timers.ts';
import type { Prisma } from './generated/client.ts';
import type { Store } from './prisma.ts';
import { type Page, type PageRequest, behind, instant, newestFirst, pageOf, readSnapshot } from './read-page.ts';

/** pending: waited for; fired: did not come, and nobody has seen to it; settled: it came after all, or somebody has. */
export type TimerState = 'pending' | 'fired' | 'settled';

/** Something that is waited for, and what was done when it did not come. */
export interface TimerView {
  readonly kind: TimerKind;
  readonly state: TimerState;
  /** What was done: alarm, noShow, cancel, discontinue, schedule; askAgain while it is pending once more. */
  readonly effect: string | null;
  readonly requestedProcedureIds: readonly string[];
  readonly scheduledProcedureStepId: string | null;
  /** SOP Instance UID of the MPPS. */
  readonly sopInstanceUid: string | null;
  readonly fillerOrderNumber: string | null;
  /** From when its age counts. */
  readonly since: string;
  readonly dueAt: string | null;
  readonly firedAt: string | null;
  readonly settledAt: string | null;
}

export interface TimerFilter {
  readonly kind?: TimerKind | undefined;
  readonly state?: TimerState | undefined;
}

const procedure = { select: { requestedProcedureId: true, order: { select: { fillerOrderNumber: true } } } } as const;

const shown = {
  step: { select: { scheduledProcedureStepId: true, procedure } },
  performedStep: {
    select: {
      sopInstanceUid: true,
      steps: { select: { step: { select: { procedure } } }, orderBy: { stepId: 'asc' } },
      evidenceOf: { select: { procedure }, orderBy: { procedureId: 'asc' } },
    },
  },
  procedure,
  order: {
    select: {
      fillerOrderNumber: true,
      requestedProcedures: { select: procedure.select, orderBy: { id: 'asc' } },
    },
  },
} as const satisfies Prisma.TimerInclude;

type Row = Prisma.TimerGetPayload<{ include: typeof shown }>;

// What the site does not want to know is waited for all the same, but nothing will ever be said of it.
const conditions: Readonly<Record<TimerState, Prisma.TimerWhereInput>> = {
  pending: { firedAt: null, dueAt: { not: null } },
  fired: { firedAt: { not: null }, settledAt: null },
  settled: { settledAt: { not: null } },
};

const anyState: Prisma.TimerWhereInput = { dueAt: { not: null } };

function stateOf({ firedAt, settledAt }: Row): TimerState {
  if (settledAt) return 'settled';
  return firedAt ? 'fired' : 'pending';
}

function toView(row: Row): TimerView {
  const { step, performedStep, order } = row;
  const procedures = [
    ...[step?.procedure, row.procedure].flatMap((one) => one ?? []),
    ...(performedStep?.steps.map((link) => link.step.procedure) ?? []),
    ...(performedStep?.evidenceOf.map((link) => link.procedure) ?? []),
    ...(order?.requestedProcedures ?? []),
  ];
  return {
    kind: row.kind as TimerKind,
    state: stateOf(row),
    effect: row.effect,
    requestedProcedureIds: [...new Set(procedures.map(({ requestedProcedureId }) => requestedProcedureId))],
    scheduledProcedureStepId: step?.scheduledProcedureStepId ?? null,
    sopInstanceUid: performedStep?.sopInstanceUid ?? null,
    fillerOrderNumber: order?.fillerOrderNumber ?? procedures[0]?.order.fillerOrderNumber ?? null,
    since: instant(row.since),
    dueAt: instant(row.dueAt),
    firedAt: instant(row.firedAt),
    settledAt: instant(row.settledAt),
  };
}

/** Timers of a kind and state, newest first. Rejects with 'database-unavailable'. */
export async function listTimers(store: Store, filter: TimerFilter, page: PageRequest): Promise<Page<TimerView>> {
  const { kind, state } = filter;
  const wanted = state ? conditions[state] : anyState;
  const where = { AND: [wanted, behind(page), kind === undefined ? {} : { kind }] };
  const rows = await readSnapshot(store, (tx) => tx.timer.findMany({ where, include: shown, ...newestFirst(page) }));
  return pageOf(rows, page, toView);
}

/** What did not come in time and still waits for a person, newest first. */
export function listFiredTimers(store: Store, page: PageRequest): Promise<Page<TimerView>> {
  return listTimers(store, { state: 'fired' }, page);
}
