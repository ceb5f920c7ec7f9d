/** Owns a Durable Object's SQL storage in Node's own SQLite, for the rows' owners. It asserts nothing. */

import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

/** The part of `SqlStorage` that rows' owners use: `exec` with several statements, bindings, and a cursor that is read at once. */
export function sqlStorage(): SqlStorage {
  const database = new DatabaseSync(':memory:');
  const exec = (query: string, ...bindings: SQLInputValue[]) => {
    if (bindings.length === 0 && query.includes(';')) {
      database.exec(query);
      return cursor([]);
    }
    return cursor(database.prepare(query).all(...bindings));
  };
  return { exec } as unknown as SqlStorage;
}

function cursor(rows: unknown[]): unknown {
  return {
    toArray: () => rows,
    one: () => {
      if (rows.length !== 1) throw new Error(`${rows.length} rows, not one`);
      return rows[0];
    },
    [Symbol.iterator]: () => rows[Symbol.iterator](),
  };
}
