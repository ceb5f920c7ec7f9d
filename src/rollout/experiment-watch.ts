/**
 * Owns what a controller knows of the experiment that its rollout's step carries. It asks the ledger in the background, and no tick waits
 * for the answer: a ledger that hangs must not hold up a way back. An answer that is missing, or not fresh, is no evidence.
 */

import { splitInForce } from '../config/inforce.ts';
import type { Split } from '../config/split.ts';
import type { Route } from '../config/types.ts';
import { type Env, ledgerOf } from '../env.ts';
import { planOf } from '../experiment/plan.ts';
import type { Report } from '../experiment/report.ts';
import { type StepVerdict, stepVerdict } from '../experiment/verdict.ts';
import { withLimit } from '../limit.ts';
import { LEDGER_EVERY_MS, LEDGER_LIMIT_MS, VERDICT_FRESH_MS } from './limits.ts';
import { type RolloutState, stepOf } from './state.ts';

type Waiter = Pick<DurableObjectState, 'waitUntil'>;

/** The newest verdict of the ledger. */
export class ExperimentWatch {
  #env: Env;
  #ctx: Waiter;
  #route: string;
  #heard: (StepVerdict & { run: string; atMs: number }) | null = null;
  #askedAtMs = -Infinity;
  #isAsking = false;

  constructor(env: Env, ctx: Waiter, route: string) {
    this.#env = env;
    this.#ctx = ctx;
    this.#route = route;
  }

  /** What is known for this run of the step; asks again, in the background, when that is due. */
  hear(
    state: RolloutState,
    known: { route: Route | null; split: Split | null },
    nowMs: number,
  ): StepVerdict | undefined {
    if (!stepOf(state).experiment) return undefined;
    const lacking = this.#lacking(state, known.route);
    if (lacking !== null) return { verdict: 'wait', sentence: `experiment ${state.experiment}: ${lacking}` };
    // The absolute value: the clock may have been set back.
    if (!this.#isAsking && Math.abs(nowMs - this.#askedAtMs) >= LEDGER_EVERY_MS) {
      this.#askedAtMs = nowMs;
      this.#ctx.waitUntil(this.#ask(state, known.route!, known.split));
    }
    const heard = this.#heard;
    const isOfNow = heard !== null && heard.run === runOf(state) && Math.abs(nowMs - heard.atMs) < VERDICT_FRESH_MS;
    return isOfNow ? { verdict: heard.verdict, sentence: heard.sentence } : undefined;
  }

  /** Why the ledger can never give a verdict, or null. */
  #lacking({ experiment }: RolloutState, route: Route | null): string | null {
    if (experiment === undefined || route?.experiment?.id !== experiment) {
      return 'the route no longer declares it; bring it back, or promote';
    }
    return this.#env.LEDGER && this.#env.COOKIE_SECRET ? null : 'nothing is counted without LEDGER and COOKIE_SECRET';
  }

  async #ask(state: RolloutState, route: Route, split: Split | null): Promise<void> {
    const { experiment, to } = state;
    this.#isAsking = true;
    try {
      const plan = planOf({ route, inForce: splitInForce({ route, split, weights: null }) })!;
      const report = await withLimit(ledgerOf(this.#env, this.#route, experiment!)!.report(plan), LEDGER_LIMIT_MS);
      this.#heard = { ...stepVerdict(report as unknown as Report, to), run: runOf(state), atMs: Date.now() };
    } catch (cause) {
      console.warn(`experiment ${experiment}: the ledger did not answer: ${cause}`);
    } finally {
      this.#isAsking = false;
    }
  }
}

/** Tells a run of a step from those of other rollouts, which count theirs alike. */
const runOf = ({ id, stepRun }: RolloutState): string => `${id}/${stepRun}`;
