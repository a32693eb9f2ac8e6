import { describe, expect, it } from 'vitest';
import {
  type AcquisitionState,
  type OrderStatus,
  type ReportOrderComplete,
  orderStatusOf,
  statusToReport,
} from '../../src/workflow/order-status.ts';

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
  const policy: ReportOrderComplete = 'on-mpps-completed';

  const table: readonly [string | null, OrderStatus, string | undefined][] = [
    [null, 'SC', undefined],
    [null, 'HD', undefined],
    [null, 'CA', undefined],
    [null, 'IP', 'IP'],
    [null, 'CM', 'CM'],
    [null, 'DC', 'DC'],
    ['IP', 'IP', undefined],
    ['IP', 'CM', 'CM'],
    ['IP', 'DC', 'DC'],
    ['IP', 'SC', undefined],
    ['CM', 'IP', undefined],
    ['CM', 'CM', undefined],
    ['CM', 'SC', undefined],
    ['CM', 'DC', undefined],
    ['DC', 'IP', undefined],
    ['DC', 'DC', undefined],
  ];

  it.each(table)('after %j, an order that is %s: %j', (reported, orderStatus, toReport) => {
    expect(statusToReport(reported, orderStatus, policy)).toBe(toReport);
  });

  it.each<ReportOrderComplete>(['never', 'on-report-verified'])(
    'with the policy %s a completed acquisition is not reported, its start and its end without completion are',
    (other) => {
      expect(statusToReport(null, 'IP', other)).toBe('IP');
      expect(statusToReport('IP', 'CM', other)).toBeUndefined();
      expect(statusToReport('IP', 'DC', other)).toBe('DC');
    },
  );

  it('reports IP once and CM once over the life of an order of two procedures', () => {
    const life: AcquisitionState[][] = [
      ['scheduled', 'scheduled'],
      ['inProgress', 'scheduled'],
      ['completed', 'scheduled'],
      ['completed', 'inProgress'],
      ['completed', 'completed'],
      ['completed', 'completed'],
    ];
    let reported: string | null = null;
    const sent = life.flatMap((states) => {
      const status = statusToReport(reported, orderStatusOf(states), policy);
      reported = status ?? reported;
      return status ?? [];
    });
    expect(sent).toEqual(['IP', 'CM']);
  });
});
