/** Owns a served request for the tests of counting: what it is about is given, the rest is plain. It asserts nothing. */

import type { InForce } from '../../src/config/inforce.ts';
import { type Watched, watchedName } from '../../src/config/split.ts';
import type { BodyReport } from '../../src/forward/pump.ts';
import type { Served } from '../../src/forward/served.ts';

export const T0 = Date.parse('2026-11-23T10:00:00Z');

/** What a route with these guardrails watches. */
export const watched = (guardrails: Omit<Watched, 'per'>[]) =>
  guardrails.map((one) => [watchedName(one as Watched), { ...one, per: 'unit' }]);

export const body: BodyReport = { end: 'complete', bytes: 2, firstByteAtMs: T0 + 30, endedAtMs: T0 + 50 };

export function inForce(changes: Partial<InForce> = {}): InForce {
  return {
    source: 'split',
    weights: { blue: 50, green: 50 },
    shadows: {},
    baseline: 'blue',
    salt: '',
    rollout: 'r-1',
    revision: 3,
    guardrails: [
      { metric: 'errors', per: 'unit' },
      { metric: 'rejected', per: 'unit' },
    ],
    notes: [],
    ...changes,
  } as InForce;
}

export function served(changes: Partial<Omit<Served, 'inForce'>> & { inForce?: Partial<InForce> } = {}): Served {
  const { inForce: force, ...rest } = changes;
  const request = rest.request ?? new Request('https://shop.example/x');
  return {
    request,
    method: request.method,
    sent: request.headers,
    route: {
      name: 'main',
      failStatuses: [],
      repeatable: ['GET'],
      failover: false,
      watched: watched([{ metric: 'errors' }, { metric: 'rejected' }]),
    },
    requestId: 'id-1',
    unit: 'u-1',
    variant: 'green',
    reason: 'hash',
    isEvidence: true,
    isPreview: false,
    dealt: null,
    startedAtMs: T0,
    askedAtMs: T0,
    headersAtMs: T0 + 20,
    status: 200,
    ownStatus: null,
    errorCode: '',
    isLost: false,
    standsIn: null,
    body,
    events: null,
    ends: null,
    armCount: 2,
    ...rest,
    inForce: inForce(force),
  } as unknown as Served;
}
