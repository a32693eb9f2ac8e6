import type { MesaResult, MesaStepResult } from './mesa-player.ts';
import { type Screen, detailsOf } from './progress.ts';

const colours = { passed: 32, failed: 31, skipped: 90 } as const;
const marks = { passed: '✓', failed: '✗', skipped: '-' } as const;

type Verdict = keyof typeof marks;

/** Shows how scripts are played: a line for each step, below it what was compared, or what differed. */
export function mesaProgressOn({ write, colour }: Screen) {
  const paint = (verdict: Verdict, text: string): string =>
    colour ? `\u001b[${colours[verdict]}m${text}\u001b[0m` : text;
  const step = (result: MesaStepResult): void => {
    const { number, transaction = '', who, sentence, compared, notes } = result;
    const verdict: Verdict = result.passed ? (result.skipped === undefined ? 'passed' : 'skipped') : 'failed';
    const counted = compared > 0 ? `  ${compared} compared` : '';
    const line = `${String(number).padStart(2)}  ${transaction.padEnd(6)}  ${who.padEnd(13)}  ${sentence}${counted}`;
    write(`  ${paint(verdict, marks[verdict])} ${verdict === 'skipped' ? paint(verdict, line) : line}`);
    for (const note of notes) write(`        ${note}`);
    if (result.skipped !== undefined) write(`        ${paint('skipped', result.skipped)}`);
    if (!result.passed) for (const detail of detailsOf(result)) write(`        ${detail}`);
  };
  return {
    begins: (name: string): void => write(`MESA ${name}`),
    step,
    ended: ({ steps, scenario }: MesaResult): void => {
      const left = scenario.steps.length - steps.length;
      if (left > 0) write(paint('skipped', `  -  ${left} steps not played`));
    },
  };
}

const verdictOf = ({ passed, undone }: MesaResult): string =>
  passed ? 'passed' : undone === undefined ? 'failed' : 'not played to its end';

/** A line for each script, then how many passed. */
export function mesaSummary(results: readonly MesaResult[]): string {
  const lines = results.map((result) => {
    const played = result.steps.filter((step) => step.skipped === undefined);
    const compared = played.reduce((sum, step) => sum + step.compared, 0);
    const differences = played.reduce((sum, step) => sum + step.mismatches.length + step.problems.length, 0);
    const counts = `${String(played.length).padStart(3)} steps  ${String(compared).padStart(4)} values compared`;
    const undone = result.undone === undefined ? '' : `: ${result.undone}`;
    return `${result.run.padEnd(6)}  ${counts}  ${differences} wrong  ${verdictOf(result)}${undone}`;
  });
  const passed = results.filter((result) => result.passed).length;
  const failed = results.filter((result) => verdictOf(result) === 'failed').length;
  const noun = results.length === 1 ? 'script' : 'scripts';
  const rest = results.length - passed - failed;
  const total = `${results.length} ${noun}, ${passed} passed, ${failed} failed`;
  return [...lines, rest === 0 ? total : `${total}, ${rest} not played to the end`].join('\n');
}
