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
import type { WaysBack } from '../rollout/ways-back.ts';
import { askController, noController, refusalOf, servedHere, statusOf, Unread } from './ask-controller.ts';
import { callerOf } from './caller.ts';
import type { AdminDeps, AdminEnv } from './context.ts';
import { explanationOf } from './explain.ts';
import { invalid, jsonBody, query, refuse } from './input.ts';
import { KEEPER_LIMIT_MS } from './limits.ts';
import * as schemas from './schemas.ts';
import { normalisedTrial, trialFaults } from './trial.ts';

/** Every call on routes and what moves their traffic. */
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

async function routesOf(env: Env): Promise<Route[]> {
  const current = await withLimit(configKeeperOf(env)!.currentConfig(), KEEPER_LIMIT_MS);
  const parsed = current === null ? null : parseConfig(current.text, { unknownKeys: 'warn' });
  return parsed?.ok ? parsed.value.config.routes : [];
}

/** RFC 9110 §13.1.1: an If-Match that is no revision matches nothing, so the precondition fails. */
const badIfMatch = () =>
  refuse(412, 'stale', 'If-Match is not a split revision.', 'send the ETag of GET /_headgate/api/routes/:route');
