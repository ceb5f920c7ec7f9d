/** Owns who calls, why, and what they saw: the actor's name, the reason, `If-Match`. Names are for the history, not for rights. */

import type { HonoRequest } from 'hono';
import type { Caller } from '../rollout/calls.ts';

const MAX_NAME = 64;

/** The actor that the CLI's `--as` (or the caller's header) names; `api` where nobody did. */
export function actorOf(request: Pick<HonoRequest, 'header'>): string {
  const sent = request.header('x-headgate-actor');
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

export function callerOf(request: Pick<HonoRequest, 'header'>, reason: string): Caller | null {
  const ifMatch = revisionSeen(request);
  return ifMatch === undefined ? null : { actor: actorOf(request), reason, ifMatch };
}
