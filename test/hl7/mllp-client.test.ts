import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createMllpClient } from '../../src/hl7/mllp-client.ts';
import type { MllpClient, MllpClientOptions } from '../../src/hl7/mllp-client.ts';
import { startMllpServer } from '../../src/hl7/mllp-server.ts';
import { SwfError } from '../../src/platform/errors.ts';
import { deferred, framed, peerOn } from './support.ts';
import type { Peer } from './support.ts';
import { testCertificate, testKey } from './tls-fixture.ts';

const servers: Server[] = [];
const connections: Peer[] = [];
const clients: MllpClient[] = [];

/** Listens with raw peers; `accept` plays what each connection does. */
async function listen(accept: (peer: Peer, number: number) => Promise<void>): Promise<number> {
  let count = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    const peer = peerOn(socket);
    connections.push(peer);
    void accept(peer, ++count);
  });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function clientOf(port: number, options: Partial<MllpClientOptions> = {}): MllpClient {
  const client = createMllpClient({
    host: '127.0.0.1',
    port,
    connectTimeoutMs: 2000,
    answerTimeoutMs: 2000,
    ...options,
  });
  clients.push(client);
  return client;
}

async function send(client: MllpClient, message: string): Promise<string> {
  return Buffer.from(await client.send(Buffer.from(message))).toString();
}

async function failureOf(sending: Promise<unknown>): Promise<string> {
  const thrown = await sending.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(thrown instanceof SwfError)) throw new Error('it did not fail as it should');
  return `${thrown.code}: ${thrown.message.replace(/:\d+/, ':PORT')}`;
}

/** Answers every message with `ack` and its text. */
async function answerAll(peer: Peer): Promise<void> {
  for (let count = 1; ; count++) {
    const messages = await peer.received(count);
    peer.socket.write(framed(`ack ${messages[count - 1]}`));
  }
}

afterEach(async () => {
  clients.splice(0).forEach((client) => client.close());
  connections.splice(0).forEach((peer) => peer.socket.destroy());
  await Promise.all(
    servers.splice(0).map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))),
  );
});

describe('sending over MLLP', () => {
  it('connects with the first message and keeps the connection for the next', async () => {
    const port = await listen(answerAll);
    const client = clientOf(port);
    expect(connections).toHaveLength(0);
    expect(await send(client, 'A')).toBe('ack A');
    expect(await send(client, 'B')).toBe('ack B');
    expect(connections).toHaveLength(1);
  });

  it('puts an answer together that arrives in pieces', async () => {
    const port = await listen(async (peer) => {
      await peer.received(1);
      for (const byte of framed('ack')) {
        peer.socket.write(Uint8Array.of(byte));
        await new Promise(setImmediate);
      }
    });
    expect(await send(clientOf(port), 'A')).toBe('ack');
  });

  it('refuses a second message while one is open, and that one is not disturbed', async () => {
    const release = deferred<void>();
    const port = await listen(async (peer) => {
      await peer.received(1);
      await release.promise;
      peer.socket.write(framed('ack A'));
    });
    const client = clientOf(port);
    const first = send(client, 'A');
    expect(await failureOf(send(client, 'B'))).toMatch(/^internal: a message is still in flight/);
    release.resolve();
    expect(await first).toBe('ack A');
    expect(connections[0]?.answers).toEqual(['A']);
  });

  it('opens a new connection after the peer has closed the old one', async () => {
    const port = await listen(async (peer) => {
      await peer.received(1);
      peer.socket.end(framed(`ack ${peer.answers[0]}`));
    });
    const client = clientOf(port);
    expect(await send(client, 'A')).toBe('ack A');
    await connections[0]?.closed;
    expect(await send(client, 'B')).toBe('ack B');
    expect(connections).toHaveLength(2);
  });
});

