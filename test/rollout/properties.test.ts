import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/analysis/verdict.ts';
import type { PlanStep } from '../../src/config/types.ts';
import { advance } from '../../src/rollout/advance.ts';
import { type Evidence, phaseOf, type RolloutState, type Seen } from '../../src/rollout/state.ts';
import { isLegal } from '../../src/rollout/transitions.ts';
import { command, config, evidence, judged, kindsOf, seen, started, step, sumOf } from './world.ts';

const verdict = fc.constantFrom<Verdict>('pass', 'pass', 'pass', 'fail', 'marginal', 'inconclusive');

const planStep: fc.Arbitrary<PlanStep> = fc
  .record({
    weight: fc.option(
      fc.integer({ min: 0, max: 10_000 }).map((hundredths) => hundredths / 100),
      { nil: undefined },
    ),
    shadow: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
    forMs: fc.constantFrom(0, 1_000, 5_000),
    maxForMs: fc.constantFrom(undefined, 20_000),
    approval: fc.boolean(),
    experiment: fc.constantFrom(false, false, true),
  })
  .map((given) => {
    // An experiment needs two arms, so its step names a weight between 0 and 100.
    if (given.experiment) return step({ ...given, weight: Math.min(99, Math.max(1, given.weight ?? 50)) });
    return step(given.forMs === 0 ? { ...given, approval: true } : given);
  });

const event = fc.record({
  input: fc.constantFrom(
    ...(['tick', 'tick', 'tick', 'tick', 'tick', 'tick', 'tick', 'promote', 'pause', 'resume'] as const),
    ...(['abort', 'rollback'] as const),
  ),
  afterMs: fc.constantFrom(0, 500, 2_000, 2_000, 2_000, 9_000, 86_400_000, -1_000, -86_400_000),
  verdicts: fc.tuple(verdict, verdict),
  stale: fc.constantFrom(0, 0, 0, 1),
  live: fc.constantFrom(0, 99, 100, 5_000),
  compared: fc.constantFrom(0, 100),
  reference: fc.boolean(),
  experiment: fc.constantFrom(undefined, 'go', 'go', 'wait', 'stop'),
  manual: fc.constantFrom(false, false, false, false, true),
  changed: fc.constantFrom(false, false, false, false, false, true),
  healthy: fc.boolean(),
});
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

const run = fc.record({
  plan: fc.array(planStep, { minLength: 1, maxLength: 5 }),
  probed: fc.subarray(['blue', 'green']),
  events: fc.array(event, { minLength: 1, maxLength: 60 }),
});

function look(state: RolloutState, given: Event): { now: Seen; shown: Evidence } {
  const judgements = [judged(given.verdicts[0]), judged(given.verdicts[1], 'rejected')];
  const experiment = given.experiment && { verdict: given.experiment as 'go', sentence: given.experiment };
  const shown = evidence(state, null, {
    judgements,
    stepRun: state.stepRun - given.stale,
    samples: { live: given.live, compared: given.compared },
    reference: given.reference,
    ...(experiment && { experiment }),
  });
  const answer = { ok: given.healthy, detail: 'answered' };
  const now = seen(state.lastMs + given.afterMs, shown, {
    byHand: given.manual,
    health: { blue: answer, green: answer },
    ...(given.changed && { config: { ...config, variants: 'hash-2' } }),
  });
  return { now, shown };
}

/** Runs the events and lets `check` see each step of the way. */
function play(
  { plan, probed, events }: { plan: PlanStep[]; probed: string[]; events: Event[] },
  check: (from: RolloutState, given: Event, to: RolloutState, effects: string[]) => void,
): void {
  let state: RolloutState = { ...started(plan), probed };
  for (const given of events) {
    const { now } = look(state, given);
    const answer = advance(state, given.input === 'tick' ? { kind: 'tick' } : command(given.input), now);
    if (!answer.ok) {
      expect(given.input).not.toBe('tick');
      continue;
    }
    // What is stored is JSON, so the next input must find the same in what comes back.
    const next = JSON.parse(JSON.stringify(answer.value.state)) as RolloutState;
    check(state, given, next, kindsOf(answer.value.effects));
    state = next;
  }
}

const share = (state: RolloutState): number => state.split.weights.green ?? 0;

describe('whatever happens to a rollout', () => {
  it('it only ever makes the transitions of the table', () => {
    fc.assert(
      fc.property(run, (given) =>
        play(given, (from, { input }, to) => {
          const stays = phaseOf(from) === phaseOf(to) && from.step === to.step;
          if (input === 'tick' && stays) return;
          const change = `${phaseOf(from)} ${input} ${phaseOf(to)}`;
          expect([change, isLegal(phaseOf(from), input, phaseOf(to))]).toEqual([change, true]);
        }),
      ),
      { numRuns: 500 },
    );
  });

  it('its weights sum to 100, and name no more than candidate and baseline', () => {
    fc.assert(
      fc.property(run, (given) =>
        play(given, (_, __, { split }) => {
          expect(sumOf(split.weights)).toBe(100);
          expect(Object.values(split.weights).every((weight) => weight >= 0)).toBe(true);
        }),
      ),
      { numRuns: 300 },
    );
  });

  it('the candidate gets more traffic only by a promote, or after time, samples and every required pass', () => {
    fc.assert(
      fc.property(run, (given) =>
        play(given, (from, { input, verdicts, stale, live, compared, manual, changed }, to) => {
          if (share(to) <= share(from) || input === 'promote') return;
          expect(input).toBe('tick');
          expect([manual, changed, phaseOf(from)]).toEqual([false, false, 'progressing']);
          const { forMs, minSamples } = from.steps[from.step]!;
          expect(from.creditedMs + 6_000).toBeGreaterThanOrEqual(forMs);
          if (share(from) > 0) {
            expect([verdicts, stale]).toEqual([['pass', 'pass'], 0]);
            expect(live).toBeGreaterThanOrEqual(minSamples);
          } else if ((from.split.shadows.green ?? 0) > 0) {
            expect(compared).toBeGreaterThanOrEqual(minSamples);
          }
        }),
      ),
      { numRuns: 1000 },
    );
  });

  it('a failing critical guardrail leaves the candidate no traffic, unless the way back is known to be down', () => {
    fc.assert(
      fc.property(run, (given) =>
        play(given, (from, { input, verdicts, healthy }, to) => {
          if (input !== 'tick' || !verdicts.includes('fail') || from.end !== null) return;
          if (share(from) === 100 && !healthy && from.probed.includes('blue')) return;
          expect([phaseOf(to), share(to)]).toEqual(['aborted', 0]);
        }),
      ),
      { numRuns: 500 },
    );
  });

  it('the end is the end', () => {
    fc.assert(
      fc.property(run, (given) =>
        play(given, (from, _, to, effects) => {
          if (from.end === null) return;
          expect(to).toEqual(from);
          expect(effects).toEqual([]);
        }),
      ),
      { numRuns: 300 },
    );
  });

  it('a step is never credited with more time than its clock can have shown', () => {
    fc.assert(
      fc.property(run, (given) =>
        play(given, (from, _, to) => {
          if (to.stepRun === from.stepRun) {
            expect(to.creditedMs - from.creditedMs).toBeLessThanOrEqual(6_000);
            expect(to.creditedMs).toBeGreaterThanOrEqual(from.creditedMs);
          } else expect(to.creditedMs).toBe(0);
        }),
      ),
      { numRuns: 300 },
    );
  });
});
