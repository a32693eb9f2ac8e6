import type { optionalOrderControls } from '../platform/config-schema.ts';
import { SwfError } from '../platform/errors.ts';

/** What an order placer's order control code asks the department to do. */
export type OrderAction =
  | 'create'
  | 'createParent'
  | 'reply'
  | 'cancel'
  | 'discontinue'
  | 'change'
  | 'replace'
  | 'hold'
  | 'release'
  | 'tellStatus';

interface OrderControlRow {
  readonly action: OrderAction;
  /** ORC-5 values that may stand beside it; '' is an empty field. */
  readonly orderStatuses: readonly string[];
  /** Only where the site allows it to a sender (`senders[].orderControls`); the others are IHE's own (RAD TF-2 4.2). */
  readonly option?: OptionalOrderControl;
  readonly meaning: string;
}

export type OptionalOrderControl = (typeof optionalOrderControls)[number];

/** ORC-1 (HL7 table 0119) by ORC-5 (table 0038), for what an order placer sends: one row for each code that means something. */
export const orderControls: Readonly<Record<string, OrderControlRow>> = {
  NW: { action: 'create', orderStatuses: ['', 'SC', 'IP'], meaning: 'new order' },
  PA: { action: 'createParent', orderStatuses: ['', 'SC', 'IP'], meaning: 'parent order' },
  CH: { action: 'create', orderStatuses: ['', 'SC', 'IP'], meaning: 'child order' },
  NA: { action: 'reply', orderStatuses: ['', 'SC', 'IP', 'CM'], meaning: 'number assigned, in reply to SN' },
  UA: { action: 'reply', orderStatuses: ['', 'CA'], meaning: 'unable to accept, in reply to SN' },
  CA: { action: 'cancel', orderStatuses: ['', 'CA', 'SC'], meaning: 'cancel' },
  DC: { action: 'discontinue', orderStatuses: ['', 'DC', 'CA', 'SC', 'IP'], meaning: 'discontinue' },
  XO: { action: 'change', orderStatuses: ['', 'SC', 'IP', 'CM'], option: 'XO', meaning: 'change' },
  XX: { action: 'change', orderStatuses: ['', 'SC', 'IP', 'CM'], option: 'XO', meaning: 'changed, unsolicited' },
  RP: { action: 'replace', orderStatuses: ['', 'RP', 'CA', 'SC'], option: 'RP', meaning: 'replace this order' },
  RO: { action: 'create', orderStatuses: ['', 'SC', 'IP'], option: 'RP', meaning: 'replacement order' },
  HD: { action: 'hold', orderStatuses: ['', 'HD', 'SC'], option: 'HD', meaning: 'hold' },
  RL: { action: 'release', orderStatuses: ['', 'SC', 'IP', 'HD'], option: 'RL', meaning: 'release' },
  SS: { action: 'tellStatus', orderStatuses: [''], option: 'SS', meaning: 'status query' },
};

// Only what looks like a code of the table may be shown: an error never quotes content.
const shown = (code: string): string =>
  /^[A-Z]{2}$/.test(code) || code === 'A' ? code : code === '' ? '(empty)' : '?';

/** What a pair of ORC-1 and ORC-5 asks for. Throws 'value-not-found' (HL7 103), naming the pair, where no row fits. */
export function orderActionOf(
  request: { readonly orderControl: string; readonly orderStatus: string | undefined; readonly sequence: number },
  allowed: readonly OptionalOrderControl[],
): OrderAction {
  const { orderControl, orderStatus = '', sequence } = request;
  const row = Object.hasOwn(orderControls, orderControl) ? orderControls[orderControl] : undefined;
  // MSA-3 of v2.3.1 has 80 characters: what to do comes within them.
  const pair = `order control/status ${shown(orderControl)}/${shown(orderStatus)}`;
  if (row?.option !== undefined && !allowed.includes(row.option)) {
    throw new SwfError('value-not-found', `${pair} is not allowed; see senders[].orderControls`, {
      location: `ORC^${sequence}^1`,
    });
  }
  if (!row || !row.orderStatuses.includes(orderStatus)) {
    const field = row ? 5 : 1;
    throw new SwfError('value-not-found', `${pair} (ORC-1/ORC-5) means nothing from a placer`, {
      location: `ORC^${sequence}^${field}`,
    });
  }
  return row.action;
}
