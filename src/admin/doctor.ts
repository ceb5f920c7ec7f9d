/**
 * Owns the Worker's look at itself: bindings, secrets, KV, controllers, and the health of variants, each with what is wrong and
 * how to mend it. It changes nothing, shows no secret, and every check that throws is a finding rather than a failed call.
 */

import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { originFault } from '../config/address.ts';
import { parseConfig } from '../config/parse.ts';
import type { Config, Route, Variant } from '../config/types.ts';
import { configKeeperOf, controllerOf, type Env, whatThisWorkerHas } from '../env.ts';
import { withLimit } from '../limit.ts';
import { probe } from '../rollout/probe.ts';
import type { RouteStatus } from '../rollout/status.ts';
import { lanes } from '../rollout/turns.ts';
import { accessOf, setAccess } from './access.ts';
import { moveByHand, noRoute, putByHand, servedHere, statusOf } from './ask-controller.ts';
import { makeConfig } from './config.ts';
import type { AdminDeps, AdminEnv } from './context.ts';
import { bindIt, putSecret, query } from './input.ts';
import { KEEPER_LIMIT_MS, KV_LIMIT_MS, MAX_DOCTOR_ROUTES, MAX_PROBES, PROBES_AT_ONCE } from './limits.ts';
import { doctorQuery } from './schemas.ts';

/** `note`: worth knowing; `warn`: something is missing or will not work; `bad`: visitors or rollouts suffer now. */
export interface Finding {
  about: string;
  state: 'ok' | 'note' | 'warn' | 'bad';
  detail: string;
  mend?: string;
}

/** `GET /api/doctor`: every finding, also with all that it looks at down. */
export function doctorRoutes(deps: AdminDeps) {
  return new Hono<AdminEnv>().get('/doctor', query(doctorQuery), async (c) => {
    const { env } = c;
    const { route: only } = c.req.valid('query');
    const document = await inKv(env);
    const { routes } = document.config ?? { routes: [] };
    if (only !== undefined && document.config !== null && !routes.some(({ name }) => name === only)) {
      return noRoute(only);
    }
    const chosen = routes.filter(({ name }) => only === undefined || name === only).slice(0, MAX_DOCTOR_ROUTES);
    const [keeper, perRoute] = await Promise.all([keeperFindings(env, document.text), routeFindings(chosen, deps, c)]);
    const left = only === undefined ? routes.length - chosen.length : 0;
    const findings: Finding[] = [
      ...bindingFindings(env),
      ...secretFindings(env, document.config),
      ...document.findings,
      ...keeper,
      ...perRoute,
      ...(left > 0 ? [note('routes', `${left} more are not looked at`, 'headgate doctor --route NAME')] : []),
    ];
    return c.json({ now: new Date().toISOString(), findings }, 200);
  });
}

function bindingFindings(env: Env): Finding[] {
  const datasets = (['REQUESTS', 'COMPARISONS', 'OUTCOMES'] as const).filter((name) => env[name] === undefined);
  const binding = (name: 'CONFIG' | 'CONTROLLER' | 'LEDGER', without: string) =>
    env[name] === undefined
      ? bad(`binding ${name}`, `is missing: ${without}`, bindIt)
      : ok(`binding ${name}`, 'is there');
  return [
    binding('CONFIG', 'there is no config to read'),
    binding('CONTROLLER', 'no rollouts, no writes'),
    binding('LEDGER', 'no experiments'),
    datasets.length > 0
      ? warn('datasets', `${datasets.join(', ')}: no binding, so those records are lost`, bindIt)
      : ok('datasets', 'are there'),
    env.ADMIN_HOST
      ? ok('ADMIN_HOST', `the controls answer on ${env.ADMIN_HOST} only`)
      : note('ADMIN_HOST', 'is not set: variants share an origin with the controls', 'set ADMIN_HOST'),
    accessFinding(env),
    ...fallbackFindings(env),
  ];
}

