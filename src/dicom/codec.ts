export { decodeDataset } from './decode.ts';
export { encodeDataset, encodeReceived, hasTextBeyondAscii } from './encode.ts';
export type { EncodeOptions } from './encode.ts';
export { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from './vr.ts';
