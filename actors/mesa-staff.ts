import { componentOf } from './mesa-message.ts';
import type { FieldsOfMessage } from './mesa-message.ts';

/** What was done at the Order Filler, or why nobody did it. */
export type Done = { readonly done: true; readonly note?: string } | { readonly done: false; readonly reason: string };

/** What a person does at the Order Filler. Each rejects with Error when it was tried and refused. */
export interface Staff {
  /** Puts what was ordered on the worklist of a station. */
  schedule(what: { order: string; reference: FieldsOfMessage; station: string | undefined }): Promise<Done>;
  cancel(what: { order: string; reference: FieldsOfMessage }): Promise<Done>;
  /** Places an order of the department like the kit's; for a study that was made before it, when there is one. */
  order(what: { reference: FieldsOfMessage; placer: string; studyInstanceUid: string | undefined }): Promise<Done>;
  /** Binds what was performed without an order to an order. */
  bind(what: { order: string; mppsUid: string; studyInstanceUid: string }): Promise<Done>;
}

interface ProcedureView {
  readonly requestedProcedureId: string;
  readonly state: string;
  readonly studyInstanceUid: string;
}

/** The interface said no: the sentence is its own. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number, sentence: string) {
    super(`${sentence} (${status})`);
    this.status = status;
  }
}

/** Our own Order Filler: its HTTP interface does what a person would do. */
export function staffOfOurs(address: string, token: string | undefined): Staff {
  const call = async (method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${address}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        'x-reason': 'MESA',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch(() => {
      throw new Error(`nothing answers at ${address} (http in the site file), where staff would do this`);
    });
    const answer = (await response.json()) as { detail?: string; title?: string };
    if (response.ok) return answer;
    throw new Refused(response.status, `${method} ${path.split('?')[0]}: ${answer.detail ?? answer.title ?? ''}`);
  };
  const proceduresOf = async (order: string): Promise<readonly ProcedureView[]> => {
    const found = await call('GET', `/api/procedures?placerOrderNumber=${encodeURIComponent(order)}`);
    return (found as { items: ProcedureView[] }).items;
  };
  const eachIn = async (order: string, state: string, act: (id: string) => Promise<unknown>): Promise<string> => {
    const procedures = await proceduresOf(order);
    if (procedures.length === 0) throw new Error(`order ${order} has no procedure: was it taken?`);
    const wanted = procedures.filter((procedure) => procedure.state === state);
    for (const { requestedProcedureId } of wanted) await act(requestedProcedureId);
    return wanted.length > 0 ? '' : `its procedures are ${procedures.map((one) => one.state).join(', ')} already`;
  };
  /** Where the site schedules by itself, what was bound has been announced with it. */
  const announce = async (id: string): Promise<Done> => {
    try {
      await call('POST', `/api/procedures/${id}/schedule`, {});
      return { done: true };
    } catch (error) {
      if (error instanceof Refused && error.status === 409) return { done: true, note: 'it was announced already' };
      throw error;
    }
  };
  return {
    schedule: async ({ order, station }) => {
      const body = station === undefined ? {} : { station };
      const note = await eachIn(order, 'planned', (id) => call('POST', `/api/procedures/${id}/schedule`, body));
      return note === '' ? { done: true } : { done: true, note };
    },
    cancel: async ({ order }) => {
      const note = await eachIn(order, 'scheduled', (id) => call('POST', `/api/procedures/${id}/cancel`, {}));
      if (note !== '') throw new Error(`order ${order} cannot be cancelled: ${note}`);
      return { done: true };
    },
    order: async ({ reference, placer, studyInstanceUid }) => {
      await call('POST', '/api/orders', { ...orderLike(reference), placer, studyInstanceUid });
      return { done: true };
    },
    bind: async ({ order, mppsUid, studyInstanceUid }) => {
      const isBound = (procedure: ProcedureView): boolean => procedure.studyInstanceUid === studyInstanceUid;
      if (!(await proceduresOf(order)).some(isBound))
        await call('POST', `/api/unscheduled/${mppsUid}/match`, { placerOrderNumber: order });
      const bound = (await proceduresOf(order)).find(isBound);
      if (!bound) throw new Error(`order ${order} has no procedure with the study of the modality`);
      return announce(bound.requestedProcedureId);
    },
  };
}

