import { type Cwe, cwe, ei, readTimestamp, siteTimeOf, xcn } from '../hl7/datatypes.ts';
import type { Segment } from '../hl7/message.ts';
import { SwfError } from '../platform/errors.ts';
import type {
  AssigningAuthority,
  EntityIdentifier,
  OrderedService,
  Person,
  PlacerOrder,
  RequestedStart,
} from '../workflow/vocabulary.ts';
import { type Reading, componentsOf, defined, locationOf, textOf } from './reader.ts';

/** The segments of one ORC group that the order itself is read from; of several OBR the first. */
export interface OrderSegments {
  readonly ORC: Segment;
  readonly TQ1: Segment | undefined;
  readonly OBR: Segment | undefined;
  /** Every segment of the group, NTE and OBX among them. */
  readonly all: readonly Segment[];
}

type Place = readonly [segment: 'ORC' | 'TQ1' | 'OBR', field: number, component?: number];

/** Where a value stands: the first place that has one decides. */
interface Source<T> {
  readonly places: readonly Place[];
  readonly read: (segment: Segment, field: number, component?: number) => T | undefined;
}

const from = <T>(read: Source<T>['read'], ...places: Place[]): Source<T> => ({ places, read });

const wholeOf = (segment: Segment, field: number): string | undefined => segment.whole(field) ?? undefined;

/** ORC-8.1 of EIP: the placer order number, its parts as subcomponents (HL7 v2.5.1 4.5.1.8). */
function parentOf(orc: Segment, field: number): EntityIdentifier | undefined {
  const part = (position: number): string | undefined => orc.get(field, 1, position) ?? undefined;
  const id = part(1);
  if (id === undefined) return undefined;
  return defined<EntityIdentifier>({ id, namespace: part(2), universalId: part(3), universalIdType: part(4) });
}

// A reason may come as plain text in the first component.
function reasonOf(obr: Segment, field: number): Cwe | undefined {
  const reason = cwe(obr, field);
  if (!reason || reason.meaning !== undefined || reason.scheme !== undefined || reason.code === undefined)
    return reason;
  return { meaning: obr.whole(field) ?? reason.code };
}

/** The name in the first component, its parts as subcomponents (NDL, HL7 v2.5.1 4.5.3.34). */
function performerOf(obr: Segment, field: number): Person | undefined {
  const [id, family, given, middle, suffix, prefix, degree] = [1, 2, 3, 4, 5, 6, 7].map(
    (position) => obr.get(field, 1, position) ?? undefined,
  );
  if (family === undefined && given === undefined) return undefined;
  return defined<Person>({ id, family, given, middle, suffix, prefix, degree });
}

/** The fields of an order with their places, the preferred first (RAD TF-2 4.2-3, HL7 v2.5.1 4.5.1 and 4.5.3). */
const sources = {
  placerGroupNumber: from(ei, ['ORC', 4]),
  parent: from(parentOf, ['ORC', 8]),
  quantity: from(textOf, ['ORC', 7, 1]),
  interval: from(textOf, ['ORC', 7, 2]),
  priority: from(textOf, ['TQ1', 9], ['ORC', 7, 6], ['OBR', 27, 6], ['OBR', 5]),
  transactionTime: from(textOf, ['ORC', 9]),
  enteredBy: from(xcn, ['ORC', 10]),
  orderingProvider: from(xcn, ['ORC', 12], ['OBR', 16]),
  enterersDepartment: from(textOf, ['ORC', 13, 9]),
  callBackPhone: from(textOf, ['ORC', 14]),
  effectiveTime: from(textOf, ['ORC', 15]),
  enteringOrganisation: from(cwe, ['ORC', 17]),
  orderingFacilityAddress: from(componentsOf, ['ORC', 22]),
  confidentialityCode: from(cwe, ['ORC', 28]),
  dangerCode: from(cwe, ['OBR', 12]),
  relevantClinicalInformation: from(wholeOf, ['OBR', 13]),
  specimenSource: from(componentsOf, ['OBR', 15]),
  transportationMode: from(textOf, ['OBR', 30]),
  reason: from(reasonOf, ['OBR', 31]),
  scheduledPerformer: from(performerOf, ['OBR', 34]),
  transportArranged: from(textOf, ['OBR', 41]),
  placerSupplementalServiceInformation: from(cwe, ['OBR', 46]),
} as const satisfies { [K in keyof PlacerOrder]?: Source<NonNullable<PlacerOrder[K]>> };

