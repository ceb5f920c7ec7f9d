/**
 * Owns the one question that a request may wait for: an isolate that wakes up during a rollout asks the controller whether its
 * split is still in force (design section 2), 100 ms at most, then goes on with what it knows.
 */

import type { RouteState } from '../config/route-state.ts';
import type { ConfigStore } from '../config/store.ts';
import { controllerOf, type Env } from '../env.ts';

/** A split that was confirmed longer ago is asked about while a rollout runs. */
export const CONFIRM_AFTER_MS = 15_000;
const WAIT_MS = 100;

export class Confirmations {
  /** When a route's split was last confirmed, by a flush's answer or by asking. */
  #atMs = new Map<string, number>();
  #store: ConfigStore;

  constructor(store: ConfigStore) {
    this.#store = store;
  }

  confirmed(route: string, nowMs: number): void {
    this.#atMs.set(route, nowMs);
  }

  /** The state to serve by. At once for nearly every request; a promise for those that wake an isolate during a rollout. */
  check(state: RouteState, env: Env, nowMs: number): RouteState | Promise<RouteState> {
    const { inForce, route } = state;
    if (inForce.rollout === null || inForce.source === 'weights' || env.CONTROLLER === undefined) return state;
    if (nowMs - (this.#atMs.get(route.name) ?? -Infinity) < CONFIRM_AFTER_MS) return state;
    return this.#ask(state, env);
  }

  async #ask(state: RouteState, env: Env): Promise<RouteState> {
    const { name } = state.route;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, WAIT_MS, null);
    });
    try {
      const asking = controllerOf(env, name)!.newerSplit(name, state.inForce.revision);
      // Taken whenever it comes: too late for this request is in time for the next one.
      asking.then(
        (split: string | null) => split !== null && this.#store.offer(name, split),
        () => {},
      );
      await Promise.race([asking, late]);
    } catch (cause) {
      console.warn(`route ${name}: the controller could not confirm the split: ${cause}`);
    } finally {
      clearTimeout(timer);
      // Also when it did not answer: the next flush asks again, and no visitor waits twice for a controller that is down.
      this.confirmed(name, Date.now());
    }
    return this.#store.peek(name) ?? state;
  }
}
