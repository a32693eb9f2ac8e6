import type { PerformedProcedureStepStatus } from '../workflow/vocabulary.ts';
import { Prisma } from './generated/client.ts';
import { type Tx, json } from './prisma.ts';

/** A data set by keyword, as JSON keeps it. */
export type StoredDataset = Readonly<Record<string, readonly unknown[]>>;

export interface InstanceReference {
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly seriesInstanceUid: string;
}

export interface StoredPerformedStep {
  readonly id: number;
  readonly sopInstanceUid: string;
  readonly performedProcedureStepStatus: PerformedProcedureStepStatus;
  readonly dataset: StoredDataset;
  readonly exception: string | null;
  /** Database ids of the scheduled steps it performs. */
  readonly stepIds: readonly number[];
  /** Database ids of the procedures on whose images an evidence creator works. */
  readonly evidenceOf: readonly number[];
}

export interface NewPerformedStep {
  readonly sopInstanceUid: string;
  readonly performedProcedureStepId: string;
  readonly performedStationAeTitle: string;
  readonly modality: string;
  readonly studyInstanceUids: readonly string[];
  readonly dataset: StoredDataset;
  readonly exception: string | undefined;
  readonly callingAeTitle: string;
  readonly stepIds: readonly number[];
  readonly evidenceOf: readonly number[];
  readonly at: Date;
}

/** Creates an MPPS instance; undefined when it exists (the unique index decides between two at once). */
export async function createPerformedStep(tx: Tx, step: NewPerformedStep): Promise<number | undefined> {
  const created = await tx.performedProcedureStep.createManyAndReturn({
    data: [
      {
        sopInstanceUid: step.sopInstanceUid,
        performedProcedureStepStatus: 'IN PROGRESS',
        performedProcedureStepId: step.performedProcedureStepId,
        performedStationAeTitle: step.performedStationAeTitle,
        modality: step.modality,
        studyInstanceUids: [...step.studyInstanceUids],
        dataset: json(step.dataset),
        exception: step.exception ?? null,
        callingAeTitle: step.callingAeTitle,
        createdAt: step.at,
        updatedAt: step.at,
      },
    ],
    skipDuplicates: true,
    select: { id: true },
  });
  const id = created[0]?.id;
  if (id === undefined) return undefined;
  await tx.performedStepLink.createMany({ data: step.stepIds.map((stepId) => ({ stepId, performedStepId: id })) });
  if (step.evidenceOf.length > 0) {
    const data = step.evidenceOf.map((procedureId) => ({ procedureId, performedStepId: id }));
    await tx.evidenceLink.createMany({ data });
  }
  return id;
}

/**
 * The orders whose steps an MPPS performs, or on whose images it works; undefined when the MPPS is not known. Nothing is
 * locked yet.
 */
export async function ordersOfPerformedStep(tx: Tx, sopInstanceUid: string): Promise<number[] | undefined> {
  const procedure = { select: { orderId: true } } as const;
  const row = await tx.performedProcedureStep.findUnique({
    where: { sopInstanceUid },
    select: {
      steps: { select: { step: { select: { procedure } } } },
      evidenceOf: { select: { procedure } },
    },
  });
  if (!row) return undefined;
  const procedures = [...row.steps.map((link) => link.step.procedure), ...row.evidenceOf.map((link) => link.procedure)];
  return [...new Set(procedures.map(({ orderId }) => orderId))].sort((a, b) => a - b);
}

/** Locks and reads an MPPS. Its orders are locked before. */
export async function lockPerformedStep(tx: Tx, sopInstanceUid: string): Promise<StoredPerformedStep> {
  await tx.$queryRaw`SELECT id FROM "PerformedProcedureStep" WHERE "sopInstanceUid" = ${sopInstanceUid} FOR UPDATE`;
  const row = await tx.performedProcedureStep.findUniqueOrThrow({
    where: { sopInstanceUid },
    include: { steps: { select: { stepId: true } }, evidenceOf: { select: { procedureId: true } } },
  });
  return {
    id: row.id,
    sopInstanceUid: row.sopInstanceUid,
    performedProcedureStepStatus: row.performedProcedureStepStatus as PerformedProcedureStepStatus,
    dataset: row.dataset as unknown as StoredDataset,
    exception: row.exception,
    stepIds: row.steps.map((link) => link.stepId),
    evidenceOf: row.evidenceOf.map((link) => link.procedureId),
  };
}