/** Fields that are read with more than their place; what clears them is found in the same way. */
const otherPlaces = {
  requestedStart: [
    ['TQ1', 7],
    ['ORC', 7, 4],
    ['OBR', 27, 4],
    ['OBR', 36],
  ],
  modality: [['OBR', 24]],
  procedureCode: [['OBR', 44]],
  requestedAccessionNumber: [['OBR', 18]],
} as const satisfies { [K in keyof PlacerOrder]?: readonly Place[] };

const allPlaces: readonly (readonly [keyof PlacerOrder, readonly Place[]])[] = [
  ...Object.entries(sources).map(([name, { places }]) => [name as keyof typeof sources, places] as const),
  ...Object.entries(otherPlaces).map(([name, places]) => [name as keyof typeof otherPlaces, places] as const),
];

function firstOf<T>({ places, read }: Source<T>, segments: OrderSegments): T | undefined {
  for (const [name, field, component] of places) {
    const segment = segments[name];
    const value = segment && (component === undefined ? read(segment, field) : read(segment, field, component));
    if (value !== undefined) return value;
  }
  return undefined;
}

/** TQ1-7, ORC-7.4, OBR-27.4, OBR-36: the first that is valued decides; an offset is converted to the site's clock. */
function requestedStart(segments: OrderSegments, reading: Reading): RequestedStart | undefined {
  for (const place of otherPlaces.requestedStart) {
    const [name, field, component = 1] = place;
    const segment = segments[name];
    const value = segment && textOf(segment, field, component);
    if (segment === undefined || value === undefined) continue;
    try {
      return siteTimeOf(readTimestamp(value), reading.rules.timeZone);
    } catch {
      const location = locationOf(segment, field, component);
      throw new SwfError('data-type', `the requested start (${name}-${field}) is not a time stamp`, { location });
    }
  }
  return undefined;
}

/** An OBX by the text of its identifier and its unit, converted to what DICOM wants (kg, m); null where it is cleared. */
function measurement(
  { all }: OrderSegments,
  name: string,
  units: Readonly<Record<string, number>>,
): string | null | undefined {
  const observations = all.filter((obx) => obx.name === 'OBX' && textOf(obx, 3, 2)?.toLowerCase() === name);
  for (const obx of observations) {
    const factor = units[textOf(obx, 6)?.toLowerCase() ?? ''];
    const value = Number(textOf(obx, 5));
    if (factor !== undefined && Number.isFinite(value) && value > 0)
      return String(Number((value * factor).toPrecision(6)));
  }
  return observations.some((obx) => obx.get(5) === null) ? null : undefined;
}

function commentsOf({ all }: OrderSegments): string[] | null | undefined {
  const values = all.filter((segment) => segment.name === 'NTE').map((nte) => nte.whole(3));
  const comments = values.flatMap((value) => value ?? []);
  if (comments.length > 0) return comments;
  return values.includes(null) ? null : undefined;
}

/** Fields that every OBR says for itself. */
const ofEachService = [
  'dangerCode',
  'relevantClinicalInformation',
  'specimenSource',
  'transportationMode',
  'reason',
  'scheduledPerformer',
  'transportArranged',
  'placerSupplementalServiceInformation',
] as const;

/** What an OBR says for itself beyond service and modality, as the first one does. */
export function serviceContentFromHl7(obr: Segment): Omit<Partial<OrderedService>, 'service'> {
  const read = ([, field]: Place, name: (typeof ofEachService)[number]): unknown => sources[name].read(obr, field);
  const values = ofEachService.map((name) => [name, read(sources[name].places[0] ?? ['OBR', 0], name)] as const);
  return defined<Omit<Partial<OrderedService>, 'service'>>(Object.fromEntries(values));
}

