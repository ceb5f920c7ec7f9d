import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareJson, type JsonComparison } from '../../../src/shadow/compare/json.ts';
import { parseJson, parseJsonPrefix } from '../../../src/shadow/compare/json-text.ts';
import { compileRules, type PathRules } from '../../../src/shadow/compare/paths.ts';

/** Few names and values, so that two documents often agree in part; through JSON, as parsed documents are (no -0). */
const document = fc
  .jsonValue({ maxDepth: 3, stringUnit: fc.constantFrom('a', 'b', '') })
  .map((value): unknown => JSON.parse(JSON.stringify(value)));

function compare(live: unknown, candidate: unknown, rules: PathRules = {}) {
  return compareJson(live, candidate, { rules: compileRules(rules) });
}

function places(result: JsonComparison): string[] {
  return result.differences.map(({ kind, path }) => `${kind} ${path}`);
}

describe('comparing JSON', () => {
  it.each<[string, unknown, unknown, string[]]>([
    ['equal documents have none', { a: [1, { b: null }] }, { a: [1, { b: null }] }, []],
    ['the order of members does not matter', { a: 1, b: 2 }, { b: 2, a: 1 }, []],
    ['null is not the same as missing', { a: null }, {}, ['missing /a']],
    ['a null that turns up is added', {}, { a: null }, ['added /a']],
    ['null and a text differ in type', { a: null }, { a: '' }, ['type /a']],
    ['a number and its text differ in type', { a: 1 }, { a: '1' }, ['type /a']],
    ['a list and an object differ in type', { a: [] }, { a: {} }, ['type /a']],
    ['a changed member is named', { a: { b: 1 } }, { a: { b: 2 } }, ['changed /a/b']],
    ['items are compared by position', [1, 2, 3], [1, 3, 2], ['changed /1', 'changed /2']],
    ['a shorter list lacks items', [1, 2], [1], ['missing /1']],
    ['a longer list has more', [1], [1, 2], ['added /1']],
    ['two plain values differ at the root', 1, 2, ['changed ']],
    ['names are escaped as pointers', { 'a/b~c': 1 }, { 'a/b~c': 2 }, ['changed /a~1b~0c']],
    ['names of inherited members are names', { constructor: 1 }, {}, ['missing /constructor']],
    ['zero has no sign', { a: 0 }, { a: -0 }, []],
  ])('finds what differs: %s', (_name, live, candidate, expected) => {
    const result = compare(live, candidate);
    expect(places(result)).toEqual(expected);
    expect(result.equal).toBe(expected.length === 0);
    expect(result.diffCount).toBe(expected.length);
  });

  it('counts all items of a list as one field', () => {
    const result = compare({ items: [{ n: 1 }, { n: 2 }] }, { items: [{ n: 3 }, { n: 4 }] });
    expect(result.fields).toEqual(['/items/*/n']);
    expect(result.diffCount).toBe(2);
  });

  it('sees a member called __proto__ as any other', () => {
    const result = compare(parseJson('{"__proto__":{"a":1}}'), parseJson('{"__proto__":{"a":2}}'));
    expect(places(result)).toEqual(['changed /__proto__/a']);
    expect(places(compare(parseJson('{"__proto__":1}'), parseJson('{}')))).toEqual(['missing /__proto__']);
  });

  it('tells big integers apart that are one number to JavaScript', () => {
    const live = parseJson('{"id":9007199254740993}');
    const candidate = parseJson('{"id":9007199254740992}');
    expect(places(compare(live, candidate))).toEqual(['changed /id']);
    expect(compare(live, parseJson('{"id":9007199254740993}')).equal).toBe(true);
    expect(compare(parseJson('[1e400]'), parseJson('[1e401]')).equal).toBe(false);
    for (const [a, b] of [
      ['[1.7e18]', '[1700000000000000000]'],
      ['[1700000000000000000]', '[1.7e18]'],
    ] as const)
      expect(compare(parseJson(a), parseJson(b)).equal).toBe(true);
    expect(compare(parseJson('[1.7e18]'), parseJson('[1700000000000000001]')).equal).toBe(false);
    expect(compare(live, candidate, { tolerance: [{ path: '/id', abs: 1 }] }).equal).toBe(true);
  });

  it('takes other large numbers as they are, whatever stands beside them', () => {
    const [live, candidate] = ['{"n":1e+18,"x":0.1234567890123456}', '{"n":1e18,"x":0.5}'].map(parseJson);
    expect(places(compare(live, candidate))).toEqual(['changed /x']);
    expect(compare(parseJson('[1.5e300]'), parseJson('[1.50e300]')).equal).toBe(true);
  });

  it('agrees with plain deep equality on any two documents', () => {
    fc.assert(
      fc.property(document, document, (a, b) => {
        expect(compare(a, b).equal).toBe(isDeepStrictEqual(a, b));
        expect(compare(a, structuredClone(a)).equal).toBe(true);
        expect(compare(a, b).diffCount).toBe(compare(b, a).diffCount);
      }),
      { numRuns: 500 },
    );
  });
});

