import { readFileSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestStage, announced, order, simpleCase, startTestStage } from './playing.ts';

let lines: string[];
let site: TestStage['site'];
let startDouble: TestStage['startDouble'];
let play: TestStage['play'];
let write: TestStage['write'];
let end: TestStage['end'];
const stop = (): AbortController => new AbortController();

beforeEach(async () => {
  ({ lines, site, startDouble, play, write, end } = await startTestStage());
});
afterEach(() => end());

describe('the simple case', () => {
  it('passes twice in a row against the same Order Filler, each time with identifiers of its own', async () => {
    await startDouble();

    const first = await play([simpleCase]);
    const second = await play([simpleCase]);

    expect(lines.filter((line) => line.includes('✗'))).toEqual([]);
    expect([first.passed, first.failed, second.passed, second.failed]).toEqual([1, 0, 1, 0]);
    expect(first.results[0]?.run).not.toBe(second.results[0]?.run);
    expect(lines.at(-1)).toBe('1 scenario, 1 passed, 0 failed');
    expect(lines[1]).toMatch(/^ {2}✓ {2}1 {2}RAD-1 {3}ADT → OF +An outpatient is registered +\d+ ms$/);
  });

  it('leaves every message and dataset in the transcript', async () => {
    await startDouble();

    const { results } = await play([simpleCase]);

    const folder = join(site.folder, 'transcripts', results[0]?.run ?? '');
    const files = readdirSync(folder);
    for (const file of [
      ...['01-ADT-sent.hl7', '01-ADT-answer.hl7', '03-IM-received.hl7', '03-IM-received-answer.hl7'],
      ...['04-MOD-query.json', '04-MOD-match-1.json', '04-MOD-answer.json', '05-MOD-create.json'],
      ...['05-MOD-create-answer.json', '07-IM-received.json', '07-IM-received-answer.json', '09-MOD-set-answer.json'],
    ])
      expect(files).toContain(file);
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
    expect(JSON.parse(read('08-MOD-create-answer.json'))).toMatchObject({ status: '0111' });
    expect(read('03-IM-received-answer.hl7')).toMatch(/^MSA\|AA\|/m);
    expect(read('exchanges.txt').split('\n')[0]).toMatch(
      /^\S+Z {2}ADT → OF {6}ADT\^A04 {3}AA after \d+ ms {2}01-ADT-sent.hl7 {2}01-ADT-answer.hl7$/,
    );
    expect(readFileSync(join(folder, '03-IM-received.hl7'), 'utf8')).toMatch(/^MSH\|.*\nPID\|.*\nORC\|NW\|/);
  });
});

describe('what an Image Manager has got (RAD-8), which the Order Filler hears nothing of', () => {
  it('is what a step says, and is in the transcript', async () => {
    await startDouble();
    const store = "{ StudyInstanceUID: '1.${run}', ReferencedSeriesSequence: [] }";

    const { passed, results } = await play([
      write(`  - { step: Images, transaction: RAD-8, to: IM, store: ${store} }\n`),
    ]);

    expect(passed).toBe(1);
    const [{ steps: [step] = [] } = {}] = results;
    expect(step).toMatchObject({ who: '→ IM', files: [expect.stringContaining('01-IM-stored')] });
  });
});

