import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An entry of `peers` in a site file. */
export interface PeerEntry {
  readonly name: string;
  readonly actor: 'order-placer' | 'image-manager' | 'report-manager';
  readonly hl7?: {
    readonly host: string;
    readonly port: number;
    readonly application: string;
    readonly facility: string;
    readonly version: '2.3.1' | '2.5.1';
  };
  readonly dicom?: {
    readonly aeTitle: string;
    readonly host: string;
    readonly port: number;
    readonly tls?: Readonly<Record<string, string>>;
  };
}

/** An entry of a peer that takes HL7. */
export type Hl7PeerEntry = PeerEntry & { readonly hl7: NonNullable<PeerEntry['hl7']> };

/** Sections of the site file that a test wants otherwise than usual. */
export interface TestSite {
  readonly peers?: readonly PeerEntry[];
  readonly policy?: Readonly<Record<string, string | boolean>>;
  readonly senders?: readonly object[];
  readonly stations?: readonly object[];
  readonly worklists?: readonly object[];
  readonly limits?: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
  readonly retry?: { readonly first: string; readonly factor: number; readonly longest: string };
  readonly availability?: Readonly<Record<string, string | number>>;
  readonly temporaryPatients?: object;
  readonly timers?: Readonly<Record<string, { readonly after?: string; readonly effect?: string }>>;
  readonly catalogue?: readonly object[];
}

const coded = (code: string, meaning: string) => ({ code, scheme: 'TESTPLAN', meaning });

const step = (modality: string, station: string, protocol: string, minutes = 20) => ({
  modality,
  stations: [station],
  minutes,
  protocols: [coded(protocol, `Protocol ${protocol}`)],
});

/**
 * An invented procedure plan: WRIST is one procedure with one step, SPINE one procedure with two steps, TRUNK two
 * procedures with one step each.
 */
export const testCatalogue = [
  {
    service: coded('WRIST', 'Wrist in two planes'),
    requestedProcedures: [{ code: coded('WRIST', 'Wrist in two planes'), steps: [step('DX', 'DX1', 'WR2')] }],
  },
  {
    service: coded('SPINE', 'Spine with contrast'),
    requestedProcedures: [
      {
        code: coded('SPINE', 'Spine with contrast'),
        steps: [step('MR', 'MR1', 'SPN', 30), step('MR', 'MR1', 'SPC', 15)],
      },
    ],
  },
  {
    service: coded('TRUNK', 'Trunk PET and CT'),
    requestedProcedures: [
      { code: coded('TRPET', 'Trunk PET'), steps: [step('PT', 'PET1', 'TRP', 45)] },
      { code: coded('TRCT', 'Trunk CT'), steps: [step('CT', 'PET1', 'TRC', 15)] },
    ],
  },
] as const;

/** A site of its own on any free ports: YAML is a superset of JSON. */
export function siteOf(site: TestSite): Record<string, unknown> {
  const { peers = [], policy = {}, senders = [], stations = [], worklists = [], limits = {} } = site;
  return {
    organisation: { application: 'SWF_OF', facility: 'RADIOLOGY', timeZone: 'Europe/Berlin' },
    hl7: { port: 0 },
    dicom: { port: 0, aeTitle: 'SWF_OF' },
    http: { port: 0 },
    peers,
    policy,
    senders,
    stations,
    worklists,
    limits,
    retry: site.retry ?? { first: '30ms', factor: 1, longest: '30ms' },
    ...(site.temporaryPatients ? { temporaryPatients: site.temporaryPatients } : {}),
    ...(site.availability ? { availability: site.availability } : {}),
    ...(site.timers ? { timers: site.timers } : {}),
    catalogue: 'catalogue.yaml',
  };
}

/** Writes a site file with its catalogue into a folder and gives its path. */
export async function writeSite(folder: string, site: TestSite): Promise<string> {
  const file = join(folder, 'site.yaml');
  await writeFile(join(folder, 'catalogue.yaml'), JSON.stringify(site.catalogue ?? testCatalogue));
  await writeFile(file, JSON.stringify(siteOf(site)));
  return file;
}
