import { describe, expect, it } from 'vitest';
import { contentHash, variantsHash } from '../../src/config/hash.ts';
import { splitInForce } from '../../src/config/inforce.ts';
import { parseSplit, parseWeights, type Split } from '../../src/config/split.ts';
import { routeOf, routeWith } from './sample.ts';

const route = routeOf(
  routeWith({ weights: { blue: 90, green: 10 }, salt: 'own', shadows: [{ variant: 'green', percent: 20 }] }),
);

const split: Split = {
  revision: 12,
  weights: { blue: 75, green: 25 },
  shadows: { green: 100 },
  baseline: 'blue',
  salt: 'r-20261123-1',
  rollout: 'r-20261123-1',
  variants: variantsHash(route),
  by: 'controller',
  reason: 'step 2 of 4',
  at: '2026-11-23T10:00:00Z',
};

describe('a split', () => {
  it('is read as the controller wrote it, with keys of a later version passed over', () => {
    expect(parseSplit(JSON.stringify({ ...split, later: { key: 1 } }))).toEqual({ ok: true, value: split });
  });

  it.each([
    ['{', '$'],
    ['null', '$'],
    ['{}', 'revision'],
    [JSON.stringify({ ...split, revision: 1.5 }), 'revision'],
    [JSON.stringify({ ...split, weights: { blue: 75 } }), 'weights'],
    [JSON.stringify({ ...split, weights: {} }), 'weights'],
    [JSON.stringify({ ...split, shadows: { green: 101 } }), 'shadows.green'],
    [JSON.stringify({ ...split, baseline: '' }), 'baseline'],
    [JSON.stringify({ ...split, rollout: 'a b' }), 'rollout'],
    [`{"revision":1,"weights":{"blue":100,"__proto__":1},"baseline":"blue","variants":""}`, 'weights.__proto__'],
  ])('is refused: %s', (text, path) => {
    const read = parseSplit(text);
    expect(read.ok ? [] : read.error.map((fault) => fault.path)).toContain(path);
  });
});

describe('weights by hand', () => {
  it('give everything to one variant, or shares with decimals', () => {
    const read = (text: string) => {
      const weights = parseWeights(text, route);
      return weights.ok && { ...weights.value };
    };
    expect(read('{"blue":100}')).toEqual({ blue: 100, green: 0 });
    expect(read('{"blue":90,"green":10}')).toEqual({ blue: 90, green: 10 });
    expect(read(' {"blue": 99.95, "green": 0.05}\n')).toEqual({ blue: 99.95, green: 0.05 });
  });

  it('may name a variant that is gone and gets nothing, but not where a person is asked again', () => {
    const text = '{"blue":100,"gone":0}';
    const read = parseWeights(text, route);
    expect(read.ok && { ...read.value }).toEqual({ blue: 100, green: 0 });
    const again = parseWeights(text, route, { isStrict: true });
    expect(!again.ok && again.error).toEqual([expect.objectContaining({ path: 'gone' })]);
  });

  it('end with {}', () => {
    expect(parseWeights('{}', route)).toEqual({ ok: true, value: null });
  });

  it.each([
    ['', '$', /not JSON at line 1, column 1/],
    ['null', '$', /not an object/],
    ['[]', '$', /not an object/],
    ['{"blue":99}', '$', /sum to 99, not 100/],
    ['{"blue":"100"}', 'blue', /not a number/],
    ['{"blue":90,"gren":10}', 'gren', /not a variant/],
    ['{"blue":33.333,"green":66.667}', 'blue', /two decimals/],
    ['{blue:100}', '$', /not JSON/],
  ])('are refused whole: %s', (text, path, reason) => {
    const read = parseWeights(text, route);
    expect(read.ok).toBe(false);
    expect(!read.ok && read.error[0]).toMatchObject({ path, reason: expect.stringMatching(reason) });
  });
});

describe('the fingerprint of variants', () => {
  const green = { url: 'https://green.example.com', headers: { a: '1', b: '2' } };
  const hash = (variants: object, more: object = {}) => variantsHash(routeOf(routeWith({ variants, ...more })));
  const before = hash({ blue: { service: 'BLUE' }, green });

  it('is 16 hexadecimal digits', () => {
    expect(before).toMatch(/^[0-9a-f]{16}$/);
    expect(contentHash('')).toMatch(/^[0-9a-f]{16}$/);
  });

  it('does not see the order of keys, spelled-out defaults, or what is no variant', () => {
    const reordered = { headers: { B: '2', A: '1' }, url: 'https://GREEN.example.com/' };
    expect(hash({ green: reordered, blue: { service: 'BLUE' } }, { timeoutMs: 5, baseline: 'green' })).toBe(before);
    expect(hash({ blue: { service: 'BLUE', headers: {}, removeHeaders: [] }, green })).toBe(before);
  });

  it.each([
    ['another URL', { blue: { service: 'BLUE' }, green: { ...green, url: 'https://green2.example.com' } }],
    ['another header', { blue: { service: 'BLUE' }, green: { ...green, headers: { a: '1' } } }],
    ['another model', { blue: { service: 'BLUE' }, green: { ...green, json: { model: 'm-2' } } }],
    ['another secret', { blue: { service: 'BLUE', secretHeaders: { k: `\${KEY_A}` } }, green }],
    ['another name', { blue: { service: 'BLUE' }, grey: green }],
    ['one variant more', { blue: { service: 'BLUE' }, green, grey: green }],
    ['names exchanged', { green: { service: 'BLUE' }, blue: green }],
  ])('sees %s', (_, variants) => {
    expect(hash(variants)).not.toBe(before);
  });

  it('of the config tells texts apart by a single byte', () => {
    expect(contentHash('{"a":1}')).not.toBe(contentHash('{"a":1} '));
    expect(contentHash('{"a":1}')).toBe(contentHash('{"a":1}'));
  });
});