describe('a step that does not go as expected', () => {
  it('shows expected and received, names the message, and the rest is not played', async () => {
    await startDouble({ modality: 'CT' });

    const { failed } = await play([simpleCase], { report: 'report/junit.xml' });

    expect(failed).toBe(1);
    expect(lines.find((line) => line.includes('OBR-24'))).toBe('        OBR-24   expected MR   received CT');
    expect(lines.find((line) => line.includes('03-IM-received.hl7'))).toContain('message  ');
    expect(lines.at(-3)).toBe('  -  4 to 15 not played');
    expect(lines.at(-2)).toMatch(/^the same identifiers once more: --seed \d+$/);
    const report = readFileSync(join(site.folder, 'report', 'junit.xml'), 'utf8');
    expect(report).toContain('tests="15" failures="1" skipped="12"');
    expect(report).toContain('OBR-24   expected MR   received CT');
  });

  it('shows the acknowledgement that was not the one expected (HL7 table 0008)', async () => {
    await startDouble({ acknowledgement: 'AE' });

    await play([simpleCase]);

    expect(lines).toContain('        MSA-1   expected AA   received AE');
  });

  it('does not keep the next ones from being played with --keep-going', async () => {
    await startDouble({ modality: 'CT' });

    const { results } = await play([simpleCase], { keepGoing: true });

    expect(results[0]?.steps.map(({ passed }) => passed)).toEqual([
      true,
      true,
      false,
      ...Array<boolean>(12).fill(true),
    ]);
    expect(results[0]?.passed).toBe(false);
  });

  it('says that nothing listens where the Order Filler should be', async () => {
    const { failed } = await play([write(order)]);

    expect(failed).toBe(1);
    expect(lines.join('\n')).toContain('no acknowledgement from mllp://127.0.0.1:1: connection refused');
  });

  it('says that nothing listens where the worklist should be', async () => {
    await play([write('  - { step: Ask, from: MOD, find: { PatientID: x } }\n', { cast: '[MOD]' })]);

    expect(lines.join('\n')).toContain('no answer from SWF_OF@127.0.0.1:1: ');
  });

  it('says what came instead of the message it waits for', async () => {
    await startDouble();

    await play([write(`${order}  - { step: Status, to: IM, receive: ADT^A08, within: 1ms }\n`)]);

    expect(lines.join('\n')).toMatch(/no ADT\^A08 came to IM within 1 ms; 1 of this run came instead \(ORM\^O01\)/);
  });
});

describe('a message that no step asked for', () => {
  it('fails the next quiet', async () => {
    await startDouble({ announcements: 2 });

    const { failed } = await play([write(`${order}${announced}  - { step: Nothing more, quiet: 10s }\n`)]);

    expect(failed).toBe(1);
    expect(lines.join('\n')).toContain('nobody expected ORM^O01 at IM');
  });

  it('fails the end of the scenario', async () => {
    await startDouble({ announcements: 2 });

    const { failed } = await play([write(order + announced)]);

    expect(failed).toBe(1);
    expect(lines).toContain('  ✗  at the end');
  });

  it('does not matter at an actor outside the cast', async () => {
    await startDouble();

    expect((await play([write(order, { cast: '[OP]' })])).passed).toBe(1);
  });

  it('is answered and set aside when it belongs to nobody here, like a backlog', async () => {
    const double = await startDouble();
    const op = site.ports['OP'] ?? 0;
    const scenario = write(`${order}${announced}  - { step: Nothing more, quiet: 300ms }\n`);

    const playing = play([scenario], { screen: { write: tellOnce, colour: false } });
    let told: Promise<void> | undefined;
    function tellOnce(): void {
      told ??= double.tell(op, 'O-OTHER');
    }
    const { passed, results } = await playing;
    await told;

    expect(passed).toBe(1);
    const files = readdirSync(join(site.folder, 'transcripts', results[0]?.run ?? ''));
    expect(files).toContain('aside-1-OP-ORM-O01.hl7');
  });
});

describe('an appointment (RAD-48, which an Order Filler may send or not)', () => {
  const booked = '  - { step: Booked, transaction: RAD-48, to: OP, receive: SIU^S12 }\n';

  it('is answered and set aside where no step asks for one', async () => {
    await startDouble({ appointments: 1 });

    const scenario = write(`${order}${announced}  - { step: Nothing more, quiet: 100ms }\n`);
    const { passed, results } = await play([scenario]);

    expect(passed).toBe(1);
    const files = readdirSync(join(site.folder, 'transcripts', results[0]?.run ?? ''));
    expect(files).toContain('aside-1-OP-SIU-S12.hl7');
  });

  it('counts where a step asks for one: a second one fails the scenario', async () => {
    await startDouble({ appointments: 2 });

    const { failed } = await play([write(order + announced + booked)]);

    expect(failed).toBe(1);
    expect(lines.join('\n')).toContain('nobody expected SIU^S12 at OP');
  });
});

