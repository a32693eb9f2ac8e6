import { SwfError } from '../platform/errors.ts';
import { partsOf, type Structure } from './structure-syntax.ts';

/**
 * The message structures as tables, in the abstract message syntax of HL7 v2.5.1 2.12: `[ ]` optional, `{ }` repeating,
 * `NAME:` a group. What we read and what we write have tables of their own: the first are lenient, the second strict.
 */

export type StructureVersion = '2.3.1' | '2.4' | '2.5.1';

interface InboundRow {
  readonly source: string;
  /** MSH-9.1 and MSH-9.2 of the messages that are read by it. */
  readonly types: readonly string[];
  /** One table for all versions: required is only what cannot be done without. */
  readonly syntax: string;
}

const personAndCover = '[PID] [PD1] [{NTE}] [{NK1}] [PV1] [PV2] [{IN1}] [{IN2}] [{IN3}] [{GT1}] [{AL1}]';

const orderDetail = 'OBR [{NTE}] [{CTD}] [{DG1}] [{OBSERVATION: OBX [{TCD}] [{NTE}]}] [{SPM}] [{IPC}]';

const visitAndCover = `[{ROL}] [{NK1}] [PV1] [PV2] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [{DRG}] [{PR1}] [{GT1}]
  [{IN1}] [{IN2}] [{IN3}] [{ACC}] [UB1] [UB2] [PDA] [ZBE]`;

const adtEvents = [
  ...['A01', 'A02', 'A03', 'A04', 'A05', 'A08', 'A09', 'A10', 'A11', 'A12', 'A13', 'A14', 'A15', 'A16'],
  ...['A21', 'A22', 'A25', 'A26', 'A27', 'A28', 'A31', 'A32', 'A33', 'A38', 'A52', 'A53', 'A54', 'A55'],
];

const inboundRows = {
  ADT_A01: {
    source: 'HL7 v2.5.1 3.3.1; RAD TF-2 4.1, 4.12',
    types: adtEvents.map((event) => `ADT^${event}`),
    syntax: `MSH [{SFT}] [EVN] PID [PD1] ${visitAndCover}`,
  },
  ADT_A06: {
    source: 'HL7 v2.5.1 3.3.6, 3.3.7; RAD TF-2 4.12',
    types: ['ADT^A06', 'ADT^A07'],
    syntax: `MSH [{SFT}] [EVN] PID [PD1] [MRG] ${visitAndCover}`,
  },
  ADT_A39: {
    source: 'HL7 v2.5.1 3.3.40; RAD TF-2 4.12',
    types: ['ADT^A40'],
    syntax: 'MSH [{SFT}] [EVN] {PATIENT: PID [PD1] MRG [PV1]}',
  },
  ADT_A30: {
    source: 'HL7 v2.5.1 3.3.47; ITI TF-2 3.30',
    types: ['ADT^A47'],
    syntax: 'MSH [{SFT}] [EVN] {PATIENT: PID [PD1] MRG [PV1]}',
  },
  ORM_O01: {
    source: 'HL7 v2.5.1 4.4.1, 4.4.4, 4.4.12; RAD TF-2 4.2',
    types: ['ORM^O01', 'OMG^O19', 'OMI^O23'],
    syntax: `MSH [{SFT}] [{NTE}] [PATIENT: ${personAndCover}]
      {ORDER: ORC [{TQ1}] [{TQ2}] [{NTE}] [{OBSERVATION_REQUEST: ${orderDetail}}] [{FT1}] [{CTI}] [BLG]} [{ZDS}]`,
  },
  ORR_O02: {
    source: 'HL7 v2.5.1 4.4.2, 4.4.5, 4.4.13; RAD TF-2 4.3',
    types: ['ORR^O02', 'ORG^O20', 'ORI^O24'],
    syntax: `MSH MSA [{ERR}] [{SFT}] [{NTE}] [PATIENT: [PID] [PD1] [{NTE}] [PV1] [PV2]]
      [{ORDER: ORC [{TQ1}] [{TQ2}] [{OBR}] [{NTE}] [{CTI}] [{SPM}] [{IPC}]}]`,
  },
  ORU_R01: {
    source: 'HL7 v2.5.1 7.3.1',
    types: ['ORU^R01'],
    syntax: `MSH [{SFT}] {PATIENT_RESULT: [PATIENT: PID [PD1] [{NTE}] [{NK1}] [PV1] [PV2]]
      {ORDER_OBSERVATION: [ORC] OBR [{NTE}] [{TQ1}] [{TQ2}] [CTD] [{OBSERVATION: OBX [{NTE}]}] [{FT1}] [{CTI}] [{SPM}]
      [{ZDS}]}} [DSC]`,
  },
  SIU_S12: {
    source: 'HL7 v2.5.1 10.4; RAD TF-2 4.48',
    types: ['SIU^S12', 'SIU^S13', 'SIU^S14', 'SIU^S15', 'SIU^S26'],
    syntax: `MSH SCH [{TQ1}] [{NTE}] [PATIENT: [PID] [PD1] [PV1] [PV2] [{OBX}] [{DG1}]]
      [{RESOURCES: [RGS] [{SERVICE: AIS [{NTE}]}] [{GENERAL: AIG [{NTE}]}] [{LOCATION: AIL [{NTE}]}]
      [{PERSONNEL: AIP [{NTE}]}]}]`,
  },
} as const satisfies Record<string, InboundRow>;

