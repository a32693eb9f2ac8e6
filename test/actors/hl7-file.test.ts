import { describe, expect, it } from 'vitest';
import { renderMessage } from '../../actors/hl7-file.ts';
import { startScope } from '../../actors/template.ts';
import { parseMessage } from '../../src/hl7/message.ts';
import { fixedClock } from '../../src/platform/clock.ts';
import { countedIds } from '../../src/platform/ids.ts';

const sources = { run: 'k3f9', clock: fixedClock('2026-03-01T11:30:15Z'), ids: countedIds(), timeZone: 'UTC' };
const scope = startScope({ patientId: 'P-${run}', patientName: 'DOE^JO' }, sources);
const parties = {
  sender: { application: 'EMR', facility: 'HOSPITAL' },
  receiver: { application: 'SWF_OF', facility: 'RADIOLOGY' },
};
const render = (text: string): { bytes: Uint8Array; controlId: string } => renderMessage(text, scope, parties);

describe('a message file', () => {
  it('is sent with CR at every line end, whatever the file has (HL7 v2.5.1 2.6)', () => {
    const { bytes } = render('MSH|^~\\&|A|B|C|D|1||ADT^A04|X|P|2.3.1\r\nPID|||1\n\nPV1||O');

    expect(Buffer.from(bytes).toString()).toBe('MSH|^~\\&|A|B|C|D|1||ADT^A04|X|P|2.3.1\rPID|||1\rPV1||O\r');
  });

  it('gets sender, receiver, time and control id where it leaves them empty', () => {
    const { bytes, controlId } = render('MSH|^~\\&|||||||ADT^A04||P|2.3.1\nPID|||${patientId}||${patientName}\n');
    const message = parseMessage(bytes);

    expect(message.header).toMatchObject({
      sendingApplication: 'EMR',
      sendingFacility: 'HOSPITAL',
      receivingApplication: 'SWF_OF',
      receivingFacility: 'RADIOLOGY',
      dateTime: '20260301113015',
      controlId,
    });
    expect(controlId).not.toBe('');
    expect(message.get('PID-3')).toBe('P-k3f9');
    expect(message.get('PID-5.2')).toBe('JO');
  });

  it('keeps what it says of sender and control id, so that a scenario can play somebody else', () => {
    const { bytes, controlId } = render('MSH|^~\\&|OLD_HIS|CLINIC|||||ADT^A04|${controlId}|P|2.3.1\n');

    expect(parseMessage(bytes).header).toMatchObject({ sendingApplication: 'OLD_HIS', sendingFacility: 'CLINIC' });
    expect(controlId).toMatch(/^C\d+$/);
  });

  it('is encoded as MSH-18 says, in UTF-8 when it says nothing (HL7 v2.5.1 2.14.9.18)', () => {
    const head = 'MSH|^~\\&|A|B|C|D|1||ADT^A04|X|P|2.3.1';

    expect(Buffer.from(render(`${head}||||||8859/1\nPID|||é`).bytes).includes(0xe9)).toBe(true);
    expect(Buffer.from(render(`${head}\nPID|||é`).bytes).includes(Buffer.from('é'))).toBe(true);
    expect(() => render(`${head}||||||8859/1\nPID|||Ж`)).toThrow('a character that MSH-18 8859/1 cannot carry');
  });

  it('may be wrong on purpose: without MSH it is sent as it stands', () => {
    const { bytes, controlId } = render('PID|||1');

    expect(Buffer.from(bytes).toString()).toBe('PID|||1\r');
    expect(controlId).toBe('');
  });
});
