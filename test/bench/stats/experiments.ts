/**
 * Owns simulated experiments: units arrive, outcomes follow, the report is looked at 336 times (every hour of two weeks),
 * and the first decision counts. It refuses to peek in any other way than the product does.
 */

import { type Arms, type Comparison, type ComparisonState, decideTogether } from '../../../src/analysis/hybrid.ts';
import { addUnit, capped, type Moments, NO_MOMENTS } from '../../../src/analysis/means.ts';
import { type Count, twoProportionTest } from '../../../src/analysis/proportions.ts';
import {
  type Dealt,
  SAMPLE_RATIO_ALPHA,
  sampleRatioChiSquare,
  sampleRatioLikelihood,
  sampleRatioLogBF,
} from '../../../src/analysis/sample-ratio.ts';
import { binomial, normal, poisson, type Random } from './random.ts';

export const LOOKS = 336;

export interface Trial {
  plannedUnits: number;
  /** The variant's share of the units. */
  share: number;
  metric:
    | { kind: 'conversion'; baseline: number; variant: number }
    /** Log-normal values around 20. */
    | { kind: 'mean'; lift: number }
    /** One unit in ten buys, for a log-normal amount with a heavy tail, capped. */
    | { kind: 'revenue'; cap: number }
    /** Requests of a unit over many looks, at the unit's own pace: clustered, credited to the unit. */
    | { kind: 'clustered' };
}

export interface Decision {
  state: ComparisonState;
  by: 'early' | 'final' | null;
  units: number;
  /** What one fixed test at 5 % of the same data at the planned size would have said (conversions only). */
  fixedWins: boolean;
}

/** Runs one experiment to its decision, at the latest at the planned size. */
export function experiment(random: Random, trial: Trial): Decision {
  const arms = startArms(random, trial);
  let early: Comparison['early'] = null;
  let decided: Decision | null = null;
  for (let look = 1; look <= LOOKS; look++) {
    const until = Math.round((trial.plannedUnits * look) / LOOKS);
    arms.grow(until);
    if (decided !== null) continue;
    const now = arms.read();
    const atPlanned = look === LOOKS ? now : null;
    const comparison: Comparison = { arms: now, plannedUnits: trial.plannedUnits, goal: 'increase', atPlanned, early };
    const [finding] = decideTogether([comparison]);
    early = finding!.early;
    if (finding!.state !== 'keep running') {
      decided = { state: finding!.state, by: finding!.by, units: until, fixedWins: false };
    }
  }
  const last = arms.read();
  const fixedWins = last.kind === 'conversion' && twoProportionTest(last.baseline, last.variant).pTwoSided < 0.05;
  return { ...decided!, fixedWins };
}

interface GrowingArms {
  grow(units: number): void;
  read(): Arms;
}

function startArms(random: Random, trial: Trial): GrowingArms {
  const { metric, share } = trial;
  if (metric.kind === 'conversion') return conversions(random, share, metric);
  if (metric.kind === 'clustered') return clusteredRequests(random, share);
  const draw =
    metric.kind === 'mean'
      ? (variant: boolean) => (variant ? 1 + metric.lift : 1) * 20 * Math.exp(0.8 * normal(random))
      : () => (random() < 0.1 ? capped(30 * Math.exp(1.2 * normal(random)), metric.cap) : 0);
  const arms: [Moments, Moments] = [NO_MOMENTS, NO_MOMENTS];
  let units = 0;
  return {
    grow(until) {
      for (; units < until; units++) {
        const variant = random() < share;
        arms[variant ? 1 : 0] = addUnit(arms[variant ? 1 : 0], draw(variant));
      }
    },
    read: () => ({ kind: 'mean', baseline: arms[0], variant: arms[1] }),
  };
}

function conversions(random: Random, share: number, rates: { baseline: number; variant: number }): GrowingArms {
  let [baseline, variant]: [Count, Count] = [
    { n: 0, bad: 0 },
    { n: 0, bad: 0 },
  ];
  return {
    grow(until) {
      const more = until - baseline.n - variant.n;
      const ofVariant = binomial(random, more, share);
      const ofBaseline = more - ofVariant;
      variant = { n: variant.n + ofVariant, bad: variant.bad + binomial(random, ofVariant, rates.variant) };
      baseline = { n: baseline.n + ofBaseline, bad: baseline.bad + binomial(random, ofBaseline, rates.baseline) };
    },
    read: () => ({ kind: 'conversion', baseline, variant }),
  };
}

function clusteredRequests(random: Random, share: number): GrowingArms {
  const arms: [Moments, Moments] = [NO_MOMENTS, NO_MOMENTS];
  const units: { variant: 0 | 1; pace: number; propensity: number; total: number }[] = [];
  return {
    grow(until) {
      while (units.length < until) {
        const variant = random() < share ? 1 : 0;
        units.push({ variant, pace: Math.exp(normal(random)), propensity: random() ** 4, total: 0 });
        arms[variant] = addUnit(arms[variant], 0);
      }
      // A few hundred of the known units come back, each with requests that resemble one another.
      for (let i = 0; i < 200; i++) {
        const unit = units[Math.floor(random() * units.length)]!;
        const requests = 1 + poisson(random, unit.pace);
        const after = unit.total + binomial(random, requests, unit.propensity);
        arms[unit.variant] = addUnit(arms[unit.variant], after, unit.total);
        unit.total = after;
      }
    },
    read: () => ({ kind: 'mean', baseline: arms[0], variant: arms[1] }),
  };
}

/** Units that are dealt under the same weights: the variant's share that is asked for, and the real one. */
export interface Dealing {
  asked: number;
  real: number;
  units: number;
}

/**
 * The sample-ratio check over units that are dealt by one share after another, looked at every 50 units, and by χ² once, when the last
 * has come: units until one of the forms for many looks rings, null where none does, and whether χ² does.
 */
export function ratioAlarms(
  random: Random,
  dealings: readonly Dealing[],
): { sequentialAt: number | null; final: boolean } {
  const dealt: Dealt[] = [];
  let sequentialAt: number | null = null;
  let total = 0;
  for (const { asked, real, units } of dealings) {
    const now = { weights: { baseline: 1 - asked, variant: asked }, units: { baseline: 0, variant: 0 } };
    dealt.push(now);
    for (let come = 50; come <= units; come += 50) {
      const variant = binomial(random, 50, real);
      now.units.variant += variant;
      now.units.baseline += 50 - variant;
      total += 50;
      const rings =
        Math.exp(-sampleRatioLogBF(dealt)) < SAMPLE_RATIO_ALPHA.sequential ||
        sampleRatioLikelihood(dealt) < SAMPLE_RATIO_ALPHA.atOnce;
      if (rings) sequentialAt ??= total;
    }
  }
  return { sequentialAt, final: sampleRatioChiSquare(dealt).p < SAMPLE_RATIO_ALPHA.final };
}
