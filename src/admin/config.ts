/** Owns the calls about the config document. It checks here and stores nowhere. */

import { Hono } from 'hono/tiny';
import { parseConfig } from '../config/parse.ts';
import { type Env, keySecret, serviceBinding } from '../env.ts';
import type { AdminEnv } from './context.ts';
import { readText, refuse, tooLarge } from './input.ts';

export function configRoutes() {
  return new Hono<AdminEnv>().post('/config/validate', async (c) => {
    const text = await readText(c.req.raw);
    if (!text.ok) return tooLarge();
    const parsed = parseConfig(text.value, { unknownKeys: 'fault', ...whatThisWorkerHas(c.env) });
    if (parsed.ok) return c.json({ valid: true as const, warnings: parsed.value.warnings }, 200);
    return refuse({
      status: 422,
      code: 'invalid_config',
      detail: `The config has ${parsed.error.length} ${parsed.error.length === 1 ? 'fault' : 'faults'}; it is refused whole.`,
      more: { faults: parsed.error },
    });
  });
}

/** What only the Worker itself can check: whether the secrets and services that a document names are there. */
function whatThisWorkerHas(env: Env) {
  const own = env as unknown as Record<string, unknown>;
  return {
    secrets: (secret: string) =>
      secret.startsWith('KEY_')
        ? keySecret(env, secret) !== undefined
        : typeof own[secret] === 'string' && own[secret] !== '',
    services: (service: string) => serviceBinding(env, service) !== undefined,
    adminHost: env.ADMIN_HOST,
  };
}
