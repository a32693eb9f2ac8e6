import { once } from 'node:events';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Hl7Sender, NoAnswer, createHl7Sender } from '../../actors/hl7-sender.ts';

type Behaviour = (socket: Socket, controlId: string) => void;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const answerTo = (controlId: string): Buffer =>
  Buffer.from(`\u000bMSH|^~\\&|B|B|A|A|1||ACK^A04|R|P|2.3.1\rMSA|AA|${controlId}\r\u001c\r`);

/** A listener that treats its first message as `first` does, all others well; it counts its connections. */
async function startFlaky(first: Behaviour): Promise<{ port: number; received: Buffer[]; connections: () => number }> {
  const received: Buffer[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      received.push(data);
      const controlId = data.toString('latin1').split('|')[9] ?? '';
      if (received.length === 1) first(socket, controlId);
      else socket.write(answerTo(controlId));
    });
    cleanups.push(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, received, connections: () => connections };
}

function sender(port: number): Hl7Sender {
  const created = createHl7Sender('127.0.0.1', port);
  cleanups.push(() => created.close());
  return created;
}

const message = (controlId: string): Buffer =>
  Buffer.from(`MSH|^~\\&|A|A|B|B|1||ADT^A04|${controlId}|P|2.3.1\rPID|||P1||Ł à\r`);
const msa2 = (answer: Uint8Array): string | undefined => Buffer.from(answer).toString().split('MSA|AA|')[1]?.trim();

describe('an actor that sends HL7', () => {
  it('keeps one connection for many messages and gets the answer of each', async () => {
    const peer = await startFlaky((socket, controlId) => socket.write(answerTo(controlId)));
    const actor = sender(peer.port);

    const answers = [];
    for (const controlId of ['M1', 'M2', 'M3']) answers.push(msa2(await actor.send(message(controlId), 5000)));

    expect(answers).toEqual(['M1', 'M2', 'M3']);
    expect(peer.connections()).toBe(1);
  });

  it('sends the bytes as they are, in an MLLP frame', async () => {
    const peer = await startFlaky((socket, controlId) => socket.write(answerTo(controlId)));

    await sender(peer.port).send(message('M1'), 5000);

    expect(peer.received[0]).toEqual(Buffer.concat([Buffer.from([0x0b]), message('M1'), Buffer.from([0x1c, 0x0d])]));
  });

  it('reads an answer that comes in single bytes', async () => {
    const peer = await startFlaky((socket, controlId) => {
      for (const byte of answerTo(controlId)) socket.write(Buffer.from([byte]));
    });

    expect(msa2(await sender(peer.port).send(message('M1'), 5000))).toBe('M1');
  });

  it('says that the connection was closed, and sends the next message on a new one', async () => {
    const peer = await startFlaky((socket) => socket.destroy());
    const actor = sender(peer.port);

    await expect(actor.send(message('M1'), 5000)).rejects.toThrow('the connection was closed');
    expect(msa2(await actor.send(message('M2'), 5000))).toBe('M2');
  });

  it('does not take a late answer for the answer of the next message', async () => {
    let late: (() => void) | undefined;
    const peer = await startFlaky((socket, controlId) => (late = (): void => void socket.write(answerTo(controlId))));
    const actor = sender(peer.port);

    await expect(actor.send(message('M1'), 50)).rejects.toBeInstanceOf(NoAnswer);
    late?.();
    expect(msa2(await actor.send(message('M2'), 5000))).toBe('M2');
    expect(peer.connections()).toBe(2);
  });

  it('says that nothing listens', async () => {
    await expect(sender(1).send(message('M1'), 5000)).rejects.toThrow('connection refused');
  });

  it('refuses a second message while the first is not answered', async () => {
    const peer = await startFlaky(() => {});
    const actor = sender(peer.port);
    const first = actor.send(message('M1'), 50);

    await expect(actor.send(message('M2'), 50)).rejects.toThrow('one message at a time');
    await expect(first).rejects.toBeInstanceOf(NoAnswer);
  });
});
