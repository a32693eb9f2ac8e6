import { type Cwe, cwe, ei, readTimestamp, siteTimeOf, xcn } from '../hl7/datatypes.ts';
import { type Segment, parsePlace } from '../hl7/message.ts';
import { SwfError } from '../platform/errors.ts';
import type { PlacerOrder, RequestedStart } from '../workflow/vocabulary.ts';
import { type Reading, bounded, componentsOf, defined, expected, locationOf, required, textOf } from './reader.ts';

/** The segments of one order: an ORC and what follows it up to the next ORC. */
interface OrderGroup {
  readonly orc: Segment;
  readonly tq1: Segment | undefined;
  readonly obr: Segment;
  readonly others: readonly Segment[];
}

const before = new Set(['MSH', 'SFT', 'NTE', 'PID', 'PD1', 'NK1', 'PV1', 'PV2', 'IN1', 'IN2', 'IN3', 'GT1', 'AL1']);

function sequenceError(segment: Segment, sentence: string): SwfError {
  return new SwfError('segment-sequence', sentence, { location: `${segment.name}^${segment.sequence}` });
}

/** Splits a message into its ORC groups. Throws 'segment-sequence' (HL7 100) where the structure does not hold. */
function groupsOf(reading: Reading): Segment[][] {
  const groups: Segment[][] = [];
  let patientSeen = false;
  for (const segment of reading.message.segments) {
    if (segment.name === 'PID') patientSeen = true;
    if (segment.name === 'ORC') {
      if (!patientSeen) throw sequenceError(segment, 'ORC stands before PID');
      groups.push([segment]);
      continue;
    }
    const group = groups.at(-1);
    if (group) group.push(segment);
    else if (segment.name === 'OBR') throw sequenceError(segment, 'OBR stands before any ORC');
    else if (!before.has(segment.name) && !segment.name.startsWith('Z'))
      reading.remarks.push(`${segment.name} stands before any ORC and is not read`);
  }
  if (groups.length === 0) throw new SwfError('segment-sequence', 'there is no ORC segment', { location: 'ORC^1' });
  return groups;
}

function orderGroup(segments: readonly Segment[]): OrderGroup {
  const [orc, ...others] = segments;
  const obrs = others.filter((segment) => segment.name === 'OBR');
  const [obr] = obrs;
  if (!orc || !obr)
    throw new SwfError('segment-sequence', 'an ORC has no OBR', { location: `OBR^${orc?.sequence ?? 1}` });
  const second = obrs[1];
  if (second) throw sequenceError(second, 'a second OBR follows one ORC; send one ORC for each OBR');
  return { orc, tq1: others.find((segment) => segment.name === 'TQ1'), obr, others };
}

const knownControl = new Set(['NW']);

/** Refuses what is not built, by name: nothing is acknowledged without its effect. */
function checkControl(orc: Segment): void {
  const control = required(orc.get(1), locationOf(orc, 1), 'the order control code (ORC-1)');
  if (knownControl.has(control)) return;
  const shown = /^[A-Z]{2}$/.test(control) ? `order control ${control} (ORC-1)` : 'this order control (ORC-1)';
  throw new SwfError('value-not-found', `${shown} is not supported; supported is NW`, { location: locationOf(orc, 1) });
}

interface TimedField {
  readonly segment: Segment | undefined;
  readonly field: number;
  readonly component: number;
}

/** TQ1-7, ORC-7.4, OBR-27.4, OBR-36: the first that is valued decides; an offset is converted to the site's clock. */
function requestedStart(group: OrderGroup, reading: Reading): RequestedStart | undefined {
  const places: TimedField[] = [
    { segment: group.tq1, field: 7, component: 1 },
    { segment: group.orc, field: 7, component: 4 },
    { segment: group.obr, field: 27, component: 4 },
    { segment: group.obr, field: 36, component: 1 },
  ];
  for (const { segment, field, component } of places) {
    const value = segment && textOf(segment, field, component);
    if (segment === undefined || value === undefined) continue;
    try {
      return siteTimeOf(readTimestamp(value), reading.rules.timeZone);
    } catch {
      const location = locationOf(segment, field, component);
      throw new SwfError('data-type', `the requested start (${segment.name}-${field}) is not a time stamp`, {
        location,
      });
    }
  }
  return undefined;
}

