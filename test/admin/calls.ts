/** What the admin tests share: the app as it is mounted, and a way of calling it. */

import { Hono } from 'hono/tiny';
import { adminApp } from '../../src/admin/app.ts';
import type { AdminDeps } from '../../src/admin/context.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { unreadState } from '../../src/config/route-state.ts';
import type { Env } from '../../src/env.ts';

export const token = 'a-token-for-tests';

export const document = {
  version: 1,
  routes: [
    { name: 'detect', variants: { blue: { url: 'https://blue.example' }, green: { url: 'https://green.example' } } },
    {
      name: 'shop',
      match: [{ host: 'shop.example.com' }, { host: '*.shop.example.com' }],
      variants: { blue: { url: 'https://blue.example' } },
    },
  ],
};

export function loadedConfig() {
  const parsed = parseConfig(JSON.stringify(document), { unknownKeys: 'fault' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value.config;
}

export interface CallOptions {
  env?: Partial<Env>;
  deps?: Partial<AdminDeps>;
  /** `null` sends none. */
  token?: string | null;
  headers?: Record<string, string>;
  host?: string;
}

export interface Problem {
  status: number;
  code: string;
  detail: string;
  mend?: string;
  faults?: { path: string; reason: string; mend: string }[];
}

const background = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };

/** What the app is given where a test gives nothing else. */
export const plainDeps: AdminDeps = {
  loadConfig: async () => loadedConfig(),
  serving: { config: async () => loadedConfig(), state: async (_env, _ctx, route) => unreadState(route) },
};

/** An app as `src/app.ts` mounts it; calls share its memory of failures. */
export function mounted(options: CallOptions = {}) {
  const app = new Hono().route('/_headgate', adminApp({ ...plainDeps, ...options.deps }));
  return async (method: string, path: string, body?: unknown, more: CallOptions = {}) => {
    const { env, token: given = token, headers, host = 'headgate.test' } = { ...options, ...more };
    const request = new Request(`https://${host}/_headgate${path}`, {
      method,
      headers: { ...(given === null ? {} : { authorization: `Bearer ${given}` }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return app.request(request, undefined, { ADMIN_TOKEN: token, COOKIE_SECRET: 'cookie-secret', ...env }, background);
  };
}

export async function problemOf(response: Response): Promise<Problem> {
  return (await response.json()) as Problem;
}
