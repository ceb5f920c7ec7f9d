/** Owns the words for a route: its traffic, its variants and every setting between them. */

import * as v from 'valibot';
import { FAILOVER_STATUSES, MAX_TIMEOUT_MS } from '../limits.ts';
import { experimentSchema, measureSchema, outcomeSchema } from './experiment.ts';
import { audienceSchema, consentSchema, identitySchema, matchSchema } from './match.ts';
import { guardrailsSchema, planSchema } from './rollout.ts';
import { shadowSchema } from './shadow.ts';
import { variantSchema, variantsMessage } from './variant.ts';
import {
  always,
  duration,
  matching,
  name,
  object,
  percent,
  record,
  say,
  status,
  token,
  weight,
  whole,
} from './words.ts';

const statusClass = matching(/^[1-5]xx$/, 'is not a status', 'give one such as 429 or "5xx"');

const idle = v.pipe(duration, v.regex(/[1-9]/, say('is no time at all', 'give a time, such as "30m"')));

// Said by what is left out: editors read a pattern by code points, of which some lie beyond \uffff.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are refused.
const salt = matching(/^[^\0-\x1f\x7f-\x9f]{0,64}$/, 'is not a salt', 'use up to 64 characters, no controls');

const method = v.pipe(
  token,
  v.check(
    (value) => !['CONNECT', 'TRACE', 'TRACK'].includes(value.toUpperCase()),
    say('cannot be sent by a Worker', 'leave it out'),
  ),
);

export const routeSchema = object({
  name: name,
  match: v.optional(matchSchema),
  variants: always(
    v.pipe(record(name, variantSchema), v.minEntries(1, variantsMessage.none), v.maxEntries(8, variantsMessage.many)),
  ),
  baseline: v.optional(name),
  weights: v.optional(record(name, weight)),
  audience: v.optional(audienceSchema),
  identity: v.optional(identitySchema, [{ cookie: true }]),
  salt: v.optional(salt, ''),
  sticky: v.optional(v.union([v.boolean(), object({ idle: idle })]), false),
  requireConsent: v.optional(consentSchema),
  repeatable: v.optional(v.array(method), ['GET', 'HEAD']),
  timeoutMs: v.optional(whole(1, MAX_TIMEOUT_MS), 120_000),
  idleTimeoutMs: v.optional(whole(1, MAX_TIMEOUT_MS), 300_000),
  failStatuses: v.optional(v.array(v.union([status(100), statusClass])), ['5xx']),
  failover: v.optional(
    v.union([
      v.boolean(),
      object({
        statuses: v.optional(v.array(status(400)), FAILOVER_STATUSES),
      }),
    ]),
    true,
  ),
  ejection: v.optional(v.boolean(), true),
  expose: v.optional(v.boolean(), true),
  cache: v.optional(v.picklist(['private', 'preserve']), 'private'),
  recordPercent: v.optional(percent, 100),
  receipts: v.optional(v.boolean(), false),
  measures: v.optional(v.array(measureSchema), []),
  shadows: v.optional(v.array(shadowSchema), []),
  guardrails: v.optional(guardrailsSchema),
  plans: v.optional(record(name, planSchema), {}),
  outcomes: v.optional(v.array(outcomeSchema), []),
  experiment: v.optional(experimentSchema),
});
