/**
 * Owns one isolate's counts of live requests for one route since its last flush: exact counts and latencies by rollout,
 * revision and variant, and the evidence of a running rollout, by unit and by request, in ticks of 10 s. Bounded: past a number
 * of units only those below a hash threshold are kept, alike for all variants.
 */

import { addDuration, emptyHistogram, encodeHistogram, type Histogram } from '../analysis/histogram.ts';
import { AWAY, isSampled, tickOf } from '../analysis/units.ts';
import { contentHash } from '../config/hash.ts';
import type { BodyReport } from '../forward/pump.ts';
import { hasFailed, type Served } from '../forward/served.ts';
import { getOrMake } from '../get-or-make.ts';
import { count } from '../shadow/counts.ts';
import type { EvidenceBatch, LiveCounts } from './batch.ts';
import { isRejected, judgeBy, type Marks, marksOf } from './judge.ts';
import { MAX_BATCH_UNITS, MAX_COUNT_KEYS, MAX_TICKS } from './limits.ts';
import type { Spent } from './usage.ts';

/** What is timed, from the start of the request. */
type Timed = 'firstByte' | 'total';

interface Counting extends Record<Timed, Histogram> {
  counts: Omit<LiveCounts, Timed> & Required<Pick<LiveCounts, 'watched'>>;
}

interface Evidence {
  rollout: string;
  tick: number;
  threshold: number;
  /** By variant and unit. */
  units: Map<string, Map<string, Marks>>;
  /** By variant: trials and bad of each guardrail, by request. */
  requests: Map<string, { n: number[]; bad: number[] }>;
}

/** One route's counts, until they are taken. */
export class LiveTally {
  #counting = new Map<string, Counting>();
  #evidence = new Map<string, Evidence>();
  #units = 0;

  get isEmpty(): boolean {
    return this.#counting.size === 0;
  }

  /** Counts a request whose body has ended. `secret` keys the hash of its unit. */
  add(served: Served, body: BodyReport, endedWell: boolean | null, secret = ''): void {
    this.#count(served, body, endedWell);
    const { inForce, isEvidence, variant } = served;
    if (inForce.rollout === null || inForce.guardrails.length === 0) return;
    const { rollout, guardrails } = inForce;
    const isAway = served.reason === 'ejected';
    if (!isEvidence && !isAway) return;
    const marks = marksOf(guardrails, served, body, endedWell);
    if (marks.active === 0) return;
    const evidence = this.#evidenceOf(rollout, served, body);
    // A request that an ejected candidate did not get is no trial, but it is counted apart: it is not still to come either.
    byRequest(evidence, isAway ? AWAY : variant, marks, guardrails.length);
    if (!isAway) this.#byUnit(evidence, variant, evidenceUnit(served, secret), marks);
  }

  /** Adds what the answer to a request used, which is known a little after its end. */
  spend(served: Served, { tokensIn, tokensOut, cost }: Spent): void {
    const counts = this.#countingOf(served)?.counts;
    if (counts === undefined || served.isPreview) return;
    counts.tokensIn = (counts.tokensIn ?? 0) + tokensIn;
    counts.tokensOut = (counts.tokensOut ?? 0) + tokensOut;
    if (cost !== null) counts.cost = (counts.cost ?? 0) + cost;
  }

