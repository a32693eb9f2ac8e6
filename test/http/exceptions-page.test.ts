import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orm } from '../support/messages.ts';
import { type TestDepartment, startDepartment } from './support.ts';

let house: TestDepartment;
beforeAll(async () => {
  house = await startDepartment();
});
afterAll(() => house.stop());

interface Entry {
  readonly id: string;
  readonly requestedProcedureId: string;
  readonly nextSteps: readonly { readonly path: string }[];
}

const plain = (text: string): string => text.replaceAll('&#39;', "'").replaceAll('&quot;', '"');

describe('GET /exceptions', () => {
  it('given nothing is wrong, then the page says so', async () => {
    expect((await house.get('/exceptions')).text).toContain('Nobody has to look at anything');
  });

  it('given two cases on two pages, then each has its commands, and what is in the data is only text', async () => {
    for (const number of ['<b>1', '<b>2']) {
      house.clock.advance(1_000);
      await house.hl7(orm([{ placerOrderNumber: `${number}^HIS`, service: 'UNHEARD^^TESTPLAN' }]));
    }
    const [newer, older] = ((await house.get('/api/exceptions')).body as { items: Entry[] }).items;
    const { text, headers } = await house.get('/exceptions?limit=1');
    expect(headers.get('content-type')).toContain('text/html');
    expect(text).not.toMatch(/<script|<b>/);
    expect(text).toContain(`id="${newer?.id}"`);
    expect(text).not.toContain(`id="${older?.id}"`);
    expect(newer?.nextSteps.length).toBeGreaterThan(1);
    for (const { path } of newer?.nextSteps ?? []) expect(plain(text)).toContain(path);
    const [, next = ''] = /<a href="([^"]+)">Older ones/.exec(text) ?? [];
    expect((await house.get(next.replaceAll('&amp;', '&'))).text).toContain(`id="${older?.id}"`);
    const one = (await house.get(`/exceptions?requestedProcedureId=${older?.requestedProcedureId}`)).text;
    expect(one).toContain(`id="${older?.id}"`);
    expect(one).not.toContain(`id="${newer?.id}"`);
  });
});
