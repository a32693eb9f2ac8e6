import { describe, expect, it } from 'vitest';
import {
  accountOfStay,
  completedByOrder,
  differencesOf,
  patientChanged,
  registered,
  updateFor,
  visitAfter,
} from '../../src/workflow/patient-changes.ts';
import { optionalPatientUpdates } from '../../src/platform/config-schema.ts';
import type { Patient, PatientStatement, VisitStatement } from '../../src/workflow/vocabulary.ts';

const identifier = { value: 'P1', assigningAuthority: 'HOSP' };

const stored: Patient = {
  identifiers: [identifier],
  name: { family: 'ALDER', given: 'ADA', middle: 'M' },
  birthDate: '1970-01-02',
  sex: 'F',
  demographics: {
    race: '2106-3',
    address: ['Main Street 1', '', 'Anytown'],
    accountNumber: { id: 'ACC1' },
    allergies: ['Latex'],
  },
};

function said(more: Partial<PatientStatement> = {}): PatientStatement {
  return {
    identifiers: [identifier],
    name: stored.name,
    birthDate: undefined,
    sex: undefined,
    demographics: {},
    ...more,
  };
}

describe('a patient as the ADT says (RAD TF-2 4.1; ITI TF-2 Appendix C)', () => {
  it('keeps every field that the message leaves empty', () => {
    expect(registered(stored, said())).toEqual(stored);
  });

  it('loses every field that the message clears with ""', () => {
    const cleared = registered(
      stored,
      said({ birthDate: null, sex: null, demographics: { race: null, address: null, allergies: null } }),
    );
    expect(cleared).toEqual({
      identifiers: [identifier],
      name: stored.name,
      birthDate: undefined,
      sex: undefined,
      demographics: { accountNumber: { id: 'ACC1' } },
    });
  });

  it('takes every value that the message has', () => {
    const changed = registered(
      stored,
      said({
        name: { family: 'BIRCH', given: 'ADA' },
        birthDate: '1971-01-02',
        sex: 'O',
        demographics: { race: '2028-9', motherName: { family: 'CEDAR' } },
      }),
    );
    expect(changed).toMatchObject({
      name: { family: 'BIRCH', given: 'ADA' },
      birthDate: '1971-01-02',
      sex: 'O',
      demographics: { race: '2028-9', motherName: { family: 'CEDAR' }, accountNumber: { id: 'ACC1' } },
    });
    expect(changed.name).not.toHaveProperty('middle');
  });

  it('gains an identifier of another domain and keeps the first one first', () => {
    const other = { value: 'P1', assigningAuthority: 'CLINIC' };
    expect(registered(stored, said({ identifiers: [other, identifier] })).identifiers).toEqual([identifier, other]);
  });

  it('gains nothing from the same message once more', () => {
    const message = said({ identifiers: [identifier, { value: 'X', assigningAuthority: 'CLINIC' }], sex: 'M' });
    const once = registered(stored, message);
    expect(registered(once, message)).toEqual(once);
  });

  it('who is new has what the message says and nothing else', () => {
    const patient = registered(undefined, said({ sex: 'F', birthDate: null, demographics: { race: null } }));
    expect(patient).toEqual({
      identifiers: [identifier],
      name: stored.name,
      birthDate: undefined,
      sex: 'F',
      demographics: {},
    });
  });

  it('leaves the stored values as they were', () => {
    const before = structuredClone(stored);
    registered(stored, said({ sex: null, demographics: { address: null } }));
    expect(stored).toEqual(before);
  });
});

describe('a known patient in an order (RAD TF-2 4.2: the ADT is the source)', () => {
  const order = said({
    identifiers: [identifier, { value: 'X9', assigningAuthority: 'OTHER' }],
    name: { family: 'OTHER', given: 'NAME' },
    birthDate: '1999-09-09',
    sex: 'M',
    demographics: { race: 'X', address: ['Elsewhere'], primaryLanguage: { code: 'de' } },
  });

  it('never has a registered value overridden', () => {
    const patient = completedByOrder(stored, order);
    expect(patient).toEqual({
      ...stored,
      demographics: { ...stored.demographics, primaryLanguage: { code: 'de' } },
    });
  });

  it('never has one cleared', () => {
    const clearing = said({ birthDate: null, sex: null, demographics: { race: null, address: null } });
    expect(completedByOrder(stored, clearing)).toEqual(stored);
  });

  it('has filled what was empty', () => {
    const bare: Patient = { identifiers: [identifier], name: stored.name, demographics: {} };
    expect(completedByOrder(bare, order)).toMatchObject({
      birthDate: '1999-09-09',
      sex: 'M',
      demographics: { race: 'X', address: ['Elsewhere'], primaryLanguage: { code: 'de' } },
    });
  });
});

