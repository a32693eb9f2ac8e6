import { expect } from 'vitest';
import type { DatasetInput } from '../../src/dicom/dataset.ts';
import type { TimerView } from '../../src/store/read-timers.ts';
import { fireDueTimers } from '../../src/transactions/timers.ts';
import { type TestDepartment, startDepartment } from '../http/support.ts';
import { type OrderFields, orderReply, orm, serial } from './messages.ts';
import { type StepOnWorklist, inProgress, newUid, stepsOf } from './mpps.ts';
import type { PeerEntry, TestSite } from './server.ts';

const hl7 = (name: string, port: number) =>
  ({ host: '127.0.0.1', port, application: name, facility: 'CLINIC', version: '2.3.1' }) as const;
const peers: PeerEntry[] = [
  { name: 'OP', actor: 'order-placer', hl7: hl7('OP', 4001) },
  {
    name: 'IM',
    actor: 'image-manager',
    hl7: hl7('IM', 4002),
    dicom: { aeTitle: 'ARCHIVE', host: '127.0.0.1', port: 4004 },
  },
];

/** A department whose timers have these effects; the others are alarms. */
export const withEffects = (effects: Readonly<Record<string, string>>, site: TestSite = {}): Promise<TestDepartment> =>
  startDepartment({
    peers,
    timers: Object.fromEntries(Object.entries(effects).map(([kind, effect]) => [kind, { effect }])),
    ...site,
  });

export const HOUR = 3_600_000;

export async function ordered(at: TestDepartment, order: OrderFields = {}): Promise<StepOnWorklist[]> {
  const placerOrderNumber = `T${serial()}`;
  await at.hl7(orm([{ orcStart: '20260105100000', ...order, placerOrderNumber: `${placerOrderNumber}^HIS` }]));
  return stepsOf(at.store, placerOrderNumber);
}

export const first = (steps: readonly StepOnWorklist[]): StepOnWorklist => {
  const [step] = steps;
  if (!step) throw new Error('the order has no step');
  return step;
};

export async function begun(at: TestDepartment, step: StepOnWorklist, change: DatasetInput = {}): Promise<string> {
  const uid = newUid();
  expect(await at.nCreate(uid, inProgress([step], change))).toBe(0);
  return uid;
}

/** An order of the department that waits for its number; its filler order number and requested procedure ID. */
export async function placed(at: TestDepartment) {
  const patient = {
    identifiers: [{ value: `T${serial()}`, assigningAuthority: 'CLINIC' }],
    name: { family: 'Lindqvist' },
  };
  const { body } = await at.post('/api/orders', { patient, service: { code: 'WRIST', scheme: 'TESTPLAN' } });
  const { fillerOrderNumber, procedures } = body as { fillerOrderNumber: string; procedures: StepOnWorklist[] };
  return { fillerOrderNumber, requestedProcedureId: procedures[0]?.requestedProcedureId ?? '' };
}

export const numbering = (fillerOrderNumber: string): string =>
  orderReply({
    control: 'NA',
    placerOrderNumber: `N${serial()}^HIS`,
    fillerOrderNumber: `${fillerOrderNumber}^SWF_OF`,
  });

export type About = Pick<StepOnWorklist, 'requestedProcedureId'>;

/** GET /api/timers of one procedure, oldest first. */
export async function timersOf(at: TestDepartment, { requestedProcedureId }: About): Promise<TimerView[]> {
  const { body } = await at.get('/api/timers?limit=500');
  const { items } = body as { items: TimerView[] };
  return items.filter(({ requestedProcedureIds: ids }) => ids.includes(requestedProcedureId)).reverse();
}

/** `kind state effect` of each. */
export const inShort = async (at: TestDepartment, about: About): Promise<string[]> =>
  (await timersOf(at, about)).map(({ kind, state, effect }) => [kind, state, effect].filter(Boolean).join(' '));

export const stateOf = async (at: TestDepartment, { requestedProcedureId }: About) => {
  const row = await at.store.prisma.requestedProcedure.findUniqueOrThrow({
    where: { requestedProcedureId },
    include: { steps: { orderBy: { id: 'asc' } }, order: true },
  });
  return [row.state, ...row.steps.map(({ stepStatus }) => stepStatus)].join(' ');
};

/** `event: remark` of what a timer did to a procedure. */
export const storyOf = async (at: TestDepartment, { requestedProcedureId }: About) =>
  (
    await at.store.prisma.history.findMany({
      where: { procedure: { requestedProcedureId }, causedBy: 'timer' },
      orderBy: { id: 'asc' },
    })
  ).map(({ event, remark, fromState, toState }) => `${event} ${fromState}>${toState}: ${remark ?? ''}`);

/** What was put into the lanes for a procedure or its order while something was done: `OP RAD-3 OC`. */
export async function newsWhile(at: TestDepartment, work: () => Promise<unknown>): Promise<string[]> {
  const last = (await at.store.prisma.delivery.aggregate({ _max: { id: true } }))._max.id ?? 0;
  await work();
  const rows = await at.store.prisma.delivery.findMany({
    where: { id: { gt: last } },
    include: { message: true },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ destination, effect }) => `${destination} ${effect}`);
}

/** Lets time pass and fires what is due. */
export async function later(at: TestDepartment, milliseconds: number): Promise<void> {
  at.clock.advance(milliseconds);
  while (await fireDueTimers(at.department));
}

export const instant = (at: TestDepartment, milliseconds = 0): string =>
  new Date(at.clock.now().getTime() + milliseconds).toISOString();
