import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Sender,
  adt,
  connectSender,
  messageOf,
  msh,
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

const newValue = (): string => `I${serial()}`;

/** Identifiers of the patients who have this one, each patient as a list, as `value^authority`. */
async function patientsWith(value: string): Promise<string[][]> {
  const patients = await server.store.prisma.patient.findMany({
    where: { identifiers: { some: { value } } },
    include: { identifiers: { orderBy: { id: 'asc' } } },
    orderBy: { id: 'asc' },
  });
  return patients.map(({ identifiers }) => identifiers.map((one) => `${one.value}^${one.assigningAuthority}`));
}

async function everything(): Promise<number[]> {
  const { prisma } = server.store;
  return Promise.all([
    prisma.patient.count(),
    prisma.patientIdentifier.count(),
    prisma.visit.count(),
    prisma.order.count(),
  ]);
}

const remarksOf = async (controlId: string): Promise<string> =>
  (await server.store.prisma.message.findFirstOrThrow({ where: { controlId } })).remarks.join('\n');

async function register(identifier: string, fields: object = {}): Promise<void> {
  expect(await sender.send(adt('A04', { identifier, ...fields }))).toMatchObject({ code: 'AA' });
}

const group = (): string[] => [
  segment('ORC', { 1: 'NW', 2: `O${serial()}^HIS` }),
  segment('OBR', { 1: '1', 4: 'WRIST^^TESTPLAN' }),
];
const orderMessage = (...segments: string[]): string =>
  messageOf(msh('OMG^O19^OMG_O19', { version: '2.5.1' }), ...segments);
const adtMessage = (...segments: string[]): string =>
  messageOf(msh('ADT^A04^ADT_A01', { version: '2.5.1' }), segment('EVN', { 2: '20260105080000' }), ...segments);

describe('one message, one patient (RAD TF-2 4.1, 4.2; HL7 table 0357: 100)', () => {
  it.each<[string, string, () => string]>([
    [
      'an order message with a PID before each of two ORC',
      'PID^2',
      () => orderMessage(pid(), pv1(), ...group(), pid(), ...group()),
    ],
    ['an order message with two PID before its ORC', 'PID^2', () => orderMessage(pid(), pid(), pv1(), ...group())],
    ['an ADT with two PID', 'PID^2', () => adtMessage(pid(), pid(), pv1())],
    ['an order message with two PV1', 'PV1^2', () => orderMessage(pid(), pv1(), pv1('V2'), ...group())],
    ['an ADT with two PV1', 'PV1^2', () => adtMessage(pid(), pv1(), pv1('V2'))],
  ])('given %s, then AE 100 names %s and nothing is stored', async (_what, location, build) => {
    const before = await everything();
    expect(await sender.send(build())).toMatchObject({ code: 'AE', error: '100', location });
    expect(await everything()).toEqual(before);
  });
});

// Registration and order find their patient by the same rule.
const messages: readonly [string, (identifier: string) => string][] = [
  ['an order', (identifier) => orm([{}], { identifier })],
  ['a registration', (identifier) => adt('A04', { identifier })],
];

describe.each(messages)('several repetitions of PID-3 in %s (ITI TF-2 Appendix C)', (_what, build) => {
  it('given the first is new and the second is known, then it means the known patient, who gains the new one', async () => {
    const [known, added] = [newValue(), newValue()];
    await register(`${known}^^^HOSP`);
    expect(await sender.send(build(`${added}^^^GOV~${known}^^^HOSP`))).toMatchObject({ code: 'AA' });
    expect(await patientsWith(added)).toEqual([[`${known}^HOSP`, `${added}^GOV`]]);
    expect(await patientsWith(known)).toEqual([[`${known}^HOSP`, `${added}^GOV`]]);
  });

  it('given the first is new and the others name two patients, then AR 204 names PID-3 and nobody is changed', async () => {
    const [one, two, added] = [newValue(), newValue(), newValue()];
    await register(`${one}^^^HOSP`);
    await register(`${two}^^^LAB`);
    const before = await everything();
    const answer = await sender.send(build(`${added}^^^GOV~${one}^^^HOSP~${two}^^^LAB`));
    expect(answer).toMatchObject({ code: 'AR', error: '204' });
    expect(answer.location).toMatch(/^PID\^1\^3/);
    expect(await everything()).toEqual(before);
    expect(await patientsWith(added)).toEqual([]);
  });

  it('given the first is known and another belongs to somebody else, then it means the first and the journal says so', async () => {
    const [one, foreign] = [newValue(), newValue()];
    await register(`${one}^^^HOSP`);
    await register(`${foreign}^^^LAB`);
    const answer = await sender.send(build(`${one}^^^HOSP~${foreign}^^^LAB`));
    expect(answer).toMatchObject({ code: 'AA' });
    expect(await patientsWith(one)).toEqual([[`${one}^HOSP`]]);
    expect(await patientsWith(foreign)).toEqual([[`${foreign}^LAB`]]);
    const remarks = await remarksOf(answer.controlId);
    expect(remarks).toContain('another patient');
    expect(remarks).not.toContain(foreign);
  });
});

