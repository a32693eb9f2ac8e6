import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DatasetInput, dataset, toDicomJson } from '../../src/dicom/dataset.ts';
import { connectSender, orm } from '../support/messages.ts';
import {
  type StepOnWorklist,
  completed,
  inProgress,
  newUid,
  notification,
  sopClass,
  stepsOf,
} from '../support/mpps.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { type DicomJson, stepOf } from './dicom-json.ts';
import { describeWith, output, pythonWith, script } from './programs.ts';

const python = pythonWith('odil');

interface Request {
  readonly request: 'N-CREATE' | 'N-SET' | 'C-ECHO' | 'C-FIND';
  readonly class: string;
  readonly instance?: string;
  readonly content?: DatasetInput;
}

const create = (instance: string, content: DatasetInput): Request => ({
  request: 'N-CREATE',
  class: sopClass.modalityPerformedProcedureStep,
  instance,
  content,
});
const set = (instance: string, content: DatasetInput): Request => ({ ...create(instance, content), request: 'N-SET' });

describeWith('RAD-6, RAD-7 and RAD-49 sent by odil', { 'python3-odil': python !== undefined }, () => {
  let server: TestServer;
  let placer: PeerDouble;

  async function ask(...requests: Request[]): Promise<{ status: number; datasets: DicomJson[] }[]> {
    const input = requests.map(({ content, ...request }) => ({
      ...request,
      ...(content === undefined ? {} : { dataset: toDicomJson(dataset(content)) }),
    }));
    const arguments_ = [script('dimse.py'), '127.0.0.1', String(server.ports.dicom), 'SWF_OF', 'DX1'];
    return JSON.parse(await output(python ?? '', arguments_, JSON.stringify(input))) as Awaited<ReturnType<typeof ask>>;
  }
  const statuses = async (...requests: Request[]): Promise<number[]> =>
    (await ask(...requests)).map(({ status }) => status);

  async function order(placerOrderNumber: string): Promise<StepOnWorklist> {
    const sender = await connectSender(server.ports.hl7);
    const message = orm([{ placerOrderNumber: `${placerOrderNumber}^HIS`, orcStart: '203001150900' }]);
    expect((await sender.send(message)).code).toBe('AA');
    sender.end();
    const [step] = await stepsOf(server.store, placerOrderNumber);
    if (!step) throw new Error('the order has no step');
    return step;
  }

  beforeAll(async () => {
    placer = await startPeer('OP', 'order-placer', { sends: { appointments: 'none' } });
    server = await startTestServer({ peers: [placer.entry] });
  });
  afterAll(async () => {
    await server.stop();
    await placer.down();
  });

  it('given the server, when odil asks for its attention, then it echoes (PS3.7 9.1.5)', async () => {
    expect(await statuses({ request: 'C-ECHO', class: sopClass.verification })).toEqual([0x0000]);
  });

  it('given a scheduled step, when it is started and completed, then both are answered 0000, the order is reported IP and CM, and the step leaves the worklist (RAD TF-2 4.6, 4.7)', async () => {
    const step = await order('OD1');
    const uid = newUid();
    const query: Request = {
      request: 'C-FIND',
      class: sopClass.modalityWorklistFind,
      content: { PatientID: step.patientId, ScheduledProcedureStepSequence: [{ ScheduledProcedureStepID: null }] },
    };
    const outcomes = await ask(query, create(uid, inProgress([step])), set(uid, completed([newUid()])), query);
    expect(outcomes.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(outcomes[0]?.datasets.map((row) => stepOf(row).stepId)).toEqual([step.scheduledProcedureStepId]);
    expect(outcomes[3]?.datasets).toEqual([]);
    await placer.arrived(2);
    expect(placer.distinct().map((message) => message.order)).toEqual(['SC/IP', 'SC/CM']);
  });

  it('given a performed step, when it is created twice, set after its end, or set without a creation, then 0111, 0110 and 0112 come back (PS3.7 C.5.4, PS3.4 F.7.2.2)', async () => {
    const step = await order('OD2');
    const uid = newUid();
    const start = create(uid, inProgress([step]));
    const end = set(uid, completed([newUid()]));
    expect(await statuses(start, start, end, end, set(newUid(), completed()))).toEqual([0, 0x0111, 0, 0x0110, 0x0112]);
  });

  it('given a creation without the Scheduled Step Attributes Sequence or with a final status, when odil sends it, then it is refused (PS3.4 table F.7.2-1)', async () => {
    const step = await order('OD3');
    const { ScheduledStepAttributesSequence: _, ...incomplete } = inProgress([step]);
    const final = inProgress([step], { PerformedProcedureStepStatus: 'COMPLETED' });
    const [missing, invalid] = await statuses(create(newUid(), incomplete), create(newUid(), final));
    expect(missing).toBe(0x0120);
    expect(invalid).toBe(0x0106);
  });

  it('given a completed step of two images, when both are notified as online, then the procedure has them available (PS3.4 R.3.2)', async () => {
    const step = await order('OD4');
    const uid = newUid();
    const images = [newUid(), newUid()];
    const notify: Request = {
      request: 'N-CREATE',
      class: sopClass.instanceAvailabilityNotification,
      instance: newUid(),
      content: notification(step.studyInstanceUid, images),
    };
    expect(await statuses(create(uid, inProgress([step])), set(uid, completed(images)), notify)).toEqual([0, 0, 0]);
    const answer = await fetch(`http://127.0.0.1:${server.ports.http}/api/procedures/${step.requestedProcedureId}`);
    expect(await answer.json()).toMatchObject({
      state: 'completed',
      orderStatus: 'CM',
      availability: 'available',
      instances: { named: 2, available: 2 },
    });
  });
});
