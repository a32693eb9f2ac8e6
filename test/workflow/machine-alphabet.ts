import { expect } from 'vitest';
import { SwfError } from '../../src/platform/errors.ts';
import type { Actor } from '../../src/transactions/actions.ts';
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
} from '../../src/transactions/department-procedures.ts';
import type { Department } from '../../src/transactions/department.ts';
import { discontinuationEffect } from '../../src/workflow/discontinuation.ts';
import type { ProcedureEvent } from '../../src/workflow/procedure-events.ts';
import type { StoredMachine } from '../../src/workflow/procedure-machine.ts';
import type { StepStatus } from '../../src/workflow/vocabulary.ts';
import type { TestDepartment } from '../http/support.ts';
import { messageOf, msh, segment, serial } from '../support/messages.ts';
import { type StepOnWorklist, completed, inProgress, newUid, notification } from '../support/mpps.ts';
import { givenUp } from '../support/order-site.ts';
import { confirmation } from './machine.ts';

/** What real messages and staff do with one procedure, beside what its machine is to make of it. */

/** The names of one procedure: those of the model, or of one in the department. */
export interface Names {
  /** Scheduled procedure step IDs. */
  readonly steps: readonly string[];
  /** SOP Instance UID of the MPPS of a step, by its index. */
  readonly performed: readonly string[];
}

/** A procedure in the department that a path is walked with. */
export interface Walked extends Names {
  readonly at: TestDepartment;
  readonly requestedProcedureId: string;
  readonly placerOrderNumber: string;
  readonly worklist: readonly StepOnWorklist[];
  /** Instances of completed MPPS. */
  readonly images: string[];
}

export interface Letter {
  readonly name: string;
  /** What the machine hears; the payload is what the department makes of its own facts. */
  event(machine: StoredMachine, names: Names): ProcedureEvent;
  /** False: the request is answered before any machine hears of it (0110, 0111, 0112, no open step). */
  reaches(machine: StoredMachine, names: Names): boolean;
  /** Refused whatever the machine says: a report tells that the examination took place. */
  barred?(machine: StoredMachine): boolean;
  act(walked: Walked): Promise<unknown>;
}

const always = (): boolean => true;
const actor: Actor = { name: 'staff', reason: undefined };

/** A refusal by the state of the procedure is an answer; any other failure is not. */
const staff =
  (work: (department: Department, id: string) => Promise<void>) =>
  async ({ at, requestedProcedureId }: Walked): Promise<void> => {
    await work(at.department, requestedProcedureId).catch((error: unknown) => {
      if (!(error instanceof SwfError) || error.code !== 'state-forbids') throw error;
    });
  };

const stepsIn = ({ context }: StoredMachine, ...statuses: readonly StepStatus[]): string[] =>
  Object.entries(context.steps).flatMap(([id, { stepStatus }]) => (statuses.includes(stepStatus) ? [id] : []));

const isReported = ({ value }: StoredMachine): boolean => !['none', 'cancelled'].includes(value.report);

const plain = (
  name: string,
  event: Letter['event'],
  act: (department: Department, id: string) => Promise<void>,
): Letter => ({ name, event, reaches: always, act: staff(act) });

const staffLetters: readonly Letter[] = [
  plain(
    'schedule',
    () => ({ type: 'schedule', destinations: ['IM', 'RM'] }),
    (department, id) => scheduleProcedure(department, id, {}, actor),
  ),
  plain(
    'hold',
    () => ({ type: 'hold' }),
    (department, id) => holdProcedure(department, id, actor),
  ),
  plain(
    'noShow',
    () => ({ type: 'hold', noShow: true }),
    (department, id) => noteNoShow(department, id, actor),
  ),
  plain(
    'release',
    () => ({ type: 'release' }),
    (department, id) => releaseProcedure(department, id, actor),
  ),
  plain(
    'reschedule',
    (machine) => ({ type: 'reschedule', movedSteps: stepsIn(machine, 'SCHEDULED', 'ARRIVED', 'READY', 'DEPARTED') }),
    // To another station alone: another time would also take the hold of a no-show off, which is a second event.
    (department, id) => rescheduleProcedure(department, id, { station: 'OTHER1' }, actor),
  ),
  plain(
    'arrive',
    (machine) => ({ type: 'arrive', movedSteps: stepsIn(machine, 'SCHEDULED', 'DEPARTED') }),
    (department, id) => arriveProcedure(department, id, undefined, actor),
  ),
  plain(
    'depart',
    (machine) => ({ type: 'depart', movedSteps: stepsIn(machine, 'ARRIVED', 'READY', 'STARTED') }),
    (department, id) => departProcedure(department, id, undefined, actor),
  ),
  plain(
    'accept',
    (machine) => ({ type: 'decide', movedSteps: stepsIn(machine, 'STARTED'), decided: 'accepted' }),
    (department, id) => decideProcedure(department, id, { decision: 'complete' }, actor),
  ),
  plain(
    'repeat',
    (machine) => ({ type: 'decide', movedSteps: stepsIn(machine, 'STARTED'), decided: 'repeated' }),
    (department, id) => decideProcedure(department, id, { decision: 'repeat' }, actor),
  ),
  plain(
    'change',
    () => ({ type: 'change' }),
    (department, id) => changeProcedure(department, id, { code: 'OTHER', scheme: 'TESTPLAN', meaning: 'Other' }, actor),
  ),
  plain(
    'discontinue',
    () => ({ type: 'discontinue' }),
    (department, id) => discontinueProcedure(department, id, actor),
  ),
  {
    ...plain(
      'cancel',
      () => ({ type: 'cancel' }),
      (department, id) => cancelProcedure(department, id, actor),
    ),
    barred: isReported,
  },
];