  /** Gives what was counted, and starts again from nothing. */
  take(): { live: LiveCounts[]; evidence: EvidenceBatch[] } {
    const live = [...this.#counting.values()].map(({ counts, firstByte, total }) => ({
      ...counts,
      firstByte: encodeHistogram(firstByte),
      total: encodeHistogram(total),
    }));
    const evidence = [...this.#evidence.values()].map(({ units, requests, ...tick }) => ({
      ...tick,
      units: [...units].flatMap(([variant, marked]) =>
        [...marked].map(([unit, { active, bad }]) => [unit, variant, active, bad] as [string, string, number, number]),
      ),
      requests: [...requests].map(([variant, { n, bad }]) => ({ variant, n, bad })),
    }));
    this.#counting = new Map();
    this.#evidence = new Map();
    this.#units = 0;
    return { live, evidence };
  }

  #count(served: Served, body: BodyReport, endedWell: boolean | null): void {
    if (served.isPreview) return;
    const counting = this.#countingOf(served);
    if (counting === undefined) return;
    const { counts } = counting;
    counts.requests++;
    if (hasFailed(served, body)) counts.failed++;
    if (isRejected(served.status)) counts.rejected++;
    // As with guardrails, requests that stand for nobody are no trials.
    if (served.isEvidence && served.dealt === null) {
      for (const [name, guardrail] of served.route.watched) {
        const isBad = judgeBy(guardrail, served, body, endedWell);
        if (isBad === null) continue;
        count(counts.watched, name);
        if (isBad) count(counts.watched, `!${name}`);
      }
    }
    if (served.status === null) return;
    if (body.firstByteAtMs !== null) addDuration(counting.firstByte, body.firstByteAtMs - served.startedAtMs);
    if (body.end === 'complete') {
      addDuration(counting.total, Math.max(body.endedAtMs, served.headersAtMs) - served.startedAtMs);
    }
  }

  #countingOf({ inForce, variant }: Served): Counting | undefined {
    const key = `${inForce.rollout ?? ''}|${inForce.revision}|${variant}`;
    let counting = this.#counting.get(key);
    if (counting === undefined && this.#counting.size < MAX_COUNT_KEYS) {
      counting = newCounting(inForce.rollout, inForce.revision, variant);
      this.#counting.set(key, counting);
    }
    return counting;
  }

  #evidenceOf(rollout: string, { headersAtMs }: Served, { endedAtMs }: BodyReport): Evidence {
    const tick = tickOf(endedAtMs || headersAtMs);
    const key = `${rollout}|${tick}`;
    return getOrMake(this.#evidence, key, () => {
      if (this.#evidence.size >= MAX_TICKS) this.#forgetOldest();
      // A new tick starts with the others' threshold: with all units it would soon fill the room, and all would be halved again.
      const threshold = Math.min(2 ** 32, ...[...this.#evidence.values()].map((one) => one.threshold));
      return { rollout, tick, threshold, units: new Map(), requests: new Map() };
    });
  }

  #forgetOldest(): void {
    const oldest = [...this.#evidence].reduce((a, b) => (b[1].tick < a[1].tick ? b : a));
    this.#forgetUnits(oldest[1]);
    this.#evidence.delete(oldest[0]);
  }

  #forgetUnits({ units }: Evidence): void {
    for (const marked of units.values()) this.#units -= marked.size;
    units.clear();
  }

  #byUnit(evidence: Evidence, variant: string, unit: string, marks: Marks): void {
    if (!isSampled(unit, evidence.threshold)) return;
    const units = getOrMake(evidence.units, variant, () => new Map<string, Marks>());
    const known = units.get(unit);
    if (known !== undefined) {
      known.active |= marks.active;
      known.bad |= marks.bad;
      return;
    }
    units.set(unit, { ...marks });
    if (++this.#units <= MAX_BATCH_UNITS) return;
    // Many ticks wait because the controller does not answer, and not because there is a crowd: then the oldest goes instead.
    const holding = [...this.#evidence.values()].filter((one) => one.units.size > 0);
    if (holding.length > 3) this.#forgetUnits(holding.reduce((a, b) => (b.tick < a.tick ? b : a)));
    else this.#thin();
  }

  /** Halves the sample in all ticks. */
  #thin(): void {
    this.#units = 0;
    const threshold = Math.floor(Math.min(...[...this.#evidence.values()].map((one) => one.threshold)) / 2);
    for (const evidence of this.#evidence.values()) {
      evidence.threshold = threshold;
      for (const units of evidence.units.values()) {
        for (const unit of units.keys()) if (!isSampled(unit, threshold)) units.delete(unit);
        this.#units += units.size;
      }
    }
  }
}

function newCounting(rollout: string | null, revision: number, variant: string): Counting {
  return {
    counts: {
      rollout: rollout ?? '',
      revision,
      variant,
      requests: 0,
      failed: 0,
      rejected: 0,
      watched: {},
    },
    firstByte: emptyHistogram(),
    total: emptyHistogram(),
  };
}

function byRequest(evidence: Evidence, variant: string, marks: Marks, guardrails: number): void {
  const counts = getOrMake(evidence.requests, variant, () => {
    const zeros = new Array<number>(guardrails).fill(0);
    return { n: zeros, bad: [...zeros] };
  });
  for (let index = 0; index < guardrails; index++) {
    if (marks.active & (1 << index)) counts.n[index]!++;
    if (marks.bad & (1 << index)) counts.bad[index]!++;
  }
}

/**
 * 64 bits that stand for the unit: a hash of another text than the one that assigns, and keyed. Who could reckon it would send units that
 * are in every sample, until no other unit is in it and nothing stops a rollout any more. A request without a unit counts as a unit of its
 * own. While two variants share the traffic a client that keeps no cookie is a new unit each time, so it must not be merged into one
 * (by its address, say) in the step with all the traffic, which is held against those counts.
 */
const evidenceUnit = ({ unit, requestId }: Served, secret: string) => contentHash(`${secret}/${unit ?? requestId}`);
