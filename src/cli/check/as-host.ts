/**
 * Owns calls to a Worker on this machine under another host's name: `fetch` sets no Host, and a route may answer on one host
 * only. It is for loopback; a deployed Worker is called by its own name.
 */

import { type OutgoingHttpHeaders, request } from 'node:http';
import { decode } from '../../shadow/decode.ts';

/** Like `fetch` with the few things that a case needs. The signal ends it. */
export function fetchAsHost(url: URL, host: string, init: RequestInit): Promise<Response> {
  const headers: OutgoingHttpHeaders = { ...Object.fromEntries(new Headers(init.headers)), host };
  const body = typeof init.body === 'string' ? init.body : undefined;
  if (body !== undefined) headers['content-length'] = Buffer.byteLength(body);
  return new Promise((resolve, reject) => {
    const options = { method: init.method ?? 'GET', headers, signal: init.signal ?? undefined };
    const sent = request(String(url), options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', async () => {
        const status = incoming.statusCode ?? 0;
        const pairs = Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
          values.map((value): [string, string] => [name, value]),
        );
        const isEmpty = status === 204 || status === 205 || status === 304;
        try {
          const sent = Buffer.concat(chunks);
          const decoded = await decode(incoming.headers['content-encoding'] ?? null, sent, Infinity);
          const body = isEmpty ? null : Buffer.from(decoded?.isSound ? decoded.bytes : sent);
          resolve(new Response(body, { status, headers: pairs }));
        } catch (cause) {
          // As `fetch` does with statuses of 600 and more.
          reject(cause);
        }
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
