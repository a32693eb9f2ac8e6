import { type Checks, type Verdict, expandChecks, verdict, verdicts } from './checks.ts';
import type { Arrival, Watch } from './mailbox.ts';
import type { Notes } from './notes.ts';
import type { Scenario } from './scenario.ts';
import type { Hl7Sender } from './hl7-sender.ts';
import type { Stage } from './stage.ts';
import type { Scope } from './template.ts';

/** One playing of one scenario. */
export interface Playing {
  readonly scenario: Scenario;
  readonly stage: Stage;
  readonly scope: Scope;
  /** What an unclaimed arrival must be to fail this playing. */
  readonly watch: Watch;
  readonly signal: AbortSignal;
  /** The HL7 connection of an actor to the Order Filler, opened when it first sends. */
  senderOf(actor: string): Hl7Sender;
}

/** What came of a step; it passed when every verdict holds and there is no problem. */
export interface Outcome {
  readonly verdicts: readonly Verdict[];
  /** Sentences for a person. */
  readonly problems: readonly string[];
  /** Why it was not done, where nothing is wrong but nobody could do it; the steps after it are not played. */
  readonly skipped?: string | undefined;
}

export const nothingWrong: Outcome = { verdicts: [], problems: [] };

/** An outcome that is one sentence. */
export const broken = (problem: string): Outcome => ({ verdicts: [], problems: [problem] });

/** The verdicts that do not hold. */
export function mismatchesOf({ verdicts: all }: Outcome): Verdict[] {
  return all.filter(({ holds }) => !holds);
}

export function isPassed(outcome: Outcome): boolean {
  return outcome.skipped === undefined && outcome.problems.length === 0 && mismatchesOf(outcome).length === 0;
}

/** Verdicts, and what the other side said of it when one of them does not hold. */
export function judged(all: readonly Verdict[], comment: string | undefined): Outcome {
  const isWrong = comment !== undefined && all.some(({ holds }) => !holds);
  return { verdicts: all, problems: isWrong ? [`the answer says: ${comment}`] : [] };
}

export type ValueAt = (place: string) => string | null | undefined;

/** Checks what came and keeps what is to be captured; a capture that finds nothing is a verdict that does not hold. */
export function expectAndCapture(
  {
    expect = {},
    capture = {},
  }: { expect?: Checks | undefined; capture?: Readonly<Record<string, string>> | undefined },
  { scope, valueAt }: { readonly scope: Scope; readonly valueAt: ValueAt },
): Verdict[] {
  const checked = verdicts(expandChecks(expect, scope.forOneMessage()), valueAt);
  const captured = Object.entries(capture).map(([name, place]) => {
    const value = valueAt(place);
    if (value) scope.capture(name, value);
    return { ...verdict(place, '*', value || undefined), captured: name };
  });
  return [...checked, ...captured];
}

/** What nobody expected: a message each, kept in the transcript. */
export function unexpectedOutcome(arrivals: readonly Arrival[], notes: Notes): Outcome {
  arrivals.forEach((arrival, index) => notes.received(arrival, `unexpected-${index + 1}`));
  return { verdicts: [], problems: arrivals.map(({ type, actor }) => `nobody expected ${type} at ${actor}`) };
}
