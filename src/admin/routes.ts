/** Owns the calls on routes and their traffic: status, split, switch, rollout, way back, history. The controller decides. */

import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { parseConfig } from '../config/parse.ts';
import type { Route } from '../config/types.ts';
import { configKeeperOf, controllerOf, type Env } from '../env.ts';
import { withLimit } from '../limit.ts';
import type { Result } from '../result.ts';
import type { Change } from '../rollout/calls.ts';
import type { Called } from '../rollout/controller.ts';
import type { CallRefusal } from '../rollout/ready.ts';
import type { RouteStatus } from '../rollout/status.ts';
import type { WaysBack } from '../rollout/ways-back.ts';
import * as words from '../rollout/words.ts';
import { callerOf } from './caller.ts';
import type { AdminDeps, AdminEnv } from './context.ts';
import { explanationOf } from './explain.ts';
import { bindIt, invalid, jsonBody, query, refuse } from './input.ts';
import { CALL_LIMIT_MS, KEEPER_LIMIT_MS, STATUS_LIMIT_MS } from './limits.ts';
import * as schemas from './schemas.ts';
import { normalisedTrial, trialFaults } from './trial.ts';

export function trafficRoutes(deps: AdminDeps) {
  const { loadConfig } = deps;
  return new Hono<AdminEnv>()
    .get('/routes', async (c) => {
      if (!c.env.CONTROLLER) return noController();
      const inKv = async () => (await loadConfig(c.env))!.routes;
      const routes = await routesOf(c.env).catch(inKv);
      const looks = routes.map((route) =>
        statusOf(controllerOf(c.env, route.name)!, route.name).catch(async (cause) => {
          // A controller that is down hides neither the other routes nor what config and KV say of its own.
          const { inForce, split, weights: byHand } = await servedHere(deps, c, route);
          return {
            ...{ name: route.name, inForce, byHand, byHandFault: null, rollout: null, live: {} },
            split: { at: '', reason: '', by: 'config', ...inForce, weights: route.weights, ...split },
            warnings: [`its controller ${cause instanceof Unread ? 'could read no config' : 'does not answer'}`],
          };
        }),
      );
      const statuses = await Promise.all(looks);
      return c.json({ routes: statuses.filter((status) => status !== null) }, 200);
    })
    .get('/routes/:route', (c) =>
      askController(c, async (controller, route) => {
        const status = await statusOf(controller, route);
        return status && c.json(status, 200, { etag: `"${status.split.revision}"` });
      }),
    )
    .put('/routes/:route/split', jsonBody(schemas.splitBody), (c) => {
      return changing(c, { kind: 'split', ...c.req.valid('json') });
    })
    .post('/routes/:route/switch', jsonBody(schemas.switchBody), (c) => {
      return changing(c, { kind: 'switch', ...c.req.valid('json') });
    })
    .post('/routes/:route/rollout', jsonBody(schemas.rolloutBody), async (c) => {
      const body = c.req.valid('json');
      const faults = trialFaults(body);
      if (faults.length > 0) return invalid('The rollout cannot be started as written.', faults);
      return changing(c, { kind: 'rollout', ...body, ...normalisedTrial(body) });
    })
    .post(
      '/routes/:route/rollout/:command{promote|pause|resume|abort}',
      jsonBody(schemas.reasonBody, { isStrict: false }),
      (c) => {
        const kind = c.req.param('command') as 'promote' | 'pause' | 'resume' | 'abort';
        return changing(c, { kind, ...c.req.valid('json') });
      },
    )
    .post('/routes/:route/rollback', jsonBody(schemas.rollbackBody), (c) => {
      return changing(c, { kind: 'rollback', ...c.req.valid('json') });
    })
    .get('/routes/:route/splits', query(schemas.splitsQuery), (c) =>
      askController(c, async (controller, route) => {
        const found = (await controller.waysBack(route, c.req.valid('query'))) as Result<WaysBack, CallRefusal>;
        return found.ok ? c.json(found.value, 200) : refusalOf(found.error);
      }),
    )
    .delete('/routes/:route/weights', query(schemas.reasonQuery), (c) =>
      changing(c, { kind: 'manual-cleared', ...c.req.valid('query') }),
    )
    .get('/routes/:route/history', query(schemas.historyQuery), (c) =>
      askController(c, async (controller, route) => {
        const { limit, before } = c.req.valid('query');
        const page = await controller.history(route, limit, before ?? null);
        return page && c.json(page, 200);
      }),
    )
    .get('/routes/:route/series', query(schemas.seriesQuery), (c) =>
      askController(c, async (controller, route) => {
        const { width, minutes } = c.req.valid('query');
        const points = await controller.series(route, width, Date.now() - minutes * 60_000);
        return points && c.json({ width, points }, 200);
      }),
    )
    .get('/routes/:route/explain', query(schemas.explainQuery), (c) =>
      askController(c, async (controller, route) => {
        const status = await statusOf(controller, route);
        return status && c.json(explanationOf(status, c.req.valid('query').unit), 200);
      }),
    );
}

