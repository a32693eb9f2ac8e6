import { SwfError } from '../src/platform/errors.ts';
import { NoAnswer } from './hl7-sender.ts';
import { type MesaCase, type MesaOutcome, broken } from './mesa-case.ts';
import { performMesa } from './mesa-perform.ts';
import type { Arrival } from './mailbox.ts';
import type { Transcript } from './transcript.ts';
import type { PlayedResult, StepResult } from './player.ts';

/** A step of a script that was played, or left out. */
export interface MesaStepResult extends StepResult {
  readonly mismatches: MesaOutcome['mismatches'];
  readonly compared: number;
  readonly notes: readonly string[];
}

/** A script that was played to its end, or to the step that failed. */
export interface MesaResult extends PlayedResult {
  readonly steps: readonly MesaStepResult[];
  /** Why it did not come to an end for want of a person; then it has neither passed nor failed. */
  readonly undone: string | undefined;
}

/** Plays a script. What goes wrong is in the result; `told` hears of each step. */
export async function playMesaCase(
  played: MesaCase,
  { keepGoing, told }: { keepGoing: boolean; told: (step: MesaStepResult) => void },
): Promise<MesaResult> {
  const { plan, stage, signal, transcript } = played;
  const started = stage.clock.now().getTime();
  const steps: MesaStepResult[] = [];
  for (const [index, step] of plan.steps.entries()) {
    if (signal.aborted) break;
    const began = stage.clock.now().getTime();
    const prefix = String(index + 1).padStart(2, '0');
    const outcome = await performMesa(step.act, played, prefix).catch(outcomeOf);
    const { transaction, who } = step;
    const passed = outcome.mismatches.length === 0 && outcome.problems.length === 0;
    const milliseconds = stage.clock.now().getTime() - began;
    const { mismatches, ...kept } = outcome;
    const about = { number: index + 1, transaction, who, sentence: step.step, passed, at: began, milliseconds };
    const verdicts = mismatches.map((one) => ({ ...one, holds: false }));
    const result: MesaStepResult = { ...kept, ...about, mismatches, verdicts, exchanges: [] };
    steps.push(result);
    told(result);
    // What differs in a message does not keep the next from coming.
    if (outcome.problems.length > 0 && !keepGoing) break;
  }
  keepAside(
    stage.mailbox.takeAside(nobodys, () => false),
    transcript,
  );
  const passed = steps.length === plan.steps.length && steps.every((step) => step.passed);
  return {
    scenario: { name: `mesa-${plan.name}`, title: `MESA ${plan.name}`, steps: plan.steps },
    run: plan.name,
    passed: passed && played.undone === undefined,
    undone: passed ? played.undone : undefined,
    steps,
    skipped: false,
    leftover: { verdicts: [], problems: [], files: [], exchanges: [] },
    aside: [],
    began: new Date(started),
    milliseconds: stage.clock.now().getTime() - started,
  };
}

const nobodys = { isOurs: () => false, counts: () => false };

/** What no line of the script asked for. */
function keepAside(arrivals: readonly Arrival[], transcript: Transcript): void {
  arrivals.forEach((arrival, index) => {
    const name = `aside-${index + 1}-${arrival.actor}-${arrival.type.replaceAll(/[^A-Z0-9-]/g, '-')}`;
    if (arrival.dataset) transcript.dicom(name, arrival.dataset);
    else transcript.hl7(name, arrival.raw);
  });
}

function outcomeOf(error: unknown): MesaOutcome {
  if (error instanceof NoAnswer) return broken(`no acknowledgement: ${error.message}`);
  if (error instanceof SwfError && error.code === 'no-acknowledgement') return broken(`no answer: ${error.message}`);
  return broken(error instanceof Error ? error.message : String(error));
}
