import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { EXPLICIT_VR_LITTLE_ENDIAN, encodeDataset } from '../../src/dicom/codec.ts';
import { type DatasetInput, dataset } from '../../src/dicom/dataset.ts';
import { type AppDeps, createApp } from '../../src/http/app.ts';
import type { Route } from '../../src/http/route.ts';
import { routes } from '../../src/http/routes.ts';
import { preview } from '../../src/http/schemas-messages.ts';
import { fixedClock } from '../../src/platform/clock.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { countedIds } from '../../src/platform/ids.ts';
import type { Log, LogFields } from '../../src/platform/log.ts';
import { takeDelivery } from '../../src/store/outbox.ts';
import { type Store, openStore } from '../../src/store/prisma.ts';
import { type Heard, confirmDelivery } from '../../src/transactions/confirmations.ts';
import { type Department, createBackground } from '../../src/transactions/department.ts';
import { receiveHl7 } from '../../src/transactions/inbound-hl7.ts';
import { inboundHl7Transactions } from '../../src/transactions/index.ts';
import { mppsCreate, mppsSet } from '../../src/transactions/rad-06-07-mpps.ts';
import { availabilityNotified } from '../../src/transactions/rad-11-49-availability.ts';
import { type TestDatabase, freshDatabase } from '../support/database.ts';
import { type PeerEntry, type TestSite, writeSite } from '../support/server.ts';

export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON. */
  readonly body: unknown;
}

