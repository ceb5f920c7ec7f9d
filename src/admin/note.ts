/** Owns the history entries that the admin API writes itself, about what a route's controller had no part in. */

import type { Context } from 'hono';
import { controllerOf } from '../env.ts';
import { actorOf } from './caller.ts';
import type { AdminEnv } from './context.ts';

/** Writes an entry. If the history cannot be reached, that is logged, and what was done stays done. Never rejects. */
export async function noted(c: Context<AdminEnv>, route: string, action: string, reason: string): Promise<void> {
  try {
    await controllerOf(c.env, route)?.note(route, { actor: actorOf(c), action, reason, before: null, after: null });
  } catch (cause) {
    console.error('history', route, action, cause);
  }
}
