/** Owns what every admin handler may rely on: the bindings, and the few things the app is given from outside. */

import type { RouteState } from '../config/route-state.ts';
import type { Config, Route } from '../config/types.ts';
import type { Env } from '../env.ts';

/** Hono's environment for the admin app. `actor`: the name of who called, where it was proved and not only said. */
export type AdminEnv = { Bindings: Env; Variables: { actor?: string } };

type Waiter = Pick<ExecutionContext, 'waitUntil'>;

/** The two ways to the config, with what a route serves by. Null where there is none that is valid. */
export interface AdminDeps {
  /** Read from KV now; what is in memory where KV does not answer. */
  loadConfig: (env: Env) => Promise<Config | null>;
  /** What the isolate serves by, from its memory: for outcomes, which must cost no read. */
  serving: {
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
