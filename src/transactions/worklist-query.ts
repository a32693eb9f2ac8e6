import type { Dataset } from '../dicom/dataset.ts';
import { matchesWorklist, worklistConditions } from '../dicom/matching.ts';
import { type Quirks, meantBy } from '../dicom/worklist-quirks.ts';
import { stepToWorklist } from '../mapping/step-to-worklist.ts';
import type { Config } from '../platform/config.ts';
import { type WorklistConditions, type WorklistRow, type WorklistSearch, worklistRows } from '../store/worklist.ts';
import {
  type WorklistLimit,
  type WorklistView,
  isVisible,
  statesOffWorklist,
  worklistStatuses,
} from '../workflow/worklist-visibility.ts';
import type { Department } from './department.ts';

/** Who asks whom, as far as it is known. */
export interface WorklistAsker {
  readonly callingAeTitle?: string | undefined;
  readonly calledAeTitle?: string | undefined;
}

/** A query as the site answers it to whom asks: what he may see, and what his keys mean. */
export interface WorklistQuery {
  readonly keys: Dataset;
  readonly view: WorklistView;
  readonly quirks: Quirks;
  /** What the items say of the site. */
  readonly site: Parameters<typeof stepToWorklist>[1];
}

/** `worklists[]` of the called AE title, and what the calling device may see of it. */
function limitsFor(config: Config, asker: WorklistAsker, quirks: Quirks): WorklistLimit[] {
  const { callingAeTitle, calledAeTitle } = asker;
  const called = config.worklists.filter(({ aeTitle }) => aeTitle === calledAeTitle);
  const limits = called.map(({ aeTitle, modalities, stations }) => ({
    name: `worklist ${aeTitle}`,
    modalities,
    stations,
  }));
  if (callingAeTitle === undefined || !quirks.has('own-station-only')) return limits;
  return [...limits, { name: `${callingAeTitle}, own-station-only`, modalities: [], stations: [callingAeTitle] }];
}

/** What an identifier asks for when this asker sends it. */
export function worklistQueryOf(config: Config, identifier: Dataset, asker: WorklistAsker): WorklistQuery {
  const station = config.stations.find(({ aeTitle }) => aeTitle === asker.callingAeTitle);
  const quirks: Quirks = new Set(station?.quirks ?? []);
  const { application, timeZone } = config.organisation;
  return {
    keys: meantBy(identifier, quirks),
    view: { statuses: worklistStatuses(config.policy), limits: limitsFor(config, asker, quirks) },
    quirks,
    site: { application, timeZone: identifier['TimezoneOffsetFromUTC'] ? timeZone : undefined },
  };
}

/** The part of a view that a database can search by. */
function conditionsOf({ limits }: WorklistView): WorklistConditions[] {
  return limits.map(({ modalities, stations }) => ({
    ...(modalities.length > 0 ? { modalities } : {}),
    ...(stations.length > 0 ? { stationAeTitles: stations } : {}),
  }));
}

export interface Match {
  readonly row: WorklistRow;
  readonly item: Dataset;
}

/** Steps that a search finds, each with its worklist item. */
export async function* candidates(
  department: Department,
  search: WorklistSearch,
  itemOf: (row: WorklistRow) => Dataset,
): AsyncGenerator<Match> {
  for await (const rows of worklistRows(department.store, search)) {
    for (const row of rows) yield { row, item: itemOf(row) };
  }
}

/**
 * Steps that a query finds: the database narrows, the view's rules and PS3.4 C.2.2.2 decide. Items have what the query
 * names, or everything.
 */
export async function* matches(
  department: Department,
  query: WorklistQuery,
  has: 'what is asked' | 'everything',
): AsyncGenerator<Match> {
  const { keys, view, site } = query;
  const itemOf = (row: WorklistRow): Dataset => stepToWorklist(row, site, has === 'everything' ? undefined : keys);
  const search = {
    conditions: [worklistConditions(keys), ...conditionsOf(view)],
    statuses: view.statuses,
    withoutStates: statesOffWorklist,
  };
  for await (const match of candidates(department, search, itemOf)) {
    if (isVisible(match.row, view) && matchesWorklist(match.item, keys)) yield match;
  }
}
