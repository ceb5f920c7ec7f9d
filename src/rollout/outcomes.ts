/**
 * Owns how credited outcomes become evidence of a rollout's guardrails `outcome:<metric>` (design section 9). Pure. Units that
 * cookies name are anybody's to choose, so they never speak for a guardrail that may stop a rollout.
 */

import { tickOf } from '../analysis/units.ts';
import { getOrMake } from '../get-or-make.ts';
import type { EvidenceBatch } from '../live/batch.ts';
import { shareOf } from './readiness.ts';
import type { RolloutState } from './state.ts';

/** What became of an outcome. `known`: the conversion had been counted before. `used`: its receipt had been used. */
export type Told = 'new' | 'known' | 'used';

/** A credited outcome, as a controller is told. */
export interface OutcomeEvidence {
  metric: string;
  /** Keyed hash: 16 hex digits. */
  unit: string;
  variant: string;
  /** Whether it speaks against the variant; null for numbers, which cannot guard anything. */
  bad: boolean | null;
  source: 'receipt' | 'cookie' | 'token';
  /** For a conversion that no ledger counts: 1 or 0. */
  happened?: number;
  /** Its receipt's tag: a receipt counts once for each metric. Left out if the ledger has checked that. */
  receipt?: string;
  /** When its receipt was given: answers from before the rollout are no evidence about it. */
  servedAtMs?: number;
}

/** The events as evidence, a batch for each tick; none where no guardrail asks for them. */
export function evidenceOf(
  state: Pick<RolloutState, 'id' | 'guardrails' | 'startedMs' | 'sinceMs' | 'split' | 'to'>,
  events: readonly OutcomeEvidence[],
  nowMs: number,
): EvidenceBatch[] {
  const { guardrails } = state;
  // Bad outcomes may come sooner than good ones. After a ramp the quick ones are then of the new share and the slow ones of the old: what was
  // served before the step goes into a tick before it. With all the traffic there is no arm beside the candidate, so this need not be.
  const sinceMs = shareOf(state) === 100 ? state.startedMs : state.sinceMs;
  const batches = new Map<number, EvidenceBatch>();
  for (const { metric, unit, variant, bad, source, servedAtMs = nowMs } of events) {
    if (bad === null || servedAtMs < state.startedMs) continue;
    const active = guardrails.map(
      (one) => one.metric === `outcome:${metric}` && !(one.critical && source === 'cookie'),
    );
    if (!active.includes(true)) continue;
    const bits = active.reduce((sum, isActive, index) => (isActive ? sum | (1 << index) : sum), 0);
    const tick = servedAtMs < sinceMs ? tickOf(sinceMs) - 1 : tickOf(nowMs);
    const empty = () => ({ rollout: state.id, tick, threshold: 2 ** 32, units: [], requests: [] });
    const batch = getOrMake(batches, tick, empty);
    batch.units.push([unit, variant, bits, bad ? bits : 0]);
    const n = active.map(Number);
    batch.requests.push({ variant, n, bad: n.map((one) => (bad ? one : 0)) });
  }
  return [...batches.values()];
}
