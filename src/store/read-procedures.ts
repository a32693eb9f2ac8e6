import type { ProcedureContext } from '../workflow/procedure-context.ts';
import type { StoredMachine } from '../workflow/procedure-machine.ts';
import type { StepStatus } from '../workflow/vocabulary.ts';
import type { Prisma } from './generated/client.ts';
import { type Store, type Tx, dateColumn, dateOf, timeOf } from './prisma.ts';
import {
  type Page,
  type PageRequest,
  behind,
  firstIdentifier,
  instant,
  newestFirst,
  ofPatient,
  pageOf,
  patientIdOf,
  readSnapshot,
} from './read-page.ts';

/** A scheduled procedure step as it is shown. */
export interface StepView {
  readonly scheduledProcedureStepId: string;
  readonly stepStatus: StepStatus;
  readonly modality: string;
  readonly scheduledStationAeTitles: readonly string[];
  /** `YYYY-MM-DDTHH:MM:SS`, on the site's wall clock. */
  readonly start: string;
}

/** Dates and times as they stand on the site's wall clock. */
export const stepShown = (step: Prisma.ScheduledProcedureStepGetPayload<object>): StepView => ({
  scheduledProcedureStepId: step.scheduledProcedureStepId,
  stepStatus: step.stepStatus,
  modality: step.modality,
  scheduledStationAeTitles: step.scheduledStationAeTitles,
  start: `${dateOf(step.startDate)}T${timeOf(step.startTime)}`,
});

/** A requested procedure with everything that is asked of it. */
export interface ProcedureView {
  readonly requestedProcedureId: string;
  readonly accessionNumber: string;
  readonly placerOrderNumber: string | null;
  readonly fillerOrderNumber: string;
  readonly studyInstanceUid: string;
  readonly patientId: string;
  /** ORC-5; null while nobody has ordered what was performed. */
  readonly orderStatus: string | null;
  /** Performed unscheduled; waits to be bound to an order. */
  readonly unreconciled?: true;
  readonly patientDifferences: readonly string[];
  readonly state: string;
  readonly availability: string;
  /** none, preliminary, final, corrected, cancelled */
  readonly report: string;
  readonly steps: readonly StepView[];
  readonly performedSteps: readonly {
    readonly sopInstanceUid: string;
    readonly performedProcedureStepStatus: string;
  }[];
  /** What its machine knows. */
  readonly context: ProcedureContext;
}

export interface ProcedureFilter {
  readonly placerOrderNumber?: string | undefined;
  readonly accessionNumber?: string | undefined;
  /** Any identifier value of the patient. */
  readonly patientId?: string | undefined;
  readonly state?: string | undefined;
  /** Days, `YYYY-MM-DD`, between which a step starts; both included. */
  readonly startDateFrom?: string | undefined;
  readonly startDateTo?: string | undefined;
}

const performed = { select: { id: true, sopInstanceUid: true, performedProcedureStepStatus: true } } as const;

const shown = {
  order: { include: { patient: firstIdentifier } },
  steps: {
    include: { performedSteps: { select: { performedStep: performed }, orderBy: { performedStepId: 'asc' } } },
    orderBy: { id: 'asc' },
  },
} as const satisfies Prisma.RequestedProcedureInclude;

type Row = Prisma.RequestedProcedureGetPayload<{ include: typeof shown }>;

/** The MPPS of all steps, each once: one may perform several steps (group case). */
function performedStepsOf(row: Row): ProcedureView['performedSteps'] {
  const all = row.steps.flatMap((step) => step.performedSteps.map((link) => link.performedStep));
  const once = [...new Map(all.map((step) => [step.id, step])).values()].sort((a, b) => a.id - b.id);
  return once.map(({ sopInstanceUid, performedProcedureStepStatus }) => ({
    sopInstanceUid,
    performedProcedureStepStatus,
  }));
}

function toView(row: Row): ProcedureView {
  const { order } = row;
  return {
    requestedProcedureId: row.requestedProcedureId,
    accessionNumber: order.accessionNumber,
    placerOrderNumber: order.placerOrderNumber,
    fillerOrderNumber: order.fillerOrderNumber,
    studyInstanceUid: row.studyInstanceUid,
    patientId: patientIdOf(order.patient),
    orderStatus: order.unreconciled ? null : order.orderStatus,
    ...(order.unreconciled ? { unreconciled: true as const } : {}),
    patientDifferences: order.patientDifferences,
    state: row.state,
    availability: row.availability,
    report: row.report,
    steps: row.steps.map(stepShown),
    performedSteps: performedStepsOf(row),
    context: (row.machine as unknown as StoredMachine).context,
  };
}