/** What a request brings. */
export interface Brought {
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/** A web interface that listens. */
export interface Web {
  readonly port: number;
  get(path: string, headers?: Record<string, string>): Promise<Got>;
  /** POST of a value as JSON; undefined sends no body. */
  post(path: string, value?: unknown, headers?: Record<string, string>): Promise<Got>;
  request(method: string, path: string, brought?: Brought): Promise<Got>;
  stop(): Promise<void>;
}

/** A department without wires: messages are carried out by calls, and its web interface really listens. */
export interface TestDepartment extends Web {
  readonly department: Department;
  readonly store: Store;
  readonly database: TestDatabase;
  readonly clock: ReturnType<typeof fixedClock>;
  readonly lines: (LogFields & { readonly text: string })[];
  /** Carries out HL7 messages; each must be answered AA. */
  hl7(...messages: string[]): Promise<void>;
  /** Carries out one HL7 message; the answer. */
  answerTo(message: string | Uint8Array): Promise<string>;
  nCreate(sopInstanceUid: string, content: DatasetInput): Promise<number>;
  nSet(sopInstanceUid: string, content: DatasetInput): Promise<number>;
  notify(content: DatasetInput): Promise<number>;
  /** What the head of a lane heard from its peer. */
  heard(destination: string, heard: Partial<Heard>): Promise<void>;
}

/** The instant at which the tests' department stands. */
export const NOW = '2026-01-05T08:00:00.000Z';

const peer = (name: string, actor: PeerEntry['actor'], port: number): PeerEntry => ({
  name,
  actor,
  hl7: { host: '127.0.0.1', port, application: name, facility: 'CLINIC', version: '2.3.1' },
});

const peers = [peer('OP', 'order-placer', 4001), peer('IM', 'image-manager', 4002), peer('RM', 'report-manager', 4003)];

async function testConfig(site: TestSite) {
  const folder = await mkdtemp(join(tmpdir(), 'swf http '));
  try {
    const file = await writeSite(folder, { peers, ...site });
    return loadConfig({ file, environment: {}, workingDirectory: folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function recordingLog(): { log: Log; lines: (LogFields & { text: string })[] } {
  const lines: (LogFields & { text: string })[] = [];
  const add = (fields: LogFields, text: string): void => void lines.push({ ...fields, text });
  return { log: { debug: add, info: add, warn: add, error: add }, lines };
}

/** The answer of a route is what its schema says, nothing more and nothing less. */
function expectShape(table: readonly Route[], method: string, path: string, body: unknown): void {
  const real = path.split('?')[0] ?? '';
  const previewed = new URLSearchParams(path.split('?')[1]).get('dryRun') === 'true';
  const route = table.find(
    (one) => one.method === method.toLowerCase() && new RegExp(`^${one.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(real),
  );
  expect((previewed ? preview : route?.response?.schema)?.parse(body)).toEqual(body);
}

/** Lets an app listen on any free port. */
export async function listen(deps: AppDeps, table: readonly Route[] = routes): Promise<Web> {
  const server: Server = createServer(createApp(deps, table));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const request = async (method: string, path: string, { headers = {}, body }: Brought = {}): Promise<Got> => {
    const content = body === undefined ? {} : { body: Buffer.from(body) };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, ...content });
    const bytes = Buffer.from(await response.arrayBuffer());
    const text = bytes.toString('utf8');
    const json = (response.headers.get('content-type') ?? '').includes('json');
    const got: unknown = json && text !== '' ? JSON.parse(text) : undefined;
    if (response.ok && got !== undefined) expectShape(table, method, path, got);
    return { status: response.status, headers: response.headers, bytes, text, body: got };
  };
  return {
    port,
    request,
    get: (path, headers = {}) => request('GET', path, { headers }),
    post: (path, value, headers = {}) => {
      if (value === undefined) return request('POST', path, { headers });
      const typed = { 'Content-Type': 'application/json', ...headers };
      return request('POST', path, { headers: typed, body: JSON.stringify(value) });
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What an app is made of, around a department. */
export function appDeps(department: Department, change: Partial<AppDeps> = {}): AppDeps {
  return {
    department,
    readiness: async () => [{ name: 'database', ok: true }],
    ports: () => ({ hl7: 1, dicom: 2, http: 3 }),
    token: undefined,
    version: '9.8.7',
    ...change,
  };
}

function dimse(content: DatasetInput) {
  const said = dataset(content);
  return {
    callingAeTitle: 'DX1',
    dataset: said,
    raw: encodeDataset(said, EXPLICIT_VR_LITTLE_ENDIAN),
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
  };
}

/** Starts a department on a fresh database, with its web interface. */
export async function startDepartment(site: TestSite = {}): Promise<TestDepartment> {
  const database = await freshDatabase();
  const { log, lines } = recordingLog();
  const store = openStore(database.url, log);
  const clock = fixedClock(NOW);
  const config = await testConfig(site);
  const department: Department = { store, config, clock, ids: countedIds(), log, background: createBackground(log) };
  const web = await listen(appDeps(department));
  const answerTo = async (message: string | Uint8Array): Promise<string> =>
    Buffer.from((await receiveHl7(department, inboundHl7Transactions, Buffer.from(message))) ?? []).toString();
  return {
    ...web,
    department,
    store,
    database,
    clock,
    lines,
    answerTo,
    hl7: async (...messages) => {
      for (const message of messages) expect(await answerTo(message)).toContain('MSA|AA|');
    },
    nCreate: async (uid, content) => (await mppsCreate(department, { sopInstanceUid: uid, ...dimse(content) })).status,
    nSet: async (uid, content) => (await mppsSet(department, { sopInstanceUid: uid, ...dimse(content) })).status,
    notify: async (content) =>
      (await availabilityNotified(department, { sopInstanceUid: undefined, ...dimse(content) })).status,
    heard: async (destination, heard) => {
      const head = await takeDelivery(store, destination, clock.now());
      if (!head) throw new Error(`nothing waits for ${destination}`);
      const answer = Buffer.from(`MSH|^~\\&|PEER\rMSA|AA|${head.controlId}\r`);
      await confirmDelivery(department, head, { kind: 'delivered', code: 'AA', answer, ...heard });
    },
    stop: async () => {
      await web.stop();
      await store.close();
      await database.drop();
    },
  };
}
