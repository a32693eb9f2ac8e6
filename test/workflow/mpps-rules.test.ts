import { describe, expect, it } from 'vitest';
import {
  type ScheduledStepReference,
  type StepCandidate,
  duplicateInstance,
  evidenceOf,
  isOpen,
  matchStep,
  setRefusal,
  unknownInstance,
} from '../../src/workflow/mpps-rules.ts';
import type { StepStatus } from '../../src/workflow/vocabulary.ts';

function candidate(stepId: number, more: Partial<StepCandidate> = {}): StepCandidate {
  return {
    stepId,
    procedureId: stepId,
    scheduledProcedureStepId: `S${stepId}`,
    stepStatus: 'SCHEDULED',
    modality: 'MR',
    scheduledStationAeTitles: ['MR1'],
    studyInstanceUid: `2.25.${stepId}`,
    requestedProcedureId: `RP${stepId}`,
    accessionNumber: `A${stepId}`,
    ...more,
  };
}

function reference(studyInstanceUid: string, more: Partial<ScheduledStepReference> = {}): ScheduledStepReference {
  return { studyInstanceUid, referencedStudyUids: [], ...more };
}

const matched = (item: ScheduledStepReference, candidates: readonly StepCandidate[], modality = 'MR'): number[] =>
  [matchStep(item, candidates, { modality, performedStationAeTitle: '' })].flatMap((match) => match?.step.stepId ?? []);

describe('an item that names step and study (simple case, RAD TF-2 4.6.4.1.2.3.1)', () => {
  it('means that step, also beside another step of the study', () => {
    const candidates = [candidate(1), candidate(2, { studyInstanceUid: '2.25.1' })];
    expect(matched(reference('2.25.1', { scheduledProcedureStepId: 'S2' }), candidates)).toEqual([2]);
  });

  it('means it whatever modality performs it', () => {
    expect(matched(reference('2.25.1', { scheduledProcedureStepId: 'S1' }), [candidate(1)], 'CT')).toEqual([1]);
  });

  it.each<StepStatus>(['SCHEDULED', 'ARRIVED', 'READY', 'STARTED', 'DEPARTED'])('while it is %s', (stepStatus) => {
    const item = reference('2.25.1', { scheduledProcedureStepId: 'S1' });
    expect([isOpen(stepStatus), matched(item, [candidate(1, { stepStatus })])]).toEqual([true, [1]]);
  });

  it.each<StepStatus>(['CANCELLED', 'DISCONTINUED'])('and nothing once it is %s', (stepStatus) => {
    const item = reference('2.25.1', { scheduledProcedureStepId: 'S1' });
    expect([isOpen(stepStatus), matched(item, [candidate(1, { stepStatus })])]).toEqual([false, []]);
  });
});

describe('a step id that is given and wrong is no reason to guess', () => {
  it('when the study has one other open step', () => {
    expect(matched(reference('2.25.1', { scheduledProcedureStepId: 'S9' }), [candidate(1)])).toEqual([]);
  });

  it('when the step is of another study', () => {
    const item = reference('2.25.1', { scheduledProcedureStepId: 'S2' });
    expect(matched(item, [candidate(1), candidate(2)])).toEqual([]);
  });

  it('when the accession number is right but the procedure is another', () => {
    const item = reference('2.25.77', {
      scheduledProcedureStepId: 'S1',
      accessionNumber: 'A1',
      requestedProcedureId: 'RP2',
    });
    expect(matched(item, [candidate(1)])).toEqual([]);
  });

  it('when the named step has ended and another of the study is open', () => {
    const ended = candidate(1, { stepStatus: 'CANCELLED' });
    const item = reference('2.25.1', { scheduledProcedureStepId: 'S1' });
    expect(matched(item, [ended, candidate(2, { studyInstanceUid: '2.25.1' })])).toEqual([]);
  });
});

