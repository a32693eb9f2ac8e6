import type { Component, Field, SegmentValues } from '../hl7/encode.ts';
import { mshSegment } from '../hl7/encode.ts';
import { formatLocalTimestamp, formatTimestamp, toCwe, toCx, toEi, toPl, toXcn, toXpn } from '../hl7/datatypes.ts';
import type {
  Code,
  CodedValue,
  Patient,
  PatientIdentifier,
  Person,
  PersonName,
  PlacerOrder,
  Visit,
} from '../workflow/vocabulary.ts';

/** HL7 versions that we send: SWF, SWF.b, and v2.4 for appointments alone (RAD-48), whose segments are as in v2.3.1. */
export type Hl7Version = '2.3.1' | '2.4' | '2.5.1';

/** A site-local start: `YYYY-MM-DD` and `HH:MM:SS`. */
export interface Start {
  readonly date: string;
  readonly time: string;
}

/** Who sends to whom, for MSH. */
export interface Envelope {
  readonly version: Hl7Version;
  readonly application: string;
  readonly facility: string;
  readonly receivingApplication: string;
  readonly receivingFacility: string;
  readonly controlId: string;
  readonly at: Date;
  readonly timeZone: string;
  /** HL7 name of the set for what is not ASCII; undefined: UTF-8. */
  readonly characterSet?: string | undefined;
}

/** A patient with his visit and an order, as every message about an order carries them. */
export interface OrderSubject {
  readonly patient: Patient;
  readonly visit: Visit | undefined;
  readonly order: PlacerOrder;
  readonly fillerOrderNumber: string;
  readonly accessionNumber: string;
  /** Who gave the filler order number: our MSH-3. */
  readonly application: string;
}

/** Fields of a segment by number; the gaps stay empty. */
export function segment(name: string, fields: Readonly<Record<number, Field>>): SegmentValues {
  const length = Math.max(0, ...Object.keys(fields).map(Number));
  return [name, ...Array.from({ length }, (_, index): Field => fields[index + 1])];
}

export function msh(
  envelope: Envelope,
  type: { readonly messageType: string; readonly triggerEvent: string; readonly structure: string },
): SegmentValues {
  const structured = envelope.version !== '2.3.1';
  return mshSegment({
    sendingApplication: envelope.application,
    sendingFacility: envelope.facility,
    receivingApplication: envelope.receivingApplication,
    receivingFacility: envelope.receivingFacility,
    dateTime: formatTimestamp(envelope.at, envelope.timeZone),
    messageType: type.messageType,
    triggerEvent: type.triggerEvent,
    ...(structured ? { messageStructure: type.structure } : {}),
    controlId: envelope.controlId,
    version: envelope.version,
  });
}

/** CX of a patient identifier: PID-3, MRG-1. */
export function identifierField(identifier: PatientIdentifier, version: Hl7Version): readonly Component[] {
  const { universalId, universalIdType } = identifier;
  // v2.5.1 wants a type code; PI, patient internal identifier, is what a department's patient has.
  const identifierType = identifier.identifierType ?? (version === '2.5.1' ? 'PI' : undefined);
  return toCx({
    id: identifier.value,
    assigningAuthority: {
      namespace: identifier.assigningAuthority,
      ...(universalId === undefined ? {} : { universalId }),
      ...(universalIdType === undefined ? {} : { universalIdType }),
    },
    ...(identifierType === undefined ? {} : { identifierType }),
  });
}

/** XPN; where there is more than the alphabetic name, a repetition for each representation (XPN-8, table 4000). */
export function nameField(name: PersonName): Field {
  const { ideographic, phonetic, ...alphabetic } = name;
  if (!ideographic && !phonetic) return toXpn(alphabetic);
  const groups = { A: alphabetic, I: ideographic, P: phonetic };
  const repetitions = Object.entries(groups).flatMap(([representation, parts]) =>
    parts && Object.keys(parts).length > 0 ? [toXpn({ ...parts, representation })] : [],
  );
  return { repetitions };
}

/** PID of the patient as he stands now (RAD TF-2 4.1, 4.4). */
export function pid(patient: Patient, version: Hl7Version): SegmentValues {
  const { demographics } = patient;
  return segment('PID', {
    1: '1',
    3: { repetitions: patient.identifiers.map((identifier) => identifierField(identifier, version)) },
    5: nameField(patient.name),
    6: demographics.motherName && nameField(demographics.motherName),
    7: patient.birthDate?.replaceAll('-', ''),
    8: patient.sex,
    10: demographics.race,
    11: demographics.address,
    15: demographics.primaryLanguage && toCwe(demographics.primaryLanguage),
    18: demographics.accountNumber && toCx(demographics.accountNumber),
  });
}