function priorityOf({ tq1, orc, obr }: OrderGroup): string | undefined {
  return (tq1 && textOf(tq1, 9)) ?? textOf(orc, 7, 6) ?? textOf(obr, 27, 6) ?? textOf(obr, 5);
}

/** OBR-4 by the sender's rule: its first triplet, or its second for a sender that puts local codes first. */
function serviceOf(obr: Segment, reading: Reading): Cwe {
  const value = cwe(obr, 4);
  const component = reading.rules.serviceCode === 'OBR-4.4' ? 4 : 1;
  required(
    textOf(obr, 4, component),
    locationOf(obr, 4, component),
    `the ordered service (${reading.rules.serviceCode})`,
  );
  bounded(
    textOf(obr, 4, component) ?? '',
    locationOf(obr, 4, component),
    `the ordered service (${reading.rules.serviceCode})`,
  );
  if (!value || component === 1) return value ?? {};
  return defined<Cwe>({ code: value.alternateCode, meaning: value.alternateMeaning, scheme: value.alternateScheme });
}

function stationsOf(group: OrderGroup, reading: Reading): string[] | undefined {
  const place = reading.rules.station === undefined ? undefined : parsePlace(reading.rules.station);
  const segment = place && [group.orc, ...group.others].find((other) => other.name === place.segment);
  const station = place && segment && textOf(segment, place.field, place.component);
  if (!station) return undefined;
  if (!/^[\x20-\x5b\x5d-\x7e]{1,16}$/.test(station)) {
    reading.remarks.push(`${reading.rules.station} is not an AE title and is not used`);
    return undefined;
  }
  return [station];
}

/** An OBX by the text of its identifier and its unit, converted to what DICOM wants (kg, m). */
function measurement(group: OrderGroup, name: string, units: Readonly<Record<string, number>>): string | undefined {
  for (const obx of group.others) {
    if (obx.name !== 'OBX' || textOf(obx, 3, 2)?.toLowerCase() !== name) continue;
    const factor = units[textOf(obx, 6)?.toLowerCase() ?? ''];
    const value = Number(textOf(obx, 5));
    if (factor !== undefined && Number.isFinite(value) && value > 0)
      return String(Number((value * factor).toPrecision(6)));
  }
  return undefined;
}

function accessionOf(group: OrderGroup): string | undefined {
  const ipc = group.others.find((segment) => segment.name === 'IPC');
  return textOf(group.obr, 18) ?? (ipc && textOf(ipc, 1));
}

function checkNumbers({ orc, obr }: OrderGroup, reading: Reading): void {
  const other = textOf(obr, 2);
  expected(reading, other !== undefined, locationOf(obr, 2), 'the placer order number (OBR-2)');
  if (other !== undefined && other !== orc.get(2)) reading.remarks.push('OBR-2 differs from ORC-2, which is used');
}

/** What a conformant placer fills (RAD TF-2 4.2-3); where no structure is named, in both. */
const requiredOfPlacer: readonly {
  name: string;
  field: number;
  segment: 'orc' | 'obr' | 'tq1';
  structure?: 'ORM' | 'OMG';
}[] = [
  { name: 'the quantity and timing (ORC-7)', field: 7, segment: 'orc', structure: 'ORM' },
  { name: 'the requested start (TQ1-7)', field: 7, segment: 'tq1', structure: 'OMG' },
  { name: 'the transaction time (ORC-9)', field: 9, segment: 'orc' },
  { name: 'the ordering provider (ORC-12)', field: 12, segment: 'orc' },
  { name: 'the entering organisation (ORC-17)', field: 17, segment: 'orc' },
  { name: 'the ordering provider (OBR-16)', field: 16, segment: 'obr' },
  { name: 'the quantity and timing (OBR-27)', field: 27, segment: 'obr', structure: 'ORM' },
];

