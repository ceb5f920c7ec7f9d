/** Owns the fake API of the CLI's tests: answers of the shapes that a Worker gives, over node's sockets, what it was asked, and a session that talks to it. */

import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { RolloutStatus } from '../../src/rollout/describe.ts';
import type { RouteStatus } from '../../src/rollout/status.ts';
import { Session, serve } from './session.ts';

export const nowMs = Date.parse('2026-11-23T10:08:30Z');

const idle = { requests: 0, failed: 0, rejected: 0, p50Ms: null, p95Ms: null, p99Ms: null };
const firstByte = { firstByteP50Ms: 9, firstByteP95Ms: 40 };

export function statusWith(changes: Partial<RouteStatus> = {}): RouteStatus {
  const weights = { blue: 75, green: 25 };
  return {
    name: 'detect',
    split: {
      revision: 12,
      weights,
      shadows: {},
      baseline: 'blue',
      salt: 'r-20261123-1',
      rollout: 'r-20261123-1',
      variants: '9f3c',
      by: 'controller',
      reason: 'step 2 of 4: errors 0.90 % vs 1.00 %, pass',
      at: '2026-11-23T10:04:20Z',
    },
    inForce: { source: 'split', weights, shadows: {}, baseline: 'blue', notes: [], salt: 's', experiment: null },
    byHand: null,
    byHandFault: null,
    live: {
      blue: {
        ...firstByte,
        requests: 9800,
        failed: 98,
        rejected: 0,
        p50Ms: 12,
        p95Ms: 48,
        p99Ms: 91.4,
      },
      green: {
        ...firstByte,
        requests: 1043,
        failed: 12,
        rejected: 0,
        p50Ms: 13,
        p95Ms: 52,
        p99Ms: 1204,
      },
    },
    rollout: null,
    ...changes,
  };
}

export const quiet = { ...idle, firstByteP50Ms: null, firstByteP95Ms: null };

const watched = { forMs: 600_000, maxForMs: 2_400_000, minSamples: 1000, approval: false, experiment: false };

export function rolloutWith(changes: Partial<RolloutStatus> = {}): RolloutStatus {
  return {
    id: 'r-20261123-1',
    to: 'green',
    baseline: 'blue',
    plan: 'canary',
    phase: 'progressing',
    step: 2,
    steps: 4,
    weight: 25,
    since: '2026-11-23T10:04:20Z',
    waitsFor: "6 min more of the step's 10 min",
    nextAt: '2026-11-23T10:14:20Z',
    nextIs: 'weight 50 % (step 3 of 4) if the guardrails pass',
    reason: 'step 2 of 4: errors 0.90 % vs 1.00 %, pass',
    startedBy: 'ci',
    startedAt: '2026-11-23T09:54:20Z',
    planSteps: [5, 25, 50, 100].map((weight) => ({ ...watched, weight })),
    guardrails: [
      {
        metric: 'errors',
        verdict: 'pass',
        sentence:
          'errors: candidate 12 bad of 1,043 unit checks (1.15 %), baseline 98 of 9,800 (1.00 %); up 0.15 pp, at most 0.31 pp (95 % sure), allowed 0.50 pp: pass',
        candidate: { n: 1043, bad: 12 },
        baseline: { n: 9800, bad: 98 },
        e: 0.41,
        threshold: 200,
        upper: 0.0031,
        margin: 0.005,
        critical: true,
        required: true,
      },
    ],
    ...changes,
  };
}

export interface Call {
  method: string;
  path: string;
  body: unknown;
  ifMatch: string | null;
  actor: string | null;
}

/** A refusal as the API words it. */
export function refusal(status: number, code: string, detail: string, more: Record<string, unknown> = {}): Response {
  const body = { type: 'about:blank', title: 'x', status, code, detail, ...more };
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/problem+json' } });
}

/** What every answer of the controls bears. */
export const controlsOwn = { 'cache-control': 'no-store' };

type Answer = unknown | ((call: Call) => unknown);

/** Answers by `METHOD path` below `/_headgate`; a function may count its calls. What has no answer is 404 `not_found`. */
export async function fakeApi(answers: Record<string, Answer> = {}) {
  const calls: Call[] = [];
  const table = { answers };
  const server = await serve(async (request) => {
    const { pathname, search } = new URL(request.url);
    const path = pathname.replace('/_headgate', '');
    const text = await request.text();
    const call: Call = {
      method: request.method,
      path: path + search,
      body: parsed(text),
      ifMatch: request.headers.get('if-match'),
      actor: request.headers.get('x-headgate-actor'),
    };
    calls.push(call);
    const found = table.answers[`${request.method} ${path}`];
    const answer = typeof found === 'function' ? await (found as (call: Call) => unknown)(call) : found;
    if (answer === undefined) return refusal(404, 'not_found', `There is no ${path} here.`);
    const response = answer instanceof Response ? answer : Response.json(answer);
    for (const [name, value] of Object.entries(controlsOwn)) response.headers.set(name, value);
    return response;
  });
  return {
    url: server.url,
    calls,
    /** The calls that change something. */
    writes: () => calls.filter(({ method }) => method !== 'GET'),
    answer(more: Record<string, Answer>): void {
      table.answers = more;
      calls.length = 0;
    },
    close: server.close,
  };
}

function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A session that talks to a fake API, for the tests of one file. The API is there once they run. */
export function sessionWithApi() {
  const session = new Session();
  const api = {} as Awaited<ReturnType<typeof fakeApi>>;
  beforeAll(async () => void Object.assign(api, await fakeApi()));
  afterAll(async () => {
    session.end();
    await api.close();
  });
  beforeEach(() => {
    session.env = { HEADGATE_URL: api.url, HEADGATE_TOKEN: 'token' };
  });
  return { session, api };
}
