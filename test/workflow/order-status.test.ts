import { describe, expect, it } from 'vitest';
import {
  type AcquisitionState,
  type OptionalOrderStatus,
  type OrderStatus,
  type ProcedureStanding,
  type ReportOrderComplete,
  orderStatusOf,
  statusToReport,
} from '../../src/workflow/order-status.ts';

type Report = ProcedureStanding['report'];

/** A procedure by its acquisition, and its report behind a slash: `completed/final`. */
function standing(text: string): ProcedureStanding {
  const [state, report = 'none'] = text.split('/');
  return { state: state as AcquisitionState, report: report as Report };
}

interface Wants {
  readonly policy?: ReportOrderComplete;
  readonly wanted?: readonly OptionalOrderStatus[];
}

function reportAfter(reported: string | null, procedures: string, { policy, wanted }: Wants = {}): string | undefined {
  const standings = procedures.split(' ').map(standing);
  return statusToReport(reported, standings, { policy: policy ?? 'on-mpps-completed', wanted: wanted ?? [] });
}

/** What is reported over the life of an order: one line for each instant. */
function reportsOver(life: readonly string[], wants: Wants = {}): string[] {
  let reported: string | null = null;
  return life.flatMap((procedures) => {
    const status = reportAfter(reported, procedures, wants);
    reported = status ?? reported;
    return status ?? [];
  });
}

describe('the order status by its procedures (department roll-up; ORC-5, HL7 table 0038)', () => {
  const table: readonly [readonly AcquisitionState[], OrderStatus][] = [
    [['planned'], 'SC'],
    [['scheduled'], 'SC'],
    [['inProgress'], 'IP'],
    [['completed'], 'CM'],
    [['discontinued'], 'DC'],
    [['cancelled'], 'CA'],
    [['held'], 'HD'],
    [['planned', 'scheduled'], 'SC'],
    [['scheduled', 'inProgress'], 'IP'],
    [['inProgress', 'inProgress'], 'IP'],
    // every RP final and at least one COMPLETED
    [['completed', 'completed'], 'CM'],
    [['completed', 'discontinued'], 'CM'],
    [['completed', 'cancelled'], 'CM'],
    [['completed', 'discontinued', 'cancelled'], 'CM'],
    // some completed, others open: the order is not complete
    [['completed', 'scheduled'], 'IP'],
    [['completed', 'planned'], 'IP'],
    [['completed', 'inProgress'], 'IP'],
    [['completed', 'held'], 'IP'],
    // all final, none COMPLETED, at least one DISCONTINUED
    [['discontinued', 'cancelled'], 'DC'],
    [['discontinued', 'discontinued'], 'DC'],
    [['cancelled', 'cancelled'], 'CA'],
    // an ended one beside one that still waits
    [['cancelled', 'scheduled'], 'SC'],
    [['discontinued', 'scheduled'], 'SC'],
    [['discontinued', 'inProgress'], 'IP'],
    [['held', 'inProgress'], 'IP'],
    [['held', 'planned'], 'HD'],
    [['held', 'scheduled'], 'HD'],
    [['held', 'cancelled'], 'HD'],
  ];

  it.each(table)('of %j is %s, in whatever order they stand', (states, orderStatus) => {
    expect(orderStatusOf(states)).toBe(orderStatus);
    expect(orderStatusOf([...states].reverse())).toBe(orderStatus);
  });

  it('of no procedure at all is scheduled, never ended', () => {
    expect(orderStatusOf([])).toBe('SC');
  });
});

describe('what RAD-3 has to report (RAD TF-2 4.3: IP, CM and DC, only forward)', () => {
  const table: readonly [string | null, string, string | undefined][] = [
    [null, 'planned', undefined],
    [null, 'scheduled', undefined],
    [null, 'held', undefined],
    [null, 'cancelled', undefined],
    [null, 'inProgress', 'IP'],
    [null, 'completed', 'CM'],
    [null, 'discontinued', 'DC'],
    ['IP', 'inProgress', undefined],
    ['IP', 'completed', 'CM'],
    ['IP', 'discontinued', 'DC'],
    ['IP', 'scheduled', undefined],
    ['IP', 'held', undefined],
    ['IP', 'completed scheduled', undefined],
    ['IP', 'completed cancelled', 'CM'],
    ['CM', 'inProgress', undefined],
    ['CM', 'completed', undefined],
    ['CM', 'scheduled', undefined],
    ['CM', 'discontinued', undefined],
    ['DC', 'inProgress', undefined],
    ['DC', 'discontinued', undefined],
    ['DC', 'completed', undefined],
    ['CA', 'cancelled', undefined],
  ];

  it.each(table)('after %j, an order of procedures that are %s: %j', (reported, procedures, toReport) => {
    expect(reportAfter(reported, procedures)).toBe(toReport);
  });

  it.each<ReportOrderComplete>(['never', 'on-report-verified'])(
    'with the policy %s a completed acquisition is not reported, its start and its end without completion are',
    (policy) => {
      expect(reportAfter(null, 'inProgress', { policy })).toBe('IP');
      expect(reportAfter('IP', 'completed', { policy })).toBeUndefined();
      expect(reportAfter('IP', 'completed', { policy, wanted: ['SC', 'A', 'HD'] })).toBeUndefined();
      expect(reportAfter('IP', 'discontinued', { policy })).toBe('DC');
    },
  );

  it('reports IP once and CM once over the life of an order of two procedures', () => {
    const life = [
      'scheduled scheduled',
      'inProgress scheduled',
      'completed scheduled',
      'completed inProgress',
      'completed completed',
      'completed completed',
    ];
    expect(reportsOver(life)).toEqual(['IP', 'CM']);
  });

  it('says nothing of an order without procedures', () => {
    expect(statusToReport(null, [], { policy: 'on-mpps-completed', wanted: ['SC', 'A', 'HD'] })).toBeUndefined();
  });
});

