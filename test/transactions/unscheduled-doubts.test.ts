import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatasetInput } from '../../src/dicom/dataset.ts';
import { adt, field, orm, serial } from '../support/messages.ts';
import { completed, inProgress, modality, newUid } from '../support/mpps.ts';
import { type OrderSite, givenUp, startOrderSite } from '../support/order-site.ts';
import { merge } from '../support/patients.ts';
import { oru } from '../support/statements.ts';

/** Whose an examination is that nobody ordered, and what must not follow from it before somebody has. */

let site: OrderSite;
let dx: ReturnType<typeof modality>;
beforeAll(async () => {
  site = await startOrderSite();
  dx = modality(site.server.ports.dicom);
});
afterAll(() => site.stop());

const prisma = () => site.server.store.prisma;

const typed = { PatientName: 'Typed^By Hand', PatientBirthDate: null, PatientSex: null };

/** An MPPS that nobody ordered: whose it is taken to be, and its procedure. */
async function performed(patientId: string | null, said: DatasetInput = {}, end: DatasetInput = completed([newUid()])) {
  const [study, uid] = [newUid(), newUid()];
  const content = inProgress([], {
    ScheduledStepAttributesSequence: [{ StudyInstanceUID: study }],
    Modality: 'DX',
    PerformedStationAETitle: 'DX1',
    ...typed,
    ...said,
    PatientID: patientId,
  });
  expect(await dx.create(uid, content)).toBe(0);
  expect(await dx.set(uid, end)).toBe(0);
  const procedure = await prisma().requestedProcedure.findUniqueOrThrow({
    where: { studyInstanceUid: study },
    include: { order: { include: { patient: true } } },
  });
  const { exception } = await prisma().performedProcedureStep.findUniqueOrThrow({ where: { sopInstanceUid: uid } });
  return { study, uid, exception, procedure, patient: procedure.order.patient };
}

async function ordered(identifier: string, name = 'Known^Katrin'): Promise<string> {
  const placerOrderNumber = `D${serial()}`;
  const order = { placerOrderNumber: `${placerOrderNumber}^HIS`, service: 'WRIST^^TESTPLAN' };
  expect((await site.send(orm([order], { identifier, name }))).code).toBe('AA');
  await site.news();
  return placerOrderNumber;
}

const match = (uid: string, placerOrderNumber: string) =>
  site.post(`/api/unscheduled/${uid}/match`, { placerOrderNumber });

describe('a number that a modality has from nobody (a list of numbers, or typed by hand)', () => {
  it('given it was bound to a patient and is used again, then that is somebody else until a person says so (PIR case 5)', async () => {
    const [number, katrin] = [`T${serial()}`, `D${serial()}`];
    const first = await performed(number);
    expect((await match(first.uid, await ordered(`${katrin}^^^CLINIC`))).status).toBe(200);
    const next = await performed(number);
    expect(next.exception).toBe('unscheduled, unknown-patient');
    expect(next.patient).toMatchObject({ temporary: true });
    const order = await ordered(`D${serial()}^^^CLINIC`, 'Other^Olga');
    expect((await match(next.uid, order)).status).toBe(200);
    const { requestedProcedures } = await site.order({ placerOrderNumber: order });
    expect(requestedProcedures.map(({ state }) => state).sort()).toEqual(['cancelled', 'completed']);
    await site.news();
  });

  it('given two examinations under it whose names differ, then they are two patients', async () => {
    const number = `T${serial()}`;
    const first = await performed(number, { PatientName: 'Unknown^Man' });
    const same = await performed(number, { PatientName: 'Unknown^Man' });
    const other = await performed(number, { PatientName: 'Unknown^Woman' });
    expect(same.patient.id).toBe(first.patient.id);
    expect(other.patient.id).not.toBe(first.patient.id);
    expect([same.exception, other.exception]).toEqual(Array(2).fill('unscheduled, unknown-patient'));
  });

  it('given two patients have it and one is bound, then nobody hears that all its images are his (RAD-12 A40)', async () => {
    const number = `T${serial()}`;
    const man = await performed(number, { PatientName: 'Unknown^Man' });
    const woman = await performed(number, { PatientName: 'Unknown^Woman' });
    const mergesTold = async () => (await site.news()).filter((line) => line.includes('A40'));
    expect((await match(man.uid, await ordered(`D${serial()}^^^CLINIC`, 'Real^Robert'))).status).toBe(200);
    expect(await mergesTold()).toEqual([]);
    const lines = await prisma().history.findMany({ where: { procedureId: man.procedure.id, event: 'patientMerged' } });
    expect(lines).toMatchObject([{ remark: expect.stringContaining('image managers were not told') as string }]);
    expect((await match(woman.uid, await ordered(`D${serial()}^^^CLINIC`, 'Real^Rita'))).status).toBe(200);
    expect(await mergesTold()).toEqual([]);
  });

  it('given it is that of a known patient with another name, then a person is told: it may be mistyped', async () => {
    const number = `D${serial()}`;
    await site.send(adt('A04', { identifier: `${number}^^^CLINIC`, name: 'Known^Katrin', birthDate: '19500101' }));
    expect((await performed(number)).exception).toBe('unscheduled, patient-differs');
    expect((await performed(number, { PatientName: 'KNOWN^KATRIN' })).exception).toBe('unscheduled');
  });
});

