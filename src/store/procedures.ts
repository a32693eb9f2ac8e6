import { SwfError } from '../platform/errors.ts';
import { MACHINE_VERSION, type StoredMachine, upgraded } from '../workflow/procedure-machine.ts';
import type { ResultStatus } from '../workflow/statements.ts';
import { stepDetailsOf } from '../workflow/planning.ts';
import type {
  CodedValue,
  Person,
  PlannedProcedure,
  PlannedStep,
  StepDetails,
  StepStatus,
} from '../workflow/vocabulary.ts';
import { type Tx, dateColumn, dateOf, json, timeColumn, timeOf } from './prisma.ts';

export interface StoredStep extends PlannedStep {
  readonly id: number;
  readonly stepStatus: StepStatus;
}

export interface StoredProcedure {
  readonly id: number;
  readonly orderId: number;
  readonly requestedProcedureId: string;
  readonly studyInstanceUid: string;
  readonly code: CodedValue;
  readonly serviceIndex: number;
  readonly machine: StoredMachine;
  readonly steps: readonly StoredStep[];
}

function machineColumns(machine: StoredMachine) {
  return {
    state: machine.value.acquisition,
    availability: machine.value.availability,
    report: machine.value.report,
    offered: machine.context.confirmations[4] !== undefined,
    machine: json(machine),
    machineVersion: MACHINE_VERSION,
  };
}

function stepColumns(step: PlannedStep) {
  return {
    scheduledProcedureStepId: step.scheduledProcedureStepId,
    stepStatus: 'SCHEDULED' as const,
    modality: step.modality,
    scheduledStationAeTitles: [...step.scheduledStationAeTitles],
    startDate: dateColumn(step.start.date),
    startTime: timeColumn(step.start.time),
    minutes: step.minutes,
    details: json(stepDetailsOf(step)),
  };
}

/** Creates a procedure of a locked order with its steps and its machine. */
export async function createProcedure(
  tx: Tx,
  orderId: number,
  plan: PlannedProcedure,
  start: { readonly machine: StoredMachine; readonly at: Date; readonly uncatalogued?: boolean },
): Promise<StoredProcedure> {
  const created = await tx.requestedProcedure.create({
    data: {
      orderId,
      requestedProcedureId: plan.requestedProcedureId,
      studyInstanceUid: plan.studyInstanceUid,
      code: json(plan.code),
      serviceIndex: plan.serviceIndex,
      uncatalogued: start.uncatalogued ?? false,
      ...machineColumns(start.machine),
      createdAt: start.at,
      updatedAt: start.at,
    },
    select: { id: true },
  });
  const steps = await tx.scheduledProcedureStep.createManyAndReturn({
    data: plan.steps.map((step) => ({ procedureId: created.id, ...stepColumns(step) })),
  });
  return {
    id: created.id,
    orderId,
    requestedProcedureId: plan.requestedProcedureId,
    studyInstanceUid: plan.studyInstanceUid,
    code: plan.code,
    serviceIndex: plan.serviceIndex,
    machine: start.machine,
    steps: steps.map(toStep),
  };
}

/** Locks and reads every procedure of locked orders, in the order of their ids. */
export async function lockProceduresOf(tx: Tx, orderIds: readonly number[]): Promise<StoredProcedure[]> {
  if (orderIds.length === 0) return [];
  await tx.$queryRaw`SELECT id FROM "RequestedProcedure" WHERE "orderId" = ANY(${[...orderIds]}::int[]) ORDER BY id FOR UPDATE`;
  const rows = await tx.requestedProcedure.findMany({
    where: { orderId: { in: [...orderIds] } },
    include: { steps: { orderBy: { id: 'asc' } } },
    orderBy: { id: 'asc' },
  });
  return rows.map((row) => ({
    id: row.id,
    orderId: row.orderId,
    requestedProcedureId: row.requestedProcedureId,
    studyInstanceUid: row.studyInstanceUid,
    code: row.code as CodedValue,
    serviceIndex: row.serviceIndex,
    machine: storedMachine(row),
    steps: row.steps.map(toStep),
  }));
}

/** A machine of another shape than this program's needs a migration; guessing would move a patient's procedure wrongly. */
export function storedMachine(row: { readonly machine: unknown; readonly machineVersion: number }): StoredMachine {
  const machine = upgraded(row.machine, row.machineVersion);
  if (machine) return machine;
  throw new SwfError(
    'internal',
    `a procedure has a machine of version ${row.machineVersion}, this program has ${MACHINE_VERSION}`,
  );
}

function toStep(row: {
  id: number;
  scheduledProcedureStepId: string;
  stepStatus: StepStatus;
  modality: string;
  scheduledStationAeTitles: string[];
  startDate: Date;
  startTime: Date;
  minutes: number;
  details: unknown;
}): StoredStep {
  const details = row.details as StepDetails;
  return {
    id: row.id,
    scheduledProcedureStepId: row.scheduledProcedureStepId,
    stepStatus: row.stepStatus,
    modality: row.modality,
    scheduledStationAeTitles: row.scheduledStationAeTitles,
    start: { date: dateOf(row.startDate), time: timeOf(row.startTime) },
    minutes: row.minutes,
    ...stepDetailsOf(details),
  };
}

