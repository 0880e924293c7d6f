import { Sequelize } from 'sequelize-typescript';
import { Conversation } from './models/conversation.ts';
import { Member } from './models/member.ts';
import { Message } from './models/message.ts';
import { Session } from './models/session.ts';
import { User } from './models/user.ts';

/** Longest wait for a free connection of the pool, in milliseconds. */
const ACQUIRE_TIMEOUT = 5_000;
/** Longest wait for a new connection to be accepted, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;

/** A pool of connections to a database, with the models on it. */
export class Database extends Sequelize {
  readonly users = this.getRepository(User);
  readonly sessions = this.getRepository(Session);
  readonly conversations = this.getRepository(Conversation);
  readonly members = this.getRepository(Member);
  readonly messages = this.getRepository(Message);
}

/** Opens a pool of connections to the database at `url`. Connects at the first query. */
export function openDatabase(url: string): Database {
  return new Database(url, {
    dialect: 'postgres',
    models: [User, Session, Conversation, Member, Message],
    // Each database has models of its own, so that one process may hold several.
    repositoryMode: true,
    logging: false,
    pool: { max: 10, min: 0, idle: 30_000, acquire: ACQUIRE_TIMEOUT },
    dialectOptions: { application_name: 'messenger', connectionTimeoutMillis: CONNECT_TIMEOUT },
  });
}
