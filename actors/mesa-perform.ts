import { items, text } from '../src/dicom/dataset.ts';
import type { NResult } from '../src/dicom/client.ts';
import { type MesaCase, type MesaOutcome, broken, examinationOf, nothingWrong, skipped } from './mesa-case.ts';
import { notifyAvailability } from './image-manager.ts';
import { type Arrival, belongs } from './mailbox.ts';
import { receiveMessage, sendMessage, sendReply } from './mesa-hl7.ts';
import type { FieldsOfMessage } from './mesa-message.ts';
import { availabilityOf, beginOf, beginUnscheduled, compareRelayed, endOf } from './mesa-mpps.ts';
import type { Act, Examination, KitMessage, WorklistKey } from './mesa-plan.ts';
import type { Done } from './mesa-staff.ts';
import { type QueryKeys, compareWorklist, procedureOf, protocolsOf, worklistQuery } from './mesa-worklist.ts';
import { createMpps, findWorklist, setMpps } from './modality.ts';

type ActOf<D extends Act['does']> = Extract<Act, { does: D }>;
type Performer<D extends Act['does']> = (act: ActOf<D>, played: MesaCase, prefix: string) => Promise<MesaOutcome>;

const performers: { readonly [D in Act['does']]: Performer<D> } = {
  send: async (act, played, prefix) => {
    const { fields } = act.message;
    const placerOrderNumber = fields.component('ORC-2', 1);
    if (fields.field('ORC-1') === 'NW') {
      const service = fields.component('OBR-4', 1);
      played.orders.push({ service, patientId: fields.component('PID-3', 1), placerOrderNumber });
    }
    return sendMessage(played, { ...act, prefix });
  },
  reply: (act, played, prefix) => sendReply(played, act.message, prefix),
  receive: (act, played, prefix) => receiveMessage(played, { ...act, prefix }),
  schedule,
  order,
  cancel,
  bind,
  find,
  begin,
  end,
  relayed,
  store: async ({ directory }, played, prefix) => {
    const available = availabilityIn(played, directory);
    if (!available) return skipped(`${directory} was not performed`);
    played.stage.archive.store(played.parts.IM, available);
    return { ...nothingWrong, files: [played.transcript.dicom(`${prefix}-stored`, available)] };
  },
  notify: async ({ directory }, played, prefix) => {
    const available = availabilityIn(played, directory);
    if (!available) return skipped(`${directory} was not performed`);
    const { stage, parts, transcript, withinMs } = played;
    const file = transcript.dicom(`${prefix}-notified`, available);
    return answered(await notifyAvailability(stage.calledBy(parts.IM, withinMs), stage.ids.uid(), available), file);
  },
  elsewhere: async () => skipped('not of the Order Filler'),
};

/** Does one step. Rejects where no answer came; what the Order Filler does wrong is an outcome. */
export function performMesa(act: Act, played: MesaCase, prefix: string): Promise<MesaOutcome> {
  return (performers[act.does] as Performer<Act['does']>)(act, played, prefix);
}

/** What was done by hand is a step that passed; what nobody did is remembered. */
function byHand(played: MesaCase, done: Done): MesaOutcome {
  if (done.done) return { ...nothingWrong, notes: done.note === undefined ? [] : [done.note] };
  played.undone = done.reason;
  return skipped(done.reason);
}

/** The placer's number of the last order of a service for a patient; else the one in the kit's message. */
function orderOf({ orders }: MesaCase, { component }: FieldsOfMessage): string {
  const service = component('OBR-4', 1);
  const known = orders.findLast(
    (one) => one.patientId === component('PID-3', 1) && (service === '' || one.service === service),
  );
  return known?.placerOrderNumber ?? component('ORC-2', 1);
}

async function schedule({ examination }: ActOf<'schedule'>, played: MesaCase): Promise<MesaOutcome> {
  const { message, station } = examination;
  if (!message) return nothingWrong;
  const order = orderOf(played, message.fields);
  const outcome = byHand(played, await played.staff.schedule({ order, reference: message.fields, station }));
  played.scheduled.add(examination);
  return outcome;
}

