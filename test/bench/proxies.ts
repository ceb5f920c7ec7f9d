/**
 * Owns the same split by nginx (`split_clients`) and HAProxy (weights under a consistent hash of the cookie), where they are
 * installed: what a splitter costs that is no Worker. They shape no headers, keep no records and follow no KV.
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { start } from './processes.ts';

/** A proxy's process. */
export interface Proxy {
  name: string;
  port: number;
  pid: number;
}

/** Starts those that are installed; `missing` names the others. */
export async function startProxies(origin: string, folder: string): Promise<{ proxies: Proxy[]; missing: string[] }> {
  const proxies: Proxy[] = [];
  const missing: string[] = [];
  for (const { command, name, files, args } of KNOWN) {
    if (!isInstalled(command)) {
      missing.push(name);
      continue;
    }
    const port = await freePort();
    writeFileSync(join(folder, `${command}.conf`), files({ port, origin: new URL(origin).host, folder }));
    const child = start(command, args(join(folder, `${command}.conf`)), { stdio: 'ignore' });
    proxies.push({ name, port, pid: child.pid! });
  }
  return { proxies, missing };
}

interface Setting {
  port: number;
  /** Host and port. */
  origin: string;
  folder: string;
}

const KNOWN = [
  {
    command: 'nginx',
    name: 'nginx split_clients',
    args: (file: string) => ['-c', file, '-e', '/dev/null'],
    files: ({ port, origin, folder }: Setting) => `
daemon off; master_process off; pid ${folder}/nginx.pid; error_log /dev/null;
events { worker_connections 1024; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')}
  keepalive_requests 1000000;
  upstream blue { server ${origin}; keepalive 64; keepalive_requests 1000000; }
  upstream green { server ${origin}; keepalive 64; keepalive_requests 1000000; }
  split_clients "main/$cookie_headgate" $variant { 10% green; * blue; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://$variant; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}`,
  },
  {
    command: 'haproxy',
    name: 'HAProxy weights by cookie',
    args: (file: string) => ['-db', '-f', file],
    files: ({ port, origin }: Setting) => `
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend main
  bind 127.0.0.1:${port}
  default_backend variants
backend variants
  balance hash req.cook(headgate)
  hash-type consistent
  http-reuse always
  server blue ${origin} weight 90
  server green ${origin} weight 10
`,
  },
];

function isInstalled(command: string): boolean {
  try {
    execFileSync(command, ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
