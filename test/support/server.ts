import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/platform/clock.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { type Log, silentLog } from '../../src/platform/log.ts';
import { startServer } from '../../src/server.ts';
import { type Store, openStore } from '../../src/store/prisma.ts';
import { type TestDatabase, freshDatabase } from './database.ts';
import { type TestSite, writeSite } from './site.ts';

export { type Hl7PeerEntry, type PeerEntry, type TestSite, siteOf, testCatalogue, writeSite } from './site.ts';

export interface TestServerOptions extends TestSite {
  /** A database that several servers use one after the other; it is not dropped. */
  readonly database?: TestDatabase;
  readonly clock?: Clock;
  readonly log?: Log;
}

export interface TestServer {
  readonly ports: { readonly hl7: number; readonly dicom: number; readonly http: number };
  readonly database: TestDatabase;
  /** A connection of its own to the same database. */
  readonly store: Store;
  stop(): Promise<void>;
}

/** Starts the whole server in this process on free ports, with a fresh database unless one is given. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'swf site '));
  const database = options.database ?? (await freshDatabase());
  const file = await writeSite(folder, options);
  const config = loadConfig({ file, environment: { DATABASE_URL: database.url }, workingDirectory: folder });
  const { clock, log = silentLog } = options;
  const server = await startServer(config, { log, ...(clock ? { clock } : {}) });
  const store = openStore(database.url, silentLog);
  return {
    ports: server.ports,
    database,
    store,
    stop: async () => {
      await server.stop();
      await store.close();
      if (!options.database) await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
