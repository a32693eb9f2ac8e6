import { mismatchesOf } from './outcome.ts';
import type { Audience, Kept, ScenarioResult, StepResult } from './player.ts';

/** Where lines go, and whether a terminal shows colour. */
export interface Screen {
  readonly write: (line: string) => void;
  readonly colour: boolean;
  /** Shows a line below all others that changes; absent where lines stay, as in a file. */
  readonly status?: ((text: string) => void) | undefined;
}

const green = 32;
const red = 31;
const yellow = 33;
const grey = 90;

/** The width of a whole line on a usual terminal. */
const width = 92;

/** Shows each playing line by line, as it happens: one for each step, below a failed one what was expected and what came. */
export function progressOn({ write, colour }: Screen): Audience {
  const paint: Paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const details = (outcome: Kept): void => {
    for (const line of detailsOf(outcome)) write(`        ${line}`);
  };
  return {
    begins: (scenario, run) => {
      const total = scenario.steps.length;
      const head = `${scenario.name}  ${scenario.title}`;
      write(run === '' ? head : `${head.padEnd(width - 12)}  run ${run}`);
      return {
        played: (step) => {
          write(`  ${markOf(step, paint)} ${stepLine(step)}`);
          if (!step.passed) details(step);
        },
        ended: (result) => {
          const played = result.steps.length;
          if (result.skippedBecause !== undefined) write(`  ${paint(yellow, '○')}  skipped: ${result.skippedBecause}`);
          if (played < total) write(paint(grey, `  -  ${notPlayed(played + 1, total)}`));
          if (result.leftover.problems.length === 0) return;
          write(`  ${paint(red, '✗')}  at the end`);
          details(result.leftover);
        },
      };
    },
  };
}

/**
 * Several at a time: each is shown as a whole when it has ended, in brief those that passed as one line; the status line
 * says what is going on.
 */
export function progressOfSeveral(screen: Screen, total: number, brief = false): Audience {
  const going = new Map<object, string>();
  const results: ScenarioResult[] = [];
  const tell = (): void => {
    const { passed, failed, skipped } = countsOf(results);
    const over = `${passed + failed + skipped} of ${total} played, ${failed} failed`;
    screen.status?.(going.size === 0 ? '' : [over, ...going.values()].join('  |  '));
  };
  return {
    begins: (scenario, run) => {
      const key = {};
      const lines: string[] = [];
      const one = progressOn({ ...screen, write: (line) => void lines.push(line) }).begins(scenario, run);
      const now = (number: number): void => {
        going.set(key, `${scenario.name} ${number}/${scenario.steps.length}`);
        tell();
      };
      now(1);
      return {
        played: (step) => {
          one.played(step);
          now(Math.min(step.number + 1, scenario.steps.length));
        },
        ended: (result) => {
          one.ended(result);
          results.push(result);
          going.delete(key);
          const shown = brief && result.passed ? [passedLine(result, screen)] : lines;
          shown.forEach((line) => screen.write(line));
          tell();
        },
      };
    },
  };
}

function passedLine({ scenario, milliseconds }: ScenarioResult, { colour }: Screen): string {
  const mark = colour ? `\u001b[${green}m✓\u001b[0m` : '✓';
  const said = `${scenario.name}  ${scenario.title}`.slice(0, width - 14);
  return `${mark} ${said.padEnd(width - 13)} ${String(milliseconds).padStart(6)} ms`;
}

type Paint = (code: number, text: string) => string;

function markOf({ passed, skipped }: StepResult, paint: Paint): string {
  if (skipped !== undefined) return paint(yellow, '○');
  return passed ? paint(green, '✓') : paint(red, '✗');
}

function stepLine({ number, transaction = '', who, sentence, milliseconds }: StepResult): string {
  const said = `${String(number).padStart(2)}  ${transaction.padEnd(6)}  ${who.padEnd(11)}  ${sentence}`;
  return `${said.padEnd(width - 14)}  ${String(milliseconds).padStart(6)} ms`;
}

function notPlayed(first: number, last: number): string {
  return first === last ? `${first} not played` : `${first} to ${last} not played`;
}

/** What was wrong, one line each: differences, sentences, then where the messages are. */
export function detailsOf(outcome: Kept): string[] {
  const mismatches = mismatchesOf(outcome);
  const longest = Math.max(0, ...mismatches.map(({ place }) => place.length));
  const wanted = Math.max(0, ...mismatches.map(({ expected }) => expected.length));
  return [
    ...mismatches.map(
      ({ place, expected, received }) =>
        `${place.padEnd(longest)}   expected ${expected.padEnd(wanted)}   received ${received}`,
    ),
    ...(outcome.skipped === undefined ? [] : [`skipped: ${outcome.skipped}`]),
    ...outcome.problems,
    ...outcome.files.map((file) => `message  ${file}`),
  ];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** How many passed, failed and were skipped. */
export function countsOf(results: readonly ScenarioResult[]): Counts {
  const passed = results.filter((result) => result.passed).length;
  const skipped = results.filter((result) => result.skipped).length;
  return { passed, failed: results.length - passed - skipped, skipped };
}

/** `2 scenarios, 1 passed, 1 failed`, and how many were skipped where some were; of several rounds, all playings count. */
export function summaryOf(results: readonly ScenarioResult[], rounds = 1): string {
  const { passed, failed, skipped } = countsOf(results);
  const count = new Set(results.map(({ scenario }) => scenario)).size;
  const often = rounds > 1 ? ` in ${rounds} rounds` : '';
  const rest = skipped > 0 ? `, ${skipped} skipped` : '';
  return `${count} ${count === 1 ? 'scenario' : 'scenarios'}${often}, ${passed} passed, ${failed} failed${rest}`;
}
