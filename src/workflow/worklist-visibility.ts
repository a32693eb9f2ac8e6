import type { StepStatus } from './vocabulary.ts';

/** What the site shows of steps that have begun or whose patient has left. */
export interface VisibilityPolicy {
  readonly startedOnWorklist: boolean;
  readonly departedOnWorklist: boolean;
}

/** Step statuses that a worklist shows (RAD TF-2 4.5). */
export function worklistStatuses(policy: VisibilityPolicy): readonly StepStatus[] {
  return [
    'SCHEDULED',
    'ARRIVED',
    'READY',
    ...(policy.startedOnWorklist ? (['STARTED'] as const) : []),
    ...(policy.departedOnWorklist ? (['DEPARTED'] as const) : []),
  ];
}

/** States of a procedure that nobody has scheduled yet, or that is on hold: its steps have no place on a worklist. */
export const statesOffWorklist = ['planned', 'held'] as const;

/** What one worklist is limited to; an empty list limits nothing. */
export interface WorklistLimit {
  /** Where it comes from, as a person finds it in the site file. */
  readonly name: string;
  readonly modalities: readonly string[];
  readonly stations: readonly string[];
}

/** A worklist as somebody sees it, before any key. */
export interface WorklistView {
  readonly statuses: readonly StepStatus[];
  readonly limits: readonly WorklistLimit[];
}

/** A step as far as it decides who sees it. */
export interface VisibleStep {
  readonly stepStatus: StepStatus;
  /** Of its procedure: the acquisition region of the machine. */
  readonly state: string;
  /** It was performed before anybody ordered it, and is not bound to an order yet. */
  readonly unreconciled: boolean;
  readonly modality: string;
  readonly scheduledStationAeTitles: readonly string[];
}

/** One rule and how it stands to a step. */
export interface RuleVerdict {
  readonly rule: string;
  readonly asked: readonly string[];
  readonly stored: readonly string[];
  readonly matches: boolean;
}

function* limitVerdicts(step: VisibleStep, limit: WorklistLimit): Generator<RuleVerdict, void> {
  const { name, modalities, stations } = limit;
  const offered = step.scheduledStationAeTitles;
  if (modalities.length > 0) {
    const matches = modalities.includes(step.modality);
    yield { rule: `${name}: modality`, asked: modalities, stored: [step.modality], matches };
  }
  if (stations.length > 0) {
    const matches = offered.some((station) => stations.includes(station));
    yield { rule: `${name}: station`, asked: stations, stored: offered, matches };
  }
}

/** Rule by rule whether a view shows a step. */
export function* visibilityVerdicts(step: VisibleStep, view: WorklistView): Generator<RuleVerdict, void> {
  const { stepStatus, state } = step;
  if (step.unreconciled) yield { rule: 'order', asked: ['placed'], stored: [], matches: false };
  const matches = view.statuses.includes(stepStatus);
  yield { rule: 'step status', asked: view.statuses, stored: [stepStatus], matches };
  const off = statesOffWorklist.some((one) => one === state);
  yield {
    rule: 'procedure state',
    asked: statesOffWorklist.map((one) => `not ${one}`),
    stored: [state],
    matches: !off,
  };
  for (const limit of view.limits) yield* limitVerdicts(step, limit);
}

/** True when a view shows a step, whatever is asked. */
export function isVisible(step: VisibleStep, view: WorklistView): boolean {
  for (const { matches } of visibilityVerdicts(step, view)) if (!matches) return false;
  return true;
}

/** What makes a step of this status come back to a worklist, or why it never does: a sentence for who misses it. */
const adviceByStatus: Partial<Readonly<Record<StepStatus, string>>> = {
  STARTED: 'it has been started (MPPS) and policy.startedOnWorklist is false',
  DEPARTED: 'the patient has left and policy.departedOnWorklist is false',
  COMPLETED: 'it was performed (MPPS COMPLETED); another examination needs another order',
  CANCELLED: 'it was cancelled; the history of the procedure says by whom',
  DISCONTINUED: 'it was given up; the history of the procedure says why',
};

const adviceByState: Readonly<Record<string, string>> = {
  planned:
    'nobody has scheduled it: POST /api/procedures/{id}/schedule, or NA of the order placer where it has to number the order',
  held: 'it is on hold; the history of the procedure says by whom: POST /api/procedures/{id}/release',
};

const UNRECONCILED =
  'a modality performed it and nobody has ordered it: GET /api/unscheduled lists it, POST /api/unscheduled/{mppsUid}/match binds it to an order';

/** What to know or do about a rule that a step does not meet; undefined where the values say it all. */
export function adviceOn(verdict: RuleVerdict, step: VisibleStep): string | undefined {
  if (verdict.rule === 'order') return UNRECONCILED;
  if (verdict.rule === 'step status') return adviceByStatus[step.stepStatus];
  if (verdict.rule === 'procedure state') return adviceByState[step.state];
  return undefined;
}
