import { type DicomClient, createDicomClient } from '../../src/dicom/client.ts';
import { type Dataset, dataset, items, text } from '../../src/dicom/dataset.ts';
import { type DicomHandlers, type FindRow, startDicomServer } from '../../src/dicom/server.ts';
import { sopClass } from '../../src/dicom/status.ts';
import { buildAck } from '../../src/hl7/ack.ts';
import { type SegmentValues, encodeMessage, mshSegment } from '../../src/hl7/encode.ts';
import { type Hl7Message, parseMessage } from '../../src/hl7/message.ts';
import { createMllpClient } from '../../src/hl7/mllp-client.ts';
import { startMllpServer } from '../../src/hl7/mllp-server.ts';

/** What a test wants to go wrong in the double. */
export interface Faults {
  /** RAD-4 is sent this often; 1 is right. */
  readonly announcements?: number;
  /** RAD-48 is sent this often; 0 is right too. */
  readonly appointments?: number;
  /** OBR-24 of RAD-4. */
  readonly modality?: string;
  /** MSA-1 of every answer. */
  readonly acknowledgement?: 'AA' | 'AE';
}

export interface OrderFillerDouble {
  readonly hl7Port: number;
  readonly dicomPort: number;
  /** Sends a message of somebody else's to a port, and waits for its answer. */
  tell(port: number, placerOrderNumber: string): Promise<void>;
  stop(): Promise<void>;
}

interface Order {
  readonly message: Hl7Message;
  readonly number: string;
  mpps?: string;
  mppsStatus?: string;
}

interface MessageType {
  readonly messageType: string;
  readonly triggerEvent: string;
  readonly version: string;
}

const ORM: MessageType = { messageType: 'ORM', triggerEvent: 'O01', version: '2.3.1' };
const SIU: MessageType = { messageType: 'SIU', triggerEvent: 'S12', version: '2.4' };

const relayed = { host: '127.0.0.1', callingAeTitle: 'DOUBLE', calledAeTitle: 'PACS', timeoutMs: 5000 };
const timeouts = { connectTimeoutMs: 5000, answerTimeoutMs: 5000 };
let sent = 0;

/** As much of an Order Filler as the simple case needs: it answers, announces, offers a worklist, takes and relays MPPS. */
export async function startOrderFillerDouble(
  peers: { op: number; im: number; imDicom: number },
  faults: Faults = {},
): Promise<OrderFillerDouble> {
  const orders: Order[] = [];
  const send = async (port: number, segments: readonly SegmentValues[], type: MessageType = ORM): Promise<void> => {
    const client = createMllpClient({ host: '127.0.0.1', port, ...timeouts });
    const msh = mshSegment({ sendingApplication: 'DOUBLE', dateTime: '20260101', ...type, controlId: `D${++sent}` });
    await client.send(encodeMessage([msh, ...segments], { characterSet: '' })).finally(() => client.close());
  };
  const hl7 = await startMllpServer({
    host: '127.0.0.1',
    port: 0,
    limits: { connections: 10, messageBytes: 65_536, idleMs: 60_000 },
    handle: async (bytes) => {
      const message = parseMessage(bytes);
      const code = faults.acknowledgement ?? 'AA';
      if (message.header.messageType === 'ORM' && code === 'AA') {
        const order = { message, number: String(orders.length + 1).padStart(6, '0') };
        orders.push(order);
        for (let n = 0; n < (faults.announcements ?? 1); n++) await send(peers.im, announcement(order, faults));
        for (let n = 0; n < (faults.appointments ?? 0); n++) await send(peers.op, appointment(order), SIU);
      }
      return buildAck(message.header, { code, controlId: `A${++sent}`, now: new Date(), timeZone: 'UTC' });
    },
  });
  const dicom = await startDicomServer({
    host: '127.0.0.1',
    port: 0,
    calledAeTitles: 'any',
    callingAeTitles: 'any',
    limits: { associations: 10, pduBytes: 65_536, messageBytes: 1_048_576, idleMs: 60_000, artimMs: 30_000 },
    handlers: handlersOf(orders, {
      report: (order, orderStatus) => send(peers.op, statusOf(order, orderStatus)),
      manager: createDicomClient({ ...relayed, port: peers.imDicom }),
    }),
  });
  return {
    hl7Port: hl7.port,
    dicomPort: dicom.port,
    tell: (port, placerOrderNumber) => send(port, [['ORC', 'SC', placerOrderNumber, 'F-OTHER', undefined, 'IP']]),
    stop: async () => void (await Promise.all([hl7.stop(), dicom.stop()])),
  };
}

