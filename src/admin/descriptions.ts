/**
 * Owns what the API's description says of each member that a call takes, by the name of its schema. It stands beside the schemas and not
 * in them, so that the Worker does not carry every sentence twice. `openapi.ts` refuses one that describes nothing.
 */

const reason = 'Kept in the history';
const force = 'In spite of health checks, changed variants and a running experiment';
const before = '`next` of the page before';

export const descriptions: Record<string, Record<string, string>> = {
  recordsQuery: {
    before: `${before}, or an RFC 3339 time`,
  },
  splitBody: {
    weights: 'Percent by variant; sums to 100',
    shadows: 'Percent by variant; as before when left out',
    reason,
  },
  switchBody: { force, reason },
  rolloutBody: {
    plan: 'Name of a plan, or its steps',
    guardrails: "The route's own when left out",
    force: 'Also where it ends a running experiment',
    reason,
  },
  reasonBody: { reason },
  rollbackBody: { revision: 'The last steady split when left out', force, reason },
  splitsQuery: { revision: 'Of the rollback asked about' },
  historyQuery: { before },
  reasonQuery: { reason },
  restoreBody: { reason },
  comparisonsQuery: {
    candidate: 'The one compared last when left out',
  },
  previewBody: {
    ttl: 'Such as 30m; at most 24h',
  },
  outcomesBody: {
    value: 'True when left out',
    receipt: 'x-headgate-receipt of the answer',
    unit: 'Needs OUTCOME_TOKEN',
  },
  deletionQuery: { reason },
  unitsQuery: { after: before },
  sampleSizeQuery: {
    baseline: 'The rate now: 0.1 is 10 %',
    lift: 'Relative: 5% or 0.05',
  },
};
