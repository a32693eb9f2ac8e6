import type { NResult } from '../src/dicom/client.ts';
import type { Dataset } from '../src/dicom/dataset.ts';
import { type Verdict, verdict } from './checks.ts';
import { renderDataset } from './dataset-file.ts';
import { type CalledDicom, findWorklist } from './modality.ts';
import { type Notes, responseShown } from './notes.ts';
import { type Outcome, type Playing, expectAndCapture, judged } from './outcome.ts';
import { dicomValueAt } from './places.ts';
import type { DatasetText, StepOf } from './scenario.ts';
import { statusText } from './wire.ts';

/** RAD-5: a query of the worklist; the first match is the one that is looked at. */
export async function find(step: StepOf<'find'>, playing: Playing, notes: Notes): Promise<Outcome> {
  const { scenario, stage, scope } = playing;
  const keys = renderDataset(step.find, scenario.folder, scope);
  const file = notes.dicom(`${step.from}-query`, keys);
  const exchange = notes.sent({ from: step.from, to: 'OF', protocol: 'dicom', type: 'C-FIND', file });
  const { status, datasets } = await findWorklist(stage.calledBy(step.from, scenario.within), keys);
  datasets.forEach((one, index) => notes.dicom(`${step.from}-match-${index + 1}`, one));
  const answer = notes.json(`${step.from}-answer`, { ...responseShown({ status }), matches: datasets.length });
  notes.answered(exchange, statusText(status), answer);
  const [first] = datasets;
  const looked = first ? expectAndCapture(step, { scope, valueAt: (place) => dicomValueAt(first, place) }) : [];
  const missing = !first && (step.expect ?? step.capture) ? ['there is no match to look at'] : [];
  return {
    verdicts: [...statusVerdict('0000', status), ...countVerdict(step.matches, datasets.length), ...looked],
    problems: missing,
  };
}

function countVerdict(expected: number | undefined, received: number): Verdict[] {
  return expected === undefined ? [] : [verdict('matches', String(expected), String(received))];
}

function statusVerdict(expected: string | undefined, received: number): Verdict[] {
  return expected === undefined ? [] : [verdict('status', expected.toUpperCase(), statusText(received))];
}

/** A dataset that an actor tells the Order Filler. */
export interface Telling {
  readonly from: string;
  readonly source: DatasetText | string;
  readonly status?: string | undefined;
  readonly uid: string | undefined;
  /** What its transcript file is named after. */
  readonly name: string;
  readonly type: 'N-CREATE' | 'N-SET';
  readonly call: (called: CalledDicom, uid: string, dataset: Dataset) => Promise<NResult>;
}

/** N-CREATE or N-SET of a dataset. */
export async function tell(playing: Playing, notes: Notes, telling: Telling): Promise<Outcome> {
  const { from, source, status, uid, name, type, call } = telling;
  const { scenario, stage, scope } = playing;
  const dataset = renderDataset(source, scenario.folder, scope);
  const file = notes.dicom(`${from}-${name}`, uid === undefined ? dataset : { ...dataset, SOPInstanceUID: [uid] });
  const exchange = notes.sent({ from, to: 'OF', protocol: 'dicom', type, file });
  const result = await call(stage.calledBy(from, scenario.within), uid ?? '', dataset);
  const answer = notes.json(`${from}-${name}-answer`, responseShown(result));
  notes.answered(exchange, statusText(result.status), answer);
  return judged(statusVerdict(status, result.status), result.comment);
}
