import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../actors/commands.ts';
import { createDisguise } from '../../actors/disguise.ts';
import { loadScenario } from '../../actors/lint.ts';
import { type Result, playScenarios } from '../../actors/play-scenarios.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { silentLog } from '../../src/platform/log.ts';
import { startServer } from '../../src/server.ts';
import { freshDatabase } from '../support/database.ts';
import { simpleCase } from './playing.ts';
import { type TestSite, writeTestSite } from './site.ts';

/** Serves the site from a database with nothing in it. */
async function startFresh(site: TestSite) {
  const database = await freshDatabase();
  const ports = { SWF_HL7_PORT: '0', SWF_DICOM_PORT: '0', SWF_HTTP_PORT: '0', SWF_HOST: '127.0.0.1' };
  const environment = { ...ports, DATABASE_URL: database.url };
  const config = loadConfig({ file: site.file, environment, workingDirectory: site.folder });
  const server = await startServer(config, { log: silentLog });
  const { hl7, dicom, http } = server.ports;
  const stop = async (): Promise<void> => {
    await server.stop();
    await database.drop();
  };
  const of = `mllp://127.0.0.1:${hl7}`;
  return { of, ofDicom: `SWF_OF@127.0.0.1:${dicom}`, ofHttp: `http://127.0.0.1:${http}`, stop };
}

type Fresh = Awaited<ReturnType<typeof startFresh>>;

let site: TestSite;
let lines: string[];

function play(paths: readonly string[], { of, ofDicom, ofHttp }: Fresh): Promise<Result> {
  return playScenarios(paths, {
    ...{ site: site.file, of, ofDicom, ofHttp, transcripts: join(site.folder, 'transcripts'), environment: {} },
    workingDirectory: site.folder,
    screen: { write: (line) => void lines.push(line), colour: false },
    signal: new AbortController().signal,
  });
}

/** `swf-play` in this process. */
async function swfPlay(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const status = await main(args, {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    colour: false,
    environment: {},
    workingDirectory: site.folder,
    signal: new AbortController().signal,
  });
  return { status, out: out.join('\n'), err: err.join('\n') };
}

const name = 'O\\T\\HARE^FIONNUALA';
const pid = (id: string, as = name): string =>
  `PID|||${id}^^^HOSPITAL||${as}||19840622|F|||7 Mill Lane^^Oakham^^48213||(000)555-0177\n`;

/** An order that is moved, performed in two performed steps, under a patient who is renamed and merged. */
function writeRichCase(folder: string): string {
  mkdirSync(folder);
  const from = (file: string): string => readFileSync(join(simpleCase, file), 'utf8');
  const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
  const order = from('orm-new-order.hl7').replace(/^PID.*\n/m, pid('${patientId}'));
  write('order.hl7', order.replace('migraine for two years', 'pain \\T\\ fever since Easter'));
  write('a04.hl7', `MSH|^~\\&|||||||ADT^A04||P|2.3.1\nEVN|A04|\${now}\n${pid('${patientId}')}PV1||O\n`);
  write(
    'a08.hl7',
    `MSH|^~\\&|||||||ADT^A08||P|2.3.1\nEVN|A08|\${now}\n${pid('${patientId}', 'TWOMEY^FIONNUALA')}PV1||O\n`,
  );
  const survivor = pid('${survivor}', 'TWOMEY^FIONNUALA');
  write('a04b.hl7', `MSH|^~\\&|||||||ADT^A04||P|2.3.1\nEVN|A04|\${now}\n${survivor}PV1||O\n`);
  write('a40.hl7', `MSH|^~\\&|||||||ADT^A40||P|2.3.1\nEVN|A40|\${now}\n${survivor}MRG|\${patientId}^^^HOSPITAL\n`);
  write('create.yaml', from('mpps-in-progress.yaml'));
  write('create-2.yaml', from('mpps-in-progress.yaml').replace('PPS${run}', 'QPS${run}'));
  write('end.yaml', from('mpps-completed.yaml'));
  write('end-2.yaml', from('mpps-completed.yaml').replaceAll('{series}', '{series2}').replaceAll('Image}', 'Image2}'));
  const uids = ['mpps', 'mpps2', 'series', 'series2', 'firstImage', 'secondImage', 'firstImage2', 'secondImage2'];
  write(
    'scenario.yaml',
    `scenario: rich
title: Rich
cast: [ADT, OP, IM, MOD]
let:
  day: \${today}
  patientId: P\${run}
  survivor: S\${run}
  patientName: O&HARE^FIONNUALA
  placerOrderNumber: O\${run}
${uids.map((uid) => `  ${uid}: \${uid}\n`).join('')}steps:
  - { step: Registered, from: ADT, send: a04.hl7, ack: { MSA-1: AA } }
  - { step: Ordered, from: OP, send: order.hl7, ack: { MSA-1: AA } }
  - step: Announced
    to: IM
    receive: ORM^O01
    capture:
      accessionNumber: OBR-18
      requestedProcedureId: OBR-19
      scheduledProcedureStepId: OBR-20
      studyInstanceUid: ZDS-1.1
  - step: Moved
    do:
      say: Mrs O'Hare asked for another day
      post: /api/procedures/\${requestedProcedureId}/reschedule
      body: { start: '2031-05-06T10:30' }
  - { step: Told, to: IM, receive: ORM^O01 }
  - { step: Renamed, from: ADT, send: a08.hl7, ack: { MSA-1: AA } }
  - { step: Told, to: IM, receive: ADT^A08 }
  - { step: Asked, from: MOD, find: { PatientID: '\${patientId}', PatientName: }, matches: 1 }
  - { step: Begun, from: MOD, create: create.yaml, uid: '\${mpps}', status: '0000' }
  - { step: Told, to: OP, receive: ORM^O01 }
  - { step: Ended, from: MOD, set: end.yaml, uid: '\${mpps}', status: '0000' }
  - { step: Told, to: OP, receive: ORM^O01 }
  - { step: Begun again, from: MOD, create: create-2.yaml, uid: '\${mpps2}', status: '0000' }
  - { step: Ended again, from: MOD, set: end-2.yaml, uid: '\${mpps2}', status: '0000' }
  - { step: Ended for ever, from: MOD, set: end-2.yaml, uid: '\${mpps2}', status: '0110' }
  - { step: Another number, from: ADT, send: a04b.hl7, ack: { MSA-1: AA } }
  - { step: Merged, from: ADT, send: a40.hl7, ack: { MSA-1: AA } }
  - { step: Told, to: IM, receive: ADT^A40 }
`,
  );
  return folder;
}

