import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenFolder, renderCase } from './golden.ts';

const cases = readdirSync(goldenFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

// Only then: a golden file says what was agreed, not what the program happens to do.
const update = process.env['UPDATE_GOLDEN'] === '1';

/** Bytes as a text in which every byte can be seen, so that a difference is shown as lines. */
const shown = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('an order message (RAD-2) as it goes on: RAD-4, RAD-3 and the worklist, byte by byte', () => {
  it('has its cases', () => {
    expect(cases.length).toBeGreaterThanOrEqual(6);
  });

  it.each(cases)('%s', (name) => {
    const files = renderCase(name);
    for (const [file, bytes] of files) {
      const path = join(goldenFolder, name, file);
      if (update) writeFileSync(path, bytes);
      expect([file, existsSync(path)]).toEqual([file, true]);
      expect(shown(bytes)).toBe(shown(readFileSync(path)));
    }
    expect(readdirSync(join(goldenFolder, name)).sort()).toEqual(['in.hl7', ...files.keys()].sort());
  });
});