describe('a patient whom only a modality has named', () => {
  const named = { IssuerOfPatientID: 'CLINIC' };

  it('given an order for his number, then he is called as the order says', async () => {
    const number = `D${serial()}`;
    const { patient } = await performed(number, named);
    const placerOrderNumber = await ordered(`${number}^^^CLINIC`, 'Proper^Paula');
    const order = await site.order({ placerOrderNumber });
    expect(order.patientId).toBe(patient.id);
    const [item] = await site.offered(placerOrderNumber);
    expect(item).toBeDefined();
    expect(await prisma().patient.findUniqueOrThrow({ where: { id: patient.id } })).toMatchObject({
      temporary: false,
      name: { family: 'Proper', given: 'Paula' },
    });
  });

  it('given an ADT merges him, then everybody hears who have images under his number (RAD-12 A40)', async () => {
    const [number, real] = [`D${serial()}`, `D${serial()}`];
    await site.send(adt('A04', { identifier: `${real}^^^CLINIC`, name: 'Real^Rita' }));
    await performed(number, { IssuerOfPatientID: 'TRAUMA' });
    await site.news();
    expect((await site.send(merge(`${real}^^^CLINIC`, `${number}^^^TRAUMA`, 'Real^Rita'))).code).toBe('AA');
    expect(await site.news()).toEqual(['IM RAD-12 A40', 'RM RAD-12 A40']);
    expect(field(site.texts[0] ?? '', 'MRG', 1).split('^')[0]).toBe(number);
  });

  it('given the site rejects unknown patients, then an order for his number is rejected until an ADT has registered him', async () => {
    const strict = await startOrderSite({ policy: { unknownPatient: 'reject' } });
    try {
      const [number, device] = [`D${serial()}`, modality(strict.server.ports.dicom)];
      const item = { ScheduledStepAttributesSequence: [{ StudyInstanceUID: newUid() }] };
      expect(await device.create(newUid(), inProgress([], { ...item, ...named, PatientID: number }))).toBe(0);
      const order = () =>
        strict.send(orm([{ placerOrderNumber: `D${serial()}^HIS` }], { identifier: `${number}^^^CLINIC` }));
      expect(await order()).toMatchObject({ code: 'AR', error: '204' });
      await strict.send(adt('A04', { identifier: `${number}^^^CLINIC` }));
      expect((await order()).code).toBe('AA');
    } finally {
      await strict.stop();
    }
  });
});

describe('what nobody has ordered', () => {
  it('given it was reported, when it is bound to an order, then the placer has the report', async () => {
    const patientId = `D${serial()}`;
    const placerOrderNumber = await ordered(`${patientId}^^^CLINIC`);
    const { uid, procedure } = await performed(patientId, { PatientName: 'Known^Katrin' });
    const { accessionNumber } = procedure.order;
    const report = { accessionNumber, resultStatus: 'F' as const, text: ['No fracture.'] };
    expect((await site.send(oru([report], { identifier: `${patientId}^^^CLINIC` }))).code).toBe('AA');
    expect(await site.news()).toEqual([]);
    expect((await match(uid, placerOrderNumber)).status).toBe(200);
    await site.news();
    const sent = site.texts.find((text) => field(text, 'MSH', 9).startsWith('ORU'));
    expect(sent).toContain('No fracture.');
    expect(sent).toContain(placerOrderNumber);
  });

  it.each(['schedule', 'cancel'])('given a person wants to %s it, then 409 and nobody is told', async (action) => {
    const { procedure } = await performed(null, {}, { ...completed(), ...givenUp('110514') });
    expect(procedure.state).toBe('planned');
    const { status } = await site.post(`/api/procedures/${procedure.requestedProcedureId}/${action}`, {});
    expect(status).toBe(409);
    expect(await site.news()).toEqual([]);
  });

  it.each([
    ['given up (110504)', '110504'],
    ['begun under the wrong worklist entry (110514)', '110514'],
  ])('given it was %s, when it is bound to an order, then 409 and the order waits on', async (_what, code) => {
    const placerOrderNumber = await ordered(`D${serial()}^^^CLINIC`);
    const { uid } = await performed(null, {}, { ...completed(), ...givenUp(code) });
    expect((await match(uid, placerOrderNumber)).status).toBe(409);
    expect(await site.offered(placerOrderNumber)).toHaveLength(1);
    expect(await site.news()).toEqual([]);
  });
});
