/** Owns how a route that was found good becomes the route that the Worker uses. It finds no faults: there are none left. */

import { canonicalHost } from '../address.ts';
import { durationMs } from '../duration.ts';
import { FAILOVER_STATUSES } from '../limits.ts';
import type { RouteDocument } from '../schema/config.ts';
import { watchedName } from '../split.ts';
import type { Audience, AudienceEntry, IdentitySource, MatchRule, Route, StatusRange } from '../types.ts';
import { completeWeights } from '../weights.ts';
import { asList, bare } from './plain.ts';
import {
  defaultGuardrails,
  normaliseExperiment,
  normaliseGuardrails,
  normalisePlan,
  normaliseShadow,
} from './trial.ts';
import { normaliseVariant } from './variant.ts';

/** The route with every default filled in. */
export function normaliseRoute(route: RouteDocument): Route {
  const names = Object.keys(route.variants);
  const guardrails = normaliseGuardrails(route.guardrails);
  const baseline = route.baseline ?? names[0]!;
  const { match, variants, weights, audience, identity, sticky, failStatuses, failover, ...plain } = route;
  return {
    ...plain,
    match: asList(match ?? {}).map(matchRule),
    variants: bare(names.map((name) => [name, normaliseVariant(name, variants[name]!)])),
    baseline,
    weights: completeWeights(weights ?? { [baseline]: 100 }, names),
    audience: audience && normaliseAudience(audience),
    identity: identity.map(identitySource),
    sticky: typeof sticky === 'boolean' ? sticky : { idleMs: durationMs(sticky.idle) ?? 0 },
    repeatable: [...new Set(route.repeatable.map((method) => method.toUpperCase()))],
    failStatuses: failStatuses.map(statusRange),
    failover: failover === true ? { statuses: FAILOVER_STATUSES } : failover,
    measures: route.measures.map((measure) => ({ ...measure, header: measure.header.toLowerCase() })),
    shadows: route.shadows.map(normaliseShadow),
    guardrails,
    // Those that most plans have are watched in any case, and each once.
    watched: [...new Map([...defaultGuardrails, ...guardrails].map((one) => [watchedName(one), one]))],
    plans: bare(Object.entries(route.plans).map(([name, plan]) => [name, normalisePlan(plan)])),
    experiment: route.experiment && normaliseExperiment(route.experiment),
  };
}

type MatchDocument = { host?: string; path?: string; header?: Record<string, string | string[]> };

function matchRule(rule: MatchDocument): MatchRule {
  return {
    host: rule.host === undefined ? null : hostPattern(rule.host),
    path: rule.path ?? null,
    headers: Object.entries(rule.header ?? {}).map(([name, values]) => ({
      name: name.toLowerCase(),
      values: asList(values),
    })),
  };
}

function hostPattern(written: string): string {
  const prefix = written.startsWith('*.') ? '*.' : '';
  return prefix + canonicalHost(written.slice(prefix.length));
}

type AudienceDocument = NonNullable<RouteDocument['audience']>;
type EntryDocument = NonNullable<AudienceDocument['include']>[number];

function normaliseAudience(audience: AudienceDocument): Audience {
  return { exclude: audience.exclude?.map(audienceEntry), include: audience.include?.map(audienceEntry) };
}

function audienceEntry(entry: EntryDocument): AudienceEntry {
  return {
    ...entry,
    header: entry.header?.toLowerCase(),
    country: entry.country === undefined ? undefined : asList(entry.country).map((code) => code.toUpperCase()),
  };
}

function identitySource(source: { header?: string; cookie?: true | string; query?: string }): IdentitySource {
  return source.header === undefined ? (source as IdentitySource) : { header: source.header.toLowerCase() };
}

function statusRange(status: number | string): StatusRange {
  if (typeof status === 'number') return { from: status, to: status };
  const hundred = Number(status[0]) * 100;
  return { from: hundred, to: hundred + 99 };
}
