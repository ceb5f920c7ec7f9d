/**
 * Owns the Worker whose control plane fails as `/__fault?…` tells it to: KV that refuses, hangs or shows old values, for the
 * controllers (`kv`) or for the request plane (`edge`); a flush that is refused (`flush=throw`) or whose reply is lost
 * (`flush=lose`); an owner of the config that is down (`config=throw`); and a clock that runs ahead (`skew`, milliseconds), as for an isolate that slept. It asserts nothing.
 */

import type { Env } from '../../src/env.ts';
import worker from '../../src/index.ts';
import type { Batch } from '../../src/live/batch.ts';
import { RolloutController as Real } from '../../src/rollout/controller.ts';

export { Recorder } from '../../src/records/recorder.ts';

const faults = { kv: 'none', edge: 'none', flush: 'none', confirm: 'none', config: 'none', skew: 0, keys: '' };
const batches: string[] = [];
const clock = Date.now.bind(Date);
Date.now = () => clock() + faults.skew;

export class RolloutController extends Real {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, withFaultyKv(env, 'kv'));
  }

  override async flush(batch: Batch) {
    batches.push(JSON.stringify(batch));
    if (faults.flush === 'throw') throw new Error('the controller is down');
    const answer = await super.flush(batch);
    if (faults.flush === 'lose') throw new Error('the reply is lost');
    return answer;
  }

  override async currentConfig() {
    if (faults.config === 'throw') throw new Error('the owner of the config is down');
    return super.currentConfig();
  }

  override newerSplit(route: string, revision: number): string | null {
    if (faults.confirm === 'throw') throw new Error('the controller is down');
    return super.newerSplit(route, revision);
  }
}

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === '/__fault') return control(url.searchParams);
    return worker.fetch(request as Parameters<typeof worker.fetch>[0], withFaultyKv(env, 'edge'), ctx);
  },
};

/** Sets faults; tells the batches that came since the last time. */
function control(told: URLSearchParams): Response {
  for (const [name, value] of told) {
    if (name === 'skew') faults.skew = Number(value);
    else if (name in faults) Object.assign(faults, { [name]: value });
  }
  return Response.json({ batches: batches.splice(0).map((batch) => JSON.parse(batch)) });
}

const remembered = new Map<string, string | null>();

function withFaultyKv(env: Env, plane: 'kv' | 'edge'): Env {
  const real = env.CONFIG;
  const CONFIG = {
    async get(keys: string | string[], options: KVNamespaceGetOptions<'text'>) {
      if (faults[plane] === 'throw') throw new Error('KV GET failed: 500 Internal Server Error');
      if (faults[plane] === 'hang') return new Promise(() => {});
      if (typeof keys === 'string') return real.get(keys, options);
      const found = await real.get(keys, options);
      if (plane === 'kv') return found;
      const isOld = faults.edge === 'old';
      for (const key of keys) {
        if (!isOld || !remembered.has(key)) remembered.set(key, found.get(key) ?? null);
      }
      return new Map(keys.map((key) => [key, remembered.get(key) ?? null]));
    },
    async put(key: string, value: string) {
      if (key.startsWith(faults.keys)) {
        if (faults[plane] === 'throw' || faults[plane] === 'refuse') throw new Error('KV PUT failed: 429');
        if (faults[plane] === 'hang') return new Promise(() => {});
      }
      return real.put(key, value);
    },
  } as unknown as KVNamespace;
  return { ...env, CONFIG };
}
