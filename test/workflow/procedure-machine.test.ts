import { describe, expect, it } from 'vitest';
import { orderStatusOf } from '../../src/workflow/order-status.ts';
import { transactionsOf } from '../../src/workflow/core-transactions.ts';
import type { ProcedureEvent } from '../../src/workflow/procedure-events.ts';
import { type StoredMachine, advance } from '../../src/workflow/procedure-machine.ts';
import {
  acknowledged,
  arrived,
  completed,
  confirmation,
  decision,
  departed,
  discontinued,
  machineOf,
  numbered,
  offered,
  performed,
  refused,
  reported,
  rescheduled,
  resultOf,
  run,
  scheduled,
  staff,
  started,
  step,
  stored,
  updated,
  wishesOf,
} from './machine.ts';

const happenedOf = (machine: StoredMachine): number[] =>
  transactionsOf(machine.context).flatMap(({ step: number, happened }) => (happened ? [number] : []));

const inScheduled = (): StoredMachine => run(machineOf(1), scheduled('IM', 'RM'));

/** The situations that a procedure with one step can be in. */
const situations: Readonly<Record<string, () => StoredMachine>> = {
  planned: () => machineOf(1, { registered: false }),
  scheduled: () => run(machineOf(1, { registered: false }), scheduled('IM', 'RM')),
  acknowledged: () => run(inScheduled(), acknowledged('IM'), acknowledged('RM')),
  held: () => run(inScheduled(), staff.hold),
  startedUnscheduled: () => run(machineOf(1), started('M1', 'S1')),
  inProgress: () => run(inScheduled(), offered(), started('M1', 'S1')),
  undecided: () => run(inScheduled(), started('M1', 'S1'), discontinued('M1', ['S1'])),
  reopened: () => run(inScheduled(), started('M1', 'S1'), discontinued('M1', ['S1'], 'wrongEntry')),
  completed: () => run(inScheduled(), started('M1', 'S1'), completed('M1', ['S1'])),
  partlyAvailable: () => run(inScheduled(), started('M1', 'S1'), completed('M1', ['S1']), reported(2, 1)),
  available: () => run(inScheduled(), started('M1', 'S1'), completed('M1', ['S1']), reported(2, 2)),
  discontinued: () => run(inScheduled(), started('M1', 'S1'), discontinued('M1', ['S1'], 'ends')),
  cancelled: () => run(inScheduled(), staff.cancel),
  cancelledUnannounced: () => run(machineOf(1), staff.cancel),
};

const events: Readonly<Record<string, ProcedureEvent>> = {
  schedule: scheduled('IM', 'RM'),
  patientRegistered: { type: 'patientRegistered', confirmation: confirmation(1, { peer: 'ADT' }) },
  orderNumberAssigned: numbered(),
  ackIM: acknowledged('IM'),
  ackOther: acknowledged('STRANGER'),
  nakIM: refused('IM'),
  orderStatusAck: { type: 'orderStatusConfirmed' },
  orderStatusNak: { type: 'orderStatusRefused' },
  procedureUpdateAck: { type: 'procedureUpdateConfirmed' },
  procedureUpdateNak: { type: 'procedureUpdateRefused' },
  appointmentAck: { type: 'appointmentConfirmed' },
  appointmentNak: { type: 'appointmentRefused' },
  resultAck: { type: 'resultConfirmed' },
  resultNak: { type: 'resultRefused' },
  offered: offered(),
  start: started('M2', 'S1'),
  startOther: started('M2', 'S9'),
  update: updated('M1', 'S1'),
  complete: completed('M1', ['S1']),
  stopUndecided: discontinued('M1', ['S1']),
  stopForGood: discontinued('M1', ['S1'], 'ends'),
  stopForOrder: discontinued('M1', ['S1'], 'cancelsOrder'),
  stopWrongEntry: discontinued('M1', ['S1'], 'wrongEntry'),
  stopForCorrection: discontinued('M1', ['S1'], 'holds'),
  evidenceStarted: { type: 'evidenceStarted' },
  evidenceEnded: { type: 'evidenceEnded', instances: { named: 3, available: 1 } },
  completeUnknown: completed('M9', ['S1'], 2, 1),
  reported: reported(2, 1),
  cancel: staff.cancel,
  discontinue: staff.discontinue,
  hold: staff.hold,
  release: staff.release,
  change: staff.change,
  reschedule: rescheduled('S1'),
  rescheduleOther: rescheduled('S9'),
  rescheduleNothing: rescheduled(),
  arrive: arrived('S1'),
  arriveOther: arrived('S1', 'S9'),
  depart: departed('S1'),
  decideAccepted: decision('accepted', 'S1'),
  decideRepeated: decision('repeated', 'S1'),
  reportFinal: resultOf('final'),
};

