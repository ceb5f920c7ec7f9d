/** Owns the bounds of the admin API: how long it waits for whom, and how much it takes. */

/** A call may probe two variants, look at KV and write to it; a status waits for the call before it; the config's owner only reads. */
export const CALL_LIMIT_MS = 30_000;
export const STATUS_LIMIT_MS = 15_000;
export const KEEPER_LIMIT_MS = 5_000;

/** KV hangs in some outages: it keeps nobody from checking a config, nor from asking doctor. */
export const KV_LIMIT_MS = 2_000;

/** A Worker may make 50 calls for each of its own on the free plan; a look at more than this takes several. */
export const MAX_DOCTOR_ROUTES = 8;
export const MAX_PROBES = 24;
export const PROBES_AT_ONCE = 5;

/** Of one report of outcomes. */
export const MAX_OUTCOMES_BYTES = 65_536;
export const MAX_OUTCOMES = 100;
/** Outcomes a minute in one isolate by cookie: of one unit, and from one address (which a whole office may share). */
export const MAX_BY_UNIT = 60;
export const MAX_BY_ADDRESS = 600;

/** Access and Workers keep the same time; this is for seconds that were rounded. */
export const CLOCK_TOLERANCE_S = 5;
/** Characters of a name in the history. */
export const MAX_ACTOR = 128;
/** RFC 7518 §3.3: 2,048 bits or more, here in characters. */
export const MIN_MODULUS = 342;

/** After this the keys are fetched again; Access goes on with a key for a week after it has a new one. */
export const KEYS_FRESH_MS = 3_600_000;
/** Keys that could not be looked at again for so long are trusted no more. */
export const KEYS_TRUSTED_MS = 86_400_000;
/** A token can name any key: made-up names must not become a flood of requests to Access. */
export const KEYS_AGAIN_MS = 60_000;
/** After a failure; but for that, a cold isolate would stay closed for a minute. */
export const KEYS_RETRY_MS = 5_000;
/** How long Access is waited for, how often another request's look is looked for, and how much is read. */
export const KEYS_LIMIT_MS = 3_000;
export const KEYS_LOOK_MS = 20;
export const MAX_KEYS_BYTES = 65_536;

/** Most bytes an admin call may carry. The largest document has 64 KiB. */
export const MAX_BODY_BYTES = 262_144;
