/**
 * Owns what an isolate knows of one route beside its config: the texts of its two KV keys, the newest valid document of each,
 * and what is in force by them. It reads nothing; `store.ts` brings the texts.
 */

import { type Arm, armsOf } from '../split/assign.ts';
import { isFor, variantsHash } from './hash.ts';
import { type InForce, splitInForce } from './inforce.ts';
import type { RouteTexts } from './last-good.ts';
import { CONFIG_LAG_MS } from './limits.ts';
import { firstFault } from './path.ts';
import { parseSplit, parseWeights, type Split } from './split.ts';
import type { Route } from './types.ts';
import { completeWeights } from './weights.ts';

/** A route as this isolate serves it. It is replaced, never changed, but for `KnownSplit.isServed`. */
export interface RouteState {
  route: Route;
  inForce: InForce;
  /** The variants that have weight, ready for assignment. */
  arms: Arm[];
  /**
   * The variant that answers requests that are not assigned: the baseline, or, since weights by hand beat everything else, the only variant
   * that they leave.
   */
  trusted: string;
  /** Whether a variant that is or may be compared (those with weight, and the baseline) sets JSON members. */
  setsJson: boolean;
  /** Whether a guardrail judges how streams end: one of the rollout, or of the config, since a rollout may be held against the hour before. */
  judgesEnds: boolean;
  /** Null if KV was never read for this route. Then everything goes to the baseline, since a failed read is not absence. */
  texts: RouteTexts | null;
  split: KnownSplit | null;
  weights: Record<string, number> | null;
  /** Why the text of weights by hand is refused, null where it is not. */
  refused: string | null;
}

/**
 * `told`: a newer split for another config, for when that arrives. Until then this one is served, or the way back that it stands for.
 * `isServed`: whether it was ever the newest, in that it fitted the config, or that its own was overdue.
 */
type KnownSplit = Split & { told?: Split; isServed?: boolean };

/** Whether the baseline may answer in a variant's place: never for itself, nor for the `trusted` variant. */
export function mayBeReplaced({ inForce, trusted }: RouteState, variant: string): boolean {
  return variant !== inForce.baseline && variant !== trusted;
}

/** The state of a route of which nothing could be read. */
export function unreadState(route: Route): RouteState {
  const beneath = splitInForce({ route, split: brokenSplit(route), weights: null });
  const inForce = { ...beneath, notes: ['KV could not be read: everything goes to the baseline'] };
  return { route, ...derived(route, inForce), texts: null, split: null, weights: null, refused: null };
}

/**
 * The state after a read of KV. A text that is not valid leaves the last valid document in force, and is reported to `warn` once. A split
 * for other variants leaves the last fitting one in force too, unless it is a way back to the baseline, or its config is overdue at
 * `readAtMs`, when the config was read as well.
 */
export function nextState(
  route: Route,
  texts: RouteTexts,
  before: RouteState | undefined,
  warn: (message: string) => void,
  readAtMs?: number,
): RouteState {
  const isSame =
    before?.route === route && before.texts?.split === texts.split && before.texts.weights === texts.weights;
  if (isSame && !before.split?.told) return before;
  const split = newestSplit(route, texts.split, before, warn, readAtMs);
  if (isSame && split === before.split) return before;
  const { weights, refused } = newestWeights(route, texts.weights, before?.weights ?? null);
  // Warned of once: while a rollout brings split after split, the refused weights beside them are the same text.
  const isTold = before?.refused === refused && before.texts?.weights === texts.weights;
  if (refused !== null && !isTold) warn(refused);
  return { route, ...derived(route, splitInForce({ route, split, weights })), texts, split, weights, refused };
}

/** What every request asks of what is in force, worked out once. */
function derived(
  { variants, guardrails }: Route,
  inForce: InForce,
): Pick<RouteState, 'inForce' | 'arms' | 'trusted' | 'setsJson' | 'judgesEnds'> {
  const arms = armsOf(inForce.weights);
  const isByHand = inForce.source === 'weights' && arms.length === 1;
  const trusted = isByHand ? arms[0]!.variant : inForce.baseline;
  const compared = new Set([inForce.baseline, ...arms.map(({ variant }) => variant)]);
  // Where only one is compared now, it may be held against any other later.
  const names = compared.size > 1 ? [...compared] : Object.keys(variants);
  return {
    inForce,
    arms,
    trusted,
    setsJson: names.some((name) => variants[name]!.json),
    judgesEnds: [...guardrails, ...inForce.guardrails].some(({ metric }) => metric === 'truncated'),
  };
}

/**
 * The split to go on with, once `text` was read. Absent or refused, it changes nothing. If it is for the config's variants, the newer of it and
 * what is known serves. If it is for others, its config may still be on the way: a way back serves at once, with its weights alone; any other
 * waits beside the split that fits, for `CONFIG_LAG_MS`, and then it is taken, for which `splitInForce` serves the baseline.
 */
function newestSplit(
  route: Route,
  text: string | null,
  state: RouteState | undefined,
  warn: (message: string) => void,
  readAtMs = 0,
): KnownSplit | null {
  const before = state?.split;
  const fitting: KnownSplit | null = [before?.told, before].find((one) => one && isFor(one, route)) ?? null;
  // A split that was served is kept although it no longer fits: the config may be changed back.
  if (before && isFor(before, state!.route)) before.isServed = true;
  const known = fitting ?? (before?.isServed ? before : null);
  // The key is never deleted, but KV remembers for a while that it was missing: absence says nothing against a known split.
  if (text === null) return known;
  const parsed = parseSplit(text);
  if (parsed.ok && isFor(parsed.value, route)) {
    // KV may lag behind a split that came with a flush's answer; also behind one that was served until its config was taken back. The
    // same one that is known may have a newer one beside it.
    return known !== null && known.revision >= parsed.value.revision ? known : parsed.value;
  }
  if (!parsed.ok) {
    const stays = fitting ? 'the last valid one stays' : 'baseline';
    warn(`split:${route.name} is refused (${firstFault(parsed.error)}); ${stays}`);
    return known ?? brokenSplit(route);
  }
  const told = parsed.value;
  const { revision, weights, baseline } = told;
  const isBack = baseline === route.baseline && weights[baseline] === 100;
  if (isBack && fitting !== null && revision > fitting.revision) {
    // A way back must not wait for the config that its variants belong to: KV may bring that a minute later. So its weights are served
    // for this config's variants. If a rollout has begun in it, requests here are no evidence for that.
    const { guardrails: _, experiment: __, ...back } = told;
    // Names all variants, so that it also holds if the next config has more of them.
    const all = completeWeights({ [baseline]: 100 }, Object.keys(route.variants));
    return { ...back, weights: all, shadows: {}, rollout: null, variants: variantsHash(route), told };
  }
  if (fitting === null) return known && known.revision >= revision ? known : told;
  if (fitting.revision > revision) return fitting;
  // KV shows its config late, or never if that was taken back: then nobody serves by it, nor by the one before it.
  if (readAtMs - Date.parse(told.at) > CONFIG_LAG_MS) return { ...told, isServed: true };
  return fitting.told?.revision === revision ? fitting : { ...fitting, told };
}

/** Stands in for a split that cannot be read. It fits no variants, so the baseline is served, and not the config's weights. */
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
