/**
 * Owns the memory of which units have converted, where no experiment's ledger keeps it: a conversion counts once for each unit, in a rollout
 * or in a week. Bounded: the oldest are forgotten. It does not decide what is evidence: guardrails have their own rule for units, and must
 * be told of every bad answer.
 */

const FORGET_MS = 7 * 86_400_000;
const MAX_KEPT = 100_000;

/** The conversions of one route. */
export class Conversions {
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS conversions (id INTEGER PRIMARY KEY, unit, metric, rollout,
      happened, atMs, UNIQUE (unit, metric, rollout))`);
  }

  /** Notes that a unit converted (1) or did not (0); false where that changes nothing. `rollout` is empty where none runs. */
  isNew(one: { unit: string; metric: string; rollout: string; happened: number }, nowMs: number): boolean {
    const { unit, metric, rollout, happened } = one;
    const [row] = this.#sql.exec<{ id: number }>(
      `INSERT INTO conversions VALUES (NULL, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET happened = excluded.happened, atMs = excluded.atMs
       WHERE excluded.happened > happened OR atMs < ? RETURNING id`,
      ...[unit, metric, rollout, happened, nowMs, nowMs - FORGET_MS],
    );
    if (row !== undefined) this.#sql.exec('DELETE FROM conversions WHERE id <= ?', row.id - MAX_KEPT);
    return row !== undefined;
  }
}
