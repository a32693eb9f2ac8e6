import { describe, expect, it } from 'vitest';
import { transactionsOf } from '../../src/workflow/core-transactions.ts';
import { orderStatusOf } from '../../src/workflow/order-status.ts';
import type { StoredMachine } from '../../src/workflow/procedure-machine.ts';
import {
  arrived,
  completed,
  decision,
  departed,
  discontinued,
  machineOf,
  reported,
  run,
  scheduled,
  staff,
  started,
  step,
  stepStatusesOf,
  wishesOf,
} from './machine.ts';

const inScheduled = (): StoredMachine => run(machineOf(1), scheduled('IM', 'RM'));

const happenedOf = (machine: StoredMachine): number[] =>
  transactionsOf(machine.context).flatMap(({ step: number, happened }) => (happened ? [number] : []));

describe('several MPPS of one step (append and parallel, before it is complete)', () => {
  const parallel = (): StoredMachine => run(inScheduled(), started('M1', 'S1'), started('M2', 'S1'));

  it('complete it with the last of them', () => {
    const one = run(parallel(), completed('M1', ['S1']));
    expect(one.context.steps['S1']?.stepStatus).toBe('STARTED');
    expect(run(one, completed('M2', ['S1'])).value.acquisition).toBe('completed');
  });

  it('complete it also when the last of them is discontinued after another completed', () => {
    const machine = run(parallel(), completed('M1', ['S1']), discontinued('M2', ['S1']));
    expect(machine.context.steps['S1']?.stepStatus).toBe('COMPLETED');
    expect(machine.value.acquisition).toBe('completed');
    expect(orderStatusOf([machine.value.acquisition])).toBe('CM');
  });

  it('complete it also when the first of them is discontinued', () => {
    const machine = run(parallel(), discontinued('M1', ['S1']), completed('M2', ['S1']));
    expect(machine.value.acquisition).toBe('completed');
  });

  it('leave it started when all are discontinued: a person decides', () => {
    const machine = run(parallel(), discontinued('M1', ['S1']), discontinued('M2', ['S1']));
    expect(machine.context.steps['S1']?.stepStatus).toBe('STARTED');
    expect(machine.value.acquisition).toBe('inProgress');
    expect(run(machine, started('M3', 'S1'), completed('M3', ['S1'])).value.acquisition).toBe('completed');
  });
});

describe('the append case: more is performed of a completed step (RAD TF-2 4.6.4.1.2.3.3)', () => {
  const once = (): StoredMachine =>
    run(inScheduled(), started('M1', 'S1'), completed('M1', ['S1'], 2, 2), reported(2, 2));

  it('is started again and completed again, and what had happened stays so', () => {
    const again = run(once(), started('M2', 'S1'));
    expect([again.value.acquisition, stepStatusesOf(again)]).toEqual(['inProgress', ['STARTED']]);
    expect(happenedOf(again)).toEqual(happenedOf(once()));
    const ended = run(again, completed('M2', ['S1'], 3, 2));
    expect([ended.value.acquisition, stepStatusesOf(ended)]).toEqual(['completed', ['COMPLETED']]);
  });

  it('is available only when the images of both are', () => {
    const ended = run(once(), started('M2', 'S1'), completed('M2', ['S1'], 3, 2));
    expect([once(), run(once(), started('M2', 'S1')), ended].map(({ value }) => value.availability)).toEqual([
      'available',
      'partial',
      'partial',
    ]);
    expect(run(ended, reported(3, 3)).value.availability).toBe('available');
  });

  it('that is given up, for whatever reason, leaves the step as complete as it was', () => {
    for (const effect of ['wrongEntry', 'ends', 'cancelsOrder', 'holds', 'decide'] as const) {
      const ended = run(once(), started('M2', 'S1'), discontinued('M2', ['S1'], effect));
      expect([ended.value.acquisition, stepStatusesOf(ended)]).toEqual(['completed', ['COMPLETED']]);
    }
  });

  it('that its placer discontinues leaves it complete too: RAD-13 XO/CM and no DC/CA', () => {
    const moved = step(run(once(), started('M2', 'S1')), staff.discontinue);
    expect(moved?.machine.value.acquisition).toBe('completed');
    expect(wishesOf(moved?.effects)).toEqual(['RAD-13 XO/CM IM,RM']);
  });
});

