/** Owns the joining of shadows to the request plane: which requests are watched, and what is done with them afterwards. */

import type { Config } from '../config/types.ts';
import type { Observer, Watcher } from '../forward/served.ts';
import type { FlushAnswer } from '../live/batch.ts';
import type { Flusher } from '../live/flush.ts';
import { MirrorBudget } from './budget.ts';
import { mirror } from './mirror.ts';
import { type MirrorPlan, planMirror } from './plan.ts';

/** One isolate's shadows. */
export class ShadowPlane {
  #budget = new MirrorBudget();
  #flusher: Flusher;
  #prices: () => Config['prices'];

  constructor(flusher: Flusher, prices: () => Config['prices']) {
    this.#flusher = flusher;
    this.#prices = prices;
  }

  readonly watch: Watcher = (about) => planMirror(about, Math.random);

  readonly observe: Observer = (served, env, ctx) => {
    if (served.watch === null) return;
    const work = { env, ctx, budget: this.#budget, flusher: this.#flusher, prices: this.#prices() };
    ctx.waitUntil(mirror(served, served.watch as MirrorPlan, work));
  };

  /** Takes a controller's answer: budgets are shared by all isolates of a route. */
  told(route: string, answer: FlushAnswer): void {
    const nowMs = Date.now();
    for (const [candidate, tokensToday] of Object.entries(answer.tokensToday)) {
      this.#budget.told(`${route}/${candidate}`, { share: 1 / Math.max(1, answer.isolates), tokensToday }, nowMs);
    }
  }
}
