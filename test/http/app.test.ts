import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/http/openapi.ts';
import { routes } from '../../src/http/routes.ts';
import { silentLog } from '../../src/platform/log.ts';
import { openStore } from '../../src/store/prisma.ts';
import { adt } from '../support/messages.ts';
import { until } from '../support/until.ts';
import { type TestDepartment, type Web, appDeps, listen, startDepartment } from './support.ts';

let house: TestDepartment;
beforeAll(async () => {
  house = await startDepartment();
});
afterAll(() => house.stop());

const others: Web[] = [];
async function another(change: Parameters<typeof appDeps>[1]): Promise<Web> {
  const web = await listen(appDeps(house.department, change));
  others.push(web);
  return web;
}
afterEach(async () => {
  for (const web of others.splice(0)) await web.stop();
});

describe('health', () => {
  it('given a running process, when /livez is asked, then it is 200', async () => {
    expect(await house.get('/livez')).toMatchObject({ status: 200, body: { live: true } });
  });

  it('given every check passes, when /readyz is asked, then it is 200, and the verbose form has checks and ports', async () => {
    expect(await house.get('/readyz')).toMatchObject({ status: 200, body: { ready: true } });
    expect((await house.get('/readyz?verbose')).body).toEqual({
      ready: true,
      checks: [{ name: 'database', ok: true }],
      ports: { hl7: 1, dicom: 2, http: 3 },
    });
  });

  it('given one check fails, when /readyz is asked, then it is 503 and says which', async () => {
    const checks = [
      { name: 'database', ok: false, detail: 'it does not answer' },
      { name: 'migrations', ok: true },
    ];
    const web = await another({ readiness: async () => checks });
    expect(await web.get('/readyz')).toMatchObject({ status: 503, body: { ready: false } });
    expect((await web.get('/readyz?verbose=true')).body).toMatchObject({ ready: false, checks });
    expect((await web.get('/livez')).status).toBe(200);
  });

  it('given checks that cannot be made, when /readyz is asked, then it is not ready', async () => {
    const web = await another({ readiness: () => Promise.reject(new Error('broken')) });
    expect(await web.get('/readyz?verbose')).toMatchObject({ status: 503, body: { ready: false } });
  });
});