describe('ignoring', () => {
  it.each<[string, unknown, unknown, boolean]>([
    ['/id', { id: 1 }, { id: 2 }, true],
    ['/id', { a: { id: 1 } }, { a: { id: 2 } }, false],
    ['/items/*/at', { items: [{ at: 1 }, { at: 2 }] }, { items: [{ at: 3 }, { at: 4 }] }, true],
    ['/items/*/at', { items: [{ to: { at: 1 } }] }, { items: [{ to: { at: 3 } }] }, false],
    ['/items/1', { items: [1, 2] }, { items: [1, 3] }, true],
    ['/items/1', { items: [1, 2] }, { items: [3, 2] }, false],
    ['/usage/**', { usage: { a: { b: 1 } } }, { usage: { a: { b: 2 } } }, true],
    ['/usage/**', { usage: { a: 1 } }, {}, true],
    ['/**/id', { id: 1, a: [{ b: { id: 1 } }] }, { id: 2, a: [{ b: { id: 2 } }] }, true],
    ['/**/id', { a: [{ b: { idea: 1 } }] }, { a: [{ b: { idea: 2 } }] }, false],
    ['/a/**/z', { a: { z: 1, b: { c: { z: 1 } } } }, { a: { z: 2, b: { c: { z: 3 } } } }, true],
    ['/a~1b', { 'a/b': 1 }, { 'a/b': 2 }, true],
    ['', { a: 1 }, [2], true],
  ])('%s covers what its pointer says', (path, live, candidate, equal) => {
    const result = compare(live, candidate, { ignore: [path] });
    expect(result.equal).toBe(equal);
    if (equal) expect(result.ignoredCount).toBeGreaterThan(0);
  });

  it('counts ignored members only where they differ', () => {
    const rules = { ignore: ['/*/at'] };
    expect(compare({ a: { at: [1] }, b: { at: 2 } }, { a: { at: [1] }, b: { at: 3 } }, rules).ignoredCount).toBe(1);
  });

  it('names no member below a redacted place', () => {
    const live = { a: { secret: 'sesame', deep: { key: 'sesame' }, kept: 1 } };
    const rules = { ignore: ['/**/secret'], redact: ['/**/deep'] };
    const result = compare(live, { a: 'gone' }, rules);
    expect(result.differences).toEqual([{ path: '/a', field: '/a', kind: 'type' }]);
    const below = compare(live, { a: { ...live.a, deep: { sesame: 1 } } }, rules);
    expect(below.equal).toBe(false);
    expect(below.fields).toEqual(['/a/deep']);
    expect(JSON.stringify(below)).not.toContain('sesame');
  });
});

describe('tolerating', () => {
  it.each<[object, number, number, boolean]>([
    [{ abs: 0.01 }, 1, 1.01, true],
    [{ abs: 0.01 }, 1, 1.0101, false],
    [{ rel: 0.001 }, 1000, 1001, true],
    [{ rel: 0.001 }, 1000, 1001.1, false],
    [{ rel: 0.5 }, 10, 20, true],
    [{ rel: 0.5 }, -20, -10, true],
    [{ rel: 0.5 }, 10, 20.1, false],
    [{ abs: 5, rel: 0.001 }, 1000, 1004, true],
    [{ abs: 0.1 }, 0.1, 0.2, true],
    [{}, 1, 1.0001, false],
  ])('%j takes %d and %d', (allowed, live, candidate, equal) => {
    const rules = { tolerance: [{ path: '/score', ...allowed }] };
    expect(compare({ score: live }, { score: candidate }, rules).equal).toBe(equal);
    expect(compare({ other: 1 }, { other: 1.0001 }, rules).equal).toBe(false);
  });
});

