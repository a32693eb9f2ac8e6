import { setImmediate as nextTurn } from 'node:timers/promises';
import { describeError, SwfError, toSwfError } from '../platform/errors.ts';
import { datasetOf, requestContextOf } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { DicomHandlers, FinalStatus, FindAnswer, FindRow, NRequest, NResponse } from './handlers.ts';
import { dimseStatus } from './status.ts';

/** Tells the outside what went wrong, without content of data sets. */
export type Report = (kind: 'handler-error' | 'row-not-encodable' | 'refused-request', text: string) => void;

/** The final response of a C-FIND, and what to do when it was written. */
export interface FindOutcome extends FinalStatus {
  readonly afterwards?: () => void;
}

// Rows between two turns of the event loop: a cancel and other associations come in between.
const ROWS_PER_TURN = 8;

// C-FIND has statuses of its own (PS3.4 K.4.1.1.4).
const FIND_FAILURES: Readonly<Record<string, number>> = {
  'database-unavailable': dimseStatus.outOfResources,
  'data-type': dimseStatus.identifierDoesNotMatchSopClass,
  'value-not-found': dimseStatus.identifierDoesNotMatchSopClass,
  'required-field-missing': dimseStatus.identifierDoesNotMatchSopClass,
};

function failureOf(error: unknown, report: Report): SwfError {
  const failure = toSwfError(error);
  if (failure.code === 'internal') report('handler-error', describeError(error).error);
  else report('refused-request', `${failure.code}: ${failure.message}`);
  return failure;
}

function findFailure({ code, message, place }: SwfError): FinalStatus {
  const status = FIND_FAILURES[code] ?? dimseStatus.unableToProcess;
  return { status, comment: message, offendingElements: place.tags ?? [] };
}

interface FindParts {
  readonly find: DicomHandlers['find'];
  /** Sends one row; false when it cannot be encoded. */
  readonly sendRow: (row: FindRow) => boolean;
  readonly report: Report;
}

/** C-FIND (PS3.4 K.4): sends the rows as they are taken and returns the final response. Never rejects. */
export async function performFind(exchange: Exchange, { find, sendRow, report }: FindParts): Promise<FindOutcome> {
  let answer: FindAnswer | undefined;
  let rowsSent = 0;
  const send = (row: FindRow): void => {
    if (sendRow(row)) rowsSent += 1;
  };
  const afterwards = (): void => answer?.afterwards?.(rowsSent);
  try {
    if (!exchange.message.dataset) throw new SwfError('required-field-missing', 'the query has no identifier');
    answer = find(datasetOf(exchange), requestContextOf(exchange));
    return { ...(await streamRows(exchange, answer, send)), afterwards };
  } catch (error) {
    return { ...findFailure(failureOf(error, report)), afterwards };
  }
}

async function streamRows(exchange: Exchange, answer: FindAnswer, send: (row: FindRow) => void): Promise<FinalStatus> {
  const { signal } = exchange.cancel;
  const rows = answer[Symbol.asyncIterator]();
  const stopped = whenAborted(signal);
  for (let pulled = 1; ; pulled += 1) {
    const next = signal.aborted ? undefined : rows.next();
    const step = next && (await Promise.race([next, stopped]));
    if (!step || signal.aborted) {
      abandon(rows, next);
      return { status: dimseStatus.cancel };
    }
    if (step.done === true) return step.value ?? { status: dimseStatus.success };
    send(step.value);
    await exchange.sent;
    if (pulled % ROWS_PER_TURN === 0) await nextTurn();
  }
}

const whenAborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });

type Rows = AsyncIterator<FindRow, FinalStatus | undefined | void>;

// Nobody waits for these any more; what they still reject with has no one to hear it.
function abandon(rows: Rows, next: Promise<unknown> | undefined): void {
  next?.catch(() => {});
  rows.return?.().catch(() => {});
}

/** N-CREATE and N-SET: the request as its handler takes it. Throws `data-type` when its data set is malformed. */
export function nRequestOf(exchange: Exchange, sopInstanceUid: string | undefined): NRequest {
  const { context, message } = exchange;
  return {
    sopClassUid: context.abstractSyntax,
    sopInstanceUid,
    dataset: datasetOf(exchange),
    raw: message.dataset ?? new Uint8Array(0),
    transferSyntaxUid: context.transferSyntax,
  };
}

/** N-CREATE, N-SET and N-GET (PS3.7 10.1): the handler's response, or the status of its failure. Never rejects. */
export async function performOperation(operation: () => Promise<NResponse>, report: Report): Promise<NResponse> {
  try {
    return await operation();
  } catch (error) {
    const { failure, message: comment, place } = failureOf(error, report);
    return { status: failure.dimse, comment, attributeIdentifierList: place.tags ?? [] };
  }
}

/** Runs what a handler left for after the response; its failure is reported and changes nothing. */
export function runAfterwards(afterwards: (() => void) | undefined, report: Report): void {
  try {
    afterwards?.();
  } catch (error) {
    report('handler-error', describeError(error).error);
  }
}
