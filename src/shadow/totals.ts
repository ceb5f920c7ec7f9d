/**
 * Owns the sums over all flushes of one route and candidate, and the report that is made of them. Pure: the controller keeps
 * the totals, this module adds to them and reads them out. Eligible is always compared plus skipped, exactly.
 */

import { added, histogramCount, histogramOf, type Quantiles, quantile, quantilesBy } from '../analysis/histogram.ts';
import { summarise } from '../analysis/means.ts';
import { addBatch, type FieldVerdict, fieldVerdicts, type NoiseState, startNoise } from './compare/noise.ts';
import { countFailure, emptyPairs, type Moments, type PairBatch, type Side } from './tally.ts';

/** Like a batch, but with the state of the fields' tests, and since when. */
export interface PairTotals extends Omit<PairBatch, 'noise' | 'samples' | 'rollout' | 'unfair'> {
  noise: NoiseState;
  sinceMs: number;
}

/** Totals of nothing, counted from now on. */
export function startTotals(candidate: string, nowMs: number): PairTotals {
  const { samples: _, rollout: __, unfair: ___, ...batch } = emptyPairs(candidate);
  return { ...batch, noise: startNoise(), sinceMs: nowMs };
}

/** The totals with a batch added; `totals` itself stays as it was. */
export function withBatch(totals: PairTotals, batch: PairBatch): PairTotals {
  const { candidate: _, samples: __, rollout: ___, unfair: ____, failures, noise, ...counts } = batch;
  // Failures may be named by an origin, so their number is bounded here as in the tally.
  const allFailures = { ...totals.failures };
  for (const [reason, n] of Object.entries(failures)) countFailure(allFailures, reason, n);
  return { ...added(totals, counts), failures: allFailures, noise: addBatch(totals.noise, noise) };
}

/** A mean with its standard error; null where there is nothing to average. */
interface Mean {
  n: number;
  mean: number | null;
  standardError: number | null;
}

/** The report of a candidate, as the API answers it. */
export interface PairReport {
  candidate: string;
  since: string;
  eligible: number;
  compared: number;
  classes: Record<'match' | 'status-mismatch' | 'body-mismatch' | 'error' | 'timeout', number>;
  skipped: Record<string, number>;
  failures: Record<string, number>;
  repeats: Record<string, number>;
  latency: {
    live: Quantiles;
    candidate: Quantiles;
    /** Total time of the candidate less that of the baseline, pair by pair: positive is slower. */
    difference: Quantiles;
    headers: { live: Quantiles; candidate: Quantiles };
  };
  fields: FieldVerdict[];
  similarity: { candidate: Mean; repeat: Mean };
  /** Tokens, cost and measures, by name; the mean of `tokensEstimated` is the share of answers whose tokens are estimates. */
  numbers: Record<string, Record<Side, Mean>>;
  /** What the scorer said; `difference` is candidate − baseline, pair by pair, `interval` its 95 % interval. */
  scores: { live: Mean; candidate: Mean; difference: Mean; interval: [number, number] | null } | null;
  /** Sentences that a reader of the numbers should know. */
  notes: string[];
}

/** Every class, in the order of a report, with no pair in it. */
const noClasses = { match: 0, 'status-mismatch': 0, 'body-mismatch': 0, error: 0, timeout: 0 };

/** The report of one candidate's totals. */
export function reportOf(totals: PairTotals): PairReport {
  const { candidate, eligible, skipped, failures, repeats, latency, similarity, scores } = totals;
  const compared = Object.values(totals.classes).reduce((sum, n) => sum + n, 0);
  return {
    candidate,
    since: new Date(totals.sinceMs).toISOString(),
    eligible,
    compared,
    classes: { ...noClasses, ...totals.classes },
    skipped,
    failures,
    repeats,
    latency: {
      live: quantilesOf(latency.liveTotal),
      candidate: quantilesOf(latency.candidateTotal),
      difference: differenceOf(latency.faster, latency.slower),
      headers: { live: quantilesOf(latency.liveHeaders), candidate: quantilesOf(latency.candidateHeaders) },
    },
    fields: fieldVerdicts(totals.noise),
    similarity: { candidate: meanOf(similarity.candidate), repeat: meanOf(similarity.repeat) },
    numbers: Object.fromEntries(
      Object.entries(totals.sums).map(([name, { live, candidate }]) => [
        name,
        { live: meanOf(live), candidate: meanOf(candidate) },
      ]),
    ),
    scores: scores.difference.n === 0 ? null : scoresOf(scores),
    notes: notesOf(totals, compared),
  };
}

function scoresOf({ live, candidate, difference }: PairTotals['scores']): NonNullable<PairReport['scores']> {
  const { mean, standardError } = meanOf(difference);
  const half = standardError === null ? null : 1.959963984540054 * standardError;
  return {
    live: meanOf(live),
    candidate: meanOf(candidate),
    difference: meanOf(difference),
    interval: mean === null || half === null ? null : [mean - half, mean + half],
  };
}

function notesOf(totals: PairTotals, compared: number): string[] {
  const notes: string[] = [];
  const refused = 'answered 401 or 403, since copies bear no credentials: set "secretHeaders" or "forwardCredentials".';
  if (compared > 0 && totals.unauthorised === compared) notes.push(`Every copy was ${refused}`);
  const blind = totals.repeats['skipped:unauthorised'];
  if (blind) notes.push(`${blind} repeats tell nothing of noise: they were ${refused}`);
  if (totals.noise.nb + totals.noise.waiting.repeat.pairs === 0 && compared > 0) {
    notes.push('No repeat pair yet to tell noise by: raise "repeat", or wait.');
  }
  return notes;
}

function quantilesOf(text: string): Quantiles {
  const histogram = histogramOf([text]);
  return quantilesBy((q) => quantile(histogram, q));
}

/** Quantiles of a number of either sign, from the histograms of its two sides. */
function differenceOf(fasterText: string, slowerText: string): Quantiles {
  const faster = histogramOf([fasterText]);
  const slower = histogramOf([slowerText]);
  const [below, above] = [histogramCount(faster), histogramCount(slower)];
  return quantilesBy((q) => {
    const rank = Math.max(1, Math.ceil(q * (below + above)));
    if (rank > below) return quantile(slower, (rank - below) / above);
    // The fastest lie lowest: rank 1 is the largest lead.
    return -(quantile(faster, (below - rank + 1) / below) ?? 0);
  });
}

function meanOf({ n, sum, squares }: Moments): Mean {
  const { mean, sd } = summarise({ n, sum, sumSquares: squares });
  return { n, mean: n > 0 ? mean : null, standardError: n > 1 ? sd / Math.sqrt(n) : null };
}
