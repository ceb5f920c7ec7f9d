/**
 * Owns what the journal keeps when a split is made: its revision, above all that anybody knows; what of it isolates must watch; and what
 * was in force before, for a way back. It refuses to decide what a split says.
 */

import { isFor } from '../config/hash.ts';
import type { Split, Watched } from '../config/split.ts';
import type { Journal } from './journal.ts';
import type { RouteView } from './route-source.ts';
import { askedMirrors } from './splits.ts';
import type { RolloutState, Seen, SplitDraft, Standing } from './state.ts';
import { ofConfig } from './status.ts';

/** What a split is made beside. */
interface Beside {
  view: Pick<RouteView, 'route' | 'kvRevision'>;
  config: Seen['config'];
  /** What is in force, as the next split begins from it. */
  inForce: Standing | null;
  /** The highest revision that an isolate has told of. */
  reported: number;
  rollout: RolloutState | null;
  /** The revision that a way back restores. */
  restores: number | null;
  /** The time, as splits tell it. */
  at: string;
}

/** Keeps a split as the newest; call it within a transaction. */
export function keepSplit(journal: Journal, draft: SplitDraft, beside: Beside): void {
  const { view, inForce, restores, at } = beside;
  const next = () => journal.nextRevision(view.kvRevision, beside.reported);
  const last = journal.split();
  if (inForce !== null && isInNoSplit(inForce, last, beside)) {
    const variants = beside.config?.variants ?? draft.variants;
    journal.keep(ofConfig({ ...inForce, revision: last === null ? 0 : next() }, variants, at), null);
  }
  const revision = next();
  const rollout = draft.rollout === null ? null : beside.rollout;
  // Isolates need not judge requests for a candidate that has no traffic and will get none.
  const isLive = rollout?.steps.some(({ weight = draft.weights[rollout.to] }) => weight);
  const guardrails = isLive ? rollout?.guardrails.map(watched) : undefined;
  const described = view.route?.shadows.map(({ variant }) => variant) ?? [];
  const plainShadows = restores === null ? askedMirrors(draft, { inForce, last, described }) : [];
  journal.keep({ revision, ...draft, plainShadows, at, guardrails }, restores);
}

/**
 * Whether what is in force is in no split yet, so that it must be kept as one for a way back: the config's weights before the first
 * split, and what the config's baseline makes of the last one whose variants have changed, or that has another baseline.
 */
function isInNoSplit({ baseline }: Standing, last: Split | null, { view: { route }, restores }: Beside): boolean {
  if (last === null || route === null) return last === null;
  const isSteady = last.rollout === null && restores === null;
  return isSteady && (last.baseline !== baseline || !isFor(last, route));
}

function watched({ metric, per, slow }: RolloutState['guardrails'][number]): Watched {
  return { metric, per, slow };
}
