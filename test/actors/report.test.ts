import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { markup } from '../../src/platform/markup.ts';
import type { Result } from '../../actors/play-scenarios.ts';
import { lifelinesOf, rowsOf } from '../../actors/report-rows.ts';
import { type TestStage, order, startTestStage } from './playing.ts';

const hostile = '<script>"&\'';

let stage: TestStage;
let result: Result;
let file: string;
let page: string;
beforeAll(async () => {
  stage = await startTestStage();
  await stage.startDouble({ modality: hostile, appointments: 1, announcements: 2 });
  const steps = `${order}  - { step: Told, transaction: RAD-4, to: IM, receive: ORM^O01, expect: { OBR-24: MR, ORC-5: SC } }
  - { step: 'Down & <b>out</b>', offline: IM }
  - { step: Up, online: IM }
  - { step: Never, to: OP, receive: ORM^O01, within: 1ms }
  - { step: Staff, do: { say: Look, get: /api/orders } }
  - { step: Last, quiet: 1ms }
`;
  result = await stage.play([stage.write(steps)], { html: 'report', keepGoing: true });
  file = join(stage.site.folder, 'report', 'index.html');
  page = readFileSync(file, 'utf8');
});
afterAll(() => stage.end());

describe('markup', () => {
  it('escapes what is put in, and replaces what no document may hold', () => {
    const { markup: text } = markup`<a title="${hostile}">${['<', '\u0000'].map((one) => markup`${one}`)}${7}</a>`;

    expect(text).toBe('<a title="&lt;script&gt;&quot;&amp;&#39;">&lt;\uFFFD7</a>');
  });
});

describe('the report for people', () => {
  it('has the verdict on every field: what was expected and what came, escaped', () => {
    const escaped = '&lt;script&gt;&quot;&amp;&#39;';

    const row = (mark: string, place: string, words: string, rest: string): RegExp => {
      const field = `<span class="mono">${place}<wbr></span> <span class="words">${words}</span>`;
      return new RegExp(`${mark}</td><td class="place">${field}</td><td class="mono">${rest}<`);
    };
    expect(page).toMatch(row('✗', 'OBR-24', 'modality', `MR</td>\\s*<td class="mono failed">${escaped}`));
    expect(page).toMatch(row('✓', 'ORC-5', 'order status', 'SC</td>\\s*<td class="mono ">SC'));
    expect(page).toContain('Down &amp; &lt;b&gt;out&lt;/b&gt;');
    expect(page).toContain('RAD-4, Procedure Scheduled: what was planned is told to the archive.');
    expect(page).toContain('Skipped: a person has to do this');
  });

  it('says first what failed and why, and what the names and codes mean that occur', () => {
    const first = page.slice(0, page.indexOf('<table'));

    expect(first).toMatch(/What failed[^]*OBR-24: expected MR, received &lt;script&gt;/);
    expect(page).toMatch(/<dt class="mono">AA<\/dt><dd>accepted/);
    expect(page).toMatch(/<dt class="mono">IM<\/dt><dd>Image Manager/);
    expect(page).not.toContain('<dt class="mono">RAD-12</dt>');
  });

  it('is one file: no script, nothing from elsewhere', () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\son\w+=/i);
    expect([...page.matchAll(/\s(?:href|src)="([^"]*)"/g)].filter(([, to = '']) => /^[a-z]+:|^\/\//i.test(to))).toEqual(
      [],
    );
  });

  it('leads to each message of the transcript, and from the diagram to each step', () => {
    const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, to = '']) => to);
    const files = links.filter((to) => !to.startsWith('#')).map((to) => resolve(dirname(file), decodeURIComponent(to)));

    expect(files.length).toBeGreaterThanOrEqual(4);
    expect(files.filter((one) => !existsSync(one))).toEqual([]);
    const anchors = links.filter((to) => to.startsWith('#')).map((to) => `id="${to.slice(1)}"`);
    expect(anchors.filter((id) => !page.includes(id))).toEqual([]);
  });
});

describe('the diagram', () => {
  it('shows what went over the wire in the order of time, what did not come, and what happened to actors', () => {
    const [playing] = result.results;
    const rows = playing ? rowsOf(playing) : [];

    expect(rows.map(({ kind, step, tone, label }) => `${step ?? '-'} ${kind} ${tone} ${label}`)).toEqual([
      '1 exchange passed RAD-2  ORM^O01',
      '2 exchange failed RAD-4  ORM^O01',
      '- exchange aside ORM^O01, set aside',
      '- exchange aside SIU^S12, set aside',
      '3 note passed Down & <b>out</b>',
      '4 note passed Up',
      '5 missing failed ORM^O01 did not come',
      '6 note skipped Staff',
    ]);
    const exchanges = rows.flatMap((row) => (row.kind === 'exchange' ? [row.exchange] : []));
    expect(exchanges.map(({ from, to, answer }) => `${from} ${to} ${answer?.code}`)).toEqual([
      'OP OF AA',
      'OF IM AA',
      'OF IM AA',
      'OF OP AA',
    ]);
  });

  it('has the actors from who orders to who performs', () => {
    const [playing] = result.results;

    expect(playing && lifelinesOf(playing, rowsOf(playing))).toEqual(['ADT', 'OP', 'OF', 'IM']);
  });
});
