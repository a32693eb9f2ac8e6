import { z } from 'zod';
import { type WholeMessage, findMessage, listMessages } from '../store/read-messages.ts';
import { charsetOf, textOf } from './hl7-text.ts';
import { ProblemError } from './problem.ts';
import { MAX_ID, type Route, listOf, optional, paging, route, text, whole } from './route.ts';
import { message, wholeMessage } from './schemas-messages.ts';

/** One of some words, in upper or lower case. */
function anyCase<const T extends string>(words: readonly T[]) {
  const canonical = (value: unknown): unknown =>
    words.find((word) => word.toLowerCase() === String(value).toLowerCase()) ?? value;
  return z.preprocess((value) => (value === '' ? undefined : canonical(value)), z.enum(words).optional());
}

function shown({ message: entry, raw, answer, ...more }: WholeMessage) {
  const encoding = entry.protocol === 'HL7' ? ('text' as const) : ('base64' as const);
  const written = (bytes: Uint8Array): string =>
    encoding === 'text' ? textOf(bytes) : Buffer.from(bytes).toString('base64');
  return { ...entry, encoding, raw: written(raw), answer: answer && written(answer), ...more };
}

/** The bytes as they stood on the wire, in their own character set. */
function asText({ message: entry, raw, answer }: WholeMessage, part: 'message' | 'answer') {
  if (entry.protocol !== 'HL7') {
    throw new ProblemError('not-acceptable', 'a DICOM data set is not text: ask for application/json');
  }
  const body = part === 'message' ? raw : answer;
  if (!body) throw new ProblemError('unknown-key', 'this message has no answer yet');
  return { type: `text/plain; charset=${charsetOf(body)}`, body };
}

/** The journal: both directions, HL7 and DICOM. */
export const messageRoutes: readonly Route[] = [
  route({
    path: '/api/messages',
    summary: 'The journal of both directions, newest first.',
    query: z.strictObject({
      direction: anyCase(['in', 'out']),
      protocol: anyCase(['HL7', 'DICOM']),
      transaction: optional(text).describe('RAD-n'),
      peer: optional(text).describe('Sending application, AE title, or name of the peer'),
      outcome: anyCase(['accepted', 'refused', 'waiting', 'skipped']),
      controlId: optional(text).describe('MSH-10, or the affected SOP Instance UID'),
      requestedProcedureId: optional(text).describe('What moved or tells of this procedure, its order or its patient'),
      ...paging,
    }),
    response: { name: 'MessageList', schema: listOf(message) },
    answer: async ({ department }, { query }) => {
      const { limit, after, ...filter } = query;
      return { json: await listMessages(department.store, filter, { limit, after }) };
    },
  }),
  route({
    path: '/api/messages/{id}',
    summary: 'One message with its answer. As text/plain: the HL7 message as it stood on the wire.',
    params: z.strictObject({ id: whole(1, MAX_ID) }),
    query: z.strictObject({
      part: optional(z.enum(['message', 'answer'])).describe('As text/plain: which of the two; default message'),
    }),
    response: { name: 'Message', schema: wholeMessage },
    texts: ['text/plain'],
    problems: [404, 406],
    answer: async ({ department }, { params, query, wantsText }) => {
      const found = await findMessage(department.store, params.id);
      if (!found) throw new ProblemError('unknown-key', 'the journal has no message with this id');
      return wantsText ? asText(found, query.part ?? 'message') : { json: shown(found) };
    },
  }),
];
