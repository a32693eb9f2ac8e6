import { decodeDataset } from '../src/dicom/codec.ts';
import type { Dataset } from '../src/dicom/dataset.ts';
import { type Hl7Message, parseMessage } from '../src/hl7/message.ts';
import type { Config } from '../src/platform/config.ts';
import type { Disguise } from './disguise.ts';
import { checksOfDataset, disguisedDataset } from './export-dicom.ts';
import { checksOf, disguisedMessage } from './export-hl7.ts';
import type { Captured, CapturedDeed, CapturedMessage } from './export-source.ts';
import type { DatasetText } from './scenario.ts';
import { transactionName } from './words.ts';

/** A step as it is written down, and the file that belongs to it. */
export interface WrittenStep {
  readonly actor: string;
  readonly step: Readonly<Record<string, unknown>>;
  readonly file?: { readonly name: string; readonly content: string | DatasetText };
}

export interface Written {
  readonly steps: readonly WrittenStep[];
  /** What a scenario cannot say, or was left out of a message: a sentence each. */
  readonly remarks: readonly string[];
}

interface Writing {
  readonly site: Config;
  readonly disguise: Disguise;
  readonly captured: Captured;
  /** Days that a message or a person asked for, as eight digits. */
  readonly asked: Set<string>;
  readonly remarks: Set<string>;
  /** AE titles that called, in their order: MOD, MOD2. */
  readonly modalities: string[];
  /** Gives a file the next number. */
  readonly fileName: (what: string, ending: string) => string;
}

/** The steps of a scenario in which the same happens. */
export function writeSteps(captured: Captured, site: Config, disguise: Disguise): Written {
  let files = 0;
  const writing: Writing = {
    ...{ site, disguise, captured, asked: new Set(), remarks: new Set(), modalities: [] },
    fileName: (what, ending) => `${String(++files).padStart(2, '0')}-${what.toLowerCase()}.${ending}`,
  };
  const deeds = captured.deeds.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const steps: WrittenStep[] = [];
  let next = 0;
  for (const message of captured.messages) {
    for (; next < deeds.length && (deeds[next]?.at ?? '') <= message.at; next++) {
      steps.push(...writeDeed(deeds[next], message, writing));
    }
    steps.push(...writeMessage(message, writing));
  }
  for (const deed of deeds.slice(next)) steps.push(...writeDeed(deed, undefined, writing));
  return { steps, remarks: [...writing.remarks] };
}

function writeMessage(message: CapturedMessage, writing: Writing): WrittenStep[] {
  if (message.protocol === 'HL7') return writeHl7(message, parseMessage(Buffer.from(message.raw, 'utf8')), writing);
  const bytes = Buffer.from(message.raw, 'base64');
  const dataset = decodeDataset(bytes, message.transferSyntaxUid ?? '1.2.840.10008.1.2.1');
  return message.direction === 'in' ? writeRequest(message, dataset, writing) : writeRelayed(message, dataset, writing);
}

/** `Procedure Scheduled (ORM^O01)` */
function sentenceOf({ transaction, messageType }: CapturedMessage): string {
  const name = transaction === null ? undefined : transactionName(transaction);
  return name === undefined ? messageType : `${name} (${messageType})`;
}

const common = (message: CapturedMessage): Record<string, unknown> => ({
  step: sentenceOf(message),
  ...(message.transaction === null ? {} : { transaction: message.transaction }),
});

const timingPlaces = ['ORC-7.4', 'OBR-27.4', 'OBR-36', 'TQ1-7'];

function writeHl7(message: CapturedMessage, hl7: Hl7Message, writing: Writing): WrittenStep[] {
  const { disguise, asked, remarks } = writing;
  const type = message.messageType.split('^').slice(0, 2).join('^');
  if (message.direction === 'out') {
    const wasAsked = (date: string): boolean => asked.has(date.slice(0, 8));
    const { expect, capture } = checksOf(hl7, disguise, wasAsked);
    const kept = Object.keys(capture).length > 0 ? { capture } : {};
    const step = { ...common(message), to: message.peer, receive: type, expect, ...kept };
    return [{ actor: message.peer, step }];
  }
  timingPlaces.forEach((place) => asked.add((hl7.get(place) ?? '').slice(0, 8)));
  const actor = senderOf(message, writing.site);
  const { text, leftOut } = disguisedMessage(hl7, disguise);
  leftOut.forEach((place) => remarks.add(`${place} is left out of what ${actor} sends`));
  const name = writing.fileName(type.replace('^', '-'), 'hl7');
  const ack = message.answerCode === null ? {} : { ack: { 'MSA-1': message.answerCode } };
  return [{ actor, step: { ...common(message), from: actor, send: name, ...ack }, file: { name, content: text } }];
}

