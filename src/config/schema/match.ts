/** Owns the words for which requests a route takes and whom they count: match rules, audience, identity, consent. */

import * as v from 'valibot';
import { hostFault } from '../address.ts';
import { exactlyOne, object, record, say, text, token } from './words.ts';

/** Requests bear paths as the URL parser writes them; a pattern spelled in any other way could never match. */
function isCanonicalPath(written: string): boolean {
  if (!written.startsWith('/') || written.startsWith('//') || !URL.canParse(`http://host${written}`)) return false;
  const url = new URL(`http://host${written}`);
  return url.pathname === written && url.search === '' && url.hash === '';
}

/** `/v1/detect`, or `/v1/*` for everything below. */
export const pathPattern = v.pipe(
  v.string(),
  v.maxLength(512, say('is longer than 512 characters', 'shorten it')),
  v.regex(/^(\/|\*$)/, say('does not begin with /', 'begin the path with /')),
  v.check(
    (value) => !value.slice(0, -1).includes('*'),
    say('has * before its end', 'use * only as the last character: /v1/*'),
  ),
  v.check(
    (value) => !value.startsWith('/') || isCanonicalPath(value),
    say(
      'could match no request',
      'write it as browsers send it: percent-encoded, without query, dot segments and leading "//"',
    ),
  ),
);

export const hostPattern = v.pipe(
  v.string(),
  v.maxLength(255, say('is longer than a host can be', 'shorten it')),
  v.check(
    (value) => hostFault(value) === null,
    (issue) => {
      const fault = hostFault(issue.input);
      return say(fault?.reason ?? '', fault?.mend ?? '');
    },
  ),
);

const someTexts = v.pipe(v.array(text), v.minLength(1, say('is empty', 'name at least one value')));

export const matchRuleSchema = object({
  host: v.optional(hostPattern),
  path: v.optional(pathPattern),
  header: v.optional(record(token, v.union([v.pipe(v.string(), v.maxLength(512)), someTexts]))),
});

export const matchSchema = v.union([
  v.pipe(
    v.array(matchRuleSchema),
    v.minLength(1, say('is empty', 'give a rule, or leave "match" out for every request')),
  ),
  matchRuleSchema,
]);

const country = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z][A-Za-z0-9]$/, say('is not a country code', 'use two letters, such as "DE"')),
);

const audienceRule = v.pipe(
  object({
    header: v.optional(token),
    in: v.optional(someTexts),
    country: v.optional(
      v.union([v.pipe(v.array(country), v.minLength(1, say('is empty', 'name at least one country'))), country]),
    ),
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
);

export const audienceSchema = object({
  exclude: v.optional(v.array(audienceRule)),
  include: v.optional(
    v.pipe(
      v.array(audienceRule),
      v.minLength(1, say('is empty and would let nobody in', 'name someone, or leave "include" out')),
    ),
  ),
});

const queryName = v.pipe(
  v.string(),
  v.regex(/^[^\s&=#]{1,128}$/, say('is not a query parameter', 'give its name as it stands in the URL')),
);

export const identitySchema = v.pipe(
  v.array(
    v.pipe(
      object({
        header: v.optional(token),
        cookie: v.optional(v.union([v.literal(true), token])),
        query: v.optional(queryName),
      }),
      exactlyOne('header', 'cookie', 'query'),
    ),
  ),
  v.minLength(1, say('is empty', 'name a source, or leave "identity" out for our cookie')),
  v.maxLength(8, say('is a list of more than 8 sources', 'keep the first 8')),
);

export const consentSchema = object({
  cookie: token,
  value: v.string(),
});
