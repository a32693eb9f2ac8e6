import { type Dataset, text } from '../dicom/dataset.ts';
import { type KeyVerdict, keyVerdicts } from '../dicom/matching.ts';
import { stepToWorklist } from '../mapping/step-to-worklist.ts';
import { SwfError } from '../platform/errors.ts';
import type { WorklistConditions } from '../store/worklist.ts';
import { type RuleVerdict, adviceOn, visibilityVerdicts } from '../workflow/worklist-visibility.ts';
import type { Department } from './department.ts';
import { type WorklistQuestion, worklistIdentifier } from './rad-05-worklist.ts';
import { type Match, type WorklistAsker, type WorklistQuery, candidates, worklistQueryOf } from './worklist-query.ts';

/** One key or rule, what it wants, what the step has, and whether that fits. */
export interface WorklistCheck {
  readonly check: string;
  readonly keyword: string | null;
  readonly asked: readonly string[];
  readonly stored: readonly string[];
  readonly matches: boolean;
  readonly advice: string | null;
}

interface ExplainedStep {
  readonly scheduledProcedureStepId: string;
  readonly requestedProcedureId: string;
  readonly accessionNumber: string;
  readonly patientId: string;
  readonly stepStatus: Match['row']['stepStatus'];
  readonly state: string;
  readonly modality: string;
  readonly scheduledStationAeTitles: string[];
  readonly start: string;
  readonly listed: boolean;
  readonly checks: readonly WorklistCheck[];
}

/** Why steps are on the list of a device or not. */
export interface WorklistExplanation {
  readonly summary: string;
  readonly quirks: readonly string[];
  /** Whether the device may associate at all. */
  readonly association: readonly WorklistCheck[];
  readonly items: readonly ExplainedStep[];
  readonly truncated: boolean;
}

/** Keys as a person at the console calls them. */
const keyNames: Readonly<Record<string, string>> = {
  ScheduledStationAETitle: 'station',
  ScheduledProcedureStepStartDate: 'date',
  ScheduledProcedureStepStartTime: 'time',
  Modality: 'modality',
  PatientID: 'patient id',
  PatientName: 'patient name',
  AccessionNumber: 'accession number',
  RequestedProcedureID: 'requested procedure id',
  ScheduledProcedureStepID: 'step id',
  ScheduledProcedureStepStatus: 'status key',
};

// What to look at where a key of a device keeps a step off; the other keys say it by their values.
const keyAdvice: Readonly<Record<string, string>> = {
  ScheduledStationAETitle:
    'the step is offered to other stations: see stations of the catalogue, or POST /api/procedures/{id}/reschedule',
  ScheduledProcedureStepStartDate: 'it starts on another day: see what the order asked for, and organisation.timeZone',
  Modality: 'the catalogue, or OBR-24 of the order, names another modality',
  PatientID: 'it is not (or no longer) the first identifier of the patient: see GET /api/patients/{id}',
};

function keyCheck({ keyword, asked, stored, matches }: KeyVerdict): WorklistCheck {
  const advice = matches ? null : (keyAdvice[keyword] ?? null);
  return { check: keyNames[keyword] ?? keyword, keyword, asked, stored, matches, advice };
}

function ruleCheck(verdict: RuleVerdict, { row }: Match): WorklistCheck {
  const { rule, asked, stored, matches } = verdict;
  const advice = matches ? null : (adviceOn(verdict, row) ?? null);
  return { check: rule, keyword: null, asked, stored, matches, advice };
}

function explained(match: Match, { keys, view }: WorklistQuery, mayAssociate: boolean): ExplainedStep {
  const { row, item } = match;
  const checks = [
    ...[...visibilityVerdicts(row, view)].map((verdict) => ruleCheck(verdict, match)),
    ...[...keyVerdicts(item, keys)].map(keyCheck),
  ];
  return {
    scheduledProcedureStepId: row.scheduledProcedureStepId,
    requestedProcedureId: row.requestedProcedureId,
    accessionNumber: row.accessionNumber,
    patientId: text(item, 'PatientID') ?? '',
    stepStatus: row.stepStatus,
    state: row.state,
    modality: row.modality,
    scheduledStationAeTitles: [...row.scheduledStationAeTitles],
    start: `${row.startDate}T${row.startTime}`,
    listed: mayAssociate && checks.every(({ matches }) => matches),
    checks,
  };
}

