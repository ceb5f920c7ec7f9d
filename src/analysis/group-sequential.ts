/**
 * Owns group-sequential boundaries by α-spending, for experiments whose few looks are fixed beforehand. It refuses
 * unplanned looks; confidence-sequence.ts is for those. For reference: the Worker does not use it, vectors hold it.
 *
 * Lan & DeMets (1983), by the recursive integration of Armitage, McPherson & Rowe (1969).
 */

import { normIsf, normPdf, normSf } from './special.ts';

/** How much of α has been spent at the information fraction `t`. */
export type Spending = (t: number, alpha: number) => number;

/** Spending that resembles O'Brien & Fleming's: almost nothing early. */
export const spendLikeObrienFleming: Spending = (t, alpha) => 2 * normSf(normIsf(alpha / 2) / Math.sqrt(t));

/** Spending that resembles Pocock's: about alike at each look. */
export const spendLikePocock: Spending = (t, alpha) => alpha * Math.log(1 + (Math.E - 1) * t);

/** The z-values of `looks` evenly spaced looks with a two-sided `alpha`, half of it spent on each side. */
export function boundaries(looks: number, alpha: number, spend: Spending): number[] {
  const bounds: number[] = [];
  let grid: Density = { from: 0, h: 0, values: [] };
  for (let k = 1; k <= looks; k++) {
    const before = k === 1 ? 0 : spend((k - 1) / looks, alpha / 2);
    const toSpend = spend(k / looks, alpha / 2) - before;
    const z = k === 1 ? normIsf(toSpend) : solve(grid, k, toSpend);
    bounds.push(z);
    grid = nextDensity(grid, k, z * Math.sqrt(k));
  }
  return bounds;
}

/** A density of the score S_k = z·√k on an even grid, of those paths that have not yet crossed. */
interface Density {
  from: number;
  h: number;
  values: number[];
}

const POINTS = 801;

function simpson({ h, values }: Density, f: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const weight = i === 0 || i === values.length - 1 ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * values[i]! * f(i);
  }
  return (sum * h) / 3;
}

function nextDensity(before: Density, k: number, limit: number): Density {
  const h = (2 * limit) / (POINTS - 1);
  const values = Array.from({ length: POINTS }, (_, i) => {
    const s = -limit + i * h;
    return k === 1 ? normPdf(s) : simpson(before, (j) => normPdf(s - (before.from + j * before.h)));
  });
  return { from: -limit, h, values };
}

/** The z at look k above which the paths that are left cross with the probability that may be spent. */
function solve(before: Density, k: number, toSpend: number): number {
  const crossing = (z: number) => simpson(before, (j) => normSf(z * Math.sqrt(k) - (before.from + j * before.h)));
  let [lo, hi] = [0, 10];
  for (let i = 0; i < 60; i++) {
    const middle = (lo + hi) / 2;
    if (crossing(middle) > toSpend) lo = middle;
    else hi = middle;
  }
  return (lo + hi) / 2;
}
