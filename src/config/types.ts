/**
 * Owns the config as the Worker uses it: every default filled in, durations as numbers, `match` and lists always lists, header
 * names in small letters. It is plain data (it survives JSON) and never changes once parsed; `variants`, `weights`, `plans` and
 * `prices` have no prototype, so that a name that a client sends finds nothing but what the document names.
 */

export interface Config {
  version: 1;
  cookie: CookieSettings;
  /** Origins whose pages may send outcomes, besides the own one. */
  outcomeOrigins: string[];
  webhooks: Webhook[];
  /** By model name. */
  prices: Record<string, Price>;
  routes: Route[];
}

/** How our own cookie is set. */
export interface CookieSettings {
  maxAgeDays: number;
  sameSite: 'lax' | 'strict' | 'none';
  partitioned: boolean;
}

export interface Webhook {
  url: string;
  format: 'json' | 'slack';
  /** Name of the Worker secret that signs. */
  secret?: string;
}

/** Dollars, or whatever the operator reckons in, for a million tokens. */
export interface Price {
  inputPerMillion: number;
  /** Absent: as other input. */
  cachedInputPerMillion?: number;
  outputPerMillion: number;
}

export interface Route {
  name: string;
  /** Never empty; one rule that holds is enough. */
  match: MatchRule[];
  /** By name, in the document's order. */
  variants: Record<string, Variant>;
  /** The document's, or else the first variant. */
  baseline: string;
  /** Percent for every variant (0 where the document names none); sums to 100. */
  weights: Record<string, number>;
  audience?: Audience;
  identity: IdentitySource[];
  salt: string;
  sticky: Sticky;
  requireConsent?: ConsentRule;
  /** Methods in capitals. */
  repeatable: string[];
  timeoutMs: number;
  idleTimeoutMs: number;
  failStatuses: StatusRange[];
  failover: false | { statuses: number[] };
  ejection: boolean;
  expose: boolean;
  cache: 'private' | 'preserve';
  recordPercent: number;
  receipts: boolean;
  measures: Measure[];
  shadows: Shadow[];
  guardrails: Guardrail[];
  /** What is counted also while no rollout runs, by `watchedName`: a rollout may be held against the hour before it. */
  watched: [string, Guardrail][];
  /** By name. A name of a built-in plan takes its place on this route. */
  plans: Record<string, PlanStep[]>;
  outcomes: Outcome[];
  experiment?: Experiment;
}

/** Who is pinned: nobody, those on a candidate, or every visitor until idle for so long. */
export type Sticky = boolean | { idleMs: number };

/** The cookie of the service that must have the value before anyone is assigned. */
export interface ConsentRule {
  cookie: string;
  value: string;
}

/** Statuses from one to another, both included. */
export interface StatusRange {
  from: number;
  to: number;
}

/** All that is not null or empty must hold. */
export interface MatchRule {
  /** Canonical host (`api.example.com`), `*.example.com` for any host below it, or null for any host. Never a port. */
  host: string | null;
  /** Exact path, or a prefix followed by `*`; null for any path. */
  path: string | null;
  headers: { name: string; values: string[] }[];
}

export interface Variant {
  name: string;
  origin: Origin;
  /** Set on the way, in order. */
  headers: [name: string, value: string][];
  removeHeaders: string[];
  /** `template` holds `${KEY_…}`; fillSecrets (header-rules.ts) fills it. */
  secretHeaders: { name: string; template: string }[];
  /** Top-level members to set in a JSON request body. */
  json?: Record<string, unknown>;
  health?: { path: string; expect: number };
}

/**
 * `url` never ends in `/`: target = url + path + query. `isShared`: another variant, of whichever route, has it too and may be answered
 * otherwise.
 */
export type Origin = ({ kind: 'url'; url: string } | { kind: 'service'; service: string }) & { isShared?: boolean };

/** Whom a trial concerns. */
export interface Audience {
  exclude?: AudienceEntry[];
  include?: AudienceEntry[];
}

/** All that is given must hold. */
export interface AudienceEntry {
  header?: string;
  /** The header's exact values, any of them. */
  in?: string[];
  /** ISO 3166 codes in capitals, any of them. */
  country?: string[];
  /** Exact path, or a prefix followed by `*`. */
  path?: string;
}

/** What may give the unit: a header, our cookie (`true`), somebody else's cookie by name, or a query parameter. */
export type IdentitySource = { header: string } | { cookie: true | string } | { query: string };

/** The numbers are `Server-Timing` durations where `entry` is given. */
export interface Measure {
  name: string;
  header: string;
  entry?: string;
}

export interface Shadow {
  variant: string;
  percent: number;
  /** Percent of the mirrored requests. */
  repeat: number;
  maxBodyBytes: number;
  forwardCredentials: boolean;
  samples: boolean;
  budget: { requestsPerMinute?: number; tokensPerDay?: number };
  scorer?: { origin: Origin; percent: number };
  compare: CompareRules;
}

export interface CompareRules {
  preset?: 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'workers-ai';
  ignore: string[];
  tolerance: { path: string; abs?: number; rel?: number }[];
  arrays: ArrayRule[];
  redact: string[];
}

/** Exactly one of `mode` and `keyBy` is given. */
export interface ArrayRule {
  path: string;
  mode?: 'ordered' | 'unordered';
  keyBy?: string;
}

export interface Guardrail {
  metric: string;
  critical: boolean;
  required: boolean;
  /** A rate: 0.005 is half a percentage point. */
  maxIncrease?: number;
  /** Given when, and only when, the metric is `slow`. */
  slow?: { sloMs: number; of: 'headers' | 'firstByte' | 'total' };
  per: 'unit' | 'request';
}

export interface PlanStep {
  /** Percent mirrored to the candidate; absent: as before. */
  shadow?: number;
  /** The candidate's percent; absent: as before. */
  weight?: number;
  /** Shortest duration; 0 where only approval or an experiment ends the step. */
  forMs: number;
  minSamples: number;
  /** Longest wait for evidence; absent where there is no shortest duration either. */
  maxForMs?: number;
  approval: boolean;
  experiment: boolean;
}

export interface Outcome {
  name: string;
  kind: 'conversion' | 'mean';
  goal: 'increase' | 'decrease';
  cap?: number;
}

export interface Experiment {
  id: string;
  primary: string[];
  secondary: string[];
  plannedUnits?: number;
  /** How long late outcomes count after the last planned unit; absent: as long as outcomes usually take. */
  graceMs?: number;
  segments: Segment[];
}

export interface Segment {
  name: string;
  from: { header: string } | { pointer: string };
  /** Values told apart; absent: the first ten seen. */
  values?: string[];
}
