/** Owns what every admin handler may rely on: the bindings, and the few things the app is given from outside. */

import type { RouteState } from '../config/route-state.ts';
import type { Config, Route } from '../config/types.ts';
import type { Env } from '../env.ts';

/** Hono's environment for the admin app. `actor`: the name of who called, where it was proved and not only said. */
export type AdminEnv = { Bindings: Env; Variables: { actor?: string } };

type Waiter = Pick<ExecutionContext, 'waitUntil'>;

export interface AdminDeps {
  /** The newest valid config, or null when there is none. May reject when KV does; the caller answers 500 then. */
  loadConfig: (env: Env) => Promise<Config | null>;
  /** What the isolate serves by, from its memory: for outcomes, which must cost no read. Absent, none are taken. */
  serving?: {
    config: (env: Env, ctx: Waiter) => Promise<Config | null>;
    state: (env: Env, ctx: Waiter, route: Route) => Promise<RouteState>;
  };
}

/** Where the admin app is mounted. */
export const adminBase = '/_headgate';

/** The path below the mount point: `/api/records`. */
export function adminPath(path: string): string {
  return path.slice(adminBase.length) || '/';
}