beforeAll(async () => {
  site = await writeTestSite('catalogue.yaml');
  copyFileSync(fileURLToPath(new URL('../../catalogue.yaml', import.meta.url)), join(site.folder, 'catalogue.yaml'));
  lines = [];
});
afterAll(() => site.remove());

interface Entry {
  readonly requestedProcedureId: string;
  readonly accessionNumber: string;
  readonly placerOrderNumber: string;
  readonly fillerOrderNumber: string;
  readonly studyInstanceUid: string;
  readonly steps: readonly { readonly scheduledProcedureStepId: string }[];
  readonly performedSteps: readonly { readonly sopInstanceUid: string }[];
}

/** Everything in the two examinations by which somebody could be recognised. */
function secretsOf(procedures: readonly Entry[], runs: readonly string[]): string[] {
  const texts = ['BRANDVOLD', 'SIGNE', 'HARE', 'FIONNUALA', 'TWOMEY', 'ABARA', 'NOOR', 'TRENT', 'OLA^', '2204', '3117'];
  const more = [
    'Mill Lane',
    'Oakham',
    '48213',
    '555-0142',
    '555-0177',
    'migraine',
    'Easter',
    'fever',
    'Exclude',
    'mass',
  ];
  const days = ['19840622', '1984-06-22', '20310506', '2031-05-06', ...[0, 1].map((ago) => dayBefore(ago))];
  const places = ['MAGNET 1', 'Ground floor', 'Mrs', 'another day'];
  const ids = procedures.flatMap((one) => [
    ...[one.requestedProcedureId, one.accessionNumber, one.placerOrderNumber, one.fillerOrderNumber],
    ...[one.studyInstanceUid, ...one.steps.map((step) => step.scheduledProcedureStepId)],
    ...one.performedSteps.map((step) => step.sopInstanceUid),
  ]);
  return [...texts, ...more, ...days, ...places, ...runs, ...ids];
}

const dayBefore = (days: number): string =>
  new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');

/** A text as it could stand in a file: plain, in base64 at each of its three alignments, in hexadecimal, escaped. */
function guises(text: string): string[] {
  const aligned = [0, 1, 2].map((lead) => {
    const whole = Buffer.from(' '.repeat(lead) + text)
      .toString('base64')
      .replace(/=+$/, '');
    return whole.slice(lead === 0 ? 0 : lead + 1, -1);
  });
  const reversed = [...text].toReversed().join('');
  const long = aligned.filter((one) => one.length >= 5);
  return [
    text,
    text.replaceAll('&', '\\T\\'),
    encodeURIComponent(text),
    Buffer.from(text).toString('hex'),
    reversed,
    ...long,
  ];
}

