import { parseMessage } from '../../src/hl7/message.ts';
import { type Reading, type SenderRules, startReading } from '../../src/mapping/reader.ts';
import { bytesOf } from '../hl7/support.ts';

/** The rules of a sender without any of its own. */
export const plainRules: SenderRules = {
  assigningAuthority: 'SENDER',
  station: undefined,
  serviceCode: 'OBR-4.1',
  timeZone: 'Europe/Berlin',
  validation: 'lenient',
};

/** A message of one line a segment, about to be read. */
export function readingOf(lines: readonly string[], more: Partial<SenderRules> = {}): Reading {
  return startReading(parseMessage(bytesOf(lines)), { ...plainRules, ...more });
}

/** A segment by its field numbers. */
export function segment(name: string, fields: Readonly<Record<number, string>>): string {
  const last = Math.max(...Object.keys(fields).map(Number));
  return [name, ...Array.from({ length: last }, (_, index) => fields[index + 1] ?? '')].join('|');
}

/** An MSH for a message type, of version 2.3.1 unless another is named. */
export function mshOf(type: string, version = '2.3.1'): string {
  return `MSH|^~\\&|EMR|HOSP|SWF_OF|RAD|20260105080000||${type}|E1|P|${version}`;
}
