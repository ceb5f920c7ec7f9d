/**
 * Owns reading the two keys beside the config: `split:<route>`, which the controller writes, and `weights:<route>`, which
 * people write by hand. What is in force when both are there is for inforce.ts to say.
 */

import * as v from 'valibot';
import { err, type Fault, ok, type Result } from '../result.ts';
import { readAs } from './read-as.ts';
import { matching, name, object, percent, record, short, weight, whole } from './schema/words.ts';
import type { Guardrail, Route } from './types.ts';
import { completeWeights, sumFault, unknownVariantFaults } from './weights.ts';

/** The split that the controller put in force, and why (design section 4). */
export interface Split {
  revision: number;
  /** Percent by variant; sums to 100. */
  weights: Record<string, number>;
  /** Percent mirrored, by variant. */
  shadows: Record<string, number>;
  /** The shadows that the config did not describe when the split was made. All others are mirrored only while the config describes them. */
  plainShadows?: string[];
  baseline: string;
  /** Id of the rollout or experiment, or what the config gave. */
  salt: string;
  /** Id of the running rollout or experiment: the epoch of pins. */
  rollout: string | null;
  /** Id of the experiment that the rollout's present step carries. */
  experiment?: string;
  /** variantsHash of the variants that it was made for. */
  variants: string;
  by: string;
  reason: string;
  /** ISO 8601. */
  at: string;
  /** What isolates judge each request by while a rollout runs, in the order of its guardrails. */
  guardrails?: Watched[];
}

/** A guardrail as an isolate needs to know it. */
export type Watched = Pick<Guardrail, 'metric' | 'per' | 'slow'>;

/** A name for what a guardrail counts: those of one name count alike. */
export const watchedName = ({ metric, slow }: Watched): string =>
  slow === undefined ? metric : `${metric}:${slow.of}:${slow.sloMs}`;

const epoch = matching(/^[A-Za-z0-9_-]{0,64}$/, 'is not an id', 'use letters, digits, - and _');
const weights = record(name, weight);

const watched = object({
  metric: v.string(),
  per: v.picklist(['unit', 'request']),
  slow: v.optional(object({ sloMs: v.number(), of: v.picklist(['headers', 'firstByte', 'total']) })),
});

const splitSchema = object({
  revision: whole(0, Number.MAX_SAFE_INTEGER),
  weights,
  shadows: v.optional(record(name, percent), {}),
  plainShadows: v.optional(v.array(name)),
  baseline: name,
  salt: v.optional(short(64), ''),
  rollout: v.optional(v.nullable(epoch), null),
  experiment: v.optional(epoch),
  variants: v.string(),
  by: v.optional(v.string(), ''),
  reason: v.optional(v.string(), ''),
  at: v.optional(v.string(), ''),
  guardrails: v.optional(v.pipe(v.array(watched), v.maxLength(16))),
});

/** Parses a split. Keys of a later version are passed over. Whether its variants are known is for splitInForce to say. */
export function parseSplit(text: string): Result<Split, Fault[]> {
  const read = readAs(splitSchema, text);
  if (!read.ok) return read;
  const split = read.value.output;
  const faults = sumFault(split.weights, ['weights']);
  return faults.length > 0 ? err(faults) : ok(split);
}

/**
 * Parses weights by hand into weights for every variant of the route; null for `{}`, which means that manual mode is off. An unknown
 * variant with weight 0 is a fault only if `isStrict`: a variant that is taken out of the config must not end what people set by hand.
 */
export function parseWeights(
  text: string,
  route: Route,
  { isStrict = false }: { isStrict?: boolean } = {},
): Result<Record<string, number> | null, Fault[]> {
  const read = readAs(weights, text);
  if (!read.ok) return read;
  const given = read.value.output;
  if (Object.keys(given).length === 0) return ok(null);
  const known = Object.keys(route.variants);
  const named = Object.keys(given).filter((one) => isStrict || given[one]);
  const faults = [...unknownVariantFaults(named, known, []), ...sumFault(given, [])];
  return faults.length > 0 ? err(faults) : ok(completeWeights(given, known));
}