describe("where an order's PID disagrees with the stored patient", () => {
  it.each([
    ['the same values', { birthDate: '1970-01-02', sex: 'F' }, []],
    ['nothing said', {}, []],
    ['cleared values', { birthDate: null, sex: null }, []],
    ['an unknown sex', { sex: 'U' }, []],
    ['another sex', { sex: 'M' }, ['sex']],
    ['another birth date', { birthDate: '1970-02-01' }, ['birthDate']],
    ['another family name', { name: { family: 'BIRCH', given: 'ADA', middle: 'M' } }, ['name']],
    ['another given name', { name: { family: 'ALDER', given: 'EDA', middle: 'M' } }, ['name']],
    ['the name in other case and with blanks', { name: { family: 'Alder ', given: ' ada', middle: 'm' } }, []],
    ['another prefix', { name: { family: 'ALDER', given: 'ADA', middle: 'M', prefix: 'DR' } }, []],
    ['everything', { name: { family: 'X' }, birthDate: '2000-01-01', sex: 'M' }, ['name', 'birthDate', 'sex']],
  ] as [string, Partial<PatientStatement>, string[]][])('%s: %j differs in %j', (_, more, differences) => {
    expect(differencesOf(stored, said(more))).toEqual(differences);
  });

  it('compares the representations of a name that both have (XPN-8)', () => {
    const ideographic = (family: string) => ({ ideographic: { family } });
    const written = { ...stored, name: ideographic('山田') };
    expect(differencesOf(written, said({ name: ideographic('田中') }))).toEqual(['name']);
    expect(differencesOf(written, said({ name: ideographic('山田') }))).toEqual([]);
    expect(differencesOf(stored, said({ name: { ...stored.name, ...ideographic('山田') } }))).toEqual([]);
  });

  it('the same letters composed otherwise are the same name', () => {
    const patient: Patient = { ...stored, name: { family: 'M\u00dcLLER' } };
    expect(differencesOf(patient, said({ name: { family: 'MU\u0308LLER' } }))).toEqual([]);
  });

  it('a stored unknown sex is nothing to disagree with', () => {
    expect(differencesOf({ ...stored, sex: 'U' }, said({ sex: 'M' }))).toEqual([]);
  });

  it('the differences name fields and no values', () => {
    const differences = differencesOf(stored, said({ name: { family: 'SECRET' }, sex: 'M' }));
    expect(differences.join()).not.toContain('SECRET');
  });
});

describe('whether a patient is other than he was (what RAD-12 has to tell)', () => {
  /** The same values with their keys in the opposite order, as another store might give them back. */
  function turned(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(turned);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, part]) => [key, turned(part)]),
    );
  }

  it.each([
    ['the same', stored],
    ['a copy', structuredClone(stored)],
    ['the same in another order of fields', turned(stored) as Patient],
    ['the same from the store', JSON.parse(JSON.stringify(stored)) as Patient],
    ['what the ADT says once more', registered(stored, said({ birthDate: '1970-01-02', sex: 'F' }))],
    ['a message that leaves all empty', registered(stored, said())],
  ])('no: %s', (_, after) => {
    expect(patientChanged(stored, after)).toBe(false);
  });

  it('no: a value that is not there and one that is undefined', () => {
    const { birthDate: _, ...bare } = stored;
    expect(patientChanged(bare, { ...bare, birthDate: undefined })).toBe(false);
  });

  it.each<[string, Partial<Patient>]>([
    ['another name', { name: { family: 'BIRCH', given: 'ADA', middle: 'M' } }],
    ['a middle name less', { name: { family: 'ALDER', given: 'ADA' } }],
    ['an ideographic name more', { name: { ...stored.name, ideographic: { family: '山田' } } }],
    ['another birth date', { birthDate: '1970-01-03' }],
    ['no birth date', { birthDate: undefined }],
    ['another sex', { sex: 'O' }],
    ['an identifier more', { identifiers: [identifier, { value: 'X', assigningAuthority: 'CLINIC' }] }],
    ['the same identifier of another authority', { identifiers: [{ ...identifier, assigningAuthority: 'CLINIC' }] }],
    ['another address line', { demographics: { ...stored.demographics, address: ['Main Street 2', '', 'Anytown'] } }],
    ['another account', { demographics: { ...stored.demographics, accountNumber: { id: 'ACC2' } } }],
    ['no demographics', { demographics: {} }],
  ])('yes: %s', (_, more) => {
    const after = { ...stored, ...more };
    expect(patientChanged(stored, after)).toBe(true);
    expect(patientChanged(after, stored)).toBe(true);
  });
});

