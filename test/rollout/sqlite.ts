/** Owns a Durable Object's SQL storage in Node's own SQLite, for the rows' owners. It asserts nothing. */

import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

export interface Storage {
  sql: SqlStorage;
  /** Undone as a whole when `work` throws. */
  transactionSync<T>(work: () => T): T;
}

/** The part of `SqlStorage` that rows' owners use: `exec` with several statements, bindings, and a cursor that is read at once. */
export function sqlStorage(): SqlStorage {
  return storage().sql;
}

/** The same, with transactions. */
export function storage(): Storage {
  const database = new DatabaseSync(':memory:');
  const exec = (query: string, ...bindings: SQLInputValue[]) => {
    if (bindings.length === 0 && query.includes(';')) {
      database.exec(query);
      return cursor([]);
    }
    const statement = database.prepare(query);
    const columnNames = statement.columns().map(({ name }) => name);
    return { ...cursor(statement.all(...bindings)), columnNames };
  };
  return {
    sql: { exec } as unknown as SqlStorage,
    transactionSync(work) {
      database.exec('BEGIN');
      try {
        const value = work();
        database.exec('COMMIT');
        return value;
      } catch (cause) {
        database.exec('ROLLBACK');
        throw cause;
      }
    },
  };
}

function cursor(rows: unknown[]): object {
  return {
    toArray: () => rows,
    one: () => {
      if (rows.length !== 1) throw new Error(`${rows.length} rows, not one`);
      return rows[0];
    },
    [Symbol.iterator]: () => rows[Symbol.iterator](),
  };
}
