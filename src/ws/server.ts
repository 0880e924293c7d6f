import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { toAppError } from '../db/databaseErrors.ts';
import { maxRequestBytes } from '../env.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { bearerToken } from '../features/auth/tokens.ts';
import { isOriginAllowed } from '../http/origins.ts';
import type { Operation, Services } from '../operation.ts';
import { CLOSE, type CloseReason } from './closeCodes.ts';
import { Connection } from './connection.ts';
import { serveWithoutUpgrade } from './otherUpgrades.ts';
import { refuseUpgrade } from './refuseUpgrade.ts';

const PATHS = new Set(['/', '/api/ws']);
/** The subprotocol of browsers, which cannot set headers: `["auth", token]`. */
const SUBPROTOCOL = 'auth';
/** How long a client may take to answer a close frame, in milliseconds. */
const CLOSE_TIMEOUT = 2_000;

/** What whoever is no user of ours is refused with; an address that is refused so too often is not heard any more. */
const STRANGER: ReadonlySet<ErrorCode> = new Set(['not_found', 'origin_refused', 'unauthorized']);
/** What a browser is told on a socket that is opened for it and closed at once, because it cannot read an HTTP status. */
const CLOSES: ReadonlyMap<ErrorCode, CloseReason> = new Map<ErrorCode, CloseReason>([
  ['unauthorized', CLOSE.unauthorized],
  ['too_many_connections', CLOSE.tooManyConnections],
]);

/** The WebSocket side: who may connect, and who is connected. */
export class SocketServer {
  readonly #services: Services;
  readonly #operations: ReadonlyMap<string, Operation>;
  readonly #sockets: WebSocketServer;
  readonly #connections = new Set<Connection>();
  readonly #sweeper: NodeJS.Timeout;
  #closing = false;

  constructor(httpServer: Server, services: Services, operations: ReadonlyMap<string, Operation>) {
    this.#services = services;
    this.#operations = operations;
    const options = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maxRequestBytes(services.env),
      handleProtocols: (protocols: Set<string>) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
      closeTimeout: CLOSE_TIMEOUT,
    };
    this.#sockets = new WebSocketServer(options);
    httpServer.on('upgrade', (request, socket, head) => {
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        serveWithoutUpgrade(httpServer, request, socket, head);
        return;
      }
      socket.on('error', (error) => services.logger.debug(error, 'connection lost'));
      this.#upgrade(request, socket, head).catch((error: unknown) => refuseUpgrade(socket, toAppError(error, services.logger)));
    });
    this.#sweeper = setInterval(() => this.#sweep(), services.env.PING_INTERVAL * 1000).unref();
  }

  /** Answers what every client has asked, closes its connection, and asks it to come back. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#sweeper);
    await Promise.all([...this.#connections].map((connection) => connection.finish(CLOSE.restart)));
  }

  #sweep(): void {
    const now = Date.now();
    for (const connection of this.#connections) connection.sweep(now);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { clientAddress, rateLimits } = this.#services;
    const address = clientAddress(request);
    await rateLimits.check('failedUpgrade', address);
    const admitted = await this.#admit(request).catch(async (error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      if (STRANGER.has(error.code)) await rateLimits.consume('failedUpgrade', address);
      const reason = isByHeader(request) ? undefined : CLOSES.get(error.code);
      if (!reason) throw error;
      return reason;
    });
    this.#accept(request, socket, head, admitted);
  }

  /**
   * The connection for the user of a valid token, already known to the hub, with the user's groups.
   * @throws {AppError} `not_found`, `origin_refused`, `unauthorized`, `too_many_connections` or `busy`
   */
  async #admit(request: IncomingMessage): Promise<Connection> {
    const { env, hub, sessionReader, tokens } = this.#services;
    if (!PATHS.has(pathOf(request))) throw new AppError('not_found');
    if (!isOriginAllowed(env, request.headers)) throw new AppError('origin_refused');
    const token = isByHeader(request) ? bearerToken(request.headers.authorization) : protocolsOf(request)[1];
    const claims = tokens.verify(token);
    if (!claims) throw new AppError('unauthorized');
    if (hub.connectionsOf(claims.userId) >= env.MAX_CONNECTIONS_PER_USER) throw new AppError('too_many_connections');
    const connection = new Connection(claims, this.#services, this.#operations);
    hub.add(connection);
    try {
      const groupIds = await sessionReader.groupsOf(claims);
      if (!groupIds || connection.revoked) throw new AppError('unauthorized');
      hub.open(connection, groupIds);
      return connection;
    } catch (error) {
      hub.remove(connection);
      throw error;
    }
  }

  /** Completes the handshake, if only to say why the connection is closed at once. */
  #accept(request: IncomingMessage, socket: Duplex, head: Buffer, admitted: Connection | CloseReason): void {
    let opened = false;
    this.#sockets.handleUpgrade(request, socket, head, (client: WebSocket) => {
      opened = true;
      client.on('error', (error) => this.#services.logger.debug(error, 'protocol error'));
      if (!(admitted instanceof Connection)) return client.close(admitted.code, admitted.reason);
      this.#connections.add(admitted);
      client.on('close', () => {
        this.#connections.delete(admitted);
        this.#services.hub.remove(admitted);
      });
      admitted.attach(client, socket);
      // The handshake was under way when the server began to stop.
      if (this.#closing) admitted.close(CLOSE.restart);
    });
    if (!opened && admitted instanceof Connection) this.#services.hub.remove(admitted);
  }
}

/** Whether the token comes, or should come, in a header: there is one, or the subprotocols are not those that carry a token. */
function isByHeader(request: IncomingMessage): boolean {
  return request.headers.authorization !== undefined || protocolsOf(request)[0] !== SUBPROTOCOL;
}

function protocolsOf({ headers }: IncomingMessage): string[] {
  return (headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? url;
}
