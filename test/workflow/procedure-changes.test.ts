import { describe, expect, it } from 'vitest';
import { orderStatusOf } from '../../src/workflow/order-status.ts';
import { transactionsOf } from '../../src/workflow/core-transactions.ts';
import { type ProcedureEvent, type ReportState } from '../../src/workflow/procedure-events.ts';
import { MACHINE_VERSION, type StoredMachine, advance, upgraded } from '../../src/workflow/procedure-machine.ts';
import {
  acknowledged,
  arrived,
  completed,
  discontinued,
  machineOf,
  numbered,
  reported,
  rescheduled,
  resultOf,
  run,
  scheduled,
  staff,
  started,
  step,
  stepStatusesOf,
  wishesOf,
} from './machine.ts';

const one = (): StoredMachine => run(machineOf(1), scheduled('IM'));
const two = (): StoredMachine => run(machineOf(2), scheduled('IM'));
const acquisitionOf = (machine: StoredMachine | undefined): string | undefined => machine?.value.acquisition;
const happened = (machine: StoredMachine, number: number): boolean | undefined =>
  transactionsOf(machine.context)[number - 1]?.happened;

describe('an order of the department (RAD TF-2 4.3: SN, then NA)', () => {
  const waits = (): StoredMachine => machineOf(1, { numbered: false });

  it('has no confirmed RAD-2 before the placer has numbered it', () => {
    expect([happened(waits(), 2), acquisitionOf(waits())]).toEqual([false, 'planned']);
  });

  it('takes the answer that numbers it as its RAD-2, and stays planned until it is scheduled', () => {
    const moved = step(waits(), numbered(9));
    expect(moved?.effects).toEqual([]);
    expect(acquisitionOf(moved?.machine)).toBe('planned');
    expect(moved && transactionsOf(moved.machine.context)[1]?.confirmedBy).toMatchObject([{ messageId: 9 }]);
  });

  it('is numbered once: another number is refused', () => {
    expect(step(run(waits(), numbered(9)), numbered(10))).toBeUndefined();
  });

  it('is numbered also after its modality has begun, and after it was cancelled', () => {
    for (const event of [started('M1', 'S1'), staff.cancel]) {
      expect(happened(run(waits(), event, numbered()), 2)).toBe(true);
    }
  });
});

describe('cancelled before it began (RAD TF-2 4.13: CA/CA)', () => {
  it.each([
    ['scheduled', []],
    ['with the patient there', [arrived('S1')]],
    ['on hold', [staff.hold]],
  ] as [string, ProcedureEvent[]][])('%s: every step ends, image managers and the placer hear of it', (_, before) => {
    const moved = step(run(two(), ...before), staff.cancel);
    expect(moved && stepStatusesOf(moved.machine)).toEqual(['CANCELLED', 'CANCELLED']);
    expect(acquisitionOf(moved?.machine)).toBe('cancelled');
    expect(wishesOf(moved?.effects)).toEqual(['RAD-13 CA/CA IM', 'S15']);
  });

  it('before anybody had heard of it nobody is told', () => {
    const moved = step(machineOf(2), staff.cancel);
    expect([acquisitionOf(moved?.machine), moved?.effects]).toEqual(['cancelled', []]);
  });

  it('before anybody had heard of it, it is never announced afterwards, whether or not there is a destination', () => {
    const cancelled = run(machineOf(1), staff.cancel);
    expect([step(cancelled, scheduled('IM')), step(cancelled, scheduled())]).toEqual([undefined, undefined]);
  });

  it('is not begun by an MPPS that comes late: the step is closed', () => {
    expect(step(run(one(), staff.cancel), started('M1', 'S1'))).toBeUndefined();
  });

  it('where there is no image manager only the appointment is called off', () => {
    expect(wishesOf(step(run(machineOf(1), scheduled()), staff.cancel)?.effects)).toEqual(['S15']);
  });

  it('can still be confirmed by the image manager that had been sent its RAD-4', () => {
    const machine = run(one(), staff.cancel, acknowledged('IM'));
    expect(machine.value).toMatchObject({ acquisition: 'cancelled', announcement: 'confirmed' });
  });

  it('after one of its steps was begun and ended, it was discontinued: DC/CA, and the order is DC', () => {
    const machine = run(two(), started('M1', 'S1'), discontinued('M1', ['S1'], 'ends'));
    expect(acquisitionOf(machine)).toBe('scheduled');
    const moved = step(machine, staff.cancel);
    expect(moved && stepStatusesOf(moved.machine)).toEqual(['DISCONTINUED', 'CANCELLED']);
    expect(acquisitionOf(moved?.machine)).toBe('discontinued');
    expect(wishesOf(moved?.effects)).toEqual(['RAD-13 DC/CA IM', 'S15']);
    expect(moved && orderStatusOf([moved.machine.value.acquisition])).toBe('DC');
  });
});

