import { type Dataset, toDicomJson } from '../src/dicom/dataset.ts';
import type { Clock } from '../src/platform/clock.ts';
import type { Arrival } from './mailbox.ts';
import type { Transcript } from './transcript.ts';
import { type Exchange, statusText } from './wire.ts';

/** What a step leaves behind while it is performed, also when it fails in the middle. */
export interface Notes {
  /** Paths as shown to a person. */
  readonly files: readonly string[];
  readonly exchanges: readonly Exchange[];
  /** Keep something in the transcript under the step's number; return the path. */
  hl7(name: string, bytes: Uint8Array): string;
  dicom(name: string, dataset: Dataset): string;
  json(name: string, value: unknown): string;
  /** Notes a request that leaves now. */
  sent(request: Omit<Exchange, 'at' | 'answer'>): Exchange;
  /** Notes its answer, which came now. */
  answered(exchange: Exchange, code: string, file?: string): void;
  /** Keeps what an actor received, and the answer it gave; `kind` is part of the file's name. */
  received(arrival: Arrival, kind: string): void;
  /** Keeps the answers that were given since. */
  finish(): void;
}

/** Empty notes; `prefix` begins the name of every file. */
export function openNotes(transcript: Transcript, prefix: string, clock: Clock): Notes {
  const files: string[] = [];
  const exchanges: Exchange[] = [];
  const open: (() => boolean)[] = [];
  const kept = (file: string): string => {
    files.push(file);
    return file;
  };
  const name = (rest: string): string => `${prefix}-${rest}`;
  const note = (exchange: Exchange): Exchange => {
    exchanges.push(exchange);
    return exchange;
  };
  const keepReply = ({ actor, reply, protocol }: Arrival, kind: string, exchange: Exchange): boolean => {
    if (!reply) return false;
    const given = name(`${actor}-${kind}-answer`);
    const file =
      reply.raw && protocol === 'hl7' ? transcript.hl7(given, reply.raw) : transcript.json(given, reply.said);
    exchange.answer = { code: reply.code, at: reply.at, file: kept(file) };
    return true;
  };
  return {
    files,
    exchanges,
    hl7: (rest, bytes) => kept(transcript.hl7(name(rest), bytes)),
    dicom: (rest, dataset) => kept(transcript.dicom(name(rest), dataset)),
    json: (rest, value) => kept(transcript.json(name(rest), value)),
    sent: (request) => note({ ...request, at: clock.now().getTime() }),
    answered: (exchange, code, file) => void (exchange.answer = { code, at: clock.now().getTime(), file }),
    received: (arrival, kind) => {
      const { actor, protocol, type, at, raw, dataset } = arrival;
      const given = name(`${actor}-${kind}`);
      const file = kept(dataset ? transcript.dicom(given, dataset) : transcript.hl7(given, raw));
      const exchange = note({ from: 'OF', to: actor, protocol, type, at, file });
      open.push(() => keepReply(arrival, kind, exchange));
    },
    finish: () => void open.splice(0, open.length, ...open.filter((keep) => !keep())),
  };
}

/** A DIMSE response as the transcript keeps it. */
export function responseShown(response: {
  readonly status: number;
  readonly sopInstanceUid?: string;
  readonly comment?: string;
  readonly dataset?: Dataset;
}): object {
  const { status, dataset, ...rest } = response;
  return { status: statusText(status), ...rest, ...(dataset ? { dataset: toDicomJson(dataset) } : {}) };
}
