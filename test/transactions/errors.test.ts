import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  type Envelope,
  type Sender,
  adt,
  connectSender,
  field,
  framed,
  messageOf,
  msh,
  omg,
  orm,
  pid,
  pv1,
  segment,
  serial,
} from '../support/messages.ts';
import { type TestServer, startTestServer } from '../support/server.ts';

let server: TestServer;
let sender: Sender;
beforeAll(async () => {
  server = await startTestServer();
  sender = await connectSender(server.ports.hl7);
});
afterAll(async () => {
  sender.end();
  await server.stop();
});

const NAME = 'Unmistakable^Name';

/** An order message in the dialect of a version. */
const order = (fields: object, envelope: Envelope, patient = `E${serial()}^^^CLINIC`): string =>
  (envelope.version === '2.5.1' ? omg : orm)([fields], { identifier: patient, name: NAME }, envelope);

const merge = (identifier: string, prior: string, envelope: Envelope): string =>
  messageOf(msh('ADT^A40^ADT_A39', envelope), 'EVN|A40', pid({ identifier, name: NAME }), segment('MRG', { 1: prior }));

const orderLocation = (seg: string, version: string): string => (version === '2.5.1' ? `${seg}^1` : seg);

interface Fault {
  readonly code: 'AE' | 'AR';
  readonly what: string;
  /** Where it is, as ERR-2 begins; ERR-1 of v2.3.1 has segment, sequence and field of it. */
  readonly at: string;
  readonly make: (envelope: Envelope) => string;
}

const faults: Readonly<Record<string, Fault>> = {
  100: {
    code: 'AE',
    what: 'an order without PID',
    at: 'PID^1',
    make: (envelope) => order({}, envelope).replace(/PID\|[^\r]*\r/, ''),
  },
  101: {
    code: 'AE',
    what: 'a registration without PID-3',
    at: 'PID^1^3',
    make: (envelope) => adt('A04', { identifier: '', name: NAME }, envelope),
  },
  102: {
    code: 'AE',
    what: 'a requested start that is no time',
    at: 'OBR^1^36',
    make: (envelope) => order({ obr36: 'tomorrow' }, envelope),
  },
  103: {
    code: 'AE',
    what: 'an order control that nobody knows',
    at: 'ORC^1^1',
    make: (envelope) => order({ control: 'ZZ' }, envelope),
  },
  200: {
    code: 'AR',
    what: 'a message type that nobody reads',
    at: 'MSH^1^9',
    make: (envelope) => messageOf(msh('MFN^M02^MFN_M02', envelope), 'MFI|X'),
  },
  201: {
    code: 'AR',
    what: 'an event that nobody carries out',
    at: 'MSH^1^9',
    make: (envelope) => adt('A60', { name: NAME }, envelope),
  },
  202: {
    code: 'AR',
    what: 'an unknown processing id',
    at: 'MSH^1^11',
    make: (envelope) => adt('A04', { name: NAME }, { ...envelope, processingId: 'X' }),
  },
  204: {
    code: 'AR',
    what: 'a cancel of an order that nobody placed',
    at: 'ORC^1^2',
    make: (envelope) => order({ control: 'CA', placerOrderNumber: `NOBODY${serial()}^HIS` }, envelope),
  },
  205: {
    code: 'AR',
    what: 'a merge of a patient into himself',
    at: 'MRG^1^1',
    make: (envelope) => merge('SAME1^^^CLINIC', 'SAME1^^^CLINIC', envelope),
  },
};

const isLater = (version: string): boolean => version !== '2.3.1' && version !== '2.4';

