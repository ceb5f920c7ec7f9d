/**
 * Owns the copy of the last good documents in the Cache API, for a cold isolate that cannot reach KV (design section 4).
 * Every call fails open to "nothing there": the cache is a fallback and never a condition.
 */

import { hex, sha256 } from '../digest.ts';
import type { Env } from '../env.ts';
import { withLimit } from '../limit.ts';
import { CACHE_LIMIT_MS, MAX_AGE_SECONDS } from './limits.ts';

/** The texts under the KV keys, as they were when they were last known good. */
export interface LastGood {
  config: string;
  routes: Record<string, RouteTexts>;
}

/** The texts under a route's two keys; null where there is none. */
export interface RouteTexts {
  split: string | null;
  weights: string | null;
}

/** The copy, or null when there is none (or the cache is down or not there, as on workers.dev). */
export async function readLastGood(env: Env): Promise<LastGood | null> {
  try {
    const reading = caches.default.match(await keyOf(env)).then((cached) => cached?.json<LastGood>());
    return (await withLimit(reading, CACHE_LIMIT_MS)) ?? null;
  } catch {
    return null;
  }
}

/** Writes the copy, with the texts of the routes of these names alone: what the config no longer has would pile up for ever. */
export async function writeLastGood(env: Env, documents: LastGood, names: readonly string[]): Promise<void> {
  try {
    const headers = { 'content-type': 'application/json', 'cache-control': `max-age=${MAX_AGE_SECONDS}` };
    // Other isolates serve other routes.
    const all = { ...(await readLastGood(env))?.routes, ...documents.routes };
    const routes = Object.fromEntries(names.map((name) => [name, all[name]]));
    await caches.default.put(await keyOf(env), new Response(JSON.stringify({ ...documents, routes }), { headers }));
  } catch {
    // The next refresh tries again.
  }
}

/** One zone's cache is shared by its Workers, so the key comes from what only this Worker knows. */
async function keyOf(env: Env): Promise<string> {
  const own = JSON.stringify([env.COOKIE_SECRET, env.ADMIN_TOKEN, env.ADMIN_HOST, env.FALLBACK_ORIGIN]);
  return `https://headgate.invalid/last-good/${hex(await sha256(own))}`;
}
