import { EXPLICIT_VR_LITTLE_ENDIAN, encodeDataset } from '../dicom/codec.ts';
import type { Dataset } from '../dicom/dataset.ts';
import type { FindResult } from '../dicom/client.ts';
import { type InstanceReport, availabilityFromMatches, availabilityKeys } from '../mapping/availability-from-dicom.ts';
import {
  type DueQuery,
  askAgain,
  knownAvailability,
  nextDueQuery,
  overdueProcedures,
  seriesToAskFor,
  stopAsking,
} from '../store/availability-queries.ts';
import { journalQuery } from '../store/messages.ts';
import { ordersOfProcedures } from '../store/find-procedures.ts';
import type { Confirmation } from '../workflow/vocabulary.ts';
import type { Department } from './department.ts';
import { statusText } from './inbound-dicom.ts';
import { type AvailabilityReport, recordAvailability } from './rad-11-49-availability.ts';
import { type HeldProcedure, type Unit, finish, holdFound, runUnit, takeDown } from './unit-of-work.ts';

/** What an Image Manager is to be asked about one procedure, one C-FIND for each series. */
export interface Question extends DueQuery {
  readonly queries: readonly { readonly studyInstanceUid: string; readonly identifier: Dataset }[];
}

/** The question that has been due for the longest time; undefined when none is. */
export async function nextQuestion({ store, clock }: Department): Promise<Question | undefined> {
  const due = await nextDueQuery(store, clock.now());
  if (!due) return undefined;
  const series = await seriesToAskFor(store, due.procedureId);
  const queries = series.map(({ studyInstanceUid, seriesInstanceUid }) => ({
    studyInstanceUid,
    identifier: availabilityKeys(studyInstanceUid, seriesInstanceUid),
  }));
  return { ...due, queries };
}

/** Says when the same is asked again; never when there is nothing left to ask. */
export async function askedOnce({ store }: Department, question: Question, nextAt: Date): Promise<void> {
  const { procedureId, attempts, queries } = question;
  if (queries.length === 0) return store.transaction(async (tx) => void (await stopAsking(tx, procedureId)));
  return askAgain(store, procedureId, { attempts: attempts + 1, nextAt });
}

/** Puts off what nobody could be asked; it does not count as asked. */
export function putOff({ store }: Department, { procedureId, attempts }: Question, nextAt: Date): Promise<void> {
  return askAgain(store, procedureId, { attempts, nextAt });
}

/**
 * RAD-11 Images Availability Query (RAD TF-2 4.11): the answers of one image manager, in the order of the queries. They
 * are kept as a notification is. A query that told nothing new is in the journal once, not each time that it is repeated.
 */
export async function imagesReported(
  department: Department,
  question: Question,
  { peer, results }: { readonly peer: string; readonly results: readonly FindResult[] },
): Promise<void> {
  const at = department.clock.now();
  await runUnit(department, async (unit) => {
    const reports: AvailabilityReport[] = [];
    for (const [index, { studyInstanceUid, identifier }] of question.queries.entries()) {
      const result = results[index] ?? { status: 0x0110, datasets: [] };
      const instances = await newsIn(unit, availabilityFromMatches(studyInstanceUid, result.datasets));
      if (instances.length === 0 && question.attempts > 0) continue;
      const messageId = await journal(unit, { peer, identifier, status: result.status, at });
      if (instances.length > 0) reports.push({ studyInstanceUid, instances, messageId });
    }
    const last = reports.at(-1);
    if (!last) return;
    const { messageId } = last;
    const confirmation: Confirmation = { kind: 'query', peer, messageId, code: '0000', at: at.toISOString() };
    await recordAvailability(unit, reports, { cause: { messageId, causedBy: peer, at }, confirmation });
  });
}

/** A query tells where instances are; that one image manager has not got what another has takes nothing back. */
async function newsIn(unit: Unit, instances: readonly InstanceReport[]): Promise<InstanceReport[]> {
  const uids = instances.map(({ sopInstanceUid }) => sopInstanceUid);
  const known = await knownAvailability(unit.tx, uids);
  return instances.filter(({ sopInstanceUid, instanceAvailability }) => {
    const before = known.get(sopInstanceUid) ?? '';
    return !['ONLINE', 'NEARLINE', instanceAvailability].includes(before);
  });
}

interface Asked {
  readonly peer: string;
  readonly identifier: Dataset;
  readonly status: number;
  readonly at: Date;
}

function journal(unit: Unit, { peer, identifier, status, at }: Asked): Promise<number> {
  return journalQuery(unit.tx, {
    transaction: 'RAD-11',
    sendingApplication: unit.department.config.dicom.aeTitle,
    peer,
    raw: encodeDataset(identifier, EXPLICIT_VR_LITTLE_ENDIAN),
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    at,
    outcome: status === 0 ? 'ACCEPTED' : 'REFUSED',
    answerCode: statusText(status),
  });
}

/** Asks for images no longer that are not there for as long as the site says, and tells a person so. */
export async function giveUpOverdue(department: Department): Promise<void> {
  const { clock, config, store, log } = department;
  const at = clock.now();
  const since = new Date(at.getTime() - config.availability.giveUpAfter);
  for (const procedureId of await overdueProcedures(store, since)) {
    const told = await runUnit(department, (unit) => giveUp(unit, procedureId, at));
    if (!told) continue;
    const fields = { procedureId: told.stored.requestedProcedureId, transaction: 'RAD-11' };
    log.warn(fields, 'alarm: images are asked for no longer');
  }
}

async function giveUp(unit: Unit, procedureId: number, at: Date): Promise<HeldProcedure | undefined> {
  const orders = await holdFound(unit, () => ordersOfProcedures(unit.tx, [procedureId]));
  if (!(await stopAsking(unit.tx, procedureId))) return undefined;
  const procedure = orders.flatMap((held) => held.procedures).find(({ stored }) => stored.id === procedureId);
  if (!procedure) return undefined;
  const causedBy = unit.department.config.organisation.application;
  takeDown(procedure, 'imagesGivenUp', { messageId: undefined, causedBy, at, remark: imagesKnown(procedure) });
  await finish(unit, orders, at);
  return procedure;
}

/** How many images are there, for the history. */
export function imagesKnown({ machine }: HeldProcedure): string {
  const { named, available } = machine.context.instances;
  return `${available} of ${named} instances are known to be available`;
}
