import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createDicomClient } from '../../src/dicom/client.ts';
import type { DicomClient } from '../../src/dicom/client.ts';
import { encodeDataset, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from '../../src/dicom/codec.ts';
import { dataset, text } from '../../src/dicom/dataset.ts';
import type { Dataset } from '../../src/dicom/dataset.ts';
import { startDicomServer } from '../../src/dicom/server.ts';
import type {
  DicomHandlers,
  DicomServerEvent,
  FinalStatus,
  FindRow,
  DicomServerOptions,
  NRequest,
} from '../../src/dicom/server.ts';
import { sopClass } from '../../src/dicom/status.ts';
import { SwfError } from '../../src/platform/errors.ts';
import { associateRequest, echo, message, rawPeer } from './raw-peer.ts';

const limits = { associations: 20, pduBytes: 16_384, messageBytes: 1_000_000, idleMs: 10_000, artimMs: 10_000 };
const peer = { host: '127.0.0.1', callingAeTitle: 'CT1', calledAeTitle: 'DSS', timeoutMs: 5_000 };
const row = (index: number): { status: 0xff00; dataset: Dataset } => ({
  status: 0xff00,
  dataset: dataset({ SpecificCharacterSet: 'ISO_IR 100', PatientName: 'Müller', PatientID: `P${index}` }),
});
const stops: (() => Promise<void>)[] = [];

// eslint-disable-next-line require-yield
async function* endingWith(final: FinalStatus): AsyncGenerator<FindRow, FinalStatus> {
  return final;
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const findRequest = (messageId: number): Buffer =>
  message(
    1,
    { AffectedSOPClassUID: sopClass.modalityWorklistFind, CommandField: 0x20, MessageID: messageId, Priority: 0 },
    encodeDataset(dataset({ PatientID: null }), IMPLICIT_VR_LITTLE_ENDIAN),
  );

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(
  handlers: Partial<DicomHandlers>,
  change: Partial<DicomServerOptions> = {},
): Promise<{ port: number; stop: () => Promise<void>; client: DicomClient }> {
  const server = await startDicomServer({
    host: '127.0.0.1',
    port: 0,
    calledAeTitles: ['DSS'],
    callingAeTitles: 'any',
    limits,
    handlers: {
      find: () => endingWith({ status: 0 }),
      nCreate: async () => ({ status: 0 }),
      nSet: async () => ({ status: 0 }),
      ...handlers,
    },
    ...change,
  });
  stops.push(server.stop);
  return { ...server, client: createDicomClient({ ...peer, port: server.port }) };
}

describe('C-FIND (PS3.4 K.4.1)', () => {
  it('hands over the identifier and who asks, and streams the rows', async () => {
    const asked: unknown[] = [];
    const after: number[] = [];
    const { client } = await serve({
      find: (identifier, { callingAeTitle, calledAeTitle, sopClassUid }) => {
        asked.push(identifier, callingAeTitle, calledAeTitle, sopClassUid);
        const rows = (async function* () {
          for (let index = 0; index < 500; index++) yield row(index);
        })();
        return Object.assign(rows, { afterwards: (sent: number) => void after.push(sent) });
      },
    });
    const { status, datasets } = await client.find({
      PatientName: 'MÜ*',
      ScheduledProcedureStepSequence: { Modality: 'CT' },
    });
    expect(status).toBe(0);
    expect(datasets.length).toBe(500);
    expect(datasets[499]).toEqual(row(499).dataset);
    expect(asked).toEqual([
      {
        SpecificCharacterSet: ['ISO_IR 192'],
        PatientName: ['MÜ*'],
        ScheduledProcedureStepSequence: [{ Modality: ['CT'] }],
      },
      'CT1',
      'DSS',
      sopClass.modalityWorklistFind,
    ]);
    expect(after).toEqual([500]);
  });

  it('names the worklist SOP class in every response (PS3.7 9.1.2)', async () => {
    const { port } = await serve({
      async *find() {
        yield row(1);
      },
    });
    const raw = await rawPeer(port);
    raw.write(associateRequest(), findRequest(1));
    await raw.next();
    for (const status of [0xff00, 0]) {
      const named = { AffectedSOPClassUID: [sopClass.modalityWorklistFind], CommandField: [0x8020], Status: [status] };
      expect((await raw.message()).command).toMatchObject(named);
    }
    raw.end();
  });

  it('sends FE00 at once after a C-CANCEL, though the rows are slow to come, and lets go of them', async () => {
    const after: number[] = [];
    const gone = deferred<string>();
    const { port } = await serve({
      find: (_, { signal }) => {
        const rows = (async function* () {
          yield row(1);
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          gone.resolve('told');
          yield row(2);
        })();
        return Object.assign(rows, { afterwards: (sent: number) => void after.push(sent) });
      },
    });
    const raw = await rawPeer(port);
    raw.write(associateRequest(), findRequest(7));
    await raw.next();
    expect((await raw.message()).command['Status']).toEqual([0xff00]);
    raw.write(message(1, { CommandField: 0x0fff, MessageIDBeingRespondedTo: 7 }));
    expect((await raw.message()).command['Status']).toEqual([0xfe00]);
    expect(await gone.promise).toBe('told');
    expect(after).toEqual([1]);
    raw.write(echo(8));
    expect((await raw.message()).command['Status']).toEqual([0]);
    raw.end();
  });

  it('stops pulling rows when the association is lost, and says so', async () => {
    const lost = deferred<void>();
    const { port, client } = await serve({
      async *find(_, { signal }) {
        signal.addEventListener('abort', () => lost.resolve());
        for (let index = 0; ; index++) yield row(index);
      },
    });
    const raw = await rawPeer(port);
    raw.write(associateRequest(), findRequest(1));
    await raw.next();
    await raw.message();
    raw.end();
    await lost.promise;
    expect(await client.echo()).toBe(0);
  });

  it('waits for a peer that reads slowly instead of filling memory', async () => {
    let pulled = 0;
    const { port, client } = await serve({
      async *find() {
        for (; pulled < 100_000; pulled++)
          yield {
            status: 0xff00 as const,
            dataset: dataset({ MedicalAlerts: 'A'.repeat(64), AdditionalPatientHistory: 'B'.repeat(10_000) }),
          };
      },
    });
    const raw = await rawPeer(port);
    raw.write(associateRequest());
    await raw.next();
    raw.pause();
    raw.write(findRequest(1));
    // then: other associations are served while this one waits
    for (let i = 0; i < 30; i++) expect(await client.echo()).toBe(0);
    expect(pulled).toBeLessThan(10_000);
    raw.end();
  });

  it.each([
    ['internal', new Error('boom'), 0xc001],
    ['database-unavailable', new SwfError('database-unavailable', 'no database'), 0xa700],
    ['data-type', new SwfError('data-type', 'wrong', { tags: ['00400002'] }), 0xa900],
    ['conflict', new SwfError('conflict', 'later'), 0xc001],
  ])('answers a failure of kind %s with its status, and lives', async (_, error, expected) => {
    const { client } = await serve({
      async *find() {
        yield row(1);
        throw error;
      },
    });
    expect(await client.find({ PatientID: null })).toMatchObject({ status: expected, datasets: [row(1).dataset] });
    expect(await client.echo()).toBe(0);
  });

  it('answers A900 with the offending elements that the handler returns', async () => {
    const { port } = await serve({
      find: () =>
        endingWith({ status: 0xa900, comment: 'no date\n' + 'x'.repeat(99), offendingElements: ['00400002'] }),
    });
    const raw = await rawPeer(port);
    raw.write(associateRequest(), findRequest(1));
    await raw.next();
    const { command } = await raw.message();
    expect(command).toMatchObject({ Status: [0xa900], OffendingElement: ['00400002'], CommandDataSetType: [0x0101] });
    expect(text(command, 'ErrorComment')).toMatch(/^no date\?x{56}$/);
    raw.end();
  });

  it('refuses an identifier that is cut off with A900, never with the whole worklist', async () => {
    let asked = 0;
    const { port } = await serve({
      find: () => {
        asked += 1;
        return endingWith({ status: 0 });
      },
    });
    const raw = await rawPeer(port);
    const cut = Buffer.from('0800500088130000413120', 'hex');
    raw.write(
      associateRequest(),
      message(1, { AffectedSOPClassUID: sopClass.modalityWorklistFind, CommandField: 0x20, MessageID: 1 }, cut),
    );
    await raw.next();
    expect((await raw.message()).command).toMatchObject({ Status: [0xa900], OffendingElement: ['00080050'] });
    expect(asked).toBe(0);
    raw.end();
  });

  it('leaves out a row that no data set can carry, and reports it without its content', async () => {
    const events: DicomServerEvent[] = [];
    const find: DicomHandlers['find'] = async function* () {
      yield { status: 0xff00, dataset: dataset({ PatientID: 'SECRET'.repeat(20) }) };
      yield row(2);
    };
    const { client } = await serve({ find }, { onEvent: (event) => void events.push(event) });
    expect((await client.find({ PatientID: null })).datasets).toEqual([row(2).dataset]);
    const reported = events.filter(({ kind }) => kind === 'row-not-encodable');
    expect(reported.length).toBe(1);
    expect(JSON.stringify(reported)).not.toContain('SECRET');
  });
});

describe('N-CREATE and N-SET (PS3.7 10.1)', () => {
  it('hand over instance, data set and raw bytes, and call back when the response was written', async () => {
    const seen: NRequest[] = [];
    const order: string[] = [];
    const { client } = await serve({
      nCreate: async (request) => {
        seen.push(request);
        return { status: 0, afterwards: () => void order.push('afterwards') };
      },
    });
    const content = dataset({
      SpecificCharacterSet: 'ISO_IR 100',
      PatientName: 'Müller',
      PerformedProcedureStepStatus: 'IN PROGRESS',
    });
    const raw = encodeDataset(content, IMPLICIT_VR_LITTLE_ENDIAN);
    const given = { raw, transferSyntaxUid: IMPLICIT_VR_LITTLE_ENDIAN };
    const result = await client.nCreate(sopClass.modalityPerformedProcedureStep, '1.2.3', given);
    expect(result).toEqual({ status: 0, sopInstanceUid: '1.2.3' });
    expect(seen[0]).toMatchObject({
      sopClassUid: sopClass.modalityPerformedProcedureStep,
      sopInstanceUid: '1.2.3',
      dataset: content,
    });
    expect(order).toEqual(['afterwards']);
  });

  it('keep the bytes of a relayed data set when its transfer syntax is accepted', async () => {
    const seen: NRequest[] = [];
    const { client } = await serve({
      nSet: async (request) => {
        seen.push(request);
        return { status: 0 };
      },
    });
    const raw = encodeDataset(dataset({ PatientID: 'A' }), EXPLICIT_VR_LITTLE_ENDIAN);
    await client.nSet(sopClass.modalityPerformedProcedureStep, '1.2.3', {
      raw,
      transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    });
    expect(Buffer.from(seen[0]?.raw ?? [])).toEqual(raw);
  });

  it('return the instance UID that the SCP assigned (PS3.7 10.1.5.1.4)', async () => {
    const { client } = await serve({
      nCreate: async ({ sopInstanceUid }) => ({
        status: sopInstanceUid === undefined ? 0 : 0x0111,
        sopInstanceUid: '2.25.1',
      }),
    });
    const result = await client.nCreate(sopClass.modalityPerformedProcedureStep, undefined, { PatientID: 'A' });
    expect(result).toEqual({ status: 0, sopInstanceUid: '2.25.1' });
  });

  it('carry the comment, the error id and the attributes of a refusal', async () => {
    const { port, client } = await serve({
      nSet: async () => ({
        status: 0x0110,
        comment: 'may no longer be updated',
        errorId: 0xa710,
        attributeIdentifierList: ['00400252'],
      }),
    });
    const result = await client.nSet(sopClass.modalityPerformedProcedureStep, '1.2.3', { PatientID: 'A' });
    const comment = 'may no longer be updated';
    const attributeIdentifierList = ['00400252'];
    expect(result).toEqual({
      status: 0x0110,
      sopInstanceUid: '1.2.3',
      comment,
      errorId: 0xa710,
      attributeIdentifierList,
    });
    const raw = await rawPeer(port);
    const command = {
      RequestedSOPClassUID: sopClass.modalityPerformedProcedureStep,
      RequestedSOPInstanceUID: '1.2',
      CommandField: 0x120,
      MessageID: 1,
    };
    raw.write(
      associateRequest(),
      message(5, command, encodeDataset(dataset({ PatientID: 'A' }), IMPLICIT_VR_LITTLE_ENDIAN)),
    );
    await raw.next();
    const answer = (await raw.message()).command;
    expect(answer).toMatchObject({
      ErrorID: [0xa710],
      AttributeIdentifierList: ['00400252'],
      AffectedSOPInstanceUID: ['1.2'],
    });
    expect(answer['RequestedSOPInstanceUID']).toBeUndefined();
    raw.end();
  });

  it('have beside them no N-GET (0211) where no instances are kept', async () => {
    const { port } = await serve({});
    const raw = await rawPeer(port);
    const retrieve = sopClass.modalityPerformedProcedureStepRetrieve;
    const contexts = [{ id: 1, abstractSyntax: retrieve, transferSyntaxes: [IMPLICIT_VR_LITTLE_ENDIAN] }];
    const command = {
      RequestedSOPClassUID: retrieve,
      RequestedSOPInstanceUID: '1.2',
      CommandField: 0x110,
      MessageID: 1,
    };
    raw.write(associateRequest({ contexts }), message(1, command));
    await raw.next();
    const answer = { CommandField: [0x8110], Status: [0x0211], CommandDataSetType: [0x0101] };
    expect((await raw.message()).command).toMatchObject(answer);
    raw.end();
  });

  it.each([
    ['SwfError', new SwfError('duplicate-key', 'known already'), 0x0111],
    ['anything', new Error('SECRET'), 0x0110],
  ])('answer a rejection with %s by its status, without its text when it is not ours', async (_, error, status) => {
    const { client } = await serve({ nCreate: () => Promise.reject(error) });
    const result = await client.nCreate(sopClass.modalityPerformedProcedureStep, '1.2', { PatientID: 'A' });
    expect(result.status).toBe(status);
    expect(JSON.stringify(result)).not.toContain('SECRET');
    expect(await client.echo()).toBe(0);
  });

  it('run one after the other on one association, so that no N-SET overtakes its N-CREATE', async () => {
    const order: string[] = [];
    const slow = deferred<void>();
    const { port } = await serve({
      nCreate: async () => {
        order.push('create starts');
        await slow.promise;
        order.push('create ends');
        return { status: 0 };
      },
      nSet: async () => {
        order.push('set');
        return { status: 0 };
      },
    });
    const content = encodeDataset(dataset({ PatientID: 'A' }), IMPLICIT_VR_LITTLE_ENDIAN);
    const uid = sopClass.modalityPerformedProcedureStep;
    const raw = await rawPeer(port);
    raw.write(
      associateRequest(),
      message(
        5,
        { AffectedSOPClassUID: uid, AffectedSOPInstanceUID: '1.2', CommandField: 0x140, MessageID: 1 },
        content,
      ),
      message(
        5,
        { RequestedSOPClassUID: uid, RequestedSOPInstanceUID: '1.2', CommandField: 0x120, MessageID: 2 },
        content,
      ),
    );
    await raw.next();
    slow.resolve();
    expect((await raw.message()).command['MessageIDBeingRespondedTo']).toEqual([1]);
    expect((await raw.message()).command['MessageIDBeingRespondedTo']).toEqual([2]);
    expect(order).toEqual(['create starts', 'create ends', 'set']);
    raw.end();
  });
});

describe('stop', () => {
  it('finishes the request in hand, aborts idle associations and takes no new one', async () => {
    const begun = deferred<void>();
    const go = deferred<void>();
    const { port, stop, client } = await serve({
      nCreate: async () => {
        begun.resolve();
        await go.promise;
        return { status: 0 };
      },
    });
    const idle = await rawPeer(port);
    idle.write(associateRequest());
    await idle.next();
    const creating = client.nCreate(sopClass.modalityPerformedProcedureStep, '1.2', { PatientID: 'A' });
    await begun.promise;
    const stopping = stop();
    stops.length = 0;
    expect((await idle.next()).type).toBe(7);
    go.resolve();
    expect((await creating).status).toBe(0);
    await stopping;
    await expect(client.echo()).rejects.toMatchObject({ code: 'no-acknowledgement' });
  });
});

describe('client', () => {
  it('rejects with no-acknowledgement when it is rejected, refused, aborted or not answered', async () => {
    const { port } = await serve({ nCreate: () => new Promise(() => {}) }, { limits: { ...limits, artimMs: 100 } });
    const client = (change: object): DicomClient => createDicomClient({ ...peer, port, ...change });
    const lost = { code: 'no-acknowledgement' };
    await expect(client({ calledAeTitle: 'OTHER' }).echo()).rejects.toMatchObject({
      ...lost,
      message: /result 1, source 1, reason 7/,
    });
    await expect(client({}).nCreate('1.2.3', '1.2', { PatientID: 'A' })).rejects.toMatchObject({
      ...lost,
      message: /1\.2\.3/,
    });
    await expect(
      client({ timeoutMs: 50 }).nCreate(sopClass.modalityPerformedProcedureStep, '1.2', { PatientID: 'A' }),
    ).rejects.toMatchObject(lost);
  });

  it('says what is wrong with a data set before anything is sent', async () => {
    const client = createDicomClient({ ...peer, port: 1 });
    await expect(client.find({ ScheduledStationAETitle: 'A'.repeat(17) })).rejects.toMatchObject({ code: 'data-type' });
  });
});

describe('TLS (PS3.15 B.9)', () => {
  it('serves who shows a certificate that is known, and nobody else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dicom-tls-'));
    const file = (name: string): string => join(folder, name);
    const arguments_ = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
    const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', file('key.pem'), '-out', file('cert.pem')];
    execFileSync('openssl', [...arguments_, ...names], { stdio: 'ignore' });
    const [key, cert] = [readFileSync(file('key.pem')), readFileSync(file('cert.pem'))];
    rmSync(folder, { recursive: true });
    const { port } = await serve({}, { tls: { key, cert, ca: cert, requireClientCertificate: true } });
    const client = (tls?: object): DicomClient =>
      createDicomClient({ ...peer, port, timeoutMs: 2_000, ...(tls ? { tls } : {}) });
    expect(await client({ ca: cert, key, cert, servername: 'localhost' }).echo()).toBe(0);
    await expect(client({ ca: cert, servername: 'localhost' }).echo()).rejects.toMatchObject({
      code: 'no-acknowledgement',
    });
    await expect(client().echo()).rejects.toMatchObject({ code: 'no-acknowledgement' });
  });
});
