/**
 * Owns the names and units of what is recorded about a request, a comparison and an outcome (design section 8).
 * It refuses to know where a member is stored: that is `columns.ts`, which is held to these names by the compiler.
 *
 * An absent number is left out, never set to 0 or -1. An absent text is the empty string or left out: the two are one.
 */

/** Why a request went where it went. */
export type RequestReason = 'hash' | 'pin' | 'preview' | 'failover' | 'ejected' | 'json_unfit' | 'only';

/** One request and its reply: the origin's, or ours with an `errorCode`. A try that the visitor saw nothing of may have no `status`. */
export interface RequestRow {
  route: string;
  variant: string;
  reason: RequestReason;
  method?: string;
  /** Path without query: queries carry secrets. */
  path?: string;
  /** Code of our own answer, or of what went wrong; empty when nothing did. */
  errorCode?: string;
  rollout?: string;
  revision?: string;
  configHash?: string;
  colo?: string;
  requestId?: string;
  status?: number;
  headersMs?: number;
  totalMs?: number;
  bytes?: number;
  /** 1 when the request failed (design section 11), else 0. */
  failed?: number;
}

/** Two replies to one request and what they say about each other. `live…` is the baseline's, `candidate…` the candidate's. */
export interface ComparisonRow {
  route: string;
  baseline: string;
  candidate: string;
  role: 'candidate' | 'repeat' | 'counterfactual';
  class: 'skipped' | 'timeout' | 'error' | 'status-mismatch' | 'body-mismatch' | 'match';
  reason?: string;
  method?: string;
  path?: string;
  bodyKind?: string;
  dialect?: string;
  firstDiff?: string;
  diffs?: string;
  rollout?: string;
  revision?: string;
  configHash?: string;
  colo?: string;
  requestId?: string;
  liveFinish?: string;
  candidateFinish?: string;
  liveStatus?: number;
  candidateStatus?: number;
  liveHeadersMs?: number;
  candidateHeadersMs?: number;
  liveFirstByteMs?: number;
  candidateFirstByteMs?: number;
  liveTotalMs?: number;
  candidateTotalMs?: number;
  liveBytes?: number;
  candidateBytes?: number;
  diffCount?: number;
  ignoredCount?: number;
  /** 0 to 1. */
  similarity?: number;
  liveTokensIn?: number;
  liveTokensOut?: number;
  candidateTokensIn?: number;
  candidateTokensOut?: number;
  liveCost?: number;
  candidateCost?: number;
}

/** One event credited to the variant that its unit was shown. */
export interface OutcomeRow {
  route: string;
  /** Id of the experiment, empty for an outcome credited without one. */
  experiment?: string;
  variant: string;
  metric: string;
  value?: number;
}

export interface Rows {
  requests: RequestRow;
  comparisons: ComparisonRow;
  outcomes: OutcomeRow;
}

export type Dataset = keyof Rows;
