import { describe, expect, it } from 'vitest';
import { askingAfter } from '../../src/workflow/images-due.ts';
import type { RegionStates, StoredMachine } from '../../src/workflow/procedure-machine.ts';
import { machineOf } from './machine.ts';

type Standing = readonly [
  acquisition: RegionStates['acquisition'],
  availability: RegionStates['availability'],
  named: number,
];

function standing([acquisition, availability, named]: Standing): StoredMachine {
  const { value, context } = machineOf(1);
  return {
    value: { ...value, acquisition, availability },
    context: { ...context, instances: { named, available: 0 } },
  };
}

describe('when an image manager is asked for the images of a procedure (RAD TF-2 4.11)', () => {
  it.each<[string, Standing, Standing, 'begins' | 'ends' | undefined]>([
    [
      'it is completed and its images are not known',
      ['inProgress', 'unknown', 0],
      ['completed', 'unknown', 2],
      'begins',
    ],
    ['it is completed and some are known', ['inProgress', 'partial', 0], ['completed', 'partial', 2], 'begins'],
    ['it is completed and all are known', ['inProgress', 'unknown', 0], ['completed', 'available', 2], undefined],
    ['it is completed without images', ['inProgress', 'unknown', 0], ['completed', 'unknown', 0], undefined],
    ['it is still being performed', ['inProgress', 'unknown', 0], ['inProgress', 'unknown', 2], undefined],
    ['it is discontinued', ['inProgress', 'unknown', 0], ['discontinued', 'unknown', 2], undefined],
    ['some more are reported', ['completed', 'unknown', 2], ['completed', 'partial', 2], undefined],
    ['the last is reported', ['completed', 'partial', 2], ['completed', 'available', 2], 'ends'],
    ['more images are named afterwards', ['completed', 'partial', 2], ['completed', 'partial', 3], 'begins'],
    ['more are named when all were there', ['completed', 'available', 2], ['completed', 'partial', 3], 'begins'],
    ['it goes on being performed (append)', ['completed', 'partial', 2], ['inProgress', 'partial', 2], 'ends'],
    ['what goes on is completed with more', ['inProgress', 'available', 2], ['completed', 'partial', 3], 'begins'],
    ['images that were there go offline', ['completed', 'available', 2], ['completed', 'partial', 2], undefined],
  ])('%s', (_, before, now, asking) => {
    expect(askingAfter(standing(before), standing(now))).toBe(asking);
  });
});
