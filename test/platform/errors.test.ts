import { describe, expect, it } from 'vitest';
import { SwfError, describeError, failures, toSwfError } from '../../src/platform/errors.ts';

describe('the list of failures', () => {
  it('answers AE for the table 0357 codes 1xx and AR for 2xx (ITI TF-2 Appendix C)', () => {
    for (const [code, row] of Object.entries(failures)) {
      expect([code, row.ack]).toEqual([code, row.hl7.startsWith('1') ? 'AE' : 'AR']);
    }
  });

  it('lets a sender try again only after 206 and 207, which no permanent failure has', () => {
    for (const [code, row] of Object.entries(failures)) {
      expect([code, row.kind !== 'permanent']).toEqual([code, row.hl7 === '206' || row.hl7 === '207']);
    }
  });
});

describe('a failure that nobody foresaw', () => {
  it('is internal, and its text goes neither to a peer nor to the log', () => {
    const thrown = new Error('MUSTERMANN^ERIKA');
    expect(toSwfError(thrown).code).toBe('internal');
    expect(toSwfError(thrown).message).not.toContain('MUSTERMANN');
    expect(JSON.stringify(describeError(thrown))).not.toContain('MUSTERMANN');
  });

  it('stays what it is when it is on the list', () => {
    const failure = new SwfError('unknown-key', 'the patient is not known', { location: 'PID^1^3' });
    expect(toSwfError(failure)).toBe(failure);
    expect(failure.failure.hl7).toBe('204');
    expect(describeError(failure).error).toBe('unknown-key: the patient is not known');
  });
});
