/** Owns the calls on what shadows compared. The numbers are the route's controller's; this module asks for them. */

import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import type { Route } from '../config/types.ts';
import { noVariant } from '../rollout/words.ts';
import { reportOf, startTotals } from '../shadow/totals.ts';
import { askController, type Controller, noRoute } from './ask-controller.ts';
import type { AdminDeps, AdminEnv } from './context.ts';
import { query, refuse } from './input.ts';
import { noted } from './note.ts';
import { comparisonsQuery, resetQuery } from './schemas.ts';

/** The report on a candidate, and its deletion. */
export function comparisonsRoutes({ loadConfig }: AdminDeps) {
  /** Asks the route's controller, if the config (as far as it can be read) has the route. */
  const asked = <T>(c: Context<AdminEnv>, call: (controller: Controller, route?: Route) => Promise<T>) =>
    askController(c, async (controller, name) => {
      const config = await loadConfig(c.env);
      const route = config?.routes.find((one) => one.name === name);
      return config && !route ? noRoute(name) : call(controller, route);
    });
  return new Hono<AdminEnv>()
    .get('/routes/:route/comparisons', query(comparisonsQuery), (c) =>
      asked(c, async (controller, route) => {
        const { candidate, samples } = c.req.valid('query');
        const { candidates, report, samples: kept } = await controller.comparisons(candidate, samples);
        // Comparisons with a variant that the config no longer has are kept, and shown.
        if (report === null && candidate && route && !Object.hasOwn(route.variants, candidate)) {
          const { detail, mend } = noVariant(route.name, candidate, Object.keys(route.variants)).error;
          return refuse(404, 'no_such_variant', detail, mend);
        }
        return c.json({ ...(report ?? nothing), candidates, samples: kept }, 200);
      }),
    )
    .delete('/routes/:route/comparisons', query(resetQuery), (c) =>
      asked(c, async (controller) => {
        const { candidate } = c.req.valid('query');
        await controller.clearComparisons(candidate);
        await noted(c, c.req.param('route'), 'comparisons-reset', `what was compared with ${candidate}`);
        return c.body(null, 204);
      }),
    );
}

/** The report of a route that has compared nothing yet, in the same shape. */
const nothing = {
  ...reportOf(startTotals('', 0)),
  candidate: null,
  since: null,
  similarity: null,
  notes: ['Nothing has been compared yet.'],
};
