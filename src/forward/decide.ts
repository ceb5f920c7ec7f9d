/**
 * Owns the decision which variant answers a request (design section 5): preview, audience, consent, pin, hash, in this order,
 * and the cookie that follows from it. It fails towards the baseline, and never answers a malformed cookie with an error.
 */

import type { RouteState } from '../config/route-state.ts';
import type { CookieSettings, Route } from '../config/types.ts';
import type { RequestReason } from '../records/rows.ts';
import { assign } from '../split/assign.ts';
import { consented, inAudience, optedOut } from '../split/audience.ts';
import { type FoundUnit, findUnit, type IdentityFacts } from '../split/identity.ts';
import { honouredPin, nextPins, type PinRules } from '../split/pins.ts';
import { previewTokensOf, readPreviewToken } from '../split/preview.ts';
import { serializeCookie, type Visitor, visitorId, visitorValue } from '../split/visitor.ts';
import { cfOf, type Incoming } from './incoming.ts';

/** Which variant answers, why, and whether the answer counts. */
export interface Decision {
  variant: string;
  reason: RequestReason;
  /** The unit that was assigned; null when nobody was. */
  unit: string | null;
  /** Whether a preview token chose the variant. `reason` is not `preview` where that variant cannot answer (`json_unfit`). */
  isPreview?: boolean;
  /** Whether the answer is evidence about its variant. Previews and requests outside the audience never are. */
  isEvidence: boolean;
  /**
   * The variant of the unit's arm, where another variant answers in its place: the unit stays in its arm. Also set where a single
   * variant has all the weight and the request would be no evidence if two had: so that no later rollout is judged by it.
   */
  dealt?: string;
  /** Our Set-Cookie line; null where the cookie stays as it is. */
  setCookie: string | null;
}

/** What a decision may look at. */
export interface Facts extends Incoming {
  cookies: CookieSettings;
  secret: string | undefined;
  nowMs: number;
}

/** Decides which variant answers. At once for nearly every request; a promise where a signature must be checked or made. */
export function decide(state: RouteState, facts: Facts): Decision | Promise<Decision> {
  const { header, cookieHeader, url } = facts;
  const tokens = previewTokensOf({ header, cookieHeader, https: url.protocol === 'https:' });
  return tokens.length === 0 ? assigned(state, facts) : previewedOrAssigned(tokens, state, facts);
}

async function previewedOrAssigned(tokens: readonly string[], state: RouteState, facts: Facts): Promise<Decision> {
  for (const token of tokens) {
    const variant = await previewed(token, state.route, facts);
    if (variant !== null)
      return { variant, reason: 'preview', isPreview: true, unit: null, isEvidence: false, setCookie: null };
  }
  return assigned(state, facts);
}

function assigned(state: RouteState, facts: Facts): Decision | Promise<Decision> {
  const { route, inForce, trusted } = state;
  const { url, cookieHeader, header } = facts;
  const unassigned: Decision = { variant: trusted, reason: 'only', unit: null, isEvidence: false, setCookie: null };
  const { audience } = route;
  const isOutside =
    audience !== undefined &&
    !inAudience(audience, { header, country: cfOf(facts)?.country ?? null, path: url.pathname });
  if (isOutside) return unassigned;
  if (inForce.experiment !== null && optedOut(facts)) return unassigned;

  const https = url.protocol === 'https:';
  const identity: IdentityFacts = { header, cookieHeader, search: url.search, https, secret: facts.secret };
  const finding = findUnit(route.identity, identity);
  const by = (found: FoundUnit) => byUnit(found, state, facts, unassigned);
  return finding instanceof Promise ? finding.then(by) : by(finding);
}

/**
 * The decision for the unit that was found; `unassigned` is the one for requests that cannot be assigned. In this order: no consent; nobody to
 * assign; nothing to choose; a unit that another than our cookie names; a visitor, by our cookie or a new one.
 */
