import { spawnSync } from 'node:child_process';
import { completed, inProgress, newUid, notification } from '../support/mpps.ts';
import { ctn, mwlQuery, nameAndModality } from './ctn.ts';
import {
  compileMppsClient,
  dcmtk,
  echoscu,
  findRows,
  findscu,
  hasDcmtkHeaders,
  performedAsTold,
  stepKey,
} from './dcmtk.ts';
import { type DicomJson, stepOf } from './dicom-json.ts';
import { askByOdil, odilCreate, odilEcho, odilFind, odilGet, odilNotify, odilPython, odilSet } from './odil.ts';
import { MANY, order } from './orders.ts';
import { hasOrthanc, startOrthanc } from './orthanc.ts';
import { callOf } from './programs.ts';

/** Our server as a foreign program meets it, with what `orderEverything` has ordered. */
export interface Ports {
  readonly hl7: number;
  readonly dicom: number;
}

/** One thing that a program was told to do. */
export interface Check {
  readonly asked: string;
  readonly came: string;
  readonly expected: string;
}

/** A foreign program that tells what it sees of us. */
export interface Judge {
  readonly program: string;
  /** The package of Debian that has it. */
  readonly debianPackage: string;
  readonly isHere: boolean;
  readonly checks: (ports: Ports) => AsyncGenerator<Check>;
}

/** The version that Debian's package manager knows; empty elsewhere. */
export function versionOf(debianPackage: string): string {
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f=${Version}', debianPackage], { encoding: 'utf8' });
  return status === 0 ? stdout : '';
}

const hex = (status: number): string => status.toString(16).toUpperCase().padStart(4, '0');

/** Whose steps came, one word a row: `PA2 PA2`. */
const patientsOf = (rows: readonly DicomJson[]): string =>
  rows
    .map((row) => stepOf(row).patientId)
    .sort()
    .join(' ');

const date = stepKey('ScheduledProcedureStepStartDate');
const room = { [date]: '20300117', [stepKey('Modality')]: 'CT', [stepKey('ScheduledStationAETitle')]: 'PET1' };

const queries: readonly [keys: Readonly<Record<string, string>>, patients: string][] = [
  [{ PatientID: 'PA1' }, 'PA1'],
  [{ PatientName: 'osmund^tor', PatientID: 'PA2' }, 'PA2 PA2'],
  [{ PatientName: 'OS*' }, 'PA1 PA2 PA2'],
  [room, 'PA3'],
  [{ [date]: '20300115-20300116' }, 'PA1 PA2 PA2'],
  [{ PatientID: 'NOBODY' }, ''],
];

