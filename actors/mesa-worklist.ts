import { type Dataset, type DatasetInput, items, text } from '../src/dicom/dataset.ts';
import { type Check } from './checks.ts';
import { type Mismatch, mismatch } from './mesa-case.ts';
import type { MesaCodes } from './mesa-codes.ts';
import type { FieldsOfMessage } from './mesa-message.ts';
import { nameOfPatient, nameOfPerson } from './mesa-names.ts';
import type { Examination } from './mesa-plan.ts';
import { dicomValueAt } from './places.ts';

const step = 'ScheduledProcedureStepSequence[0]';
const stepKey = 'ScheduledProcedureStepSequence';
const code: DatasetInput = { CodeValue: null, CodingSchemeDesignator: null, CodeMeaning: null };

export interface QueryKeys {
  readonly patientId?: string;
  readonly modality?: string;
  readonly station?: string;
}

/** The identifier of a query: what is matched, and everything that is looked at in the answers. */
export function worklistQuery({ patientId, modality, station }: QueryKeys): DatasetInput {
  return {
    PatientName: null,
    PatientID: patientId ?? null,
    PatientBirthDate: null,
    PatientSex: null,
    AccessionNumber: null,
    AdmissionID: null,
    ReferringPhysicianName: null,
    RequestingPhysician: null,
    StudyInstanceUID: null,
    RequestedProcedureID: null,
    RequestedProcedureDescription: null,
    RequestedProcedureCodeSequence: [code],
    ReferencedStudySequence: [{ ReferencedSOPClassUID: null, ReferencedSOPInstanceUID: null }],
    ScheduledProcedureStepSequence: [
      {
        ScheduledStationAETitle: station ?? null,
        Modality: modality ?? null,
        ScheduledProcedureStepStartDate: null,
        ScheduledProcedureStepStartTime: null,
        ScheduledProcedureStepID: null,
        ScheduledProcedureStepDescription: null,
        ScheduledProtocolCodeSequence: [code],
      },
    ],
  };
}

/** What is compared of a worklist. */
export interface WorklistComparison {
  readonly mismatches: readonly Mismatch[];
  readonly notes: readonly string[];
  readonly compared: number;
}

/** The code of the requested procedure of an answer. */
export function procedureOf(item: Dataset): string | undefined {
  return dicomValueAt(item, 'RequestedProcedureCodeSequence[0].CodeValue');
}

export function protocolsOf(item: Dataset): string[] {
  const [scheduled] = items(item, stepKey);
  const protocols = scheduled ? items(scheduled, 'ScheduledProtocolCodeSequence') : [];
  return protocols.flatMap((protocol) => text(protocol, 'CodeValue') ?? []);
}

/**
 * Compares the answers about the patients of a script with what was scheduled: each examination has its steps there and
 * nothing else is there, and the values that the kit's grader compares are those of the kit's RAD-4.
 */
export function compareWorklist(
  answers: readonly Dataset[],
  examinations: readonly Examination[],
  codes: MesaCodes,
): WorklistComparison {
  const results = examinations.map(({ message, station }) => {
    if (!message) return nothing;
    const own = answers.filter((item) => isOf(item, message.fields));
    const planned = codes.steps.get(message.fields.component('OBR-4', 1))?.length ?? 1;
    const name = `steps of ${message.fields.component('OBR-4', 1)}`;
    const counted = mismatch(name, String(planned), String(own.length));
    const each = own.map((item) => compareItem(item, { reference: message.fields, station, codes }));
    return joined([{ mismatches: counted ? [counted] : [], notes: [], compared: 1 }, ...each]);
  });
  const known = examinations.flatMap(({ message }) => message?.fields ?? []);
  const others = answers.filter((item) => !known.some((reference) => isOf(item, reference)));
  const unexpected = others.map((item) => ({
    place: 'worklist',
    expected: 'no other step of these patients',
    received: `a step of ${procedureOf(item) ?? 'an unknown procedure'}`,
  }));
  return joined([...results, { mismatches: unexpected, notes: [], compared: 1 }]);
}

const nothing: WorklistComparison = { mismatches: [], notes: [], compared: 0 };

function joined(all: readonly WorklistComparison[]): WorklistComparison {
  return {
    mismatches: all.flatMap(({ mismatches }) => mismatches),
    notes: [...new Set(all.flatMap(({ notes }) => notes))],
    compared: all.reduce((sum, { compared }) => sum + compared, 0),
  };
}

function isOf(item: Dataset, reference: FieldsOfMessage): boolean {
  const isPatient = text(item, 'PatientID') === reference.component('PID-3', 1);
  return isPatient && procedureOf(item) === reference.component('OBR-4', 1);
}

interface Reference {
  readonly reference: FieldsOfMessage;
  readonly station: string | undefined;
  readonly codes: MesaCodes;
}

