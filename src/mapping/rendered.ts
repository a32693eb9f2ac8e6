import { type SegmentValues, encodeReported } from '../hl7/encode.ts';
import { checkStructure } from '../hl7/grammar.ts';
import { outboundStructure } from '../hl7/structures.ts';
import { SwfError } from '../platform/errors.ts';
import { type Envelope, msh } from './segments-to-hl7.ts';

/** A message that is finished: its bytes never change again. */
export interface RenderedMessage {
  /** MSH-9 without its structure: `ORM^O01` */
  readonly messageType: string;
  readonly bytes: Uint8Array;
  /** A sentence, when the receiver's character set cannot carry the text and UTF-8 was used instead. */
  readonly remark?: string;
}

/** Which message it is. */
export interface MessageForm {
  /** MSH-9.1 and MSH-9.2: `ORM^O01` */
  readonly messageType: string;
  /** Id of the outbound structure (hl7/structures.ts), whose first word is MSH-9.3: `ORM_O01 RAD-4` */
  readonly structure: string;
}

function mshOf(envelope: Envelope, form: MessageForm): SegmentValues {
  const [messageType = '', triggerEvent = ''] = form.messageType.split('^');
  const [structure = ''] = form.structure.split(' ');
  return msh(envelope, { messageType, triggerEvent, structure });
}

/**
 * A message of ours, from MSH to its bytes, in the receiver's version and character set.
 * @throws SwfError 'internal' naming the segment, when the segments do not follow the message's own structure
 */
export function rendered(envelope: Envelope, form: MessageForm, segments: readonly SegmentValues[]): RenderedMessage {
  const { messageType } = form;
  const all = [mshOf(envelope, form), ...segments];
  const names = all.map(([name]) => name);
  const fault = checkStructure(names, outboundStructure(form.structure, envelope.version));
  if (fault !== undefined) throw new SwfError('internal', `our ${messageType} is out of structure: ${fault}`);
  const wanted = envelope.characterSet ?? '';
  const { bytes, characterSet, fits } = encodeReported(all, { characterSet: wanted });
  if (fits) return { messageType, bytes };
  const remark = `${messageType} has text that ${wanted} cannot carry and was written in ${characterSet}`;
  return { messageType, bytes, remark };
}