async function cancel({ message }: ActOf<'cancel'>, played: MesaCase): Promise<MesaOutcome> {
  const order = message.fields.component('ORC-2', 1);
  const outcome = byHand(played, await played.staff.cancel({ order, reference: message.fields }));
  for (const examination of played.scheduled) {
    if (examination.message && orderOf(played, examination.message.fields) === order)
      played.scheduled.delete(examination);
  }
  return outcome;
}

async function order({ message }: ActOf<'order'>, played: MesaCase): Promise<MesaOutcome> {
  const service = message.fields.component('OBR-4', 1);
  const performedBefore = played.plan.examinations.find(({ unscheduled }) => unscheduled?.procedureCode === service);
  const studyInstanceUid = performedBefore && played.performed.get(performedBefore)?.studyInstanceUid;
  const { OP: placer } = played.parts;
  return byHand(played, await played.staff.order({ reference: message.fields, placer, studyInstanceUid }));
}

async function bind({ directory, message }: ActOf<'bind'>, played: MesaCase): Promise<MesaOutcome> {
  const examination = examinationOf(played, directory);
  const performed = examination && played.performed.get(examination);
  if (!performed) return skipped(`${directory} was not performed`);
  const { uid: mppsUid, studyInstanceUid } = performed;
  return byHand(played, await played.staff.bind({ order: orderOf(played, message.fields), mppsUid, studyInstanceUid }));
}

function queryOf(key: WorklistKey): QueryKeys {
  if (key.by === 'patient') return { patientId: key.message.fields.component('PID-3', 1) };
  return { [key.by]: key.value };
}

/** Whether what was scheduled is to be found by a query. */
function isAsked({ message, station }: Examination, keys: QueryKeys): boolean {
  const { field, component } = (message as KitMessage).fields;
  return (
    (keys.patientId === undefined || keys.patientId === component('PID-3', 1)) &&
    (keys.modality === undefined || keys.modality === field('OBR-24')) &&
    (keys.station === undefined || keys.station === station)
  );
}

async function find({ key }: ActOf<'find'>, played: MesaCase, prefix: string): Promise<MesaOutcome> {
  const { stage, transcript, withinMs, plan, codes, undone } = played;
  const keys = queryOf(key);
  const { status, datasets } = await findWorklist(stage.calledBy('MOD', withinMs), worklistQuery(keys));
  const files = datasets.map((one, index) => transcript.dicom(`${prefix}-match-${index + 1}`, one));
  if (status !== 0) return broken(`the query ended with ${shownStatus(status)}`, ...files);
  // Others than the script's patients may be on the worklist of a site.
  const patients = new Set(plan.examinations.flatMap(({ message }) => message?.fields.component('PID-3', 1) ?? []));
  const answers = datasets.filter((item) => patients.has(text(item, 'PatientID') ?? ''));
  const expected = [...played.scheduled].filter((examination) => isAsked(examination, keys));
  const { mismatches, notes, compared } = compareWorklist(answers, expected, codes);
  if (undone !== undefined && mismatches.length > 0) return skipped(undone);
  played.undone = undefined;
  const found = answers.length === 1 ? '1 step' : `${answers.length} steps`;
  return { ...nothingWrong, mismatches, notes: [`${found} of the script's patients`, ...notes], files, compared };
}

const shownStatus = (status: number): string => status.toString(16).toUpperCase().padStart(4, '0');

/** A modality takes what it tells of from its worklist. */
async function worklistItem(examination: Examination, message: KitMessage, played: MesaCase) {
  const { component } = message.fields;
  const keys = worklistQuery({ patientId: component('PID-3', 1) });
  const { datasets } = await findWorklist(played.stage.calledBy('MOD', played.withinMs), keys);
  const announced = played.received.get(message.path)?.field('OBR-18') ?? '';
  const own = datasets.filter(
    (item) =>
      procedureOf(item) === component('OBR-4', 1) &&
      (announced === '' || text(item, 'AccessionNumber') === announced.split('^')[0]),
  );
  const { protocolCode = '' } = examination;
  return own.find((item) => protocolsOf(item).includes(protocolCode)) ?? own[0];
}

