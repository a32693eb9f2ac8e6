import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMPLICIT_VR_LITTLE_ENDIAN, encodeDataset } from '../../src/dicom/codec.ts';
import { type DatasetInput, dataset, text } from '../../src/dicom/dataset.ts';
import { commandNumber } from '../../src/dicom/dimse.ts';
import { associateRequest, message, rawPeer } from '../dicom/raw-peer.ts';
import { type Sender, connectSender, orm, serial } from '../support/messages.ts';
import {
  type StepOnWorklist,
  completed,
  discontinued,
  inProgress,
  modality,
  newUid,
  scheduledItem,
  sopClass,
  stepsOf,
} from '../support/mpps.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { times } from '../support/until.ts';

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

async function orderOf(
  service = 'WRIST',
): Promise<{ placerOrderNumber: string; steps: StepOnWorklist[]; step: StepOnWorklist }> {
  const placerOrderNumber = `M${serial()}`;
  await sender.send(orm([{ placerOrderNumber: `${placerOrderNumber}^HIS`, service: `${service}^^TESTPLAN` }]));
  const steps = await stepsOf(server.store, placerOrderNumber);
  const [step] = steps;
  if (!step) throw new Error('the order has no step');
  return { placerOrderNumber, steps, step };
}

/** Where an order stands: status, state of its procedures, status of their steps. */
async function standing(placerOrderNumber: string) {
  const order = await server.store.prisma.order.findFirstOrThrow({
    where: { placerOrderNumber },
    include: { requestedProcedures: { include: { steps: { orderBy: { id: 'asc' } } }, orderBy: { id: 'asc' } } },
  });
  return {
    order: order.orderStatus,
    procedures: order.requestedProcedures.map(({ state }) => state),
    steps: order.requestedProcedures.flatMap(({ steps }) => steps.map(({ stepStatus }) => stepStatus)),
  };
}

const mppsOf = (sopInstanceUid: string) =>
  server.store.prisma.performedProcedureStep.findUnique({
    where: { sopInstanceUid },
    include: { steps: true, instances: true },
  });

const journalOf = (controlId: string) =>
  server.store.prisma.message.findMany({ where: { controlId }, orderBy: { id: 'asc' } });

describe('RAD-6, RAD-7 simple case (RAD TF-2 4.6, 4.7)', () => {
  it('given a step, when its MPPS is created and completed, then step, procedure and order follow and the journal has both', async () => {
    const { placerOrderNumber, step } = await orderOf();
    const uid = newUid();
    expect(await standing(placerOrderNumber)).toEqual({ order: 'SC', procedures: ['scheduled'], steps: ['SCHEDULED'] });
    expect(await dx.create(uid, inProgress([step]))).toBe(0x0000);
    expect(await standing(placerOrderNumber)).toEqual({ order: 'IP', procedures: ['inProgress'], steps: ['STARTED'] });
    const images = [newUid(), newUid()];
    expect(await dx.set(uid, completed(images))).toBe(0x0000);
    expect(await standing(placerOrderNumber)).toEqual({ order: 'CM', procedures: ['completed'], steps: ['COMPLETED'] });
    const mpps = await mppsOf(uid);
    expect(mpps).toMatchObject({ performedProcedureStepStatus: 'COMPLETED', exception: null, callingAeTitle: 'DX1' });
    expect(mpps?.instances.map((one) => one.sopInstanceUid).sort()).toEqual([...images].sort());
    expect((await journalOf(uid)).map((one) => [one.transaction, one.messageType, one.answerCode])).toEqual([
      ['RAD-6', 'N-CREATE', '0000'],
      ['RAD-7', 'N-SET', '0000'],
    ]);
  });

  it('given N-SETs without a final status, then they are stored and nothing else moves', async () => {
    const { placerOrderNumber, step } = await orderOf();
    const uid = newUid();
    await dx.create(uid, inProgress([step]));
    expect(await dx.set(uid, { PerformedProcedureStepDescription: 'first view done' })).toBe(0x0000);
    expect(await dx.set(uid, { PerformedProcedureStepStatus: 'IN PROGRESS' })).toBe(0x0000);
    expect(await standing(placerOrderNumber)).toMatchObject({ order: 'IP', steps: ['STARTED'] });
    expect((await mppsOf(uid))?.dataset).toMatchObject({ PerformedProcedureStepDescription: ['first view done'] });
  });

  it('given an N-CREATE without an instance UID, then one is assigned and said (PS3.7 10.1.5)', async () => {
    const { step } = await orderOf();
    const peer = await rawPeer(server.ports.dicom);
    peer.write(associateRequest({ called: 'SWF_OF', calling: 'DX1' }));
    await peer.next();
    const content = encodeDataset(dataset(inProgress([step])), IMPLICIT_VR_LITTLE_ENDIAN);
    peer.write(
      message(
        5,
        { AffectedSOPClassUID: sopClass.modalityPerformedProcedureStep, CommandField: 0x140, MessageID: 3 },
        content,
      ),
    );
    const { command } = await peer.message();
    peer.end();
    expect(commandNumber(command, 'Status')).toBe(0);
    expect(await mppsOf(text(command, 'AffectedSOPInstanceUID') ?? '')).toMatchObject({
      performedProcedureStepStatus: 'IN PROGRESS',
    });
  });

  it('given two MPPS for one step, when both are completed, then the step is, and no order is reported twice', async () => {
    const { placerOrderNumber, step } = await orderOf();
    const uids = [newUid(), newUid()] as const;
    await dx.create(uids[0], inProgress([step]));
    expect(await dx.create(uids[1], inProgress([step]))).toBe(0x0000);
    expect((await mppsOf(uids[1]))?.exception).toBe('already-started');
    await dx.set(uids[0], completed([newUid()]));
    expect(await standing(placerOrderNumber)).toMatchObject({ order: 'IP', steps: ['STARTED'] });
    await dx.set(uids[1], completed([newUid()]));
    expect(await standing(placerOrderNumber)).toMatchObject({ order: 'CM', steps: ['COMPLETED'] });
  });
});