const states = {
  P: 'planned',
  S: 'scheduled',
  H: 'held',
  I: 'inProgress',
  C: 'completed',
  D: 'discontinued',
  X: 'cancelled',
  '-': undefined,
} as const;

// The acquisition after the event by its first letter (X: cancelled); '-': the event is refused. Columns as in `situations`.
const columns = Object.keys(situations);
const stays = 'P S S H I I I S C C C D X X';
const never = '- - - - - - - - - - - - - -';
const table: Readonly<Record<string, string>> = {
  schedule: 'S - - - I - - - - - - - - -',
  patientRegistered: 'P S - - - - - - - - - - - -',
  orderNumberAssigned: never,
  ackIM: '- S S H - I I S C C C D X -',
  ackOther: never,
  nakIM: '- S - H - I I S C C C D X -',
  orderStatusAck: stays,
  orderStatusNak: stays,
  procedureUpdateAck: stays,
  procedureUpdateNak: stays,
  appointmentAck: stays,
  appointmentNak: stays,
  resultAck: stays,
  resultNak: stays,
  offered: 'P S S H I - I S C C C D X X',
  // What was completed can be gone on with (append case).
  start: 'I I I I I I I I I I I - - -',
  startOther: never,
  update: '- - - - I I - - - - - - - -',
  complete: '- - - - C C - - - - - - - -',
  stopUndecided: '- - - - I I - - - - - - - -',
  stopForGood: '- - - - D D - - - - - - - -',
  stopForOrder: '- - - - D D - - - - - - - -',
  // What nobody had scheduled is not on the worklist afterwards.
  stopWrongEntry: '- - - - P S - - - - - - - -',
  stopForCorrection: '- - - - P H - - - - - - - -',
  evidenceStarted: stays,
  evidenceEnded: stays,
  completeUnknown: never,
  reported: stays,
  cancel: 'X X X X - - - X - - - - - -',
  discontinue: '- - - - D D D - - - - - - -',
  hold: '- H H - - - - H - - - - - -',
  release: '- - - S - - - - - - - - - -',
  change: 'P S S H I I I S C C C - - -',
  reschedule: 'P S S H - - - S - - - - - -',
  rescheduleOther: never,
  rescheduleNothing: never,
  arrive: 'P S S H - - - S - - - - - -',
  arriveOther: never,
  // The patient was there, and what was performed waits for a person.
  depart: '- - - - - - S - - - - - - -',
  decideAccepted: '- - - - - - C - - - - - - -',
  decideRepeated: '- - - - - - S - - - - - - -',
  reportFinal: stays,
};

const cells = Object.entries(table).flatMap(([event, row]) =>
  row.split(' ').map((letter, index) => [columns[index] ?? '', event, letter as keyof typeof states] as const),
);

function given(situation: string, name: string): { machine: StoredMachine; event: ProcedureEvent } {
  const machine = situations[situation]?.();
  const event = events[name];
  if (!machine || !event) throw new Error('the table names what is not there');
  return { machine, event };
}

describe('each event in each state', () => {
  it('stands in the table', () => {
    expect(cells).toHaveLength(columns.length * Object.keys(events).length);
  });

  it.each(cells)('%s, %s: %s', (situation, name, letter) => {
    const { machine, event } = given(situation, name);
    expect(step(machine, event)?.machine.value.acquisition).toBe(states[letter]);
  });

  it.each(cells.filter(([, , letter]) => letter === '-'))('%s refuses %s and stays as it is', (situation, name) => {
    const { machine, event } = given(situation, name);
    const before = structuredClone(machine);
    expect(advance(machine, event)).toBeUndefined();
    expect(machine).toStrictEqual(before);
  });

  it.each(cells)('%s, %s: what comes out survives JSON', (situation, name) => {
    const { machine, event } = given(situation, name);
    const next = step(machine, event)?.machine ?? machine;
    expect(stored(next)).toStrictEqual(next);
  });
});

