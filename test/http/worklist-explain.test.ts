import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { type Io, UsageError } from '../../src/cli-io.ts';
import { runWorklist } from '../../src/cli-worklist.ts';
import { items, text } from '../../src/dicom/dataset.ts';
import type { worklistExplanation } from '../../src/http/schemas-worklist.ts';
import type { Department } from '../../src/transactions/department.ts';
import { type WorklistQuestion, findWorklist, worklistKeys } from '../../src/transactions/rad-05-worklist.ts';
import { explainWorklist } from '../../src/transactions/worklist-explanation.ts';
import type { WorklistAsker } from '../../src/transactions/worklist-query.ts';
import type { StepStatus } from '../../src/workflow/vocabulary.ts';
import { orm } from '../support/messages.ts';
import { inProgress, newUid, stepsOf } from '../support/mpps.ts';
import { merge } from '../support/patients.ts';
import { type TestDepartment, startDepartment } from './support.ts';

type Explanation = z.output<typeof worklistExplanation>;

let house: TestDepartment;
let accessionNumber: string;
let requestedProcedureId: string;

beforeAll(async () => {
  house = await startDepartment({
    stations: [
      { aeTitle: 'PET1', quirks: ['own-station-only'] },
      { aeTitle: 'DX1', quirks: ['own-station-only', 'ignore-date'] },
    ],
    worklists: [{ aeTitle: 'MWL_CT', modalities: ['CT'] }],
  });
  const trunk = { placerOrderNumber: 'E1^HIS', service: 'TRUNK^^TESTPLAN', obr36: '202601050900' };
  const wrist = { placerOrderNumber: 'E2^HIS', service: 'WRIST^^TESTPLAN', obr36: '202601060900' };
  await house.hl7(orm([trunk, wrist], { identifier: 'X1^^^CLINIC', name: 'Explain^Eva' }));
  const [step] = await stepsOf(house.store, 'E1');
  accessionNumber = step?.accessionNumber ?? '';
  requestedProcedureId = step?.requestedProcedureId ?? '';
});
afterAll(() => house.stop());

const questionText = (question: WorklistQuestion & WorklistAsker): string =>
  new URLSearchParams(Object.entries(question) as [string, string][]).toString();

async function explain(question: WorklistQuestion & WorklistAsker): Promise<Explanation> {
  const { status, body } = await house.get(`/api/worklist/explain?${questionText(question)}`);
  expect(status).toBe(200);
  return body as Explanation;
}

/** The names of the checks that fail, step by step. */
const failed = ({ items: all }: Explanation): string[][] =>
  all.map(({ checks }) => checks.filter(({ matches }) => !matches).map(({ check }) => check));

/** What C-FIND answers to the same keys, by step. */
async function found(
  question: WorklistQuestion & WorklistAsker,
  department: Department = house.department,
): Promise<string[]> {
  const { callingAeTitle = 'NOBODY', calledAeTitle = 'SWF_OF' } = question;
  const context = { callingAeTitle, calledAeTitle, raw: new Uint8Array(), transferSyntaxUid: '1.2.840.10008.1.2' };
  const keys = worklistKeys(question, '2026-01-05');
  const withId = items(keys, 'ScheduledProcedureStepSequence').map((one) => ({ ...one, ScheduledProcedureStepID: [] }));
  const ids: string[] = [];
  for await (const { dataset } of findWorklist(
    department,
    { ...keys, ScheduledProcedureStepSequence: withId },
    context,
  )) {
    const [step = {}] = items(dataset, 'ScheduledProcedureStepSequence');
    ids.push(text(step, 'ScheduledProcedureStepID') ?? '');
  }
  return ids.sort();
}

const listedIn = ({ items: all }: Pick<Explanation, 'items'>): string[] =>
  all
    .filter(({ listed }) => listed)
    .map((one) => one.scheduledProcedureStepId)
    .sort();

