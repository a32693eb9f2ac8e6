import { type FindResult, createDicomClient } from '../dicom/client.ts';
import { sopClass } from '../dicom/status.ts';
import { SwfError, describeError } from '../platform/errors.ts';
import type { Department } from '../transactions/department.ts';
import {
  type Question,
  askedOnce,
  imagesReported,
  nextQuestion,
  putOff,
  giveUpOverdue,
} from '../transactions/rad-11-availability-query.ts';
import { statusText } from '../transactions/inbound-dicom.ts';
import { type Called, callTo } from './dicom-call.ts';
import { LOOK_AGAIN_MS } from './lane.ts';
import { isWorthTelling, waitAfter } from './retry.ts';
import { createWaiting } from './waiting.ts';

/** An image manager that is asked; one that does not answer is left alone for as long as `retry` says. */
interface Asked {
  readonly called: Called;
  failures: number;
  notBefore: number;
}

/** RAD-11: asks for the images of completed procedures as they become due, one procedure at a time. */
export interface AvailabilityQueries {
  /** Stops after the question in hand, or when its answer has not come by then. */
  stop(graceMs: number): Promise<void>;
}

/** Starts asking. When the next question is due stands in its row: a restart forgets nothing. */
export function startAvailabilityQueries(
  department: Department,
  imageManagers: readonly Called[],
): AvailabilityQueries {
  const { log, config } = department;
  const calls = new AbortController();
  const waiting = createWaiting();
  const asked = imageManagers.map((called): Asked => ({ called, failures: 0, notBefore: 0 }));
  let stopping = false;
  let troubles = 0;

  async function run(): Promise<void> {
    while (!stopping) {
      const wait = await pass(department, asked, calls.signal).then(
        (milliseconds) => {
          troubles = 0;
          return milliseconds;
        },
        (error: unknown) => {
          troubles += 1;
          if (isWorthTelling(troubles)) log.error(describeError(error), 'images could not be asked for');
          return waitAfter(config.retry, troubles);
        },
      );
      if (wait > 0 && !stopping) await waiting.wait(wait, false);
    }
  }

  const done = run();
  return {
    stop: async (graceMs) => {
      stopping = true;
      waiting.end();
      const giveUp = setTimeout(() => calls.abort(), graceMs);
      await done;
      clearTimeout(giveUp);
    },
  };
}

/** Asks the question that is due, of everybody who answers; how long to wait before the next look, in milliseconds. */
async function pass(department: Department, asked: readonly Asked[], signal: AbortSignal): Promise<number> {
  const { clock, config } = department;
  const now = clock.now().getTime();
  const reachable = asked.filter(({ notBefore }) => notBefore <= now);
  const question = reachable.length > 0 ? await nextQuestion(department) : undefined;
  if (question) {
    await put(department, question, { reachable, signal });
    return 0;
  }
  await giveUpOverdue(department);
  const soonest = Math.min(...asked.map(({ notBefore }) => notBefore)) - now;
  return Math.min(LOOK_AGAIN_MS, soonest > 0 ? soonest : config.availability.first);
}

interface Round {
  readonly reachable: readonly Asked[];
  readonly signal: AbortSignal;
}

/** Puts one question. What none of them answers is put off, behind the others that are due. */
async function put(department: Department, question: Question, { reachable, signal }: Round): Promise<void> {
  const { clock, config } = department;
  const answers = await Promise.all(
    reachable.map(async (one) => ({
      peer: one.called.peer.name,
      results: await ask(department, one, question, signal),
    })),
  );
  const after = (milliseconds: number): Date => new Date(clock.now().getTime() + milliseconds);
  const answered = answers.filter((answer): answer is Answered => answer.results !== undefined);
  if (answered.length === 0) return putOff(department, question, after(config.retry.longest));
  for (const answer of answered) await keep(department, question, answer);
  // The first wait was over before the first attempt.
  await askedOnce(department, question, after(waitAfter(config.availability, question.attempts + 2)));
}

interface Answered {
  readonly peer: string;
  readonly results: readonly FindResult[];
}

// With time these go away by themselves: the same is asked again.
const passing: ReadonlySet<string> = new Set(['conflict', 'database-unavailable']);

/** The answer about one procedure that cannot be kept must not hold up all the others. */
async function keep(department: Department, question: Question, answer: Answered): Promise<void> {
  try {
    await imagesReported(department, question, answer);
  } catch (error) {
    if (error instanceof SwfError && passing.has(error.code)) throw error;
    const fields = { peer: answer.peer, procedureId: question.requestedProcedureId, transaction: 'RAD-11' };
    department.log.error({ ...fields, ...describeError(error) }, 'an availability answer could not be kept');
  }
}

/** The answers of one image manager, one for each series; undefined when it gave none. */
async function ask(
  { config, clock, log }: Department,
  asked: Asked,
  question: Question,
  signal: AbortSignal,
): Promise<readonly FindResult[] | undefined> {
  const { peer } = asked.called;
  const fields = { peer: peer.name, procedureId: question.requestedProcedureId, transaction: 'RAD-11' };
  const startedAt = clock.now().getTime();
  try {
    const identifiers = question.queries.map(({ identifier }) => identifier);
    const client = createDicomClient(callTo(config, asked.called, signal));
    const results = await client.findEach(identifiers, sopClass.studyRootFind);
    asked.failures = 0;
    const failed = results.find(({ status }) => status !== 0);
    const rows = results.reduce((sum, { datasets }) => sum + datasets.length, 0);
    const outcome = statusText(failed?.status ?? 0);
    const line = { ...fields, rows, outcome, durationMs: clock.now().getTime() - startedAt };
    if (failed && isWorthTelling(question.attempts + 1)) log.warn(line, 'availability query refused');
    else log.info(line, 'availability query');
    return results;
  } catch (error) {
    if (signal.aborted) return undefined;
    asked.failures += 1;
    asked.notBefore = clock.now().getTime() + waitAfter(config.retry, asked.failures);
    const line = { ...fields, attempt: asked.failures, ...describeError(error) };
    if (isWorthTelling(asked.failures)) log.warn(line, 'availability query will be tried again');
    else log.debug(line, 'availability query will be tried again');
    return undefined;
  }
}
