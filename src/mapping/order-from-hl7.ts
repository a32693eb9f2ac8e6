import type { Group } from '../hl7/grammar.ts';
import type { Segment } from '../hl7/message.ts';
import { SwfError } from '../platform/errors.ts';
import { type OrderAction, orderControls } from '../workflow/order-control.ts';
import type { OrderRequest } from '../workflow/statements.ts';
import type { EntityIdentifier, OrderedService, PlacerOrder } from '../workflow/vocabulary.ts';
import { numberFromHl7 } from './identifiers-from-hl7.ts';
import {
  type OrderContent,
  type OrderSegments,
  differingFields,
  orderContentFromHl7,
  serviceContentFromHl7,
} from './order-content-from-hl7.ts';
import { type ServiceSegments, orderedServiceFromHl7 } from './ordered-service-from-hl7.ts';
import { type Reading, bounded, componentsOf, defined, expected, locationOf, required, textOf } from './reader.ts';
import { stationsFromHl7 } from './station-from-hl7.ts';
import { type Runs, groupsFromHl7, runsOf, segmentsIn } from './structure-from-hl7.ts';

/** One ORC group while it is read. */
interface OrderGroup extends OrderSegments {
  readonly orderControl: string;
  /** Never empty: without an OBR one that names no service. */
  readonly requests: readonly ServiceSegments[];
  readonly runs: Runs;
}

const actionOf = (orderControl: string): OrderAction | undefined =>
  Object.hasOwn(orderControls, orderControl) ? orderControls[orderControl]?.action : undefined;

/** NW, PA, CH, RO: an order that is not there yet, and so has to say what it orders. */
function isNew(orderControl: string): boolean {
  const action = actionOf(orderControl);
  return action === 'create' || action === 'createParent';
}

/** XO, XX: what it does not say stays, and what it says must be readable. */
const isChange = (orderControl: string): boolean => actionOf(orderControl) === 'change';

function orderGroup(group: Group, runs: Runs): OrderGroup | undefined {
  const ORC = group.first('ORC');
  if (!ORC) return undefined;
  const all = segmentsIn(group);
  const requests = group.groupsOf('OBSERVATION_REQUEST').map((request) => {
    const segments = segmentsIn(request);
    const named = (name: string): Segment[] => segments.filter((segment) => segment.name === name);
    return { obr: named('OBR')[0], ipcs: named('IPC') };
  });
  return {
    ORC,
    TQ1: all.find((segment) => segment.name === 'TQ1'),
    OBR: requests[0]?.obr,
    all,
    orderControl: required(ORC.get(1), locationOf(ORC, 1), 'the order control code (ORC-1)'),
    requests: requests.length > 0 ? requests : [{ obr: undefined, ipcs: [] }],
    runs,
  };
}

function placerOrderNumberOf({ ORC }: OrderGroup): EntityIdentifier {
  const what = 'the placer order number';
  const number = numberFromHl7(ORC, 2, what);
  return number ?? { id: required(undefined, locationOf(ORC, 2), `${what} (ORC-2)`) };
}

function checkNumbers(group: OrderGroup, obr: Segment, reading: Reading): void {
  const other = textOf(obr, 2);
  if (isNew(group.orderControl))
    expected(reading, other !== undefined, locationOf(obr, 2), 'the placer order number (OBR-2)');
  if (other !== undefined && other !== group.ORC.get(2))
    reading.remarks.push('OBR-2 differs from ORC-2, which is used');
}

/** An order has one reason, one start and the like, those of its first OBR: what another OBR says is not passed over unseen. */
function checkFurther({ OBR, requests }: OrderGroup, reading: Reading): void {
  for (const { obr } of requests.slice(1)) {
    const fields = OBR && obr ? differingFields(OBR, obr) : [];
    if (fields.length > 0 && obr)
      reading.remarks.push(
        `OBR^${obr.sequence} differs from the first OBR of its order, which is used: ${fields.join(', ')}`,
      );
  }
}

/** What a conformant placer fills in a new order (RAD TF-2 4.2-3); where no message type is named, in all. */
const requiredOfPlacer: readonly {
  name: string;
  field: number;
  segment: 'ORC' | 'OBR' | 'TQ1';
  types?: readonly string[];
}[] = [
  { name: 'the quantity and timing (ORC-7)', field: 7, segment: 'ORC', types: ['ORM'] },
  { name: 'the requested start (TQ1-7)', field: 7, segment: 'TQ1', types: ['OMG', 'OMI'] },
  { name: 'the transaction time (ORC-9)', field: 9, segment: 'ORC' },
  { name: 'the ordering provider (ORC-12)', field: 12, segment: 'ORC' },
  { name: 'the entering organisation (ORC-17)', field: 17, segment: 'ORC' },
  { name: 'the ordering provider (OBR-16)', field: 16, segment: 'OBR' },
  { name: 'the quantity and timing (OBR-27)', field: 27, segment: 'OBR', types: ['ORM'] },
];

