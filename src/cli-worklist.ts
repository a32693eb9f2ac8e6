import type { z } from 'zod';
import { get } from './cli-http.ts';
import { type Command, type Io, UsageError, configOf, parse, table } from './cli-io.ts';
import { createDicomClient } from './dicom/client.ts';
import { type Dataset, dataset, items, text, texts, toDicomJson } from './dicom/dataset.ts';
import { worklistExplanation } from './http/schemas-worklist.ts';
import { localTimeOf, systemClock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import { SwfError } from './platform/errors.ts';
import { type WorklistQuestion, worklistKeys } from './transactions/rad-05-worklist.ts';

const TIMEOUT_MS = 30_000;

type Given = Readonly<Record<string, string | undefined>>;

function questionOf(given: Given): WorklistQuestion {
  return {
    scheduledStationAeTitle: given['station'],
    date: given['date'],
    modality: given['modality'],
    patientId: given['patient-id'],
    accessionNumber: given['accession'],
    requestedProcedureId: given['procedure'],
  };
}

function worklistQuestion(given: Given, today: string): Dataset {
  const keys = worklistKeys(questionOf(given), today);
  return dataset({
    SpecificCharacterSet: 'ISO_IR 192',
    PatientName: null,
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

/** What a person asks, of whom, and as whom. */
interface Asked {
  readonly given: Given;
  readonly config: Config;
  readonly aeTitle: string;
  readonly json: boolean;
}

const nextStep = ({ message }: SwfError): string =>
  message.includes('rejected')
    ? 'See dicom.aeTitle, worklists and dicom.callingAeTitles in the site file, or ask with --explain.'
    : 'Is the server running? swf serve or npm start starts it.';

/** A real C-FIND at the running server, under the AE title of a station. */
async function find({ given, config, aeTitle, json }: Asked, io: Io): Promise<number> {
  if (config.dicom.port === 0) throw new UsageError('the site file says port 0: say which port by SWF_DICOM_PORT');
  const calledAeTitle = given['called'] ?? config.dicom.aeTitle;
  const client = createDicomClient({
    host: config.dicom.host,
    port: config.dicom.port,
    callingAeTitle: aeTitle,
    calledAeTitle,
    timeoutMs: TIMEOUT_MS,
  });
  const today = localTimeOf(systemClock.now(), config.organisation.timeZone).date;
  const where = `${calledAeTitle}@${config.dicom.host}:${config.dicom.port}`;
  const { status, datasets } = await client.find(worklistQuestion(given, today)).catch((error: unknown) => {
    if (!(error instanceof SwfError)) throw error;
    throw new SwfError(error.code, `${where}: ${error.message}. ${nextStep(error)}`);
  });
  if (json) io.print(JSON.stringify(datasets.map(toDicomJson), undefined, 2));
  else if (datasets.length > 0) io.print(table([columns, ...datasets.map(worklistLine)]));
  io.error(
    `${datasets.length} ${datasets.length === 1 ? 'step' : 'steps'}, final status 0x${status.toString(16).toUpperCase().padStart(4, '0')}`,
  );
  return status === 0 ? 0 : 1;
}

type Explanation = z.output<typeof worklistExplanation>;
type Check = Explanation['association'][number];

const listText = (values: readonly string[]): string => values.join(', ') || '-';

const checkLine = (step: string, { check, asked, stored, matches }: Check): string[] => [
  step,
  check,
  listText(asked),
  listText(stored),
  matches ? 'yes' : 'NO',
];

/** A sentence, then every check of every step, then what to do about those that fail. */
function explanationReport({ summary, quirks, association, items, truncated }: Explanation): string {
  const rows = items.flatMap((item) => [
    [
      item.scheduledProcedureStepId,
      item.listed ? 'ON THE LIST' : 'NOT ON THE LIST',
      `procedure ${item.requestedProcedureId}`,
      `accession number ${item.accessionNumber}`,
      '',
    ],
    ...item.checks.map((check) => checkLine('', check)),
  ]);
  const checks = [...association, ...items.flatMap((item) => item.checks)];
  const advice = new Set(checks.flatMap((one) => (one.advice === null ? [] : `${one.check}: ${one.advice}`)));
  const lines = [...association.map((check) => checkLine('association', check)), ...rows];
  return [
    summary,
    ...(quirks.length > 0 ? [`Quirks of this device (stations[].quirks): ${quirks.join(', ')}.`] : []),
    ...(truncated ? [`Only the first ${items.length} steps: name an order or a procedure.`] : []),
    ...(lines.length > 0 ? ['', table([['STEP', 'CHECK', 'ASKED', 'STORED', 'FITS'], ...lines])] : []),
    ...(advice.size > 0 ? ['', ...advice] : []),
  ].join('\n');
}

/** Lets the running server say why steps are on the list of a device or not. */
async function explain({ given, config, aeTitle, json }: Asked, io: Io): Promise<number> {
  const question = questionOf(given);
  const { accessionNumber, patientId, requestedProcedureId } = question;
  if ((accessionNumber ?? patientId ?? requestedProcedureId) === undefined)
    throw new UsageError('say which steps: --accession A, --patient-id P or --procedure RP');
  const parameters = { ...question, callingAeTitle: aeTitle, calledAeTitle: given['called'] };
  const { ok, body, detail } = await get(config, '/api/worklist/explain', parameters);
  const explanation = worklistExplanation.safeParse(body);
  if (!ok || !explanation.success)
    throw new SwfError('internal', detail || 'the server answered something else: is it of the same version?');
  io.print(json ? JSON.stringify(body, undefined, 2) : explanationReport(explanation.data));
  return explanation.data.items.length > 0 ? 0 : 1;
}

/** `swf worklist`: the list of a station, or with --explain why a step is on it or not. */
export const runWorklist: Command = async (args, io) => {
  const { text, flags } = parse(args, {
    texts: ['aet', 'called', 'date', 'modality', 'station', 'patient-id', 'accession', 'procedure'],
    flags: ['json', 'explain'],
  });
  const config = configOf({ text, flags, positionals: [] }, io);
  const aeTitle = text['aet'];
  if (aeTitle === undefined) throw new UsageError('say whose worklist it is: --aet AET');
  for (const title of [aeTitle, text['called'] ?? ''])
    if (title.length > 16) throw new UsageError(`${title} is no AE title: it has more than 16 characters`);
  const asked = { given: text, config, aeTitle, json: flags.has('json') };
  return flags.has('explain') ? explain(asked, io) : find(asked, io);
};
