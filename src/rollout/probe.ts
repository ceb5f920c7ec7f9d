/** Owns the health check of a variant (`health` in the config), made before traffic goes to it or back to it. */

import { ask } from '../ask.ts';
import { NO_BINDING } from '../config/check/variants.ts';
import type { Variant } from '../config/types.ts';
import { setDeclared } from '../declared-headers.ts';
import type { Env } from '../env.ts';
import { PROBE_LIMIT_MS } from './limits.ts';

/** Asks the variant's health path. Fails closed: no answer is not healthy. */
export async function probe(variant: Variant, env: Env): Promise<{ ok: boolean; detail: string }> {
  const { health, origin } = variant;
  if (health === undefined) return { ok: true, detail: 'declares no health check' };
  const asked = `GET ${health.path}`;
  try {
    const headers = new Headers({ 'user-agent': 'headgate-health' });
    const lacking = setDeclared(headers, variant, env);
    if (lacking !== null) return { ok: false, detail: `a secret of the header ${lacking} is missing` };
    const response = await ask(origin, health.path, env, { headers, signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
    if (response === undefined) return { ok: false, detail: NO_BINDING };
    await response.body?.cancel();
    const ok = response.status === health.expect;
    return { ok, detail: `${asked} answered ${response.status}${ok ? '' : `, not ${health.expect}`}` };
  } catch (cause) {
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    return {
      ok: false,
      detail: isLate ? `${asked} did not answer in ${PROBE_LIMIT_MS / 1000} s` : `${asked} could not be reached`,
    };
  }
}