const performable: readonly StepStatus[] = ['SCHEDULED', 'ARRIVED', 'READY', 'STARTED', 'DEPARTED', 'COMPLETED'];

/** Where an MPPS stands; undefined before its N-CREATE. */
function standingOf({ context }: StoredMachine, { steps, performed }: Names, index: number): string | undefined {
  return context.steps[steps[index] ?? '']?.performedSteps[performed[index] ?? ''];
}

/** Every completed MPPS of a path names one instance, the others none. */
function instancesOf({ context }: StoredMachine, more: number) {
  const statuses = Object.values(context.steps).flatMap(({ performedSteps }) => Object.values(performedSteps));
  const { available } = context.instances;
  const named = statuses.filter((status) => status === 'COMPLETED').length + more;
  const notification = confirmation(5, { kind: 'notification' });
  return available > 0 ? { named, available, notification } : { named, available };
}

/** What the modality of a step says, under one MPPS. */
function performedLetters(index: number): Letter[] {
  const about = ({ steps, performed }: Names) => ({
    performedStep: performed[index] ?? '',
    steps: [steps[index] ?? ''],
    confirmation: confirmation(6, { kind: 'response' }),
  });
  const goesOn: Letter['reaches'] = (machine, names) => standingOf(machine, names, index) === 'IN PROGRESS';
  const label = (verb: string): string => `${verb}${index + 1}`;
  const ends = (verb: string, code: string): Letter => ({
    name: label(verb),
    event: (machine, names) => {
      const { confirmation: _none, ...performed } = about(names);
      const effect = discontinuationEffect({ code, scheme: 'DCM' });
      return { type: 'performedStepDiscontinued', ...performed, instances: instancesOf(machine, 0), effect };
    },
    reaches: goesOn,
    act: ({ at, performed }) => at.nSet(performed[index] ?? '', completed([], givenUp(code))),
  });
  return [
    {
      name: label('start'),
      event: (_, names) => ({ type: 'performedStepStarted', ...about(names) }),
      reaches: (machine, names) =>
        standingOf(machine, names, index) === undefined &&
        performable.includes(machine.context.steps[names.steps[index] ?? '']?.stepStatus ?? 'CANCELLED'),
      act: ({ at, performed, worklist }) =>
        at.nCreate(performed[index] ?? '', inProgress(worklist.slice(index, index + 1))),
    },
    {
      name: label('complete'),
      event: (machine, names) => ({
        type: 'performedStepCompleted',
        ...about(names),
        instances: instancesOf(machine, 1),
      }),
      reaches: goesOn,
      act: async ({ at, performed, images }) => {
        const image = newUid();
        const status = await at.nSet(performed[index] ?? '', completed([image]));
        if (status === 0) images.push(image);
      },
    },
    ends('giveUp', '110501'),
    ends('wrongEntry', '110514'),
    ends('ends', '110500'),
    ends('mistake', '110510'),
    ends('wrongOrder', '110502'),
  ];
}

const reportLetters: readonly Letter[] = [
  {
    name: 'images',
    event: ({ context }) => {
      const { named } = context.instances;
      const said = confirmation(8, { kind: 'notification' });
      return { type: 'availabilityReported', instances: { named, available: named }, confirmation: said };
    },
    reaches: ({ context: { instances } }) => instances.available < instances.named,
    act: async ({ at, worklist, images }) => {
      const study = worklist[0]?.studyInstanceUid ?? '';
      if (images.length > 0) expect(await at.notify(notification(study, images))).toBe(0);
    },
  },
  {
    name: 'report',
    event: () => ({ type: 'resultReported', report: 'final' }),
    reaches: always,
    act: ({ at, worklist, placerOrderNumber }) => {
      const [step] = worklist;
      const obr = { 1: '1', 2: `${placerOrderNumber}^HIS`, 4: 'WRIST^^TESTPLAN', 18: step?.accessionNumber, 25: 'F' };
      const obx = { 1: '1', 2: 'TX', 5: 'nothing found', 11: 'F' };
      const message = messageOf(
        msh('ORU^R01', { application: 'RM', controlId: `U${serial()}` }),
        segment('OBR', obr),
        segment('OBX', obx),
      );
      return at.hl7(message);
    },
  },
];

/** What can happen to a procedure of one or two steps. */
export function alphabetOf(steps: number): Letter[] {
  const performed = Array.from({ length: steps }, (_, index) => performedLetters(index)).flat();
  return [...staffLetters, ...performed, ...reportLetters];
}