describe('discontinued by placer or staff while it is under way (RAD TF-2 4.13: DC/CA)', () => {
  it('ends what is being performed and cancels what is not', () => {
    const moved = step(run(two(), started('M1', 'S1')), staff.discontinue);
    expect(moved && stepStatusesOf(moved.machine)).toEqual(['DISCONTINUED', 'CANCELLED']);
    expect(acquisitionOf(moved?.machine)).toBe('discontinued');
    expect(wishesOf(moved?.effects)).toEqual(['RAD-13 DC/CA IM']);
  });

  it.each([
    ['the second step had begun', [started('M2', 'S2')], 'DISCONTINUED'],
    ['the second step had not', [], 'CANCELLED'],
  ] as [string, ProcedureEvent[], string][])('after a completed step it is complete; %s', (_, before, second) => {
    const machine = run(two(), started('M1', 'S1'), completed('M1', ['S1']), ...before);
    const moved = step(machine, staff.discontinue);
    expect(moved && stepStatusesOf(moved.machine)).toEqual(['COMPLETED', second]);
    expect([acquisitionOf(moved?.machine), wishesOf(moved?.effects)]).toEqual(['completed', ['RAD-13 XO/CM IM']]);
  });

  it('has all its images where all were reported before: availability and step 8 follow', () => {
    const machine = run(
      two(),
      started('M1', 'S1'),
      completed('M1', ['S1'], 2, 0),
      reported(2, 2, 80),
      staff.discontinue,
    );
    expect([machine.value.availability, happened(machine, 8)]).toEqual(['available', true]);
    expect(happened(run(machine, reported(2, 1, 81)), 8)).toBe(true);
  });

  it('still takes the end of the MPPS that was running, which brings nothing back', () => {
    const machine = run(one(), started('M1', 'S1'), staff.discontinue);
    for (const end of [completed('M1', ['S1']), discontinued('M1', ['S1'], 'wrongEntry')]) {
      const ended = run(machine, end);
      expect([acquisitionOf(ended), stepStatusesOf(ended)]).toEqual(['discontinued', ['DISCONTINUED']]);
    }
  });

  it('resolves what waited for the decision of a person', () => {
    const machine = run(one(), started('M1', 'S1'), discontinued('M1', ['S1'], 'decide'), staff.discontinue);
    expect([acquisitionOf(machine), stepStatusesOf(machine)]).toEqual(['discontinued', ['DISCONTINUED']]);
  });
});

