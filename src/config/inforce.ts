/**
 * Owns the order of precedence of section 4: weights by hand, else the controller's split, else the config's weights.
 * It reads and remembers nothing: the caller brings the newest valid documents it has.
 */

import { isFor } from './hash.ts';
import type { Split, Watched } from './split.ts';
import type { Route } from './types.ts';
import { completeWeights } from './weights.ts';

/** What decides a route's traffic now. */
export interface InForce {
  /** `baseline`: the split in KV was made for other variants, so it is not served, and neither are the config's weights. */
  source: 'weights' | 'split' | 'config' | 'baseline';
  /** Percent for every variant; sums to 100. */
  weights: Record<string, number>;
  /** Percent mirrored, by variant. */
  shadows: Record<string, number>;
  baseline: string;
  salt: string;
  /** The running rollout: what is counted is counted for it, and its id is the epoch of pins while no experiment runs. */
  rollout: string | null;
  /** 0 while there is no split. */
  revision: number;
  /**
   * The experiment that runs: its id is the salt and the epoch of pins, in every arm. During a rollout only in a step that
   * carries it. While one variant has all the weight nobody is dealt to an arm, but outcomes of those who were still count.
   */
  experiment: string | null;
  /** Whether the usage of model answers is wanted, which stands at their ends. */
  usage?: boolean;
  /** The guardrails that requests are judged by; empty while no rollout runs. */
  guardrails: readonly Watched[];
  /** Sentences for people about why something else is not in force. */
  notes: string[];
}

/** What is in force on a route. Fails towards the baseline: a split for other variants moves nobody to a candidate. */
export function splitInForce(known: {
  route: Route;
  split: Split | null;
  weights: Record<string, number> | null;
}): InForce {
  const { route, split } = known;
  const notes: string[] = [];
  const misfit = split === null ? null : misfitOf(split, route);
  const beneath = withExperiment(
    route,
    split === null ? fromConfig(route) : misfit === null ? fromSplit(route, split) : atBaseline(route, split),
    split?.experiment,
  );
  if (misfit !== null) notes.push(misfit);

  if (known.weights !== null) {
    const { weights: byHand } = known;
    const served = Object.keys(byHand).filter((name) => byHand[name]);
    const stranger = strangerIn(served, route);
    if (stranger === undefined) {
      // Salt, epoch and revision stay, so that a change by hand moves no more visitors than its weights ask for.
      const weights = completeWeights(byHand, Object.keys(route.variants));
      return { ...beneath, source: 'weights', weights, notes: [...notes, 'weights set by hand'] };
    }
    notes.push(`weights set by hand name "${stranger}", which is not a variant of this route, so they are not served`);
  }
  return { ...beneath, notes };
}

/**
 * A rollout takes precedence: its units were salted by its own id, and must not move when an experiment is declared. A step that
 * carries the experiment deals them anew on purpose, since who was in the canary before would be no chance sample of an arm.
 */
function withExperiment(route: Route, inForce: InForce, carried: string | undefined): InForce {
  if (route.experiment === undefined) return inForce;
  if (inForce.rollout !== null && carried !== route.experiment.id) return inForce;
  const { id, primary, secondary } = route.experiment;
  const usage = [...primary, ...secondary].some((name) => name === 'tokensOut' || name === 'cost');
  return { ...inForce, salt: id, experiment: id, usage };
}

/** What holds where there is no split. */
const nothingRuns = { rollout: null, revision: 0, experiment: null, guardrails: [], notes: [] };

function fromConfig(route: Route): InForce {
  const shadows = Object.fromEntries(route.shadows.map((shadow) => [shadow.variant, shadow.percent]));
  const { weights, baseline, salt } = route;
  return { ...nothingRuns, source: 'config', weights, shadows, baseline, salt };
}

function fromSplit(route: Route, split: Split): InForce {
  const { plainShadows, baseline, salt, rollout, revision, guardrails = [] } = split;
  // A shadow that the config described when the split was made ends when it is taken out of the config. Splits of earlier deployments
  // do not tell these apart (no `plainShadows`): all of theirs are mirrored.
  const shadows = Object.fromEntries(
    Object.entries(split.shadows).filter(
      ([name]) => plainShadows?.includes(name) !== false || route.shadows.some(({ variant }) => variant === name),
    ),
  );
  const weights = completeWeights(split.weights, Object.keys(route.variants));
  return {
    ...nothingRuns,
    source: 'split',
    weights,
    shadows,
    baseline,
    salt: salt || route.salt,
    rollout,
    revision,
    guardrails,
  };
}

/** Everything to the baseline. Requests still count for the split's revision and rollout, though it serves nobody. */
function atBaseline(route: Route, split: Split): InForce {
  const { baseline } = route;
  const weights = { [baseline]: 100 };
  return { ...fromSplit(route, { ...split, weights, shadows: {}, baseline, guardrails: [] }), source: 'baseline' };
}

/** Why a split does not fit the route that the config describes now, or null. */
function misfitOf(split: Split, route: Route): string | null {
  const named = [...Object.keys(split.weights), ...Object.keys(split.shadows), split.baseline];
  const stranger = strangerIn(named, route);
  if (stranger !== undefined) {
    return `split ${split.revision} names "${stranger}", which is not a variant of this route, so it is not served`;
  }
  if (isFor(split, route)) return null;
  return `the variants have changed since split ${split.revision} was made, so it is not served`;
}

function strangerIn(names: readonly string[], route: Route): string | undefined {
  return names.find((name) => !Object.hasOwn(route.variants, name));
}
