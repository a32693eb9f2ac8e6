import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Config, ConfigError, loadConfig } from '../../src/platform/config.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swf-config-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

type Environment = Record<string, string | undefined>;

function write(path: string, text: string): string {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  return whole;
}

function load(site?: string, environment: Environment = {}): Config {
  if (site !== undefined) write('swf.yaml', site);
  return loadConfig({ environment, workingDirectory: folder });
}

function problemsOf(site?: string, environment: Environment = {}): string[] {
  try {
    load(site, environment);
  } catch (thrown) {
    // the folder is different on every run
    if (thrown instanceof ConfigError) return thrown.problems.map((problem) => problem.replaceAll(`${folder}/`, ''));
    throw thrown;
  }
  return [];
}

const peer = (name: string, port: number, more = ''): string =>
  `  - { name: ${name}, actor: image-manager, hl7: { host: 127.0.0.1, port: ${port}, application: A, facility: F }${more} }`;

describe('the defaults', () => {
  it('hold where there is no site file', () => {
    const config = load();
    expect([config.hl7.port, config.dicom.port, config.http.port]).toEqual([2575, 11112, 8080]);
    expect([config.hl7.host, config.dicom.host, config.http.host]).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
    expect(config.organisation).toMatchObject({ application: 'SWF_OF', facility: 'RADIOLOGY', uidRoot: '2.25' });
    expect(config).toMatchObject({ file: undefined, databaseUrl: undefined, apiToken: undefined, logLevel: 'info' });
    expect(config.dataDir).toBe(join(folder, 'data'));
  });

  it('know no numbers for temporary patients; a row of them may be written as a text', () => {
    expect(load().temporaryPatients).toEqual({ numbers: [], name: 'TEMPORARY' });
    const { numbers } = load('temporaryPatients: { numbers: T9000-T9099, assigningAuthority: OF1 }').temporaryPatients;
    expect(numbers).toEqual([{ range: 'T9000-T9099' }]);
  });

  it('are the policies, limits and retries of the contract', () => {
    const config = load();
    expect(config.policy).toEqual({
      accessionNumber: 'assign',
      unknownPatient: 'create',
      unknownProcedure: 'accept',
      validation: 'lenient',
      receiver: 'any',
      autoSchedule: true,
      reportOrderComplete: 'on-mpps-completed',
      startedOnWorklist: true,
      departedOnWorklist: true,
      relayMpps: true,
    });
    expect(config.limits.hl7).toEqual({ connections: 500, messageBytes: 16777216, idle: 600_000 });
    expect(config.limits.dicom).toEqual({
      associations: 100,
      pduBytes: 65536,
      messageBytes: 4194304,
      idle: 60_000,
      artim: 30_000,
      worklistRows: 10000,
    });
    expect(config.retry).toEqual({ first: 1000, factor: 2, longest: 5000 });
    const [second, hour] = [1000, 3_600_000];
    const giveUpAfter = 30 * 24 * hour;
    expect(config.availability).toEqual({ first: 15 * second, factor: 2, longest: hour, giveUpAfter });
    expect(config.timers).toEqual({
      stepNotStarted: { after: 24 * hour, effect: 'alarm' },
      performedStepNotEnded: { after: 24 * hour, effect: 'alarm' },
      imagesNotAvailable: { after: 24 * hour, effect: 'alarm' },
      orderNumberNotAssigned: { after: hour, effect: 'alarm' },
    });
    expect(config.retention.messages).toBe(90 * 86_400_000);
  });

  it('hold for an empty site file as well', () => {
    expect(load('').hl7.port).toBe(2575);
    expect(load('# nothing but a comment\n').hl7.port).toBe(2575);
  });
});

describe('the example site of the project', () => {
  const example = (): Config =>
    loadConfig({ environment: {}, workingDirectory: resolve(import.meta.dirname, '../..') });

  it('is valid and names every role in both dialects', () => {
    expect(example().peers.map(({ name, actor, hl7 }) => [name, actor, hl7?.port, hl7?.version])).toEqual([
      ['OP', 'order-placer', 2576, '2.3.1'],
      ['IM', 'image-manager', 2577, '2.3.1'],
      ['RM', 'report-manager', 2578, '2.3.1'],
      ['OP_B', 'order-placer', 2579, '2.5.1'],
      ['IM_B', 'image-manager', 2580, '2.5.1'],
    ]);
    expect(example().organisation.timeZone).toBe('Europe/Berlin');
  });

  it('has a catalogue whose steps all can be put on a worklist', () => {
    const { catalogue } = example();
    expect(catalogue.length).toBeGreaterThan(0);
    const steps = catalogue.flatMap((entry) => entry.requestedProcedures.flatMap((procedure) => procedure.steps));
    for (const step of steps) expect([step.modality !== '', step.stations.length > 0]).toEqual([true, true]);
  });

  it('has the procedure plan that the contract shows: P4, two steps, three protocols', () => {
    const p4 = example().catalogue.find((entry) => entry.service.code === 'P4');
    const steps = p4?.requestedProcedures[0]?.steps ?? [];
    expect(steps.map((step) => [step.modality, step.minutes, step.protocols.map(({ code }) => code)])).toEqual([
      ['MR', 30, ['X4A_A1']],
      ['MR', 15, ['X4B_A1', 'X4B_A2']],
    ]);
  });
});

