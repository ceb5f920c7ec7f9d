/** Owns the lines that the controls write into a route's history themselves: what its controller had no part in. */

import type { Context } from 'hono';
import { controllerOf } from '../env.ts';
import { actorOf } from './caller.ts';
import type { AdminEnv } from './context.ts';

/** What stands in no history is done nevertheless: the history being away refuses nothing. Never rejects. */
export async function noted(c: Context<AdminEnv>, route: string, action: string, reason: string): Promise<void> {
  try {
    await controllerOf(c.env, route)?.note(route, { actor: actorOf(c), action, reason, before: null, after: null });
  } catch (cause) {
    console.error('history', route, action, cause);
  }
}
