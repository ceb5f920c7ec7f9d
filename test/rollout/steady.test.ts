import { describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { type KeptSplit, type RollbackRequest, rollbackTarget } from '../../src/rollout/steady.ts';
import { routeOf, routeWith } from '../config/sample.ts';
import { before, config, started } from './world.ts';

const url = (name: string) => ({ url: `https://${name}.example.com` });
const of = (...names: string[]) => routeOf(routeWith({ variants: Object.fromEntries(names.map((n) => [n, url(n)])) }));
const route = of('blue', 'green');
const running = { ...started(), variants: variantsHash(route) };

function kept(revision: number, blue: number, changes: Partial<KeptSplit> = {}): KeptSplit {
  const weights = { blue, green: 100 - blue };
  return {
    revision,
    weights,
    shadows: {},
    baseline: 'blue',
    salt: '',
    rollout: null,
    variants: variantsHash(route),
    ...changes,
  };
}

const promoted = [
  kept(4, 100),
  kept(5, 95, { rollout: 'r-1' }),
  kept(6, 0, { rollout: 'r-1' }),
  kept(7, 0, { baseline: 'green' }),
];

function target(changes: Partial<RollbackRequest>) {
  const result = rollbackTarget({ kept: promoted, running: null, config, route, ...changes });
  return result.ok ? result.value.revision : result.error.code;
}

describe('a rollback without a revision', () => {
  it('returns to the split before the rollout that was promoted', () => {
    expect(target({})).toBe(4);
    expect(target({ kept: promoted.toReversed() })).toBe(4);
  });

  it('returns to the split before the rollout that it ends', () => {
    const begun = kept(before.revision + 1, 95, { rollout: 'r-2' });
    expect(target({ running, kept: [kept(before.revision, 100), begun] })).toBe(before.revision);
    // The variants had changed before it began: what was in force then has a number of its own.
    const own = [kept(before.revision, 50, { variants: 'others' }), kept(before.revision + 1, 100)];
    const splits = [...own, { ...begun, revision: before.revision + 2 }];
    expect(target({ running, kept: splits })).toBe(before.revision + 1);
    // What was in force then had been adopted from KV, in the midst of a rollout of which nothing is known.
    const adopted = kept(before.revision, 90, { rollout: 'r-1' });
    expect(target({ running, kept: [kept(before.revision - 1, 50), adopted, begun] })).toBe(before.revision);
  });

  it('undoes the last change of a split by hand', () => {
    expect(target({ kept: [kept(1, 100), kept(2, 80), kept(3, 50)] })).toBe(2);
  });

  it('undoes a change that was made twice, as one', () => {
    expect(target({ kept: [kept(5, 80), kept(6, 0), kept(7, 0), kept(8, 0)] })).toBe(5);
    expect(target({ kept: [...promoted, kept(8, 0, { baseline: 'green' })] })).toBe(4);
    expect(target({ kept: [kept(1, 0), kept(2, 100, { restores: 4 }), kept(3, 100)] })).toBe('already_there');
    expect(target({ kept: [kept(1, 100), kept(2, 100)] })).toBe('nothing_earlier');
  });

  it('returns to the newest split where that is not served, since its variants have changed', () => {
    const asked = { route: routeOf(routeWith({ variants: { blue: url('other'), green: url('green') } })), force: true };
    const green = { ...config, baseline: 'green' };
    expect(target({ ...asked, force: false })).toBe('variants_changed');
    expect(target(asked)).toBe(7);
    const again = kept(8, 0, { baseline: 'green', variants: variantsHash(asked.route), restores: 7 });
    expect(target({ ...asked, config: green, kept: [...promoted, again] })).toBe('already_there');
    // The config's baseline is what that split was.
    expect(target({ ...asked, config: green })).toBe(4);
    const shadows = [{ variant: 'red', percent: 5 }];
    const mirroring = {
      ...asked,
      route: routeOf(routeWith({ variants: { blue: url('other'), green: url('green'), red: url('red') }, shadows })),
    };
    const last = kept(7, 0, { baseline: 'green', shadows: { red: 5 } });
    expect(target({ ...mirroring, config: green, kept: [...promoted.slice(0, -1), last] })).toBe(4);
  });

  it('does nothing twice: the second one in haste does not bring back what the first one left', () => {
    expect(target({ kept: [...promoted, kept(8, 100, { restores: 4 })] })).toBe('already_there');
  });

  it('says so when an aborted rollout has returned there already', () => {
    expect(target({ kept: [kept(1, 0), kept(2, 100), kept(3, 95, { rollout: 'r-1' }), kept(4, 100)] })).toBe(
      'already_there',
    );
  });

  it.each([[[]], [[kept(1, 100)]], [[kept(1, 95, { rollout: 'r-1' }), kept(2, 100)]]])(
    'is refused where there is nothing earlier',
    (splits) => {
      expect(target({ kept: splits })).toBe('nothing_earlier');
    },
  );
});

describe('a rollback to a revision', () => {
  it('goes to any split that is kept, also one of a rollout', () => {
    expect(target({ revision: 5 })).toBe(5);
    expect(target({ revision: 5, running: started() })).toBe(5);
    expect(target({ revision: 9 })).toBe('unknown_revision');
  });

  it('needs force where the variants have changed since', () => {
    const changed = routeOf(routeWith({ variants: { blue: url('blue'), green: url('other') } }));
    expect(target({ route: changed })).toBe('variants_changed');
    expect(target({ route: changed, force: true, config: { ...config, baseline: 'green' } })).toBe(4);
    expect(target({ route: changed, running })).toBe('variants_changed');
  });

  it('goes to one that knew fewer variants, and gives those that came nothing', () => {
    const names = ['blue', 'green', 'canary'];
    const result = rollbackTarget({
      ...{ kept: promoted, running: null, revision: 5 },
      ...{ config: { ...config, names }, route: of(...names) },
    });
    expect(result).toMatchObject({ ok: true, value: { weights: { blue: 95, green: 5, canary: 0 } } });
  });

  it('can be forced where the variant that is gone had no traffic', () => {
    const weights = { blue: 100, green: 0, red: 0 };
    const asked = { kept: [kept(1, 100, { weights, variants: 'of three' }), kept(2, 0)] };
    expect(target(asked)).toBe('variants_changed');
    const result = rollbackTarget({ ...asked, running: null, config, route, force: true });
    expect(result).toMatchObject({ ok: true, value: { weights: { blue: 100, green: 0 } } });
  });

  it('cannot be forced to a variant that the config no longer has', () => {
    const only = { variants: 'hash-2', names: ['green'], baseline: 'green' };
    expect(target({ config: only, force: true })).toBe('unknown_variant');
  });

  it('leaves out mirrors that the config does not describe, and returns to no split for their sake', () => {
    const splits = [kept(1, 100, { shadows: { red: 10, green: 5 } }), kept(2, 50)];
    const bare = rollbackTarget({ kept: splits, running: null, config, route });
    expect(bare.ok && bare.value.shadows).toEqual({});
    const variants = { blue: url('blue'), green: url('green') };
    const mirroring = routeOf(routeWith({ variants, shadows: [{ variant: 'green' }] }));
    const result = rollbackTarget({ kept: splits, running: null, config, route: mirroring });
    expect(result.ok && result.value.shadows).toEqual({ green: 5 });
    const ended = [kept(1, 80), kept(2, 100, { shadows: { green: 100 } }), kept(3, 100)];
    expect(target({ kept: ended })).toBe(1);
    expect(target({ kept: ended, route: mirroring })).toBe(2);
    const twice = [50, 50].map((blue, n) => kept(n + 2, blue, { shadows: { green: 100 } }));
    expect(target({ kept: [kept(1, 100), ...twice] })).toBe(1);
    // What is mirrored now ends with the way back.
    expect(target({ kept: [kept(1, 100), kept(2, 100, { shadows: { green: 100 } })] })).toBe(1);
  });
});
