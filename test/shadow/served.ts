/** Owns served requests as the request plane tells of them, for tests that need no runtime. It asserts nothing. */

import { type InForce, splitInForce } from '../../src/config/inforce.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { Route } from '../../src/config/types.ts';
import { Prefix } from '../../src/forward/copies.ts';
import type { Served } from '../../src/forward/served.ts';
import type { Upload } from '../../src/forward/upload.ts';

/** The route of a config document. */
export function routeOf(route: Record<string, unknown>): Route {
  const document = { version: 1, routes: [{ name: 'main', match: { path: '/*' }, ...route }] };
  const parsed = parseConfig(JSON.stringify(document), { unknownKeys: 'fault' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value.config.routes[0]!;
}

export function inForceOf(route: Route): InForce {
  return splitInForce({ route, split: null, weights: null });
}

/** An upload that is in hand; null bytes are a body that was not kept. */
export function uploadOf(body: string | null | undefined): Upload {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : null;
  const isPresent = body !== undefined;
  return { bytes, isPresent, isEncoded: false, copy: async () => (isPresent ? bytes : new Uint8Array(0)) } as Upload;
}

/** A request that blue served with `{"from":"live"}`; `over` changes any of it. */
export function servedOf(route: Route, over: Partial<Served> = {}): Served {
  const request = over.request ?? new Request('https://front.test/path?q=1');
  const captured = new Prefix(262_144);
  captured.add(new TextEncoder().encode('{"from":"same"}'));
  const nowMs = Date.now();
  return {
    request,
    method: request.method,
    sent: request.headers,
    url: new URL(request.url),
    route,
    inForce: inForceOf(route),
    configHash: 'hash',
    requestId: 'request-1',
    unit: 'u',
    variant: 'blue',
    reason: 'hash',
    isEvidence: true,
    isPreview: false,
    dealt: null,
    startedAtMs: nowMs - 20,
    askedAtMs: nowMs - 20,
    headersAtMs: nowMs - 10,
    status: 200,
    ownStatus: null,
    errorCode: '',
    isMadeGood: false,
    isLost: false,
    standsIn: null,
    body: { end: 'complete', bytes: 15, firstByteAtMs: nowMs - 8, endedAtMs: nowMs - 5 },
    watch: null,
    captured,
    events: null,
    ends: null,
    armCount: 1,
    responseHeaders: new Headers({ 'content-type': 'application/json' }),
    cleanedHeaders: new Headers({ 'x-kept': 'yes', authorization: 'Bearer of-visitor', cookie: 'a=1' }),
    upload: uploadOf(undefined),
    ...over,
  };
}
