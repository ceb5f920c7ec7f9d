import { describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { nextState, type RouteState, unreadState } from '../../src/config/route-state.ts';
import { routeOf, routeWith } from './sample.ts';

const route = routeOf(routeWith({ weights: { blue: 90, green: 10 }, salt: 'own' }));
const changed = routeOf(
  routeWith({ variants: { blue: { url: 'https://blue.example.com' }, green: { url: 'https://green-2.example.com' } } }),
);
const strangers = routeOf(routeWith({ variants: { blue: { url: 'https://blue.example.com' } } }));

const splitOf = (green: number, revision: number, more: Record<string, unknown> = {}) =>
  JSON.stringify({
    revision,
    weights: { blue: 100 - green, green },
    baseline: 'blue',
    salt: 'r-1',
    variants: variantsHash(route),
    ...more,
  });

/** What follows when KV shows these texts one after another; null is a key that is not there. */
function shown(...texts: { split?: string | null; weights?: string | null; route?: typeof route }[]) {
  const warnings: string[] = [];
  let state: RouteState | undefined;
  for (const { split = null, weights = null, route: given = route } of texts) {
    state = nextState(given, { split, weights }, state, (message) => warnings.push(message));
  }
  const { inForce } = state!;
  return { green: inForce.weights.green, source: inForce.source, revision: inForce.revision, warnings, state: state! };
}

describe('the state of a route', () => {
  it('is the baseline alone while its keys were never read, whatever the config says', () => {
    const { inForce, arms, texts } = unreadState(routeOf(routeWith({ weights: { green: 100 }, baseline: 'blue' })));
    expect(inForce).toMatchObject({ source: 'baseline', weights: { blue: 100, green: 0 }, shadows: {} });
    expect(arms).toEqual([{ variant: 'blue', weight: 10_000 }]);
    expect(texts).toBeNull();
  });

  it('is by the weights of the config where neither key is there', () => {
    expect(shown({})).toMatchObject({ green: 10, source: 'config', revision: 0, warnings: [] });
  });

  it('is by the split, and by weights by hand above it, with the salt and revision of the split', () => {
    expect(shown({ split: splitOf(25, 3) })).toMatchObject({ green: 25, source: 'split', revision: 3 });
    const byHand = shown({ split: splitOf(25, 3), weights: '{"blue":100}' });
    expect(byHand).toMatchObject({ green: 0, source: 'weights', revision: 3 });
    expect(byHand.state.inForce.salt).toBe('r-1');
    expect(byHand.state.arms).toEqual([{ variant: 'blue', weight: 10_000 }]);
  });

  it('judges how streams end by a guardrail of the config, or of the rollout that runs', () => {
    const truncated = { metric: 'truncated', per: 'unit' };
    const judging = routeOf(routeWith({ guardrails: [{ metric: 'truncated', critical: true }] }));
    expect(shown({}).state.judgesEnds).toBe(false);
    expect(shown({ split: splitOf(25, 3) }).state.judgesEnds).toBe(false);
    expect(shown({ split: splitOf(25, 3, { guardrails: [truncated] }) }).state.judgesEnds).toBe(true);
    expect(shown({ route: judging }).state.judgesEnds).toBe(true);
    expect(unreadState(judging).judgesEnds).toBe(true);
  });

  it('is the very same while nothing has changed, so that nothing is worked out twice', () => {
    const texts = { split: splitOf(25, 3), weights: '{"blue":100}' };
    const first = nextState(route, texts, undefined, () => {});
    expect(nextState(route, { ...texts }, first, () => {})).toBe(first);
    expect(nextState(changed, { ...texts }, first, () => {})).not.toBe(first);
  });

  it.each([
    ['that is no JSON', '{"blue":'],
    ['that sum to 99', '{"blue":99}'],
    ['of a stranger', '{"red":100}'],
    ['that are a number', '100'],
    ['that are empty text', ''],
  ])('keeps the last valid weights by hand above weights %s, and says so', (_, weights) => {
    const kept = shown({ weights: '{"green":100}' }, { weights });
    expect(kept).toMatchObject({ green: 100, source: 'weights' });
    expect(kept.warnings).toEqual([expect.stringMatching(/^weights:detect is refused \(/)]);
    expect(shown({ weights })).toMatchObject({ green: 10, source: 'config' });
  });

  it('says once of each text that it is refused, whatever comes beside it', () => {
    const weights = '{"blue":97}';
    const texts = [null, '{"blue":97,"green":1}', '{"blue":98}'].map((next) => ({ weights: next }));
    const said = (...more: Parameters<typeof shown>) => shown({ weights }, ...more).warnings.length;
    expect(said({ weights, split: splitOf(25, 3) }, { weights, split: splitOf(50, 4) }, { weights })).toBe(1);
    expect(said({ weights, route: routeOf(routeWith({ timeoutMs: 5_000 })) })).toBe(1);
    expect(said(...texts, { weights })).toBe(4);
    const green = '{"green":100}';
    expect(shown({ weights: green }, { weights: green, route: strangers }).warnings).toHaveLength(1);
  });

  it('leaves manual mode by {} and by the end of the key, and not by what is broken after that', () => {
    expect(shown({ weights: '{"green":100}' }, { weights: '{}' })).toMatchObject({ green: 10, source: 'config' });
    expect(shown({ weights: '{"green":100}' }, {})).toMatchObject({ green: 10, source: 'config' });
    expect(shown({ weights: '{"green":100}' }, {}, { weights: '{' })).toMatchObject({ green: 10, source: 'config' });
  });

  it('keeps the last valid split above one that is broken or was made for other variants', () => {
    const good = { split: splitOf(25, 3) };
    expect(shown(good, { split: '{"revision":' })).toMatchObject({ green: 25, revision: 3 });
    expect(shown(good, { split: splitOf(90, 4, { variants: 'other' }) })).toMatchObject({ green: 25, revision: 3 });
    expect(shown(good, { split: splitOf(90, 4, { weights: { blue: 1 } }) })).toMatchObject({ green: 25, revision: 3 });
  });

  it('goes to the baseline as everybody does once the config of a newer split is overdue, and back to none before it', () => {
    const madeAtMs = Date.parse('2026-11-23T10:00:00Z');
    const newer = splitOf(90, 4, { variants: variantsHash(changed), at: '2026-11-23T10:00:00Z' });
    const read = (afterMs: number, before: RouteState, split = newer, given = route) =>
      nextState(given, { split, weights: null }, before, () => {}, madeAtMs + afterMs);
    const told = shown({ split: splitOf(25, 3) }, { split: newer }).state;
    expect(read(1_000, told)).toBe(told);
    expect(told.inForce).toMatchObject({ revision: 3, weights: { green: 25 } });
    // It is not forgotten, should its config come before KV shows it again, or only after KV has shown the older one.
    const come = read(60_000, read(30_000, told, splitOf(25, 3)), splitOf(25, 3), changed);
    expect(come.inForce).toMatchObject({ source: 'split', revision: 4, weights: { green: 90 } });
    const overdue = read(301_000, told);
    expect(overdue.inForce).toMatchObject({ source: 'baseline', revision: 4, weights: { green: 0 } });
    expect(read(400_000, overdue)).toBe(overdue);
    expect(read(400_000, overdue, splitOf(25, 3))).toMatchObject({ inForce: { source: 'baseline', revision: 4 } });
    expect(read(400_000, overdue, newer, changed).inForce).toMatchObject({ source: 'split', revision: 4 });
    // Nor does a way back that stands for it outlast that: the config may have another baseline by then.
    const back = splitOf(0, 4, { variants: 'other', at: '2026-11-23T10:00:00Z' });
    const { state } = shown({ split: splitOf(25, 3) }, { split: back });
    const green = routeOf(routeWith({ baseline: 'green' }));
    expect(read(60_000, state, back, green).inForce).toMatchObject({ source: 'split', weights: { blue: 100 } });
    expect(read(301_000, state, back, green).inForce).toMatchObject({ source: 'baseline', weights: { green: 100 } });
    // What a controller tells is no look at the config, which may not be readable for hours.
    expect(nextState(route, { split: newer, weights: null }, told, () => {})).toBe(told);
  });

  it('serves a split to which the config has added a variant, until one of its own changes', () => {
    const url = (name: string) => ({ url: `https://${name}.example.com` });
    const own = routeOf(routeWith({ variants: { blue: url('blue'), green: url('green') } }));
    const split = splitOf(25, 3, { variants: variantsHash(own) });
    const added = routeOf(routeWith({ variants: { blue: url('blue'), green: url('green'), canary: url('canary') } }));
    expect(shown({ split, route: added })).toMatchObject({ green: 25, source: 'split', revision: 3 });
    const other = routeOf(routeWith({ variants: { blue: url('blue'), green: url('other'), canary: url('canary') } }));
    expect(shown({ split, route: own }, { split, route: other })).toMatchObject({ green: 0, source: 'baseline' });
  });

  it('follows a way back to its baseline also where it was made for variants that come later', () => {
    const steps = [{ split: splitOf(50, 5) }, { split: splitOf(0, 6, { variants: 'other' }) }];
    const back = shown(...steps);
    expect(back).toMatchObject({ green: 0, source: 'split', revision: 6, warnings: [] });
    expect(back.state.inForce.weights).toEqual({ blue: 100, green: 0 });
    const known = { blue: 0, green: 100, canary: 0 };
    const elsewhere = splitOf(0, 7, { variants: 'other', weights: known, baseline: 'green' });
    expect(shown(...steps, { split: elsewhere })).toMatchObject({ green: 0, revision: 6 });
    // A rollout of other variants must not be judged by ours.
    const began = splitOf(0, 7, { variants: 'other', rollout: 'r-9', guardrails: [{ metric: 'errors', per: 'unit' }] });
    const { state } = shown(steps[0]!, { split: began });
    expect(state.inForce).toMatchObject({ weights: { green: 0 }, revision: 7, rollout: null, guardrails: [] });
    // The config comes, and KV still shows the split of before.
    const url = (name: string) => ({ url: `https://${name}.example.com` });
    const more = routeOf(
      routeWith({
        weights: { blue: 90, green: 10 },
        salt: 'own',
        variants: { blue: url('blue'), green: url('green'), gold: url('gold') },
      }),
    );
    const later = shown(steps[0]!, { split: began }, { split: splitOf(50, 5), route: more });
    expect(later).toMatchObject({ green: 0, revision: 7 });
    expect(shown(steps[0]!, { split: splitOf(0, 4, { variants: 'other' }) })).toMatchObject({ green: 50, revision: 5 });
  });

  it('takes a way back for what it was when its config comes, whatever KV still shows', () => {
    const url = (name: string) => ({ url: `https://${name}.example.com` });
    const changed = routeOf(routeWith({ variants: { blue: url('blue'), green: url('green-2') } }));
    const variants = variantsHash(changed);
    const back = splitOf(0, 7, { variants });
    const lagging = { split: splitOf(50, 6, { variants, rollout: 'r-1' }), route: changed };
    expect(shown({ split: splitOf(0, 5) }, { split: back }, lagging)).toMatchObject({ green: 0, revision: 7 });
    // A rollout that begins with a mirror goes back to nothing, but mirrors.
    const began = splitOf(0, 7, { variants, rollout: 'r-2', shadows: { green: 100 } });
    const { state } = shown({ split: splitOf(0, 5) }, { split: began }, { split: splitOf(0, 5), route: changed });
    expect(state.inForce).toMatchObject({ revision: 7, rollout: 'r-2', shadows: { green: 100 } });
  });

  it('keeps a split that is newer than what KV shows, and one that KV has no more', () => {
    const newest = { split: splitOf(50, 5) };
    expect(shown(newest, { split: splitOf(25, 4) })).toMatchObject({ green: 50, revision: 5 });
    expect(shown(newest, {})).toMatchObject({ green: 50, revision: 5 });
    expect(shown(newest, { split: splitOf(0, 6) })).toMatchObject({ green: 0, revision: 6 });
  });

  it('is the baseline where the only split there ever was cannot be served', () => {
    const broken = shown({ split: 'garbage' });
    expect(broken).toMatchObject({ green: 0, source: 'baseline' });
    expect(broken.warnings).toEqual([expect.stringMatching(/^split:detect is refused .*baseline$/)]);
    expect(shown({ split: splitOf(90, 4, { variants: 'other' }) })).toMatchObject({
      green: 0,
      source: 'baseline',
      revision: 4,
    });
  });

  it('goes to the baseline when the variants change under a split, and back with them', () => {
    const split = splitOf(25, 3);
    expect(shown({ split }, { split, route: changed })).toMatchObject({ green: 0, source: 'baseline' });
    expect(shown({ split }, { split, route: changed }, { split })).toMatchObject({ green: 25, source: 'split' });
    // Back to the newest that it was told of, also while KV goes on showing the one before.
    const aborted = shown({ split }, { split: splitOf(0, 4) }, { split, route: changed }, { split });
    expect(aborted).toMatchObject({ green: 0, source: 'split', revision: 4 });
    // Nor is it forgotten where KV shows no split yet, or one that cannot be read.
    const busy = routeOf(
      routeWith({
        weights: { blue: 50, green: 50 },
        variants: { blue: { url: 'https://blue.example.com' }, green: { url: 'https://green-2.example.com' } },
      }),
    );
    const told = [{}, { split }, { split: splitOf(0, 4) }];
    expect(shown(...told, { route: busy })).toMatchObject({ green: 0, source: 'baseline' });
    expect(shown(...told, { route: busy }, {})).toMatchObject({ green: 0, source: 'split', revision: 4 });
    expect(shown(...told, { split: 'x', route: changed }, { split })).toMatchObject({ green: 0, revision: 4 });
    const twice = [...told, { route: busy }, { route: changed }];
    expect(shown(...twice)).toMatchObject({ green: 0, source: 'baseline' });
    expect(shown(...twice, {})).toMatchObject({ green: 0, source: 'split', revision: 4 });
    const again = [
      { split, route: changed },
      { split: splitOf(0, 4), route: changed },
      { split, route: changed },
    ];
    expect(shown(...told, ...again, { split })).toMatchObject({ green: 0, source: 'split', revision: 4 });
    // Nor for an older one that fits again, which KV still shows when the config of the newer one is taken back.
    const newer = splitOf(90, 4, { variants: variantsHash(changed) });
    const taken = [{ split }, { split, route: changed }, { split: newer, route: changed }, { split }];
    expect(shown(...taken)).toMatchObject({ green: 0, source: 'baseline', revision: 4 });
    expect(shown(...taken, { split: newer })).toMatchObject({ green: 0, source: 'baseline', revision: 4 });
    expect(shown(...taken, { split: newer, route: changed })).toMatchObject({
      green: 90,
      source: 'split',
      revision: 4,
    });
    expect(shown(...taken, { split: splitOf(50, 5) })).toMatchObject({ green: 50, source: 'split', revision: 5 });
    // What never fitted, and is gone, was nobody's.
    const stranger = { split: splitOf(50, 9, { variants: 'other' }) };
    expect(shown(stranger, {})).toMatchObject({ green: 10, source: 'config' });
  });

  it('keeps weights by hand that give nothing to a variant which the config no longer has, also under a typing error', () => {
    const text = '{"blue":100,"green":0}';
    const kept = { source: 'weights', weights: { blue: 100 } };
    expect(shown({ weights: text }, { weights: text, route: strangers }).state.inForce).toMatchObject(kept);
    expect(shown({ weights: text }, { weights: '{"blue"', route: strangers }).state.inForce).toMatchObject(kept);
  });

  it('drops weights by hand that name a variant which the config no longer has', () => {
    const gone = shown({ weights: '{"green":100}' }, { weights: '{"green":100}', route: strangers });
    expect(gone.state.inForce).toMatchObject({ source: 'config', weights: { blue: 100 } });
    expect(gone.state.inForce.notes.join()).toMatch(/"green", which is not a variant/);
  });
});
