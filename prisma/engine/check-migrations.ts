/* eslint-disable no-console */
// node --import tsx prisma/engine/check-migrations.ts
// Ends with status 1 when prisma/schema.prisma says something that no migration does.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withScratchCluster } from './scratch-cluster.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const prisma = fileURLToPath(new URL('../../node_modules/prisma/build/index.js', import.meta.url));
const DIFF = [
  'migrate',
  'diff',
  '--from-migrations',
  'prisma/migrations',
  '--to-schema',
  'prisma/schema.prisma',
  '--exit-code',
];

function diff(url: string): Promise<{ status: number; output: string }> {
  const env = { ...process.env, DATABASE_URL: url, NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(process.execPath, [prisma, ...DIFF], { cwd: root, env, timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 1) : 0, output: error ? `${stdout}${stderr}` : stdout });
    });
  });
}

const { status, output } = await withScratchCluster(diff);
if (status === 0) {
  console.log('prisma/migrations and prisma/schema.prisma agree');
} else {
  console.error(output.trim());
  if (status === 2) {
    console.error(
      'prisma/schema.prisma has changed without a migration. Write one with:\n' +
        '  node --import tsx prisma/engine/with-database.ts -- prisma migrate dev --name WHAT_IT_DOES',
    );
  }
  process.exitCode = 1;
}