describe('which statuses are on the list (RAD TF-2 4.5), and what the explanation says of each', () => {
  const on = (policy: { started: boolean; departed: boolean }): StepStatus[] => [
    'SCHEDULED',
    'ARRIVED',
    'READY',
    ...(policy.started ? (['STARTED'] as const) : []),
    ...(policy.departed ? (['DEPARTED'] as const) : []),
  ];
  const all: StepStatus[] = [...on({ started: true, departed: true }), 'COMPLETED', 'CANCELLED', 'DISCONTINUED'];
  const policies = [true, false].flatMap((started) => [true, false].map((departed) => ({ started, departed })));

  it.each(all)('%s', async (stepStatus) => {
    const [{ scheduledProcedureStepId } = { scheduledProcedureStepId: '' }] = await stepsOf(house.store, 'E2');
    const where = { scheduledProcedureStepId };
    await house.store.prisma.scheduledProcedureStep.update({ where, data: { stepStatus } });
    for (const policy of policies) {
      const { started: startedOnWorklist, departed: departedOnWorklist } = policy;
      const { config } = house.department;
      const site = { ...config, policy: { ...config.policy, startedOnWorklist, departedOnWorklist } };
      const department = { ...house.department, config: site };
      const question = { modality: 'DX', patientId: 'X1' };
      const shown = on(policy).includes(stepStatus) ? [scheduledProcedureStepId] : [];
      expect(await found(question, department)).toEqual(shown);
      const explanation = await explainWorklist(department, question);
      expect(listedIn({ items: explanation.items as Explanation['items'] })).toEqual(shown);
      const [step] = explanation.items.filter((one) => one.scheduledProcedureStepId === scheduledProcedureStepId);
      const check = step?.checks.find((one) => one.check === 'step status');
      expect(check).toMatchObject({ stored: [stepStatus], matches: shown.length > 0 });
      expect(check?.advice === null).toBe(shown.length > 0);
    }
    await house.store.prisma.scheduledProcedureStep.update({ where, data: { stepStatus: 'SCHEDULED' } });
  });

  it.each([
    ['planned', 'schedule'],
    ['held', 'release'],
  ])('a procedure that is %s has no step on it, and the advice is to %s it', async (state, action) => {
    const where = { requestedProcedureId };
    await house.store.prisma.requestedProcedure.update({ where, data: { state } });
    expect(await found({ patientId: 'X1', modality: 'PT' })).toEqual([]);
    const explanation = await explain({ requestedProcedureId });
    expect([explanation.items[0]?.listed, failed(explanation)]).toEqual([false, [['procedure state']]]);
    expect(explanation.items[0]?.checks.find(({ matches }) => !matches)?.advice).toContain(action);
    await house.store.prisma.requestedProcedure.update({ where, data: { state: 'scheduled' } });
  });
});