describe('no acknowledgement', () => {
  it('could not connect: nobody listens', async () => {
    const port = await listen(answerAll);
    await new Promise<void>((resolve) => void servers.splice(0)[0]?.close(() => resolve()));
    expect(await failureOf(send(clientOf(port), 'A'))).toBe(
      'no-acknowledgement: could not connect to 127.0.0.1:PORT (ECONNREFUSED); check that the receiver listens there',
    );
  });

  it('no answer in time: the connection is given up, so that a late answer meets nobody', async () => {
    const port = await listen(async (peer, number) => {
      await peer.received(1);
      if (number === 1) {
        await peer.closed;
        return;
      }
      peer.socket.write(framed(`ack ${peer.answers[0]}`));
    });
    const client = clientOf(port, { answerTimeoutMs: 60 });
    expect(await failureOf(send(client, 'A'))).toMatch(/^no-acknowledgement: no answer from 127.0.0.1:PORT in 60 ms/);
    await connections[0]?.closed;
    expect(await send(client, 'B')).toBe('ack B');
    expect(connections).toHaveLength(2);
  });

  it('closed: the peer hangs up before it answers', async () => {
    const port = await listen(async (peer) => {
      await peer.received(1);
      peer.socket.destroy();
    });
    expect(await failureOf(send(clientOf(port), 'A'))).toMatch(/connection to .* was closed before an answer came/);
  });

  it('garbage: the peer answers something that is no frame', async () => {
    const port = await listen(async (peer) => {
      await peer.received(1);
      peer.socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    expect(await failureOf(send(clientOf(port), 'A'))).toMatch(/answered with garbage/);
  });

  it('garbage: the answer is larger than what is read', async () => {
    const port = await listen(answerAll);
    expect(await failureOf(send(clientOf(port, { answerBytes: 5 }), 'AAAA'))).toMatch(/answered with garbage/);
  });

  it('closed by ourselves: what waits is rejected, and a later message connects again', async () => {
    const port = await listen(async (peer, number) => {
      await peer.received(1);
      if (number === 1) return client.close();
      peer.socket.write(framed('ack'));
    });
    const client = clientOf(port);
    expect(await failureOf(send(client, 'A'))).toMatch(/^no-acknowledgement: /);
    expect(await send(client, 'B')).toBe('ack');
  });
});

describe('what arrives without being asked for', () => {
  it('closes the connection when it follows an answer, and is not taken for the next', async () => {
    const port = await listen(async (peer, number) => {
      await peer.received(1);
      const extra = number === 1 ? framed('late') : Buffer.alloc(0);
      peer.socket.write(Buffer.concat([framed(`ack ${peer.answers[0]}`), extra]));
    });
    const client = clientOf(port);
    expect(await send(client, 'A')).toBe('ack A');
    await connections[0]?.closed;
    expect(await send(client, 'B')).toBe('ack B');
  });

  it('closes the connection when it comes between two messages; line ends do not', async () => {
    const port = await listen(async (peer, number) => {
      await peer.received(1);
      peer.socket.write(framed(`ack ${peer.answers[0]}`));
      if (number === 1) peer.socket.write('\r\n', () => peer.socket.write(framed('late')));
    });
    const client = clientOf(port);
    expect(await send(client, 'A')).toBe('ack A');
    await connections[0]?.closed;
    expect(await send(client, 'B')).toBe('ack B');
    expect(connections).toHaveLength(2);
  });
});

describe('sending with TLS (ITI-19)', () => {
  const limits = { connections: 5, messageBytes: 1000, idleMs: 10_000 };
  const start = () =>
    startMllpServer({
      host: '127.0.0.1',
      port: 0,
      limits,
      tls: { key: testKey, cert: testCertificate, ca: testCertificate, requireClientCertificate: true },
      handle: (message) => Promise.resolve(message),
    });

  it('delivers to a receiver whose certificate is trusted', async () => {
    const server = await start();
    const client = clientOf(server.port, { tls: { ca: testCertificate, key: testKey, cert: testCertificate } });
    expect(await send(client, 'A')).toBe('A');
    await server.stop();
  });

  it('sends nothing to one whose certificate is not', async () => {
    const server = await start();
    const stranger = clientOf(server.port, { tls: { key: testKey, cert: testCertificate } });
    expect(await failureOf(send(stranger, 'A'))).toMatch(/could not connect .*\(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
    const misnamed = clientOf(server.port, {
      tls: { ca: testCertificate, key: testKey, cert: testCertificate, serverName: 'pacs.example' },
    });
    expect(await failureOf(send(misnamed, 'A'))).toMatch(/could not connect .*\(ERR_TLS_CERT_ALTNAME_INVALID\)/);
    await server.stop();
  });
});
