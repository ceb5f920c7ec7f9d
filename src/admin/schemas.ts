/** Owns the shapes of what admin calls take (answers.ts: of what they give). Handlers, typed client and OpenAPI are made from these alone. */

import * as v from 'valibot';
import { durationMs } from '../config/duration.ts';
import { guardrailsSchema, planSchema } from '../config/schema/rollout.ts';
import { duration, name, percent, record, short, whole } from '../config/schema/words.ts';
import { datasets } from '../records/columns.ts';
import { MAX_PREVIEW_MS } from '../split/limits.ts';

/** A whole number in a query. */
export const wholeNumber = (least: number, most: number) => {
  const message = `give a whole number from ${least} to ${most}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, message),
    v.transform(Number),
    v.minValue(least, message),
    v.maxValue(most, message),
  );
};

export const recordsQuery = v.object({
  dataset: v.optional(v.picklist(datasets, `a dataset is one of ${datasets.join(', ')}`), 'requests'),
  route: v.optional(name),
  variant: v.optional(name),
  limit: v.optional(wholeNumber(1, 1000), '100'),
  before: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => /^\d{1,15}$/.test(text) || isTime(text), 'give `next` of the page before, or an RFC 3339 time'),
    ),
  ),
});

const reason = v.optional(short(500), '');
const revision = whole(0, Number.MAX_SAFE_INTEGER);
const percents = record(name, percent);
const force = v.optional(v.boolean(), false);

export const splitBody = v.object({
  weights: percents,
  shadows: v.optional(percents),
  reason,
});

export const switchBody = v.object({ to: name, force, reason });

export const rolloutBody = v.object({
  to: name,
  plan: v.optional(v.union([v.string(), planSchema]), 'canary'),
  guardrails: v.optional(guardrailsSchema),
  force,
  reason,
});

export const reasonBody = v.object({ reason });

export const rollbackBody = v.object({
  revision: v.optional(revision),
  force,
  reason,
});

export const historyQuery = v.object({
  limit: v.optional(wholeNumber(1, 500), '100'),
  before: v.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
});

export const splitsQuery = v.object({
  revision: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  force: v.optional(
    v.pipe(
      v.picklist(['true', 'false']),
      v.transform((text) => text === 'true'),
    ),
    'false',
  ),
});

export const seriesQuery = v.object({
  width: v.optional(v.picklist(['10s', '1m', '1h']), '10s'),
  minutes: v.optional(wholeNumber(1, 43_200), '30'),
});

export const explainQuery = v.object({
  unit: v.pipe(short(1_024), v.minLength(1)),
});

export const doctorQuery = v.object({ route: v.optional(name) });

export const reasonQuery = v.object({ reason });

export const restoreBody = v.object({ revision, reason });

export const comparisonsQuery = v.object({
  candidate: v.optional(name),
  samples: v.optional(wholeNumber(0, 200), '200'),
});

export const resetQuery = v.object({ candidate: name });

export const previewQuery = v.object({
  token: v.string(),
  to: v.optional(v.string()),
});

/** Taken as the caller writes it; handlers get `ttlMs`. */
export const previewBody = v.pipe(
  v.object({
    variant: name,
    host: v.optional(short(253)),
    ttl: v.optional(
      v.pipe(
        duration,
        v.check((text) => (durationMs(text) ?? 0) <= MAX_PREVIEW_MS, 'a preview is valid for at most 24h'),
      ),
      '1h',
    ),
  }),
  v.transform(({ ttl, ...rest }) => ({ ...rest, ttlMs: durationMs(ttl) ?? 0 })),
);

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text));
}
