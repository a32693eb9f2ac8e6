import { z } from 'zod';
import { findProcedure } from '../store/read-procedures.ts';
import type { Actor } from '../transactions/actions.ts';
import type { Department } from '../transactions/department.ts';
import {
  arriveProcedure,
  cancelProcedure,
  changeProcedure,
  decideProcedure,
  departProcedure,
  discontinueProcedure,
  holdProcedure,
  noteNoShow,
  releaseProcedure,
  rescheduleProcedure,
  scheduleProcedure,
} from '../transactions/department-procedures.ts';
import { reorderProcedure } from '../transactions/reorder.ts';
import { bindToOrder } from '../transactions/unscheduled-binding.ts';
import { match, nothing, procedureBodies } from './bodies.ts';
import { orderPlaced } from './order-actions.ts';
import { procedureId, procedureShown, theOne } from './procedures.ts';
import { type Route, route, text } from './route.ts';
import { order, procedure } from './schemas.ts';

type Act<B> = (department: Department, requestedProcedureId: string, call: { body: B; actor: Actor }) => Promise<void>;

/** `POST /api/procedures/{id}/VERB`; the procedure as it is afterwards. */
function action<B extends z.ZodObject<z.ZodRawShape>>(
  verb: string,
  summary: string,
  body: { readonly name: string; readonly schema: B },
  act: Act<z.output<B>>,
): Route {
  return route({
    method: 'post',
    path: `/api/procedures/{id}/${verb}`,
    summary,
    params: z.strictObject({ id: procedureId }),
    body,
    reason: true,
    response: { name: 'Procedure', schema: procedure },
    problems: [404, 409],
    act: async ({ department }, { params, body: said, actor }) => {
      const { requestedProcedureId } = theOne(await findProcedure(department.store, params.id));
      await act(department, requestedProcedureId, { body: said, actor });
      return requestedProcedureId;
    },
    answer: async ({ department }, _, requestedProcedureId) => ({
      json: procedureShown(theOne(await findProcedure(department.store, requestedProcedureId))),
    }),
  });
}

const { schedule, reschedule, change, arrive, depart, decide, reorder } = procedureBodies;

/** What staff do with a requested procedure. */
export const procedureActionRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/api/unscheduled/{mppsUid}/match',
    summary:
      'Binds what was performed without an order to an order that is known (RAD-4 with the study of the modality).',
    params: z.strictObject({ mppsUid: text.describe('SOP Instance UID of the MPPS') }),
    body: match,
    reason: true,
    response: { name: 'Procedure', schema: procedure },
    problems: [404, 409],
    act: ({ department }, { params, body, actor }) => bindToOrder(department, params.mppsUid, body, actor),
    answer: async ({ department }, _, [requestedProcedureId = '']) => ({
      json: procedureShown(theOne(await findProcedure(department.store, requestedProcedureId))),
    }),
  }),
  route({
    method: 'post',
    path: '/api/procedures/{id}/reorder',
    summary:
      'Orders another service in the place of an order that has not begun, which is cancelled whole (RAD-3 OC, then SN).',
    params: z.strictObject({ id: procedureId }),
    body: reorder,
    reason: true,
    response: { name: 'Order', schema: order },
    status: 201,
    problems: [404, 409],
    act: async ({ department }, { params, body, actor }) => {
      const { requestedProcedureId } = theOne(await findProcedure(department.store, params.id));
      return reorderProcedure(department, requestedProcedureId, body, actor);
    },
    answer: ({ department }, _, accessionNumber) => orderPlaced(department, accessionNumber),
  }),
  action('schedule', 'Puts a planned procedure on the worklist (RAD-4).', schedule, (department, id, { body, actor }) =>
    scheduleProcedure(department, id, body, actor),
  ),
  action('reschedule', 'Moves steps to another time or station (RAD-13).', reschedule, (department, id, call) =>
    rescheduleProcedure(department, id, call.body, call.actor),
  ),
  action('cancel', 'Cancels a procedure that has not begun (RAD-3, RAD-13).', nothing, (department, id, { actor }) =>
    cancelProcedure(department, id, actor),
  ),
  action(
    'hold',
    'Takes a scheduled procedure off the worklist until it is released.',
    nothing,
    (department, id, call) => holdProcedure(department, id, call.actor),
  ),
  action('release', 'Puts a held procedure back on the worklist.', nothing, (department, id, { actor }) =>
    releaseProcedure(department, id, actor),
  ),
  action('discontinue', 'Ends a procedure that is under way (RAD-13, RAD-3).', nothing, (department, id, { actor }) =>
    discontinueProcedure(department, id, actor),
  ),
  action('change', 'Gives a procedure another code under the same study (RAD-13).', change, (department, id, call) =>
    changeProcedure(department, id, call.body.code, call.actor),
  ),
  action(
    'no-show',
    'Notes that the patient did not come: on hold until another appointment.',
    nothing,
    (department, id, { actor }) => noteNoShow(department, id, actor),
  ),
  action('arrive', 'Notes that the patient has arrived.', arrive, (department, id, { body, actor }) =>
    arriveProcedure(department, id, body.step, actor),
  ),
  action('depart', 'Notes that the patient has left without the examination.', depart, (department, id, call) =>
    departProcedure(department, id, call.body.step, call.actor),
  ),
  action(
    'decide',
    'Says of a discontinued MPPS that it was enough, or that its step is performed again.',
    decide,
    (department, id, { body, actor }) => decideProcedure(department, id, body, actor),
  ),
];
