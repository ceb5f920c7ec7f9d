import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/parse.ts';
import { abConfig } from '../../../src/demo/ab/config.ts';
import { findRoute } from '../../../src/forward/match.ts';

const parsed = parseConfig(abConfig(readFileSync('src/demo/config.json', 'utf8'), 1_600), { unknownKeys: 'fault' });
if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
const { config, warnings } = parsed.value;

it('is a config without a fault or a warning', () => {
  expect(warnings).toEqual([]);
});

it('tests two models on one route, and one model against itself on the other, half of the people each', () => {
  const [same, detect] = config.routes;
  expect(detect).toMatchObject({ name: 'detect', baseline: 'third', weights: { third: 50, green: 50 } });
  expect(same).toMatchObject({ name: 'same', baseline: 'one', weights: { one: 50, two: 50 } });
  expect(same!.variants.one!.origin).toEqual(same!.variants.two!.origin);
  for (const route of config.routes)
    expect(route.experiment).toMatchObject({ primary: ['correct'], plannedUnits: 1_600 });
});

it('tells the routes apart by a header', () => {
  const routeOf = (headers: Record<string, string>) =>
    findRoute(config, { hostname: '127.0.0.1', pathname: '/v1/detect' }, new Headers(headers))?.name;
  expect(routeOf({ 'x-demo-route': 'same' })).toBe('same');
  expect(routeOf({})).toBe('detect');
});
