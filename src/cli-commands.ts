import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Command, UsageError, configOf, parse, table } from './cli-io.ts';
import { workflowDocument } from './cli-docs.ts';
import { structuresDocument } from './cli-docs-hl7.ts';
import { mppsAttributesDocument } from './cli-docs-mpps.ts';
import { createDicomClient } from './dicom/client.ts';
import { type Dataset, dataset, items, text, texts, toDicomJson } from './dicom/dataset.ts';
import { openApiDocument } from './http/openapi.ts';
import { localTimeOf, systemClock } from './platform/clock.ts';
import { SwfError } from './platform/errors.ts';
import { createLog } from './platform/log.ts';
import { version } from './platform/version.ts';
import { embeddedDatabase } from './server.ts';
import { startEmbeddedPostgres } from './store/embedded-postgres.ts';
import { migrate, pendingMigrations } from './store/migrate.ts';
import { worklistKeys } from './transactions/rad-05-worklist.ts';

/** `swf migrate`: what `serve` does at its start, alone. */
export const runMigrate: Command = async (args, io) => {
  const parsed = parse(args, { flags: ['dry-run'] });
  const config = configOf(parsed, io);
  const log = createLog(config.logLevel);
  const embedded =
    config.databaseUrl === undefined ? await startEmbeddedPostgres(embeddedDatabase(config, log)) : undefined;
  const url = config.databaseUrl ?? embedded?.url ?? '';
  try {
    const dryRun = parsed.flags.has('dry-run');
    const names = dryRun ? await pendingMigrations(url) : (await migrate(url)).applied;
    for (const name of names) io.print(`${dryRun ? 'pending' : 'applied'}  ${name}`);
    if (names.length === 0) io.print('nothing to apply: the database is up to date');
    return 0;
  } finally {
    await embedded?.stop();
  }
};

/** `swf config`: what is in force, with secrets hidden. */
export const runConfig: Command = async (args, io) => {
  const config = configOf(parse(args, { flags: ['json'] }), io);
  const shown = {
    ...config,
    databaseUrl: config.databaseUrl?.replace(/:\/\/[^@/]*@/, '://***@'),
    apiToken: config.apiToken === undefined ? undefined : '***',
  };
  io.print(JSON.stringify(shown, undefined, 2));
  return Promise.resolve(0);
};

const TIMEOUT_MS = 30_000;

function worklistQuestion(given: Readonly<Record<string, string | undefined>>, today: string): Dataset {
  const question = {
    scheduledStationAeTitle: given['station'],
    date: given['date'],
    modality: given['modality'],
    patientId: given['patient-id'],
    accessionNumber: given['accession'],
  };
  const keys = worklistKeys(question, today);
  return dataset({
    SpecificCharacterSet: 'ISO_IR 192',
    PatientName: null,
    RequestedProcedureID: null,
    RequestedProcedureDescription: null,
    StudyInstanceUID: null,
    ...keys,
    ScheduledProcedureStepSequence: items(keys, 'ScheduledProcedureStepSequence').map((step) => ({
      ...step,
      ScheduledProcedureStepStartTime: null,
      ScheduledProcedureStepID: null,
      ScheduledProcedureStepDescription: null,
      ScheduledProcedureStepStatus: null,
    })),
  });
}

function worklistLine(item: Dataset): string[] {
  const step = items(item, 'ScheduledProcedureStepSequence')[0] ?? {};
  const start = `${text(step, 'ScheduledProcedureStepStartDate') ?? ''} ${text(step, 'ScheduledProcedureStepStartTime') ?? ''}`;
  return [
    start,
    texts(step, 'ScheduledStationAETitle').join(','),
    text(step, 'Modality') ?? '',
    text(item, 'AccessionNumber') ?? '',
    text(item, 'RequestedProcedureID') ?? '',
    text(step, 'ScheduledProcedureStepID') ?? '',
    text(step, 'ScheduledProcedureStepStatus') ?? '',
    text(item, 'PatientID') ?? '',
    text(item, 'PatientName') ?? '',
    text(step, 'ScheduledProcedureStepDescription') ?? '',
  ];
}

const columns = [
  'START',
  'STATION',
  'MODALITY',
  'ACCESSION',
  'PROCEDURE',
  'STEP',
  'STATUS',
  'PATIENT ID',
  'PATIENT NAME',
  'DESCRIPTION',
];

/** `swf worklist`: a real C-FIND at the running server, under the AE title of a station. */
export const runWorklist: Command = async (args, io) => {
  const parsed = parse(args, {
    texts: ['aet', 'date', 'modality', 'station', 'patient-id', 'accession'],
    flags: ['json'],
  });
  const config = configOf(parsed, io);
  const aeTitle = parsed.text['aet'];
  if (aeTitle === undefined) throw new UsageError('say whose worklist it is: --aet AET');
  if (config.dicom.port === 0) throw new UsageError('the site file says port 0: say which port by SWF_DICOM_PORT');
  const client = createDicomClient({
    host: config.dicom.host,
    port: config.dicom.port,
    callingAeTitle: aeTitle,
    calledAeTitle: config.dicom.aeTitle,
    timeoutMs: TIMEOUT_MS,
  });
  const today = localTimeOf(systemClock.now(), config.organisation.timeZone).date;
  const where = `${config.dicom.aeTitle}@${config.dicom.host}:${config.dicom.port}`;
  const { status, datasets } = await client.find(worklistQuestion(parsed.text, today)).catch((error: unknown) => {
    if (!(error instanceof SwfError)) throw error;
    throw new SwfError(
      error.code,
      `${where}: ${error.message}. Is the server running? swf serve or npm start starts it.`,
    );
  });
  if (parsed.flags.has('json')) io.print(JSON.stringify(datasets.map(toDicomJson), undefined, 2));
  else if (datasets.length > 0) io.print(table([columns, ...datasets.map(worklistLine)]));
  io.error(
    `${datasets.length} ${datasets.length === 1 ? 'step' : 'steps'}, final status 0x${status.toString(16).toUpperCase().padStart(4, '0')}`,
  );
  return status === 0 ? 0 : 1;
};

/** `swf docs DIR`: the documents that are made from the program itself. */
export const runDocs: Command = async (args, io) => {
  const parsed = parse(args, { flags: ['check'], positionals: 1 });
  const folder = resolve(io.workingDirectory, parsed.positionals[0] ?? 'docs');
  const documents = {
    'openapi.json': `${JSON.stringify(openApiDocument(version), undefined, 2)}\n`,
    'workflow.md': workflowDocument(),
    'conformance/hl7-structures.md': structuresDocument(),
    'conformance/mpps-attributes.md': mppsAttributesDocument(),
  };
  const stale: string[] = [];
  for (const [name, content] of Object.entries(documents)) {
    const path = join(folder, name);
    if (!parsed.flags.has('check')) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      io.print(`wrote  ${name}`);
    } else if (readOrEmpty(path) !== content) stale.push(name);
  }
  for (const name of stale) io.error(`${name} is stale: npm run docs writes it anew`);
  return Promise.resolve(stale.length === 0 ? 0 : 1);
};

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