describe('GET /api/worklist/explain', () => {
  it.each<[string, WorklistQuestion & WorklistAsker, string[][]]>([
    ['no key but the name', {}, [[], []]],
    ['a station', { scheduledStationAeTitle: 'CT1' }, [['station'], ['station']]],
    ['a modality', { modality: 'CT' }, [['modality'], []]],
    ['a date', { date: '2026-01-06' }, [['date'], ['date']]],
    ['today', { date: 'today' }, [[], []]],
    ['another patient', { patientId: 'X2' }, [['patient id'], ['patient id']]],
    ['two keys', { modality: 'CT', date: '20260106-' }, [['modality', 'date'].sort(), ['date']]],
    ['a view', { calledAeTitle: 'MWL_CT' }, [['worklist MWL_CT: modality'], []]],
    ['a quirk', { callingAeTitle: 'DX1' }, [['DX1, own-station-only: station'], ['DX1, own-station-only: station']]],
    [
      'a quirk that drops a key',
      { callingAeTitle: 'DX1', date: '20200101' },
      [['DX1, own-station-only: station'], ['DX1, own-station-only: station']],
    ],
    ['its own station', { callingAeTitle: 'PET1', scheduledStationAeTitle: 'PET1' }, [[], []]],
  ])(
    'given %s, then it says what keeps each step off, and C-FIND answers the others',
    async (_what, question, reasons) => {
      const asked = { accessionNumber, ...question };
      const explanation = await explain(asked);
      expect(failed(explanation).map((names) => names.sort())).toEqual(reasons);
      expect(listedIn(explanation)).toEqual(await found(asked));
      expect(explanation.items.every(({ listed, checks }) => listed === checks.every(({ matches }) => matches))).toBe(
        true,
      );
    },
  );

  it('given a key, then what was asked and what is stored stand side by side, with what to do', async () => {
    const [first] = (await explain({ requestedProcedureId, scheduledStationAeTitle: 'CT9' })).items;
    expect(first?.checks.find(({ check }) => check === 'station')).toEqual({
      check: 'station',
      keyword: 'ScheduledStationAETitle',
      asked: ['CT9'],
      stored: ['PET1'],
      matches: false,
      advice: expect.stringContaining('reschedule') as string,
    });
    expect(first).toMatchObject({
      accessionNumber,
      patientId: 'X1',
      stepStatus: 'SCHEDULED',
      state: 'scheduled',
      start: '2026-01-05T09:00:00',
    });
  });

  it.each<[WorklistQuestion & WorklistAsker, string]>([
    [{ callingAeTitle: 'CT1' }, '3 steps; 3 on the list of CT1.'],
    [{ callingAeTitle: 'CT1', modality: 'DX' }, '3 steps; 1 on the list of CT1. Kept off: 2 by modality.'],
    [
      { callingAeTitle: 'CT1', scheduledStationAeTitle: 'CT1', modality: 'CT' },
      '3 steps; 0 on the list of CT1. Kept off: 3 by station, 2 by modality.',
    ],
    [{}, '3 steps; 3 on the list.'],
    [
      { callingAeTitle: 'CT1', calledAeTitle: 'SWF_0F' },
      '3 steps; 0 on the list of CT1: its association is rejected by called AE title.',
    ],
  ])('given %j about a patient, then it begins with a sentence', async (question, sentence) => {
    expect((await explain({ patientId: 'X1', ...question })).summary).toBe(sentence);
  });

  it('given a site that lists its devices, then another one is told that it is rejected', async () => {
    const { config } = house.department;
    const department = {
      ...house.department,
      config: { ...config, dicom: { ...config.dicom, callingAeTitles: ['CT1'] } },
    };
    const asked = { patientId: 'X1', callingAeTitle: 'CT2' };
    const { summary, association, items: steps } = await explainWorklist(department, asked);
    expect(summary).toContain('rejected by calling AE title');
    expect(association.at(-1)).toMatchObject({ asked: ['CT2'], stored: ['CT1'], matches: false });
    expect(steps.some(({ listed }) => listed)).toBe(false);
  });

  it('given a number that nobody has, then it says where to look next', async () => {
    const { summary, items: none } = await explain({ accessionNumber: 'NOWHERE' });
    expect([none, summary]).toEqual([[], expect.stringContaining('GET /api/messages') as string]);
  });

  it('given what a modality performed without an order, then it is on no list, and the advice is to bind it', async () => {
    const unknown = { scheduledProcedureStepId: '', requestedProcedureId: '', accessionNumber: '', patientId: 'X1' };
    const step = { ...unknown, studyInstanceUid: newUid(), modality: 'CT', station: 'CT1' };
    expect(await house.nCreate(newUid(), inProgress([step]))).toBe(0);
    const explanation = await explain({ patientId: 'X1', modality: 'CT', scheduledStationAeTitle: 'CT1' });
    const performed = explanation.items.filter(({ stepStatus }) => stepStatus === 'STARTED');
    expect(failed({ ...explanation, items: performed })).toEqual([['order']]);
    expect(performed[0]?.checks[0]?.advice).toContain('/match');
    expect(await found({ patientId: 'X1', modality: 'CT', scheduledStationAeTitle: 'CT1' })).toEqual([]);
  });

  it('given the identifier that a patient had before a merge, then his steps are named and the key says why they are off', async () => {
    await house.hl7(
      orm([{ placerOrderNumber: 'E3^HIS', service: 'WRIST^^TESTPLAN' }], {
        identifier: 'X7^^^CLINIC',
        name: 'Old^Eva',
      }),
    );
    await house.hl7(
      orm([{ placerOrderNumber: 'E4^HIS', service: 'WRIST^^TESTPLAN' }], {
        identifier: 'X8^^^CLINIC',
        name: 'New^Eva',
      }),
    );
    await house.hl7(merge('X8^^^CLINIC', 'X7^^^CLINIC', 'New^Eva'));
    const explanation = await explain({ patientId: 'X7' });
    expect(failed(explanation)).toEqual([['patient id'], ['patient id']]);
    expect(explanation.items.map(({ patientId }) => patientId)).toEqual(['X8', 'X8']);
    expect((await explain({ patientId: 'X8' })).items.map(({ listed }) => listed)).toEqual([true, true]);
  });

  it.each([
    ['nothing that names a step', 'modality=CT'],
    ['an unknown parameter', `accessionNumber=A1&station=CT1`],
    ['no date', 'accessionNumber=A1&date=yesterday'],
    ['no AE title', 'accessionNumber=A1&callingAeTitle=MORE_THAN_SIXTEEN_LETTERS'],
  ])('given %s, then 400', async (_what, query) => {
    expect((await house.get(`/api/worklist/explain?${query}`)).status).toBe(400);
  });

  it('given another called AE title than the first, then the log line of a query says which, since it may show less', () => {
    const lineOf = (calledAeTitle: string): object | undefined => {
      const context = { callingAeTitle: 'CT1', calledAeTitle, raw: new Uint8Array(), transferSyntaxUid: '1.2' };
      house.lines.splice(0);
      findWorklist(house.department, worklistKeys({ modality: 'CT' }, '2026-01-05'), context).afterwards?.(0);
      return house.lines[0];
    };
    expect(lineOf('MWL_CT')).toMatchObject({ peer: 'CT1', view: 'MWL_CT', modality: 'CT', rows: 0 });
    expect(lineOf('SWF_OF')).not.toHaveProperty('view');
  });

  it('keeps names and identifiers out of the log', async () => {
    house.lines.splice(0);
    await explain({ patientId: 'X1', callingAeTitle: 'CT1' });
    expect(JSON.stringify(house.lines)).not.toMatch(/X1|Explain|Eva/);
    expect(house.lines).toContainEqual(expect.objectContaining({ path: '/api/worklist/explain', status: 200 }));
  });
});