describe('group case: one MPPS performs several steps (RAD TF-2 4.6.4.1.2.3.6)', () => {
  it('given two procedures, when one MPPS names both, then one commit moves both and the instances count for both', async () => {
    const { placerOrderNumber, steps } = await orderOf('TRUNK');
    const uid = newUid();
    expect(await dx.create(uid, inProgress(steps))).toBe(0);
    expect(await standing(placerOrderNumber)).toEqual({
      order: 'IP',
      procedures: ['inProgress', 'inProgress'],
      steps: ['STARTED', 'STARTED'],
    });
    await dx.set(uid, completed([newUid()]));
    expect(await standing(placerOrderNumber)).toMatchObject({ order: 'CM', procedures: ['completed', 'completed'] });
    const history = await server.store.prisma.history.findMany({
      where: { procedure: { order: { placerOrderNumber } }, event: 'performedStepCompleted' },
    });
    // one message is the cause of both
    expect(history).toHaveLength(2);
    expect(new Set(history.map(({ messageId }) => messageId)).size).toBe(1);
  });

  it('given a new Study Instance UID for both and their own in Referenced Study Sequence, then both are found', async () => {
    const { placerOrderNumber, steps } = await orderOf('TRUNK');
    const study = newUid();
    const content: DatasetInput = {
      ...inProgress(steps),
      ScheduledStepAttributesSequence: steps.map((step) => ({
        ...scheduledItem(step),
        StudyInstanceUID: study,
        ReferencedStudySequence: [
          { ReferencedSOPClassUID: '1.2.840.10008.3.1.2.3.1', ReferencedSOPInstanceUID: step.studyInstanceUid },
        ],
      })),
    };
    expect(await dx.create(newUid(), content)).toBe(0);
    expect(await standing(placerOrderNumber)).toMatchObject({ procedures: ['inProgress', 'inProgress'] });
  });

  it('given steps of two orders of two patients, when one MPPS names both, then both orders move', async () => {
    const [one, two] = [await orderOf(), await orderOf()];
    const uid = newUid();
    expect(await dx.create(uid, inProgress([one.step, two.step]))).toBe(0);
    expect(await dx.set(uid, completed([newUid()]))).toBe(0);
    for (const { placerOrderNumber } of [one, two])
      expect(await standing(placerOrderNumber)).toMatchObject({ order: 'CM' });
    expect((await mppsOf(uid))?.exception).toBe('patient-differs');
  });

  it('given group MPPS that name the same orders in opposite order, when they come in the same instant, then both are taken', async () => {
    const other = modality(server.ports.dicom, 'DX2');
    await times(10, async () => {
      const [a, b] = [await orderOf('TRUNK'), await orderOf('TRUNK')];
      const [a1, a2] = a.steps;
      const [b1, b2] = b.steps;
      if (!a1 || !a2 || !b1 || !b2) throw new Error('an order has two steps');
      const statuses = await Promise.all([
        dx.create(newUid(), inProgress([a1, b1])),
        other.create(newUid(), inProgress([b2, a2])),
      ]);
      expect(statuses).toEqual([0, 0]);
      expect((await standing(a.placerOrderNumber)).steps).toEqual(['STARTED', 'STARTED']);
      expect((await standing(b.placerOrderNumber)).steps).toEqual(['STARTED', 'STARTED']);
    });
  });
});

