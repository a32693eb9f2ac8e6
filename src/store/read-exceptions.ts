import { type DiscontinuationProposal } from '../workflow/discontinuation.ts';
import type { DeliveryFacts, ExceptionFacts, ExceptionKind } from '../workflow/exceptions.ts';
import type { PerformedProcedureStepStatus } from '../workflow/vocabulary.ts';
import {
  type ExceptionPlace,
  type ExceptionRow,
  type ExceptionSubject,
  exceptionRows,
  proceduresConcerned,
} from './exception-sources.ts';
import type { StoredDataset } from './performed-steps.ts';
import { storedMachine } from './procedures.ts';
import { type Store, type Tx } from './prisma.ts';
import { type Page, instant, readSnapshot } from './read-page.ts';
import { discontinuationOf } from './read-performed-steps.ts';

/** A case that a person has to look at. */
export interface ExceptionView {
  readonly id: string;
  readonly kind: ExceptionKind;
  readonly since: string;
  /** What its kind does not say: the alarm, the peer's error, why it was discontinued. */
  readonly detail: string | null;
  readonly requestedProcedureIds: readonly string[];
  readonly placerOrderNumber: string | null;
  readonly fillerOrderNumber: string | null;
  readonly accessionNumber: string | null;
  readonly mppsUid: string | null;
  /** The study that a modality made up, for the order that is to come. */
  readonly studyInstanceUid: string | null;
  readonly destination: string | null;
  readonly messageId: number | null;
  readonly transaction: string | null;
  /** As far as it decides what can be done. */
  readonly facts: ExceptionFacts;
  /** Database ids of what settling it changes. */
  readonly subject: { readonly kind: ExceptionSubject; readonly id: number; readonly procedureIds: readonly number[] };
}

type About = Partial<
  Pick<ExceptionView, 'detail' | 'mppsUid' | 'studyInstanceUid' | 'destination' | 'messageId' | 'transaction'>
> & { readonly performed?: PerformedProcedureStepStatus; readonly delivery?: DeliveryFacts };

const asked = {
  none: 'nothing more is usually done',
  reschedule: 'usually it is rescheduled',
  change: 'usually another procedure is meant',
  continue: 'usually it is continued',
  look: 'a person has to say what it means',
} as const satisfies Record<DiscontinuationProposal, string>;

async function aboutPerformed(tx: Tx, ids: readonly number[]): Promise<Map<number, About>> {
  const rows = await tx.performedProcedureStep.findMany({ where: { id: { in: [...ids] } } });
  return new Map(
    rows.map((row): [number, About] => {
      const performed = row.performedProcedureStepStatus as PerformedProcedureStepStatus;
      const given = performed === 'DISCONTINUED' ? discontinuationOf(row.dataset as unknown as StoredDataset) : null;
      const why = given && `${given.meaning ?? given.code ?? 'no reason given'}: ${asked[given.proposal]}`;
      const where = `${row.modality} at ${row.performedStationAeTitle}, ${performed}`;
      const detail = [where, why].filter(Boolean).join('; ');
      const [studyInstanceUid] = row.studyInstanceUids;
      return [row.id, { detail, performed, mppsUid: row.sopInstanceUid, studyInstanceUid: studyInstanceUid ?? null }];
    }),
  );
}

const orderFacts = { select: { placerOrderNumber: true, endedBy: true } } as const;

async function aboutDeliveries(tx: Tx, ids: readonly number[]): Promise<Map<number, About>> {
  const rows = await tx.delivery.findMany({
    where: { id: { in: [...ids] } },
    include: { message: { select: { transaction: true } }, order: orderFacts },
  });
  const pauses = await tx.lanePause.findMany({ where: { resumedAt: null }, select: { destination: true } });
  const paused = new Set(pauses.map(({ destination }) => destination));
  return new Map(
    rows.map((row): [number, About] => {
      const { destination, messageId, order } = row;
      const settled = order !== null && (order.placerOrderNumber !== null || order.endedBy !== null);
      const outlived = row.effect === 'requestOrderNumber' && settled;
      const { transaction } = row.message;
      const detail = `${transaction ?? 'a message'} to ${destination}: ${row.lastError ?? 'refused'}`;
      const delivery = { lanePaused: paused.has(destination), outlived };
      return [row.id, { detail, destination, messageId, transaction, delivery }];
    }),
  );
}

async function aboutOrders(tx: Tx, ids: readonly number[]): Promise<Map<number, About>> {
  const rows = await tx.order.findMany({ where: { id: { in: [...ids] } }, select: { id: true, alarm: true } });
  return new Map(rows.map(({ id, alarm }) => [id, { detail: alarm }]));
}

async function aboutTimers(tx: Tx, ids: readonly number[]): Promise<Map<number, About>> {
  const rows = await tx.timer.findMany({
    where: { id: { in: [...ids] } },
    include: { step: { select: { scheduledProcedureStepId: true } }, performedStep: true },
  });
  return new Map(
    rows.map(({ id, since, effect, step, performedStep }): [number, About] => {
      const waited = `waited for since ${instant(since)}`;
      const done = effect === null || effect === 'alarm' ? undefined : `done: ${effect}`;
      const detail = [step?.scheduledProcedureStepId, waited, done].filter(Boolean).join('; ');
      return [id, { detail, mppsUid: performedStep?.sopInstanceUid ?? null }];
    }),
  );
}