/** Plays two scenarios and exports what they left; gives what must not be found in that. */
async function playAndExport(paths: readonly string[], folders: readonly string[], first: Fresh): Promise<string[]> {
  const { results, failed } = await play(paths, first);
  expect([failed, lines.filter((line) => line.includes('✗'))]).toEqual([0, []]);
  const procedures: Entry[] = [];
  for (const [index, { run }] of results.entries()) {
    const id = index === 0 ? `P${run}` : `S${run}`;
    const answer = await fetch(`${first.ofHttp}/api/procedures?patientId=${id}`);
    const [procedure] = ((await answer.json()) as { items: Entry[] }).items;
    if (!procedure) throw new Error(`no procedure of ${id}`);
    procedures.push(procedure);
    const at = ['--of-http', first.ofHttp, '--site', site.file, '--to', folders[index] ?? ''];
    const exported = await swfPlay('export', procedure.requestedProcedureId, ...at);
    expect(exported).toMatchObject({ status: 0, err: '' });
  }
  return secretsOf(
    procedures,
    results.map(({ run }) => run),
  );
}

describe('what happened to an examination, as a scenario', () => {
  it('can be played against a server with nothing in it, and names nobody and nothing of what was real', async () => {
    const first = await startFresh(site);
    const rich = writeRichCase(join(site.folder, 'rich'));
    const folders = ['simple', 'moved'].map((one) => join(site.folder, 'exported', one));
    const secrets = await playAndExport([simpleCase, rich], folders, first).finally(() => first.stop());

    for (const folder of folders) {
      expect(loadScenario(join(folder, 'scenario.yaml')).problems).toEqual([]);
      const told = readdirSync(folder).flatMap((file) => [file, readFileSync(join(folder, file), 'utf8')]);
      const all = told.join('\n').toUpperCase();
      expect(secrets.filter((secret) => guises(secret).some((guise) => all.includes(guise.toUpperCase())))).toEqual([]);
    }
    const steps = loadScenario(join(folders[1] ?? '', 'scenario.yaml')).scenario?.steps ?? [];
    const verbs = steps.map(({ verb }) => verb);
    expect(verbs.filter((verb) => verb !== 'receive')).toEqual([
      'send',
      'send',
      'do',
      'send',
      'find',
      'create',
      'set',
      'create',
      'set',
      'set',
      'send',
      'send',
      'quiet',
    ]);
    const second = await startFresh(site);
    try {
      const { failed, passed } = await play(folders, second);
      expect(lines.filter((line) => line.includes('✗') || line.includes('expected'))).toEqual([]);
      expect([passed, failed]).toEqual([2, 0]);
    } finally {
      await second.stop();
    }
  }, 120_000);

  it.each([
    [['export', '--to', 'x'], 'export needs a requested procedure ID'],
    [['export', 'RP1'], 'export needs the folder to write: --to DIR'],
    [['export', 'RP1', '--to', 'x', '--of', 'mllp://h:1'], 'say where with --of-http'],
    [['export', 'RP1', '--to', 'x', '--of-http', 'http://127.0.0.1:10'], 'connection refused: nothing listens there'],
  ])('asked wrongly with %j, says why', async (args, reason) => {
    const { status, err } = await swfPlay(...args);

    expect(err).toContain(reason);
    expect(status).toBe(2);
  });
});

describe('a disguise', () => {
  const real = 'THE PATIENT ALDERTON, TEXT 1';
  const disguise = () =>
    createDisguise({ days: -700, birthDays: 31, isReal: (text) => real.includes(text.toUpperCase()) });

  it('gives a value the same one each time, never one that is real', () => {
    const one = disguise();

    expect([one.name('Smith'), one.name('JONES'), one.name('SMITH')]).toEqual(['BRISCOE', 'CALDWELL', 'BRISCOE']);
    expect([one.text('ill'), one.text('worse'), one.text('ill')]).toEqual(['text 2', 'text 3', 'text 2']);
    expect(one.identifier('patientId', '1')).toBe('${patientId}');
    expect(one.identifier('accessionNumber', '1')).toBe('${accessionNumber}');
    expect(one.identifier('patientId', '2')).toBe('${patientId2}');
    expect(one.lets()).toEqual({ patientId: 'P${run}', accessionNumber: 'N${run}', patientId2: 'P2${run}' });
  });

  it.each([
    ['20260302', '20240401'],
    ['20260302101500.25+0100', '20240401101500.25+0100'],
    ['2026-03-02T10:15', '2024-04-01T10:15'],
    ['202603', '202403'],
    ['soon', ''],
  ])('moves the day of %s by 700 days, and nothing else: %s', (from, to) => {
    expect(disguise().date(from)).toBe(to);
  });

  it('keeps UIDs that DICOM has, and gives others a name', () => {
    const one = disguise();

    expect(one.uid('1.2.840.10008.5.1.4.1.1.4', 'object')).toBe('1.2.840.10008.5.1.4.1.1.4');
    expect([one.uid('1.2.3', 'series'), one.uid('1.2.4', 'series')]).toEqual(['${series}', '${series2}']);
  });
});
