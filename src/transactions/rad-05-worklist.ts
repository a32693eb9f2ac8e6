import { type Dataset, dataset, items, text, toDicomJson } from '../dicom/dataset.ts';
import type { FinalStatus, FindAnswer, FindRow, RequestContext } from '../dicom/handlers.ts';
import { answerFor } from '../dicom/worklist-answer.ts';
import { checkWorklistIdentifier, unsupportedKeys } from '../dicom/worklist-keys.ts';
import { readableBy } from '../dicom/worklist-quirks.ts';
import { localTimeOf } from '../platform/clock.ts';
import { SwfError } from '../platform/errors.ts';
import type { Confirmation } from '../workflow/vocabulary.ts';
import { admitRequest } from '../store/messages.ts';
import type { Department } from './department.ts';
import { finish, holdOrders, runUnit, send } from './unit-of-work.ts';
import { ordersOfProcedures } from '../store/find-procedures.ts';
import { matches, worklistQueryOf } from './worklist-query.ts';

// PS3.4 K.4.1.1.4
const PENDING = 0xff00;
const PENDING_KEYS_UNSUPPORTED = 0xff01;
const OUT_OF_RESOURCES = 0xa700;

/** RAD-5 Query Modality Worklist (RAD TF-2 4.5): streams the answer; the first offer of a procedure is noted afterwards. */
export function findWorklist(department: Department, identifier: Dataset, context: Asker): FindAnswer {
  const offered = new Set<number>();
  const at = department.clock.now();
  const limit = department.config.limits.dicom.worklistRows;
  const query = worklistQueryOf(department.config, identifier, context);
  const { quirks } = query;
  const asker = { aeTitle: context.callingAeTitle, keys: query.keys };
  async function* answer(): AsyncGenerator<FindRow, FinalStatus | undefined> {
    const refusal = checkWorklistIdentifier(query.keys);
    if (refusal) return refusal;
    const readable = characterSetOf(department, context.callingAeTitle);
    const isPartial = unsupportedKeys(query.keys).length > 0 && !quirks.has('pending-ff00');
    const status = isPartial ? PENDING_KEYS_UNSUPPORTED : PENDING;
    let rows = 0;
    for await (const { row, item } of matches(department, query, 'what is asked')) {
      if (++rows > limit) return { status: OUT_OF_RESOURCES, comment: `more than ${limit} matches; ask for less` };
      if (!row.offered) offered.add(row.procedureId);
      const dataset = readableBy(answerFor(item, query.keys, readable), quirks, asker);
      yield { status, dataset };
    }
    return undefined;
  }
  const afterwards = (rows: number): void => {
    const durationMs = department.clock.now().getTime() - at.getTime();
    const { callingAeTitle: peer, calledAeTitle: called } = context;
    const view = called === department.config.dicom.aeTitle ? {} : { view: called };
    const about = { transaction: 'RAD-5', peer, ...view, ...askedOf(identifier) };
    department.log.info({ ...about, rows, durationMs }, 'worklist query');
    if (offered.size > 0)
      department.background.run(() => noteOffers(department, { context, at, procedureIds: [...offered] }));
  };
  return Object.assign(answer(), { afterwards });
}

/** Station, day and modality of a query: why a list is empty can be seen by them, and nobody's name. */
function askedOf(identifier: Dataset): { station?: string; date?: string; modality?: string } {
  const [step] = items(identifier, 'ScheduledProcedureStepSequence');
  const shown = (keyword: string): string | undefined => {
    const value = step && text(step, keyword);
    return value !== undefined && /^[\x20-\x7e]{1,40}$/.test(value) ? value : undefined;
  };
  const asked = {
    station: shown('ScheduledStationAETitle'),
    date: shown('ScheduledProcedureStepStartDate'),
    modality: shown('Modality'),
  };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}

/** What the site says that a station can read: `ISO_IR 100`, or several terms with a backslash between. */
function characterSetOf(department: Department, aeTitle: string): string[] | undefined {
  const station = department.config.stations.find((one) => one.aeTitle === aeTitle);
  return station?.characterSet?.split('\\');
}

/** Who asked whom, and with what bytes. */
type Asker = Pick<RequestContext, 'callingAeTitle' | 'calledAeTitle' | 'raw' | 'transferSyntaxUid'>;

interface Offers {
  readonly context: Asker;
  readonly at: Date;
  readonly procedureIds: readonly number[];
}

// Small units, so that nobody waits long for a patient's lock.
const OFFERS_IN_A_UNIT = 20;

