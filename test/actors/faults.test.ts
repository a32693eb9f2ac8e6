import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createArchive } from '../../actors/archive.ts';
import { createBehaviours, parseBehaviour } from '../../actors/behaviours.ts';
import { type Listeners, startListeners } from '../../actors/listeners.ts';
import { createMailbox } from '../../actors/mailbox.ts';
import { piecesOf } from '../../actors/split-sender.ts';
import { createDicomClient } from '../../src/dicom/client.ts';
import { sopClass } from '../../src/dicom/status.ts';
import { readAck } from '../../src/hl7/ack.ts';
import { createMllpClient } from '../../src/hl7/mllp-client.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { randomIds } from '../../src/platform/ids.ts';
import { until } from '../support/until.ts';
import { order, startTestStage } from './playing.ts';
import { type TestSite, writeTestSite } from './site.ts';

const mailbox = createMailbox();
const behaviours = createBehaviours();
let site: TestSite;
let listeners: Listeners;
beforeAll(async () => {
  site = await writeTestSite();
  const { peers } = loadConfig({ file: site.file, environment: {}, workingDirectory: site.folder });
  const archive = createArchive();
  const deps = { mailbox, archive, behaviours, clock: systemClock, ids: randomIds(), timeZone: 'UTC' };
  listeners = await startListeners(peers, deps);
});
afterEach(() => {
  behaviours.reset('OP');
  behaviours.reset('IM');
});
afterAll(async () => {
  await listeners.stop();
  site.remove();
});

/** Sends a message about an order; what the actor answered: MSA-1 and the codes of ERR. */
async function tell(actor: string, placerOrderNumber: string): Promise<readonly string[]> {
  const port = site.ports[actor] ?? 0;
  const client = createMllpClient({ host: '127.0.0.1', port, connectTimeoutMs: 5000, answerTimeoutMs: 60_000 });
  const message = `MSH|^~\\&|OF|RAD|EMR|HOSPITAL|1||ORM^O01|M1|P|2.3.1\rORC|SC|${placerOrderNumber}\r`;
  const ack = readAck(await client.send(Buffer.from(message)).finally(() => client.close()));
  return [ack?.code ?? '', ...(ack?.errorCodes ?? [])];
}

function create(uid: string): Promise<{ status: number }> {
  const port = site.ports['IM dicom'] ?? 0;
  const called = { host: '127.0.0.1', port, callingAeTitle: 'OF', calledAeTitle: 'PACS', timeoutMs: 5000 };
  return createDicomClient(called).nCreate(sopClass.modalityPerformedProcedureStep, uid, { PatientID: 'P1' });
}

function answers(actor: string, text: string, number = 'O1'): void {
  const behaviour = parseBehaviour(text);
  if (!behaviour) throw new Error(`${text} is no behaviour`);
  behaviours.set(actor, behaviour, ({ values }) => values.has(number));
}

describe('how an actor answers', () => {
  it.each([
    ['well', { how: 'well' }],
    ['lost once', { how: 'lost', times: 1 }],
    ['late 2m', { how: 'late', milliseconds: 120_000 }],
    ['AE', { how: 'acknowledgement', code: 'AE', error: undefined }],
    ['CR 207 3 times', { how: 'acknowledgement', code: 'CR', error: '207', times: 3 }],
    ['0110', { how: 'status', status: 0x0110 }],
  ])('is written %s', (text, behaviour) => expect(parseBehaviour(text)).toEqual(behaviour));

  it.each(['', 'late', 'late 3', 'once', 'AX', 'AE 20', 'lost 0 times', 'lost twice', '110'])(
    'is not written %j',
    (text) => expect(parseBehaviour(text)).toBeUndefined(),
  );

  it('holds for the requests it is meant for, as often as it says', async () => {
    answers('OP', 'AE 207 2 times');

    expect(await tell('OP', 'O2')).toEqual(['AA']);
    expect(await tell('IM', 'O1')).toEqual(['AA']);
    expect(await tell('OP', 'O1')).toEqual(['AE', '207']);
    expect(await tell('OP', 'O1')).toEqual(['AE', '207']);
    expect(await tell('OP', 'O1')).toEqual(['AA']);
  });

  it('may be nothing at all: the message was received, the acknowledgement is lost', async () => {
    answers('OP', 'lost once', 'O-LOST');

    await expect(tell('OP', 'O-LOST')).rejects.toThrow('was closed before an answer came');
    expect(await tell('OP', 'O-LOST')).toEqual(['AA']);
    expect(mailbox.backlog().filter(({ values }) => values.has('O-LOST'))).toHaveLength(2);
  });

  it('may be late', async () => {
    answers('OP', 'late 150ms');
    const begin = performance.now();

    expect(await tell('OP', 'O1')).toEqual(['AA']);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(149);
  });

  it('is a status or nothing by DICOM too (PS3.7 C)', async () => {
    answers('IM', '0110 once', '2.25.1');
    expect((await create('2.25.1')).status).toBe(0x0110);
    expect((await create('2.25.1')).status).toBe(0);
    answers('IM', 'lost once', '2.25.1');
    await expect(create('2.25.1')).rejects.toThrow();
    expect((await create('2.25.1')).status).toBe(0);
  });
});