describe('the token (RFC 6750)', () => {
  const token = 'correct-horse';

  it('given a token is set, when a request brings none or a wrong one, then it is 401 and asks for Bearer', async () => {
    const web = await another({ token });
    for (const headers of [{}, { Authorization: 'Bearer wrong-horse-x' }, { Authorization: `Basic ${token}` }]) {
      for (const path of ['/readyz', '/docs', '/openapi.json', '/api/orders', '/api/patients/P1', '/nowhere']) {
        const got = await web.get(path, headers);
        expect(got).toMatchObject({ status: 401, body: { type: 'unauthorized', status: 401 } });
        expect(got.headers.get('www-authenticate')).toMatch(/^Bearer /);
      }
    }
  });

  it('given a token is set, when it is brought, then the request is answered; /livez never needs it', async () => {
    const web = await another({ token });
    expect((await web.get('/api/orders', { Authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await web.get('/api/orders', { Authorization: `bearer ${token}` })).status).toBe(200);
    expect((await web.get('/livez')).status).toBe(200);
    expect((await web.get('/LIVEZ')).status).toBe(401);
  });
});

describe('every answer', () => {
  it('given any route, when it answers, then nobody may sniff or keep it, and it does not name its server', async () => {
    for (const path of ['/livez', '/docs', '/api/orders', '/nowhere']) {
      const { headers } = await house.get(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  it('given a request with a patient identifier, when it is logged, then the line has the pattern of the route only', async () => {
    await house.get('/api/patients/SECRET77?assigningAuthority=SECRET78');
    const line = await until('the line', () => house.lines.find(({ path }) => path === '/api/patients/{id}'));
    expect(line).toMatchObject({ text: 'http request', status: 404, durationMs: 0 });
    expect(JSON.stringify(house.lines)).not.toContain('SECRET');
  });
});

describe('problems (RFC 9457)', () => {
  it('given no such route, when it is asked, then it is 404 problem+json', async () => {
    const asked: [string, string][] = [
      ['GET', '/api/nowhere'],
      ['GET', '/metrics'],
      ['POST', '/api/procedures/RP000001/nothing'],
    ];
    for (const [method, path] of asked) {
      const got = await house.request(method, path);
      expect(got).toMatchObject({ status: 404, body: { type: 'unknown-route', title: 'Not Found', status: 404 } });
      expect(got.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
  });

  it('given a path that takes other methods, when it is asked, then it is 405 and says which (RFC 9110 15.5.6)', async () => {
    const asked: [string, string, string][] = [
      ['DELETE', '/api/orders/O1', 'GET, HEAD'],
      ['POST', '/api/worklist', 'GET, HEAD'],
      ['PUT', '/livez', 'GET, HEAD'],
      ['OPTIONS', '/api/messages', 'GET, HEAD'],
    ];
    for (const [method, path, allow] of asked) {
      const got = await house.request(method, path);
      expect(got).toMatchObject({ status: 405, body: { type: 'method-not-allowed', status: 405 } });
      expect(got.headers.get('allow')).toBe(allow);
    }
  });

  it('given an unknown query parameter, when any route is asked, then it is 400 and names it and the known ones', async () => {
    for (const { method, path } of routes) {
      const got = await house.request(method.toUpperCase(), `${path.replace(/\{\w+\}/, '1')}?pateintId=SECRET1`);
      expect(got, path).toMatchObject({ status: 400, body: { type: 'unknown-parameter', status: 400 } });
      expect(got.text).toContain("'pateintId'");
      expect(got.text).not.toContain('SECRET1');
    }
    const { body } = (await house.get('/api/procedures?pateintId=1')) as { body: { detail: string } };
    expect(body.detail).toContain('placerOrderNumber, accessionNumber, patientId, state, date, limit, after');
  });

  it('given a bad value, when a list is asked, then it is 400, names the parameter and does not quote the value', async () => {
    const wrong = [
      'limit=0',
      'limit=501',
      'limit=many',
      'limit=1&limit=2',
      'after=-1',
      'after=99999999999',
      'state=done77',
      'date=20260231',
      'date=tomorrow77',
      'date=20260101-20261399',
      'date=-',
      'patientId=%00',
    ];
    for (const query of wrong) {
      const got = await house.get(`/api/procedures?${query}`);
      expect(got, query).toMatchObject({ status: 400, body: { type: 'data-type' } });
      expect((got.body as { detail: string }).detail).toContain(`wrong query parameter: ${query.split('=')[0]}: `);
      expect(got.text).not.toContain('77');
    }
  });

  it('given a path that is not valid UTF-8, when it is asked, then it is 400', async () => {
    expect(await house.get('/api/orders/%E0%A4%A')).toMatchObject({ status: 400, body: { type: 'data-type' } });
    expect(await house.get('/api/messages/abc')).toMatchObject({ status: 400, body: { type: 'data-type' } });
    expect(await house.get('/api/messages/99999999999')).toMatchObject({ status: 400 });
  });

  it('given empty values, when a list is asked, then they ask for nothing', async () => {
    expect((await house.get('/api/procedures?patientId=&date=&state=&limit=&after=')).status).toBe(200);
    expect((await house.get('/api/worklist?scheduledStationAeTitle=&date=&modality=')).status).toBe(200);
    expect((await house.get('/api/messages?direction=&protocol=')).status).toBe(200);
  });

  it('given the database is down, when a list is asked, then it is 503', async () => {
    const store = openStore('postgresql://nobody@127.0.0.1:1/nothing', silentLog);
    const web = await another({ department: { ...house.department, store } });
    for (const path of [
      '/api/orders',
      '/api/procedures/RP1',
      '/api/messages/1',
      '/api/destinations',
      '/api/unscheduled',
    ]) {
      const got = await web.get(path);
      expect(got, path).toMatchObject({ status: 503, body: { type: 'database-unavailable', status: 503 } });
    }
    await store.close();
  });

  it('given something nobody foresaw, when a route is asked, then it is 500 and neither answer nor log tell the text', async () => {
    const clock = {
      now: () => {
        throw new Error('SECRET of a patient');
      },
    };
    const steady = { ...house.department.clock };
    let calls = 0;
    const once = { now: () => (++calls === 2 ? clock.now() : steady.now()) };
    const web = await another({ department: { ...house.department, clock: once } });
    const got = await web.get('/api/procedures?date=today');
    expect(got).toMatchObject({ status: 500, body: { type: 'internal', status: 500 } });
    expect(got.text).not.toContain('SECRET');
    expect(house.lines.some(({ text }) => text === 'a request could not be answered')).toBe(true);
    expect(JSON.stringify(house.lines)).not.toContain('SECRET');
  });
});

describe('the interface described', () => {
  it('given the table of routes, when /openapi.json is asked, then it has every route with parameters and problems', async () => {
    const { status, body } = await house.get('/openapi.json');
    expect(status).toBe(200);
    expect(body).toEqual(openApiDocument('9.8.7'));
    const { paths } = body as { paths: Record<string, object> };
    const described = Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((one) => `${one} ${path}`));
    expect(described.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
    expect(body).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'swf-orchestrator', version: '9.8.7' },
      paths: {
        '/livez': { get: { security: [] } },
        '/api/procedures/{id}': {
          get: {
            parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
            responses: {
              200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Procedure' } } } },
              409: { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
            },
          },
        },
      },
    });
  });

  it('given the document, when its references are followed, then each leads to a schema', () => {
    const text = JSON.stringify(openApiDocument('1.0.0'));
    const { components } = JSON.parse(text) as { components: { schemas: object } };
    const references = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]);
    expect(references.length).toBeGreaterThan(routes.length);
    for (const reference of references) expect(Object.keys(components.schemas)).toContain(reference);
  });

  it('given the table of routes, when /docs is asked, then it is a page without script that lists them all, escaped', async () => {
    const web = await another({ version: '<script>"&' });
    const { status, headers, text } = await web.get('/docs');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const { method, path } of routes) expect(text).toContain(`<code>${method.toUpperCase()} ${path}</code>`);
    for (const part of ['placerOrderNumber', 'scheduledStationAeTitles: string[]', 'default 100'])
      expect(text).toContain(part);
    expect(text).toContain('&lt;script&gt;&quot;&amp;');
    expect(text).not.toMatch(/<script|src=|https?:/);
  });
});

describe('GET /api/patients/{id}', () => {
  const registered = (value: string, authority: string, name: string): string =>
    adt('A04', { identifier: `${value}^^^${authority}`, name });

  it('given a registered patient, when asked by PID-3.1, then identifiers, name and visits are there', async () => {
    await house.hl7(adt('A04', { identifier: 'W1^^^CLINIC^MR', name: "O'Brien<b>^Maja", birthDate: '19790412' }));
    const { status, body } = await house.get('/api/patients/W1');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      identifiers: [{ value: 'W1', assigningAuthority: 'CLINIC', identifierType: 'MR' }],
      name: { family: "O'Brien<b>", given: 'Maja' },
      birthDate: '1979-04-12',
      sex: 'F',
      registeredAt: '2026-01-05T08:00:00.000Z',
      visits: [{ visitNumber: 'V1', patientClass: 'O', visitStatus: 'OPEN' }],
      orders: [],
    });
  });

  it('given one value of two assigning authorities, when asked, then it is 409 with their number until one is named', async () => {
    await house.hl7(registered('W2', 'NORTH', 'Olsen^Per'), registered('W2', 'SOUTH', 'Costa^Rui'));
    const got = await house.get('/api/patients/W2');
    expect(got).toMatchObject({ status: 409, body: { type: 'ambiguous-key', assigningAuthorities: 2 } });
    expect(got.text).toContain('?assigningAuthority=');
    expect((await house.get('/api/patients/W2?assigningAuthority=SOUTH')).body).toMatchObject({
      name: { family: 'Costa' },
    });
  });

  it('given nobody has the identifier, when asked, then it is 404', async () => {
    expect(await house.get('/api/patients/W3')).toMatchObject({ status: 404, body: { type: 'unknown-key' } });
    expect((await house.get('/api/patients/W2?assigningAuthority=EAST')).status).toBe(404);
  });
});
