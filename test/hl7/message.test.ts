import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMessage, parsePlace, readHeader } from '../../src/hl7/message.ts';
import { bytesOf, failureOf } from './support.ts';

const msh = 'MSH|^~\\&|EMR^1.2.3^ISO|HOSPITAL|DSS|RAD|20260105090500+0100||ORM^O01^ORM_O01|C1|P|2.3.1';
const order = [
  msh,
  'PID|||583070^^^ADT1&1.2.3&ISO^MR~77^^^SSA||MUELLER^ANNA||""|F',
  'ORC|NW|A1^EMR',
  'OBR|1|A1^EMR||X1^Chest',
  'OBR|2|A2^EMR||X2^Hand||||||||||||||ACC2',
];

describe('values of a message (HL7 v2.5.1 2.5.3)', () => {
  it('gives components, subcomponents and repetitions by their numbers', () => {
    const message = parseMessage(bytesOf(order));
    expect(message.get('PID-3.1')).toBe('583070');
    expect(message.get('PID-3.4.2')).toBe('1.2.3');
    expect(message.get('PID-3(2).4.1')).toBe('SSA');
    expect(message.get('OBR[2]-18')).toBe('ACC2');
    expect(message.first('PID')?.get(3, 4, 1, 2)).toBe('SSA');
  });

  it('gives the first component and subcomponent when none is asked for', () => {
    const message = parseMessage(bytesOf(order));
    expect(message.get('OBR-4')).toBe('X1');
    expect(message.get('PID-3.4')).toBe('ADT1');
  });

  it('tells absent and empty from deleted', () => {
    const message = parseMessage(bytesOf(order));
    expect(message.get('PID-7')).toBeNull();
    expect(message.get('PID-7.2')).toBeNull();
    expect(message.get('PID-6')).toBeUndefined();
    expect(message.get('PID-40')).toBeUndefined();
    expect(message.get('ZZZ-1')).toBeUndefined();
    expect(message.get('PID-3(3).1')).toBeUndefined();
  });

  it('reads a deleted component and subcomponent beside others as null', () => {
    const pid = parseMessage(bytesOf([msh, 'PID|||1^""^^A&""&ISO'])).first('PID');
    expect(pid?.get(3, 1)).toBe('1');
    expect(pid?.get(3, 2)).toBeNull();
    expect(pid?.get(3, 4, 2)).toBeNull();
    expect(pid?.get(3, 4, 3)).toBe('ISO');
  });

  it('counts repetitions, components and fields', () => {
    const pid = parseMessage(bytesOf(order)).first('PID');
    expect([pid?.repetitions(3), pid?.repetitions(2), pid?.components(3), pid?.components(3, 2)]).toEqual([2, 0, 5, 4]);
    expect(pid?.fields).toBe(8);
  });

  it('reads very many repetitions in a time that grows with their number', () => {
    const pid = parseMessage(bytesOf([msh, `PID|||${'7~'.repeat(100_000)}8`])).first('PID');
    const count = pid?.repetitions(3) ?? 0;
    const values = Array.from({ length: count }, (_, index) => pid?.get(3, 1, 1, index + 1));
    expect([count, values[0], values[100_000]]).toEqual([100_001, '7', '8']);
  });

  it('numbers segments within their name and keeps the order of the message', () => {
    const message = parseMessage(bytesOf(order));
    const names = message.segments.map((segment) => `${segment.name}${segment.sequence}`);
    expect(names).toEqual(['MSH1', 'PID1', 'ORC1', 'OBR1', 'OBR2']);
    expect(message.all('OBR').map((obr) => obr.get(1))).toEqual(['1', '2']);
    expect(message.segments[4]?.get(18)).toBe('ACC2');
  });

  it('gives MSH-1 and MSH-2 as they stand', () => {
    const first = parseMessage(bytesOf(order)).first('MSH');
    expect([first?.get(1), first?.get(2), first?.get(3), first?.get(3, 2)]).toEqual(['|', '^~\\&', 'EMR', '1.2.3']);
    expect([first?.repetitions(2), first?.components(2), first?.fields]).toEqual([1, 1, 12]);
  });

  it('refuses a place that is not written as one', () => {
    expect(parsePlace('PID-3(2).4.1')).toEqual({
      segment: 'PID',
      sequence: 1,
      field: 3,
      repetition: 2,
      component: 4,
      subcomponent: 1,
    });
    expect(['PID', 'PID-0', 'pid-3', 'PID-3.', 'PID[0]-3', 'PID-3.1.1.1'].map(parsePlace)).toEqual(
      Array(6).fill(undefined),
    );
    expect(failureOf(() => parseMessage(bytesOf(order)).get('PID.3')).code).toBe('internal');
  });
});

