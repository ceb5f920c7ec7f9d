/** Owns how many units a day a route meets, as far as it can be known before and while an experiment runs. */

import type { Connected } from '../client.ts';
import { paramOf } from '../route.ts';
import { Stop } from '../stop.ts';
import { isTooEarly, type Report } from './report.ts';

const DAY_MS = 86_400_000;
/** Of a shorter time nothing can be said about a day. */
const AT_LEAST_MS = 600_000;

/** How many units, or requests, a day bring. */
export interface Traffic {
  perDay: number;
  /** Requests where no experiment has counted units: never fewer than units. */
  counted: 'units' | 'requests';
}

/** Units a day by the route's experiment, once it has counted for an hour; else the requests of the last day. Throws `Stop` where nothing came. */
export async function trafficOf(route: string, connected: Connected, nowMs: number): Promise<Traffic> {
  const measured = await unitsPerDay(route, connected);
  if (measured !== null) return { perDay: measured, counted: 'units' };
  const { client, ask } = connected;
  const query = { width: '1m', minutes: '1440' } as const;
  const { points } = await ask(client.api.routes[':route'].series.$get({ param: paramOf(route), query }));
  const requests = points.reduce((sum, point) => sum + point.requests, 0);
  if (requests === 0) {
    throw new Stop({
      exitCode: 1,
      code: 'no_traffic',
      what: `${route} had no traffic in the last day.`,
      mend: 'say how many units a day you expect by --per-day',
    });
  }
  const since = Math.min(...points.map(({ at }) => Date.parse(at)));
  const lastedMs = Math.min(DAY_MS, Math.max(AT_LEAST_MS, nowMs - since));
  return { perDay: (requests * DAY_MS) / lastedMs, counted: 'requests' };
}

async function unitsPerDay(route: string, { client, ask }: Connected): Promise<number | null> {
  try {
    const report = (await ask(client.api.routes[':route'].experiment.$get({ param: paramOf(route) }))) as Report;
    return isTooEarly(report) ? null : report.unitsPerDay;
  } catch (cause) {
    if (cause instanceof Stop && ['no_experiment', 'no_ledger'].includes(cause.trouble.code ?? '')) return null;
    throw cause;
  }
}
