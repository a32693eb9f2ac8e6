import type { Hl7Header } from '../hl7/message.ts';
import type { SenderRules } from '../mapping/reader.ts';
import { SwfError } from '../platform/errors.ts';
import type { Department } from './department.ts';

/** Versions whose structure and content a department can read: those of SWF and SWF.b and everything newer. */
const versions = new Set(['2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.7.1', '2.8', '2.8.1', '2.8.2', '2.9']);
const processingIds = new Set(['', 'P', 'T', 'D']);

export type Sender = Department['config']['senders'][number];

/** The site's rule for a sender; the first that matches. */
export function senderOf(department: Department, header: Hl7Header): Sender | undefined {
  return department.config.senders.find(
    ({ match }) =>
      (match.application === undefined || match.application === header.sendingApplication) &&
      (match.facility === undefined || match.facility === header.sendingFacility),
  );
}

/** How a sender's messages are read. */
export function rulesOf(department: Department, header: Hl7Header, sender: Sender | undefined): SenderRules {
  return {
    assigningAuthority: sender?.assigningAuthority ?? (header.sendingFacility || header.sendingApplication),
    station: sender?.station,
    serviceCode: sender?.serviceCode ?? 'OBR-4.1',
    timeZone: department.config.organisation.timeZone,
    validation: department.config.policy.validation,
  };
}

function requireHeader(value: string, location: string, what: string): void {
  if (value === '') throw new SwfError('required-field-missing', `${what} is empty`, { location });
}

/** MSH before anything else is read: type, event, control id, processing id, version, receiver (ITI TF-2 Appendix C). */
export function checkHeader(department: Department, header: Hl7Header): void {
  requireHeader(header.messageType, 'MSH^1^9^1^1', 'the message type (MSH-9.1)');
  requireHeader(header.controlId, 'MSH^1^10', 'the message control id (MSH-10)');
  requireHeader(header.version, 'MSH^1^12', 'the version (MSH-12)');
  if (!processingIds.has(header.processingId)) {
    throw new SwfError('unsupported-processing-id', 'the processing id (MSH-11) is P, T or D', {
      location: 'MSH^1^11',
    });
  }
  if (!versions.has(header.version)) {
    throw new SwfError('unsupported-version', 'the version (MSH-12) is not supported; supported is 2.3.1 and later', {
      location: 'MSH^1^12',
    });
  }
  if (department.config.policy.receiver === 'ours') checkReceiver(department, header);
}

function checkReceiver(department: Department, header: Hl7Header): void {
  const { application, facility } = department.config.organisation;
  requireHeader(header.receivingApplication, 'MSH^1^5', 'the receiving application (MSH-5)');
  requireHeader(header.receivingFacility, 'MSH^1^6', 'the receiving facility (MSH-6)');
  if (header.receivingApplication !== application)
    throw new SwfError('value-not-found', 'the message is for another application (MSH-5)', { location: 'MSH^1^5' });
  if (header.receivingFacility !== facility)
    throw new SwfError('value-not-found', 'the message is for another facility (MSH-6)', { location: 'MSH^1^6' });
}

/** The transaction that MSH-9 picks. Throws 'unsupported-event' or 'unsupported-message-type' (HL7 201, 200). */
export function transactionFor<T extends { readonly accepts: readonly string[] }>(
  transactions: readonly T[],
  header: Hl7Header,
): T {
  const found = transactions.find(({ accepts }) => accepts.includes(`${header.messageType}^${header.triggerEvent}`));
  if (found) return found;
  const typeKnown = transactions.some(({ accepts }) =>
    accepts.some((type) => type.startsWith(`${header.messageType}^`)),
  );
  if (typeKnown)
    throw new SwfError('unsupported-event', 'this event (MSH-9.2) is not supported', { location: 'MSH^1^9^1^2' });
  throw new SwfError('unsupported-message-type', 'this message type (MSH-9.1) is not supported', {
    location: 'MSH^1^9^1^1',
  });
}
