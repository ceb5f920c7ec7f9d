/**
 * Owns the documents in the isolate's memory: when they are read again, how long a request may wait for them, and what serves
 * when KV does not (design section 4). It keeps values, never promises: a promise of one request must not be awaited by
 * another. It fails towards the newest valid document, then the last good copy, then null (the caller has FALLBACK_ORIGIN).
 */

import type { Env } from '../env.ts';
import { withLimit } from '../limit.ts';
import { contentHash } from './hash.ts';
import { type LastGood, type RouteTexts, readLastGood, writeLastGood } from './last-good.ts';
import { ACTIVE_MS, BACKGROUND_READ_MS, BULK_KEYS, KV_MIN_CACHE_SECONDS, RESAVE_MS, WAIT_MS } from './limits.ts';
import { parseConfig } from './parse.ts';
import { firstFault } from './path.ts';
import { nextState, type RouteState, unreadState } from './route-state.ts';
import { parseSplit } from './split.ts';
import type { Config, Route } from './types.ts';

/** A valid config in memory. The object's identity stands for the document: derived values may be kept beside it. */
export interface Loaded {
  config: Config;
  text: string;
  hash: string;
}

type Waiter = Pick<ExecutionContext, 'waitUntil'>;

interface Known {
  state: RouteState;
  usedAtMs: number;
}

/** One isolate's documents. Nothing here rejects: what cannot be read stays as it was. */
export class ConfigStore {
  #loaded: Loaded | null = null;
  #refusedText: string | null = null;
  #known = new Map<string, Known>();
  #readAtMs = -Infinity;
  /** When the read began that brought what is in memory: a slower one that began earlier must not replace it. */
  #newestReadBeganMs = -Infinity;
  #attemptAtMs = -Infinity;
  #savedAtMs = -Infinity;
  #changed = false;
  #hasWarned = false;
  /** Whether the last try to read a first config failed: then nobody waits for the next one. */
  #isColdFailed = false;

