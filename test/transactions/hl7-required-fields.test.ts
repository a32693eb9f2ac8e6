import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sender, connectSender, messageOf, msh, segment, serial } from '../support/messages.ts';
import { type TestServer, startTestServer } from '../support/server.ts';

/** What a conformant sender fills (RAD TF-2 4.1, 4.2): missing, it is remarked, and where the site is strict, refused. */
let lenient: TestServer;
let strict: TestServer;
let toLenient: Sender;
let toStrict: Sender;
beforeAll(async () => {
  [lenient, strict] = [await startTestServer(), await startTestServer({ policy: { validation: 'strict' } })];
  [toLenient, toStrict] = [await connectSender(lenient.ports.hl7), await connectSender(strict.ports.hl7)];
});
afterAll(async () => {
  toLenient.end();
  toStrict.end();
  await Promise.all([lenient.stop(), strict.stop()]);
});

type Segments = Record<string, Record<number, string>>;

const TIMING = '1^once^^20260301090000^^R';

function patientSegments(): Segments {
  return {
    PID: { 1: '1', 3: `F${serial()}^^^CLINIC^MR`, 5: 'Lindqvist^Maja', 7: '19790412', 8: 'F' },
    PV1: {
      ...{ 2: 'I', 3: 'WARD7^12^A', 7: '8812^ATTENDER^ADA', 8: '8811^REFERRER^RUTH', 10: 'NEU' },
      ...{ 17: '8813^ADMITTER^ANN', 19: `V${serial()}^^^CLINIC` },
    },
  };
}

const registration = (): Segments => ({ EVN: { 2: '20260105080000' }, ...patientSegments() });

function order(version: string): Segments {
  const number = `F${serial()}^HIS`;
  const [timing, tq1] = version === '2.3.1' ? [TIMING, {}] : ['', { TQ1: { 1: '1', 7: '20260301090000' } }];
  return {
    ...patientSegments(),
    ORC: { 1: 'NW', 2: number, 7: timing, 9: '20260105080000', 12: '4711^ORDERER^OLE', 17: 'NEURO^Neurology^TESTPLAN' },
    ...tq1,
    OBR: { 1: '1', 2: number, 4: 'WRIST^^TESTPLAN', 16: '4711^ORDERER^OLE', 27: timing },
  };
}

const messages: Readonly<Record<string, { readonly type: string; readonly make: (version: string) => Segments }>> = {
  A01: { type: 'ADT^A01^ADT_A01', make: registration },
  A02: { type: 'ADT^A02^ADT_A02', make: registration },
  A04: { type: 'ADT^A04^ADT_A01', make: registration },
  ORM: { type: 'ORM^O01^ORM_O01', make: order },
  OMG: { type: 'OMG^O19^OMG_O19', make: order },
};

/** The message with one field left out. */
function without(kind: string, version: string, name?: string, field?: number): string {
  const { type, make } = messages[kind] ?? { type: kind, make: order };
  const segments = make(version);
  const fields = segments[name ?? ''];
  if (fields && field !== undefined) Reflect.deleteProperty(fields, field);
  return messageOf(
    msh(type, { version }),
    ...Object.entries(segments).map(([segmentName, values]) => segment(segmentName, values)),
  );
}

const rows: readonly [string, string, string, number][] = [
  ...['2.3.1', '2.5.1'].flatMap((version): [string, string, string, number][] => [
    ['A04', version, 'EVN', 2],
    ['A04', version, 'PID', 8],
    ['A04', version, 'PV1', 2],
    ['A04', version, 'PV1', 8],
    ['A04', version, 'PV1', 19],
    ['A01', version, 'PV1', 3],
    ['A01', version, 'PV1', 7],
    ['A01', version, 'PV1', 10],
    ['A01', version, 'PV1', 17],
    ['A02', version, 'PV1', 3],
  ]),
  ['ORM', '2.3.1', 'PID', 8],
  ['ORM', '2.3.1', 'PV1', 19],
  ['ORM', '2.3.1', 'ORC', 7],
  ['ORM', '2.3.1', 'OBR', 27],
  ['OMG', '2.5.1', 'TQ1', 7],
  ...([['ORM', '2.3.1'] as const, ['OMG', '2.5.1'] as const] as const).flatMap(
    ([kind, version]): [string, string, string, number][] => [
      [kind, version, 'ORC', 9],
      [kind, version, 'ORC', 12],
      [kind, version, 'ORC', 17],
      [kind, version, 'OBR', 2],
      [kind, version, 'OBR', 16],
    ],
  ),
];

