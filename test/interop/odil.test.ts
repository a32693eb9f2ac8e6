import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectSender, orm } from '../support/messages.ts';
import { type StepOnWorklist, completed, inProgress, newUid, notification, stepsOf } from '../support/mpps.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { stepOf } from './dicom-json.ts';
import { describeWith } from './describe-with.ts';
import {
  type OdilAnswer,
  type OdilRequest,
  askByOdil,
  odilCreate,
  odilEcho,
  odilFind,
  odilGet,
  odilNotify,
  odilPython,
  odilSet,
} from './odil.ts';
import { callOf } from './programs.ts';

describeWith('RAD-6, RAD-7 and RAD-49 sent by odil', { 'python3-odil': odilPython !== undefined }, () => {
  let server: TestServer;
  let placer: PeerDouble;

  const ask = (...requests: OdilRequest[]): Promise<OdilAnswer[]> => askByOdil(callOf(server.ports.dicom), requests);
  const statuses = async (...requests: OdilRequest[]): Promise<number[]> =>
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
    expect(await statuses(odilEcho)).toEqual([0x0000]);
  });

  it('given a scheduled step, when it is started and completed, then both are answered 0000, the order is reported IP and CM, and the step leaves the worklist (RAD TF-2 4.6, 4.7)', async () => {
    const step = await order('OD1');
    const uid = newUid();
    const keys = { PatientID: step.patientId, ScheduledProcedureStepSequence: [{ ScheduledProcedureStepID: null }] };
    const query = odilFind(keys);
    const outcomes = await ask(query, odilCreate(uid, inProgress([step])), odilSet(uid, completed([newUid()])), query);
    expect(outcomes.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(outcomes[0]?.datasets.map((row) => stepOf(row).stepId)).toEqual([step.scheduledProcedureStepId]);
    expect(outcomes[3]?.datasets).toEqual([]);
    await placer.arrived(2);
    expect(placer.distinct().map((message) => message.order)).toEqual(['SC/IP', 'SC/CM']);
  });

  it('given a performed step, when it is created twice, set after its end, or set without a creation, then 0111, 0110 and 0112 come back (PS3.7 C.5.4, PS3.4 F.7.2.2)', async () => {
    const step = await order('OD2');
    const uid = newUid();
    const start = odilCreate(uid, inProgress([step]));
    const end = odilSet(uid, completed([newUid()]));
    expect(await statuses(start, start, end, end, odilSet(newUid(), completed()))).toEqual([
      0, 0x0111, 0, 0x0110, 0x0112,
    ]);
  });

  it('given a creation without the Scheduled Step Attributes Sequence or with a final status, when odil sends it, then it is refused (PS3.4 table F.7.2-1)', async () => {
    const step = await order('OD3');
    const { ScheduledStepAttributesSequence: _, ...incomplete } = inProgress([step]);
    const final = inProgress([step], { PerformedProcedureStepStatus: 'COMPLETED' });
    const [missing, invalid] = await statuses(odilCreate(newUid(), incomplete), odilCreate(newUid(), final));
    expect(missing).toBe(0x0120);
    expect(invalid).toBe(0x0106);
  });

  it('given a completed step of two images, when both are notified as online, then the procedure has them available (PS3.4 R.3.2)', async () => {
    const step = await order('OD4');
    const uid = newUid();
    const images = [newUid(), newUid()];
    const notify = odilNotify(newUid(), notification(step.studyInstanceUid, images));
    expect(await statuses(odilCreate(uid, inProgress([step])), odilSet(uid, completed(images)), notify)).toEqual([
      0, 0, 0,
    ]);
    const answer = await fetch(`http://127.0.0.1:${server.ports.http}/api/procedures/${step.requestedProcedureId}`);
    expect(await answer.json()).toMatchObject({
      state: 'completed',
      orderStatus: 'CM',
      availability: 'available',
      instances: { named: 2, available: 2 },
    });
  });

  it('given a completed step, when odil gets it, then it is what was created with what was set (PS3.4 F.8)', async () => {
    const step = await order('OD5');
    const [uid, image] = [newUid(), newUid()];
    const [, , got] = await ask(odilCreate(uid, inProgress([step])), odilSet(uid, completed([image])), odilGet(uid));
    expect(got?.status).toBe(0);
    const [mpps = {}] = got?.datasets ?? [];
    expect(mpps['00400252']).toMatchObject({ Value: ['COMPLETED'] });
    expect(mpps['00400253']).toMatchObject({ Value: ['PPS1'] });
    expect(JSON.stringify(mpps['00400340'])).toContain(image);
  });
});