describe('segments (HL7 v2.5.1 2.5.1)', () => {
  it.each(['\r', '\n', '\r\n', '\r\r', '\n\n\r'])('ends a segment at %j and skips empty lines', (end) => {
    const message = parseMessage(Buffer.from(order.join(end)));
    expect(message.segments).toHaveLength(5);
    expect(message.get('PID-8')).toBe('F');
  });

  it('skips a byte order mark and line ends before MSH', () => {
    expect(parseMessage(Buffer.from(`\uFEFF\r\n${order.join('\r')}`)).header.controlId).toBe('C1');
  });

  it.each(['pid|1', 'PI|1', 'PIDX|1', '1ID|1', ' PID|1', 'x'])('refuses %j as a segment with 100', (line) => {
    expect(failureOf(() => parseMessage(bytesOf([msh, line]))).code).toBe('segment-sequence');
  });

  it('accepts a segment of its name alone', () => {
    expect(parseMessage(bytesOf([msh, 'PID', 'Z01|x'])).get('Z01-1')).toBe('x');
  });

  it('refuses a second MSH: patients of two messages must not mix', () => {
    const refusal = failureOf(() => parseMessage(bytesOf([msh, 'PID|1', msh, 'PID|2'])));
    expect(refusal).toEqual({ code: 'segment-sequence', location: 'MSH^2' });
  });

  it('refuses what does not begin with MSH', () => {
    expect(failureOf(() => parseMessage(bytesOf(['PID|1']))).location).toBe('MSH^1');
    expect(failureOf(() => parseMessage(new Uint8Array())).code).toBe('segment-sequence');
  });

  it('refuses a message without type at MSH-9', () => {
    const refusal = failureOf(() => parseMessage(bytesOf(['MSH|^~\\&'])));
    expect(refusal).toEqual({ code: 'required-field-missing', location: 'MSH^1^9' });
  });

  it('refuses a flood of tiny segments', () => {
    const flood = Buffer.from(msh + '\rAAA'.repeat(100_001));
    expect(failureOf(() => parseMessage(flood)).code).toBe('segment-sequence');
  });
});

describe('delimiters (HL7 v2.5.1 2.5.4)', () => {
  it('reads whatever MSH-1 and MSH-2 declare', () => {
    const message = parseMessage(bytesOf(['MSH*:;!%*EMR*H*D*R***ORM:O01*C1*P*2.3.1', 'PID***1:::A%2;3*a!S!b!F!']));
    expect(message.header.delimiters.field).toBe('*');
    expect(message.get('PID-3.4.2')).toBe('2');
    expect(message.get('PID-3(2).1')).toBe('3');
    expect(message.get('PID-4')).toBe('a:b*');
  });

  it('accepts the truncation character of v2.7', () => {
    const message = parseMessage(bytesOf(['MSH|^~\\&#|EMR|H|D|R|||ORM^O01|C1|P|2.7', 'NTE|1||a\\P\\b']));
    expect(message.get('NTE-3')).toBe('a#b');
  });

  it.each([
    'MSH|^~\\|A',
    'MSH|^^\\&|A',
    'MSH|^~\\|',
    'MSH|||||',
    'MSH|^~\\&#%|A',
    'MSH|abcd|A',
    'MSH|^~ &|A',
    'MSHx^~\\&xA',
    'MSH',
  ])('refuses %j with 102 at MSH-2', (line) => {
    expect(failureOf(() => parseMessage(bytesOf([line])))).toEqual({ code: 'data-type', location: 'MSH^1^2' });
  });
});

