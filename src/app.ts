import { once } from 'node:events';
import { createServer } from 'node:http';
import { migrate } from './db/migrator.ts';
import { Database } from './db/sequelize.ts';
import type { Env } from './env.ts';
import { OperatorError } from './errors.ts';
import { signingSecret } from './features/auth/secret.ts';
import { SessionReader } from './features/auth/sessionReader.ts';
import { Tokens } from './features/auth/tokens.ts';
import { MessageWriter } from './features/messages/messageWriter.ts';
import { MemoryPresenceStore } from './features/presence/memoryPresenceStore.ts';
import { PresenceService } from './features/presence/presenceService.ts';
import { RedisPresenceStore } from './features/presence/redisPresenceStore.ts';
import { MessageIndexer } from './features/search/messageIndexer.ts';
import { createSearchTurns } from './features/search/searchTurns.ts';
import { TypingService } from './features/typing/typingService.ts';
import { clientAddress } from './http/clientAddress.ts';
import { RateLimits } from './http/rateLimits.ts';
import { createRoutes } from './http/routes.ts';
import { createHttpApp } from './http/server.ts';
import type { Logger } from './lib/logger.ts';
import { Passwords } from './lib/passwords.ts';
import { within } from './lib/within.ts';
import { Metrics } from './metrics.ts';
import type { Services } from './operation.ts';
import { Hub } from './realtime/hub.ts';
import { MemoryBus } from './realtime/memoryBus.ts';
import { OwnMessages } from './realtime/ownMessages.ts';
import { Publisher } from './realtime/publisher.ts';
import { RedisBus } from './realtime/redisBus.ts';
import { TopicIndex } from './realtime/topicIndex.ts';
import { createRequestTurns } from './requestTurns.ts';
import type { PrimaryLink } from './workers/primaryLink.ts';
import { createRegistry } from './ws/registry.ts';
import { SocketServer } from './ws/server.ts';

/** How often a stopping server closes HTTP connections that have nothing under way, in milliseconds. */
const IDLE_SWEEP = 50;
/** How long a stopping server waits for HTTP requests that are under way, in milliseconds. */
const GRACE = 3_000;
/** How long a stop waits for anything, in milliseconds. By then every WebSocket is answered and closed; what the database has not done is left to it. */
const STOP_LIMIT = 9_000;
/** How long the database may work on one statement, in milliseconds; then it is ended, and the client told to try again. */
const STATEMENT_TIMEOUT = 5_000;
/**
 * How long a client may take, in milliseconds: to send the headers of its first request, which holds for one that sends nothing too;
 * to send a whole request; and how often both are looked at.
 */
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 };
/** How long nothing may move on an HTTP connection, in milliseconds: whoever does not read the answer is left. */
const STANDSTILL = 20_000;

/** A server that is not started yet. */
export interface App {
  /** Brings the schema up to date and listens; resolves with the port. */
  start(): Promise<number>;
  /** Takes no new connections, commits what it was given, closes every connection and the database, or gives up after nine seconds. Idempotent. */
  stop(): Promise<void>;
}

/** Puts the parts together: a server on the database at `databaseUrl`; in a worker, with the link to its primary. */
export async function createApp(env: Env, databaseUrl: string, logger: Logger, primary?: PrimaryLink): Promise<App> {
  const database = new Database(databaseUrl, { statementTimeout: STATEMENT_TIMEOUT });
  const stopping = new AbortController();
  const metrics = new Metrics(primary);
  metrics.watchDatabase(database);
  const passwords = new Passwords(env.BCRYPT_ROUNDS, logger, metrics);
  const tokens = new Tokens(await signingSecret(env));
  const redis =
    env.REDIS_URL === undefined ? undefined : new RedisBus({ url: env.REDIS_URL, isCluster: env.REDIS_CLUSTER }, metrics, logger);
  const bus = redis ?? new MemoryBus();
  const presenceStore = redis ? new RedisPresenceStore(redis.commands, redis.processId) : new MemoryPresenceStore();
  metrics.watchBus(bus);
  const indexer = new MessageIndexer(database, logger, metrics);
  const topics = new TopicIndex(bus);
  metrics.watchTopics(() => topics.size);
  const own = new OwnMessages({ bus, topics, metrics });
  const publisher = new Publisher({ bus, topics, own });
  const writer = new MessageWriter(database, metrics, publisher);
  const hub = new Hub({ metrics, topics, own, publisher });
  const services: Services = {
    env,
    logger,
    metrics,
    database,
    writer,
    sessionReader: new SessionReader(database, metrics),
    passwords,
    tokens,
    bus,
    hub,
    publisher,
    presence: new PresenceService({ store: presenceStore, database, hub, publisher, logger }),
    typing: new TypingService(database, hub, publisher),
    rateLimits: new RateLimits(env.RATE_LIMITS),
    searchTurns: createSearchTurns(metrics),
    requestTurns: createRequestTurns(metrics),
    clientAddress: clientAddress(env),
    stopping: stopping.signal,
  };
  const operations = createRegistry(env);
  const httpServer = createServer(TIMEOUTS, createHttpApp(services, createRoutes(env), operations)).setTimeout(STANDSTILL);
  const sockets = new SocketServer(httpServer, services, operations);

  async function start(): Promise<number> {
    await bringUpToDate(databaseUrl);
    // What Sequelize asks on its first connection does not wait for the first request.
    await database.authenticate();
    await bus.start(hub);
    await services.presence.start();
    indexer.start();
    stopping.signal.throwIfAborted();
    httpServer.listen(env.PORT, env.HOST);
    await once(httpServer, 'listening').catch((cause: unknown) => {
      const place = `HOST=${env.HOST} and PORT=${env.PORT}`;
      throw new OperatorError(`The server cannot listen on ${place}. End the program that listens there, or set PORT or HOST.`, { cause });
    });
    const address = httpServer.address();
    if (!address || typeof address === 'string') throw new Error('the server has no port');
    return address.port;
  }

  async function shutDown(): Promise<void> {
    stopping.abort();
    // What is closed while it is being started may be open afterwards.
    await started?.catch(() => {});
    const indexed = indexer.stop();
    const closed = httpServer.listening ? once(httpServer, 'close') : undefined;
    httpServer.close();
    const closeIdle = setInterval(() => httpServer.closeIdleConnections(), IDLE_SWEEP).unref();
    await sockets.close();
    const closeAll = setTimeout(() => httpServer.closeAllConnections(), GRACE).unref();
    await closed;
    clearInterval(closeIdle);
    clearTimeout(closeAll);
    await Promise.all([writer.drain(), services.sessionReader.drain()]);
    await indexed;
    await passwords.close();
    await services.presence.close();
    await bus.close();
    await database.close();
  }

  let started: Promise<number> | undefined;
  let stopped: Promise<void> | undefined;
  return {
    start: () => {
      started = start();
      return started;
    },
    stop: () => {
      stopped ??= within(STOP_LIMIT, shutDown());
      return stopped;
    },
  };
}

/** A migration takes as long as it takes. */
async function bringUpToDate(databaseUrl: string): Promise<void> {
  const database = new Database(databaseUrl);
  await migrate(database).finally(() => database.close());
}
