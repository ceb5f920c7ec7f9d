import { describe, expect, it } from 'vitest';
import { MAX_CONFIG_BYTES } from '../../src/config/limits.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { faultsOf, routeWith, textOf, warningsOf } from './sample.ts';

describe('a bad document', () => {
  it('is refused whole, with all of its faults at once', () => {
    const text = JSON.stringify({
      version: 2,
      cookie: { sameSite: 'sometimes' },
      routes: [
        routeWith({ timeoutMs: 'long', weights: { blue: 97 } }),
        routeWith({ baseline: 'gren', variants: { green: { url: 'http://green.example.com' } } }),
        'route',
      ],
    });
    expect(faultsOf(text).map((fault) => fault.path)).toEqual([
      'version',
      'cookie.sameSite',
      'routes[0].timeoutMs',
      'routes[1].variants.green.url',
      'routes[2]',
      'routes[0].weights',
      'routes[1].name',
      'routes[1].baseline',
    ]);
  });

  it('is told what is wrong with a list or entry as a whole beside what is wrong within', () => {
    const wrong = { url: 5 };
    const many = Object.fromEntries('abcdefghi'.split('').map((name) => [name, { url: 'https://x.example.com' }]));
    const guardrails = Array.from({ length: 17 }, () => ({ metric: 'errors', maxIncrease: 'much', critical: true }));
    const text = textOf(
      routeWith({
        variants: { ...many, a: wrong },
        identity: [{ header: 'x-id', query: 'q', cookie: 7 }],
        audience: { include: [{ in: [] }] },
        guardrails,
        plans: { long: Array.from({ length: 51 }, () => ({ weight: 'all' })) },
      }),
    );
    const told = faultsOf(text).map(({ path, reason }) => `${path} ${reason}`);
    for (const words of [
      /variants.a.url 5/,
      /variants .*more than 8/,
      /identity\[0\] .*exactly one/,
      /include\[0\] .*names nobody/,
      /include\[0\] .*together/,
      /guardrails .*more than 16/,
      /plans.long .*more than 50/,
    ])
      expect(told).toContainEqual(expect.stringMatching(words));
  });

  it('gives each fault a reason and a mend', () => {
    const [fault] = faultsOf(textOf(routeWith({ weights: { blue: 90, green: 7 } })));
    expect(fault).toEqual({
      path: 'routes[0].weights',
      reason: 'weights sum to 97, not 100',
      mend: 'give the missing 3 to a variant',
    });
  });

  it('is refused unread above 64 KiB, counted in bytes', () => {
    const good = textOf(routeWith());
    expect(faultsOf(good.padEnd(MAX_CONFIG_BYTES))).toEqual([]);
    expect(faultsOf(good.padEnd(MAX_CONFIG_BYTES + 1))[0]?.reason).toMatch(/more than the 65536/);
    // 65,000 characters, 70,000 bytes.
    expect(faultsOf(good.padEnd(60_000) + 'ü'.repeat(5_000))[0]?.reason).toMatch(
      /has 70000 bytes, more than the 65536/,
    );
  });

  it.each([
    ['null', '$', 'null is not an object'],
    ['[]', '$', 'a list is not an object'],
    ['"x"', '$', '"x" is not an object'],
    ['{}', 'routes', 'is missing'],
    ['{"routes":{}}', 'routes', 'an object is not a list'],
    ['{"routes":[[]]}', 'routes[0]', 'a list is not an object'],
    ['{"routes":[{}]}', 'routes[0].name', 'is missing'],
  ])('says of %s that at %s it %s', (text, path, reason) => {
    expect(faultsOf(text)).toContainEqual(expect.objectContaining({ path, reason }));
  });

  it('is told of numbers beyond all bounds, which JSON can write and nothing can count', () => {
    const text = textOf(routeWith({ timeoutMs: 1 })).replace('"timeoutMs":1', '"timeoutMs":1e999');
    expect(faultsOf(text)).toEqual([
      {
        path: 'routes[0].timeoutMs',
        reason: 'a number beyond all bounds is not a whole number from 1 to 86400000',
        mend: 'give a whole number from 1 to 86400000',
      },
    ]);
  });

  it('holds no more than 200 routes', () => {
    const many = (count: number) =>
      textOf(...Array.from({ length: count }, (_, i) => ({ name: `r${i}`, variants: { b: { service: 'B' } } })));
    expect(faultsOf(many(200))).toEqual([]);
    expect(faultsOf(many(201)).map((fault) => fault.path)).toEqual(['routes']);
  });
});

