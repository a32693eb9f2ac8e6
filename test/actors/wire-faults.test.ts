import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dataset, text } from '../../src/dicom/dataset.ts';
import { type DicomServer, type FindRow, startDicomServer } from '../../src/dicom/server.ts';
import { buildAck } from '../../src/hl7/ack.ts';
import { parseMessage } from '../../src/hl7/message.ts';
import { type MllpServer, startMllpServer } from '../../src/hl7/mllp-server.ts';
import { type TestStage, startTestStage } from './playing.ts';

let stage: TestStage;
let hl7: MllpServer;
let dicom: DicomServer;
/** Placer order numbers in the order in which they came, and the connections that brought them. */
let orders: string[];

/** An Order Filler with little patience: a number is taken once, every request by DICOM is refused in a way of its own. */
beforeAll(async () => {
  stage = await startTestStage();
  hl7 = await startMllpServer({
    host: '127.0.0.1',
    port: 0,
    limits: { connections: 10, messageBytes: 65_536, idleMs: 60_000 },
    handle: async (bytes) => {
      const message = parseMessage(bytes);
      const number = message.get('ORC-2.1') ?? '';
      const isKnown = orders.includes(number);
      orders.push(number);
      const own = { controlId: `A${orders.length}`, now: new Date(), timeZone: 'UTC' };
      if (!isKnown) return buildAck(message.header, { code: 'AA', ...own });
      return buildAck(message.header, { code: 'AR', error: { hl7: '205', text: 'known' }, ...own });
    },
  });
  dicom = await startDicomServer({
    host: '127.0.0.1',
    port: 0,
    calledAeTitles: ['SWF_OF'],
    callingAeTitles: ['MODALITY1', 'PACS'],
    limits: { associations: 10, pduBytes: 65_536, messageBytes: 1_048_576, idleMs: 60_000, artimMs: 30_000 },
    handlers: {
      find: async function* (
        identifier,
        { signal },
      ): AsyncGenerator<FindRow, { status: number; comment: string } | undefined> {
        if (text(identifier, 'PatientID') === 'BAD') return { status: 0xa900, comment: 'two items' };
        while (!signal.aborted) yield { status: 0xff01, dataset: dataset({ PatientID: 'P1' }) };
        return undefined;
      },
      nCreate: async ({ sopInstanceUid }) =>
        sopInstanceUid === undefined
          ? { status: 0x0000, sopInstanceUid: '2.25.77' }
          : { status: 0x0120, comment: 'missing', attributeIdentifierList: ['00400252', '00400270'] },
      nSet: async () => ({ status: 0x0110, errorId: 0xa710, comment: 'may no longer be updated' }),
      nGet: async ({ attributeIdentifierList: [tag = 'all'] }) => ({
        status: 0x0000,
        dataset: dataset({ StudyID: tag }),
      }),
    },
  });
});
beforeEach(() => {
  orders = [];
  stage.lines.length = 0;
});
afterAll(async () => {
  await Promise.all([hl7.stop(), dicom.stop()]);
  await stage.end();
});

/** What goes wrong when this step is played: nothing, or what the player says of it. */
async function play(step: string, ...more: string[]): Promise<string[]> {
  const steps = [step, ...more].map((one) => `  - { step: One, ${one} }\n`).join('');
  const folder = stage.write(steps, { cast: '[OP, IM, MOD, MOD2]' });
  const other = 'MSH|^~\\&|||||${now}||ORM^O01|${controlId}|P|2.3.1\nORC|NW|OTHER${run}\n';
  writeFileSync(join(folder, 'other.hl7'), other);
  const of = { of: `mllp://127.0.0.1:${hl7.port}`, ofDicom: `SWF_OF@127.0.0.1:${dicom.port}` };
  await stage.play([folder], of);
  return stage.lines.filter((line) => /^ {8}/.test(line)).map((line) => line.trim().replaceAll(/ {2,}/g, ' '));
}

