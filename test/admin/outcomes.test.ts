import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_BY_ADDRESS, MAX_BY_UNIT, MAX_OUTCOMES, MAX_WRONG_TOKENS } from '../../src/admin/limits.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { nextState } from '../../src/config/route-state.ts';
import type { Env } from '../../src/env.ts';
import type { OutcomeEvent } from '../../src/experiment/words.ts';
import type { OutcomeEvidence } from '../../src/rollout/outcomes.ts';
import { createReceipt } from '../../src/split/receipt.ts';
import { mounted, problemOf } from './calls.ts';

const NOW_MS = Date.parse('2026-11-24T10:00:00Z');
const UNIT = '00112233445566aa';
const cookie = { cookie: `__Host-headgate=${'x'.repeat(22)}` };
const helpful = { route: 'detect', metric: 'helpful' };
const named = { ...helpful, unit: 'ada' };
const bearer = 'an outcome token';

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS, toFake: ['Date'] });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Ledger = (events: OutcomeEvent[]) => unknown[];

/** The call, with an experiment's ledger where one is given, and what it told controller and records. */
function reporting({ ledger, weights = { blue: 50, green: 50 } }: { ledger?: Ledger; weights?: object } = {}) {
  const variants = { blue: { url: 'https://blue.example' }, green: { url: 'https://green.example' } };
  const outcomes = [{ name: 'helpful', kind: 'conversion' }];
  const experiment = ledger && { id: 'e-1', primary: ['helpful'], plannedUnits: 100 };
  const routes = [{ name: 'detect', variants, baseline: 'blue', weights, outcomes, experiment }];
  const document = JSON.stringify({ version: 1, outcomeOrigins: ['https://shop.example'], routes });
  const parsed = parseConfig(document, { unknownKeys: 'fault' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const { config } = parsed.value;
  const state = nextState(config.routes[0]!, { split: null, weights: null }, undefined, () => {});
  const told: OutcomeEvidence[] = [];
  const rows: unknown[] = [];
  const seen = new Set<string>();
  const controller = {
    outcomes: async (_: string, evidence: OutcomeEvidence[]) =>
      evidence.map((one) => {
        told.push(one);
        const isKnown = seen.has(one.unit);
        seen.add(one.unit);
        return isKnown ? 'known' : 'new';
      }),
  };
  const events: OutcomeEvent[] = [];
  const ledgerStub = {
    outcomes: async (given: OutcomeEvent[]) => {
      events.push(...given);
      return ledger!(given);
    },
  };
  const namespace = (stub: object) => ({ idFromName: (name: string) => name, get: () => stub });
  const env = {
    ...{ OUTCOME_TOKEN: bearer, CONTROLLER: namespace(controller), LEDGER: namespace(ledgerStub) },
    OUTCOMES: { writeDataPoint: (row: unknown) => rows.push(row) },
  } as unknown as Partial<Env>;
  const deps = { serving: { config: async () => config, state: async () => state } };
  const call = mounted({ env, deps, token: null });
  const report = (body: unknown, headers: Record<string, string> = {}, token: string | null = null) =>
    call('POST', '/outcomes', body, { headers, token });
  const codeOf = async (...args: Parameters<typeof report>) => {
    const answer = await report(...args);
    return answer.status === 200 ? 'ok' : (await problemOf(answer)).code;
  };
  return { call, report, codeOf, told, rows, events };
}

async function receiptOf(variant: string, nonce = '0000000a') {
  const receipt = { route: 'detect', variant, unitHash: UNIT, atMs: NOW_MS - 60_000, nonce };
  return { ...helpful, receipt: await createReceipt(receipt, 'cookie-secret') };
}

describe('an outcome', () => {
  it('is told the controller, and recorded once though it is told again', async () => {
    const { report, told, rows } = reporting();
    const answers = [await report(await receiptOf('green')), await report(await receiptOf('green', '0000000b'))];
    expect(await Promise.all(answers.map((one) => one.json()))).toEqual(
      [true, false].map((counted) => ({ ...helpful, variant: 'green', counted })),
    );
    expect([told.length, rows.length]).toEqual([2, 1]);
    expect(told[0]).toMatchObject({ metric: 'helpful', unit: UNIT, variant: 'green', bad: false, source: 'receipt' });
  });

  it('of a variant that the config has no longer is refused', async () => {
    const { codeOf, told } = reporting();
    expect([await codeOf(await receiptOf('gone')), told]).toEqual(['unknown_unit', []]);
  });

  it('is answered in its place in a list', async () => {
    const { report } = reporting();
    const answer = await report([{ ...helpful, metric: 'no' }, await receiptOf('blue'), named]);
    const { counted, results } = (await answer.json()) as { counted: number; results: { code?: string }[] };
    expect([counted, results.map(({ code }) => code)]).toEqual([
      1,
      ['undeclared_metric', undefined, 'outcome_token_needed'],
    ]);
  });

  it.each([[[]], [Array.from({ length: MAX_OUTCOMES + 1 }, () => helpful)]])(
    'is not taken from a list that is empty or too long',
    async (list) => {
      expect(await reporting().codeOf(list)).toBe('too_many_items');
    },
  );
});

it('as many outcomes as a list may have are taken', async () => {
  const answer = await reporting().report(
    Array.from({ length: MAX_OUTCOMES }, () => named),
    {},
    bearer,
  );
  expect(await answer.json()).toMatchObject({ counted: MAX_OUTCOMES });
});

describe('the outcome token', () => {
  it('is needed for a unit that the body names, and no other will do', async () => {
    const { report, codeOf } = reporting();
    const { status, headers } = await report(named);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="headgate"']);
    expect(await codeOf(named, {}, 'a-token-for-tests')).toBe('outcome_token_needed');
    expect(await codeOf(named, {}, bearer)).toBe('ok');
  });

  it('opens nothing while it is not set', async () => {
    const { call } = reporting();
    for (const OUTCOME_TOKEN of [undefined, '']) {
      const answer = await call('POST', '/outcomes', named, { env: { OUTCOME_TOKEN }, token: 'undefined' });
      expect((await problemOf(answer)).code).toBe('outcome_token_needed');
    }
  });

  it('is guessed only so often, and whoever has it or needs none is still heard', async () => {
    const { codeOf } = reporting();
    const address = { 'cf-connecting-ip': '203.0.113.9' };
    // None is a guess: no token was sent, none was needed, or there was nothing to open.
    for (let i = 0; i <= MAX_WRONG_TOKENS; i++) await codeOf({ ...named, metric: 'no' }, address, 'of a model');
    for (let i = 0; i <= MAX_WRONG_TOKENS; i++) await codeOf(named, address);
    for (let i = 0; i <= MAX_WRONG_TOKENS; i++) await codeOf(await receiptOf('blue'), address, 'of a model');
    for (let i = 0; i < MAX_WRONG_TOKENS; i++)
      expect(await codeOf(named, address, 'a guess')).toBe('outcome_token_needed');
    expect(await codeOf(named, address, 'a guess')).toBe('too_many_outcomes');
    expect(await codeOf(named, address, bearer)).toBe('ok');
    expect(await codeOf(await receiptOf('blue'), address, 'a guess')).toBe('ok');
  });
});

describe('an outcome of a cookie', () => {
  it('is taken so often of one unit', async () => {
    const { codeOf } = reporting();
    for (let i = 0; i < MAX_BY_UNIT; i++) expect(await codeOf(helpful, cookie)).toBe('ok');
    expect(await codeOf(helpful, cookie)).toBe('too_many_outcomes');
    vi.setSystemTime(NOW_MS + 60_000);
    expect(await codeOf(helpful, cookie)).toBe('ok');
  });

  it.each([
    ['203.0.113.9', 'too_many_outcomes'],
    ['127.0.0.1', 'ok'],
  ])('is taken so often of one address, but for those that share loopback (%s)', async (address, code) => {
    const { codeOf } = reporting();
    const by = (n: number) => ({
      'cf-connecting-ip': address,
      cookie: `__Host-headgate=${String(n).padStart(22, 'x')}`,
    });
    for (let n = 0; n < MAX_BY_ADDRESS; n++) await codeOf(helpful, by(n));
    expect(await codeOf(helpful, by(MAX_BY_ADDRESS))).toBe(code);
  });

  it('is taken of pages of this and the listed origins, and of no others', async () => {
    const { report, told } = reporting();
    const of = async (origin: string) => {
      const { status, headers } = await report(helpful, { ...cookie, origin });
      return [status, headers.get('access-control-allow-origin')];
    };
    expect(await of('https://shop.example')).toEqual([200, 'https://shop.example']);
    expect(await of('https://headgate.test')).toEqual([200, 'https://headgate.test']);
    expect(await of('https://evil.example')).toEqual([403, null]);
    expect(told).toHaveLength(2);
  });
});

describe('an outcome while an experiment runs', () => {
  const unknown: Ledger = (events) => events.map(() => ({ ok: false, error: { reason: 'unknown_unit' } }));

  it('is credited as the ledger says, of which the controller is told', async () => {
    const { report, told, events } = reporting({
      ledger: (events) => events.map(() => ({ ok: true, value: { variant: 'green', counted: true } })),
    });
    expect(await (await report(await receiptOf('blue'))).json()).toMatchObject({ variant: 'green', counted: true });
    expect(events).toMatchObject([{ unit: UNIT, metric: 'helpful', value: 1, isLast: false }]);
    expect(told).toMatchObject([{ unit: UNIT, variant: 'green' }]);
  });

  it('of a unit that is in none of its arms counts by its receipt, and else nowhere', async () => {
    const { codeOf, told } = reporting({ ledger: unknown });
    expect([await codeOf(helpful, cookie), told]).toEqual(['unknown_unit', []]);
    expect(await codeOf(await receiptOf('blue'))).toBe('ok');
    expect(told).toMatchObject([{ unit: UNIT, variant: 'blue' }]);
  });

  it('counts for everybody while nobody is dealt, which the ledger is told', async () => {
    const { codeOf, told, events } = reporting({ ledger: unknown, weights: { blue: 100 } });
    expect(await codeOf(helpful, cookie)).toBe('ok');
    expect([told.length, events[0]!.isLast]).toEqual([1, true]);
  });

  it('counts once by a receipt', async () => {
    const used: Ledger = (events) => events.map(() => ({ ok: false, error: { reason: 'already_counted' } }));
    expect(await reporting({ ledger: used }).codeOf(await receiptOf('blue'))).toBe('receipt_used');
  });
});