describe('an examination that was wrongly ordered (110502, 110512)', () => {
  const held = (): StoredMachine => run(inScheduled(), started('M1', 'S1'), discontinued('M1', ['S1'], 'holds'));

  it('is on hold with its step waiting, and on the worklist again when staff release it', () => {
    expect([held().value.acquisition, stepStatusesOf(held())]).toEqual(['held', ['SCHEDULED']]);
    expect(run(held(), staff.release).value.acquisition).toBe('scheduled');
  });

  it('can be cancelled like one that was never begun', () => {
    expect(run(held(), staff.cancel).value.acquisition).toBe('cancelled');
  });
});

describe('an evidence creator (RAD-20, RAD-21)', () => {
  it('moves no step; the instances that its MPPS names count when it is final', () => {
    const done = run(inScheduled(), started('M1', 'S1'), completed('M1', ['S1'], 2, 2), reported(2, 2));
    const evidence = run(
      done,
      { type: 'evidenceStarted' },
      { type: 'evidenceEnded', instances: { named: 3, available: 2 } },
    );
    expect([evidence.value.acquisition, stepStatusesOf(evidence)]).toEqual(['completed', ['COMPLETED']]);
    expect([evidence.value.availability, evidence.context.instances]).toEqual(['partial', { named: 3, available: 2 }]);
  });
});

describe('a discontinued MPPS for which a person decides', () => {
  const undecided = (): StoredMachine => run(inScheduled(), started('M1', 'S1'), discontinued('M1', ['S1']));

  it('was enough: the step and the procedure are completed', () => {
    const ended = run(undecided(), decision('accepted', 'S1'));
    expect([ended.value.acquisition, stepStatusesOf(ended)]).toEqual(['completed', ['COMPLETED']]);
    expect(orderStatusOf([ended.value.acquisition])).toBe('CM');
  });

  it('is performed again: the step waits, and whatever the next MPPS says counts', () => {
    const again = run(undecided(), decision('repeated', 'S1'));
    expect([again.value.acquisition, stepStatusesOf(again)]).toEqual(['scheduled', ['SCHEDULED']]);
    const wrong = run(again, started('M2', 'S1'), discontinued('M2', ['S1'], 'wrongEntry'));
    expect(stepStatusesOf(wrong)).toEqual(['SCHEDULED']);
    expect(run(again, started('M2', 'S1'), completed('M2', ['S1'])).value.acquisition).toBe('completed');
  });

  it('is not decided while another one of the step goes on', () => {
    const parallel = run(inScheduled(), started('M1', 'S1'), started('M2', 'S1'), discontinued('M1', ['S1']));
    expect(step(parallel, decision('accepted', 'S1'))).toBeUndefined();
  });
});

describe('the patient leaves', () => {
  it('after he had arrived: DEPARTED, and ARRIVED when he comes back', () => {
    const gone = run(inScheduled(), arrived('S1'), departed('S1'));
    expect(stepStatusesOf(gone)).toEqual(['DEPARTED']);
    expect(stepStatusesOf(run(gone, arrived('S1')))).toEqual(['ARRIVED']);
  });

  it('after an examination that was given up: the step is open again', () => {
    const gone = run(inScheduled(), started('M1', 'S1'), discontinued('M1', ['S1']), departed('S1'));
    expect([gone.value.acquisition, stepStatusesOf(gone)]).toEqual(['scheduled', ['DEPARTED']]);
    expect(run(gone, started('M2', 'S1')).value.acquisition).toBe('inProgress');
  });

  it('but not before he came, nor while he is examined', () => {
    expect(step(inScheduled(), departed('S1'))).toBeUndefined();
    expect(step(run(inScheduled(), started('M1', 'S1')), departed('S1'))).toBeUndefined();
  });
});
