// Runs before `npm start`, `npm test` and the commands: installs what is missing and generates the database client.
// Only Node's own modules: it must work in a fresh clone. Says nothing when nothing is to be done.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);
const LOCK = at('.prepare.lock');
const STAMP = at('node_modules', '.swf-prepared.json');
const LOCKED = at('package-lock.json');
const INSTALLED = at('node_modules', '.package-lock.json');
const SCHEMA = at('prisma', 'schema.prisma');
const CLIENT = at('src', 'store', 'generated', 'client.ts');
const PRISMA = at('node_modules', 'prisma', 'build', 'index.js');

const HEARTBEAT_MS = 1000;
const STALE_MS = 15_000;
const PATIENCE_MS = 15 * 60_000;

const say = (text) => process.stderr.write(`${text}\n`);
const hashOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
const timeOf = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs;

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** What the packages and the generated client were made from; equal values mean that nothing is to be done. */
const installState = () => ({ lock: hashOf(LOCKED), installedAt: timeOf(INSTALLED) });
const clientState = () => ({ schema: hashOf(SCHEMA), generatedAt: timeOf(CLIENT) });

const agrees = (recorded, state) =>
  Object.entries(state).every(([key, value]) => value !== undefined && recorded?.[key] === value);

const isForHere = ({ os, cpu, libc }) =>
  libc === undefined && (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true);

/** Why the packages must be installed, or undefined. npm writes its own list of what is installed last. */
function reasonToInstall(recorded) {
  const installed = readJson(INSTALLED)?.packages;
  if (!installed)
    return existsSync(at('node_modules')) ? 'an installation was interrupted' : 'nothing is installed yet';
  const lost = Object.keys(installed).find((path) => !existsSync(at(path, 'package.json')));
  if (lost !== undefined) return `${lost} is missing`;
  if (agrees(recorded, installState())) return undefined;
  const wanted = Object.entries(readJson(LOCKED)?.packages ?? {}).filter(([path, entry]) => {
    if (path === '' || entry.link) return false;
    // npm leaves out an optional package that is for another machine, or that nothing installed here needs
    const isNeededHere = !entry.optional || ((entry.os ?? entry.cpu) !== undefined && isForHere(entry));
    if (installed[path] === undefined) return isNeededHere;
    return installed[path].version !== entry.version;
  });
  return wanted.length > 0 ? `package-lock.json asks for ${wanted.length} packages that are not installed` : undefined;
}

function reasonToGenerate(recorded) {
  if (!existsSync(SCHEMA)) return undefined;
  if (!existsSync(CLIENT)) return 'it is missing';
  return agrees(recorded, clientState()) ? undefined : 'prisma/schema.prisma may have changed';
}

const children = new Set();

// npm and Prisma are to end with us, however we end
function mortal() {
  const prefix = ['setpriv', '--pdeathsig', 'KILL'];
  return spawnSync(prefix[0], [...prefix.slice(1), 'true']).status === 0 ? prefix : [];
}

/** Runs a program; what it says goes to standard error, at once or only if it fails. */
function run(args, { env = {}, output = 2 } = {}) {
  const [program, ...rest] = [...mortal(), ...args];
  const child = spawn(program, rest, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (said += text));
  children.add(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      children.delete(child);
      if (code === 0) return resolve();
      say(said);
      return reject(new Error(`"${args.slice(1, 3).join(' ')}" ended with ${signal ?? `status ${code}`}`));
    });
  });
}

function npm() {
  const npmCli = process.env.npm_execpath ?? '';
  return npmCli.endsWith('npm-cli.js') ? [process.execPath, npmCli] : ['npm'];
}

async function install(reason) {
  say(`Installing the packages of package-lock.json: ${reason} ...`);
  rmSync(STAMP, { force: true });
  // dependencies' install scripts would download; what they do is done elsewhere
  const flags = [
    '--include=dev',
    '--include=optional',
    '--ignore-scripts',
    '--no-update-notifier',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  await run([...npm(), 'ci', ...flags]);
}

async function generate(reason) {
  say(`Generating the database client: ${reason} ...`);
  const env = { CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  await run([process.execPath, PRISMA, 'generate'], { env, output: 'pipe' });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  try {
    // killed, and not yet reaped by its parent
    return !/^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

function isHeld() {
  const age = Date.now() - (timeOf(LOCK) ?? 0);
  const holder = readJson(LOCK);
  if (age > STALE_MS) return false;
  return !holder || holder.host !== hostname() || isAlive(holder.pid);
}

function tryLock() {
  if (existsSync(LOCK) && !isHeld()) {
    // only one of several that see it can rename it
    const stale = `${LOCK}.${process.pid}`;
    try {
      renameSync(LOCK, stale);
      rmSync(stale, { force: true });
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  try {
    writeFileSync(LOCK, JSON.stringify({ pid: process.pid, host: hostname() }), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

let heartbeat;

async function lock() {
  const patience = Date.now() + PATIENCE_MS;
  for (let first = true; !tryLock(); first = false) {
    if (first) say('Waiting for another process that installs ...');
    if (Date.now() > patience)
      throw new Error(`another process installs for too long; if there is none, remove ${LOCK}`);
    await pause(200);
  }
  heartbeat = setInterval(() => utimesSync(LOCK, new Date(), new Date()), HEARTBEAT_MS).unref();
}

function unlock() {
  if (!heartbeat) return;
  clearInterval(heartbeat);
  heartbeat = undefined;
  rmSync(LOCK, { force: true });
}

function endBySignal(signal, status) {
  process.once(signal, () => {
    for (const child of children) child.kill('SIGKILL');
    unlock();
    process.exit(status);
  });
}

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const isUpToDate = (recorded) =>
  reasonToInstall(recorded?.install) === undefined &&
  reasonToGenerate(recorded?.client) === undefined &&
  agrees(recorded?.install, installState());

async function prepare() {
  const recorded = readJson(STAMP);
  if (isUpToDate(recorded)) return;
  // a tree that somebody else installed, for reading only, is taken as it is if it is whole
  if (!isWritable(root)) {
    const reason =
      reasonToInstall(recorded?.install) ?? (existsSync(CLIENT) ? undefined : 'the database client is missing');
    if (reason === undefined) return;
    throw new Error(`${reason}, and ${root} is not writable for this account; run "npm ci" as its owner`);
  }
  await lock();
  try {
    await bringUpToDate();
  } finally {
    unlock();
  }
}

async function bringUpToDate() {
  const recorded = readJson(STAMP);
  const toInstall = reasonToInstall(recorded?.install);
  if (toInstall !== undefined) await install(toInstall);
  const toGenerate = reasonToGenerate(toInstall === undefined ? recorded?.client : undefined);
  if (toGenerate !== undefined) await generate(toGenerate);
  const client = existsSync(SCHEMA) ? clientState() : {};
  writeFileSync(STAMP, JSON.stringify({ install: installState(), client }));
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) return;
  throw new Error(
    `Node ${process.versions.node} is not supported; use 20.19, 22.12, 24 or newer (see "engines" in package.json)`,
  );
}

endBySignal('SIGINT', 130);
endBySignal('SIGTERM', 143);
endBySignal('SIGHUP', 129);

try {
  refuseOldNode();
  await prepare();
} catch (error) {
  say(`Preparing failed: ${error.message}`);
  process.exitCode = 1;
}
