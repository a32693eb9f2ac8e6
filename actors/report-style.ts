import { type Markup, markup } from '../src/platform/markup.ts';

/** How the report looks, by day, by night and on paper. */
export const reportStyle: Markup = markup`
:root { --ink: #1c2330; --soft: #5b6575; --line: #d6dbe3; --paper: #fff; --tint: #f4f6f9;
  --good: #16774a; --bad: #c02626; --pause: #8a6100; --us: #1f5fae; --warn: #fdeeee; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #9aa5b5; --line: #3a4250; --paper: #14181f;
  --tint: #1d232c; --good: #4fc48c; --bad: #ff7b72; --pause: #e0b04c; --us: #7fb3f5; --warn: #3a1f22; } }
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
.compared td:nth-child(3), .compared td:nth-child(4) { width: 33% }
.compared .place { min-width: 8rem } th.number { text-align: right } .words { color: var(--soft); font-size: .8125rem; margin-left: .25rem }
tr.wrong td { background: var(--warn) } .contents td:nth-child(2) { overflow-wrap: anywhere }
.failures { padding-left: 1.25rem } .failures li { margin: .35rem 0; max-width: 60rem } .why { display: block; overflow-wrap: anywhere }
.legend { margin-top: 1.5rem; border: 1px solid var(--line); border-radius: 8px; padding: .25rem 1rem }
.legend > summary { display: block; font-weight: 600; padding: .5rem 0 } .legend > div { padding: 0 0 1rem; font-size: .9375rem }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2.5rem } .legend h3 { margin: .5rem 0 } .legend dl { margin: 0 0 .75rem }
td.mark, th.mark { width: 1.75rem; padding-right: .25rem } td.number { text-align: right; white-space: nowrap }
section { margin-top: 3rem; padding-top: 1.5rem; border-top: 2px solid var(--line) }
.diagram { overflow-x: auto; background: var(--tint); border-radius: 8px; padding: .75rem; margin: 1rem 0 }
details { border-bottom: 1px solid var(--line) } summary { cursor: pointer; padding: .4rem 0; display: grid;
  grid-template-columns: 1.25rem 2rem 4.5rem 8rem 1fr max-content; gap: .5rem; align-items: baseline; list-style: none }
summary::-webkit-details-marker { display: none } summary:hover { background: var(--tint) }
section summary > :last-child::after { content: ' ▸' } details[open] > summary > :last-child::after { content: ' ▾' }
.legend > summary::after { content: ' ▸' } .legend[open] > summary::after { content: ' ▾' }
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
@media (max-width: 44rem) { summary { grid-template-columns: 1.25rem 1.5rem 1fr max-content } summary .who, summary .rad { display: none }
  .columns { grid-template-columns: 1fr } details > div { padding-left: 0 } .contents td:nth-child(3), .contents th:nth-child(3) { display: none }
  .compared, .compared tbody, .compared tr, .compared td { display: block; width: auto !important; border: 0; padding: 0 } .compared thead { display: none }
  .compared tr { padding: .4rem 0 .4rem 1.5rem; border-bottom: 1px solid var(--line); position: relative } .compared td.mark { position: absolute; left: 0 }
  .compared td:nth-child(3)::before { content: 'expected ' } .compared td:nth-child(4)::before { content: 'received ' }
  .compared td.mono::before { font: .8125rem system-ui, sans-serif; color: var(--soft) } }
@media print { :root { --ink: #000; --paper: #fff; --tint: #fff; --soft: #444; --line: #bbb; --warn: #fff; --good: #16774a; --bad: #c02626; --us: #1f5fae }
  html { font-size: 11px } body { max-width: none; padding: 0; font-size: 1rem } section { break-before: page } tr, summary { break-inside: avoid }
  details::details-content { content-visibility: visible; block-size: auto } summary > :last-child::after { content: '' !important } .diagram { overflow: visible } }
`;
