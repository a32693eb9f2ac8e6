import { SwfError } from '../platform/errors.ts';
import { decodeDataset } from './decode.ts';
import { encodeDataset } from './encode.ts';
import { dataset } from './dataset.ts';
import type { Dataset, DatasetInput } from './dataset.ts';
import { tagOf } from './dictionary.ts';
import { pduType } from './pdu.ts';
import { NO_DATASET } from './status.ts';
import { IMPLICIT_VR_LITTLE_ENDIAN } from './vr.ts';

/** A DIMSE message as it came (PS3.7 6.3): its command, and the bytes of its data set when it has one. */
export interface DimseMessage {
  readonly contextId: number;
  readonly command: Dataset;
  readonly dataset: Buffer | undefined;
}

const COMMAND = 1;
const LAST = 2;
const MAX_COMMAND_BYTES = 65_536;
// Every fragment costs memory, however short it is.
const MAX_FRAGMENTS = 100_000;
// PDV length, context and control header before each fragment (PS3.8 9.3.5.1).
const PDV_OVERHEAD = 6;
const PDU_OVERHEAD = 6;
// Where the other side sets no limit, fragments still end somewhere.
const LARGEST_FRAGMENT = 65_536;

/** The first value of a command element as a number; undefined when absent. */
export function commandNumber(command: Dataset, keyword: string): number | undefined {
  const value = command[keyword]?.[0];
  return typeof value === 'number' ? value : undefined;
}

/** A command set (PS3.7 6.3.1): Implicit VR Little Endian with its group length in front. */
export function encodeCommand(elements: DatasetInput): Buffer {
  const body = encodeDataset(dataset(elements), IMPLICIT_VR_LITTLE_ENDIAN);
  const length = encodeDataset({ CommandGroupLength: [body.length] }, IMPLICIT_VR_LITTLE_ENDIAN);
  return Buffer.concat([length, body]);
}

/** A command set to its elements. Throws `data-type` unless it is one with Command Field and Data Set Type. */
function decodeCommand(bytes: Buffer): Dataset {
  const command = decodeDataset(bytes, IMPLICIT_VR_LITTLE_ENDIAN);
  const required = ['CommandField', 'CommandDataSetType'];
  const isCommand = Object.keys(command).every((keyword) => tagOf(keyword).startsWith('0000'));
  if (isCommand && required.every((keyword) => commandNumber(command, keyword) !== undefined)) return command;
  throw new SwfError('data-type', 'the command set lacks Command Field or Command Data Set Type (PS3.7 6.3.1)');
}

function fragmentsOf(bytes: Buffer, longest: number): Buffer[] {
  const count = Math.max(1, Math.ceil(bytes.length / longest));
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * longest, (index + 1) * longest));
}

function dataPdu(contextId: number, control: number, fragment: Buffer): Buffer[] {
  const header = Buffer.alloc(PDU_OVERHEAD + PDV_OVERHEAD);
  header[0] = pduType.data;
  header.writeUInt32BE(fragment.length + PDV_OVERHEAD, 2);
  header.writeUInt32BE(fragment.length + 2, PDU_OVERHEAD);
  header[10] = contextId;
  header[11] = control;
  return [header, fragment];
}

/**
 * A message as P-DATA-TF PDUs, one PDV each, none longer than the other side's maximum (0: no limit).
 * One buffer, so that it goes out in one write.
 */
export function encodeMessage(contextId: number, parts: readonly (Buffer | undefined)[], maxPduLength: number): Buffer {
  const longest = maxPduLength === 0 ? LARGEST_FRAGMENT : Math.min(maxPduLength, LARGEST_FRAGMENT) - PDV_OVERHEAD;
  const pdus = parts.flatMap((part, index) => {
    if (!part) return [];
    const fragments = fragmentsOf(part, longest);
    const control = index === 0 ? COMMAND : 0;
    return fragments.flatMap((fragment, i) =>
      dataPdu(contextId, control | (i === fragments.length - 1 ? LAST : 0), fragment),
    );
  });
  return Buffer.concat(pdus);
}

interface Partial {
  contextId: number;
  command: Dataset | undefined;
  fragments: Buffer[];
  bytes: number;
}

export interface MessageAssembler {
  /** Takes the body of a P-DATA-TF. Throws `data-type` when the PDVs are malformed, interleaved or too large. */
  push(body: Buffer): void;
}

interface AssemblerOptions {
  readonly isAccepted: (contextId: number) => boolean;
  readonly maxMessageBytes: number;
  readonly onMessage: (message: DimseMessage) => void;
}

const violation = (text: string): SwfError => new SwfError('data-type', `${text} (PS3.8 9.3.5, PS3.7 6.3)`);

interface Pdv {
  readonly contextId: number;
  readonly control: number;
  readonly fragment: Buffer;
}

function* pdvsOf(body: Buffer): Generator<Pdv> {
  let at = 0;
  while (at < body.length) {
    const length = body.length - at < PDV_OVERHEAD ? 0 : body.readUInt32BE(at);
    const end = at + 4 + length;
    if (length < 2 || end > body.length) throw violation('a PDV has a wrong length');
    yield { contextId: body[at + 4] ?? 0, control: body[at + 5] ?? 0, fragment: body.subarray(at + PDV_OVERHEAD, end) };
    at = end;
  }
}

const nothing = (contextId: number): Partial => ({ contextId, command: undefined, fragments: [], bytes: 0 });

/** PDVs to DIMSE messages: command first, then its data set, all on one accepted context (PS3.7 6.3, PS3.8 E). */
export function createAssembler(options: AssemblerOptions): MessageAssembler {
  let partial: Partial | undefined;

  const complete = (current: Partial): void => {
    const bytes = Buffer.concat(current.fragments, current.bytes);
    const command = current.command ?? decodeCommand(bytes);
    const isWhole = current.command !== undefined || commandNumber(command, 'CommandDataSetType') === NO_DATASET;
    partial = isWhole ? undefined : { ...nothing(current.contextId), command };
    if (!isWhole) return;
    options.onMessage({ contextId: current.contextId, command, dataset: current.command ? bytes : undefined });
  };

  const accept = ({ contextId, control, fragment }: Pdv): void => {
    if (!options.isAccepted(contextId)) throw violation('a PDV uses a presentation context that was not accepted');
    const current = (partial ??= nothing(contextId));
    if (current.contextId !== contextId) throw violation('messages of two presentation contexts are interleaved');
    const isCommand = (control & COMMAND) !== 0;
    if (isCommand !== (current.command === undefined)) throw violation('command and data set are out of order');
    current.fragments.push(fragment);
    current.bytes += fragment.length;
    if (current.fragments.length > MAX_FRAGMENTS) throw violation('a message has too many fragments');
    if (current.bytes > (isCommand ? MAX_COMMAND_BYTES : options.maxMessageBytes))
      throw violation('a message is too large');
    if ((control & LAST) !== 0) complete(current);
  };

  return {
    push: (body) => {
      for (const pdv of pdvsOf(body)) accept(pdv);
    },
  };
}
