import { describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { nextState, type RouteState } from '../../src/config/route-state.ts';
import { creditOf } from '../../src/experiment/credit.ts';
import type { OutcomeFault, Reported } from '../../src/experiment/outcomes.ts';
import { assign } from '../../src/split/assign.ts';
import type { Pin } from '../../src/split/pins.ts';
import { createReceipt, NOBODY } from '../../src/split/receipt.ts';
import { visitorValue } from '../../src/split/visitor.ts';
import { routeOf, routeWith } from '../config/sample.ts';

const NOW = Date.parse('2026-11-23T10:00:00Z');
const SECRET = 'secret';
const experiment = { id: 'e-1', primary: ['error'] };

/** A route at 50 to 50, in a rollout if one is named. */
function stateOf(changes: Record<string, unknown>, rollout: string | null = null): RouteState {
  const route = routeOf(routeWith(changes));
  const weights = { blue: 50, green: 50 };
  const split = { revision: 1, weights, baseline: 'blue', salt: 's', rollout, variants: variantsHash(route) };
  return nextState(route, { split: JSON.stringify(split), weights: null }, undefined, () => {});
}

/** A visitor whom the hash gives to the variant. */
function visitorOf(variant: string, { inForce, arms, route }: RouteState): string {
  for (let n = 0; ; n++) {
    const id = String(n).padStart(22, 'a');
    if (assign(inForce.salt, route.name, id, arms) === variant) return id;
  }
}

async function credited(
  state: RouteState,
  sent: {
    id?: string;
    pins?: Pin[];
    headers?: Record<string, string>;
    receipt?: string;
    unit?: string;
    refusal?: OutcomeFault;
  } = {},
) {
  const { id, pins = [], headers = {}, receipt = null, unit = null, refusal = null } = sent;
  const cookieHeader = id === undefined ? null : `__Host-headgate=${await visitorValue(id, pins, SECRET)}`;
  const identity = { header: (name: string) => headers[name] ?? null, cookieHeader, search: '', https: true };
  const reported = { route: state.route, receipt, unit } as unknown as Reported;
  return creditOf(reported, state, { identity: { ...identity, secret: SECRET }, refusal, nowMs: NOW });
}

describe('an outcome credits', () => {
  const pin = (variant: string, epoch: string): Pin => ({ route: 'detect', variant, epoch });

  it('the variant that the hash gives a visitor without a pin', async () => {
    const state = stateOf({}, 'r-1');
    for (const variant of ['blue', 'green']) {
      expect(await credited(state, { id: visitorOf(variant, state) })).toMatchObject({ ok: true, value: { variant } });
    }
  });

  it('the variant to which the rollout’s pin holds a visitor, and not the one of another rollout', async () => {
    const state = stateOf({ sticky: true }, 'r-1');
    const id = visitorOf('blue', state);
    expect(await credited(state, { id, pins: [pin('green', 'r-1')] })).toMatchObject({ value: { variant: 'green' } });
    expect(await credited(state, { id, pins: [pin('green', 'r-0')] })).toMatchObject({ value: { variant: 'blue' } });
  });

  it('the arm of the experiment’s pin, which proves the exposure', async () => {
    const state = stateOf({ experiment });
    const sent = { id: visitorOf('blue', state), pins: [pin('green', 'e-1')] };
    expect(await credited(state, sent)).toMatchObject({ value: { variant: 'green', pinned: 'green' } });
  });

  it('the receipt’s variant before anything that the request says', async () => {
    const state = stateOf({});
    const told = { route: 'detect', variant: 'green', unitHash: '0123456789abcdef', atMs: NOW };
    const sent = { id: visitorOf('blue', state), receipt: await createReceipt(told, SECRET) };
    expect(await credited(state, sent)).toMatchObject({ value: { variant: 'green', unit: '0123456789abcdef' } });
  });

  it('nobody by a receipt of another route, or of a request that was on no trial', async () => {
    const state = stateOf({});
    const receipt = (changes: object) =>
      createReceipt({ route: 'detect', variant: 'green', unitHash: NOBODY, atMs: NOW, ...changes }, SECRET);
    const refusal = async (changes: object) => credited(state, { receipt: await receipt(changes) });
    expect(await refusal({ route: 'other' })).toEqual({ ok: false, error: 'receipt_of_other_route' });
    expect(await refusal({})).toEqual({ ok: false, error: 'unknown_unit' });
  });

  it('nobody who opted out while an experiment runs, nor who did not consent where that is asked', async () => {
    const refused = { ok: false, error: 'unknown_unit' };
    const running = stateOf({ experiment });
    const headers = { 'x-headgate-opt-out': '1' };
    expect(await credited(running, { id: visitorOf('blue', running), headers })).toEqual(refused);
    const asking = stateOf({ requireConsent: { cookie: 'consent', value: 'yes' } });
    expect(await credited(asking, { id: visitorOf('blue', asking) })).toEqual(refused);
    const plain = stateOf({});
    expect(await credited(plain, { id: visitorOf('blue', plain), headers })).toMatchObject({ ok: true });
  });

  it('a unit that anybody could name only with the outcome token', async () => {
    const state = stateOf({ identity: [{ header: 'x-user-id' }] });
    const headers = { 'x-user-id': 'ada' };
    const byHeader = await credited(state, { headers });
    expect(byHeader).toMatchObject({ ok: true, value: { source: 'token' } });
    expect(await credited(state, { unit: 'ada' })).toEqual(byHeader);
    expect(await credited(state, { headers, unit: 'bob' })).toEqual(byHeader);
    for (const named of [{ headers }, { unit: 'ada' }]) {
      expect(await credited(state, { ...named, refusal: 'outcome_token_needed' })).toEqual({
        ok: false,
        error: 'outcome_token_needed',
      });
    }
    expect(await credited(state)).toEqual({ ok: false, error: 'no_unit' });
  });
});
