/** Owns what is known of one exchange from its decision on, and of the request plane that it is part of. Types only. */

import type { RouteState } from '../config/route-state.ts';
import type { ConfigStore } from '../config/store.ts';
import type { Env } from '../env.ts';
import type { FailoverBudget } from './budget.ts';
import type { Decision } from './decide.ts';
import type { Ejections } from './ejection.ts';
import type { Incoming } from './incoming.ts';
import type { Observer, Watch, Watcher } from './served.ts';
import type { Upload } from './upload.ts';

/** What one isolate's request plane remembers between requests, and whom it tells. */
export interface Plane {
  store: ConfigStore;
  ejections: Ejections;
  budget: FailoverBudget;
  /** Confirms with the controller a split that may have changed while this isolate slept. At once for nearly every request. */
  confirm: (state: RouteState, env: Env, nowMs: number) => RouteState | Promise<RouteState>;
  watcher: Watcher;
  observers: readonly Observer[];
}

/** A visitor's request, what was decided about it, and what is needed to answer it. */
export interface Exchange extends Incoming {
  env: Env;
  ctx: ExecutionContext;
  plane: Plane;
  state: RouteState;
  decision: Decision;
  upload: Upload;
  /** The request's body with the variant's JSON members set; null where there is nothing to set. */
  spliced: Uint8Array | null;
  /** The client's headers, cleaned; the variant's own are added for each try. */
  headers: Headers;
  /** What an observer asked to be kept; null for nearly every request. */
  watch: Watch | null;
  requestId: string;
  configHash: string;
  startedAtMs: number;
}
