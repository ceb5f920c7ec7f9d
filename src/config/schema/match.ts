/** Owns the words for which requests a route takes and whom they count: match rules, audience, identity, consent. */

import * as v from 'valibot';
import { hostFault } from '../address.ts';
import { always, exactlyOne, faultless, matching, object, record, say, short, some, text, token } from './words.ts';

/** Requests bear paths as the URL parser writes them; a pattern spelled in any other way could never match. */
function isCanonicalPath(written: string): boolean {
  return !written.startsWith('//') && URL.parse(`http://host${written}`)?.pathname === written;
}

/** `/v1/detect`, or `/v1/*` for everything below. */
const pathPattern = v.pipe(
  short(512),
  v.regex(/^(\/|\*$)/, say('does not begin with /', 'begin the path with /')),
  v.check((value) => !value.slice(0, -1).includes('*'), say('has * before its end', 'use * only at the end: /v1/*')),
  v.check(
    (value) => !value.startsWith('/') || isCanonicalPath(value),
    say('could match no request', 'percent-encode it, without query, dot segments and leading "//"'),
  ),
);

export const hostPattern = v.pipe(short(255), faultless(hostFault));

const someTexts = some(text, 'name at least one value');

const matchRuleSchema = object({
  host: v.optional(hostPattern),
  path: v.optional(pathPattern),
  header: v.optional(record(token, v.union([short(512), someTexts]))),
});

export const matchSchema = v.union([some(matchRuleSchema, 'give a rule, or leave "match" out'), matchRuleSchema]);

const country = matching(/^[A-Za-z][A-Za-z0-9]$/, 'is not a country code', 'use two letters, such as "DE"');

const audienceRule = always(
  v.pipe(
    object({
      header: v.optional(token),
      in: v.optional(someTexts),
      country: v.optional(v.union([some(country, 'name at least one country'), country])),
      path: v.optional(pathPattern),
    }),
    v.check(
      (rule) => rule.header !== undefined || rule.country !== undefined || rule.path !== undefined,
      say('An entry names nobody', 'give "header" with "in", "country" or "path"'),
    ),
    v.check(
      (rule) => (rule.header === undefined) === (rule.in === undefined),
      say('An entry needs "header" and "in" together', 'write { "header": "x-tenant", "in": ["acme"] }'),
    ),
  ),
);

export const audienceSchema = object({
  exclude: v.optional(v.array(audienceRule)),
  include: v.optional(some(audienceRule, 'name someone, or leave "include" out', 'is empty and would let nobody in')),
});

const queryName = matching(/^[^\s&=#]{1,128}$/, 'is not a query parameter', 'give its name decoded, such as user[id]');

export const identitySchema = always(
  v.pipe(
    some(
      always(
        v.pipe(
          object({
            header: v.optional(token),
            cookie: v.optional(v.union([v.literal(true), token])),
            query: v.optional(queryName),
          }),
          exactlyOne('header', 'cookie', 'query'),
        ),
      ),
      'name a source, or leave "identity" out',
    ),
    v.maxLength(8, say('has more than 8 sources', 'keep the first 8')),
  ),
);

export const consentSchema = object({
  cookie: token,
  value: v.string(),
});
