// `npm test [-- ARGUMENTS OF VITEST]`: runs the tests and ends with the line `N passed, N failed` (test cases).
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const signalStatus = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** Test cases by outcome; a file that could not be loaded counts as one that failed. */
function countsOf(report) {
  const files = report?.testResults ?? [];
  const unloaded = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  return { passed: report?.numPassedTests ?? 0, failed: (report?.numFailedTests ?? 0) + unloaded.length };
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function runVitest(folder, args) {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${join(folder, 'report.json')}`];
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
    cwd: root,
    stdio: ['inherit', 'pipe', 'inherit'],
    // whatever the tests leave behind is in one place
    env: {
      ...process.env,
      TMPDIR: folder,
      ...(process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }),
    },
  });
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    // where the report went says nothing: it is read and removed
    for (const line of lines) if (!line.startsWith('JSON report written to')) console.log(line);
  });
  // we stay until vitest has ended: it stops the database, and we remove what is left
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, ended };
}

const HOUR_MS = 3_600_000;

/** Removes what a run that was killed left behind. */
function clearUp() {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(/^swf-tests-(\d+)-/.exec(name)?.[1]);
    const old = statSync(join(tmpdir(), name), { throwIfNoEntry: false });
    if (!pid || !old || old.uid !== process.getuid?.() || Date.now() - old.mtimeMs < HOUR_MS) continue;
    try {
      process.kill(pid, 0);
    } catch {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}

clearUp();
const folder = mkdtempSync(join(tmpdir(), `swf-tests-${process.pid}-`));
const { child, ended } = runVitest(folder, process.argv.slice(2));
let received;
for (const signal of Object.keys(signalStatus)) {
  process.on(signal, () => {
    received = signal;
    child.kill(signal);
  });
}
const { code, signal } = await ended;
const { passed, failed } = countsOf(readReport(join(folder, 'report.json')));
rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
const interruption = received ?? signal;
if (!interruption && code !== 0 && failed === 0) console.log(`vitest ended with status ${code}: see the errors above`);
console.log(`${passed} passed, ${failed} failed`);
if (interruption) process.exitCode = signalStatus[interruption] ?? 1;
else process.exitCode = code === 0 && failed === 0 && passed > 0 ? 0 : 1;