function checkRequired(group: OrderGroup, reading: Reading): void {
  for (const { name, field, segment, types } of requiredOfPlacer) {
    if (types && !types.includes(reading.message.header.messageType)) continue;
    const obrs = group.requests.map(({ obr }) => obr);
    for (const place of segment === 'OBR' ? obrs : [group[segment]]) {
      const filled = place !== undefined && componentsOf(place, field) !== undefined;
      expected(reading, filled, locationOf(place ?? segment, field), name);
    }
  }
}

/** The station for one OBR: named behind it, else behind its ORC, else before all orders; null where it is cleared. */
function stationsOf(
  { ORC, runs }: OrderGroup,
  { obr }: ServiceSegments,
  reading: Reading,
): string[] | null | undefined {
  return stationsFromHl7(reading, [...(obr ? [runs.from(obr)] : []), runs.from(ORC), runs.head]);
}

/** ORC-8 of a child order; senders that shift fields write other things there, and other orders have no parent. */
function parentOf(
  { ORC, orderControl }: OrderGroup,
  parent: EntityIdentifier | undefined,
  reading: Reading,
): EntityIdentifier | undefined {
  const what = 'the placer order number of the parent (ORC-8.1)';
  if (orderControl === 'CH') {
    expected(reading, parent !== undefined, locationOf(ORC, 8, 1), what);
    bounded(parent?.id ?? '', locationOf(ORC, 8, 1), what);
    return parent;
  }
  if (parent) reading.remarks.push(`${what} is used in a child order (ORC-1 CH) only`);
  return undefined;
}

interface OrderRead {
  readonly order: PlacerOrder | undefined;
  readonly cleared: OrderContent['cleared'];
}

/** The first OBR is the order itself; what further OBR under the same ORC order comes with it. */
function orderOf(group: OrderGroup, placerOrderNumber: EntityIdentifier, reading: Reading): OrderRead {
  const { requests, orderControl } = group;
  for (const { obr } of requests) if (obr) checkNumbers(group, obr, reading);
  checkFurther(group, reading);
  if (isNew(orderControl)) checkRequired(group, reading);
  const { values, cleared } = orderContentFromHl7(group, reading);
  const parent = parentOf(group, values.parent, reading);
  const needed = isNew(orderControl) ? 'service needed' : 'service optional';
  const stations = requests.map((request) => stationsOf(group, request, reading));
  const [first = { service: {} }, ...further] = requests.map((request, index) =>
    defined<OrderedService>({
      ...orderedServiceFromHl7(request, reading, needed),
      // The first OBR's are read with the order, from which a change can also clear them.
      ...(index > 0 && request.obr ? serviceContentFromHl7(request.obr) : {}),
      scheduledStationAeTitles: stations[index] ?? undefined,
    }),
  );
  const furtherServices = further.length > 0 ? further : undefined;
  const order = defined<PlacerOrder>({ ...values, ...first, parent, placerOrderNumber, furtherServices });
  return { order, cleared: stations[0] === null ? [...cleared, 'scheduledStationAeTitles'] : cleared };
}

/** A cancel, a hold or a status query needs no more than its order number: what else it says must not stop it. */
function readOrder(group: OrderGroup, placerOrderNumber: EntityIdentifier, reading: Reading): OrderRead {
  const { ORC, OBR, orderControl } = group;
  if (isNew(orderControl) && !OBR)
    throw new SwfError('segment-sequence', 'an ORC has no OBR', { location: `OBR^${ORC.sequence}` });
  if (isNew(orderControl) || isChange(orderControl)) return orderOf(group, placerOrderNumber, reading);
  if (!OBR) return { order: undefined, cleared: [] };
  try {
    return orderOf(group, placerOrderNumber, reading);
  } catch (thrown) {
    if (!(thrown instanceof SwfError)) throw thrown;
    reading.remarks.push(`${thrown.message} (${thrown.place.location ?? 'OBR'}); only the order number is used`);
    return { order: undefined, cleared: [] };
  }
}

function orderRequest(group: OrderGroup, reading: Reading): OrderRequest {
  const { ORC, OBR, orderControl } = group;
  const placerOrderNumber = placerOrderNumberOf(group);
  const what = 'the filler order number';
  return {
    orderControl,
    orderStatus: textOf(ORC, 5),
    placerOrderNumber,
    fillerOrderNumber: numberFromHl7(ORC, 3, what) ?? numberFromHl7(OBR, 3, what),
    ...readOrder(group, placerOrderNumber, reading),
    sequence: ORC.sequence,
  };
}

/**
 * RAD-2: every ORC group of an ORM^O01, OMG^O19 or OMI^O23, whatever its order control asks (RAD TF-2 4.2).
 * Throws SwfError with the place of what cannot be done without: ORC-1, ORC-2, and in a new order its OBR and OBR-4.
 */
export function orderRequestsFromHl7(reading: Reading): OrderRequest[] {
  const root = groupsFromHl7(reading);
  const runs = runsOf(reading.message);
  const groups = root.groupsOf('ORDER').flatMap((group) => orderGroup(group, runs) ?? []);
  return groups.map((group) => orderRequest(group, reading));
}