const valueOf = ({ message }: Order, place: string): string | undefined => message.get(place) ?? undefined;

function announcement(order: Order, { modality = 'MR' }: Faults): SegmentValues[] {
  const { number } = order;
  const value = (place: string): string | undefined => valueOf(order, place);
  const gap = (length: number): undefined[] => Array<undefined>(length).fill(undefined);
  const pid: SegmentValues = ['PID', ...gap(2), [value('PID-3.1')], undefined, [value('PID-5.1'), value('PID-5.2')]];
  const timing = [...gap(3), value('ORC-7.4')];
  return [
    pid,
    ['ORC', 'NW', value('ORC-2.1'), `F${number}`, undefined, 'SC', undefined, timing],
    [
      'OBR',
      '1',
      value('ORC-2.1'),
      `F${number}`,
      ['MRHEAD'],
      ...gap(13),
      `A${number}`,
      `R${number}`,
      `S${number}`,
      ...gap(3),
      modality,
    ],
    ['ZDS', [`2.25.1${number}`, '100', 'Application', 'DICOM']],
  ];
}

const statusOf = (order: Order, orderStatus: string): SegmentValues[] => [
  ['ORC', 'SC', valueOf(order, 'ORC-2.1'), `F${order.number}`, undefined, orderStatus],
];

const appointment = (order: Order): SegmentValues[] => [
  ['SCH', ...Array<undefined>(25).fill(undefined), valueOf(order, 'ORC-2.1'), `F${order.number}`],
];

function worklistItem(order: Order): Dataset {
  const { number } = order;
  return dataset({
    PatientName: `${valueOf(order, 'PID-5.1')}^${valueOf(order, 'PID-5.2')}`,
    PatientID: valueOf(order, 'PID-3.1'),
    PatientBirthDate: valueOf(order, 'PID-7'),
    PatientSex: valueOf(order, 'PID-8'),
    AccessionNumber: `A${number}`,
    StudyInstanceUID: `2.25.1${number}`,
    RequestedProcedureID: `R${number}`,
    ScheduledProcedureStepSequence: [
      {
        Modality: 'MR',
        ScheduledProcedureStepID: `S${number}`,
        ScheduledProcedureStepStartDate: valueOf(order, 'ORC-7.4')?.slice(0, 8),
        ScheduledProcedureStepStartTime: valueOf(order, 'ORC-7.4')?.slice(8),
      },
    ],
  });
}

interface Told {
  readonly report: (order: Order, orderStatus: string) => Promise<void>;
  readonly manager: DicomClient;
}

function handlersOf(orders: readonly Order[], { report, manager }: Told): DicomHandlers {
  const mppsClass = sopClass.modalityPerformedProcedureStep;
  const ofMpps = (uid: string | undefined): Order | undefined => orders.find((order) => order.mpps === uid);
  return {
    find: async function* (identifier): AsyncGenerator<FindRow, undefined> {
      const open = orders.filter((order) => order.mppsStatus !== 'COMPLETED');
      const asked = open.filter((order) => valueOf(order, 'PID-3.1') === text(identifier, 'PatientID'));
      for (const order of asked) yield { status: 0xff00, dataset: worklistItem(order) };
    },
    nCreate: async ({ dataset: mpps, sopInstanceUid, raw, transferSyntaxUid }) => {
      const [scheduled] = items(mpps, 'ScheduledStepAttributesSequence');
      if (!scheduled) return { status: 0x0000 };
      if (ofMpps(sopInstanceUid)) return { status: 0x0111 };
      const number = text(scheduled, 'AccessionNumber')?.slice(1);
      const order = orders.find((one) => one.number === number);
      if (!order || sopInstanceUid === undefined) return { status: 0x0110 };
      Object.assign(order, { mpps: sopInstanceUid, mppsStatus: 'IN PROGRESS' });
      await manager.nCreate(mppsClass, sopInstanceUid, { raw, transferSyntaxUid });
      await report(order, 'IP');
      return { status: 0x0000 };
    },
    nSet: async ({ dataset: mpps, sopInstanceUid, raw, transferSyntaxUid }) => {
      const order = ofMpps(sopInstanceUid);
      if (!order || sopInstanceUid === undefined) return { status: 0x0112 };
      if (order.mppsStatus === 'COMPLETED') return { status: 0x0110 };
      Object.assign(order, { mppsStatus: text(mpps, 'PerformedProcedureStepStatus') ?? order.mppsStatus });
      await manager.nSet(mppsClass, sopInstanceUid, { raw, transferSyntaxUid });
      await report(order, 'CM');
      return { status: 0x0000 };
    },
  };
}
