/** Owns the calls on experiments: report, export, deletion of one unit's data, and planning. The numbers are the ledger's. */

import { Hono } from 'hono/tiny';
import { type Env, ledgerOf } from '../env.ts';
import { planOf } from '../experiment/plan.ts';
import { sizePlan } from '../experiment/size.ts';
import type { UnitRow } from '../experiment/words.ts';
import { hashUnit } from '../split/receipt.ts';
import type { AdminDeps, AdminEnv } from './context.ts';
import { sampleSizeQuery, unitsQuery } from './experiment-schemas.ts';
import { bindIt, query, refuse } from './input.ts';
import { noRoute } from './routes.ts';

export function experimentRoutes({ loadConfig, serving }: AdminDeps) {
  return new Hono<AdminEnv>()
    .get('/routes/:route/experiment', async (c) => {
      const found = await ledgerFor(c.env, c.req.param('route'));
      if (found instanceof Response) return found;
      const state = await serving!.state(c.env, c.executionCtx, found.route);
      return c.json(await found.ledger.report(planOf(state)!), 200);
    })
    .get('/routes/:route/experiment/units', query(unitsQuery), async (c) => {
      const found = await ledgerFor(c.env, c.req.param('route'));
      if (found instanceof Response) return found;
      const { after, limit, format } = c.req.valid('query');
      const rows = (await found.ledger.units(after, limit)) as UnitRow[];
      const next = rows.length < limit ? null : rows.at(-1)!.unit;
      if (format === 'json') return c.json({ units: rows, next }, 200);
      const metrics = found.route.outcomes.map(({ name }) => name);
      const headers = { 'content-type': 'text/csv; charset=utf-8', ...(next !== null && { 'x-headgate-next': next }) };
      return c.body(csvOf(rows, metrics), 200, headers);
    })
    .delete('/routes/:route/experiment/units/:unit', async (c) => {
      const found = await ledgerFor(c.env, c.req.param('route'));
      if (found instanceof Response) return found;
      const unit = c.req.param('unit');
      const hash = await hashUnit(unit, c.env.COOKIE_SECRET ?? '-');
      const known = await Promise.all([unit, hash].map((one) => found.ledger.forget(one)));
      return known.includes(true) ? c.body(null, 204) : noUnit();
    })
    .get('/sample-size', query(sampleSizeQuery), (c) => {
      const { perDay = null, ...asked } = c.req.valid('query');
      return c.json(sizePlan({ ...asked, perDay }), 200);
    });

  async function ledgerFor(env: Env, name: string) {
    const route = (await loadConfig(env))?.routes.find((one) => one.name === name);
    if (route === undefined) return noRoute(name);
    if (route.experiment === undefined) return noExperiment(name);
    const ledger = ledgerOf(env, name, route.experiment.id);
    return ledger === null || serving === undefined ? noLedger() : { route, ledger };
  }
}

function csvOf(rows: readonly UnitRow[], metrics: readonly string[]): string {
  const columns = ['unit', 'variant', 'firstAt', 'requests', 'errors'] as const;
  const lines = rows.map((row) => [
    ...columns.map((column) => row[column]),
    ...metrics.map((metric) => row.outcomes[metric] ?? ''),
  ]);
  // RFC 4180. No field can hold a comma or a quote: names, hashes, times and numbers.
  return [[...columns, ...metrics], ...lines, []].join('\r\n');
}

const noExperiment = (route: string) =>
  refuse(404, 'no_experiment', `Route ${route} has no experiment.`, 'declare "experiment" on the route');

const noLedger = () => refuse(503, 'no_ledger', 'This Worker has no LEDGER binding.', bindIt);

const noUnit = () =>
  refuse(404, 'unknown_unit', 'Nothing is kept of this unit.', 'GET …/experiment/units lists what is');