describe('what fits no step is a fact all the same: stored, answered 0000, listed', () => {
  it('given a step id that does not belong to the study, then nothing is guessed', async () => {
    const [one, two] = [await orderOf(), await orderOf()];
    const uid = newUid();
    const wrong = {
      ...one.step,
      studyInstanceUid: two.step.studyInstanceUid,
      accessionNumber: two.step.accessionNumber,
    };
    expect(await dx.create(uid, inProgress([wrong]))).toBe(0x0000);
    expect(await mppsOf(uid)).toMatchObject({ exception: 'no-open-step' });
    for (const { placerOrderNumber } of [one, two])
      expect(await standing(placerOrderNumber)).toMatchObject({ order: 'SC' });
  });

  it('given one of two named steps is gone, then the other one moves and the MPPS is listed', async () => {
    const [gone, open] = [await orderOf(), await orderOf()];
    const uid = newUid();
    const content = inProgress([{ ...gone.step, scheduledProcedureStepId: 'S-GONE' }, open.step]);
    expect(await dx.create(uid, content)).toBe(0x0000);
    expect(await mppsOf(uid)).toMatchObject({ exception: expect.stringContaining('no-open-step') as string });
    expect(await standing(open.placerOrderNumber)).toMatchObject({ order: 'IP' });
    expect(await standing(gone.placerOrderNumber)).toMatchObject({ order: 'SC' });
  });

  it('given the modality names another patient, then the step moves and the MPPS is listed', async () => {
    const { placerOrderNumber, step } = await orderOf();
    const uid = newUid();
    expect(await dx.create(uid, inProgress([step], { PatientID: 'SOMEBODY-ELSE' }))).toBe(0x0000);
    expect(await mppsOf(uid)).toMatchObject({ exception: 'patient-differs' });
    expect(await standing(placerOrderNumber)).toMatchObject({ order: 'IP' });
  });
});

describe('RAD-7 discontinued (awaiting a decision)', () => {
  it('given an MPPS is discontinued, then it is taken, the step stays STARTED, it is listed, and nothing is reported', async () => {
    const { placerOrderNumber, step } = await orderOf();
    const uid = newUid();
    await dx.create(uid, inProgress([step]));
    expect(await dx.set(uid, discontinued([newUid()]))).toBe(0x0000);
    expect(await mppsOf(uid)).toMatchObject({
      performedProcedureStepStatus: 'DISCONTINUED',
      exception: 'discontinued',
    });
    expect(await standing(placerOrderNumber)).toEqual({ order: 'IP', procedures: ['inProgress'], steps: ['STARTED'] });
  });

  it('given the step is performed again and completed, then it is completed', async () => {
    const { placerOrderNumber, step } = await orderOf();
    const [first, second] = [newUid(), newUid()];
    await dx.create(first, inProgress([step]));
    await dx.set(first, discontinued());
    await dx.create(second, inProgress([step]));
    await dx.set(second, completed([newUid()]));
    expect(await standing(placerOrderNumber)).toMatchObject({ order: 'CM', steps: ['COMPLETED'] });
  });
});

