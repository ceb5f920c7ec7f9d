import { describe, expect, it } from 'vitest';
import { betaI, betaPdf, gammaQ, lgamma, normIsf, normPdf, normPpf, normSf } from '../../src/analysis/special.ts';
import { noncentralTCdf, tIsf, tPpf, tSf } from '../../src/analysis/student.ts';
import reference from './special-reference.json' with { type: 'json' };

const functions: Record<string, (...args: number[]) => number> = { betaI, gammaQ, tSf, tIsf, noncentralTCdf };

describe('special functions', () => {
  it.each(reference.rows.map(([name, args, expected]) => ({ name, args, expected })))(
    'agree with SciPy: $name($args)',
    ({ name, args, expected }) => {
      const actual = functions[name as string]!(...(args as number[]));
      expect(Math.abs(actual / (expected as number) - 1)).toBeLessThan(1e-10);
    },
  );

  it('keep both tails of the beta distribution right', () => {
    const x = 0.001;
    expect(betaI(2, 3, x) + betaI(3, 2, 1 - x, x)).toBeCloseTo(1, 14);
    expect(betaI(3, 400, 0.999, 0.001)).toBe(1);
    expect(betaI(40, 3, 0.001)).toBeGreaterThan(1e-118);
  });

  it('answer NaN, and answer at once, for arguments outside their domain', () => {
    expect(betaI(Number.NaN, 1, 0.5)).toBeNaN();
    expect(betaI(-1, 1, 0.5)).toBeNaN();
    expect(gammaQ(0, 1)).toBeNaN();
    expect(gammaQ(1, Number.NaN)).toBeNaN();
    expect(tIsf(0.5, Number.NaN)).toBeNaN();
    expect(tIsf(-0.1, 5)).toBeNaN();
  });

  it('end where their range ends', () => {
    expect([betaI(2, 3, 0), betaI(2, 3, 1), betaPdf(0, 1, 2, 3)]).toEqual([0, 1, 0]);
    expect([tIsf(0.5, 7), tIsf(0, 7), normPpf(1), normPpf(0)]).toEqual([0, Infinity, Infinity, -Infinity]);
    expect(tPpf(0.975, 30)).toBeCloseTo(-tPpf(0.025, 30), 12);
    expect(gammaQ(3, 0)).toBe(1);
  });

  it('invert each other in the far tail', () => {
    for (const q of [1e-300, 1e-40, 1e-9, 0.025, 0.3, 0.5, 0.7, 0.999]) {
      expect(Math.abs(normSf(normIsf(q)) / q - 1)).toBeLessThan(1e-11);
    }
    expect(normIsf(Number.MIN_VALUE)).toBeCloseTo(38.5, 0);
    expect([normIsf(0.5), normIsf(1), normIsf(-0.1), normIsf(Number.NaN)]).toEqual([0, -Infinity, NaN, NaN]);
    expect(normSf(normIsf(1e-200))).toBeCloseTo(1e-200, 210);
    expect(normPdf(0)).toBeCloseTo(1 / Math.sqrt(2 * Math.PI), 15);
    expect(lgamma(171)).toBeCloseTo(706.5730622457874, 9);
  });

  it('find a quantile of the normal in few tails, since plans ask for hundreds within one call', () => {
    const qs = Array.from({ length: 2_000 }, (_, i) => (i + 1) / 5_000);
    const xs = qs.map(normIsf);
    const timeOf = (work: () => void) => {
      const startedMs = performance.now();
      work();
      return performance.now() - startedMs;
    };
    const [quantiles, tails] = [() => qs.map(normIsf), () => xs.map(normSf)].map((work) =>
      Math.min(...Array.from({ length: 5 }, () => timeOf(work))),
    );
    expect(quantiles! / tails!).toBeLessThan(25);
  });
});
