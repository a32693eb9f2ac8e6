import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/platform/log.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';

/** Runs `use` with the URL of an empty database that is thrown away afterwards. */
export async function withScratchCluster<T>(use: (url: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'swf-scratch-'));
  try {
    const binDir = process.env.PG_BIN || undefined;
    const database = await startEmbeddedPostgres({ dataDir, log: createLog('warn'), durable: false, binDir });
    return await use(database.url).finally(() => database.stop());
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
