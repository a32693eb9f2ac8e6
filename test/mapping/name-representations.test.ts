import { describe, expect, it } from 'vitest';
import { encodeMessage, mshSegment } from '../../src/hl7/encode.ts';
import { parseMessage } from '../../src/hl7/message.ts';
import { patientFromHl7 } from '../../src/mapping/patient-from-hl7.ts';
import { startReading } from '../../src/mapping/reader.ts';
import { pid } from '../../src/mapping/segments-to-hl7.ts';
import { personNameOf } from '../../src/workflow/person-name.ts';
import type { PersonName } from '../../src/workflow/vocabulary.ts';
import { bytesOf, failureOf, linesOf } from '../hl7/support.ts';

const rules = {
  assigningAuthority: 'SENDER',
  station: undefined,
  serviceCode: 'OBR-4.1',
  timeZone: 'Asia/Tokyo',
  validation: 'lenient',
} as const;

function statementOf(bytes: Uint8Array) {
  return patientFromHl7(startReading(parseMessage(bytes), rules));
}

const msh = 'MSH|^~\\&|ADT|HOSP|||||ADT^A04|E1|P|2.5.1||||||UNICODE UTF-8';
const nameOf = (pid5: string): PersonName => statementOf(bytesOf([msh, `PID|1||P1^^^HOSP||${pid5}||19700102|F`])).name;

const aoki: PersonName = {
  family: 'AOKI',
  given: 'MISAKI',
  ideographic: { family: '青木', given: '美咲' },
  phonetic: { family: 'あおき', given: 'みさき' },
};

describe('PID-5 in several representations (HL7 v2.5.1 2.A.88, table 4000; PS3.5 6.2.1.2)', () => {
  it.each([
    ['alphabetic first', 'AOKI^MISAKI^^^^^L^A~青木^美咲^^^^^L^I~あおき^みさき^^^^^L^P'],
    ['alphabetic last', '青木^美咲^^^^^L^I~あおき^みさき^^^^^L^P~AOKI^MISAKI^^^^^L^A'],
    ['alphabetic unmarked', 'AOKI^MISAKI~青木^美咲^^^^^L^I~あおき^みさき^^^^^^p'],
    ['an alias among them', 'AOKI^MISAKI^^^^^L~旧姓^美咲^^^^^M^I~青木^美咲^^^^^L^I~あおき^みさき^^^^^D^P'],
  ])('given %s, then each is a group of the one name', (_, pid5) => {
    expect(nameOf(pid5)).toEqual(aoki);
    expect(personNameOf(nameOf(pid5))).toBe('AOKI^MISAKI=青木^美咲=あおき^みさき');
  });

  it.each([
    ['I', '青木^美咲^^^^^L^I', { ideographic: { family: '青木', given: '美咲' } }],
    ['P', 'あおき^^^^^^L^P', { phonetic: { family: 'あおき' } }],
  ])('given a single name marked %s, then it is a name without an alphabetic group', (_, pid5, name) => {
    expect(nameOf(pid5)).toEqual(name);
  });

  it('given a second name without a mark, then the first is the name as ever', () => {
    expect(nameOf('ALDER^ADA^^^^^L~BIRCH^ADA^^^^^M')).toEqual({ family: 'ALDER', given: 'ADA' });
    expect(nameOf('ALDER^ADA^^^^^L^X')).toEqual({ family: 'ALDER', given: 'ADA' });
  });

  it.each(['', '^^', '^^M^^^^L^I', '~', '""~""'])('given %j, then no representation has a name: 101', (pid5) => {
    expect(failureOf(() => nameOf(pid5))).toEqual({ code: 'required-field-missing', location: 'PID^1^5' });
  });

  it('reads very many repetitions in a time that grows with their number', () => {
    expect(nameOf('ALDER^ADA~'.repeat(100_000))).toEqual({ family: 'ALDER', given: 'ADA' });
  });
});

describe('PID-5 and PID-6 that we send', () => {
  const patient = {
    identifiers: [{ value: 'P1', assigningAuthority: 'HOSP' }],
    name: aoki,
    demographics: { motherName: { phonetic: { family: 'あおき' } } },
  };
  const envelope = {
    sendingApplication: 'DSS',
    dateTime: '20260105090500',
    messageType: 'ADT',
    triggerEvent: 'A08',
    controlId: 'C1',
    version: '2.5.1',
  };

  it('given more than the alphabetic name, then each is a repetition with XPN-8', () => {
    const bytes = encodeMessage([mshSegment(envelope), pid(patient, '2.5.1')], { characterSet: '' });
    const fields = linesOf(bytes)[1]?.split('|') ?? [];
    expect(fields.slice(5, 7)).toEqual(['AOKI^MISAKI^^^^^^A~青木^美咲^^^^^^I~あおき^みさき^^^^^^P', 'あおき^^^^^^^P']);
  });

  it('given the alphabetic name alone, then it is not marked', () => {
    const alone = { ...patient, name: { family: 'ALDER', given: 'ADA' }, demographics: {} };
    const bytes = encodeMessage([mshSegment(envelope), pid(alone, '2.5.1')], { characterSet: '' });
    expect(linesOf(bytes)[1]?.split('|')[5]).toBe('ALDER^ADA');
  });

  it.each(['', 'ISO IR6~ISO IR87', 'UNICODE UTF-8', 'GB 18030-2000'])(
    'given a peer that wants %j, then it reads the three names again',
    (characterSet) => {
      const bytes = encodeMessage([mshSegment(envelope), pid(patient, '2.5.1')], { characterSet });
      expect(statementOf(bytes)).toMatchObject({
        name: aoki,
        demographics: { motherName: { phonetic: { family: 'あおき' } } },
      });
    },
  );
});
