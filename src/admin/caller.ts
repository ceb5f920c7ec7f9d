/** Owns who calls, why, and what they saw: the actor's name, the reason, `If-Match`. Names are for the history, not for rights. */

import type { Context } from 'hono';
import type { Caller } from '../rollout/calls.ts';
import type { AdminEnv } from './context.ts';

const MAX_NAME = 64;

type Called = Pick<Context<AdminEnv>, 'req' | 'var'>;

/** The name that Access vouches for, else the one that the CLI's `--as` (or the caller's header) gives; `api` without any. */
export function actorOf({ req, var: { actor } }: Called): string {
  if (actor !== undefined) return actor;
  const sent = req.header('x-headgate-actor');
  if (sent === undefined || sent === '') return 'api';
  try {
    return decodeURIComponent(sent).slice(0, MAX_NAME);
  } catch {
    return sent.slice(0, MAX_NAME);
  }
}

/** What `If-Match` names, without its quotes; null where there is none, or `*`. */
export function etagSeen({ req }: Pick<Called, 'req'>): string | null {
  const sent = req.header('if-match')?.trim() ?? '*';
  return sent === '*' ? null : sent.replace(/^W\//, '').replace(/^"|"$/g, '');
}

/** Who calls; null where `If-Match` is no revision of a split (`"12"` or `12`). */
export function callerOf(called: Called, reason: string): Caller | null {
  const seen = etagSeen(called);
  if (seen !== null && !/^\d{1,15}$/.test(seen)) return null;
  return { actor: actorOf(called), reason, ifMatch: seen === null ? null : Number(seen) };
}