describe('a discontinued MPPS by what its reason means (PS3.16 CID 9300)', () => {
  it('wrong worklist entry: the step is scheduled again, nobody is told, and it can be begun anew', () => {
    const moved = step(run(one(), started('M1', 'S1')), discontinued('M1', ['S1'], 'wrongEntry'));
    expect([acquisitionOf(moved?.machine), moved && stepStatusesOf(moved.machine)]).toEqual([
      'scheduled',
      ['SCHEDULED'],
    ]);
    expect(moved?.effects).toEqual([]);
    const again = moved && run(moved.machine, started('M2', 'S1'), completed('M2', ['S1']));
    expect(acquisitionOf(again)).toBe('completed');
  });

  it('wrong worklist entry beside a completed step: the procedure stays in progress', () => {
    const machine = run(two(), started('M1', 'S1'), completed('M1', ['S1']), started('M2', 'S2'));
    const reopened = run(machine, discontinued('M2', ['S2'], 'wrongEntry'));
    expect([acquisitionOf(reopened), stepStatusesOf(reopened)]).toEqual(['inProgress', ['COMPLETED', 'SCHEDULED']]);
  });

  it('wrong worklist entry in one of two parallel MPPS: the other goes on', () => {
    const machine = run(one(), started('M1', 'S1'), started('M2', 'S1'), discontinued('M1', ['S1'], 'wrongEntry'));
    expect([acquisitionOf(machine), stepStatusesOf(machine)]).toEqual(['inProgress', ['STARTED']]);
    expect(acquisitionOf(run(machine, completed('M2', ['S1'])))).toBe('completed');
  });

  it('the end of the last open step ends the procedure: DC/CA', () => {
    const first = step(run(two(), started('M1', 'S1', 'S2')), discontinued('M1', ['S1', 'S2'], 'ends'));
    expect(first && stepStatusesOf(first.machine)).toEqual(['DISCONTINUED', 'DISCONTINUED']);
    expect([acquisitionOf(first?.machine), wishesOf(first?.effects)]).toEqual(['discontinued', ['RAD-13 DC/CA IM']]);
  });

  it('the end of one step leaves the other one open', () => {
    const machine = run(two(), started('M1', 'S1'), discontinued('M1', ['S1'], 'ends'));
    expect(stepStatusesOf(machine)).toEqual(['DISCONTINUED', 'SCHEDULED']);
    expect(step(machine, started('M2', 'S1'))).toBeUndefined();
    expect(acquisitionOf(run(machine, started('M2', 'S2'), completed('M2', ['S2'])))).toBe('completed');
  });

  it('the end of the last step after a completed one completes the procedure, without RAD-13', () => {
    const machine = run(two(), started('M1', 'S1'), completed('M1', ['S1']), started('M2', 'S2'));
    const moved = step(machine, discontinued('M2', ['S2'], 'ends'));
    expect([acquisitionOf(moved?.machine), moved?.effects]).toEqual(['completed', []]);
  });

  type Effects = readonly ['wrongEntry' | 'ends' | 'decide', 'wrongEntry' | 'ends' | 'decide', string];
  const pairs: readonly Effects[] = [
    ['wrongEntry', 'wrongEntry', 'SCHEDULED'],
    ['wrongEntry', 'ends', 'DISCONTINUED'],
    ['ends', 'wrongEntry', 'DISCONTINUED'],
    ['ends', 'ends', 'DISCONTINUED'],
    ['wrongEntry', 'decide', 'STARTED'],
    ['decide', 'wrongEntry', 'STARTED'],
    // What was said last counts.
    ['decide', 'ends', 'DISCONTINUED'],
    ['ends', 'decide', 'STARTED'],
    ['decide', 'decide', 'STARTED'],
  ];
  // Neither the order in which they began nor their names decide: a store gives keys back in an order of its own.
  const names = [
    ['M1', 'M2'],
    ['M2', 'M1'],
  ] as const;
  it.each(pairs)('two parallel MPPS, first %s, then %s: the step is %s', (early, late, stepStatus) => {
    for (const [first, second] of names) {
      for (const begun of [started(first, 'S1'), started(second, 'S1')].map((one, index, both) => [
        one,
        both[1 - index],
      ])) {
        const parallel = run(one(), ...begun.filter((event) => event !== undefined));
        const machine = run(parallel, discontinued(first, ['S1'], early), discontinued(second, ['S1'], late));
        expect([first, second, stepStatusesOf(machine)]).toEqual([first, second, [stepStatus]]);
      }
    }
  });

  it('one that was stored before its effect was kept waits for a person', () => {
    const machine = run(one(), started('M1', 'S1'), started('M2', 'S1'), discontinued('M1', ['S1'], 'ends'));
    const [facts] = Object.values(machine.context.steps);
    const older = { stepStatus: 'STARTED' as const, performedSteps: facts?.performedSteps ?? {} };
    const stored = { ...machine, context: { ...machine.context, steps: { S1: older } } };
    expect(stepStatusesOf(run(stored, discontinued('M2', ['S1'], 'wrongEntry')))).toEqual(['STARTED']);
  });
});

