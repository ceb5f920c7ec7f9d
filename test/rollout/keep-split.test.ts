import { describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import type { PlanStep } from '../../src/config/types.ts';
import { Journal } from '../../src/rollout/journal.ts';
import { keepSplit } from '../../src/rollout/keep-split.ts';
import type { RolloutState, SplitDraft, Standing } from '../../src/rollout/state.ts';
import { routeOf } from '../shadow/served.ts';
import { storage } from './sqlite.ts';
import { canary, started, step } from './world.ts';

const variants = (green = 'https://green.example') => ({
  blue: { url: 'https://blue.example' },
  green: { url: green },
});
const route = routeOf({ variants: variants(), baseline: 'blue' });
const changed = routeOf({ variants: variants('https://other.example'), baseline: 'blue' });

const standing = (revision: number, blue: number): Standing => ({
  revision,
  weights: { blue, green: 100 - blue },
  shadows: {},
  baseline: 'blue',
  salt: '',
});

const draft = (blue: number, changes: Partial<SplitDraft> = {}): SplitDraft => ({
  ...{ weights: { blue, green: 100 - blue }, shadows: {}, baseline: 'blue', salt: '', rollout: null },
  ...{ variants: variantsHash(route), by: 'ada', reason: 'because', ...changes },
});

/** Keeps splits one after another, in a route that nothing is in force on but the config, and tells what is kept. */
function kept(
  splits: {
    draft: SplitDraft;
    inForce: Standing | null;
    now?: typeof route | null;
    rollout?: RolloutState;
    restores?: number;
  }[],
  seen = { kvRevision: 0, reported: 0 },
) {
  const journal = new Journal(storage().sql);
  for (const { draft, inForce, now = route, rollout = null, restores = null } of splits) {
    const config = now && { variants: variantsHash(now), names: ['blue', 'green'], baseline: 'blue' };
    const view = { route: now, kvRevision: seen.kvRevision };
    keepSplit(journal, draft, { view, config, inForce, reported: seen.reported, rollout, restores, at: 'now' });
  }
  return journal.kept();
}

const shares = (splits: ReturnType<typeof kept>) => splits.map(({ revision, weights }) => [revision, weights.blue]);

describe('a split that is kept', () => {
  it('has the weights of the config before it, when it is the first, so that there is a way back', () => {
    const splits = kept([{ draft: draft(90), inForce: standing(0, 70) }]);
    expect(shares(splits)).toEqual([
      [0, 70],
      [1, 90],
    ]);
    expect(splits[0]).toMatchObject({ by: 'config', variants: variantsHash(route) });
  });

  it('has what the baseline served before it, where the variants had changed since the last one', () => {
    const first = { draft: draft(90), inForce: standing(0, 100) };
    const second = { draft: draft(50), inForce: standing(1, 100), now: changed };
    expect(shares(kept([first, second]))).toEqual([
      [0, 100],
      [1, 90],
      [2, 100],
      [3, 50],
    ]);
  });

  it('has what another baseline made of the last one before it', () => {
    const first = { draft: draft(90), inForce: standing(0, 100) };
    const second = { draft: draft(50), inForce: { ...standing(1, 0), baseline: 'green' } };
    expect(shares(kept([first, second]))).toEqual([
      [0, 100],
      [1, 90],
      [2, 0],
      [3, 50],
    ]);
  });

  it.each([
    { why: 'the last one is in force', first: {}, second: {} },
    { why: 'a rollout was under way in the last one', first: { rollout: 'r-1' }, second: { now: changed } },
    { why: 'it is itself a way back', first: {}, second: { now: changed, restores: 0 } },
  ])('has nothing else beside it where $why', ({ first, second }) => {
    const splits = kept([
      { draft: draft(90, first), inForce: standing(0, 100) },
      { draft: draft(50), inForce: standing(1, 90), ...second },
    ]);
    expect(splits.map(({ revision }) => revision)).toEqual([0, 1, 2]);
  });

  it('has a number above the one in KV and all that isolates have told of', () => {
    const one = { draft: draft(90), inForce: null };
    expect(kept([one], { kvRevision: 40, reported: 7 })[0]!.revision).toBe(41);
    expect(kept([one], { kvRevision: 7, reported: 60 })[0]!.revision).toBe(61);
  });

  it('says which mirrors were asked for by name, and of a way back none', () => {
    const first = { draft: draft(100, { shadows: { green: 20 } }), inForce: standing(0, 100) };
    const back = { draft: draft(90, { shadows: { green: 30 } }), inForce: standing(1, 100), restores: 0 };
    expect(kept([first]).at(-1)!.plainShadows).toEqual(['green']);
    expect(kept([first, back]).at(-1)!.plainShadows).toEqual([]);
    const shadows = [{ variant: 'green', percent: 20 }];
    const now = routeOf({ variants: variants(), baseline: 'blue', shadows });
    expect(kept([{ ...first, now }]).at(-1)!.plainShadows).toEqual([]);
  });

  it('has nothing beside it where its route is gone from the config', () => {
    const first = { draft: draft(90), inForce: standing(0, 100) };
    const gone = { draft: draft(100), inForce: standing(1, 90), now: null };
    expect(kept([first, gone]).map(({ revision }) => revision)).toEqual([0, 1, 2]);
  });

  const watching = (plan: PlanStep[], rollout: string | null = 'r-20261123-1') => {
    const [split] = kept([{ draft: draft(100, { rollout }), inForce: null, rollout: started(plan) }]);
    return split!.guardrails?.map(({ metric }) => metric);
  };

  it('has isolates judge requests in a rollout that moves traffic, also before it does', () => {
    expect(watching(canary)).toEqual(['errors', 'rejected']);
    expect(watching([step({ shadow: 100 }), step({ weight: 5 })])).toEqual(['errors', 'rejected']);
  });

  it('has isolates judge none where the candidate never gets any, nor when the rollout is over', () => {
    expect(watching([step({ shadow: 100 })])).toBeUndefined();
    expect(watching(canary, null)).toBeUndefined();
  });
});
