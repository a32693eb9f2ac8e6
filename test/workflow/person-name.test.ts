import { describe, expect, it } from 'vitest';
import { matchesWorklist, worklistConditions } from '../../src/dicom/matching.ts';
import { nameKeyOf, personNameOf } from '../../src/workflow/person-name.ts';
import type { PersonName } from '../../src/workflow/vocabulary.ts';

const aoki: PersonName = {
  family: 'AOKI',
  given: 'MISAKI',
  ideographic: { family: '青木', given: '美咲' },
  phonetic: { family: 'あおき', given: 'みさき' },
};
const { ideographic } = aoki;

describe('a name as DICOM writes it (PS3.5 6.2, 6.2.1.2)', () => {
  it.each<[PersonName | undefined, string | null]>([
    [undefined, null],
    [{}, null],
    [{ family: ' ' }, null],
    [{ family: 'ALDER', given: 'ADA' }, 'ALDER^ADA'],
    [{ family: 'A', given: 'B', middle: 'C', suffix: 'III', prefix: 'DR', degree: 'PHD' }, 'A^B^C^DR^III PHD'],
    [aoki, 'AOKI^MISAKI=青木^美咲=あおき^みさき'],
    [{ family: 'AOKI', phonetic: { family: 'あおき' } }, 'AOKI==あおき'],
    [{ ...(ideographic ? { ideographic } : {}) }, '=青木^美咲'],
    [{ phonetic: { family: 'あおき' } }, '==あおき'],
    [{ family: 'AOKI', ideographic: {}, phonetic: {} }, 'AOKI'],
    [{ family: 'A=B^C\\D', ideographic: { family: '青=木' } }, 'A B C D=青 木'],
  ])('given %j, then it is %j', (name, text) => {
    expect(personNameOf(name)).toBe(text);
  });

  it('given very long names, then each group keeps 64 characters', () => {
    const text = personNameOf({ family: 'A'.repeat(70), ideographic: { family: '\u{20BB7}'.repeat(70) } });
    expect(text?.split('=').map((group) => [...group].length)).toEqual([64, 64]);
  });
});

describe('what a worklist query narrows by (PS3.4 C.2.2.2)', () => {
  const stored: readonly PersonName[] = [
    aoki,
    { ...(ideographic ? { ideographic } : {}) },
    { phonetic: { family: 'あおき', given: 'みさき' } },
    { family: '青木', given: '美咲' },
    { family: 'Élan', given: 'İnci' },
    { family: 'YUN', ideographic: { family: '尹' }, phonetic: { family: '윤' } },
    { family: 'ALDER' },
  ];
  const keys = [
    ...[
      'AOKI*',
      'aoki^misaki',
      'AOKI^MISAKI=青木*',
      '=青木*',
      '==あおき*',
      '青*',
      '青木^美咲',
      'あおき*',
      '*木*',
      'A?KI*',
    ],
    ...['É*', 'E\u0301lan*', 'e*', 'élan^i\u0307nci', '윤', '尹*', '=尹', 'y*', '?UN', 'AL*=*', '*', '', 'ー*', 'ｱ*'],
  ];
  /** The SQL of the store: the first group of `"nameKey"`, or any of them, begins with it. */
  const isFound = (name: PersonName, key: string): boolean => {
    const { prefix = '', inAnyGroup = false } = worklistConditions({ PatientName: [key] }).patientName ?? {};
    const groups = nameKeyOf(name).split('=');
    return (inAnyGroup ? groups : groups.slice(0, 1)).some((group) => group.startsWith(prefix));
  };

  it.each(keys)('given the key %j, then every name that matches it is found', (key) => {
    const matching = stored.filter((name) =>
      matchesWorklist({ PatientName: [personNameOf(name) ?? ''] }, { PatientName: [key] }),
    );
    expect(matching.filter((name) => !isFound(name, key))).toEqual([]);
  });

  it.each([
    ['青木*', 3],
    ['=青木*', 2],
    ['あおき^みさき', 2],
    ['aoki*', 1],
    ['윤', 1],
  ])('given the key %j, then %d of the names match', (key, count) => {
    const matching = stored.filter((name) =>
      matchesWorklist({ PatientName: [personNameOf(name) ?? ''] }, { PatientName: [key] }),
    );
    expect(matching).toHaveLength(count);
  });
});
