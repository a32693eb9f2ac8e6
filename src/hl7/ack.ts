import { encodeLabelled, findCharacterSet, utf8 } from './charset.ts';
import { encodingCharacters } from './delimiters.ts';
import { characterSetField, joinTrimmed, writeField } from './encode.ts';
import type { Field } from './encode.ts';
import { readHeader, readText } from './header.ts';
import type { Hl7Header } from './header.ts';
import { segmentOf } from './segment.ts';
import type { Segment } from './segment.ts';
import { formatTimestamp } from './timestamp.ts';

/** HL7 table 0008; the codes with C answer in enhanced mode (HL7 v2.5.1 2.9.3). */
export type AckCode = 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR';

/** What an acknowledgement says. */
export interface AckAnswer {
  readonly code: AckCode;
  /** Our own MSH-10. */
  readonly controlId: string;
  readonly now: Date;
  /** IANA name, for the offset in MSH-7. */
  readonly timeZone: string;
  readonly error?: AckError;
  /** The acknowledgement travels as a message of its own and asks for CA or CE (MSH-15, HL7 v2.5.1 2.9.3). */
  readonly asMessage?: true;
}

/** Why a message was not accepted. */
export interface AckError {
  /** HL7 table 0357. */
  readonly hl7: string;
  /** `SEG^sequence^field[^repetition[^component]]` */
  readonly location?: string;
  /** A sentence for a person, without message content. */
  readonly text: string;
  /** Our own code for the failure, which ERR-5 carries from v2.5 on (HL7 table 0533). */
  readonly application?: string;
}

/** HL7 table 0357. */
const meanings: Readonly<Record<string, string>> = {
  '0': 'Message accepted',
  '100': 'Segment sequence error',
  '101': 'Required field missing',
  '102': 'Data type error',
  '103': 'Table value not found',
  '200': 'Unsupported message type',
  '201': 'Unsupported event code',
  '202': 'Unsupported processing id',
  '203': 'Unsupported version id',
  '204': 'Unknown key identifier',
  '205': 'Duplicate key identifier',
  '206': 'Application record locked',
  '207': 'Application internal error',
};

/** The coding system of our own codes (ERR-5.3). */
const codingSystem = 'SWF';

// The longest MSA-3 of v2.3.1 and ERR-8 of v2.5.1.
const longestMsa3 = 80;
const longestErr8 = 250;

/** From v2.5 on errors are told in ERR-2 to ERR-8, before in ERR-1 and MSA-3. */
function isFrom25(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 5);
}

/** A field of the request as it was sent, without control characters, which no text of ours may carry. */
function echo(header: Hl7Header, field: number): string {
  // eslint-disable-next-line no-control-regex
  return (header.rawFields[field] ?? '').replace(/[\x00-\x1F\x7F]/g, '');
}

function ackMsh(header: Hl7Header, answer: AckAnswer, label: string): string[] {
  const write = (field: Field): string => writeField(field, header.delimiters);
  const { triggerEvent } = header;
  return [
    'MSH',
    encodingCharacters(header.delimiters),
    echo(header, 5),
    echo(header, 6),
    echo(header, 3),
    echo(header, 4),
    write(formatTimestamp(answer.now, answer.timeZone)),
    '',
    write(triggerEvent === '' ? 'ACK' : ['ACK', triggerEvent, 'ACK']),
    write(answer.controlId),
    echo(header, 11) || 'P',
    echo(header, 12) || '2.3.1',
    ...['', '', ...(answer.asMessage ? ['AL', 'NE'] : ['', '']), ''],
    write(characterSetField(label)),
  ];
}

/** ERR-2, ERR-3, ERR-4, ERR-5 and ERR-8 (HL7 v2.5.1 2.14.5; ITI TF-2 Appendix C). */
function errorFrom25(error: AckError): Field[] {
  const code = [error.hl7, meanings[error.hl7], 'HL70357'];
  const application = error.application === undefined ? undefined : [error.application, undefined, codingSystem];
  const text = error.text.slice(0, longestErr8);
  return [undefined, error.location?.split('^'), code, 'E', application, undefined, undefined, text];
}

