/**
 * Owns the Worker under faults: the real one, whose KV, Analytics Engine and recorder fail as `/__fault?…` tells them to, and
 * which forgets all it knew on `/__fault?cold=1`, as a new isolate would. It asserts nothing.
 */

import { ConfigStore } from '../../src/config/store.ts';
import type { Env } from '../../src/env.ts';
import { handle, newPlane } from '../../src/forward/handle.ts';
import { recordServed } from '../../src/forward/record.ts';
import worker from '../../src/index.ts';

/**
 * How KV fails. `keys-…` fail only where a route's two keys are read alone. `wrong-…` answer what KV never should.
 */
export type KvFault =
  | 'none'
  | 'throw'
  | 'throw-at-once'
  | 'hang'
  | 'slow'
  | 'slow-then-hang'
  | 'wrong-type'
  | 'wrong-values'
  | 'keys-throw'
  | 'keys-hang';

interface Faults {
  kv: KvFault;
  engine: 'none' | 'throw' | 'reject' | 'hang';
  recorder: 'none' | 'throw' | 'reject' | 'hang';
}

const SLOW_MS = 900;
const faults: Faults = { kv: 'none', engine: 'none', recorder: 'none' };
let reads = 0;
let place = 0;
let fallbackOrigin: string | undefined;
let serve = (request: Request, env: Env, ctx: ExecutionContext) =>
  worker.fetch(request as Parameters<typeof worker.fetch>[0], env, ctx) as Response | Promise<Response>;

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === '/__fault') return control(url.searchParams);
    return serve(request, faulty(env), ctx);
  },
};

/** Sets faults and says how often KV was read since the last time. */
function control(told: URLSearchParams): Response {
  for (const [name, value] of told) if (name in faults) Object.assign(faults, { [name]: value });
  if (told.has('fallback')) fallbackOrigin = told.get('fallback') ?? undefined;
  if (told.has('cold')) {
    if (told.get('cold') === 'elsewhere') place++;
    const plane = newPlane({
      store: new ConfigStore(),
      confirm: (state) => state,
      watcher: () => null,
      observers: [recordServed],
    });
    serve = (request, env, ctx) => handle(request, env, ctx, plane);
  }
  const since = reads;
  reads = 0;
  return Response.json({ reads: since });
}

function faulty(env: Env): Env {
  const never = new Promise<never>(() => {});
  const fail = (kind: string) => {
    if (kind === 'throw') throw new Error('the binding is down');
    return kind === 'reject' ? Promise.reject(new Error('the binding is down')) : never;
  };
  const CONFIG = {
    get: (keys: string[], options: KVNamespaceGetOptions<'text'>) => read(env.CONFIG, keys, options),
  } as unknown as KVNamespace;
  // The copy in the cache is kept under what only this Worker knows.
  const changed: Env = { ...env, CONFIG, COOKIE_SECRET: `${env.COOKIE_SECRET}${place}` };
  if (fallbackOrigin) changed.FALLBACK_ORIGIN = fallbackOrigin;
  if (faults.engine !== 'none') {
    changed.REQUESTS = { writeDataPoint: () => fail(faults.engine) } as unknown as AnalyticsEngineDataset;
  }
  if (faults.recorder !== 'none') {
    changed.RECORDER = {
      idFromName: () => ({}),
      get: () => (faults.recorder === 'throw' ? fail('throw') : { append: () => fail(faults.recorder) }),
    } as unknown as NonNullable<Env['RECORDER']>;
  }
  return changed;
}

function read(kv: KVNamespace, keys: string[], options: KVNamespaceGetOptions<'text'>): Promise<Map<string, unknown>> {
  reads++;
  const isOfKeys = !keys.includes('config');
  switch (kindFor(isOfKeys)) {
    case 'throw-at-once':
      throw new Error('KV GET failed: 500 Internal Server Error');
    case 'throw':
      return Promise.reject(new Error('KV GET failed: 500 Internal Server Error'));
    case 'hang':
      return new Promise(() => {});
    case 'slow':
      return new Promise((resolve) => setTimeout(resolve, SLOW_MS)).then(() => kv.get(keys, options));
    case 'wrong-type':
      return Promise.resolve('<html>502 Bad Gateway</html>' as unknown as Map<string, unknown>);
    case 'wrong-values':
      return Promise.resolve(new Map<string, unknown>(keys.map((key) => [key, { garbage: true }])));
    default:
      return kv.get(keys, options);
  }
}

function kindFor(isOfKeys: boolean): string {
  if (faults.kv === 'slow-then-hang') return isOfKeys ? 'hang' : 'slow';
  if (faults.kv.startsWith('keys-')) return isOfKeys ? faults.kv.slice('keys-'.length) : 'none';
  return faults.kv;
}
