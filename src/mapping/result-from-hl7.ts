import { cwe, xcn } from '../hl7/datatypes.ts';
import type { Group } from '../hl7/grammar.ts';
import type { Segment } from '../hl7/message.ts';
import { SwfError } from '../platform/errors.ts';
import { isUid } from '../platform/ids.ts';
import type { ResultReport, ResultStatus } from '../workflow/statements.ts';
import type { Person } from '../workflow/vocabulary.ts';
import { identifiersFromHl7, numberFromHl7 } from './identifiers-from-hl7.ts';
import { type Reading, bounded, componentsOf, defined, locationOf, required, textOf } from './reader.ts';
import { groupsFromHl7, segmentsIn } from './structure-from-hl7.ts';

/** OBR-25 (HL7 table 0123) and OBX-11 (0085): what is stored and not verified is preliminary. */
const statusOf: Readonly<Record<string, ResultStatus>> = { P: 'P', R: 'P', F: 'F', C: 'C', X: 'X' };

const knownStatus = (value: string): ResultStatus | undefined =>
  Object.hasOwn(statusOf, value) ? statusOf[value] : undefined;

/** OBR-25; where it is empty, the OBX-11 that all observations share. */
function resultStatusOf(obr: Segment, observations: readonly Segment[]): ResultStatus {
  const location = locationOf(obr, 25);
  const said = textOf(obr, 25);
  if (said === undefined) {
    const [shared, other] = new Set(observations.flatMap((obx) => textOf(obx, 11) ?? []));
    const status = shared === undefined || other !== undefined ? undefined : knownStatus(shared);
    if (status) return status;
    const what = 'the result status (OBR-25) is empty, and OBX-11 of the observations does not say one';
    throw new SwfError('required-field-missing', what, { location });
  }
  const status = knownStatus(said);
  if (status) return status;
  const what = 'the result status (OBR-25) is none of P, R, F, C and X, by which a procedure is reported';
  throw new SwfError('value-not-found', what, { location });
}

function identifierAt(obr: Segment, field: number, what: string): string | undefined {
  const value = textOf(obr, field)?.trim();
  if (!value) return undefined;
  bounded(value, locationOf(obr, field), `${what} (OBR-${field})`);
  return value;
}

// PS3.16 D: 110180 is Study Instance UID.
function isStudyUid(obx: Segment): boolean {
  return [1, 4].some(
    (component) => textOf(obx, 3, component) === '110180' && (textOf(obx, 3, component + 2) ?? 'DCM') === 'DCM',
  );
}

/** The UID stands in OBX-5 or ZDS-1 alone, or as one component of it (HD, RP). */
function studyUidsOf(segments: readonly Segment[], reading: Reading): string[] {
  const uids = segments.flatMap((segment) => {
    const field = segment.name === 'ZDS' ? 1 : segment.name === 'OBX' && isStudyUid(segment) ? 5 : undefined;
    if (field === undefined) return [];
    const uid = componentsOf(segment, field)?.find((component) => isUid(component.trim()));
    if (uid === undefined) reading.remarks.push(`${segment.name}-${field} is not a study instance UID and is not used`);
    return uid === undefined ? [] : [uid.trim()];
  });
  return [...new Set(uids)];
}

/** OBX-2 of what is read as text (HL7 v2.5.1 7.4.2.2); a sender that leaves it out means text. */
const textTypes: ReadonlySet<string> = new Set(['TX', 'FT', 'ST', '']);

/** Each repetition of a text is a line of it, and so is what `\.br\` ends. */
function linesOf(obx: Segment, reading: Reading): string[] {
  const text = obx.whole(5) ?? '';
  if (text === '') return [];
  const { repetition } = reading.message.header.delimiters;
  const parts = text.split(repetition);
  // Where the text holds escaped separators too, which of them end a line cannot be told: it stays as it is.
  const repetitions = parts.length === obx.repetitions(5) ? parts : [text];
  return repetitions.flatMap((part) => part.split(/\r\n|\r|\n/));
}