describe('precedence: flag, environment, site file, default', () => {
  const site = 'hl7: { port: 3001 }\ndicom: { port: 3002 }\nhttp: { port: 3003, host: 127.0.0.1 }\n';

  it('takes the site file before the default', () => {
    const config = load(site);
    expect([config.hl7.port, config.dicom.port, config.http.port]).toEqual([3001, 3002, 3003]);
  });

  it('takes the environment before the site file', () => {
    const config = load(site, { SWF_HL7_PORT: '4001', SWF_DICOM_PORT: '0', SWF_HTTP_PORT: '4003' });
    expect([config.hl7.port, config.dicom.port, config.http.port]).toEqual([4001, 0, 4003]);
  });

  it('takes SWF_HOST for all three listeners', () => {
    const config = load(site, { SWF_HOST: '::1' });
    expect([config.hl7.host, config.dicom.host, config.http.host]).toEqual(['::1', '::1', '::1']);
  });

  it('lets an empty variable be one that is not set, as shells and compose files leave it', () => {
    const config = load(site, { SWF_HL7_PORT: '', SWF_API_TOKEN: '', DATABASE_URL: '', SWF_CONFIG: '', SWF_HOST: '' });
    expect([config.hl7.port, config.apiToken, config.databaseUrl]).toEqual([3001, undefined, undefined]);
  });

  it('takes the named file before SWF_CONFIG and SWF_CONFIG before ./swf.yaml', () => {
    write('flag.yaml', 'hl7: { port: 1 }');
    write('variable.yaml', 'hl7: { port: 2 }');
    write('swf.yaml', 'hl7: { port: 3 }');
    const environment = { SWF_CONFIG: 'variable.yaml' };
    const ports = [
      loadConfig({ file: 'flag.yaml', environment, workingDirectory: folder }),
      loadConfig({ environment, workingDirectory: folder }),
      loadConfig({ environment: {}, workingDirectory: folder }),
    ].map((config) => config.hl7.port);
    expect(ports).toEqual([1, 2, 3]);
  });

  it('takes data folder, database and log level from the environment', () => {
    const config = load(undefined, {
      SWF_DATA_DIR: 'elsewhere',
      DATABASE_URL: 'postgresql://db/swf',
      SWF_LOG_LEVEL: 'debug',
    });
    expect(config.dataDir).toBe(join(folder, 'elsewhere'));
    expect([config.databaseUrl, config.logLevel]).toEqual(['postgresql://db/swf', 'debug']);
  });
});

