/** How the values of one value representation are written (PS3.5 6.2). */
export interface VrRule {
  readonly kind: 'text' | 'number' | 'bytes' | 'tag' | 'sequence';
  /** Explicit VR carries a length field of 32 bits (PS3.5 7.1.2). */
  readonly longLength?: true;
  /** Text: `\` separates values. */
  readonly many?: true;
  /** Text: (0008,0005) Specific Character Set applies (PS3.5 6.1.2.3). */
  readonly international?: true;
  /** Text: CR, LF, FF and TAB are allowed. */
  readonly lines?: true;
  /** Text: characters of one value (of one component group for PN). */
  readonly longest?: number;
  /** Text: what one value may look like. Ranges of dates and times are allowed, queries carry them (PS3.4 C.2.2.2.5). */
  readonly pattern?: RegExp;
  /** Numbers: bytes of one value. */
  readonly size?: number;
}

export const vrRules: Readonly<Record<string, VrRule>> = {
  AE: { kind: 'text', many: true, longest: 16 },
  AS: { kind: 'text', many: true, longest: 4 },
  AT: { kind: 'tag', size: 4 },
  CS: { kind: 'text', many: true, longest: 16 },
  DA: { kind: 'text', many: true, longest: 21, pattern: /^[\d.-]*$/ },
  DS: { kind: 'text', many: true, longest: 16, pattern: /^[\d+\-.Ee ]*$/ },
  DT: { kind: 'text', many: true, longest: 54, pattern: /^[\d+\-. ]*$/ },
  FD: { kind: 'number', size: 8 },
  FL: { kind: 'number', size: 4 },
  IS: { kind: 'text', many: true, longest: 12, pattern: /^[\d+\- ]*$/ },
  LO: { kind: 'text', many: true, international: true, longest: 64 },
  LT: { kind: 'text', international: true, lines: true, longest: 10_240 },
  OB: { kind: 'bytes', longLength: true },
  OD: { kind: 'bytes', longLength: true },
  OF: { kind: 'bytes', longLength: true },
  OL: { kind: 'bytes', longLength: true },
  OV: { kind: 'bytes', longLength: true },
  OW: { kind: 'bytes', longLength: true },
  PN: { kind: 'text', many: true, international: true, longest: 64 },
  SH: { kind: 'text', many: true, international: true, longest: 16 },
  SL: { kind: 'number', size: 4 },
  SQ: { kind: 'sequence', longLength: true },
  SS: { kind: 'number', size: 2 },
  ST: { kind: 'text', international: true, lines: true, longest: 1_024 },
  SV: { kind: 'bytes', longLength: true },
  TM: { kind: 'text', many: true, longest: 33, pattern: /^[\d.:-]*$/ },
  UC: { kind: 'text', many: true, international: true, longLength: true },
  UI: { kind: 'text', many: true, longest: 64, pattern: /^[\d.]*$/ },
  UL: { kind: 'number', size: 4 },
  UN: { kind: 'bytes', longLength: true },
  UR: { kind: 'text', longLength: true },
  US: { kind: 'number', size: 2 },
  UT: { kind: 'text', international: true, lines: true, longLength: true },
  UV: { kind: 'bytes', longLength: true },
};

export const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';

/** The transfer syntaxes that the codec speaks, the preferred one first. */
export const TRANSFER_SYNTAXES: readonly string[] = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