describe('an actor that is killed', () => {
  it('leaves the message in its hand unanswered and its port closed, until it is online again', async () => {
    answers('OP', 'late 10m', 'O-KILLED');
    const telling = tell('OP', 'O-KILLED').catch((error: unknown) => String(error));
    await until('it is in hand', () => mailbox.backlog().some(({ values }) => values.has('O-KILLED')) || undefined);

    await listeners.kill('OP');

    expect(await telling).toContain('was closed before an answer came');
    await expect(tell('OP', 'O1')).rejects.toThrow('ECONNREFUSED');
    await listeners.online('OP');
    expect(await tell('OP', 'O1')).toEqual(['AA']);
  });

  it('is not the same as one that goes offline: that one answers what it has in hand', async () => {
    answers('OP', 'late 10m', 'O-OFFLINE');
    const telling = tell('OP', 'O-OFFLINE');
    await until('it is in hand', () => mailbox.backlog().some(({ values }) => values.has('O-OFFLINE')) || undefined);

    await listeners.offline('OP');

    expect(await telling).toEqual(['AA']);
    await listeners.online('OP');
  });
});

describe('a message that is sent', () => {
  it('comes apart into bytes or segments and is whole again', () => {
    const frame = Buffer.from('\u000bMSH|1\rPID|2\r\u001c\r');

    expect(piecesOf(frame, 'bytes')).toHaveLength(frame.length);
    expect(piecesOf(frame, 'segments').map(String)).toEqual(['\u000bMSH|1\r', 'PID|2\r', '\u001c\r']);
    expect(Buffer.concat(piecesOf(frame, 'bytes'))).toEqual(frame);
  });

  it('is taken in single bytes, and twice with the same control id; both answers are checked', async () => {
    const stage = await startTestStage();
    await stage.startDouble();
    const twice = order.replace('ack:', 'twice: true, split: bytes, ack:');

    const { passed, results } = await stage.play([stage.write(twice, { cast: '[OP]' })]);

    expect(stage.lines.filter((line) => line.includes('✗'))).toEqual([]);
    expect(passed).toBe(1);
    const [{ run, steps = [] } = {}] = results;
    expect(stage.kept(run, '01-OP-sent-again.hl7')).toBe(stage.kept(run, '01-OP-sent.hl7'));
    expect(steps[0]?.verdicts.map(({ place }) => place)).toEqual(['MSA-1', 'MSA-1 again']);
    await stage.end();
  });

  it('is answered as a scenario wants it, and the scenario says how it went', async () => {
    const stage = await startTestStage();
    const double = await stage.startDouble();
    const steps = `  - { step: Order, from: OP, send: order.hl7 }
  - { step: Loses one, answers: { OP: lost once } }
  - { step: The first, to: OP, receive: ORM^O01 }
  - { step: The second, to: OP, receive: ORM^O01 }
`;
    let told: Promise<unknown> | undefined;
    const tellTwice = async (number: string): Promise<void> => {
      await double.tell(stage.site.ports['OP'] ?? 0, number).catch(() => {});
      await double.tell(stage.site.ports['OP'] ?? 0, number);
    };
    const write = (line: string): void => {
      stage.lines.push(line);
      const run = / run (\w+)$/.exec(stage.lines[0] ?? '')?.[1];
      if (line.includes('Loses one')) told = tellTwice(`O${run}`);
    };

    const { passed, results } = await stage.play([stage.write(steps, { cast: '[OP]' })], {
      screen: { write, colour: false },
    });
    await told;

    expect(stage.lines.filter((line) => line.includes('✗'))).toEqual([]);
    expect(passed).toBe(1);
    expect(results[0]?.steps.slice(2).map(({ exchanges }) => exchanges[0]?.answer?.code)).toEqual([undefined, 'AA']);
    await stage.end();
  });
});
