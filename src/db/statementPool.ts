import pg from 'pg';

/** A statement of a hot path. */
export interface Statement {
  /** Unique among all statements. */
  name: string;
  text: string;
}

/**
 * A connection that ends reports it to whoever waits for it, and to the pools; where nobody listens at that moment, it would end the process.
 * In the mode `pipeline` one whose statement is not answered in time is ended: a ROLLBACK behind it need not wait as long again.
 */
export class Client extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super({ ...config, pipeline: true });
    this.on('error', () => {});
  }
}

/** Connections for statements that each of them parses and plans once. Connects at the first one. */
export class StatementPool {
  readonly #pool: pg.Pool;

  constructor(config: pg.PoolConfig) {
    this.#pool = new pg.Pool({ ...config, Client });
    // A connection that ends while it is idle is replaced at the next query, which reports what hinders it.
    this.#pool.on('error', () => {});
  }

  /**
   * Runs a statement, with nothing around it. Rejects with the errors of `pg`. Calls `inDoubt` when the connection broke after the statement was
   * sent, before it rejects: then nobody can say whether what it changes is committed.
   */
  async run<Row extends object>(statement: Statement, values: unknown[], inDoubt?: () => void): Promise<Row[]> {
    const client = await this.#pool.connect();
    let isUsable = true;
    try {
      const { rows }: { rows: Row[] } = await client.query({ ...statement, values });
      return rows;
    } catch (error) {
      // A connection on which a statement was refused is as good as before.
      isUsable = error instanceof pg.DatabaseError && error.severity === 'ERROR';
      if (!isUsable) inDoubt?.();
      throw error;
    } finally {
      client.release(!isUsable);
    }
  }

  /** Open connections, those of them that do nothing, and statements that wait for one. */
  get use(): { size: number; idle: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { size: totalCount, idle: idleCount, waiting: waitingCount };
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
