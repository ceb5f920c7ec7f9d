/**
 * Owns the four commands to a running rollout. `promote` and `resume` are bound to the revision that was shown, since they approve what
 * somebody saw; `pause` and `abort` are not, since in an emergency nothing may be in their way.
 */

import { variantsHash } from '../../../config/hash.ts';
import type { Route } from '../../../config/types.ts';
import { endOf } from '../../../rollout/plan.ts';
import { ifMatchOf, isMeant, isRunning, isShown, printChanged, refuseBusy, trafficLines } from '../../change.ts';
import { connect } from '../../client.ts';
import { routeIfRead } from '../../current-config.ts';
import { type ChangedRoute, nextBaselineOf, openRoute, paramOf, type RouteStatus } from '../../route.ts';
import { stepWords } from '../../status/rollout.ts';
import { Stop } from '../../stop.ts';
import type { Terminal } from '../../terminal.ts';
import { safe } from '../../text.ts';
import { type CommonArgs, routeWriteArgs, verb, type WriteArgs } from '../../verb.ts';

type Kind = 'promote' | 'pause' | 'resume' | 'abort';
type Rollout = NonNullable<RouteStatus['rollout']>;

interface Order {
  kind: Kind;
  summary: string;
  /** The command as the question to the user puts it. */
  what(route: string): string;
  /** What will follow from it, for a person who is about to confirm. */
  next(rollout: Rollout): string;
  bound: 'shown' | 'any';
}

export const promote = command({
  kind: 'promote',
  summary: 'Go on now without waiting: to the next step, or after the last one to the end',
  what: (route) => `Promote the rollout of ${route}`,
  next({ planSteps, step, steps, to }) {
    const following = planSteps[step];
    if (following === undefined) {
      return endOf(planSteps) === 'promoted' ? `the end: ${to} is promoted` : 'the end: traffic as it was before';
    }
    return `step ${step + 1} of ${steps}: ${stepWords(following)}`;
  },
  bound: 'shown',
});

export const pause = command({
  kind: 'pause',
  summary: 'Hold a rollout where it is; its guardrails stay armed',
  what: (route) => `Pause the rollout of ${route}`,
  next: () => 'traffic stays as it is, until headgate rollout resume',
  bound: 'any',
});

export const resume = command({
  kind: 'resume',
  summary: 'Go on after a pause, with the step as it was',
  what: (route) => `Resume the rollout of ${route}`,
  next: ({ step, steps }) => `step ${step} of ${steps} goes on`,
  bound: 'shown',
});

export const abort = command({
  kind: 'abort',
  summary: 'End a rollout: all traffic back to the baseline at once',
  what: (route) => `Abort the rollout of ${route}`,
  next: ({ baseline }) => `all traffic on ${baseline}`,
  bound: 'any',
});

function command({ kind, summary, what, next, bound }: Order) {
  return verb({
    summary,
    args: {
      route: { type: 'positional', required: true, description: 'A route of the config' },
      ...routeWriteArgs,
    },
    async run(args, terminal) {
      const { route } = args;
      const { status, param, unseen, ...connected } = await opened(route, bound, args, terminal);
      const { client, ask } = connected;
      const headers = ifMatchOf(args, status, bound);
      if (status !== null && isShown(args, terminal)) {
        refuseIdle(status, kind);
        // What goes on needs the config that it began with.
        if (bound === 'shown') refuseChanged(status, await routeIfRead(route, connected));
      }
      const then = status?.rollout ? next(status.rollout) : null;
      const lines = [
        ...(status === null ? [] : trafficLines(status, {})),
        ...(then === null ? [] : [`  then   ${then}`]),
      ];
      const data = { route, revision: status?.split.revision ?? null, order: kind, next: then };
      if (!(await isMeant({ what: what(route), lines, data }, args, terminal))) return 0;
      const call = client.api.routes[':route'].rollout[':command{promote|pause|resume|abort}'].$post(
        { param: { ...param, command: kind }, json: { reason: args.reason ?? '' } },
        { headers },
      );
      const changed = (await ask(call).catch((cause: unknown) => {
        // What was seen before names the nearest route too.
        throw isBlind(cause) ? (unseen ?? cause) : cause;
      })) as ChangedRoute;
      const { rollout } = changed;
      const done = `${route}: ${rollout ? `rollout ${rollout.id} ${rollout.phase}` : `${kind} was taken`}`;
      return printChanged(changed, { done }, args, terminal);
    },
  });
}

/** The route's status; null where it is not known, or the config no longer has the route, and the command can do without. */
async function opened(route: string, bound: Order['bound'], args: WriteArgs & CommonArgs, terminal: Terminal) {
  try {
    return { ...(await openRoute(route, args, terminal)), unseen: null };
  } catch (cause) {
    if (bound !== 'any' || !isBlind(cause) || args['dry-run']) throw cause;
    return { ...connect(args, terminal), status: null, param: paramOf(route), unseen: cause };
  }
}

function isBlind(cause: unknown): boolean {
  return cause instanceof Stop && ['no_such_route', 'no_config'].includes(cause.trouble.code ?? '');
}

/** Throws what the Worker would refuse, so that nobody is asked to confirm what cannot be done. */
function refuseIdle(status: RouteStatus, kind: Kind): void {
  const { name, rollout, byHand, byHandFault } = status;
  if (rollout === null || !isRunning(rollout)) {
    const what = `No rollout runs on ${name}.`;
    throw new Stop({
      exitCode: 1,
      code: 'no_rollout',
      what,
      mend: `start one: headgate rollout start ${name} VARIANT`,
    });
  }
  const { phase } = rollout;
  // What holds the candidate back is done also beside a refused text.
  if (byHand ?? (kind === 'promote' && byHandFault)) refuseBusy({ ...status, rollout: null });
  if (kind === 'pause' && phase === 'paused')
    throw new Stop({ exitCode: 1, code: 'already_paused', what: `The rollout of ${name} is paused already.` });
  if (kind === 'resume' && phase !== 'paused')
    throw new Stop({ exitCode: 1, code: 'not_paused', what: `The rollout of ${name} is ${phase}, not paused.` });
  const failing = rollout.guardrails.find(({ critical, verdict }) => critical && verdict === 'fail');
  if (kind !== 'promote' || failing === undefined) return;
  const what = `A critical guardrail fails: ${safe(failing.sentence)}.`;
  const mend = `take the traffic back: headgate rollout abort ${name}`;
  throw new Stop({ exitCode: 1, code: 'guardrail_fails', what, mend });
}

/** Throws what the Worker would refuse to a rollout that is to go on, while the config is not the one that it began with. */
function refuseChanged(status: RouteStatus, route: Route | undefined): void {
  const { variants, baseline } = status.split;
  const isSame = route === undefined || variantsHash(route) === variants;
  if (isSame && nextBaselineOf(status) === baseline) return;
  const what = `The config changed its ${isSame ? 'baseline' : 'variants'} during the rollout.`;
  const mend = 'change it back and resume, or abort and start again';
  throw new Stop({ exitCode: 1, code: 'variants_changed', what, mend });
}
