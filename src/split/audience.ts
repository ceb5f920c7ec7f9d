/**
 * Owns the question whether a request is on trial at all: the route's audience, and the visitor's consent. It says yes or no;
 * what a no means (the baseline, no cookie, no evidence) is the caller's to carry out.
 */
import type { Audience, AudienceEntry, ConsentRule } from '../config/types.ts';
import { readCookie } from './cookies.ts';

/** What the audience may look at. An unknown country is null and is in no list. */
export interface AudienceFacts {
  header(name: string): string | null;
  country: string | null;
  path: string;
}

/** Whether the request is in no `exclude` entry and, where `include` is given, in one of its entries. */
export function inAudience(audience: Audience, facts: AudienceFacts): boolean {
  if (audience.exclude?.some((entry) => applies(entry, facts))) return false;
  return audience.include === undefined || audience.include.some((entry) => applies(entry, facts));
}

/** Whether the visitor consented: no rule, or the cookie is there and says so each time that it was sent. Fails closed. */
export function consented(rule: ConsentRule | undefined, cookieHeader: string | null): boolean {
  if (rule === undefined) return true;
  const values = readCookie(cookieHeader, rule.cookie);
  return values.length > 0 && values.every((value) => value === rule.value);
}

/** Whether the visitor wants no part in experiments, by header or cookie: any value but none, 0 and false says so. */
export function optedOut({
  header,
  cookieHeader,
}: {
  header(name: string): string | null;
  cookieHeader: string | null;
}) {
  const said = [header('x-headgate-opt-out') ?? '', ...readCookie(cookieHeader, 'headgate-opt-out')];
  return said.some((value) => !['', '0', 'false'].includes(value));
}

/** Whether a path fits a pattern: the same text, or, where the pattern ends in `*`, the same beginning. */
export function matchesPath(pattern: string, path: string): boolean {
  const last = pattern.length - 1;
  if (pattern.charCodeAt(last) !== 0x2a) return pattern === path;
  return path.length >= last && path.startsWith(pattern.slice(0, last));
}

function applies({ header, in: values, country, path }: AudienceEntry, facts: AudienceFacts): boolean {
  // What is not there is in no list.
  if (header !== undefined && !values?.includes(facts.header(header)!)) return false;
  if (country !== undefined && !country.includes(facts.country!)) return false;
  return path === undefined || matchesPath(path, facts.path);
}