describe('an item that names the study alone', () => {
  it('means its one open step of the modality', () => {
    const candidates = [
      candidate(1),
      candidate(2, { studyInstanceUid: '2.25.1', modality: 'CT' }),
      candidate(3, { studyInstanceUid: '2.25.1', stepStatus: 'COMPLETED' }),
    ];
    expect(matched(reference('2.25.1'), candidates)).toEqual([1]);
    expect(matched(reference('2.25.1'), candidates, 'CT')).toEqual([2]);
  });

  it('means none of two open steps', () => {
    const candidates = [candidate(1), candidate(2, { studyInstanceUid: '2.25.1' })];
    expect(matched(reference('2.25.1'), candidates)).toEqual([]);
  });

  it('means, of two open steps of the modality, the one of the station that performs it', () => {
    const candidates = [
      candidate(1, { scheduledStationAeTitles: ['MR1', 'MR2'] }),
      candidate(2, { studyInstanceUid: '2.25.1', scheduledStationAeTitles: ['MR3'] }),
    ];
    const at = (performedStationAeTitle: string) =>
      matchStep(reference('2.25.1'), candidates, { modality: 'MR', performedStationAeTitle })?.step.stepId;
    expect(['MR3', 'MR2', 'MR9'].map(at)).toEqual([2, 1, undefined]);
  });

  it('means nothing of another study, however few steps there are', () => {
    expect(matched(reference('2.25.99'), [candidate(1)])).toEqual([]);
  });
});

describe('a group case (n steps, one MPPS; PS3.4 F.7.2.1.2, RAD TF-2 4.6.4.1.2.3.6)', () => {
  const candidates = [candidate(1), candidate(2), candidate(3)];

  it('has items with one new study UID that reference the studies of the procedures', () => {
    const items = ['1', '2'].map((n) =>
      reference('2.25.500', { scheduledProcedureStepId: `S${n}`, referencedStudyUids: [`2.25.${n}`] }),
    );
    expect(items.map((item) => matched(item, candidates))).toEqual([[1], [2]]);
  });

  it('is matched by accession number and requested procedure ID when no study is referenced', () => {
    const item = reference('2.25.500', {
      scheduledProcedureStepId: 'S2',
      accessionNumber: 'A2',
      requestedProcedureId: 'RP2',
    });
    expect(matched(item, candidates)).toEqual([2]);
  });

  it('is matched by the referenced study alone when its step is the only open one', () => {
    expect(matched(reference('2.25.500', { referencedStudyUids: ['2.25.3'] }), candidates)).toEqual([3]);
  });

  it('of one procedure with two steps names the study of the worklist in both items', () => {
    const both = [candidate(1), candidate(2, { studyInstanceUid: '2.25.1' })];
    const items = ['S1', 'S2'].map((id) => reference('2.25.1', { scheduledProcedureStepId: id }));
    expect(items.map((item) => matched(item, both))).toEqual([[1], [2]]);
  });
});

describe('an item that names the accession number', () => {
  const ofOneOrder = [
    candidate(1, { accessionNumber: 'A' }),
    candidate(2, { accessionNumber: 'A', modality: 'CT' }),
    candidate(3, { accessionNumber: 'A', modality: 'US' }),
    candidate(4, { accessionNumber: 'A', modality: 'US' }),
  ];

  it('means the one open step of the order with that modality', () => {
    expect(matched(reference('2.25.99', { accessionNumber: 'A' }), ofOneOrder, 'CT')).toEqual([2]);
  });

  it('means none of two', () => {
    expect(matched(reference('2.25.99', { accessionNumber: 'A' }), ofOneOrder, 'US')).toEqual([]);
  });

  it('means none with another modality', () => {
    expect(matched(reference('2.25.99', { accessionNumber: 'A' }), ofOneOrder, 'XA')).toEqual([]);
  });

  it('that is another means nothing', () => {
    expect(matched(reference('2.25.99', { accessionNumber: 'B' }), ofOneOrder)).toEqual([]);
  });

  it('that is absent does not match a step whose accession number is absent too', () => {
    const bare = candidate(1, { accessionNumber: '', requestedProcedureId: '' });
    expect(matched(reference('2.25.99', { scheduledProcedureStepId: 'S1' }), [bare])).toEqual([]);
    expect(matched(reference('2.25.99'), [bare])).toEqual([]);
  });
});

describe('an unscheduled MPPS (only a study UID of the modality; RAD TF-2 4.6.4.1.2.3.2)', () => {
  it('matches nothing, whoever is waiting', () => {
    expect(matched(reference('2.25.99'), [candidate(1), candidate(2)])).toEqual([]);
  });
});

