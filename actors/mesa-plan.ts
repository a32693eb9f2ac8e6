import { readFileSync } from 'node:fs';
import type { MesaKit } from './mesa-kit.ts';
import { type FieldsOfMessage, fieldsOf } from './mesa-message.ts';
import type { InstancesLine, MesaScript, ScheduleLine, TransactionLine } from './mesa-script.ts';
import type { Problem } from './yaml-file.ts';

/** A message of the kit: its name in scripts, its bytes, and the same taken apart. */
export interface KitMessage {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly fields: FieldsOfMessage;
}

/** An examination of a script, from the line that plans it to the last of its data sets. */
export interface Examination {
  /** How later lines name it: the folders of its data sets. */
  readonly directories: Set<string>;
  /** The kit's RAD-4 of it; undefined for what nobody ordered. */
  message: KitMessage | undefined;
  readonly station: string | undefined;
  readonly protocolCode: string | undefined;
  readonly unscheduled: (InstancesLine['unscheduled'] & { readonly patient: KitMessage }) | undefined;
  discontinuedFor: string | undefined;
}

/** What is done in a step. */
export type Act =
  | { readonly does: 'send'; readonly actor: 'ADT' | 'OP'; readonly message: KitMessage }
  | { readonly does: 'reply'; readonly message: KitMessage }
  | { readonly does: 'schedule'; readonly examination: Examination }
  | { readonly does: 'order'; readonly message: KitMessage }
  | { readonly does: 'cancel'; readonly message: KitMessage }
  | { readonly does: 'bind'; readonly directory: string; readonly message: KitMessage }
  | { readonly does: 'receive'; readonly actor: 'OP' | 'IM'; readonly message: KitMessage; readonly since?: KitMessage }
  | { readonly does: 'find'; readonly key: WorklistKey }
  | { readonly does: 'begin'; readonly directory: string; readonly station: string }
  | { readonly does: 'end'; readonly directory: string }
  | { readonly does: 'store'; readonly directory: string }
  | { readonly does: 'notify'; readonly directory: string }
  | { readonly does: 'relayed'; readonly directory: string; readonly type: 'N-CREATE' | 'N-SET' }
  | { readonly does: 'elsewhere' };

export type WorklistKey =
  | { readonly by: 'patient'; readonly message: KitMessage }
  | { readonly by: 'modality' | 'station'; readonly value: string };

export interface MesaStep {
  /** `RAD-4` */
  readonly transaction: string;
  readonly who: string;
  readonly step: string;
  readonly act: Act;
}

export interface MesaPlan {
  readonly name: string;
  readonly steps: readonly MesaStep[];
  readonly examinations: readonly Examination[];
  readonly problems: readonly Problem[];
}

/** Raised where a line cannot become a step: the sentence says why. */
class NotPlayed extends Error {}

/** What a script asks for, step by step; what cannot be played is a problem with its line. */
export function planOf(script: MesaScript, kit: MesaKit): MesaPlan {
  const problems: Problem[] = [...script.problems];
  const examinations: Examination[] = [];
  const steps: MesaStep[] = [];
  const read = (path: string | undefined): KitMessage => readMessage(kit, path);
  for (const line of script.lines) {
    try {
      if (line.verb === 'TRANSACTION') steps.push(...stepsOf(line, read));
      else if (line.verb === 'GENERATE') generate(line, examinations, read);
      else steps.push(...instructed(line, examinations, read));
    } catch (error) {
      if (!(error instanceof NotPlayed)) throw error;
      problems.push({ file: script.file, line: line.line, text: error.message });
    }
  }
  return { name: script.name, steps, examinations, problems };
}

function readMessage(kit: MesaKit, path: string | undefined): KitMessage {
  if (path === undefined) throw new NotPlayed('the name of a message is missing');
  const file = kit.messageFile(path);
  if (file === undefined) throw new NotPlayed(`${path}: the kit has no such message`);
  const bytes = readFileSync(file);
  const fields = fieldsOf(bytes);
  if (!fields) throw new NotPlayed(`${file}: the message does not begin with MSH`);
  return { path, bytes, fields };
}

type Read = (path: string | undefined) => KitMessage;

/** What the tester is told to schedule is a step; what the kit schedules by itself says which message it is like. */
function instructed(line: ScheduleLine, examinations: Examination[], read: Read): MesaStep[] {
  const message = read(line.message);
  if (line.verb === 'MESA-INTERNAL') {
    const last = examinations.at(-1);
    if (last) Object.assign(last, { message });
    last?.directories.add(line.directory);
    return [];
  }
  const examination: Examination = {
    directories: new Set([line.directory]),
    message,
    station: line.station,
    protocolCode: line.protocolCode,
    unscheduled: undefined,
    discontinuedFor: undefined,
  };
  examinations.push(examination);
  const where = line.station === undefined ? '' : ` on ${line.station}`;
  const step = `schedule ${message.fields.component('OBR-4', 1)}${where}`;
  return [{ transaction: 'RAD-4', who: 'staff', step, act: { does: 'schedule', examination } }];
}

