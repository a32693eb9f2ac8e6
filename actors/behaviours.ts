import type { AckCode } from '../src/hl7/ack.ts';
import { parseDuration } from './duration.ts';
import type { Arrival } from './mailbox.ts';

/** How an actor answers; `times` requests long, or until it is told otherwise. */
export type Behaviour = (
  | { readonly how: 'well' }
  /** The request was received, and the connection is closed without an answer. */
  | { readonly how: 'lost' }
  | { readonly how: 'late'; readonly milliseconds: number }
  /** HL7 table 0008; with a code of table 0357 in ERR. */
  | { readonly how: 'acknowledgement'; readonly code: AckCode; readonly error: string | undefined }
  | { readonly how: 'status'; readonly status: number }
) & { readonly times?: number | undefined };

const well: Behaviour = { how: 'well' };

/** How behaviours are written, for whoever wrote one otherwise. */
export const behaviourUsage =
  "an actor answers well, late 3s, lost, AE, AR, CE, CR (also AE 207, table 0357) or a DIMSE status '0110'; then once or 3 times";

/** Reads `late 3s`, `lost once`, `AE 207 2 times`; undefined when it is none. */
export function parseBehaviour(text: string): Behaviour | undefined {
  const [, said = '', once, count] = /^(.+?)(?: (once)| ([1-9]\d*) times)?$/.exec(text) ?? [];
  const how = howOf(said);
  if (!how || (once ?? count) === undefined) return how;
  return { ...how, times: Number(count ?? 1) };
}

function howOf(text: string): Behaviour | undefined {
  if (text === 'well' || text === 'lost') return { how: text };
  const milliseconds = text.startsWith('late ') ? parseDuration(text.slice('late '.length)) : undefined;
  if (milliseconds !== undefined) return { how: 'late', milliseconds };
  const refused = /^([AC][ER])(?: (\d{3}))?$/.exec(text);
  if (refused) return { how: 'acknowledgement', code: refused[1] as AckCode, error: refused[2] };
  return /^[0-9A-Fa-f]{4}$/.test(text) ? { how: 'status', status: parseInt(text, 16) } : undefined;
}

/** How the actors answer just now. */
export interface Behaviours {
  /** Until `reset`, an actor answers what `isFor` a playing in this way. */
  set(actor: string, behaviour: Behaviour, isFor: (arrival: Arrival) => boolean): void;
  /** How an arrival is to be answered; counts towards `times`. */
  next(arrival: Arrival): Behaviour;
  /** The actor answers well again. */
  reset(actor: string): void;
}

/** Actors that answer well. */
export function createBehaviours(): Behaviours {
  const rules = new Map<string, { behaviour: Behaviour; isFor: (arrival: Arrival) => boolean; left: number }>();
  return {
    set: (actor, behaviour, isFor) =>
      void rules.set(actor, { behaviour, isFor, left: behaviour.times ?? Number.POSITIVE_INFINITY }),
    next: (arrival) => {
      const rule = rules.get(arrival.actor);
      if (!rule || rule.left === 0 || !speaks(rule.behaviour, arrival) || !rule.isFor(arrival)) return well;
      rule.left -= 1;
      return rule.behaviour;
    },
    reset: (actor) => void rules.delete(actor),
  };
}

/** An acknowledgement code answers HL7, a status DICOM, anything else both. */
function speaks({ how }: Behaviour, { protocol }: Arrival): boolean {
  if (how === 'acknowledgement') return protocol === 'hl7';
  return how !== 'status' || protocol === 'dicom';
}
