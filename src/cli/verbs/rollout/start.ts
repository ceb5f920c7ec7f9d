/**
 * Owns `headgate rollout start ROUTE VARIANT`. It shows the plan's steps before anything happens: a name is looked up in the
 * route's own plans and the built-in ones, by the same code as the controller's. The controller has the last word.
 */

import * as v from 'valibot';
import { rolloutBody } from '../../../admin/schemas.ts';
import { normalisedTrial, trialFaults } from '../../../admin/trial.ts';
import { parseConfig } from '../../../config/parse.ts';
import { builtInPlans } from '../../../config/plan-names.ts';
import { schemaFaults } from '../../../config/schema-faults.ts';
import { builtIns, type Step } from '../../../rollout/plan.ts';
import { ifMatchOf, isMeant, printChanged, trafficLines } from '../../change.ts';
import type { Connected } from '../../client.ts';
import { readList } from '../../json-file.ts';
import { didYouMean } from '../../names.ts';
import { type ChangedRoute, openRoute, type RouteStatus, requireVariant } from '../../route.ts';
import { stepWords } from '../../status/rollout.ts';
import { Stop } from '../../stop.ts';
import { routeWriteArgs, verb } from '../../verb.ts';

type Call = Connected['client']['api']['routes'][':route']['rollout']['$post'];
type Body = Parameters<Call>[0]['json'];

export const start = verb({
  summary: 'Begin to move traffic to a variant by a plan, watched by guardrails; evidence promotes it or takes it back',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    variant: { type: 'positional', required: true, description: 'The candidate' },
    plan: {
      type: 'string',
      default: 'canary',
      description: `${builtInPlans.join(', ')}, a plan of the route, a JSON file with steps, or the steps themselves`,
      valueHint: 'NAME|FILE',
    },
    guardrails: {
      type: 'string',
      description: 'A JSON file with guardrails, or the list itself; else the route’s own',
      valueHint: 'FILE',
    },
    ...routeWriteArgs,
  },
  async run(args, terminal) {
    const { route, variant } = args;
    const isName = /^[a-z0-9][a-z0-9-]{0,31}$/.test(args.plan);
    const plan = isName ? args.plan : readList(args.plan, 'steps', terminal);
    const guardrails = args.guardrails ? readList(args.guardrails, 'guardrails', terminal) : undefined;
    const json = { to: variant, plan, guardrails, reason: args.reason ?? '' } as Body;
    const connected = await openRoute(route, args, terminal);
    const { client, ask, status, param } = connected;
    requireVariant(status, variant);
    const steps = await stepsOf(route, json, connected);
    const headers = ifMatchOf(args, status, 'shown');
    const change = {
      what: `Start a rollout of ${route} to ${variant}`,
      lines: [...trafficLines(status, {}), ...planLines(variant, steps, status)],
      data: { route, revision: status.split.revision, to: variant, steps, guardrails: guardrails ?? null },
    };
    if (!(await isMeant(change, args, terminal))) return 0;
    const changed = (await ask(
      client.api.routes[':route'].rollout.$post({ param, json }, { headers }),
    )) as ChangedRoute;
    const done = `${route}: rollout ${changed.rollout?.id} to ${variant} has begun`;
    return printChanged(changed, { done, next: `headgate status ${route} --watch` }, args, terminal);
  },
});

/** What the call will be refused for, seen before anybody is asked. */
function checked(json: Body): v.InferOutput<typeof rolloutBody> {
  const parsed = v.safeParse(rolloutBody, json);
  const faults = parsed.success ? trialFaults(parsed.output) : schemaFaults(parsed.issues, json);
  if (parsed.success && faults.length === 0) return parsed.output;
  throw new Stop({ exitCode: 1, code: 'invalid_request', what: 'The rollout cannot be started as written.', faults });
}

/** The plan's steps. A name that nobody knows is refused here, where the nearest one can be named. */
async function stepsOf(route: string, json: Body, { client, replyOf }: Connected): Promise<readonly Step[]> {
  const trial = checked(json);
  const { plan } = trial;
  if (typeof plan !== 'string') return normalisedTrial(trial).plan as Step[];
  const text = await (await replyOf(client.api.config.$get())).text();
  const parsed = parseConfig(text, { unknownKeys: 'warn' });
  const own = (parsed.ok && parsed.value.config.routes.find(({ name }) => name === route)?.plans) || {};
  const steps = own[plan] ?? builtIns[plan];
  if (steps !== undefined) return steps;
  const known = [...new Set([...Object.keys(own), ...builtInPlans])];
  throw new Stop({
    exitCode: 1,
    code: 'unknown_plan',
    what: `Route ${route} has no plan ${plan}.`,
    mend: `${didYouMean(plan, known)}; a file is named with its path, such as ./${plan}.json`,
  });
}

function planLines(variant: string, steps: readonly Step[], { inForce }: RouteStatus): string[] {
  return [`  ${variant} against ${inForce.baseline}:`, ...steps.map((step, i) => `    ${i + 1}  ${stepWords(step)}`)];
}