/** Saves a moved machine and the step statuses that follow from it. */
export async function saveMachine(
  tx: Tx,
  procedure: StoredProcedure,
  machine: StoredMachine,
  at: Date,
): Promise<StoredProcedure> {
  await tx.requestedProcedure.update({
    where: { id: procedure.id },
    data: { ...machineColumns(machine), updatedAt: at },
  });
  const steps: StoredStep[] = [];
  for (const step of procedure.steps) {
    const stepStatus = machine.context.steps[step.scheduledProcedureStepId]?.stepStatus ?? step.stepStatus;
    if (stepStatus !== step.stepStatus)
      await tx.scheduledProcedureStep.update({ where: { id: step.id }, data: { stepStatus } });
    steps.push({ ...step, stepStatus });
  }
  return { ...procedure, machine, steps };
}

/** Puts a step of a locked procedure to another time and station. */
export async function moveStep(tx: Tx, id: number, step: PlannedStep): Promise<void> {
  const { startDate, startTime, scheduledStationAeTitles, details } = stepColumns(step);
  const data = { startDate, startTime, scheduledStationAeTitles, details };
  await tx.scheduledProcedureStep.update({ where: { id }, data });
}

/** What was last reported of a procedure, and by whom. */
export async function lastResult(tx: Tx, procedureId: number) {
  const message = { select: { sendingApplication: true, sendingFacility: true } };
  const row = await tx.result.findFirst({ where: { procedureId }, include: { message }, orderBy: { id: 'desc' } });
  if (!row) return undefined;
  return {
    resultStatus: row.resultStatus as ResultStatus,
    lines: row.lines,
    reportedAt: row.reportedAt ?? undefined,
    interpreter: (row.interpreter as Person | null) ?? undefined,
    ...row.message,
  };
}

/** What a step of a procedure with another code is: undefined where only the code describes it. */
type StepContent = Pick<PlannedStep, 'description' | 'protocols'>;

/** Gives a locked procedure another code; what is not said of its steps is described by it. */
export async function recodeProcedure(
  tx: Tx,
  procedure: StoredProcedure,
  code: CodedValue,
  contents: readonly StepContent[] = [],
): Promise<StoredProcedure> {
  await tx.requestedProcedure.update({ where: { id: procedure.id }, data: { code: json(code) } });
  const description = [...(code.meaning ?? code.code ?? '')].slice(0, 64).join('');
  const steps = procedure.steps.map((step, index) => {
    const said = contents[index];
    return { ...step, description: said?.description ?? description, protocols: said?.protocols ?? step.protocols };
  });
  for (const step of steps) {
    await tx.scheduledProcedureStep.update({ where: { id: step.id }, data: { details: json(stepDetailsOf(step)) } });
  }
  return { ...procedure, code, steps };
}

/** Nobody need look any more at what was planned from the order; false where nobody had to. */
export async function markCatalogued(tx: Tx, id: number): Promise<boolean> {
  const where = { id, uncatalogued: true };
  return (await tx.requestedProcedure.updateMany({ where, data: { uncatalogued: false } })).count > 0;
}

/** Gives a locked procedure to another locked order, as this OBR of it. */
export async function moveProcedure(
  tx: Tx,
  procedure: StoredProcedure,
  to: { readonly orderId: number; readonly serviceIndex: number },
): Promise<StoredProcedure> {
  await tx.requestedProcedure.update({ where: { id: procedure.id }, data: to });
  return { ...procedure, ...to };
}

/** Keeps what a report manager said of a locked procedure. */
export async function addResult(
  tx: Tx,
  procedureId: number,
  result: {
    readonly resultStatus: string;
    readonly lines: readonly string[];
    readonly reportedAt: string | undefined;
    readonly interpreter: Person | undefined;
    readonly messageId: number;
    readonly at: Date;
  },
): Promise<void> {
  const { resultStatus, lines, reportedAt = null, interpreter, messageId, at } = result;
  const columns = { procedureId, messageId, resultStatus, lines: [...lines], reportedAt, receivedAt: at };
  await tx.result.create({ data: { ...columns, ...(interpreter ? { interpreter: json(interpreter) } : {}) } });
}

export interface HistoryLine {
  readonly procedureId: number;
  readonly at: Date;
  readonly event: string;
  readonly fromState: string;
  readonly toState: string;
  readonly messageId?: number | undefined;
  readonly causedBy?: string | undefined;
  readonly remark?: string | undefined;
}

/** Appends to the history. */
export async function addHistory(tx: Tx, lines: readonly HistoryLine[]): Promise<void> {
  if (lines.length === 0) return;
  await tx.history.createMany({
    data: lines.map((line) => ({
      ...line,
      messageId: line.messageId ?? null,
      causedBy: line.causedBy ?? null,
      remark: line.remark ?? null,
    })),
  });
}
