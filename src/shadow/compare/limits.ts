/** Owns the bounds of comparing: how deep and how far two answers are looked at, and what is sure of their fields. */

/** Levels of nesting, values visited, differences kept, distinct fields kept. */
export const MAX_DEPTH = 64;
export const MAX_NODES = 1_000_000;
export const MAX_KEPT_DIFFERENCES = 20;
export const MAX_FIELDS = 64;
/** Characters of a field's path: the controller keeps many. */
export const MAX_FIELD_CHARS = 256;

/** Past this many on both sides, leftover items are paired in order instead of by likeness, which is quadratic. */
export const MAX_MATCHED = 32;

/** `**` patterns can make many states; past this many they are worked out anew instead of being kept. */
export const MAX_KEPT_NODES = 4096;

/** Longest text, in UTF-16 units, for which each edit is counted; beyond, words are. */
export const MAX_LEVENSHTEIN = 4000;
/** Two different texts are never called wholly alike, however many words they share. */
export const ALMOST_ONE = 0.9999;

/**
 * A whole document shorter than this share of what the other side has sent so far cannot be the same document but for
 * ignored members; nearer to the cap these could make up for it.
 */
export const SHORT_SHARE = 0.9;

/** Whole chance of ever calling a harmless field real, over all fields and all looks. */
export const FIELD_ALPHA = 0.05;
/** Fewer differing pairs than this are never called real. */
export const MIN_DIFFERING = 5;
/** Fields followed one by one; later ones are counted together under `OTHER_FIELDS`. */
export const MAX_FOLLOWED = 200;
/** Stands for all fields past the cap. */
export const OTHER_FIELDS = '**';
/** Distinct fields that a batch may bring; a document whose member names are ids would bring thousands. */
export const MAX_WAITING_FIELDS = 500;
/** Calling a field noise moves no traffic and hides no count, so it asks for less evidence. */
export const NOISE_ALPHA = 0.05;
/** "Twice as often" is what noise must be told apart from; the bets are on ratios from a quarter to one. */
export const NOISE_RATIO = 2;

/** Characters of each excerpt: 200 samples of three stay under 2.5 MB in the controller. */
export const MAX_EXCERPT = 2_047;

/** Bytes by which a body of no declared type is known. */
export const SNIFFED_BYTES = 1_024;

/** Of text whose tokens nobody counted. */
export const CHARS_PER_TOKEN = 4;
