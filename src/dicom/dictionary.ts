import { dictionary as entries } from 'dcmjs/dictionary';
import { SwfError } from '../platform/errors.ts';

/** One attribute of the data dictionary (PS3.6): tag as eight upper-case hexadecimal digits, and as a number. */
export interface Attribute {
  readonly keyword: string;
  readonly tag: string;
  readonly number: number;
  readonly vr: string;
}

// The dictionary leaves some VRs open (`US or SS`, `OB or OW`); these are the ones taken when no VR is on the wire.
const OPEN_VRS: Readonly<Record<string, string>> = { xs: 'US', ox: 'OW', lt: 'OW', up: 'UL' };

const byTag = new Map<number, Attribute>();
const byKeyword = new Map<string, Attribute>();

for (const entry of Object.values(entries)) {
  const tag = /^\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)$/.exec(entry.tag)?.slice(1).join('').toUpperCase();
  if (!tag || entry.version === 'PrivateTag' || entry.vr === 'na' || byKeyword.has(entry.name)) continue;
  const number = Number.parseInt(tag, 16);
  const attribute = { keyword: entry.name, tag, number, vr: OPEN_VRS[entry.vr] ?? entry.vr };
  byTag.set(number, attribute);
  byKeyword.set(entry.name, attribute);
}

const isHexTag = (text: string): boolean => /^[0-9A-F]{8}$/i.test(text);

/** A private data element has an odd group number (PS3.5 7.8). */
export const isPrivate = (tag: number): boolean => ((tag >>> 16) & 1) === 1;

/** (gggg,0010-00FF) of a private group names the owner of a block (PS3.5 7.8.1). */
const isPrivateCreator = (tag: number): boolean => isPrivate(tag) && (tag & 0xffff) >= 0x10 && (tag & 0xffff) <= 0xff;

/** Eight upper-case hexadecimal digits of a tag number. */
export const hexTag = (tag: number): string => (tag >>> 0).toString(16).toUpperCase().padStart(8, '0');

const unknownAttributes = (tag: number): Attribute => ({
  keyword: hexTag(tag),
  tag: hexTag(tag),
  number: tag >>> 0,
  vr: isPrivateCreator(tag) ? 'LO' : 'UN',
});

/** The attribute of a tag number; a tag without keyword is its own keyword, with VR UN (private creators LO). */
export function attributeOfTag(tag: number): Attribute {
  return byTag.get(tag >>> 0) ?? unknownAttributes(tag);
}

/** The attribute of a keyword or of eight hexadecimal digits. Throws `data-type` for a keyword DICOM does not know. */
export function attributeOf(keyword: string): Attribute {
  const known = byKeyword.get(keyword);
  if (known) return known;
  if (isHexTag(keyword)) return attributeOfTag(Number.parseInt(keyword, 16));
  throw new SwfError('data-type', `'${keyword.slice(0, 64)}' is no DICOM keyword: use one of PS3.6 or an 8 digit tag`);
}

/** The value representation of a keyword, two letters (PS3.6). */
export function vrOf(keyword: string): string {
  return attributeOf(keyword).vr;
}

/** The tag of a keyword, eight upper-case hexadecimal digits (PS3.6). */
export function tagOf(keyword: string): string {
  return attributeOf(keyword).tag;
}

/** The keyword of a tag of eight hexadecimal digits; a tag without keyword comes back in upper case. */
export function keywordOf(tag: string): string {
  return attributeOf(tag).keyword;
}