function checkRequired(group: OrderGroup, reading: Reading): void {
  for (const { name, field, segment, structure } of requiredOfPlacer) {
    if (structure !== undefined && structure !== reading.message.header.messageType) continue;
    const place = group[segment];
    const filled = place !== undefined && componentsOf(place, field) !== undefined;
    expected(reading, filled, locationOf(place ?? segment.toUpperCase(), field), name);
  }
}

function placerOrder(group: OrderGroup, reading: Reading): PlacerOrder {
  const { orc, obr } = group;
  checkControl(orc);
  bounded(
    required(orc.get(2), locationOf(orc, 2), 'the placer order number (ORC-2)'),
    locationOf(orc, 2, 1),
    'the placer order number (ORC-2)',
  );
  bounded(ei(orc, 2)?.namespace ?? '', locationOf(orc, 2, 2), 'the namespace of the placer order number (ORC-2.2)');
  checkNumbers(group, reading);
  checkRequired(group, reading);
  const comments = group.others.filter((segment) => segment.name === 'NTE').map((nte) => nte.whole(3) ?? undefined);
  return defined<PlacerOrder>({
    placerOrderNumber: ei(orc, 2) ?? { id: '' },
    placerGroupNumber: ei(orc, 4),
    quantity: textOf(orc, 7, 1),
    interval: textOf(orc, 7, 2),
    priority: priorityOf(group),
    requestedStart: requestedStart(group, reading),
    transactionTime: textOf(orc, 9),
    enteredBy: xcn(orc, 10),
    orderingProvider: xcn(orc, 12) ?? xcn(obr, 16),
    callBackPhone: textOf(orc, 14),
    effectiveTime: textOf(orc, 15),
    enteringOrganisation: cwe(orc, 17),
    service: serviceOf(obr, reading),
    dangerCode: cwe(obr, 12),
    relevantClinicalInformation: obr.whole(13) ?? undefined,
    specimenSource: componentsOf(obr, 15),
    modality: modalityOf(obr, reading),
    transportationMode: textOf(obr, 30),
    reason: reasonOf(obr),
    transportArranged: textOf(obr, 41),
    procedureCode: cwe(obr, 44),
    placerSupplementalServiceInformation: cwe(obr, 46),
    comments: comments.some((text) => text !== undefined) ? comments.filter((text) => text !== undefined) : undefined,
    bodyWeight: measurement(group, 'body weight', { kg: 1, g: 0.001 }),
    bodyHeight: measurement(group, 'body height', { m: 1, cm: 0.01 }),
    requestedAccessionNumber: accessionOf(group),
    scheduledStationAeTitles: stationsOf(group, reading),
  });
}

function modalityOf(obr: Segment, reading: Reading): string | undefined {
  const modality = textOf(obr, 24)?.toUpperCase();
  if (modality === undefined || /^[A-Z0-9_ ]{1,16}$/.test(modality)) return modality;
  reading.remarks.push('OBR-24 is not a modality code and is not used');
  return undefined;
}

// A reason may come as plain text in the first component.
function reasonOf(obr: Segment): Cwe | undefined {
  const reason = cwe(obr, 31);
  if (!reason || reason.meaning !== undefined || reason.scheme !== undefined || reason.code === undefined)
    return reason;
  return { meaning: obr.whole(31) ?? reason.code };
}

/**
 * RAD-2: every ORC group of an ORM^O01 or OMG^O19 with order control NW (RAD TF-2 4.2).
 * Throws SwfError with the place of what cannot be done without.
 */
export function ordersFromHl7(reading: Reading): PlacerOrder[] {
  const groups = groupsOf(reading);
  for (const [orc] of groups) if (orc) checkControl(orc);
  return groups.map((segments) => placerOrder(orderGroup(segments), reading));
}
