/** Owns the headers that a variant declares, on whatever is sent to it: a visitor's request, a copy of it, a health check. */

import { fillSecrets } from './config/header-rules.ts';
import type { Variant } from './config/types.ts';
import { type Env, keySecret } from './env.ts';

/** Removes, sets and fills them. The name of the header whose secret is missing: do not send then. Null when all is set. */
export function setDeclared(
  headers: Headers,
  { headers: set, removeHeaders, secretHeaders }: Pick<Variant, 'headers' | 'removeHeaders' | 'secretHeaders'>,
  env: Env,
): string | null {
  for (const name of removeHeaders) headers.delete(name);
  for (const [name, value] of set) headers.set(name, value);
  for (const { name, template } of secretHeaders) {
    const value = fillSecrets(template, (secret) => keySecret(env, secret));
    if (value === undefined) return name;
    headers.set(name, value);
  }
  return null;
}
