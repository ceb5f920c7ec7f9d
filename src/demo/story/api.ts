/** Owns what the demo's story asks of the running Headgate: the calls of the admin API that a person would make, and no others. */

import { type Connected, connect } from '../../cli/client.ts';
import type { Comparisons } from '../../cli/comparisons/report.ts';
import type { ChangedRoute, RouteStatus } from '../../cli/route.ts';
import { terminal } from '../../cli/terminal.ts';
import { ROUTE } from './config.ts';
import { type FEEDBACK_GUARDRAILS, GUARDRAILS, type StoryStep } from './plans.ts';

/** What the history says of a moment, as far as the story tells it. */
export interface Moment {
  at: string;
  actor: string;
  action: string;
  reason: string;
  after: {
    weights?: Record<string, number>;
    shadows?: Record<string, number>;
    step?: number;
    steps?: number;
  } | null;
  /** The verdicts at that moment, in full sentences. */
  evidence?: string[];
}

/** Guardrails as the call takes them. */
export type Guardrails = readonly (typeof FEEDBACK_GUARDRAILS)[number][];

/** Every call throws `Stop` when it is refused. */
export interface StoryApi {
  configure(document: string): Promise<void>;
  status(): Promise<RouteStatus>;
  /** Under the story's own guardrails where none are given. */
  start(to: string, plan: StoryStep[], reason: string, guardrails?: Guardrails): Promise<ChangedRoute>;
  switchTo(to: string, reason: string): Promise<void>;
  rollback(reason: string): Promise<void>;
  comparisons(candidate: string): Promise<Comparisons>;
  /** Newest first. */
  history(): Promise<Moment[]>;
}

export function storyApi(url: string, token: string): StoryApi {
  const args = { _: [], url, token, as: 'demo', json: false };
  const { client, ask }: Connected = connect(args, { ...terminal(), env: {} });
  const route = client.api.routes[':route'];
  const param = { route: ROUTE };
  return {
    async configure(document) {
      await ask(client.api.config.$put({ query: { reason: 'the demo begins' } }, { init: { body: document } }));
    },
    async status() {
      return (await ask(route.$get({ param }))) as RouteStatus;
    },
    async start(to, plan, reason, guardrails = GUARDRAILS) {
      const json = { to, plan, guardrails: guardrails.map((guardrail) => ({ ...guardrail })), reason };
      return (await ask(route.rollout.$post({ param, json }))) as ChangedRoute;
    },
    async switchTo(to, reason) {
      await ask(route.switch.$post({ param, json: { to, reason } }));
    },
    async rollback(reason) {
      await ask(route.rollback.$post({ param, json: { reason } }));
    },
    async comparisons(candidate) {
      return (await ask(route.comparisons.$get({ param, query: { candidate, samples: '0' } }))) as Comparisons;
    },
    async history() {
      const { entries } = await ask(route.history.$get({ param, query: { limit: '50' } }));
      return entries as Moment[];
    },
  };
}
