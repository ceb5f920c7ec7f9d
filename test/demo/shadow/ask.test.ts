import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono/tiny';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { adminApp } from '../../../src/admin/app.ts';
import { type ShadowApi, shadowApi } from '../../../src/demo/shadow/ask.ts';
import { toDataPoint } from '../../../src/records/columns.ts';
import type { StoredPoint } from '../../../src/records/recorder.ts';
import { plainDeps, token } from '../../admin/calls.ts';
import { serve } from '../../cli/session.ts';

const root = mkdtempSync(join(tmpdir(), 'headgate-ask-'));
const stored: StoredPoint[] = [];
const previews: string[] = [];
const cleared: string[] = [];
let worker: Awaited<ReturnType<typeof serve>>;
let api: ShadowApi;

function record(requestId: string): void {
  const row = { route: 'detect', baseline: 'blue', candidate: 'green', role: 'candidate', class: 'match' } as const;
  const point = toDataPoint('comparisons', { ...row, requestId });
  if (!point.ok) throw new Error('refused');
  stored.push({ id: stored.length + 1, atMs: 0, index: 'detect/green', ...point.value });
}

beforeAll(async () => {
  writeFileSync(join(root, '.dev.vars'), `ADMIN_TOKEN=${token}\n`);
  const app = new Hono().route('/_headgate', adminApp(plainDeps));
  app.post('/v1/detect', (c) => {
    previews.push(c.req.header('x-headgate-preview') ?? '');
    return c.json({ language: previews.length === 3 ? 7 : 'cat' });
  });
  const read = async ({ limit, beforeId = Number.POSITIVE_INFINITY }: { limit: number; beforeId?: number }) =>
    stored
      .filter(({ id }) => id < beforeId)
      .reverse()
      .slice(0, limit);
  const env = {
    ADMIN_TOKEN: token,
    COOKIE_SECRET: 'cookie-secret',
    RECORDER: { idFromName: () => 'id', get: () => ({ read }) },
    CONTROLLER: {
      idFromName: () => 'id',
      get: () => ({ clearComparisons: async (candidate: string) => void cleared.push(candidate) }),
    },
  };
  worker = await serve((request) => app.fetch(request, env));
  api = shadowApi(worker.url, root);
});

afterAll(async () => {
  await worker.close();
  rmSync(root, { recursive: true });
});

it('the demo’s view reads each record once, also when more than one page came at once', async () => {
  record('r-1');
  expect((await api.fresh()).map(({ requestId }) => requestId)).toEqual(['r-1']);
  for (let i = 0; i < 2_500; i++) record(`more-${i}`);
  expect(new Set((await api.fresh()).map(({ requestId }) => requestId)).size).toBe(2_500);
  expect(await api.fresh()).toEqual([]);
});

it('the demo’s view asks a variant by preview, with one token for all texts', async () => {
  expect(await api.said('green', 'Tots els éssers humans')).toBe('cat');
  expect(await api.said('green', 'neixen lliures')).toBe('cat');
  expect(await api.said('blue', 'i iguals en dignitat')).toBeNull();
  expect(previews[0]).toMatch(/^detect/);
  expect(previews[1]).toBe(previews[0]);
  expect(previews[2]).not.toBe(previews[0]);
});

it('the demo’s view begins at zero', async () => {
  await api.reset('green');
  expect(cleared).toEqual(['green']);
});
