/**
 * Owns which values of the declared segments are told apart in an experiment: the first ten of each that are seen, since every value
 * is a comparison of its own, and `other` for all that come later. A unit keeps what it was at its first exposure.
 */

/** A unit's value by segment. */
type Segments = Record<string, string>;

const MAX_VALUES = 10;
/** What stands for every value that is not told apart. */
export const OTHER = 'other';

/** The name of a slice of the units. A segment's name has no `=`. */
function sliceOf(segment: string, value: string): string {
  return `${segment}=${value}`;
}

/** The two parts of a slice's name. */
export function partsOf(slice: string): [segment: string, value: string] {
  const at = slice.indexOf('=');
  return [slice.slice(0, at), slice.slice(at + 1)];
}

/** The slices that a unit's row says it is in. */
export function slicesOf(segments: string): string[] {
  return Object.entries(JSON.parse(segments) as Segments).map(([segment, value]) => sliceOf(segment, value));
}

/** The values seen so far. */
export class SegmentValues {
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec('CREATE TABLE IF NOT EXISTS segmentValues (segment, value, PRIMARY KEY (segment, value))');
  }

  /** A function that maps given values to those that are told apart, for one batch. Use it within one transaction. */
  begin(): (given: Segments) => Segments {
    let known: { segment: string; value: string }[] | undefined;
    const slot = (segment: string, value: string) => {
      known ??= [...this.#sql.exec<{ segment: string; value: string }>('SELECT * FROM segmentValues')];
      const values = known.filter((one) => one.segment === segment);
      if (value === OTHER || values.some((one) => one.value === value)) return value;
      if (values.length >= MAX_VALUES) return OTHER;
      known.push({ segment, value });
      this.#sql.exec('INSERT OR IGNORE INTO segmentValues VALUES (?, ?)', segment, value);
      return value;
    };
    return (given) =>
      Object.fromEntries(Object.entries(given).map(([segment, value]) => [segment, slot(segment, value)]));
  }
}
