import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadScenario, scenarioFilesAt } from '../../actors/lint.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swf lint '));
  writeFileSync(join(folder, 'a04.hl7'), 'MSH|^~\\&|||||${now}||ADT^A04|${controlId}|P|2.3.1\nPID|||${patientId}\n');
  writeFileSync(join(folder, 'mpps.yaml'), 'PatientID: ${patientId}\nStudyInstanceUID: ${studyInstanceUid}\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const head = `scenario: x
title: A scenario
cast: [ADT, OP, IM, MOD]
let:
  patientId: P-\${run}
steps:
`;

/** The problems of a scenario with these steps, each as `line text`. */
function problemsOf(steps: string, top = head): string[] {
  const file = join(folder, 'scenario.yaml');
  writeFileSync(file, top + steps);
  return loadScenario(file).problems.map(({ line, text }) => `${line ?? ''} ${text}`);
}

const sent = `  - step: One
    from: ADT
    send: a04.hl7
`;

describe('a scenario without mistakes', () => {
  it('is loaded with its steps, its verbs and its default waiting time', () => {
    const file = join(folder, 'scenario.yaml');
    writeFileSync(file, `${head}${sent}    ack: { MSA-1: AA }\n`);

    const { scenario, problems } = loadScenario(file);

    expect(problems).toEqual([]);
    expect(scenario?.within).toBe(15_000);
    expect(scenario?.steps.map(({ verb, step }) => [verb, step])).toEqual([['send', 'One']]);
  });

  it('keeps numbers as they are written: 001500 is a time, 2.30 a version', () => {
    const file = join(folder, 'scenario.yaml');
    writeFileSync(file, `${head}  - { step: A, from: MOD, find: { StudyTime: 001500, StudyID: 2.30 }, matches: 2 }\n`);

    const { scenario } = loadScenario(file);

    expect(scenario?.steps[0]).toMatchObject({ find: { StudyTime: '001500', StudyID: '2.30' }, matches: 2 });
  });

  it('is what this project ships: each says what it follows, and has a short name of its own', () => {
    const shipped = scenarioFilesAt(fileURLToPath(new URL('../../scenarios', import.meta.url)));

    expect(shipped.length).toBeGreaterThanOrEqual(2);
    const loaded = shipped.map(loadScenario);
    expect(loaded.flatMap(({ problems }) => problems)).toEqual([]);
    const scenarios = loaded.flatMap(({ scenario }) => scenario ?? []);
    expect(scenarios.filter(({ reference }) => reference.length === 0).map(({ name }) => name)).toEqual([]);
    const names = scenarios.map(({ scenario }) => scenario);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

describe('the linter', () => {
  it('names an unknown key at the step it stands in, and the key that was meant', () => {
    const [problem] = problemsOf(`${sent}    captures: { a: MSA-1 }\n`);

    expect(problem).toBe('10 step 1: Unrecognized key: "captures" (did you mean capture?)  → at steps[0]');
  });

  it('names an unknown key of the head', () => {
    expect(problemsOf(sent, head.replace('title:', 'titel: A\ntitle:'))).toEqual([
      '2 Unrecognized key: "titel" (did you mean title?)',
    ]);
  });

  it('names a status without quotes, which YAML reads as a number', () => {
    const [problem] = problemsOf('  - { step: A, from: MOD, create: { PatientID: x }, status: 0000 }\n');

    expect(problem).toContain('step 1: expected four hexadecimal digits in quotes, received number');
    expect(problem).toContain('→ at steps[0].status');
  });

  it('names a misspelt verb', () => {
    expect(problemsOf('  - { step: A, to: IM, recieve: ORM^O01 }\n')).toEqual([
      '7 step 1: Unrecognized key: "recieve" (did you mean receive?)  → at steps[0]',
    ]);
  });

  it('refuses a step with no verb and one with two', () => {
    expect(problemsOf('  - { step: A, to: IM }\n')[0]).toContain('a step needs one verb');
    expect(problemsOf('  - { step: A, from: ADT, send: a04.hl7, quiet: 1s }\n')[0]).toContain(
      'a step has one verb, this one has send and quiet',
    );
  });

  it('tells a name that is captured later from one that nobody knows', () => {
    const problems =
      problemsOf(`  - { step: A, to: OP, receive: 'ORM^O01', expect: { ORC-3: '\${fillerNumber}', ORC-2: '\${pateintId}' } }
  - { step: B, to: IM, receive: 'ORM^O01', capture: { fillerNumber: ORC-3.1 } }
  - { step: C, to: OP, receive: 'ORM^O01', expect: { ORC-3: '\${fillerNumber}' } }
`);

    expect(problems).toEqual([
      '7 step 1: ${fillerNumber} is used before it is captured',
      '7 step 1: ${pateintId} is not known: neither in let nor captured (did you mean patientId?)',
    ]);
  });

  it('looks for names in the files of a step', () => {
    expect(problemsOf('  - { step: A, from: MOD, create: mpps.yaml }\n')).toEqual([
      '7 step 1: ${studyInstanceUid} is not known: neither in let nor captured (in mpps.yaml)',
    ]);
  });

  it('names a let that asks for a later one', () => {
    expect(problemsOf(sent, head.replace('  patientId', '  visit: V-${patientId}\n  patientId'))).toEqual([
      '5 let visit: ${patientId} is not known above this line',
    ]);
  });

  it('names a missing file', () => {
    expect(problemsOf('  - { step: A, from: ADT, send: b05.hl7 }\n')).toEqual(['7 step 1: there is no file b05.hl7']);
  });

  it('names an actor outside the cast, of no kind, and one that cannot do this', () => {
    expect(problemsOf(sent.replace('ADT', 'ADT_B'))[0]).toContain('ADT_B is not in the cast');
    expect(problemsOf(sent.replace('ADT', 'PACS'))[0]).toContain('an actor is an ADT, OP, IM, RM or MOD');
    expect(problemsOf(sent.replace('ADT', 'MOD'))[0]).toContain('MOD cannot send');
    expect(problemsOf(sent, head.replace('[ADT,', '[OF, ADT,'))[0]).toContain('OF is never in the cast');
  });

  it('lets an Image Manager pass on the performed step that a modality told it of (RAD-6, RAD-7)', () => {
    const created = '  - { step: A, from: IM, create: { PatientID: x }, uid: 1.2.3 }\n';

    expect(problemsOf(`${created}${created.replace('create', 'set')}`)).toEqual([]);
  });

  it('names a place that is none, by the wire of the step', () => {
    expect(problemsOf(`${sent}    ack: { MSA1: AA }\n`)[0]).toContain('MSA1 is not a place');
    expect(problemsOf('  - { step: A, from: MOD, find: { PatientID: x }, expect: { PatientNmae: y } }\n')[0]).toContain(
      'PatientNmae is not a DICOM keyword',
    );
    expect(problemsOf('  - { step: A, from: MOD, find: { PatientNmae: x } }\n')[0]).toContain(
      'PatientNmae is not a DICOM keyword',
    );
  });

  it('names a check that is none and a regular expression that is none', () => {
    expect(problemsOf(`${sent}    ack: { MSA-1: { anyOf: [AA] } }\n`)[0]).toContain('→ at steps[0].ack.MSA-1');
    expect(problemsOf(`${sent}    ack: { MSA-1: { matches: '(' } }\n`)[0]).toContain('→ at steps[0].ack.MSA-1');
  });

  it('names the line of a mistake in the YAML itself, and a key that stands twice', () => {
    expect(problemsOf('  - step: [A\n')[0]).toMatch(/^[78] /);
    expect(problemsOf(`${sent}    send: a04.hl7\n`)[0]).toMatch(/^10 Map keys must be unique/);
  });

  it.each([
    ['{ say: A }', 'say either post: /api/... or get: /api/...'],
    ['{ say: A, post: /a, get: /b }', 'say either post'],
    ['{ say: A, get: /a, body: {} }', 'get takes no body'],
    ['{ say: A, post: api }', 'a path begins with a slash'],
    ['{ say: A, post: /a, staus: 200 }', 'Unrecognized key: "staus" (did you mean status?)  → at steps[0].do'],
    ['{ say: A, post: /a, status: "0000" }', 'an HTTP status is a number: 200'],
    ['{ say: A, post: /a, expect: { "steps[": x } }', 'steps[ is not a place'],
    ['{ say: A, post: "/a/${orderId}" }', '${orderId} is not known'],
  ])('names what is wrong with a step of staff: %s', (deed, problem) => {
    expect(problemsOf(`  - { step: A, do: ${deed} }\n`)).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    ['from: OP, send: a04.hl7, twice: no', 'twice is true, or is left out'],
    ['from: OP, send: a04.hl7, split: byte', 'split is bytes or segments'],
    ['to: OP, receive: ORM^O01, twice: true', 'Unrecognized key: "twice"'],
    ['answers: { OP: late }', 'an actor answers well, late 3s, lost, AE'],
    ['answers: { OP: AE 0 times }', 'an actor answers well'],
    ['answers: {}', 'say which actor'],
    ['answers: { RM: lost }', 'RM is not in the cast'],
    ['answers: { MOD: lost }', 'MOD cannot answers'],
    ['answers: { OP: 0110 }', 'OP is not asked by DICOM'],
    ['killed: ADT', 'ADT cannot killed'],
    ['online: IM', 'IM is online already'],
  ])('names a fault that cannot be: %s', (step, problem) => {
    expect(problemsOf(`  - { step: A, ${step} }\n`)).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    ['from: OP, send: [a04.hl7], together: packet', 'a list has two files or more'],
    ['from: OP, send: [a04.hl7, a04.hl7]', 'a list of files says how they travel'],
    ['from: OP, send: a04.hl7, together: packet', 'a list of files says how they travel, and only a list'],
    ['from: OP, send: [a04.hl7, a04.hl7], together: once', 'together is packet or connections'],
    ['from: OP, send: [a04.hl7, a04.hl7], together: packet, twice: true', 'has neither twice nor split nor capture'],
    ['from: OP, send: [a04.hl7, a04.hl7], together: packet, acks: [{}]', 'acks has an entry for each file'],
    ['from: OP, send: [a04.hl7, b.hl7], together: packet', 'there is no file b.hl7'],
    ['from: MOD, get: [PatientNmae], uid: 1', 'PatientNmae is not a DICOM keyword'],
    ['from: MOD, get: every, uid: 1', 'expected all, or a list of keywords'],
    ['from: MOD, echo: IM', 'expected OF'],
    ['from: MOD, echo: OF, rejected: busy', 'rejected is one of no-reason-given, '],
    ['from: MOD, find: {}, pending: FF02', 'a match comes with FF00 or FF01'],
    ['from: OP, get: all, uid: 1', 'OP cannot get'],
  ])('names what is wrong with a fault on the wire: %s', (step, problem) => {
    expect(problemsOf(`  - { step: A, ${step} }\n`)).toEqual([expect.stringContaining(problem)]);
  });

  it('names an actor that is taken offline twice, and lets it come back', () => {
    const [away, killed, back] = ['offline: IM', 'killed: IM', 'online: IM'].map(
      (verb) => `  - { step: A, ${verb} }\n`,
    );

    expect(problemsOf(`${away}${killed}`)).toEqual(['8 step 2: IM does not listen already']);
    expect(problemsOf(`${away}${back}${killed}${back}`)).toEqual([]);
  });

  it('knows what a step of staff captures', () => {
    const capture = "  - { step: A, do: { say: A, get: /a, capture: { found: 'items[0].id' } } }\n";

    expect(problemsOf(`${capture}  - { step: B, do: { say: B, get: '/a/\${found}' } }\n`)).toEqual([]);
  });

  it('tells every mistake at once', () => {
    expect(
      problemsOf(`${sent}    ackn: {}\n  - { step: B, quiet: soon }\n  - { step: C, offline: RM }\n`),
    ).toHaveLength(3);
  });
});

describe('the scenarios at a path', () => {
  it('are a file, a folder, or the folders in it by name', () => {
    for (const name of ['b', 'a', 'none']) mkdirSync(join(folder, 'set', name), { recursive: true });
    const [a, b] = [join(folder, 'set', 'a', 'scenario.yaml'), join(folder, 'set', 'b', 'scenario.yaml')];
    for (const file of [a, b]) writeFileSync(file, head);

    expect(scenarioFilesAt(a)).toEqual([a]);
    expect(scenarioFilesAt(join(folder, 'set', 'a'))).toEqual([a]);
    expect(scenarioFilesAt(join(folder, 'set'))).toEqual([a, b]);
    expect(scenarioFilesAt(join(folder, 'nothing'))).toEqual([]);
  });
});
