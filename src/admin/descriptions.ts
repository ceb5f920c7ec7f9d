/**
 * Owns what the API's description says of each member that a call takes, by the name of its schema. It stands beside the schemas and not
 * in them, so that the Worker does not carry every sentence twice. `openapi.ts` refuses one that describes nothing.
 */

const reason = 'Why; kept in the history';
const force = 'Also where health checks or changed variants forbid it';
const before = '`next` of the page before';

export const descriptions: Record<string, Record<string, string>> = {
  recordsQuery: {
    route: 'Only this route',
    variant: 'Only this variant; in comparisons, only this candidate',
    limit: '1 to 1000',
    before: `${before}, or an RFC 3339 time`,
  },
  splitBody: {
    weights: 'Percent by variant; sums to 100',
    shadows: 'Percent mirrored, by variant; as before when left out',
    reason,
  },
  switchBody: { force, reason },
  rolloutBody: {
    to: 'The candidate',
    plan: 'Name of a plan, or its steps',
    guardrails: "The route's own when left out",
    reason,
  },
  reasonBody: { reason },
  rollbackBody: { revision: 'The last steady split when left out', force, reason },
  splitsQuery: { revision: 'Of the rollback asked about, as is force' },
  historyQuery: { before },
  doctorQuery: { route: 'Only this route' },
  configPutQuery: { reason },
  restoreBody: { reason },
  comparisonsQuery: {
    candidate: 'The first by name when left out',
    samples: 'How many of the newest that did not match, 0 to 200',
  },
  resetQuery: { candidate: 'Whose counts begin again at zero' },
  previewQuery: {
    token: 'From POST /_headgate/api/routes/:route/preview',
    to: 'Path on this host to go to afterwards',
  },
  previewBody: {
    variant: 'May have weight 0',
    host: 'Host that visitors call; needed where the route matches a suffix',
    ttl: 'Such as 30m; at most 24h',
  },
  outcomesBody: {
    metric: 'One of the outcomes that the route declares',
    value: 'A conversion has happened when left out',
    receipt: 'x-headgate-receipt of the answer it is about',
    unit: 'Needs OUTCOME_TOKEN as bearer token',
  },
  unitsQuery: { after: before },
  sampleSizeQuery: {
    baseline: 'The rate now: 0.1 is 10 %',
    lift: 'The relative change: 5% or 0.05',
    ratio: "The variant's units over the baseline's",
    perDay: 'Units a day, for the duration',
  },
};
