import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { siteSchema } from '../src/platform/config-schema.ts';
import type { Settings } from './scenario.ts';

/** The values of a site file, paths made absolute, so that they hold from any folder; without a file there are none. */
export function siteValues(file: string | undefined): Settings {
  if (file === undefined) return {};
  const values = (parse(readFileSync(file, 'utf8')) ?? {}) as Settings;
  const { catalogue } = values;
  return typeof catalogue === 'string' ? { ...values, catalogue: resolve(dirname(file), catalogue) } : values;
}

const isMap = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A site's values with settings laid over them: maps key by key, peers by their names; every other list is replaced. */
export function withSettings(values: Settings, settings: Settings): Settings {
  const merged = Object.entries(settings).map(([key, value]) => {
    const own = values[key];
    if (key === 'peers' && Array.isArray(value)) return [key, withPeers(own, value as readonly Settings[])] as const;
    return [key, isMap(own) && isMap(value) ? withSettings(own, value) : value] as const;
  });
  return { ...values, ...Object.fromEntries(merged) };
}

function withPeers(peers: unknown, changes: readonly Settings[]): unknown {
  if (!Array.isArray(peers)) return peers;
  return peers.map((peer: Settings) =>
    changes
      .filter(({ name }) => name === peer['name'])
      .reduce<Settings>((changed, change) => withSettings(changed, change), peer),
  );
}

/** Peers that the settings change and the site does not have. */
export function unknownPeers(values: Settings, settings: Settings): string[] {
  const names = (peers: unknown): string[] => ((peers ?? []) as { name: string }[]).map(({ name }) => name);
  const known = names(values['peers']);
  return names(settings['peers']).filter((name) => !known.includes(name));
}

/** Whether a site has these settings anyway. */
export function hasSettings(values: Settings, settings: Settings): boolean {
  if (unknownPeers(values, settings).length > 0) return false;
  const [now, then] = [values, withSettings(values, settings)].map((one) => siteSchema.safeParse(one));
  return now?.success === true && then?.success === true && isDeepStrictEqual(now.data, then.data);
}

/** Settings in one line, `{ policy: { receiver: ours } }`: the same for the same settings, in whatever order they stand. */
export function settingsShown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(settingsShown).join(', ')}]`;
  if (!isMap(value)) return typeof value === 'string' && /^[a-z][\w./-]*$/i.test(value) ? value : JSON.stringify(value);
  const keys = Object.keys(value).toSorted();
  return `{ ${keys.map((key) => `${key}: ${settingsShown(value[key])}`).join(', ')} }`;
}
