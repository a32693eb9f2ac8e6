import { type Markup, markup, nothing } from '../src/platform/markup.ts';
import type { Kept, PlayedResult, StepResult } from './player.ts';
import { detailsOf } from './progress.ts';

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

function failure(outcome: Kept): Markup {
  const details = detailsOf(outcome);
  return markup`<failure message="${details[0] ?? 'failed'}">${details.join('\n')}</failure>`;
}

function bodyOf(step: StepResult): Markup {
  if (step.skipped !== undefined) return markup`<skipped message="${step.skipped}"/>`;
  return step.passed ? nothing : failure(step);
}

interface Case {
  readonly name: string;
  readonly milliseconds: number;
  readonly body: Markup;
}

function caseOf(step: StepResult): Case {
  const name = [String(step.number), step.transaction, step.sentence].filter(Boolean).join(' ');
  return { name, milliseconds: step.milliseconds, body: bodyOf(step) };
}

function suiteOf({ scenario, round = 1, steps, leftover, milliseconds, skippedBecause }: PlayedResult): Markup {
  const name = round === 1 ? scenario.name : `${scenario.name} (round ${round})`;
  const unplayed = scenario.steps.slice(steps.length);
  const hasLeftover = leftover.problems.length > 0;
  const failures = steps.filter((step) => !step.passed && step.skipped === undefined).length + (hasLeftover ? 1 : 0);
  const skipped = unplayed.length + steps.filter((step) => step.skipped !== undefined).length;
  const cases: Case[] = [
    ...steps.map(caseOf),
    ...unplayed.map(({ step }, index) => {
      const reason = skippedBecause === undefined ? nothing : markup` message="${skippedBecause}"`;
      return { name: `${steps.length + index + 1} ${step}`, milliseconds: 0, body: markup`<skipped${reason}/>` };
    }),
    ...(hasLeftover ? [{ name: 'at the end', milliseconds: 0, body: failure(leftover) }] : []),
  ];
  const lines = cases.map((one) => {
    const time = seconds(one.milliseconds);
    return markup`    <testcase classname="${name}" name="${one.name}" time="${time}">${one.body}</testcase>\n`;
  });
  const counts = markup`tests="${cases.length}" failures="${failures}" skipped="${skipped}"`;
  const head = markup`  <testsuite name="${name}" ${counts} time="${seconds(milliseconds)}">`;
  return markup`${head}\n${lines}  </testsuite>\n`;
}

/** The results as a JUnit report: one suite for each scenario, one case for each step. */
export function junitReport(results: readonly PlayedResult[]): string {
  const suites = results.map(suiteOf);
  return markup`<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites}</testsuites>\n`.markup;
}