/** The peer that signs its messages so; else the kind of actor that sends such messages. */
function senderOf({ sendingApplication, sendingFacility, messageType }: CapturedMessage, site: Config): string {
  const peer = site.peers.find(
    ({ hl7 }) => hl7?.application === sendingApplication && hl7.facility === sendingFacility,
  );
  if (peer) return peer.name;
  if (messageType.startsWith('ADT')) return 'ADT';
  return messageType.startsWith('ORU') ? 'RM' : 'OP';
}

/** MOD for the first device that calls, MOD2 for the next. */
function modalityOf(aeTitle: string, { modalities }: Writing): string {
  if (!modalities.includes(aeTitle)) modalities.push(aeTitle);
  const index = modalities.indexOf(aeTitle);
  return index === 0 ? 'MOD' : `MOD${index + 1}`;
}

function writeRequest(message: CapturedMessage, dataset: Dataset, writing: Writing): WrittenStep[] {
  const { disguise } = writing;
  const status = message.answerCode === null ? {} : { status: message.answerCode };
  if (message.messageType === 'C-FIND') return [writeQuery(message, dataset, writing)];
  const isNotice = message.transaction === 'RAD-49';
  const content = disguisedDataset(dataset, disguise);
  const manager = writing.site.peers.find(({ dicom }) => dicom?.aeTitle === message.sendingApplication)?.name ?? 'IM';
  const actor = isNotice ? manager : modalityOf(message.sendingApplication, writing);
  const verbs: Readonly<Record<string, string>> = { 'N-CREATE': isNotice ? 'notify' : 'create', 'N-SET': 'set' };
  const verb = verbs[message.messageType];
  if (verb === undefined) {
    writing.remarks.add(`${message.messageType} (${message.transaction ?? 'no transaction'}) is left out`);
    return [];
  }
  const name = writing.fileName(isNotice ? 'images-available' : `mpps-${verb}`, 'yaml');
  const uid = isNotice ? {} : { uid: disguise.uid(message.controlId, 'mpps') };
  const step = { ...common(message), from: actor, [verb]: name, ...uid, ...status };
  return [{ actor, step, file: { name, content } }];
}

/** The query, narrowed to the patient: what else a new server holds is not known. */
function writeQuery(message: CapturedMessage, dataset: Dataset, writing: Writing): WrittenStep {
  const { disguise, captured } = writing;
  const actor = modalityOf(message.sendingApplication, writing);
  const keys = withoutUnaskedDates(disguisedDataset(withoutNewNumbers(dataset, disguise), disguise), dataset, writing);
  const patient = patientOf(captured, disguise);
  const [procedure] = captured.procedures;
  const expect: Record<string, string> = {};
  const capture: Record<string, string> = {};
  const look = (kind: 'accessionNumber' | 'requestedProcedureId' | 'uid', keyword: string, value: string): void => {
    const known = disguise.known(kind, value);
    if (known !== undefined) expect[keyword] = `\${${known}}`;
    else capture[disguise.captured(kind, value, kind === 'uid' ? 'studyInstanceUid' : kind)] = keyword;
  };
  if (procedure && captured.procedures.length === 1) {
    look('accessionNumber', 'AccessionNumber', procedure.accessionNumber);
    look('requestedProcedureId', 'RequestedProcedureID', procedure.requestedProcedureId);
    look('uid', 'StudyInstanceUID', procedure.studyInstanceUid);
  }
  const asks = Object.fromEntries([...Object.keys(expect), ...Object.values(capture)].map((key) => [key, null]));
  const find = { ...asks, ...keys, ...(patient === undefined ? {} : { PatientID: patient }) };
  const looked = {
    ...(Object.keys(expect).length > 0 ? { expect } : {}),
    ...(Object.keys(capture).length > 0 ? { capture } : {}),
  };
  return { actor, step: { ...common(message), from: actor, find, ...looked } };
}

/** A number that is looked for and that the Order Filler has not told yet cannot be asked for. */
function withoutNewNumbers(dataset: Dataset, disguise: Disguise): Dataset {
  const numbers = {
    AccessionNumber: 'accessionNumber',
    RequestedProcedureID: 'requestedProcedureId',
    StudyInstanceUID: 'uid',
  } as const;
  const emptied = Object.entries(numbers).filter(([keyword, kind]) => {
    const value = dataset[keyword]?.[0];
    return typeof value === 'string' && value !== '' && disguise.known(kind, value) === undefined;
  });
  return { ...dataset, ...Object.fromEntries(emptied.map(([keyword]) => [keyword, []])) };
}