/** Whether an association is taken at all: AE titles as the site file has them (PS3.8 9.3.4). */
function associationChecks({ config }: Department, { callingAeTitle, calledAeTitle }: WorklistAsker): WorklistCheck[] {
  const { aeTitle, callingAeTitles } = config.dicom;
  const called = [aeTitle, ...config.worklists.map((worklist) => worklist.aeTitle)];
  const check = (name: string, asked: string, stored: readonly string[], advice: string): WorklistCheck => {
    const matches = stored.includes(asked);
    return { check: name, keyword: null, asked: [asked], stored, matches, advice: matches ? null : advice };
  };
  const checks: WorklistCheck[] = [];
  if (calledAeTitle !== undefined)
    checks.push(
      check('called AE title', calledAeTitle, called, 'the association is rejected: see dicom.aeTitle, worklists'),
    );
  if (callingAeTitle !== undefined && callingAeTitles !== 'any')
    checks.push(
      check(
        'calling AE title',
        callingAeTitle,
        callingAeTitles,
        'the association is rejected: see dicom.callingAeTitles',
      ),
    );
  return checks;
}

/** Which steps are meant: those of the narrowest name that is given. */
function namedBy(question: WorklistQuestion): { conditions: WorklistConditions; name: string } {
  const { requestedProcedureId, accessionNumber, patientId } = question;
  if (requestedProcedureId !== undefined)
    return { conditions: { requestedProcedureId }, name: 'requested procedure id' };
  if (accessionNumber !== undefined) return { conditions: { accessionNumber }, name: 'accession number' };
  if (patientId !== undefined) return { conditions: { patientIdEver: patientId }, name: 'patient id' };
  throw new SwfError('data-type', 'say which steps: accessionNumber, patientId or requestedProcedureId');
}

/** `2 by station, 1 by date`: how many steps each failing check keeps off, the commonest first. */
function reasonsOf(steps: readonly ExplainedStep[]): string {
  const counts = new Map<string, number>();
  for (const { check } of steps.flatMap(({ checks }) => checks.filter(({ matches }) => !matches)))
    counts.set(check, (counts.get(check) ?? 0) + 1);
  const sorted = [...counts].sort(([, one], [, other]) => other - one);
  return sorted.map(([check, count]) => `${count} by ${check}`).join(', ');
}

const counted = (count: number): string => `${count} ${count === 1 ? 'step' : 'steps'}`;

function summaryOf(
  { items, association }: Pick<WorklistExplanation, 'items' | 'association'>,
  { callingAeTitle }: WorklistAsker,
  name: string,
): string {
  if (items.length === 0)
    return `No step has this ${name}. Did the order come? GET /api/messages?transaction=RAD-2 lists those that did, refused ones too.`;
  const listed = items.filter((item) => item.listed).length;
  const whose = callingAeTitle === undefined ? 'on the list' : `on the list of ${callingAeTitle}`;
  const head = `${counted(items.length)}; ${listed} ${whose}`;
  const rejected = association.filter(({ matches }) => !matches).map(({ check }) => check);
  if (rejected.length > 0) return `${head}: its association is rejected by ${rejected.join(' and ')}.`;
  if (listed === items.length) return `${head}.`;
  return `${head}. Kept off: ${reasonsOf(items)}.`;
}

const MOST_STEPS = 500;

/**
 * Whether each step of a procedure, order or patient is on the list that a device gets for a question, and key by key,
 * rule by rule why: by the functions that answer C-FIND. Throws 'data-type' where nothing says which steps are meant.
 */
export async function explainWorklist(
  department: Department,
  question: WorklistQuestion & WorklistAsker,
): Promise<WorklistExplanation> {
  const { config } = department;
  const { conditions, name } = namedBy(question);
  const asker = { ...question, calledAeTitle: question.calledAeTitle ?? config.dicom.aeTitle };
  const identifier: Dataset = worklistIdentifier(department, question);
  const query = worklistQueryOf(config, identifier, asker);
  const association = associationChecks(department, asker);
  const mayAssociate = association.every(({ matches }) => matches);
  const search = { conditions: [conditions], unreconciledToo: true } as const;
  const itemOf = (row: Match['row']): Dataset => stepToWorklist(row, query.site);
  const items: ExplainedStep[] = [];
  let truncated = false;
  for await (const match of candidates(department, search, itemOf)) {
    truncated = items.length >= MOST_STEPS;
    if (truncated) break;
    items.push(explained(match, query, mayAssociate));
  }
  const summary = summaryOf({ items, association }, asker, name);
  return { summary, quirks: [...query.quirks], association, items, truncated };
}
