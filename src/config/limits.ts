/** Owns the bounds of reading the config: how long isolates wait for KV, and how often they look. */

/** How long a visitor waits for KV. */
export const WAIT_MS = 1_000;
/** And how long what nobody waits for may take. */
export const BACKGROUND_READ_MS = 10_000;
/** The least that KV takes. */
export const KV_MIN_CACHE_SECONDS = 30;
/** How long a split waits for the config that it was made for: KV may show that minutes after the split. */
export const CONFIG_LAG_MS = 300_000;
/** A route without requests for so long is no longer refreshed. */
export const ACTIVE_MS = 600_000;
/** Keys of one bulk read (the platform's bound is 100). */
export const BULK_KEYS = 100;
/** The copy in the Cache API is written again after this, even when nothing changed. */
export const RESAVE_MS = 3_600_000;

/** How long the Cache API may keep the last good. */
export const MAX_AGE_SECONDS = 2_592_000;
/** A visitor waits for it, after KV has had its second. */
export const CACHE_LIMIT_MS = 500;

/** A document of more UTF-8 bytes than this is refused unread. */
export const MAX_CONFIG_BYTES = 65_536;

/** Statuses of a candidate that failover replaces, where the config names none. */
export const FAILOVER_STATUSES = [429, 502, 503, 504];

/** No real document is deeper, and hashing walks down as far as it goes. */
export const MAX_JSON_DEPTH = 32;

/** The longest timeout, and the longest time that may count as not slow: a day. */
export const MAX_TIMEOUT_MS = 86_400_000;
