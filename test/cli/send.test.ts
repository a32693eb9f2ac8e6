import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Io, UsageError } from '../../src/cli-io.ts';
import { runReplay } from '../../src/cli-replay.ts';
import { runSend } from '../../src/cli-send.ts';
import { startMllpServer } from '../../src/hl7/mllp-server.ts';
import { SwfError } from '../../src/platform/errors.ts';
import { testCertificate, testKey } from '../hl7/tls-fixture.ts';
import { connectSender, field, orm } from '../support/messages.ts';
import { type PeerDouble, accepts, startPeer } from '../support/peers.ts';
import { startTestServer, writeSite } from '../support/server.ts';
import { startSwf } from '../support/swf-process.ts';

let folder: string;
let site: string;
let peer: PeerDouble;
let output: string[];
let errors: string[];
const message = orm([{ placerOrderNumber: 'O1^HIS' }], { identifier: 'P1^^^CLINIC', name: 'Müller^Maja' });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swf send '));
  peer = await startPeer('IM', 'image-manager');
  site = await writeSite(folder, { peers: [peer.entry] });
  await writeFile(join(folder, 'order.hl7'), message);
});
afterAll(async () => {
  await peer.down();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  [output, errors] = [[], []];
});
afterEach(() => peer.will(accepts));

function io(environment: Record<string, string> = {}): Io {
  return {
    print: (text) => void output.push(text),
    error: (text) => void errors.push(text),
    environment: { SWF_CONFIG: site, ...environment },
    workingDirectory: folder,
  };
}

const written = (name: string, content: string | Uint8Array): Promise<void> => writeFile(join(folder, name), content);

