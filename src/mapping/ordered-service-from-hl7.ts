import { type Cwe, cwe } from '../hl7/datatypes.ts';
import type { Segment } from '../hl7/message.ts';
import type { Code, OrderedService, RequestedStep } from '../workflow/vocabulary.ts';
import { type Reading, bounded, defined, locationOf, required, textOf } from './reader.ts';
import { isAeTitle } from './station-from-hl7.ts';

/** An OBR with the IPC segments that follow it. */
export interface ServiceSegments {
  readonly obr: Segment | undefined;
  readonly ipcs: readonly Segment[];
}

/**
 * What one OBR orders (RAD TF-2 4.2); a group without an OBR orders nothing that it names.
 * Throws 'required-field-missing' (101) for an empty OBR-4 where the service has to be named.
 */
export function orderedServiceFromHl7(
  { obr, ipcs }: ServiceSegments,
  reading: Reading,
  serviceNeeded: 'service needed' | 'service optional',
): OrderedService {
  if (!obr) return { service: {} };
  return defined<OrderedService>({
    service: serviceOf(obr, reading, serviceNeeded === 'service needed'),
    modality: modalityOf(obr, 24, reading),
    procedureCode: cwe(obr, 44),
    steps: stepsOf(ipcs, reading),
  });
}

/** OBR-4 by the sender's rule: its first triplet, or its second for a sender that puts local codes first. */
function serviceOf(obr: Segment, reading: Reading, needed: boolean): Cwe {
  const value = cwe(obr, 4);
  const component = reading.rules.serviceCode === 'OBR-4.4' ? 4 : 1;
  const location = locationOf(obr, 4, component);
  const what = `the ordered service (${reading.rules.serviceCode})`;
  const code = textOf(obr, 4, component);
  if (needed) required(code, location, what);
  bounded(code ?? '', location, what);
  if (!value || component === 1) return value ?? {};
  return defined<Cwe>({ code: value.alternateCode, meaning: value.alternateMeaning, scheme: value.alternateScheme });
}

/** OBR-24 or IPC-5 as (0008,0060) writes it (CS, PS3.5 6.2). */
function modalityOf(segment: Segment, field: number, reading: Reading): string | undefined {
  const modality = textOf(segment, field)?.toUpperCase();
  if (modality === undefined) return undefined;
  // Senders that shift fields put other things there; a modality has letters and two characters at least.
  if (/^(?=.*[A-Z])[A-Z0-9_ ]{2,16}$/.test(modality)) return modality;
  reading.remarks.push(`${segment.name}-${field} is not a modality code and is not used`);
  return undefined;
}

/** IPC-4, 5, 6 and 9: an IPC with none of them carries numbers and plans nothing. */
const planningFields = [4, 5, 6, 9] as const;

/** IPC segments with one IPC-4 are protocol codes of one step, each without it is a step (HL7 v2.5.1 4.5.6). */
function stepsOf(ipcs: readonly Segment[], reading: Reading): RequestedStep[] | undefined {
  const planning = ipcs.filter((ipc) => planningFields.some((field) => textOf(ipc, field) !== undefined));
  const steps = new Map<string | Segment, Segment[]>();
  for (const ipc of planning) {
    const key = textOf(ipc, 4) ?? ipc;
    const step = steps.get(key);
    if (step) step.push(ipc);
    else steps.set(key, [ipc]);
  }
  return steps.size === 0 ? undefined : [...steps.values()].map((segments) => stepOf(segments, reading));
}

function stepOf(ipcs: readonly Segment[], reading: Reading): RequestedStep {
  const modalities = new Set(ipcs.flatMap((ipc) => modalityOf(ipc, 5, reading) ?? []));
  const [modality] = modalities;
  if (modalities.size > 1) reading.remarks.push('IPC-5 differs within one step (IPC-4); the first is used');
  const protocols = new Map(
    ipcs.flatMap((ipc) => protocolsOf(ipc, reading)).map((code) => [`${code.code}^${code.scheme}`, code] as const),
  );
  const stations = new Set(ipcs.flatMap((ipc) => stationsOf(ipc, reading)));
  return defined<RequestedStep>({
    modality,
    protocols: [...protocols.values()],
    stationName: firstText(ipcs, (ipc) => textOf(ipc, 7)),
    location: firstText(ipcs, (ipc) => textOf(ipc, 8, 2) ?? textOf(ipc, 8)),
    scheduledStationAeTitles: [...stations],
  });
}

const firstText = (ipcs: readonly Segment[], textIn: (ipc: Segment) => string | undefined): string | undefined =>
  ipcs.map(textIn).find((text) => text !== undefined);

const repetitionsOf = (segment: Segment, field: number): number[] =>
  Array.from({ length: segment.repetitions(field) }, (_, index) => index + 1);

/** IPC-6, every repetition that is a whole code: value and scheme, and a value that DICOM can carry. */
function protocolsOf(ipc: Segment, reading: Reading): Code[] {
  return repetitionsOf(ipc, 6).flatMap((repetition) => {
    const { code, scheme, meaning } = cwe(ipc, 6, repetition) ?? {};
    if (code !== undefined && scheme !== undefined && !/[\\\p{Cc}]/u.test(code))
      return [{ code, scheme, meaning: meaning ?? code }];
    reading.remarks.push('IPC-6 is not a code with its coding scheme and is not used');
    return [];
  });
}

/** IPC-9, every repetition. */
function stationsOf(ipc: Segment, reading: Reading): string[] {
  return repetitionsOf(ipc, 9).flatMap((repetition) => {
    const station = ipc.get(9, 1, 1, repetition)?.trim();
    if (!station) return [];
    if (isAeTitle(station)) return [station];
    reading.remarks.push('IPC-9 is not an AE title and is not used');
    return [];
  });
}
