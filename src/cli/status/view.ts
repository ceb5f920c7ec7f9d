/** Owns the whole picture of one route: traffic, then its rollout. Pure: status and screen in, lines out. */

import type { RouteStatus } from '../route.ts';
import { rolloutLines } from './rollout.ts';
import { type Screen, trafficLines } from './traffic.ts';

/** Lines of at most `screen.columns`. */
export function statusLines(status: RouteStatus, screen: Screen): string[] {
  const { rollout } = status;
  return [...trafficLines(status, screen), ...(rollout === null ? [] : ['', ...rolloutLines(rollout, screen)])];
}
