/** Owns the bounds of what visitors may send: how long values may be, and how many are checked and remembered. */

/** Characters of a visitor's id: 16 bytes in base64url. */
export const ID_LENGTH = 22;
/** We set no longer cookie, so a longer one is not ours. */
export const MAX_COOKIE_LENGTH = 4_096;
/** A request with a thousand forged cookies must not buy a thousand HMACs. */
export const MAX_TAG_CHECKS = 3;

/** Length of a tag in characters: 32 bytes in base64url. */
export const TAG_LENGTH = 43;
/** Imported HMAC keys that are remembered. There is one secret, or two while it is changed. */
export const MAX_IMPORTED_KEYS = 8;

/** The longest life of a preview token. */
export const MAX_PREVIEW_MS = 86_400_000;
/** Preview tokens that are looked at in one request: each costs a signature check. */
export const MAX_PREVIEW_TOKENS = 3;
/** We make no longer preview token, so a longer one is not ours. */
export const MAX_PREVIEW_TOKEN_LENGTH = 512;

/** How long a receipt is valid: 7 days. */
export const RECEIPT_MS = 604_800_000;
/** How far ahead of our clock a receipt's time may be. Beyond that nothing can have been served yet. */
export const MAX_CLOCK_AHEAD_MS = 60_000;
/** Unit hashes that are remembered in each of two generations, and the longest unit that is remembered. */
export const MAX_REMEMBERED_HASHES = 5_000;
export const MAX_REMEMBERED_UNIT = 256;