describe('messages that are sent at once', () => {
  it('travel in one packet, and their answers are looked at in their order', async () => {
    const sent = 'from: OP, send: [order.hl7, other.hl7, order.hl7], together: packet';

    expect(await play(`${sent}, acks: [{ MSA-1: AA }, { MSA-1: AA }, { MSA-1: AR }]`)).toEqual([]);
    expect(orders).toHaveLength(3);
    expect(await play(`${sent}, ack: { MSA-1: AA }`)).toContain('MSA-1 of 3 expected AA received AR');
  });

  it('travel on connections of their own, and it does not matter which is first', async () => {
    const sent = 'from: OP, send: [order.hl7, order.hl7], together: connections';

    expect(await play(`${sent}, acks: [{ MSA-1: AR, ERR-1.4: 205 }, { MSA-1: AA }]`)).toEqual([]);
    expect(await play(`${sent}, acks: [{ MSA-1: AA }, { MSA-1: AA }]`)).toContain('MSA-1 of 2 expected AA received AR');
  });
});

describe('a query', () => {
  it('may be refused, with the status that is expected (PS3.4 K.4.1.1.4)', async () => {
    expect(await play("from: MOD, find: { PatientID: BAD }, status: 'A900', matches: 0")).toEqual([]);
    const wrong = await play('from: MOD, find: { PatientID: BAD }');
    expect(wrong).toContain('status expected 0000 received A900');
    expect(wrong).toContain('the answer says: two items');
  });

  it('is cancelled after so many matches (PS3.7 9.3.2.3)', async () => {
    const asked = 'from: MOD, find: { PatientID: P1 }';

    expect(await play(`${asked}, cancelAfter: 2, status: 'FE00', pending: FF01, expect: { PatientID: P1 }`)).toEqual(
      [],
    );
    expect(await play(`${asked}, cancelAfter: 0, status: 'FE00'`)).toEqual([]);
    expect(await play(`${asked}, cancelAfter: 1, status: 'FE00', pending: FF00`)).toContain(
      'pending expected FF00 received FF01',
    );
  });
});

describe('an association', () => {
  it('is rejected for the reason that is expected (PS3.8 table 9-21)', async () => {
    const called = 'echo: OF, called: NOBODY, rejected: called-ae-title-not-recognized';

    expect(await play(`from: MOD, ${called}`, 'from: IM, echo: OF')).toEqual([]);
    expect(await play(`from: MOD2, find: {}, rejected: calling-ae-title-not-recognized`)).toEqual([]);
    expect(await play('from: MOD2, echo: OF, rejected: called-ae-title-not-recognized')).toContain(
      'rejected expected called-ae-title-not-recognized received calling-ae-title-not-recognized',
    );
  });

  it('that is accepted all the same fails the step', async () => {
    expect((await play('from: MOD, echo: OF, rejected: no-reason-given'))[0]).toContain('the association was accepted');
  });
});

describe('what a request about a performed step is answered', () => {
  it.each([
    "create: {}, uid: '2.25.1', status: '0120', expect: { AttributeIdentifierList: '00400252\\00400270', ErrorComment: missing }",
    "set: {}, uid: '2.25.1', status: '0110', expect: { ErrorID: A710 }",
    "get: all, uid: '2.25.1', status: '0000', expect: { StudyID: all, PatientID: }",
    "get: [StudyID], uid: '2.25.1', expect: { StudyID: '00200010' }",
  ])('can be looked at: %s', async (step) => {
    expect(await play(`from: MOD, ${step}`)).toEqual([]);
  });

  it('names the instance that the Order Filler has made', async () => {
    const create = 'from: MOD, create: {}, capture: { mpps: AffectedSOPInstanceUID }';

    expect(await play(create, "from: MOD, set: {}, uid: '${mpps}', expect: { ErrorID: A710 }")).toEqual([]);
  });

  it('fails the step where it is otherwise', async () => {
    const refused = await play("from: MOD, set: {}, uid: '2.25.1', status: '0110', expect: { ErrorID: '0000' }");

    expect(refused).toContain('ErrorID expected 0000 received A710');
    expect(refused).toContain('the answer says: may no longer be updated');
  });
});
