import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { routesAnswer } from '../../src/admin/answers.ts';
import type { AdminDeps } from '../../src/admin/context.ts';
import { variantsHash } from '../../src/config/hash.ts';
import { nextState, unreadState } from '../../src/config/route-state.ts';
import type { Route } from '../../src/config/types.ts';
import type { Env } from '../../src/env.ts';
import type { RouteStatus } from '../../src/rollout/status.ts';
import { document, loadedConfig, mounted, problemOf } from './calls.ts';

const detect = '/api/routes/detect';

/** A controller that notes what it was asked and always agrees. */
function agreeing() {
  const asked: unknown[][] = [];
  const status = { name: 'detect', split: { revision: 7 } };
  const done = { ok: true, value: { status, revision: 7, warnings: ['by the way'] } };
  const stub = new Proxy(
    {},
    {
      get:
        (_, name) =>
        async (...given: unknown[]) => {
          asked.push([name, ...given]);
          return done;
        },
    },
  );
  const CONTROLLER = { idFromName: (name: string) => name, get: () => stub } as unknown as Env['CONTROLLER'];
  return { asked, call: mounted({ env: { CONTROLLER } }) };
}

const refusing = (error: { code: string; detail: string; mend: string }) => {
  const stub = new Proxy({}, { get: () => async () => ({ ok: false, error }) });
  const CONTROLLER = { idFromName: (name: string) => name, get: () => stub } as unknown as Env['CONTROLLER'];
  return mounted({ env: { CONTROLLER } });
};

