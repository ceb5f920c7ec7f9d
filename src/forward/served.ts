/**
 * Owns what the request plane tells its observers about a request that it has served, one `Served` for each try. Records, tallies
 * and shadows read it; the request plane knows none of them, and nothing that they do can reach the visitor.
 */

import type { InForce } from '../config/inforce.ts';
import type { Route } from '../config/types.ts';
import type { Env } from '../env.ts';
import type { RequestReason } from '../records/rows.ts';
import type { Ends, Prefix } from './copies.ts';
import type { Decision } from './decide.ts';
import type { EventEnds } from './event-ends.ts';
import type { Incoming } from './incoming.ts';
import type { BodyReport } from './pump.ts';
import type { Upload } from './upload.ts';

/** One try at one variant, as it went. */
export interface Served extends Pick<Incoming, 'request' | 'method' | 'url' | 'sent'> {
  route: Route;
  inForce: InForce;
  configHash: string;
  requestId: string;
  /** The unit that is counted; null where the request names none. */
  unit: string | null;
  variant: string;
  reason: RequestReason;
  /** Whether this request says something about its variant: assigned by hash or pin, and answered by it. */
  isEvidence: boolean;
  /** Whether the request bore a valid preview token, whichever variant answered: such requests are counted nowhere. */
  isPreview: boolean;
  /** `Decision.dealt`, or null: the variant of the unit's arm where another was to answer, or where no later rollout may judge by it. */
  dealt: string | null;
  startedAtMs: number;
  /** When the origin was asked: later than the start by what the request's own body took. */
  askedAtMs: number;
  headersAtMs: number;
  /** Null when the origin gave no answer. */
  status: number | null;
  /** The status of our own answer in its place; null where the origin answered, or where the visitor got another try's answer. */
  ownStatus: number | null;
  /** Our own code when the origin gave none; empty otherwise. */
  errorCode: string;
  /** Whether the baseline answered well in this try's place. Then the try is a failure whatever its status (mostly a 429). */
  isMadeGood: boolean;
  /** Whether the visitor got another try's answer and not this one's, so that its times are nobody's wait. */
  isLost: boolean;
  /** For the baseline's answer after failover: the variant it stands in for, and when the visitor began to wait; else null. */
  standsIn: { variant: string; startedAtMs: number } | null;
  body: BodyReport | Promise<BodyReport>;
  /** What the watcher asked for. Null when nothing was asked, and for a try whose answer the visitor did not get. */
  watch: Watch | null;
  /** The answer's body as it was sent (encoded), up to `watch.captureBytes`; whole when `body` has ended. */
  captured: Prefix | null;
  /** The first and last events of an event stream, where a guardrail judges how streams end. Those of a coded stream are in `ends`. */
  events: EventEnds | null;
  /** The answer's first and last bytes as sent (encoded), where usage is wanted or a coded stream's end. */
  ends: Ends | null;
  /** How many variants have weight. */
  armCount: number;
  /** The origin's response headers, not ours; null when it gave no answer. */
  responseHeaders: Headers | null;
  /** The request's headers, cleaned. Free of any variant's own headers only where the exchange is watched. */
  cleanedHeaders: Headers;
  upload: Upload;
}

/** What should be kept of an exchange that has not begun yet. Watchers may extend it with what they need later. */
export interface Watch {
  /** Bytes of the answer's body to copy. A watched request's body is copied up to the upload's bound. */
  captureBytes: number;
}

/** Says before a request is sent whether it will be wanted. Cheap: it runs before the visitor has an answer. */
export type Watcher = (about: { method: string; route: Route; inForce: InForce; decision: Decision }) => Watch | null;

/** Looks at a served request. It may work on in `ctx.waitUntil`. */
export type Observer = (served: Served, env: Env, ctx: ExecutionContext) => void;

/** Whether a status is a failure: any 5xx, and what the route's `failStatuses` add. */
export function isFailStatus(route: Pick<Route, 'failStatuses'>, status: number): boolean {
  return status >= 500 || route.failStatuses.some(({ from, to }) => status >= from && status <= to);
}

/**
 * Whether a request failed (design section 11): its origin could not be reached, timed out, answered 5xx or a status
 * of the route's `failStatuses`, or broke off its body, or the baseline had to make it good (section 6). A client that left
 * is nobody's failure.
 */
export function hasFailed(
  served: Pick<Served, 'route' | 'status' | 'errorCode' | 'isMadeGood'>,
  body: BodyReport,
): boolean {
  if (served.errorCode === 'client_left' || served.errorCode === 'client_stalled') return false;
  if (served.isMadeGood || served.status === null || isFailStatus(served.route, served.status)) return true;
  return body.end === 'cut' || body.end === 'stalled';
}
