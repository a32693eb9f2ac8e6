import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../src/hl7/message.ts';
import { patientFromHl7, visitFromHl7 } from '../../src/mapping/patient-from-hl7.ts';
import { type Reading, type SenderRules, startReading } from '../../src/mapping/reader.ts';
import { bytesOf, failureOf } from '../hl7/support.ts';

const rules: SenderRules = {
  assigningAuthority: 'SENDER',
  station: undefined,
  serviceCode: 'OBR-4.1',
  timeZone: 'Europe/Berlin',
  validation: 'lenient',
};

const msh = 'MSH|^~\\&|ADT|HOSP|||||ADT^A04|E1|P|2.3.1';
const readingOf = (lines: readonly string[], more: Partial<SenderRules> = {}): Reading =>
  startReading(parseMessage(bytesOf([msh, ...lines])), { ...rules, ...more });
const patientOf = (...lines: string[]) => patientFromHl7(readingOf(lines));
const visitOf = (...lines: string[]) => visitFromHl7(readingOf(lines));

const pid = 'PID|1||P1^^^HOSP||ALDER^ADA||19700102|F';

describe('what a message says of a patient (PID)', () => {
  it('tells absent from cleared: an empty field says nothing, "" clears (ITI TF-2 Appendix C)', () => {
    expect(patientOf('PID|1||P1^^^HOSP||ALDER')).toMatchObject({
      birthDate: undefined,
      sex: undefined,
      demographics: { motherName: undefined, race: undefined, address: undefined, accountNumber: undefined },
    });
    expect(patientOf('PID|1||P1^^^HOSP||ALDER|""|""|""||""|""||||""|||""')).toMatchObject({
      birthDate: null,
      sex: null,
      demographics: { motherName: null, race: null, address: null, primaryLanguage: null, accountNumber: null },
    });
  });

  it('has every identifier, each with its authority: never without component 4', () => {
    const said = patientOf('PID|1||P1^^^HOSP&1.2&ISO^MR~P1^^^OTHER~P2^^^&1.9&ISO~P3||ALDER');
    expect(said.identifiers).toEqual([
      {
        value: 'P1',
        assigningAuthority: 'HOSP',
        universalId: '1.2',
        universalIdType: 'ISO',
        identifierType: 'MR',
      },
      { value: 'P1', assigningAuthority: 'OTHER' },
      { value: 'P2', assigningAuthority: '1.9', universalId: '1.9', universalIdType: 'ISO' },
      { value: 'P3', assigningAuthority: 'SENDER' },
    ]);
  });

  it('remarks an identifier without an authority, and uses the sender rule', () => {
    const reading = readingOf(['PID|1||P1||ALDER||19700102|F']);
    expect(patientFromHl7(reading).identifiers[0]?.assigningAuthority).toBe('SENDER');
    expect(reading.remarks.join()).toContain('PID-3');
  });

  it.each([
    ['no PID', [], 'segment-sequence', 'PID^1'],
    ['no PID-3', ['PID|1||||ALDER'], 'required-field-missing', 'PID^1^3^1^1'],
    ['no PID-3.1', ['PID|1||^^^HOSP||ALDER'], 'required-field-missing', 'PID^1^3^1^1'],
    ['no PID-5', ['PID|1||P1^^^HOSP'], 'required-field-missing', 'PID^1^5'],
    ['a PID-5 of delimiters', ['PID|1||P1^^^HOSP||^^'], 'required-field-missing', 'PID^1^5'],
    ['a cleared PID-5', ['PID|1||P1^^^HOSP||""'], 'required-field-missing', 'PID^1^5'],
    ['an identifier of 65 characters', [`PID|1||${'P'.repeat(65)}^^^HOSP||ALDER`], 'data-type', 'PID^1^3^1^1'],
    ['one in the second repetition', [`PID|1||P1~${'P'.repeat(65)}||ALDER`], 'data-type', 'PID^1^3^2^1'],
    ['an authority of 65 characters', [`PID|1||P1~P2^^^${'H'.repeat(65)}||ALDER`], 'data-type', 'PID^1^3^2^4'],
  ])('refuses %s', (_, lines, ...refusal) => {
    const { code, location } = failureOf(() => patientOf(...lines));
    expect([code, location]).toEqual(refusal);
  });

  it.each([
    ['19700102', '1970-01-02'],
    ['197001021330', '1970-01-02'],
    ['19700102000000+0100', '1970-01-02'],
    ['1970', undefined],
    ['19700230', undefined],
    ['unknown', undefined],
  ])('has for the birth date %s: %j', (value, birthDate) => {
    expect(patientOf(`PID|1||P1^^^HOSP||ALDER||${value}|F`).birthDate).toBe(birthDate);
  });

  it('has name parts in the order of XPN', () => {
    expect(patientOf('PID|1||P1^^^HOSP||ALDER^ADA^M^III^MS^PHD^L').name).toEqual({
      family: 'ALDER',
      given: 'ADA',
      middle: 'M',
      suffix: 'III',
      prefix: 'MS',
      degree: 'PHD',
    });
  });

  it('has the allergies of AL1-3, as words where there are words', () => {
    expect(patientOf(pid, 'AL1|1||L1^Latex^X', 'AL1|2||Iodine').demographics.allergies).toEqual(['Latex', 'Iodine']);
    expect(patientOf(pid).demographics.allergies).toBeUndefined();
  });

  it('misses the sex with a remark, and refuses it where the site is strict', () => {
    const bare = ['PID|1||P1^^^HOSP||ALDER'];
    const reading = readingOf(bare);
    patientFromHl7(reading);
    expect(reading.remarks.join()).toContain('PID-8');
    expect(failureOf(() => patientFromHl7(readingOf(bare, { validation: 'strict' })))).toEqual({
      code: 'required-field-missing',
      location: 'PID^1^8',
    });
  });
});

