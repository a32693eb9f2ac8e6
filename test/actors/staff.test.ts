import { once } from 'node:events';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestStage, startTestStage } from './playing.ts';

interface Asked {
  readonly line: string;
  readonly reason: string | undefined;
  readonly token: string | undefined;
  readonly body: unknown;
}

const asked: Asked[] = [];
let http: Server;
let url: string;
let stage: TestStage;

async function answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
  const body = (await request.toArray()).join('');
  const { method, headers } = request;
  const reason = Buffer.from(String(headers['x-reason']), 'latin1').toString('utf8');
  asked.push({
    line: `${method} ${request.url}`,
    reason,
    token: headers.authorization,
    body: body === '' ? undefined : (JSON.parse(body) as unknown),
  });
  if (request.url?.endsWith('/cancel')) return { status: 409, body: { title: 'Too late', detail: 'it has begun' } };
  return { status: 200, body: { state: 'held', steps: [{ stepStatus: 'SCHEDULED' }], instances: { named: 2 } } };
}

beforeAll(async () => {
  http = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' });
      response.end(JSON.stringify(body));
    });
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(() => http.close());
beforeEach(async () => {
  asked.length = 0;
  stage = await startTestStage();
});
afterEach(() => stage.end());

const hold = `  - step: The department holds the procedure
    do:
      say: Hold the procedure of \${patientId} – Größe unklar
      post: /api/procedures/\${patientId}/hold
      body: { minutes: 30, steps: ['\${patientId}'] }
      expect: { state: held, 'steps[0].stepStatus': SCHEDULED, instances.named: '2' }
      capture: { orderState: state }
  - step: Somebody looks
    do: { say: Look, get: '/api/procedures/\${orderState}', status: 200 }
`;

describe('what a person does at the Order Filler', () => {
  it('is an HTTP request to ours, with the sentence as its reason; what it says is checked, captured and kept', async () => {
    const { passed, results } = await stage.play([stage.write(hold)], {
      ofHttp: `${url}/`,
      environment: { SWF_API_TOKEN: 'let-me-in-please' },
    });

    expect(stage.lines.filter((line) => line.includes('✗'))).toEqual([]);
    expect(passed).toBe(1);
    const [{ run = '' } = {}] = results;
    expect(asked).toEqual([
      {
        line: `POST /api/procedures/P${run}/hold`,
        reason: `Hold the procedure of P${run} – Größe unklar`,
        token: 'Bearer let-me-in-please',
        body: { minutes: 30, steps: [`P${run}`] },
      },
      { line: 'GET /api/procedures/held', reason: 'Look', token: 'Bearer let-me-in-please', body: undefined },
    ]);
    expect(JSON.parse(stage.kept(run, '01-staff-answer.json'))).toMatchObject({ status: 200, body: { state: 'held' } });
    expect(stage.kept(run, 'exchanges.txt')).toMatch(/staff → OF {2}.*POST {6}200 after/);
  });

  it('fails with the reason of the Order Filler where another status was expected, and passes where that one was', async () => {
    const cancel = (status: string): string =>
      `  - { step: Cancel, do: { say: Cancel it, post: /api/procedures/x/cancel${status} } }\n`;

    const { failed } = await stage.play([stage.write(cancel(''))], { ofHttp: url });
    const refused = await stage.play([stage.write(cancel(', status: 409'))], { ofHttp: url });

    expect(failed).toBe(1);
    expect(stage.lines).toContain('        status   expected 200 to 299   received 409');
    expect(stage.lines).toContain('        the answer says: it has begun');
    expect(refused.passed).toBe(1);
  });

  it('says where nothing listens', async () => {
    await stage.play([stage.write(hold)], { ofHttp: 'http://127.0.0.1:1' });

    expect(stage.lines.join('\n')).toContain('no answer from http://127.0.0.1:1: connection');
  });
});

describe("what a person does at somebody else's Order Filler", () => {
  it('is put to the tester with what to look at; a captured value is asked for', async () => {
    const questions: string[] = [];
    const tester = async (text: string): Promise<string> => {
      questions.push(text);
      return text.includes('What is state') ? 'on hold' : '';
    };

    const { passed, results } = await stage.play([stage.write(hold)], { tester });

    expect(passed).toBe(1);
    expect(asked).toEqual([]);
    expect(questions).toHaveLength(3);
    expect(questions[0]).toContain(`At the Order Filler: Hold the procedure of P${results[0]?.run}`);
    expect(questions[0]).toContain('Look at state: expected held.');
  });

  it('fails when the tester says so', async () => {
    const { failed } = await stage.play([stage.write(hold)], { tester: async () => 'n' });

    expect(failed).toBe(1);
    expect(stage.lines).toContain('        the tester says that it is not so');
  });

  it('is skipped with what follows when nobody is at a terminal: neither passed nor failed', async () => {
    const { passed, failed, skipped } = await stage.play([stage.write(hold)], { report: 'junit.xml' });

    expect([passed, failed, skipped]).toEqual([0, 0, 1]);
    expect(stage.lines.join('\n')).toContain('skipped: a person has to do this at the Order Filler');
    expect(stage.lines.slice(-2)).toEqual(['  -  2 not played', '1 scenario, 0 passed, 0 failed, 1 skipped']);
  });
});
