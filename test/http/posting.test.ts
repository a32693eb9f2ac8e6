import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hl7Message } from '../../src/http/bodies.ts';
import { describeRoutes } from '../../src/http/describe-routes.ts';
import { docsPage } from '../../src/http/docs-page.ts';
import { route } from '../../src/http/route.ts';
import { silentLog } from '../../src/platform/log.ts';
import { type TestDepartment, type Web, appDeps, listen, startDepartment } from './support.ts';

const echo = z.looseObject({});
const said = z.strictObject({
  station: z.string().max(16),
  steps: z.array(z.strictObject({ id: z.string() })).optional(),
});

/** Routes that answer what they were told. */
const table = [
  route({
    path: '/api/things',
    summary: 'Things.',
    response: { name: 'Echo', schema: echo },
    answer: async () => ({ json: {} }),
  }),
  route({
    method: 'post',
    path: '/api/things',
    summary: 'A new thing.',
    body: { name: 'NewThing', schema: said },
    reason: true,
    status: 201,
    response: { name: 'Echo', schema: echo },
    answer: async (_deps, { body, actor }) => ({ json: { ...body, ...actor }, location: '/api/things/1' }),
  }),
  route({
    method: 'post',
    path: '/api/things/{id}/touch',
    summary: 'Touches a thing.',
    params: z.strictObject({ id: z.string() }),
    body: { name: 'Nothing', schema: z.strictObject({}) },
    response: { name: 'Echo', schema: echo },
    answer: async (_deps, { params, actor }) => ({ json: { ...params, reason: actor.reason ?? null } }),
  }),
  route({
    method: 'post',
    path: '/api/try',
    summary: 'Takes a message.',
    body: { name: 'Hl7Message', schema: hl7Message, ofText: (message) => ({ message }) },
    response: { name: 'Echo', schema: echo },
    answer: async (_deps, { body }) => ({ json: { hex: Buffer.from(body.message).toString('hex') } }),
  }),
];

let house: TestDepartment;
let web: Web;
let guarded: Web;
beforeAll(async () => {
  house = await startDepartment();
  const department = { ...house.department, log: silentLog };
  web = await listen(appDeps(house.department), table);
  guarded = await listen(appDeps(department, { token: 'correct-horse' }), table);
});
afterAll(async () => {
  await web.stop();
  await guarded.stop();
  await house.stop();
});

const json = { 'Content-Type': 'application/json' };

describe('the body of a POST', () => {
  it('given JSON of the schema, when it is posted, then the route has it and answers with its own status and Location', async () => {
    const got = await web.post('/api/things', { station: 'CT1' });
    expect(got).toMatchObject({ status: 201, body: { station: 'CT1', name: 'department' } });
    expect(got.headers.get('location')).toBe('/api/things/1');
  });

  it('given a member that nobody knows, when it is posted, then it is 400, names it and does not quote its value', async () => {
    const wrong = [
      [{ station: 'CT1', statoin: 'SECRET' }, "'statoin'"],
      [{ station: 'CT1', steps: [{ id: 'S1', sort: 'SECRET' }] }, "'steps.0.sort'"],
      [{ station: 'CT1', ['__proto__x']: 'SECRET' }, "'__proto__x'"],
    ] as const;
    for (const [body, name] of wrong) {
      const got = await web.post('/api/things', body);
      expect(got).toMatchObject({ status: 400, body: { type: 'unknown-parameter' } });
      expect(got.text).toContain(`unknown member of the body ${name}: this route knows station, steps`);
      expect(got.text).not.toContain('SECRET');
    }
  });

  it('given values of the wrong kind, when they are posted, then it is 400 with every place at once', async () => {
    const got = await web.post('/api/things', { station: 'SECRET-SECRET-SECRET', steps: [{}] });
    expect(got).toMatchObject({ status: 400, body: { type: 'data-type' } });
    const { detail } = got.body as { detail: string };
    expect(detail).toMatch(/^wrong body: station: .*; steps\.0\.id: /);
    expect(got.text).not.toContain('SECRET');
    expect((await web.post('/api/things', ['CT1'])).body).toMatchObject({
      detail: expect.stringMatching(/^wrong body: body: /) as string,
    });
    expect((await web.post('/api/things')).body).toMatchObject({
      detail: expect.stringMatching(/^wrong body: station: /) as string,
    });
  });

  it('given what is no JSON, when it is posted, then it is 400 and nothing of it is told', async () => {
    for (const body of ['{"station": SECRET', '"CT1"', 'null', '{"station":"CT1"}SECRET']) {
      const got = await web.request('POST', '/api/things', { headers: json, body });
      expect(got, body).toMatchObject({ status: 400, body: { type: 'malformed-json', status: 400 } });
      expect(got.text).not.toContain('SECRET');
    }
    expect(JSON.stringify(house.lines)).not.toContain('SECRET');
  });

  it('given another content type, as a form of a page sends it, when it is posted, then it is 415 and says which it takes', async () => {
    const types = [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain',
      'application/xml',
      '',
    ];
    for (const type of types) {
      const got = await web.request('POST', '/api/things', {
        headers: { 'Content-Type': type },
        body: '{"station":"CT1"}',
      });
      expect(got, type).toMatchObject({ status: 415, body: { type: 'unsupported-media-type', status: 415 } });
      expect(got.text).toContain('Content-Type: application/json');
    }
    const packed = { ...json, 'Content-Encoding': 'gzip' };
    expect((await web.request('POST', '/api/things', { headers: packed, body: '{}' })).status).toBe(415);
  });

  it('given a body that is too large, when it is posted, then it is 413', async () => {
    const got = await web.post('/api/things', { station: 'x'.repeat(70_000) });
    expect(got).toMatchObject({ status: 413, body: { type: 'too-large', status: 413 } });
  });

  it('given a route that needs no body, when none is posted, then it is answered; one with a member is refused', async () => {
    expect(await web.post('/api/things/T1/touch')).toMatchObject({ status: 200, body: { id: 'T1' } });
    expect(await web.post('/api/things/T1/touch', {})).toMatchObject({ status: 200 });
    expect(await web.post('/api/things/T1/touch', { step: 'S1' })).toMatchObject({ status: 400 });
  });

  it('given a connection that ends within the body, when the next request comes, then the server answers it', async () => {
    const socket = connect(web.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'POST /api/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"st',
    );
    socket.destroy();
    expect((await web.get('/api/things')).status).toBe(200);
  });
});

