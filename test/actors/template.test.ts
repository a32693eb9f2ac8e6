import { describe, expect, it } from 'vitest';
import { type Scope, UnknownName, expand, expandDeep, namesIn, startScope } from '../../actors/template.ts';
import { fixedClock } from '../../src/platform/clock.ts';
import { countedIds } from '../../src/platform/ids.ts';

function scopeOf(lets: Record<string, string>): Scope {
  const clock = fixedClock('2026-03-01T23:30:15Z');
  return startScope(lets, { run: 'k3f9', clock, ids: countedIds(), timeZone: 'Europe/Berlin' });
}

const valueIn = (scope: Scope, name: string): string | undefined => scope.forOneMessage()(name);

describe('a text with names', () => {
  it('lists the names it asks for', () => {
    expect(namesIn('a ${b} c ${d}').map(({ name }) => name)).toEqual(['b', 'd']);
    expect(namesIn('$b {c} $ {d}')).toEqual([]);
  });

  it('gets the values put in as they are, delimiters included', () => {
    expect(expand('PID|||${id}||${name}', (name) => ({ id: 'P1', name: 'DOE^JO' })[name])).toBe('PID|||P1||DOE^JO');
  });

  it('is refused when a name has no value', () => {
    expect(() => expand('${who}', () => undefined)).toThrow(UnknownName);
  });

  it('is found at any depth of a dataset, while keywords stay', () => {
    const dataset = { A: '${x}', B: [{ C: '${x}${x}' }], D: null };

    expect(expandDeep(dataset, () => '1')).toEqual({ A: '1', B: [{ C: '11' }], D: null });
  });
});

describe('the scope of a playing', () => {
  it('has the wall clock of the site in now and today', () => {
    const scope = scopeOf({});

    expect(valueIn(scope, 'now')).toBe('20260302003015');
    expect(valueIn(scope, 'today')).toBe('20260302');
  });

  it('gives each message one control id, and the next message another', () => {
    const scope = scopeOf({});
    const first = scope.forOneMessage();
    const second = scope.forOneMessage();

    expect(first('controlId')).toBe(first('controlId'));
    expect(second('controlId')).not.toBe(first('controlId'));
  });

  it('gives each uid in let a fresh value that stays', () => {
    const scope = scopeOf({ series: '${uid}', instance: '${uid}' });

    expect(valueIn(scope, 'series')).not.toBe(valueIn(scope, 'instance'));
    expect(valueIn(scope, 'series')).toBe(valueIn(scope, 'series'));
  });

  it('knows its messages by what is made of run or uid, also by way of another name, and by nothing else', () => {
    const scope = scopeOf({
      patientId: 'P-${run}',
      visit: 'V-${patientId}',
      name: 'DOE^JO',
      mpps: '${uid}',
      day: '${today}',
    });

    expect([...scope.identifiers()]).toEqual(['P-k3f9', 'V-P-k3f9', '2.25.1']);
  });

  it('knows its messages by what was captured, except by values as short as a modality, by short numbers, and by times', () => {
    const scope = scopeOf({});
    scope.capture('accessionNumber', 'A000123');
    scope.capture('modality', 'MR');
    scope.capture('messageId', '3140');
    scope.capture('sentAt', '20300105093015');
    scope.capture('answeredAt', '20300105093015.123+0100');

    expect(valueIn(scope, 'modality')).toBe('MR');
    expect([...scope.identifiers()]).toEqual(['A000123']);
  });

  it('refuses a let that asks for a later one', () => {
    expect(() => scopeOf({ a: '${b}', b: '1' })).toThrow(UnknownName);
  });
});
