/**
 * Owns what a reported outcome must say, and what it says of a variant as a guardrail's evidence. Pure: whom it credits is for
 * `credit.ts`, and whether it counts for the ledger or the controller.
 */

import type { Config, Outcome, Route } from '../config/types.ts';
import { isObject } from '../json.ts';
import { err, ok, type Result } from '../result.ts';
import { MAX_OUTCOME_VALUE } from './limits.ts';

/** Why nothing was counted: a stable word. */
export type OutcomeFault =
  | 'not_an_object'
  | 'no_such_route'
  | 'undeclared_metric'
  | 'bad_value'
  | 'receipt_malformed'
  | 'receipt_forged'
  | 'receipt_expired'
  | 'receipt_used'
  | 'receipt_of_other_route'
  | 'outcome_token_needed'
  | 'unknown_unit'
  | 'no_unit'
  | 'no_secret'
  | 'no_ledger'
  | 'unavailable'
  | 'too_many_outcomes';

/** An outcome that is declared and well formed. */
export interface Reported {
  route: Route;
  outcome: Outcome;
  /** 1e12 at most, either way; 1 or 0 for a conversion. */
  value: number;
  receipt: string | null;
  unit: string | null;
}

/** Reads one item of a body. */
export function reportedOf(item: unknown, config: Config): Result<Reported, OutcomeFault> {
  if (!isObject(item)) return err('not_an_object');
  const { route: routeName, metric, value, receipt, unit } = item;
  const route = config.routes.find(({ name }) => name === routeName);
  if (route === undefined) return err('no_such_route');
  const outcome = route.outcomes.find(({ name }) => name === metric);
  if (outcome === undefined) return err('undeclared_metric');
  const number = numberOf(value, outcome.kind);
  if (number === null) return err('bad_value');
  const text = (given: unknown) => (typeof given === 'string' && given !== '' ? given : null);
  // A receipt that is no text must not pass for none: it would credit whoever sends it.
  if (receipt !== undefined && text(receipt) === null) return err('receipt_malformed');
  return ok({ route, outcome, value: number, receipt: text(receipt), unit: text(unit) });
}

/** A conversion without a value has happened. */
function numberOf(value: unknown, kind: Outcome['kind']): number | null {
  if (kind === 'mean') return typeof value === 'number' && Math.abs(value) <= MAX_OUTCOME_VALUE ? value : null;
  if (value === undefined || value === true || value === 1) return 1;
  return value === false || value === 0 ? 0 : null;
}

/** Whether an outcome speaks against its variant; null for numbers, which have no bound at which they are bad. */
export function isBad({ kind, goal }: Outcome, value: number): boolean | null {
  return kind === 'mean' ? null : (value === 0) === (goal === 'increase');
}
