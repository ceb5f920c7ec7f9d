import { expect, it } from 'vitest';
import { Series } from '../../src/rollout/series.ts';
import { storage } from './sqlite.ts';

const NOW = Date.parse('2026-11-23T10:00:00Z');

it('goes on in the table that an earlier version made, whatever the order of its columns', () => {
  const { sql } = storage();
  sql.exec(`CREATE TABLE series (width TEXT, startMs INTEGER, variant TEXT, requests INTEGER NOT NULL,
    failed INTEGER NOT NULL, rejected INTEGER NOT NULL, total TEXT NOT NULL, firstByte TEXT NOT NULL,
    tokensIn REAL NOT NULL, tokensOut REAL NOT NULL, cost REAL NOT NULL, PRIMARY KEY (width, startMs, variant))`);
  const counts = {
    rollout: '',
    revision: 1,
    variant: 'blue',
    requests: 5,
    failed: 2,
    rejected: 1,
  };
  const times = { firstByte: '', total: '', watched: { truncated: 3, '!truncated': 1 } };
  for (let n = 0; n < 2; n++) new Series(sql).add([{ ...counts, ...times, tokensIn: 7, tokensOut: 3, cost: 0.5 }], NOW);
  expect(new Series(sql).live(NOW + 1_000).blue).toMatchObject({
    ...{ requests: 10, failed: 4, rejected: 2, p50Ms: null, firstByteP50Ms: null },
    ...{ tokensIn: 14, tokensOut: 6, cost: 1 },
  });
  expect(new Series(sql).watchedOf('blue', NOW + 1_000)).toEqual({ truncated: 6, '!truncated': 2 });
});

it('leaves a table in which an earlier version can go on, should the deployment be taken back', () => {
  const { sql } = storage();
  new Series(sql);
  sql.exec(`INSERT INTO series (width, startMs, variant, requests, failed, rejected, tokensIn, tokensOut, cost, total, firstByte)
    VALUES ('10s', ${NOW}, 'blue', 5, 2, 1, 0, 0, 0, '', '')`);
  expect(new Series(sql).live(NOW + 1_000).blue).toMatchObject({ requests: 5, failed: 2 });
  expect(new Series(sql).watchedOf('blue', NOW + 1_000)).toEqual({});
});
