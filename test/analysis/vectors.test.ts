import { describe, expect, it } from 'vitest';
import { betaPosterior, normalPosterior, standings } from '../../src/analysis/bayes.ts';
import {
  oneSidedReach,
  relativeMeanSequence,
  rhoSquared,
  sequenceP,
  twoSidedReach,
} from '../../src/analysis/confidence-sequence.ts';
import {
  addConcurrentTick,
  betaBinomialLogBF,
  logE,
  pAnytime,
  startEProcess,
  thetas,
} from '../../src/analysis/eprocess.ts';
import { boundaries, spendLikeObrienFleming, spendLikePocock } from '../../src/analysis/group-sequential.ts';
import { bucketOf } from '../../src/analysis/histogram.ts';
import { type Summary, summariseValues, welchInterval, welchT } from '../../src/analysis/means.ts';
import { bonferroni, holm } from '../../src/analysis/multiple.ts';
import { durationDays, unitsByCohenH, unitsForMeans, unitsForProportions } from '../../src/analysis/planning.ts';
import { newcombeDifference, twoProportionTest, wilson } from '../../src/analysis/proportions.ts';
import { mannWhitney, quantileRanks } from '../../src/analysis/ranks.ts';
import { sampleRatioChiSquare, sampleRatioLogBF } from '../../src/analysis/sample-ratio.ts';
import { cosine, diffyField, levenshteinSimilarity } from '../../src/analysis/similarity.ts';
import { betaI, gammaQ, lgamma, normCdf, normPpf, normSf } from '../../src/analysis/special.ts';
import { tPpf, tSf } from '../../src/analysis/student.ts';
import { effectiveSize, weightedRate } from '../../src/analysis/weighted.ts';
import file from '../vectors/statistics.json' with { type: 'json' };

// biome-ignore lint/suspicious/noExplicitAny: the inputs are as varied as the functions; the vectors themselves are the check.
type Input = any;

const arms = ({ xa, na, xb, nb }: Input) =>
  [
    { bad: xa, n: na },
    { bad: xb, n: nb },
  ] as const;

const welch = (a: Summary, b: Summary) => ({ ...welchT(a, b), ...welchInterval(a, b) });

function sequentialSampleRatio({ batches, weights, concentrations }: Input) {
  let p = 1;
  const totals: number[] = weights.map(() => 0);
  return batches.map((batch: number[]) => {
    batch.forEach((count, i) => {
      totals[i]! += count;
    });
    const logBF = sampleRatioLogBF(
      [{ weights: { ...weights }, units: Object.fromEntries(totals.entries()) }],
      concentrations,
    );
    p = Math.min(p, Math.exp(-logBF));
    return { logBF, p };
  });
}

function countEProcess({ ticks, theta0, grid }: Input) {
  const points = thetas(grid);
  let process = startEProcess(points);
  const path = ticks.map((tick: Input) => {
    process = addConcurrentTick(process, tick, { theta0, points });
    return logE(process);
  });
  return { logE: path, pAnytime: pAnytime(process) };
}

function betaBinomial({ xa, na, xb, nb, prior }: Input) {
  const [a, b] = standings([betaPosterior(xa, na, prior), betaPosterior(xb, nb, prior)]);
  return { pBbeatsA: b!.pBest, lossChooseB: b!.expectedLoss, lossChooseA: a!.expectedLoss };
}

function normalPair({ mA, seA, mB, seB }: Input) {
  const [, b] = standings([normalPosterior(mA, seA), normalPosterior(mB, seB)]);
  return { pBbeatsA: b!.pBest, lossChooseB: b!.expectedLoss };
}

