/** Owns how the CLI finds its Worker and proves who it is. It refuses to send a token in the clear over a network. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { usage } from './stop.ts';
import type { Terminal } from './terminal.ts';
import type { CommonArgs } from './verb.ts';

const defaultUrl = 'http://127.0.0.1:8787';

/** Which Worker to talk to, and as whom. */
export interface Connection {
  /** Without a trailing slash and without `/_headgate`. */
  url: string;
  token: string | undefined;
  as: string | undefined;
  /** Headers by which Cloudflare Access lets the calls pass, where it stands before the Worker. */
  access: Record<string, string>;
}

type Asked = Pick<CommonArgs, 'url' | 'token' | 'as'>;

/** Where to, and with what token: options first, then the environment, then (on this machine) `.dev.vars`. */
export function connection({ url, token, as }: Asked, { env, cwd }: Pick<Terminal, 'env' | 'cwd'>): Connection {
  const wanted = url || env.HEADGATE_URL || defaultUrl;
  const parsed = URL.parse(wanted);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw usage(`${wanted} is no http or https URL.`, `give one such as ${defaultUrl} by --url or HEADGATE_URL`);
  }
  const local = isLoopback(parsed.hostname);
  if (parsed.protocol === 'http:' && !local) {
    throw usage(`${wanted} would carry the admin token in the clear.`, 'use the https URL of the Worker');
  }
  const known = token || env.HEADGATE_TOKEN || (local ? devToken(cwd) : undefined);
  const path = parsed.pathname.replace(/\/+$/, '').replace(/\/_headgate$/, '');
  return { url: `${parsed.origin}${path}`, token: known, as: as || undefined, access: accessHeaders(env) };
}

/** A service token's two halves, by Cloudflare's own names, or a person's token from `cloudflared access token`. */
function accessHeaders(env: Terminal['env']): Record<string, string> {
  const { CF_ACCESS_CLIENT_ID: id, CF_ACCESS_CLIENT_SECRET: secret, HEADGATE_ACCESS_TOKEN: token } = env;
  if (id && secret) return { 'cf-access-client-id': id, 'cf-access-client-secret': secret };
  return token ? { 'cf-access-token': token } : {};
}

/** Whether a host is this machine by its name alone. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.') || hostname.endsWith('.localhost')
  );
}

/** The token that `wrangler dev` runs with. No such file is the usual case, not an error. */
function devToken(cwd: string): string | undefined {
  try {
    return parseEnv(readFileSync(join(cwd, '.dev.vars'), 'utf8')).ADMIN_TOKEN || undefined;
  } catch {
    return undefined;
  }
}
