/** Owns the shapes of what admin calls answer, for the description of the API. Handlers make these answers; nothing checks them at run time. */

import * as v from 'valibot';
import { datasets } from '../records/columns.ts';

const fault = v.object({
  path: v.pipe(v.string(), v.description('Such as routes[0].weights')),
  reason: v.string(),
  mend: v.string(),
});

export const problemAnswer = v.object({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  code: v.string(),
  detail: v.string(),
  mend: v.optional(v.string()),
  faults: v.optional(v.array(fault)),
});

export const healthAnswer = v.object({ status: v.literal('ok') });

export const validateAnswer = v.object({ valid: v.literal(true), warnings: v.array(fault) });

export const recordsAnswer = v.object({
  dataset: v.picklist(datasets),
  source: v.picklist(['recorder', 'analytics-engine']),
  records: v.pipe(
    v.array(
      v.objectWithRest(
        { at: v.string(), id: v.optional(v.number()), sampleInterval: v.number() },
        v.optional(v.union([v.string(), v.number()])),
      ),
    ),
    v.description('Newest first; weigh by sampleInterval'),
  ),
  next: v.nullable(v.string()),
});

const weights = v.record(v.string(), v.number());
const split = v.looseObject({
  revision: v.number(),
  weights,
  shadows: weights,
  baseline: v.string(),
  salt: v.string(),
  rollout: v.nullable(v.string()),
  variants: v.optional(v.string()),
  by: v.string(),
  reason: v.string(),
  at: v.string(),
});
const count = v.object({ n: v.number(), bad: v.number() });
const liveNumbers = v.looseObject({
  requests: v.number(),
  failed: v.number(),
  p50Ms: v.nullable(v.number()),
  p95Ms: v.nullable(v.number()),
  p99Ms: v.nullable(v.number()),
  tokensOut: v.optional(v.number()),
  cost: v.optional(v.number()),
});

export const routeAnswer = v.looseObject({
  name: v.string(),
  split,
  inForce: v.looseObject({ source: v.string(), weights, baseline: v.string(), notes: v.array(v.string()) }),
  byHand: v.nullable(weights),
  byHandFault: v.pipe(v.nullable(fault), v.description('Why weights:ROUTE in KV is refused')),
  live: v.pipe(v.record(v.string(), liveNumbers), v.description('The last ten minutes')),
  rollout: v.nullable(
    v.looseObject({
      id: v.string(),
      to: v.string(),
      phase: v.picklist(['progressing', 'paused', 'awaiting-approval', 'promoted', 'completed', 'aborted']),
      step: v.number(),
      steps: v.number(),
      since: v.string(),
      waitsFor: v.nullable(v.string()),
      nextAt: v.nullable(v.string()),
      nextIs: v.nullable(v.string()),
      reason: v.string(),
      guardrails: v.array(
        v.looseObject({
          metric: v.string(),
          verdict: v.picklist(['pass', 'fail', 'marginal', 'inconclusive']),
          sentence: v.string(),
          candidate: count,
          baseline: count,
          e: v.number(),
          threshold: v.number(),
          upper: v.nullable(v.number()),
          margin: v.nullable(v.number()),
        }),
      ),
    }),
  ),
  warnings: v.optional(v.array(v.string())),
});

export const splitsAnswer = v.object({
  splits: v.pipe(v.array(split), v.description('Newest first')),
  target: v.nullable(v.looseObject({ revision: v.number(), weights, shadows: weights, baseline: v.string() })),
  refused: v.nullable(v.object({ code: v.string(), detail: v.string(), mend: v.string() })),
});

export const routesAnswer = v.object({ routes: v.array(routeAnswer) });

export const historyAnswer = v.object({
  entries: v.pipe(
    v.array(
      v.looseObject({
        at: v.string(),
        actor: v.string(),
        action: v.string(),
        reason: v.string(),
        before: v.any(),
        after: v.any(),
      }),
    ),
    v.description('Newest first'),
  ),
  next: v.nullable(v.number()),
});

export const seriesAnswer = v.object({
  width: v.string(),
  points: v.array(v.looseObject({ at: v.string(), variant: v.string(), requests: v.number(), failed: v.number() })),
});

export const doctorAnswer = v.object({
  now: v.string(),
  findings: v.array(
    v.object({
      about: v.string(),
      state: v.picklist(['ok', 'note', 'warn', 'bad']),
      detail: v.string(),
      mend: v.optional(v.string()),
    }),
  ),
});

export const explainAnswer = v.looseObject({
  route: v.string(),
  unit: v.string(),
  variant: v.string(),
  reason: v.picklist(['only', 'hash']),
  revision: v.number(),
  sentence: v.string(),
});

export const configPutAnswer = v.object({ revision: v.number(), hash: v.string(), warnings: v.array(fault) });

export const revisionsAnswer = v.object({
  revisions: v.array(
    v.object({ revision: v.number(), hash: v.string(), actor: v.string(), reason: v.string(), at: v.string() }),
  ),
});

const quantiles = v.object({
  p50Ms: v.nullable(v.number()),
  p95Ms: v.nullable(v.number()),
  p99Ms: v.nullable(v.number()),
});
const mean = v.object({ n: v.number(), mean: v.nullable(v.number()), standardError: v.nullable(v.number()) });
const counts = v.record(v.string(), v.number());

export const comparisonsAnswer = v.object({
  candidate: v.nullable(v.string()),
  candidates: v.array(v.string()),
  since: v.nullable(v.string()),
  eligible: v.pipe(v.number(), v.description('Compared plus skipped')),
  compared: v.number(),
  classes: v.object({
    match: v.number(),
    'status-mismatch': v.number(),
    'body-mismatch': v.number(),
    error: v.number(),
    timeout: v.number(),
  }),
  skipped: counts,
  failures: counts,
  repeats: v.pipe(counts, v.description('The baseline against itself')),
  latency: v.object({
    live: quantiles,
    candidate: quantiles,
    difference: v.pipe(quantiles, v.description('Candidate less baseline')),
    headers: v.object({ live: quantiles, candidate: quantiles }),
  }),
  fields: v.array(
    v.object({
      path: v.string(),
      candidate: v.number(),
      repeat: v.number(),
      candidatePairs: v.number(),
      repeatPairs: v.number(),
      verdict: v.picklist(['real', 'noise', 'undecided']),
      e: v.number(),
      threshold: v.number(),
    }),
  ),
  similarity: v.nullable(v.object({ candidate: mean, repeat: mean })),
  numbers: v.record(v.string(), v.object({ live: mean, candidate: mean })),
  scores: v.nullable(
    v.object({
      live: mean,
      candidate: mean,
      difference: mean,
      interval: v.nullable(v.tuple([v.number(), v.number()])),
    }),
  ),
  notes: v.array(v.string()),
  samples: v.pipe(v.array(v.record(v.string(), v.any())), v.description('Newest first')),
});

export const previewAnswer = v.object({
  token: v.string(),
  url: v.string(),
  header: v.object({ name: v.string(), value: v.string() }),
  expiresAt: v.string(),
});

/** What answers share. */
export const parts = { Fault: fault, Live: liveNumbers, Mean: mean, Quantiles: quantiles, Split: split };
