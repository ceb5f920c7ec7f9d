/** Owns the bounds of comparing: how far two answers are looked at, what is kept of them, and when a field's difference is certain. */

/** Levels of nesting, values visited, differences kept, distinct fields kept. */
export const MAX_DEPTH = 64;
export const MAX_NODES = 1_000_000;
export const MAX_KEPT_DIFFERENCES = 20;
export const MAX_FIELDS = 64;
/** Characters of a field's path, since the controller keeps many. */
export const MAX_FIELD_CHARS = 256;

/** Past this many on both sides, leftover items are paired in order instead of by likeness, which is quadratic. */
export const MAX_MATCHED = 32;

/** Automaton states that are kept. `**` patterns can make many; beyond this they are computed anew each time. */
export const MAX_KEPT_NODES = 4096;

/** Longest text, in UTF-16 units, whose edits are counted (Levenshtein). Longer texts are compared by words. */
export const MAX_LEVENSHTEIN = 4000;
/** Two different texts are never called wholly alike, however many words they share. */
export const ALMOST_ONE = 0.9999;

/**
 * If one document is whole, and shorter than this share of what was read of the other, the two cannot be the same but for ignored members.
 * Nearer to the cap ignored members could account for the rest.
 */
export const SHORT_SHARE = 0.9;

/** The chance that any harmless field is ever called real, over all fields and all looks. */
export const FIELD_ALPHA = 0.05;
/** The chance that a real difference is called noise. That moves no traffic and hides no count, so it holds for each field by itself. */
export const NOISE_ALPHA = 0.05;
/** Fewer differing pairs than this are never called real. */
export const MIN_DIFFERING = 5;
/** Fields followed one by one; later ones are counted together under `OTHER_FIELDS`. */
export const MAX_FOLLOWED = 200;
/** Stands for all fields past the cap. */
export const OTHER_FIELDS = '**';
/** Distinct fields that a batch may bring; a document whose member names are ids would bring thousands. */
export const MAX_WAITING_FIELDS = 500;
/** A field is called noise if the candidate differs in it surely less than this many times as often as repeats do. */
export const NOISE_RATIO = 2;

/** Characters of each excerpt: 200 samples of three stay under 2.5 MB in the controller. */
export const MAX_EXCERPT = 2_047;

/** How many bytes are looked at to tell the kind of a body without a content type. */
export const SNIFFED_BYTES = 1_024;

/** For estimating the tokens of a text whose tokens were not counted. */
export const CHARS_PER_TOKEN = 4;
/** A larger count of tokens is none: sums hold cubes of such values, and one of 1e200 would make them infinite, which no ledger can store. */
export const MAX_TOKENS = 1e12;
