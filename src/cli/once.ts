/**
 * Owns the question whether a rollout has been begun already, for jobs that run again: a start whose answer was lost, or a pipeline that was
 * killed, must not begin a second one, nor take a bad release out once more. It moves no traffic.
 */

import type { Entry } from '../rollout/journal.ts';
import type { Connected } from './client.ts';
import { lookAt, paramOf, type RouteStatus } from './route.ts';

/** All that one call gives of the history. */
const MAX_ENTRIES = '500';

/** The route's status if its newest rollout was begun to this variant for this reason, however that went; else null. */
export async function begunFor(
  route: string,
  { to, reason }: { to: string; reason: string },
  connected: Connected,
): Promise<RouteStatus | null> {
  const status = await lookAt(route, connected);
  if (status.rollout?.to !== to) return null;
  // A route has one rollout at a time: the newest start is the newest rollout's.
  const begun = await newestStart(route, connected);
  return begun === `step 1 of ${status.rollout.steps}: ${reason}` ? status : null;
}

/** The reason of the newest start in the history, where refusals stand too: as many as somebody tried. */
async function newestStart(route: string, { client, ask }: Connected): Promise<string | undefined> {
  let before: string | undefined;
  for (;;) {
    const query = { limit: MAX_ENTRIES, before };
    const call = client.api.routes[':route'].history.$get({ param: paramOf(route), query });
    const { entries, next } = (await ask(call)) as { entries: Entry[]; next: number | null };
    const started = entries.find(({ action }) => action === 'started');
    if (started !== undefined || next === null) return started?.reason;
    before = String(next);
  }
}
