import type { Repetition } from './encode.ts';
import type { Segment } from './segment.ts';

/** An assigning authority (HD, HL7 v2.5.1 chapter 2A). */
export interface Hd {
  readonly namespace?: string;
  readonly universalId?: string;
  readonly universalIdType?: string;
}

/** An identifier with its authority (CX, HL7 v2.5.1 chapter 2A). */
export interface Cx {
  readonly id: string;
  readonly assigningAuthority?: Hd;
  /** Table 0203. */
  readonly identifierType?: string;
}

/** The parts of a name that XPN and XCN share; `family` is the surname. */
export interface PersonName {
  readonly family?: string;
  readonly given?: string;
  readonly middle?: string;
  readonly suffix?: string;
  readonly prefix?: string;
  readonly degree?: string;
  /** Table 0200. */
  readonly nameType?: string;
  /** Table 4000 / 0465: alphabetic, ideographic, phonetic. */
  readonly representation?: string;
}

/** The name of a person (XPN, HL7 v2.5.1 chapter 2A). */
export type Xpn = PersonName;

/** A person with an identifier (XCN, HL7 v2.5.1 chapter 2A). */
export interface Xcn extends PersonName {
  readonly id?: string;
  readonly assigningAuthority?: Hd;
}

/** An identifier of a thing (EI, HL7 v2.5.1 chapter 2A). */
export interface Ei extends Hd {
  readonly id: string;
}

/** A coded value (CE and CWE, HL7 v2.5.1 chapter 2A). */
export interface Cwe {
  readonly code?: string;
  readonly meaning?: string;
  /** Table 0396. */
  readonly scheme?: string;
  readonly alternateCode?: string;
  readonly alternateMeaning?: string;
  readonly alternateScheme?: string;
}

/** A place where a patient is (PL, HL7 v2.5.1 chapter 2A). */
export interface Pl {
  readonly pointOfCare?: string;
  readonly room?: string;
  readonly bed?: string;
  readonly facility?: string;
}

type Optional<T> = { readonly [K in keyof T]: T[K] | undefined };

/** Only the members that have a value; undefined when none has. */
function present<T extends object>(members: Optional<T>): T | undefined {
  const kept = Object.entries(members).filter(([, value]) => value !== undefined);
  return kept.length > 0 ? (Object.fromEntries(kept) as T) : undefined;
}

type Read = (component: number, subcomponent?: number) => string | undefined;

/** Reads one repetition; a deleted value (`""`) has no parts. */
function reader(segment: Segment, field: number, repetition = 1): Read {
  return (component, subcomponent) => segment.get(field, component, subcomponent, repetition) ?? undefined;
}

function hdAt(read: Read, component: number): Hd | undefined {
  return present<Hd>({
    namespace: read(component, 1),
    universalId: read(component, 2),
    universalIdType: read(component, 3),
  });
}

/** Reads CX; undefined without an identifier. */
export function cx(segment: Segment, field: number, repetition?: number): Cx | undefined {
  const read = reader(segment, field, repetition);
  const id = read(1);
  if (id === undefined) return undefined;
  return present<Cx>({ id, assigningAuthority: hdAt(read, 4), identifierType: read(5) });
}

/** The six parts of a name that follow each other, from `first` on. */
function nameAt(read: Read, first: number): Optional<Pick<Required<PersonName>, (typeof nameParts)[number]>> {
  const [family, given, middle, suffix, prefix, degree] = nameParts.map((_, index) => read(first + index));
  return { family, given, middle, suffix, prefix, degree };
}

const nameParts = ['family', 'given', 'middle', 'suffix', 'prefix', 'degree'] as const;

/** Reads XPN; undefined when it is empty. */
export function xpn(segment: Segment, field: number, repetition?: number): Xpn | undefined {
  const read = reader(segment, field, repetition);
  return present<Xpn>({ ...nameAt(read, 1), nameType: read(7), representation: read(8) });
}

/** Reads XCN; undefined when it is empty. */
export function xcn(segment: Segment, field: number, repetition?: number): Xcn | undefined {
  const read = reader(segment, field, repetition);
  const name = { ...nameAt(read, 2), nameType: read(10), representation: read(15) };
  return present<Xcn>({ id: read(1), ...name, assigningAuthority: hdAt(read, 9) });
}

/** Reads EI; undefined without an identifier. */
export function ei(segment: Segment, field: number, repetition?: number): Ei | undefined {
  const read = reader(segment, field, repetition);
  const id = read(1);
  if (id === undefined) return undefined;
  return present<Ei>({ id, namespace: read(2), universalId: read(3), universalIdType: read(4) });
}

/** Reads CE or CWE; undefined when it is empty. */
export function cwe(segment: Segment, field: number, repetition?: number): Cwe | undefined {
  const read = reader(segment, field, repetition);
  return present<Cwe>({
    code: read(1),
    meaning: read(2),
    scheme: read(3),
    alternateCode: read(4),
    alternateMeaning: read(5),
    alternateScheme: read(6),
  });
}

/** Reads PL; undefined when it is empty. */
export function pl(segment: Segment, field: number, repetition?: number): Pl | undefined {
  const read = reader(segment, field, repetition);
  return present<Pl>({ pointOfCare: read(1), room: read(2), bed: read(3), facility: read(4) });
}

const toHd = (hd: Hd | undefined): (string | undefined)[] => [hd?.namespace, hd?.universalId, hd?.universalIdType];

/** Writes CX. */
export function toCx(value: Cx): Repetition {
  return [value.id, undefined, undefined, toHd(value.assigningAuthority), value.identifierType];
}

/** Writes XPN. */
export function toXpn(value: Xpn): Repetition {
  return [...nameParts.map((part) => value[part]), value.nameType, value.representation];
}

/** Writes XCN. */
export function toXcn(value: Xcn): Repetition {
  const name = nameParts.map((part) => value[part]);
  const unused = Array<undefined>(4).fill(undefined);
  return [
    value.id,
    ...name,
    undefined,
    toHd(value.assigningAuthority),
    value.nameType,
    ...unused,
    value.representation,
  ];
}

/** Writes EI. */
export function toEi(value: Ei): Repetition {
  return [value.id, value.namespace, value.universalId, value.universalIdType];
}

/** Writes CE or CWE. */
export function toCwe(value: Cwe): Repetition {
  const { code, meaning, scheme, alternateCode, alternateMeaning, alternateScheme } = value;
  return [code, meaning, scheme, alternateCode, alternateMeaning, alternateScheme];
}

/** Writes PL. */
export function toPl(value: Pl): Repetition {
  return [value.pointOfCare, value.room, value.bed, value.facility];
}

export { formatLocalTimestamp, formatTimestamp, readTimestamp, siteTimeOf } from './timestamp.ts';
export type { Timestamp } from './timestamp.ts';