interface OutboundRow {
  readonly source: string;
  readonly versions: readonly StructureVersion[];
  readonly syntax: string;
}

const allVersions = ['2.3.1', '2.4', '2.5.1'] as const;
const orderOf231 = 'HL7 v2.3.1 4.2.1; RAD TF-2 4';
const orderOf251 = 'HL7 v2.5.1 4.4.4; RAD TF-2 4';
const orderVersions = ['2.3.1', '2.5.1'] as const;
const patientUpdate = { source: 'HL7 v2.5.1 3.3; RAD TF-2 4.12', versions: orderVersions, syntax: 'MSH EVN PID PV1' };
const statusOf251 = { source: `${orderOf251}.3`, versions: ['2.5.1'], syntax: 'MSH PID PV1 ORC TQ1 OBR' } as const;
const changeOf231 = { source: `${orderOf231}.3`, versions: ['2.3.1'], syntax: 'MSH PID PV1 ORC OBR' } as const;
const procedureOf231 = 'MSH PID PV1 {ORDER: ORC OBR} ZDS';
const procedureOf251 = 'MSH PID PV1 ORC TQ1 OBR {IPC}';
const imagingOrder = 'HL7 v2.5.1 4.4.12; RAD TF-2 4';

/** MSH-9.3, the transaction and, where it decides, ORC-1. */
const outboundRows = {
  'ORM_O01 RAD-3 SC': { source: `${orderOf231}.3`, versions: ['2.3.1'], syntax: 'MSH ORC' },
  'ORM_O01 RAD-3 SN': changeOf231,
  'ORM_O01 RAD-3 XX': changeOf231,
  'ORM_O01 RAD-3 OC': { source: `${orderOf231}.3`, versions: ['2.3.1'], syntax: 'MSH PID PV1 ORC' },
  'OMG_O19 RAD-3 SC': statusOf251,
  'OMG_O19 RAD-3 SN': statusOf251,
  'OMG_O19 RAD-3 XX': statusOf251,
  'OMG_O19 RAD-3 OC': statusOf251,
  'ORM_O01 RAD-4': { source: `${orderOf231}.4`, versions: ['2.3.1'], syntax: procedureOf231 },
  'OMI_O23 RAD-4': { source: `${imagingOrder}.4`, versions: ['2.5.1'], syntax: procedureOf251 },
  'ORM_O01 RAD-13': { source: `${orderOf231}.13`, versions: ['2.3.1'], syntax: procedureOf231 },
  'OMI_O23 RAD-13': { source: `${imagingOrder}.13`, versions: ['2.5.1'], syntax: procedureOf251 },
  'ADT_A01 RAD-12': patientUpdate,
  'ADT_A02 RAD-12': patientUpdate,
  'ADT_A03 RAD-12': patientUpdate,
  'ADT_A06 RAD-12': patientUpdate,
  'ADT_A12 RAD-12': patientUpdate,
  'ADT_A39 RAD-12': { ...patientUpdate, source: 'HL7 v2.5.1 3.3.40; RAD TF-2 4.12', syntax: 'MSH EVN PID MRG [PV1]' },
  'SIU_S12 RAD-48': {
    source: 'HL7 v2.4 10.4; RAD TF-2 4.48',
    versions: ['2.4', '2.5.1'],
    syntax: 'MSH SCH [PATIENT: PID PV1] RGS AIS',
  },
  ORU_R01: { source: 'HL7 v2.5.1 7.3.1', versions: orderVersions, syntax: 'MSH PID PV1 ORC OBR {OBX}' },
  ACK: { source: 'HL7 v2.5.1 2.13.1', versions: allVersions, syntax: 'MSH MSA [ERR]' },
} as const satisfies Record<string, OutboundRow>;

function structureOf(id: string, row: { readonly source: string; readonly syntax: string }): Structure {
  return { id, source: row.source, parts: partsOf(row.syntax) };
}

/** What we read: every structure with the message types (MSH-9.1^MSH-9.2) that are read by it. */
export const inboundStructures: readonly (Structure & { readonly types: readonly string[] })[] = Object.entries(
  inboundRows,
).map(([id, row]) => ({ ...structureOf(id, row), types: row.types }));

/** What we send: every structure with the versions it is sent in. */
export const outboundStructures: readonly (Structure & { readonly versions: readonly StructureVersion[] })[] =
  Object.entries(outboundRows).map(([id, row]) => ({ ...structureOf(id, row), versions: row.versions }));

const inboundByType = new Map<string, Structure>(
  inboundStructures.flatMap((structure) => structure.types.map((type) => [type, structure] as const)),
);

const outboundById = new Map(outboundStructures.map((structure) => [structure.id, structure]));

/** The lenient structure of MSH-9.1 and MSH-9.2, the same for every version; undefined for what we do not read. */
export function inboundStructure(messageType: string, triggerEvent: string): Structure | undefined {
  return inboundByType.get(`${messageType}^${triggerEvent}`);
}

/**
 * The strict structure of what we send, by its id such as `ORM_O01 RAD-4` or `OMG_O19 RAD-3 SC`.
 * @throws SwfError 'internal' when there is none, or none in this version
 */
export function outboundStructure(id: string, version: StructureVersion): Structure {
  const structure = outboundById.get(id);
  if (structure?.versions.includes(version)) return structure;
  throw new SwfError('internal', `there is no structure ${id} of HL7 v${version}; add it to the table of what is sent`);
}
