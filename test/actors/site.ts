import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';

/**
 * Ports that were free a moment ago; a site file cannot say "any free port" for a peer. They lie below those that the
 * system gives to connections and to whoever asks for any port, so that nobody else is given one in between.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  const held: Server[] = [];
  while (ports.length < count) {
    const port = randomInt(10_000, 32_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    ports.push(port);
    held.push(server);
  }
  await Promise.all(held.map((server) => once(server.close(), 'close')));
  return ports;
}

export interface TestSite {
  readonly folder: string;
  readonly file: string;
  /** By peer, then `hl7` or `dicom`: `OP`, `IM`, `IM dicom`, `RM`, `OP_B`, `IM_B`. */
  readonly ports: Readonly<Record<string, number>>;
  remove(): void;
}

/** A site file in a folder of its own: the peers of the example site on free ports, the catalogue given. */
export async function writeTestSite(catalogue?: string): Promise<TestSite> {
  const folder = mkdtempSync(join(tmpdir(), 'swf play '));
  const names = ['OP', 'IM', 'IM dicom', 'RM', 'OP_B', 'IM_B'];
  const free = await freePorts(names.length);
  const ports: Record<string, number> = Object.fromEntries(names.map((name, index) => [name, free[index] ?? 0]));
  const hl7 = (name: string, application: string, version: string): object => {
    const facility = application.startsWith('EMR') ? 'HOSPITAL' : 'RADIOLOGY';
    return { host: '127.0.0.1', port: ports[name], application, facility, version };
  };
  const site = {
    organisation: { timeZone: 'Europe/Berlin' },
    peers: [
      { name: 'OP', actor: 'order-placer', hl7: hl7('OP', 'EMR', '2.3.1') },
      {
        name: 'IM',
        actor: 'image-manager',
        hl7: hl7('IM', 'PACS', '2.3.1'),
        dicom: { aeTitle: 'PACS', host: '127.0.0.1', port: ports['IM dicom'] },
      },
      { name: 'RM', actor: 'report-manager', hl7: hl7('RM', 'REPORTS', '2.3.1') },
      { name: 'OP_B', actor: 'order-placer', hl7: hl7('OP_B', 'EMR_B', '2.5.1') },
      { name: 'IM_B', actor: 'image-manager', hl7: hl7('IM_B', 'PACS_B', '2.5.1') },
    ],
    ...(catalogue === undefined ? {} : { catalogue }),
  };
  const file = join(folder, 'site.yaml');
  writeFileSync(file, stringify(site));
  return { folder, file, ports, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
