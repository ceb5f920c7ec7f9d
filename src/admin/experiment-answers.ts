/** Owns the shapes of what the calls on outcomes and experiments answer, beside `answers.ts` and by its rules. */

import * as v from 'valibot';

export const outcomesAnswer = v.looseObject({ counted: v.union([v.boolean(), v.number()]) });

const nullableNumber = v.nullable(v.number());

const arms = v.record(
  v.string(),
  v.looseObject({
    n: v.number(),
    mean: v.number(),
    pBest: v.optional(v.number()),
    expectedLoss: v.optional(v.number()),
    quantiles: v.optional(v.array(v.record(v.string(), v.number()))),
  }),
);

const compared = {
  variant: v.string(),
  arms,
  difference: v.number(),
  lift: nullableNumber,
  interval: v.tuple([v.number(), v.number()]),
};

export const experimentAnswer = v.looseObject({
  id: v.string(),
  sampleRatio: v.looseObject({ p: v.number(), alarm: v.boolean() }),
  plannedUnits: v.number(),
  units: v.record(v.string(), v.number()),
  daysLeft: nullableNumber,
  closesAt: v.nullable(v.string()),
  closed: v.boolean(),
  metrics: v.array(
    v.looseObject({
      name: v.string(),
      role: v.picklist(['primary', 'secondary']),
      ...compared,
      state: v.pipe(v.string(), v.description('better, worse, no difference found or keep running')),
      p: v.number(),
    }),
  ),
  segments: v.pipe(
    v.array(
      v.object({
        name: v.string(),
        exploratory: v.literal(true),
        slices: v.array(v.object({ value: v.string(), metric: v.string(), ...compared })),
      }),
    ),
  ),
  notes: v.array(v.string()),
});

export const unitsAnswer = v.object({
  units: v.array(v.looseObject({ unit: v.string(), variant: v.string(), requests: v.number() })),
  next: v.nullable(v.string()),
});

export const sampleSizeAnswer = v.looseObject({ plannedUnits: v.number(), days: nullableNumber });