/** Leaves out what is empty. */
function filled<T extends object>(values: T): Partial<T> | undefined {
  const entries = Object.entries(values).filter(([, value]) => value !== '' && value !== undefined);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as Partial<T>);
}

function codedLike(field: string): object | undefined {
  const [code = '', meaning = '', scheme = ''] = [1, 2, 3].map((position) => componentOf(field, position));
  return code === '' ? undefined : filled({ code, meaning, scheme });
}

const dayOf = (text: string): string => text.slice(0, 8).replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3');

/** `YYYYMMDDHHMM` as the interface takes it; a date alone is its midnight. */
function startOf(text: string): string | undefined {
  if (!/^\d{8}/.test(text)) return undefined;
  const time = text
    .slice(8, 12)
    .padEnd(4, '0')
    .replace(/^(\d{2})/, '$1:');
  return `${dayOf(text)}T${time}`;
}

/** The body of `POST /api/orders` that asks for what the kit's message asks for. */
export function orderLike({ field, component }: FieldsOfMessage): object {
  const identifier = { value: component('PID-3', 1), assigningAuthority: component('PID-3', 4) };
  const named = (place: string, first: number): object | undefined =>
    filled({
      family: component(place, first),
      given: component(place, first + 1),
      middle: component(place, first + 2),
      suffix: component(place, first + 3),
      prefix: component(place, first + 4),
    });
  return {
    patient: {
      identifiers: [filled(identifier)],
      name: named('PID-5', 1),
      birthDate: field('PID-7') === '' ? undefined : dayOf(field('PID-7')),
      sex: field('PID-8') || undefined,
    },
    visitNumber: component('PV1-19', 1) || undefined,
    service: codedLike(field('OBR-4')),
    start: startOf(component('ORC-7', 4)),
    priority: component('ORC-7', 6) || undefined,
    orderingProvider: { ...filled({ id: component('ORC-12', 1) }), ...named('ORC-12', 2) },
    enteringOrganisation: codedLike(field('ORC-17')),
    callBackPhone: field('ORC-14') || undefined,
    reason: codedLike(field('OBR-31')),
    relevantClinicalInformation: field('OBR-13') || undefined,
    transportationMode: field('OBR-30') || undefined,
  };
}

/** Somebody else's Order Filler: the tester is asked to do it there, and says when it is done. */
export function staffAsked(ask: ((text: string) => Promise<void>) | undefined): Staff {
  const told = async (text: string): Promise<Done> => {
    if (!ask) return { done: false, reason: `nobody is at a terminal to do this at the Order Filler: ${text}` };
    await ask(text);
    return { done: true };
  };
  const service = ({ field, component }: FieldsOfMessage): string => {
    const protocol = component('OBR-4', 4);
    const modality = field('OBR-24');
    return [
      `${component('OBR-4', 1)} (${component('OBR-4', 2)})`,
      ...(protocol === '' ? [] : [`protocol ${protocol}`]),
      ...(modality === '' ? [] : [`modality ${modality}`]),
    ].join(', ');
  };
  return {
    schedule: ({ order, reference, station }) =>
      told(`schedule order ${order}: ${service(reference)}${station === undefined ? '' : `, on station ${station}`}`),
    cancel: ({ order }) => told(`cancel order ${order}`),
    order: ({ reference, studyInstanceUid }) =>
      told(
        `order ${service(reference)} for the patient with identifier ${reference.component('PID-3', 1)}` +
          (studyInstanceUid === undefined ? '' : `, for study ${studyInstanceUid}, which has been performed`),
      ),
    bind: ({ order, studyInstanceUid }) =>
      told(`bind study ${studyInstanceUid}, which was performed, to order ${order}`),
  };
}
