/**
 * Owns the ready queries on the comparisons dataset: what shadows found, over more time than the controller's counts and by
 * whatever a row holds. Repeats (the baseline against itself) are left out but where a query is about them.
 */

import { namesOf, type ReadyQuery, statement, weight } from './query.ts';

const dataset = 'comparisons';
const { name, given, quantile } = namesOf(dataset);

const route = `${name('route')} AS route`;
const candidate = `${name('candidate')} AS candidate`;
const withCandidate = `${name('role')} != 'repeat'`;
const compared = `${name('class')} != 'skipped'`;
/** Answers of which the bodies were looked at; errors and timeouts say nothing about likeness. */
const judged = `${name('class')} IN ('match', 'body-mismatch', 'status-mismatch')`;

const of = (cls: string) => `${name('class')} = '${cls}'`;
const count = (condition: string, alias: string) => `sumIf(${weight}, ${condition}) AS ${alias}`;
const share = (condition: string, alias: string) => `sumIf(${weight}, ${condition}) / sum(${weight}) AS ${alias}`;
const mean = (expression: string, alias: string) => `sum(${weight} * (${expression})) / sum(${weight}) AS ${alias}`;

const query = (answers: string, parts: Omit<Parameters<typeof statement>[0], 'dataset'>): ReadyQuery => ({
  answers,
  dataset,
  sql: statement({ dataset, ...parts }),
});

