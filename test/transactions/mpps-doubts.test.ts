import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatasetInput } from '../../src/dicom/dataset.ts';
import { type Sender, connectSender, orm, serial } from '../support/messages.ts';
import { type StepOnWorklist, discontinued, inProgress, modality, newUid, stepsOf } from '../support/mpps.ts';
import { type TestServer, startTestServer } from '../support/server.ts';

let server: TestServer;
let sender: Sender;
let dx: ReturnType<typeof modality>;
beforeAll(async () => {
  server = await startTestServer();
  sender = await connectSender(server.ports.hl7);
  dx = modality(server.ports.dicom);
});
afterAll(async () => {
  sender.end();
  await server.stop();
});

async function orderOf(): Promise<StepOnWorklist> {
  const placerOrderNumber = `M${serial()}`;
  await sender.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS` }]));
  const [step] = await stepsOf(server.store, placerOrderNumber);
  if (!step) throw new Error('the order has no step');
  return step;
}

/** Sends RAD-6 with one item that says this much, and gives its exception and what became of the step. */
async function perform(step: StepOnWorklist, item: DatasetInput, content: DatasetInput = {}) {
  const uid = newUid();
  const nothing = { AccessionNumber: null, RequestedProcedureID: null, ScheduledProcedureStepID: null };
  const sequence = { ScheduledStepAttributesSequence: [{ ...nothing, ...item }] };
  expect(await dx.create(uid, inProgress([step], { ...sequence, ...content }))).toBe(0x0000);
  const { exception } = await server.store.prisma.performedProcedureStep.findUniqueOrThrow({
    where: { sopInstanceUid: uid },
  });
  const { stepStatus } = await server.store.prisma.scheduledProcedureStep.findUniqueOrThrow({
    where: { scheduledProcedureStepId: step.scheduledProcedureStepId },
  });
  return { uid, exception, stepStatus };
}

const byStudy = ({ studyInstanceUid }: StepOnWorklist): DatasetInput => ({ StudyInstanceUID: studyInstanceUid });
const byAccession = ({ accessionNumber }: StepOnWorklist): DatasetInput => ({
  StudyInstanceUID: newUid(),
  AccessionNumber: accessionNumber,
});

interface Listed {
  readonly items: readonly { readonly sopInstanceUid: string; readonly exception: string }[];
}

async function listed(uid: string): Promise<string | undefined> {
  const response = await fetch(`http://127.0.0.1:${server.ports.http}/api/unscheduled`);
  const { items } = (await response.json()) as Listed;
  return items.find(({ sopInstanceUid }) => sopInstanceUid === uid)?.exception;
}

describe('an MPPS without a step id (RAD TF-2 4.6; PS3.4 F.7.2)', () => {
  it('given the study and the modality of its one open step, then that step is started', async () => {
    const step = await orderOf();
    expect(await perform(step, byStudy(step))).toMatchObject({ exception: null, stepStatus: 'STARTED' });
  });

  it('given the study and another modality (a workstation that makes a report), then nothing moves and it is listed', async () => {
    const step = await orderOf();
    const { uid, ...seen } = await perform(step, byStudy(step), { Modality: 'SR' });
    expect(seen).toEqual({ exception: 'no-open-step', stepStatus: 'SCHEDULED' });
    expect(await listed(uid)).toBe('no-open-step');
  });

  it('given the accession number and the patient of the order, then its step is started', async () => {
    const step = await orderOf();
    expect(await perform(step, byAccession(step))).toMatchObject({ exception: null, stepStatus: 'STARTED' });
  });

  it('given the accession number alone beside another PatientID, then it is no proof: the step waits and it is unscheduled', async () => {
    const step = await orderOf();
    const { uid, ...seen } = await perform(step, byAccession(step), { PatientID: 'SOMEBODY-ELSE' });
    expect(seen).toEqual({ exception: 'unscheduled, unknown-patient', stepStatus: 'SCHEDULED' });
    expect(await listed(uid)).toBe('unscheduled, unknown-patient');
  });
});

describe('the patient of an MPPS (PatientID with IssuerOfPatientID)', () => {
  it.each([
    ['that of the order', 'CLINIC', null],
    ['not there', null, null],
    ['another', 'ELSEWHERE', 'patient-differs'],
  ])('given the issuer is %s, then the step moves and the exception is right', async (_what, issuer, exception) => {
    const step = await orderOf();
    const item = { ...byStudy(step), ScheduledProcedureStepID: step.scheduledProcedureStepId };
    const seen = await perform(step, item, { IssuerOfPatientID: issuer });
    expect(seen).toMatchObject({ exception, stepStatus: 'STARTED' });
    expect(await listed(seen.uid)).toBe(exception ?? undefined);
  });
});

describe('several exceptions of one MPPS', () => {
  it('given it was listed for another patient, when it is discontinued, then it is listed for both', async () => {
    const step = await orderOf();
    const { uid, exception } = await perform(step, byStudy(step), { PatientID: 'SOMEBODY-ELSE' });
    expect(exception).toBe('patient-differs');
    expect(await dx.set(uid, discontinued())).toBe(0x0000);
    expect(await listed(uid)).toBe('patient-differs, discontinued');
  });

  it('given another patient and a step that was started before, then it is listed for both', async () => {
    const step = await orderOf();
    await perform(step, byStudy(step));
    const { exception } = await perform(step, byStudy(step), { PatientID: 'SOMEBODY-ELSE' });
    expect(exception).toBe('patient-differs, already-started');
  });
});
