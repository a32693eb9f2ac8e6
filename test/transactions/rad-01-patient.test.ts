import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sender, adt, connectSender, orm, pv1, messageOf, msh, segment, serial } from '../support/messages.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { times } from '../support/until.ts';

let server: TestServer;
let adtSystem: Sender;
beforeAll(async () => {
  server = await startTestServer();
  adtSystem = await connectSender(server.ports.hl7);
});
afterAll(async () => {
  adtSystem.end();
  await server.stop();
});

const patientsOf = (value: string) =>
  server.store.prisma.patient.findMany({
    where: { identifiers: { some: { value } } },
    include: { identifiers: { orderBy: { id: 'asc' } }, visits: true },
  });

async function onlyPatient(value: string) {
  const [patient, ...others] = await patientsOf(value);
  expect(others).toEqual([]);
  if (!patient) throw new Error('there is no such patient');
  return patient;
}

describe('RAD-1 Patient Registration (RAD TF-2 4.1)', () => {
  for (const version of ['2.3.1', '2.5.1'] as const) {
    for (const [event, visitStatus] of [
      ['A01', 'OPEN'],
      ['A04', 'OPEN'],
      ['A05', 'PREADMIT'],
    ] as const) {
      it(`given a new patient, when ADT^${event} of v${version} comes, then patient and visit are there and the answer is AA`, async () => {
        const value = `R${serial()}`;
        const identifier = `${value}^^^CLINIC`;
        const answer = await adtSystem.send(
          adt(event, { identifier, name: 'Ödegård^Åsa' }, { version, controlId: value }),
        );
        expect(answer).toMatchObject({ code: 'AA', controlId: value, error: '' });
        const patient = await onlyPatient(value);
        expect(patient).toMatchObject({ name: { family: 'Ödegård', given: 'Åsa' }, sex: 'F' });
        expect(patient.identifiers).toMatchObject([{ value, assigningAuthority: 'CLINIC' }]);
        expect(patient.registeredByMessageId).not.toBeNull();
        expect(patient.visits).toMatchObject([{ visitNumber: 'V1', patientClass: 'O', visitStatus }]);
      });
    }
  }

  it.each(['2.3.1', '2.5', '2.5.1'])(
    'given a new person, when ADT^A28 of v%s comes with a PV1, then he is registered and has no visit (ITI TF-2 3.30)',
    async (version) => {
      const value = `R${serial()}`;
      expect(await adtSystem.send(adt('A28', { identifier: `${value}^^^CLINIC` }, { version }))).toMatchObject({
        code: 'AA',
      });
      const patient = await onlyPatient(value);
      expect(patient.registeredByMessageId).not.toBeNull();
      expect(patient.visits).toEqual([]);
    },
  );

  it('given one identifier under two assigning authorities, when both are registered, then they are two patients (PID-3.4)', async () => {
    const value = `R${serial()}`;
    await adtSystem.send(adt('A04', { identifier: `${value}^^^NORTH`, name: 'Olsen^Per' }));
    await adtSystem.send(adt('A04', { identifier: `${value}^^^SOUTH`, name: 'Costa^Rui' }));
    const patients = await patientsOf(value);
    expect(patients.map(({ name }) => name)).toEqual([
      { family: 'Olsen', given: 'Per' },
      { family: 'Costa', given: 'Rui' },
    ]);
  });

  it('given PID-3 names no authority, when registered, then it is the sending facility (ITI TF-2 Appendix C)', async () => {
    const value = `R${serial()}`;
    await adtSystem.send(adt('A04', { identifier: value }, { facility: 'EAST' }));
    expect((await onlyPatient(value)).identifiers).toMatchObject([{ assigningAuthority: 'EAST' }]);
  });

  it('given several identifiers, when a later message uses another of them, then it means the same patient', async () => {
    const [first, second] = [`R${serial()}`, `R${serial()}`];
    await adtSystem.send(adt('A04', { identifier: `${first}^^^CLINIC~${second}^^^STATE` }));
    await adtSystem.send(adt('A01', { identifier: `${second}^^^STATE`, name: 'Renamed^Maja' }));
    expect(await onlyPatient(first)).toMatchObject({ name: { family: 'Renamed' } });
    expect((await onlyPatient(second)).identifiers.map(({ value }) => value)).toEqual([first, second]);
  });

  it('given two messages about one new patient, when they come in the same instant, then they make one patient', async () => {
    const other = await connectSender(server.ports.hl7);
    await times(20, async () => {
      const value = `R${serial()}`;
      const identifier = `${value}^^^CLINIC`;
      const answers = await Promise.all([
        adtSystem.send(adt('A04', { identifier, name: 'Twin^One' })),
        other.send(adt('A01', { identifier, name: 'Twin^Two' })),
      ]);
      expect(answers.map(({ code }) => code)).toEqual(['AA', 'AA']);
      const patient = await onlyPatient(value);
      expect(patient.visits).toHaveLength(1);
    });
    other.end();
  });

  it('given two messages that name the same new identifiers in opposite order, when they come in the same instant, then both are AA and make one patient', async () => {
    const other = await connectSender(server.ports.hl7);
    await times(2, async () => {
      const [a, b] = [`R${serial()}^^^CLINIC`, `R${serial()}^^^STATE`];
      const answers = await Promise.all([
        adtSystem.send(adt('A04', { identifier: `${a}~${b}` })),
        other.send(adt('A04', { identifier: `${b}~${a}` })),
      ]);
      expect(answers.map(({ code }) => code)).toEqual(['AA', 'AA']);
      const [value = ''] = a.split('^');
      expect((await onlyPatient(value)).identifiers).toHaveLength(2);
    });
    other.end();
  });

  it('given a registration and an order for one new patient, when they come in the same instant, then he is one patient and registered', async () => {
    const placer = await connectSender(server.ports.hl7);
    await times(10, async () => {
      const value = `R${serial()}`;
      const identifier = `${value}^^^CLINIC`;
      const order = [{ placerOrderNumber: `${value}^HIS` }];
      const answers = await Promise.all([
        adtSystem.send(adt('A04', { identifier })),
        placer.send(orm(order, { identifier })),
      ]);
      expect(answers.map(({ code }) => code)).toEqual(['AA', 'AA']);
      expect((await onlyPatient(value)).registeredByMessageId).not.toBeNull();
      const procedure = await server.store.prisma.requestedProcedure.findFirstOrThrow({
        where: { order: { placerOrderNumber: value } },
      });
      // whichever came first: step 1 has happened, because the patient was registered by ADT
      expect(procedure.machine).toMatchObject({ context: { confirmations: { 1: [{ kind: 'ack', code: 'AA' }] } } });
    });
    placer.end();
  });

  it('given stored values, when a field is "" it is cleared, and when it is absent it stays (ITI TF-2 Appendix C)', async () => {
    const value = `R${serial()}`;
    const identifier = `${value}^^^CLINIC`;
    await adtSystem.send(adt('A04', { identifier, birthDate: '19790412', sex: 'F', address: '1 Quay Street^^Oakham' }));
    await adtSystem.send(adt('A04', { identifier, birthDate: '""', sex: '', address: '' }));
    expect(await onlyPatient(value)).toMatchObject({
      birthDate: null,
      sex: 'F',
      demographics: { address: ['1 Quay Street', '', 'Oakham'] },
    });
  });

  it('given a stored visit, when a field of PV1 is absent, then it stays', async () => {
    const value = `R${serial()}`;
    const identifier = `${value}^^^CLINIC`;
    await adtSystem.send(adt('A04', { identifier }));
    const sparse = messageOf(
      msh('ADT^A01^ADT_A01'),
      segment('EVN', { 2: '20260105080000' }),
      segment('PID', { 3: identifier, 5: 'Lindqvist^Maja' }),
      segment('PV1', { 2: 'I', 3: 'WARD7^12^A', 19: 'V1^^^CLINIC' }),
    );
    expect(await adtSystem.send(sparse)).toMatchObject({ code: 'AA' });
    expect((await onlyPatient(value)).visits).toMatchObject([
      {
        patientClass: 'I',
        details: { location: { pointOfCare: 'WARD7', room: '12', bed: 'A' }, referringDoctor: { id: '8811' } },
      },
    ]);
  });

  it.each([
    ['PID-3.1', '2.3.1', { identifier: '^^^CLINIC' }, 'PID^1^3'],
    ['PID-3.1', '2.5.1', { identifier: '^^^CLINIC' }, 'PID^1^3^1^1'],
    ['PID-3.1 but for a blank', '2.5.1', { identifier: ' ^^^CLINIC' }, 'PID^1^3^1^1'],
    ['PID-5', '2.3.1', { name: '' }, 'PID^1^5'],
    ['PID-5', '2.5.1', { name: '' }, 'PID^1^5'],
  ])(
    'given %s is empty in v%s, when it comes, then AE 101 names the place and nothing is stored',
    async (_what, version, fields, location) => {
      const before = await server.store.prisma.patient.count();
      const answer = await adtSystem.send(adt('A04', fields, { version }));
      expect(answer).toMatchObject({ code: 'AE', error: '101', location });
      expect(await server.store.prisma.patient.count()).toBe(before);
      const journal = await server.store.prisma.message.findFirstOrThrow({ where: { controlId: answer.controlId } });
      expect(journal).toMatchObject({ outcome: 'REFUSED', answerCode: 'AE' });
      expect(Buffer.from(journal.answer ?? []).toString()).toBe(answer.raw);
    },
  );

  it('given there is no PID at all, then AE 100 (segment sequence)', async () => {
    const answer = await adtSystem.send(messageOf(msh('ADT^A04^ADT_A01'), pv1()));
    expect(answer).toMatchObject({ code: 'AE', error: '100' });
  });

  it('given what a conformant sender fills is missing, when the site is lenient, then it is accepted with a remark in the journal', async () => {
    const value = `R${serial()}`;
    const answer = await adtSystem.send(adt('A04', { identifier: `${value}^^^CLINIC`, sex: '' }));
    expect(answer.code).toBe('AA');
    const { remarks } = await server.store.prisma.message.findFirstOrThrow({ where: { controlId: answer.controlId } });
    expect(remarks.join()).toContain('PID-8');
  });

  it('given it is missing, when the site is strict, then AE 101 names it', async () => {
    const strict = await startTestServer({ policy: { validation: 'strict' } });
    const sender = await connectSender(strict.ports.hl7);
    expect(await sender.send(adt('A04', { sex: '' }))).toMatchObject({ code: 'AE', error: '101', location: 'PID^1^8' });
    expect(await sender.send(adt('A04'))).toMatchObject({ code: 'AA' });
    sender.end();
    await strict.stop();
  });
});