  /**
   * The config to serve by, at once where memory has one that is fresh enough. A stale one starts a refresh in the background;
   * a very stale one, or none, is waited for, 1 s at most. Null when there is nothing to serve by.
   */
  current(env: Env, ctx: Waiter, nowMs: number): Loaded | null | Promise<Loaded | null> {
    const refreshMs = refreshMsOf(env);
    // A clock that was set back must not stop us from looking until it has caught up.
    const ageMs = Math.abs(nowMs - this.#readAtMs);
    if (this.#loaded !== null && ageMs < refreshMs) return this.#loaded;
    // Single flight by timestamp: the request that starts an attempt waits for it, the others go on with what there is.
    const sinceAttemptMs = Math.abs(nowMs - this.#attemptAtMs);
    if (this.#loaded === null) {
      return this.#isColdFailed && sinceAttemptMs < WAIT_MS ? null : this.#awaitCold(env, ctx, nowMs);
    }
    if (sinceAttemptMs < refreshMs) return this.#loaded;
    this.#attemptAtMs = nowMs;
    if (ageMs < waitAfterMs(refreshMs)) {
      ctx.waitUntil(this.#refresh(env, ctx, BACKGROUND_READ_MS));
      return this.#loaded;
    }
    return this.#refresh(env, ctx, WAIT_MS).then(() => this.#loaded);
  }

  /** What is in force on a route: at once when it is known, else after one read of its keys (1 s at most). */
  stateOf(env: Env, ctx: Waiter, route: Route, nowMs: number): RouteState | Promise<RouteState> {
    const known = this.#known.get(route.name);
    // A route that nobody asked for was not refreshed: what is known of it may be hours old.
    if (known?.state.route === route && nowMs - known.usedAtMs < ACTIVE_MS) {
      known.usedAtMs = nowMs;
      return known.state;
    }
    return this.#firstState(env, ctx, route, nowMs);
  }

  /** Takes a split that came from the controller, unless a newer one is known. KV is still read, and may lag behind. */
  offer(routeName: string, splitText: string): void {
    const known = this.#known.get(routeName);
    if (known === undefined) return;
    const weights = known.state.texts?.weights ?? null;
    this.#takeRoute(known.state.route, { split: splitText, weights });
  }

  /** The newest valid config, read now (for the admin API); what is in memory where KV does not answer. */
  async read(env: Env, ctx: Waiter): Promise<Loaded | null> {
    await this.#refresh(env, ctx, WAIT_MS);
    return this.#loaded;
  }

  /** The config in memory, however old, without reading. */
  get loaded(): Loaded | null {
    return this.#loaded;
  }

  /** What this isolate knows of a route, without reading. */
  peek(routeName: string): RouteState | null {
    return this.#known.get(routeName)?.state ?? null;
  }

  async #awaitCold(env: Env, ctx: Waiter, nowMs: number): Promise<Loaded | null> {
    this.#attemptAtMs = nowMs;
    // Requests that come during this attempt wait as well, and are not refused for an earlier failure: KV may be well again.
    this.#isColdFailed = false;
    await this.#refresh(env, ctx, WAIT_MS);
    const copy = this.#loaded === null ? await readLastGood(env) : null;
    // Another request may have read KV meanwhile.
    if (copy !== null && this.#loaded === null) this.#restore(copy, env);
    this.#isColdFailed = this.#loaded === null;
    return this.#loaded;
  }

  #restore(copy: LastGood, env: Env): void {
    this.#takeConfig(copy.config, env);
    for (const route of this.#loaded?.config.routes ?? []) {
      const texts = copy.routes[route.name];
      if (texts !== undefined) this.#takeRoute(route, texts, Date.now());
    }
    this.#changed = false;
  }

  async #firstState(env: Env, ctx: Waiter, route: Route, nowMs: number): Promise<RouteState> {
    // The request may have waited for the config already: KV gets a second in all.
    const texts = await readKeys(env, keysOf(route.name), Math.max(0, nowMs + WAIT_MS - Date.now()));
    if (texts !== null) {
      const take = () => this.#takeRoute(route, textsOf(route.name, texts), nowMs);
      let state = take();
      // Isolates that are up still serve by the valid weights or split that a typing error replaced: so must a new one.
      const isLost = (state.refused && !state.weights) || isBroken(state);
      const good = isLost && (await readLastGood(env))?.routes[route.name];
      if (good) {
        this.#takeRoute(route, good);
        state = take();
      }
      this.#save(env, ctx);
      return state;
    }
    // What memory holds is old, or of an earlier config, but it is the last that is known of the keys.
    const copied = this.#known.get(route.name)?.state.texts ?? (await readLastGood(env))?.routes[route.name];
    if (copied) return this.#takeRoute(route, copied, nowMs);
    const state = unreadState(route);
    this.#known.set(route.name, { state, usedAtMs: nowMs });
    ctx.waitUntil(this.#refresh(env, ctx, BACKGROUND_READ_MS));
    return state;
  }

  /** Reads the config and the active routes' keys in as few operations as KV allows. What cannot be read stays as it was. */
  async #refresh(env: Env, ctx: Waiter, limitMs: number): Promise<void> {
    const nowMs = Date.now();
    const active = [...this.#known].filter(([, known]) => nowMs - known.usedAtMs < ACTIVE_MS).map(([name]) => name);
    const keys = ['config', ...active.flatMap(keysOf)];
    const texts = await readKeys(env, keys, limitMs);
    if (texts === null) {
      // Counted from the end, so that while KV hangs one request in each refresh interval waits, and not one after another.
      this.#attemptAtMs = Date.now();
      if (!this.#hasWarned) console.warn('KV could not be read; the last good goes on serving');
      this.#hasWarned = true;
      return;
    }
    // A slow read must not bring back what a later one has replaced.
    if (nowMs < this.#newestReadBeganMs && nowMs > this.#newestReadBeganMs - BACKGROUND_READ_MS - 1_000) return;
    this.#newestReadBeganMs = nowMs;
    this.#readAtMs = Date.now();
    this.#hasWarned = false;
    const config = texts.get('config') ?? null;
    // Absence is no order to stop: KV caches misses, and deleting the config must not take a running service down.
    if (config !== null && config !== this.#loaded?.text) this.#takeConfig(config, env);
    const routes = new Map(this.#loaded?.config.routes.map((route) => [route.name, route]));
    for (const name of this.#known.keys()) if (!routes.has(name)) this.#known.delete(name);
    for (const name of active) {
      const route = routes.get(name);
      if (route !== undefined) this.#takeRoute(route, textsOf(name, texts), undefined, nowMs);
    }
    this.#save(env, ctx);
  }

  #takeConfig(text: string, env: Env): void {
    if (text === this.#refusedText) return;
    const parsed = parseConfig(text, { unknownKeys: 'warn', adminHost: env.ADMIN_HOST });
    if (!parsed.ok) {
      this.#refusedText = text;
      const why = `${firstFault(parsed.error)} (${parsed.error.length} faults; headgate validate lists them)`;
      console.error(`config is refused whole, the last good goes on serving: ${why}`);
      return;
    }
    const { warnings } = parsed.value;
    if (warnings.length > 0) console.warn(`config: ${firstFault(warnings)} (${warnings.length} warnings)`);
    this.#refusedText = null;
    this.#loaded = { config: parsed.value.config, text, hash: contentHash(text) };
    this.#changed = true;
  }

  /** `usedAtMs` is given when a request asked; a refresh alone keeps no route active, and says when it read. */
  #takeRoute(route: Route, texts: RouteTexts, usedAtMs?: number, readAtMs?: number): RouteState {
    const before = this.#known.get(route.name);
    const state = nextState(route, texts, before?.state, (message) => console.error(message), readAtMs);
    if (state !== before?.state) this.#changed = true;
    this.#known.set(route.name, { state, usedAtMs: usedAtMs ?? before?.usedAtMs ?? Date.now() });
    return state;
  }

  #save(env: Env, ctx: Waiter): void {
    const nowMs = Date.now();
    if (this.#loaded === null || (!this.#changed && nowMs - this.#savedAtMs < RESAVE_MS)) return;
    this.#changed = false;
    this.#savedAtMs = nowMs;
    const routes: Record<string, RouteTexts> = {};
    for (const [name, { state, usedAtMs }] of this.#known) {
      const { texts, split, refused } = state;
      // A refused text must not replace a good copy, and an inactive route's old texts no newer ones.
      if (texts === null || refused || nowMs - usedAtMs >= ACTIVE_MS) continue;
      // In the place of garbage the split that serves, if there is one: weights by hand beside it must be kept.
      if (!isBroken(state)) routes[name] = texts;
      else if (split!.revision) routes[name] = { ...texts, split: JSON.stringify(split) };
    }
    const { config, text } = this.#loaded;
    const names = config.routes.map(({ name }) => name);
    ctx.waitUntil(writeLastGood(env, { config: text, routes }, names));
  }
}

/** Whether the text of the split is none. */
const isBroken = ({ texts }: RouteState): boolean => typeof texts?.split === 'string' && !parseSplit(texts.split).ok;

function refreshMsOf(env: Env): number {
  const refreshMs = Number(env.CONFIG_REFRESH_SECONDS) * 1000;
  return refreshMs > 0 && refreshMs < Infinity ? refreshMs : 30_000;
}

/** The age from which a request waits for a new value. An operator who sets 2 s or less wants changes to show at the next request. */
function waitAfterMs(refreshMs: number): number {
  return refreshMs * (refreshMs <= 2_000 ? 2 : 4);
}

/** The keys of a route beside the config. */
export function keysOf(routeName: string): string[] {
  return [`split:${routeName}`, `weights:${routeName}`];
}

/** What was read under a route's keys. */
export function textsOf(routeName: string, texts: ReadonlyMap<string, string | null>): RouteTexts {
  return { split: texts.get(`split:${routeName}`) ?? null, weights: texts.get(`weights:${routeName}`) ?? null };
}

/** The texts under the keys (null where there is none), or null when KV rejects or does not answer in time. */
function readKeys(env: Env, keys: string[], limitMs: number): Promise<Map<string, string | null> | null> {
  return withLimit(readAll(env, keys), limitMs).catch(() => null);
}

/** The texts under the keys, null where there is none. */
export async function readAll(env: Pick<Env, 'CONFIG'>, keys: string[]): Promise<Map<string, string | null>> {
  const texts = new Map<string, string | null>();
  for (let from = 0; from < keys.length; from += BULK_KEYS) {
    const some = keys.slice(from, from + BULK_KEYS);
    const found = await env.CONFIG.get(some, { type: 'text', cacheTtl: KV_MIN_CACHE_SECONDS });
    for (const key of some) texts.set(key, textOf(found.get(key)));
  }
  return texts;
}

/** A value as text, null where it is absent. Throws for anything else: a KV that is down may answer with it. */
function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw new TypeError('KV answered no text');
  return value;
}