/** Saves an N-SET: the instance as it stands now and the instances that it names. */
export async function savePerformedStep(
  tx: Tx,
  id: number,
  change: {
    readonly status: PerformedProcedureStepStatus;
    readonly dataset: StoredDataset;
    readonly exception: string | null;
    readonly instances: readonly InstanceReference[];
    readonly at: Date;
  },
): Promise<void> {
  await tx.performedProcedureStep.update({
    where: { id },
    data: {
      performedProcedureStepStatus: change.status,
      dataset: json(change.dataset),
      exception: change.exception,
      updatedAt: change.at,
    },
  });
  await tx.referencedInstance.deleteMany({ where: { performedStepId: id } });
  await tx.referencedInstance.createMany({
    data: change.instances.map((instance) => ({ performedStepId: id, ...instance })),
    skipDuplicates: true,
  });
}

/** Says why a person should look at a locked MPPS. */
export async function noteException(tx: Tx, id: number, exception: string): Promise<void> {
  await tx.performedProcedureStep.update({ where: { id }, data: { exception } });
}

/** The order that holds the place of one for what an MPPS performed; undefined once it is bound, or where it never was. */
export async function unreconciledOrderOf(
  tx: Tx,
  performed: { readonly sopInstanceUid: string } | { readonly studyInstanceUid: string },
): Promise<number | undefined> {
  const procedure =
    'studyInstanceUid' in performed
      ? performed
      : { steps: { some: { performedSteps: { some: { performedStep: performed } } } } };
  const where = { unreconciled: true, requestedProcedures: { some: procedure } };
  return (await tx.order.findFirst({ where, select: { id: true }, orderBy: { id: 'asc' } }))?.id;
}

/** What is no longer a reason to look at the MPPS of these steps, by database id; their procedures are locked. */
export async function settleExceptions(tx: Tx, stepIds: readonly number[], settled: readonly string[]): Promise<void> {
  const rows = await tx.performedProcedureStep.findMany({
    where: { exception: { not: null }, steps: { some: { stepId: { in: [...stepIds] } } } },
    select: { id: true, exception: true },
  });
  for (const { id, exception } of rows) {
    const left = (exception ?? '').split(', ').filter((one) => !settled.includes(one));
    await tx.performedProcedureStep.update({ where: { id }, data: { exception: left.join(', ') || null } });
  }
}

/** What is no longer a reason to look at one MPPS; false where it was none. */
export async function settleException(tx: Tx, id: number, settled: string): Promise<boolean> {
  await tx.$queryRaw`SELECT id FROM "PerformedProcedureStep" WHERE id = ${id} FOR UPDATE`;
  const { exception } = await tx.performedProcedureStep.findUniqueOrThrow({
    where: { id },
    select: { exception: true },
  });
  const reasons = (exception ?? '').split(', ');
  const left = reasons.filter((one) => one !== settled);
  await tx.performedProcedureStep.update({ where: { id }, data: { exception: left.join(', ') || null } });
  return left.length < reasons.length;
}

/** Which MPPS are whose: by the steps that they perform, and those of evidence creators. */
const ofProcedures = Prisma.sql`(
  SELECT s."procedureId", l."performedStepId"
  FROM "ScheduledProcedureStep" s JOIN "PerformedStepLink" l ON l."stepId" = s.id
  UNION
  SELECT "procedureId", "performedStepId" FROM "EvidenceLink")`;

/**
 * Instances (i) that final MPPS (p) name, by their procedures (s); those made under the wrong worklist entry are another
 * procedure's.
 */
export const namedInstances = Prisma.sql`${ofProcedures} s
    JOIN "PerformedProcedureStep" p ON p.id = s."performedStepId" AND p."performedProcedureStepStatus" <> 'IN PROGRESS'
      AND COALESCE(p.exception, '') NOT LIKE '%wrong-entry%'
    JOIN "ReferencedInstance" i ON i."performedStepId" = p.id`;

/**
 * Instances named by the final MPPS of each procedure, and how many of them are ONLINE or NEARLINE.
 * An instance counts once for a procedure, however many MPPS name it.
 */
export async function countInstances(
  tx: Tx,
  procedureIds: readonly number[],
): Promise<Map<number, { named: number; available: number }>> {
  const rows = await tx.$queryRaw<{ procedureId: number; named: bigint; available: bigint }[]>`
    SELECT s."procedureId",
           count(DISTINCT i."sopInstanceUid") AS named,
           count(DISTINCT i."sopInstanceUid") FILTER (WHERE a."instanceAvailability" IN ('ONLINE', 'NEARLINE')) AS available
    FROM ${namedInstances}
    LEFT JOIN "InstanceAvailability" a ON a."sopInstanceUid" = i."sopInstanceUid"
    WHERE s."procedureId" = ANY(${[...procedureIds]}::int[])
    GROUP BY s."procedureId"`;
  return new Map(rows.map((row) => [row.procedureId, { named: Number(row.named), available: Number(row.available) }]));
}