describe('an N-SET (PS3.4 F.7.2.2.2)', () => {
  it('is taken while the stored status is IN PROGRESS', () => {
    expect(setRefusal('IN PROGRESS')).toBeUndefined();
  });

  it.each(['COMPLETED', 'DISCONTINUED'] as const)('is refused with 0110 and A710 once it is %s', (stored) => {
    expect(setRefusal(stored)).toEqual({
      status: 0x0110,
      errorId: 0xa710,
      comment: 'Performed Procedure Step Object may no longer be updated',
    });
  });

  it('for an unknown instance is 0112, an N-CREATE for a known one 0111', () => {
    expect([unknownInstance.status, duplicateInstance.status]).toEqual([0x0112, 0x0111]);
  });

  it('refuses with comments that fit (0000,0902) Error Comment, LO of 64 characters', () => {
    for (const refusal of [unknownInstance, duplicateInstance, setRefusal('COMPLETED')]) {
      expect(refusal?.comment.length).toBeLessThanOrEqual(64);
    }
  });
});

describe('an item without a step id, by its accession number', () => {
  const steps = [candidate(1, { stepStatus: 'COMPLETED' }), candidate(2, { accessionNumber: 'A1' })];

  it('given its study is another procedure of the order that has ended, then it means nothing: no other one was performed', () => {
    expect(matched(reference('2.25.1', { accessionNumber: 'A1' }), steps)).toEqual([]);
  });

  it('given an unknown study and another procedure id, then it means nothing', () => {
    expect(matched(reference('2.25.99', { accessionNumber: 'A1', requestedProcedureId: 'RP1' }), steps)).toEqual([]);
    expect(matched(reference('2.25.99', { accessionNumber: 'A1', requestedProcedureId: 'RP2' }), steps)).toEqual([2]);
  });
});

describe('the append case (RAD TF-2 4.6.4.1.2.3.3)', () => {
  const done = candidate(1, { stepStatus: 'COMPLETED' });

  it('names the completed step again', () => {
    expect(matched(reference('2.25.1', { scheduledProcedureStepId: 'S1' }), [done], 'CT')).toEqual([1]);
  });

  it('without a step id means the completed step of the modality at its own station', () => {
    const at = (performedStationAeTitle: string, modality = 'MR') =>
      matchStep(reference('2.25.1'), [done], { modality, performedStationAeTitle })?.step.stepId;
    expect([at('MR1'), at('MR2'), at('MR1', 'CT')]).toEqual([1, undefined, undefined]);
  });

  it('goes after an open step of the study', () => {
    const open = candidate(2, { studyInstanceUid: '2.25.1', scheduledStationAeTitles: ['MR9'] });
    const match = matchStep(reference('2.25.1'), [done, open], { modality: 'MR', performedStationAeTitle: 'MR1' });
    expect(match?.step.stepId).toBe(2);
  });
});

describe('an evidence creator (RAD-20; RAD TF-2 4.20)', () => {
  const by = (modality: string) => ({ modality, performedStationAeTitle: 'WORKSTATION' });
  const of = (stepStatus: StepStatus) => candidate(1, { stepStatus });

  it.each<[StepStatus, number[]]>([
    ['SCHEDULED', []],
    ['ARRIVED', []],
    ['STARTED', [1]],
    ['COMPLETED', [1]],
    ['CANCELLED', []],
    ['DISCONTINUED', []],
  ])('of a procedure whose step is %s works on the images of procedures %j', (stepStatus, procedures) => {
    expect(evidenceOf(reference('2.25.1'), [of(stepStatus)], by('PR'))).toEqual(procedures);
  });

  it('names no step: an item with a step id is none', () => {
    const item = reference('2.25.1', { scheduledProcedureStepId: 'S9' });
    expect(evidenceOf(item, [of('COMPLETED')], by('PR'))).toEqual([]);
  });

  it('is none where a step of its modality waits: which one is meant is a question', () => {
    const waiting = candidate(2, { studyInstanceUid: '2.25.1', procedureId: 1, modality: 'CT' });
    expect(evidenceOf(reference('2.25.1'), [of('COMPLETED'), waiting], by('CT'))).toEqual([]);
  });

  it('of a grouped examination works on every procedure that it references', () => {
    const item = reference('2.25.500', { referencedStudyUids: ['2.25.1', '2.25.2'] });
    const both = [of('COMPLETED'), candidate(2, { stepStatus: 'COMPLETED' })];
    expect(evidenceOf(item, both, by('PR'))).toEqual([1, 2]);
  });
});