export type Controller = NonNullable<ReturnType<typeof controllerOf>>;

/** Asks the controller of the route in the call's path. A null is answered by 404, a controller that fails or does not answer by 503. */
export async function askController<T>(
  c: Context<AdminEnv>,
  call: (controller: Controller, route: string) => Promise<T | null>,
) {
  const route = c.req.param('route')!;
  try {
    const controller = controllerOf(c.env, route);
    if (controller === null) return noController();
    return (await withLimit(call(controller, route), CALL_LIMIT_MS)) ?? noRoute(route);
  } catch (cause) {
    if (cause instanceof Unread)
      return refuse(503, 'no_config', cause.message, 'try again; headgate doctor looks at config and KV');
    console.error('controller', route, cause);
    const detail = `The controller does not answer: traffic flows on as it is.`;
    return refuse(503, 'controller_down', detail, moveByHand(route));
  }
}

/** No config could be read, so nothing can be said of the route. */
class Unread extends Error {
  override message = 'No config could be read; pause and abort work without it.';
}

/** A route's status; null if the config does not have the route. Throws `Unread` if no config could be read. */
export async function statusOf(controller: Controller, route: string): Promise<RouteStatus | null> {
  const status = (await withLimit(controller.status(route), STATUS_LIMIT_MS)) as RouteStatus | 'unread' | null;
  if (status === 'unread') throw new Unread();
  return status;
}

/** What config and KV say of a route, without its controller. `serving.state` needs the very route object that the isolate serves by. */
export async function servedHere(
  { loadConfig, serving }: AdminDeps,
  { env, executionCtx }: Context<AdminEnv>,
  route: Route,
) {
  const served = (await loadConfig(env))?.routes.find(({ name }) => name === route.name);
  return serving.state(env, executionCtx, served ?? route);
}

/** The command that sets weights by hand, with the weights left open. */
export const putByHand = (route: string) =>
  `npx wrangler kv key put --remote --binding CONFIG weights:${route} '{"…":100}'`;

/** How people can move traffic while a controller does not answer. */
export const moveByHand = (route: string) => `try again; by hand: ${putByHand(route)}`;

/** Makes a change. It answers with the route as it is afterwards, and with warnings. */
function changing(c: Context<AdminEnv>, { reason, ...asked }: Change & { reason: string }) {
  return askController(c, async (controller, route) => {
    const caller = callerOf(c, reason);
    if (caller === null) return badIfMatch();
    const called = (await controller.change(route, asked, caller)) as Called;
    if (!called.ok) return refusalOf(called.error);
    const { status, revision, warnings } = called.value;
    // A controller of an earlier deployment names no `revision`.
    return c.json({ ...status!, warnings }, 200, { etag: `"${revision ?? status?.split.revision}"` });
  });
}

/** The statuses of refusals that are not a 409. */
const statuses: Record<string, 404 | 412 | 422 | 503> = {
  stale: 412,
  no_such_route: 404,
  no_config: 503,
  unpublished: 503,
  unknown_variant: 422,
  unknown_revision: 422,
};

export function refusalOf({ code, detail, mend, faults }: CallRefusal) {
  return faults === undefined ? refuse(statuses[code] ?? 409, code, detail, mend) : invalid(detail, faults);
}

async function routesOf(env: Env): Promise<Route[]> {
  const current = await withLimit(configKeeperOf(env)!.currentConfig(), KEEPER_LIMIT_MS);
  const parsed = current === null ? null : parseConfig(current.text, { unknownKeys: 'warn' });
  return parsed?.ok ? parsed.value.config.routes : [];
}

export const noController = () => refuse(503, 'no_controller', 'This Worker has no CONTROLLER binding.', bindIt);

/** RFC 9110 §13.1.1: an If-Match that is no revision matches nothing, so the precondition fails. */
const badIfMatch = () =>
  refuse(412, 'stale', 'If-Match is not a split revision.', 'send the ETag of GET /_headgate/api/routes/:route');

export const noRoute = (route: string) => refusalOf(words.noRoute(route).error);
