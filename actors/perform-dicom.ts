import type { NResult } from '../src/dicom/client.ts';
import type { Dataset } from '../src/dicom/dataset.ts';
import { rejectionOf } from './association.ts';
import { type Verdict, verdict } from './checks.ts';
import { renderDataset } from './dataset-file.ts';
import { type CalledDicom, findWorklist, verify } from './modality.ts';
import { type Notes, responseShown } from './notes.ts';
import { type Outcome, type Playing, broken, expectAndCapture, judged } from './outcome.ts';
import { dicomValueAt } from './places.ts';
import type { DatasetText, StepOf } from './scenario.ts';
import { expand } from './template.ts';
import { type Exchange, statusText } from './wire.ts';

/** RAD-5: a query of the worklist; the first match is the one that is looked at. */
export async function find(step: StepOf<'find'>, playing: Playing, notes: Notes): Promise<Outcome> {
  const { scenario, scope } = playing;
  const keys = renderDataset(step.find, scenario.folder, scope);
  const file = notes.dicom(`${step.from}-query`, keys);
  const exchange = notes.sent({ from: step.from, to: 'OF', protocol: 'dicom', type: 'C-FIND', file });
  return unlessRejected(step, { notes, exchange }, async () => {
    const called = calledIn(step, playing);
    const { status, comment, datasets, pending } = await findWorklist(called, keys, step.cancelAfter);
    datasets.forEach((one, index) => notes.dicom(`${step.from}-match-${index + 1}`, one));
    const said = responseShown({ status, ...(comment === undefined ? {} : { comment }) });
    const answer = notes.json(`${step.from}-answer`, { ...said, matches: datasets.length });
    notes.answered(exchange, statusText(status), answer);
    const [first] = datasets;
    const looked = first ? expectAndCapture(step, { scope, valueAt: (place) => dicomValueAt(first, place) }) : [];
    const counted =
      step.matches === undefined ? [] : [verdict('matches', String(step.matches), String(datasets.length))];
    const statuses = statusVerdict(step.status ?? '0000', status);
    const outcome = judged([...statuses, ...counted, ...pendingVerdict(step.pending, pending), ...looked], comment);
    const missing = !first && (step.expect ?? step.capture) ? ['there is no match to look at'] : [];
    return { ...outcome, problems: [...outcome.problems, ...missing] };
  });
}

/** Verification (C-ECHO). */
export async function echo(step: StepOf<'echo'>, playing: Playing, notes: Notes): Promise<Outcome> {
  const called = calledIn(step, playing);
  const { callingAeTitle, calledAeTitle } = called;
  const file = notes.json(`${step.from}-echo`, { callingAeTitle, calledAeTitle });
  const exchange = notes.sent({ from: step.from, to: 'OF', protocol: 'dicom', type: 'C-ECHO', file });
  return unlessRejected(step, { notes, exchange }, async () => {
    const status = await verify(called);
    notes.answered(exchange, statusText(status));
    return judged(statusVerdict('0000', status), undefined);
  });
}

interface Asking {
  readonly from: string;
  readonly called?: string | undefined;
  readonly rejected?: string | undefined;
}

/** By the AE title that the step says, else by the one of the Order Filler. */
function calledIn({ from, called }: Asking, { scenario, stage, scope }: Playing): CalledDicom {
  const usual = stage.calledBy(from, scenario.within);
  return called === undefined ? usual : { ...usual, calledAeTitle: expand(called, scope.forOneMessage()) };
}

/** A request on an association of its own; where a step says that it is rejected, only the reason is looked at. */
async function unlessRejected(
  { from, rejected }: Asking,
  { notes, exchange }: { notes: Notes; exchange: Exchange },
  request: () => Promise<Outcome>,
): Promise<Outcome> {
  try {
    const outcome = await request();
    return rejected === undefined ? outcome : broken(`the association was accepted; expected: rejected, ${rejected}`);
  } catch (error) {
    const reason = rejectionOf(error);
    if (reason === undefined || rejected === undefined) throw error;
    notes.answered(exchange, 'rejected', notes.json(`${from}-rejected`, { reason }));
    return judged([verdict('rejected', rejected, reason)], undefined);
  }
}

function pendingVerdict(expected: string | undefined, received: readonly number[]): Verdict[] {
  if (expected === undefined) return [];
  const seen = [...new Set(received.map(statusText))].join(', ');
  return [verdict('pending', expected.toUpperCase(), seen)];
}

function statusVerdict(expected: string | undefined, received: number): Verdict[] {
  return expected === undefined ? [] : [verdict('status', expected.toUpperCase(), statusText(received))];
}

/** A request about one instance. */
interface Telling {
  readonly source: DatasetText | string;
  readonly uid: string | undefined;
  /** What its transcript file is named after. */
  readonly name: string;
  readonly type: 'N-CREATE' | 'N-SET' | 'N-GET';
  readonly call: (called: CalledDicom, dataset: Dataset) => Promise<NResult>;
}

/** Who tells it, and what must come of it. */
type Told = Pick<StepOf<'create'>, 'from' | 'status' | 'expect' | 'capture'>;

/** N-CREATE, N-SET or N-GET. */
export async function tell(playing: Playing, notes: Notes, step: Told, telling: Telling): Promise<Outcome> {
  const { from, status, expect, capture } = step;
  const { source, uid, name, type, call } = telling;
  const { scenario, stage, scope } = playing;
  const dataset = renderDataset(source, scenario.folder, scope);
  const file = notes.dicom(`${from}-${name}`, uid === undefined ? dataset : { ...dataset, SOPInstanceUID: [uid] });
  const exchange = notes.sent({ from, to: 'OF', protocol: 'dicom', type, file });
  const result = await call(stage.calledBy(from, scenario.within), dataset);
  const answer = notes.json(`${from}-${name}-answer`, responseShown(result));
  notes.answered(exchange, statusText(result.status), answer);
  const told = toldBy(result);
  const looked = expectAndCapture({ expect, capture }, { scope, valueAt: (place) => dicomValueAt(told, place) });
  return judged([...statusVerdict(status, result.status), ...looked], result.comment);
}

/** The data set of a response, and what its command says by the keywords of PS3.7 E; Error ID in hexadecimal digits. */
function toldBy({ dataset, comment, errorId, sopInstanceUid, attributeIdentifierList }: NResult): Dataset {
  return {
    ...dataset,
    ...(comment === undefined ? {} : { ErrorComment: [comment] }),
    ...(errorId === undefined ? {} : { ErrorID: [statusText(errorId)] }),
    ...(sopInstanceUid === undefined ? {} : { AffectedSOPInstanceUID: [sopInstanceUid] }),
    ...(attributeIdentifierList === undefined ? {} : { AttributeIdentifierList: attributeIdentifierList }),
  };
}
