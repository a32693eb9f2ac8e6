import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { negotiate } from './association.ts';
import type { AssociationPolicy } from './association.ts';
import { guardConnection } from './guard.ts';
import type { ConnectionLimits, GuardedConnection, GuardEventKind } from './guard.ts';
import type { DicomHandlers } from './handlers.ts';
import { prepareLibrary } from './library.ts';
import { serveAssociation } from './scp.ts';
import { sopClass } from './status.ts';

export type {
  DicomHandlers,
  FinalStatus,
  FindAnswer,
  FindRow,
  NGetRequest,
  NRequest,
  NResponse,
  RequestContext,
} from './handlers.ts';

/** Something that happened on a connection. The text never quotes content of data sets. */
export interface DicomServerEvent {
  readonly kind: GuardEventKind | 'refused' | 'tls-error' | 'handler-error' | 'row-not-encodable' | 'refused-request';
  readonly remoteAddress: string;
  readonly callingAeTitle?: string;
  readonly text?: string;
}

export interface DicomServerLimits extends ConnectionLimits {
  /** Open associations; one more is rejected as a temporary congestion. */
  readonly associations: number;
}

/** PEM texts; TLS 1.2 or higher (PS3.15 B.9, BCP 195). */
export interface DicomServerTls {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  readonly ca?: string | Buffer;
  readonly requireClientCertificate?: boolean;
}

export interface DicomServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly calledAeTitles: readonly string[] | 'any';
  readonly callingAeTitles: readonly string[] | 'any';
  /** Those of a Department System Scheduler when left out. */
  readonly sopClasses?: readonly string[];
  readonly limits: DicomServerLimits;
  readonly tls?: DicomServerTls;
  readonly handlers: DicomHandlers;
  readonly onEvent?: (event: DicomServerEvent) => void;
}

/** A server that listens. */
export interface DicomServer {
  readonly port: number;
  /** Destroys every connection at once, whatever is in hand; goes on listening. */
  readonly dropConnections: () => void;
  readonly stop: () => Promise<void>;
}

const SCHEDULER_SOP_CLASSES: readonly string[] = [
  sopClass.verification,
  sopClass.modalityWorklistFind,
  sopClass.modalityPerformedProcedureStep,
  sopClass.modalityPerformedProcedureStepRetrieve,
  sopClass.instanceAvailabilityNotification,
];

// Connections that have no association yet, over the limit of associations, so that a rejection can still be said.
const WAITING_CONNECTIONS = 64;

interface Running {
  readonly options: DicomServerOptions;
  readonly policy: AssociationPolicy;
  readonly connections: Map<Socket, GuardedConnection>;
  readonly sockets: Set<Socket>;
}

/**
 * Listens as an SCP for Verification, Modality Worklist, MPPS and its retrieval, and Instance Availability
 * Notification. Rejects with the error of the bind. `stop` takes no new association, finishes the requests in hand, then aborts and closes.
 */
export async function startDicomServer(options: DicomServerOptions): Promise<DicomServer> {
  prepareLibrary();
  const connections = new Map<Socket, GuardedConnection>();
  // With TLS these are the sockets beneath, those in the middle of a handshake among them.
  const sockets = new Set<Socket>();
  const { calledAeTitles, callingAeTitles, sopClasses = SCHEDULER_SOP_CLASSES, limits } = options;
  const openAssociations = (): number => [...connections.values()].filter((each) => each.isAssociated()).length;
  const hasRoom = (): boolean => openAssociations() < limits.associations;
  const running = { options, connections, sockets, policy: { calledAeTitles, callingAeTitles, sopClasses, hasRoom } };
  const server = createListener(options, (socket) => accept(running, socket));
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await listen(server, options);
  const dropConnections = (): void => {
    for (const socket of [...connections.keys(), ...sockets]) socket.destroy();
  };
  return { port, dropConnections, stop: () => stop(server, running) };
}

function createListener(options: DicomServerOptions, onSocket: (socket: Socket) => void): Server {
  const { tls, limits } = options;
  if (!tls) return createServer({ noDelay: true }, onSocket);
  const { key, cert, ca, requireClientCertificate = false } = tls;
  const server = createTlsServer(
    {
      key,
      cert,
      ...(ca === undefined ? {} : { ca }),
      requestCert: requireClientCertificate,
      rejectUnauthorized: requireClientCertificate,
      minVersion: 'TLSv1.2',
      handshakeTimeout: limits.artimMs,
      noDelay: true,
    },
    onSocket,
  );
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    // A handshake that failed or never came leaves the socket open.
    socket.destroy();
    options.onEvent?.({ kind: 'tls-error', remoteAddress: socket.remoteAddress ?? '', text: error.code ?? error.name });
  });
  return server;
}

function listen(server: Server, { host, port }: DicomServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      // A failed accept (no file descriptors left) ends that connection, not the server.
      server.on('error', () => {});
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function accept({ options, policy, connections }: Running, socket: Socket): void {
  const remoteAddress = socket.remoteAddress ?? '';
  const event = (kind: DicomServerEvent['kind'], text: string, callingAeTitle?: string): void =>
    options.onEvent?.({ kind, remoteAddress, text, ...(callingAeTitle === undefined ? {} : { callingAeTitle }) });
  if (connections.size >= options.limits.associations + WAITING_CONNECTIONS) {
    event('refused', 'too many connections');
    socket.destroy();
    return;
  }
  const { limits, handlers } = options;
  const connection = guardConnection(socket, {
    limits,
    negotiate: (request) => negotiate(request, policy),
    serve: (link) =>
      serveAssociation({ link, handlers, report: (kind, text) => event(kind, text, link.callingAeTitle) }),
    onEvent: event,
  });
  connections.set(socket, connection);
  socket.once('close', () => connections.delete(socket));
}

async function stop(server: Server, { connections, sockets, options }: Running): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const connection of connections.values()) connection.stop();
  // Nobody is served any more who is only shaking hands.
  if (options.tls && connections.size === 0) for (const socket of sockets) socket.destroy();
  // A handler that never answers must not keep the process.
  const deadline = setTimeout(() => {
    for (const socket of [...connections.keys(), ...sockets]) socket.destroy();
  }, options.limits.artimMs);
  await closed;
  clearTimeout(deadline);
}