describe('an HL7 message in a body', () => {
  const message = 'MSH|^~\\&|HIS|||||||1|P|2.3.1||||||8859/1\rPID|||1||Müller\r';
  const hexOf = (bytes: Uint8Array): object => ({ hex: Buffer.from(bytes).toString('hex') });

  it('given text/plain, when it is posted, then the route has its bytes as they were sent', async () => {
    const bytes = Buffer.from(message, 'latin1');
    const got = await web.request('POST', '/api/try', { headers: { 'Content-Type': 'text/plain' }, body: bytes });
    expect(got).toMatchObject({ status: 200, body: hexOf(bytes) });
  });

  it('given JSON, when it is posted, then its bytes are of the set that MSH-18 names, else UTF-8', async () => {
    expect((await web.post('/api/try', { message })).body).toEqual(hexOf(Buffer.from(message, 'latin1')));
    const plain = message.replace('8859/1', '');
    expect((await web.post('/api/try', { message: plain })).body).toEqual(hexOf(Buffer.from(plain, 'utf8')));
    const beyond = message.replace('Müller', '山田');
    expect((await web.post('/api/try', { message: beyond })).body).toEqual(hexOf(Buffer.from(beyond, 'utf8')));
  });

  it('given a message above the limit of JSON bodies, when it is posted as text, then it is taken up to limits.hl7.messageBytes', async () => {
    const { messageBytes } = house.department.config.limits.hl7;
    const headers = { 'Content-Type': 'text/plain' };
    expect((await web.request('POST', '/api/try', { headers, body: 'x'.repeat(100_000) })).status).toBe(200);
    const got = await web.request('POST', '/api/try', { headers, body: Buffer.alloc(messageBytes + 1, 'x') });
    expect(got).toMatchObject({ status: 413, body: { type: 'too-large' } });
  });
});

describe('X-Reason', () => {
  const reasonOf = async (value: string): Promise<unknown> => {
    const got = await web.post('/api/things', { station: 'CT1' }, { 'X-Reason': value });
    return got.status === 201 ? (got.body as { reason?: string }).reason : got;
  };

  it('given a reason, when something is posted, then the route has it, whether it was sent in UTF-8 or Latin-1', async () => {
    expect(await reasonOf('doubled order')).toBe('doubled order');
    expect(await reasonOf(Buffer.from('Gerät für 山田', 'utf8').toString('latin1'))).toBe('Gerät für 山田');
    expect(await reasonOf('Gerät')).toBe('Gerät');
    expect(await reasonOf('')).toBeUndefined();
    expect(await reasonOf('x'.repeat(250))).toHaveLength(250);
  });

  it('given one that is too long or holds control characters, when something is posted, then it is 400 and not quoted', async () => {
    for (const value of ['SECRET'.repeat(50), 'SECRET\tTAB', 'SECRET\u0085']) {
      const got = await reasonOf(value);
      expect(got).toMatchObject({ status: 400, body: { type: 'data-type' } });
      expect((got as { text: string }).text).toContain('wrong header: X-Reason: ');
      expect((got as { text: string }).text).not.toContain('SECRET');
    }
  });

  it('given a reason, when the request is logged, then the line does not have it', async () => {
    await reasonOf('SECRET of a patient');
    expect(house.lines.some(({ path, status }) => path === '/api/things' && status === 201)).toBe(true);
    expect(JSON.stringify(house.lines)).not.toContain('SECRET');
  });

  it('given a route that keeps none, when one is sent, then it is left alone', async () => {
    const got = await web.post('/api/things/T1/touch', {}, { 'X-Reason': 'why not' });
    expect(got).toMatchObject({ status: 200, body: { reason: null } });
  });
});

