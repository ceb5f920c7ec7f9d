/** Owns the way to an origin outside the request plane: for probes and scorers. Nothing of a visitor's goes along. */

import type { Origin } from './config/types.ts';
import { type Env, serviceBinding } from './env.ts';

/** Asks an origin by its URL or its binding; no cache answers, and a redirect is not followed. Undefined where the Worker has no such binding. */
export function ask(origin: Origin, path: string, env: Env, init: RequestInit): Promise<Response> | undefined {
  const plain: RequestInit = { ...init, redirect: 'manual', cache: 'no-store' };
  if (origin.kind === 'url') return fetch(origin.url + path, plain);
  return serviceBinding(env, origin.service)?.fetch(`https://headgate.invalid${path}`, plain);
}
