import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectSender, orm } from '../support/messages.ts';
import { type PeerDouble, startPeer } from '../support/peers.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { type MppsClient, compileMppsClient, hasDcmtkHeaders, performedAsTold } from './dcmtk.ts';
import { describeWith } from './describe-with.ts';
import { callOf } from './programs.ts';

describeWith('RAD-5, RAD-6 and RAD-7 by a modality in C++ (DCMTK)', { 'libdcmtk-dev and g++': hasDcmtkHeaders }, () => {
  let server: TestServer;
  let placer: PeerDouble;
  let client: MppsClient;

  beforeAll(async () => {
    placer = await startPeer('OP', 'order-placer', { sends: { appointments: 'none' } });
    server = await startTestServer({ peers: [placer.entry] });
    client = await compileMppsClient();
  });
  afterAll(async () => {
    client.remove();
    await server.stop();
    await placer.down();
  });

  it('given a step on the worklist, when the modality copies it and performs it on one association, then the step leaves the worklist, the order is complete, and a repetition is refused (PS3.4 F.7.2.1, F.7.2.2)', async () => {
    const sender = await connectSender(server.ports.hl7);
    const patient = { identifier: 'PC1^^^CLINIC', name: 'Sørli^Tove' };
    const message = orm([{ placerOrderNumber: 'CX1^HIS' }], patient).replace('|P|2.3.1', '|P|2.3.1||||||UNICODE UTF-8');
    expect((await sender.send(message)).code).toBe('AA');
    sender.end();
    expect(await client.perform(callOf(server.ports.dicom, 'CXX1'), 'PC1')).toEqual(performedAsTold);
    const [performed] = await server.store.prisma.performedProcedureStep.findMany();
    expect(performed).toMatchObject({ performedStationAeTitle: 'CXX1', exception: null });
    expect(performed?.dataset).toMatchObject({ PatientName: ['Sørli^Tove'], PatientID: ['PC1'] });
    await placer.arrived(2);
    expect(placer.distinct().map(({ order }) => order)).toEqual(['SC/IP', 'SC/CM']);
  });
});
