/** Owns `headgate weights ROUTE blue=90 green=10`: a split as a person wants it, in force within seconds. */

import { frozenByExperiment } from '../../rollout/frozen.ts';
import { ifMatchOf, isMeant, isShown, printChanged, refuseBusy, trafficLines } from '../change.ts';
import { routeIfRead } from '../current-config.ts';
import { shares } from '../figures.ts';
import { percentsOf, requireSum } from '../percents.ts';
import { type ChangedRoute, nextBaselineOf, openRoute, requireVariant } from '../route.ts';
import { Stop } from '../stop.ts';
import { routeWriteArgs, verb } from '../verb.ts';

export const weights = verb({
  summary: 'Set a route’s weights, which sum to 100; a variant left out gets nothing',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    shares: { type: 'positional', required: true, description: 'VARIANT=PERCENT, such as blue=90 green=10' },
    shadow: {
      type: 'string',
      description: 'Also mirror: VARIANT=PERCENT, several with commas, or none; as before when left out',
      valueHint: 'VARIANT=PERCENT',
    },
    ...routeWriteArgs,
  },
  many: true,
  async run(args, terminal) {
    const { route, shadow } = args;
    const wanted = percentsOf(args._.slice(1), 'a share');
    requireSum(wanted);
    const shadows =
      shadow === undefined ? undefined : shadow === 'none' ? {} : percentsOf(shadow.split(','), 'a mirror');
    const { status, param, ...connected } = await openRoute(route, args, terminal);
    const { client, ask } = connected;
    for (const name of [...Object.keys(wanted), ...Object.keys(shadows ?? {})]) requireVariant(status, name);
    const headers = ifMatchOf(args, status, 'shown');
    if (isShown(args, terminal)) {
      refuseBusy(status);
      const configured = await routeIfRead(route, connected);
      const frozen = configured && frozenByExperiment(configured, wanted, status.inForce.weights);
      if (frozen) throw wouldRefuse(frozen.error);
      const baseline = nextBaselineOf(status);
      if (shadows !== undefined && Object.hasOwn(shadows, baseline)) throw wouldRefuse(ownShadow(baseline));
    }
    const change = {
      what: `Set the weights of ${route} to ${shares(wanted)}`,
      lines: trafficLines(status, { weights: wanted, shadows }),
      data: { route, revision: status.split.revision, before: status.inForce.weights, weights: wanted, shadows },
    };
    if (!(await isMeant(change, args, terminal))) return 0;
    const json = { weights: wanted, shadows, reason: args.reason ?? '' };
    const changed = (await ask(client.api.routes[':route'].split.$put({ param, json }, { headers }))) as ChangedRoute;
    return printChanged(changed, { done: route }, args, terminal);
  },
});

const ownShadow = (baseline: string) => ({
  code: 'invalid_request',
  detail: `the baseline ${baseline} cannot be its own shadow`,
  mend: 'name a candidate',
});

function wouldRefuse({ code, detail, mend }: { code: string; detail: string; mend: string }): Stop {
  return new Stop({ exitCode: 1, code, what: `These weights would be refused: ${detail}.`, mend });
}
