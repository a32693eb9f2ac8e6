import type { Ack } from '../hl7/ack.ts';

/** How long a lane waits before it tries again, in milliseconds (`retry` of the site file). */
export interface RetryPlan {
  readonly first: number;
  readonly factor: number;
  readonly longest: number;
}

/** The wait after so many attempts in a row, never longer than the longest. */
export function waitAfter(plan: RetryPlan, attempts: number): number {
  return Math.min(plan.longest, plan.first * plan.factor ** Math.max(0, Math.min(attempts, 60) - 1));
}

/** What an answer means for the message it answers. */
export type Verdict =
  | { readonly kind: 'delivered'; readonly code: string }
  | { readonly kind: 'refused'; readonly code: string; readonly error: string }
  /** The same bytes and control id again, nothing overtaking. */
  | { readonly kind: 'again'; readonly error: string };

const accepted = new Set(['AA', 'CA']);
const refused = new Set(['AE', 'AR', 'CE', 'CR']);
// Table 0357: 206 record locked and 207 internal error pass with time; everything else needs a person.
const passing = new Set(['206', '207']);

/** Judges an HL7 answer to a control id. */
export function verdictOf(ack: Ack | undefined, controlId: string): Verdict {
  if (!ack) return { kind: 'again', error: 'the answer is not an acknowledgement' };
  if (ack.controlId !== controlId) return { kind: 'again', error: 'the answer is for another control id (MSA-2)' };
  if (accepted.has(ack.code)) return { kind: 'delivered', code: ack.code };
  if (!refused.has(ack.code)) return { kind: 'again', error: 'the answer has no known acknowledgement code (MSA-1)' };
  const codes = ack.errorCodes.filter((code) => /^\d{1,3}$/.test(code));
  if (codes.some((code) => passing.has(code))) return { kind: 'again', error: `${ack.code} ${codes.join(', ')}` };
  return { kind: 'refused', code: ack.code, error: [ack.code, ...codes].join(' ') };
}
