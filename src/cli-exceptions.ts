import type { z } from 'zod';
import { get, serverAddress } from './cli-http.ts';
import { type Command, UsageError, configOf, parse, table } from './cli-io.ts';
import { commandHints, commandOf } from './http/next-step-command.ts';
import { listOf } from './http/route.ts';
import { exception } from './http/schemas-exceptions.ts';
import { wallClock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import { SwfError } from './platform/errors.ts';
import { exceptionKindNames, isExceptionKind } from './workflow/exceptions.ts';

type Exception = z.output<typeof exception>;

const exceptionList = listOf(exception);

const columns = ['KIND', 'SINCE', 'PROCEDURE', 'ORDER', 'ACCESSION', 'LANE', 'ID'];

const rowOf = (config: Config, one: Exception): string[] => [
  one.kind,
  wallClock(new Date(one.since), config.organisation.timeZone),
  one.requestedProcedureIds.join(','),
  one.placerOrderNumber ?? '',
  one.accessionNumber ?? '',
  one.destination ?? '',
  one.id,
];

/** What it is, and each step with what it does and the command for it. */
function blockOf(config: Config, one: Exception): string {
  const steps = one.nextSteps.flatMap((step) => [
    `  ${step.action}: ${step.summary}`,
    `    ${commandOf(step, { address: serverAddress(config), token: config.apiToken })}`,
  ]);
  const title = [one.id, ...one.requestedProcedureIds].join('  ');
  return ['', title, `  ${[one.sentence, one.detail].filter(Boolean).join(' ')}`, ...steps].join('\n');
}

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
    io.print(table([columns, ...all.map((one) => rowOf(config, one))]));
    for (const one of all) io.print(blockOf(config, one));
    io.print(['', ...commandHints].join('\n'));
  }
  const nothing =
    kind === undefined && procedure === undefined
      ? 'nobody has to look at anything'
      : 'nothing of that kind or procedure';
  io.error(all.length === 0 ? nothing : `${all.length} to look at`);
  return 0;
};
