/**
 * Owns asking a route's controller: the call itself, what is answered where there is none or it refuses, fails or says nothing, and what is
 * known of a route without it. It knows no endpoint.
 */

import type { Context } from 'hono';
import type { Route } from '../config/types.ts';
import { controllerOf } from '../env.ts';
import { withLimit } from '../limit.ts';
import type { CallRefusal } from '../rollout/ready.ts';
import type { RouteStatus } from '../rollout/status.ts';
import * as words from '../rollout/words.ts';
import type { AdminDeps, AdminEnv } from './context.ts';
import { bindIt, invalid, refuse } from './input.ts';
import { CALL_LIMIT_MS, STATUS_LIMIT_MS } from './limits.ts';

/** A route's controller, as a handler calls it. */
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
export class Unread extends Error {
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

/** The statuses of refusals that are not a 409. */
const statuses: Record<string, 404 | 412 | 422 | 503> = {
  stale: 412,
  no_such_route: 404,
  no_config: 503,
  unpublished: 503,
  unknown_variant: 422,
  unknown_revision: 422,
};

/** What a controller refused, as an answer. */
export function refusalOf({ code, detail, mend, faults }: CallRefusal) {
  return faults === undefined ? refuse(statuses[code] ?? 409, code, detail, mend) : invalid(detail, faults);
}

/** There is nothing to ask. */
export const noController = () => refuse(503, 'no_controller', 'This Worker has no CONTROLLER binding.', bindIt);

/** The route is not in the config. */
export const noRoute = (route: string) => refusalOf(words.noRoute(route).error);
