import { describe, expect, it } from 'vitest';
import { connectSender, field } from '../support/messages.ts';
import { completed, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { type Case, everybody, patientSite, stay } from '../support/patient-site.ts';
import {
  type Fields,
  adtEvent,
  historyOf,
  newPatient,
  orderFor,
  storedOrder,
  storedPatient,
  updatesAbout,
} from '../support/patients.ts';
import { startTestServer } from '../support/server.ts';

const site = patientSite();
const { accepted, newCase, told } = site;

interface Row {
  readonly event: string;
  readonly what: string;
  /** Messages before, by event. */
  readonly given: readonly string[];
  /** PID and PV1 of the message beyond those of the messages before. */
  readonly name?: string;
  readonly pv1?: Fields;
  readonly visitStatus: string;
  readonly patientClass: string;
  readonly location: string;
  /** RAD-12 out, as `PEER EVENT`. */
  readonly told: readonly string[];
  /** What it adds to the history of the scheduled procedure. */
  readonly history: readonly string[];
}

const asItWas = { visitStatus: 'OPEN', patientClass: 'I', location: 'WARD7^12^A', told: [], history: [] } as const;

/** Every event of RAD-1 and RAD-12 about one patient, with a stay, a scheduled procedure and those who know it. */
const rows: readonly Row[] = [
  { ...asItWas, event: 'A01', what: 'a pre-admitted stay begins', given: ['A05'] },
  { ...asItWas, event: 'A04', what: 'an outpatient is registered', given: ['A05'], pv1: { 2: 'O' }, patientClass: 'O' },
  { ...asItWas, event: 'A05', what: 'a stay is announced', given: [], visitStatus: 'PREADMIT' },
  {
    ...asItWas,
    event: 'A08',
    what: 'name and location change',
    given: ['A01'],
    name: 'Renamed^Maja',
    pv1: { 3: 'WARD9^1^B' },
    location: 'WARD9^1^B',
    told: everybody('A08'),
    history: ['patientUpdated'],
  },
  {
    ...asItWas,
    event: 'A08',
    what: 'nothing changes',
    given: ['A01'],
    told: everybody('A08'),
    history: ['patientUpdated'],
  },
  {
    ...asItWas,
    event: 'A11',
    what: 'an admission is taken back',
    given: ['A01'],
    visitStatus: 'CANCELLED',
    history: ['visitCancelled'],
  },
  {
    ...asItWas,
    event: 'A38',
    what: 'a pre-admission is taken back',
    given: ['A05'],
    visitStatus: 'CANCELLED',
    history: ['visitCancelled'],
  },
  {
    ...asItWas,
    event: 'A02',
    what: 'the patient is transferred',
    given: ['A01'],
    pv1: { 3: 'ICU^2^B' },
    location: 'ICU^2^B',
    told: ['IM_B A02'],
    history: ['visitUpdated'],
  },
  {
    ...asItWas,
    event: 'A12',
    what: 'a transfer is taken back',
    given: ['A01', 'A02'],
    pv1: { 3: 'WARD7^12^A' },
    told: ['IM_B A02', 'IM_B A12'],
    history: ['visitUpdated', 'visitUpdated'],
  },
  {
    ...asItWas,
    event: 'A03',
    what: 'the patient is discharged',
    given: ['A01'],
    visitStatus: 'CLOSED',
    told: ['IM_B A03'],
    history: ['visitUpdated'],
  },
  {
    ...asItWas,
    event: 'A13',
    what: 'a discharge is taken back',
    given: ['A01', 'A03'],
    told: ['IM_B A03', 'IM_B A13'],
    history: ['visitUpdated', 'visitUpdated'],
  },
  {
    ...asItWas,
    event: 'A06',
    what: 'an outpatient becomes an inpatient',
    given: ['A04'],
    pv1: { 2: 'I' },
    told: ['IM_B A06'],
    history: ['visitUpdated'],
  },
  {
    ...asItWas,
    event: 'A07',
    what: 'an inpatient becomes an outpatient',
    given: ['A01'],
    pv1: { 2: 'O' },
    patientClass: 'O',
    told: ['IM_B A07'],
    history: ['visitUpdated'],
  },
  { ...asItWas, event: 'A10', what: 'the patient arrives', given: ['A01'], history: ['arrive'] },
  { ...asItWas, event: 'A28', what: 'a person is added', given: ['A01'] },
  {
    ...asItWas,
    event: 'A28',
    what: 'a person is added under another name',
    given: ['A01'],
    name: 'Renamed^Maja',
    told: everybody('A08'),
  },
  {
    ...asItWas,
    event: 'A31',
    what: 'a person changes',
    given: ['A01'],
    name: 'Renamed^Maja',
    told: everybody('A08'),
    history: ['patientUpdated'],
  },
];

const aboutPersons = ['A28', 'A31'];
// Events of the history that a message about a patient makes; delivery writes others beside them.
const ofThisFile = ['patientUpdated', 'visitUpdated', 'visitCancelled', 'arrive'];
const classBefore: Readonly<Record<string, Fields>> = { A04: { 2: 'O' }, A02: { 3: 'ICU^2^B' } };

describe.each(['2.3.1', '2.5', '2.5.1'])(
  'patient events in v%s (RAD TF-2 4.1, 4.12; ITI TF-2 3.30, 3.31)',
  (version) => {
    it.each(rows)(
      'given a scheduled procedure, when $event comes ($what), then stay, worklist, RAD-12 and history say so',
      async (row) => {
        const one = newCase();
        for (const event of row.given.slice(0, 1))
          await one.send(event, { pv1: stay(one.visit, classBefore[event]) }, version);
        await one.order();
        for (const event of row.given.slice(1))
          await one.send(event, { pv1: stay(one.visit, classBefore[event]) }, version);
        const { name = 'Lindqvist^Maja' } = row;
        const pv1 = aboutPersons.includes(row.event) ? {} : { pv1: stay(one.visit, row.pv1) };

        await one.send(row.event, { name, ...pv1 }, version);

        const order = await storedOrder(site.server, one.number);
        const { visitStatus, patientClass, location } = row;
        expect(order.visit).toMatchObject({ visitNumber: one.visit, visitStatus, patientClass });
        expect(order.patient.visits).toHaveLength(1);
        const [family] = name.split('^');
        expect(order.patient.name).toMatchObject({ family });
        expect(order.patient.registeredByMessageId).not.toBeNull();
        expect(await one.listed()).toEqual([
          {
            patientId: one.value,
            issuer: 'CLINIC',
            otherIds: [],
            name,
            admissionId: one.visit,
            location,
            patientClass,
          },
        ]);
        expect(await told(one.value)).toEqual(row.told);
        const [procedure] = order.requestedProcedures;
        expect(procedure).toMatchObject({
          state: 'scheduled',
          steps: [{ stepStatus: row.event === 'A10' ? 'ARRIVED' : 'SCHEDULED' }],
        });
        const history = await historyOf(site.server, one.number);
        expect(history.filter((event) => ofThisFile.includes(event))).toEqual(row.history);
      },
    );
  },
);

describe('RAD-12 out: rebuilt from what is stored, under our own MSH (RAD TF-2 4.12; MESA 103)', () => {
  it('given an A08, then MSH, EVN, PID and PV1 are ours, each in the version of its peer', async () => {
    const one = newCase();
    await one.send('A01', { pv1: stay(one.visit, { 8: '8811^REFERRER^RUTH' }), pid: { 11: '1 Quay Street^^Oakham' } });
    await one.order();
    // sparse: what it does not say stays, and stands in our message all the same
    const controlId = await one.send('A08', {
      name: 'Silverheels^Jay',
      birthDate: '',
      pv1: { 2: 'I', 19: `${one.visit}^^^CLINIC` },
      occurredAt: '20260104230000',
    });
    expect(await told(one.value)).toEqual(everybody('A08'));
    for (const { to, raw } of await updatesAbout(site.server, one.value)) {
      const old = to !== 'IM_B';
      expect([3, 4].map((number) => field(raw, 'MSH', number))).toEqual(['SWF_OF', 'RADIOLOGY']);
      const { application, facility, version } = site.peers.find(({ entry }) => entry.name === to)?.entry.hl7 ?? {};
      expect([5, 6, 12].map((number) => field(raw, 'MSH', number))).toEqual([application, facility, version]);
      expect(field(raw, 'MSH', 9)).toMatch(old ? /^ADT\^A08(\^ADT_A01)?$/ : /^ADT\^A08\^ADT_A01$/);
      expect(field(raw, 'MSH', 10)).not.toBe(controlId);
      expect(field(raw, 'EVN', 1)).toBe(old ? 'A08' : '');
      expect(field(raw, 'EVN', 2)).toMatch(/^20260105090000/);
      expect(field(raw, 'EVN', 6)).toBe('20260104230000');
      expect(field(raw, 'PID', 3)).toBe(old ? one.identifier : `${one.identifier}^PI`);
      expect(field(raw, 'PID', 5)).toBe('Silverheels^Jay');
      expect(field(raw, 'PID', 7)).toBe('19790412');
      expect(field(raw, 'PID', 11)).toBe('1 Quay Street^^Oakham');
      expect([2, 3, 8, 19].map((number) => field(raw, 'PV1', number))).toEqual([
        'I',
        'WARD7^12^A',
        '8811^REFERRER^RUTH',
        `${one.visit}^^^CLINIC`,
      ]);
    }
  });

  it.each([
    ['A02', 'ADT_A02'],
    ['A03', 'ADT_A03'],
    ['A06', 'ADT_A06'],
    ['A07', 'ADT_A06'],
    ['A12', 'ADT_A12'],
  ])(
    'given a peer that wants %s, then MSH-9.3 is %s (HL7 table 0354) and no MRG stands in it',
    async (event, structure) => {
      const one = newCase();
      await one.send('A01', { pv1: stay(one.visit) });
      await one.order();
      await one.send(event, { pv1: stay(one.visit) });
      const [sent] = await updatesAbout(site.server, one.value);
      expect(field(sent?.raw ?? '', 'MSH', 9)).toBe(`ADT^${event}^${structure}`);
      expect(sent?.raw).not.toContain('\rMRG');
    },
  );

  it('given a discharge with its time (PV1-45), then the A03 that goes out has it', async () => {
    const one = newCase();
    await one.send('A01', { pv1: stay(one.visit, { 44: '20260102101500' }) });
    await one.order();
    await one.send('A03', { pv1: stay(one.visit, { 45: '20260105073000' }) });
    const [sent] = await updatesAbout(site.server, one.value);
    expect([44, 45].map((number) => field(sent?.raw ?? '', 'PV1', number))).toEqual([
      '20260102101500',
      '20260105073000',
    ]);
  });

  it('given nobody was sent a procedure of the patient, when A08 comes, then nobody is told', async () => {
    const one = newCase();
    await one.send('A01', { pv1: stay(one.visit) });
    await one.send('A08', { name: 'Renamed^Maja', pv1: stay(one.visit) });
    expect(await told(one.value)).toEqual([]);
  });

  it.each(['A01', 'A04', 'A05', 'A28', 'A03', 'A11'])(
    'given %s changes what others know of the patient, then they hear of it as A08, or as the event where they want it',
    async (event) => {
      const one = newCase();
      await one.send('A01', { pv1: stay(one.visit) });
      await one.order();
      await one.send(event, { birthDate: '19790413', pv1: stay(one.visit) });
      expect(await told(one.value)).toEqual(['IM A08', event === 'A03' ? 'IM_B A03' : 'IM_B A08', 'RM A08']);
    },
  );

  it('given a registration adds an identifier of another authority, then those who know the patient hear of it', async () => {
    const one = newCase();
    await one.send('A01', { pv1: stay(one.visit) });
    await one.order();
    const state = newPatient();
    const more = { identifier: `${one.identifier}~${state}^^^STATE`, pv1: stay(one.visit) };
    await accepted(adtEvent('A01', more));
    expect(await told(state)).toEqual(everybody('A08'));
    const [listed] = await one.listed();
    expect(listed).toMatchObject({ patientId: one.value, otherIds: [state] });
  });

  it('given a name that the peers’ character set carries, then it arrives as it is stored', async () => {
    const one = newCase();
    await one.send('A01', { pv1: stay(one.visit) });
    await one.order();
    await one.send('A08', { name: 'Ödegård^Åsa&Maja', pv1: stay(one.visit) });
    for (const { raw } of await updatesAbout(site.server, one.value)) expect(field(raw, 'PID', 5)).toContain('Ödegård');
  });
});

describe('A08 at each stage of an order (RAD TF-2 4.12; MESA 103)', () => {
  async function rename(one: Case): Promise<void> {
    await one.send('A08', { name: 'Silverheels^Jay', pv1: stay(one.visit) });
    expect(await storedPatient(site.server, one.value)).toMatchObject({
      name: { family: 'Silverheels', given: 'Jay' },
    });
  }

  it('given no order yet, then the order that follows is on the worklist under the new name and is not told of again', async () => {
    const one = newCase();
    await one.send('A04', { name: 'Doe^Jane', pv1: stay(one.visit) });
    await rename(one);
    await accepted(orderFor(one.identifier, { number: one.number, name: 'Silverheels^Jay' }));
    expect(await one.listed()).toMatchObject([{ name: 'Silverheels^Jay' }]);
    expect(await told(one.value)).toEqual([]);
  });

  it('given the exam is under way, then the modality may go on with the old name and the procedure is completed', async () => {
    const one = newCase();
    await one.send('A04', { pv1: stay(one.visit) });
    await one.order();
    const steps = await stepsOf(site.server.store, one.number);
    const [uid, unit] = [newUid(), modality(site.server.ports.dicom)];
    expect(await unit.create(uid, inProgress(steps))).toBe(0);
    await rename(one);
    expect(await one.listed()).toMatchObject([{ name: 'Silverheels^Jay' }]);
    expect(await unit.set(uid, completed([newUid()]))).toBe(0);
    expect(await storedOrder(site.server, one.number)).toMatchObject({ requestedProcedures: [{ state: 'completed' }] });
    const performed = await site.server.store.prisma.performedProcedureStep.findUniqueOrThrow({
      where: { sopInstanceUid: uid },
    });
    expect(performed.exception).toBeNull();
    expect(await told(one.value)).toEqual(everybody('A08'));
  });

  it('given the exam is done, then who has the images is told', async () => {
    const one = newCase();
    await one.send('A04', { pv1: stay(one.visit) });
    await one.order();
    const [uid, unit] = [newUid(), modality(site.server.ports.dicom)];
    expect(await unit.create(uid, inProgress(await stepsOf(site.server.store, one.number)))).toBe(0);
    expect(await unit.set(uid, completed([newUid()]))).toBe(0);
    await rename(one);
    expect(await told(one.value)).toEqual(everybody('A08'));
  });

  it('given a procedure that waits to be scheduled, then nobody is told, and RAD-4 has the new name later', async () => {
    const waiting = await startTestServer({
      peers: site.peers.slice(0, 1).map(({ entry }) => entry),
      policy: { autoSchedule: false },
    });
    const sender = await connectSender(waiting.ports.hl7);
    const one = newCase();
    expect(await sender.send(orderFor(one.identifier, { number: one.number }))).toMatchObject({ code: 'AA' });
    expect(await sender.send(adtEvent('A08', { identifier: one.identifier, name: 'Silverheels^Jay' }))).toMatchObject({
      code: 'AA',
    });
    expect(await updatesAbout(waiting, one.value)).toEqual([]);
    const [procedure] = (await storedOrder(waiting, one.number)).requestedProcedures;
    const path = `/api/procedures/${procedure?.requestedProcedureId}/schedule`;
    const response = await fetch(`http://127.0.0.1:${waiting.ports.http}${path}`, { method: 'POST' });
    expect(response.status).toBeLessThan(300);
    const announced = await waiting.store.prisma.delivery.findFirstOrThrow({
      where: { effect: 'announceProcedure' },
      include: { message: true },
    });
    expect(field(Buffer.from(announced.message.raw).toString('utf8'), 'PID', 5)).toBe('Silverheels^Jay');
    sender.end();
    await waiting.stop();
  });
});