/** ERR-1 (HL7 v2.3.1 chapter 2): segment, sequence, field, code. */
function errorBefore25(error: AckError): Field[] {
  const [segment, sequence, field] = error.location?.split('^') ?? [];
  return [[segment, sequence, field, error.hl7]];
}

/**
 * The acknowledgement of a message in the original or the enhanced mode (HL7 v2.5.1 2.9.2, 2.9.3, 2.14.8): the sender's delimiters,
 * character set, version and processing id; sender and receiver change places with all their components.
 */
export function buildAck(header: Hl7Header, answer: AckAnswer): Uint8Array {
  const { error } = answer;
  const from25 = isFrom25(header.version);
  const line = (name: string, fields: readonly Field[]): string[] => [
    name,
    ...fields.map((field) => writeField(field, header.delimiters)),
  ];
  const msa3 = error && !from25 ? line('', [error.text.slice(0, longestMsa3)]).slice(1) : [];
  const msa = ['MSA', answer.code, echo(header, 10), ...msa3];
  const err = error ? [line('ERR', from25 ? errorFrom25(error) : errorBefore25(error))] : [];
  const join = (fields: readonly string[]): string => `${joinTrimmed(fields, header.delimiters.field)}\r`;
  return encodeLabelled(
    (label) => [ackMsh(header, answer, label), msa, ...err].map(join).join(''),
    findCharacterSet(header.characterSet) ?? utf8,
  ).bytes;
}

/** What a peer answered. */
export interface Ack {
  /** MSA-1, table 0008. */
  readonly code: string;
  /** MSA-2: the control id that is answered. */
  readonly controlId: string;
  /** Table 0357 codes, wherever a version puts them. */
  readonly errorCodes: readonly string[];
  /** The first explanation found: MSA-3, ERR-8, ERR-7, ERR-3.2. It may hold message content. */
  readonly text?: string;
}

/** ERR-3.1 (v2.5), ERR-1.4 (before) and ERR-1.1.4, as some senders nest it. */
function errorCodesOf(error: Segment): string[] {
  const codes: string[] = [];
  for (let repetition = 1; repetition <= error.repetitions(1); repetition++) {
    codes.push((error.get(1, 4, 1, repetition) ?? error.get(1, 1, 4, repetition)) || '');
  }
  for (let repetition = 1; repetition <= error.repetitions(3); repetition++) {
    codes.push(error.get(3, 1, 1, repetition) || '');
  }
  return codes;
}

/**
 * Reads MSA and ERR of an acknowledgement or of a response that carries them (ORR, ORG, ORI); undefined when there is
 * no MSH or no MSA. As lenient as possible: the answer of a peer that writes odd messages still counts.
 */
export function readAck(bytes: Uint8Array): Ack | undefined {
  const header = readHeader(bytes);
  const text = readText(bytes);
  if (!header || text === undefined) return undefined;
  const encoding = { delimiters: header.delimiters, characterSet: findCharacterSet(header.characterSet) ?? utf8 };
  const lines = text.split(/[\r\n]+/);
  const all = (name: string): Segment[] =>
    lines.filter((line) => line.slice(0, 3) === name).map((line, index) => segmentOf(line, index + 1, encoding));
  const [msa] = all('MSA');
  if (!msa) return undefined;
  const errors = all('ERR');
  const codes = [...errors.flatMap(errorCodesOf), msa.get(6) ?? ''].filter((code) => code !== '');
  const explained = msa.get(3) ?? errors.map((error) => error.get(8) ?? error.get(7) ?? error.get(3, 2)).find(Boolean);
  return {
    code: (msa.get(1) ?? '').trim(),
    controlId: (msa.get(2) ?? '').trim(),
    errorCodes: [...new Set(codes.map((code) => code.trim()))],
    ...(explained ? { text: explained } : {}),
  };
}