/** A day that nobody asked for was the day of the playing: any day fits. */
function withoutUnaskedDates(keys: DatasetText, dataset: Dataset, { asked }: Writing): DatasetText {
  const [item] = (dataset['ScheduledProcedureStepSequence'] ?? []) as readonly Dataset[];
  const day = item?.['ScheduledProcedureStepStartDate']?.[0];
  if (typeof day !== 'string' || day === '' || day.split('-').some((one) => asked.has(one))) return keys;
  const [shown] = (keys['ScheduledProcedureStepSequence'] ?? []) as readonly DatasetText[];
  const open = { ScheduledProcedureStepStartDate: null, ScheduledProcedureStepStartTime: null };
  return { ...keys, ScheduledProcedureStepSequence: [{ ...shown, ...open }] };
}

/** The patient under whom it was last known, by the latest message that says so and is in the scenario already. */
function patientOf({ messages }: Captured, disguise: Disguise): string | undefined {
  const told = messages
    .filter(({ protocol }) => protocol === 'HL7')
    .flatMap(({ raw }) => parseMessage(Buffer.from(raw, 'utf8')).get('PID-3.1') ?? [])
    .flatMap((value) => disguise.known('patientId', value) ?? []);
  const last = told.at(-1);
  return last === undefined ? undefined : `\${${last}}`;
}

function writeRelayed(message: CapturedMessage, dataset: Dataset, { disguise, remarks }: Writing): WrittenStep[] {
  if (message.messageType === 'C-FIND') {
    remarks.add('what the Order Filler asked an image manager (RAD-11) is left out');
    return [];
  }
  const whole = { SOPInstanceUID: [message.controlId], ...dataset };
  const step = { ...common(message), to: message.peer, receive: message.messageType };
  return [{ actor: message.peer, step: { ...step, expect: checksOfDataset(whole, disguise) } }];
}

/** Verbs of the history, and the paths that do the same. */
const paths: Readonly<Record<string, string>> = {
  ...{ schedule: 'schedule', reschedule: 'reschedule', cancel: 'cancel', hold: 'hold', release: 'release' },
  ...{ arrive: 'arrive', depart: 'depart', discontinue: 'discontinue' },
};

function writeDeed(
  deed: CapturedDeed | undefined,
  after: CapturedMessage | undefined,
  writing: Writing,
): WrittenStep[] {
  if (!deed) return [];
  const path = paths[deed.event];
  const id = writing.disguise.known('requestedProcedureId', deed.requestedProcedureId);
  if (path === undefined || id === undefined) {
    writing.remarks.add(`what staff did (${deed.event}) is left out: the history does not say enough of it`);
    return [];
  }
  const isMove = path === 'schedule' || path === 'reschedule';
  const body = isMove ? { body: placementOf(deed, after, writing) } : {};
  const say = `${deed.event} the procedure \${${id}}`;
  return [
    {
      actor: '',
      step: { step: `Staff: ${deed.event}`, do: { say, post: `/api/procedures/\${${id}}/${path}`, ...body } },
    },
  ];
}

/** Where and when a step was moved to: as the next message says that tells of it, else as it is now. */
function placementOf(deed: CapturedDeed, after: CapturedMessage | undefined, writing: Writing): object {
  const { captured, disguise, asked } = writing;
  const [step] = captured.procedures.find((one) => one.requestedProcedureId === deed.requestedProcedureId)?.steps ?? [];
  const start = (after && toldStart(after)) ?? step?.start ?? '';
  asked.add(start.slice(0, 10).replaceAll('-', ''));
  const later = captured.deeds.some((one) => one.at > deed.at && one.event === 'reschedule');
  const [station, ...others] = step?.scheduledStationAeTitles ?? [];
  return {
    start: disguise.date(start).slice(0, 16),
    ...(station !== undefined && others.length === 0 && !later ? { station } : {}),
  };
}

function toldStart({ protocol, raw }: CapturedMessage): string | undefined {
  if (protocol !== 'HL7') return undefined;
  const message = parseMessage(Buffer.from(raw, 'utf8'));
  const told = timingPlaces.flatMap((place) => message.get(place) ?? [])[0];
  const match = told === undefined ? null : /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})/.exec(told);
  if (!match) return undefined;
  const [, year, month, day, hour, minute] = match;
  return `${year}-${month}-${day}T${hour}:${minute}`;
}
