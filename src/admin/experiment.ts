/** Owns the calls on experiments: report, export, deletion of one unit's data, and planning. The numbers are the ledger's. */

import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { measuredNames } from '../config/measured.ts';
import type { Route } from '../config/types.ts';
import { ledgerOf } from '../env.ts';
import { planOf } from '../experiment/plan.ts';
import { sizePlan } from '../experiment/size.ts';
import type { UnitRow } from '../experiment/words.ts';
import { withLimit } from '../limit.ts';
import { hashUnit } from '../split/receipt.ts';
import { noRoute } from './ask-controller.ts';
import type { AdminDeps, AdminEnv } from './context.ts';
import { deletionQuery, sampleSizeQuery, unitsQuery } from './experiment-schemas.ts';
import { bindIt, query, refuse } from './input.ts';
import { CALL_LIMIT_MS } from './limits.ts';
import { noted } from './note.ts';

type Ledger = NonNullable<ReturnType<typeof ledgerOf>>;

/** The calls on a route's experiment, and the planner. */
export function experimentRoutes({ loadConfig, serving }: AdminDeps) {
  return new Hono<AdminEnv>()
    .get('/routes/:route/experiment', async (c) => {
      const answer = await ask(c, async (ledger, route) => {
        const state = await serving.state(c.env, c.executionCtx, route);
        return ledger.report(planOf(state)!);
      });
      return answer instanceof Response ? answer : c.json(answer.told, 200);
    })
    .get('/routes/:route/experiment/units', query(unitsQuery), async (c) => {
      const { after, limit, format } = c.req.valid('query');
      const answer = await ask(c, (ledger) => ledger.units(after, limit) as Promise<UnitRow[]>);
      if (answer instanceof Response) return answer;
      const rows = answer.told;
      const next = rows.length < limit ? null : rows.at(-1)!.unit;
      if (format === 'json') return c.json({ units: rows, next }, 200);
      const headers = { 'content-type': 'text/csv; charset=utf-8', ...(next !== null && { 'x-headgate-next': next }) };
      return c.body(csvOf(rows, answer.route), 200, headers);
    })
    .delete('/routes/:route/experiment/units/:unit', query(deletionQuery), async (c) => {
      const { experiment, reason } = c.req.valid('query');
      const unit = c.req.param('unit');
      const hash = await hashUnit(unit, c.env.COOKIE_SECRET ?? '-');
      const answer = await ask(c, (ledger) => Promise.all([unit, hash].map((one) => ledger.forget(one))), experiment);
      if (answer instanceof Response) return answer;
      if (!answer.told.includes(true)) return noUnit();
      // Who it was stands nowhere any more, here neither.
      await noted(c, answer.route.name, 'unit-deleted', reason);
      return c.body(null, 204);
    })
    .get('/sample-size', query(sampleSizeQuery), (c) => {
      const { perDay = null, ...asked } = c.req.valid('query');
      return c.json(sizePlan({ ...asked, perDay }), 200);
    });

  /** Asks the ledger of the route's experiment, or of an earlier one by its id. It answers 503 where the ledger fails or says nothing. */
  async function ask<T>(
    c: Context<AdminEnv>,
    question: (ledger: Ledger, route: Route) => Promise<T>,
    earlier?: string,
  ) {
    const name = c.req.param('route')!;
    const route = (await loadConfig(c.env))?.routes.find((one) => one.name === name);
    if (route === undefined) return noRoute(name);
    const id = earlier ?? route.experiment?.id;
    if (id === undefined) return noExperiment(name);
    const ledger = ledgerOf(c.env, name, id);
    if (ledger === null) return noLedger();
    try {
      return { route, told: await withLimit(question(ledger, route), CALL_LIMIT_MS) };
    } catch (cause) {
      console.error('ledger', cause);
      return ledgerDown();
    }
  }
}

/** RFC 4180. Columns stand in the order of the config; what is not known is empty, for it is not 0. */
function csvOf(rows: readonly UnitRow[], { outcomes, experiment }: Route): string {
  const { primary, secondary, segments } = experiment!;
  const columns: string[][] = [
    ['unit', 'variant', 'firstAt', 'requests', 'errors'],
    segments.map(({ name }) => name),
    measuredNames.filter((name) => [...primary, ...secondary].includes(name)),
    outcomes.map(({ name }) => name),
  ];
  const lines = rows.map((row) =>
    [row, row.segment, row.measured, row.outcomes].flatMap((part, at) =>
      columns[at]!.map((name) => cell(part[name as keyof object])),
    ),
  );
  return [columns.flat(), ...lines, []].join('\r\n');
}

/** A visitor's text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV injection). */
function cell(value: unknown) {
  if (typeof value !== 'string') return JSON.stringify(value);
  return `"${value.replace(/^\s*[=+@-]/, "'$&").replaceAll('"', '""')}"`;
}

const noExperiment = (route: string) =>
  refuse(404, 'no_experiment', `Route ${route} has no experiment.`, 'declare "experiment" on the route');

const noLedger = () => refuse(503, 'no_ledger', 'This Worker has no LEDGER binding.', bindIt);

const ledgerDown = () =>
  refuse(503, 'ledger_down', 'The ledger does not answer: what is counted waits for it.', 'try again');

const noUnit = () =>
  refuse(404, 'unknown_unit', 'Nothing is kept of this unit.', 'GET …/experiment/units lists what is');
