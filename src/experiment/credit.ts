/**
 * Owns whom an outcome credits (design section 10): the unit of a receipt, else the unit that the route's identity finds in the
 * request, else the unit that the body names. It fails closed: a unit that anybody could name needs the outcome token.
 */

import type { RouteState } from '../config/route-state.ts';
import { err, ok, type Result } from '../result.ts';
import { assign } from '../split/assign.ts';
import { consented, optedOut } from '../split/audience.ts';
import { findUnit, type IdentityFacts } from '../split/identity.ts';
import { honouredPin } from '../split/pins.ts';
import { hashUnit, NOBODY, readReceipt, receiptTag } from '../split/receipt.ts';
import type { Visitor } from '../split/visitor.ts';
import type { OutcomeFault, Reported } from './outcomes.ts';

/** Whom an outcome credits. */
export interface Credit {
  /** Keyed hash. */
  unit: string;
  /** The variant by receipt, pin or hash; an experiment's first exposure has the last word. */
  variant: string;
  source: 'receipt' | 'cookie' | 'token';
  /** With a receipt: its tag, and what it says. */
  receipt?: string;
  served?: { variant: string; atMs: number };
  /** The variant of a signed pin of the route's experiment, which proves the unit's exposure. */
  pinned?: string;
}

/** What is known of the caller. */
export interface Caller {
  identity: IdentityFacts;
  /** Why units that anybody could name are refused; null if the caller has the outcome token. */
  refusal: OutcomeFault | null;
  nowMs: number;
}

/** Whom to credit, or why nobody. */
export async function creditOf(
  reported: Reported,
  state: RouteState,
  caller: Caller,
): Promise<Result<Credit, OutcomeFault>> {
  const { secret } = caller.identity;
  if (!secret) return err('no_secret');
  // A visitor who opted out of experiments is in none, whatever the outcome comes with.
  if (state.inForce.experiment !== null && optedOut(caller.identity)) return err('unknown_unit');
  if (reported.receipt !== null) return byReceipt(reported.receipt, reported, caller.nowMs, secret);
  const { route } = state;
  const found = await findUnit(route.identity, caller.identity);
  if (found.kind === 'found' && found.source === 'cookie') {
    const { identity } = caller;
    if (!consented(route.requireConsent, identity.cookieHeader)) return err('unknown_unit');
    const { visitor, unit } = found;
    return ok({ ...(await credited(unit, visitor, state, caller)), source: 'cookie' });
  }
  const unit = found.kind === 'found' ? found.unit : reported.unit;
  if (unit === null) return err('no_unit');
  if (caller.refusal !== null) return err(caller.refusal);
  return ok({ ...(await credited(unit, null, state, caller)), source: 'token' });
}

async function byReceipt(
  token: string,
  { route }: Reported,
  nowMs: number,
  secret: string,
): Promise<Result<Credit, OutcomeFault>> {
  const read = await readReceipt(token, nowMs, secret);
  if (!read.ok) return err(`receipt_${read.error.reason}` as const);
  const { variant, unitHash, atMs } = read.value;
  if (read.value.route !== route.name) return err('receipt_of_other_route');
  if (unitHash === NOBODY) return err('unknown_unit');
  const receipt = receiptTag(token);
  return ok({ unit: unitHash, variant, source: 'receipt', receipt, served: { variant, atMs } });
}

/** The unit's hash, and the variant that serves it now, as `decide` would find it. */
async function credited(
  id: string,
  visitor: Visitor | null,
  { route, arms, inForce }: RouteState,
  { identity, nowMs }: Caller,
): Promise<Omit<Credit, 'source'>> {
  const unit = await hashUnit(id, identity.secret!);
  const { baseline, salt, rollout, experiment } = inForce;
  const pins = visitor?.pins ?? [];
  const pin = pins.find((one) => one.route === route.name && one.epoch === experiment);
  // It is signed, so it proves the exposure.
  if (pin !== undefined) return { unit, variant: pin.variant, pinned: pin.variant };
  const epoch = experiment ?? rollout ?? '';
  const { sticky, name } = route;
  const variant = honouredPin(pins, { route: name, epoch, arms, baseline, sticky, experiment: false, nowMs });
  return { unit, variant: variant ?? assign(salt, name, id, arms) };
}