/** It is needed when all else is down: too late to learn that it cannot be asked. */
function fallbackFindings({ FALLBACK_ORIGIN: fallback }: Env): Finding[] {
  const fault = !fallback || fallback === 'passthrough' ? null : originFault(fallback);
  return fault === null ? [] : [bad('FALLBACK_ORIGIN', fault.reason, fault.mend)];
}

/** Contradicting variables are no finding: they close the API, and its answer says why. */
function accessFinding(env: Env): Finding {
  const access = accessOf(env);
  const about = 'Cloudflare Access';
  if (access.is !== 'on') {
    return note(about, 'is off: only ADMIN_TOKEN opens the API', setAccess);
  }
  const detail = `is on: ${access.team}`;
  // The cookie of Access goes along with whatever a page of the same origin asks.
  return env.ADMIN_HOST
    ? ok(about, detail)
    : warn(about, `${detail}; pages of variants can act as its users`, 'set ADMIN_HOST');
}

function secretFindings(env: Env, config: Config | null): Finding[] {
  const hasOutcomes = config?.routes.some(({ outcomes }) => outcomes.length > 0);
  return [
    env.COOKIE_SECRET
      ? ok('COOKIE_SECRET', 'is set')
      : warn('COOKIE_SECRET', 'is not set: no previews, no checks, no pins', putSecret('COOKIE_SECRET')),
    ...(env.OUTCOME_TOKEN || !hasOutcomes
      ? []
      : [warn('OUTCOME_TOKEN', 'is not set: no backend can report outcomes', putSecret('OUTCOME_TOKEN'))]),
  ];
}

interface InKv {
  /** Undefined where it could not be read. */
  text: string | null | undefined;
  /** Null where there is none, or none that is good. */
  config: Config | null;
  findings: Finding[];
}

async function inKv(env: Env): Promise<InKv> {
  const startedMs = Date.now();
  let text: string | null;
  try {
    text = await withLimit(env.CONFIG.get('config', { type: 'text' }), KV_LIMIT_MS);
  } catch (cause) {
    const detail = `cannot be read (${cause}): isolates serve what they know`;
    return { text: undefined, config: null, findings: [bad('KV', detail, 'try again')] };
  }
  const read = ok('KV', `answered in ${Date.now() - startedMs} ms`);
  if (text === null) {
    return { text, config: null, findings: [read, bad('config', 'there is none in KV', makeConfig)] };
  }
  const loose = parseConfig(text, { unknownKeys: 'warn' });
  const strict = parseConfig(text, { unknownKeys: 'warn', ...whatThisWorkerHas(env) });
  const config = loose.ok ? loose.value.config : null;
  const faults = strict.ok ? strict.value.warnings : strict.error;
  const found = faults.map(({ path, reason, mend }) => (strict.ok ? warn : bad)(`config ${path}`, reason, mend));
  if (strict.ok) found.unshift(ok('config', `valid; routes: ${strict.value.config.routes.length}`));
  return { text, config, findings: [read, ...found] };
}

/** Whether the instance that owns the config answers, and whether KV has what it last wrote. */
async function keeperFindings(env: Env, text: InKv['text']): Promise<Finding[]> {
  const keeper = configKeeperOf(env);
  if (keeper === null) return [];
  try {
    const current = await withLimit(keeper.currentConfig(), KEEPER_LIMIT_MS);
    if (current === null || text === undefined || current.text === text) return [ok('config keeper', 'answers')];
    const detail = `has revision ${current.revision}, and KV ${text === null ? 'none' : 'another document'}`;
    const mend = `wait two minutes, then headgate config restore ${current.revision}`;
    return [warn('config keeper', detail, mend)];
  } catch (cause) {
    return [bad('config keeper', `does not answer (${cause}): no config changes`, 'try again')];
  }
}

async function routeFindings(routes: readonly Route[], deps: AdminDeps, c: Context<AdminEnv>): Promise<Finding[]> {
  const { env } = c;
  let probes = MAX_PROBES;
  const inLane = lanes(PROBES_AT_ONCE);
  const looks = routes.map(async (route) => {
    const allowed = Math.max(0, probes);
    probes -= Object.values(route.variants).filter(({ health }) => health).length;
    const [controller, status] = await controllerFindings(route, env);
    const { weights } = (status ?? (await servedHere(deps, c, route))).inForce;
    const known = { route, status, weights };
    return [...controller, ...(await healthFindings(known, allowed, (one) => inLane(() => probe(one, env))))];
  });
  return (await Promise.all(looks)).flat();
}

