import type { Dataset } from '../src/dicom/dataset.ts';
import type { Hl7Message } from '../src/hl7/message.ts';

/** What an actor answered. */
export interface Reply {
  /** MSA-1, or the DIMSE status in hexadecimal. */
  readonly code: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The bytes of an HL7 answer. */
  readonly raw?: Uint8Array;
  /** A DIMSE response, as the transcript keeps it. */
  readonly said?: object;
}

/** What an actor received: an HL7 message, or a DICOM request. */
export interface Arrival {
  readonly actor: string;
  readonly protocol: 'hl7' | 'dicom';
  /** `ORM^O01`, or the DIMSE command: `N-CREATE`, `N-SET`, `C-FIND`. */
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Every value it carries; an identifier among them says which playing it belongs to. */
  readonly values: ReadonlySet<string>;
  /** The message as it came; for a DICOM request its dataset as DICOM JSON. */
  readonly raw: Uint8Array;
  /** Absent when the message could not be parsed. */
  readonly message?: Hl7Message;
  readonly dataset?: Dataset;
  /** Undefined until the actor has answered. */
  reply?: Reply;
}

/** What one `receive` is after. */
export interface Wanted {
  readonly actor: string;
  readonly type: string;
  /** Whether an arrival belongs to the playing. */
  readonly isOurs: (arrival: Arrival) => boolean;
}

/** Where and by what an unclaimed arrival counts against a scenario. */
export interface Watch {
  readonly isOurs: (arrival: Arrival) => boolean;
  /** Whether an arrival of this kind at this actor matters to the scenario. */
  readonly counts: (arrival: Arrival) => boolean;
}

export interface Mailbox {
  /** Keeps what an actor received, in the order of arrival. */
  add(arrival: Arrival): void;
  /** Takes the oldest unclaimed arrival that fits, waiting up to `withinMs`; undefined when none came. */
  claim(wanted: Wanted, withinMs: number, signal?: AbortSignal): Promise<Arrival | undefined>;
  /** Waits out `quietMs`; ends at once with the unclaimed arrivals that count, when there are any. */
  quiet(watch: Watch, quietMs: number, signal?: AbortSignal): Promise<readonly Arrival[]>;
  /** The unclaimed arrivals that count now. */
  unclaimed(watch: Watch): readonly Arrival[];
  /** The unclaimed arrivals that do not count, belong to no other playing and were not taken aside before. */
  takeAside(watch: Watch, isTheirs: (arrival: Arrival) => boolean): readonly Arrival[];
  /** Removes arrivals that were told as unexpected, so that they are told once. */
  discard(arrivals: readonly Arrival[]): void;
  /** Everything no step has claimed, whoever it belongs to: the backlog. */
  backlog(): readonly Arrival[];
}

/** Whether an arrival carries one of these identifiers. */
export function belongs(arrival: Arrival, identifiers: ReadonlySet<string>): boolean {
  for (const identifier of identifiers) if (arrival.values.has(identifier)) return true;
  return false;
}

/** The type a scenario asks for covers a longer one: `OMI^O23` takes `OMI^O23^OMI_O23`. */
function isOfType(arrival: Arrival, type: string): boolean {
  const asked = type.split('^').slice(0, 2).join('^');
  return arrival.type === asked;
}

/**
 * What all actors received and no step has claimed yet. Belonging is asked anew each time, because a message can
 * arrive before the step that captures the identifier it carries.
 */
export function createMailbox(): Mailbox {
  const unclaimedArrivals: Arrival[] = [];
  const listeners = new Set<() => void>();
  const takenAside = new WeakSet<Arrival>();
  const unclaimed = ({ isOurs, counts }: Watch): readonly Arrival[] =>
    unclaimedArrivals.filter((arrival) => counts(arrival) && isOurs(arrival));
  const take = ({ actor, type, isOurs }: Wanted): Arrival | undefined => {
    const index = unclaimedArrivals.findIndex(
      (arrival) => arrival.actor === actor && isOfType(arrival, type) && isOurs(arrival),
    );
    return index < 0 ? undefined : unclaimedArrivals.splice(index, 1)[0];
  };
  return {
    add: (arrival) => {
      unclaimedArrivals.push(arrival);
      for (const listener of [...listeners]) listener();
    },
    claim: (wanted, withinMs, signal) => until(() => take(wanted), { listeners, withinMs, signal }),
    quiet: async (watch, quietMs, signal) => {
      const some = (): readonly Arrival[] | undefined => {
        const found = unclaimed(watch);
        return found.length > 0 ? found : undefined;
      };
      return (await until(some, { listeners, withinMs: quietMs, signal })) ?? [];
    },
    unclaimed,
    takeAside: (watch, isTheirs) => {
      const counting = new Set(unclaimed(watch));
      const isAside = (one: Arrival): boolean => !counting.has(one) && !takenAside.has(one) && !isTheirs(one);
      const others = unclaimedArrivals.filter(isAside);
      others.forEach((arrival) => takenAside.add(arrival));
      return others;
    },
    discard: (arrivals) => {
      const left = unclaimedArrivals.filter((arrival) => !arrivals.includes(arrival));
      unclaimedArrivals.splice(0, unclaimedArrivals.length, ...left);
    },
    backlog: () => [...unclaimedArrivals],
  };
}

interface Waiting {
  readonly listeners: Set<() => void>;
  readonly withinMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Looks now and after each arrival; undefined when the time is over or the playing was stopped. */
function until<T>(look: () => T | undefined, { listeners, withinMs, signal }: Waiting): Promise<T | undefined> {
  const now = look();
  if (now !== undefined || signal?.aborted) return Promise.resolve(now);
  return new Promise((resolve) => {
    const end = (found: T | undefined): void => {
      clearTimeout(timer);
      listeners.delete(again);
      signal?.removeEventListener('abort', stopped);
      resolve(found);
    };
    const again = (): void => {
      const found = look();
      if (found !== undefined) end(found);
    };
    const stopped = (): void => end(undefined);
    const timer = setTimeout(() => end(look()), withinMs);
    listeners.add(again);
    signal?.addEventListener('abort', stopped, { once: true });
  });
}