describe('the RAD-12 event for an event of the ADT (RAD TF-2 4.12)', () => {
  const all = [...optionalPatientUpdates];

  it.each(['A08', 'A31'])('%s is A08 to everybody, changed or not', (event) => {
    for (const changed of [true, false]) {
      expect([updateFor(event, changed, []), updateFor(event, changed, all)]).toEqual(['A08', 'A08']);
    }
  });

  it.each(['A02', 'A03', 'A06', 'A07', 'A12', 'A13'])('%s is itself to who wants it, changed or not', (event) => {
    expect([updateFor(event, true, all), updateFor(event, false, all)]).toEqual([event, event]);
  });

  it.each(['A01', 'A02', 'A03', 'A04', 'A05', 'A06', 'A07', 'A10', 'A11', 'A12', 'A13', 'A28', 'A38'])(
    '%s is A08 to who does not want it, where the data changed, and else nothing',
    (event) => {
      const others = all.filter((one) => one !== event);
      for (const wanted of [[], others]) {
        expect([updateFor(event, true, wanted), updateFor(event, false, wanted)]).toEqual(['A08', undefined]);
      }
    },
  );
});

describe('a visit as ADT and orders say (RAD TF-2 4.1, 4.2)', () => {
  const before = { patientClass: 'I', details: { hospitalService: 'MED', visitIndicator: 'V' } };
  const says = (more: Partial<VisitStatement>): VisitStatement => ({
    visitNumber: 'V1',
    assigningAuthority: 'HOSP',
    patientClass: undefined,
    details: {},
    ...more,
  });

  it('the ADT changes what it values, clears what it clears and keeps the rest', () => {
    const after = visitAfter(before, says({ patientClass: 'O', details: { hospitalService: null } }), 'adt');
    expect(after).toEqual({ patientClass: 'O', details: { visitIndicator: 'V' } });
  });

  it('an order fills what is empty and nothing else', () => {
    const order = says({ patientClass: 'O', details: { hospitalService: 'SUR', ambulatoryStatus: 'B6' } });
    expect(visitAfter(before, order, 'order')).toEqual({
      patientClass: 'I',
      details: { hospitalService: 'MED', visitIndicator: 'V', ambulatoryStatus: 'B6' },
    });
    const clearing = says({ patientClass: null, details: { hospitalService: null } });
    expect(visitAfter(before, clearing, 'order')).toEqual(before);
  });

  it('that is new has what the message says, whoever says it', () => {
    const message = says({ patientClass: 'E', details: { hospitalService: 'ER', ambulatoryStatus: null } });
    for (const source of ['adt', 'order'] as const) {
      expect(visitAfter(undefined, message, source)).toEqual({ patientClass: 'E', details: { hospitalService: 'ER' } });
    }
  });
});

describe('the account under which a stay is known (PID-18; RAD TF-2 4.1)', () => {
  const account = { id: 'ACC1', assigningAuthority: { namespace: 'FIN' } };

  it("is the patient's own where the stay has no other number", () => {
    expect(accountOfStay(account, {})).toEqual(account);
    expect(accountOfStay(account, { visitNumber: null, assigningAuthority: null })).toEqual(account);
    expect(accountOfStay(account, { visitNumber: 'ACC1', assigningAuthority: 'OTHER' })).toEqual(account);
  });

  it('is the number of the stay where that is another one', () => {
    const stay = { visitNumber: 'ACC2', assigningAuthority: 'HOSP' };
    expect(accountOfStay(account, stay)).toEqual({ id: 'ACC2', assigningAuthority: { namespace: 'HOSP' } });
    expect(accountOfStay(undefined, { visitNumber: 'ACC2', assigningAuthority: null })).toEqual({ id: 'ACC2' });
  });

  it('is nothing where nobody said any', () => {
    expect(accountOfStay(undefined, {})).toBeUndefined();
  });
});

describe('comments on a patient (NTE behind PID), which only orders carry', () => {
  const known: Patient = { identifiers: [], name: { family: 'ALDER' }, demographics: { race: 'X', comments: ['old'] } };
  const said = (comments: string[] | null | undefined): PatientStatement => ({
    identifiers: [],
    name: {},
    birthDate: undefined,
    sex: undefined,
    demographics: { comments },
  });

  it.each([
    ['new ones replace what an earlier order said', ['new'], ['new']],
    ['none leave them', undefined, ['old']],
    ['`""` clears them', null, undefined],
  ])('%s', (_, comments, after) => {
    expect(completedByOrder(known, said(comments)).demographics).toEqual({
      race: 'X',
      ...(after ? { comments: after } : {}),
    });
  });

  it('are nothing that other systems are told of (RAD-12)', () => {
    expect(patientChanged(known, { ...known, demographics: { race: 'X', comments: ['new'] } })).toBe(false);
    expect(patientChanged(known, { ...known, demographics: { race: 'Y' } })).toBe(true);
  });
});