describe('a mistake is refused with its place', () => {
  it.each([
    ['an unknown key', 'hl8: {}', 'swf.yaml: ', 'hl8'],
    ['an unknown key deep inside', 'limits: { dicom: { pdu: 1 } }', 'swf.yaml: limits.dicom: ', 'pdu'],
    ['a port that is none', 'hl7: { port: 70000 }', 'swf.yaml: hl7.port: ', '65535'],
    ['a port in words', 'dicom: { port: many }', 'swf.yaml: dicom.port: ', 'port'],
    ['a peer on any free port', `peers:\n${peer('IM', 0)}`, 'swf.yaml: peers.0.hl7.port: ', '1 to 65535'],
    ['an AE title of 17 characters', 'dicom: { aeTitle: ABCDEFGHIJKLMNOPQ }', 'swf.yaml: dicom.aeTitle: ', '16'],
    [
      'an AE title with a backslash',
      'stations: [{ aeTitle: "A\\\\B" }]',
      'swf.yaml: stations.0.aeTitle: ',
      'backslash',
    ],
    ['a time zone that is none', 'organisation: { timeZone: Mars/Olympus }', 'swf.yaml: organisation.timeZone: ', ''],
    [
      'a UID root that is too long',
      `organisation: { uidRoot: '1.${'2'.repeat(23)}' }`,
      'swf.yaml: organisation.uidRoot: ',
      '24',
    ],
    ['a UID root with a leading zero', "organisation: { uidRoot: '1.02' }", 'swf.yaml: organisation.uidRoot: ', ''],
    [
      'an actor that is none',
      'peers: [{ name: X, actor: modality, dicom: { aeTitle: X, host: h, port: 1 } }]',
      'swf.yaml: peers.0.actor: ',
      '',
    ],
    [
      'a version that nobody speaks',
      `peers:\n${peer('IM', 1).replace('facility: F', "facility: F, version: '2.4'")}`,
      'swf.yaml: peers.0.hl7.version: ',
      '',
    ],
    ['a peer without an address', 'peers: [{ name: X, actor: image-manager }]', 'swf.yaml: peers.0: ', 'address'],
    ['a sender that matches nobody', 'senders: [{ match: {} }]', 'swf.yaml: senders.0.match: ', 'MSH-3'],
    [
      'a field that is none',
      'senders: [{ match: { facility: F }, station: OBR21 }]',
      'swf.yaml: senders.0.station: ',
      'OBR-21',
    ],
    ['a duration without a unit', "retry: { first: '5' }", 'swf.yaml: retry.first: ', '30s'],
    [
      'an age of nothing',
      'timers: { stepNotStarted: { after: 0h } }',
      'swf.yaml: timers.stepNotStarted.after: ',
      '1ms',
    ],
    [
      'an age without end',
      'timers: { imagesNotAvailable: { after: 999999999d } }',
      'imagesNotAvailable.after',
      '3650d',
    ],
    ['a wait of nothing', 'retry: { first: 0s }', 'swf.yaml: retry.first: ', '1ms'],
    ['a wait that no timer can hold', 'limits: { hl7: { idle: 25d } }', 'swf.yaml: limits.hl7.idle: ', '24d'],
    ['a policy that is none', 'policy: { unknownPatient: ask }', 'swf.yaml: policy.unknownPatient: ', ''],
    [
      'numbers that run backwards',
      'temporaryPatients: { numbers: T9-T1 }',
      'temporaryPatients.numbers.0.range',
      'T9000',
    ],
    ['numbers of two kinds', 'temporaryPatients: { numbers: A1-B9 }', 'temporaryPatients.numbers.0.range', 'letters'],
    ['numbers of two lengths', "temporaryPatients: { numbers: ['T9-T10'] }", 'temporaryPatients.numbers.0.range', ''],
    ['numbers that are no text', 'temporaryPatients: { numbers: 5 }', 'temporaryPatients.numbers', ''],
    ['too many numbers', 'temporaryPatients: { numbers: T00000-T20000 }', 'temporaryPatients.numbers', '10000'],
    ['no name', "temporaryPatients: { numbers: T1-T9, name: '' }", 'temporaryPatients.name', ''],
    [
      'a delimiter in an authority',
      'temporaryPatients: { assigningAuthority: A^B }',
      'temporaryPatients.assigning',
      '^',
    ],
    [
      'a list for no modality',
      'temporaryPatients: { numbers: [{ range: T1-T9, modality: x }] }',
      'temporaryPatients.numbers.0.modality',
      'capitals',
    ],
    ['no AE title at all', 'dicom: { callingAeTitles: [] }', 'swf.yaml: dicom.callingAeTitles', ''],
    ['a list in place of a site', '- hl7', 'swf.yaml: ', ''],
    ['a word in place of a site', 'hello', 'swf.yaml: ', ''],
    ['an unknown variable value', '', 'environment: SWF_LOG_LEVEL: ', ''],
  ])('%s', (what, site, place, named) => {
    const environment = what === 'an unknown variable value' ? { SWF_LOG_LEVEL: 'loud' } : {};
    const problems = problemsOf(site, environment);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(place);
    expect(problems[0]).toContain(named);
  });

  it('YAML that is none, with line and column', () => {
    const problems = problemsOf('hl7:\n  port: [1\n');
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]).toMatch(/^swf\.yaml: .*line \d+, column \d+/);
  });

  it('a key that is written twice', () => {
    expect(problemsOf('hl7: { port: 1 }\nhl7: { port: 2 }\n')[0]).toMatch(/^swf\.yaml: /);
  });

  it('a site file that is named and not there', () => {
    expect(problemsOf(undefined, { SWF_CONFIG: 'nowhere.yaml' })).toEqual([
      expect.stringMatching(/^nowhere\.yaml: .*SWF_CONFIG/),
    ]);
  });

  it.each([
    [{ SWF_HL7_PORT: 'x' }, 'environment: SWF_HL7_PORT: '],
    [{ SWF_HL7_PORT: '65536' }, 'environment: SWF_HL7_PORT: '],
    [{ DATABASE_URL: 'mysql://db' }, 'environment: DATABASE_URL: '],
    [{ SWF_API_TOKEN: 'short' }, 'environment: SWF_API_TOKEN: '],
    [{ SWF_API_TOKEN_FILE: 'nowhere' }, 'environment: SWF_API_TOKEN_FILE: '],
  ])('the variable %j', (environment, place) => {
    expect(problemsOf('', environment)).toEqual([expect.stringContaining(place)]);
  });

  it('a catalogue that is not there, not a catalogue, or says a service twice', () => {
    expect(problemsOf('catalogue: plan.yaml')).toEqual([expect.stringMatching(/^plan\.yaml: /)]);
    const code = '{ code: A, scheme: L, meaning: M }';
    const entry = `- { service: ${code}, requestedProcedures: [{ code: ${code}, steps: [{ modality: CT, stations: [CT1] }] }] }\n`;
    write('plan.yaml', entry + entry);
    expect(problemsOf('catalogue: plan.yaml')).toEqual([expect.stringContaining('plan.yaml: 1.service: ')]);
    write('plan.yaml', entry.replace('modality: CT', 'modality: ct'));
    expect(problemsOf('catalogue: plan.yaml')).toEqual([
      expect.stringContaining('plan.yaml: 0.requestedProcedures.0.steps.0.modality: '),
    ]);
    write('plan.yaml', entry.replace('meaning: M', `meaning: ${'M'.repeat(65)}`));
    expect(problemsOf('catalogue: plan.yaml')).toEqual([expect.stringContaining('plan.yaml: 0.service.meaning: ')]);
  });
});

