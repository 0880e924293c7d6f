import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { toAppError } from '../db/databaseErrors.ts';
import { maxRequestBytes } from '../env.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { bearerToken } from '../features/auth/tokens.ts';
import { isOriginAllowed } from '../http/origins.ts';
import type { Operation, Services } from '../operation.ts';
import { CLOSE, type CloseReason, closeLabel, codeOfViolation } from './closeCodes.ts';
import { Connection } from './connection.ts';
import { endWithin } from './endWithin.ts';
import { serveWithoutUpgrade } from './otherUpgrades.ts';
import { Refresher } from './refresher.ts';
import { refuseUpgrade } from './refuseUpgrade.ts';

const PATHS = new Set(['/', '/api/ws']);
/** The subprotocol of browsers, which cannot set headers: `["auth", token]`. */
const SUBPROTOCOL = 'auth';

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
  /** Those that are being opened too. */
  readonly #connections = new Set<Connection>();
  readonly #sweeper: NodeJS.Timeout;
  readonly #refresher: Refresher;
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
    };
    this.#sockets = new WebSocketServer(options);
    httpServer.on('upgrade', (request, socket, head) => {
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        serveWithoutUpgrade(httpServer, request, socket, head);
        return;
      }
      const connectionId = newId();
      socket.on('error', (err) => services.logger.debug({ connectionId, err }, 'connection lost'));
      this.#upgrade(request, socket, head, connectionId).catch((error: unknown) => {
        refuseUpgrade(socket, this.#refused(connectionId, error));
      });
    });
    this.#refresher = new Refresher(services, this.#connections);
    this.#sweeper = setInterval(() => this.#sweep(), services.env.PING_INTERVAL * 1000).unref();
  }

  /** Answers what every client has asked, closes its connection, and asks it to come back. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#sweeper);
    this.#refresher.close();
    await Promise.all([...this.#connections].map((connection) => connection.finish(CLOSE.restart)));
  }

  #sweep(): void {
    const now = Date.now();
    for (const connection of this.#connections) connection.sweep(now);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, connectionId: string): Promise<void> {
    const { clientAddress, rateLimits } = this.#services;
    const { token, isByHeader } = credentialOf(request);
    const admitted = await this.#admit(request, connectionId, token).catch(async (error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      if (STRANGER.has(error.code)) await rateLimits.consume('failedUpgrade', clientAddress(request));
      const reason = isByHeader ? undefined : CLOSES.get(error.code);
      if (!reason) throw error;
      this.#refused(connectionId, error);
      return reason;
    });
    if (admitted instanceof Connection) this.#accept(request, socket, head, admitted);
    else this.#turnAway(request, socket, head, connectionId, admitted);
  }

  /**
   * The connection for the user of a valid token, already known to the hub, with the user's groups.
   * @throws {AppError} `not_found`, `origin_refused`, `unauthorized`, `too_many_connections` or `busy`
   */
  async #admit(request: IncomingMessage, connectionId: string, token: string | undefined): Promise<Connection> {
    const { env, hub, sessionReader, tokens } = this.#services;
    if (!PATHS.has(pathOf(request))) throw new AppError('not_found');
    if (!isOriginAllowed(env, request.headers)) throw new AppError('origin_refused');
    const claims = tokens.verify(token);
    if (!claims) throw new AppError('unauthorized');
    if (hub.connectionsOf(claims.userId) >= env.MAX_CONNECTIONS_PER_USER) throw new AppError('too_many_connections');
    const connection = new Connection(connectionId, claims, this.#services, this.#operations);
    const added = hub.add(connection);
    this.#connections.add(connection);
    try {
      await added;
      const groupIds = await sessionReader.groupsOf(claims);
      if (!groupIds || connection.revoked) throw new AppError('unauthorized');
      await hub.open(connection, groupIds);
      if (connection.revoked) throw new AppError('unauthorized');
      return connection;
    } catch (error) {
      this.#forget(connection);
      throw error;
    }
  }

  /** Completes the handshake. */
  #accept(request: IncomingMessage, socket: Duplex, head: Buffer, connection: Connection): void {
    let opened = false;
    this.#sockets.handleUpgrade(request, socket, head, (client: WebSocket) => {
      opened = true;
      this.#opened(connection, client);
      connection.attach(client, socket);
      // The handshake was under way when the server began to stop.
      if (this.#closing) void connection.finish(CLOSE.restart);
    });
    if (!opened) this.#forget(connection);
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#services.hub.remove(connection);
  }

  #opened(connection: Connection, client: WebSocket): void {
    const { logger, metrics, presence, typing } = this.#services;
    const { id: connectionId, userId } = connection;
    presence.connected(userId);
    metrics.connections.inc();
    metrics.connectionsOpened.inc();
    logger.debug({ connectionId, userId }, 'connection opened');
    client.on('error', (error) => {
      connection.closeCode ??= codeOfViolation(error);
      logger.debug({ connectionId, userId, err: error }, 'protocol error');
    });
    client.on('close', (received) => {
      const code = connection.closeCode ?? received;
      this.#forget(connection);
      presence.disconnected(userId);
      typing.disconnected(connection);
      metrics.connections.dec();
      metrics.connectionsClosed.inc({ code: closeLabel(code) });
      logger.debug({ connectionId, userId, code }, 'connection closed');
    });
  }

  /** A browser cannot read an HTTP status: its socket opens and is closed at once. */
  #turnAway(request: IncomingMessage, socket: Duplex, head: Buffer, connectionId: string, { code, reason, timeout }: CloseReason): void {
    this.#sockets.handleUpgrade(request, socket, head, (client: WebSocket) => {
      client.on('error', (err) => this.#services.logger.debug({ connectionId, err }, 'protocol error'));
      client.close(code, reason);
      endWithin(timeout, client);
    });
  }

  /** Takes note of a client that was not let in; returns what to tell it. */
  #refused(connectionId: string, error: unknown): AppError {
    const { logger, metrics } = this.#services;
    const failure = toAppError(error, { logger: logger.child({ connectionId }) });
    metrics.upgradesRefused.inc({ code: failure.code });
    logger.debug({ connectionId, code: failure.code }, 'connection refused');
    return failure;
  }
}

/** In one piece: Node makes an id as a chain of pieces, which takes eight times the memory for as long as nobody reads it. */
function newId(): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1');
}

/**
 * The token, and whether it comes, or should come, in a header: there is one, or the subprotocols are not those that carry a token.
 * No regular expression splits them: a long run of blanks would hold up everybody.
 */
function credentialOf({ headers }: IncomingMessage): { token: string | undefined; isByHeader: boolean } {
  const [name, token] = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  const isByHeader = headers.authorization !== undefined || name !== SUBPROTOCOL;
  return { isByHeader, token: isByHeader ? bearerToken(headers.authorization) : token };
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? url;
}
