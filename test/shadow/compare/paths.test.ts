import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules, pointerSegments } from '../../../src/shadow/compare/paths.ts';

/** The meaning of a pattern, said in the plainest way: quadratic, but beyond doubt. */
function matches(pattern: readonly string[], path: readonly string[]): boolean {
  const [segment, ...rest] = pattern;
  if (segment === undefined) return path.length === 0;
  if (segment === '**') return matches(rest, path) || (path.length > 0 && matches(pattern, path.slice(1)));
  return path.length > 0 && (segment === '*' || segment === path[0]) && matches(rest, path.slice(1));
}

const segment = fc.constantFrom('a', 'b', '0', '*', '**');
const place = fc.array(fc.constantFrom('a', 'b', 'c', '0', '7'), { maxLength: 6 });

describe('path rules', () => {
  it('reach exactly the places that their patterns name, for any patterns together', () => {
    const patterns = fc.array(fc.array(segment, { minLength: 1, maxLength: 5 }), { maxLength: 6 });
    fc.assert(
      fc.property(patterns, fc.array(place, { maxLength: 10 }), (ignore, places) => {
        const rules = compileRules({ ignore: ignore.map((segments) => `/${segments.join('/')}`) });
        for (const path of places) {
          let node = rules.root;
          for (const name of path) node = node.next(/^\d$/.test(name) ? Number(name) : name);
          expect(node.ignored).toBe(ignore.some((pattern) => matches(pattern, path)));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('stay right, and bounded in memory, where patterns make very many states', () => {
    const ignore = Array.from({ length: 20 }, (_, n) => `/**/k${n}/**/end${n}`);
    const { root } = compileRules({ ignore });
    for (let round = 0; round < 3000; round++) {
      let node = root;
      for (let n = 0; n < 20; n++) if ((round * 7919) & (1 << n)) node = node.next(`k${n}`);
      for (const n of [0, 7, 19]) expect(node.next(`end${n}`).ignored).toBe(((round * 7919) & (1 << n)) !== 0);
    }
  });

  it('read pointers with escapes, with and without the leading slash', () => {
    expect(pointerSegments('/a~1b/~0c/')).toEqual(['a/b', '~c', '']);
    expect(pointerSegments('')).toEqual([]);
  });

  it('let the first tolerance that reaches a place hold', () => {
    const rules = compileRules({
      tolerance: [
        { path: '/a', abs: 1 },
        { path: '/*', abs: 2 },
      ],
    });
    expect(rules.root.next('a').tolerance?.abs).toBe(1);
    expect(rules.root.next('b').tolerance?.abs).toBe(2);
  });
});