describe('`swf send FILE --to PEER`', () => {
  it('given a file whose lines end with LF, CR LF or CR, when it is sent, then the peer gets its segments with CR (HL7 v2.5.1 2.5.1)', async () => {
    const bom = Buffer.from([0xef, 0xbb, 0xbf]);
    const contents = [
      message,
      message.replaceAll('\r', '\n'),
      message.replaceAll('\r', '\r\n'),
      Buffer.concat([bom, Buffer.from(message.replaceAll('\r', '\n\n').trimEnd())]),
      `\x0b${message}\x1c\r`,
    ];
    for (const content of contents) {
      await written('one.hl7', content);
      expect(await runSend(['one.hl7', '--to', 'IM'], io())).toBe(0);
      expect(peer.received.at(-1)?.raw).toBe(message);
    }
  });

  it('given bytes of another character set, when they are sent, then they are the same bytes', async () => {
    const bytes = Buffer.from(message.replace('|2.3.1', '|2.3.1||||||8859/1'), 'latin1');
    await written('latin.hl7', bytes);
    expect(await runSend(['latin.hl7', '--to', 'IM'], io())).toBe(0);
    expect(Buffer.from(peer.received.at(-1)?.bytes ?? [])).toEqual(bytes);
  });

  it('given the peer accepts, when it is sent, then the acknowledgement is printed and the exit status is 0', async () => {
    expect(await runSend(['order.hl7', '--to', 'IM'], io())).toBe(0);
    expect(output.join('\n')).toMatch(/^answer {2}AA\nfrom {4}IM {2}mllp:\/\/127\.0\.0\.1:\d+ {2}\d+ ms$/);
    peer.will({ kind: 'answer', code: 'CA' });
    expect(await runSend(['order.hl7', '--to', 'IM'], io())).toBe(0);
    expect(errors).toEqual([]);
  });

  it('given the peer refuses, when it is sent, then code and error are printed and the exit status is 1', async () => {
    peer.will({ kind: 'answer', code: 'AE', error: '101' });
    expect(await runSend(['order.hl7', '--to', 'IM'], io())).toBe(1);
    expect(output.join('\n')).toMatch(/^answer {2}AE\nerror {3}101\n/);
  });

  it('given --json, when it is sent, then it is one document with the whole answer', async () => {
    peer.will({ kind: 'answer', code: 'AR', error: '206' });
    expect(await runSend(['order.hl7', '--to', 'IM', '--json'], io())).toBe(1);
    expect(JSON.parse(output.join('\n'))).toMatchObject({
      peer: 'IM',
      answerCode: 'AR',
      controlId: peer.received.at(-1)?.controlId,
      errorCodes: ['206'],
      answer: expect.stringContaining('\nMSA|AR|') as string,
    });
  });

  it('given an answer to another control id (MSA-2), when it is sent, then it counts as none', async () => {
    peer.will({ kind: 'answer', code: 'AA', controlId: 'OTHER' });
    await expect(runSend(['order.hl7', '--to', 'IM'], io())).rejects.toThrow(/another control id \(MSA-2\)/);
    expect(output).toEqual([]);
  });

  it('given a peer that the site file reaches by TLS, when it is sent, then it goes by TLS with our certificate', async () => {
    const key = Buffer.from(testKey);
    const cert = Buffer.from(testCertificate);
    await written('own.key', testKey);
    await written('own.pem', testCertificate);
    const got: string[] = [];
    const server = await startMllpServer({
      host: '127.0.0.1',
      port: 0,
      limits: { connections: 1, messageBytes: 1 << 20, idleMs: 10_000 },
      tls: { key, cert, ca: cert, requireClientCertificate: true },
      handle: (bytes) => {
        const text = Buffer.from(bytes).toString();
        got.push(text);
        return Promise.resolve(Buffer.from(`MSH|^~\\&|X\rMSA|AA|${field(text, 'MSH', 10)}\r`));
      },
    });
    const tls = { key: 'own.key', cert: 'own.pem', ca: 'own.pem' };
    const hl7 = { ...peer.entry.hl7, port: server.port, tls };
    const file = join(folder, 'tls.yaml');
    await writeFile(file, JSON.stringify({ peers: [{ ...peer.entry, hl7 }] }));
    expect(await runSend(['order.hl7', '--to', 'IM', '--config', file], io())).toBe(0);
    expect(got).toEqual([message]);
    await server.stop();
  });

  it('given nobody listens, when it is sent, then it says so', async () => {
    await peer.down();
    await expect(runSend(['order.hl7', '--to', 'IM'], io())).rejects.toThrow(/could not connect to 127\.0\.0\.1/);
    await peer.up();
  });

  it('given what is not one HL7 message, when it is to be sent, then nothing is sent and it is said what is wrong', async () => {
    const before = peer.received.length;
    await written('two.hl7', message + message);
    await written('text.hl7', 'Dear colleague');
    await written('empty.hl7', '');
    const wrong = [
      ['two.hl7', 'two.hl7 holds 2 messages'],
      ['text.hl7', 'does not begin with MSH'],
      ['empty.hl7', 'does not begin with MSH'],
      ['missing.hl7', 'missing.hl7 cannot be read'],
    ] as const;
    for (const [file, sentence] of wrong) {
      const sent = runSend([file, '--to', 'IM'], io());
      await expect(sent).rejects.toThrow(UsageError);
      await expect(sent).rejects.toThrow(sentence);
    }
    expect(peer.received.length).toBe(before);
  });

  it('given a command line that says too little or too much, then it is a usage error that says what is missing', async () => {
    const wrong = [
      [[], 'which file'],
      [['order.hl7'], '--to PEER'],
      [['order.hl7', '--to', 'IM', '--dry-run'], '--dry-run'],
      [['order.hl7', '--to', 'PACS'], 'no peer "PACS" that takes HL7; it has IM'],
      [['order.hl7', 'order.hl7', '--to', 'IM'], 'one argument too many'],
    ] as const;
    for (const [args, sentence] of wrong) {
      const sent = runSend(args, io());
      await expect(sent).rejects.toThrow(UsageError);
      await expect(sent).rejects.toThrow(sentence);
    }
  });
});

/** What the running server is asked, and what it answers. */
interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