/** ERR as its version has it, and nothing of the patient anywhere. */
function expectError(answer: Answer, version: string, expected: { code: string; error: string; at: string }): void {
  const { raw } = answer;
  const [segmentName = '', sequence = '', number = ''] = expected.at.split('^');
  expect(answer).toMatchObject({ code: expected.code, error: expected.error });
  if (isLater(version)) {
    // HL7 v2.5.1 2.14.5, ITI TF-2 Appendix C: ERR-1 and MSA-3 are not used.
    expect(field(raw, 'ERR', 1)).toBe('');
    expect(`${field(raw, 'ERR', 2)}^`.startsWith(`${expected.at}^`), field(raw, 'ERR', 2)).toBe(true);
    expect(field(raw, 'ERR', 3)).toMatch(new RegExp(`^${expected.error}\\^[^^]+\\^HL70357$`));
    expect(field(raw, 'ERR', 4)).toBe('E');
    expect(field(raw, 'ERR', 5)).toMatch(/^[a-z-]+\^\^SWF$/);
    expect(field(raw, 'ERR', 8)).toMatch(/^\S.{8,}/);
    expect(field(raw, 'MSA', 3)).toBe('');
  } else {
    // HL7 v2.3.1 2.24.4: one component each for segment, sequence, field and code.
    expect(field(raw, 'ERR', 1)).toBe(`${segmentName}^${sequence}^${number}^${expected.error}`);
    expect(field(raw, 'ERR', 2)).toBe('');
    expect(field(raw, 'MSA', 3)).toMatch(/^\S.{8,}/);
    expect(field(raw, 'MSA', 3).length).toBeLessThanOrEqual(80);
  }
  expect(raw).not.toMatch(/Unmistakable|Name\b/);
}

describe('every code of HL7 table 0357 in the version of the sender (ITI TF-2 Appendix C: 1xx is AE, 2xx is AR)', () => {
  const cells = ['2.3.1', '2.4', '2.5', '2.5.1', '2.7', '2.8.2'].flatMap((version) =>
    Object.entries(faults).map(([error, fault]) => ({ version, error, ...fault })),
  );

  it.each(cells)('given $what in v$version, then $code $error at $at', async ({ version, error, code, at, make }) => {
    const message = make({ version });
    const answer = await sender.send(message);
    expectError(answer, version, { code, error, at });
    expect(answer.controlId).toBe(field(message, 'MSH', 10));
    expect(field(answer.raw, 'MSH', 12)).toBe(version);
    const event = field(message, 'MSH', 9).split('^')[1] ?? '';
    expect(field(answer.raw, 'MSH', 9)).toBe(`ACK^${event}^ACK`);
    const journal = await server.store.prisma.message.findMany({ where: { controlId: answer.controlId } });
    expect(journal).toMatchObject([{ outcome: 'REFUSED', answerCode: code, remarks: [expect.any(String)] }]);
    expect(journal[0]?.remarks.join()).not.toContain('Unmistakable');
  });

  it.each([
    ['2.2', '2.3.1'],
    ['2.1', '2.3.1'],
    ['3.0', '2.5.1'],
    ['99', '2.5.1'],
  ])('given v%s, which nobody speaks, then AR 203 in the form of v%s', async (version, form) => {
    const answer = await sender.send(adt('A04', { name: NAME }, { version }));
    expectError(answer, form, { code: 'AR', error: '203', at: 'MSH^1^12' });
  });

  it('given a placer order number that is taken, then AR 205 at the ORC that has it', async () => {
    const placerOrderNumber = `E${serial()}^HIS`;
    expect(await sender.send(order({ placerOrderNumber }, { version: '2.5.1' }))).toMatchObject({ code: 'AA' });
    const answer = await sender.send(order({ placerOrderNumber }, { version: '2.5.1' }));
    expectError(answer, '2.5.1', { code: 'AR', error: '205', at: `${orderLocation('ORC', '2.5.1')}^2` });
  });

  it('given the second of two orders is wrong, then the location is the second ORC', async () => {
    const message = orm([{}, { control: 'ZZ' }], { name: NAME }, { version: '2.3.1' });
    expectError(await sender.send(message), '2.3.1', { code: 'AE', error: '103', at: 'ORC^2^1' });
  });
});