describe('what a conformant sender fills', () => {
  it.each(rows)('given %s of v%s without %s-%s, then AA with a remark, or AE 101 at that place', async (...row) => {
    const [kind, version, name, field] = row;
    const accepted = await toLenient.send(without(kind, version, name, field));
    expect(accepted).toMatchObject({ code: 'AA', error: '' });
    const entry = await lenient.store.prisma.message.findFirstOrThrow({ where: { controlId: accepted.controlId } });
    expect(entry.remarks.join('\n')).toContain(`${name}-${field}`);
    const refused = await toStrict.send(without(kind, version, name, field));
    expect(refused).toMatchObject({ code: 'AE', error: '101' });
    expect(`${refused.location}^`.startsWith(`${name}^1^${field}^`), refused.location).toBe(true);
    expect(refused.text).toContain(`${name}-${field}`);
  });

  it.each(Object.keys(messages))(
    'given %s with all of it, then it is AA where the site is strict too',
    async (kind) => {
      const version = kind === 'OMG' ? '2.5.1' : '2.3.1';
      expect(await toStrict.send(without(kind, version))).toMatchObject({ code: 'AA', error: '' });
      const { controlId } = await toLenient.send(without(kind, version));
      const { remarks } = await lenient.store.prisma.message.findFirstOrThrow({ where: { controlId } });
      expect(remarks.filter((remark) => remark.includes('is empty'))).toEqual([]);
    },
  );

  it('given PID-3 without an authority or, in v2.5.1, without a type, then a remark names the component', async () => {
    for (const [version, identifier, component] of [
      ['2.3.1', `F${serial()}`, 'PID-3.4'],
      ['2.5.1', `F${serial()}^^^CLINIC`, 'PID-3.5'],
    ] as const) {
      const message = without('A04', version).replace(/(\rPID\|1\|\|)[^|]*/, `$1${identifier}`);
      const { controlId, code } = await toLenient.send(message);
      expect(code).toBe('AA');
      const { remarks } = await lenient.store.prisma.message.findFirstOrThrow({ where: { controlId } });
      expect(remarks.join('\n')).toContain(component);
    }
  });
});

describe('what nothing can be done without: AE 101, whether or not the site is strict', () => {
  it.each([
    ['ORM', '2.3.1', 'PID', 3],
    ['OMG', '2.5.1', 'PID', 3],
    ['ORM', '2.3.1', 'PID', 5],
    ['OMG', '2.5.1', 'PID', 5],
    ['ORM', '2.3.1', 'ORC', 1],
    ['OMG', '2.5.1', 'ORC', 1],
    ['OMG', '2.5.1', 'ORC', 2],
    ['OMG', '2.5.1', 'OBR', 4],
  ] as const)('given %s of v%s without %s-%s, then nothing is stored', async (kind, version, name, field) => {
    const before = await lenient.store.prisma.order.count();
    for (const sender of [toLenient, toStrict]) {
      const answer = await sender.send(without(kind, version, name, field));
      expect(answer).toMatchObject({ code: 'AE', error: '101' });
      expect(`${answer.location}^`.startsWith(`${name}^1^${field}^`), answer.location).toBe(true);
    }
    expect(await lenient.store.prisma.order.count()).toBe(before);
  });

  it.each(['A40', 'A47'])('given %s without MRG-1 in v2.5.1, then AE 101 at MRG-1', async (event) => {
    const structure = event === 'A40' ? 'ADT_A39' : 'ADT_A30';
    const pid = segment('PID', { 3: `F${serial()}^^^CLINIC^MR`, 5: 'Lindqvist^Maja', 8: 'F' });
    const message = messageOf(
      msh(`ADT^${event}^${structure}`, { version: '2.5.1' }),
      segment('EVN', { 2: '20260105080000' }),
      pid,
      segment('MRG', { 7: 'Doe^Jane' }),
    );
    for (const sender of [toLenient, toStrict]) {
      const answer = await sender.send(message);
      expect(answer).toMatchObject({ code: 'AE', error: '101' });
      expect(answer.location).toMatch(/^MRG\^1\^1/);
    }
  });
});