describe('a clash is refused with both places', () => {
  it.each([
    ['two listeners on one port', 'hl7: { port: 3000 }\nhttp: { port: 3000 }', 'http.port', 'hl7.port'],
    ['a peer where we listen', `hl7: { port: 3000 }\npeers:\n${peer('IM', 3000)}`, 'peers.0.hl7.port', 'hl7.port'],
    ['two peers at one address', `peers:\n${peer('A', 3000)}\n${peer('B', 3000)}`, 'peers.1.hl7.port', 'peers.0.hl7'],
    ['two peers of one name', `peers:\n${peer('A', 3000)}\n${peer('A', 3001)}`, 'peers.1.name', 'peers.0.name'],
    ['a station twice', 'stations: [{ aeTitle: CT }, { aeTitle: CT }]', 'stations.1.aeTitle', 'stations.0.aeTitle'],
    ['a number twice', 'temporaryPatients: { numbers: [T1-T5, T5-T9] }', 'temporaryPatients.numbers.1', 'entry 0'],
    ['a worklist under our own title', 'worklists: [{ aeTitle: SWF_OF }]', 'worklists.0.aeTitle', 'dicom.aeTitle'],
  ])('%s', (_, site, place, other) => {
    const problems = problemsOf(site);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`swf.yaml: ${place}: `);
    expect(problems[0]).toContain(other);
  });

  it('but any number of listeners may take any free port', () => {
    expect(problemsOf('hl7: { port: 0 }\ndicom: { port: 0 }\nhttp: { port: 0 }')).toEqual([]);
  });

  it('which the environment brings about', () => {
    expect(problemsOf('', { SWF_HL7_PORT: '8080' })[0]).toContain('http.port');
  });
});

describe('every problem is told at once', () => {
  it('of one file', () => {
    const problems = problemsOf('hl8: {}\nhl7: { port: -1 }\nretry: { first: soon, factor: 0 }\n');
    for (const place of ['hl8', 'hl7.port', 'retry.first', 'retry.factor']) {
      expect(problems.some((problem) => problem.includes(place))).toBe(true);
    }
  });

  it('a bad value and a clash together', () => {
    const problems = problemsOf('hl7: { port: 3000 }\nhttp: { port: 3000 }\nretry: { first: soon }\n').join('\n');
    expect(problems).toContain('retry.first');
    expect(problems).toContain('http.port');
  });

  it('of environment, site file, catalogue and token together', () => {
    write('plan.yaml', '- { service: 1 }');
    const site = 'hl8: {}\ncatalogue: plan.yaml\nhttp: { host: 0.0.0.0 }\n';
    const problems = problemsOf(site, { SWF_LOG_LEVEL: 'loud' }).join('\n');
    for (const part of ['environment: SWF_LOG_LEVEL', 'hl8', 'plan.yaml: 0.service', 'SWF_API_TOKEN']) {
      expect(problems).toContain(part);
    }
  });

  it('and the message of the error has each on a line of its own', () => {
    write('swf.yaml', 'hl7: { port: -1 }\ndicom: { port: -1 }');
    expect(() => load()).toThrow(/hl7\.port.*\n.*dicom\.port/);
  });
});

