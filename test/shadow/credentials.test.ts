import { expect, it } from 'vitest';
import { bringsKey, headersOfCopy } from '../../src/shadow/credentials.ts';
import { routeOf } from './served.ts';

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

it('knows a variant’s own key, whether a secret or written in its headers, and no other header for one', () => {
  const of = (members: object) => {
    const variants = { blue: { url: 'https://blue.example' }, green: { url: 'https://green.example', ...members } };
    const { blue, green } = routeOf({ variants, baseline: 'blue' }).variants;
    return [bringsKey(green!, blue!), bringsKey(green!, green!)];
  };
  expect(of({ headers: { authorization: 'Bearer k' } })).toEqual([true, false]);
  expect(of({ secretHeaders: { 'x-gateway': ['$', '{KEY_A}'].join('') } })).toEqual([true, false]);
  expect(of({ headers: { 'x-build': '7' } })).toEqual([false, false]);
});
