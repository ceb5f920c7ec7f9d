/**
 * Owns the question whether a field that differs between candidate and baseline differs because of the candidate, or
 * because the baseline differs from itself just as often (design sections 7 and 9). It counts and judges; it refuses to
 * look at replies.
 *
 * A *pair* is a trial and *the field differed* is the bad event: candidate pairs against repeat pairs. For each field two
 * count e-processes run, both safe to look at after every batch:
 * - `real`: against "the candidate's pairs differ here no more often than the repeat pairs" (θ0 = 1, the design's grid);
 * - `noise`: against "at least twice as often" (θ0 = 2), so that much evidence of likeness is called noise.
 *
 * Many fields are looked at, and how many is not known beforehand. So the i-th field to appear may spend α/(i·(i+1)) of
 * the whole α = 0.05; these add up to α for any number of fields. That keeps the chance that *any* harmless field is ever
 * called real below α, whatever the dependence between fields, and a verdict never changes because another field turns
 * up, as it would with α over the number of fields or with e-BH. Each field's rank is fixed by when it first differs in
 * either arm, which under "no worse" tells nothing of the arm, so the price is honest.
 */

import { addConcurrentTick, type EProcess, logE, startEProcess, type Tick } from '../../analysis/eprocess.ts';
import { count } from '../counts.ts';
import {
  FIELD_ALPHA,
  MAX_FOLLOWED,
  MAX_WAITING_FIELDS,
  MIN_DIFFERING,
  NOISE_ALPHA,
  NOISE_RATIO,
  OTHER_FIELDS,
} from './limits.ts';

/** Pairs compared, and in how many of them each field differed. Only classes `match` and `…-mismatch` are compared pairs. */
interface PairCounts {
  pairs: number;
  fields: Record<string, number>;
}

/** The counts of both arms that were made since the last batch. */
export interface NoiseBatch {
  candidate: PairCounts;
  repeat: PairCounts;
}

interface FieldState {
  /** Order of appearance, from 1. */
  rank: number;
  kc: number;
  kb: number;
  real: EProcess;
  noise: EProcess;
}

/** Plain data that JSON keeps. `waiting` holds counts until both arms have a pair, since alone they say nothing. */
export interface NoiseState {
  nc: number;
  nb: number;
  fields: Record<string, FieldState>;
  waiting: NoiseBatch;
}

/** What is known of one field, as a report shows it. */
export interface FieldVerdict {
  path: string;
  /** Pairs that differ here, with the candidate and of the baseline with itself, and how many of each were compared. */
  candidate: number;
  repeat: number;
  candidatePairs: number;
  repeatPairs: number;
  verdict: 'real' | 'noise' | 'undecided';
  /** Evidence that it is real, and the bar it must reach. */
  e: number;
  threshold: number;
}

const noisePoints: readonly number[] = [0.25, 0.5, 0.7, 0.85, 1];

/** A state in which nothing was counted. */
export function startNoise(): NoiseState {
  return { nc: 0, nb: 0, fields: {}, waiting: startBatch() };
}

/** An empty batch to count pairs into. */
export function startBatch(): NoiseBatch {
  return { candidate: { pairs: 0, fields: {} }, repeat: { pairs: 0, fields: {} } };
}

/** Counts one compared pair into a batch: the fields of its comparison, also none. */
export function countPair(batch: NoiseBatch, arm: keyof NoiseBatch, fields: readonly string[]): void {
  batch[arm].pairs++;
  for (const field of fields) addTo(batch[arm].fields, field);
}

/**
 * Adds a batch (a flush, a tick) and returns the new state; the old one is left as it was. Whether a batch is judged now
 * or waits looks at numbers of pairs only, never at what differed.
 */
export function addBatch(state: NoiseState, batch: NoiseBatch): NoiseState {
  const waiting = startBatch();
  for (const part of [state.waiting, batch]) {
    for (const arm of ['candidate', 'repeat'] as const) {
      waiting[arm].pairs += part[arm].pairs;
      for (const [field, times] of Object.entries(part[arm].fields)) addTo(waiting[arm].fields, field, times);
    }
  }
  const { candidate, repeat } = waiting;
  if (candidate.pairs === 0 || repeat.pairs === 0) return { ...state, waiting };
  const fields = { ...state.fields };
  let followed = Object.keys(fields).filter((name) => name !== OTHER_FIELDS).length;
  // Sorted, so that rank cannot depend on which arm brought the field.
  for (const name of Object.keys({ ...candidate.fields, ...repeat.fields }).sort()) {
    const tick = {
      nc: candidate.pairs,
      kc: candidate.fields[name] ?? 0,
      nb: repeat.pairs,
      kb: repeat.fields[name] ?? 0,
    };
    const isNew = !(name in fields);
    const own = name !== OTHER_FIELDS && (!isNew || followed < MAX_FOLLOWED);
    if (own && isNew) followed++;
    const key = own ? name : OTHER_FIELDS;
    fields[key] = grown(fields[key] ?? startField(followed), tick, own);
  }
  return { nc: state.nc + candidate.pairs, nb: state.nb + repeat.pairs, fields, waiting: startBatch() };
}

function addTo(fields: Record<string, number>, name: string, times = 1): void {
  count(fields, name, times, MAX_WAITING_FIELDS, OTHER_FIELDS);
}

function startField(rank: number): FieldState {
  return { rank, kc: 0, kb: 0, real: startEProcess(), noise: startEProcess(noisePoints) };
}

/** Fields counted together are not independent of one another, so they are counted and never judged. */
function grown(before: FieldState, tick: Tick, judged: boolean): FieldState {
  const counts = { rank: before.rank, kc: before.kc + tick.kc, kb: before.kb + tick.kb };
  if (!judged) return { ...before, ...counts };
  return {
    ...counts,
    real: addConcurrentTick(before.real, tick),
    noise: addConcurrentTick(before.noise, tick, { theta0: NOISE_RATIO, points: noisePoints }),
  };
}

/** What is known of every field that ever differed: raw counts first of all, real ones first, then by count. */
export function fieldVerdicts(state: NoiseState): FieldVerdict[] {
  const { candidate, repeat } = state.waiting;
  const verdicts = Object.keys({ ...state.fields, ...candidate.fields, ...repeat.fields }).map((path): FieldVerdict => {
    const field = state.fields[path] ?? startField(1);
    return {
      path,
      candidate: field.kc + (candidate.fields[path] ?? 0),
      repeat: field.kb + (repeat.fields[path] ?? 0),
      candidatePairs: state.nc + candidate.pairs,
      repeatPairs: state.nb + repeat.pairs,
      verdict: path === OTHER_FIELDS ? 'undecided' : verdictOf(field, state),
      // JSON has no infinity, and a plain difference passes e^709 in a day.
      e: Math.min(Number.MAX_VALUE, Math.exp(logE(field.real))),
      threshold: thresholdOf(field),
    };
  });
  const order = { real: 0, undecided: 1, noise: 2 };
  return verdicts.sort(
    (a, b) => order[a.verdict] - order[b.verdict] || b.candidate - a.candidate || (a.path < b.path ? -1 : 1),
  );
}

function thresholdOf({ rank }: FieldState): number {
  return (rank * (rank + 1)) / FIELD_ALPHA;
}

function verdictOf(field: FieldState, state: NoiseState): FieldVerdict['verdict'] {
  const more = field.kc / state.nc > field.kb / state.nb;
  if (more && field.kc >= MIN_DIFFERING && field.real.peakLogE >= Math.log(thresholdOf(field))) return 'real';
  return field.noise.peakLogE >= -Math.log(NOISE_ALPHA) ? 'noise' : 'undecided';
}