function generate(line: InstancesLine, examinations: Examination[], read: Read): void {
  const { directory, unscheduled, discontinuedFor } = line;
  if (unscheduled) {
    examinations.push({
      directories: new Set([directory]),
      message: undefined,
      station: undefined,
      protocolCode: undefined,
      unscheduled: { ...unscheduled, patient: read(unscheduled.message) },
      discontinuedFor,
    });
    return;
  }
  const known = examinations.findLast(({ directories }) => directories.has(directory));
  if (!known) throw new NotPlayed(`${directory}: nothing was scheduled under this name`);
  if (discontinuedFor !== undefined) known.discontinuedFor = discontinuedFor;
}

function stepsOf(line: TransactionLine, read: Read): MesaStep[] {
  const { number, from, to, event, parameters } = line;
  const transaction = `RAD-${number.replace(/[a-z]+$/, '')}`;
  const step = [event, ...parameters.slice(0, 1)].join(' ');
  return actsOf(line, read).map(({ act, who, does }) => ({
    transaction,
    who: who ?? `${from} → ${to}`,
    step: does ?? step,
    act,
  }));
}

interface Acting {
  readonly act: Act;
  readonly who?: string;
  readonly does?: string;
}

const managers = new Set(['PPS-MGR', 'PPSMGR']);

function actsOf(line: TransactionLine, read: Read): Acting[] {
  const { from, to } = line;
  if (from === 'MOD') return byModality(line, read);
  if (to === 'OF') return toOrderFiller(line, read);
  if (from === 'OF') return byOrderFiller(line, read);
  return [{ act: { does: 'elsewhere' } }];
}

function unknown({ number, from, to, event }: TransactionLine): never {
  throw new NotPlayed(`transaction ${number} from ${from} to ${to}, event ${event}, is not played`);
}

/** The first name of a line; a problem where it has none. */
function named(line: TransactionLine): string {
  const [first] = line.parameters;
  return first ?? unknown(line);
}

function toOrderFiller(line: TransactionLine, read: Read): Acting[] {
  const { from, event, number } = line;
  const [path] = line.parameters;
  if (from === 'IM' && number === '49') return [{ act: { does: 'notify', directory: named(line) } }];
  if (from === 'OF' && event === 'POST-SCHEDULE') {
    const [message, directory = ''] = line.parameters;
    return [{ act: { does: 'bind', directory, message: read(message) }, who: 'staff', does: `bind ${directory}` }];
  }
  if (from === 'OP' && event === 'ORDER_O02') return [{ act: { does: 'reply', message: read(path) } }];
  if (from === 'ADT' || from === 'OP') return [{ act: { does: 'send', actor: from, message: read(path) } }];
  return unknown(line);
}

/** `3 ORDER`: what a person has to do before the message can come. */
const byHand: Readonly<Record<string, 'order' | 'cancel' | undefined>> = { '3 ORDER': 'order', '3 CANCEL': 'cancel' };
const expected = new Set(['3 ORDER', '3 CANCEL', '3 STATUS', '4 SCHEDULE', '13 CANCEL']);

function byOrderFiller(line: TransactionLine, read: Read): Acting[] {
  const { number, to, event, parameters } = line;
  const key = `${number} ${event}`;
  if ((to !== 'OP' && to !== 'IM') || (!expected.has(key) && number !== '12')) return unknown(line);
  const message = read(parameters[0]);
  const does = byHand[key];
  const since = number === '13' && parameters[1] !== undefined ? { since: read(parameters[1]) } : {};
  const told: Acting[] = does ? [{ act: { does, message }, who: 'staff', does: `${does} ${serviceOf(message)}` }] : [];
  return [...told, { act: { does: 'receive', actor: to, message, ...since } }];
}

function serviceOf(message: KitMessage): string {
  return message.fields.component('OBR-4', 1) || message.fields.component('ORC-2', 1);
}

function byModality(line: TransactionLine, read: Read): Acting[] {
  const { number, to, event, parameters } = line;
  if (event.startsWith('MWL') && to === 'OF') return [{ act: { does: 'find', key: keyOf(line, read) } }];
  if (event === 'IN-PROGRESS' || event === 'COMPLETED') {
    const begins = event === 'IN-PROGRESS';
    const directory = named(line);
    const act: Act = begins
      ? { does: 'begin', directory, station: parameters.at(-1) ?? '' }
      : { does: 'end', directory };
    const relayed: Act = { does: 'relayed', directory, type: begins ? 'N-CREATE' : 'N-SET' };
    const relay = { act: relayed, who: 'OF → IM', does: `relay ${directory}` };
    return [{ act, who: 'MOD → OF' }, ...(managers.has(to) ? [relay] : [])];
  }
  if (number === '8' && to === 'IM') return [{ act: { does: 'store', directory: named(line) } }];
  return to === 'OF' ? unknown(line) : [{ act: { does: 'elsewhere' } }];
}

function keyOf(line: TransactionLine, read: Read): WorklistKey {
  const value = named(line);
  if (line.event === 'MWL') return { by: 'patient', message: read(value) };
  if (line.event === 'MWL_MOD') return { by: 'modality', value };
  // The kit spells it both ways.
  if (/^MWL_AETIT(I)?LE$/.test(line.event)) return { by: 'station', value };
  return unknown(line);
}
