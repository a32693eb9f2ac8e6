import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { startMllpServer } from '../../src/hl7/mllp-server.ts';
import type { MllpEvent, MllpHandler, MllpServer, MllpServerOptions } from '../../src/hl7/mllp-server.ts';
import { connectPeer, deferred, framed, peerOn } from './support.ts';
import type { Peer } from './support.ts';
import { testCertificate, testKey } from './tls-fixture.ts';

const running: MllpServer[] = [];
const peers: Peer[] = [];

const limits = { connections: 50, messageBytes: 1 << 20, idleMs: 60_000 };
const text = (message: Uint8Array): string => Buffer.from(message).toString('latin1');

/** Answers `A` with `ack A`. */
const echo: MllpHandler = (message) => Promise.resolve(Buffer.from(`ack ${text(message)}`, 'latin1'));

async function start(options: Partial<MllpServerOptions> = {}) {
  const events: MllpEvent['kind'][] = [];
  const noted: (() => void)[] = [];
  const onEvent = (event: MllpEvent): void => {
    events.push(event.kind);
    noted.splice(0).forEach((wake) => wake());
  };
  const server = await startMllpServer({ host: '127.0.0.1', port: 0, limits, handle: echo, onEvent, ...options });
  running.push(server);
  const happened = async (kind: MllpEvent['kind']): Promise<void> => {
    while (!events.includes(kind)) await new Promise<void>((resolve) => noted.push(resolve));
  };
  return { ...server, events, happened };
}

async function peerOf(server: { port: number }): Promise<Peer> {
  const peer = await connectPeer(server.port);
  peers.push(peer);
  return peer;
}