/** What each event asks for, where it asks for anything (RAD TF-2 4.4, 4.13, 4.48). */
const both = 'IM,RM';
const inEach = (wishes: readonly string[], ...where: string[]): Record<string, readonly string[]> =>
  Object.fromEntries(where.map((situation) => [situation, wishes]));
const waiting = ['scheduled', 'acknowledged', 'held', 'reopened'];
const wishes: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  schedule: inEach([`RAD-4 ${both}`, 'S12'], 'planned', 'startedUnscheduled'),
  cancel: inEach([`RAD-13 CA/CA ${both}`, 'S15'], ...waiting),
  discontinue: inEach([`RAD-13 DC/CA ${both}`], 'inProgress', 'undecided'),
  stopForGood: inEach([`RAD-13 DC/CA ${both}`], 'inProgress'),
  stopForOrder: inEach([`RAD-13 DC/CA ${both}`], 'inProgress'),
  reschedule: inEach([`RAD-13 XO/SC ${both}`, 'S13'], ...waiting),
  change: {
    ...inEach([`RAD-13 XO/SC ${both}`], ...waiting, 'inProgress', 'undecided'),
    ...inEach([`RAD-13 XO/CM ${both}`], 'completed', 'partlyAvailable', 'available'),
  },
  reportFinal: inEach(['ORU final'], ...columns),
};

describe('each event in each state asks for', () => {
  it.each(cells)('%s, %s', (situation, name) => {
    const { machine, event } = given(situation, name);
    expect(wishesOf(step(machine, event)?.effects)).toEqual(wishes[name]?.[situation] ?? []);
  });
});

describe('the simple case (RAD TF-1 3.3): registration to availability', () => {
  const course: readonly [ProcedureEvent, number[], string][] = [
    [scheduled('IM', 'RM'), [1, 2], 'scheduled'],
    [acknowledged('IM', 31), [1, 2], 'scheduled'],
    [acknowledged('RM', 32), [1, 2, 3], 'scheduled'],
    [offered(4), [1, 2, 3, 4], 'scheduled'],
    [started('M1', 'S1'), [1, 2, 3, 4, 5], 'inProgress'],
    [{ type: 'orderStatusConfirmed' }, [1, 2, 3, 4, 5], 'inProgress'],
    [updated('M1', 'S1'), [1, 2, 3, 4, 5], 'inProgress'],
    [completed('M1', ['S1']), [1, 2, 3, 4, 5, 7], 'completed'],
    [reported(2, 1, 81), [1, 2, 3, 4, 5, 6, 7], 'completed'],
    [reported(2, 2, 82), [1, 2, 3, 4, 5, 6, 7, 8], 'completed'],
  ];

  it('confirms one transaction after the other until all eight have happened', () => {
    let machine = machineOf(1);
    expect(happenedOf(machine)).toEqual([1, 2]);
    for (const [event, happened, acquisition] of course) {
      machine = run(machine, event);
      expect([event.type, happenedOf(machine), machine.value.acquisition]).toEqual([event.type, happened, acquisition]);
    }
    expect(machine.value).toEqual({
      acquisition: 'completed',
      announcement: 'confirmed',
      availability: 'available',
      report: 'none',
      facts: 'open',
    });
  });

  it('names for each of the eight its transaction, what confirmed it and when', () => {
    const machine = run(machineOf(1), ...course.map(([event]) => event));
    const shown = transactionsOf(machine.context).map(({ transaction, confirmedBy }) => [
      transaction,
      confirmedBy.map(({ kind, peer, messageId, code }) => `${kind} ${peer} ${messageId} ${code}`),
    ]);
    expect(shown).toEqual([
      ['RAD-1', ['ack ADT 1 AA']],
      ['RAD-2', ['ack EMR 2 AA']],
      ['RAD-4', ['ack IM 31 AA', 'ack RM 32 AA']],
      ['RAD-5', ['query MR1 4 0000']],
      ['RAD-6', ['response MR1 6 0000']],
      ['RAD-8', ['notification PACS 81 0000']],
      ['RAD-7', ['response MR1 6 0000']],
      ['RAD-49', ['notification PACS 82 0000']],
    ]);
    const third = transactionsOf(machine.context)[2];
    expect(third?.at).toBe(confirmation(32).at);
  });

  it('leaves out what has not happened: no time, nothing that confirmed it', () => {
    const eighth = transactionsOf(machineOf(1).context)[7];
    expect(eighth).toEqual({ step: 8, transaction: 'RAD-49', happened: false, at: null, confirmedBy: [] });
  });

  it('has no RAD-1 for a patient whom the order created, until the ADT registers him', () => {
    const machine = machineOf(1, { registered: false });
    expect(happenedOf(machine)).toEqual([2]);
    const registration: ProcedureEvent = { type: 'patientRegistered', confirmation: confirmation(9, { peer: 'ADT' }) };
    expect(happenedOf(run(machine, registration))).toEqual([1, 2]);
  });
});