it('given an order for a patient whom its first repetition does not know, then the order is his', async () => {
  const [known, added] = [newValue(), newValue()];
  await register(`${known}^^^HOSP`);
  await sender.send(orm([{ placerOrderNumber: `${added}^HIS` }], { identifier: `${added}^^^GOV~${known}^^^HOSP` }));
  const order = await server.store.prisma.order.findFirstOrThrow({
    where: { placerOrderNumber: added },
    include: { patient: { include: { identifiers: { orderBy: { id: 'asc' } } } } },
  });
  expect(order.patient.identifiers[0]).toMatchObject({ value: known, assigningAuthority: 'HOSP' });
});

describe('assigning authorities (PID-3.4, HD; HL7 v2.5.1 2A.33)', () => {
  it('given one namespace under two universal ids, then AE 103 names PID-3.4 and nobody is joined', async () => {
    const value = newValue();
    await register(`${value}^^^NS&1.2.3&ISO`, { name: 'Olsen^Per' });
    const before = await everything();
    const answer = await sender.send(
      adt('A04', { identifier: `${value}^^^NS&4.5.6&ISO`, name: 'Costa^Rui' }, { version: '2.5.1' }),
    );
    expect(answer).toMatchObject({ code: 'AE', error: '103', location: 'PID^1^3^1^4' });
    expect(await everything()).toEqual(before);
    const patient = await server.store.prisma.patient.findFirstOrThrow({
      where: { identifiers: { some: { value } } },
    });
    expect(patient.name).toMatchObject({ family: 'Olsen' });
  });

  it('given a namespace that was known without a universal id, then the first one that is said is its own, and a second one is AE 103', async () => {
    const value = newValue();
    await register(`${value}^^^NS`);
    await register(`${value}^^^NS&1.2.3&ISO`);
    const answer = await sender.send(adt('A04', { identifier: `${value}^^^NS&4.5.6&ISO` }));
    expect(answer).toMatchObject({ code: 'AE', error: '103' });
    expect(await patientsWith(value)).toEqual([[`${value}^NS`]]);
  });

  it.each([
    ['first with a namespace', 'NS&1.2.3&ISO', '&1.2.3&ISO'],
    ['first without one', '&1.2.3&ISO', 'NS&1.2.3&ISO'],
    ['under two namespaces', 'NS&1.2.3&ISO', 'OTHER&1.2.3&ISO'],
  ])('given one universal id, %s, then it is one patient with one identifier', async (_what, first, second) => {
    const value = newValue();
    await register(`${value}^^^${first}`);
    await register(`${value}^^^${second}`);
    const patients = await patientsWith(value);
    expect(patients).toHaveLength(1);
    expect(patients[0]).toHaveLength(1);
  });
});

describe('whose order a message means (RAD TF-2 4.2; HL7 table 0357: 204)', () => {
  const cancel = (number: string, identifier: string): string =>
    orm([{ control: 'CA', placerOrderNumber: `${number}^HIS` }], { identifier });

  it.each([
    ['its universal id alone', '&1.2.3&ISO'],
    ['its namespace alone', 'NS'],
  ])('given the authority is named by %s, then the order is found to be the patient’s', async (_what, authority) => {
    const [value, number] = [newValue(), newValue()];
    await register(`${value}^^^NS&1.2.3&ISO`);
    await sender.send(orm([{ placerOrderNumber: `${number}^HIS` }], { identifier: `${value}^^^NS&1.2.3&ISO` }));
    expect(await sender.send(cancel(number, `${value}^^^${authority}`))).toMatchObject({ code: 'AA', error: '' });
  });

  it('given the same value under another authority, then AR 204 names PID-3 and the order stays', async () => {
    const [value, number] = [newValue(), newValue()];
    await register(`${value}^^^NORTH`);
    await register(`${value}^^^SOUTH`);
    await sender.send(orm([{ placerOrderNumber: `${number}^HIS` }], { identifier: `${value}^^^NORTH` }));
    const answer = await sender.send(cancel(number, `${value}^^^SOUTH`));
    expect(answer).toMatchObject({ code: 'AR', error: '204', location: 'PID^1^3' });
    const order = await server.store.prisma.order.findFirstOrThrow({ where: { placerOrderNumber: number } });
    expect(order.orderStatus).toBe('SC');
  });
});

