/**
 * Owns the names of every binding, secret and variable the Worker may have (design section 3), and the look-up of those that have no fixed
 * name. It decides nothing: whoever asks copes with what is absent.
 */

import type { ExperimentLedger } from './experiment/ledger.ts';
import type { Recorder } from './records/recorder.ts';
import type { RolloutController } from './rollout/controller.ts';

/** The bindings, secrets and variables. What has a `?` may be absent. */
export interface Env {
  /** KV namespace with the keys `config`, `split:<route>` and `weights:<route>`. */
  CONFIG: KVNamespace;
  /** Analytics Engine datasets; absent in a Worker that was deployed without them. */
  REQUESTS?: AnalyticsEngineDataset;
  COMPARISONS?: AnalyticsEngineDataset;
  OUTCOMES?: AnalyticsEngineDataset;
  /** One controller a route: gathers tallies, judges, moves weights. Absent, nothing is gathered and traffic flows on. */
  CONTROLLER?: DurableObjectNamespace<RolloutController>;
  /** One ledger an experiment: units, outcomes, sums. Absent, nothing is counted and no experiment decides. */
  LEDGER?: DurableObjectNamespace<ExperimentLedger>;
  /** Local recorder with the same rows, bound in development and tests only. */
  RECORDER?: DurableObjectNamespace<Recorder>;
  /** Bearer token of the admin API. Without it, and without Access, the API is closed (503 `admin_disabled`). */
  ADMIN_TOKEN?: string;
  /** Team address (`https://acme.cloudflareaccess.com`) and application of Cloudflare Access: both, or neither. */
  ACCESS_TEAM_DOMAIN?: string;
  ACCESS_AUD?: string;
  /** Bearer token for outcomes that name their unit. */
  OUTCOME_TOKEN?: string;
  /** Key of pins and preview tokens. Without it none are given or honoured. */
  COOKIE_SECRET?: string;
  /** Where requests go that no route matches, or when there is no config: a URL, or `passthrough`. */
  FALLBACK_ORIGIN?: string;
  /** When set, the controls answer on this host only. */
  ADMIN_HOST?: string;
  /** Seconds after which the config in memory is refreshed in the background. Default 30. */
  CONFIG_REFRESH_SECONDS?: string | number;
  /** Account and API token with which `GET /_headgate/api/records` reads Analytics Engine in production. */
  ANALYTICS_ACCOUNT_ID?: string;
  ANALYTICS_TOKEN?: string;
}

/** A service binding that a variant names (`"service": "CANARY"`), or undefined when the Worker has none of that name. */
export function serviceBinding(env: Env, name: string): Fetcher | undefined {
  const value = (env as unknown as Record<string, unknown>)[name];
  return typeof value === 'object' && value !== null && 'fetch' in value ? (value as Fetcher) : undefined;
}

/** A route's controller. Its name keeps it apart from the instance that owns the config, whatever routes are called. */
export function controllerOf(env: Env, route: string): DurableObjectStub<RolloutController> | null {
  return env.CONTROLLER?.get(env.CONTROLLER.idFromName(`route:${route}`)) ?? null;
}

/** The ledger of a route's experiment. An experiment with another id is another one, with nothing of the last. */
export function ledgerOf(env: Env, route: string, experiment: string): DurableObjectStub<ExperimentLedger> | null {
  return env.LEDGER?.get(env.LEDGER.idFromName(`${route}/${experiment}`)) ?? null;
}

/** The controller instance that owns the config document and its revisions. */
export function configKeeperOf(env: Env): DurableObjectStub<RolloutController> | null {
  return env.CONTROLLER?.get(env.CONTROLLER.idFromName('config')) ?? null;
}

/** A secret a variant's `secretHeaders` may name: only names that begin with `KEY_` can ever be read this way. */
export function keySecret(env: Env, name: string): string | undefined {
  if (!name.startsWith('KEY_')) return undefined;
  const value = (env as unknown as Record<string, unknown>)[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What only the Worker itself can check: whether the secrets and services that a document names are there. */
export function whatThisWorkerHas(env: Env) {
  const own = env as unknown as Record<string, unknown>;
  return {
    secrets: (secret: string) => typeof own[secret] === 'string' && own[secret] !== '',
    services: (service: string) => serviceBinding(env, service) !== undefined,
    adminHost: env.ADMIN_HOST,
  };
}
