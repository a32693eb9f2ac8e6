import { describe, expect, it } from 'vitest';
import { buildAck, readAck } from '../../src/hl7/ack.ts';
import type { AckCode, AckError } from '../../src/hl7/ack.ts';
import { parseMessage, readHeader } from '../../src/hl7/message.ts';
import { bytesOf, linesOf } from './support.ts';

const base = { controlId: 'A1', now: new Date('2026-01-05T08:05:00Z'), timeZone: 'Europe/Berlin' };

function answerTo(msh: string | Uint8Array, code: AckCode = 'AA', error?: AckError): Uint8Array {
  const header = readHeader(typeof msh === 'string' ? bytesOf([msh]) : msh);
  if (!header) throw new Error('the header is not readable');
  return buildAck(header, { ...base, code, ...(error ? { error } : {}) });
}

const msh231 = 'MSH|^~\\&|EMR^1.2^ISO|HOSP^3&4|DSS|RAD|||ORM^O01|C1|T|2.3.1';
const msh251 = 'MSH|^~\\&|EMR|HOSP|DSS|RAD|||OMG^O19^OMG_O19|C2|P|2.5.1^DEU';

describe('an acknowledgement (HL7 v2.5.1 2.9.2, 2.14.8)', () => {
  it('swaps sender and receiver with all components and echoes version and processing id', () => {
    expect(linesOf(answerTo(msh231))).toEqual([
      'MSH|^~\\&|DSS|RAD|EMR^1.2^ISO|HOSP^3&4|20260105090500+0100||ACK^O01^ACK|A1|T|2.3.1',
      'MSA|AA|C1',
    ]);
    expect(linesOf(answerTo(msh251))[0]).toContain('|ACK^O19^ACK|A1|P|2.5.1^DEU');
  });

  it('tells an error of v2.3.1 in ERR-1 and MSA-3', () => {
    const error = { hl7: '101', location: 'PID^1^3^1^4', text: 'PID-3 has no authority | none' };
    expect(linesOf(answerTo(msh231, 'AE', error)).slice(1)).toEqual([
      'MSA|AE|C1|PID-3 has no authority \\F\\ none',
      'ERR|PID^1^3^101',
    ]);
  });

  it('tells an error of v2.5.1 in ERR-2, ERR-3, ERR-4 and ERR-8 and leaves MSA-3 empty', () => {
    const error = { hl7: '101', location: 'PID^1^3^1^4', text: 'PID-3 has no authority' };
    expect(linesOf(answerTo(msh251, 'AE', error)).slice(1)).toEqual([
      'MSA|AE|C2',
      'ERR||PID^1^3^1^4|101^Required field missing^HL70357|E||||PID-3 has no authority',
    ]);
  });

  it('tells an error that is in no field', () => {
    const error = { hl7: '207', text: 'later' };
    expect(linesOf(answerTo(msh231, 'AR', error))[2]).toBe('ERR|^^^207');
    expect(linesOf(answerTo(msh251, 'AR', error))[2]).toBe('ERR|||207^Application internal error^HL70357|E||||later');
  });

  it('carries our own code in ERR-5 from v2.5 on, and nowhere before (HL7 v2.5.1 2.14.5.5)', () => {
    const error = { hl7: '204', text: 'unknown', application: 'unknown-key' };
    expect(linesOf(answerTo(msh251, 'AR', error))[2]).toBe(
      'ERR|||204^Unknown key identifier^HL70357|E|unknown-key^^SWF|||unknown',
    );
    expect(linesOf(answerTo(msh231, 'AR', error))[2]).toBe('ERR|^^^204');
  });

  it.each(['CA', 'CE', 'CR'] as const)('may be an accept acknowledgement %s (HL7 v2.5.1 2.9.3)', (code) => {
    expect(linesOf(answerTo(`${msh251}|||AL|NE`, code))[1]).toBe(`MSA|${code}|C2`);
  });

  it('repeats MSH-18 as the sender did, and its names are read again', () => {
    const msh = Buffer.concat([
      Buffer.from('MSH*:;!%*\x1b$B@DLZ\x1b(B*H*D*R***ADT:A04*C1*P*2.5.1******ISO IR6;ISO IR87\r', 'latin1'),
    ]);
    const answer = answerTo(msh);
    const [first = ''] = linesOf(answer, 'latin1');
    expect([first.includes('*\x1b$B@DLZ\x1b(B*'), first.endsWith('*ISO IR6;ISO IR87')]).toEqual([true, true]);
    expect(parseMessage(answer).get('MSH-5')).toBe('\u9752\u6728');
  });

  it.each(['2.1', '2.3', '2.4', '', 'x'])('counts version %j as one before v2.5', (version) => {
    const lines = linesOf(answerTo(`MSH|^~\\&|A||||||ADT^A04|C1|P|${version}`, 'AE', { hl7: '101', text: 't' }));
    expect(lines[2]).toBe('ERR|^^^101');
  });

  it.each(['2.5', '2.5.1', '2.6', '2.10', '9.9'])('counts version %j as one from v2.5 on', (version) => {
    const lines = linesOf(answerTo(`MSH|^~\\&|A||||||ADT^A04|C1|P|${version}`, 'AE', { hl7: '101', text: 't' }));
    expect(lines[2]).toMatch(/^ERR\|\|\|101\^/);
  });

  it('keeps text within MSA-3 of 80 and ERR-8 of 250 characters', () => {
    const error = { hl7: '101', text: 'x'.repeat(300) };
    expect(linesOf(answerTo(msh231, 'AE', error))[1]).toBe(`MSA|AE|C1|${'x'.repeat(80)}`);
    expect(linesOf(answerTo(msh251, 'AE', error))[2]?.split('|')[8]).toHaveLength(250);
  });

  it("uses the sender's delimiters and escapes by them", () => {
    const msh = 'MSH*:;!%*EMR:1.2*HOSP*D*R***ADT:A04*C1*P*2.3.1';
    const lines = linesOf(answerTo(msh, 'AE', { hl7: '101', location: 'PID^1^3', text: 'PID-3: empty' }));
    expect(lines[0]).toMatch(/^MSH\*:;!%\*D\*R\*EMR:1\.2\*HOSP\*.*\*ACK:A04:ACK\*A1\*P\*2\.3\.1$/);
    expect(lines.slice(1)).toEqual(['MSA*AE*C1*PID-3!S! empty', 'ERR*PID:1:3:101']);
  });

  it('echoes the control id as it was written, so that the sender finds it again', () => {
    expect(linesOf(answerTo('MSH|^~\\&|A||||||ADT^A04|a\\b\\T\\c|P|2.3.1'))[1]).toBe('MSA|AA|a\\b\\T\\c');
  });

  it('answers a message whose delimiters, type and version are missing', () => {
    expect(linesOf(answerTo('MSH|^^', 'AE', { hl7: '102', location: 'MSH^1^2', text: 't' }))).toEqual([
      'MSH|^~\\&|||||20260105090500+0100||ACK|A1|P|2.3.1',
      'MSA|AE||t',
      'ERR|MSH^1^2^102',
    ]);
  });

  it('carries MSH-18 only for text that is not ASCII, in the set of the sender', () => {
    const sent = Buffer.from('MSH|^~\\&|M\xFCHLE||||||ADT^A04|C1|P|2.3.1||||||8859/1\r', 'latin1');
    const answer = answerTo(sent);
    expect(linesOf(answer, 'latin1')[0]).toBe(
      'MSH|^~\\&|||M\xFCHLE||20260105090500+0100||ACK^A04^ACK|A1|P|2.3.1||||||8859/1',
    );
    expect(parseMessage(answer).get('MSH-5')).toBe('M\u00FCHLE');
    expect(linesOf(answerTo(`${msh231}||||||8859/1`))[0]).not.toContain('8859/1');
  });

  it('can be read even when the set of the sender is unknown', () => {
    const sent = Buffer.from('MSH|^~\\&|M\xFCHLE||||||ADT^A04|C1|P|2.3.1||||||KLINGON\r', 'latin1');
    expect(parseMessage(answerTo(sent)).get('MSH-5')).toBe('M\u00FCHLE');
  });

  it('carries no control character of the sender', () => {
    expect(Buffer.from(answerTo('MSH|^~\\&|A\x0b\x1cB||||||ADT^A04|C\x001|P|2.3.1')).toString()).toContain('|AB|');
  });
});

