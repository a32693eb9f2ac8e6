import type { Ack } from '../hl7/ack.ts';
import { statusText } from '../transactions/inbound-dicom.ts';

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

/** Whether a failed attempt in a row is a line of the log: a peer may be away for a night. */
export function isWorthTelling(attempts: number): boolean {
  return attempts <= 3 || attempts % 20 === 0;
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

/** DIMSE warnings: what was asked has been done (PS3.7 C.4.2, C.5.3); Bxxx are those of services. */
const warnings: ReadonlySet<number> = new Set([0x0001, 0x0107, 0x0116]);
const isWarning = (status: number): boolean => warnings.has(status) || (status & 0xf000) === 0xb000;

// PS3.7 C.5.4: the answer to an N-CREATE whose first answer was lost.
const DUPLICATE_SOP_INSTANCE = 0x0111;

// PS3.4 F.7.2.2.2: the Error ID of 0110 to an N-SET on a step that has ended.
const NO_LONGER_UPDATED = 0xa710;

/** The request that is judged; `resent` when an attempt was made before. */
interface Answered {
  readonly messageType: string;
  readonly resent: boolean;
  /** (0000,0903) of the response. */
  readonly errorId?: number | undefined;
}

/** Judges the status of a response to an N-CREATE or N-SET. */
export function verdictOfStatus(status: number, { messageType, resent, errorId }: Answered): Verdict {
  const code = statusText(status);
  const isThere = status === DUPLICATE_SOP_INSTANCE && messageType === 'N-CREATE' && resent;
  if (status === 0x0000 || isWarning(status) || isThere) return { kind: 'delivered', code };
  const error = errorId === undefined ? `status ${code}` : `status ${code}, Error ID ${statusText(errorId)}`;
  // Refused all the same: what the peer took may have been another N-SET than this one.
  const perhapsThere = errorId === NO_LONGER_UPDATED && messageType === 'N-SET' && resent;
  return { kind: 'refused', code, error: perhapsThere ? `${error}: ${endedThere}` : error };
}

const endedThere = 'the step has ended there, perhaps by this N-SET, whose first answer was lost';
