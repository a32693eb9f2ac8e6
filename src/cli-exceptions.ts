import type { z } from 'zod';
import { get, serverAddress } from './cli-http.ts';
import { type Command, UsageError, configOf, parse, table } from './cli-io.ts';
import { listOf } from './http/route.ts';
import { exception } from './http/schemas-exceptions.ts';
import type { Config } from './platform/config.ts';
import { SwfError } from './platform/errors.ts';
import { exceptionKindNames, isExceptionKind } from './workflow/exceptions.ts';

type Exception = z.output<typeof exception>;
type NextStep = Exception['nextSteps'][number];

const exceptionList = listOf(exception);

/** A word as a shell takes it for one. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** The command that does a step; texts that are empty in it have to be filled. */
function commandOf(config: Config, { path, body, reason }: NextStep): string {
  const headers = [
    ...(config.apiToken === undefined ? [] : ['-H "Authorization: Bearer $SWF_API_TOKEN"']),
    ...(reason === 'required' ? [`-H 'X-Reason: why'`] : []),
    ...(body === null ? [] : [`-H 'Content-Type: application/json' -d ${quoted(JSON.stringify(body))}`]),
  ];
  const url = `${serverAddress(config)}${path}`;
  return ['curl -X POST', ...headers, /[?{]/.test(url) ? quoted(url) : url].join(' ');
}

const columns = ['KIND', 'SINCE', 'PROCEDURE', 'ORDER', 'ACCESSION', 'LANE', 'ID'];

const rowOf = (one: Exception): string[] => [
  one.kind,
  one.since.slice(0, 19).replace('T', ' '),
  one.requestedProcedureIds.join(','),
  one.placerOrderNumber ?? '',
  one.accessionNumber ?? '',
  one.destination ?? '',
  one.id,
];

function blockOf(config: Config, one: Exception): string {
  const width = Math.max(...one.nextSteps.map(({ action }) => action.length));
  const steps = one.nextSteps.map((step) => `  ${step.action.padEnd(width)}  ${commandOf(config, step)}`);
  return ['', `${one.id}  ${one.sentence}${one.detail === null ? '' : ` ${one.detail}`}`, ...steps].join('\n');
}

const hint =
  'Empty texts and {...} have to be filled, or left out. With dryRun=true behind its path (?, or & after a ?) a step is only shown.';

async function pages(config: Config, wanted: Readonly<Record<string, string | undefined>>): Promise<Exception[]> {
  const all: Exception[] = [];
  for (let after: string | undefined; ;) {
    const { ok, body, detail } = await get(config, '/api/exceptions', { ...wanted, after, limit: '500' });
    const page = exceptionList.safeParse(body);
    if (!ok || !page.success)
      throw new SwfError('internal', detail || 'the server answered something else: is it of the same version?');
    all.push(...page.data.items);
    if (page.data.next === null) return all;
    after = page.data.next;
  }
}

/** `swf exceptions`: everything that a person has to look at, with the command for each step that is allowed now. */
export const runExceptions: Command = async (args, io) => {
  const parsed = parse(args, { texts: ['kind', 'procedure'], flags: ['json'] });
  const config = configOf(parsed, io);
  const { kind, procedure } = parsed.text;
  if (kind !== undefined && !isExceptionKind(kind))
    throw new UsageError(`there is no kind ${JSON.stringify(kind)}: ${exceptionKindNames.join(', ')}`);
  const all = await pages(config, { kind, requestedProcedureId: procedure });
  if (parsed.flags.has('json')) io.print(JSON.stringify(all, undefined, 2));
  else if (all.length > 0) {
    io.print(table([columns, ...all.map(rowOf)]));
    for (const one of all) io.print(blockOf(config, one));
    io.print(`\n${hint}`);
  }
  io.error(all.length === 0 ? 'nobody has to look at anything' : `${all.length} to look at`);
  return 0;
};
