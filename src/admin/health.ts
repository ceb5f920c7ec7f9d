/** Owns the one answer anybody may have: that the Worker runs. It says nothing of config, secrets or traffic. */

import { Hono } from 'hono/tiny';
import type { AdminEnv } from './context.ts';

export function healthRoutes() {
  return new Hono<AdminEnv>().get('/health', (c) => c.json({ status: 'ok' as const }, 200));
}
