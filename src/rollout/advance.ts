/**
 * Owns the one door to a rollout's next state: a pure function of state, input and what was seen. Whoever calls it stores the
 * state, then does the effects; a crash in between is mended by publishing `state.split` again. Look at `transitions.ts` for
 * what may follow what, and at `tick.ts` and `commands.ts` for when.
 */

import { ok } from '../result.ts';
import { obey } from './commands.ts';
import type { Answer, Input, RolloutState, Seen } from './state.ts';
import { tick } from './tick.ts';

/**
 * The next state, or a refusal (of commands alone). Where an effect is `probe`, nothing was decided yet: check that variant's
 * health and ask again with the answer in `seen.health`. Fails towards holding: what is missing never passes anything.
 */
export function advance(state: RolloutState, input: Input, seen: Seen): Answer {
  return input.kind === 'tick' ? ok(tick(state, seen)) : obey(state, input, seen);
}
