import type { Kept, ScenarioResult, StepResult } from './player.ts';
import { detailsOf } from './progress.ts';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for XML 1.0: markup escaped, characters that no XML document may hold replaced. */
function escape(text: string): string {
  return text
    .replace(/[&<>"]/g, (character) => entities[character] ?? '')
    .replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
}

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

function failure(outcome: Kept): string {
  const details = detailsOf(outcome);
  return `<failure message="${escape(details[0] ?? 'failed')}">${escape(details.join('\n'))}</failure>`;
}

function bodyOf(step: StepResult): string {
  if (step.skipped !== undefined) return `<skipped message="${escape(step.skipped)}"/>`;
  return step.passed ? '' : failure(step);
}

function testCase(suite: string, name: string, { time, body }: { time: number; body: string }): string {
  const head = `    <testcase classname="${escape(suite)}" name="${escape(name)}" time="${seconds(time)}"`;
  return body === '' ? `${head}/>` : `${head}>${body}</testcase>`;
}

function stepCase(suite: string, step: StepResult): string {
  const name = [String(step.number), step.transaction, step.sentence].filter(Boolean).join(' ');
  return testCase(suite, name, { time: step.milliseconds, body: bodyOf(step) });
}

function suiteOf({ scenario, steps, leftover, milliseconds }: ScenarioResult): string {
  const unplayed = scenario.steps.slice(steps.length);
  const hasLeftover = leftover.problems.length > 0;
  const failures = steps.filter((step) => !step.passed && step.skipped === undefined).length + (hasLeftover ? 1 : 0);
  const skipped = unplayed.length + steps.filter((step) => step.skipped !== undefined).length;
  const cases = [
    ...steps.map((step) => stepCase(scenario.name, step)),
    ...unplayed.map((step, index) =>
      testCase(scenario.name, `${steps.length + index + 1} ${step.step}`, { time: 0, body: '<skipped/>' }),
    ),
    ...(hasLeftover ? [testCase(scenario.name, 'at the end', { time: 0, body: failure(leftover) })] : []),
  ];
  const counts = `tests="${cases.length}" failures="${failures}" skipped="${skipped}"`;
  const head = `  <testsuite name="${escape(scenario.name)}" ${counts} time="${seconds(milliseconds)}">`;
  return [head, ...cases, '  </testsuite>'].join('\n');
}

/** The results as a JUnit report: one suite for each scenario, one case for each step. */
export function junitReport(results: readonly ScenarioResult[]): string {
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...results.map(suiteOf), '</testsuites>', ''].join(
    '\n',
  );
}
