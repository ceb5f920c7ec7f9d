/** Owns the shapes of the calls on experiments, beside `schemas.ts` and by its rules. */

import * as v from 'valibot';
import { wholeNumber } from './schemas.ts';

export const unitsQuery = v.object({
  after: v.optional(v.pipe(v.string(), v.maxLength(16)), ''),
  limit: v.optional(wholeNumber(1, 1_000), '500'),
  format: v.optional(v.picklist(['json', 'csv']), 'json'),
});

const positive = (most: number, message: string, least = Number.MIN_VALUE) =>
  v.pipe(
    v.string(),
    v.transform(Number),
    v.check((number) => number >= least && number <= most, message),
  );

export const sampleSizeQuery = v.pipe(
  v.object({
    baseline: positive(0.999, 'a rate is between 0 and 1'),
    lift: v.pipe(
      v.string(),
      v.regex(/^[+-]?\d+(\.\d+)?%?$/, 'give 5% or 0.05'),
      v.transform((text) => Number.parseFloat(text) / (text.endsWith('%') ? 100 : 1)),
    ),
    power: v.optional(positive(0.999, 'a power is from 0.5 to 0.999', 0.5), '0.8'),
    ratio: v.optional(positive(1_000, 'a ratio is from 0.001 to 1000', 0.001), '1'),
    perDay: v.optional(positive(1e12, 'units a day are over 0')),
  }),
  v.check(({ baseline, lift }) => {
    const variant = baseline * (1 + lift);
    return variant > 0 && variant < 1 && variant !== baseline;
  }, 'the lift must lead to another rate between 0 and 1'),
);