describe('calls that change traffic', () => {
  it('come to the controller with who, why, and what they saw', async () => {
    const { asked, call } = agreeing();
    const headers = { 'x-headgate-actor': 'Ada%20L.', 'if-match': '"6"' };
    const caller = { actor: 'Ada L.', reason: 'because', ifMatch: 6 };
    const body = { reason: 'because' };
    const answers = [
      await call('PUT', '/api/routes/detect/split', { ...body, weights: { blue: 100 } }, { headers }),
      await call('POST', '/api/routes/detect/switch', { ...body, to: 'green' }, { headers }),
      await call('POST', '/api/routes/detect/rollout/abort', body, { headers }),
      await call('POST', '/api/routes/detect/rollback', { ...body, revision: 3, force: true }, { headers }),
      await call('DELETE', '/api/routes/detect/weights?reason=because', undefined, { headers }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('etag')).toBe('"7"');
      expect(await answer.json()).toMatchObject({ name: 'detect', warnings: ['by the way'] });
    }
    expect(asked).toEqual([
      ['change', 'detect', { kind: 'split', weights: { blue: 100 } }, caller],
      ['change', 'detect', { kind: 'switch', to: 'green', force: false }, caller],
      ['change', 'detect', { kind: 'abort' }, caller],
      ['change', 'detect', { kind: 'rollback', revision: 3, force: true }, caller],
      ['change', 'detect', { kind: 'manual-cleared' }, caller],
    ]);
  });

  it('start a rollout with its plan and guardrails filled in', async () => {
    const { asked, call } = agreeing();
    const guardrails = [{ metric: 'slow', sloMs: 800, critical: true }];
    const plan = [
      { weight: 5, for: '10m' },
      { weight: 100, for: '500ms', maxFor: '1h', minSamples: 50 },
    ];
    expect((await call('POST', '/api/routes/detect/rollout', { to: 'green', plan, guardrails })).status).toBe(200);
    expect(asked[0]![2]).toMatchObject({
      to: 'green',
      plan: [
        { weight: 5, forMs: 600_000, minSamples: 1000, approval: false },
        { weight: 100, forMs: 500, maxForMs: 3_600_000, minSamples: 50 },
      ],
      guardrails: [{ metric: 'slow', critical: true, required: false, per: 'unit', slow: { sloMs: 800 } }],
    });
    const hurried = { to: 'green', plan: [{ weight: 5, for: '0s', minSamples: 0 }] };
    expect((await call('POST', '/api/routes/detect/rollout', hurried)).status).toBe(200);
    const [{ forMs, minSamples, maxForMs }] = (asked.pop()![2] as { plan: [Record<string, unknown>] }).plan;
    expect([forMs, minSamples, maxForMs]).toEqual([0, 0, undefined]);
    const carrying = { to: 'green', plan: [{ weight: 50, experiment: true }] };
    expect((await call('POST', '/api/routes/detect/rollout', carrying)).status).toBe(200);
    expect((asked.pop()![2] as { plan: unknown }).plan).toMatchObject([{ weight: 50, minSamples: 0 }]);
    await call('POST', '/api/routes/detect/rollout', { to: 'green' });
    expect(asked[1]![2]).toEqual({ kind: 'rollout', to: 'green', plan: 'canary', guardrails: null, force: false });
  });

  it.each([
    ['PUT', `${detect}/split`, 'weights', {}],
    ['PUT', `${detect}/split`, 'weights.blue', { weights: { blue: 101 } }],
    ['PUT', `${detect}/split`, 'shadows.green', { weights: { blue: 100 }, shadows: { green: -1 } }],
    ['PUT', `${detect}/split`, 'weights.constructor', { weights: { blue: 100, constructor: 50 } }],
    ['PUT', `${detect}/split`, 'reason', { weights: { blue: 100 }, reason: 'x'.repeat(501) }],
    ['POST', `${detect}/switch`, 'to', {}],
    ['POST', `${detect}/switch`, 'force', { to: 'green', force: 'yes' }],
    ['POST', `${detect}/rollout`, 'to', {}],
    ['POST', `${detect}/rollout`, 'plan', { to: 'green', plan: [] }],
    ['POST', `${detect}/rollout`, 'plan', { to: 'green', plan: [{ weight: 5, for: 'soon' }] }],
    ['POST', `${detect}/rollout`, 'guardrails', { to: 'green', guardrails: [{ metric: 'luck', critical: true }] }],
    ['POST', `${detect}/rollout`, 'guardrails', { to: 'green', guardrails: [{ metric: 'errors', required: true }] }],
    ['POST', `${detect}/rollout`, 'guardrails', { to: 'green', guardrails: [{ metric: 'slow', critical: true }] }],
    ['POST', `${detect}/rollout/pause`, 'reason', { reason: 7 }],
    ['POST', `${detect}/rollback`, 'revision', { revision: 1.5 }],
    ['GET', `${detect}/history?limit=0`, 'limit', undefined],
    ['GET', `${detect}/series?width=2d`, 'width', undefined],
    ['GET', `${detect}/explain`, 'unit', undefined],
  ])('are refused whole with the path of what is wrong: %s %s, %s', async (method, path, where, body) => {
    const { asked, call } = agreeing();
    const answer = await call(method, path, body);
    expect(answer.status).toBe(422);
    const { code, faults, mend } = await problemOf(answer);
    expect(code).toBe('invalid_request');
    expect(mend).toContain('openapi.json');
    expect(faults?.[0]?.path).toContain(where);
    expect(asked).toEqual([]);
  });

  it.each([
    [
      { to: 'green', plan: [{ weight: 5, for: '10x' }] },
      {
        path: 'plan[0].for',
        reason: '"10x" is not a duration',
        mend: 'write it as "500ms", "90s", "10m" or "24h"',
      },
    ],
    [{ plan: 'canary' }, { path: 'to', reason: 'is missing', mend: 'add "to"' }],
    [
      { to: 'green', gaurdrails: [] },
      {
        path: 'gaurdrails',
        reason: '"gaurdrails" is not a key that Headgate knows here',
        mend: 'did you mean "guardrails"?',
      },
    ],
    [
      { to: 'green', plan: [{ weight: 5, for: '1m', maxfor: '1h' }] },
      { path: 'plan[0].maxfor', reason: expect.any(String), mend: 'did you mean "maxFor"?' },
    ],
  ])('say of each fault where it is, what stands there, and how to mend it: %j', async (body, fault) => {
    const { asked, call } = agreeing();
    const { faults, detail } = await problemOf(await call('POST', `${detect}/rollout`, body));
    expect(faults).toEqual([fault]);
    expect(detail).toMatch(new RegExp(`^${faults![0]!.path.replace(/[[\].]/g, '\\$&')}: .+$`));
    expect(asked).toEqual([]);
  });

  it('name an unknown member of a split, and what would fit a query', async () => {
    const { call } = agreeing();
    const split = await problemOf(await call('PUT', `${detect}/split`, { weights: { blue: 100 }, shadow: {} }));
    expect(split.faults).toMatchObject([{ path: 'shadow', mend: 'did you mean "shadows"?' }]);
    const limit = await problemOf(await call('GET', `${detect}/history?limit=0`));
    const mend = 'give a whole number from 1 to 500';
    expect(limit.faults).toEqual([{ path: 'limit', reason: '"0" does not fit', mend }]);
  });

  it('say in words what a revision must be, and take no list for a body', async () => {
    const { asked, call } = agreeing();
    const { faults } = await problemOf(await call('POST', `${detect}/rollback`, { revision: 2.5 }));
    expect(faults).toMatchObject([{ path: 'revision', mend: expect.stringContaining('give a whole number') }]);
    for (const to of ['rollout/promote', 'rollback', 'switch']) {
      expect((await call('POST', `${detect}/${to}`, [])).status, to).toBe(422);
    }
    const misspelled = await problemOf(await call('POST', `${detect}/switch`, { to: 'green', forse: true }));
    expect(misspelled.faults).toMatchObject([{ path: 'forse', mend: 'did you mean "force"?' }]);
    expect(asked).toEqual([]);
    // Nothing is lost by a member too many in what takes traffic back.
    expect((await call('POST', `${detect}/rollout/abort`, { reason: 'x', why: 'y' })).status).toBe(200);
  });

  it('are refused as no JSON, as too long, and with an If-Match that is no revision', async () => {
    const { asked, call } = agreeing();
    expect((await call('POST', `${detect}/switch`, '{"to":')).status).toBe(400);
    expect((await call('POST', `${detect}/switch`, `{"to":"${'x'.repeat(300_000)}"}`)).status).toBe(413);
    const headers = { 'if-match': '"the newest"' };
    expect((await call('POST', `${detect}/switch`, { to: 'green' }, { headers })).status).toBe(412);
    expect(asked).toEqual([]);
  });

  it.each([
    ['stale', 412],
    ['no_such_route', 404],
    ['no_config', 503],
    ['unpublished', 503],
    ['unknown_variant', 422],
    ['unknown_revision', 422],
    ['manual', 409],
    ['rollout_running', 409],
    ['variants_changed', 409],
    ['guardrail_fails', 409],
    ['unhealthy', 409],
  ])('refused as %s answer %d with the reason and the way out', async (code, status) => {
    const call = refusing({ code, detail: 'as things stand', mend: 'wait' });
    const answer = await call('POST', `${detect}/rollout/promote`, { reason: 'now' });
    expect(answer.status).toBe(status);
    expect(await problemOf(answer)).toEqual({
      ...{ type: 'about:blank', title: expect.any(String), status },
      ...{ code, detail: 'as things stand', mend: 'wait' },
    });
  });

  it('need a controller', async () => {
    const call = mounted();
    for (const [method, path, body] of [
      ['GET', '/api/routes', undefined],
      ['GET', detect, undefined],
      ['PUT', `${detect}/split`, { weights: { blue: 100 } }],
      ['DELETE', `${detect}/weights`, undefined],
      ['GET', `${detect}/history`, undefined],
    ] as const) {
      const answer = await call(method, path, body);
      expect([path, answer.status, (await problemOf(answer)).code]).toEqual([path, 503, 'no_controller']);
    }
  });
});

