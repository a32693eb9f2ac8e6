import { describe, expect, it } from 'vitest';
import { possibleSteps } from '../../src/workflow/exceptions.ts';
import type { StoredMachine } from '../../src/workflow/procedure-machine.ts';
import { completed, machineOf, run, scheduled, started } from './machine.ts';

const inScheduled = (): StoredMachine => run(machineOf(1), scheduled('IM'));

/** An order placer that never answers SN keeps nothing on the list for ever. */
describe('number-pending', () => {
  it.each([
    ['waits to be scheduled', machineOf(1), ['schedule', 'cancel']],
    ['is on the worklist', inScheduled(), ['cancel']],
    ['is completed', run(inScheduled(), started('M1', 'S1'), completed('M1', ['S1'])), ['settle']],
  ])(
    'given its procedure %s, then what is possible is offered, and settle where nothing is',
    (_what, machine, offered) => {
      const procedure = {
        requestedProcedureId: 'RP1',
        machine,
        ordered: true,
        ofOrder: [machine],
        reconcilable: false,
      };
      const steps = possibleSteps('number-pending', { procedures: [procedure] });
      expect(steps.map(({ action }) => action)).toEqual(offered);
    },
  );
});
