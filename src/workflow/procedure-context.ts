import type { Decided, DiscontinuationEffect } from './discontinuation.ts';
import type { InstanceCounts, PerformedStepEvent, ProcedureEvent } from './procedure-events.ts';
import type { Confirmation, PerformedProcedureStepStatus, StepStatus } from './vocabulary.ts';

/** One of the eight transactions of the simple case (core-transactions.ts). */
export type CoreStep = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export interface StepFacts {
  readonly stepStatus: StepStatus;
  /** By SOP Instance UID of the MPPS. */
  readonly performedSteps: Readonly<Record<string, PerformedProcedureStepStatus>>;
  /** What the reason of each discontinued MPPS means for the step, or what was decided, by its SOP Instance UID. */
  readonly discontinued?: Readonly<Record<string, DiscontinuationEffect | Decided>>;
  /** The last of these that was not under the wrong worklist entry; a stored object keeps no order of its keys. */
  readonly lastEffect?: DiscontinuationEffect;
}

export type AnnouncementStatus = 'sent' | 'confirmed' | 'refused';

/** Everything the machine of one requested procedure knows. Plain JSON: it is stored with the procedure. */
export interface ProcedureContext {
  readonly requestedProcedureId: string;
  readonly studyInstanceUid: string;
  /** By scheduled procedure step ID. */
  readonly steps: Readonly<Record<string, StepFacts>>;
  /** RAD-4, by peer. */
  readonly announcements: Readonly<Record<string, AnnouncementStatus>>;
  /** Instances named by the final MPPS, and how many of them are ONLINE or NEARLINE. */
  readonly instances: { readonly named: number; readonly available: number };
  /** What confirmed each of the eight. */
  readonly confirmations: { readonly [step in CoreStep]?: readonly Confirmation[] };
  /** Where the acquisition stood when it was begun, and stands again when that was under the wrong worklist entry. */
  readonly begunFrom?: Waiting;
  /** It is on hold because the patient did not come to the appointment: another appointment takes the hold off. */
  readonly noShow?: true | undefined;
  /** It was scheduled by a version that told nobody of appointments: there is none to be moved or called off. */
  readonly withoutAppointment?: true;
  /** It had been completed when more was begun (append case): that it was stays true. */
  readonly completedBefore?: true;
}

/** Where the acquisition of a procedure stands before it is begun. */
export type Waiting = 'planned' | 'scheduled' | 'held';

function confirm(context: ProcedureContext, step: CoreStep, confirmation: Confirmation): ProcedureContext {
  const before = context.confirmations[step] ?? [];
  return { ...context, confirmations: { ...context.confirmations, [step]: [...before, confirmation] } };
}

/** A step that staff, a placer or its MPPS has ended; nothing performed afterwards brings it back. */
const endedSteps: ReadonlySet<StepStatus> = new Set(['CANCELLED', 'DISCONTINUED']);

/** Nothing of what was performed counts: the step waits as it did before. */
const undoes: ReadonlySet<DiscontinuationEffect | Decided | undefined> = new Set([
  'wrongEntry',
  'holds',
  'repeated',
] as const);

/** The examination will not take place. */
const givesUp: ReadonlySet<DiscontinuationEffect | undefined> = new Set(['ends', 'cancelsOrder'] as const);

/**
 * A step by its performed steps: COMPLETED when at least one is and none IN PROGRESS; SCHEDULED again when all were
 * begun under the wrong worklist entry or wrongly ordered; STARTED while a person has to decide what a discontinuation
 * means.
 */
function stepStatusOf(facts: StepFacts): StepStatus {
  const performed = Object.entries(facts.performedSteps);
  if (performed.length === 0 || endedSteps.has(facts.stepStatus)) return facts.stepStatus;
  const statuses = performed.map(([, status]) => status);
  if (statuses.includes('IN PROGRESS')) return 'STARTED';
  const accepted = Object.values(facts.discontinued ?? {}).includes('accepted');
  if (statuses.includes('COMPLETED') || accepted) return 'COMPLETED';
  if (performed.every(([uid]) => undoes.has(facts.discontinued?.[uid]))) return 'SCHEDULED';
  // What was said last counts; one that was stored without its effect is for a person to decide.
  return givesUp.has(facts.lastEffect) ? 'DISCONTINUED' : 'STARTED';
}

interface PerformedNow {
  readonly status: PerformedProcedureStepStatus;
  readonly effect?: DiscontinuationEffect;
}

