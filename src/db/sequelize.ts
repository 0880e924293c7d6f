import pg from 'pg';
import type { Transaction } from 'sequelize';
import { Sequelize } from 'sequelize-typescript';
import { z } from 'zod';
import { Lanes } from '../lib/lanes.ts';
import { within } from '../lib/within.ts';
import { Conversation } from './models/conversation.ts';
import { Member } from './models/member.ts';
import { Message } from './models/message.ts';
import { Reaction } from './models/reaction.ts';
import { Session } from './models/session.ts';
import { User } from './models/user.ts';
import { Client, type Statement, StatementPool } from './statementPool.ts';

export type { Statement };

/** Longest wait of Sequelize for a free connection of its pool, in milliseconds. */
const ACQUIRE_TIMEOUT = 5_000;
/** Longest wait for a connection to be accepted, and for a free one to run a prepared statement on, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;
/** How much longer than the database itself we wait for the end of a statement that takes too long, in milliseconds: then the connection is dead. */
const SILENCE = 1_000;

/** Queries of Sequelize that may wait for a connection. Those that wait in vain cost the square of their number. */
const MAX_WAITING = 500;

/** Connections for Sequelize. */
const POOL_SIZE = 10;
/** Those of them that are never held by changes of conversations, which may have to wait for a lock. */
const SPARE = 2;

/** How long a change may wait for those before it, in milliseconds. */
const PATIENCE = 5_000;
/** In one conversation one change is made, and those of a hundred users wait, one of each. */
const CHANGES = { maxRunning: POOL_SIZE - SPARE, maxRunningOfLane: 1, maxWaiting: 100, patience: PATIENCE };
/** Behind that one a hundred of the same user wait. */
const OWN_CHANGES = { ...CHANGES, maxRunning: Number.POSITIVE_INFINITY };

/** For statements that users ask for. */
const STATEMENTS = 6;
/** As many as there are batches under way at most, two of each kind: of messages to dialogs, to groups, and of sessions. So none waits for a connection. */
const BATCHES = 6;
/** What a process opens at most, all pools together. */
export const CONNECTIONS_OF_PROCESS = POOL_SIZE + STATEMENTS + BATCHES;
const IDLE_TIMEOUT = 30_000;
/** How long the database may take to answer that it is there, in milliseconds. */
const ANSWER_TIMEOUT = 2_000;

/** The pool of Sequelize, of which its types tell nothing. */
const poolOfSequelize = z.object({ size: z.int(), available: z.int(), waiting: z.int() });

/** Where something is to be changed, and who asks for it. */
interface Turn {
  conversationId: string;
  userId: string;
}

/** How the connections of a pool are used. */
export interface PoolUse {
  pool: 'models' | 'statements' | 'batches';
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
  readonly reactions = this.getRepository(Reaction);
  readonly #statements: StatementPool;
  readonly #batches: StatementPool;
  /** Changes of conversations, by conversation. */
  readonly #changes = new Lanes(CHANGES);
  /** Before them, by conversation and user: so users take turns, and a few of them who ask for very much do not keep out the others. */
  readonly #ownChanges = new Lanes(OWN_CHANGES);
  /** A question whether the database answers that is under way. */
  #answered: Promise<boolean> | undefined;

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
      dialectModule: { ...pg, Client },
      models: [User, Session, Conversation, Member, Message, Reaction],
      // Each database has models of its own, so that one process may hold several.
      repositoryMode: true,
      logging: false,
      pool: { max: POOL_SIZE, min: 0, idle: IDLE_TIMEOUT, acquire: ACQUIRE_TIMEOUT },
      dialectOptions: connection,
    });
    const prepared = { ...connection, connectionString: url, idleTimeoutMillis: IDLE_TIMEOUT };
    this.#statements = new StatementPool({ ...prepared, max: STATEMENTS });
    this.#batches = new StatementPool({ ...prepared, max: BATCHES });
  }

  /** Runs a prepared statement. Rejects with the errors of `pg`. */
  run<Row extends object>(statement: Statement, values: unknown[]): Promise<Row[]> {
    return this.#statements.run(statement, values);
  }

  /** The same for a batch of a `Batcher`: it waits for nothing else. Calls `inDoubt` when nobody can say whether it is committed. */
  runBatch<Row extends object>(statement: Statement, values: unknown[], inDoubt?: () => void): Promise<Row[]> {
    return this.#batches.run(statement, values, inDoubt);
  }

  /**
   * Runs `work` in a transaction. Calls `inDoubt` when the connection broke in the COMMIT itself, before it rejects:
   * then nobody can say yet whether it is committed.
   */
  async change<T>(work: (transaction: Transaction) => Promise<T>, inDoubt: () => void): Promise<T> {
    let isDone = false;
    try {
      return await this.transaction(async (transaction) => {
        const result = await work(transaction);
        isDone = true;
        return result;
      });
    } catch (error) {
      if (isDone) inDoubt();
      throw error;
    }
  }

  /**
   * The same for a change that locks a conversation. Changes of one conversation wait for one another before they take a connection:
   * many of them at once would take all that there are, and everybody else would wait for that one conversation.
   * @throws {AppError} `busy` when its turn does not come
   */
  changeConversation<T>({ conversationId, userId }: Turn, work: (transaction: Transaction) => Promise<T>, inDoubt: () => void): Promise<T> {
    const end = performance.now() + PATIENCE;
    const change = () => this.change(work, inDoubt);
    const changeInTurn = () => this.#changes.run(conversationId, change, end - performance.now());
    return this.#ownChanges.run(`${conversationId} ${userId}`, changeInTurn);
  }

  /** How many changes of conversations wait for their turn. */
  get waitingChanges(): number {
    return this.#ownChanges.waiting + this.#changes.waiting;
  }

  /** Whether the database can be used now. Never rejects, and takes two seconds at most. However many ask, one question is under way. */
  async answers(): Promise<boolean> {
    this.#answered ??= this.query('SELECT 1')
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        this.#answered = undefined;
      });
    return (await within(ANSWER_TIMEOUT, this.#answered)) ?? false;
  }

  /** Whether so many queries of Sequelize wait for a connection that one more had better not. */
  get isCrowded(): boolean {
    return this.pools().some(({ pool, waiting }) => pool === 'models' && waiting >= MAX_WAITING);
  }

  /** How its connections are used at this moment. */
  pools(): PoolUse[] {
    const { size, available, waiting } = poolOfSequelize.parse(Reflect.get(this.connectionManager, 'pool'));
    return [
      { pool: 'models', size, idle: available, waiting },
      { pool: 'statements', ...this.#statements.use },
      { pool: 'batches', ...this.#batches.use },
    ];
  }

  override async close(): Promise<void> {
    await super.close();
    await Promise.all([this.#statements.close(), this.#batches.close()]);
  }
}