export interface ReportedInstance {
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly instanceAvailability: string;
  readonly retrieveAeTitle: string;
}

/** What an Image Manager says of instances now; the last word on each instance counts. */
export async function saveAvailability(
  tx: Tx,
  instances: readonly ReportedInstance[],
  notification: { readonly messageId: number; readonly at: Date },
): Promise<void> {
  // One statement whatever the size; sorted, so that two notifications about the same study cannot deadlock.
  const sorted = [...new Map(instances.map((one) => [one.sopInstanceUid, one])).values()].sort((a, b) =>
    a.sopInstanceUid < b.sopInstanceUid ? -1 : 1,
  );
  const column = (key: keyof ReportedInstance): string[] => sorted.map((one) => one[key]);
  await tx.$executeRaw`
    INSERT INTO "InstanceAvailability"
      ("sopInstanceUid", "studyInstanceUid", "instanceAvailability", "retrieveAeTitle", "messageId", "updatedAt")
    SELECT u.sop, u.study, u.availability, u.retrieve, ${notification.messageId}::int, ${notification.at}::timestamptz
    FROM unnest(${column('sopInstanceUid')}::text[], ${column('studyInstanceUid')}::text[],
                ${column('instanceAvailability')}::text[], ${column('retrieveAeTitle')}::text[])
         AS u(sop, study, availability, retrieve)
    ON CONFLICT ("sopInstanceUid") DO UPDATE SET
      "studyInstanceUid" = EXCLUDED."studyInstanceUid",
      "instanceAvailability" = EXCLUDED."instanceAvailability",
      "retrieveAeTitle" = EXCLUDED."retrieveAeTitle",
      "messageId" = EXCLUDED."messageId",
      "updatedAt" = EXCLUDED."updatedAt"`;
}

/** What an image manager said of images, and how: by itself (RAD-49), or because it was asked (RAD-11). */
export interface LastReport {
  readonly messageId: number;
  readonly peer: string;
  readonly kind: 'notification' | 'query';
  readonly at: Date;
}

/** What last told that an instance is there which a procedure's final MPPS name; undefined when nobody has. */
export async function lastReport(tx: Tx, procedureId: number): Promise<LastReport | undefined> {
  const rows = await tx.$queryRaw<LastReport[]>`
    SELECT m.id AS "messageId", COALESCE(m.peer, m."sendingApplication") AS peer, m.at,
           CASE WHEN m.direction = 'OUT' THEN 'query' ELSE 'notification' END AS kind
    FROM ${namedInstances}
    JOIN "InstanceAvailability" a ON a."sopInstanceUid" = i."sopInstanceUid"
      AND a."instanceAvailability" IN ('ONLINE', 'NEARLINE')
    JOIN "Message" m ON m.id = a."messageId"
    WHERE s."procedureId" = ${procedureId}
    ORDER BY m.id DESC
    LIMIT 1`;
  return rows[0];
}

/**
 * Orders that a notification concerns: those of the study, and those whose MPPS name the study or one of the instances.
 * An MPPS may name another study than the procedure's (group case); found by it, both sides lock the same orders.
 */
export async function ordersOfInstances(
  tx: Tx,
  studyInstanceUid: string,
  sopInstanceUids: readonly string[],
): Promise<number[]> {
  const rows = await tx.$queryRaw<{ orderId: number }[]>`
    SELECT "orderId" FROM "RequestedProcedure" WHERE "studyInstanceUid" = ${studyInstanceUid}
    UNION
    SELECT r."orderId" FROM "ReferencedInstance" i
    JOIN ${ofProcedures} o ON o."performedStepId" = i."performedStepId"
    JOIN "RequestedProcedure" r ON r.id = o."procedureId"
    WHERE i."sopInstanceUid" = ANY(${[...sopInstanceUids]}::text[])
    UNION
    SELECT r."orderId" FROM "PerformedProcedureStep" p
    JOIN ${ofProcedures} o ON o."performedStepId" = p.id
    JOIN "RequestedProcedure" r ON r.id = o."procedureId"
    WHERE p."studyInstanceUids" && ARRAY[${studyInstanceUid}]::text[]
    ORDER BY 1`;
  return rows.map((row) => row.orderId);
}

/** The procedures whose steps an MPPS performs. */
export async function proceduresOfPerformedStep(
  tx: Tx,
  sopInstanceUid: string,
): Promise<{ readonly id: number; readonly orderId: number }[]> {
  return tx.requestedProcedure.findMany({
    where: { steps: { some: { performedSteps: { some: { performedStep: { sopInstanceUid } } } } } },
    select: { id: true, orderId: true },
    orderBy: { id: 'asc' },
  });
}
