/** Owns the Worker before a controller that fails as `/__controller?fault=…` tells it to. It asserts nothing. */

import type { Env } from '../../src/env.ts';
import worker from '../../src/index.ts';
import type { Batch } from '../../src/live/batch.ts';

export * from '../../src/index.ts';

/** `lost` applies the batch, but its answer never comes back; with `silent` no call is answered, and `down` are flushes alone. */
type Fault = 'none' | 'down' | 'lost' | 'binding' | 'silent';

let fault: Fault = 'none';
let failed = 0;

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === '/__controller') {
      fault = (url.searchParams.get('fault') as Fault | null) ?? fault;
      return Response.json({ failed });
    }
    return worker.fetch(request as Parameters<typeof worker.fetch>[0], { ...env, CONTROLLER: faulty(env) }, ctx);
  },
};

function faulty({ CONTROLLER }: Env): Env['CONTROLLER'] {
  const real = CONTROLLER!;
  return {
    idFromName: (name: string) => real.idFromName(name),
    get(id: DurableObjectId) {
      const stub = real.get(id);
      const flush = async (batch: Batch) => {
        if (fault === 'down') return fail();
        const answer = await stub.flush(batch);
        return fault === 'lost' ? fail() : answer;
      };
      if (fault === 'binding') return fail();
      if (fault === 'silent') return new Proxy({}, { get: () => async () => fail() });
      return new Proxy(stub, { get: (_, name) => (name === 'flush' ? flush : Reflect.get(stub, name)) });
    },
  } as unknown as Env['CONTROLLER'];
}

function fail(): never {
  failed++;
  throw new Error('the controller is down');
}
