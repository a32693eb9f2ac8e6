import { type Envelope, type PatientFields, messageOf, msh, pid, segment } from './messages.ts';

/** One OBR group of ORU^R01, field texts as on the wire. */
export interface ReportFields {
  /** ORC-2 and OBR-2 */
  readonly placerOrderNumber?: string;
  /** OBR-3, and ORC-3 */
  readonly fillerOrderNumber?: string;
  /** OBR-4 */
  readonly service?: string;
  /** OBR-18 */
  readonly accessionNumber?: string;
  /** OBR-19 */
  readonly requestedProcedureId?: string;
  /** OBR-22 */
  readonly reportedAt?: string;
  /** OBR-25 */
  readonly resultStatus?: string;
  /** OBR-32 */
  readonly interpreter?: string;
  /** OBX-5 of each text observation. */
  readonly text?: readonly string[];
  /** An OBX with 110180 (PS3.16 annex D). */
  readonly studyInstanceUid?: string;
  /** The message has no ORC, as v2.3.1 allows. */
  readonly withoutOrc?: boolean;
}

function report(fields: ReportFields, index: number): string[] {
  const { placerOrderNumber, fillerOrderNumber, studyInstanceUid, text = [] } = fields;
  const orc = segment('ORC', { 1: 'RE', 2: placerOrderNumber, 3: fillerOrderNumber });
  const obr = segment('OBR', {
    1: String(index + 1),
    2: placerOrderNumber,
    3: fillerOrderNumber,
    4: fields.service,
    18: fields.accessionNumber,
    19: fields.requestedProcedureId,
    22: fields.reportedAt ?? '20260105153000',
    25: fields.resultStatus,
    32: fields.interpreter,
  });
  const study =
    studyInstanceUid === undefined ? [] : [{ 2: 'ST', 3: '110180^Study Instance UID^DCM', 5: studyInstanceUid }];
  const observations = [...study, ...text.map((line) => ({ 2: 'TX', 3: '18748-4^Report^LN', 5: line }))];
  const obx = observations.map((fields, at) => segment('OBX', { 1: String(at + 1), ...fields, 11: 'F' }));
  return [...(fields.withoutOrc ? [] : [orc]), obr, ...obx];
}

/** ORU^R01 of a report manager (HL7 v2.5.1 7.3.1). */
export function oru(
  reports: readonly ReportFields[],
  patient: PatientFields | undefined,
  envelope: Envelope = {},
): string {
  const head = msh('ORU^R01^ORU_R01', { application: 'REPORTS', facility: 'RADIOLOGY', ...envelope });
  return messageOf(head, ...(patient ? [pid(patient)] : []), ...reports.flatMap(report));
}

/** SIU, field texts as on the wire. */
export interface AppointmentFields {
  /** SCH-1 */
  readonly placerAppointment?: string;
  /** SCH-2 */
  readonly fillerAppointment?: string;
  /** SCH-11 */
  readonly timing?: string;
  /** SCH-26 */
  readonly placerOrderNumber?: string;
  /** SCH-27 */
  readonly fillerOrderNumber?: string;
  /** AIS-3, AIS-4, AIS-7 of each service. */
  readonly services?: readonly { readonly code?: string; readonly start?: string; readonly minutes?: string }[];
}

/** SIU of a scheduling system (HL7 v2.5.1 10.3). */
export function siu(
  event: string,
  appointment: AppointmentFields,
  patient?: PatientFields,
  envelope: Envelope = {},
): string {
  const sch = segment('SCH', {
    1: appointment.placerAppointment,
    2: appointment.fillerAppointment,
    11: appointment.timing,
    25: 'Booked',
    26: appointment.placerOrderNumber,
    27: appointment.fillerOrderNumber,
  });
  const services = (appointment.services ?? []).map(({ code, start, minutes }, index) =>
    segment('AIS', {
      1: String(index + 1),
      3: code,
      4: start,
      7: minutes,
      8: minutes === undefined ? undefined : 'min',
    }),
  );
  const head = msh(`SIU^${event}^SIU_S12`, {
    application: 'BOOKING',
    facility: 'CLINIC',
    version: '2.5.1',
    ...envelope,
  });
  const resources = services.length > 0 ? [segment('RGS', { 1: '1' }), ...services] : [];
  return messageOf(head, sch, ...(patient ? [pid(patient)] : []), ...resources);
}
