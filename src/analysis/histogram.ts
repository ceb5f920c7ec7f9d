/**
 * Owns a mergeable histogram of latencies with 1 % relative error and a bounded size (DDSketch: Masson, Rim & Lee, VLDB
 * 2019). It refuses to average: quantiles of isolates cannot be averaged, their histograms can be added.
 */

/** Relative error of any quantile. */
const RELATIVE_ACCURACY = 0.01;

const GAMMA = (1 + RELATIVE_ACCURACY) / (1 - RELATIVE_ACCURACY);
/** What lies below 0.01 ms is 0; what lies above 30 days is 30 days. So there are at most 1,315 buckets. */
const MIN_MS = 0.01;
const MAX_MS = 30 * 86_400_000;

/** Counts by bucket index; `zeros` holds what was below 0.01 ms. */
export interface Histogram {
  zeros: number;
  buckets: Map<number, number>;
}

/** A value's bucket, ⌈log_γ value⌉, and the estimate that stands for every value in it. */
export function bucketOf(value: number, relativeAccuracy = RELATIVE_ACCURACY): { index: number; estimate: number } {
  const gamma = (1 + relativeAccuracy) / (1 - relativeAccuracy);
  const index = indexOf(value, gamma);
  return { index, estimate: estimateOf(index, gamma) };
}

const indexOf = (value: number, gamma = GAMMA): number => Math.ceil(Math.log(value) / Math.log(gamma));

const estimateOf = (index: number, gamma = GAMMA): number => (2 * gamma ** index) / (gamma + 1);

/** A histogram of nothing. */
export function emptyHistogram(): Histogram {
  return { zeros: 0, buckets: new Map() };
}

/**
 * Adds one duration, in place, or with `times` −1 takes one out that was added. NaN is ignored; negative durations (a clock went back)
 * count as 0.
 */
export function addDuration(histogram: Histogram, ms: number, times: 1 | -1 = 1): void {
  if (Number.isNaN(ms)) return;
  if (ms < MIN_MS) {
    histogram.zeros = Math.max(0, histogram.zeros + times);
    return;
  }
  const index = indexOf(Math.min(ms, MAX_MS));
  const count = (histogram.buckets.get(index) ?? 0) + times;
  if (count <= 0) histogram.buckets.delete(index);
  else histogram.buckets.set(index, count);
}

/** Adds all of `from` to `into`, in place. */
export function mergeHistogram(into: Histogram, from: Histogram): void {
  into.zeros += from.zeros;
  for (const [index, count] of from.buckets) into.buckets.set(index, (into.buckets.get(index) ?? 0) + count);
}

/** The sum of histograms in their text form; what is none adds nothing. */
export function histogramOf(texts: readonly string[]): Histogram {
  const into = emptyHistogram();
  for (const text of texts) {
    const from = decodeHistogram(text);
    if (from !== null) mergeHistogram(into, from);
  }
  return into;
}

/** Numbers and histograms with others added to them, member by member, at any depth. */
export function added<T extends object>(known: T, more: object): T {
  const sums = { ...known } as Record<string, unknown>;
  for (const [name, add] of Object.entries(more)) {
    const before = sums[name];
    if (typeof add === 'number') sums[name] = ((before as number) ?? 0) + add;
    else if (typeof add === 'string') sums[name] = encodeHistogram(histogramOf([(before as string) ?? '', add]));
    else sums[name] = added(before ?? {}, add);
  }
  return sums as T;
}

/** How many durations a histogram holds. */
export function histogramCount({ zeros, buckets }: Histogram): number {
  let count = zeros;
  for (const bucket of buckets.values()) count += bucket;
  return count;
}

/** The value at a 1-based rank, within 1 %; null for an empty histogram or a rank outside it. */
export function valueAtRank(histogram: Histogram, rank: number): number | null {
  if (!(rank >= 1)) return null;
  let seen = histogram.zeros;
  if (rank <= seen) return 0;
  for (const [index, count] of [...histogram.buckets].sort(([a], [b]) => a - b)) {
    seen += count;
    if (rank <= seen) return estimateOf(index);
  }
  return null;
}

/** The q-quantile in milliseconds, within 1 %; null for an empty histogram. */
export function quantile(histogram: Histogram, q: number): number | null {
  const n = histogramCount(histogram);
  return n === 0 ? null : valueAtRank(histogram, Math.max(1, Math.ceil(q * n)));
}

/** The quantiles that reports show, in milliseconds. */
export interface Quantiles {
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

/** What reports show of times, by the quantile that `at` gives. */
export function quantilesBy(at: (q: number) => number | null): Quantiles {
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}

/** `zeros;firstIndex:count,count,…;firstIndex:…` in base 36, runs of neighbouring buckets together: about 300 bytes. */
export function encodeHistogram(histogram: Histogram): string {
  const sorted = [...histogram.buckets].sort(([a], [b]) => a - b);
  let text = histogram.zeros.toString(36);
  let expected: number | null = null;
  for (const [index, count] of sorted) {
    text += index === expected ? ',' : `;${index.toString(36)}:`;
    text += count.toString(36);
    expected = index + 1;
  }
  return text;
}

/** The histogram of a text that `encodeHistogram` wrote; null for any other text. Never throws: flushes are input. */
export function decodeHistogram(text: string): Histogram | null {
  const [zeros, ...runs] = text.split(';');
  const histogram: Histogram = { zeros: parseCount(zeros!), buckets: new Map() };
  if (Number.isNaN(histogram.zeros)) return null;
  for (const run of runs) {
    const match = /^(-?[0-9a-z]{1,3}):([0-9a-z,]+)$/.exec(run);
    if (!match) return null;
    let index = Number.parseInt(match[1]!, 36);
    for (const part of match[2]!.split(',')) {
      const count = parseCount(part);
      if (!(count > 0) || index < LOWEST_INDEX || index > HIGHEST_INDEX) return null;
      histogram.buckets.set(index, (histogram.buckets.get(index) ?? 0) + count);
      index++;
    }
  }
  return histogram;
}

const LOWEST_INDEX = indexOf(MIN_MS);
const HIGHEST_INDEX = indexOf(MAX_MS);

const parseCount = (text: string): number => (/^[0-9a-z]{1,10}$/.test(text) ? Number.parseInt(text, 36) : Number.NaN);
