import { expect, it } from 'vitest';
import { type Comparison, comparison } from '../../src/shadow/compare/compare.ts';
import type { MirrorPlan } from '../../src/shadow/plan.ts';
import { sampleOf } from '../../src/shadow/sample.ts';
import { json } from './compare/observed.ts';
import { routeOf, servedOf } from './served.ts';

/** The sample of a pair of this class, on a route whose shadow says so. */
function sampled(name: Comparison['class'], shadow: object = { samples: true }, fields: string[] = ['/label']) {
  const variants = { blue: { url: 'https://blue.example' }, green: { url: 'https://green.example' } };
  const route = routeOf({ variants, baseline: 'blue', shadows: [{ variant: 'green', ...shadow }] });
  const plan = { shadow: route.shadows[0]!, role: 'candidate' } as MirrorPlan;
  const result = { ...comparison(name, 'differs'), fields };
  const sides = { live: json({ label: 'spam' }), candidate: json({ label: 'ham' }, { status: 500 }) };
  return sampleOf(servedOf(route), plan, result, sides, new TextEncoder().encode('{"q":"why"}'));
}

it('shows a pair that differs, with what was asked and both answers', async () => {
  const sample = await sampled('body-mismatch');
  expect(sample).toMatchObject({
    ...{ requestId: 'request-1', role: 'candidate', class: 'body-mismatch', reason: 'differs', method: 'GET' },
    ...{ path: '/path', liveStatus: 200, candidateStatus: 500, fields: ['/label'] },
  });
  expect([sample!.request, sample!.live, sample!.candidate]).toEqual([
    expect.stringContaining('why'),
    expect.stringContaining('spam'),
    expect.stringContaining('ham'),
  ]);
});

it('names so many members and no more', async () => {
  const fields = Array.from({ length: 50 }, (_, n) => `/f${n}`);
  expect((await sampled('body-mismatch', { samples: true }, fields))!.fields).toEqual(fields.slice(0, 20));
});

it.each(['match', 'skipped'] as const)('shows no pair that is a %s', async (name) => {
  expect(await sampled(name)).toBeNull();
});

it('shows nothing where the config does not allow it', async () => {
  expect(await sampled('body-mismatch', {})).toBeNull();
});