describe('refusals (PS3.4 F.7.2, PS3.7 C)', () => {
  it('given an instance that exists, when it is created again, then 0111 and nothing changes', async () => {
    const { placerOrderNumber, step } = await orderOf();
    const uid = newUid();
    await dx.create(uid, inProgress([step]));
    expect(await dx.create(uid, inProgress([step]))).toBe(0x0111);
    await dx.set(uid, completed([newUid()]));
    expect(await dx.create(uid, inProgress([step]))).toBe(0x0111);
    expect(await standing(placerOrderNumber)).toMatchObject({ order: 'CM' });
    expect((await journalOf(uid)).map((one) => one.answerCode)).toEqual(['0000', '0111', '0000', '0111']);
  });

  it('given the same N-CREATE twice in the same instant, then one is 0000, the other 0111', async () => {
    const other = modality(server.ports.dicom);
    await times(20, async () => {
      const { step } = await orderOf();
      const uid = newUid();
      const statuses = await Promise.all([dx.create(uid, inProgress([step])), other.create(uid, inProgress([step]))]);
      expect(statuses.sort()).toEqual([0x0000, 0x0111]);
      expect((await mppsOf(uid))?.steps).toHaveLength(1);
    });
  });

  it('given an instance that nobody created, when it is set, then 0112', async () => {
    expect(await dx.set(newUid(), completed([newUid()]))).toBe(0x0112);
  });

  it('given a final instance, when it is set, then 0110 with Error ID A710 and its comment (PS3.4 F.7.2.2)', async () => {
    const { placerOrderNumber, step } = await orderOf();
    const uid = newUid();
    await dx.create(uid, inProgress([step]));
    await dx.set(uid, completed([newUid()]));
    const peer = await rawPeer(server.ports.dicom);
    peer.write(associateRequest({ called: 'SWF_OF', calling: 'DX1' }));
    await peer.next();
    const content = encodeDataset(dataset({ PerformedProcedureStepDescription: 'late' }), IMPLICIT_VR_LITTLE_ENDIAN);
    const names = { RequestedSOPClassUID: sopClass.modalityPerformedProcedureStep, RequestedSOPInstanceUID: uid };
    peer.write(message(5, { ...names, CommandField: 0x120, MessageID: 4 }, content));
    const { command } = await peer.message();
    peer.end();
    expect(commandNumber(command, 'Status')).toBe(0x0110);
    expect(commandNumber(command, 'ErrorID')).toBe(0xa710);
    expect(text(command, 'ErrorComment')).toBe('Performed Procedure Step Object may no longer be updated');
    expect(await standing(placerOrderNumber)).toMatchObject({ order: 'CM' });
  });

  it.each<[string, DatasetInput, number]>([
    ['status COMPLETED', { PerformedProcedureStepStatus: 'COMPLETED' }, 0x0106],
    ['no Scheduled Step Attributes Sequence', { ScheduledStepAttributesSequence: undefined }, 0x0120],
    ['an empty Performed Procedure Step ID', { PerformedProcedureStepID: null }, 0x0121],
    ['a start date that is none', { PerformedProcedureStepStartDate: '20261399' }, 0x0106],
  ])(
    'given an N-CREATE with %s, then it is refused, journalled, and nothing is stored',
    async (_what, change, status) => {
      const { placerOrderNumber, step } = await orderOf();
      const uid = newUid();
      expect(await dx.create(uid, inProgress([step], change))).toBe(status);
      expect(await mppsOf(uid)).toBeNull();
      expect(await standing(placerOrderNumber)).toMatchObject({ order: 'SC', steps: ['SCHEDULED'] });
      expect(await journalOf(uid)).toMatchObject([{ outcome: 'REFUSED', transaction: 'RAD-6' }]);
    },
  );

  it('given a final N-SET without end, then 0121, and the same instance can still be completed', async () => {
    const { placerOrderNumber, step } = await orderOf();
    const uid = newUid();
    await dx.create(uid, inProgress([step]));
    const unfinished = completed([newUid()], { PerformedProcedureStepEndTime: null });
    expect([0x0120, 0x0121]).toContain(await dx.set(uid, unfinished));
    expect(await standing(placerOrderNumber)).toMatchObject({ order: 'IP' });
    expect(await dx.set(uid, completed([newUid()]))).toBe(0x0000);
    expect(await standing(placerOrderNumber)).toMatchObject({ order: 'CM' });
  });

  it('given an N-SET that also changes what cannot change, then what can be taken is, with the warning 0107, and so says the journal', async () => {
    const { placerOrderNumber, step } = await orderOf();
    const uid = newUid();
    await dx.create(uid, inProgress([step]));
    expect(await dx.set(uid, completed([newUid()], { PatientID: 'ANOTHER' }))).toBe(0x0107);
    expect((await mppsOf(uid))?.dataset).toMatchObject({ PatientID: [step.patientId] });
    expect(await standing(placerOrderNumber)).toMatchObject({ order: 'CM' });
    expect((await journalOf(uid)).map((one) => one.answerCode)).toEqual(['0000', '0107']);
  });

  it('given two final N-SETs in the same instant, then one is taken and the other is 0110', async () => {
    const other = modality(server.ports.dicom);
    await times(10, async () => {
      const { placerOrderNumber, step } = await orderOf();
      const uid = newUid();
      await dx.create(uid, inProgress([step]));
      const statuses = await Promise.all([dx.set(uid, completed([newUid()])), other.set(uid, completed([newUid()]))]);
      expect(statuses.sort()).toEqual([0x0000, 0x0110]);
      expect(await standing(placerOrderNumber)).toMatchObject({ order: 'CM' });
    });
  });
});