function byUnit(found: FoundUnit, state: RouteState, facts: Facts, unassigned: Decision): Decision | Promise<Decision> {
  const { route, arms, inForce } = state;
  const isFound = found.kind === 'found';
  // By a cookie of whatever name, also by one that is still to be given.
  const isCookie = isFound ? found.source === 'cookie' : found.kind === 'mint';
  const isNobody = !isFound && (!isCookie || isAskedWithoutCookies(facts));
  // It bears no cookies, so it cannot show consent either.
  const isPreflight = isNobody && facts.method === 'OPTIONS';
  if (isCookie && !isPreflight && !consented(route.requireConsent, facts.cookieHeader)) return unassigned;
  const isAlone = arms.length === 1;
  if (isNobody && (!isAlone || inForce.rollout)) {
    // No evidence, as in a rollout's other steps. Where the baseline has no weight it may be gone already, so the only arm answers.
    const variant = inForce.weights[unassigned.variant] ? unassigned.variant : arms[0]!.variant;
    return { ...unassigned, variant, ...(isAlone && { dealt: variant }) };
  }
  // With one arm there is nothing to choose, but units still count. While a rollout is judged, visitors are given an id as in its
  // other steps: otherwise each request would be a unit here, and a rate by request be held against a rate by visitor, which is higher.
  const isMinting = inForce.experiment !== null || (!isFound && inForce.guardrails.length > 0);
  if (isAlone && (isNobody || !isMinting)) {
    const { variant } = arms[0]!;
    return { ...counted(variant, 'only', isFound ? found.unit : null), ...(isNobody && { dealt: variant }) };
  }
  if (isFound && found.visitor === null) {
    return counted(assign(inForce.salt, route.name, found.unit, arms), isAlone ? 'only' : 'hash', found.unit);
  }
  return byVisitor(state, (isFound && found.visitor) || newVisitor(), facts);
}

/**
 * Whether a browser leaves its cookies out, whoever asks: with its question before the request, for a page's manifest, and with a form of
 * another site (a bank's after a payment), for which a new cookie would take the place of the one that it has.
 */
function isAskedWithoutCookies({ method, header, cookies }: Facts): boolean {
  if (method === 'OPTIONS' || header('sec-fetch-dest') === 'manifest') return true;
  if (method !== 'POST' || cookies.sameSite === 'none') return false;
  return header('sec-fetch-site') === 'cross-site' && header('sec-fetch-mode') === 'navigate';
}

function byVisitor(state: RouteState, visitor: Visitor, facts: Facts): Decision | Promise<Decision> {
  const { route, arms, inForce } = state;
  const { id: unit } = visitor;
  const isPinning = (route.sticky !== false || inForce.experiment !== null) && facts.secret;
  const rules = isPinning ? pinRules(state, facts.nowMs) : null;
  const pinned = rules === null ? undefined : honouredPin(visitor.pins, rules);
  const variant = pinned ?? assign(inForce.salt, route.name, unit, arms);
  const pins = rules === null ? visitor.pins : nextPins(visitor.pins, rules, variant);
  const dealtBy = arms.length === 1 ? 'only' : 'hash';
  const decision = counted(variant, pinned === undefined ? dealtBy : 'pin', unit);
  return visitor.replace || pins !== visitor.pins ? withCookie(decision, unit, pins, facts) : decision;
}

function pinRules({ route, arms, inForce }: RouteState, nowMs: number): PinRules {
  return {
    route: route.name,
    epoch: inForce.experiment ?? inForce.rollout ?? '',
    arms,
    baseline: inForce.baseline,
    sticky: route.sticky,
    // While one variant has all the weight nobody is dealt to an arm: a pin to it would keep its holder there once the test begins.
    experiment: inForce.experiment !== null && arms.length > 1,
    resting: inForce.experiment === null ? route.experiment?.id : undefined,
    nowMs,
  };
}

function counted(variant: string, reason: RequestReason, unit: string | null): Decision {
  return { variant, reason, unit, isEvidence: true, setCookie: null };
}

/** A visitor with a new id; `replace` makes sure that the cookie is set. */
function newVisitor(): Visitor {
  return { id: visitorId(crypto.getRandomValues(new Uint8Array(16))), pins: [], replace: true };
}

async function withCookie(decision: Decision, id: string, pins: Visitor['pins'], facts: Facts): Promise<Decision> {
  const value = await visitorValue(id, pins, facts.secret);
  const https = facts.url.protocol === 'https:';
  return { ...decision, setCookie: serializeCookie({ value, https, settings: facts.cookies }) };
}

async function previewed(token: string, route: Route, facts: Facts): Promise<string | null> {
  const here = { route: route.name, host: facts.url.host, nowMs: facts.nowMs };
  const preview = await readPreviewToken(token, here, facts.secret);
  return preview.ok && Object.hasOwn(route.variants, preview.value.variant) ? preview.value.variant : null;
}
