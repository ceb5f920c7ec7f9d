/**
 * Owns what changes between two config documents, route by route, in words for people. Pure. It compares the documents as written, not
 * what they mean: a default that is now written out is shown as a change.
 */

import { asObject, isObject } from '../json.ts';
import { safe } from './text.ts';

type Json = Record<string, unknown>;

/** One member that differs; `undefined` where a document does not have it. */
interface Difference {
  /** Within the route (or the document), such as `variants.green.url`. */
  path: string;
  before: unknown;
  after: unknown;
}

interface RouteChange {
  /** Name of the route; null for what stands outside of routes. */
  route: string | null;
  kind: 'added' | 'removed' | 'changed';
  differences: Difference[];
}

interface ConfigChange {
  changes: RouteChange[];
  /** The order of the routes that both have, where it changed: the first match wins, so it matters. */
  order: string[] | null;
}

/** What changes from one document to the other; `before` is null where there was none. */
export function configDiff(before: Json | null, after: Json): ConfigChange {
  const old = routesOf(before ?? {});
  const young = routesOf(after);
  const names = [...new Set([...old.keys(), ...young.keys()])];
  const changes = names.flatMap((route): RouteChange[] => {
    const [from, to] = [old.get(route), young.get(route)];
    if (from === undefined) return [{ route, kind: 'added', differences: differences({}, to) }];
    if (to === undefined) return [{ route, kind: 'removed', differences: [] }];
    const found = [...differences(from, to), ...otherFirst(from, to)];
    return found.length === 0 ? [] : [{ route, kind: 'changed', differences: found }];
  });
  const rest = differences(outside(before ?? {}), outside(after));
  const general: RouteChange[] = rest.length === 0 ? [] : [{ route: null, kind: 'changed', differences: rest }];
  const shared = [...old.keys()].filter((name) => young.has(name));
  const now = [...young.keys()].filter((name) => old.has(name));
  return { changes: [...changes, ...general], order: shared.join() === now.join() ? null : now };
}

function routesOf({ routes }: Json): Map<string, Json> {
  const list = Array.isArray(routes) ? (routes as Json[]) : [];
  return new Map(list.map((route) => [String(route.name), route]));
}

/** `$schema` helps an editor and nothing else. */
function outside({ routes: _, $schema: __, ...rest }: Json): Json {
  return rest;
}

/** Where no baseline is named the first variant is it, so there their order says something too. */
function otherFirst(from: Json, to: Json): Difference[] {
  if (from.baseline !== undefined || to.baseline !== undefined) return [];
  const [before, after] = [from, to].map(({ variants }) => Object.keys(asObject(variants))[0]);
  return before === after ? [] : [{ path: 'baseline', before, after }];
}

/** Objects are looked into; lists and values differ as a whole, unless they are lists of equal length. */
function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, i) => differences(item, after[i], `${path}[${i}]`));
  }
  return [{ path, before, after }];
}

/** Lines for a terminal: `+` comes, `-` goes, `~` changes. */
export function diffLines({ changes, order }: ConfigChange): string[] {
  const marks = { added: '+', removed: '-', changed: '~' };
  return [
    ...changes.flatMap(({ route, kind, differences: found }) => [
      `  ${marks[kind]} ${route === null ? 'outside of routes' : `route ${route}`}`,
      ...found.filter(({ path }) => path !== 'name').map((difference) => `      ${safe(told(difference))}`),
    ]),
    ...(order === null ? [] : [`  ~ routes are tried in this order now: ${order.join(', ')}`]),
  ];
}

function told({ path, before, after }: Difference): string {
  if (before === undefined) return `+ ${path}: ${short(after)}`;
  if (after === undefined) return `- ${path}: ${short(before)}`;
  return `~ ${path}: ${short(before)} → ${short(after)}`;
}

const MAX_SHOWN = 120;

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
