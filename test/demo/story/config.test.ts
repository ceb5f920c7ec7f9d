import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { rolloutBody } from '../../../src/admin/schemas.ts';
import { trialFaults } from '../../../src/admin/trial.ts';
import { parseConfig } from '../../../src/config/parse.ts';
import { storyConfig } from '../../../src/demo/story/config.ts';
import { FAST, FEEDBACK_GUARDRAILS, FULL, GUARDRAILS } from '../../../src/demo/story/plans.ts';

describe('the config of the story', () => {
  it('is valid, begins with everything on blue and no copies, and has both bad releases', () => {
    const parsed = parseConfig(storyConfig(readFileSync('src/demo/config.json', 'utf8')), { unknownKeys: 'fault' });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    const [route] = parsed.value.config.routes;
    expect(route).toMatchObject({
      name: 'detect',
      baseline: 'blue',
      weights: { blue: 100, green: 0, broken: 0, wrong: 0 },
      shadows: [{ variant: 'green', percent: 0 }],
      receipts: true,
      outcomes: [{ name: 'correct', kind: 'conversion' }],
    });
  });
});

describe('the plans of the story', () => {
  const plans = [FULL, FAST].flatMap((one) => [one.shadow, one.canary, one.broken]);

  it.each(plans)('are taken by the rollout call: %j', (...plan) => {
    const body = v.parse(rolloutBody, { to: 'green', plan, guardrails: GUARDRAILS.map((one) => ({ ...one })) });
    expect(trialFaults(body)).toEqual([]);
  });

  it('may be guarded by feedback too', () => {
    const guardrails = FEEDBACK_GUARDRAILS.map((one) => ({ ...one }));
    const body = v.parse(rolloutBody, { to: 'wrong', plan: FULL.broken, guardrails });
    expect(trialFaults(body)).toEqual([]);
    expect(guardrails.at(-1)).toMatchObject({ metric: 'outcome:correct', critical: true });
  });

  it.each([FULL, FAST])(
    'end the canary with all traffic, and never let the broken release get that far in time',
    (one) => {
      expect(one.canary.at(-1)!.weight).toBe(100);
      expect(one.broken[0]!.weight).toBeLessThanOrEqual(20);
      expect(one.broken[0]!.for).toBe('40s');
    },
  );
});