describe('what the database cannot do (206, 207)', () => {
  const failing = async (sqlState: string): Promise<TestServer> => {
    const own = await startTestServer();
    await own.store.prisma.$executeRawUnsafe(
      `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${sqlState}'; END $$`,
    );
    await own.store.prisma.$executeRawUnsafe(
      'CREATE TRIGGER fail BEFORE INSERT ON "Patient" FOR EACH ROW EXECUTE FUNCTION fail()',
    );
    return own;
  };

  it.each([
    ['a serialisation failure that does not end', '40001', '206', 'conflict'],
    ['a deadlock that does not end', '40P01', '206', 'conflict'],
    ['an error that nobody foresaw', 'XX000', '207', 'internal'],
    ['a database that is being shut down', '57P01', '207', 'database-unavailable'],
  ])(
    'given %s, then AR %s: the sender may send it again, and nothing of it is stored',
    async (_what, sqlState, error, own) => {
      const broken = await failing(sqlState);
      const one = await connectSender(broken.ports.hl7);
      const message = adt('A04', { name: NAME }, { version: '2.5.1' });
      const answer = await one.send(message);
      expect(answer).toMatchObject({ code: 'AR', error });
      expect(field(answer.raw, 'ERR', 5)).toBe(`${own}^^SWF`);
      expect(field(answer.raw, 'ERR', 2)).toBe('');
      expect(answer.raw).not.toContain('Unmistakable');
      expect(await broken.store.prisma.patient.count()).toBe(0);
      await broken.store.prisma.$executeRawUnsafe('DROP TRIGGER fail ON "Patient"');
      expect(await one.send(message)).toMatchObject({ code: 'AA' });
      one.end();
      await broken.stop();
    },
  );

  it('given no database at all, then AR 207 in either form, although not even the journal can be written', async () => {
    const lost = await startTestServer();
    const one = await connectSender(lost.ports.hl7);
    await lost.store.close();
    await lost.database.drop();
    for (const version of ['2.3.1', '2.5.1']) {
      expect(await one.send(adt('A04', {}, { version }))).toMatchObject({ code: 'AR', error: '207' });
    }
    one.end();
    await lost.stop();
  });
});

