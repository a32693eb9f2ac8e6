import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../actors/site.ts';
import { until } from '../support/until.ts';
import { companion, installed, scratch } from './programs.ts';

export const hasOrthanc = installed('Orthanc', '--version');

/** A worklist row as Orthanc shows it: keywords and values. */
export type OrthancRow = Readonly<Record<string, unknown>>;

export interface Orthanc {
  /** C-ECHO of our server (`filler`), or of it under an AE title that it has not (`stranger`); the status of HTTP. */
  echo(modality: 'filler' | 'stranger'): Promise<number>;
  /** C-FIND on the worklist. */
  find(query: unknown): Promise<OrthancRow[]>;
  stop(): Promise<void>;
}

/** Orthanc cannot take any free port, so it is given one. */
function configurationOf(folder: string, httpPort: number, dicomPort: number): object {
  return {
    StorageDirectory: folder,
    IndexDirectory: folder,
    Plugins: [],
    HttpPort: httpPort,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    DicomServerEnabled: false,
    DicomAet: 'ORTHANC',
    DicomModalities: {
      filler: ['SWF_OF', '127.0.0.1', dicomPort],
      stranger: ['OTHER', '127.0.0.1', dicomPort],
    },
  };
}

/** Starts an Orthanc of its own that knows our DICOM port. */
export async function startOrthanc(dicomPort: number): Promise<Orthanc> {
  const folder = scratch();
  const [httpPort = 0] = await freePorts(1);
  const file = join(folder.path, 'orthanc.json');
  writeFileSync(file, JSON.stringify(configurationOf(folder.path, httpPort, dicomPort)));
  const orthanc = companion('Orthanc', [file]);
  const rest = `http://127.0.0.1:${httpPort}`;
  const stop = async (): Promise<void> => {
    await orthanc.stop();
    folder.remove();
  };
  const answers = (): Promise<boolean> =>
    fetch(`${rest}/system`)
      .then((answer) => answer.ok)
      .catch(() => false);
  await until('Orthanc answers', async () => orthanc.ended() || (await answers()), 30_000).catch(() => undefined);
  if (orthanc.ended() || !(await answers())) {
    await stop();
    throw new Error(`Orthanc does not run: ${orthanc.errors.slice(-3).join('\n')}`);
  }
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(`${rest}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return {
    echo: async (modality) => (await post(`/modalities/${modality}/echo`, {})).status,
    find: async (query) => {
      const answer = await post('/modalities/filler/find-worklist', query);
      if (!answer.ok) throw new Error(`Orthanc answered ${answer.status}`);
      return (await answer.json()) as OrthancRow[];
    },
    stop,
  };
}