describe('the HTTP token', () => {
  it.each(['127.0.0.1', '127.9.9.9', 'localhost', '::1'])('is not required on %s', (host) => {
    expect(problemsOf(`http: { host: '${host}' }`)).toEqual([]);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'ris.example.org', '127.0.0.1.example.org', 'localhost.example.org'])(
    'is required on %s, which is not loopback',
    (host) => {
      const problems = problemsOf(`http: { host: '${host}' }`);
      expect(problems).toEqual([expect.stringContaining('SWF_API_TOKEN')]);
    },
  );

  it('is required when SWF_HOST leaves loopback, also without a site file', () => {
    expect(problemsOf(undefined, { SWF_HOST: '0.0.0.0' })).toEqual([expect.stringContaining('SWF_API_TOKEN')]);
  });

  it('comes from the variable, or from a file whose surrounding blanks do not count', () => {
    write('token', '  0123456789abcdef\n');
    expect(load('http: { host: 0.0.0.0 }', { SWF_API_TOKEN: 'abcdefghijkl' }).apiToken).toBe('abcdefghijkl');
    expect(load(undefined, { SWF_API_TOKEN_FILE: 'token' }).apiToken).toBe('0123456789abcdef');
  });

  it('is refused from a file that holds too little', () => {
    write('token', '\n');
    expect(problemsOf('', { SWF_API_TOKEN_FILE: 'token' })).toEqual([expect.stringContaining('SWF_API_TOKEN_FILE')]);
  });

  it('is never quoted in a problem', () => {
    expect(problemsOf('', { SWF_API_TOKEN: 'secret' }).join()).not.toContain('secret');
  });
});

describe('paths', () => {
  it('in the site file are relative to its folder, wherever the program was started', () => {
    const code = '{ code: A, scheme: L, meaning: M }';
    write(
      'site/plan.yaml',
      `- { service: ${code}, requestedProcedures: [{ code: ${code}, steps: [{ modality: CT, stations: [CT1] }] }] }`,
    );
    write('site/swf.yaml', 'catalogue: plan.yaml\nhl7: { tls: { key: tls/key.pem, cert: /etc/cert.pem } }\n');
    const config = loadConfig({ file: 'site/swf.yaml', environment: {}, workingDirectory: folder });
    expect(config.catalogue).toHaveLength(1);
    expect(config.hl7.tls).toMatchObject({ key: join(folder, 'site/tls/key.pem'), cert: '/etc/cert.pem' });
  });

  it('of the environment are relative to where the program was started', () => {
    write('site/swf.yaml', '');
    const config = load(undefined, { SWF_CONFIG: 'site/swf.yaml', SWF_DATA_DIR: 'd' });
    expect(config.dataDir).toBe(join(folder, 'd'));
  });
});

describe('a configuration that was read', () => {
  it('is frozen to its depths', () => {
    const config = load(`peers:\n${peer('IM', 3000)}`);
    const change = [
      () => Object.assign(config, { logLevel: 'trace' }),
      () => Object.assign(config.limits.dicom, { worklistRows: 1 }),
      () => (config.peers as unknown[]).push({}),
    ];
    for (const attempt of change) expect(attempt).toThrow(TypeError);
  });

  it('says which of its settings have no effect, and nothing of those that have', () => {
    const text = 'worklists: [{ aeTitle: X }]\nstations: [{ aeTitle: Y, quirks: [drop-empty] }]\n';
    const unused = load(`${text}policy: { departedOnWorklist: false }\n`).unused.join('\n');
    expect(unused).toContain('retention.messages');
    expect(unused).not.toMatch(/worklists|quirks|departed/);
  });

  it('names the quirks that there are where one is misspelt, and takes a list of those', () => {
    const quirks = (text: string) => `stations: [{ aeTitle: CT1, quirks: ${text} }]\n`;
    expect(load(quirks('[single-station, drop-empty]')).stations[0]?.quirks).toEqual(['single-station', 'drop-empty']);
    expect(() => load(quirks('[own-stations-only]'))).toThrow(
      /stations\.0\.quirks\.0: there is no such quirk; .*own-station-only,/,
    );
  });

  it('takes only modalities in capitals for a worklist of its own', () => {
    expect(() => load('worklists: [{ aeTitle: MWL_CT, modalities: [ct] }]\n')).toThrow(/worklists\.0\.modalities\.0/);
  });
});