describe('lists without order', () => {
  const unordered = { arrays: [{ path: '/tags', mode: 'unordered' as const }] };

  it.each<[unknown[], unknown[], string[]]>([
    [['a', 'b', 'c'], ['c', 'a', 'b'], []],
    [
      ['a', 'a', 'b'],
      ['a', 'b', 'b'],
      ['added /tags/1', 'missing /tags/1'],
    ],
    [[1], ['1'], ['added /tags/0', 'missing /tags/0']],
    [[{ x: [] }], [{ x: {} }], ['type /tags/0/x']],
    [[{ x: 1, y: [1, 2] }, null], [null, { y: [1, 2], x: 1 }], []],
  ])('takes %j and %j as bags', (live, candidate, expected) => {
    expect(places(compare({ tags: live }, { tags: candidate }, unordered)).sort()).toEqual(expected);
  });

  it('takes lists within such a list as bags too, where the rules say so', () => {
    const rules = { arrays: ['/tags', '/tags/*/near'].map((path) => ({ path, mode: 'unordered' as const })) };
    const tags = (...lists: number[][]) => ({ tags: lists.map((near) => ({ near })) });
    expect(compare(tags([1, 2], [3, 4]), tags([4, 3], [2, 1]), rules).equal).toBe(true);
  });

  it('names the changed member of an item that also moved', () => {
    const items = Array.from({ length: 20 }, (_, n) => ({ n, name: `item ${n}`, price: n * 2 }));
    const moved = items.toReversed().map((item) => (item.n === 7 ? { ...item, price: 15 } : item));
    const result = compare({ tags: items }, { tags: moved }, unordered);
    expect(result.fields).toEqual(['/tags/*/price']);
    expect(result.diffCount).toBe(1);
  });

  it('honours ignore and tolerance inside items that moved', () => {
    const rules = {
      ...unordered,
      ignore: ['/tags/*/at'],
      tolerance: [{ path: '/tags/*/score', abs: 0.1 }],
    };
    const live = [
      { at: 1, score: 0.5 },
      { at: 2, score: 0.9 },
    ];
    const near = [
      { at: 3, score: 0.95 },
      { at: 4, score: 0.45 },
    ];
    expect(compare({ tags: live }, { tags: near }, rules).equal).toBe(true);
    expect(compare({ tags: live }, { tags: [near[0], { score: 0.2 }] }, rules).fields).toEqual(['/tags/*/score']);
  });

  it('pairs items of several tolerant numbers with the nearest, not by their first', () => {
    const rules = { ...unordered, tolerance: [{ path: '/tags/*/*', abs: 0.01 }] };
    const boxes = fc.array(fc.record({ x: fc.integer({ min: 0, max: 3 }), y: fc.integer() }), { maxLength: 20 });
    const jitter = fc.infiniteStream(fc.double({ min: -0.009, max: 0.009, noNaN: true }));
    fc.assert(
      fc.property(boxes, jitter, (live, by) => {
        const next = () => by.next().value;
        const near = live.map(({ x, y }) => ({ x: x + next(), y: y + next() }));
        return compare({ tags: live }, { tags: near.toReversed() }, rules).equal;
      }),
    );
  });

  it('measures each number by its own tolerance, also in lists within', () => {
    const rules = {
      arrays: [
        { path: '/tags', mode: 'unordered' as const },
        { path: '/tags/*/near', mode: 'unordered' as const },
      ],
      tolerance: [
        { path: '/tags/*/score', abs: 0.01 },
        { path: '/tags/*/price', abs: 10 },
        { path: '/tags/*/near/*', abs: 0.01 },
      ],
    };
    const tags = fc.array(
      fc.record({
        score: fc.integer({ min: 0, max: 50 }).map((n) => n / 10),
        price: fc.integer({ min: 0, max: 30 }),
        near: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 2 }),
      }),
      { minLength: 2, maxLength: 4 },
    );
    const jitter = fc.infiniteStream(fc.double({ min: -0.9, max: 0.9, noNaN: true }));
    let alike = 0;
    fc.assert(
      fc.property(tags, jitter, (live, by) => {
        const next = () => by.next().value;
        const near = live.map((tag) => ({
          score: tag.score + next() * 0.01,
          price: tag.price + next() * 10,
          near: tag.near.map((n) => n + next() * 0.01).toReversed(),
        }));
        if (compare({ tags: live }, { tags: near.toReversed() }, rules).equal) alike++;
      }),
      { numRuns: 500, seed: 1 },
    );
    // The nearest are looked for one after another, which is not always the best for all.
    expect(alike).toBeGreaterThan(480);
  });

  it('is told from text as the parser tells it', () => {
    const piece = fc.constantFrom(
      '',
      ' ',
      '\n',
      '\ufeff',
      '{',
      '}',
      '[]',
      '"',
      'true',
      'tru',
      'null',
      '-',
      '1',
      'e5',
      '.',
      'word',
    );
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, (said) => {
        let plain: unknown;
        try {
          plain = JSON.parse(said);
        } catch {}
        expect(parseJson(said) === undefined).toBe(plain === undefined);
      }),
      { numRuns: 5_000 },
    );
  });

  it('finds any shuffle of any list equal, and one item more different', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 30 }),
        fc.infiniteStream(fc.double({ noNaN: true })),
        (list, keys) => {
          const shuffled = list.map((item) => [keys.next().value, item] as const).sort(([a], [b]) => a - b);
          const candidate = shuffled.map(([, item]) => JSON.parse(JSON.stringify(item)));
          expect(compare({ tags: JSON.parse(JSON.stringify(list)) }, { tags: candidate }, unordered).equal).toBe(true);
          expect(compare({ tags: list }, { tags: [...candidate, 'more'] }, unordered).equal).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('pairs keyed items by their member, wherever they stand', () => {
    const rules = { arrays: [{ path: '/items', keyBy: 'id' }] };
    const live = { items: [{ id: 1, v: 'a' }, { id: 2, v: 'b' }, { v: 'no key' }] };
    const moved = { items: [{ v: 'no key' }, { id: 2, v: 'b' }, { id: 1, v: 'a' }] };
    expect(compare(live, moved, rules).equal).toBe(true);
    const changed = {
      items: [
        { id: 2, v: 'B' },
        { id: 3, v: 'c' },
        { id: 1, v: 'a' },
      ],
    };
    expect(places(compare(live, changed, rules)).sort()).toEqual([
      'added /items/1',
      'changed /items/1/v',
      'missing /items/2',
    ]);
  });

  it('keeps a text key apart from the number that looks like it', () => {
    const rules = { arrays: [{ path: '', keyBy: 'id' }] };
    expect(compare([{ id: 1 }], [{ id: '1' }], rules).diffCount).toBe(2);
  });
});

