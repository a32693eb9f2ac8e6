import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sender, connectSender, messageOf, msh, pid, segment, serial } from '../support/messages.ts';
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

type Fields = Readonly<Record<number, string>>;

const newIdentifier = (): string => `V${serial()}^^^CLINIC`;

async function register(identifier: string, pv1: Fields, ...others: string[]): Promise<void> {
  const evn = segment('EVN', { 2: '20260105080000' });
  const message = messageOf(msh('ADT^A01^ADT_A01'), evn, pid({ identifier }), segment('PV1', pv1), ...others);
  expect(await sender.send(message)).toMatchObject({ code: 'AA' });
}

/** Sends an order and gives its placer order number. */
async function order(identifier: string, pv1: Fields, ...others: string[]): Promise<string> {
  const placerOrderNumber = `O${serial()}`;
  const orc = segment('ORC', { 1: 'NW', 2: `${placerOrderNumber}^HIS` });
  const obr = segment('OBR', { 1: '1', 4: 'WRIST^^TESTPLAN' });
  const message = messageOf(msh('ORM^O01'), pid({ identifier }), segment('PV1', pv1), ...others, orc, obr);
  expect(await sender.send(message)).toMatchObject({ code: 'AA' });
  return placerOrderNumber;
}

const read = (placerOrderNumber: string) =>
  server.store.prisma.order.findFirstOrThrow({
    where: { placerOrderNumber },
    include: { visit: true, patient: { include: { visits: { orderBy: { id: 'asc' } } } } },
  });

describe('the visit of an order (PV1; the ADT is its source, RAD TF-2 4.1, 4.2)', () => {
  it('given fields that the ADT filled, when PV1 of an order has others, then it fills what is empty and changes nothing', async () => {
    const identifier = newIdentifier();
    await register(identifier, { 2: 'O', 8: '8811^REFERRER^RUTH', 19: 'V1^^^CLINIC' });
    const number = await order(identifier, {
      2: 'I',
      3: 'WARD7^12^A',
      8: '9922^ANOTHER^ADAM',
      10: 'MED',
      19: 'V1^^^CLINIC',
    });
    const { visit, patient } = await read(number);
    expect(patient.visits).toHaveLength(1);
    expect(visit).toMatchObject({
      patientClass: 'O',
      details: { location: { pointOfCare: 'WARD7' }, referringDoctor: { id: '8811' }, hospitalService: 'MED' },
    });
  });

  it('given stored fields, when PV1 of an order has "", then they stay', async () => {
    const identifier = newIdentifier();
    await register(identifier, { 2: 'O', 8: '8811^REFERRER^RUTH', 19: 'V1^^^CLINIC' });
    const number = await order(identifier, { 2: '""', 8: '""', 19: 'V1^^^CLINIC' });
    expect((await read(number)).visit).toMatchObject({
      patientClass: 'O',
      details: { referringDoctor: { id: '8811' } },
    });
  });

  it('given stored fields, when PV1 of an ADT has "", then they are cleared (ITI TF-2 Appendix C)', async () => {
    const identifier = newIdentifier();
    const filled = { 2: 'I', 3: 'WARD7^12^A', 8: '8811^REFERRER^RUTH', 10: 'MED', 19: 'V1^^^CLINIC' };
    await register(identifier, filled);
    const number = await order(identifier, { 19: 'V1^^^CLINIC' });
    expect((await read(number)).visit).toMatchObject({ patientClass: 'I', details: { hospitalService: 'MED' } });
    await register(identifier, { 2: '""', 3: '""', 8: '""', 10: '""', 19: 'V1^^^CLINIC' });
    const { visit } = await read(number);
    expect(visit?.patientClass).toBeNull();
    for (const name of ['location', 'referringDoctor', 'hospitalService'])
      expect(visit?.details).not.toHaveProperty(name);
  });

  it('given two orders without a visit number (PV1-19, PID-18), then each has its own visit', async () => {
    const identifier = newIdentifier();
    const first = await order(identifier, { 2: 'O', 3: 'WARD1' });
    const second = await order(identifier, { 2: 'I', 3: 'WARD2' });
    expect((await read(first)).visit).toMatchObject({
      patientClass: 'O',
      details: { location: { pointOfCare: 'WARD1' } },
    });
    expect((await read(second)).visit).toMatchObject({
      patientClass: 'I',
      details: { location: { pointOfCare: 'WARD2' } },
    });
  });
});

describe('allergies (AL1) of an order', () => {
  it('given the ADT named some, when an order names others, then all of them are kept, each once', async () => {
    const identifier = newIdentifier();
    const al1 = (text: string): string => segment('AL1', { 1: '1', 3: `^${text}` });
    await register(identifier, { 2: 'O', 19: 'V1^^^CLINIC' }, al1('Latex'));
    const number = await order(identifier, { 2: 'O', 19: 'V1^^^CLINIC' }, al1('Iodine'), al1('Latex'));
    expect((await read(number)).patient.demographics).toMatchObject({ allergies: ['Latex', 'Iodine'] });
  });
});
