/**
 * Owns the choice of which live requests are mirrored, and to which variant (design section 7). Pure: `random` is passed in. What makes
 * mirroring a chosen request impossible (its size, a budget) is found out later, and counted as skipped.
 */

import type { InForce } from '../config/inforce.ts';
import { plainShadow } from '../config/normalise/trial.ts';
import type { Route, Shadow } from '../config/types.ts';
import type { Decision } from '../forward/decide.ts';
import type { Watch } from '../forward/served.ts';
import { getOrMake } from '../get-or-make.ts';
import { CAPTURE_BYTES } from './limits.ts';

/** What will be done with one live request. */
export interface MirrorPlan extends Watch {
  shadow: Shadow;
  /** `candidate`: the baseline serves and the candidate gets the copy; `counterfactual`: the other way round. */
  role: 'candidate' | 'counterfactual';
  /** Who gets the copy. */
  target: string;
  baseline: string;
  /** Whether the baseline gets one more copy, to see how much it differs from itself. */
  isRepeated: boolean;
}

/** The plan for a request, or null when it is not mirrored: not sampled in, not repeatable, a preview, outside the audience. */
export function planMirror(
  about: { method: string; route: Route; inForce: InForce; decision: Decision },
  random: () => number,
): MirrorPlan | null {
  const { method, route, inForce, decision } = about;
  const shadows = Object.entries(inForce.shadows);
  if (shadows.length === 0 || !route.repeatable.includes(method)) return null;
  // Without evidence only where another variant answers in an arm's place: no previews, and nobody outside the audience.
  if (!decision.isEvidence && decision.dealt === undefined) return null;
  const { baseline } = inForce;
  const live = decision.variant;
  const hits = shadows.filter(
    ([variant, percent]) => variant !== baseline && (live === baseline || live === variant) && random() * 100 < percent,
  );
  // At most one shadow a request: six connections may wait for headers, and each copy costs its variant a request.
  const hit = hits.length > 1 ? hits[Math.floor(random() * hits.length)] : hits[0];
  if (hit === undefined) return null;
  const shadow = shadowOf(route, hit[0]);
  const role = live === baseline ? 'candidate' : 'counterfactual';
  return {
    captureBytes: CAPTURE_BYTES,
    shadow,
    role,
    target: role === 'candidate' ? shadow.variant : baseline,
    baseline,
    isRepeated: random() * 100 < shadow.repeat,
  };
}

/** Plain shadows by variant, always the same object: compiled rules are kept with it. */
const undeclared = new Map<string, Shadow>();

/** A variant's shadow as the config describes it; one with all defaults where a rollout mirrors to it without that. */
function shadowOf(route: Route, name: string): Shadow {
  const declared = route.shadows.find(({ variant }) => variant === name);
  if (declared !== undefined) return declared;
  return getOrMake(undeclared, name, () => plainShadow(name));
}
