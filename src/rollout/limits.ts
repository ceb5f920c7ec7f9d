/** Owns the bounds of the controllers: how long they wait for whom, how often they look, and how much they keep. */

/** A KV that hangs must not hang every route's controller with it. */
export const KV_READ_LIMIT_MS = 1_500;
export const KV_WRITE_LIMIT_MS = 10_000;

/** KV takes one write a second a key. */
export const BETWEEN_WRITES_MS = 1_000;
/** KV may show an older value for so long after a write of ours; what it shows then is no order of anybody's. */
export const KV_LAG_MS = 120_000;

/** Revisions of the config that are kept. */
export const MAX_REVISIONS = 50;

/** Who writes holds every other action of the route meanwhile; what lands later does no harm. */
export const BY_HAND_LIMIT_MS = 2_000;

/** While a rollout runs the outside is looked at again after this; commands always look. */
export const OUTSIDE_FRESH_MS = 2_000;
/** While KV or the config's owner is down, the rollout's own looks are rare, so that people's calls wait for none of them. */
export const AFTER_FAILURE_MS = 10_000;
/** Who looks holds every other action of the route meanwhile, the way back too. */
export const CONFIG_LIMIT_MS = 2_000;
/** A look that began so much later than its asker began before the clock was set back. */
export const CLOCK_STEP_MS = 60_000;

/** Flushes and status answer after this, whatever KV and health checks take: a flush's answer is how a way back reaches isolates. */
export const FOLLOW_LIMIT_MS = 1_000;

/** How often a controller asks while a step runs, and while a rollout only waits for a person (milliseconds). */
export const TICK_EVERY_MS = 2_000;
export const IDLE_TICK_EVERY_MS = 10_000;

/** A tick is closed when every isolate has had time to flush it. */
export const GRACE_MS = 5_000;

/** How long the longest answers are waited for when weights have changed. */
export const SETTLED_AFTER_MS = 120_000;
/** Or until the candidate has had so many trials in the step, and this part of its share: what lacks then is less than E can see (θ = 1.1). */
export const SETTLED_TRIALS = 20;
export const SETTLED_PART = 0.92;
/** Baseline trials from which its rate is a reference for a step without a concurrent baseline. */
export const MIN_REFERENCE_TRIALS = 20;

/** When what was not done is tried again, and how long a probe's answer holds. */
export const RETRY_MS = 2_000;
/** How long an action waits for KV and the config to have taken what it stored. The alarm sees to the rest. */
export const PATIENCE_MS = 1_500;
/** Isolates see a key of KV come or go a minute before others do. */
export const BY_HAND_TOLD_MS = 20_000;
/** Work that an alarm began is begun again after this, unless its end has set another time. */
export const BUSY_MS = 15_000;

/** How long a health check may take. */
export const PROBE_LIMIT_MS = 5_000;

/** How often the ledger is asked for an experiment's verdict, and how long it is waited for. */
export const LEDGER_EVERY_MS = 2_000;
export const LEDGER_LIMIT_MS = 5_000;
/** What was heard longer ago says nothing of now. */
export const VERDICT_FRESH_MS = 20_000;

/** The window of the live numbers that status shows. */
export const LIVE_WINDOW_MS = 600_000;

/** The newest of them are enough to choose from; the history tells of all. */
export const MAX_LISTED = 50;

/** How long a webhook may take, when it is tried again at first (each next try waits twice as long), and how often. */
export const POST_LIMIT_MS = 5_000;
export const FIRST_REPOST_MS = 2_000;
export const MAX_POSTS = 10;
/** Who sends a row has it to himself for so long; longer than any try, so that only a crash gives it back. */
export const LEASE_MS = 30_000;
/** Posts at once: half of what the platform lets wait, so that KV is reached all the same. */
export const POSTS_AT_ONCE = 3;

/** How long a step of a built-in plan lasts; it may take four times as long. */
export const STEP_MS = 600_000;
