/* eslint-disable no-console */
// A process of its own with an embedded database: prints what it got, keeps it until it is told to stop (a line on
// standard input) or is killed.
import { once } from 'node:events';
import { silentLog } from '../../src/platform/log.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';

const binDir = process.env.PG_BIN || undefined;
const database = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? '', log: silentLog, binDir });
console.log(JSON.stringify({ url: database.url, started: database.started }));
await once(process.stdin, 'data');
await database.stop();
process.exit(0);
