/**
 * Owns the whole config document as people write it: the parser, the types and the JSON Schema all come from here.
 * It looks at one key at a time; what two keys say together is in ../check/.
 */

import * as v from 'valibot';
import { routeSchema } from './route.ts';
import { originUrl } from './variant.ts';
import { few, matching, number, object, record, say, text, whole } from './words.ts';

const origin = v.pipe(
  originUrl({ query: false }),
  v.regex(/^[^/]+\/\/[^/]+$/, say('is not an origin', 'write it as https://app.example.com')),
);

const cookieSchema = object({
  maxAgeDays: v.optional(whole(1, 400), 180),
  sameSite: v.optional(v.picklist(['lax', 'strict', 'none']), 'lax'),
  partitioned: v.optional(v.boolean(), false),
});

const webhookSchema = object({
  url: originUrl({ query: true }),
  format: v.optional(v.picklist(['json', 'slack']), 'json'),
  // COOKIE_SECRET or ADMIN_TOKEN as a signing key would let a receiver of webhooks test guesses at them.
  secret: v.optional(
    matching(
      /^(WEBHOOK|KEY)_[A-Za-z0-9_]{1,60}$/,
      'is not a secret that webhooks may use',
      'name a Worker secret that begins with WEBHOOK_ or KEY_',
    ),
  ),
});

const priceSchema = object({
  inputPerMillion: number(0, 1e9),
  cachedInputPerMillion: v.optional(number(0, 1e9)),
  outputPerMillion: number(0, 1e9),
});

export const configSchema = object({
  $schema: v.optional(v.string()),
  version: v.optional(v.literal(1, say('is not a version this Headgate reads', 'write 1')), 1),
  cookie: v.optional(cookieSchema, {}),
  outcomeOrigins: v.optional(v.array(origin), []),
  webhooks: v.optional(v.array(webhookSchema), []),
  prices: v.optional(record(text, priceSchema), {}),
  routes: few(routeSchema, 200, 'routes', 'remove routes, or deploy a second Worker'),
});

/** The document as people write it, with the defaults that need no second key filled in. */
export type ConfigDocument = v.InferOutput<typeof configSchema>;
export type RouteDocument = ConfigDocument['routes'][number];