describe('what was begun under the wrong worklist entry waits again as it had waited before', () => {
  const mistaken = [started('M1', 'S1'), discontinued('M1', ['S1'], 'wrongEntry')];

  it('planned: it is not on the worklist, and whoever schedules it announces it (RAD-4, S12)', () => {
    const machine = run(machineOf(1), ...mistaken);
    expect(acquisitionOf(machine)).toBe('planned');
    expect(wishesOf(step(machine, scheduled('IM'))?.effects)).toEqual(['RAD-4 IM', 'S12']);
  });

  it('on hold: it stays off the worklist until it is released', () => {
    expect(acquisitionOf(run(one(), staff.hold, ...mistaken))).toBe('held');
  });

  const again = [started('M2', 'S1'), discontinued('M2', ['S1'], 'wrongEntry')];

  it('scheduled: it is scheduled, also where it was on hold or planned at an earlier mistake', () => {
    expect(acquisitionOf(run(one(), ...mistaken))).toBe('scheduled');
    expect(acquisitionOf(run(one(), staff.hold, ...mistaken, staff.release, ...again))).toBe('scheduled');
    expect(acquisitionOf(run(machineOf(1), ...mistaken, scheduled('IM'), ...again))).toBe('scheduled');
    expect(acquisitionOf(run(machineOf(1), ...mistaken, scheduled(), ...again))).toBe('scheduled');
  });

  it('on hold: also where it was planned at an earlier mistake', () => {
    const machine = run(machineOf(1), ...mistaken, scheduled('IM'), staff.hold, ...again);
    expect(acquisitionOf(machine)).toBe('held');
  });

  it('planned, but scheduled while it was being performed: it is scheduled, and its appointment is made', () => {
    const moves = [started('M1', 'S1'), scheduled('IM'), discontinued('M1', ['S1'], 'wrongEntry')];
    let machine = machineOf(1);
    const asked = moves.flatMap((event) => {
      const moved = step(machine, event);
      machine = moved?.machine ?? machine;
      return wishesOf(moved?.effects);
    });
    expect([acquisitionOf(machine), asked]).toEqual(['scheduled', ['RAD-4 IM', 'S12']]);
  });

  it('planned: its cancellation calls off no appointment that was never made', () => {
    expect(wishesOf(step(run(machineOf(1), ...mistaken), staff.cancel)?.effects)).toEqual([]);
  });
});

describe('on hold', () => {
  it('nobody is told, steps stay as they are, and release brings it back', () => {
    const moved = step(run(two(), arrived('S2')), staff.hold);
    expect([acquisitionOf(moved?.machine), moved?.effects]).toEqual(['held', []]);
    expect(moved && stepStatusesOf(moved.machine)).toEqual(['SCHEDULED', 'ARRIVED']);
    const back = moved && step(moved.machine, staff.release);
    expect([acquisitionOf(back?.machine), back?.effects]).toEqual(['scheduled', []]);
  });

  it('remembers that the patient did not come, until it is released', () => {
    const machine = run(one(), staff.noShow);
    expect([acquisitionOf(machine), machine.context.noShow]).toEqual(['held', true]);
    expect(run(machine, staff.release).context.noShow).toBeUndefined();
    expect(run(machine, staff.release, staff.hold).context.noShow).toBeUndefined();
  });

  it('a modality that begins all the same is a fact', () => {
    expect(acquisitionOf(run(one(), staff.hold, started('M1', 'S1')))).toBe('inProgress');
  });
});

describe('another time or place (RAD-13 XO/SC, RAD-48 S13)', () => {
  it.each([
    ['scheduled', [], ['S1', 'S2']],
    ['a patient who is there', [arrived('S1')], ['S1']],
    ['the step that has not begun', [started('M1', 'S1')], ['S2']],
  ] as [string, ProcedureEvent[], string[]][])('%s', (_, before, steps) => {
    expect(wishesOf(step(run(two(), ...before), rescheduled(...steps))?.effects)).toEqual(['RAD-13 XO/SC IM', 'S13']);
  });

  it('is refused for a step that has begun, also beside one that has not', () => {
    const machine = run(two(), started('M1', 'S1'));
    expect(step(machine, rescheduled('S1', 'S2'))).toBeUndefined();
  });

  it('tells nobody of a procedure that nobody knows yet', () => {
    expect(step(machineOf(2), rescheduled('S1'))?.effects).toEqual([]);
  });

  it('tells of no changed appointment where there was none: a modality had begun what nobody had scheduled', () => {
    const machine = run(machineOf(2), started('M1', 'S1'));
    expect(wishesOf(step(machine, rescheduled('S2'))?.effects)).toEqual([]);
  });
});

