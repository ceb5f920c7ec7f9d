/**
 * Owns what an isolate knows of one route beside its config: the texts of its two KV keys, the newest valid document of each,
 * and what is in force by them. It reads nothing; `store.ts` brings the texts.
 */

import { type Arm, armsOf } from '../split/assign.ts';
import { isFor, variantsHash } from './hash.ts';
import { type InForce, splitInForce } from './inforce.ts';
import type { RouteTexts } from './last-good.ts';
import { firstFault } from './path.ts';
import { parseSplit, parseWeights, type Split } from './split.ts';
import type { Route } from './types.ts';
import { completeWeights } from './weights.ts';

export interface RouteState {
  route: Route;
  inForce: InForce;
  /** The variants that have weight, ready for assignment. */
  arms: Arm[];
  /**
   * Who answers where nobody chooses: the baseline, or the one variant that weights by hand leave, which beat everything else.
   */
  trusted: string;
  /** Whether any variant that is compared (those with weight, and the baseline), or may be, sets JSON members. */
  setsJson: boolean;
  /** Null while KV was never read for this route: then everything goes to the baseline, for a failed read is not absence. */
  texts: RouteTexts | null;
  split: KnownSplit | null;
  weights: Record<string, number> | null;
  /** Why the text of weights by hand is refused, null where it is not. */
  refused: string | null;
}

/** `told`: the split of which this is the way back, for when its config comes. `isServed`: whether it ever fitted. */
type KnownSplit = Split & { told?: Split; isServed?: boolean };

/** Whether the baseline may answer in a variant's place: never for itself, nor for the `trusted` variant. */
export function mayBeReplaced({ inForce, trusted }: RouteState, variant: string): boolean {
  return variant !== inForce.baseline && variant !== trusted;
}

/** The state of a route of which nothing could be read. */
export function unreadState(route: Route): RouteState {
  const beneath = splitInForce({ route, split: brokenSplit(route), weights: null });
  const inForce = { ...beneath, notes: ['KV could not be read: everything goes to the baseline'] };
  return { route, ...byWeights(route, inForce), texts: null, split: null, weights: null, refused: null };
}

/**
 * The state by new texts. A text that is no valid document leaves the last valid one in force, and `tell` hears so, once for each
 * text; a split made for other variants likewise, while the last one fits, but for a way back to the baseline.
 */
export function nextState(
  route: Route,
  texts: RouteTexts,
  before: RouteState | undefined,
  tell: (message: string) => void,
): RouteState {
  if (before?.route === route && before.texts?.split === texts.split && before.texts.weights === texts.weights)
    return before;
  const split = newestSplit(route, texts.split, before, tell);
  const { weights, refused } = newestWeights(route, texts.weights, before?.weights ?? null);
  // A rollout brings one split after another; the weights beside them are still the same.
  const isTold = before?.refused === refused && before.texts?.weights === texts.weights;
  if (refused !== null && !isTold) tell(refused);
  return { route, ...byWeights(route, splitInForce({ route, split, weights })), texts, split, weights, refused };
}

/** What is in force, and what is asked of it at every request. */
function byWeights(
  { variants }: Route,
  inForce: InForce,
): Pick<RouteState, 'inForce' | 'arms' | 'trusted' | 'setsJson'> {
  const arms = armsOf(inForce.weights);
  const isByHand = inForce.source === 'weights' && arms.length === 1;
  const trusted = isByHand ? arms[0]!.variant : inForce.baseline;
  const compared = new Set([inForce.baseline, ...arms.map(({ variant }) => variant)]);
  // With one of them nobody knows yet what it will be held against.
  const names = compared.size > 1 ? [...compared] : Object.keys(variants);
  return { inForce, arms, trusted, setsJson: names.some((name) => variants[name]!.json) };
}

function newestSplit(
  route: Route,
  text: string | null,
  state: RouteState | undefined,
  tell: (message: string) => void,
): KnownSplit | null {
  const before = state?.split;
  const last = [before?.told, before].find((one) => one && isFor(one, route)) ?? null;
  // What was served is remembered although it fits no more: the config may be changed back.
  if (before && isFor(before, state!.route)) before.isServed = true;
  const known = last ?? (before?.isServed ? before : null);
  // Nobody deletes this key, but KV remembers for a while that it was not there: absence says nothing against a known split.
  if (text === null) return known;
  const parsed = parseSplit(text);
  if (parsed.ok && isFor(parsed.value, route)) {
    // KV may lag behind what the controller told with a flush.
    return last !== null && last.revision > parsed.value.revision ? last : parsed.value;
  }
  if (!parsed.ok) {
    const stays = last ? 'the last valid one stays' : 'baseline';
    tell(`split:${route.name} is refused (${firstFault(parsed.error)}); ${stays}`);
    return known ?? brokenSplit(route);
  }
  const { revision, weights, baseline } = parsed.value;
  const isBack = baseline === route.baseline && weights[baseline] === 100;
  if (isBack && last !== null && revision > last.revision) {
    // A way back must not wait for the config that its variants are of: KV may bring that a minute later. Of a rollout that has begun
    // meanwhile, with nothing yet, the requests here are no evidence.
    const told = parsed.value;
    const { guardrails: _, experiment: __, ...back } = told;
    // All are named, so that it holds as well when the config comes that has more of them.
    const all = completeWeights({ [baseline]: 100 }, Object.keys(route.variants));
    return { ...back, weights: all, shadows: {}, rollout: null, variants: variantsHash(route), told };
  }
  return last ?? (known && known.revision >= revision ? known : parsed.value);
}

/** Stands for a split that cannot be read: it fits no variants, so that the baseline is served and not the config's weights. */
function brokenSplit(route: Route): Split {
  return {
    revision: 0,
    weights: { [route.baseline]: 100 },
    shadows: {},
    baseline: route.baseline,
    salt: route.salt,
    rollout: null,
    variants: '',
    by: '',
    reason: '',
    at: '',
  };
}

function newestWeights(
  route: Route,
  text: string | null,
  before: Record<string, number> | null,
): Pick<RouteState, 'weights' | 'refused'> {
  if (text === null) return { weights: null, refused: null };
  const parsed = parseWeights(text, route);
  if (parsed.ok) return { weights: parsed.value, refused: null };
  return { weights: before, refused: `weights:${route.name} is refused (${firstFault(parsed.error)})` };
}