function startsWithin({ startDateFrom, startDateTo }: ProcedureFilter): Prisma.RequestedProcedureWhereInput {
  if (startDateFrom === undefined && startDateTo === undefined) return {};
  const startDate = {
    ...(startDateFrom === undefined ? {} : { gte: dateColumn(startDateFrom) }),
    ...(startDateTo === undefined ? {} : { lte: dateColumn(startDateTo) }),
  };
  return { steps: { some: { startDate } } };
}

function conditions(filter: ProcedureFilter): Prisma.RequestedProcedureWhereInput {
  const { placerOrderNumber, accessionNumber, patientId, state } = filter;
  return {
    ...(state === undefined ? {} : { state }),
    order: {
      ...(placerOrderNumber === undefined ? {} : { placerOrderNumber }),
      ...(accessionNumber === undefined ? {} : { accessionNumber }),
      ...(patientId === undefined ? {} : ofPatient(patientId)),
    },
    ...startsWithin(filter),
  };
}

/** Requested procedures that meet a filter, newest first. */
export async function listProcedures(
  store: Store,
  filter: ProcedureFilter,
  page: PageRequest,
): Promise<Page<ProcedureView>> {
  const where = { AND: [conditions(filter), behind(page)] };
  const rows = await readSnapshot(store, (tx) =>
    tx.requestedProcedure.findMany({ where, include: shown, ...newestFirst(page) }),
  );
  return pageOf(rows, page, toView);
}

/** Requested procedure IDs that an id means: its own, else those of the order with this accession number. */
async function idsMeant(tx: Tx, id: string): Promise<string[]> {
  const own = await tx.requestedProcedure.findUnique({
    where: { requestedProcedureId: id },
    select: { requestedProcedureId: true },
  });
  if (own) return [own.requestedProcedureId];
  const shared = await tx.requestedProcedure.findMany({
    where: { order: { accessionNumber: id } },
    select: { requestedProcedureId: true },
    orderBy: { id: 'asc' },
  });
  return shared.map((row) => row.requestedProcedureId);
}

/** What an id means: one procedure, or the requested procedure IDs of several or of none. */
export type Meant<T> = { readonly one: T } | { readonly several: readonly string[] };

async function meant<T>(
  store: Store,
  id: string,
  read: (tx: Tx, requestedProcedureId: string) => Promise<T>,
): Promise<Meant<T>> {
  return readSnapshot(store, async (tx) => {
    const ids = await idsMeant(tx, id);
    const [first] = ids;
    return first !== undefined && ids.length === 1 ? { one: await read(tx, first) } : { several: ids };
  });
}

/** The procedure with this requested procedure ID, or with this accession number while it names one. */
export function findProcedure(store: Store, id: string): Promise<Meant<ProcedureView>> {
  return meant(store, id, async (tx, requestedProcedureId) =>
    toView(await tx.requestedProcedure.findUniqueOrThrow({ where: { requestedProcedureId }, include: shown })),
  );
}

/** One event of a requested procedure. */
export interface HistoryView {
  readonly at: string;
  readonly event: string;
  readonly from: string;
  readonly to: string;
  readonly cause: {
    /** The journal entry; null for what a person or a timer did. */
    readonly messageId: number | null;
    /** RAD-n of that entry. */
    readonly transaction: string | null;
    /** Peer, AE title or person. */
    readonly by: string | null;
  };
  readonly remark: string | null;
}

/** What a procedure went through, in the order in which it happened. */
export function findHistory(store: Store, id: string, page: PageRequest): Promise<Meant<Page<HistoryView>>> {
  return meant(store, id, async (tx, requestedProcedureId) => {
    const rows = await tx.history.findMany({
      where: { procedure: { requestedProcedureId }, ...(page.after === undefined ? {} : { id: { gt: page.after } }) },
      include: { message: { select: { transaction: true } } },
      orderBy: { id: 'asc' },
      take: page.limit + 1,
    });
    return pageOf(rows, page, (row) => ({
      at: instant(row.at),
      event: row.event,
      from: row.fromState,
      to: row.toState,
      cause: { messageId: row.messageId, transaction: row.message?.transaction ?? null, by: row.causedBy },
      remark: row.remark,
    }));
  });
}