describe('the patient is there', () => {
  it('steps that wait become ARRIVED, the others stay', () => {
    const machine = run(two(), arrived('S2'));
    expect(stepStatusesOf(machine)).toEqual(['SCHEDULED', 'ARRIVED']);
    expect(acquisitionOf(machine)).toBe('scheduled');
  });

  it('is told once for each step', () => {
    const machine = run(two(), arrived('S2'));
    expect([step(machine, arrived('S2')), step(machine, arrived('S1', 'S2')), step(machine, arrived())]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('an arrived step can be begun', () => {
    expect(stepStatusesOf(run(one(), arrived('S1'), started('M1', 'S1')))).toEqual(['STARTED']);
  });
});

describe('reports (ORU^R01)', () => {
  const reachedBy: Readonly<Record<ReportState, readonly Exclude<ReportState, 'none'>[]>> = {
    none: [],
    preliminary: ['preliminary'],
    final: ['final'],
    corrected: ['final', 'corrected'],
    cancelled: ['final', 'cancelled'],
  };
  const reports = ['preliminary', 'final', 'corrected', 'cancelled'] as const;
  const allowed: Readonly<Record<ReportState, readonly string[]>> = {
    none: ['preliminary', 'final', 'corrected', 'cancelled'],
    preliminary: ['preliminary', 'final', 'corrected', 'cancelled'],
    final: ['final', 'corrected', 'cancelled'],
    corrected: ['corrected', 'cancelled'],
    // A report that was withdrawn may be written anew.
    cancelled: ['preliminary', 'final', 'corrected'],
  };
  const pairs = Object.entries(reachedBy).flatMap(([from, path]) =>
    reports.map((report) => [from, report, path] as [ReportState, (typeof reports)[number], typeof path]),
  );

  it.each(pairs)('%s, then %s', (from, report, path) => {
    const machine = run(one(), ...path.map(resultOf));
    expect(machine.value.report).toBe(from);
    const moved = step(machine, resultOf(report));
    expect(moved?.machine.value.report).toBe(allowed[from].includes(report) ? report : undefined);
    const passedOn = allowed[from].includes(report) && report !== 'cancelled';
    expect(wishesOf(moved?.effects)).toEqual(passedOn ? [`ORU ${report}`] : []);
  });

  it('move nothing else', () => {
    const machine = run(one(), started('M1', 'S1'));
    const moved = step(machine, resultOf('final'));
    expect(moved?.machine.context).toEqual(machine.context);
    expect({ ...moved?.machine.value, report: 'none' }).toEqual(machine.value);
    expect([moved?.from, moved?.to]).toEqual(['report.none', 'report.final']);
  });
});

describe('a machine that was stored by version 1', () => {
  const versionOne = (machine: StoredMachine): unknown => {
    const { report: _, ...value } = machine.value;
    return JSON.parse(JSON.stringify({ ...machine, value }));
  };

  it.each([
    ['planned', () => machineOf(2)],
    ['scheduled', two],
    ['in progress', () => run(two(), started('M1', 'S1'))],
    ['complete with images', () => run(one(), started('M1', 'S1'), completed('M1', ['S1']), reported(2, 2))],
  ] as [string, () => StoredMachine][])('%s: is the same machine without a report, and goes on', (_, make) => {
    const machine = upgraded(versionOne(make()), 1);
    const { value, context } = make();
    const silent = value.acquisition === 'planned' ? {} : { withoutAppointment: true };
    expect(machine).toEqual({ value, context: { ...context, ...silent } });
    const moved = machine && advance(machine, resultOf('final'));
    expect(moved?.machine.value).toEqual({ ...make().value, report: 'final' });
  });

  it('told nobody of its appointment: a new time calls nobody to move one, and a cancel to call one off', () => {
    const machine = upgraded(versionOne(one()), 1);
    const cancelled = machine && advance(machine, { type: 'cancel' });
    expect(cancelled?.effects.map(({ name }) => name)).toEqual(['updateProcedure']);
    const moved = machine && advance(machine, { type: 'reschedule', movedSteps: ['S1'] });
    expect(moved?.effects.map(({ name }) => name)).toEqual(['updateProcedure']);
  });

  it('one of this version is taken as it is', () => {
    const machine = run(one(), resultOf('preliminary'));
    expect(upgraded(machine, MACHINE_VERSION)).toBe(machine);
  });

  it.each([0, MACHINE_VERSION + 1, -1, NaN])('one of version %s is nobody', (version) => {
    expect(upgraded(two(), version)).toBeUndefined();
  });
});