async function begin({ directory, station }: ActOf<'begin'>, played: MesaCase, prefix: string): Promise<MesaOutcome> {
  const examination = examinationOf(played, directory);
  if (!examination) return skipped(`${directory}: nothing was planned under this name`);
  const { stage, transcript, withinMs } = played;
  const { unscheduled, message } = examination;
  const item = message && (await worklistItem(examination, message, played));
  if (!unscheduled && !item) {
    if (played.undone !== undefined) return skipped(played.undone);
    return broken('the worklist has no step for it, of which the modality could tell');
  }
  const created = unscheduled ? beginUnscheduled(unscheduled, station, stage) : beginOf(item ?? {}, station, stage);
  const [attributes = {}] = items(created, 'ScheduledStepAttributesSequence');
  const uid = stage.ids.uid();
  played.performed.set(examination, { uid, studyInstanceUid: text(attributes, 'StudyInstanceUID') ?? '', created });
  const file = transcript.dicom(`${prefix}-create`, created);
  return answered(await createMpps(stage.calledBy('MOD', withinMs), uid, created), file);
}

async function end({ directory }: ActOf<'end'>, played: MesaCase, prefix: string): Promise<MesaOutcome> {
  const examination = examinationOf(played, directory);
  const performed = examination && played.performed.get(examination);
  if (!performed) return skipped(`${directory} was not begun`);
  const { stage, transcript, withinMs } = played;
  const { discontinuedFor } = examination;
  const set = endOf(performed.created, discontinuedFor, stage);
  played.performed.set(examination, { ...performed, set });
  const file = transcript.dicom(`${prefix}-set`, set);
  const outcome = answered(await setMpps(stage.calledBy('MOD', withinMs), performed.uid, set), file);
  const note =
    discontinuedFor === undefined ? [] : [`DISCONTINUED for ${discontinuedFor}, as the kit's data set is made`];
  return { ...outcome, notes: [...outcome.notes, ...note] };
}

function answered({ status, comment }: NResult, file: string): MesaOutcome {
  const isDone = status === 0 || isWarning(status);
  const wrong = isDone ? [] : [{ place: 'status', expected: '0000', received: shownStatus(status) }];
  const said = comment === undefined ? '' : `: ${comment}`;
  return {
    ...nothingWrong,
    mismatches: wrong,
    problems: isDone || said === '' ? [] : [`the answer says${said}`],
    notes: isDone && status !== 0 ? [`warning ${shownStatus(status)}${said}`] : [],
    files: [file],
    compared: 1,
  };
}

/** PS3.7 annex C: done, with a remark. */
const isWarning = (status: number): boolean =>
  status === 0x0001 || status === 0x0107 || status === 0x0116 || (status & 0xf000) === 0xb000;

/** RAD-6, RAD-7 as Performed Procedure Step Manager: the Image Manager gets what the modality sent. */
async function relayed({ directory, type }: ActOf<'relayed'>, played: MesaCase, prefix: string): Promise<MesaOutcome> {
  const { stage, parts, transcript, signal, withinMs } = played;
  const examination = examinationOf(played, directory);
  const performed = examination && played.performed.get(examination);
  const sent = type === 'N-CREATE' ? performed?.created : performed?.set;
  if (!performed || !sent) return skipped(`${directory} was not performed`);
  if (parts.relays === false)
    return skipped('the site does not pass performed steps on, or the peer has no dicom address');
  const wanted = { actor: parts.IM, type, isOurs: (one: Arrival) => belongs(one, new Set([performed.uid])) };
  const arrival = await stage.mailbox.claim(wanted, withinMs, signal);
  if (!arrival?.dataset) {
    if (parts.relays === undefined)
      return skipped('nothing was passed on: another may be the Performed Procedure Step Manager');
    return broken(`no ${type} came to ${parts.IM} within ${withinMs} ms`);
  }
  const { mismatches, places } = compareRelayed(type, sent, arrival.dataset);
  const files = [transcript.dicom(`${prefix}-relayed`, arrival.dataset)];
  return { ...nothingWrong, mismatches, files, compared: places.length };
}

function availabilityIn(played: MesaCase, directory: string) {
  const examination = examinationOf(played, directory);
  const performed = examination && played.performed.get(examination);
  const set = performed?.set;
  return set && availabilityOf({ ...performed, set }, played.parts.IM.slice(0, 16));
}
