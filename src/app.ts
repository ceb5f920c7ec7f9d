/**
 * Owns the joining of the planes: what one isolate remembers, who tells whom, and the two apps, controls and traffic. Which of them answers
 * a request is for `index.ts` to say.
 */

import { Hono } from 'hono/tiny';
import { adminApp } from './admin/app.ts';
import type { AdminDeps } from './admin/context.ts';
import { ConfigStore } from './config/store.ts';
import type { Env } from './env.ts';
import { handle, newPlane } from './forward/handle.ts';
import { recordServed } from './forward/record.ts';
import { Confirmations } from './live/confirm.ts';
import { countServed } from './live/count.ts';
import { Exposures } from './live/exposures.ts';
import { Flusher } from './live/flush.ts';
import { Usages } from './live/usage.ts';
import { internal, problem } from './problem.ts';
import { ShadowPlane } from './shadow/plane.ts';

const store = new ConfigStore();
const confirmations = new Confirmations(store);
const flusher: Flusher = new Flusher((route, answer) => {
  if (answer.split !== null) store.offer(route, answer.split);
  confirmations.confirmed(route, Date.now());
  shadows.told(route, answer);
});
const prices = () => store.loaded?.config.prices ?? {};
const shadows = new ShadowPlane(flusher, prices);
const usages = new Usages(prices);
const exposures = new Exposures(usages.of);
const plane = newPlane({
  store,
  confirm: confirmations.check,
  watcher: shadows.watch,
  observers: [recordServed, countServed(flusher, usages.of), shadows.observe, exposures.observe],
});

const inBackground = { waitUntil: (work: Promise<unknown>) => void work };
const loadConfig = async (env: Env) => (await store.read(env, inBackground))?.config ?? null;

const serving: AdminDeps['serving'] = {
  config: async (env, ctx) => (await store.current(env, ctx, Date.now()))?.config ?? null,
  state: async (env, ctx, route) => store.stateOf(env, ctx, route, Date.now()),
};

/** The controls: everything under `/_headgate`. */
export const controls = new Hono<{ Bindings: Env }>().route('/_headgate', adminApp({ loadConfig, serving }));

/** The request plane. */
// One handler has every path: what Hono would find out about the path is asked for nothing, and found once.
export const traffic = new Hono<{ Bindings: Env }>({ getPath: () => '/' });
traffic.all('*', (c) => handle(c.req.raw, c.env, c.executionCtx as ExecutionContext, plane));
const always = traffic.router.match('GET', '/');
traffic.router.match = () => always;
traffic.onError((cause) => {
  console.error('request', cause);
  return problem(internal);
});
