import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectSender, orm } from '../support/messages.ts';
import { stepsOf } from '../support/mpps.ts';
import { type TestServer, startTestServer } from '../support/server.ts';
import { ctn, mwlQuery, nameAndModality } from './ctn.ts';
import { describeWith } from './describe-with.ts';
import { callOf } from './programs.ts';

describeWith('RAD-5 asked by mwlQuery (CTN)', ctn, () => {
  let server: TestServer;
  const ask = (name: string, modality: string) => mwlQuery(callOf(server.ports.dicom), nameAndModality(name, modality));

  beforeAll(async () => {
    server = await startTestServer();
    const sender = await connectSender(server.ports.hl7);
    for (const [number, name] of [
      ['Q1', 'Hovland^Ida'],
      ['Q2', 'Hov^Jon'],
    ] as const) {
      const patient = { identifier: `P${number}^^^CLINIC`, name };
      const answer = await sender.send(orm([{ placerOrderNumber: `${number}^HIS` }], patient));
      expect(answer.code).toBe('AA');
    }
    sender.end();
  });
  afterAll(() => server.stop());

  it('given two patients, when one is asked for by name, then its row is pending with the identifiers of the order, and success ends the answer (PS3.4 K.4.1.1.4)', async () => {
    const [step] = await stepsOf(server.store, 'Q1');
    const { statuses, rows } = await ask('HOVLAND^IDA', '#');
    expect(statuses).toEqual(['ff00', '0000']);
    expect(rows).toEqual([
      expect.objectContaining({
        '0008 0050': step?.accessionNumber,
        '0010 0010': 'Hovland^Ida',
        '0010 0020': 'PQ1',
        '0020 000d': step?.studyInstanceUid,
        '0008 0060': 'DX',
        '0040 0001': 'DX1',
        '0040 0009': step?.scheduledProcedureStepId,
        '0040 1001': step?.requestedProcedureId,
      }),
    ]);
  });

  it('given two patients, when a wildcard or a modality is asked for, then the right rows come (PS3.4 C.2.2.2)', async () => {
    const names = async (name: string, modality: string): Promise<unknown[]> =>
      (await ask(name, modality)).rows.map((row) => row['0010 0010']).sort();
    expect(await names('HOV*', '#')).toEqual(['Hov^Jon', 'Hovland^Ida']);
    expect(await names('#', 'DX')).toEqual(['Hov^Jon', 'Hovland^Ida']);
    expect(await names('#', 'RT')).toEqual([]);
  });
});