/** Each procedure that was offered for the first time learns it: one journal entry for the query, small units. */
async function noteOffers(department: Department, { context, at, procedureIds }: Offers): Promise<void> {
  const { callingAeTitle, raw, transferSyntaxUid } = context;
  const messageId = await department.store.transaction((tx) =>
    admitRequest(
      tx,
      {
        protocol: 'DICOM',
        transaction: 'RAD-5',
        messageType: 'C-FIND',
        controlId: '',
        sendingApplication: callingAeTitle,
        sendingFacility: '',
        raw,
        transferSyntaxUid,
        at,
      },
      '0000',
    ),
  );
  const confirmation: Confirmation = {
    kind: 'query',
    peer: callingAeTitle,
    messageId,
    code: '0000',
    at: at.toISOString(),
  };
  for (let first = 0; first < procedureIds.length; first += OFFERS_IN_A_UNIT) {
    await noteOffersOf(department, procedureIds.slice(first, first + OFFERS_IN_A_UNIT), confirmation);
  }
}

async function noteOffersOf(
  department: Department,
  procedureIds: readonly number[],
  confirmation: Confirmation,
): Promise<void> {
  await runUnit(department, async (unit) => {
    const orders = await holdOrders(unit, await ordersOfProcedures(unit.tx, procedureIds));
    const cause = { messageId: confirmation.messageId, causedBy: confirmation.peer, at: new Date(confirmation.at) };
    for (const procedure of orders.flatMap((held) => held.procedures)) {
      // Another answer may have been first; then there is nothing to note.
      const isNews = procedureIds.includes(procedure.stored.id) && !procedure.machine.context.confirmations[4];
      if (isNews) send(procedure, { type: 'offered', confirmation }, cause);
    }
    await finish(unit, orders, cause.at);
  });
}

/** What a person asks the worklist for. */
export interface WorklistQuestion {
  readonly scheduledStationAeTitle?: string | undefined;
  /** `YYYY-MM-DD`, `YYYYMMDD`, `today`, or a range `a-b` of the compact form. */
  readonly date?: string | undefined;
  readonly modality?: string | undefined;
  readonly patientId?: string | undefined;
  readonly accessionNumber?: string | undefined;
  readonly requestedProcedureId?: string | undefined;
}

/** A day or a range as DICOM asks for it. Throws 'data-type' for anything else. */
export function worklistDate(text: string, today: string): string {
  if (text === 'today') return today.replaceAll('-', '');
  const compact = /^\d{4}-\d{2}-\d{2}$/.test(text) ? text.replaceAll('-', '') : text;
  if (/^(\d{8}|\d{8}-(\d{8})?|-\d{8})$/.test(compact)) return compact;
  throw new SwfError('data-type', 'a date is YYYY-MM-DD, YYYYMMDD, today, or a range YYYYMMDD-YYYYMMDD');
}

/** The keys that a question asks by; who wants to see more adds return keys. */
export function worklistKeys(question: WorklistQuestion, today: string): Dataset {
  const date = question.date === undefined ? null : worklistDate(question.date, today);
  return dataset({
    PatientID: question.patientId ?? null,
    AccessionNumber: question.accessionNumber ?? null,
    RequestedProcedureID: question.requestedProcedureId ?? null,
    ScheduledProcedureStepSequence: [
      {
        ScheduledStationAETitle: question.scheduledStationAeTitle ?? null,
        ScheduledProcedureStepStartDate: date,
        Modality: question.modality ?? null,
      },
    ],
  });
}

/** A question as the identifier of a query; throws 'data-type' for one that C-FIND would refuse. */
export function worklistIdentifier(department: Department, question: WorklistQuestion): Dataset {
  const today = localTimeOf(department.clock.now(), department.config.organisation.timeZone).date;
  const identifier = worklistKeys(question, today);
  const refusal = checkWorklistIdentifier(identifier);
  if (refusal) throw new SwfError('data-type', refusal.comment);
  return identifier;
}

/** What C-FIND would answer, as DICOM JSON (PS3.18 Annex F): whole items, up to the site's limit. */
export async function worklistAsJson(
  department: Department,
  question: WorklistQuestion,
): Promise<{ items: object[]; truncated: boolean }> {
  const query = worklistQueryOf(department.config, worklistIdentifier(department, question), {});
  const items: object[] = [];
  for await (const { item } of matches(department, query, 'everything')) {
    if (items.length >= department.config.limits.dicom.worklistRows) return { items, truncated: true };
    items.push(toDicomJson(item));
  }
  return { items, truncated: false };
}