describe('complete by verified reports (report manager, ORU^R01)', () => {
  const rows: readonly [string, string | undefined][] = [
    ['completed/final', 'CM'],
    ['completed/corrected', 'CM'],
    ['completed/preliminary', undefined],
    ['completed/none', undefined],
    ['completed/cancelled', undefined],
    ['completed/final completed/none', undefined],
    ['completed/final completed/preliminary', undefined],
    ['completed/final completed/corrected', 'CM'],
    // What was cancelled or discontinued gets no report, and nobody waits for one.
    ['completed/final cancelled/none', 'CM'],
    ['completed/final discontinued/none', 'CM'],
    ['completed/none cancelled/final', undefined],
    ['completed/final inProgress/none', undefined],
    // A final report says that the examination took place, whether or not its modality sends MPPS.
    ['scheduled/final', 'CM'],
    ['inProgress/final', 'CM'],
    ['completed/final scheduled/final', 'CM'],
  ];

  it.each(rows)('on-report-verified: after IP, %s: %j', (procedures, toReport) => {
    expect(reportAfter('IP', procedures, { policy: 'on-report-verified' })).toBe(toReport);
  });

  it('on-mpps-completed: a final report of every live procedure is as good as its MPPS', () => {
    expect(reportAfter(null, 'scheduled/final')).toBe('CM');
    expect(reportAfter('IP', 'inProgress/final cancelled')).toBe('CM');
    expect(reportAfter('IP', 'inProgress/final scheduled')).toBeUndefined();
    expect(reportAfter('CM', 'completed/final')).toBeUndefined();
  });

  it('never: not even then', () => {
    expect(reportAfter('IP', 'completed/final', { policy: 'never' })).toBeUndefined();
    expect(reportAfter(null, 'scheduled/final', { policy: 'never' })).toBeUndefined();
    expect(reportAfter('IP', 'discontinued/final', { policy: 'never' })).toBe('DC');
  });

  it('an order that ended without completion stays DC, whatever is written about it', () => {
    expect(reportAfter('IP', 'discontinued/final', { policy: 'on-report-verified' })).toBe('DC');
    expect(reportAfter(null, 'cancelled/final', { policy: 'on-report-verified' })).toBeUndefined();
  });

  it('a withdrawn report takes nothing back', () => {
    const life = ['inProgress', 'completed', 'completed/final', 'completed/cancelled', 'completed/final'];
    expect(reportsOver(life, { policy: 'on-report-verified' })).toEqual(['IP', 'CM']);
  });
});

describe('SC, A and HD, which go to a placer that asks for them (`sends.orderStatuses`)', () => {
  const life = [
    'planned planned',
    'scheduled planned',
    'scheduled scheduled',
    'held scheduled',
    'scheduled scheduled',
    'inProgress scheduled',
    'completed scheduled',
    'completed inProgress',
    'completed completed',
  ];

  it.each([
    [[], ['IP', 'CM']],
    [['SC'], ['SC', 'IP', 'CM']],
    [['A'], ['IP', 'A', 'CM']],
    // Whoever was told of a hold is told of its end.
    [['HD'], ['HD', 'SC', 'IP', 'CM']],
    [
      ['SC', 'A', 'HD'],
      ['SC', 'HD', 'SC', 'IP', 'A', 'CM'],
    ],
  ] as [OptionalOrderStatus[], string[]][])('a placer that wants %j hears %j', (wanted, heard) => {
    expect(reportsOver(life, { wanted })).toEqual(heard);
  });

  it('an order that was begun under the wrong worklist entry goes back to SC only for who wants SC', () => {
    const mistaken = ['scheduled', 'inProgress', 'scheduled', 'inProgress', 'completed'];
    expect(reportsOver(mistaken, { wanted: ['SC'] })).toEqual(['SC', 'IP', 'SC', 'IP', 'CM']);
    expect(reportsOver(mistaken, { wanted: ['A', 'HD'] })).toEqual(['IP', 'CM']);
    expect(reportsOver(mistaken)).toEqual(['IP', 'CM']);
  });

  it.each(['CM', 'DC'])('nothing goes back after %s', (reported) => {
    const wanted = ['SC', 'A', 'HD'] as const;
    for (const procedures of ['scheduled', 'held', 'inProgress', 'completed scheduled']) {
      expect(reportAfter(reported, procedures, { wanted })).toBeUndefined();
    }
  });

  it('A is said once, and IP not after it', () => {
    const wanted = ['A'] as const;
    expect(reportAfter('A', 'completed inProgress', { wanted })).toBeUndefined();
    expect(reportAfter('A', 'completed inProgress')).toBeUndefined();
    expect(reportAfter('IP', 'completed scheduled', { wanted })).toBe('A');
    expect(reportAfter(null, 'completed scheduled', { wanted })).toBe('A');
  });

  it('SC waits until something is scheduled', () => {
    const wanted = ['SC'] as const;
    expect(reportAfter(null, 'planned planned', { wanted })).toBeUndefined();
    expect(reportAfter(null, 'planned scheduled', { wanted })).toBe('SC');
    expect(reportAfter(null, 'cancelled scheduled', { wanted })).toBe('SC');
    expect(reportAfter(null, 'cancelled planned', { wanted })).toBeUndefined();
  });
});
