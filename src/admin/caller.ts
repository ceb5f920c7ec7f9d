/** Owns who calls, why, and what they saw: the actor's name, the reason, `If-Match`. Names are for the history, not for rights. */

import type { Context, HonoRequest } from 'hono';
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

/** The split revision in `If-Match` (`"12"` or `12`); null when there is none or `*`; undefined when it is no revision. */
export function revisionSeen(request: Pick<HonoRequest, 'header'>): number | null | undefined {
  const sent = request.header('if-match');
  if (sent === undefined || sent.trim() === '*') return null;
  const found = /^(?:W\/)?"?(\d{1,15})"?$/.exec(sent.trim());
  return found === null ? undefined : Number(found[1]);
}

export function callerOf(called: Called, reason: string): Caller | null {
  const ifMatch = revisionSeen(called.req);
  return ifMatch === undefined ? null : { actor: actorOf(called), reason, ifMatch };
}
