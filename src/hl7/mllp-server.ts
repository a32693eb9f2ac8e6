import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { serveConnection } from './mllp-connection.ts';
import type { MllpConnection, MllpEventKind, MllpHandler } from './mllp-connection.ts';

export type { MllpEventKind, MllpHandler };

/** Key, certificate and trusted authorities, PEM. */
export interface MllpServerTls {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  readonly ca?: string | Buffer;
  readonly requireClientCertificate?: boolean;
}

export interface MllpEvent {
  readonly kind: MllpEventKind;
  readonly remoteAddress: string;
}

export interface MllpServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly limits: { readonly connections: number; readonly messageBytes: number; readonly idleMs: number };
  readonly tls?: MllpServerTls;
  readonly handle: MllpHandler;
  readonly onEvent?: (event: MllpEvent) => void;
}

export interface MllpServer {
  readonly port: number;
  /** Destroys every connection at once, whatever is in hand; goes on listening. */
  dropConnections(): void;
  /** Accepts nothing new, lets messages in hand finish and be answered, then closes every connection. */
  stop(): Promise<void>;
}

const handshakeTimeoutMs = 10_000;
const socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true };

/** ITI-19: TLS 1.2 is the floor; a client without a valid certificate is refused when one is required. */
function createServer(tls: MllpServerTls | undefined): Server {
  if (!tls) return createPlainServer(socketOptions);
  const mutual = tls.requireClientCertificate ?? false;
  return createTlsServer({
    ...socketOptions,
    key: tls.key,
    cert: tls.cert,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    requestCert: mutual,
    rejectUnauthorized: mutual,
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeTimeoutMs,
  });
}

async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}

/**
 * Listens for HL7 messages over MLLP. On each connection one message at a time is handed to `handle`; a handler that
 * rejects ends its own connection only.
 * @throws what binding throws, such as EADDRINUSE
 */
export async function startMllpServer(options: MllpServerOptions): Promise<MllpServer> {
  const { limits, handle } = options;
  const connections = new Set<MllpConnection>();
  const sockets = new Set<Socket>();
  const report = (kind: MllpEventKind, remoteAddress = ''): void => options.onEvent?.({ kind, remoteAddress });
  const server = createServer(options.tls);
  server.maxConnections = limits.connections;

  const accept = (socket: Socket): void => {
    // A TLS handshake may end after the server was stopped.
    if (!server.listening) return void socket.destroy();
    const connection = serveConnection(socket, { limits, handle, onEvent: report });
    connections.add(connection);
    connection.closed.then(
      () => connections.delete(connection),
      () => undefined,
    );
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on(options.tls ? 'secureConnection' : 'connection', accept);
  server.on('drop', (drop) => report('refused', drop?.remoteAddress));
  server.on('tlsClientError', (_error, socket: Socket) => {
    report('refused', socket.remoteAddress);
    // Half-open sockets do not close by themselves after a failed handshake.
    socket.destroy();
  });

  const port = await listen(server, options);
  server.on('error', () => report('error'));
  return {
    port,
    dropConnections: () => sockets.forEach((socket) => socket.destroy()),
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const open = [...connections];
      open.forEach((connection) => connection.stop());
      await Promise.all(open.map((connection) => connection.closed));
      // What is left has not finished its TLS handshake.
      sockets.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}