async function controllerFindings({ name }: Route, env: Env): Promise<[Finding[], RouteStatus | null]> {
  const about = `route ${name}`;
  const controller = controllerOf(env, name);
  if (controller === null) return [[], null];
  try {
    const status = await statusOf(controller, name);
    if (status === null) return [[warn(about, 'its controller does not know it yet', 'wait a minute')], null];
    const { inForce, byHand, byHandFault, rollout } = status;
    const anew = isRunning(status)
      ? `change it back and resume, or headgate rollout abort ${name}`
      : `headgate weights ${name} … sets a split anew`;
    const notes = inForce.notes.map((detail) =>
      warn(about, detail, byHand === null ? anew : `headgate manual clear ${name}`),
    );
    // A controller of an earlier deployment tells none.
    for (const detail of status.warnings ?? []) notes.push(warn(about, detail, 'wait a minute'));
    if (byHandFault !== null) {
      const { reason, mend } = byHandFault;
      notes.push(
        warn(about, `weights:${name} in KV is refused: ${reason}`, `${mend}; or headgate manual clear ${name}`),
      );
    }
    const running = rollout === null ? '' : `, rollout ${rollout.id} ${rollout.phase}`;
    return [[ok(about, `its controller has revision ${status.split.revision}${running}`), ...notes], status];
  } catch (cause) {
    const detail = `its controller does not answer (${cause}): traffic flows on`;
    return [[bad(about, detail, moveByHand(name))], null];
  }
}

const isRunning = ({ rollout }: RouteStatus): boolean => !!rollout?.waitsFor;

/** How traffic leaves a variant: what weights by hand or a rollout forbid is no way. */
function wayOutOf(variant: string, { name }: Route, status: RouteStatus | null): string {
  if (!status || status.byHand) return putByHand(name);
  if (!isRunning(status)) return `headgate switch ${name} VARIANT`;
  return `headgate rollout ${variant === status.rollout!.to ? 'abort' : 'promote'} ${name}`;
}

/** Health checks. An unhealthy variant is bad if it has traffic, else a warning. `allowed`: how many checks may still be made. */
async function healthFindings(
  { route, status, weights }: { route: Route; status: RouteStatus | null; weights: Record<string, number> },
  allowed: number,
  probed: (variant: Variant) => ReturnType<typeof probe>,
): Promise<Finding[]> {
  const variants = Object.values(route.variants);
  const left = new Set(variants.filter(({ health }) => health).slice(allowed));
  const more = `${left.size} more variants are not asked`;
  const unasked = left.size > 0 ? [warn(`route ${route.name}`, more, `headgate doctor --route ${route.name}`)] : [];
  const asked = variants
    .filter((variant) => !left.has(variant))
    .map(async (variant) => {
      const about = `${route.name}/${variant.name}`;
      if (variant.health === undefined) {
        return note(about, 'declares no health check', 'give it "health"');
      }
      const { ok: isWell, detail } = await probed(variant);
      if (isWell) return ok(about, `healthy: ${detail}`);
      const weight = weights[variant.name] ?? 0;
      return weight > 0
        ? bad(
            about,
            `${detail}, and it has ${weight} % of the traffic`,
            `mend it, or ${wayOutOf(variant.name, route, status)}`,
          )
        : warn(about, detail, 'mend it before it gets traffic');
    });
  return [...(await Promise.all(asked)), ...unasked];
}

const inState = (state: Finding['state']) => (about: string, detail: string, mend?: string) => ({
  about,
  state,
  detail,
  mend,
});
const ok: (about: string, detail: string) => Finding = inState('ok');
type Found = (about: string, detail: string, mend: string) => Finding;
const note: Found = inState('note');
const warn: Found = inState('warn');
const bad: Found = inState('bad');
