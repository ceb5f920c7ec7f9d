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

export interface Decision {
  variant: string;
  reason: RequestReason;
  /** The unit that was assigned; null when nobody was. */
  unit: string | null;
  /** Whether a preview token chose the variant; its reason is another where that cannot be had. */
  isPreview?: boolean;
  /** Whether the answer will say something about the variant: previews and those outside the audience never do. */
  isEvidence: boolean;
  /**
   * The variant of the unit's arm, where another one answers in its place: who was dealt to an arm stays in it. Set as well where one
   * variant answers somebody, or something, that would be no evidence beside another: no rollout is held against it later.
   */
  dealt?: string;
  /** Our Set-Cookie line, where the cookie changed. */
  setCookie: string | null;
}

export interface Facts extends Incoming {
  cookies: CookieSettings;
  secret: string | undefined;
  nowMs: number;
}

/** Decides: at once where no cryptography is needed, which is nearly always. */
export function decide(state: RouteState, facts: Facts): Decision | Promise<Decision> {
  const { header, cookieHeader, url } = facts;
  const tokens = previewTokensOf({ header, cookieHeader, https: url.protocol === 'https:' });
  return tokens.length === 0 ? assigned(state, facts) : previewedOrAssigned(tokens, state, facts);
}

async function previewedOrAssigned(tokens: readonly string[], state: RouteState, asked: Facts): Promise<Decision> {
  for (const token of tokens) {
    const variant = await previewed(token, state.route, asked);
    if (variant !== null)
      return { variant, reason: 'preview', isPreview: true, unit: null, isEvidence: false, setCookie: null };
  }
  return assigned(state, asked);
}

function assigned(state: RouteState, asked: Facts): Decision | Promise<Decision> {
  const { route, inForce, trusted } = state;
  const { url, cookieHeader, header } = asked;
  const only: Decision = { variant: trusted, reason: 'only', unit: null, isEvidence: false, setCookie: null };
  const { audience } = route;
  const isOutside =
    audience !== undefined &&
    !inAudience(audience, { header, country: cfOf(asked)?.country ?? null, path: url.pathname });
  if (isOutside) return only;
  if (inForce.experiment !== null && optedOut(asked)) return only;

  const https = url.protocol === 'https:';
  const identity: IdentityFacts = { header, cookieHeader, search: url.search, https, secret: asked.secret };
  const finding = findUnit(route.identity, identity);
  const by = (found: FoundUnit) => byUnit(found, state, asked, only);
  return finding instanceof Promise ? finding.then(by) : by(finding);
}

/** The decision for the unit that was found; `only` is the one for those that cannot be assigned. */
function byUnit(found: FoundUnit, state: RouteState, asked: Facts, only: Decision): Decision | Promise<Decision> {
  const { route, arms, inForce } = state;
  const isFound = found.kind === 'found';
  const isCookie = isFound ? found.source === 'cookie' : found.kind === 'mint';
  if (isCookie && !consented(route.requireConsent, asked.cookieHeader)) return only;
  // A browser's question before the request bears no cookie, whoever asks.
  const isNobody = !isFound && (!isCookie || asked.method === 'OPTIONS');
  const isAlone = arms.length === 1;
  if (isNobody && (!isAlone || inForce.rollout)) {
    // As in the other steps of a rollout it is no evidence; the baseline without weight may be gone already.
    const variant = inForce.weights[only.variant] ? only.variant : arms[0]!.variant;
    return { ...only, variant, ...(isAlone && { dealt: variant }) };
  }
  // With one arm there is nothing to choose; who comes is counted all the same. While a rollout is judged by units he gets an id, as in
  // its other steps: else each request would be a unit, and no failure of many by one visitor be held against the candidate's last step.
  const isMinting = inForce.experiment !== null || (!isFound && inForce.guardrails.length > 0);
  if (isAlone && (isNobody || !isMinting)) {
    const { variant } = arms[0]!;
    return { ...counted(variant, 'only', isFound ? found.unit : null), ...(isNobody && { dealt: variant }) };
  }
  if (isFound && found.visitor === null) {
    return counted(assign(inForce.salt, route.name, found.unit, arms), isAlone ? 'only' : 'hash', found.unit);
  }
  return byVisitor(state, (isFound && found.visitor) || newVisitor(), asked);
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
    // Where one variant has everything nobody is dealt to an arm: a pin to it would keep its holder there when the test begins.
    experiment: inForce.experiment !== null && arms.length > 1,
    resting: inForce.experiment === null ? route.experiment?.id : undefined,
    nowMs,
  };
}

function counted(variant: string, reason: RequestReason, unit: string | null): Decision {
  return { variant, reason, unit, isEvidence: true, setCookie: null };
}

/** Minted where it is used first; `replace` sees to it that the cookie is set. */
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
