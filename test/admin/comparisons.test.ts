import { expect, it, vi } from 'vitest';
import { mounted } from './calls.ts';

it('answers zeros and nulls, in the shape of any report, where nothing has been compared yet', async () => {
  const comparisons = vi.fn(async () => ({ candidates: [], report: null, samples: [] }));
  const env = { CONTROLLER: { idFromName: () => 'id', get: () => ({ comparisons }) } };
  const answer = await (await mounted({ env: env as never })('GET', '/api/routes/detect/comparisons')).json();
  const unknown = { p50Ms: null, p95Ms: null, p99Ms: null };
  expect(answer).toMatchObject({
    candidate: null,
    since: null,
    eligible: 0,
    classes: { match: 0, 'status-mismatch': 0, 'body-mismatch': 0, error: 0, timeout: 0 },
    skipped: {},
    latency: { live: unknown, candidate: unknown, difference: unknown },
    fields: [],
    samples: [],
  });
  // All that are kept, unless fewer are asked for.
  expect(comparisons).toHaveBeenCalledWith(undefined, 200);
});

it('names the variants where it is asked for a candidate that the route has not and had not', async () => {
  const comparisons = async (candidate: string) =>
    candidate === 'gone'
      ? { candidates: ['gone'], report: { eligible: 7 }, samples: [] }
      : { candidates: [], report: null, samples: [] };
  const env = { CONTROLLER: { idFromName: () => 'id', get: () => ({ comparisons }) } };
  const asked = async (candidate: string) => {
    const answer = await mounted({ env: env as never })('GET', `/api/routes/detect/comparisons?candidate=${candidate}`);
    return [answer.status, await answer.json()];
  };
  const mend = 'use one of blue, green';
  expect(await asked('typo')).toMatchObject([404, { code: 'no_such_variant', mend }]);
  expect(await asked('green')).toMatchObject([200, { eligible: 0 }]);
  expect(await asked('gone')).toMatchObject([200, { eligible: 7 }]);
});

it('writes into the history who threw away what was compared', async () => {
  const note = vi.fn();
  const clearComparisons = vi.fn();
  const env = { CONTROLLER: { idFromName: () => 'id', get: () => ({ clearComparisons, note }) } };
  const call = mounted({ env: env as never });
  const headers = { 'x-headgate-actor': 'ann' };
  const answer = await call('DELETE', '/api/routes/detect/comparisons?candidate=green', undefined, { headers });
  expect(answer.status).toBe(204);
  expect(clearComparisons).toHaveBeenCalledWith('green');
  expect(note).toHaveBeenCalledWith('detect', expect.objectContaining({ actor: 'ann', action: 'comparisons-reset' }));
});