/** Fields such as `OBR-16` in which a further OBR says something else of its order than the first, whose word counts. */
export function differingFields(first: Segment, further: Segment): string[] {
  const own: ReadonlySet<keyof PlacerOrder> = new Set([...ofEachService, 'modality', 'procedureCode']);
  const places = allPlaces.flatMap(([name, all]) => (own.has(name) ? [] : all));
  const fields = new Set(places.flatMap(([name, field]) => (name === 'OBR' ? [field] : [])));
  const text = (obr: Segment, field: number): string | undefined => componentsOf(obr, field)?.join('^');
  const differing = [...fields].filter(
    (field) => text(further, field) !== undefined && text(further, field) !== text(first, field),
  );
  return differing.sort((one, other) => one - other).map((field) => `OBR-${field}`);
}

/** What an ORC group says of its order beyond numbers and services, and what it clears with `""`. */
export interface OrderContent {
  readonly values: Omit<Partial<PlacerOrder>, 'placerOrderNumber' | 'service'>;
  readonly cleared: readonly (keyof PlacerOrder)[];
}

function clearedOf(segments: OrderSegments, values: object): (keyof PlacerOrder)[] {
  const isCleared = ([name, field, component = 1]: Place): boolean => segments[name]?.get(field, component) === null;
  const names = allPlaces.filter(([name, places]) => !(name in values) && places.some(isCleared));
  return names.map(([name]) => name);
}

/**
 * Reads the order of one ORC group. A field that is absent is absent in the result; `""` in a field clears it, unless
 * another of its places has a value (HL7 v2.5.1 2.5.3.2).
 * Throws 'data-type' (102) at its place for a requested start that is no time stamp.
 */
export function orderContentFromHl7(segments: OrderSegments, reading: Reading): OrderContent {
  const simple = Object.entries(sources).map(([name, source]) => [name, firstOf<unknown>(source, segments)] as const);
  const observed = {
    comments: commentsOf(segments),
    bodyWeight: measurement(segments, 'body weight', { kg: 1, g: 0.001 }),
    bodyHeight: measurement(segments, 'body height', { m: 1, cm: 0.01 }),
  };
  const accession = [segments.OBR && textOf(segments.OBR, 18), ...segments.all.map(accessionOfIpc)];
  const values = defined<OrderContent['values']>({
    ...Object.fromEntries(simple),
    requestedStart: requestedStart(segments, reading),
    comments: observed.comments ?? undefined,
    bodyWeight: observed.bodyWeight ?? undefined,
    bodyHeight: observed.bodyHeight ?? undefined,
    requestedAccessionNumber: accession.find((number) => number !== undefined),
    requestedAccessionNumberIssuer: issuerOfAccession(segments),
  });
  const observedCleared = (['comments', 'bodyWeight', 'bodyHeight'] as const).filter((name) => observed[name] === null);
  return { values, cleared: [...clearedOf(segments, values), ...observedCleared] };
}

const accessionOfIpc = (segment: Segment): string | undefined =>
  segment.name === 'IPC' ? textOf(segment, 1) : undefined;

/** IPC-1.2 to IPC-1.4 of the first IPC with an accession number; OBR-18 names nobody. */
function issuerOfAccession({ all, OBR }: OrderSegments): AssigningAuthority | undefined {
  const ipc = all.find((segment) => accessionOfIpc(segment) !== undefined);
  if (!ipc || (OBR && textOf(OBR, 18) !== undefined && textOf(OBR, 18) !== textOf(ipc, 1))) return undefined;
  const [namespace, universalId, universalIdType] = [2, 3, 4].map((component) => textOf(ipc, 1, component));
  if (namespace === undefined && universalId === undefined) return undefined;
  return defined<AssigningAuthority>({ namespace, universalId, universalIdType });
}