describe('delimiters and the ends of lines (HL7 v2.5.1 2.5.4, 2.14.9.1, 2.14.9.2)', () => {
  /** A message in other delimiters: field, component, repetition, escape, subcomponent, truncation. */
  function inDelimiters(message: string, all: string): string {
    const [field = '', component = '', repetition = '', escape = '', subcomponent = ''] = all;
    const other: Readonly<Record<string, string>> = {
      '|': field,
      '^': component,
      '~': repetition,
      '\\': escape,
      '&': subcomponent,
    };
    const [, ...rest] = message.split('|^~\\&|');
    return `MSH${all}${field}${rest.join('').replaceAll(/[|^~\\&]/g, (delimiter) => other[delimiter] ?? '')}`;
  }

  it.each([
    ['five characters in MSH-2 (v2.7)', '|^~\\&#'],
    ['other ones', '#*@?%'],
    ['five other ones', '!:;/,+'],
    ['the caret as field separator', '^|~\\&'],
  ])('given %s, then a refusal has its location and sentence in the same', async (_what, all) => {
    const message = inDelimiters(adt('A04', { identifier: '', name: NAME }, { version: '2.5.1' }), all);
    const { raw } = await sender.send(message);
    expect(raw.startsWith(`MSH${all}${all.charAt(0)}`)).toBe(true);
    const fields = (name: string): string[] =>
      raw
        .split('\r')
        .find((line) => line.startsWith(name))
        ?.split(all.charAt(0)) ?? [];
    expect(fields('MSA')[1]).toBe('AE');
    expect(fields('ERR')[2]?.split(all.charAt(1)).slice(0, 3)).toEqual(['PID', '1', '3']);
    expect(fields('ERR')[3]?.split(all.charAt(1))[0]).toBe('101');
    expect(fields('ERR')).toHaveLength(9);
  });

  it.each([
    ['five characters in MSH-2', '|^~\\&#'],
    ['other ones', '#*@?%'],
  ])('given %s, then the values are those that were meant, escapes included', async (_what, all) => {
    const value = `E${serial()}`;
    const message = inDelimiters(
      adt('A04', { identifier: `${value}^^^CLINIC`, name: 'Black\\T\\White^Ann\\S\\B' }),
      all,
    );
    expect((await sender.send(message)).raw).toContain(`MSA${all.charAt(0)}AA${all.charAt(0)}`);
    const { patient } = await server.store.prisma.patientIdentifier.findFirstOrThrow({
      where: { value, assigningAuthority: 'CLINIC' },
      include: { patient: true },
    });
    const [, component = '', , , subcomponent = ''] = all;
    expect(patient.name).toEqual({ family: `Black${subcomponent}White`, given: `Ann${component}B` });
  });

  it.each([
    ['two of them are the same', '^~\\^'],
    ['one is missing', '^~\\'],
    ['there are six', '^~\\&#%'],
    ['one is a letter', '^~\\A'],
    ['none is there', ''],
  ])('given MSH-2 where %s, then AE 102 at MSH-2 in the usual ones', async (_what, msh2) => {
    const message = adt('A04', {}, { version: '2.5.1' }).replace('^~\\&', msh2);
    const answer = await sender.send(message);
    expect(answer).toMatchObject({ code: 'AE', error: '102', location: 'MSH^1^2' });
    expect(answer.raw.startsWith('MSH|^~\\&|SWF_OF|')).toBe(true);
  });

  it.each([
    ['CR LF', '\r\n'],
    ['LF', '\n'],
  ])('given %s, then it is read, and the answer has CR', async (_what, end) => {
    const value = `E${serial()}`;
    const answer = await sender.send(adt('A04', { identifier: `${value}^^^CLINIC` }).replaceAll('\r', end));
    expect(answer.code).toBe('AA');
    expect(answer.raw).not.toContain('\n');
    expect(await server.store.prisma.patientIdentifier.count({ where: { value } })).toBe(1);
    const refused = await sender.send(adt('A04', { identifier: '' }, { version: '2.5.1' }).replaceAll('\r', end));
    expect(refused).toMatchObject({
      code: 'AE',
      error: '101',
      location: expect.stringMatching(/^PID\^1\^3/) as string,
    });
  });

  it('given no CR behind the last segment, and empty lines between, then it is read', async () => {
    const message = adt('A04').replace(/\r$/, '').replaceAll('\r', '\r\r\n');
    expect(await sender.send(message)).toMatchObject({ code: 'AA' });
  });

  it('given a byte order mark before MSH, then it is read', async () => {
    expect(await sender.send(`\uFEFF${adt('A04')}`)).toMatchObject({ code: 'AA' });
  });
});

describe('a header that is hardly there', () => {
  it.each([
    ['nothing but MSH and MSH-2', 'MSH|^~\\&', '101'],
    ['no MSH-9', messageOf(msh(''), pid(), pv1()), '101'],
    ['MSH alone with a type', 'MSH|^~\\&|||||||ADT^A04|X|P|2.5.1', '100'],
  ])('given %s, then it is answered', async (_what, message, error) => {
    expect(await sender.send(message)).toMatchObject({ code: 'AE', error });
  });

  it('given several in one packet, right and wrong, then each has its own answer in its order', async () => {
    const [good, bad] = [adt('A04'), adt('A60')];
    sender.write(Buffer.concat([framed(bad), framed(good), framed(bad.replace(/T\d{5}/, 'T-LAST'))]));
    expect([(await sender.next())?.code, (await sender.next())?.code, (await sender.next())?.code]).toEqual([
      'AR',
      'AA',
      'AR',
    ]);
  });
});
