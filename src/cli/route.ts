/** Owns a route as verbs see it: its status, and the refusal of unknown names of routes and variants. It changes nothing. */

import type { RouteStatus } from '../rollout/status.ts';
import { type Connected, connect } from './client.ts';
import { didYouMean } from './names.ts';
import { Stop } from './stop.ts';
import type { Terminal } from './terminal.ts';
import type { CommonArgs } from './verb.ts';

export type { RouteStatus };

/** What a change answers: the route afterwards, and what people should know although it was done. */
export type ChangedRoute = RouteStatus & { warnings: string[] };

interface OpenRoute extends Connected {
  status: RouteStatus;
  /** For the client's `param`. */
  param: { route: string };
}

/** Connects and looks at a route; a name that the config does not have is refused with the nearest one. */
export async function openRoute(route: string, args: CommonArgs, terminal: Terminal): Promise<OpenRoute> {
  const connected = connect(args, terminal);
  const status = await lookAt(route, connected);
  return { ...connected, status, param: paramOf(route) };
}

/** A route's status now. */
export async function lookAt(route: string, connected: Connected): Promise<RouteStatus> {
  const { client, ask } = connected;
  // A URL takes these two for steps on the way, and all routes would be answered.
  if (route === '.' || route === '..') throw noSuchRoute(route, await routeNames(connected));
  try {
    return (await ask(client.api.routes[':route'].$get({ param: paramOf(route) }))) as RouteStatus;
  } catch (cause) {
    if (!(cause instanceof Stop) || cause.trouble.code !== 'no_such_route') throw cause;
    throw noSuchRoute(route, await routeNames(connected));
  }
}

/** The refusal of a route that the config does not have. */
function noSuchRoute(route: string, known: readonly string[]): Stop {
  return new Stop({
    exitCode: 1,
    code: 'no_such_route',
    what: `There is no route ${route}.`,
    mend: known.length === 0 ? 'headgate apply FILE puts routes in force' : didYouMean(route, known),
  });
}

/** The statuses of all routes of the config. */
export async function routeStatuses({ client, ask }: Connected): Promise<RouteStatus[]> {
  return ((await ask(client.api.routes.$get())) as { routes: RouteStatus[] }).routes;
}

/** Throws `Stop` if the config has no such route. If the Worker cannot be asked, nothing is refused. */
export async function requireRoute(route: string, connected: Connected): Promise<void> {
  const known = await routeNames(connected).catch((cause: unknown) => {
    if (cause instanceof Stop) return null;
    throw cause;
  });
  if (known !== null && !known.includes(route)) throw noSuchRoute(route, known);
}

async function routeNames(connected: Connected): Promise<string[]> {
  return (await routeStatuses(connected)).map(({ name }) => name);
}

/** Every variant that the config gives the route. */
export function variantsOf({ inForce }: RouteStatus): string[] {
  return Object.keys(inForce.weights);
}

/** The baseline that the next split or rollout has. */
export function nextBaselineOf({ nextBaseline, inForce }: RouteStatus): string {
  return nextBaseline ?? inForce.baseline;
}

/** Throws `Stop` when the route has no such variant. */
export function requireVariant(status: RouteStatus, variant: string): void {
  const known = variantsOf(status);
  if (known.includes(variant)) return;
  throw new Stop({
    exitCode: 1,
    code: 'unknown_variant',
    what: `Route ${status.name} has no variant ${variant}.`,
    mend: didYouMean(variant, known),
  });
}

/** A name as part of a path: what would change the path is escaped. */
export function paramOf(route: string): { route: string } {
  return { route: encodeURIComponent(route) };
}
