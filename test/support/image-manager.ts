import { type Dataset, text } from '../../src/dicom/dataset.ts';
import { type DicomHandlers, type FindRow, startDicomServer } from '../../src/dicom/server.ts';
import { sopClass } from '../../src/dicom/status.ts';
import type { PeerEntry } from './server.ts';
import { until } from './until.ts';

/** What an image manager got by DICOM. */
export interface ReceivedRequest {
  readonly type: 'N-CREATE' | 'N-SET' | 'C-FIND';
  readonly sopInstanceUid: string;
  readonly callingAeTitle: string;
  readonly raw: Uint8Array;
  readonly transferSyntaxUid: string;
  readonly dataset: Dataset;
}

/** Answers 0000 to what it is told, and finds what it holds. */
export interface ImageManagerDouble {
  /** Its entry in the site file; it takes DICOM only. */
  readonly entry: PeerEntry;
  /** In the order of arrival, repetitions included. */
  readonly received: ReceivedRequest[];
  /** Data sets that C-FIND gives for their series. */
  readonly holds: Dataset[];
  /** The requests about an instance, once so many have arrived. */
  about(sopInstanceUid: string, count: number): Promise<ReceivedRequest[]>;
  /** What is answered to the next requests, in order; then to all further ones. Silence lasts until it goes down. */
  will(...answers: readonly (number | 'silence')[]): void;
  down(): Promise<void>;
  /** Listens again, on the same port. */
  up(): Promise<void>;
}

// A request that is met with silence is in hand for as long as this when it goes down.
const artimMs = 400;
const limits = { associations: 20, pduBytes: 65_536, messageBytes: 1 << 22, idleMs: 60_000, artimMs };

interface ServerTls {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly ca: Buffer;
  readonly requireClientCertificate: boolean;
}

export interface ImageManagerOptions {
  /** What it serves TLS with, and the files that its clients are told to use. */
  readonly tls?: { readonly server: ServerTls; readonly files: Readonly<Record<string, string>> };
}

const isOf = (row: Dataset, identifier: Dataset): boolean =>
  ['StudyInstanceUID', 'SeriesInstanceUID'].every((key) => text(row, key) === text(identifier, key));

/** Starts an image manager that listens for DICOM. */
export async function startImageManager(
  name: string,
  aeTitle: string,
  { tls }: ImageManagerOptions = {},
): Promise<ImageManagerDouble> {
  const received: ReceivedRequest[] = [];
  const holds: Dataset[] = [];
  let plan: (number | 'silence')[] = [];
  const answer = async (request: ReceivedRequest): Promise<number> => {
    received.push(request);
    const status = (plan.length > 1 ? plan.shift() : plan[0]) ?? 0;
    return status === 'silence' ? new Promise<number>(() => {}) : status;
  };
  const find: DicomHandlers['find'] = (dataset, context) =>
    (async function* (): AsyncGenerator<FindRow, { status: number }> {
      const status = await answer({ type: 'C-FIND', sopInstanceUid: '', ...context, dataset });
      const rows = status === 0 ? holds.filter((row) => isOf(row, dataset)) : [];
      for (const row of rows) yield { status: 0xff00, dataset: row };
      return { status };
    })();
  const operate =
    (type: 'N-CREATE' | 'N-SET'): DicomHandlers['nCreate'] =>
    async ({ sopInstanceUid = '', dataset }, context) => ({
      status: await answer({ type, sopInstanceUid, ...context, dataset }),
    });
  const listen = (port: number) =>
    startDicomServer({
      host: '127.0.0.1',
      port,
      calledAeTitles: [aeTitle],
      callingAeTitles: 'any',
      sopClasses: [sopClass.modalityPerformedProcedureStep, sopClass.studyRootFind],
      limits,
      handlers: { find, nCreate: operate('N-CREATE'), nSet: operate('N-SET') },
      ...(tls ? { tls: tls.server } : {}),
    });
  let server: Awaited<ReturnType<typeof listen>> | undefined = await listen(0);
  const { port } = server;
  return {
    entry: {
      name,
      actor: 'image-manager',
      dicom: { aeTitle, host: '127.0.0.1', port, ...(tls ? { tls: tls.files } : {}) },
    },
    received,
    holds,
    about: (sopInstanceUid, count) =>
      until(`${count} requests about an instance at ${name}`, () => {
        const found = received.filter((request) => request.sopInstanceUid === sopInstanceUid);
        return found.length >= count ? found : undefined;
      }),
    will: (...answers) => {
      plan = [...answers];
    },
    down: async () => {
      const stopping = server?.stop();
      server = undefined;
      await stopping;
    },
    up: async () => {
      server ??= await until(`${name} listens again`, () => listen(port).catch(() => undefined));
    },
  };
}
