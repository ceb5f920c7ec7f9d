/** Owns a controller's few single values in SQLite, by name, and its one alarm for several purposes. */

/** One controller's or ledger's values. */
export class Meta {
  #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    storage.sql.exec('CREATE TABLE IF NOT EXISTS meta (name PRIMARY KEY, value)');
  }

  get<T>(name: string): T | null {
    const [row] = this.#storage.sql.exec<{ value: string }>('SELECT * FROM meta WHERE name = ?', name);
    return row === undefined ? null : (JSON.parse(row.value) as T);
  }

  set(name: string, value: unknown): void {
    this.#storage.sql.exec('INSERT OR REPLACE INTO meta VALUES (?, ?)', name, JSON.stringify(value));
  }

  delete(name: string): void {
    this.#storage.sql.exec('DELETE FROM meta WHERE name = ?', name);
  }

  /** Sets when to be woken for a purpose; null: no more. The object has a single alarm, which is set to the earliest time. */
  async wake(purpose: string, atMs: number | null): Promise<void> {
    if (atMs === null) this.delete(`wake:${purpose}`);
    else this.set(`wake:${purpose}`, atMs);
    await this.armEarliest();
  }

  /** The same within a transaction, without the alarm: a later `wake` or `armEarliest` sets that. */
  mark(purpose: string, atMs: number): void {
    this.set(`wake:${purpose}`, atMs);
  }

  /** The purposes that are due. They stay due until `wake` sets them anew. */
  due(nowMs: number): string[] {
    return this.#wakes()
      .filter(({ atMs }) => atMs <= nowMs)
      .map(({ purpose }) => purpose);
  }

  /** Sets the object's alarm to the earliest time that anything is wanted. */
  async armEarliest(): Promise<void> {
    const times = this.#wakes().map(({ atMs }) => atMs);
    if (times.length === 0) await this.#storage.deleteAlarm();
    else await this.#storage.setAlarm(Math.min(...times));
  }

  #wakes(): { purpose: string; atMs: number }[] {
    const rows = this.#storage.sql.exec<{ name: string; value: string }>("SELECT * FROM meta WHERE name LIKE 'wake:%'");
    return [...rows].map(({ name, value }) => ({ purpose: name.slice(5), atMs: Number(value) }));
  }
}
