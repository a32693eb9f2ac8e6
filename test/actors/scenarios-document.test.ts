import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { deedSchema, headSchema, stepSchemas, verbs } from '../../actors/scenario.ts';

const document = readFileSync(fileURLToPath(new URL('../../docs/scenarios.md', import.meta.url)), 'utf8');

/** What stands below a heading, up to the next one. */
function section(heading: string): string {
  const [, rest = ''] = document.split(`\n${heading}\n`);
  return rest.split(/\n##+ /)[0] ?? '';
}

/** The first cells of the tables whose head begins so. */
function keysIn(text: string, head: string): string[] {
  const tables = text
    .split('\n\n')
    .map((block) => block.trim())
    .filter((block) => block.startsWith(`| ${head} `));
  const rows = tables.flatMap((table) => table.split('\n').slice(2));
  return rows.flatMap((row) => /^\| `(\w+)`/.exec(row)?.[1] ?? []);
}

describe('docs/scenarios.md', () => {
  it('has a section for each verb and for no other', () => {
    const described = [...document.matchAll(/^### `(\w+)`$/gm)].map((match) => match[1]);

    expect(described.toSorted()).toEqual(verbs.toSorted());
  });

  it.each(verbs)('names every key of %s that the schema knows, and no other', (verb) => {
    const keys = Object.keys(stepSchemas[verb].shape).filter((key) => key !== 'step' && key !== 'transaction');

    const own = verb === 'do' ? [...keys, ...Object.keys(deedSchema.shape)] : keys;
    expect(keysIn(section(`### \`${verb}\``), 'key').toSorted()).toEqual(own.toSorted());
  });

  it('names every key of the head', () => {
    expect(keysIn(section('## The head'), 'key').toSorted()).toEqual(Object.keys(headSchema.shape).toSorted());
  });

  it('shows steps that are well formed', () => {
    const examples = [...document.matchAll(/^```yaml\n([^]*?)^```$/gm)].flatMap(
      (match) => parse(match[1] ?? '') as Record<string, unknown>[],
    );

    expect(examples.length).toBeGreaterThanOrEqual(8);
    for (const example of examples) {
      const verb = verbs.find((one) => one in example) ?? 'quiet';
      expect(stepSchemas[verb].safeParse(example).error).toBeUndefined();
    }
  });
});
