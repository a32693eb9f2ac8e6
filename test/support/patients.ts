import { type Dataset, dataset, items, text } from '../../src/dicom/dataset.ts';
import { type Envelope, type Version, field, messageOf, msh, segment, serial } from './messages.ts';
import { dicomClient } from './mpps.ts';
import type { PeerEntry, TestServer } from './server.ts';

/** Fields of a segment by number, as on the wire. */
export type Fields = Readonly<Record<number, string>>;

/** An ADT message beyond its event, field texts as on the wire. */
export interface AdtFields {
  /** PID-3 */
  readonly identifier: string;
  /** PID-5 */
  readonly name?: string;
  readonly birthDate?: string;
  /** Further fields of PID. */
  readonly pid?: Fields;
  /** PV1; left out: the message has none. */
  readonly pv1?: Fields;
  /** MRG; left out: the message has none. */
  readonly mrg?: Fields;
  /** EVN-6 */
  readonly occurredAt?: string;
}

/** MSH-9.3 of every event that RAD-1 and RAD-12 know, where it is not ADT_A01 (HL7 v2.5.1 table 0354). */
const structures: Readonly<Record<string, string>> = {
  A02: 'ADT_A02',
  A03: 'ADT_A03',
  A05: 'ADT_A05',
  A06: 'ADT_A06',
  A07: 'ADT_A06',
  A10: 'ADT_A09',
  A11: 'ADT_A09',
  A12: 'ADT_A12',
  A28: 'ADT_A05',
  A31: 'ADT_A05',
  A38: 'ADT_A38',
  A40: 'ADT_A39',
  A47: 'ADT_A30',
};

// v2.3.1 knows neither of them: an A05 is laid out as an A01 there.
const structureOf = (event: string, version: string): string =>
  version === '2.3.1' && structures[event] === 'ADT_A05' ? 'ADT_A01' : (structures[event] ?? 'ADT_A01');

export const PATIENT_NAME = 'Lindqvist^Maja';

function patientSegments({ identifier, name = PATIENT_NAME, birthDate = '19790412', pid, pv1, mrg }: AdtFields) {
  return [
    segment('PID', { 1: '1', 3: identifier, 5: name, 7: birthDate, 8: 'F', ...pid }),
    ...(mrg ? [segment('MRG', mrg)] : []),
    ...(pv1 ? [segment('PV1', { 1: '1', ...pv1 })] : []),
  ];
}

/** An ADT message of any event; A40 takes several groups, each of one patient. */
export function adtEvent(event: string, groups: AdtFields | readonly AdtFields[], envelope: Envelope = {}): string {
  const list = Array.isArray(groups) ? (groups as readonly AdtFields[]) : [groups as AdtFields];
  const occurredAt = list[0]?.occurredAt;
  const evn = segment('EVN', { 1: event, 2: '20260105080000', ...(occurredAt ? { 6: occurredAt } : {}) });
  const type = `ADT^${event}^${structureOf(event, envelope.version ?? '2.3.1')}`;
  return messageOf(msh(type, envelope), evn, ...list.flatMap(patientSegments));
}

/** A40: the patient of MRG-1 goes into the patient of PID-3. */
export const merge = (survivor: string, subsumed: string, name = PATIENT_NAME, envelope: Envelope = {}): string =>
  adtEvent('A40', { identifier: survivor, name, mrg: { 1: subsumed } }, envelope);

/** One RAD-2 order with one ORC/OBR, in the layout of a version. */
export function orderFor(
  identifier: string,
  order: {
    readonly number: string;
    readonly control?: string;
    readonly visit?: string;
    readonly account?: string;
    readonly name?: string;
  },
  version: Version = '2.3.1',
): string {
  const type = version === '2.3.1' ? 'ORM^O01^ORM_O01' : 'OMG^O19^OMG_O19';
  const { number, control = 'NW', visit, account, name = PATIENT_NAME } = order;
  const numbered = account === undefined ? {} : { 18: `${account}^^^CLINIC` };
  return messageOf(
    msh(type, { version }),
    segment('PID', { 1: '1', 3: identifier, 5: name, 7: '19790412', 8: 'F', ...numbered }),
    segment('PV1', { 1: '1', 2: 'I', ...(visit === undefined ? {} : { 19: `${visit}^^^CLINIC` }) }),
    segment('ORC', { 1: control, 2: `${number}^HIS`, 9: '20260105080000' }),
    segment('OBR', { 1: '1', 2: `${number}^HIS`, 4: 'WRIST^Wrist in two planes^TESTPLAN', 36: '20260105093000' }),
  );
}

/** An identifier value that no other patient of this test file has. */
export const newPatient = (): string => `P${serial()}`;

/** A peer that wants every event of the ADT that can be passed on. */
export const wantsEverything = (
  entry: PeerEntry,
): PeerEntry & { readonly sends: { readonly patientUpdates: readonly string[] } } => ({
  ...entry,
  sends: { patientUpdates: ['A02', 'A03', 'A06', 'A07', 'A12', 'A13'] },
});