describe('an identifier as it is carried (PID-3.1; DICOM LO)', () => {
  it('given it holds a backslash, then AE 102 names it: cut or replaced it would be another one', async () => {
    const before = await everything();
    for (const build of [adt.bind(undefined, 'A04'), orm.bind(undefined, [{}])]) {
      const answer = await sender.send(build({ identifier: `${newValue()}\\E\\1^^^CLINIC` }, { version: '2.5.1' }));
      expect(answer).toMatchObject({ code: 'AE', error: '102', location: 'PID^1^3^1^1' });
    }
    expect(await everything()).toEqual(before);
  });

  it('given blanks around identifier and authority, then it is the same patient', async () => {
    const value = newValue();
    await register(`${value}^^^CLINIC`);
    await register(` ${value} ^^^ CLINIC `);
    expect(await sender.send(orm([{}], { identifier: `${value}  ^^^CLINIC` }))).toMatchObject({ code: 'AA' });
    expect(await patientsWith(value)).toEqual([[`${value}^CLINIC`]]);
    expect(await server.store.prisma.patientIdentifier.count({ where: { value: { contains: value } } })).toBe(1);
  });
});

describe('a registration that changes a known patient', () => {
  it('given name, birth date or sex differ, then they are taken, and the journal names the fields without their content', async () => {
    const identifier = `${newValue()}^^^CLINIC`;
    await register(identifier, { name: 'Lindqvist^Maja', birthDate: '19790412', sex: 'F' });
    const answer = await sender.send(adt('A04', { identifier, name: 'Costa^Rui', birthDate: '19510203', sex: 'M' }));
    expect(answer).toMatchObject({ code: 'AA' });
    const remarks = await remarksOf(answer.controlId);
    expect(remarks).toContain('name, birthDate, sex');
    expect(remarks).not.toMatch(/Lindqvist|Costa|1979|1951/);
  });

  it('given the same registration again, then nothing of the kind is remarked', async () => {
    const patient = { identifier: `${newValue()}^^^CLINIC` };
    await sender.send(adt('A04', patient));
    const answer = await sender.send(adt('A01', patient));
    expect(await remarksOf(answer.controlId)).not.toContain('changes');
  });
});

describe('an identifier that several people share (PID-3)', () => {
  it("given a newborn registered with the mother's insurance number, then it is a patient of its own and the number stays hers", async () => {
    const [mother, child, insurance] = [newValue(), newValue(), newValue()];
    await register(`${mother}^^^CLINIC~${insurance}^^^INSURER`);
    const answer = await sender.send(adt('A04', { identifier: `${child}^^^CLINIC~${insurance}^^^INSURER` }));
    expect(answer.code).toBe('AA');
    expect(await remarksOf(answer.controlId)).toContain('belong to another patient');
    expect(await patientsWith(child)).toEqual([[`${child}^CLINIC`]]);
    expect(await patientsWith(mother)).toEqual([[`${mother}^CLINIC`, `${insurance}^INSURER`]]);
  });
});

describe('what no other message could mend (HL7 table 0357: 102, not 207)', () => {
  it('given escape sequences of ISO 2022 that MSH-18 does not name, then AE 102 names MSH-18', async () => {
    const before = await everything();
    const name = '\x1b$B;3ED\x1b(B^X';
    expect(await sender.send(adt('A04', { identifier: newValue(), name }))).toMatchObject({ code: 'AE', error: '102' });
    expect(await everything()).toEqual(before);
  });

  it('given a birth date in the year 0000 and a NUL as an escape sequence, then the patient is registered without them', async () => {
    const value = newValue();
    const answer = await sender.send(adt('A04', { identifier: value, name: 'BER\\X00\\G^A', birthDate: '00000101' }));
    expect(answer.code).toBe('AA');
    const patient = await server.store.prisma.patient.findFirstOrThrow({ where: { identifiers: { some: { value } } } });
    expect(patient).toMatchObject({ birthDate: null, name: { family: 'BERG' } });
  });
});
