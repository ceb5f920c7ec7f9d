/** Owns the config that is in force, as verbs that replace it see it: its text, and the ETag that binds a change to it. */

import { isFor, variantsHash } from '../config/hash.ts';
import { parseConfig } from '../config/parse.ts';
import type { Route } from '../config/types.ts';
import type { Fault } from '../result.ts';
import { isRunning } from './change.ts';
import { type Connected, readBody } from './client.ts';
import type { RouteStatus } from './route.ts';
import { Stop } from './stop.ts';

const FORESIGHT_MS = 3_000;

/** The config in force, where there is one. */
export interface CurrentConfig {
  /** Null where there is none yet. */
  document: Record<string, unknown> | null;
  /** The content hash, without quotes; null where there is none. */
  hash: string | null;
}

/** Reads the config in force. Throws `Stop` for any failure but that there is none. */
export async function currentConfig({ client, replyOf, target }: Connected): Promise<CurrentConfig> {
  try {
    const reply = await replyOf(client.api.config.$get());
    const hash = reply.headers.get('etag')?.replaceAll('"', '') ?? null;
    return { document: await readBody(target, reply), hash };
  } catch (cause) {
    if (cause instanceof Stop && cause.trouble.code === 'no_config') return { document: null, hash: null };
    throw cause;
  }
}

/** A route as the config in force describes it; undefined where it does not. */
export async function configuredRoute(
  name: string,
  { client, replyOf }: Connected,
  signal?: AbortSignal,
): Promise<Route | undefined> {
  const reply = await replyOf(client.api.config.$get(undefined, { init: { signal } }));
  const parsed = parseConfig(await reply.text(), { unknownKeys: 'warn' });
  return parsed.ok ? parsed.value.config.routes.find((route) => route.name === name) : undefined;
}

/**
 * The same for who foresees a refusal: undefined also where the config cannot be read in 3 s, for controllers go on by what they know of it,
 * and weights that take the traffic back must not wait for its owner, which the Worker itself gives 30 s.
 */
export function routeIfRead(name: string, connected: Connected): Promise<Route | undefined> {
  return configuredRoute(name, connected, AbortSignal.timeout(FORESIGHT_MS)).catch(() => undefined);
}

/** `If-Match` of a config write: the hash that a person names, else the one that was read. If there was no config, there must still be none. */
export function ifMatchOfConfig(named: string | undefined, { hash }: CurrentConfig): Record<string, string> {
  const bound = named?.replaceAll('"', '') ?? hash ?? '';
  return { 'if-match': `"${bound}"` };
}

/** Warnings about routes where the config's weights, baseline or shadows are not served as written, since something else is in force. */
export function overridden(routes: readonly Route[], statuses: readonly RouteStatus[]): Fault[] {
  return routes.flatMap((route, index) => {
    const status = statuses.find((one) => one.name === route.name);
    const faults = status === undefined ? [] : overriddenBy(status, route);
    return faults.map((fault) => ({ ...fault, path: `routes[${index}].${fault.path}` }));
  });
}

/** Warnings about routes that the document lacks, and whose traffic was moved: one that has a new name begins by its own weights. */
export function leftBehind(routes: readonly Route[], statuses: readonly RouteStatus[]): Fault[] {
  const gone = statuses.filter(({ name }) => routes.every((route) => route.name !== name));
  return gone.flatMap(({ name, byHand, split, rollout }) => {
    const path = 'routes';
    if (rollout !== null && isRunning(rollout)) {
      const reason = `${name} goes while its rollout ${rollout.id} is ${rollout.phase}: that pauses, and no list shows it`;
      return [{ path, reason, mend: `end it first: headgate rollout abort ${name}` }];
    }
    if (byHand === null && split.revision === 0) return [];
    const weights = Object.entries(byHand ?? split.weights).map(([variant, percent]) => `${variant}=${percent}`);
    const reason = `${name} goes, and with it its ${byHand ? 'weights by hand' : `split ${split.revision}`} (${weights.join(' ')})`;
    return [{ path, reason, mend: 'if it has another name now, that one begins by the weights in the file' }];
  });
}

function overriddenBy({ byHand, split }: RouteStatus, route: Route): Fault[] {
  const { name } = route;
  if (byHand !== null) {
    const lost = Object.keys(byHand).filter((one) => byHand[one] && !Object.hasOwn(route.variants, one));
    const reason =
      lost.length === 0
        ? 'weights set by hand beat them'
        : `weights set by hand go to ${lost.join(', ')}, which this config lacks: they end with it`;
    return [{ path: 'weights', reason, mend: `headgate manual clear ${name}` }];
  }
  if (split.revision === 0) return [];
  const weights = Object.entries(split.weights).map(([variant, percent]) => `${variant}=${percent}`);
  const what = `split ${split.revision} (${weights.join(' ')})`;
  const set = `headgate weights ${name} …`;
  const end = `headgate rollout abort ${name}`;
  const first = split.rollout === null ? '' : `end its rollout first: ${end}; then `;
  if (!isFor(split, route)) {
    const reason = `${what} is for other variants and will not be served: ${route.baseline} gets all traffic`;
    const fault = { path: 'weights', reason, mend: `${first}${set} then moves it by the new variants` };
    return [fault, ...overriddenShadows({ ...split, shadows: {}, plainShadows: [] }, route, first + set)];
  }
  const faults = [{ path: 'weights', reason: `${what} beats them`, mend: `${first}${set} changes what is in force` }];
  // A rollout keeps what it began with to its end.
  if (split.rollout !== null) return [...faults, ...pausing(split, route, end)];
  if (split.baseline !== route.baseline) {
    const reason = `split ${split.revision} still has the baseline ${split.baseline}`;
    faults.push({ path: 'baseline', reason, mend: `the next ${set}, switch or rollout takes this one` });
  }
  return [...faults, ...overriddenShadows(split, route, set)];
}

/** The warning that a running rollout will pause under this config; none where it goes on. */
function pausing({ rollout, variants, baseline }: RouteStatus['split'], route: Route, end: string): Fault[] {
  const path = variantsHash(route) !== variants ? 'variants' : 'baseline';
  if (path === 'baseline' && route.baseline === baseline) return [];
  const what = path === 'baseline' ? `the baseline ${baseline}` : 'other variants';
  const reason = `rollout ${rollout} pauses: it began with ${what}`;
  return [{ path, reason, mend: `put it in force once that has ended, or end it first: ${end}` }];
}

/** Shadows that the split mirrors at another percentage than the config says. Those that the config no longer describes have ended. */
function overriddenShadows(split: RouteStatus['split'], { shadows }: Route, set: string): Fault[] {
  const path = 'shadows';
  const others = shadows.flatMap(({ variant, percent }) => {
    const served = split.shadows[variant] ?? 0;
    if (served === percent) return [];
    const reason = `split ${split.revision} mirrors ${served} % to ${variant}`;
    return [{ path, reason, mend: `${set} --shadow ${variant}=${percent} mirrors ${percent} %` }];
  });
  const own = (split.plainShadows ?? []).filter((name) => shadows.every(({ variant }) => variant !== name));
  return [
    ...others,
    ...own.map((name) => {
      const reason = `split ${split.revision} mirrors ${split.shadows[name]} % to ${name} all the same`;
      return { path, reason, mend: `${set} --shadow none ends it` };
    }),
  ];
}
