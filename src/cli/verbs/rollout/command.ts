/**
 * Owns the four orders that a running rollout takes. `promote` and `resume` are bound to the revision that was shown, since they
 * say yes to what somebody saw; `pause` and `abort` are not, since in need nothing may be in their way.
 */

import { ifMatchOf, isMeant, printChanged, trafficLines } from '../../change.ts';
import { type ChangedRoute, openRoute, type RouteStatus } from '../../route.ts';
import { stepWords } from '../../status/rollout.ts';
import { routeWriteArgs, verb } from '../../verb.ts';

type Kind = 'promote' | 'pause' | 'resume' | 'abort';
type Rollout = NonNullable<RouteStatus['rollout']>;

interface Order {
  kind: Kind;
  summary: string;
  /** The deed as an order, for the question. */
  what(route: string): string;
  /** What comes of it, for a person who is about to say yes. */
  next(rollout: Rollout): string;
  bound: 'shown' | 'any';
}

export const promote = command({
  kind: 'promote',
  summary: 'Go on now without waiting: to the next step, or after the last one to the end',
  what: (route) => `Promote the rollout of ${route}`,
  next({ planSteps, step, steps, to }) {
    const following = planSteps[step];
    if (following === undefined) return `the end: ${to} is promoted`;
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
      const { client, ask, status, param } = await openRoute(route, args, terminal);
      const headers = ifMatchOf(args, status, bound);
      const { rollout, split } = status;
      const lines = [...trafficLines(status, {}), ...(rollout === null ? [] : [`  then   ${next(rollout)}`])];
      const data = { route, revision: split.revision, order: kind, next: rollout === null ? null : next(rollout) };
      if (!(await isMeant({ what: what(route), lines, data }, args, terminal))) return 0;
      const call = client.api.routes[':route'].rollout[':command{promote|pause|resume|abort}'].$post(
        { param: { ...param, command: kind }, json: { reason: args.reason ?? '' } },
        { headers },
      );
      const changed = (await ask(call)) as ChangedRoute;
      const done = `${route}: rollout ${changed.rollout?.id} ${changed.rollout?.phase}`;
      return printChanged(changed, { done }, args, terminal);
    },
  });
}
