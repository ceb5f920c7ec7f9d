/** Owns the ready queries on the requests dataset: who served what, how well, and why it went there. */

import { namesOf, type ReadyQuery, statement, weight } from './query.ts';

const dataset = 'requests';
const { name, given, quantile } = namesOf(dataset);

const route = `${name('route')} AS route`;
const variant = `${name('variant')} AS variant`;
const failed = `${name('failed')} = 1`;

const query = (answers: string, parts: Omit<Parameters<typeof statement>[0], 'dataset'>): ReadyQuery => ({
  answers,
  dataset,
  sql: statement({ dataset, ...parts }),
});

/** By name. With `recordPercent` below 100, multiply counts by 100 / recordPercent; shares and quantiles stay as they are. */
export const requestQueries = {
  'failure-rate': query('Requests and failures of each variant, by hour.', {
    select: [
      'toStartOfHour(timestamp) AS hour',
      route,
      variant,
      `sum(${weight}) AS requests`,
      `sumIf(${weight}, ${failed}) AS failures`,
      `sumIf(${weight}, ${failed}) / sum(${weight}) AS failure_rate`,
    ],
    groupBy: 'hour, route, variant',
    orderBy: 'hour, route, variant',
  }),
  'visitor-latency': query('What visitors wait for each variant, in milliseconds.', {
    select: [
      route,
      variant,
      `${quantile(0.5, name('headersMs'))} AS headers_p50`,
      `${quantile(0.95, name('headersMs'))} AS headers_p95`,
      `${quantile(0.99, name('headersMs'))} AS headers_p99`,
      `${quantile(0.95, name('totalMs'))} AS total_p95`,
      `sum(${weight}) AS requests`,
    ],
    where: [given('headersMs', 'totalMs')],
    groupBy: 'route, variant',
    orderBy: 'route, variant',
  }),
  'failure-codes': query('What went wrong, most frequent first.', {
    select: [
      route,
      variant,
      `${name('errorCode')} AS code`,
      `${name('status')} AS status`,
      `sum(${weight}) AS requests`,
    ],
    where: [failed],
    groupBy: 'route, variant, code, status',
    orderBy: 'requests DESC',
    limit: 50,
  }),
  'why-there': query('Why requests went where they went: hash, pin, preview, failover, ejected, json_unfit or only.', {
    select: [route, variant, `${name('reason')} AS reason`, `sum(${weight}) AS requests`],
    groupBy: 'route, variant, reason',
    orderBy: 'route, variant, requests DESC',
  }),
} as const satisfies Record<string, ReadyQuery>;