describe('who may post', () => {
  const body = JSON.stringify({ station: 'CT1' });
  const from = (one: Web, headers: Record<string, string>) =>
    one.request('POST', '/api/things', { headers: { ...json, ...headers }, body });

  it('given a page of another origin, when it posts, then it is 403, with a body or without (RFC 6454)', async () => {
    for (const origin of [
      'https://evil.example',
      'null',
      'http://127.0.0.1:1',
      `http://localhost:${web.port}`,
      'file://',
    ]) {
      expect(await from(web, { Origin: origin }), origin).toMatchObject({
        status: 403,
        body: { type: 'foreign-origin', status: 403 },
      });
    }
    const got = await web.post('/api/things/T1/touch', undefined, { Origin: 'https://evil.example' });
    expect(got.status).toBe(403);
  });

  it('given our own origin or none, when something is posted, then it is taken', async () => {
    expect((await from(web, { Origin: `http://127.0.0.1:${web.port}` })).status).toBe(201);
    expect((await from(web, {})).status).toBe(201);
  });

  /** fetch sets Host itself: only a request of its own can bear the name that somebody gave this machine. */
  async function statusAs(one: Web, host: string, more: string): Promise<string> {
    const socket = connect(one.port, '127.0.0.1');
    const head = `POST /api/things HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nConnection: close\r\n${more}`;
    socket.write(`${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString().slice(9, 12);
  }

  it('given a name that its owner points at this machine, when a page of it posts, then only the token lets it in', async () => {
    expect(await statusAs(web, `evil.example:${web.port}`, '')).toBe('403');
    expect(await statusAs(web, `localhost:${web.port}`, '')).toBe('201');
    const token = 'Authorization: Bearer correct-horse\r\n';
    expect(await statusAs(guarded, 'ris.example', token)).toBe('201');
    expect(await statusAs(guarded, 'ris.example', '')).toBe('401');
  });

  it('given a token is set, when something is posted without it, then it is 401 before anything is read', async () => {
    expect((await from(guarded, {})).status).toBe(401);
    expect((await guarded.request('PUT', '/api/things')).status).toBe(401);
    expect((await from(guarded, { Authorization: 'Bearer correct-horse' })).status).toBe(201);
  });

  it('given a path that is only posted to, when it is asked by GET, then it is 405 with Allow', async () => {
    const got = await web.get('/api/try');
    expect(got).toMatchObject({ status: 405, body: { type: 'method-not-allowed' } });
    expect(got.headers.get('allow')).toBe('POST');
    expect((await web.request('PUT', '/api/things')).headers.get('allow')).toBe('GET, HEAD, POST');
  });
});

describe('the interface described', () => {
  it('given routes that are posted to, when it is described, then their bodies, header, status and problems are there', () => {
    const document = describeRoutes(table, '1.0.0');
    expect(document).toMatchObject({
      paths: {
        '/api/things': {
          get: { operationId: 'getThings' },
          post: {
            operationId: 'postThings',
            parameters: [{ name: 'X-Reason', in: 'header', required: false, schema: { type: 'string' } }],
            requestBody: {
              required: true,
              content: { 'application/json': { schema: { $ref: '#/components/schemas/NewThing' } } },
            },
            responses: { 201: { description: 'Created' }, 403: {}, 413: {}, 415: {} },
          },
        },
        '/api/things/{id}/touch': { post: { requestBody: { required: false } } },
        '/api/try': { post: { requestBody: { content: { 'text/plain': { schema: { type: 'string' } } } } } },
      },
      components: { schemas: { NewThing: { properties: { station: { type: 'string' } }, required: ['station'] } } },
    });
  });

  it('given routes that are posted to, when the page is made, then it says what they take', () => {
    const page = docsPage(table, '1.0.0');
    expect(page).toContain('<code>POST /api/things</code>');
    expect(page).toContain('<code>X-Reason</code>');
    expect(page).toContain('Takes: <a href="#Hl7Message">Hl7Message</a> as application/json or text/plain');
    expect(page).toContain('<h2 id="NewThing">NewThing</h2>');
  });
});
