import { once } from 'node:events';
import { connect } from 'node:net';
import { createDeframer, frame } from '../../src/hl7/mllp.ts';

/** HL7 v2.3.1 as SWF speaks it, v2.5.1 as SWF.b does. */
export type Version = '2.3.1' | '2.5.1';

/** MSH, as far as a test cares. */
export interface Envelope {
  readonly version?: string;
  readonly application?: string;
  readonly facility?: string;
  readonly receivingApplication?: string;
  readonly receivingFacility?: string;
  readonly controlId?: string;
  readonly processingId?: string;
  /** MSH-7 */
  readonly time?: string;
}

/** PID, field texts as on the wire. */
export interface PatientFields {
  /** PID-3, with its repetitions. */
  readonly identifier?: string;
  /** PID-5 */
  readonly name?: string;
  readonly birthDate?: string;
  readonly sex?: string;
  readonly address?: string;
}

/** One ORC group, field texts as on the wire. */
export interface OrderFields {
  readonly control?: string;
  readonly placerOrderNumber?: string;
  /** ORC-3 */
  readonly fillerOrderNumber?: string;
  /** ORC-5 */
  readonly orderStatus?: string;
  /** ORC-8 */
  readonly parent?: string;
  /** The group is an ORC alone. */
  readonly withoutService?: boolean;
  /** OBR-13 */
  readonly clinicalInformation?: string;
  /** OBR-31 */
  readonly reason?: string;
  /** OBR-4 */
  readonly service?: string;
  /** TQ1-7 (SWF.b) */
  readonly tq1Start?: string;
  /** ORC-7.4 */
  readonly orcStart?: string;
  /** OBR-27.4 */
  readonly obrStart?: string;
  /** OBR-36 */
  readonly obr36?: string;
  /** OBR-18 */
  readonly accessionNumber?: string;
  /** OBR-24 */
  readonly modality?: string;
}

let counted = 0;

/** A number that no other message, patient or order of this test file has. */
export const serial = (): string => String(++counted).padStart(5, '0');

/** A segment from its fields by number; what is not given is empty. */
export function segment(name: string, fields: Readonly<Record<number, string | undefined>>): string {
  const last = Math.max(0, ...Object.keys(fields).map(Number));
  return [name, ...Array.from({ length: last }, (_, index) => fields[index + 1] ?? '')].join('|');
}

export function msh(type: string, envelope: Envelope = {}): string {
  const { application = 'HIS', facility = 'CLINIC', receivingApplication = 'SWF_OF' } = envelope;
  const { receivingFacility = 'RADIOLOGY', time = '20260105080000', controlId = `T${serial()}` } = envelope;
  const { processingId = 'P', version = '2.3.1' } = envelope;
  return `MSH|^~\\&|${application}|${facility}|${receivingApplication}|${receivingFacility}|${time}||${type}|${controlId}|${processingId}|${version}`;
}

export function pid(patient: PatientFields = {}): string {
  return segment('PID', {
    1: '1',
    3: patient.identifier ?? `P${serial()}^^^CLINIC`,
    5: patient.name ?? 'Lindqvist^Maja',
    7: patient.birthDate ?? '19790412',
    8: patient.sex ?? 'F',
    11: patient.address,
  });
}

/** PV1 of an outpatient. */
export const pv1 = (visit = 'V1'): string =>
  segment('PV1', { 2: 'O', 8: '8811^REFERRER^RUTH', 19: `${visit}^^^CLINIC` });

/** A message from its segments. */
export const messageOf = (...segments: string[]): string => segments.map((one) => `${one}\r`).join('');

/** RAD-1: ADT^A01, A04 or A05, in either version. */
export function adt(event: string, patient: PatientFields = {}, envelope: Envelope = {}): string {
  const structure = envelope.version === '2.5.1' && event === 'A05' ? 'ADT_A05' : 'ADT_A01';
  const type = `ADT^${event}^${structure}`;
  return messageOf(msh(type, envelope), segment('EVN', { 1: event, 2: '20260105080000' }), pid(patient), pv1());
}

function orc(order: OrderFields): string {
  const quantity = order.orcStart === undefined ? undefined : `1^once^^${order.orcStart}^^R`;
  const provider = '4711^ORDERER^OLE';
  const organisation = 'NEURO^Neurology^TESTPLAN';
  return segment('ORC', {
    1: order.control ?? 'NW',
    2: order.placerOrderNumber ?? `O${serial()}^HIS`,
    3: order.fillerOrderNumber,
    5: order.orderStatus,
    7: quantity,
    8: order.parent,
    9: '20260105080000',
    12: provider,
    17: organisation,
  });
}

function obr(order: OrderFields): string {
  return segment('OBR', {
    1: '1',
    2: order.placerOrderNumber,
    4: order.service ?? 'WRIST^Wrist in two planes^TESTPLAN',
    13: order.clinicalInformation,
    16: '4711^ORDERER^OLE',
    18: order.accessionNumber,
    24: order.modality,
    27: order.obrStart === undefined ? undefined : `1^once^^${order.obrStart}^^R`,
    31: order.reason,
    36: order.obr36,
  });
}

function group(order: OrderFields, version: Version): string[] {
  const numbered = { ...order, placerOrderNumber: order.placerOrderNumber ?? `O${serial()}^HIS` };
  const tq1 = order.tq1Start === undefined ? [] : [segment('TQ1', { 1: '1', 7: order.tq1Start, 9: 'R' })];
  const service = order.withoutService ? [] : [obr(numbered)];
  return [orc(numbered), ...(version === '2.5.1' ? tq1 : []), ...service];
}

