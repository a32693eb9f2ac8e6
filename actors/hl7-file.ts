import { encodeText, findCharacterSet, utf8 } from '../src/hl7/charset.ts';
import { readHeader } from '../src/hl7/message.ts';
import { SwfError } from '../src/platform/errors.ts';
import { type Scope, expand } from './template.ts';

/** Who an HL7 message is from or for: MSH-3 and MSH-4, or MSH-5 and MSH-6. */
export interface Hl7Identity {
  readonly application: string;
  readonly facility: string;
}

export interface RenderedMessage {
  readonly bytes: Uint8Array;
  /** MSH-10, empty when the file has no readable MSH. */
  readonly controlId: string;
  /** `ORM^O01`, empty when the file has no readable MSH. */
  readonly type: string;
}

/**
 * A message file made into the bytes that are sent: `${name}` replaced, every line end a CR, the character set that
 * MSH-18 names (UTF-8 when it names none). What the file leaves empty in MSH-3 to MSH-7 and MSH-10 is filled in from
 * the site and the clock; what it says stands, also when it is wrong on purpose. Throws UnknownName, and SwfError for
 * a character that MSH-18 cannot carry.
 */
export function renderMessage(
  text: string,
  scope: Scope,
  { sender, receiver }: { sender: Hl7Identity; receiver: Hl7Identity },
): RenderedMessage {
  const valueOf = scope.forOneMessage();
  const lines = expand(text.replace(/^\uFEFF/, ''), valueOf)
    .split(/\r\n|\r|\n/)
    .filter((line) => line !== '');
  const header = filledHeader(lines[0] ?? '', {
    3: sender.application,
    4: sender.facility,
    5: receiver.application,
    6: receiver.facility,
    7: valueOf('now') ?? '',
    10: valueOf('controlId') ?? '',
  });
  const bytes = encode([header, ...lines.slice(1)].map((line) => `${line}\r`).join(''), header);
  const read = readHeader(bytes);
  const type = [read?.messageType, read?.triggerEvent].filter(Boolean).join('^');
  return { bytes, controlId: read?.controlId ?? '', type };
}

/** A name the table does not have is sent as UTF-8: a scenario may name it to see it refused. */
function encode(message: string, header: string): Uint8Array {
  const name = header.startsWith('MSH') ? (header.split(header.charAt(3))[17] ?? '') : '';
  const set = name === '' ? utf8 : (findCharacterSet(name) ?? utf8);
  const bytes = encodeText(message, set);
  if (!bytes) throw new SwfError('value-not-found', `the message has a character that MSH-18 ${name} cannot carry`);
  return bytes;
}

/** MSH-n is the n-1st piece of the line, because MSH-1 is the separator itself. */
function filledHeader(line: string, defaults: Readonly<Record<number, string>>): string {
  if (!line.startsWith('MSH') || line.length < 5) return line;
  const separator = line.charAt(3);
  const fields = line.split(separator);
  for (const [position, value] of Object.entries(defaults)) {
    const index = Number(position) - 1;
    if (index < fields.length && fields[index] === '') fields[index] = value;
  }
  return fields.join(separator);
}
