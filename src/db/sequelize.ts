import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Sequelize } from 'sequelize-typescript';
import { z } from 'zod';
import { Conversation } from './models/conversation.ts';
import { Member } from './models/member.ts';
import { Message } from './models/message.ts';
import { Session } from './models/session.ts';
import { User } from './models/user.ts';

/** Longest wait of Sequelize for a free connection of its pool, in milliseconds. */
const ACQUIRE_TIMEOUT = 5_000;
/** Longest wait for a connection to be accepted, and for a free one to run a prepared statement on, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;
/** How much longer than the database itself we wait for the end of a statement that takes too long, in milliseconds: then the connection is dead. */
const SILENCE = 1_000;

/** Connections for Sequelize, and as many again for prepared statements. */
const POOL_SIZE = 10;
const IDLE_TIMEOUT = 30_000;
/** How long the database may take to answer that it is there, in milliseconds. */
const ANSWER_TIMEOUT = 2_000;

/** A statement of a hot path. */
export interface Statement {
  /** Unique among all statements. */
  name: string;
  text: string;
}

/** The pool of Sequelize, of which its types tell nothing. */
const poolOfSequelize = z.object({ size: z.int(), available: z.int(), waiting: z.int() });

/** How the connections of a pool are used. */
export interface PoolUse {
  pool: 'models' | 'statements';
  /** Open connections, and those of them that do nothing. */
  size: number;
  idle: number;
  /** Queries that wait for one. */
  waiting: number;
}

/** A database, with the models on it. Connects at the first query. */
export class Database extends Sequelize {
  readonly users = this.getRepository(User);
  readonly sessions = this.getRepository(Session);
  readonly conversations = this.getRepository(Conversation);
  readonly members = this.getRepository(Member);
  readonly messages = this.getRepository(Message);
  readonly #prepared: pg.Pool;

  /**
   * @param limits Without a `statementTimeout`, in milliseconds, statements may take as long as they like: for work that nobody waits for.
   * With one the database ends a statement after that time, and a database that has gone silent is given up a second later.
   */
  constructor(url: string, { statementTimeout }: { statementTimeout?: number } = {}) {
    const connection = {
      application_name: 'messenger',
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      keepAlive: true,
      ...(statementTimeout && {
        statement_timeout: statementTimeout,
        idle_in_transaction_session_timeout: statementTimeout,
        query_timeout: statementTimeout + SILENCE,
      }),
    };
    super(url, {
      dialect: 'postgres',
      models: [User, Session, Conversation, Member, Message],
      // Each database has models of its own, so that one process may hold several.
      repositoryMode: true,
      logging: false,
      pool: { max: POOL_SIZE, min: 0, idle: IDLE_TIMEOUT, acquire: ACQUIRE_TIMEOUT },
      dialectOptions: connection,
    });
    this.#prepared = new pg.Pool({ ...connection, connectionString: url, max: POOL_SIZE, idleTimeoutMillis: IDLE_TIMEOUT });
    // A connection that ends while it is idle is replaced at the next query, which reports what hinders it.
    this.#prepared.on('error', () => {});
  }

  /** Runs a statement that each connection parses and plans once, with nothing around it. Rejects with the errors of `pg`. */
  async run<Row extends object>(statement: Statement, values: unknown[]): Promise<Row[]> {
    const { rows }: { rows: Row[] } = await this.#prepared.query({ ...statement, values });
    return rows;
  }

  /** Whether the database can be used now. Never rejects, and takes two seconds at most. */
  answers(): Promise<boolean> {
    const answered = this.query('SELECT 1').then(
      () => true,
      () => false,
    );
    return Promise.race([answered, delay(ANSWER_TIMEOUT, false, { ref: false })]);
  }

  /** How its connections are used at this moment. */
  pools(): PoolUse[] {
    const { size, available, waiting } = poolOfSequelize.parse(Reflect.get(this.connectionManager, 'pool'));
    const { totalCount, idleCount, waitingCount } = this.#prepared;
    return [
      { pool: 'models', size, idle: available, waiting },
      { pool: 'statements', size: totalCount, idle: idleCount, waiting: waitingCount },
    ];
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#prepared.end();
  }
}
