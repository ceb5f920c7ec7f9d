/**
 * Owns the Worker before a ledger and a controller whose calls fail at random, as often as `/__faults?percent=…` says: lost on the way
 * there, lost on the way back (it was counted), or made twice. It tells how many it spoilt, and asserts nothing.
 */

import type { Env } from '../../../src/env.ts';
import type { OutcomeEvent } from '../../../src/experiment/words.ts';
import worker from '../../../src/index.ts';

export * from '../../../src/index.ts';

type Fault = 'lostThere' | 'lostBack' | 'twice';
type Call = (...args: never[]) => Promise<unknown>;

let percent = 0;
const spoilt = { lostThere: 0, lostBack: 0, twice: 0 };

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === '/__faults') {
      percent = Number(url.searchParams.get('percent') ?? percent);
      return Response.json(spoilt);
    }
    const LEDGER = faulty(env.LEDGER, ['expose', 'outcomes']);
    const CONTROLLER = faulty(env.CONTROLLER, ['flush']);
    const spoiling = { ...env, LEDGER, CONTROLLER } as Env;
    return worker.fetch(request as Parameters<typeof worker.fetch>[0], spoiling, ctx);
  },
};

function faulty<T>(real: T, names: string[]): T {
  const namespace = real as unknown as DurableObjectNamespace;
  return {
    idFromName: (name: string) => namespace.idFromName(name),
    get(id: DurableObjectId) {
      const stub = namespace.get(id) as unknown as Record<string, Call>;
      return new Proxy(stub, {
        get: (_, name: string) =>
          names.includes(name) ? (...args: never[]) => spoil(name, args, () => stub[name]!(...args)) : stub[name],
      });
    },
  } as unknown as T;
}

async function spoil(name: string, args: unknown[], call: () => Promise<unknown>): Promise<unknown> {
  if (Math.random() * 100 >= percent) return call();
  const fault = faultOf(name, args);
  spoilt[fault]++;
  if (fault === 'lostThere') throw new Error('lost on the way there');
  const answer = await call();
  if (fault === 'lostBack') throw new Error('lost on the way back');
  return name === 'outcomes' ? answer : call();
}

/** A number without a receipt has nothing that tells a second sending from a second event, so its call may only be lost before. */
function faultOf(name: string, args: unknown[]): Fault {
  const isUnrepeatable =
    name === 'outcomes' &&
    (args[0] as OutcomeEvent[]).some(({ kind, receipt }) => kind === 'mean' && receipt === undefined);
  const faults: Fault[] = isUnrepeatable
    ? ['lostThere']
    : name === 'outcomes'
      ? ['lostThere', 'lostBack']
      : ['lostThere', 'lostBack', 'twice'];
  return faults[Math.floor(Math.random() * faults.length)]!;
}
