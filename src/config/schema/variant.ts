/** Owns the words for a variant: where its requests go and what is changed in them on the way. */

import * as v from 'valibot';
import { originFault } from '../address.ts';
import { headerFault, isHeaderValue } from '../header-rules.ts';
import { faultless, matching, object, record, say, short, status, token } from './words.ts';

/** A URL that requests are sent to. `query` is for addresses that are called as they stand (webhooks). */
export function originUrl(allow: { query: boolean }) {
  return v.pipe(
    short(2048),
    faultless((value) => originFault(value, allow)),
  );
}

/** Name of a service binding in wrangler.toml. */
export const serviceName = matching(
  /^[A-Za-z_$][\w$]{0,63}$/,
  'is not the name of a binding',
  'give the "binding" of a service in wrangler.toml',
);

function headerName(action: 'set' | 'remove') {
  return v.pipe(
    token,
    faultless((value) => headerFault(value, action)),
  );
}

const headerValue = v.pipe(
  v.string(),
  v.check(
    isHeaderValue,
    say('The value cannot be sent in a header', 'use Latin-1 letters, and no control characters or outer spaces'),
  ),
);

/** Where a health probe goes: a path, with a query if need be. */
const probePath = matching(/^\/[!-"$-[\]-~]{0,1023}$/, 'is not a path', 'begin with /, and percent-encode it');

export const variantSchema = object({
  url: v.optional(originUrl({ query: false })),
  service: v.optional(serviceName),
  headers: v.optional(record(headerName('set'), headerValue)),
  removeHeaders: v.optional(v.array(headerName('remove'))),
  secretHeaders: v.optional(record(headerName('set'), headerValue)),
  json: v.optional(
    v.pipe(record(short(128), v.unknown()), v.minEntries(1, say('is empty', 'name a member, or leave "json" out'))),
  ),
  health: v.optional(
    object({
      path: probePath,
      expect: v.optional(status(200), 200),
    }),
  ),
});

export const variantsMessage = {
  none: say('is empty', 'name at least one variant'),
  many: say('has more than 8 variants', 'keep 8, or make a second route'),
};
