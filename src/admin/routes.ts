/** Owns the calls on routes and their traffic: status, split, switch, rollout, way back, history. The controller decides. */

import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { parseConfig } from '../config/parse.ts';
import { configKeeperOf, controllerOf, type Env } from '../env.ts';
import type { Result } from '../result.ts';
import type { CallRefusal, Change } from '../rollout/calls.ts';
import type { RouteStatus } from '../rollout/status.ts';
import type { WaysBack } from '../rollout/ways-back.ts';
import * as words from '../rollout/words.ts';
import { callerOf } from './caller.ts';
import type { AdminEnv } from './context.ts';
import { explanationOf } from './explain.ts';
import { bindIt, invalid, jsonBody, query, refuse } from './input.ts';
import * as schemas from './schemas.ts';
import { normalisedTrial, trialFaults } from './trial.ts';

type Called =
  | { ok: true; value: { status: RouteStatus | null; warnings: string[] } }
  | { ok: false; error: CallRefusal };

export function trafficRoutes() {
  return new Hono<AdminEnv>()
    .get('/routes', async (c) => {
      const names = await routeNames(c.env);
      if (names === null) return refuse(noController);
      const statuses = await Promise.all(names.map((name) => controllerOf(c.env, name)!.status(name)));
      return c.json({ routes: statuses.filter((status) => status !== null) }, 200);
    })
    .get('/routes/:route', async (c) => {
      const route = c.req.param('route');
      const status = await controllerOf(c.env, route)?.status(route);
      if (status === undefined) return refuse(noController);
      if (status === null) return refuse(noRoute(route));
      return c.json(status, 200, { etag: `"${status.split.revision}"` });
    })
    .put('/routes/:route/split', jsonBody(schemas.splitBody, true), (c) => {
      const { reason, ...asked } = c.req.valid('json');
      return changing(c, reason, { kind: 'split', ...asked });
    })
    .post('/routes/:route/switch', jsonBody(schemas.switchBody), (c) => {
      const { reason, ...asked } = c.req.valid('json');
      return changing(c, reason, { kind: 'switch', ...asked });
    })
    .post('/routes/:route/rollout', jsonBody(schemas.rolloutBody, true), async (c) => {
      const body = c.req.valid('json');
      const faults = trialFaults(body);
      if (faults.length > 0) return refuse(invalid('The rollout cannot be started as written.', faults));
      return changing(c, body.reason, { kind: 'rollout', to: body.to, ...normalisedTrial(body) });
    })
    .post('/routes/:route/rollout/:command{promote|pause|resume|abort}', jsonBody(schemas.reasonBody), (c) => {
      const kind = c.req.param('command') as 'promote' | 'pause' | 'resume' | 'abort';
      const { reason } = c.req.valid('json');
      return changing(c, reason, { kind });
    })
    .post('/routes/:route/rollback', jsonBody(schemas.rollbackBody), (c) => {
      const { reason, ...asked } = c.req.valid('json');
      return changing(c, reason, { kind: 'rollback', ...asked });
    })
    .get('/routes/:route/splits', query(schemas.splitsQuery), async (c) => {
      const route = c.req.param('route');
      const found = (await controllerOf(c.env, route)?.waysBack(route, c.req.valid('query'))) as
        | Result<WaysBack, CallRefusal>
        | undefined;
      if (found === undefined) return refuse(noController);
      return found.ok ? c.json(found.value, 200) : refuse(refusalOf(found.error));
    })
    .delete('/routes/:route/weights', (c) => changing(c, c.req.query('reason') ?? '', { kind: 'manual-cleared' }))
    .get('/routes/:route/history', query(schemas.historyQuery), async (c) => {
      const route = c.req.param('route');
      const { limit, before } = c.req.valid('query');
      const page = await controllerOf(c.env, route)?.history(route, limit, before ?? null);
      if (page === undefined) return refuse(noController);
      return page === null ? refuse(noRoute(route)) : c.json(page, 200);
    })
    .get('/routes/:route/series', query(schemas.seriesQuery), async (c) => {
      const route = c.req.param('route');
      const { width, minutes } = c.req.valid('query');
      const points = await controllerOf(c.env, route)?.series(route, width, Date.now() - minutes * 60_000);
      return points === undefined ? refuse(noController) : c.json({ width, points }, 200);
    })
    .get('/routes/:route/explain', query(schemas.explainQuery), async (c) => {
      const route = c.req.param('route');
      const status = await controllerOf(c.env, route)?.status(route);
      if (status === undefined) return refuse(noController);
      if (status === null) return refuse(noRoute(route));
      return c.json(explanationOf(status, c.req.valid('query').unit), 200);
    });
}

/** Every change answers with the route as it is afterwards, and what people should know although it was done. */
async function changing(c: Context<AdminEnv>, reason: string, asked: Change) {
  const route = c.req.param('route')!;
  const controller = controllerOf(c.env, route);
  if (controller === null) return refuse(noController);
  const caller = callerOf(c, reason);
  if (caller === null) return refuse(badIfMatch);
  const called = (await controller.change(route, asked, caller)) as Called;
  if (!called.ok) return refuse(refusalOf(called.error));
  const { status, warnings } = called.value;
  return c.json({ ...status!, warnings }, 200, { etag: `"${status?.split.revision ?? 0}"` });
}

/** One switch from refusals to statuses. */
function refusalOf({ faults, ...refused }: CallRefusal) {
  switch (refused.code) {
    case 'stale':
      return { status: 412 as const, ...refused };
    case 'no_such_route':
      return { status: 404 as const, ...refused };
    case 'no_config':
    case 'unpublished':
      return { status: 503 as const, ...refused };
    case 'invalid':
      return invalid(refused.detail, faults ?? []);
    case 'unknown_variant':
    case 'unknown_revision':
      return { status: 422 as const, ...refused };
    default:
      return { status: 409 as const, ...refused };
  }
}

async function routeNames(env: Env): Promise<string[] | null> {
  const keeper = configKeeperOf(env);
  if (keeper === null) return null;
  const current = await keeper.currentConfig();
  const parsed = current === null ? null : parseConfig(current.text, { unknownKeys: 'warn' });
  return parsed?.ok ? parsed.value.config.routes.map(({ name }) => name) : [];
}

export const noController = {
  status: 503 as const,
  code: 'no_controller',
  detail: 'This Worker has no CONTROLLER binding.',
  mend: bindIt,
};

/** RFC 9110 §13.1.1: what matches no revision is a precondition that does not hold. */
const badIfMatch = {
  status: 412 as const,
  code: 'stale',
  detail: 'If-Match is not a split revision.',
  mend: 'send the ETag of GET /_headgate/api/routes/:route',
};

export const noRoute = (route: string) => ({ status: 404 as const, ...words.noRoute(route) });