const mustBeThere = [
  `${step}.ScheduledProcedureStepStartDate`,
  `${step}.ScheduledProcedureStepStartTime`,
  `${step}.ScheduledProcedureStepID`,
  `${step}.ScheduledProcedureStepDescription`,
  'RequestedProcedureDescription',
  'RequestedProcedureID',
  'StudyInstanceUID',
  'ReferencedStudySequence[0].ReferencedSOPInstanceUID',
  'AccessionNumber',
];

function compareItem(item: Dataset, { reference, station, codes }: Reference): WorklistComparison {
  const { field, component } = reference;
  const either = eitherOf(reference, codes);
  const equal = (place: string): Check => field(place) || null;
  const checks: Record<string, Check> = {
    [`${step}.Modality`]: equal('OBR-24'),
    'RequestedProcedureCodeSequence[0].CodeValue': component('OBR-4', 1),
    'RequestedProcedureCodeSequence[0].CodingSchemeDesignator': component('OBR-4', 3),
    'RequestedProcedureCodeSequence[0].CodeMeaning': { oneOf: either.meanings },
    'ReferencedStudySequence[0].ReferencedSOPClassUID': detachedStudyManagement,
    RequestingPhysician: nameOfPerson(field('ORC-12')) || null,
    ReferringPhysicianName: nameOfPerson(field('PV1-8')) || null,
    AdmissionID: component('PV1-19', 1) || null,
    PatientName: nameOfPatient(field('PID-5')) || null,
    PatientID: component('PID-3', 1),
    PatientBirthDate: equal('PID-7'),
    PatientSex: equal('PID-8'),
    ...Object.fromEntries(mustBeThere.map((place) => [place, '*'] as const)),
  };
  const wrong = Object.entries(checks).flatMap(
    ([place, check]) => mismatch(place, check, withoutEmptyEnd(dicomValueAt(item, place))) ?? [],
  );
  const listed = [...protocolMismatch(item, either.protocols), ...stationMismatch(item, station)];
  return { mismatches: [...wrong, ...listed], notes: either.notes, compared: Object.keys(checks).length + 2 };
}

// (0008,1110) names the study as HL7 systems know it; the class is long retired (PS3.4 K.6.1.2.2).
const detachedStudyManagement = '1.2.840.10008.3.1.2.3.1';

const withoutEmptyEnd = (value: string | undefined): string | undefined => value?.replace(/\^+$/, '');

/** All stations of a step are offered: the kit's has to be among them. */
function stationMismatch(item: Dataset, station: string | undefined): Mismatch[] {
  const place = `${step}.ScheduledStationAETitle`;
  const value = dicomValueAt(item, place);
  const check = station === undefined ? '*' : { oneOf: [station] };
  const one = value?.split('\\').find((title) => title === station) ?? value;
  return [mismatch(place, check, one)].filter((wrong) => wrong !== undefined);
}

interface ProtocolText {
  readonly code: string;
  readonly scheme: string;
  readonly meaning: string;
}

function protocolMismatch(item: Dataset, expected: readonly ProtocolText[]): Mismatch[] {
  const place = `${step}.ScheduledProtocolCodeSequence`;
  const shown = ({ code, scheme, meaning }: ProtocolText): string => `${code}^${meaning}^${scheme}`;
  const [scheduled] = items(item, stepKey);
  const protocols = (scheduled ? items(scheduled, 'ScheduledProtocolCodeSequence') : []).map((protocol) => ({
    code: text(protocol, 'CodeValue') ?? '',
    scheme: text(protocol, 'CodingSchemeDesignator') ?? '',
    meaning: text(protocol, 'CodeMeaning') ?? '',
  }));
  const oneOf = expected.map(shown);
  if (protocols.length === 0) return [{ place, expected: oneOf.join(' or '), received: '(empty)' }];
  return protocols.flatMap((protocol) => mismatch(place, { oneOf }, shown(protocol)) ?? []);
}

/** The kit's RAD-4 does not always say what the kit's codes say: either counts, and a note says so. */
function eitherOf({ field, component }: FieldsOfMessage, codes: MesaCodes) {
  const service = component('OBR-4', 1);
  const protocol = { code: component('OBR-4', 4), meaning: component('OBR-4', 5), scheme: component('OBR-4', 6) };
  const planned = (codes.steps.get(service) ?? []).flatMap(({ protocols }) => protocols);
  const meaning = field('OBR-44') === '' ? component('OBR-4', 2) : component('OBR-44', 2);
  const ordered = codes.services.get(service)?.meaning ?? meaning;
  const others = planned.filter((one) => one.code !== protocol.code);
  const contradicts = planned.length > 0 && others.length === planned.length;
  const says = (what: string, own: string, table: string): string =>
    `${service}: the kit's message has the ${what} ${own}, its codes have ${table}; either counts`;
  return {
    protocols: planned.length > 0 && !contradicts ? planned : [protocol, ...planned],
    meanings: [...new Set([meaning, ordered])],
    notes: [
      ...(contradicts ? [says('protocol', protocol.code, planned.map((one) => one.code).join(', '))] : []),
      ...(ordered === meaning ? [] : [says('meaning', meaning, ordered)]),
    ],
  };
}
