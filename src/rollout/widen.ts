/** Owns the columns that a table has got since a later version: an object that was made by an earlier one gets them, at 0. */

/** Adds the number columns that the table does not have yet. */
export function widen(sql: SqlStorage, table: string, columns: readonly string[]): void {
  const known = new Set(
    [...sql.exec<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`)].map(({ name }) => name),
  );
  for (const column of columns) {
    if (!known.has(column)) sql.exec(`ALTER TABLE ${table} ADD COLUMN ${column} REAL NOT NULL DEFAULT 0`);
  }
}
