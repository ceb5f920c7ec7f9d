/** Owns what a controller knows of its route from outside: the config, and weights by hand. The newest known; a failed read is not absence. */

import { variantsHash } from '../config/hash.ts';
import { parseConfig } from '../config/parse.ts';
import { parseSplit, parseWeights, type Split } from '../config/split.ts';
import { keysOf, readAll, textsOf } from '../config/store.ts';
import type { Config, Route } from '../config/types.ts';
import { configKeeperOf, type Env } from '../env.ts';
import { withLimit } from '../limit.ts';
import type { Fault } from '../result.ts';
import { AFTER_FAILURE_MS, CLOCK_STEP_MS, CONFIG_LIMIT_MS, KV_READ_LIMIT_MS, OUTSIDE_FRESH_MS } from './limits.ts';
import type { Seen } from './state.ts';

/** What was last seen outside. */
export interface RouteView {
  /** Null when the config was never read, or no longer has the route. */
  route: Route | null;
  /** Whether the config was ever read. */
  isKnown: boolean;
  /** Whether the route's keys in KV were ever read. */
  isKvKnown: boolean;
  webhooks: Config['webhooks'];
  /** Weights by hand, null when manual mode is off. */
  byHand: Record<string, number> | null;
  /** Why the text under the key of weights by hand is refused, null where it is not. */
  byHandFault: Fault | null;
  /** The highest revision that KV has shown. */
  kvRevision: number;
  /** The split in KV, where it is one. */
  kvSplit: Split | null;
}

/** The looks of one route’s controller at config and KV. */
export class RouteSource {
  #env: Env;
  #name: string;
  #view: RouteView;
  #text: string | null = null;
  #readAtMs = -Infinity;
  #beganAtMs = -Infinity;
  #failedAtMs = -Infinity;

  /** `byHand` is what was known before a restart: until KV is read again, nothing says that it has gone. */
  constructor(env: Env, name: string, byHand: RouteView['byHand']) {
    this.#env = env;
    this.#name = name;
    this.#view = {
      route: null,
      isKnown: false,
      isKvKnown: false,
      webhooks: [],
      byHand,
      byHandFault: null,
      kvRevision: 0,
      kvSplit: null,
    };
  }

  get view(): RouteView {
    return this.#view;
  }

  /** Looks again, at what is older than `freshMs`. */
  async read(nowMs: number, freshMs = OUTSIDE_FRESH_MS): Promise<RouteView> {
    // Whoever asked before the newest look began need not look once more: where KV hangs, each look holds everybody.
    const isSeen = nowMs < this.#beganAtMs && this.#beganAtMs < nowMs + CLOCK_STEP_MS;
    if (isSeen || Math.abs(nowMs - this.#readAtMs) < freshMs) return this.#view;
    if (freshMs > 0 && Math.abs(nowMs - this.#failedAtMs) < AFTER_FAILURE_MS) return this.#view;
    this.#readAtMs = nowMs;
    this.#beganAtMs = Date.now();
    const failed = (cause: unknown) => {
      this.#failedAtMs = Date.now();
      console.warn(`config or KV could not be read: ${cause}`);
    };
    const texts = withLimit(readAll(this.#env, keysOf(this.#name)), KV_READ_LIMIT_MS);
    texts.catch(() => {});
    // Weights are read by the route's variants, so the config is taken first.
    await this.#readConfig().catch(failed);
    await texts.then((found) => this.#takeKv(found), failed);
    // A slow look is fresh when it ends.
    this.#readAtMs = Date.now();
    return this.#view;
  }

  /** What `advance` must know of the config. */
  seenConfig(): Seen['config'] {
    const { route } = this.#view;
    if (route === null) return null;
    return { variants: variantsHash(route), names: Object.keys(route.variants), baseline: route.baseline };
  }

  async #readConfig(): Promise<void> {
    const keeper = configKeeperOf(this.#env);
    const current = keeper === null ? null : await withLimit(keeper.currentConfig(), CONFIG_LIMIT_MS);
    if (current === null || current.text === this.#text) return;
    const parsed = parseConfig(current.text, { unknownKeys: 'warn' });
    if (!parsed.ok) return;
    this.#text = current.text;
    const { config } = parsed.value;
    const route = config.routes.find(({ name }) => name === this.#name) ?? null;
    this.#view = { ...this.#view, route, isKnown: true, webhooks: config.webhooks };
  }

  #takeKv(texts: Map<string, string | null>): void {
    const { split, weights } = textsOf(this.#name, texts);
    const parsed = split === null ? null : parseSplit(split);
    const kvSplit = parsed?.ok ? parsed.value : this.#view.kvSplit;
    const kvRevision = Math.max(this.#view.kvRevision, kvSplit?.revision ?? 0);
    this.#view = { ...this.#view, isKvKnown: true, ...this.#byHand(weights), kvRevision, kvSplit };
  }

  /** A text that is no valid weights is not served by isolates either: what was in force stays. */
  #byHand(text: string | null): Partial<RouteView> {
    if (text === null) return { byHand: null, byHandFault: null };
    const { route } = this.#view;
    if (route === null) return {};
    const parsed = parseWeights(text, route);
    return parsed.ok ? { byHand: parsed.value, byHandFault: null } : { byHandFault: parsed.error[0]! };
  }
}
