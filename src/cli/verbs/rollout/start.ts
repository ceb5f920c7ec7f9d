/**
 * Owns `headgate rollout start ROUTE VARIANT`. It shows the plan's steps before anything happens. The controller has the last
 * word.
 */

import { frozenSteps } from '../../../rollout/frozen.ts';
import { ifMatchOf, isMeant, isShown, printChanged, refuseBusy, trafficLines } from '../../change.ts';
import { routeIfRead } from '../../current-config.ts';
import { readList } from '../../json-file.ts';
import { begunFor } from '../../once.ts';
import { type ChangedRoute, nextBaselineOf, openRoute, type RouteStatus, requireVariant } from '../../route.ts';
import { Stop, usage } from '../../stop.ts';
import type { Terminal } from '../../terminal.ts';
import { safe } from '../../text.ts';
import { guardrailsArg, planArg, planLines, planOf, stepsOf, type TrialBody } from '../../trial.ts';
import { type CommonArgs, routeWriteArgs, verb, type WriteArgs } from '../../verb.ts';

export const start = verb({
  summary: 'Begin to move traffic to a variant by a plan, watched by guardrails; evidence promotes it or takes it back',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    variant: { type: 'positional', required: true, description: 'The candidate' },
    plan: planArg,
    guardrails: guardrailsArg,
    force: { type: 'boolean', description: 'Also where it ends a running experiment' },
    once: {
      type: 'boolean',
      description:
        'Begin none where the newest rollout has this variant and --reason, however it went: for jobs that run again',
    },
    ...routeWriteArgs,
  },
  async run(args, terminal) {
    const { route, variant, reason = '' } = args;
    if (args.once && reason === '') {
      throw usage('--once needs a --reason.', 'name the release by it, such as --reason "release 2.3"');
    }
    const plan = planOf(args.plan, terminal);
    const guardrails = args.guardrails ? readList(args.guardrails, 'guardrails', terminal) : undefined;
    const json = {
      to: variant,
      plan,
      guardrails,
      ...(args.force && { force: true }),
      reason,
    } as TrialBody;
    const connected = await openRoute(route, args, terminal);
    const { client, ask, status, param } = connected;
    requireVariant(status, variant);
    const begun = async () => (args.once ? begunFor(route, { to: variant, reason }, connected) : null);
    const before = await begun();
    if (before !== null) return printBegun(before, args, terminal);
    const steps = await stepsOf(route, json, connected);
    const headers = ifMatchOf(args, status, 'shown');
    if (isShown(args, terminal)) {
      refuseBusy(status);
      refuseBaseline(variant, status);
      const { inForce, split } = status;
      const standing = { ...inForce, revision: split.revision, baseline: nextBaselineOf(status) };
      const configured = await routeIfRead(route, connected);
      const frozen = configured && frozenSteps(configured, { steps, to: variant, ends: args.force === true }, standing);
      if (frozen) {
        const { code, detail, mend } = frozen.error;
        throw new Stop({ exitCode: 1, code, what: `This rollout would be refused: ${detail}.`, mend });
      }
    }
    const change = {
      what: `Start a rollout of ${route} to ${variant}`,
      lines: [...trafficLines(status, {}), ...planLines(variant, steps, status)],
      data: { route, revision: status.split.revision, to: variant, steps, guardrails: guardrails ?? null },
    };
    if (!(await isMeant(change, args, terminal))) return 0;
    let changed: ChangedRoute;
    try {
      changed = (await ask(client.api.routes[':route'].rollout.$post({ param, json }, { headers }))) as ChangedRoute;
    } catch (cause) {
      // The same job may have been quicker elsewhere, or the answer been lost.
      const meanwhile = await begun().catch(() => null);
      if (meanwhile === null) throw cause;
      return printBegun(meanwhile, args, terminal);
    }
    const done = `${route}: rollout ${changed.rollout?.id} to ${variant} has begun`;
    return printChanged(changed, { done, next: `headgate status ${route} --watch` }, args, terminal);
  },
});

/** Says how the rollout stands that was begun before; `status --wait` then has its exit status. */
async function printBegun(status: RouteStatus, args: WriteArgs & CommonArgs, terminal: Terminal): Promise<0> {
  const { id, to, phase, startedAt, startedBy } = status.rollout!;
  const when = startedAt.slice(0, 19).replace('T', ' ');
  const done = `${status.name}: rollout ${id} to ${to} was begun before (${when} by ${safe(startedBy)}) and is ${phase}`;
  if (args['dry-run']) {
    const data = { route: status.name, revision: status.split.revision, to, begun: id, phase };
    await isMeant({ what: `Begin none. ${done}`, lines: [], data }, args, terminal);
    return 0;
  }
  const next = `headgate status ${status.name} --wait has its exit status`;
  return printChanged({ ...status, warnings: status.warnings ?? [] }, { done, next }, args, terminal);
}

/** Throws what the Worker would refuse: a rollout to the baseline. */
function refuseBaseline(variant: string, status: RouteStatus): void {
  if (variant !== nextBaselineOf(status)) return;
  const what = `${variant} is the baseline already.`;
  const mend =
    'name the variant to move traffic to; if that has it already, first make it the "baseline" in the config';
  throw new Stop({ exitCode: 1, code: 'already_baseline', what, mend });
}