function perform(
  context: ProcedureContext,
  event: Omit<PerformedStepEvent, 'confirmation'>,
  now: PerformedNow,
): ProcedureContext {
  const steps = { ...context.steps };
  for (const id of event.steps) {
    const facts = steps[id];
    // An MPPS ends only what it began.
    if (!facts || (now.status !== 'IN PROGRESS' && facts.performedSteps[event.performedStep] === undefined)) continue;
    const performed: StepFacts = {
      ...facts,
      performedSteps: { ...facts.performedSteps, [event.performedStep]: now.status },
      ...(now.effect ? { discontinued: { ...facts.discontinued, [event.performedStep]: now.effect } } : {}),
      ...(now.effect && now.effect !== 'wrongEntry' ? { lastEffect: now.effect } : {}),
    };
    // Its placer discontinued it while this MPPS went on: it stays as complete as it was.
    const stopped = facts.stepStatus === 'COMPLETED' && now.status !== 'IN PROGRESS';
    steps[id] = { ...performed, stepStatus: stopped ? 'COMPLETED' : stepStatusOf(performed) };
  }
  return { ...context, steps };
}

/** Steps given another status, as far as `becomes` names one for the status they have. */
function withSteps(
  context: ProcedureContext,
  becomes: { readonly [status in StepStatus]?: StepStatus },
  only?: readonly string[],
): ProcedureContext {
  const entries = Object.entries(context.steps).map(([id, facts]): [string, StepFacts] => {
    const stepStatus = only === undefined || only.includes(id) ? becomes[facts.stepStatus] : undefined;
    return [id, stepStatus === undefined ? facts : { ...facts, stepStatus }];
  });
  return { ...context, steps: Object.fromEntries(entries) };
}

/** What is said of every discontinued MPPS of these steps that waited for a person. */
function settled(context: ProcedureContext, only: readonly string[], decided: Decided): ProcedureContext {
  const entries = Object.entries(context.steps).map(([id, facts]): [string, StepFacts] => {
    if (!only.includes(id) || !facts.discontinued) return [id, facts];
    const { lastEffect: _last, discontinued, ...rest } = facts;
    const kept = Object.entries(discontinued).map(([uid, effect]) => [uid, undoes.has(effect) ? effect : decided]);
    return [id, { ...rest, discontinued: Object.fromEntries(kept) as StepFacts['discontinued'] & object }];
  });
  return { ...context, steps: Object.fromEntries(entries) };
}

/** A step that was performed further after it had been completed is as complete as it was. */
function keepCompleted(context: ProcedureContext): ProcedureContext {
  const completed = Object.entries(context.steps)
    .filter(([, { performedSteps }]) => Object.values(performedSteps).includes('COMPLETED'))
    .map(([id]) => id);
  return withSteps(context, { STARTED: 'COMPLETED' }, completed);
}

const allCancelled = {
  SCHEDULED: 'CANCELLED',
  ARRIVED: 'CANCELLED',
  READY: 'CANCELLED',
  DEPARTED: 'CANCELLED',
} as const;

const allAwaited = { ARRIVED: 'SCHEDULED', READY: 'SCHEDULED', DEPARTED: 'SCHEDULED' } as const;
const allLeft = { ARRIVED: 'DEPARTED', READY: 'DEPARTED', STARTED: 'DEPARTED' } as const;

function countInstances(context: ProcedureContext, counts: InstanceCounts, report?: Confirmation): ProcedureContext {
  const counted = { ...context, instances: { named: counts.named, available: counts.available } };
  const confirmation = report ?? counts.notification;
  if (!confirmation || counts.available === 0) return counted;
  const first = counted.confirmations[6] ? counted : confirm(counted, 6, confirmation);
  return first.confirmations[8] || !imagesAvailable(first) ? first : confirm(first, 8, confirmation);
}

