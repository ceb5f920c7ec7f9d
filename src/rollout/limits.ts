/** Owns the bounds of the controllers: how long they wait for whom, how often they look, and how much they keep. */

/** How long a read, and a write, of KV may take: if KV hangs, the controllers must not hang with it. */
export const KV_READ_LIMIT_MS = 1_500;
export const KV_WRITE_LIMIT_MS = 10_000;

/** KV takes one write a second a key. */
export const BETWEEN_WRITES_MS = 1_000;
/** How long KV may show an older value after a write of ours: until then an old value is not taken for somebody's change. */
export const KV_LAG_MS = 120_000;

/** Revisions of the config that are kept. */
export const MAX_REVISIONS = 50;

/** How long the write that ends manual mode may take: other actions on the route wait for it. If it lands later, that does no harm. */
export const BY_HAND_LIMIT_MS = 2_000;

/** While a rollout runs, config and KV are read again when they are older than this; for commands always. */
export const OUTSIDE_FRESH_MS = 2_000;
/** While KV or the config's owner is down, ticks read them only this often, so that people's calls need not wait for those reads. */
export const AFTER_FAILURE_MS = 10_000;
/** How long a read of the config may take: every other action on the route waits for it, a way back too. */
export const CONFIG_LIMIT_MS = 2_000;
/** If the newest read began this much after its asker's time, the clock was set back since, and the asker reads again. */
export const CLOCK_STEP_MS = 60_000;

/** Flushes and status calls are answered after this at the latest, whatever KV and health checks take: flushes carry ways back. */
export const FOLLOW_LIMIT_MS = 1_000;

/**
 * How often a rollout ticks while a step runs, and while it only waits for a person. That may be for weeks, also on a route that the config
 * no longer has, and each such tick reads KV and writes rows; where there is traffic, each flush ticks anyway.
 */
export const TICK_EVERY_MS = 2_000;
export const IDLE_TICK_EVERY_MS = 60_000;

/** How long after its end a tick of evidence is closed: isolates need time to flush it. */
export const GRACE_MS = 5_000;

/** A step has settled after this: by then also slow answers to its first requests have ended. */
export const SETTLED_AFTER_MS = 120_000;
/** Or once the candidate has this many trials in the step, and this part of its share: E cannot see the rest (θ = 1.1 at least). */
export const SETTLED_TRIALS = 20;
export const SETTLED_PART = 0.92;
/** Baseline trials from which its rate is a reference for a step without a concurrent baseline. */
export const MIN_REFERENCE_TRIALS = 20;
/**
 * Fewer than this many, or than this part of what the hour before the rollout had (72 s of it), tell less than that hour: after a
 * blue-green switch the baseline goes on answering for seconds, until all isolates know.
 */
export const ENOUGH_TRIALS = 1_000;
export const ENOUGH_PART = 0.02;
/** Bad units of the baseline that tell how often they are bad at first. With many more, the worst of them would have fallen silent. */
export const FIRST_BAD = 20;

/** After how long work that failed is tried again, and how long a health check's answer holds. */
export const RETRY_MS = 2_000;
/** How long an action waits for KV and the config to take what it stored. After that the alarm sees to it. */
export const PATIENCE_MS = 1_500;
/** How long an isolate's report of weights by hand holds: isolates may see a key of KV come or go a minute before the controller does. */
export const BY_HAND_TOLD_MS = 20_000;
/** Work that an alarm started is started again after this, unless it has set another time by then. */
export const BUSY_MS = 15_000;

/** How long a health check may take. */
export const PROBE_LIMIT_MS = 5_000;

/** How often the ledger is asked for an experiment's verdict, and how long it is waited for. */
export const LEDGER_EVERY_MS = 2_000;
export const LEDGER_LIMIT_MS = 5_000;
/** An experiment's verdict that is older than this does not count. */
export const VERDICT_FRESH_MS = 20_000;

/** The window of the live numbers that status shows. */
export const LIVE_WINDOW_MS = 600_000;

/** How many splits a rollback's preview lists, newest first. The history has all. */
export const MAX_LISTED = 50;

/** How long one try of a webhook may take, when the first retry comes (each next one waits twice as long), and how many tries there are. */
export const POST_LIMIT_MS = 5_000;
export const FIRST_REPOST_MS = 2_000;
export const MAX_POSTS = 10;
/** How long a queued webhook is reserved for whoever sends it: longer than any try, so that another sender takes it only after a crash. */
export const LEASE_MS = 30_000;
/** Webhooks sent at once: half the connections that the platform allows, so that KV can still be reached. */
export const POSTS_AT_ONCE = 3;

/** How long a step of a built-in plan lasts; it may take four times as long. */
export const STEP_MS = 600_000;
