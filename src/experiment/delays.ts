/**
 * Owns how long after a unit's first exposure its first outcome of a metric usually comes, in buckets that grow by a fifth, over all arms
 * together. From it follows how long late outcomes are waited for where the config does not say. It knows no unit and no variant.
 */

/** Buckets by doubling of the time. */
const STEPS = 4;
/** With fewer outcomes nothing is known; they could decide no experiment either. */
const MIN_KNOWN = 25;
/** The share of outcomes that may come later than usual. */
const RARE_SHARE = 0.05;

/** The delays of one experiment’s outcomes. */
export class Delays {
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS delays (metric, bucket, n,
      PRIMARY KEY (metric, bucket)) WITHOUT ROWID;`);
  }

  /** Notes a unit's first outcome of a metric. Clocks differ, so a time below zero is none. */
  add(metric: string, delayMs: number): void {
    const bucket = Math.ceil(STEPS * Math.log2(Math.max(1, delayMs)));
    this.#sql.exec('INSERT INTO delays VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1', metric, bucket);
  }

  /** The time in which 95 % of the outcomes that came have come, rounded up to its bucket; null while too few are known. */
  usualMs(metric: string): number | null {
    const sql = 'SELECT * FROM delays WHERE metric = ? ORDER BY bucket';
    const rows = [...this.#sql.exec<{ bucket: number; n: number }>(sql, metric)];
    const known = rows.reduce((sum, { n }) => sum + n, 0);
    if (known < MIN_KNOWN) return null;
    let beyond = known;
    const usual = rows.find(({ n }) => {
      beyond -= n;
      return beyond <= known * RARE_SHARE;
    });
    return Math.ceil(2 ** (usual!.bucket / STEPS));
  }
}
