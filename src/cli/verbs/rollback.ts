/** Owns `headgate rollback ROUTE`: the way back. It is bound to no revision unless asked, since in an emergency nothing may be in its way. */

import type { WaysBack } from '../../rollout/ways-back.ts';
import { ifMatchOf, isMeant, isRunning, isShown, printChanged, trafficLines } from '../change.ts';
import { shares } from '../figures.ts';
import { type ChangedRoute, openRoute, type RouteStatus } from '../route.ts';
import { Stop, usage } from '../stop.ts';
import { routeWriteArgs, verb } from '../verb.ts';

/** More than these are for `GET …/splits`. */
const OTHERS = 5;

export const rollback = verb({
  summary: 'Return to the last steady split (before the rollout that it ends), or to a named one',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    revision: { type: 'string', description: 'The split to return to', valueHint: 'N' },
    force: { type: 'boolean', description: 'In spite of health checks, changed variants and a running experiment' },
    ...routeWriteArgs,
  },
  async run(args, terminal) {
    const { route } = args;
    if (args.revision !== undefined && !/^\d{1,15}$/.test(args.revision)) {
      throw usage('--revision is the number of a split.', `headgate rollback ${route} --dry-run lists some`);
    }
    const revision = args.revision === undefined ? undefined : Number(args.revision);
    const { client, ask, status, param } = await openRoute(route, args, terminal);
    const headers = ifMatchOf(args, status, 'any');
    const ends = runningOf(status);
    // Where to is only asked if somebody will see it; otherwise the rollback is sent at once.
    const query = { revision: args.revision, force: args.force === true ? ('true' as const) : undefined };
    const ways = isShown(args, terminal)
      ? await ask(client.api.routes[':route'].splits.$get({ param, query })).catch(nullIfTooOld)
      : null;
    if (ways?.refused) throw refusalOf(ways.refused, othersOf(ways, status));
    const target = ways?.target ?? undefined;
    const steady = `the last steady split${target === undefined ? '' : ` (${target.revision})`}`;
    const change = {
      what: `Roll ${route} back to ${revision === undefined ? steady : `split ${revision}`}`,
      lines: [
        ...trafficLines(status, target ?? {}),
        ...(ends === null ? [] : [`  ends   rollout ${ends}`]),
        ...(ways === null ? [] : othersOf(ways, status)),
      ],
      data: {
        route,
        revision: target?.revision ?? revision ?? null,
        before: status.inForce.weights,
        weights: target?.weights,
        shadows: target?.shadows,
        ends,
      },
    };
    if (!(await isMeant(change, args, terminal))) return 0;
    const json = { revision, force: args.force === true, reason: args.reason ?? '' };
    const changed = (await ask(
      client.api.routes[':route'].rollback.$post({ param, json }, { headers }),
    )) as ChangedRoute;
    return printChanged(changed, { done: `${route} is back` }, args, terminal);
  },
});

function refusalOf({ code, detail, mend }: NonNullable<WaysBack['refused']>, others: readonly string[]): Stop {
  const why = others.length === 0 ? undefined : others.join('\n').trimStart();
  return new Stop({ exitCode: 1, code, what: `A rollback would be refused: ${detail}.`, why, mend });
}

/** The newest splits that `--revision` takes, one a line and each traffic once; neither what is in force nor the target is among them. */
function othersOf({ splits, target }: WaysBack, { inForce }: RouteStatus): string[] {
  const known = new Set([shares(inForce.weights), ...(target === null ? [] : [shares(target.weights)])]);
  const others: string[] = [];
  for (const { revision, weights, baseline, at } of splits) {
    const traffic = shares(weights);
    const named = [baseline, ...Object.keys(weights).filter((name) => weights[name]! > 0)];
    if (known.has(traffic) || !named.every((name) => Object.hasOwn(inForce.weights, name))) continue;
    known.add(traffic);
    others.push(
      `  --revision ${String(revision).padEnd(4)} ${traffic}${at === '' ? '' : `, of ${at.slice(0, 19).replace('T', ' ')}`}`,
    );
  }
  return others.slice(0, OTHERS);
}

/** Null where the Worker is older and does not have this call; any other cause is thrown again. */
function nullIfTooOld(cause: unknown): null {
  if (cause instanceof Stop && cause.trouble.code === 'not_found') return null;
  throw cause;
}

function runningOf({ rollout }: RouteStatus): string | null {
  return rollout !== null && isRunning(rollout) ? `${rollout.id} to ${rollout.to}` : null;
}