async function* checkByFindscu({ dicom }: Ports): AsyncGenerator<Check> {
  for (const syntax of ['-xe', '-xi']) {
    for (const [keys, expected] of queries) {
      const asked = Object.entries(keys).map(([key, value]) => `${key.replace(/^.*\./, '')}=${value}`);
      const came = patientsOf(await findRows(callOf(dicom), keys, { syntax }));
      yield { asked: `C-FIND ${syntax} ${asked.join(' ')}`, came, expected };
    }
  }
  const finalOf = (said: string): string => /Final Find Response \((\w+)/.exec(said)?.[1] ?? 'none';
  const many = ['-k', `${stepKey('ScheduledStationAETitle')}=US1`, '-k', 'AccessionNumber'];
  const all = await findscu(callOf(dicom), many);
  const rows = all.said.match(/Find Response: \d+ \(Pending\)/g)?.length ?? 0;
  yield { asked: `C-FIND of ${MANY} steps`, came: `${rows} ${finalOf(all.said)}`, expected: `${MANY} Success` };
  const cancelled = await findscu(callOf(dicom), ['--cancel', '2', ...many]);
  yield { asked: 'C-CANCEL after two', came: finalOf(cancelled.said), expected: 'Cancel' };
}

async function* checkByEchoscu({ dicom }: Ports): AsyncGenerator<Check> {
  const { status } = await echoscu(callOf(dicom));
  yield { asked: 'C-ECHO', came: `exit ${status}`, expected: 'exit 0' };
  const stranger = await echoscu({ ...callOf(dicom), called: 'OTHER' });
  const reason = /Reason: (.*)/.exec(stranger.stdout + stranger.stderr)?.[1] ?? 'none';
  yield { asked: 'association with another AE title', came: reason, expected: 'Called AE Title Not Recognized' };
}

async function* checkByOrthanc({ dicom }: Ports): AsyncGenerator<Check> {
  const orthanc = await startOrthanc(dicom);
  try {
    yield { asked: 'C-ECHO', came: `HTTP ${await orthanc.echo('filler')}`, expected: 'HTTP 200' };
    const ids = async (query: object): Promise<string> => {
      const rows = await orthanc.find({ PatientID: '', ScheduledProcedureStepSequence: [], ...query });
      return rows
        .map((row) => String(row['PatientID']))
        .sort()
        .join(' ');
    };
    yield { asked: 'C-FIND PatientName=OS*', came: await ids({ PatientName: 'OS*' }), expected: 'PA1 PA2 PA2' };
    const broad = { ScheduledStationAETitle: 'PET1', Modality: 'PT', ScheduledProcedureStepStartDate: '20300117' };
    const came = await ids({ ScheduledProcedureStepSequence: [broad] });
    yield { asked: 'C-FIND of a room, day and modality', came, expected: 'PA3' };
  } finally {
    await orthanc.stop();
  }
}

async function* checkByMwlQuery({ dicom }: Ports): AsyncGenerator<Check> {
  const asked = [
    ['OS*', '#', 'PA1 PA2 PA2 ff00 ff00 ff00 0000'],
    ['OS*', 'MR', 'PA2 PA2 ff00 ff00 0000'],
    ['OS*', 'RT', '0000'],
  ] as const;
  for (const [name, modality, expected] of asked) {
    const { rows, statuses } = await mwlQuery(callOf(dicom), nameAndModality(name, modality));
    const patients = rows.map((row) => row['0010 0020'] ?? '').sort();
    yield {
      asked: `C-FIND PatientName=${name} Modality=${modality}`,
      came: [...patients, ...statuses].join(' '),
      expected,
    };
  }
}

async function* checkByOdil({ hl7, dicom }: Ports): AsyncGenerator<Check> {
  await order(hl7, { orcStart: '203001180900' }, { identifier: 'PA5^^^CLINIC', name: 'Vik^Siri' });
  const ask = (...requests: Parameters<typeof askByOdil>[1]) => askByOdil(callOf(dicom), requests);
  const query = odilFind({
    ...{ PatientID: 'PA5', StudyInstanceUID: null, AccessionNumber: null, RequestedProcedureID: null },
    ScheduledProcedureStepSequence: [],
  });
  const [echo, found] = await ask(odilEcho, query);
  yield { asked: 'C-ECHO', came: hex(echo?.status ?? -1), expected: '0000' };
  yield { asked: 'C-FIND PatientID=PA5', came: patientsOf(found?.datasets ?? []), expected: 'PA5' };
  const { stepId, stations, ...row } = stepOf(found?.datasets[0] ?? {});
  const step = { ...row, scheduledProcedureStepId: stepId, station: stations };
  const [uid, image] = [newUid(), newUid()];
  const start = odilCreate(uid, inProgress([step]));
  const end = odilSet(uid, completed([image]));
  const notice = odilNotify(newUid(), notification(step.studyInstanceUid, [image]));
  const answers = await ask(start, start, end, end, odilSet(newUid(), completed()), notice, odilGet(uid));
  const expected = ['0000', '0111', '0000', '0110', '0112', '0000', '0000'];
  const requests = [
    'N-CREATE',
    'N-CREATE again',
    'N-SET',
    'N-SET after the end',
    'N-SET of no instance',
    'IAN N-CREATE',
    'N-GET',
  ];
  for (const [at, asked] of requests.entries())
    yield { asked, came: hex(answers[at]?.status ?? -1), expected: expected[at] ?? '' };
}

async function* checkByMppsClient({ hl7, dicom }: Ports): AsyncGenerator<Check> {
  await order(hl7, { orcStart: '203001190900' }, { identifier: 'PA6^^^CLINIC', name: 'Lie^Sol' });
  const client = await compileMppsClient();
  try {
    const lines = await client.perform(callOf(dicom, 'CXX1'), 'PA6');
    for (const [at, expected] of performedAsTold.entries()) {
      const [asked = '', ...came] = (lines[at] ?? '').split(' ');
      yield { asked, came: came.join(' '), expected: expected.slice(asked.length + 1) };
    }
  } finally {
    client.remove();
  }
}

/** Everybody who may judge, in the order in which they are asked. */
export const judges: readonly Judge[] = [
  { program: 'echoscu', debianPackage: 'dcmtk', isHere: dcmtk.echoscu, checks: checkByEchoscu },
  { program: 'findscu', debianPackage: 'dcmtk', isHere: dcmtk.findscu && dcmtk.dcm2json, checks: checkByFindscu },
  { program: 'Orthanc', debianPackage: 'orthanc', isHere: hasOrthanc, checks: checkByOrthanc },
  { program: 'mwlQuery', debianPackage: 'ctn', isHere: Object.values(ctn).every(Boolean), checks: checkByMwlQuery },
  { program: 'odil', debianPackage: 'python3-odil', isHere: odilPython !== undefined, checks: checkByOdil },
  { program: 'mpps.cc', debianPackage: 'libdcmtk-dev', isHere: hasDcmtkHeaders, checks: checkByMppsClient },
];
