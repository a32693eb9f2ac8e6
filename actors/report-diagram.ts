import { type Markup, markup, nothing } from '../src/platform/markup.ts';
import type { ScenarioResult } from './player.ts';
import { type Row, lifelinesOf, rowsOf } from './report-rows.ts';
import { actorWords } from './words.ts';

/** Pixels. */
const margin = 108;
const column = 168;
const head = 58;
const rowHeight = { exchange: 50, missing: 34, note: 38 } as const;

interface Drawing {
  readonly width: number;
  readonly x: (actor: string) => number;
}

/** What really went over the wire in a playing, as a sequence diagram; `anchor` begins the ids of its steps. */
export function diagramOf(result: ScenarioResult, anchor: string): Markup {
  const rows = rowsOf(result);
  const actors = lifelinesOf(result, rows);
  const tops = rows.map((_, index) => head + rows.slice(0, index).reduce((sum, row) => sum + rowHeight[row.kind], 12));
  const height = (tops.at(-1) ?? head) + (rows.length > 0 ? rowHeight[rows.at(-1)?.kind ?? 'note'] : 0) + 10;
  const x = (actor: string): number => margin + column * (actors.indexOf(actor) + 0.5);
  const drawing = { width: margin + column * actors.length, x };
  const start = result.began.getTime();
  const drawn = rows.map((row, index) => rowDrawn(row, { drawing, top: tops[index] ?? 0, start, anchor }));
  const lines = actors.map((actor) => lifeline(actor, { x: x(actor), height, gaps: gapsOf(actor, rows, tops) }));
  return markup`<svg viewBox="0 0 ${drawing.width} ${height}" width="${drawing.width}" height="${height}" role="img"
    aria-label="Sequence diagram of ${result.scenario.title}">${lines}${drawn}</svg>`;
}

/** From where to where an actor did not listen. */
function gapsOf(actor: string, rows: readonly Row[], tops: readonly number[]): (readonly [number, number])[] {
  const gaps: (readonly [number, number])[] = [];
  let from: number | undefined;
  for (const [index, row] of rows.entries()) {
    if (row.kind !== 'note' || row.listens === undefined || !row.actors.includes(actor)) continue;
    const y = (tops[index] ?? 0) + rowHeight.note / 2;
    if (row.listens && from !== undefined) gaps.push([from, y]);
    from = row.listens ? undefined : y;
  }
  return from === undefined ? gaps : [...gaps, [from, Number.POSITIVE_INFINITY]];
}

interface Line {
  readonly x: number;
  readonly height: number;
  readonly gaps: readonly (readonly [number, number])[];
}

function lifeline(actor: string, { x, height, gaps }: Line): Markup {
  const [name] = actorWords(actor);
  const away = gaps.map(([from, to]) => {
    return markup`<line class="away" x1="${x}" x2="${x}" y1="${from}" y2="${Math.min(to, height)}"/>`;
  });
  return markup`<line class="life" x1="${x}" x2="${x}" y1="${head - 6}" y2="${height}"/>${away}
    <g class="actor${actor === 'OF' ? ' tested' : ''}">
      <rect x="${x - 72}" y="6" width="144" height="44" rx="6"/>
      <text class="short" x="${x}" y="25">${actor}</text><text class="long" x="${x}" y="41">${name}</text>
    </g>`;
}

interface Placed {
  readonly drawing: Drawing;
  readonly top: number;
  /** When the playing began, milliseconds since 1970. */
  readonly start: number;
  readonly anchor: string;
}

function rowDrawn(row: Row, placed: Placed): Markup {
  const { top, start, anchor } = placed;
  const y = top + (row.kind === 'note' ? rowHeight.note / 2 : 22);
  const number =
    row.step === undefined
      ? nothing
      : markup`<a href="#${anchor}-${row.step}"><circle cx="20" cy="${y}" r="12"/>
        <text class="number" x="20" y="${y + 4}">${row.step}</text></a>`;
  const seconds = ((row.at - start) / 1000).toFixed(3);
  return markup`<g class="${row.tone}">${number}<text class="time" x="${margin - 8}" y="${y + 4}">${seconds} s</text>
    ${bodyOf(row, placed)}</g>`;
}

function bodyOf(row: Row, { drawing, top }: Placed): Markup {
  const { x, width } = drawing;
  if (row.kind === 'note') return note(row, { drawing, top });
  const { from, to } = row.kind === 'exchange' ? row.exchange : row;
  const there = arrow({ from: x(from), to: x(to), y: top + 22 }, row.kind === 'missing' ? 'missing' : 'request');
  const label = caption({ from: x(from), to: x(to), y: top + 16 }, row.label);
  if (row.kind === 'missing') return markup`${there}${label}${cross(x(to), top + 22, width)}`;
  const { answer, at } = row.exchange;
  const back = { from: x(to), to: x(from), y: top + 40 };
  if (!answer) return markup`${there}${label}${caption(back, 'no answer')}`;
  return markup`${there}${label}${arrow(back, 'answer')}${caption({ ...back, y: top + 36 }, `${answer.code}  ${answer.at - at} ms`)}`;
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly y: number;
}

function arrow({ from, to, y }: Span, kind: 'request' | 'answer' | 'missing'): Markup {
  const back = Math.sign(from - to) * 8;
  const tip = markup`<path class="tip" d="M${to} ${y}l${back} -4v8z"/>`;
  return markup`<line class="${kind}" x1="${from}" x2="${to}" y1="${y}" y2="${y}"/>${kind === 'missing' ? nothing : tip}`;
}

/** A text over an arrow, in the half beside the arrow's beginning, where no other lifeline passes. */
function caption({ from, to, y }: Span, text: string): Markup {
  const isWide = Math.abs(to - from) > column * 1.5;
  const middle = isWide ? from + (Math.sign(to - from) * column) / 2 : (from + to) / 2;
  return markup`<text class="label" x="${middle}" y="${y}">${text}</text>`;
}

function cross(x: number, y: number, width: number): Markup {
  const at = Math.min(x, width) - 4;
  return markup`<path class="cross" d="M${at - 5} ${y - 5}l10 10m0 -10l-10 10"/>`;
}

function note(row: Extract<Row, { kind: 'note' }>, { drawing, top }: { drawing: Drawing; top: number }): Markup {
  const places = row.actors.length > 0 ? row.actors.map(drawing.x) : [margin + column / 2, drawing.width - column / 2];
  const long = row.label.length > 110 ? `${row.label.slice(0, 109)}…` : row.label;
  const needed = long.length * 6.6 + 24;
  const middle = places.reduce((sum, place) => sum + place, 0) / places.length;
  const left = Math.max(margin, Math.min(middle - needed / 2, drawing.width - needed - 2));
  return markup`<rect class="note" x="${left}" y="${top + 5}" width="${Math.min(needed, drawing.width - left)}" height="28" rx="14"/>
    <text class="said" x="${left + Math.min(needed, drawing.width - left) / 2}" y="${top + 23}">${long}</text>`;
}
