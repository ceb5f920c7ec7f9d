import { expect, it } from 'vitest';
import { headersOfCopy } from '../../src/shadow/credentials.ts';

const KEYS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'cf-access-jwt-assertion',
];
const visitors = () => new Headers([...KEYS.map((name): [string, string] => [name, 'secret']), ['x-kept', 'yes']]);

it('takes every key of the visitor off a copy, and nothing else', () => {
  const live = visitors();
  expect([...headersOfCopy(live, false)]).toEqual([['x-kept', 'yes']]);
  expect([...live.keys()]).toHaveLength(KEYS.length + 1);
});

it('leaves them where the config trusts the shadow with them', () => {
  expect([...headersOfCopy(visitors(), true)]).toEqual([...visitors()]);
});
