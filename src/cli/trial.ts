/** Owns what a rollout's start shows before anybody is asked: its steps, looked up and checked by the controller's own code. */

import * as v from 'valibot';
import { rolloutBody } from '../admin/schemas.ts';
import { normalisedTrial, trialFaults } from '../admin/trial.ts';
import { builtInPlans } from '../config/plan-names.ts';
import { schemaFaults } from '../config/schema-faults.ts';
import { findKeys } from '../config/unknown-keys.ts';
import { builtIns, type Step } from '../rollout/plan.ts';
import type { Connected } from './client.ts';
import { configuredRoute } from './current-config.ts';
import { readList } from './json-file.ts';
import { didYouMean } from './names.ts';
import { nextBaselineOf, type RouteStatus } from './route.ts';
import { stepWords } from './status/rollout.ts';
import { Stop } from './stop.ts';
import type { Terminal } from './terminal.ts';

type Call = Connected['client']['api']['routes'][':route']['rollout']['$post'];

/** What the call is sent. */
export type TrialBody = Parameters<Call>[0]['json'];

/** The options of a verb that starts a rollout. */
export const planArg = {
  type: 'string',
  default: 'canary',
  description: `${builtInPlans.join(', ')}, a plan of the route, a JSON file with steps, or the steps themselves`,
  valueHint: 'NAME|FILE',
} as const;
export const guardrailsArg = {
  type: 'string',
  description: 'A JSON file with guardrails, or the list itself; else the route’s own',
  valueHint: 'FILE',
} as const;

/** A plan's name as it is given, or the steps of a file or of the argument itself. */
export function planOf(given: string, terminal: Terminal): TrialBody['plan'] {
  const isName = /^[a-z0-9][a-z0-9-]{0,31}$/.test(given);
  return (isName ? given : readList(given, 'steps', terminal)) as TrialBody['plan'];
}

/** The plan's steps. A name that nobody knows is refused here, where the nearest one can be named. */
export async function stepsOf(route: string, json: TrialBody, connected: Connected): Promise<readonly Step[]> {
  const trial = checked(json);
  const { plan } = trial;
  if (typeof plan !== 'string') return normalisedTrial(trial).plan as Step[];
  const own = (await configuredRoute(route, connected))?.plans ?? {};
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

/** The steps as a person reads them. */
export function planLines(variant: string, steps: readonly Step[], status: RouteStatus): string[] {
  return [
    `  ${variant} against ${nextBaselineOf(status)}:`,
    ...steps.map((step, i) => `    ${i + 1}  ${stepWords(step)}`),
  ];
}

/** What the call will be refused for, seen before anybody is asked. */
function checked(json: TrialBody): v.InferOutput<typeof rolloutBody> {
  const parsed = v.safeParse(rolloutBody, json);
  const faults = [
    ...findKeys(rolloutBody, json).unknown,
    ...(parsed.success ? trialFaults(parsed.output) : schemaFaults(parsed.issues, json)),
  ];
  if (parsed.success && faults.length === 0) return parsed.output;
  throw new Stop({ exitCode: 1, code: 'invalid_request', what: 'The rollout cannot be started as written.', faults });
}