describe('RAD-4 to its destinations', () => {
  it('is asked for once, when the procedure is scheduled, and names all of them', () => {
    const moved = step(machineOf(1), scheduled('IM', 'RM'));
    expect(moved?.effects).toContainEqual({ name: 'announceProcedure', destinations: ['IM', 'RM'] });
    expect(moved?.machine.context.announcements).toEqual({ IM: 'sent', RM: 'sent' });
  });

  it('is still asked for when a modality had started before anybody scheduled: the study is new to its image manager', () => {
    const moved = step(run(machineOf(1), started('M1', 'S1')), scheduled('IM'));
    expect(moved?.effects).toContainEqual({ name: 'announceProcedure', destinations: ['IM'] });
    expect(moved?.machine.value).toMatchObject({ acquisition: 'inProgress', announcement: 'sent' });
  });

  it('asks nobody where there is no destination, and the worklist does not wait', () => {
    const moved = step(machineOf(1), scheduled());
    expect(moved?.machine.value).toMatchObject({ acquisition: 'scheduled', announcement: 'due' });
    expect(wishesOf(moved?.effects)).toEqual(['S12']);
  });

  it('is not confirmed while one destination is silent or refuses', () => {
    const machine = run(inScheduled(), acknowledged('IM'), refused('RM'));
    expect(machine.value.announcement).toBe('sent');
    expect(machine.context.announcements).toEqual({ IM: 'confirmed', RM: 'refused' });
    expect(happenedOf(machine)).not.toContain(3);
  });

  it('is confirmed when the refused one was sent again and acknowledged', () => {
    const machine = run(inScheduled(), acknowledged('IM'), refused('RM'), acknowledged('RM'));
    expect([machine.value.announcement, happenedOf(machine).includes(3)]).toEqual(['confirmed', true]);
  });

  it('may be confirmed after the images came: nothing waits for it', () => {
    const machine = run(
      run(inScheduled(), started('M1', 'S1'), completed('M1', ['S1']), reported(2, 2)),
      acknowledged('RM'),
      acknowledged('IM'),
    );
    expect(machine.value).toMatchObject({ acquisition: 'completed', announcement: 'confirmed' });
  });
});

describe('a procedure with two steps', () => {
  const two = (): StoredMachine => run(machineOf(2), scheduled('IM'));

  it('is in progress from its first step and complete after its last', () => {
    const first = run(two(), started('M1', 'S1'));
    const between = run(first, completed('M1', ['S1']));
    const last = run(between, started('M2', 'S2'), completed('M2', ['S2']));
    expect([first, between, last].map((machine) => machine.value.acquisition)).toEqual([
      'inProgress',
      'inProgress',
      'completed',
    ]);
    expect([happenedOf(between).includes(7), happenedOf(last).includes(7)]).toEqual([false, true]);
  });

  it('in a group case follows the one MPPS with both steps', () => {
    const machine = run(two(), started('M1', 'S1', 'S2'));
    expect(Object.values(machine.context.steps).map((facts) => facts.stepStatus)).toEqual(['STARTED', 'STARTED']);
    expect(run(machine, completed('M1', ['S1', 'S2'])).value.acquisition).toBe('completed');
  });

  it('is not started at all by an MPPS that names a closed or a foreign step beside an open one', () => {
    const machine = run(two(), started('M1', 'S1'), discontinued('M1', ['S1'], 'ends'));
    expect(step(machine, started('M2', 'S1', 'S2'))).toBeUndefined();
    expect(step(machine, started('M2', 'S2', 'S9'))).toBeUndefined();
    expect(step(machine, started('M2'))).toBeUndefined();
  });

  it('is completed only in steps that the MPPS had begun', () => {
    const machine = run(two(), started('M1', 'S1'), completed('M1', ['S1', 'S2']));
    expect(machine.context.steps['S2']?.stepStatus).toBe('SCHEDULED');
    expect(machine.value.acquisition).toBe('inProgress');
  });

  it('is available only after the last acquisition, even when all images so far are', () => {
    const between = run(two(), started('M1', 'S1'), completed('M1', ['S1'], 2, 0), reported(2, 2));
    expect([between.value.availability, happenedOf(between).includes(8)]).toEqual(['partial', false]);
    const last = run(between, started('M2', 'S2'), completed('M2', ['S2'], 3, 2), reported(3, 3));
    expect([last.value.availability, happenedOf(last).includes(8)]).toEqual(['available', true]);
  });
});