afterEach(async () => {
  peers.splice(0).forEach((peer) => peer.socket.destroy());
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

describe('a listening MLLP server', () => {
  it('answers a message on its connection and keeps that open', async () => {
    const peer = await peerOf(await start());
    peer.socket.write(framed('A'));
    expect(await peer.received(1)).toEqual(['ack A']);
    peer.socket.write(framed('B'));
    expect(await peer.received(2)).toEqual(['ack A', 'ack B']);
  });

  it('answers two messages that arrive together, and half ones when they are whole', async () => {
    const peer = await peerOf(await start());
    peer.socket.write(Buffer.concat([framed('A'), framed('B'), framed('CCCC').subarray(0, 3)]));
    expect(await peer.received(2)).toEqual(['ack A', 'ack B']);
    peer.socket.write(framed('CCCC').subarray(3, 6));
    peer.socket.write(framed('CCCC').subarray(6));
    expect(await peer.received(3)).toEqual(['ack A', 'ack B', 'ack CCCC']);
  });

  it('answers a large message', async () => {
    const peer = await peerOf(await start());
    const large = 'x'.repeat(1 << 20);
    peer.socket.write(framed(large));
    expect((await peer.received(1))[0]).toHaveLength(large.length + 4);
  });

  it('tells the handler who sends', async () => {
    const seen: string[] = [];
    const handle: MllpHandler = (message, { remoteAddress }) => {
      seen.push(remoteAddress);
      return echo(message, { remoteAddress });
    };
    const peer = await peerOf(await start({ handle }));
    peer.socket.write(framed('A'));
    await peer.received(1);
    expect(seen).toEqual(['127.0.0.1']);
  });

  it('hands over one message at a time on a connection, while another connection goes on', async () => {
    const first = deferred<void>();
    const begun: string[] = [];
    const handle: MllpHandler = async (message, connection) => {
      begun.push(text(message));
      if (text(message) === 'A') await first.promise;
      return echo(message, connection);
    };
    const server = await start({ handle });
    const [slow, other] = [await peerOf(server), await peerOf(server)];
    slow.socket.write(Buffer.concat([framed('A'), framed('B')]));
    other.socket.write(framed('C'));
    await other.received(1);
    expect(begun.filter((message) => message !== 'C')).toEqual(['A']);
    first.resolve();
    expect(await slow.received(2)).toEqual(['ack A', 'ack B']);
  });

  it('answers in order when a peer reads only after it has written a great deal', async () => {
    const handle: MllpHandler = (message) => Promise.resolve(Buffer.from(text(message).padEnd(20_000, '.')));
    const peer = await peerOf(await start({ handle }));
    peer.socket.pause();
    const names = Array.from({ length: 400 }, (_, n) => `M${n}`);
    peer.socket.write(Buffer.concat(names.map(framed)));
    peer.socket.resume();
    const answers = await peer.received(400);
    expect(answers.map((answer) => answer.replace(/\.+$/, ''))).toEqual(names);
  });

  it('answers what a peer sent before it closed its side', async () => {
    const peer = await peerOf(await start());
    peer.socket.end(Buffer.concat([framed('A'), framed('B')]));
    expect(await peer.received(2)).toEqual(['ack A', 'ack B']);
    await peer.closed;
  });

  it('given a message that wants no answer, then nothing is written and the next one is read (HL7 v2.5.1 2.9.3)', async () => {
    const handle: MllpHandler = (message, connection) =>
      text(message) === 'quiet' ? Promise.resolve('silent') : echo(message, connection);
    const server = await start({ handle });
    const peer = await peerOf(server);
    peer.socket.write(Buffer.concat([framed('quiet'), framed('A'), framed('quiet'), framed('quiet'), framed('B')]));
    expect(await peer.received(2)).toEqual(['ack A', 'ack B']);
    expect(server.events).toEqual([]);
  });

  it('rejects with EADDRINUSE when the port is taken', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('a peer that does not keep to the protocol', () => {
  it('given an empty frame before a message, then the message is answered and nothing else', async () => {
    const peer = await peerOf(await start());
    peer.socket.write(Buffer.concat([framed(''), framed('\r\n'), framed('A')]));
    expect(await peer.received(1)).toEqual(['ack A']);
  });

  it('may send garbage between frames: it is reported and skipped', async () => {
    const server = await start();
    const peer = await peerOf(server);
    peer.socket.write(Buffer.concat([Buffer.from('\r\ngarbage'), framed('A')]));
    expect(await peer.received(1)).toEqual(['ack A']);
    expect(server.events).toEqual(['junk']);
  });

  it('is cut off when it sends nothing but garbage', async () => {
    const server = await start();
    const peer = await peerOf(server);
    peer.socket.write(Buffer.alloc(70_000, 'x'));
    await peer.closed;
    expect(server.events).toEqual(['junk']);
  });

  it('is cut off when the handler finds nothing readable, after earlier answers', async () => {
    const handle: MllpHandler = (message, connection) =>
      text(message) === 'hello' ? Promise.resolve(undefined) : echo(message, connection);
    const peer = await peerOf(await start({ handle }));
    peer.socket.write(Buffer.concat([framed('A'), framed('hello'), framed('B')]));
    await peer.closed;
    expect(peer.answers).toEqual(['ack A']);
  });

  it('is cut off after a message that is too large, after earlier answers', async () => {
    const server = await start({ limits: { ...limits, messageBytes: 100 } });
    const peer = await peerOf(server);
    peer.socket.write(Buffer.concat([framed('A'), framed('x'.repeat(101)), framed('B')]));
    await peer.closed;
    expect(peer.answers).toEqual(['ack A']);
    expect(server.events).toEqual(['too-large']);
  });

  it('is cut off when it stays silent', async () => {
    const server = await start({ limits: { ...limits, idleMs: 50 } });
    const peer = await peerOf(server);
    peer.socket.write(framed('A').subarray(0, 2));
    await peer.closed;
    expect(server.events).toEqual(['idle']);
  });

  it('is not idle while its message is in hand', async () => {
    const release = deferred<void>();
    const handle: MllpHandler = async (message, connection) => {
      await release.promise;
      return echo(message, connection);
    };
    const server = await start({ handle, limits: { ...limits, idleMs: 40 } });
    const [busy, idle] = [await peerOf(server), await peerOf(server)];
    busy.socket.write(framed('A'));
    await idle.closed;
    release.resolve();
    expect(await busy.received(1)).toEqual(['ack A']);
  });

  it('is refused beyond the number of connections', async () => {
    const server = await start({ limits: { ...limits, connections: 1 } });
    const first = await peerOf(server);
    first.socket.write(framed('A'));
    await first.received(1);
    const second = await peerOf(server);
    await second.closed;
    await server.happened('refused');
    first.socket.write(framed('B'));
    expect(await first.received(2)).toEqual(['ack A', 'ack B']);
  });

  it('loses only its own connection when the handler rejects', async () => {
    const handle: MllpHandler = (message, connection) =>
      text(message) === 'bad' ? Promise.reject(new Error('no')) : echo(message, connection);
    const server = await start({ handle });
    const [bad, good] = [await peerOf(server), await peerOf(server)];
    bad.socket.write(Buffer.concat([framed('A'), framed('bad'), framed('B')]));
    await bad.closed;
    good.socket.write(framed('C'));
    expect(await good.received(1)).toEqual(['ack C']);
    expect(bad.answers).toEqual(['ack A']);
    expect(server.events).toEqual(['error']);
  });

  it('may vanish while its message is in hand', async () => {
    const begun = deferred<void>();
    const release = deferred<void>();
    const handle: MllpHandler = async (message, connection) => {
      begun.resolve();
      await release.promise;
      return echo(message, connection);
    };
    const server = await start({ handle });
    const peer = await peerOf(server);
    peer.socket.write(framed('A'));
    await begun.promise;
    peer.socket.resetAndDestroy();
    release.resolve();
    const next = await peerOf(server);
    next.socket.write(framed('B'));
    expect(await next.received(1)).toEqual(['ack B']);
  });
});

describe('stopping a server', () => {
  it('answers the message in hand, takes no other and closes every connection', async () => {
    const begun = deferred<void>();
    const release = deferred<void>();
    const taken: string[] = [];
    const handle: MllpHandler = async (message, connection) => {
      taken.push(text(message));
      begun.resolve();
      await release.promise;
      return echo(message, connection);
    };
    const server = await start({ handle });
    const [busy, idle] = [await peerOf(server), await peerOf(server)];
    busy.socket.write(Buffer.concat([framed('A'), framed('B')]));
    await begun.promise;
    const stopped = server.stop();
    await idle.closed;
    await expect(connectPeer(server.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(busy.answers).toEqual([]);
    release.resolve();
    await Promise.all([stopped, busy.closed]);
    expect([busy.answers, taken]).toEqual([['ack A'], ['A']]);
  });

  it('does not wait for ever for a peer that does not read', async () => {
    const handle: MllpHandler = () => Promise.resolve(Buffer.alloc(8 << 20, 'x'));
    const server = await start({ handle });
    const peer = await peerOf(server);
    peer.socket.once('data', () => peer.socket.pause());
    peer.socket.write(Buffer.concat([framed('A'), framed('B')]));
    await once(peer.socket, 'pause');
    await server.stop();
    expect(peer.answers).toEqual([]);
  });

  it('may be asked for twice', async () => {
    const server = await start();
    await Promise.all([server.stop(), server.stop()]);
    await expect(connectPeer(server.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a server with TLS (ITI-19)', () => {
  const tls = { key: testKey, cert: testCertificate, ca: testCertificate, requireClientCertificate: true };

  it('answers a client that shows a certificate it trusts', async () => {
    const server = await start({ tls });
    const socket = connectTls({
      host: '127.0.0.1',
      port: server.port,
      ca: testCertificate,
      key: testKey,
      cert: testCertificate,
    });
    const peer = peerOn(socket);
    peers.push(peer);
    socket.write(framed('A'));
    expect(await peer.received(1)).toEqual(['ack A']);
    await server.stop();
    await peer.closed;
  });

  it('refuses one that shows none, and one that does not speak TLS', async () => {
    const server = await start({ tls });
    const bare = peerOn(connectTls({ host: '127.0.0.1', port: server.port, ca: testCertificate }));
    bare.socket.write(framed('A'));
    await bare.closed;
    const plain = await peerOf(server);
    plain.socket.write(framed('MSH|^~\\&|A'));
    await plain.closed;
    await server.happened('refused');
    expect([...bare.answers, ...plain.answers]).toEqual([]);
  });

  it('stops while a handshake is open', async () => {
    const server = await start({ tls });
    const peer = await peerOf(server);
    await server.stop();
    await peer.closed;
    expect(peer.answers).toEqual([]);
  });
});