/** The context after an event; a pure function, asked by guards and applied by the machine. */
export function reduce(context: ProcedureContext, event: ProcedureEvent): ProcedureContext {
  switch (event.type) {
    case 'schedule': {
      const announcements = Object.fromEntries(event.destinations.map((peer) => [peer, 'sent' as const]));
      // What is scheduled while it is being performed is scheduled also when that turns out to be a mistake.
      return { ...context, announcements, ...(context.begunFrom ? { begunFrom: 'scheduled' } : {}) };
    }
    case 'hold':
      return { ...context, noShow: event.noShow };
    case 'release':
      return { ...context, noShow: undefined };
    case 'patientRegistered':
      return confirm(context, 1, event.confirmation);
    case 'procedureScheduledConfirmed': {
      const announcements = { ...context.announcements, [event.confirmation.peer]: 'confirmed' as const };
      return confirm({ ...context, announcements }, 3, event.confirmation);
    }
    case 'procedureScheduledRefused':
      return { ...context, announcements: { ...context.announcements, [event.peer]: 'refused' } };
    case 'orderNumberAssigned':
      return confirm(context, 2, event.confirmation);
    case 'cancel':
      return withSteps(context, allCancelled);
    case 'discontinue': {
      const stopped = withSteps(keepCompleted(context), { ...allCancelled, STARTED: 'DISCONTINUED' });
      // Where this ends the acquisition, images that were all reported before are those of the whole procedure.
      return countInstances(stopped, context.instances, context.confirmations[6]?.at(-1));
    }
    case 'reschedule':
      return withSteps(context, allAwaited, event.awaited ?? []);
    case 'arrive':
      return withSteps(context, { SCHEDULED: 'ARRIVED', DEPARTED: 'ARRIVED' }, event.movedSteps);
    case 'depart':
      return withSteps(settled(context, event.movedSteps, 'repeated'), allLeft, event.movedSteps);
    case 'decide': {
      const becomes = { STARTED: event.decided === 'accepted' ? ('COMPLETED' as const) : ('SCHEDULED' as const) };
      const decided = withSteps(settled(context, event.movedSteps, event.decided), becomes, event.movedSteps);
      // Where this ends the acquisition, images that were all reported before are those of the whole procedure.
      return countInstances(decided, context.instances, context.confirmations[6]?.at(-1));
    }
    case 'offered':
      return confirm(context, 4, event.confirmation);
    case 'performedStepStarted': {
      const begun = acquisitionComplete(context) ? { ...context, completedBefore: true as const } : context;
      return confirm(perform(begun, event, { status: 'IN PROGRESS' }), 5, event.confirmation);
    }
    case 'performedStepCompleted': {
      const completed = perform(context, event, { status: 'COMPLETED' });
      return countInstances(confirm(completed, 7, event.confirmation), event.instances);
    }
    case 'performedStepDiscontinued': {
      const stopped = perform(context, event, { status: 'DISCONTINUED', effect: event.effect });
      return countInstances(stopped, event.instances);
    }
    case 'evidenceEnded':
      return countInstances(context, event.instances);
    case 'availabilityReported':
      return countInstances(context, event.instances, event.confirmation);
    // What is not a fact about steps, images or confirmations changes no context: answers, holds, other plans, reports.
    default:
      return context;
  }
}

const statusesOf = (context: ProcedureContext): StepStatus[] =>
  Object.values(context.steps).map((facts) => facts.stepStatus);

function everyStepEnded(context: ProcedureContext): boolean {
  return statusesOf(context).every((status) => status === 'COMPLETED' || endedSteps.has(status));
}

/** Every step has ended, and at least one was completed. */
export function acquisitionComplete(context: ProcedureContext): boolean {
  return everyStepEnded(context) && statusesOf(context).includes('COMPLETED');
}

/** Every step has ended, none was completed, and something had been begun. */
export function acquisitionDiscontinued(context: ProcedureContext): boolean {
  const statuses = statusesOf(context);
  return everyStepEnded(context) && !statuses.includes('COMPLETED') && statuses.includes('DISCONTINUED');
}

/** Every step has ended and none was completed: there is nothing to announce any more. */
export function cameToNothing(context: ProcedureContext): boolean {
  return everyStepEnded(context) && !acquisitionComplete(context);
}

/** Nothing is being performed and nothing was: what had been begun was begun under the wrong worklist entry. */
export function nothingPerformed(context: ProcedureContext): boolean {
  const statuses = statusesOf(context);
  return !statuses.includes('STARTED') && !statuses.includes('COMPLETED') && !everyStepEnded(context);
}

/** Something was begun, and not every step has ended. */
export function isUnderWay(context: ProcedureContext): boolean {
  return !nothingPerformed(context) && !everyStepEnded(context);
}

/** Every destination of RAD-4 acknowledged it. */
export function announcementConfirmed(context: ProcedureContext): boolean {
  const statuses = Object.values(context.announcements);
  return statuses.length > 0 && statuses.every((status) => status === 'confirmed');
}

/** The acquisition is over and every instance that its MPPS name is ONLINE or NEARLINE. */
export function imagesAvailable(context: ProcedureContext): boolean {
  const { named, available } = context.instances;
  return acquisitionComplete(context) && named > 0 && available >= named;
}

/** Some instances are available, but the procedure is not. */
export function imagesPartlyAvailable(context: ProcedureContext): boolean {
  return context.instances.available > 0 && !imagesAvailable(context);
}
