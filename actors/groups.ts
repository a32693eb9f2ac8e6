import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Config } from '../src/platform/config.ts';
import type { KeyedScenario } from './player.ts';
import type { Scenario, Settings } from './scenario.ts';
import { hasSettings, settingsShown, siteValues, unknownPeers, withSettings } from './settings.ts';
import { type SiteOptions, loadSite } from './site.ts';
import { UsageError } from './usage-error.ts';

/** Scenarios, and the site that they are played on. */
export interface Group {
  /** What was laid over the site file; undefined: nothing. */
  readonly settings: Settings | undefined;
  readonly site: Config;
  readonly scenarios: readonly KeyedScenario[];
}

export const scenariosOf = ({ scenarios }: Group): Scenario[] => scenarios.map(({ scenario }) => scenario);

/** A scenario that cannot be played here, which is no failure. */
export interface LeftOut extends KeyedScenario {
  readonly reason: string;
}

/** The scenarios by their settings: first those without any, then in the order in which they stand. */
function bySettings(scenarios: readonly KeyedScenario[]): (readonly KeyedScenario[])[] {
  const groups = new Map<string, KeyedScenario[]>([['', []]]);
  for (const one of scenarios) {
    const { settings } = one.scenario;
    const key = settings === undefined ? '' : settingsShown(settings);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].filter((group) => group.length > 0);
}

/**
 * Who is played on which site. A server of ours is started with the settings that scenarios want; another one must have
 * them, else they are left out. Throws UsageError when a site does not bear the settings.
 */
export function groupsOn(
  site: Config,
  scenarios: readonly KeyedScenario[],
  options: SiteOptions & { readonly transcripts: string },
): { groups: Group[]; leftOut: LeftOut[] } {
  const values = siteValues(site.file);
  if (!options.start) return onSiteAsItIs(site, scenarios, values);
  const groups = bySettings(scenarios).map((group, index): Group => {
    const settings = group[0]?.scenario.settings;
    if (settings === undefined) return { settings, site, scenarios: group };
    const names = group.map(({ scenario }) => scenario.name).join(', ');
    const unknown = unknownPeers(values, settings);
    if (unknown.length > 0) throw new UsageError(unknown.map((peer) => `${names}: the site file has no peer ${peer}`));
    const file = join(options.transcripts, `site-${index + 1}.yaml`);
    mkdirSync(options.transcripts, { recursive: true });
    writeFileSync(file, stringify(withSettings(values, settings)));
    return { settings, site: loadedFor(names, file, options), scenarios: group };
  });
  return { groups, leftOut: [] };
}

function loadedFor(names: string, file: string, options: SiteOptions): Config {
  try {
    return loadSite({ ...options, site: file });
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(error.problems.map((problem) => `${names}: ${problem}`));
    throw error;
  }
}

function onSiteAsItIs(
  site: Config,
  scenarios: readonly KeyedScenario[],
  values: Settings,
): { groups: Group[]; leftOut: LeftOut[] } {
  const fits = ({ scenario: { settings } }: KeyedScenario): boolean =>
    settings === undefined || hasSettings(values, settings);
  const played = scenarios.filter(fits);
  const leftOut = scenarios.filter((one) => !fits(one)).map((one) => ({ ...one, reason: reasonFor(one) }));
  return { groups: played.length > 0 ? [{ settings: undefined, site, scenarios: played }] : [], leftOut };
}

function reasonFor({ scenario: { settings } }: KeyedScenario): string {
  return `the site file has not the settings ${settingsShown(settings)}: play it with --start, or put them there`;
}