/** Every `fn` of the vectors by our own function; a vector whose `fn` is not here fails. */
const implementations: Record<string, (input: Input) => unknown> = {
  normCdf: ({ x }) => normCdf(x),
  normSf: ({ x }) => normSf(x),
  normPpf: ({ p }) => normPpf(p),
  lgamma: ({ x }) => lgamma(x),
  gammaQ: ({ a, x }) => gammaQ(a, x),
  betaI: ({ a, b, x }) => betaI(a, b, x),
  tSf: ({ t, df }) => tSf(t, df),
  tPpf: ({ p, df }) => tPpf(p, df),
  twoPropZPooled: (input) => twoProportionTest(...arms(input)),
  wilson95: (input) => wilson(input),
  newcombeDiff90: (input) => newcombeDifference(...arms(input)),
  srmChiSquare: ({ observed, weights }) => sampleRatioChiSquare([{ weights: { ...weights }, units: { ...observed } }]),
  srmSequential: sequentialSampleRatio,
  welchT: ({ a, b }) => welch(a, b),
  welchTFromData: ({ a, b }) => welch(summariseValues(b), summariseValues(a)),
  nPerArmProportions: unitsForProportions,
  nPerArmCohenH: unitsByCohenH,
  nPerArmMeans: unitsForMeans,
  durationDays,
  betaBinomial,
  normalPosterior: normalPair,
  acsMultiplier: ({ N, alpha, nStar }) => ({
    rho: Math.sqrt(rhoSquared({ alpha, nStar })),
    twoSided: twoSidedReach(N, { alpha, nStar }),
    oneSided: oneSidedReach(N, { alpha, nStar }),
  }),
  acsP: ({ z, N, alpha, nStar }) => sequenceP(z, N, { alpha, nStar }),
  acsRelativeMean: ({ a, b, alpha, nStar }) => relativeMeanSequence(a, b, { alpha, nStar }),
  lanDeMetsOBF: ({ K, alpha }) => boundaries(K, alpha, spendLikeObrienFleming),
  lanDeMetsPocock: ({ K, alpha }) => boundaries(K, alpha, spendLikePocock),
  countEProcess,
  betaBinomialLogBF,
  holm: ({ p }) => holm(p),
  bonferroni: ({ p }) => bonferroni(p),
  kishNeff: ({ weights }) => effectiveSize(weights),
  weightedRate: ({ kw, nw }) => weightedRate(kw, nw),
  quantileRankCI95: ({ n, q }) => quantileRanks(n, q),
  ddBucket: ({ value, relAccuracy }) => bucketOf(value, relAccuracy),
  mannWhitneyU: ({ a, b }) => mannWhitney(a, b),
  diffyField,
  levenshteinSim: ({ a, b }) => levenshteinSimilarity(a, b),
  cosine: ({ a, b }) => cosine(a, b),
};

/** Every number of `expected` is in `actual` within the relative tolerance; members beyond those expected are welcome. */
function expectClose(actual: unknown, expected: unknown, relTol: number, at: string): void {
  if (typeof expected === 'number') {
    const error = Math.abs((actual as number) - expected);
    // Where the reference says exactly 0, a relative tolerance means nothing: hold a double's own precision.
    const allowed = expected === 0 ? 1e-15 : relTol * Math.abs(expected);
    expect(error, `${at}: ${actual} instead of ${expected}`).toBeLessThanOrEqual(allowed);
  } else if (Array.isArray(expected)) {
    expect((actual as unknown[]).length, at).toBe(expected.length);
    expected.forEach((value, i) => {
      expectClose((actual as unknown[])[i], value, relTol, `${at}[${i}]`);
    });
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected)) {
      expectClose((actual as Record<string, unknown>)[key], value, relTol, `${at}.${key}`);
    }
  } else {
    expect(actual, at).toEqual(expected);
  }
}

describe('the reference numbers of SciPy, statsmodels and R', () => {
  it('has an implementation of every function that the vectors name', () => {
    const missing = file.vectors.filter(({ fn }) => !Object.hasOwn(implementations, fn)).map(({ fn }) => fn);
    expect(missing).toEqual([]);
  });

  it.each(file.vectors.map((vector) => [`${vector.id} ${vector.fn}`, vector] as const))(
    'reproduces %s',
    (_, vector) => {
      const actual = implementations[vector.fn]!(vector.input);
      expectClose(actual, vector.expected, vector.relTol, vector.fn);
    },
  );
});
