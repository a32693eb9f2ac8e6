// `npm run scenarios [-- OPTIONS OF swf-play run]`: plays every scenario against a server of its own, on ports that are free.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'transcripts', 'all');
const signalStatus = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** Ports that nobody listens on; below those that a system gives to whoever asks for any. */
async function freePorts(count) {
  const held = [];
  for (let port = 20_000 + (process.pid % 10_000); held.length < count && port < 32_000; port++) {
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ]);
    if (isFree) held.push({ server, port });
  }
  await Promise.all(held.map(({ server }) => once(server.close(), 'close')));
  return held.map(({ port }) => port);
}

/** The example site with the actors on other ports, so that it can be played beside anything else. */
async function writeSite() {
  const site = parse(readFileSync(join(root, 'swf.yaml'), 'utf8'));
  const addresses = site.peers.flatMap(({ hl7, dicom }) => [hl7, dicom].filter(Boolean));
  const ports = await freePorts(addresses.length);
  addresses.forEach((address, index) => (address.port = ports[index]));
  const file = join(folder, 'site.yaml');
  writeFileSync(file, stringify({ ...site, catalogue: join(root, site.catalogue) }));
  return file;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const usual = [
  'run',
  'scenarios',
  '--start',
  '--site',
  await writeSite(),
  '--jobs',
  '4',
  '--shuffle',
  '--rounds',
  '2',
  '--brief',
];
const kept = ['--report', join(folder, 'junit.xml'), '--html', folder, '--transcripts', folder];
const program = ['--import', 'tsx', join('actors', 'cli.ts')];
const child = spawn(process.execPath, [...program, ...usual, ...kept, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of Object.keys(signalStatus)) process.on(signal, () => child.kill(signal));
const [code, signal] = await once(child, 'close');
console.log(`what went over the wire, and the report for people: ${join('transcripts', 'all', 'index.html')}`);
process.exitCode = code ?? signalStatus[signal] ?? 1;