/** RAD-2 of SWF: ORM^O01, one ORC group for each order. */
export function orm(orders: readonly OrderFields[], patient: PatientFields = {}, envelope: Envelope = {}): string {
  const groups = orders.flatMap((order) => group(order, '2.3.1'));
  return messageOf(msh('ORM^O01^ORM_O01', envelope), pid(patient), pv1(), ...groups);
}

/** RAD-2 of SWF.b: OMG^O19. */
export function omg(orders: readonly OrderFields[], patient: PatientFields = {}, envelope: Envelope = {}): string {
  const groups = orders.flatMap((order) => group(order, '2.5.1'));
  return messageOf(msh('OMG^O19^OMG_O19', { version: '2.5.1', ...envelope }), pid(patient), pv1(), ...groups);
}

/** RAD-2 as OMI^O23, which some placers of SWF.b send. */
export function omi(orders: readonly OrderFields[], patient: PatientFields = {}, envelope: Envelope = {}): string {
  const groups = orders.flatMap((order) => group(order, '2.5.1'));
  return messageOf(msh('OMI^O23^OMI_O23', { version: '2.5.1', ...envelope }), pid(patient), pv1(), ...groups);
}

/** ORC of a placer's reply to our SN. */
export interface ReplyFields {
  /** NA or UA. */
  readonly control?: string;
  readonly placerOrderNumber?: string;
  readonly fillerOrderNumber?: string;
  /** MSA-1 */
  readonly code?: string;
  /** MSA-2 */
  readonly acknowledges?: string;
}

/** RAD-3, the placer's reply to our SN: ORR^O02 of v2.3.1, ORG^O20 of v2.5.1; without an order control it has no ORC. */
export function orderReply(reply: ReplyFields, version: Version = '2.3.1', envelope: Envelope = {}): string {
  const type = version === '2.5.1' ? 'ORG^O20^ORG_O20' : 'ORR^O02';
  const { control, placerOrderNumber, fillerOrderNumber, code = 'AA', acknowledges = 'UNKNOWN' } = reply;
  const order =
    control === undefined ? [] : [segment('ORC', { 1: control, 2: placerOrderNumber, 3: fillerOrderNumber })];
  return messageOf(msh(type, { version, ...envelope }), segment('MSA', { 1: code, 2: acknowledges }), ...order);
}

/** One field of a message, as it stands on the wire: `MSA-2`, `OBR-4` of the nth segment of that name. */
export function field(message: string, segmentName: string, number: number, nth = 1): string {
  const lines = message.split('\r').filter((line) => line.startsWith(`${segmentName}|`));
  const fields = (lines[nth - 1] ?? '').split('|');
  return (segmentName === 'MSH' ? fields[number - 1] : fields[number]) ?? '';
}

/** An acknowledgement as it stands on the wire. */
export interface Answer {
  readonly raw: string;
  /** MSA-1 */
  readonly code: string;
  /** MSA-2 */
  readonly controlId: string;
  /** Table 0357: ERR-3.1 of v2.5.1, ERR-1.4 of v2.3.1; empty without ERR. */
  readonly error: string;
  /** ERR-2 of v2.5.1, ERR-1.1 to ERR-1.3 of v2.3.1. */
  readonly location: string;
  /** ERR-8 of v2.5.1, MSA-3 of v2.3.1. */
  readonly text: string;
}

export function readAnswer(raw: string): Answer {
  const [code = ''] = field(raw, 'ERR', 3).split('^');
  const old = field(raw, 'ERR', 1).split('^');
  return {
    raw,
    code: field(raw, 'MSA', 1),
    controlId: field(raw, 'MSA', 2),
    error: code || (old[3] ?? ''),
    location: field(raw, 'ERR', 2) || old.slice(0, 3).join('^'),
    text: field(raw, 'ERR', 8) || field(raw, 'MSA', 3),
  };
}

/** A connection to the server's HL7 port that sends what the test wants and hands over whole answers. */
export interface Sender {
  /** Sends one message in its frame and waits for one answer. */
  send(message: string, encoding?: BufferEncoding): Promise<Answer>;
  write(bytes: Uint8Array): void;
  /** The next answer, or undefined when the connection has ended without one. */
  next(): Promise<Answer | undefined>;
  readonly closed: Promise<void>;
  end(): void;
}

export const framed = (message: string, encoding: BufferEncoding = 'utf8'): Buffer =>
  Buffer.from(frame(Buffer.from(message, encoding)));

const ANSWER_WITHIN_MS = 20_000;

/** Opens a connection to the HL7 port. */
export async function connectSender(port: number): Promise<Sender> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('error', () => undefined);
  const answers: string[] = [];
  let ended = false;
  let wake = (): void => undefined;
  const deframer = createDeframer({ messageBytes: 1 << 24 });
  socket.on('data', (chunk: Buffer) => {
    for (const event of deframer.push(chunk))
      if (event.kind === 'frame') answers.push(Buffer.from(event.message).toString('utf8'));
    wake();
  });
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      ended = true;
      wake();
      resolve();
    }),
  );
  await once(socket, 'connect');
  const next = async (): Promise<Answer | undefined> => {
    const timer = setTimeout(() => socket.destroy(), ANSWER_WITHIN_MS);
    while (answers.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
    clearTimeout(timer);
    const raw = answers.shift();
    return raw === undefined ? undefined : readAnswer(raw);
  };
  return {
    next,
    closed,
    write: (bytes) => void socket.write(bytes),
    send: async (message, encoding) => {
      socket.write(framed(message, encoding));
      const answer = await next();
      if (!answer) throw new Error('the connection ended without an answer');
      return answer;
    },
    end: () => void socket.destroy(),
  };
}
