import { describe, expect, it } from 'vitest';
import { completedByOrder, differencesOf, registered } from '../../src/workflow/patient-changes.ts';
import type { Patient, PatientStatement } from '../../src/workflow/vocabulary.ts';

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