/** By name, in the order in which one would ask. */
export const comparisonQueries = {
  'class-shares': query(
    'How many pairs of each class, by candidate and day; `eligible` is all of them, skipped included.',
    {
      select: [
        'toStartOfDay(timestamp) AS day',
        route,
        candidate,
        `sum(${weight}) AS eligible`,
        count(of('match'), 'matches'),
        count(of('status-mismatch'), 'status_mismatches'),
        count(of('body-mismatch'), 'body_mismatches'),
        count(of('error'), 'errors'),
        count(of('timeout'), 'timeouts'),
        count(of('skipped'), 'skipped'),
      ],
      where: [withCandidate],
      groupBy: 'day, route, candidate',
      orderBy: 'day, route, candidate',
      days: 30,
    },
  ),
  'skip-reasons': query('Why sampled requests were not compared.', {
    select: [route, candidate, `${name('reason')} AS reason`, `sum(${weight}) AS requests`],
    where: [withCandidate, of('skipped')],
    groupBy: 'route, candidate, reason',
    orderBy: 'requests DESC',
  }),
  'error-reasons': query('Why copies failed, with what both sides answered.', {
    select: [
      route,
      candidate,
      `${name('class')} AS class`,
      `${name('reason')} AS reason`,
      `${name('candidateStatus')} AS candidate_status`,
      `sum(${weight}) AS pairs`,
    ],
    where: [withCandidate, `${name('class')} IN ('error', 'timeout')`],
    groupBy: 'route, candidate, class, reason, candidate_status',
    orderBy: 'pairs DESC',
    limit: 50,
  }),
  latency: query('Time to headers and total time of both, median and 95th percentile, in milliseconds.', {
    select: [
      route,
      candidate,
      `${quantile(0.5, name('liveHeadersMs'))} AS baseline_headers_p50`,
      `${quantile(0.5, name('candidateHeadersMs'))} AS candidate_headers_p50`,
      `${quantile(0.5, name('liveTotalMs'))} AS baseline_total_p50`,
      `${quantile(0.5, name('candidateTotalMs'))} AS candidate_total_p50`,
      `${quantile(0.95, name('liveTotalMs'))} AS baseline_total_p95`,
      `${quantile(0.95, name('candidateTotalMs'))} AS candidate_total_p95`,
      `sum(${weight}) AS pairs`,
    ],
    where: [withCandidate, given('liveHeadersMs', 'candidateHeadersMs', 'liveTotalMs', 'candidateTotalMs')],
    groupBy: 'route, candidate',
    orderBy: 'route, candidate',
  }),
  'slow-down': query('The candidate’s total time less the baseline’s, pair by pair, and how often it is slower.', {
    inner: [route, candidate, `${name('candidateTotalMs')} - ${name('liveTotalMs')} AS slower_ms`, weight],
    select: [
      'route',
      'candidate',
      `${quantile(0.5, 'slower_ms')} AS slower_ms_p50`,
      `${quantile(0.95, 'slower_ms')} AS slower_ms_p95`,
      share('slower_ms > 0', 'share_slower'),
      `sum(${weight}) AS pairs`,
    ],
    where: [withCandidate, given('liveTotalMs', 'candidateTotalMs')],
    groupBy: 'route, candidate',
    orderBy: 'route, candidate',
  }),
  'first-differences': query('Where answers first differ, most frequent first.', {
    select: [route, candidate, `${name('firstDiff')} AS first_difference`, `sum(${weight}) AS pairs`],
    where: [withCandidate, `${name('firstDiff')} != ''`],
    groupBy: 'route, candidate, first_difference',
    orderBy: 'pairs DESC',
    limit: 20,
  }),
  'match-rate-by-path': query('Share of pairs that match, by path, worst first.', {
    select: [route, candidate, `${name('path')} AS path`, share(of('match'), 'match_rate'), `sum(${weight}) AS pairs`],
    where: [withCandidate, compared],
    groupBy: 'route, candidate, path',
    orderBy: 'match_rate, pairs DESC',
    limit: 50,
  }),
  'match-rate-by-revision': query(
    'Share of pairs that match, by rollout and revision of the split: which release changed it.',
    {
      select: [
        route,
        candidate,
        `${name('rollout')} AS rollout`,
        `toUInt32(${name('revision')}) AS revision`,
        share(of('match'), 'match_rate'),
        `sum(${weight}) AS pairs`,
        'min(timestamp) AS first_pair',
      ],
      where: [withCandidate, compared],
      groupBy: 'route, candidate, rollout, revision',
      orderBy: 'route, candidate, revision DESC',
    },
  ),
  likeness: query(
    'How alike texts are (0 to 1): candidate against baseline, and baseline against itself (`repeat`) beside it.',
    {
      select: [
        route,
        candidate,
        `${name('role')} AS role`,
        mean(name('similarity'), 'mean_similarity'),
        `${quantile(0.05, name('similarity'))} AS similarity_p05`,
        share(of('match'), 'match_rate'),
        `sum(${weight}) AS pairs`,
      ],
      where: [judged, given('similarity')],
      groupBy: 'route, candidate, role',
      orderBy: 'route, candidate, role',
    },
  ),
  tokens: query('Tokens of an answer, mean by side, over pairs in which both name them.', {
    select: [
      route,
      candidate,
      mean(name('liveTokensIn'), 'baseline_tokens_in'),
      mean(name('candidateTokensIn'), 'candidate_tokens_in'),
      mean(name('liveTokensOut'), 'baseline_tokens_out'),
      mean(name('candidateTokensOut'), 'candidate_tokens_out'),
      mean(`${name('candidateTokensOut')} - ${name('liveTokensOut')}`, 'more_tokens_out'),
      `sum(${weight}) AS pairs`,
    ],
    where: [withCandidate, given('liveTokensIn', 'liveTokensOut', 'candidateTokensIn', 'candidateTokensOut')],
    groupBy: 'route, candidate',
    orderBy: 'route, candidate',
  }),
  cost: query(
    'What the same requests cost with each, by the config’s `prices`, and what a thousand more or less would.',
    {
      select: [
        route,
        candidate,
        `sum(${weight} * ${name('liveCost')}) AS baseline_cost`,
        `sum(${weight} * ${name('candidateCost')}) AS candidate_cost`,
        mean(`(${name('candidateCost')} - ${name('liveCost')}) * 1000`, 'difference_per_thousand'),
        `sum(${weight}) AS pairs`,
      ],
      where: [withCandidate, given('liveCost', 'candidateCost')],
      groupBy: 'route, candidate',
      orderBy: 'route, candidate',
    },
  ),
} as const satisfies Record<string, ReadyQuery>;
