import type { z } from 'zod';
import { table } from './cli-io.ts';
import type { dryRun } from './http/schemas-messages.ts';

type DryRun = z.output<typeof dryRun>;

/** Lines below a heading; what has none is told to be empty. */
function section(title: string, lines: readonly string[]): string[] {
  return ['', title, ...(lines.length === 0 ? ['none'] : lines).map((line) => `  ${line}`)];
}

const linesOf = (text: string): string[] => text.split(/[\r\n]+/).filter((line) => line !== '');

function procedureLines({ procedures }: DryRun): string[] {
  return procedures.flatMap(({ steps, ...procedure }) => {
    const { requestedProcedureId, accessionNumber, state, studyInstanceUid } = procedure;
    const rows = steps.map((step) => [
      step.scheduledProcedureStepId,
      step.stepStatus,
      step.modality,
      step.scheduledStationAeTitles.join(','),
      step.start,
    ]);
    const own = [requestedProcedureId, `accession ${accessionNumber}`, state, `study ${studyInstanceUid}`].join('  ');
    return [own, ...(rows.length === 0 ? [] : linesOf(table(rows)).map((line) => `  ${line}`))];
  });
}

function historyLines({ history }: DryRun): string[] {
  if (history.length === 0) return [];
  const rows = history.map((line) => [
    line.requestedProcedureId,
    line.event,
    `${line.from} to ${line.to}`,
    line.remark ?? '',
  ]);
  return linesOf(table(rows));
}

function messageLines({ messages }: DryRun): string[] {
  return messages.flatMap(({ destination, transaction, messageType, text }) => [
    [destination, transaction, messageType].join('  '),
    ...linesOf(text).map((line) => `  ${line}`),
  ]);
}

/** What a dry run found, for a person. */
export function dryRunReport(run: DryRun): string {
  return [
    `answer ${run.answerCode}  ${run.transaction ?? 'no transaction'}`,
    ...linesOf(run.answer).map((line) => `  ${line}`),
    ...section('rules', run.rules),
    ...section('procedures', procedureLines(run)),
    ...section('history', historyLines(run)),
    ...section('messages that would go out', messageLines(run)),
    '',
    'Nothing of this was stored or sent.',
  ].join('\n');
}