describe('`swf worklist --explain`', () => {
  let output: string[];
  beforeEach(() => {
    output = [];
  });
  const io = (): Io => ({
    print: (line) => void output.push(line),
    error: (line) => void output.push(line),
    environment: { SWF_HTTP_PORT: String(house.port) },
    workingDirectory: '/',
  });
  const run = (...args: string[]): Promise<number> => runWorklist(['--aet', 'CT1', '--explain', ...args], io());

  it('prints the sentence first, then every check of every step, then what to do', async () => {
    expect(
      await run('--accession', accessionNumber, '--modality', 'CT', '--date', '20260106', '--station', 'CT1'),
    ).toBe(0);
    const lines = output.join('\n').split('\n');
    expect(lines[0]).toBe('2 steps; 0 on the list of CT1. Kept off: 2 by station, 2 by date, 1 by modality.');
    expect(lines[2]).toMatch(/^STEP +CHECK +ASKED +STORED +FITS$/);
    expect(
      lines.filter((line) => /^S\d+ +NOT ON THE LIST +procedure RP\d+ +accession number A/.test(line)),
    ).toHaveLength(2);
    expect(lines.filter((line) => /^ +station +CT1 +PET1 +NO$/.test(line))).toHaveLength(2);
    expect(lines.filter((line) => /^ +modality +CT +CT +yes$/.test(line))).toHaveLength(1);
    expect(lines.slice(-3).join('\n')).toMatch(/^station: the step is offered to other stations/m);
  });

  it('prints what the server answered with --json', async () => {
    expect(await run('--procedure', requestedProcedureId, '--json')).toBe(0);
    expect(JSON.parse(output.join(''))).toEqual(await explain({ requestedProcedureId, callingAeTitle: 'CT1' }));
  });

  it('has the exit status 1 where no step has that name', async () => {
    expect(await run('--patient-id', 'NOBODY')).toBe(1);
    expect(output[0]).toMatch(/^No step has this patient id/);
  });

  it('asks which steps are meant', async () => {
    await expect(run('--modality', 'CT')).rejects.toThrow(UsageError);
    await expect(run('--accession', 'A1', '--called', 'A_TITLE_THAT_IS_TOO_LONG')).rejects.toThrow(/16 characters/);
  });

  it('says what the server refuses', async () => {
    await expect(run('--accession', 'A1', '--date', 'someday')).rejects.toThrow(/date/);
  });
});

describe('what the catalogue says of a step for the modality alone', () => {
  it('given a step with texts, when it is moved to another station, then the name and place of the first are gone', async () => {
    const code = { code: 'TEXTS', scheme: 'TESTPLAN', meaning: 'With texts' };
    const texts = { stationName: 'Scanner one', location: 'Room 1', contrastAgent: 'Iodine', preMedication: 'None' };
    const step = { modality: 'CT', stations: ['CT1'], minutes: 20, protocols: [code], ...texts };
    const other = await startDepartment({
      catalogue: [{ service: code, requestedProcedures: [{ code, steps: [step] }] }],
    });
    const shown = async (): Promise<unknown[]> => {
      const { body } = await other.get('/api/worklist');
      const [item] = (body as { items: Record<string, { Value: Record<string, { Value?: unknown[] }>[] }>[] }).items;
      const [only] = item?.['00400100']?.Value ?? [];
      return ['00400010', '00400011', '00321070', '00400012'].map((tag) => only?.[tag]?.Value?.[0]);
    };
    await other.hl7(orm([{ placerOrderNumber: 'T1^HIS', service: 'TEXTS^^TESTPLAN' }]));
    expect(await shown()).toEqual(['Scanner one', 'Room 1', 'Iodine', 'None']);
    const [{ requestedProcedureId: id } = { requestedProcedureId: '' }] = await stepsOf(other.store, 'T1');
    const move = (station: string) => other.post(`/api/procedures/${id}/reschedule`, { station });
    expect((await move('CT2')).status).toBe(200);
    expect(await shown()).toEqual([undefined, undefined, 'Iodine', 'None']);
    await other.stop();
  });
});
