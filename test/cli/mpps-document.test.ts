import { describe, expect, it } from 'vitest';
import { mppsAttributesDocument } from '../../src/cli-docs-mpps.ts';
import { mppsAttributes } from '../../src/mapping/mpps-attributes.ts';

const rows = mppsAttributesDocument()
  .split('\n')
  .filter((line) => line.startsWith('| ('))
  .map((line) => line.split('|').map((cell) => cell.trim()));

describe('docs/conformance/mpps-attributes.md', () => {
  it('has a row for every attribute that is checked, with its types', () => {
    const named = rows.map(([, , name = '', create, set]) => [name.replace(/^(· )+/, ''), create, set]);
    expect(named).toEqual(mppsAttributes.map(({ keyword, create, set }) => [keyword, create, set]));
  });

  it('shows the tag, the level, and what is asked for when the step ends', () => {
    const [endDate, series, uid] = [
      'PerformedProcedureStepEndDate',
      'PerformedSeriesSequence',
      '· SeriesInstanceUID',
    ].map((name) => rows.find(([, , shown]) => shown === name));
    expect(endDate?.slice(1, -1)).toEqual([
      '(0040,0250)',
      'PerformedProcedureStepEndDate',
      '2/2',
      '3/1',
      '1',
      'a day that the calendar has',
    ]);
    expect(series?.[5]).toBe('1, or empty: nothing was made');
    expect(uid?.slice(1, -1)).toEqual(['(0020,000E)', '· SeriesInstanceUID', '1/1', '1/1', '1', 'a UID']);
  });
});