describe('availability that comes when it likes', () => {
  it('before the N-SET: the notification that the final MPPS brings along confirms steps 6 and 8', () => {
    const notification = confirmation(5, { kind: 'notification', peer: 'PACS', code: '0000' });
    const machine = run(
      inScheduled(),
      started('M1', 'S1'),
      performed('performedStepCompleted', 'M1', ['S1'], { named: 2, available: 2, notification }),
    );
    expect(machine.value.availability).toBe('available');
    const shown = transactionsOf(machine.context).filter(({ step: number }) => number === 6 || number === 8);
    expect(shown.map((one) => [one.happened, one.confirmedBy[0]?.messageId])).toEqual([
      [true, 5],
      [true, 5],
    ]);
  });

  it('never says that a procedure without images is available', () => {
    const machine = run(inScheduled(), started('M1', 'S1'), completed('M1', ['S1'], 0, 0), reported(0, 0));
    expect([machine.value.availability, happenedOf(machine).includes(8)]).toEqual(['unknown', false]);
  });

  it('may be partial again when images go offline, and what has happened has happened', () => {
    const machine = run(inScheduled(), started('M1', 'S1'), completed('M1', ['S1']), reported(2, 2));
    const offline = [run(machine, reported(2, 1)), run(machine, reported(2, 0))];
    expect(offline.map((one) => one.value.availability)).toEqual(['partial', 'unknown']);
    for (const one of offline) expect(happenedOf(one)).toEqual(happenedOf(machine));
  });

  it('is told once: further notifications confirm nothing anew', () => {
    const machine = run(inScheduled(), started('M1', 'S1'), completed('M1', ['S1']), reported(2, 2, 80));
    const again = run(machine, reported(2, 2, 81));
    expect(again.context.confirmations[8]).toEqual(machine.context.confirmations[8]);
    expect(again.context.confirmations[6]).toHaveLength(1);
  });
});

describe('the move that a history line tells', () => {
  it.each([
    ['scheduling', [], scheduled('IM'), 'planned', 'scheduled'],
    ['an acknowledgement', [scheduled('IM')], acknowledged('IM'), 'announcement.sent', 'announcement.confirmed'],
    ['an offer', [scheduled('IM')], offered(), 'scheduled', 'scheduled'],
    ['an MPPS', [scheduled('IM')], started('M1', 'S1'), 'scheduled', 'inProgress'],
  ] as [string, ProcedureEvent[], ProcedureEvent, string, string][])('%s', (_, before, event, ...words) => {
    const moved = step(run(machineOf(1), ...before), event);
    expect([moved?.from, moved?.to]).toEqual(words);
  });
});

describe('a stored machine', () => {
  it('in a state that this program does not know is an error, never a fresh start', () => {
    const machine = machineOf(1);
    const unknown = { ...machine, value: { ...machine.value, acquisition: 'reported' } } as unknown as StoredMachine;
    expect(() => advance(unknown, scheduled('IM'))).toThrow();
  });

  it('is left as it was when a copy of it moves on', () => {
    const machine = machineOf(2);
    const before = structuredClone(machine);
    run(machine, scheduled('IM'), started('M1', 'S1'));
    expect(machine).toStrictEqual(before);
  });
});

describe('two procedures of one order', () => {
  it('move apart, and the order is complete with the second', () => {
    const [a, b] = [run(machineOf(1), scheduled('IM')), run(machineOf(1), scheduled('IM'))];
    const doneA = run(a, started('M1', 'S1'), completed('M1', ['S1']));
    const doneB = run(b, started('M2', 'S1'), completed('M2', ['S1']));
    const statuses = [
      [a, b],
      [run(a, started('M1', 'S1')), b],
      [doneA, b],
      [doneA, doneB],
    ].map((machines) => orderStatusOf(machines.map((machine) => machine.value.acquisition)));
    expect(statuses).toEqual(['SC', 'IP', 'IP', 'CM']);
  });
});
