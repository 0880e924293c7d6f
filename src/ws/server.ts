import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { toAppError } from '../db/databaseErrors.ts';
import { maxRequestBytes } from '../env.ts';
import { AppError } from '../errors.ts';
import { bearerToken } from '../features/auth/tokens.ts';
import { isOriginAllowed } from '../http/origins.ts';
import type { Operation, Services } from '../operation.ts';
import { CLOSE, closeLabel, codeOfViolation } from './closeCodes.ts';
import { Connection } from './connection.ts';
import { serveWithoutUpgrade } from './otherUpgrades.ts';
import { refuseUpgrade } from './refuseUpgrade.ts';

const PATHS = new Set(['/', '/api/ws']);
/** The subprotocol of browsers, which cannot set headers: `["auth", token]`. */
const SUBPROTOCOL = 'auth';
/** How often clients are asked for a sign of life, in milliseconds; one that gives none in that time is ended. */
const PING_INTERVAL = 30_000;
/** How long a client may take to answer a close frame, in milliseconds. */
const CLOSE_TIMEOUT = 2_000;

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
      const connectionId = randomUUID();
      socket.on('error', (err) => services.logger.debug({ connectionId, err }, 'connection lost'));
      this.#upgrade(request, socket, head, connectionId).catch((error: unknown) => {
        refuseUpgrade(socket, this.#refused(connectionId, error));
      });
    });
    this.#sweeper = setInterval(() => this.#sweep(), PING_INTERVAL).unref();
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

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, connectionId: string): Promise<void> {
    const { headers } = request;
    if (!PATHS.has(pathOf(request))) throw new AppError('not_found');
    if (!isOriginAllowed(this.#services.env, headers)) throw new AppError('origin_refused');
    const [subprotocol, offered] = (headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    const byHeader = headers.authorization !== undefined;
    if (!byHeader && subprotocol !== SUBPROTOCOL) throw new AppError('unauthorized');

    const connection = await this.#authenticate(byHeader ? bearerToken(headers.authorization) : offered, connectionId);
    if (!connection && byHeader) throw new AppError('unauthorized');
    if (connection) this.#accept(request, socket, head, connection);
    else this.#turnAway(request, socket, head, connectionId);
  }

  /** The connection for the user of a valid token, already known to the hub, with the user's groups. */
  async #authenticate(token: string | undefined, connectionId: string): Promise<Connection | undefined> {
    const { hub, sessionReader, tokens } = this.#services;
    const claims = tokens.verify(token);
    if (!claims) return undefined;
    const connection = new Connection(connectionId, claims, this.#services, this.#operations);
    hub.add(connection);
    try {
      const groupIds = await sessionReader.groupsOf(claims);
      if (groupIds && !connection.revoked) {
        hub.open(connection, groupIds);
        return connection;
      }
    } catch (error) {
      hub.remove(connection);
      throw error;
    }
    hub.remove(connection);
    return undefined;
  }

  /** Completes the handshake. */
  #accept(request: IncomingMessage, socket: Duplex, head: Buffer, connection: Connection): void {
    let opened = false;
    this.#sockets.handleUpgrade(request, socket, head, (client: WebSocket) => {
      opened = true;
      this.#opened(connection, client);
      connection.attach(client, socket);
      // The handshake was under way when the server began to stop.
      if (this.#closing) connection.close(CLOSE.restart);
    });
    if (!opened) this.#services.hub.remove(connection);
  }

  #opened(connection: Connection, client: WebSocket): void {
    const { hub, metrics } = this.#services;
    this.#connections.add(connection);
    metrics.connections.inc();
    metrics.connectionsOpened.inc();
    connection.logger.debug('connection opened');
    client.on('error', (error) => {
      connection.closeCode ??= codeOfViolation(error);
      connection.logger.debug(error, 'protocol error');
    });
    client.on('close', (received) => {
      const code = connection.closeCode ?? received;
      this.#connections.delete(connection);
      hub.remove(connection);
      metrics.connections.dec();
      metrics.connectionsClosed.inc({ code: closeLabel(code) });
      connection.logger.debug({ code }, 'connection closed');
    });
  }

  /** A browser cannot read an HTTP status: its socket opens and is closed at once. */
  #turnAway(request: IncomingMessage, socket: Duplex, head: Buffer, connectionId: string): void {
    this.#sockets.handleUpgrade(request, socket, head, (client: WebSocket) => {
      client.on('error', (err) => this.#services.logger.debug({ connectionId, err }, 'protocol error'));
      this.#refused(connectionId, new AppError('unauthorized'));
      client.close(CLOSE.unauthorized.code, CLOSE.unauthorized.reason);
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

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? url;
}
