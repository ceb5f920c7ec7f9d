/**
 * Owns small measures of likeness and of field noise, to compare our own with: `diffyField` is Diffy's rule. It decides nothing: what a
 * sequential test can tell (eprocess.ts) is not judged by a fixed cut-off. For reference: the Worker does not use it, vectors hold it.
 */

import { distance } from '../levenshtein.ts';

/** Levenshtein's edit distance and 1 − distance/longer length; two empty texts are alike. */
export function levenshteinSimilarity(a: string, b: string): { distance: number; similarity: number } {
  const edits = distance(a, b);
  const longer = Math.max(a.length, b.length);
  return { distance: edits, similarity: longer === 0 ? 1 : 1 - edits / longer };
}

/** The cosine of the angle between two vectors of one length; 0 where either is all zeros. */
export function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  const norm = Math.sqrt(dot(a, a) * dot(b, b));
  return norm > 0 ? dot(a, b) / norm : 0;
}

interface DiffyInput {
  /** Pairs in which the field differed, candidate and repeat, and pairs in all. */
  raw: number;
  noise: number;
  total: number;
  /** Percent. */
  relThreshold?: number;
  absThreshold?: number;
}

/** Diffy's rule for a field (opendiffy, JoinedDifferences.scala): relative and absolute difference, in percent. */
export function diffyField(input: DiffyInput): { relative: number; absolute: number; isRealDifference: boolean } {
  const { raw, noise, total, relThreshold = 20, absThreshold = 0.03 } = input;
  const gap = Math.abs(raw - noise);
  const relative = raw + noise > 0 ? (gap / (raw + noise)) * 100 : 0;
  const absolute = total > 0 ? (gap / total) * 100 : 0;
  return { relative, absolute, isRealDifference: relative > relThreshold && absolute > absThreshold };
}
