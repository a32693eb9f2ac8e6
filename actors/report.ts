import { basename, dirname, relative, resolve, sep } from 'node:path';
import { localTimeOf } from '../src/platform/clock.ts';
import type { Verdict } from './checks.ts';
import { type Markup, markup, nothing } from '../src/platform/markup.ts';
import { mismatchesOf } from './outcome.ts';
import type { Kept, ScenarioResult, StepResult } from './player.ts';
import { countsOf } from './progress.ts';
import { diagramOf } from './report-diagram.ts';
import { type Tone, lifelinesOf, rowsOf, toneOf } from './report-rows.ts';
import { reportStyle } from './report-style.ts';
import type { OrderFiller } from './stage.ts';
import { actorWords, answerWords, placeWords, transactionWords } from './words.ts';

/** What the report tells of a run beside its results. */
export interface ReportFacts {
  /** The file it is written to: links to the transcripts begin there. */
  readonly file: string;
  /** Undefined when nothing was played. */
  readonly orderFiller: OrderFiller | undefined;
  readonly seed: number;
  /** IANA name. */
  readonly timeZone: string;
}

const marks: Readonly<Record<Tone, string>> = { passed: '✓', failed: '✗', skipped: '○', aside: '·' };
const verdictWords: Readonly<Record<Tone, string>> = {
  passed: 'passed',
  failed: 'failed',
  skipped: 'skipped',
  aside: 'set aside',
};

