import { readBytes } from './mesa-kit.ts';
import type { Problem } from './yaml-file.ts';

/** `TRANSACTION 2 OP OF ORDER order/131/131.104.o01.hl7`: who sends what to whom. */
export interface TransactionLine {
  readonly verb: 'TRANSACTION';
  readonly line: number;
  /** As IHE counts them, `4`; the kit's variants `4b`, `5a` too. */
  readonly number: string;
  readonly from: string;
  readonly to: string;
  readonly event: string;
  /** Messages, folders of data sets, AE titles: what the event takes. */
  readonly parameters: readonly string[];
}

/** `MESSAGE RAD-SCHEDULE`: what the tester is told to schedule; `MESA-INTERNAL`: what the kit schedules itself. */
export interface ScheduleLine {
  readonly verb: 'MESSAGE' | 'MESA-INTERNAL';
  readonly line: number;
  /** The message that announces it, as the kit would send it. */
  readonly message: string;
  /** The folder of the data sets that the kit makes of it: its name in later lines. */
  readonly directory: string;
  /** Action item; undefined where the line does not say. */
  readonly protocolCode: string | undefined;
  readonly station: string | undefined;
}

/** `MESA-INTERNAL GEN-...`: data sets that the kit makes for a modality. */
export interface InstancesLine {
  readonly verb: 'GENERATE';
  readonly line: number;
  readonly directory: string;
  /** Of an examination that nobody ordered: who was examined, and what was done. */
  readonly unscheduled?: {
    readonly message: string;
    readonly modality: string;
    readonly procedureCode: string;
    /** What the modality says that it did. */
    readonly performedCode: string | undefined;
  };
  /** The code of the reason for which the step is discontinued (scheme DCM). */
  readonly discontinuedFor?: string;
}

export type ScriptLine = TransactionLine | ScheduleLine | InstancesLine;

export interface MesaScript {
  readonly name: string;
  readonly file: string;
  readonly lines: readonly ScriptLine[];
  /** Why it cannot be played, each with its line. */
  readonly problems: readonly Problem[];
}

/** Shown to the tester, or of no consequence for who is tested. */
const ignored = new Set(['TEXT', 'PROFILE', 'PATIENT']);

type Read = { readonly line?: ScriptLine; readonly problem?: string };

/** Reads a script; what is not understood is a problem with its line, never an exception. */
export function readMesaScript(name: string, file: string): MesaScript {
  const { text, problems: unreadable } = readBytes(file);
  const problems: Problem[] = [...unreadable];
  const lines: ScriptLine[] = [];
  text.split(/\r\n|\r|\n/).forEach((source, index) => {
    const words = source.trim().split(/\s+/);
    if (source.trim() === '' || source.startsWith('#')) return;
    const { line, problem } = readLine(words, index + 1);
    if (line) lines.push(line);
    if (problem !== undefined) problems.push({ file, line: index + 1, text: problem });
  });
  return { name, file, lines, problems };
}

function readLine([verb = '', ...words]: readonly string[], line: number): Read {
  if (ignored.has(verb)) return {};
  if (verb === 'TRANSACTION') return transaction(words, line);
  if (verb === 'MESSAGE' || verb === 'MESA-INTERNAL') return instruction(verb, words, line);
  if (verb === 'EXIT') return { problem: 'EXIT: the script ends here; the kit has withdrawn it' };
  return { problem: `${verb} is no verb that is played: TRANSACTION, MESSAGE, MESA-INTERNAL, TEXT, PATIENT, PROFILE` };
}

function transaction(words: readonly string[], line: number): Read {
  const [number, from, to, event, ...parameters] = words;
  if (number === undefined || from === undefined || to === undefined || event === undefined) {
    return { problem: 'a transaction has a number, from, to and an event' };
  }
  return { line: { verb: 'TRANSACTION', line, number: number.replace(/^RAD-/, ''), from, to, event, parameters } };
}

function instruction(verb: 'MESSAGE' | 'MESA-INTERNAL', words: readonly string[], line: number): Read {
  const [what = '', ...rest] = words;
  if (what === 'RAD-SCHEDULE') return schedule(verb, rest, line);
  if (verb === 'MESA-INTERNAL' && what === 'GEN-UNSCHED-SOP-INSTANCES') return unscheduled(rest, line);
  if (verb === 'MESA-INTERNAL' && (what === 'GEN-SOP-INSTANCES' || what === 'GEN-MPPS-ABANDON-CODED')) {
    const [, , , , directory] = rest;
    if (directory === undefined) return { problem: `${what} names no folder of data sets` };
    const reason = what === 'GEN-MPPS-ABANDON-CODED' ? rest.at(-1) : undefined;
    return {
      line: { verb: 'GENERATE', line, directory, ...(reason === undefined ? {} : { discontinuedFor: reason }) },
    };
  }
  // The notification is made when it is sent.
  if (verb === 'MESA-INTERNAL' && what === 'GEN-IAN') return {};
  return { problem: `${verb} ${what} is not played` };
}

/** FROM TO EVENT MESSAGE DIRECTORY [FOLDER OF IMAGES] PROTOCOL PROCEDURE [LOCATION STATION] */
function schedule(verb: 'MESSAGE' | 'MESA-INTERNAL', words: readonly string[], line: number): Read {
  const [, , , message, directory, ...rest] = words;
  if (message === undefined || directory === undefined) {
    return { problem: 'RAD-SCHEDULE names a message and a folder of data sets' };
  }
  // Images are in a folder of folders, or not named; protocol, procedure, location and station follow.
  const [protocolCode, , , station] = rest.slice(/[/<]/.test(rest[0] ?? '') ? 1 : 0);
  return { line: { verb, line, message, directory, protocolCode, station } };
}

/** DIRECTORY PATIENT-MESSAGE MODALITY PROCEDURE PERFORMED [FOLDER OF IMAGES] */
function unscheduled(words: readonly string[], line: number): Read {
  const [directory, message, modality, procedureCode, performedCode] = words;
  if (!directory || !message || !modality || !procedureCode) {
    return { problem: 'GEN-UNSCHED-SOP-INSTANCES names a folder, the message of the patient, modality and procedure' };
  }
  return {
    line: { verb: 'GENERATE', line, directory, unscheduled: { message, modality, procedureCode, performedCode } },
  };
}
