import { pduType } from './pdu.ts';

// An association request with 128 contexts and many transfer syntaxes stays far below this.
const MAX_ASSOCIATE_LENGTH = 262_144;
const MAX_CONTROL_LENGTH = 64;
const HEADER_LENGTH = 6;

export interface PduReader {
  /** Takes what came from the socket; complete PDUs and a violation are reported at once, in order. */
  push(chunk: Buffer): void;
}

export interface PduReaderOptions {
  /** Largest P-DATA-TF that was advertised, in bytes. */
  readonly maxPduLength: number;
  readonly onPdu: (type: number, body: Buffer) => void;
  /** The length of a PDU is refused before its bytes are waited for. Nothing is reported after it. */
  readonly onViolation: (text: string) => void;
}

function longestBody(type: number, maxPduLength: number): number {
  if (type === pduType.data) return maxPduLength;
  if (type === pduType.associateRequest || type === pduType.associateAccept) return MAX_ASSOCIATE_LENGTH;
  return MAX_CONTROL_LENGTH;
}

/** Bytes to PDUs (PS3.8 9.3.1) in linear time: chunks are joined once, when a PDU is complete. */
export function createPduReader(options: PduReaderOptions): PduReader {
  let chunks: Buffer[] = [];
  let total = 0;
  let needed = HEADER_LENGTH;
  let violated = false;

  // Takes complete PDUs from the front; returns the rest, which is shorter than `needed`.
  const takePdus = (bytes: Buffer): Buffer => {
    let rest = bytes;
    for (needed = HEADER_LENGTH; rest.length >= needed && !violated; needed = HEADER_LENGTH) {
      const length = rest.readUInt32BE(2);
      const type = rest[0] ?? 0;
      violated = length > longestBody(type, options.maxPduLength);
      if (violated) options.onViolation(`PDU of type ${type} claims ${length} bytes`);
      needed = HEADER_LENGTH + length;
      if (violated || rest.length < needed) return rest;
      const body = rest.subarray(HEADER_LENGTH, needed);
      rest = rest.subarray(needed);
      options.onPdu(type, body);
    }
    return rest;
  };

  return {
    push: (chunk) => {
      if (violated) return;
      chunks.push(chunk);
      total += chunk.length;
      if (total < needed) return;
      const rest = takePdus(chunks.length === 1 ? chunk : Buffer.concat(chunks, total));
      chunks = rest.length > 0 ? [rest] : [];
      total = rest.length;
    },
  };
}
