import { type AckCode, buildAck } from '../hl7/ack.ts';
import type { Hl7Header } from '../hl7/message.ts';
import type { SwfError } from '../platform/errors.ts';
import type { InboundMessage } from '../store/messages.ts';
import type { OutgoingMessage } from '../store/outbox.ts';
import { type Department, hl7Peers } from './department.ts';
import type { Sender } from './inbound-header.ts';

/** One message with everything needed to answer and to journal it. */
export interface Received {
  readonly header: Hl7Header;
  readonly bytes: Uint8Array;
  readonly at: Date;
  readonly inbound: InboundMessage;
}

/** A message as it came, for the journal. */
export function received(
  department: Department,
  transactions: readonly { readonly id: string; readonly accepts: readonly string[] }[],
  header: Hl7Header,
  bytes: Uint8Array,
): Received {
  const at = department.clock.now();
  const messageType = header.triggerEvent === '' ? header.messageType : `${header.messageType}^${header.triggerEvent}`;
  const inbound: InboundMessage = {
    protocol: 'HL7',
    transaction: transactions.find(({ accepts }) => accepts.includes(messageType))?.id,
    messageType,
    controlId: header.controlId,
    sendingApplication: header.sendingApplication,
    sendingFacility: header.sendingFacility,
    raw: bytes,
    at,
  };
  return { header, bytes, at, inbound };
}

/** What is answered on the sender's connection. */
export interface Acknowledgement {
  readonly answer: Uint8Array;
  /** False in enhanced mode, where MSH-15 wants no answer to this outcome. */
  readonly wanted: boolean;
}

interface Verdict {
  readonly code: 'AA' | 'AE' | 'AR';
  readonly failure?: SwfError;
  readonly sender: Sender | undefined;
}

const enhancedCodes = { AA: 'CA', AE: 'CE', AR: 'CR' } as const satisfies Record<string, AckCode>;

/** Original mode is the rule whatever MSH-15 and MSH-16 say: many senders fill them and wait for AA. */
function isEnhanced(header: Hl7Header, sender: Sender | undefined): boolean {
  if (sender?.acknowledgement !== 'enhanced') return false;
  return header.acceptAcknowledgement !== '' || header.applicationAcknowledgement !== '';
}

/** HL7 table 0155. */
function isWanted(condition: string, code: Verdict['code']): boolean {
  if (condition === 'AL') return true;
  return code === 'AA' ? condition === 'SU' : condition === 'ER';
}

function errorOf(failure: SwfError | undefined) {
  if (!failure) return {};
  const { location } = failure.place;
  const error = { hl7: failure.failure.hl7, text: failure.message, application: failure.code };
  return { error: location === undefined ? error : { ...error, location } };
}

/** The acknowledgement of a message on its connection: AA, AE or AR; CA, CE or CR to a sender in enhanced mode. */
export function acknowledge(department: Department, { header, at }: Received, verdict: Verdict): Acknowledgement {
  const { code, sender, failure } = verdict;
  const enhanced = isEnhanced(header, sender);
  const answer = buildAck(header, {
    code: enhanced ? enhancedCodes[code] : code,
    controlId: department.ids.controlId(),
    now: at,
    timeZone: department.config.organisation.timeZone,
    ...errorOf(failure),
  });
  return { answer, wanted: !enhanced || isWanted(header.acceptAcknowledgement, code) };
}

/**
 * The application acknowledgement of the enhanced mode (MSH-16, HL7 v2.5.1 2.9.3): a message of its own, by the lane of
 * the peer that has the sender's application and facility; a receiver never begins anything on a sender's connection.
 */
export function applicationAcknowledgement(
  department: Department,
  { header, at, inbound }: Received,
  { code, sender, failure }: Verdict,
): OutgoingMessage[] {
  if (!isEnhanced(header, sender) || !isWanted(header.applicationAcknowledgement, code)) return [];
  const peer = hl7Peers(department.config).find(
    ({ hl7 }) => hl7.application === header.sendingApplication && hl7.facility === header.sendingFacility,
  );
  if (!peer) return [];
  const controlId = department.ids.controlId();
  const { timeZone, application, facility } = department.config.organisation;
  const raw = buildAck(header, { code, controlId, now: at, timeZone, asMessage: true, ...errorOf(failure) });
  return [
    {
      destination: peer.name,
      protocol: 'HL7',
      transaction: inbound.transaction ?? '',
      messageType: `ACK^${header.triggerEvent}`,
      controlId,
      sendingApplication: application,
      sendingFacility: facility,
      raw,
      effect: 'acknowledge',
    },
  ];
}