describe('a text that is not JSON', () => {
  it.each([
    ['', 1, 1, /such as/],
    ['   \n ', 2, 2, /close/],
    ['{"routes": [}', 1, 13, /put a value or \]/],
    ['{\n  "version": 1,\n}', 3, 1, /remove the comma/],
    ['{"routes": [1 2]}', 1, 15, /put , or \]/],
    ['{"a" 1}', 1, 6, /put :/],
    ['{"a": 1 "b": 2}', 1, 9, /comma before/],
    ["{'a': 1}", 1, 2, /double quotes/],
    ['{a: 1}', 1, 2, /double quotes/],
    ['// config\n{}', 1, 1, /comment/],
    ['{"a": "x\ny"}', 1, 7, /on the same line/],
    ['{"a": "\\q"}', 1, 7, /\\\\/],
    ['{"a": 01}', 1, 7, /put a value/],
    ['{"a": nulls}', 1, 7, /put a value/],
    ['{"a": 1}}', 1, 9, /the end/],
    ['{"a": [[{"b": tru', 1, 15, /put a value/],
    ['{"a": {"b": 1', 1, 14, /close/],
  ])('is told where it breaks: %j at line %i, column %i', (text, line, column, mend) => {
    expect(() => JSON.parse(text)).toThrow();
    const faults = faultsOf(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.reason).toMatch(new RegExp(`^not JSON at line ${line}, column ${column}: `));
    expect(faults[0]?.mend).toMatch(mend);
  });

  it('may begin with a byte order mark', () => {
    expect(faultsOf(`\uFEFF${textOf(routeWith())}`)).toEqual([]);
  });

  it('may hold a text as long as its size allows without harm', () => {
    const long = 'x'.repeat(60_000);
    expect(faultsOf(`{"a":"${long}`)[0]?.reason).toMatch(/line 1, column 6: expected a value, found/);
    expect(faultsOf(`{"a":"${long}" 1}`)[0]?.reason).toMatch(/line 1, column 60009: expected , or }/);
  });

  it('may be nested as deep as its size allows without harm', () => {
    const deep = '['.repeat(30_000);
    expect(faultsOf(deep)[0]?.reason).toMatch(/the text ends/);
    expect(faultsOf(`${deep}${']'.repeat(30_000)}`)[0]?.reason).toBe('a list is not an object');
  });
});

describe('unknown keys', () => {
  const text = JSON.stringify({
    $schema: './headgate.schema.json',
    rutes: [],
    routes: [routeWith({ weigths: {}, match: [{ pth: '/x' }], sticky: { idle: '5m', idel: 1 }, quux: 1 })],
  });
  const expected = ['rutes', 'routes[0].match[0].pth', 'routes[0].sticky.idel', 'routes[0].weigths', 'routes[0].quux'];

  it('are faults for people, who are told what they may have meant', () => {
    const faults = faultsOf(text);
    expect(faults.map((fault) => fault.path).toSorted()).toEqual(expected.toSorted());
    expect(faults.find((fault) => fault.path === 'routes[0].weigths')?.mend).toBe('did you mean "weights"?');
    expect(faults.find((fault) => fault.path === 'routes[0].quux')?.mend).toMatch(/^remove it; known here: name, /);
  });

  it('are warnings for an isolate, which serves the rest', () => {
    const warnings = warningsOf(text, { unknownKeys: 'warn' });
    expect(warnings.map((warning) => warning.path).toSorted()).toEqual(expected.toSorted());
  });

  it('are found in no part that people name themselves', () => {
    const json = { temperature: 0, anything: { goes: { here: 1 } } };
    expect(faultsOf(textOf(routeWith({ variants: { blue: { service: 'B', json } } })))).toEqual([]);
  });
});

describe('names that mean something to JavaScript', () => {
  it.each(['__proto__', 'constructor', 'prototype'])('refuses %s as a name and pollutes nothing', (name) => {
    const variants = `{"blue":{"service":"B"},"${name}":{"service":"B","polluted":true}}`;
    const text = `{"routes":[{"name":"r","variants":${variants}}]}`;
    for (const unknownKeys of ['fault', 'warn'] as const) {
      const parsed = parseConfig(text, { unknownKeys });
      const paths = parsed.ok ? [] : parsed.error.map((fault) => fault.path);
      expect(paths).toContain(`routes[0].variants.${name}`);
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('finds __proto__ unknown where keys are fixed', () => {
    expect(faultsOf(`{"routes":[],"__proto__":{"routes":[]}}`).map((fault) => fault.path)).toEqual(['__proto__']);
    expect(faultsOf(`{"__proto__":{"routes":[]}}`).map((fault) => fault.path)).toContain('routes');
  });
});