/** Nothing is known of a procedure that its machine does not say. */
const aboutProcedures = (_tx: Tx, ids: readonly number[]): Promise<Map<number, About>> =>
  Promise.resolve(new Map(ids.map((id) => [id, {}])));

const readers: Readonly<Record<ExceptionSubject, typeof aboutOrders>> = {
  performedStep: aboutPerformed,
  delivery: aboutDeliveries,
  order: aboutOrders,
  procedure: aboutProcedures,
  timer: aboutTimers,
};

const patientShown = {
  select: {
    temporary: true,
    mergedIntoId: true,
    identifiers: { where: { current: true }, select: { id: true }, take: 1 },
  },
} as const;

const shown = {
  order: {
    select: {
      placerOrderNumber: true,
      fillerOrderNumber: true,
      accessionNumber: true,
      unreconciled: true,
      patient: patientShown,
      requestedProcedures: { select: { machine: true, machineVersion: true } },
    },
  },
} as const;

const procedureRows = (tx: Tx, ids: readonly number[]) =>
  tx.requestedProcedure.findMany({ where: { id: { in: [...ids] } }, include: shown, orderBy: { id: 'asc' } });

type ProcedureRow = Awaited<ReturnType<typeof procedureRows>>[number];

function factsOf({ requestedProcedureId, order, ...row }: ProcedureRow): ExceptionFacts['procedures'][number] {
  const { unreconciled, patient, requestedProcedures } = order;
  return {
    requestedProcedureId,
    machine: storedMachine(row),
    ordered: !unreconciled,
    ofOrder: requestedProcedures.map(storedMachine),
    // One who is on images under the number of somebody else has none of his own.
    reconcilable: patient.temporary && patient.mergedIntoId === null && patient.identifiers.length > 0,
  };
}

function toView(row: ExceptionRow, about: About, procedures: readonly ProcedureRow[]): ExceptionView {
  const { performed, delivery, ...said } = about;
  // Numbers of an order that nobody has placed were told to nobody.
  const order = procedures.find((one) => !one.order.unreconciled)?.order;
  const nothing = { detail: null, mppsUid: null, destination: null, messageId: null, transaction: null };
  return {
    id: row.id,
    kind: row.kind,
    since: instant(row.since),
    requestedProcedureIds: procedures.map(({ requestedProcedureId }) => requestedProcedureId),
    placerOrderNumber: order?.placerOrderNumber ?? null,
    fillerOrderNumber: order?.fillerOrderNumber ?? null,
    accessionNumber: order?.accessionNumber ?? null,
    studyInstanceUid: null,
    ...nothing,
    ...said,
    facts: {
      procedures: procedures.map(factsOf),
      performed,
      delivery,
    },
    subject: { kind: row.subject, id: row.subjectId, procedureIds: procedures.map(({ id }) => id) },
  };
}

async function described(tx: Tx, rows: readonly ExceptionRow[]): Promise<ExceptionView[]> {
  const about = new Map<string, About>();
  const concerned = new Map<string, readonly number[]>();
  for (const subject of new Set(rows.map((row) => row.subject))) {
    const ids = [...new Set(rows.filter((row) => row.subject === subject).map(({ subjectId }) => subjectId))];
    for (const [id, said] of await readers[subject](tx, ids)) about.set(`${subject}-${id}`, said);
    for (const [id, found] of await proceduresConcerned(tx, subject, ids)) concerned.set(`${subject}-${id}`, found);
  }
  const all = await procedureRows(tx, [...new Set([...concerned.values()].flat())]);
  return rows.map((row) => {
    const key = `${row.subject}-${row.subjectId}`;
    const ids = new Set(concerned.get(key) ?? []);
    return toView(
      row,
      about.get(key) ?? {},
      all.filter(({ id }) => ids.has(id)),
    );
  });
}

export interface ExceptionFilter {
  readonly kind?: ExceptionKind | undefined;
  readonly requestedProcedureId?: string | undefined;
}

/** Everything that a person has to look at, newest first. Rejects with 'database-unavailable'. */
export async function listExceptions(
  store: Store,
  filter: ExceptionFilter,
  { limit, after }: { readonly limit: number; readonly after?: ExceptionPlace | undefined },
): Promise<Omit<Page<ExceptionView>, 'next'> & { readonly next: ExceptionPlace | null }> {
  return readSnapshot(store, async (tx) => {
    const rows = await exceptionRows(tx, { ...filter, after, limit: limit + 1 });
    const listed = rows.slice(0, limit);
    const last = listed.at(-1);
    return { items: await described(tx, listed), next: rows.length > limit && last ? last : null };
  });
}

/** One case as it stands now; undefined where it is not open, or not known. */
export async function findException(tx: Tx, id: string): Promise<ExceptionView | undefined> {
  const rows = await exceptionRows(tx, { id, limit: 1 });
  return (await described(tx, rows))[0];
}

/** Keeps who closed a case and why. */
export async function addSettledException(
  tx: Tx,
  settled: {
    readonly exception: string;
    readonly kind: ExceptionKind;
    readonly at: Date;
    readonly settledBy: string;
    readonly reason: string;
  },
): Promise<void> {
  await tx.settledException.create({ data: settled });
}
