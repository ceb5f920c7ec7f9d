/** Owns before which moves health is checked, and what the answer means. It makes no request. */

import { shareAfter } from './moves.ts';
import { shareOf } from './readiness.ts';
import type { Moved, RolloutState, Seen } from './state.ts';

/** `unknown`: it was not checked yet, so ask for a probe first. */
type Health = { is: 'fine' } | { is: 'unknown'; variant: string } | { is: 'bad'; variant: string; detail: string };

/** The health of a variant. `probed`: the variants that declare a check; all others are fine. */
function healthOf(variant: string, probed: readonly string[], { health }: Pick<Seen, 'health'>): Health {
  if (!probed.includes(variant)) return { is: 'fine' };
  const answer = health !== undefined && Object.hasOwn(health, variant) ? health[variant] : undefined;
  if (answer === undefined) return { is: 'unknown', variant };
  return answer.ok ? { is: 'fine' } : { is: 'bad', variant, detail: answer.detail };
}

/** The health of the first variant that is not known to be fine; fine if all are. */
export function firstUnwell(
  variants: readonly string[],
  probed: readonly string[],
  seen: Pick<Seen, 'health'>,
): Health {
  for (const variant of variants) {
    const health = healthOf(variant, probed, seen);
    if (health.is !== 'fine') return health;
  }
  return { is: 'fine' };
}

/** The candidate's health, where the next step gives it more traffic; fine otherwise. */
export function healthToGoOn(state: RolloutState, seen: Seen): Health {
  return shareAfter(state) > shareOf(state) ? healthOf(state.to, state.probed, seen) : { is: 'fine' };
}

/**
 * The baseline's health, where evidence would send all traffic back to it although it serves nobody now (bake, after a blue-green switch);
 * fine otherwise. A baseline that serves visitors is known better from those, and a probe would only cost time.
 */
export function healthToReturn(state: RolloutState, seen: Seen): Health {
  const idle = (state.split.weights[state.baseline] ?? 0) === 0;
  return idle ? healthOf(state.baseline, state.probed, seen) : { is: 'fine' };
}

/** Asks for a probe first: nothing is decided yet. */
export const asking = (state: RolloutState, { variant }: { variant: string }): Moved => ({
  state,
  effects: [{ kind: 'probe', variant }],
});

/** `green fails its health check (GET /healthz answered 503)`. */
export const unhealthy = ({ variant, detail }: { variant: string; detail: string }): string =>
  `${variant} fails its health check (${detail})`;

/** What a person can do where a call may be forced. */
export const mendOrForce = (variant: string): string => `mend ${variant}, or insist: --force, "force": true`;
