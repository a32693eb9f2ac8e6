import { isSegment, type Part, type Structure } from './hl7/structure-syntax.ts';
import { inboundStructures, outboundStructures } from './hl7/structures.ts';
import { orderControls } from './workflow/order-control.ts';

/** HL7 v2.5.1 appendix A: the names of the segments in our structures. */
const segmentNames: Readonly<Record<string, string>> = {
  ACC: 'accident',
  AIG: 'appointment information, general resource',
  AIL: 'appointment information, location resource',
  AIP: 'appointment information, personnel resource',
  AIS: 'appointment information, service',
  AL1: 'patient allergy information',
  BLG: 'billing',
  CTD: 'contact data',
  CTI: 'clinical trial identification',
  DB1: 'disability',
  DG1: 'diagnosis',
  DRG: 'diagnosis related group',
  DSC: 'continuation pointer',
  ERR: 'error',
  EVN: 'event type',
  FT1: 'financial transaction',
  GT1: 'guarantor',
  IN1: 'insurance',
  IN2: 'insurance, additional information',
  IN3: 'insurance, certification',
  IPC: 'imaging procedure control',
  MRG: 'merge patient information',
  MSA: 'message acknowledgment',
  MSH: 'message header',
  NK1: 'next of kin',
  NTE: 'notes and comments',
  OBR: 'observation request',
  OBX: 'observation, result',
  ORC: 'common order',
  PD1: 'patient additional demographic',
  PDA: 'patient death and autopsy',
  PID: 'patient identification',
  PR1: 'procedures',
  PV1: 'patient visit',
  PV2: 'patient visit, additional information',
  RGS: 'resource group',
  ROL: 'role',
  SCH: 'scheduling activity information',
  SFT: 'software',
  SPM: 'specimen',
  TCD: 'test code detail',
  TQ1: 'timing and quantity',
  TQ2: 'timing and quantity, relationship',
  UB1: 'UB82 data',
  UB2: 'UB92 data',
  ZBE: 'movement (ITI TF-2 3.31)',
  ZDS: 'study instance UID (RAD TF-2 4.4)',
};

/** A table as the formatter would lay it out. */
export function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], fill: string): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  const rule = line(
    head.map(() => ''),
    '-',
  );
  return [line(head, ' '), rule, ...body.map((row) => line(row, ' '))];
}

/** One row for each segment and group, what is in a group behind a dot for each level. */
function rowsOf(parts: readonly Part[], level: number): string[][] {
  return parts.flatMap((part) => {
    const indent = '· '.repeat(level);
    const usage = part.required ? 'R' : 'O';
    const times = `\`${part.required ? '1' : '0'}..${part.repeats ? '*' : '1'}\``;
    if (isSegment(part)) return [[`${indent}${part.segment}`, segmentNames[part.segment] ?? '', usage, times]];
    return [[`${indent}${part.group}`, 'group', usage, times], ...rowsOf(part.parts, level + 1)];
  });
}

function section(title: string, about: string, structure: Structure): string[] {
  const head = ['segment or group', 'name', 'usage', 'times'];
  return [
    `### ${title}`,
    '',
    `${about}. Source: ${structure.source}.`,
    '',
    ...markdownTable([head, ...rowsOf(structure.parts, 0)]),
    '',
  ];
}

/** Message types that differ by the trigger event only: `ADT^A01 A02`. */
function typesText(types: readonly string[]): string {
  const events = new Map<string, string[]>();
  for (const type of types) {
    const [messageType = '', event = ''] = type.split('^');
    events.set(messageType, [...(events.get(messageType) ?? []), event]);
  }
  return [...events].map(([messageType, names]) => `\`${messageType}^${names.join(' ')}\``).join(', ');
}

/** Structures of one sequence, source and version are shown once, under all their ids. */
function outboundSections(): string[] {
  const alike = new Map<string, (typeof outboundStructures)[number][]>();
  for (const structure of outboundStructures) {
    const key = JSON.stringify([structure.parts, structure.source, structure.versions]);
    alike.set(key, [...(alike.get(key) ?? []), structure]);
  }
  return [...alike.values()].flatMap((structures) => {
    const [first] = structures;
    if (!first) return [];
    const versions = `HL7 ${first.versions.map((version) => `v${version}`).join(', ')}`;
    return section(structures.map(({ id }) => id).join(', '), versions, first);
  });
}

const statusText = (status: string): string => (status === '' ? '(empty)' : status);

/** What an order placer may ask, by ORC-1 and ORC-5: the rows that RAD-2 is read by. */
function orderControlSection(): string[] {
  const rows = Object.entries(orderControls).map(([code, { meaning, orderStatuses, action, option }]) => [
    code,
    meaning,
    orderStatuses.map(statusText).join(', '),
    action,
    option === undefined ? 'always' : `\`senders[].orderControls\`: ${option}`,
  ]);
  return [
    '## Order control in RAD-2',
    '',
    'ORC-1 (HL7 table 0119) by ORC-5 (table 0038). A pair without a row is refused (AE, 103 at `ORC^n^1` or `ORC^n^5`, which',
    'names the pair), and nothing of its message is done.',
    '',
    ...markdownTable([['ORC-1', 'meaning', 'ORC-5', 'action', 'allowed'], ...rows]),
    '',
  ];
}

/** docs/conformance/hl7-structures.md, made from the tables that messages are read and checked by. */
export function structuresDocument(): string {
  return [
    '<!-- Written by `npm run docs` from src/hl7/structures.ts and src/workflow/order-control.ts. Changes by hand are lost. -->',
    '',
    '# HL7 message structures and order controls',
    '',
    'The structures that messages are read by and that our own messages are checked by before they are sent. A dot stands',
    'before what is in a group. R is required, O optional.',
    '',
    '## What is read',
    '',
    'Which messages are accepted, and by which transaction, is in [hl7.md](hl7.md). One structure serves every version. R',
    'means that a message is refused without it (AE, 100 at `SEG^n`). A segment in another place of its group is taken',
    'nevertheless; a segment that is not in the table, or has no place left, is passed over, Z segments among them. Refused',
    'as well: an ORC or OBR before the first PID, an OBR before any ORC in an order, and a second PID, PV1 or SCH where there',
    'is one.',
    '',
    ...inboundStructures.flatMap((structure) =>
      section(structure.id, `Message types: ${typesText(structure.types)}`, structure),
    ),
    ...orderControlSection(),
    '## What is sent',
    '',
    'A message that does not follow its structure to the letter is not sent. Behind the structure (MSH-9.3) stands the',
    'transaction and, where it decides, the order control (ORC-1).',
    '',
    ...outboundSections(),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}
