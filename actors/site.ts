import { type Config, ConfigError, loadConfig } from '../src/platform/config.ts';
import { BadAddress, parseDicomAddress, parseHttpAddress, parseMllpAddress, reachable } from './addresses.ts';
import type { Scenario } from './scenario.ts';
import type { HttpAddress } from './staff.ts';
import type { OrderFiller } from './stage.ts';
import { UsageError } from './usage-error.ts';

/** Which site, and which Order Filler in our place. */
export interface SiteOptions {
  /** The site file; else `SWF_CONFIG`, else `./swf.yaml`. */
  readonly site?: string | undefined;
  /** `mllp://HOST:PORT` of an Order Filler in our place. */
  readonly of?: string | undefined;
  /** `AET@HOST:PORT` of an Order Filler in our place. */
  readonly ofDicom?: string | undefined;
  /** `http://HOST:PORT` where the Order Filler takes what staff do; else the site file's, unless another is named above. */
  readonly ofHttp?: string | undefined;
  /** Starts a throwaway server of ours and plays against it. */
  readonly start?: boolean | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
}

/** The site file and the environment. Throws UsageError. */
export function loadSite({ site, environment, workingDirectory }: SiteOptions): Config {
  try {
    return loadConfig({ file: site, environment, workingDirectory });
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.problems);
    throw error;
  }
}

/** What a site or the options ask for and the player cannot do: one sentence each. */
export function unsupported(site: Config, { start, of, ofDicom, ofHttp }: SiteOptions): string[] {
  const secured = [
    ...(of === undefined && site.hl7.tls ? ['hl7'] : []),
    ...(ofDicom === undefined && site.dicom.tls ? ['dicom'] : []),
    ...site.peers.filter(({ hl7, dicom }) => hl7?.tls ?? dicom?.tls).map(({ name }) => `peer ${name}`),
  ];
  const tls = secured.map((what) => `${what}: the scenario player does not speak TLS; play on a site without tls`);
  const both =
    start && (of ?? ofDicom ?? ofHttp)
      ? ['--start starts our own server: leave out --of, --of-dicom and --of-http']
      : [];
  return [...tls, ...both];
}

/** Steps of staff need an address, or a site that is not ours and a person. */
export function withoutHttp(scenarios: readonly Scenario[], site: Config, options: SiteOptions): string[] {
  const isOurs = !options.start && (options.ofHttp ?? options.of ?? options.ofDicom) === undefined;
  if (!isOurs || site.http.port !== 0) return [];
  const deeds = scenarios.filter(({ steps }) => steps.some(({ verb }) => verb === 'do'));
  return deeds.map(({ name }) => `${name}: http.port is 0 (any free port): say where with --of-http http://HOST:PORT`);
}

/** Where staff work by HTTP: named, else the site file's, unless another Order Filler is in our place. Throws BadAddress. */
export function httpOf(
  { http, apiToken: token }: Config,
  { of, ofDicom, ofHttp }: SiteOptions,
): HttpAddress | undefined {
  if (ofHttp !== undefined) return { url: parseHttpAddress(ofHttp), token };
  if ((of ?? ofDicom) !== undefined) return undefined;
  const host = reachable(http.host);
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${http.port}`, token };
}

/** Where the Order Filler listens: the flags, else the site file. Throws UsageError. */
export function orderFillerOf(site: Config, options: SiteOptions): OrderFiller {
  const { of, ofDicom } = options;
  try {
    const hl7 = of === undefined ? site.hl7 : parseMllpAddress(of);
    const dicom = ofDicom === undefined ? site.dicom : parseDicomAddress(ofDicom);
    const unknown = [
      ...(hl7.port === 0 ? ['hl7.port is 0 (any free port): say where with --of mllp://HOST:PORT'] : []),
      ...(dicom.port === 0 ? ['dicom.port is 0 (any free port): say where with --of-dicom AET@HOST:PORT'] : []),
    ];
    if (unknown.length > 0) throw new UsageError(unknown);
    return {
      hl7: { host: reachable(hl7.host), port: hl7.port },
      dicom: { aeTitle: dicom.aeTitle, host: reachable(dicom.host), port: dicom.port },
      http: httpOf(site, options),
    };
  } catch (error) {
    if (error instanceof BadAddress) throw new UsageError([error.message]);
    throw error;
  }
}