describe('in force', () => {
  const force = (known: { split?: Split | null; weights?: Record<string, number> | null }) => {
    const inForce = splitInForce({ route, split: null, weights: null, ...known });
    return { ...inForce, weights: { ...inForce.weights } };
  };

  it("are the config's weights while there is nothing else", () => {
    expect(force({})).toEqual({
      source: 'config',
      weights: { blue: 90, green: 10 },
      shadows: { green: 20 },
      baseline: 'blue',
      salt: 'own',
      rollout: null,
      revision: 0,
      experiment: null,
      guardrails: [],
      notes: [],
    });
  });

  it("is the controller's split before the config's weights", () => {
    expect(force({ split: { ...split, baseline: 'green' } })).toEqual({
      source: 'split',
      weights: { blue: 75, green: 25 },
      shadows: { green: 100 },
      baseline: 'green',
      salt: 'r-20261123-1',
      rollout: 'r-20261123-1',
      revision: 12,
      experiment: null,
      guardrails: [],
      notes: [],
    });
  });

  it("hashes with the config's salt where a split has none", () => {
    expect(force({ split: { ...split, salt: '' } }).salt).toBe('own');
    expect(force({ split: { ...split, salt: '', variants: 'other' } })).toMatchObject({
      source: 'baseline',
      salt: 'own',
    });
  });

  it('mirrors what the config still describes, and what it never did', () => {
    const without = routeOf(routeWith({ weights: { blue: 90, green: 10 }, salt: 'own' }));
    const shadows = (in_: typeof route, plainShadows?: string[]) =>
      splitInForce({ route: in_, split: { ...split, ...(plainShadows && { plainShadows }) }, weights: null }).shadows;
    expect(shadows(route, [])).toEqual({ green: 100 });
    expect(shadows(without, [])).toEqual({});
    expect(shadows(without, ['green'])).toEqual({ green: 100 });
    expect(shadows(without)).toEqual({ green: 100 });
    expect(parseSplit(JSON.stringify({ ...split, plainShadows: ['green'] }))).toMatchObject({
      value: { plainShadows: ['green'] },
    });
  });

  it('is the experiment during a rollout only in a step that carries this one', () => {
    const tried = routeOf(routeWith({ experiment: { id: 'e-1', primary: ['error'] } }));
    const during = (experiment?: string) =>
      splitInForce({
        route: tried,
        split: { ...split, variants: variantsHash(tried), ...(experiment && { experiment }) },
        weights: null,
      });
    const rollout = 'r-20261123-1';
    expect(during()).toMatchObject({ salt: rollout, rollout, experiment: null });
    expect(during('e-0')).toMatchObject({ salt: rollout, rollout, experiment: null });
    expect(during('e-1')).toMatchObject({ salt: 'e-1', rollout, experiment: 'e-1' });
    expect(splitInForce({ route: tried, split: null, weights: null })).toMatchObject({
      salt: 'e-1',
      experiment: 'e-1',
    });
  });

  it('are weights by hand before everything, with the salt, epoch and revision of the split', () => {
    expect(force({ split, weights: { green: 100 } })).toMatchObject({
      source: 'weights',
      weights: { blue: 0, green: 100 },
      shadows: { green: 100 },
      salt: 'r-20261123-1',
      rollout: 'r-20261123-1',
      revision: 12,
      notes: ['weights set by hand'],
    });
    expect(force({ weights: { blue: 100 } })).toMatchObject({ source: 'weights', salt: 'own', revision: 0 });
  });

  it('is the baseline of the config when the split was made for other variants', () => {
    expect(force({ split: { ...split, variants: '0'.repeat(16), baseline: 'green' } })).toMatchObject({
      source: 'baseline',
      weights: { blue: 100, green: 0 },
      shadows: {},
      baseline: 'blue',
      revision: 12,
      notes: ['the variants have changed since split 12 was made, so it is not served'],
    });
  });

  it.each([
    ['weights', { ...split, weights: { blue: 75, red: 25 } }],
    ['shadows', { ...split, shadows: { red: 100 } }],
    ['baseline', { ...split, baseline: 'red' }],
    ['a prototype', { ...split, baseline: 'constructor' }],
  ])('is the baseline of the config when the split names a stranger in its %s', (_, stranger) => {
    expect(force({ split: stranger })).toMatchObject({ source: 'baseline', weights: { blue: 100, green: 0 } });
  });

  it('are weights by hand also over a split that is not served', () => {
    expect(force({ split: { ...split, variants: 'old' }, weights: { green: 100 } })).toMatchObject({
      source: 'weights',
      weights: { blue: 0, green: 100 },
      baseline: 'blue',
    });
  });

  it('are never weights by hand that name a variant the route lost', () => {
    const inForce = force({ split, weights: { red: 100 } });
    expect(inForce).toMatchObject({ source: 'split', weights: { blue: 75, green: 25 } });
    expect(inForce.notes).toEqual([expect.stringMatching(/"red", which is not a variant/)]);
  });
});
