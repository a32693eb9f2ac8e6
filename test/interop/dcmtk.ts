import { join } from 'node:path';
import { type DicomJson, readDatasets } from './dicom-json.ts';
import { type Call, type Outcome, installed, output, run, scratch, script } from './programs.ts';

/** The programs of DCMTK that are here. */
export const dcmtk = {
  findscu: installed('findscu', '--version'),
  echoscu: installed('echoscu', '--version'),
  dcm2json: installed('dcm2json', '--version'),
} as const;

const addressOf = ({ calling, called, port }: Call): string[] => [
  ...['-aet', calling, '-aec', called],
  ...['127.0.0.1', String(port)],
];

/** C-ECHO. */
export const echoscu = (call: Call): Promise<Outcome> => run('echoscu', ['-v', ...addressOf(call)]);

/** C-FIND on the worklist with the options of findscu, and keys from files; all it says is in `said`. */
export async function findscu(
  call: Call,
  options: readonly string[],
  files: readonly string[] = [],
): Promise<Outcome & { readonly said: string }> {
  const outcome = await run('findscu', ['-v', '-W', ...options, ...addressOf(call), ...files]);
  return { ...outcome, said: outcome.stdout + outcome.stderr };
}

/** A key of the Scheduled Procedure Step Sequence, as findscu names it. */
export const stepKey = (keyword: string): string => `ScheduledProcedureStepSequence[0].${keyword}`;

const returnKeys = [
  ...['AccessionNumber', 'PatientName', 'PatientID', 'StudyInstanceUID', 'RequestedProcedureID'],
  ...['Modality', 'ScheduledStationAETitle', 'ScheduledProcedureStepStartDate'].map(stepKey),
  ...['ScheduledProcedureStepStartTime', 'ScheduledProcedureStepID'].map(stepKey),
  stepKey('ScheduledProtocolCodeSequence[0].CodeValue'),
];

/** How rows are asked for and read. */
export interface Reading {
  /** -xe: Explicit VR Little Endian is proposed first; -xi: Implicit only. */
  readonly syntax?: string;
  /** The program that turns an extracted row into DICOM JSON; dcm2json unless another is given. */
  readonly toJson?: (file: string) => Promise<string>;
}

/** The rows of one query, each with the usual return keys, extracted by findscu. */
export async function findRows(
  call: Call,
  keys: Readonly<Record<string, string>>,
  { syntax = '-xe', toJson = (file) => output('dcm2json', [file]) }: Reading = {},
): Promise<DicomJson[]> {
  const folder = scratch();
  try {
    const all = { ...Object.fromEntries(returnKeys.map((key) => [key, ''])), ...keys };
    const wanted = Object.entries(all).flatMap(([key, value]) => ['-k', `${key}=${value}`]);
    await output('findscu', ['-W', '-X', syntax, '-od', folder.path, ...wanted, ...addressOf(call)]);
    return await readDatasets(folder.path, toJson);
  } finally {
    folder.remove();
  }
}

/** g++ with the headers of DCMTK, which the client in `mpps.cc` needs. */
export const hasDcmtkHeaders = installed(
  'g++',
  '-fsyntax-only',
  '-include',
  'dcmtk/config/osconfig.h',
  '-x',
  'c++',
  '/dev/null',
);

/** The modality of `mpps.cc`, compiled. */
export interface MppsClient {
  /** What it was answered, one line an operation: `N-CREATE 0000`. */
  perform(call: Call, patientId: string): Promise<string[]>;
  remove(): void;
}

/** Compiles the modality that is made of DCMTK's libraries. */
export async function compileMppsClient(): Promise<MppsClient> {
  const folder = scratch();
  const program = join(folder.path, 'mpps');
  const libraries = ['-ldcmnet', '-ldcmdata', '-loflog', '-lofstd'];
  await output('g++', ['-Wall', '-Wextra', script('mpps.cc'), '-o', program, ...libraries]);
  return {
    perform: async ({ port, called, calling }, patientId) => {
      const lines = await output(program, ['127.0.0.1', String(port), called, calling, patientId]);
      return lines.trim().split('\n');
    },
    remove: () => folder.remove(),
  };
}

/** What the modality hears that performs the only step of a patient, each message sent twice (PS3.4 F.7.2). */
export const performedAsTold = [
  'C-FIND 0000 1',
  'N-CREATE 0000',
  'N-CREATE 0111',
  'N-SET 0000',
  'N-SET 0110',
  'C-FIND 0000 0',
];