/** What a worklist query answers for one step, as far as patient and visit go. */
export interface ListedPatient {
  readonly patientId: string | undefined;
  readonly issuer: string | undefined;
  readonly otherIds: readonly (string | undefined)[];
  readonly name: string | undefined;
  readonly admissionId: string | undefined;
  readonly location: string | undefined;
  readonly patientClass: string | undefined;
}

function listed(item: Dataset): ListedPatient {
  return {
    patientId: text(item, 'PatientID'),
    issuer: text(item, 'IssuerOfPatientID'),
    otherIds: items(item, 'OtherPatientIDsSequence').map((other) => text(other, 'PatientID')),
    name: text(item, 'PatientName'),
    admissionId: text(item, 'AdmissionID'),
    location: text(item, 'CurrentPatientLocation'),
    patientClass: text(item, 'RouteOfAdmissions'),
  };
}

/** RAD-5: the steps of an accession number as a modality sees them. */
export async function worklistOf(server: TestServer, accessionNumber: string): Promise<ListedPatient[]> {
  const keys = dataset({
    AccessionNumber: accessionNumber,
    PatientID: null,
    IssuerOfPatientID: null,
    OtherPatientIDsSequence: [],
    PatientName: null,
    AdmissionID: null,
    RouteOfAdmissions: null,
    CurrentPatientLocation: null,
    ScheduledProcedureStepSequence: [],
  });
  const { status, datasets } = await dicomClient(server.ports.dicom).find(keys);
  if (status !== 0) throw new Error(`the worklist answered ${status.toString(16)}`);
  return datasets.map(listed);
}

/** The order with its patient, visit, procedures and history, as stored. */
export const storedOrder = (server: TestServer, placerOrderNumber: string) =>
  server.store.prisma.order.findFirstOrThrow({
    where: { placerOrderNumber },
    include: {
      visit: true,
      patient: { include: { identifiers: { orderBy: { id: 'asc' } }, visits: { orderBy: { id: 'asc' } } } },
      requestedProcedures: { include: { steps: true, history: { orderBy: { id: 'asc' } } } },
    },
  });

/** Events in the history of the first procedure of an order. */
export async function historyOf(server: TestServer, placerOrderNumber: string): Promise<string[]> {
  const [procedure] = (await storedOrder(server, placerOrderNumber)).requestedProcedures;
  return (procedure?.history ?? []).map(({ event }) => event);
}

/** The only patient who has this identifier value. */
export async function storedPatient(server: TestServer, value: string) {
  const patients = await server.store.prisma.patient.findMany({
    where: { identifiers: { some: { value } } },
    include: { identifiers: { orderBy: { id: 'asc' } }, visits: { orderBy: { id: 'asc' } }, orders: true },
  });
  const [patient] = patients;
  if (!patient || patients.length > 1) throw new Error(`${patients.length} patients have this identifier`);
  return patient;
}

/** Identifiers of the only patient who has this one; `current` are those that are sent to others. */
export async function identifiersOf(
  server: TestServer,
  value: string,
): Promise<{ readonly current: string[]; readonly former: string[] }> {
  const { identifiers } = await storedPatient(server, value);
  const of = (current: boolean) => identifiers.filter((one) => one.current === current).map((one) => one.value);
  return { current: of(true), former: of(false) };
}

/** A RAD-12 of ours. */
export interface SentUpdate {
  /** Name of the peer. */
  readonly to: string;
  /** MSH-9.2 */
  readonly event: string;
  readonly raw: string;
}

/** What was put into the lanes about a patient who is named by this value in PID-3 or MRG-1, in the order of sending. */
export async function updatesAbout(server: TestServer, value: string): Promise<SentUpdate[]> {
  const rows = await server.store.prisma.delivery.findMany({
    where: { effect: 'updatePatient' },
    include: { message: { select: { raw: true } } },
    orderBy: { id: 'asc' },
  });
  const sent = rows.map(({ destination, message }) => {
    const raw = Buffer.from(message.raw).toString('utf8');
    return { to: destination, event: field(raw, 'MSH', 9).split('^')[1] ?? '', raw };
  });
  return sent.filter(({ raw }) => [field(raw, 'PID', 3), field(raw, 'MRG', 1)].some((ids) => names(ids, value)));
}

const names = (identifiers: string, value: string): boolean =>
  identifiers.split('~').some((one) => one.split('^')[0] === value);

/** GET /api/patients/{id}: status and body. */
export async function patientView(
  server: TestServer,
  id: string,
): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
  const response = await fetch(`http://127.0.0.1:${server.ports.http}/api/patients/${encodeURIComponent(id)}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Remarks (W) in the journal entry of a message. */
export const remarksOn = async (server: TestServer, controlId: string): Promise<string> =>
  (await server.store.prisma.message.findFirstOrThrow({ where: { controlId } })).remarks.join('\n');
