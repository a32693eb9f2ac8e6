import { type Markup, markup } from './markup.ts';

/** How the report looks, by day, by night and on paper. */
export const reportStyle: Markup = markup`
:root { --ink: #1c2330; --soft: #5b6575; --line: #d6dbe3; --paper: #fff; --tint: #f4f6f9;
  --good: #16774a; --bad: #c02626; --pause: #8a6100; --us: #1f5fae; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #9aa5b5; --line: #3a4250; --paper: #14181f;
  --tint: #1d232c; --good: #4fc48c; --bad: #ff7b72; --pause: #e0b04c; --us: #7fb3f5; } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; margin: 0 0 .25rem } h2 { font-size: 1.25rem; margin: 0 } h3 { font-size: 1rem; margin: 1.5rem 0 .5rem }
p { max-width: 46rem } a { color: var(--us) } code, .mono { font: .875em/1.4 ui-monospace, monospace }
.verdict { font-size: 1.15rem; font-weight: 600 } .soft { color: var(--soft) }
.passed { color: var(--good) } .failed { color: var(--bad) } .skipped { color: var(--pause) } .aside { color: var(--soft) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 1rem 0 } dt { color: var(--soft) } dd { margin: 0 }
table { border-collapse: collapse; width: 100% }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: .875rem }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td.mono { overflow-wrap: anywhere }
td.mark, th.mark { width: 1.75rem; padding-right: .25rem } td.number { text-align: right; white-space: nowrap }
section { margin-top: 3rem; padding-top: 1.5rem; border-top: 2px solid var(--line) }
.diagram { overflow-x: auto; background: var(--tint); border-radius: 8px; padding: .75rem; margin: 1rem 0 }
details { border-bottom: 1px solid var(--line) } summary { cursor: pointer; padding: .4rem 0; display: grid;
  grid-template-columns: 1.25rem 2rem 4.5rem 8rem 1fr max-content; gap: .5rem; align-items: baseline; list-style: none }
summary::-webkit-details-marker { display: none } summary:hover { background: var(--tint) }
summary > :last-child::after { content: ' ▸' } details[open] > summary > :last-child::after { content: ' ▾' }
summary .who { color: var(--soft); font-size: .875rem } details > div { padding: 0 0 .9rem 2rem; font-size: .9375rem }
details:target > summary { background: var(--tint); outline: 2px solid var(--us) }
.problem { margin: .4rem 0; font-weight: 600 } .files { margin: .5rem 0 0; font-size: .875rem } .files a { margin-right: 1rem }
svg { display: block; font: 12px system-ui, sans-serif; height: auto; min-width: 44rem; max-width: 100% }
svg text { fill: currentColor; text-anchor: middle } svg a { color: inherit; text-decoration: none }
.life { stroke: var(--line); stroke-width: 1.5 } .away { stroke: var(--bad); stroke-width: 4; stroke-dasharray: 2 5 }
.actor rect { fill: var(--paper); stroke: var(--soft) } .actor.tested rect { fill: var(--us); stroke: var(--us) }
svg .actor .short { font-weight: 700; font-size: 14px; fill: var(--ink) } svg .actor .long { font-size: 11px; fill: var(--soft) }
svg .actor.tested text { fill: var(--paper) } svg .time { text-anchor: end; fill: var(--soft); font-size: 11px }
circle { fill: var(--paper); stroke: currentColor; stroke-width: 1.5 } svg .number { font-weight: 600; font-size: 11px }
.request, .answer, .missing { stroke: currentColor; stroke-width: 1.6 } .answer { stroke-width: 1.1; stroke-dasharray: 5 4 }
.missing { stroke-dasharray: 2 4 } .tip { fill: currentColor } .cross { stroke: currentColor; stroke-width: 2 }
svg .label { paint-order: stroke; stroke: var(--tint); stroke-width: 4px; white-space: pre }
.note { fill: var(--paper); stroke: currentColor; stroke-dasharray: 3 3 } svg .said { fill: var(--ink) }
@media (max-width: 44rem) { summary { grid-template-columns: 1.25rem 1.5rem 1fr max-content } summary .who, summary .rad { display: none } }
@media print { body { max-width: none; padding: 0 } section { break-before: page } }
`;