describe('a performed step that is told again to whom the Order Filler reports (RAD-6)', () => {
  const begun = (from: string): string => `  - { step: Told, to: IM, receive: ORM^O01, capture: { accession: OBR-18 } }
  - step: Begun
    from: ${from}
    create: { PatientID: '\${patientId}', ScheduledStepAttributesSequence: [{ AccessionNumber: '\${accession}' }] }
    uid: \${uid}
    status: '0000'
  - { step: Status, to: OP, receive: ORM^O01 }
  - { step: Nothing more, quiet: 10ms }
`;

  it.each([
    ['does not matter where no step asks for it and the modality tells of it', 'MOD', 'passed'],
    ['fails the scenario where the Image Manager itself has passed it on', 'IM', 'failed'],
  ] as const)('%s', async (_what, from, outcome) => {
    await startDouble();

    const result = await play([write(order + begun(from), { cast: '[OP, IM, MOD]' })]);

    expect(result[outcome]).toBe(1);
    expect(lines.join('\n').includes('nobody expected N-CREATE at IM')).toBe(outcome === 'failed');
  });
});

describe('an actor that is offline', () => {
  it('does not listen until it is online again', async () => {
    const double = await startDouble();
    const im = site.ports['IM'] ?? 0;
    const attempts: Promise<string>[] = [];
    const attempt = (line: string): void => {
      if (!line.includes('IM o')) return;
      attempts.push(
        double.tell(im, 'X').then(
          () => 'answered',
          () => 'refused',
        ),
      );
    };
    const steps = `  - { step: Away, offline: IM }
  - { step: A moment, quiet: 100ms }
  - { step: Back, online: IM }
  - { step: A moment, quiet: 100ms }
`;

    const { passed } = await play([write(steps)], { screen: { write: attempt, colour: false } });

    expect(passed).toBe(1);
    expect(await Promise.all(attempts)).toEqual(['refused', 'answered']);
  });
});

describe('playing', () => {
  it('stops after the step that --step names, without a look at what is left', async () => {
    await startDouble({ announcements: 2 });

    const { passed, results } = await play([write(order + announced)], { lastStep: 1 });

    expect(passed).toBe(1);
    expect(results[0]?.steps).toHaveLength(1);
    expect(lines).toContain('  -  2 not played');
  });

  it('ends at once when it is stopped, also while it waits', async () => {
    await startDouble();
    const stopping = stop();
    const screen = {
      write: (line: string): void => (line.includes('Order') ? stopping.abort() : undefined),
      colour: false,
    };

    const { failed } = await play([write(`${order}  - { step: Long, to: OP, receive: ADT^A08, within: 1m }\n`)], {
      screen,
      signal: stopping.signal,
    });

    expect(failed).toBe(1);
  });

  it('names a port that is taken, the peer and the setting, and leaves none of its own open', async () => {
    const taken = createServer().listen(site.ports['RM'], '127.0.0.1');
    await once(taken, 'listening');

    const playing = play([write(order)]);

    await expect(playing).rejects.toThrow(
      `RM cannot listen on 127.0.0.1 port ${site.ports['RM']} (peers[2].hl7.port in the site file): the port is taken`,
    );
    await once(taken.close(), 'close');
    await startDouble();
    expect((await play([write(order + announced)])).passed).toBe(1);
  });

  it('refuses a cast that the site does not have, before anything listens', async () => {
    await expect(play([write(order, { cast: '[OP, IM_9]' })])).rejects.toThrow(
      'no peer of the site file is named IM_9',
    );
  });

  it('refuses an address that is none', async () => {
    await expect(play([write(order)], { of: 'http://x:1' })).rejects.toThrow('write mllp://HOST:PORT');
    await expect(play([write(order)], { ofDicom: '127.0.0.1:104' })).rejects.toThrow('write AET@HOST:PORT');
    await expect(play([write(order)], { ofHttp: 'ris:8080' })).rejects.toThrow('write http://HOST:PORT');
  });
});
