import type { ScenarioResult, StepResult } from './player.ts';
import { actorsOf, kindOf } from './scenario.ts';
import type { Exchange } from './wire.ts';

export type Tone = 'passed' | 'failed' | 'skipped' | 'aside';

interface RowOf {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The number of the step; undefined for what no step asked for. */
  readonly step: number | undefined;
  readonly tone: Tone;
  readonly label: string;
}

/** A line of the diagram. */
export type Row = RowOf &
  (
    | { readonly kind: 'exchange'; readonly exchange: Exchange }
    /** A message that was waited for and did not come. */
    | { readonly kind: 'missing'; readonly from: string; readonly to: string }
    /** Something that happens to actors, not over the wire. */
    | { readonly kind: 'note'; readonly actors: readonly string[]; readonly listens: boolean | undefined }
  );

export function toneOf({ passed, skipped }: StepResult): Tone {
  if (skipped !== undefined) return 'skipped';
  return passed ? 'passed' : 'failed';
}

/** What happened in a playing, in the order of time. */
export function rowsOf(result: ScenarioResult): Row[] {
  const surplus = result.leftover.exchanges.map((one): Row => {
    return {
      kind: 'exchange',
      at: one.at,
      step: undefined,
      tone: 'failed',
      label: `${one.type}, unexpected`,
      exchange: one,
    };
  });
  const aside = result.aside.map((one): Row => {
    return {
      kind: 'exchange',
      at: one.at,
      step: undefined,
      tone: 'aside',
      label: `${one.type}, set aside`,
      exchange: one,
    };
  });
  const rows = [...result.steps.flatMap((step) => rowsOfStep(step, result)), ...surplus, ...aside];
  return rows.toSorted((a, b) => a.at - b.at);
}

function rowsOfStep(step: StepResult, { scenario }: ScenarioResult): Row[] {
  const { number, transaction = '', exchanges, at } = step;
  const tone = toneOf(step);
  if (exchanges.length > 0) {
    const label = (type: string): string => [transaction, type].filter(Boolean).join('  ');
    return exchanges.map((one) => {
      return { kind: 'exchange', at: one.at, step: number, tone, label: label(one.type), exchange: one };
    });
  }
  const played = scenario.steps[number - 1];
  if (!played) return [];
  if (played.verb === 'receive') {
    const label = `${transaction}  ${played.receive} did not come`.trim();
    return [{ kind: 'missing', at: at + step.milliseconds, step: number, tone, label, from: 'OF', to: played.to }];
  }
  const listens = { offline: false, killed: false, online: true }[played.verb as string];
  const actors = actorsOf(played);
  return [{ kind: 'note', at, step: number, tone, label: step.sentence, actors, listens }];
}

const order = ['ADT', 'OP', 'staff', 'OF', 'MOD', 'IM', 'RM'];

/** The lifelines from left to right: who orders, the Order Filler, who performs. */
export function lifelinesOf({ scenario }: ScenarioResult, rows: readonly Row[]): string[] {
  const heard = rows.flatMap((row) => (row.kind === 'exchange' ? [row.exchange.from, row.exchange.to] : []));
  const place = (actor: string): number => order.indexOf(kindOf(actor) ?? actor);
  return [...new Set([...scenario.cast, 'OF', ...heard])].toSorted((a, b) => place(a) - place(b));
}