describe('escape sequences (HL7 v2.5.1 2.7)', () => {
  const read = (text: string, set = 'UNICODE UTF-8') =>
    parseMessage(bytesOf([`${msh}||||||${set}`, `NTE|1||${text}`])).get('NTE-3');

  it.each([
    ['\\F\\\\S\\\\T\\\\R\\\\E\\', '|^&~\\'],
    ['one\\.br\\two', 'one\ntwo'],
    ['\\H\\bold\\N\\', 'bold'],
    ['\\X0D\\', '\r'],
    ['\\XC3BC\\', '\u00FC'],
    ['\\XC3\\\\XBC\\', '\u00FC'],
    ['\\Z01\\ \\.sp2\\', '\\Z01\\ \\.sp2\\'],
    ['a\\C2842\\b \\M2442\\;3 \\M242844\\', 'a\\C2842\\b \\M2442\\;3 \\M242844\\'],
    ['\\X41\\\\X\\\\X42\\', 'A\\X\\B'],
    ['\\XE6\\\\XBCA2\\\\XE5AD97\\', '\u6F22\u5B57'],
    ['\\XC3\\', '\\XC3\\'],
    ['\\X0\\ \\XZZ\\ \\X\\', '\\X0\\ \\XZZ\\ \\X\\'],
    ['\\\\server\\share', '\\\\server\\share'],
    ['C:\\temp', 'C:\\temp'],
  ])('reads %j as %j', (text, value) => {
    expect(read(text)).toBe(value);
  });

  it('writes a switch of character sets in the escape character of each message (HL7 v2.5.1 2.7.3)', () => {
    const custom = parseMessage(bytesOf(['MSH*:;!%*EMR*H*D*R***ORM:O01*C1*P*2.3.1', 'NTE*1**a!C2842!b!M2442!c']));
    expect(custom.get('NTE-3')).toBe('a\\C2842\\b\\M2442\\c');
  });

  it('reads hexadecimal bytes in the set of the message', () => {
    expect(read('\\XFC\\', '8859/1')).toBe('\u00FC');
    expect(read('\\XD6D0\\', 'GB 18030-2000')).toBe('\u4E2D');
  });

  it('reads very long hexadecimal runs in a time that grows with their length', () => {
    expect(read('\\X41\\'.repeat(100_000))).toHaveLength(100_000);
    expect(read('\\XFF\\'.repeat(100_000))).toHaveLength(500_000);
    expect(read(`\\X${'41'.repeat(1_000_000)}\\`)).toHaveLength(1_000_000);
  });

  it('gives undefined for a value of highlighting only', () => {
    expect(read('\\H\\\\N\\')).toBeUndefined();
  });
});

describe('header (HL7 v2.5.1 2.14.9)', () => {
  it('reads names, type, control id, version and what to acknowledge', () => {
    const header = readHeader(bytesOf([`${msh}|||AL|NE||UNICODE UTF-8~ISO IR87`]));
    expect(header).toMatchObject({
      sendingApplication: 'EMR',
      sendingFacility: 'HOSPITAL',
      receivingApplication: 'DSS',
      receivingFacility: 'RAD',
      dateTime: '20260105090500+0100',
      messageType: 'ORM',
      triggerEvent: 'O01',
      messageStructure: 'ORM_O01',
      controlId: 'C1',
      processingId: 'P',
      version: '2.3.1',
      acceptAcknowledgement: 'AL',
      applicationAcknowledgement: 'NE',
      characterSets: ['UNICODE UTF-8', 'ISO IR87'],
    });
    expect(header?.rawFields[3]).toBe('EMR^1.2.3^ISO');
  });

  it('reads the header of a message that cannot be parsed, so that it can be answered', () => {
    expect(readHeader(bytesOf(['MSH|^^^^|EMR|||||| ORM^O01|C9|P|2.3.1', 'nonsense']))?.controlId).toBe('C9');
    expect(readHeader(bytesOf([msh.replace('|P|', '|P|') + '||||||KLINGON', 'x']))?.controlId).toBe('C1');
    expect(readHeader(Buffer.from('MSH|^~\\&'))?.controlId).toBe('');
    expect(readHeader(Buffer.from('MSH^'))?.delimiters).toMatchObject({ field: '^', component: '|' });
  });

  it('gives up where there is no separator', () => {
    expect(
      ['', 'MS', 'MSH', 'MSHA', 'MSH ', 'hello world', 'PID|1'].map((text) => readHeader(Buffer.from(text))),
    ).toEqual(Array(7).fill(undefined));
  });

  it('never fails, whatever the bytes are', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.uint8Array().map((tail) => Buffer.concat([Buffer.from('MSH|'), tail])),
    );
    fc.assert(
      fc.property(bytes, (message) => {
        const header = readHeader(message);
        expect(header === undefined || typeof header.controlId === 'string').toBe(true);
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it('ends parsing of damaged messages in a value or a failure of the list', () => {
    const whole = bytesOf(order);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [position, byte] of changes) bytes[position] = byte;
        try {
          expect(parseMessage(bytes).header.messageType).not.toBe('');
        } catch (thrown) {
          expect(thrown).toHaveProperty('name', 'SwfError');
        }
      }),
      { seed: 11, numRuns: 1000 },
    );
  });
});
