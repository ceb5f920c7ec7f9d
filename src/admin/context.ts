/** Owns what every admin handler may rely on: the bindings, and the few things the app is given from outside. */

import type { Config } from '../config/types.ts';
import type { Env } from '../env.ts';

/** Hono's environment for the admin app. */
export type AdminEnv = { Bindings: Env };

export interface AdminDeps {
  /** The newest valid config, or null when there is none. May reject when KV does; the caller answers 500 then. */
  loadConfig: (env: Env) => Promise<Config | null>;
}

/** Where the admin app is mounted. */
export const adminBase = '/_headgate';

/** The path below the mount point: `/api/records`, whether the app is mounted or stands alone. */
export function adminPath(path: string): string {
  if (path === adminBase) return '/';
  return path.startsWith(`${adminBase}/`) ? path.slice(adminBase.length) : path;
}
