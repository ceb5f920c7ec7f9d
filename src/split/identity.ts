/**
 * Owns the identity chain: which of a request's facts names the unit that is assigned. It never stores, shortens or decodes a
 * unit (the hash takes the whole of it) and does not mint: it says when the caller must.
 */
import type { IdentitySource } from '../config/types.ts';
import { readCookie } from './cookies.ts';
import { readVisitor, type Visitor } from './visitor.ts';

/** What the chain may look at. */
export interface IdentityFacts {
  header(name: string): string | null;
  cookieHeader: string | null;
  /** The URL's query with or without `?`, undecoded. */
  search: string;
  https: boolean;
  /** COOKIE_SECRET; without it pins are not honoured. */
  secret: string | undefined;
}

/**
 * What the chain found.
 * - `found`: `visitor` is set only where our cookie gave the unit; only then are there pins, and only then may more be given.
 * - `mint`: nothing is present and the chain has our cookie: mint an id (where section 5 wants one) and use it as the unit.
 * - `none`: nothing is present and nothing can be minted. There is no one to be faithful to, so the request gets the baseline
 *   and is no evidence: a random variant would show one anonymous client both versions in turn.
 */
export type FoundUnit =
  | { kind: 'found'; unit: string; source: 'header' | 'cookie' | 'query'; visitor: Visitor | null }
  | { kind: 'mint' }
  | { kind: 'none' };

const MINT: FoundUnit = { kind: 'mint' };
const NONE: FoundUnit = { kind: 'none' };

/**
 * The unit by the first entry that is present and not empty (an empty header would make one unit of all who send it).
 * Answers at once, but for a first sight of a cookie with pins: then a promise. Await only when it is one.
 */
export function findUnit(
  identity: readonly IdentitySource[],
  facts: IdentityFacts,
  from = 0,
): FoundUnit | Promise<FoundUnit> {
  for (let index = from; index < identity.length; index++) {
    const source = identity[index]!;
    if ('cookie' in source && source.cookie === true) {
      const visitor = readVisitor(facts.cookieHeader, facts);
      if (visitor instanceof Promise) return afterVerifying(visitor, identity, facts, index);
      if (visitor !== null) return ofVisitor(visitor);
    } else {
      const unit = unitOf(source, facts);
      if (unit) return { kind: 'found', unit, source: kindOf(source), visitor: null };
    }
  }
  return identity.some((source) => 'cookie' in source && source.cookie === true) ? MINT : NONE;
}

async function afterVerifying(
  reading: Promise<Visitor | null>,
  identity: readonly IdentitySource[],
  facts: IdentityFacts,
  index: number,
): Promise<FoundUnit> {
  const visitor = await reading;
  return visitor === null ? findUnit(identity, facts, index + 1) : ofVisitor(visitor);
}

function ofVisitor(visitor: Visitor): FoundUnit {
  return { kind: 'found', unit: visitor.id, source: 'cookie', visitor };
}

function unitOf(source: IdentitySource, facts: IdentityFacts): string | null | undefined {
  if ('header' in source) return facts.header(source.header);
  if ('query' in source) return facts.search === '' ? null : new URLSearchParams(facts.search).get(source.query);
  return source.cookie === true ? null : readCookie(facts.cookieHeader, source.cookie).find((value) => value !== '');
}

function kindOf(source: IdentitySource): 'header' | 'cookie' | 'query' {
  return 'header' in source ? 'header' : 'query' in source ? 'query' : 'cookie';
}
