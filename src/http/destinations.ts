import { z } from 'zod';
import { type LaneView, readLanes } from '../store/read-destinations.ts';
import type { Actor } from '../transactions/actions.ts';
import { type Department, lanesOf } from '../transactions/department.ts';
import { type HandledMessage, pauseLane, resumeLane, retryMessage, skipMessage } from '../transactions/lane-actions.ts';
import { laneMessage, nothing } from './bodies.ts';
import { ProblemError } from './problem.ts';
import { type Route, listOf, route, text } from './route.ts';
import { destination, handledLane } from './schemas.ts';

const MS = 1_000;

/** A delivery lane as the interface answers it. */
export function laneShown(department: Department, lane: LaneView) {
  const found = lanesOf(department.config).find(({ name }) => name === lane.destination);
  const since = lane.oldestPendingAt;
  const waited = since === null ? null : department.clock.now().getTime() - Date.parse(since);
  return {
    name: lane.destination,
    actor: found?.peer.actor ?? null,
    address: found ? `${found.address.host}:${found.address.port}` : null,
    paused: lane.pause !== undefined,
    pausedSince: lane.pause?.since ?? null,
    pausedBy: lane.pause?.by ?? null,
    pauseReason: lane.pause?.reason ?? null,
    pending: lane.pending,
    oldestPendingSeconds: waited === null ? null : Math.max(0, Math.floor(waited / MS)),
    refused: lane.refused,
    characterSetProblems: lane.characterSetProblems,
    lastSuccessAt: lane.lastDeliveredAt,
    lastError: lane.lastError,
    lastErrorAt: lane.lastErrorAt,
  };
}

async function laneNamed(department: Department, name: string) {
  const lanes = await readLanes(department.store, [name]);
  const lane = lanes.find(({ destination: one }) => one === name);
  if (lane) return laneShown(department, lane);
  throw new ProblemError('unknown-key', 'there is no lane of this name: GET /api/destinations lists them');
}

type Handle<B> = (
  department: Department,
  lane: string,
  call: { body: B; actor: Actor },
) => Promise<HandledMessage | void>;

interface LaneVerb<B extends z.ZodObject<z.ZodRawShape>> {
  readonly verb: string;
  readonly summary: string;
  readonly body: { readonly name: string; readonly schema: B };
  readonly reason: true | 'required';
}

/** `POST /api/destinations/{name}/VERB`; the lane as it is afterwards, with the message that was handled. */
function laneAction<B extends z.ZodObject<z.ZodRawShape>>(
  { verb, ...definition }: LaneVerb<B>,
  handle: Handle<z.output<B>>,
): Route {
  return route({
    ...definition,
    method: 'post',
    path: `/api/destinations/{name}/${verb}`,
    params: z.strictObject({ name: text.describe('Name of the lane: of the peer, or `PEER.dicom`') }),
    response: { name: 'HandledDestination', schema: handledLane },
    problems: [404, 409],
    act: ({ department }, { params, body, actor }) => handle(department, params.name, { body, actor }),
    answer: async ({ department }, { params }, message) => ({
      json: { ...(await laneNamed(department, params.name)), message: message ?? null },
    }),
  });
}

const pause = { verb: 'pause', summary: 'Stops a lane until it is resumed.', body: nothing, reason: true } as const;
const resume = { verb: 'resume', summary: 'Lets a stopped lane go on.', body: nothing, reason: true } as const;
const retry = {
  verb: 'retry',
  summary: 'Sends a refused message again as the next one of the lane: the same bytes and control id.',
  body: laneMessage,
  reason: true,
} as const;
const skip = {
  verb: 'skip',
  summary: 'Closes a message that was refused or waits, so that the lane goes on.',
  body: laneMessage,
  reason: 'required',
} as const;

/** The delivery lanes, and what staff do with them. */
export const destinationRoutes: readonly Route[] = [
  route({
    path: '/api/destinations',
    summary: 'Delivery lanes: what waits, what was refused, how the last attempt ended, who has stopped it.',
    response: { name: 'DestinationList', schema: listOf(destination) },
    answer: async ({ department }) => {
      const names = lanesOf(department.config).map(({ name }) => name);
      const lanes = await readLanes(department.store, names);
      return { json: { items: lanes.map((lane) => laneShown(department, lane)), next: null } };
    },
  }),
  laneAction(pause, (department, lane, { actor }) => pauseLane(department, lane, actor)),
  laneAction(resume, (department, lane, { actor }) => resumeLane(department, lane, actor)),
  laneAction(retry, (department, lane, { body, actor }) =>
    retryMessage(department, { lane, messageId: body.messageId }, actor),
  ),
  laneAction(skip, (department, lane, { body, actor }) =>
    skipMessage(department, { lane, messageId: body.messageId }, actor),
  ),
];