/** A page for people who know neither this project nor its scenarios: one file, no script, nothing from elsewhere. */
export function htmlReport(results: readonly ScenarioResult[], facts: ReportFacts): string {
  const sections = results.map((result, index) => scenarioSection(result, `s${index + 1}`, facts));
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Scenarios: ${summary(results)}</title>
<style>${reportStyle}</style>
</head>
<body>
<header>
<h1>Scheduled Workflow scenarios</h1>
<p class="verdict ${allTone(results)}">${summary(results)}</p>
<p>Each scenario is a piece of a radiology department's day. swf-play took the part of every system around the Order
Filler, talked to it over real HL7 and DICOM connections and compared what it said with what the scenario expects.
The Order Filler itself was looked at only from outside, by what went over the wire.</p>
${runFacts(results, facts)}
</header>
${failures(results)}
<table class="contents"><thead><tr><th class="mark"></th><th>Scenario</th><th>What it plays</th><th class="number">Steps that passed</th><th class="number">Time</th></tr></thead>
<tbody>${results.map((result, index) => contentsRow(result, `s${index + 1}`))}</tbody></table>
${legend(results)}
${sections}
</body>
</html>
`.markup;
}

function summary(results: readonly ScenarioResult[]): string {
  const { passed, failed, skipped } = countsOf(results);
  return [`${passed} passed`, `${failed} failed`, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(', ');
}

const scenarioTone = ({ passed, skipped }: ScenarioResult): Tone => {
  if (skipped) return 'skipped';
  return passed ? 'passed' : 'failed';
};

function allTone(results: readonly ScenarioResult[]): Tone {
  const tones = results.map(scenarioTone);
  if (tones.includes('failed') || results.length === 0) return 'failed';
  return tones.includes('skipped') ? 'skipped' : 'passed';
}

function runFacts(results: readonly ScenarioResult[], { orderFiller, seed, timeZone }: ReportFacts): Markup {
  const [first] = results.toSorted((a, b) => a.began.getTime() - b.began.getTime());
  const { date, time } = first ? localTimeOf(first.began, timeZone) : { date: '', time: '' };
  return markup`<dl>${orderFiller ? orderFillerFacts(orderFiller) : nothing}
<dt>Played</dt><dd>${date} ${time} (${timeZone})</dd>
<dt>Seed</dt><dd>${seed} <span class="soft">(--seed repeats the identifiers)</span></dd></dl>`;
}

function orderFillerFacts({ hl7, dicom, http }: OrderFiller): Markup {
  return markup`<dt>Order Filler</dt><dd class="mono">mllp://${hl7.host}:${hl7.port} &nbsp; ${dicom.aeTitle}@${dicom.host}:${dicom.port}
${http ? markup`&nbsp; ${http.url}` : nothing}</dd>`;
}

function contentsRow(result: ScenarioResult, id: string): Markup {
  const { scenario, steps, milliseconds } = result;
  const tone = scenarioTone(result);
  const passed = steps.filter((step) => step.passed).length;
  return markup`<tr><td class="mark ${tone}">${marks[tone]}</td><td><a href="#${id}">${scenario.name}</a>${roundShown(result)}</td>
<td>${scenario.title}</td><td class="number">${passed} of ${scenario.steps.length}</td><td class="number soft">${seconds(milliseconds)}</td></tr>`;
}

function roundShown({ round }: ScenarioResult): Markup {
  return round === undefined ? nothing : markup` <span class="soft">round ${round}</span>`;
}

function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** What did not pass, first: each with the sentence that says why. */
function failures(results: readonly ScenarioResult[]): Markup {
  const rows = results.flatMap((result, index) => {
    if (result.passed || result.skipped) return [];
    const step = result.steps.find((one) => !one.passed && one.skipped === undefined);
    const { place, expected, received } = (step && mismatchesOf(step)[0]) ?? {};
    const problem = step?.problems[0] ?? result.leftover.problems[0] ?? 'it was stopped';
    const why = place === undefined ? problem : `${place}: expected ${expected}, received ${received}`;
    const number = step === undefined ? nothing : markup`step ${step.number}, `;
    const target = step === undefined ? `s${index + 1}` : `s${index + 1}-${step.number}`;
    return markup`<li><a href="#${target}">${result.scenario.name}</a>${roundShown(result)}: ${number}${step?.sentence ?? 'at the end'}.
<span class="failed why">${why}</span></li>`;
  });
  return rows.length === 0 ? nothing : markup`<h3>What failed</h3><ul class="failures">${rows}</ul>`;
}

/** What the signs and names mean: only those that occur. */
function legend(results: readonly ScenarioResult[]): Markup {
  const exchanges = results.flatMap(({ steps, leftover, aside }) => [
    ...[...steps, leftover].flatMap((kept) => kept.exchanges),
    ...aside,
  ]);
  const codes = [...new Set(exchanges.flatMap(({ answer }) => answer?.code ?? []))].toSorted();
  const spoken = results.flatMap(({ steps }) => steps.flatMap(({ transaction }) => transaction ?? []));
  const numbers = [...new Set(spoken)].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const actors = [...new Set(results.flatMap((result) => lifelinesOf(result, rowsOf(result))))];
  const terms = (pairs: readonly (readonly [string, readonly [string, string] | undefined])[]): Markup[] =>
    pairs.flatMap(([term, words]) =>
      words
        ? [
            markup`<dt class="mono">${term}</dt><dd>${words[0]}${words[1] && markup`: <span class="soft">${words[1]}</span>`}</dd>`,
          ]
        : [],
    );
  return markup`<details class="legend"${results.length > 3 ? nothing : markup` open`}><summary>What the names and signs mean</summary>
<div class="columns"><div><h3>Who takes part</h3><dl>${terms(actors.map((actor) => [actor, actorWords(actor)]))}</dl>
<h3>Signs</h3><dl>${signs}</dl></div>
<div><h3>What they say to each other</h3><dl>${terms(numbers.map((number) => [number, transactionWords(number)]))}</dl>
<h3>Answers</h3><dl>${terms(codes.map((code) => [code, wordsOfCode(code)]))}</dl></div></div></details>`;
}

const wordsOfCode = (code: string): readonly [string, string] | undefined => {
  const words = answerWords[code];
  return words === undefined ? undefined : [words, ''];
};

const signs: readonly Markup[] = (
  [
    ['passed', '✓', 'as expected'],
    ['failed', '✗', 'not as expected'],
    ['skipped', '○', 'not played, which is no failure'],
    ['', '→', 'a message, and how long after the beginning it came'],
    ['', '⇢', 'its answer, and how long that took'],
    ['aside', '→', 'set aside: it counts for nothing, no step asks for it'],
  ] as const
).map(([tone, sign, what]) => markup`<dt class="${tone}">${sign}</dt><dd>${what}</dd>`);

function scenarioSection(result: ScenarioResult, id: string, facts: ReportFacts): Markup {
  const { scenario, run, steps, leftover, skippedBecause } = result;
  const tone = scenarioTone(result);
  const about = [scenario.profile, ...scenario.reference, run && `run ${run}`].filter(Boolean).join(' · ');
  const unplayed = scenario.steps.slice(steps.length);
  return markup`<section id="${id}">
<h2><span class="${tone}">${marks[tone]}</span> ${scenario.title}</h2>
<p class="soft">${scenario.name} · ${about} · <span class="${tone}">${verdictWords[tone]}</span></p>
${skippedBecause === undefined ? markup`<div class="diagram">${diagramOf(result, id)}</div>` : markup`<p class="problem skipped">Skipped: ${skippedBecause}</p>`}
<h3>Step by step <span class="soft">(open a step to see what was compared, and the messages)</span></h3>
${steps.map((step) => stepDetails(step, `${id}-${step.number}`, facts))}
${leftover.problems.length > 0 ? leftoverDetails(leftover, facts) : nothing}
${unplayed.length > 0 ? notPlayed(steps.length, unplayed) : nothing}
${setAside(result, facts)}
</section>`;
}

function stepDetails(step: StepResult, id: string, facts: ReportFacts): Markup {
  const { number, transaction = '', who, sentence, milliseconds } = step;
  const tone = toneOf(step);
  const words = transactionWords(transaction);
  return markup`<details id="${id}"${tone === 'passed' ? nothing : markup` open`}><summary><span class="${tone}">${marks[tone]}</span>
<span class="soft">${number}</span><span class="rad"${words === undefined ? nothing : markup` title="${words[0]}"`}>${transaction}</span>
<span class="who">${who}</span><span>${sentence}</span><span class="soft">${seconds(milliseconds)}</span></summary>
<div>${words === undefined ? nothing : markup`<p class="soft">${transaction}, ${words[0]}: ${words[1]}.</p>`}${keptDetails(step, facts)}</div></details>`;
}

function keptDetails(kept: Kept, facts: ReportFacts): Markup {
  const { verdicts, problems, skipped } = kept;
  const said = [...(skipped === undefined ? [] : [{ text: `Skipped: ${skipped}`, tone: 'skipped' }])];
  const all = [...said, ...problems.map((text) => ({ text, tone: 'failed' }))];
  return markup`${all.map(({ text, tone }) => markup`<p class="problem ${tone}">${text}</p>`)}
${verdicts.length > 0 ? verdictTable(verdicts) : nothing}
${verdicts.length === 0 && all.length === 0 ? markup`<p class="soft">Nothing was to be compared here.</p>` : nothing}
${filesOf(kept, facts)}`;
}

function verdictTable(verdicts: readonly Verdict[]): Markup {
  const rows = verdicts.map(({ place, expected, received, holds, captured }) => {
    const tone = holds ? 'passed' : 'failed';
    const kept = captured === undefined ? nothing : markup` <span class="soft">kept as ${captured}</span>`;
    const words = placeWords(place);
    const name = words === undefined ? nothing : markup` <span class="words">${words}</span>`;
    return markup`<tr${holds ? nothing : markup` class="wrong"`}><td class="mark ${tone}">${marks[tone]}</td><td class="place"><span class="mono">${broken(place)}</span>${name}</td><td class="mono">${expected}</td>
<td class="mono ${holds ? '' : 'failed'}">${received}${kept}</td></tr>`;
  });
  return markup`<table class="compared"><thead><tr><th class="mark"></th><th>Field</th><th>Expected</th><th>Received</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

/** A long path of attributes may break behind a dot. */
function broken(place: string): readonly Markup[] {
  return place.split(/(?<=\.)(?=[A-Z])/).map((part) => markup`${part}<wbr>`);
}

function filesOf({ files }: Pick<Kept, 'files'>, facts: ReportFacts): Markup {
  if (files.length === 0) return nothing;
  return markup`<p class="files">${files.map((file) => fileLink(file, facts))}</p>`;
}

/** Paths are shown from where the player runs; links begin at the report. */
function fileLink(path: string, { file }: ReportFacts): Markup {
  const parts = relative(dirname(file), resolve(path)).split(sep);
  return markup`<a href="${parts.map(encodeURIComponent).join('/')}">${basename(path)}</a>`;
}

function leftoverDetails(leftover: Kept, facts: ReportFacts): Markup {
  return markup`<details open><summary><span class="failed">✗</span><span></span><span></span><span></span>
<span>At the end: what nobody expected</span><span></span></summary><div>${keptDetails(leftover, facts)}</div></details>`;
}

function notPlayed(played: number, unplayed: ScenarioResult['scenario']['steps']): Markup {
  const rows = unplayed.map(({ step }, index) => markup`<li value="${played + index + 1}">${step}</li>`);
  return markup`<h3 class="soft">Not played</h3><ol class="soft">${rows}</ol>`;
}

function setAside({ aside }: ScenarioResult, facts: ReportFacts): Markup {
  if (aside.length === 0) return nothing;
  return markup`<h3 class="soft">Set aside</h3><p class="soft">What came and counts for nothing: its step was not played, it is left to the Order Filler's
choice, or was for somebody outside the cast.</p>${filesOf({ files: aside.map(({ file }) => file) }, facts)}`;
}