describe('reading an acknowledgement', () => {
  it('reads its own in both versions', () => {
    const error = { hl7: '204', location: 'ORC^1^2', text: 'unknown' };
    const told = { code: 'AR', errorCodes: ['204'], text: 'unknown' };
    expect(readAck(answerTo(msh231, 'AR', error))).toEqual({ ...told, controlId: 'C1' });
    expect(readAck(answerTo(msh251, 'AR', error))).toEqual({ ...told, controlId: 'C2' });
    expect(readAck(answerTo(msh251))).toEqual({ code: 'AA', controlId: 'C2', errorCodes: [] });
  });

  const head = 'MSH|^~\\&|A||||||';

  it.each([
    ['ERR|PID^1^3^101&Required field missing&HL70357', ['101']],
    ['ERR|PID&1&3&101', ['101']],
    ['ERR|PID^1^3^101~PID^1^5^102', ['101', '102']],
    ['ERR||PID^1^3|101^x^HL70357|E\rERR||PID^1^5|206|E', ['101', '206']],
    ['ERR||PID^1^3', []],
  ])('finds the codes of %j', (err, codes) => {
    expect(readAck(Buffer.from(`${head}ACK|1|P|2.5\rMSA|AE|C1\r${err}\r`))?.errorCodes).toEqual(codes);
  });

  it('finds the code of MSA-6', () => {
    expect(readAck(Buffer.from(`${head}ACK|1|P|2.4\rMSA|AE|C1|text|||207^x\r`))).toEqual({
      code: 'AE',
      controlId: 'C1',
      errorCodes: ['207'],
      text: 'text',
    });
  });

  it.each(['ORR^O02', 'ORG^O20^ORG_O20', 'ORI^O24^ORI_O24'])('reads MSA of %s', (type) => {
    const response = bytesOf([`${head}${type}|1|P|2.5.1`, 'MSA|AA|C7', 'PID|1', 'ORC|NA|1|2']);
    expect(readAck(response)).toEqual({ code: 'AA', controlId: 'C7', errorCodes: [] });
  });

  it('reads one that a parser would refuse', () => {
    const odd = Buffer.from(`${head}ACK|1|P|2.3||||||KLINGON\nMSA|AA|C1\nwhatever\xff\n`, 'latin1');
    expect(readAck(odd)).toEqual({ code: 'AA', controlId: 'C1', errorCodes: [] });
  });

  it('gives undefined where there is none', () => {
    expect(readAck(bytesOf([msh231, 'PID|1']))).toBeUndefined();
    expect(readAck(Buffer.from('hello'))).toBeUndefined();
  });
});