describe('commands that ask the running server', () => {
  let server: Server;
  let asked: Asked[];
  let answers: { status: number; body: object }[];
  beforeEach(async () => {
    [asked, answers] = [[], []];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { url = '', method = '', headers } = request;
        asked.push({ url, method, headers, body: Buffer.concat(chunks) });
        const { status, body } = answers.shift() ?? { status: 500, body: {} };
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });
  const running = (more: Record<string, string> = {}): Io =>
    io({ SWF_HTTP_PORT: String((server.address() as AddressInfo).port), ...more });

  const run = {
    answer: 'MSH|^~\\&|SWF_OF\nMSA|AA|T1',
    answerCode: 'AA',
    transaction: 'RAD-2',
    rules: ['the catalogue has WRIST'],
    procedures: [
      {
        requestedProcedureId: 'RP000001',
        accessionNumber: 'A000001',
        studyInstanceUid: '2.25.1',
        orderStatus: 'SC',
        state: 'scheduled',
        steps: [
          {
            scheduledProcedureStepId: 'S1',
            stepStatus: 'SCHEDULED',
            modality: 'DX',
            scheduledStationAeTitles: ['DX1', 'DX2'],
            start: '2026-01-05T14:00:00',
          },
        ],
      },
    ],
    history: [{ requestedProcedureId: 'RP000001', event: 'schedule', from: 'planned', to: 'scheduled', remark: null }],
    messages: [{ destination: 'IM', transaction: 'RAD-4', messageType: 'ORM^O01', text: 'MSH|^~\\&|SWF_OF\rORC|NW' }],
  };

  it('given --dry-run, when a file is tried out, then its bytes go to the server as text and a report is printed', async () => {
    answers.push({ status: 200, body: run });
    const before = peer.received.length;
    expect(await runSend(['order.hl7', '--dry-run'], running({ SWF_API_TOKEN: 'correct-horse' }))).toBe(0);
    expect(asked).toMatchObject([{ url: '/api/dry-run', method: 'POST', headers: { 'content-type': 'text/plain' } }]);
    expect(asked[0]?.headers.authorization).toBe('Bearer correct-horse');
    expect(asked[0]?.body.toString()).toBe(message);
    expect(output.join('\n').split('\n')).toEqual([
      'answer AA  RAD-2',
      '  MSH|^~\\&|SWF_OF',
      '  MSA|AA|T1',
      '',
      'rules',
      '  the catalogue has WRIST',
      '',
      'procedures',
      '  RP000001  accession A000001  scheduled  study 2.25.1',
      '    S1  SCHEDULED  DX  DX1,DX2  2026-01-05T14:00:00',
      '',
      'history',
      '  RP000001  schedule  planned to scheduled',
      '',
      'messages that would go out',
      '  IM  RAD-4  ORM^O01',
      '    MSH|^~\\&|SWF_OF',
      '    ORC|NW',
      '',
      'Nothing of this was stored or sent.',
    ]);
    expect(peer.received.length).toBe(before);
  });

  it('given --json, when a file is tried out, then it is the document', async () => {
    answers.push({ status: 200, body: run });
    expect(await runSend(['order.hl7', '--dry-run', '--json'], running())).toBe(0);
    expect(JSON.parse(output.join('\n'))).toEqual(run);
  });

  it('given a message that would be refused, when it is tried out, then the exit status is 1 and empty parts say so', async () => {
    const { transaction: _transaction, ...rest } = run;
    answers.push({
      status: 200,
      body: { ...rest, answerCode: 'AR', procedures: [], history: [], messages: [], rules: [] },
    });
    expect(await runSend(['order.hl7', '--dry-run'], running())).toBe(1);
    expect(output.join('\n')).toContain('answer AR  no transaction\n');
    expect(output.join('\n')).toContain('messages that would go out\n  none\n');
  });

  it('given ids, when they are replayed, then each is asked for in turn and its new id and answer are printed', async () => {
    answers.push({ status: 202, body: { messageId: 71, answerCode: 'AA' } });
    answers.push({ status: 202, body: { messageId: 72, answerCode: '0000' } });
    expect(await runReplay(['12', '13'], running())).toBe(0);
    expect(asked.map(({ method, url, body }) => [method, url, body.length])).toEqual([
      ['POST', '/api/messages/12/replay', 0],
      ['POST', '/api/messages/13/replay', 0],
    ]);
    expect(output).toEqual(['12  AA  message 71', '13  0000  message 72']);
  });

  it('given one of several is refused or unknown, when they are replayed, then the others are as well and the exit status is 1', async () => {
    answers.push({ status: 404, body: { detail: 'the journal has no message with this id' } });
    answers.push({ status: 202, body: { messageId: 73, answerCode: 'AE' } });
    answers.push({ status: 202, body: { messageId: 74, answerCode: 'AA' } });
    expect(await runReplay(['1', '2', '3', '--json'], running())).toBe(1);
    expect(errors).toEqual(['1: the journal has no message with this id']);
    expect(output.map((line) => JSON.parse(line) as unknown)).toEqual([
      { id: 2, messageId: 73, answerCode: 'AE' },
      { id: 3, messageId: 74, answerCode: 'AA' },
    ]);
  });

  it('given the server asks for a token, answers nonsense or does not run, then it is said what to do', async () => {
    answers.push({ status: 401, body: { detail: 'send the token' } });
    await expect(runSend(['order.hl7', '--dry-run'], running())).rejects.toThrow(/set SWF_API_TOKEN/);
    answers.push({ status: 200, body: { answer: 1 } });
    await expect(runSend(['order.hl7', '--dry-run'], running())).rejects.toThrow(/of the same version/);
    answers.push({ status: 503, body: { detail: 'the database does not answer' } });
    await expect(runSend(['order.hl7', '--dry-run'], running())).rejects.toThrow(/the database does not answer/);
    const silent = running();
    server.close();
    server.closeAllConnections();
    const sent = runReplay(['1', '2'], silent);
    await expect(sent).rejects.toThrow(SwfError);
    await expect(sent).rejects.toThrow(/ECONNREFUSED. Is the server running\?/);
  });

  it('given ids that are none, or a port that is not known, then it is a usage error', async () => {
    for (const args of [[], ['abc'], ['0'], ['1', '-1'], ['12345678901']]) {
      await expect(runReplay(args, running())).rejects.toThrow(UsageError);
    }
    await expect(runReplay(['1'], io())).rejects.toThrow(/SWF_HTTP_PORT/);
    expect(asked).toEqual([]);
  });
});

