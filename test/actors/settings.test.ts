import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { groupsOn } from '../../actors/groups.ts';
import { junitReport } from '../../actors/junit.ts';
import { loadScenario } from '../../actors/lint.ts';
import { keyed } from '../../actors/player.ts';
import type { Scenario } from '../../actors/scenario.ts';
import { settingsShown, withSettings } from '../../actors/settings.ts';
import { loadSite } from '../../actors/site.ts';
import { startTestStage } from './playing.ts';

const example = fileURLToPath(new URL('../../swf.yaml', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swf settings '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function load(name: string, settings: string): ReturnType<typeof loadScenario> {
  mkdirSync(join(folder, name), { recursive: true });
  const file = join(folder, name, 'scenario.yaml');
  const rest = 'steps:\n  - { step: Wait, quiet: 1ms }\n';
  writeFileSync(file, `scenario: ${name}\ntitle: Own\ncast: [OP]\n${settings}${rest}`);
  return loadScenario(file);
}

function scenario(name: string, settings = ''): Scenario {
  const { scenario: loaded, problems } = load(name, settings);
  if (!loaded) throw new Error(JSON.stringify(problems));
  return loaded;
}

describe('the settings of a scenario', () => {
  it.each([
    ['{ polcy: { receiver: ours } }', /:4 .*Unrecognized key: "polcy" \(did you mean policy\?\) .*at settings/],
    ['{ policy: { reciever: ours } }', /Unrecognized key: "reciever" \(did you mean receiver\?\) .*at settings.policy/],
    ['{ policy: { receiver: us } }', /Invalid option: .*at settings.policy.receiver/],
    ['{ hl7: { port: 2575 } }', /Unrecognized key: "hl7"/],
    ['{ dicom: { port: 104 } }', /Unrecognized key: "port" .*at settings.dicom/],
    ['{ peers: [{ name: OP, hl7: { port: 1 } }] }', /Unrecognized key: "port" .*at settings.peers\[0\].hl7/],
    ['{ retry: { first: 1 second } }', /a duration is a whole number and a unit/],
    ['{ catalogue: nowhere.yaml }', /:4 settings: .*nowhere.yaml: cannot be read/],
  ])('are checked as a site file is, at their line: %s', (settings, problem) => {
    const { problems } = load('bad', `settings: ${settings}\n`);

    expect(problems.map(({ line, text }) => `:${line} ${text}`)).toEqual([expect.stringMatching(problem)]);
  });

  it('are laid over a site file: maps key by key, peers by name, other lists whole', () => {
    const site = {
      policy: { receiver: 'any', relayMpps: false },
      stations: [{ aeTitle: 'A' }],
      peers: [{ name: 'OP', sends: { results: false } }, { name: 'IM' }],
    };
    const laid = withSettings(site, {
      policy: { receiver: 'ours' },
      stations: [{ aeTitle: 'B' }],
      peers: [{ name: 'OP', sends: { orderStatuses: ['SC'] } }],
    });

    expect(laid).toEqual({
      policy: { receiver: 'ours', relayMpps: false },
      stations: [{ aeTitle: 'B' }],
      peers: [{ name: 'OP', sends: { results: false, orderStatuses: ['SC'] } }, { name: 'IM' }],
    });
  });

  it('are shown in one line, the same for the same settings', () => {
    const { settings } = scenario(
      'a',
      'settings: { policy: { receiver: ours, autoSchedule: false }, retry: { factor: 2 } }\n',
    );
    const other = scenario(
      'b',
      'settings: { retry: { factor: 2 }, policy: { autoSchedule: false, receiver: ours } }\n',
    );

    expect(settingsShown(settings)).toBe('{ policy: { autoSchedule: false, receiver: ours }, retry: { factor: 2 } }');
    expect(settingsShown(other.settings)).toBe(settingsShown(settings));
  });
});

describe('who is played on which site', () => {
  const groups = (scenarios: readonly Scenario[], start: boolean) => {
    const options = { site: example, start, environment: {}, workingDirectory: folder, transcripts: folder };
    return groupsOn(loadSite(options), keyed(scenarios), options);
  };
  const ours = 'settings: { policy: { receiver: ours } }\n';
  const names = (one: { scenarios: readonly { scenario: Scenario }[] }): string[] =>
    one.scenarios.map(({ scenario: { name } }) => name);

  it('with a server of our own: those without settings first, equal settings together, each with a site file', () => {
    const other = 'settings: { policy: { receiver: ours }, dicom: { aeTitle: OTHER } }\n';
    const all = [scenario('a', ours), scenario('b'), scenario('c', other), scenario('d', ours)];

    const { groups: found, leftOut } = groups(all, true);

    expect(found.map(names)).toEqual([['b'], ['a', 'd'], ['c']]);
    expect(leftOut).toEqual([]);
    expect(found.map(({ site }) => `${site.policy.receiver} ${site.dicom.aeTitle}`)).toEqual([
      'any SWF_OF',
      'ours SWF_OF',
      'ours OTHER',
    ]);
    expect(new Set(found.map(({ site }) => site.catalogue.length)).size).toBe(1);
    expect(found[0]?.site.catalogue).not.toHaveLength(0);
  });

  it('on a site that is there: those whose settings it has; the others are left out with what to do', () => {
    const has = 'settings: { policy: { receiver: any }, peers: [{ name: RM, sends: { results: true } }] }\n';

    const { groups: found, leftOut } = groups([scenario('a', ours), scenario('b', has), scenario('c')], false);

    expect(found.map(names)).toEqual([['b', 'c']]);
    expect(leftOut.map(({ scenario: { name }, reason }) => `${name}: ${reason}`)).toEqual([
      'a: the site file has not the settings { policy: { receiver: ours } }: play it with --start, or put them there',
    ]);
  });

  it.each([
    ['settings: { peers: [{ name: NOBODY }] }\n', 'a: the site file has no peer NOBODY'],
    ['settings: { worklists: [{ aeTitle: SWF_OF }] }\n', 'worklists.0.aeTitle: the same AE title as dicom.aeTitle'],
  ])('refuses what the site does not bear: %s', (settings, reason) => {
    expect(() => groups([scenario('a', settings)], true)).toThrow(reason);
  });
});

describe('a scenario that is left out', () => {
  it('is told, counted as skipped and no failure, and stands in the reports', async () => {
    const stage = await startTestStage();
    try {
      await stage.startDouble();
      const wants = scenario('wants', 'settings: { policy: { receiver: ours } }\n');
      const plain = scenario('plain');
      const html = join(folder, 'page.html');

      const result = await stage.play([wants.folder, plain.folder], { html });

      expect(result).toMatchObject({ passed: 1, failed: 0, skipped: 1 });
      expect(stage.lines.join('\n')).toContain('○  skipped: the site file has not the settings { policy');
      expect(stage.lines.at(-1)).toBe('2 scenarios, 1 passed, 0 failed, 1 skipped');
      expect(junitReport(result.results)).toContain('<skipped message="the site file has not the settings');
      expect(readFileSync(html, 'utf8')).toContain('Skipped: the site file has not the settings');
    } finally {
      await stage.end();
    }
  });
});
