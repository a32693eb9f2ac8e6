/**
 * The closed list of failures. Each row says what kind of failure it is and what every wire answers for it:
 * the acknowledgement code and the HL7 table 0357 code (RAD TF-2 / ITI TF-2 Appendix C: 1xx is AE, 2xx is AR),
 * the DIMSE status (PS3.7 Annex C) and the HTTP status.
 */
export const failures = {
  'segment-sequence': { kind: 'permanent', ack: 'AE', hl7: '100', dimse: 0x0110, http: 400 },
  'required-field-missing': { kind: 'permanent', ack: 'AE', hl7: '101', dimse: 0x0120, http: 400 },
  'data-type': { kind: 'permanent', ack: 'AE', hl7: '102', dimse: 0x0106, http: 400 },
  'value-not-found': { kind: 'permanent', ack: 'AE', hl7: '103', dimse: 0x0106, http: 400 },
  'unsupported-message-type': { kind: 'permanent', ack: 'AR', hl7: '200', dimse: 0x0110, http: 400 },
  'unsupported-event': { kind: 'permanent', ack: 'AR', hl7: '201', dimse: 0x0110, http: 400 },
  'unsupported-processing-id': { kind: 'permanent', ack: 'AR', hl7: '202', dimse: 0x0110, http: 400 },
  'unsupported-version': { kind: 'permanent', ack: 'AR', hl7: '203', dimse: 0x0110, http: 400 },
  'unknown-key': { kind: 'permanent', ack: 'AR', hl7: '204', dimse: 0x0112, http: 404 },
  'ambiguous-key': { kind: 'permanent', ack: 'AR', hl7: '204', dimse: 0x0110, http: 409 },
  'duplicate-key': { kind: 'permanent', ack: 'AR', hl7: '205', dimse: 0x0111, http: 409 },
  'state-forbids': { kind: 'permanent', ack: 'AE', hl7: '103', dimse: 0x0110, http: 409 },
  conflict: { kind: 'transient', ack: 'AR', hl7: '206', dimse: 0x0110, http: 409 },
  'database-unavailable': { kind: 'transient', ack: 'AR', hl7: '207', dimse: 0x0110, http: 503 },
  'no-acknowledgement': { kind: 'ambiguous', ack: 'AR', hl7: '207', dimse: 0x0110, http: 504 },
  internal: { kind: 'transient', ack: 'AR', hl7: '207', dimse: 0x0110, http: 500 },
} as const satisfies Record<string, Failure>;

interface Failure {
  /** permanent: repeating it unchanged is of no use; transient: later may work; ambiguous: the effect is unknown. */
  readonly kind: 'permanent' | 'transient' | 'ambiguous';
  /** HL7 table 0008. */
  readonly ack: 'AE' | 'AR';
  /** HL7 table 0357. */
  readonly hl7: string;
  readonly dimse: number;
  readonly http: number;
}

export type FailureCode = keyof typeof failures;

export interface ErrorPlace {
  /** HL7 location `SEG^sequence^field[^repetition[^component]]` (ERR-2, v2.5). */
  readonly location?: string;
  /** DICOM tags concerned, each eight hexadecimal digits. */
  readonly tags?: readonly string[];
}

/** A failure with a sentence for a person. The sentence never quotes message content. */
export class SwfError extends Error {
  readonly code: FailureCode;
  readonly place: ErrorPlace;

  constructor(code: FailureCode, message: string, place: ErrorPlace = {}) {
    super(message);
    this.name = 'SwfError';
    this.code = code;
    this.place = place;
  }

  get failure(): Failure {
    return failures[this.code];
  }
}

/** Whatever was thrown, as a row of the list: what nobody foresaw is `internal`. */
export function toSwfError(thrown: unknown): SwfError {
  if (thrown instanceof SwfError) return thrown;
  return new SwfError('internal', 'an internal error occurred');
}

/** For logs: the class and place of an error, never its text when it is not ours (it may quote content). */
export function describeError(thrown: unknown): { error: string; at: string | undefined } {
  if (thrown instanceof SwfError) return { error: `${thrown.code}: ${thrown.message}`, at: undefined };
  if (!(thrown instanceof Error)) return { error: typeof thrown, at: undefined };
  const code = (thrown as { code?: unknown }).code;
  const frames = (thrown.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  return { error: typeof code === 'string' ? `${thrown.name} ${code}` : thrown.name, at: frames.slice(0, 4).join(' ') };
}
