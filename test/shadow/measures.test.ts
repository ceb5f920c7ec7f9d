import { describe, expect, it } from 'vitest';
import { readMeasures } from '../../src/shadow/measures.ts';

const measures = [
  { name: 'model', header: 'server-timing', entry: 'model' },
  { name: 'memory', header: 'x-memory-mb' },
];

describe('measures', () => {
  it.each<[Record<string, string>, Record<string, number>]>([
    [{ 'server-timing': 'cache, model;dur=12.5;desc="x", other;dur=3' }, { model: 12.5 }],
    [{ 'server-timing': 'model;desc=x;DUR = "7"' }, { model: 7 }],
    [{ 'server-timing': 'a;dur=1, model;dur=0' }, { model: 0 }],
    [{ 'x-memory-mb': ' 128.25 ' }, { memory: 128.25 }],
    [
      { 'server-timing': 'model;dur=4', 'x-memory-mb': '1' },
      { model: 4, memory: 1 },
    ],
  ])('are read from %j', (headers, found) => {
    expect(readMeasures(measures, new Headers(headers))).toEqual(found);
  });

  it.each<Record<string, string>>([
    {},
    { 'server-timing': 'models;dur=4' },
    { 'server-timing': 'model' },
    { 'server-timing': 'model;dur=fast' },
    { 'x-memory-mb': '' },
    { 'x-memory-mb': 'lots' },
    { 'x-memory-mb': 'Infinity' },
    { 'x-memory-mb': 'NaN' },
    { 'x-memory-mb': '-1e300' },
  ])('are none in %j', (headers) => {
    expect(readMeasures(measures, new Headers(headers))).toEqual({});
  });
});
