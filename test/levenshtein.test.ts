import { describe, expect, it } from 'vitest';
import { distance } from '../src/levenshtein.ts';

/** The table of Wagner & Fischer, row by row: slow, and plain enough to be believed. */
function plainly(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

describe('the edit distance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['a'.repeat(32), 'a'.repeat(33), 1],
    [`${'x'.repeat(31)}y`, `y${'x'.repeat(31)}`, 2],
    ['日本語', '日本', 1],
  ])('of %j and %j is %i', (a, b, expected) => {
    expect(distance(a, b)).toBe(expected);
  });

  it('is what the plain table gives, around every bound of a block', () => {
    let seed = 3;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    const text = (length: number) => Array.from({ length }, () => 'abé🗼'[Math.floor(random() * 4)]).join('');
    for (const n of [1, 31, 32, 33, 63, 64, 65, 130]) {
      for (const m of [1, 30, 32, 34, 64, 97, 131]) {
        const [a, b] = [text(n), text(m)];
        expect([n, m, distance(a, b)]).toEqual([n, m, plainly(a, b)]);
        expect(distance(a, a)).toBe(0);
      }
    }
  });
});
