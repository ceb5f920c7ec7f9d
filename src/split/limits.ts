/** Owns the bounds of what visitors may send: how long values may be, and how many are checked and remembered. */

/** Characters of a visitor's id: 16 bytes in base64url. */
export const ID_LENGTH = 22;
/** A longer cookie is not ours. */
export const MAX_VALUE_LENGTH = 4_096;
/** A request with a thousand forged cookies must not buy a thousand HMACs. */
export const MAX_CHECKS = 3;

/** Length of a tag in characters: 32 bytes in base64url. */
export const TAG_LENGTH = 43;
/** Imported keys that are remembered: there is one secret, or two while it changes. */
export const MAX_KEYS = 8;

/** The longest life of a token. */
export const MAX_PREVIEW_MS = 86_400_000;
/** Each is a signature to check. */
export const MAX_TOKENS = 3;
/** A longer token is not ours. */
export const MAX_TOKEN_LENGTH = 512;

/** How long a receipt is valid: 7 days. */
export const RECEIPT_MS = 604_800_000;
/** A clock may be a little ahead of ours; more is no time at which anything was served. */
export const AHEAD_MS = 60_000;
/** Hashes of units that are remembered, in each of two generations, and the longest unit that is. */
export const MAX_HASHES = 5_000;
export const MAX_REMEMBERED_UNIT = 256;
