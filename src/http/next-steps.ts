import type { ExceptionView } from '../store/read-exceptions.ts';
import {
  type ExceptionAction,
  type ExceptionFacts,
  type ExceptionKind,
  type PossibleStep,
  possibleSteps,
} from '../workflow/exceptions.ts';
import { type ProcedureAction, procedureActions } from '../workflow/staff-actions.ts';

/** What can be done next: a request that is not refused as the state is now; texts that are empty have to be filled. */
export interface NextStep {
  readonly action: ExceptionAction;
  readonly summary: string;
  readonly method: 'POST';
  readonly path: string;
  readonly body: Body | null;
  readonly reason: 'required' | 'optional';
}

type Body = Readonly<Record<string, unknown>>;

type Said = Omit<NextStep, 'action' | 'method' | 'reason'> & Partial<Pick<NextStep, 'reason'>>;

const summaries: Readonly<Record<ProcedureAction, string>> = {
  schedule: 'Put it on the worklist.',
  reschedule: 'Move it to another time (start), or to another station (station).',
  cancel: 'Cancel it; everybody who knows of it is told.',
  hold: 'Take it off the worklist.',
  release: 'Put it back on the worklist.',
  'no-show': 'Note that the patient did not come.',
  arrive: 'Note that the patient has arrived.',
  depart: 'Note that the patient has left.',
  decide: 'Say whether it was enough (complete), or its step is performed again (repeat).',
  discontinue: 'End it: what was done of it stays done.',
  change: 'Say which procedure it is, by a code of the catalogue.',
  reorder: 'Cancel its order, and order another service in its place.',
};

/** What an action has to be told, beside the step. */
const bodies: { readonly [action in ProcedureAction]?: Body } = {
  reschedule: { start: '' },
  decide: { decision: 'complete' },
  change: { code: { code: '', scheme: '', meaning: '' } },
  reorder: { service: { code: '', scheme: '', meaning: '' } },
};

const isProcedureAction = (action: ExceptionAction): action is ProcedureAction =>
  procedureActions.some((one) => one === action);

function withProcedure({ action, requestedProcedureId, step }: PossibleStep & { action: ProcedureAction }): Said {
  const body = { ...bodies[action], ...(step === undefined ? {} : { step }) };
  const path = `/api/procedures/${requestedProcedureId}/${action}`;
  return { summary: summaries[action], path, body: Object.keys(body).length > 0 ? body : null };
}

const path = (...parts: readonly string[]): string => `/api/${parts.map(encodeURIComponent).join('/')}`;

const ofTemporaryPatient = ({ procedures }: ExceptionFacts): string =>
  path('procedures', procedures.find(({ reconcilable }) => reconcilable)?.requestedProcedureId ?? '');

/** Where the number and the name are not of one patient, the modality may have had the number of another one. */
const wrongNumber = (kind: ExceptionKind): Body => (kind === 'patient-differs' ? { anotherPatient: true } : {});

/** Steps that are no procedure's. */
const others: Readonly<Record<Exclude<ExceptionAction, ProcedureAction>, (of: ExceptionView) => Said>> = {
  match: ({ kind, mppsUid }) => ({
    summary: 'Bind it to an order that is known, by one of its numbers.',
    path: path('unscheduled', mppsUid ?? '', 'match'),
    body: { placerOrderNumber: '', ...wrongNumber(kind) },
  }),
  order: ({ kind, studyInstanceUid }) => ({
    summary: 'Order it from the order placer, under the study of the modality.',
    path: path('orders'),
    body: {
      patient: { identifiers: [{ value: '', assigningAuthority: '' }], name: { family: '', given: '' } },
      service: { code: '', scheme: '' },
      studyInstanceUid,
      ...wrongNumber(kind),
    },
  }),
  // No identifier stands in a URL: proxies and shells keep those.
  reconcile: ({ facts }) => ({
    summary: `Say who the temporary patient {id} is: patientId of ${ofTemporaryPatient(facts)}.`,
    path: '/api/patients/{id}/reconcile?assigningAuthority={assigningAuthority}',
    body: { survivor: { value: '', assigningAuthority: '' } },
  }),
  resume: ({ destination }) => ({
    summary: 'Let the stopped lane go on.',
    path: path('destinations', destination ?? '', 'resume'),
    body: null,
  }),
  retry: ({ destination, messageId }) => ({
    summary: 'Send it again, when its cause is corrected.',
    path: path('destinations', destination ?? '', 'retry'),
    body: { messageId },
  }),
  skip: ({ destination, messageId }) => ({
    summary: 'Close it: the peer has been told otherwise, or need not know.',
    path: path('destinations', destination ?? '', 'skip'),
    body: { messageId },
    reason: 'required',
  }),
  settle: ({ id }) => ({
    summary: 'Close it: nothing else is to be done.',
    path: path('exceptions', id, 'settle'),
    body: null,
    reason: 'required',
  }),
};

/** What can be done about an exception as it stands. */
export function nextStepsOf(exception: ExceptionView): NextStep[] {
  return possibleSteps(exception.kind, exception.facts).map((possible) => {
    const { action } = possible;
    const said = isProcedureAction(action) ? withProcedure({ ...possible, action }) : others[action](exception);
    return { action, method: 'POST', reason: 'optional', ...said };
  });
}
