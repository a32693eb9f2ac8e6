import { describe, expect, it } from 'vitest';
import { serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { type Case, type Message, patientSite, stay } from '../support/patient-site.ts';
import { historyOf, orderFor, remarksOn, storedOrder, storedPatient, updatesAbout } from '../support/patients.ts';

const site = patientSite();
const { accepted, newCase, told } = site;

describe('a message about a stay that is there (RAD TF-2 4.12; ITI TF-2 3.31)', () => {
  const visitsOf = async ({ value }: Case) =>
    (await storedPatient(site.server, value)).visits.map(({ visitNumber, visitStatus, patientClass }) => ({
      visitNumber,
      visitStatus,
      patientClass,
    }));

  it('given one open stay, when a message about it has no visit number, then that stay is meant', async () => {
    const one = newCase();
    await one.send('A01', { pv1: stay(one.visit) });
    await one.send('A02', { pv1: { 2: 'I', 3: 'ICU^1' } });
    await one.send('A03', { pv1: { 2: 'I' } });
    expect(await visitsOf(one)).toEqual([{ visitNumber: one.visit, visitStatus: 'CLOSED', patientClass: 'I' }]);
  });

  it('given A06 under a new number, then the stay goes on under it, and the order’s admission ID follows', async () => {
    const one = newCase();
    await one.send('A04', { pv1: stay(one.visit, { 2: 'O' }) });
    await one.order();
    const now = `V${serial()}`;
    await one.send('A06', { pv1: stay(now) });
    expect(await visitsOf(one)).toEqual([{ visitNumber: now, visitStatus: 'OPEN', patientClass: 'I' }]);
    expect(await one.listed()).toMatchObject([{ admissionId: now, patientClass: 'I' }]);
  });

  it('given A07 names the old number in MRG-5 and two stays are open, then the one that is named goes on under the new number', async () => {
    const one = newCase();
    const other = `V${serial()}`;
    await one.send('A01', { pv1: stay(one.visit) });
    await one.send('A01', { pv1: stay(other) });
    await one.order();
    const now = `V${serial()}`;
    await one.send('A07', { pv1: stay(now, { 2: 'O' }), mrg: { 1: one.identifier, 5: `${one.visit}^^^CLINIC` } });
    expect(await visitsOf(one)).toEqual([
      { visitNumber: now, visitStatus: 'OPEN', patientClass: 'O' },
      { visitNumber: other, visitStatus: 'OPEN', patientClass: 'I' },
    ]);
    expect(await one.listed()).toMatchObject([{ admissionId: now }]);
  });

  it('given an account number alone (PID-18), then it is the admission ID, and a new one of A06 too', async () => {
    const one = newCase();
    const account = (visit: string): Message => ({ pid: { 18: `${visit}^^^CLINIC` }, pv1: { 2: 'I' } });
    await one.send('A04', account(one.visit));
    await accepted(orderFor(one.identifier, { number: one.number, account: one.visit }));
    expect(await one.listed()).toMatchObject([{ admissionId: one.visit }]);
    const now = `V${serial()}`;
    await one.send('A06', account(now));
    expect(await visitsOf(one)).toMatchObject([{ visitNumber: now }]);
    expect(await one.listed()).toMatchObject([{ admissionId: now }]);
  });

  it('given two open stays, when a message about a stay has no visit number, then neither is guessed, and the journal says so', async () => {
    const one = newCase();
    const other = `V${serial()}`;
    await one.send('A01', { pv1: stay(one.visit) });
    await one.send('A01', { pv1: stay(other) });
    const before = await visitsOf(one);
    const controlId = await one.send('A03', { pv1: { 2: 'I', 3: 'ELSEWHERE' } });
    expect(await visitsOf(one)).toEqual(before);
    expect(await remarksOn(site.server, controlId)).toContain('no single stay');
  });

  it('given the stay has no number yet, when a later message gives it one, then it is the same stay', async () => {
    const one = newCase();
    await one.send('A01', { pv1: { 2: 'I', 3: 'WARD7' } });
    await one.send('A02', { pv1: stay(one.visit, { 3: 'ICU' }) });
    expect(await visitsOf(one)).toEqual([{ visitNumber: one.visit, visitStatus: 'OPEN', patientClass: 'I' }]);
  });

  it('given an order without a visit number, when one stay is open, then the order is in that stay', async () => {
    const one = newCase();
    await one.send('A01', { pv1: stay(one.visit) });
    await accepted(orderFor(one.identifier, { number: one.number }));
    expect(await one.listed()).toMatchObject([{ admissionId: one.visit, location: 'WARD7^12^A' }]);
    await one.send('A02', { pv1: stay(one.visit, { 3: 'ICU^1^C' }) });
    expect(await one.listed()).toMatchObject([{ location: 'ICU^1^C' }]);
  });

  it.each([
    ['A02', 'OPEN'],
    ['A03', 'OPEN'],
    ['A08', 'OPEN'],
    ['A11', 'OPEN'],
    ['A12', 'OPEN'],
  ])(
    'given an open stay, when %s names a stay that is not known, then the open one stays as it is',
    async (event, visitStatus) => {
      const one = newCase();
      await one.send('A01', { pv1: stay(one.visit) });
      await one.order();
      await one.send(event, { pv1: stay(`V${serial()}`, { 3: 'ELSEWHERE' }) });
      expect((await storedOrder(site.server, one.number)).visit).toMatchObject({ visitNumber: one.visit, visitStatus });
      expect(await one.listed()).toMatchObject([{ admissionId: one.visit, location: 'WARD7^12^A' }]);
    },
  );

  it('given two stays that one system announced and another opened, when A38 comes, then only the announced one is cancelled', async () => {
    const one = newCase();
    const announced = `V${serial()}`;
    await one.send('A01', { pv1: stay(one.visit) });
    await one.send('A05', { pv1: stay(announced) });
    await one.send('A38', { pv1: { 2: 'I' } });
    expect(await visitsOf(one)).toMatchObject([
      { visitNumber: one.visit, visitStatus: 'OPEN' },
      { visitNumber: announced, visitStatus: 'CANCELLED' },
    ]);
  });

  it('given A11 while a procedure is open, then order and worklist stay, and the journal says what is open', async () => {
    const one = newCase();
    await one.send('A01', { pv1: stay(one.visit) });
    await one.order();
    const controlId = await one.send('A11', { pv1: stay(one.visit) });
    expect(await remarksOn(site.server, controlId)).toMatch(/cancelled while 1 procedure/);
    expect((await storedOrder(site.server, one.number)).orderStatus).toBe('SC');
    expect(await one.listed()).toHaveLength(1);
    await one.send('A01', { pv1: stay(one.visit) });
    expect(await visitsOf(one)).toMatchObject([{ visitStatus: 'OPEN' }]);
  });

  it('given a completed procedure, when A11 comes, then nothing is written into its history', async () => {
    const one = newCase();
    await one.send('A01', { pv1: stay(one.visit) });
    await one.order();
    const [uid, unit] = [newUid(), modality(site.server.ports.dicom)];
    expect(await unit.create(uid, inProgress(await stepsOf(site.server.store, one.number)))).toBe(0);
    expect(await unit.set(uid, completed([newUid()]))).toBe(0);
    const before = await historyOf(site.server, one.number);
    await one.send('A11', { pv1: stay(one.visit) });
    expect(await historyOf(site.server, one.number)).toEqual(before);
  });

  it('given steps of another day, when A10 comes, then they wait, and the journal says that nothing of today does', async () => {
    const one = newCase();
    await one.send('A01', { pv1: stay(one.visit) });
    const tomorrow = orderFor(one.identifier, { number: one.number, visit: one.visit }).replace(
      '20260105093000',
      '20260106093000',
    );
    await accepted(tomorrow);
    const controlId = await one.send('A10', { pv1: stay(one.visit) });
    expect(await remarksOn(site.server, controlId)).toContain('no step of today');
    expect(await storedOrder(site.server, one.number)).toMatchObject({
      requestedProcedures: [{ steps: [{ stepStatus: 'SCHEDULED' }] }],
    });
  });
});

describe('updates of a patient who is not known (RAD TF-2 4.12)', () => {
  it.each(['A02', 'A03', 'A06', 'A07', 'A08', 'A10', 'A11', 'A12', 'A13', 'A31', 'A38'])(
    'given %s comes first, then the patient is made from it, the journal says so, and he is not registered',
    async (event) => {
      const one = newCase();
      const controlId = await one.send(event, { pv1: stay(one.visit) });
      const patient = await storedPatient(site.server, one.value);
      expect(patient.registeredByMessageId).toBeNull();
      expect(await remarksOn(site.server, controlId)).toContain('was not known');
    },
  );
});

describe('a whole stay, as an ADT system broadcasts it (ADT broadcast of a connectathon)', () => {
  it.each(['2.3.1', '2.5.1'])(
    'given A05, A01, A08, A07, A01, A01, A03, A40, A06, A02 and A12 in v%s, then class, name, stay and merge are seen by the worklist and the archive',
    async (version) => {
      const one = newCase();
      const second = newCase();
      const seen = async () => (await one.listed())[0];
      await one.send('A05', { pv1: stay(one.visit, { 2: 'P' }) }, version);
      await one.order();
      await one.send('A01', { pv1: stay(one.visit) }, version);
      expect(await seen()).toMatchObject({ patientClass: 'I', location: 'WARD7^12^A' });
      await one.send('A08', { name: 'Renamed^Maja', pv1: stay(one.visit) }, version);
      expect(await seen()).toMatchObject({ name: 'Renamed^Maja' });
      await one.send('A07', { name: 'Renamed^Maja', pv1: stay(one.visit, { 2: 'O' }) }, version);
      expect(await seen()).toMatchObject({ patientClass: 'O' });
      await second.send('A01', { pv1: stay(second.visit) }, version);
      await second.order();
      const third = newCase();
      await third.send('A01', { pv1: stay(third.visit) }, version);
      await third.send('A03', { pv1: stay(third.visit) }, version);
      expect((await storedPatient(site.server, third.value)).visits).toMatchObject([{ visitStatus: 'CLOSED' }]);
      await one.send('A40', { name: 'Renamed^Maja', mrg: { 1: second.identifier } }, version);
      expect(await second.listed()).toMatchObject([
        { patientId: one.value, name: 'Renamed^Maja', admissionId: second.visit },
      ]);
      await one.send('A06', { name: 'Renamed^Maja', pv1: stay(one.visit) }, version);
      expect(await seen()).toMatchObject({ patientClass: 'I' });
      await one.send('A02', { name: 'Renamed^Maja', pv1: stay(one.visit, { 3: 'ICU^1^C' }) }, version);
      expect(await seen()).toMatchObject({ location: 'ICU^1^C' });
      await one.send('A12', { name: 'Renamed^Maja', pv1: stay(one.visit) }, version);
      expect(await seen()).toMatchObject({ location: 'WARD7^12^A', patientId: one.value });
      const events = (await updatesAbout(site.server, one.value))
        .filter(({ to }) => to === 'IM_B')
        .map(({ event }) => event);
      expect(events).toEqual(['A08', 'A07', 'A40', 'A06', 'A02', 'A12']);
      expect(await told(one.value)).toContain('IM A40');
    },
  );
});
