/** Owns the bounds of the admin API: how long it waits for whom, and how much it takes. */

/** Time limits: of a call, which may probe two variants, read KV and write it; of a status; of a read from the config's owner. */
export const CALL_LIMIT_MS = 30_000;
export const STATUS_LIMIT_MS = 15_000;
export const KEEPER_LIMIT_MS = 5_000;

/** How long KV is waited for: if it hangs, a config can still be checked, and doctor still answers. */
export const KV_LIMIT_MS = 2_000;

/** What doctor looks at in one call: on the free plan a Worker may make 50 subrequests. Larger configs take several calls. */
export const MAX_DOCTOR_ROUTES = 8;
export const MAX_PROBES = 24;
export const PROBES_AT_ONCE = 5;

/** The most bytes, and the most items, of one report of outcomes. */
export const MAX_OUTCOMES_BYTES = 65_536;
export const MAX_OUTCOMES = 100;
/** Outcomes by cookie that one isolate takes in a minute: for one unit, and from one address (which a whole office may share). */
export const MAX_BY_UNIT = 60;
export const MAX_BY_ADDRESS = 600;

/** Wrong credentials that an address may send in a minute: enough that a stale script does not lock out a colleague at once. */
export const MAX_WRONG_TOKENS = 100;

/** Clocks of Access and Workers agree; this allows for rounded seconds. */
export const CLOCK_TOLERANCE_S = 5;
/** Characters of an Access name in the history. */
export const MAX_ACTOR = 128;
/** RFC 7518 §3.3: 2,048 bits or more, here in characters. */
export const MIN_MODULUS = 342;

/** Older keys are fetched again. (Access keeps an old key valid for a week after it has a new one.) */
export const KEYS_FRESH_MS = 3_600_000;
/** Keys that could not be fetched again for this long are no longer trusted. */
export const KEYS_TRUSTED_MS = 86_400_000;
/** The shortest time between fetches: a token can name any key, and made-up names must not become a flood of requests to Access. */
export const KEYS_AGAIN_MS = 60_000;
/** The same after a failure: otherwise a cold isolate would let nobody in for a minute. */
export const KEYS_RETRY_MS = 5_000;
/** How long Access may take, how often another request's fetch is polled, and how much is read. */
export const KEYS_LIMIT_MS = 3_000;
export const KEYS_LOOK_MS = 20;
export const MAX_KEYS_BYTES = 65_536;

/** Most bytes an admin call may carry. The largest document has 64 KiB. */
export const MAX_BODY_BYTES = 262_144;