/** PV1 of the visit; patient class U (unknown) where no message named a visit, since PV1-2 must be valued. */
export function pv1(visit: Visit | undefined): SegmentValues {
  const details = visit?.details ?? {};
  return segment('PV1', {
    1: '1',
    2: visit?.patientClass ?? 'U',
    3: details.location && toPl(details.location),
    7: details.attendingDoctor && toXcn(details.attendingDoctor),
    8: details.referringDoctor && toXcn(details.referringDoctor),
    10: details.hospitalService,
    15: details.ambulatoryStatus,
    17: details.admittingDoctor && toXcn(details.admittingDoctor),
    19: details.visitIdentifier && toCx(details.visitIdentifier),
    44: details.admitTime,
    45: details.dischargeTime,
    51: details.visitIndicator,
  });
}

/** ORC-7 and OBR-27 of v2.3.1: quantity, interval, start and priority. */
export function quantityTiming(order: PlacerOrder, start: Start | undefined): readonly Component[] {
  const startTime = start && formatLocalTimestamp(start);
  return [order.quantity ?? '1', order.interval ?? 'once', undefined, startTime, undefined, order.priority];
}

const priorities: Readonly<Record<string, string>> = {
  S: 'Stat',
  A: 'ASAP',
  R: 'Routine',
  P: 'Preop',
  C: 'Callback',
  T: 'Timing critical',
};

/** TQ1 of v2.5.1. */
export function tq1(order: PlacerOrder, start: Start | undefined): SegmentValues {
  const priority = order.priority;
  const meaning = priority === undefined ? undefined : priorities[priority];
  return segment('TQ1', {
    1: '1',
    7: start && formatLocalTimestamp(start),
    9: priority === undefined ? undefined : [priority, meaning, meaning === undefined ? undefined : 'HL70485'],
  });
}

export interface OrcValues {
  readonly orderControl: string;
  readonly orderStatus?: string | undefined;
  readonly start?: Start | undefined;
}

/** XCN of a person who may not be known. */
export const person = (value: Person | undefined): Field => value && toXcn(value);
const coded = (value: CodedValue | undefined): Field => value && toCwe(value);

/** ORC with the order numbers that there are (RAD TF-2 4.3, 4.4). In v2.5.1 the timing stands in TQ1. */
export function orc(subject: OrderSubject, values: OrcValues, version: Hl7Version): SegmentValues {
  const { order } = subject;
  return segment('ORC', {
    1: values.orderControl,
    2: order.placerOrderNumber && toEi(order.placerOrderNumber),
    3: [subject.fillerOrderNumber, subject.application],
    4: order.placerGroupNumber && toEi(order.placerGroupNumber),
    5: values.orderStatus,
    7: version === '2.5.1' ? undefined : quantityTiming(order, values.start),
    9: order.transactionTime,
    10: person(order.enteredBy),
    12: person(order.orderingProvider),
    14: order.callBackPhone,
    15: order.effectiveTime,
    17: coded(order.enteringOrganisation),
  });
}

/** The fields of OBR that the placer's order fills, the same in every message about it. */
export function obrOfOrder(subject: OrderSubject, version: Hl7Version): Record<number, Field> {
  const { order } = subject;
  return {
    2: order.placerOrderNumber && toEi(order.placerOrderNumber),
    3: [subject.fillerOrderNumber, subject.application],
    12: coded(order.dangerCode),
    13: order.relevantClinicalInformation,
    15: version === '2.5.1' ? undefined : (order.specimenSource ?? specimenSourceOf(order)),
    16: person(order.orderingProvider),
    30: order.transportationMode,
    31: coded(order.reason),
    41: order.transportArranged,
    46: version === '2.5.1' ? coded(order.placerSupplementalServiceInformation ?? lateralityOf(order)) : undefined,
  };
}

// HL7 table 0163 and the words in use; a sender that shifts fields has other things in OBR-15.5.
const sides = /^(L|R|B|U|LT|RT|BL|BI|LEFT|RIGHT|BOTH|BILATERAL)$/i;

// OBR-15.5 of v2.3.1 is OBR-46 in v2.5.1, where OBR-15 is not used.
function lateralityOf(order: PlacerOrder): CodedValue | undefined {
  const side = order.specimenSource?.[4];
  return side !== undefined && sides.test(side) ? { code: side } : undefined;
}

function specimenSourceOf(order: PlacerOrder): Field {
  const side = order.placerSupplementalServiceInformation?.code;
  return side === undefined ? undefined : [undefined, undefined, undefined, undefined, side];
}

/** A code without its alternate: OBR-44. */
export function plainCode({ code, meaning, scheme }: CodedValue): Field {
  return [code, meaning, scheme];
}

/** The procedure's code, then the scheduled protocol's: OBR-4 of v2.3.1, AIS-3 (RAD TF-2 4.4, 4.48). */
export function universalService(code: CodedValue, protocol: Code | undefined): readonly Component[] {
  return [code.code, code.meaning, code.scheme, protocol?.code, protocol?.meaning, protocol?.scheme];
}