describe('a controller that throws', () => {
  const down = async () => Promise.reject(new Error('down'));
  const detectStatus = {
    ...{ name: 'detect', byHand: null, byHandFault: null, live: {}, rollout: null },
    split: {
      ...{ revision: 3, weights: {}, shadows: {}, baseline: 'blue', salt: 'detect' },
      rollout: null,
      by: '',
      reason: '',
      at: '',
    },
    inForce: { source: 'split', weights: {}, baseline: 'blue', notes: [] },
  };
  /** `up` says of which instances every call is answered. */
  const world = (up: (name: string) => boolean, state?: AdminDeps['serving']['state']) => {
    const config = { text: JSON.stringify(document) };
    const stub = (name: string) =>
      up(name)
        ? { status: async () => detectStatus, currentConfig: async () => config }
        : new Proxy({}, { get: () => down });
    const CONTROLLER = { idFromName: (name: string) => name, get: stub } as unknown as Env['CONTROLLER'];
    const serving = {
      config: async () => loadedConfig(),
      state: state ?? (async (_env, _ctx, route) => unreadState(route)),
    };
    return mounted({ env: { CONTROLLER }, deps: { serving } });
  };
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}));
  afterEach(() => void vi.restoreAllMocks());

  it.each([
    ['GET', detect, undefined],
    ['PUT', `${detect}/split`, { weights: { blue: 100 } }],
    ['POST', `${detect}/switch`, { to: 'green' }],
    ['POST', `${detect}/rollout`, { to: 'green' }],
    ['POST', `${detect}/rollout/abort`, {}],
    ['POST', `${detect}/rollback`, {}],
    ['GET', `${detect}/splits`, undefined],
    ['DELETE', `${detect}/weights`, undefined],
    ['GET', `${detect}/history`, undefined],
    ['GET', `${detect}/series`, undefined],
    ['GET', `${detect}/explain?unit=u`, undefined],
    ['GET', `${detect}/comparisons`, undefined],
  ])('answers %s %s with 503, and with the way by hand', async (method, path, body) => {
    const answer = await world(() => false)(method, path, body);
    expect(answer.status).toBe(503);
    const { code, detail, mend } = await problemOf(answer);
    expect(code).toBe('controller_down');
    expect(detail).toContain('traffic flows on as it is');
    expect(mend).toMatch(/try again.*wrangler kv key put --remote --binding CONFIG weights:detect/);
    expect(console.error).toHaveBeenCalledWith('controller', 'detect', expect.any(Error));
  });

  const listed = async (call: ReturnType<typeof mounted>) => {
    const answer = await call('GET', '/api/routes');
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as { routes: RouteStatus[] };
    expect(v.safeParse(routesAnswer, body).issues).toBeUndefined();
    return body.routes;
  };

  it('leaves the other routes in the list, and its own with what config and KV say', async () => {
    const state = vi.fn(async (_env: Env, _ctx: unknown, route: Route) => {
      const { salt, baseline } = route;
      const split = {
        ...{ revision: 7, weights: { blue: 100 }, shadows: {}, baseline, salt, rollout: null },
        ...{ variants: variantsHash(route), by: 'ada', reason: '', at: '2026-11-24T10:00:00.000Z' },
      };
      return nextState(route, { split: JSON.stringify(split), weights: '{"blue":100}' }, undefined, () => {});
    });
    const routes = await listed(world((name) => name !== 'route:shop', state));
    expect(routes.map(({ name, warnings }) => [name, warnings])).toEqual([
      ['detect', undefined],
      ['shop', ['its controller does not answer']],
    ]);
    expect(routes[1]).toMatchObject({
      split: { revision: 7, weights: { blue: 100 } },
      inForce: { source: 'weights', weights: { blue: 100 } },
      byHand: { blue: 100 },
      live: {},
      rollout: null,
    });
    expect(state).toHaveBeenCalledTimes(1);
  });

  it('has the weights of the config where nothing else is known, with all of them down and the config’s owner too', async () => {
    const routes = await listed(world(() => false));
    expect(routes.map(({ name, split }) => [name, split.revision, split.weights, split.by])).toEqual([
      ['detect', 0, { blue: 100, green: 0 }, 'config'],
      ['shop', 0, { blue: 100 }, 'config'],
    ]);
    expect(routes[0]!.inForce.notes.join()).toContain('KV could not be read');
  });
});

describe('a preview', () => {
  it('is written into the history of its route, and given also where that fails', async () => {
    const { asked, call } = agreeing();
    expect((await call('POST', `${detect}/preview`, { variant: 'green' })).status).toBe(200);
    expect(asked).toEqual([['note', 'detect', expect.objectContaining({ actor: 'api', action: 'preview' })]]);
    const CONTROLLER = { idFromName: () => '', get: () => ({ note: async () => Promise.reject(new Error('down')) }) };
    const down = mounted({ env: { CONTROLLER: CONTROLLER as unknown as Env['CONTROLLER'] } });
    expect((await down('POST', `${detect}/preview`, { variant: 'green' })).status).toBe(200);
  });
});