describe('what a message says of a visit (PV1)', () => {
  it('has the visit number of PV1-19, else the account number of PID-18', () => {
    const account = `${pid}||||||||||ACC1^^^BILL`;
    expect(visitOf(account, 'PV1|1|O|||||||||||||||||V1^^^HOSP')).toMatchObject({
      visitNumber: 'V1',
      assigningAuthority: 'HOSP',
      patientClass: 'O',
      details: { visitIdentifier: { id: 'V1', assigningAuthority: { namespace: 'HOSP' } } },
    });
    const ofAccount = visitOf(account, 'PV1|1|O');
    expect(ofAccount).toMatchObject({ visitNumber: 'ACC1', assigningAuthority: 'BILL' });
    expect(ofAccount?.details.visitIdentifier).toBeUndefined();
    expect(visitOf(pid, 'PV1|1|O')).toMatchObject({ visitNumber: undefined, assigningAuthority: 'SENDER' });
  });

  it('has location, doctors, service and times', () => {
    const pv1 =
      'PV1|1|I|W5^501^A^HOSP||||D5^FIR^FRANK|D6^GUM||NEU|||||B6||D7^HAZEL||V1|||||||||||||||||||||||||202601041200|||||||V';
    expect(visitOf(pid, pv1)?.details).toEqual({
      location: { pointOfCare: 'W5', room: '501', bed: 'A', facility: 'HOSP' },
      attendingDoctor: { id: 'D5', family: 'FIR', given: 'FRANK' },
      referringDoctor: { id: 'D6', family: 'GUM' },
      hospitalService: 'NEU',
      ambulatoryStatus: 'B6',
      admittingDoctor: { id: 'D7', family: 'HAZEL' },
      visitIdentifier: { id: 'V1' },
      admitTime: '202601041200',
      visitIndicator: 'V',
    });
  });

  it('is none without a PV1, with a remark', () => {
    const reading = readingOf([pid]);
    expect(visitFromHl7(reading)).toBeUndefined();
    expect(reading.remarks.join()).toContain('PV1');
  });

  it.each([
    ['A01', 'PV1^1^3', 'PV1|1|I|||||D6^GUM|||||||||||V1'],
    ['A02', 'PV1^1^3', 'PV1|1|I|||||D6^GUM|||||||||||V1'],
    ['A04', 'PV1^1^8', 'PV1|1|O|W5||||||||||||||||V1'],
    ['A05', 'PV1^1^8', 'PV1|1|O|W5||||||||||||||||V1'],
  ])('misses in %s what its event fills, at %s (RAD TF-2 4.1-3, 4.12)', (event, location, pv1) => {
    const lines = [msh.replace('A04', event), pid, pv1];
    const lenient = startReading(parseMessage(bytesOf(lines)), rules);
    visitFromHl7(lenient);
    expect(lenient.remarks.join()).toContain(location);
    const strict = startReading(parseMessage(bytesOf(lines)), { ...rules, validation: 'strict' });
    expect(failureOf(() => visitFromHl7(strict))).toEqual({ code: 'required-field-missing', location });
  });

  it.each(['A03', 'A06', 'A07', 'A08', 'A11', 'A12', 'A13', 'A38'])(
    'asks in %s for no more than class and visit number, also where the site is strict',
    (event) => {
      const lines = [msh.replace('A04', event), pid, 'PV1|1|I|||||||||||||||||V1^^^HOSP'];
      const strict = startReading(parseMessage(bytesOf(lines)), { ...rules, validation: 'strict' });
      expect(visitFromHl7(strict)?.visitNumber).toBe('V1');
    },
  );

  it.each(['A28', 'A31', 'A40', 'A47'])('is not missed in %s, which is about a person (ITI TF-2 3.30)', (event) => {
    for (const pv1 of [[], ['PV1|1|N']]) {
      const lines = [msh.replace('A04', event), pid, ...pv1];
      const strict = startReading(parseMessage(bytesOf(lines)), { ...rules, validation: 'strict' });
      expect(visitFromHl7(strict)?.patientClass).toBe(pv1.length === 0 ? undefined : 'N');
      expect(strict.remarks).toEqual([]);
    }
  });

  it('is that of the segments of one group, and never of two', () => {
    const reading = readingOf([pid, 'PV1|1|O', 'PID|2||P2||BIRCH', 'PV1|2|I']);
    const [, , , second, visit] = reading.message.segments;
    const group = [second, visit].flatMap((segment) => segment ?? []);
    expect(visitFromHl7(reading, group)?.patientClass).toBe('I');
    expect(patientFromHl7(reading, group).name).toEqual({ family: 'BIRCH' });
    expect(failureOf(() => visitFromHl7(reading))).toEqual({ code: 'segment-sequence', location: 'PV1^2' });
    expect(failureOf(() => patientFromHl7(reading))).toEqual({ code: 'segment-sequence', location: 'PID^2' });
  });

  it('refuses a visit number that DICOM cannot carry', () => {
    expect(failureOf(() => visitOf(pid, `PV1|1|O|||||||||||||||||${'V'.repeat(65)}`))).toEqual({
      code: 'data-type',
      location: 'PV1^1^19^1^1',
    });
  });
});
