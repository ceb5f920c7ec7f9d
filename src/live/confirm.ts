/**
 * Owns the one question that a request may wait for: an isolate that wakes up during a rollout asks the controller whether its
 * split is still in force (design section 2), 100 ms at most, then goes on with what it knows.
 */

import type { RouteState } from '../config/route-state.ts';
import type { ConfigStore } from '../config/store.ts';
import { controllerOf, type Env } from '../env.ts';
import { atMost } from '../limit.ts';
import { CONFIRM_AFTER_MS, CONFIRM_LIMIT_MS } from './limits.ts';

/** When each route's split was last confirmed in this isolate. */
export class Confirmations {
  /** By route, in milliseconds: by a flush's answer, or by asking. */
  #atMs = new Map<string, number>();
  #store: ConfigStore;

  constructor(store: ConfigStore) {
    this.#store = store;
  }

  /** Notes that a route's split is the newest. */
  confirmed(route: string, nowMs: number): void {
    this.#atMs.set(route, nowMs);
  }

  /** The state to serve by. At once for nearly every request; a promise for those that wake an isolate during a rollout. */
  readonly check = (state: RouteState, env: Env, nowMs: number): RouteState | Promise<RouteState> => {
    const { inForce, route } = state;
    if (inForce.rollout === null || inForce.source === 'weights' || env.CONTROLLER === undefined) return state;
    if (Math.abs(nowMs - (this.#atMs.get(route.name) ?? -Infinity)) < CONFIRM_AFTER_MS) return state;
    return this.#ask(state, env);
  };

  async #ask(state: RouteState, env: Env): Promise<RouteState> {
    const { name } = state.route;
    await atMost(this.#take(name, state.inForce.revision, env), CONFIRM_LIMIT_MS);
    // Noted also if it did not answer: the next flush asks again, and no second visitor waits for a controller that is down.
    this.confirmed(name, Date.now());
    return this.#store.peek(name) ?? state;
  }

  /** Takes the answer whenever it comes: too late for this request is in time for the next one. */
  async #take(route: string, revision: number, env: Env): Promise<void> {
    try {
      const split = await controllerOf(env, route)!.newerSplit(route, revision);
      if (split !== null) this.#store.offer(route, split);
    } catch (cause) {
      console.warn(`route ${route}: the controller did not answer: ${cause}`);
    }
  }
}
