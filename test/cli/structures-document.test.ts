import { describe, expect, it } from 'vitest';
import { structuresDocument } from '../../src/cli-docs-hl7.ts';
import { inboundStructures, outboundStructures } from '../../src/hl7/structures.ts';

const lines = structuresDocument().split('\n');
const rows = lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').map((cell) => cell.trim()));

/** The rows of the table under a heading that names a structure. */
function tableOf(id: string): string[][] {
  const start = lines.findIndex((line) => line.startsWith('### ') && line.slice(4).split(', ').includes(id));
  const table = lines.slice(start).findIndex((line) => line.startsWith('|'));
  const end = lines.slice(start + table).findIndex((line) => !line.startsWith('|'));
  return lines.slice(start + table + 2, start + table + end).map((line) => line.split('|').map((cell) => cell.trim()));
}

describe('docs/conformance/hl7-structures.md', () => {
  it('has a section for every structure that is read or sent, with its source', () => {
    const headings = lines.filter((line) => line.startsWith('### ')).flatMap((line) => line.slice(4).split(', '));
    const ids = [...inboundStructures, ...outboundStructures].map(({ id }) => id);
    expect(headings.toSorted()).toEqual(ids.toSorted());
    for (const { source } of [...inboundStructures, ...outboundStructures]) {
      expect(lines.some((line) => line.endsWith(`Source: ${source}.`))).toBe(true);
    }
  });

  it('names every segment and group', () => {
    expect(rows.filter(([, segment, name]) => segment !== '' && name === '')).toEqual([]);
  });

  it('shows usage, repetition and what is in a group', () => {
    expect(tableOf('OMI_O23 RAD-4').map(([, segment, , usage, times]) => [segment, usage, times])).toEqual([
      ['MSH', 'R', '`1..1`'],
      ['PID', 'R', '`1..1`'],
      ['PV1', 'R', '`1..1`'],
      ['ORC', 'R', '`1..1`'],
      ['TQ1', 'R', '`1..1`'],
      ['OBR', 'R', '`1..1`'],
      ['IPC', 'R', '`1..*`'],
    ]);
    expect(tableOf('ORM_O01').map(([, segment]) => segment)).toEqual(
      expect.arrayContaining(['ORDER', '· ORC', '· OBSERVATION_REQUEST', '· · OBR', '· · OBSERVATION', '· · · OBX']),
    );
  });
});
