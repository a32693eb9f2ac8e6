import { post } from './cli-http.ts';
import { type Command, UsageError, configOf, parse } from './cli-io.ts';
import { replayed } from './http/schemas-messages.ts';

/** HL7 table 0008, and the DIMSE status of success. */
const accepted: ReadonlySet<string> = new Set(['AA', 'CA', '0000']);

/** `swf replay ID...`: stored inbound messages, carried out again by the running server, one after the other. */
export const runReplay: Command = async (args, io) => {
  const parsed = parse(args, { flags: ['json'], positionals: Infinity });
  const config = configOf(parsed, io);
  const ids = parsed.positionals;
  const wrong = ids.find((id) => !/^[1-9]\d{0,9}$/.test(id));
  if (wrong !== undefined) throw new UsageError(`${JSON.stringify(wrong)} is no id of the journal`);
  if (ids.length === 0) throw new UsageError('say which messages, by their ids in the journal (GET /api/messages)');
  let status = 0;
  for (const id of ids) {
    const { ok, body, detail } = await post(config, `/api/messages/${id}/replay`);
    const done = replayed.safeParse(body);
    if (!ok || !done.success) {
      io.error(`${id}: ${detail || 'the server answered something else: is it of the same version?'}`);
      status = 1;
      continue;
    }
    const { messageId, answerCode } = done.data;
    if (parsed.flags.has('json')) io.print(JSON.stringify({ id: Number(id), messageId, answerCode }));
    else io.print(`${id}  ${answerCode}  message ${messageId}`);
    if (!accepted.has(answerCode)) status = 1;
  }
  return status;
};
