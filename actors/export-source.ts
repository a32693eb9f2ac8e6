import { z } from 'zod';
import { type HttpAddress, NoHttpAnswer, requestByHttp } from './staff.ts';
import { UsageError } from './usage-error.ts';

/** What the HTTP interface says about a procedure, as far as a scenario is made of it. */
const procedureSchema = z.object({
  requestedProcedureId: z.string(),
  accessionNumber: z.string(),
  studyInstanceUid: z.string(),
  steps: z.array(
    z.object({
      scheduledProcedureStepId: z.string(),
      scheduledStationAeTitles: z.array(z.string()),
      start: z.string(),
    }),
  ),
  performedSteps: z.array(z.object({ sopInstanceUid: z.string() })),
});

const historySchema = z.object({
  items: z.array(
    z.object({
      at: z.string(),
      event: z.string(),
      cause: z.object({ messageId: z.int().nullable(), by: z.string().nullable() }),
    }),
  ),
  next: z.string().nullable(),
});

const listSchema = z.object({ items: z.array(z.object({ id: z.int() })), next: z.string().nullable() });

const messageSchema = z.object({
  id: z.int(),
  direction: z.enum(['in', 'out']),
  protocol: z.enum(['HL7', 'DICOM']),
  transaction: z.string().nullable(),
  messageType: z.string(),
  controlId: z.string(),
  sendingApplication: z.string(),
  sendingFacility: z.string(),
  peer: z.string(),
  at: z.string(),
  answerCode: z.string().nullable(),
  raw: z.string(),
  transferSyntaxUid: z.string().nullable(),
});

export type CapturedProcedure = z.infer<typeof procedureSchema>;
export type CapturedMessage = z.infer<typeof messageSchema>;

/** What a person did, by the history: `reschedule`. */
export interface CapturedDeed {
  readonly requestedProcedureId: string;
  readonly event: string;
  readonly at: string;
}

/** What happened to some procedures, as our server kept it. */
export interface Captured {
  readonly procedures: readonly CapturedProcedure[];
  /** In the order of the journal, each once. */
  readonly messages: readonly CapturedMessage[];
  readonly deeds: readonly CapturedDeed[];
}

interface Reader {
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
}

function readerOf(http: HttpAddress, signal: AbortSignal): Reader {
  return {
    get: async (path, schema) => {
      const request = { method: 'GET', path, body: undefined, reason: '' } as const;
      const { status, body } = await requestByHttp(http, request, signal).catch((error: unknown) => {
        if (error instanceof NoHttpAnswer) throw new UsageError([`no answer from ${http.url}: ${error.message}`]);
        throw error;
      });
      if (status !== 200) throw new UsageError([`${http.url} answers ${status} to ${path}: ${detailOf(body)}`]);
      return schema.parse(body);
    },
  };
}

function detailOf(body: unknown): string {
  const { detail, title } = (body ?? {}) as { detail?: unknown; title?: unknown };
  return typeof detail === 'string' ? detail : typeof title === 'string' ? title : 'is it our server?';
}

/** Reads what our server knows of some procedures. Rejects with UsageError when it does not know them. */
export async function readCaptured(ids: readonly string[], http: HttpAddress, signal: AbortSignal): Promise<Captured> {
  const reader = readerOf(http, signal);
  const procedures: CapturedProcedure[] = [];
  const deeds: CapturedDeed[] = [];
  const messageIds = new Set<number>();
  for (const id of ids) {
    const procedure = await reader.get(`/api/procedures/${encodeURIComponent(id)}`, procedureSchema);
    procedures.push(procedure);
    deeds.push(...(await deedsOf(procedure.requestedProcedureId, reader)));
    const queries = [
      `requestedProcedureId=${encodeURIComponent(procedure.requestedProcedureId)}`,
      // What was refused moved no procedure, and is found by the performed step that it is about.
      ...procedure.performedSteps.map(({ sopInstanceUid }) => `controlId=${encodeURIComponent(sopInstanceUid)}`),
    ];
    for (const query of queries) for (const one of await idsOf(query, reader)) messageIds.add(one);
  }
  const messages: CapturedMessage[] = [];
  for (const id of [...messageIds].toSorted((a, b) => a - b)) {
    messages.push(await reader.get(`/api/messages/${id}`, messageSchema));
  }
  return { procedures, messages, deeds };
}

async function idsOf(query: string, reader: Reader): Promise<number[]> {
  const ids: number[] = [];
  let after = '';
  for (;;) {
    const { items, next } = await reader.get(`/api/messages?${query}&limit=100${after}`, listSchema);
    ids.push(...items.map(({ id }) => id));
    if (next === null) return ids;
    after = `&after=${next}`;
  }
}

async function deedsOf(requestedProcedureId: string, reader: Reader): Promise<CapturedDeed[]> {
  const deeds: CapturedDeed[] = [];
  let after = '';
  for (;;) {
    const path = `/api/procedures/${encodeURIComponent(requestedProcedureId)}/history?limit=100${after}`;
    const { items, next } = await reader.get(path, historySchema);
    const byPeople = items.filter(({ cause }) => cause.messageId === null && cause.by !== null);
    deeds.push(...byPeople.map(({ event, at }) => ({ requestedProcedureId, event, at })));
    if (next === null) return deeds;
    after = `&after=${next}`;
  }
}
