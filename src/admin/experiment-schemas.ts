/** Owns the shapes of the calls on experiments, beside `schemas.ts` and by its rules. */

import * as v from 'valibot';
import { experimentId, short } from '../config/schema/words.ts';
import { reasonQuery, wholeNumber } from './schemas.ts';

export const unitsQuery = v.object({
  after: v.optional(short(16), ''),
  limit: v.optional(wholeNumber(1, 1_000), '500'),
  format: v.optional(v.picklist(['json', 'csv']), 'json'),
});

export const deletionQuery = v.object({ ...reasonQuery.entries, experiment: v.optional(experimentId) });

const number = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.transform(Number),
    v.check((given) => given >= least && given <= most, `give a number from ${least} to ${most}`),
  );

export const sampleSizeQuery = v.pipe(
  v.object({
    baseline: number(1e-9, 0.999),
    lift: v.pipe(
      v.string(),
      v.regex(/^[+-]?\d+(\.\d+)?%?$/, 'give 5% or 0.05'),
      v.transform((text) => Number.parseFloat(text) / (text.endsWith('%') ? 100 : 1)),
    ),
    power: v.optional(number(0.5, 0.999), '0.8'),
    ratio: v.optional(number(0.001, 1_000), '1'),
    perDay: v.optional(number(1e-9, 1e12)),
  }),
  v.check(({ baseline, lift }) => {
    const variant = baseline * (1 + lift);
    return variant > 0 && variant < 1 && variant !== baseline;
  }, 'the lift must lead to another rate between 0 and 1'),
);
