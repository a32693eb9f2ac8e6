import { describe, expect, it } from 'vitest';
import { procedureControls, procedureToHl7 } from '../../src/mapping/procedure-to-hl7.ts';
import { rendered } from '../../src/mapping/rendered.ts';
import { type OrderSubject, pid, segment } from '../../src/mapping/segments-to-hl7.ts';
import { SwfError } from '../../src/platform/errors.ts';
import { envelope, procedure, received, subject } from './outgoing.ts';

const named = (family: string): OrderSubject => ({
  ...subject,
  patient: { ...subject.patient, name: { family, given: 'ADA' } },
});

const sent = (family: string, characterSet?: string) =>
  procedureToHl7(envelope('2.3.1', characterSet), named(family), procedure, procedureControls.scheduled);

describe('the character set of a message that is sent (HL7 v2.5.1 2.14.9.18)', () => {
  it('given text of ASCII, then MSH-18 is empty, whatever the receiver wants', () => {
    const message = sent('ALDER', '8859/1');
    expect([received(message).get('MSH-18'), message.remark]).toEqual([undefined, undefined]);
  });

  it('given text that the receiver can read, then it is written in his set and nothing is remarked', () => {
    const message = sent('ÅLDER', '8859/1');
    expect([received(message).get('MSH-18'), received(message).get('PID-5.1')]).toEqual(['8859/1', 'ÅLDER']);
    expect(message.remark).toBeUndefined();
  });

  it('given text that the receiver cannot read, then it goes whole in UTF-8, with a remark that quotes nothing of it', () => {
    const message = sent('Ольха', '8859/1');
    expect([received(message).get('MSH-18'), received(message).get('PID-5.1')]).toEqual(['UNICODE UTF-8', 'Ольха']);
    expect(message.remark).toMatch(/ORM\^O01.*8859\/1.*UNICODE UTF-8/);
    expect(message.remark).not.toContain('Ольха');
  });

  it('given a receiver without a set of his own, then UTF-8 is what was wanted: nothing is remarked', () => {
    const message = sent('Ольха');
    expect([received(message).get('MSH-18'), message.remark]).toEqual(['UNICODE UTF-8', undefined]);
  });
});

describe('the structure of a message that is sent (HL7 v2.5.1 2.12)', () => {
  const form = { messageType: 'ORM^O01', structure: 'ORM_O01 RAD-4' };
  const attempt = (...names: string[]): (() => unknown) => {
    const segments = names.map((name) => (name === 'PID' ? pid(subject.patient, '2.3.1') : segment(name, { 1: '1' })));
    return () => rendered(envelope('2.3.1'), form, segments);
  };

  it('given all segments in their order, then it is written', () => {
    expect(attempt('PID', 'PV1', 'ORC', 'OBR', 'ZDS')).not.toThrow();
  });

  it.each([
    ['ZDS', ['PID', 'PV1', 'ORC', 'OBR']],
    ['OBR', ['PID', 'PV1', 'ORC', 'ZDS']],
    ['PV1', ['PID', 'ORC', 'OBR', 'ZDS']],
    ['NTE', ['PID', 'PV1', 'ORC', 'OBR', 'NTE', 'ZDS']],
  ])('given %s missing or out of place, then nothing is written, and the error names it', (name, names) => {
    expect(attempt(...names)).toThrow(SwfError);
    expect(attempt(...names)).toThrow(new RegExp(`ORM\\^O01.*${name}`));
  });

  it('given a version that the message does not have, then nothing is written: RAD-4 knows v2.3.1 and v2.5.1', () => {
    const appointmentsAlone = (): unknown =>
      procedureToHl7(envelope('2.4'), subject, procedure, procedureControls.scheduled);
    expect(appointmentsAlone).toThrow(SwfError);
  });
});