describe('caps', () => {
  it('keeps few differences and counts all', () => {
    const live = Array.from({ length: 1000 }, (_, n) => n);
    const result = compare(
      live,
      live.map((n) => n + 1),
    );
    expect(result.differences).toHaveLength(20);
    expect(result.diffCount).toBe(1000);
  });

  it('tells a field once, also where the names of many members begin alike', () => {
    const named = (value: number) =>
      Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`https://example.com/${'x'.repeat(60)}/${n}`, value]));
    const filled = (value: number) => ({
      ...Object.fromEntries(Array.from({ length: 63 }, (_, n) => [`k${n}`, value])),
      at: named(value),
    });
    const result = compare(filled(1), filled(2));
    expect(result.diffCount).toBe(83);
    expect(result.fields).toHaveLength(64);
    expect(result.fields[0]).toBe(`/at/https:~1~1example.com~1${'x'.repeat(44)}…`);
  });

  it('keeps no more of a deep path than a record bears', () => {
    const deep = (leaf: number) => Array.from({ length: 40 }).reduce((below) => ({ ['名'.repeat(60)]: below }), leaf);
    const [field] = compare(deep(1), deep(2)).fields;
    expect(field).toHaveLength(257);
  });

  it('marks fields past the bound instead of dropping them', () => {
    const live = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, n]));
    const result = compare(live, {});
    expect(result.fields).toHaveLength(65);
    expect(result.fields.at(-1)).toBe('**');
  });

  it.each([
    ['ordered', {}],
    ['unordered', { arrays: [{ path: '/**', mode: 'unordered' as const }] }],
  ])('never calls %s documents equal that are nested past the cap', (_name, rules) => {
    const nested = `${'['.repeat(500)}1${']'.repeat(500)}`;
    const result = compare(JSON.parse(nested), JSON.parse(nested), rules);
    expect(result).toMatchObject({ equal: false, capped: 'depth' });
    expect(result.differences[0]?.kind).toBe('capped');
  });

  it('never calls documents equal of which some values were not visited', () => {
    const nested = () => Array.from({ length: 1_000_001 }, () => []);
    expect(compare(nested(), nested())).toMatchObject({ equal: false, capped: 'nodes' });
  });
});

describe('reading the beginning of a document', () => {
  it.each<[string, unknown]>([
    ['{"a":1,"b":[1,2,{"c":"x,', { a: 1, b: [1, 2] }],
    ['[{"a":"\\"],"},{"b":', [{ a: '"],' }]],
    ['{"a', undefined],
    ['nonsense, more', undefined],
  ])('closes %s after its last complete value', (text, expected) => {
    expect(parseJsonPrefix(text)).toEqual(expected);
  });

  it('reads a beginning of the very document at any cut', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, at) => {
        const text = JSON.stringify(value);
        const prefix = parseJsonPrefix(text.slice(0, at % text.length));
        if (prefix === undefined) return;
        const result = compareJson(prefix, value, { rules: compileRules({}), partial: true });
        expect(result.equal).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