function reportOf(observations: readonly Segment[], reading: Reading): string[] {
  return observations
    .filter((obx) => !isStudyUid(obx))
    .flatMap((obx) => {
      const type = textOf(obx, 2) ?? '';
      if (textTypes.has(type)) return linesOf(obx, reading);
      if (type === 'ED' || type === 'RP') reading.remarks.push('an OBX holds a document, which is not read');
      return [];
    });
}

/** OBR-32.1 of NDL: a person whose parts are subcomponents; senders that keep XCN write components. */
function interpreterOf(obr: Segment): Person | undefined {
  const part = (position: number): string | undefined => obr.get(32, 1, position) ?? undefined;
  const [id, family, given, middle, suffix, prefix, degree] = [1, 2, 3, 4, 5, 6, 7].map(part);
  const second = textOf(obr, 32, 2);
  // NDL-2 is the start of the reading; anything but a time there is a name.
  if (family === undefined && second !== undefined && !/^\d/.test(second)) return xcn(obr, 32);
  const person = defined<Person>({ id, family, given, middle, suffix, prefix, degree });
  return Object.keys(person).length > 0 ? person : undefined;
}

function resultOf(group: Group, reading: Reading): Omit<ResultReport, 'identifiers'>[] {
  const obr = group.first('OBR');
  if (!obr) return [];
  const orc = group.first('ORC');
  const segments = segmentsIn(group);
  const observations = segments.filter((segment) => segment.name === 'OBX');
  const [filler, placer] = ['the filler order number', 'the placer order number'];
  const numbers = {
    fillerOrderNumber: numberFromHl7(orc, 3, filler) ?? numberFromHl7(obr, 3, filler),
    placerOrderNumber: numberFromHl7(orc, 2, placer) ?? numberFromHl7(obr, 2, placer),
    accessionNumber: identifierAt(obr, 18, 'the accession number'),
  };
  const studyInstanceUids = studyUidsOf(segments, reading);
  const known = [numbers.fillerOrderNumber?.id, numbers.placerOrderNumber?.id, numbers.accessionNumber];
  const what = 'what the result belongs to (the order numbers, the accession number and the study instance UID)';
  required(
    [...known, ...studyInstanceUids].find((number) => number !== undefined),
    locationOf(obr, 3),
    what,
  );
  const report = {
    ...numbers,
    requestedProcedureId: identifierAt(obr, 19, 'the requested procedure ID'),
    studyInstanceUids,
    service: cwe(obr, 4),
    resultStatus: resultStatusOf(obr, observations),
    lines: reportOf(observations, reading),
    sequence: obr.sequence,
  };
  const optional = { reportedAt: textOf(obr, 22) ?? textOf(obr, 7), interpreter: interpreterOf(obr) };
  return [{ ...report, ...defined<Pick<ResultReport, 'reportedAt' | 'interpreter'>>(optional) }];
}

/**
 * Every OBR group of an ORU^R01 from a report manager (HL7 v2.5.1 7.3.1). Throws 'required-field-missing' (101) for a
 * result that names nothing of ours or has no status, 'value-not-found' (103) for a status that says nothing of a report.
 */
export function resultsFromHl7(reading: Reading): ResultReport[] {
  const patients = groupsFromHl7(reading).groupsOf('PATIENT_RESULT');
  return patients.flatMap((patient) => {
    const pid = segmentsIn(patient).find((segment) => segment.name === 'PID');
    const identifiers = pid && identifiersFromHl7(reading, pid, 3);
    const named = identifiers && identifiers.length > 0 ? identifiers : undefined;
    const orders = patient.groupsOf('ORDER_OBSERVATION');
    return orders.flatMap((group) => resultOf(group, reading)).map((result) => ({ ...result, identifiers: named }));
  });
}
