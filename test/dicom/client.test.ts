import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDicomClient } from '../../src/dicom/client.ts';
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  decodeDataset,
  encodeDataset,
} from '../../src/dicom/codec.ts';
import { dataset } from '../../src/dicom/dataset.ts';
import { type DimseMessage, createAssembler, encodeCommand, encodeMessage } from '../../src/dicom/dimse.ts';
import { encodeAssociateAccept, encodeRelease, parseAssociateRequest, pduType } from '../../src/dicom/pdu.ts';
import { createPduReader } from '../../src/dicom/pdu-reader.ts';
import { commandField, sopClass } from '../../src/dicom/status.ts';

/** Takes one transfer syntax only, answers each N-CREATE 0000, or nothing at all. */
async function peerTaking(syntax: string, answer: 'answers' | 'is silent' = 'answers') {
  const received: DimseMessage[] = [];
  const proposed: (readonly string[])[] = [];
  const sockets = new Set<Socket>();
  const respond = (socket: Socket, { contextId, command }: DimseMessage): void => {
    const MessageIDBeingRespondedTo = Number(command['MessageID']?.[0]);
    const names = { AffectedSOPClassUID: sopClass.modalityPerformedProcedureStep, CommandField: 0x8140 };
    const response = encodeCommand({ ...names, MessageIDBeingRespondedTo, CommandDataSetType: 0x0101, Status: 0 });
    socket.write(encodeMessage(contextId, [response], 0));
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    const onMessage = (message: DimseMessage): void => {
      received.push(message);
      if (answer === 'answers') respond(socket, message);
    };
    const assembler = createAssembler({ isAccepted: () => true, maxMessageBytes: 1 << 20, onMessage });
    const onPdu = (type: number, body: Buffer): void => {
      if (type === pduType.data) return assembler.push(body);
      if (type === pduType.releaseRequest) return void socket.write(encodeRelease(pduType.releaseResponse));
      if (type !== pduType.associateRequest) return;
      const request = parseAssociateRequest(body);
      const results = request.contexts.map(({ id, transferSyntaxes }) => ({
        id,
        result: transferSyntaxes.includes(syntax) ? (0 as const) : (4 as const),
        transferSyntax: syntax,
      }));
      proposed.push(...request.contexts.map(({ transferSyntaxes }) => transferSyntaxes));
      socket.write(encodeAssociateAccept({ request, results, maxPduLength: 16_384, extendedNegotiations: [] }));
    };
    const reader = createPduReader({ maxPduLength: 1 << 20, onPdu, onViolation: () => socket.destroy() });
    socket.on('data', (chunk) => reader.push(chunk));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const address = { host: '127.0.0.1', port, callingAeTitle: 'SWF_OF', calledAeTitle: 'PACS', timeoutMs: 20_000 };
  return { received, proposed, address };
}

const content = dataset({
  SpecificCharacterSet: 'ISO_IR 100',
  PatientName: 'Bjørn^Åse',
  PerformedSeriesSequence: [{ SeriesInstanceUID: '1.2.3', ReferencedImageSequence: [] }],
  '00091010': Buffer.from('of the vendor '),
});

describe('a data set that goes on as it came (SCU of MPPS)', () => {
  it.each([
    [IMPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN],
    [EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN],
    [IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN],
    [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN],
  ])('given %s and a peer that takes %s, then it gets the same bytes, or the same values', async (own, taken) => {
    const peer = await peerTaking(taken);
    const raw = encodeDataset(content, own);
    const client = createDicomClient(peer.address);
    const result = await client.nCreate(sopClass.modalityPerformedProcedureStep, '1.2', {
      raw,
      transferSyntaxUid: own,
    });
    expect(result).toEqual({ status: 0 });
    // its own transfer syntax stands alone in a context: a peer that takes both cannot choose the other one
    expect(peer.proposed[0]).toEqual([own]);
    const [message] = peer.received;
    expect(message?.command).toMatchObject({ CommandField: [commandField.nCreate], AffectedSOPInstanceUID: ['1.2'] });
    const bytes = message?.dataset ?? Buffer.alloc(0);
    expect(bytes).toEqual(own === taken ? raw : encodeDataset(decodeDataset(raw, own), taken));
    expect(decodeDataset(bytes, taken)).toEqual(decodeDataset(raw, own));
  });
});

describe('a call that nobody waits for any more', () => {
  it('ends at once, before its time', async () => {
    const peer = await peerTaking(EXPLICIT_VR_LITTLE_ENDIAN, 'is silent');
    const calls = new AbortController();
    const client = createDicomClient({ ...peer.address, signal: calls.signal });
    const call = client.nCreate(sopClass.modalityPerformedProcedureStep, '1.2', content);
    const end = expect(call).rejects.toMatchObject({ code: 'no-acknowledgement', message: 'the call was given up' });
    await expect.poll(() => peer.received.length).toBe(1);
    const before = performance.now();
    calls.abort();
    await end;
    expect(performance.now() - before).toBeLessThan(5_000);
    await expect(client.echo()).rejects.toMatchObject({ code: 'no-acknowledgement' });
  });
});