describe('a real server that is asked', () => {
  it('given a new order, when it is tried out, then the report has what it would do; when it was sent, then it can be replayed', async () => {
    const server = await startTestServer({ peers: [peer.entry] });
    try {
      const running = io({ SWF_HTTP_PORT: String(server.ports.http) });
      expect(await runSend(['order.hl7', '--dry-run'], running)).toBe(0);
      const report = output.join('\n');
      for (const part of [
        /^answer AA {2}RAD-2\n/,
        /\n {2}RP\d+ .* scheduled /,
        /\n {2}IM {2}RAD-4 {2}ORM\^O01\n {4}MSH\|/,
      ]) {
        expect(report).toMatch(part);
      }
      expect(report).toContain('Müller^Maja');
      expect(await server.store.prisma.message.count()).toBe(0);
      const sender = await connectSender(server.ports.hl7);
      expect((await sender.send(message)).code).toBe('AA');
      sender.end();
      const { id } = await server.store.prisma.message.findFirstOrThrow({ where: { direction: 'IN' } });
      output = [];
      await runReplay([String(id)], running);
      expect(output).toEqual([expect.stringMatching(new RegExp(`^${id}  A[AER]  message \\d+$`))]);
      expect(await runReplay(['2147483647'], running)).toBe(1);
      expect(errors).toEqual(['2147483647: the journal has no message with this id']);
      expect(await server.store.prisma.order.count()).toBe(1);
    } finally {
      await server.stop();
    }
  });
});

describe('the command line as a process', () => {
  it('given a message on standard input, when it is sent, then the peer has it and the exit status is that of the answer', async () => {
    peer.will({ kind: 'answer', code: 'AE', error: '101' });
    const before = peer.received.length;
    const args = ['--import', 'tsx', 'src/cli.ts', 'send', '-', '--to', 'IM', '--config', site];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.end(message.replaceAll('\r', '\n'));
    const [status] = (await once(child, 'close')) as [number];
    expect(status).toBe(1);
    expect(peer.received.slice(before).map(({ raw }) => raw)).toEqual([message]);
  });

  it('given a peer that the site has not, when it is asked, then the exit status is 2 and standard output is empty', async () => {
    const one = startSwf(['send', join(folder, 'order.hl7'), '--to', 'NOBODY', '--config', site], {});
    expect(await one.ended).toBe(2);
    expect(one.output).toEqual([]);
    expect(one.errors.join('\n')).toContain('no peer "NOBODY"');
  });
});
