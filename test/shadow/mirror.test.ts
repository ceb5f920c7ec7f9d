import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Env } from '../../src/env.ts';
import type { Served } from '../../src/forward/served.ts';
import type { Flusher } from '../../src/live/flush.ts';
import { type CopySlot, MirrorBudget } from '../../src/shadow/budget.ts';
import { MAX_COPIES } from '../../src/shadow/limits.ts';
import { mirror } from '../../src/shadow/mirror.ts';
import type { MirrorPlan } from '../../src/shadow/plan.ts';
import { PairTally } from '../../src/shadow/tally.ts';
import { reportOf, startTotals, withBatch } from '../../src/shadow/totals.ts';
import { routeOf, servedOf, uploadOf } from './served.ts';

type Origin = (signal: AbortSignal) => Response | Promise<Response>;

const same: Origin = () => Response.json({ from: 'same' });

/** One mirrored request with what came of it: the tally's batch, the rows, and the requests that origins got. */
async function mirrored(
  over: {
    served?: Partial<Served>;
    plan?: Partial<MirrorPlan>;
    shadow?: Record<string, unknown>;
    route?: Record<string, unknown>;
    green?: Origin;
    blue?: Origin;
    budget?: MirrorBudget;
  } = {},
) {
  const asked: { variant: string; request: Request }[] = [];
  const binding = (variant: string, answer: Origin) => ({
    fetch: (input: RequestInfo, init: RequestInit) => {
      const request = new Request(input, init);
      asked.push({ variant, request });
      return Promise.resolve(answer(init.signal!));
    },
  });
  const rows: { blobs: string[] }[] = [];
  const env = {
    BLUE: binding('blue', over.blue ?? same),
    GREEN: binding('green', over.green ?? same),
    COMPARISONS: { writeDataPoint: (point: { blobs: string[] }) => rows.push(point) },
    KEY_A: 'a key of ours',
  } as unknown as Env;
  const route = routeOf({
    variants: { blue: { service: 'BLUE' }, green: { service: 'GREEN' } },
    repeatable: ['GET', 'POST'],
    timeoutMs: 200,
    shadows: [{ variant: 'green', ...over.shadow }],
    ...over.route,
  });
  const served = servedOf(route, over.served);
  const plan: MirrorPlan = {
    captureBytes: 262_144,
    shadow: route.shadows[0]!,
    role: 'candidate',
    target: 'green',
    baseline: 'blue',
    isRepeated: false,
    ...over.plan,
  };
  const tally = new PairTally('green');
  const flushings: { isBusy: boolean }[] = [];
  const flusher = {
    pairs: (about: { isBusy: boolean }) => {
      flushings.push(about);
      return tally;
    },
  } as unknown as Flusher;
  const ctx = { waitUntil: () => {} } as unknown as ExecutionContext;
  const budget = over.budget ?? new MirrorBudget();
  await mirror(served, plan, { env, ctx, budget, flusher, prices: {} });
  const freed = Array.from({ length: MAX_COPIES }, () => budget.take('other', {}, Date.now()));
  for (const place of freed) if (typeof place === 'object') budget.done(place);
  return { batch: tally.take(), rows: rows.map(({ blobs }) => blobs), asked, flushings, freed };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a mirrored request', () => {
  it('is one pair and one row, and gives its place back', async () => {
    const { batch, rows, asked, freed } = await mirrored();
    expect(batch).toMatchObject({ eligible: 1, classes: { match: 1 }, skipped: {} });
    expect(rows).toHaveLength(1);
    expect(rows[0]!.slice(1, 6)).toEqual(['main', 'blue', 'green', 'candidate', 'match']);
    expect(asked.map(({ variant }) => variant)).toEqual(['green']);
    expect(freed.every((place) => typeof place === 'object')).toBe(true);
  });

  it('is asked as the visitor asked, without the visitor’s keys', async () => {
    const { asked } = await mirrored();
    const { request } = asked[0]!;
    expect(request.url).toBe('https://front.test/path?q=1');
    expect(Object.fromEntries(request.headers)).toMatchObject({ 'x-kept': 'yes', 'x-headgate-role': 'shadow' });
    expect(request.headers.has('authorization')).toBe(false);
    expect(request.headers.has('cookie')).toBe(false);
  });

  it('with a repeat is asked of the baseline once more, which is no request of its own', async () => {
    const { batch, rows, asked } = await mirrored({ plan: { isRepeated: true } });
    expect(batch).toMatchObject({ eligible: 1, classes: { match: 1 }, repeats: { match: 1 } });
    expect(asked.map(({ variant, request }) => [variant, request.headers.get('x-headgate-role')])).toEqual([
      ['green', 'shadow'],
      ['blue', 'repeat'],
    ]);
    expect(rows.map((blobs) => blobs[4])).toEqual(['candidate', 'repeat']);
  });

  it('holds a repeat against the mirrored baseline where the candidate serves, and against none that failed', async () => {
    let asks = 0;
    const blue: Origin = () => Response.json({ from: 'blue' }, { status: asks++ > 1 ? 503 : 200 });
    const plan = { role: 'counterfactual', target: 'blue', isRepeated: true } as const;
    const served = { cleanedHeaders: new Headers() };
    const { batch, rows, asked } = await mirrored({ served, blue, plan });
    expect(batch).toMatchObject({ eligible: 1, classes: { 'body-mismatch': 1 }, repeats: { match: 1 } });
    expect(asked.map(({ request }) => request.headers.get('x-headgate-role'))).toEqual(['shadow', 'repeat']);
    expect(rows.map((blobs) => [blobs[4], blobs[5]])).toEqual([
      ['counterfactual', 'body-mismatch'],
      ['repeat', 'match'],
    ]);
    const failed = await mirrored({ served, blue, plan });
    expect(failed.batch).toMatchObject({ skipped: { 'baseline-failed': 1 }, repeats: {} });
  });

  it('has its repeat as long after the mirrored baseline as that came after the candidate that served', async () => {
    const lagOf = async (role: 'candidate' | 'counterfactual') => {
      const atMs: number[] = [];
      const clocked: Origin = () => {
        atMs.push(Date.now());
        return Response.json({ from: 'same' });
      };
      const nowMs = Date.now();
      const served = { askedAtMs: nowMs - 1_500, headersAtMs: nowMs, cleanedHeaders: new Headers() };
      const target = role === 'candidate' ? 'green' : 'blue';
      const route = { timeoutMs: 120_000 };
      await mirrored({ served, route, blue: clocked, green: clocked, plan: { role, target, isRepeated: true } });
      return atMs[1]! - atMs[0]!;
    };
    expect(await lagOf('counterfactual')).toBeGreaterThanOrEqual(1_490);
    expect(await lagOf('candidate')).toBeLessThan(1_490);
  });

  it('has its repeat in time where a variant takes most of the time limit', async () => {
    const slow: Origin = (signal) =>
      new Promise((resolve, reject) => {
        setTimeout(() => resolve(Response.json({ from: 'same' })), 600);
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    const nowMs = Date.now();
    const served = { askedAtMs: nowMs - 600, headersAtMs: nowMs, cleanedHeaders: new Headers() };
    const plan = { role: 'counterfactual', target: 'blue', isRepeated: true } as const;
    const { batch } = await mirrored({ served, plan, blue: slow, route: { timeoutMs: 1_000 } });
    expect(batch).toMatchObject({ classes: { match: 1 }, repeats: { match: 1 } });
  });

  it('is no trial where the candidate saw the visitor’s keys and the mirrored baseline did not, alike or not', async () => {
    const noticed = async (
      answer: Origin,
      over: { served?: Partial<Served>; shadow?: Record<string, unknown>; route?: Record<string, unknown> } = {},
    ) => {
      const plan = { role: 'counterfactual', target: 'blue', isRepeated: true } as const;
      const served = { cleanedHeaders: new Headers({ cookie: 'session=ada' }), variant: 'green' };
      const { batch, asked } = await mirrored({ blue: answer, plan, ...over, served: { ...served, ...over.served } });
      const { candidate, repeat } = batch.noise;
      const trials = { trials: candidate.pairs, repeats: repeat.pairs, asked: asked.length };
      return { classes: batch.classes, unfair: batch.unfair.candidate, ...trials };
    };
    const guest: Origin = () => Response.json({ from: 'guest' });
    // A repeat would not count, and is not asked for.
    const none = { trials: 0, repeats: 0, asked: 1 };
    expect(await noticed(guest)).toEqual({ classes: { 'body-mismatch': 1 }, unfair: 1, ...none });
    expect(await noticed(same)).toEqual({ classes: { match: 1 }, unfair: 0, ...none });
    const trial = { classes: { 'body-mismatch': 1 }, unfair: 0, trials: 1, repeats: 1, asked: 2 };
    // A baseline that never sees them answers its copy as it answers visitors.
    const blind = { blue: { service: 'BLUE', removeHeaders: ['cookie'] }, green: { service: 'GREEN' } };
    expect(await noticed(guest, { route: { variants: blind } })).toEqual(trial);
    expect(await noticed(guest, { served: { cleanedHeaders: new Headers() } })).toEqual(trial);
    expect(await noticed(guest, { shadow: { forwardCredentials: true } })).toEqual(trial);
  });

  it('is skipped where the mirrored baseline answers what the route calls a failure', async () => {
    const route = routeOf({
      variants: { blue: { service: 'BLUE' }, green: { service: 'GREEN' } },
      failStatuses: ['5xx', 418],
      shadows: [{ variant: 'green' }],
    });
    const teapot: Origin = () => Response.json({ from: 'same' }, { status: 418 });
    const plan = { role: 'counterfactual', target: 'blue' } as const;
    const failed = await mirrored({ served: { route }, blue: teapot, plan });
    expect(failed.batch).toMatchObject({ classes: {}, skipped: { 'baseline-failed': 1 } });
    expect((await mirrored({ blue: teapot, plan })).batch.classes).toEqual({ 'status-mismatch': 1 });
  });

  it('is no trial of a guardrail where the baseline fails and the candidate does not, nor as a repeat', async () => {
    const ok: Origin = () => Response.json({ from: 'same' });
    const down = { status: 500, responseHeaders: new Headers({ 'content-type': 'application/json' }) };
    for (const status of [500, 429]) {
      const { batch } = await mirrored({ served: { ...down, status }, blue: ok, plan: { isRepeated: true } });
      expect(batch).toMatchObject({ classes: { 'status-mismatch': 1 }, unfair: { candidate: 1, repeat: 1 } });
    }
    const sick: Origin = () => Response.json({ from: 'same' }, { status: 500 });
    const { batch } = await mirrored({ green: sick, plan: { isRepeated: true } });
    expect(batch).toMatchObject({ classes: { 'status-mismatch': 1 }, unfair: { candidate: 0, repeat: 0 } });
  });

  it.each([
    ['candidate', { target: 'green' }],
    ['counterfactual', { target: 'blue' }],
  ] as const)('is no trial where a copy lacks the visitor’s key, nor is its repeat: %s', async (role, { target }) => {
    const locked: Origin = () => Response.json({ error: 'key' }, { status: 401 });
    const cleanedHeaders = new Headers({ authorization: 'Bearer visitor' });
    const plan = { role, target, isRepeated: true };
    const { batch } = await mirrored({ served: { cleanedHeaders }, blue: locked, green: locked, plan });
    expect(batch).toMatchObject({
      ...{ eligible: 1, classes: { 'status-mismatch': 1 }, repeats: {}, unauthorised: 1 },
      ...{ unfair: { candidate: 1, repeat: 0 }, noise: { candidate: { pairs: 0 }, repeat: { pairs: 0 } } },
    });
    const without = (await mirrored({ served: { cleanedHeaders: new Headers() }, blue: locked, green: locked, plan }))
      .batch;
    expect(without).toMatchObject({ classes: { 'status-mismatch': 1 }, unfair: { candidate: 0 } });
  });

  it('is not scored where a copy lacks the visitor’s keys: a refusal, or a guest’s answer, says nothing of quality', async () => {
    const scored = async (cleanedHeaders: Headers) => {
      const plan = { role: 'counterfactual', target: 'blue' } as const;
      const scores: Origin = () => Response.json({ live: 0.1, candidate: 0.9 });
      const shadow = { scorer: { service: 'GREEN' } };
      const { batch } = await mirrored({ served: { cleanedHeaders, variant: 'green' }, green: scores, plan, shadow });
      return batch.scores.difference.n;
    };
    expect(await scored(new Headers())).toBe(1);
    expect(await scored(new Headers({ cookie: 'session=ada' }))).toBe(0);
  });

  it('is a trial where the refusal has nothing to do with the visitor’s key', async () => {
    const locked: Origin = () => Response.json({ error: 'no' }, { status: 403 });
    const cookie = { cleanedHeaders: new Headers({ cookie: 'theme=dark' }) };
    // A repeat that is not refused shows that no key was wanted.
    const seen = await mirrored({ served: cookie, green: locked, plan: { isRepeated: true } });
    expect(seen.batch).toMatchObject({ unfair: { candidate: 0 }, repeats: { match: 1 } });
    const keyed = { cleanedHeaders: new Headers({ authorization: 'Bearer visitor' }) };
    for (const own of [{ removeHeaders: ['authorization'] }, { secretHeaders: { 'ocp-key': 'K_A' } }]) {
      const variants = { blue: { service: 'BLUE' }, green: { service: 'GREEN', ...own } };
      const text = JSON.stringify(own).replace('K_A', '$' + '{KEY_A}');
      const route = routeOf({
        variants: { ...variants, green: { service: 'GREEN', ...JSON.parse(text) } },
        shadows: [{ variant: 'green' }],
      });
      const { batch } = await mirrored({ served: { ...keyed, route }, green: locked });
      expect(batch.unfair.candidate).toBe(0);
    }
  });

  it('is no trial where all variants bear a header of ours, and leaves out no key that only some of them bring', async () => {
    const locked: Origin = () => Response.json({ error: 'key' }, { status: 401 });
    const keyed = { cleanedHeaders: new Headers({ authorization: 'Bearer visitor' }) };
    const secret = (name: string) => ({ secretHeaders: { [name]: ['$', '{KEY_A}'].join('') } });
    const unfair = async (blue: object, green: object, repeat?: Origin, sent = keyed.cleanedHeaders) => {
      const variants = { blue: { service: 'BLUE', ...blue }, green: { service: 'GREEN', ...green } };
      const route = routeOf({ variants, shadows: [{ variant: 'green' }] });
      const plan = { isRepeated: repeat !== undefined };
      const { batch } = await mirrored({
        served: { cleanedHeaders: sent, route },
        green: locked,
        ...(repeat && { blue: repeat }),
        plan,
      });
      return batch.unfair.candidate;
    };
    const gateway = secret('x-gateway');
    expect(await unfair(gateway, gateway)).toBe(1);
    expect(await unfair(gateway, gateway, locked)).toBe(1);
    expect(await unfair({}, secret('authorization'))).toBe(0);
    const open: Origin = () => Response.json({ from: 'same' });
    const browser = new Headers({ cookie: 'theme=dark' });
    // Found by its repeats, gateway or not; and what both set themselves is no key of one of them.
    expect(await unfair(gateway, gateway, open, browser)).toBe(0);
    expect(await unfair(secret('authorization'), secret('authorization'), undefined, browser)).toBe(1);
    // It would not see the visitor's own.
    expect(await unfair({}, secret('authorization'), locked)).toBe(0);
    // A repeat that failed, or brought its own key, says nothing.
    expect(await unfair({}, {}, () => new Response('', { status: 503 }))).toBe(1);
    expect(await unfair(secret('authorization'), {}, () => Response.json({ from: 'same' }))).toBe(1);
  });

  it('is no mismatch taken back where the candidate broke off and the baseline’s copy was refused', async () => {
    const locked: Origin = () => Response.json({ error: 'key' }, { status: 401 });
    const body = { end: 'cut' as const, bytes: 3, firstByteAtMs: null, endedAtMs: Date.now() };
    const plan = { role: 'counterfactual', target: 'blue' } as const;
    const { batch } = await mirrored({ served: { body }, blue: locked, plan });
    expect(batch).toMatchObject({ classes: { error: 1 }, unfair: { candidate: 0 }, failures: { cut: 1 } });
  });

  it('is skipped where the live answer has a status whose body nobody keeps', async () => {
    expect((await mirrored({ served: { status: 600, captured: null } })).batch).toMatchObject({
      skipped: { 'not-kept': 1 },
    });
  });

  it('takes no repeat for news where the pair was not compared for a cached copy', async () => {
    const unchanged: Origin = () => new Response(null, { status: 304 });
    const { batch } = await mirrored({ green: unchanged, plan: { isRepeated: true } });
    expect(batch).toMatchObject({ skipped: { 'not-modified': 1 }, repeats: {} });
  });

  it('spends the tokens of a repeat also where its mirrored baseline failed', async () => {
    let asks = 0;
    const used = { object: 'chat.completion', choices: [], usage: { prompt_tokens: 600, completion_tokens: 400 } };
    const blue: Origin = () => (asks++ === 0 ? new Response('', { status: 500 }) : Response.json(used));
    const plan = { role: 'counterfactual', target: 'blue', isRepeated: true } as const;
    const { batch } = await mirrored({ blue, plan, served: { cleanedHeaders: new Headers() } });
    expect(batch).toMatchObject({ skipped: { 'baseline-failed': 1 }, repeats: {}, tokens: 1_000 });
  });

  it('skips a repeat of which no answer came', async () => {
    const gone: Origin = () => Promise.reject(new Error('gone'));
    const { batch, rows } = await mirrored({ blue: gone, plan: { isRepeated: true } });
    expect(batch).toMatchObject({ classes: { match: 1 }, repeats: { 'skipped:baseline-failed': 1 } });
    expect(rows[1]!.slice(4, 7)).toEqual(['repeat', 'skipped', 'baseline-failed']);
  });

  it('is an error, and keeps its row, where the comparison itself fails', async () => {
    const compare = new Proxy(
      {},
      {
        get: () => {
          throw new RangeError('rules that cannot be read');
        },
      },
    );
    const shadow = { ...routeShadow(), compare } as MirrorPlan['shadow'];
    const { batch, rows, freed } = await mirrored({ plan: { shadow } });
    expect(batch).toMatchObject({ eligible: 1, classes: { error: 1 }, failures: { comparator: 1 }, skipped: {} });
    expect(rows.map((blobs) => [blobs[5], blobs[6]])).toEqual([['error', 'comparator']]);
    expect(typeof freed.at(-1)).toBe('object');
  });

  it('is an error, and keeps its row, where mirroring itself fails', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    const upload = { ...uploadOf('x'), copy: () => Promise.reject(new Error('gone')) } as unknown as Served['upload'];
    const { batch, rows, freed } = await mirrored({ served: { upload } });
    expect(batch).toMatchObject({ eligible: 1, classes: { error: 1 }, failures: { mirror: 1 } });
    expect(rows.map((blobs) => [blobs[5], blobs[6]])).toEqual([['error', 'mirror']]);
    expect(typeof freed.at(-1)).toBe('object');
    expect(logged).toHaveBeenCalledOnce();
  });

  it('that hangs is a timeout, and gives its place back', async () => {
    const hanging: Origin = (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const { batch, freed } = await mirrored({ green: hanging });
    expect(batch).toMatchObject({ eligible: 1, classes: { timeout: 1 }, failures: { headers: 1 } });
    expect(typeof freed.at(-1)).toBe('object');
  });

  it('whose reply hangs half-way is a timeout of the body', async () => {
    const halfway: Origin = (signal) =>
      new Response(
        new ReadableStream({
          type: 'bytes',
          start(controller) {
            controller.enqueue(new TextEncoder().encode('{"from"'));
            signal.addEventListener('abort', () => controller.error(signal.reason));
          },
        }),
        { headers: { 'content-type': 'application/json' } },
      );
    const { batch } = await mirrored({ green: halfway });
    expect(batch).toMatchObject({ eligible: 1, classes: { timeout: 1 }, failures: { body: 1 } });
  });

  it.each<[string, Partial<Served>, Partial<MirrorPlan>]>([
    ['failover', { reason: 'failover' }, {}],
    ['client-left', { status: null, errorCode: 'client_left' }, {}],
    ['client-left', { status: null, errorCode: 'client_stalled' }, {}],
    ['baseline-failed', { status: null, errorCode: 'origin_timeout', responseHeaders: null }, {}],
    ['too-large', { upload: uploadOf(null) }, {}],
    ['json-unfit', { upload: uploadOf('no json') }, { target: 'blue' }],
    ['client-left', { body: { end: 'refused', bytes: 1, firstByteAtMs: 1, endedAtMs: 2 } }, {}],
    ['baseline-failed', { body: { end: 'cut', bytes: 1, firstByteAtMs: 1, endedAtMs: 2 } }, {}],
    ['baseline-failed', { body: { end: 'stalled', bytes: 1, firstByteAtMs: 1, endedAtMs: 2 } }, {}],
  ])('that cannot be a pair is skipped once: %s', async (reason, served, plan) => {
    const spliced = reason === 'json-unfit' ? { json: { model: 'm' } } : {};
    const route = routeOf({
      variants: { blue: { service: 'BLUE', ...spliced }, green: { service: 'GREEN' } },
      shadows: [{ variant: 'green' }],
    });
    const { batch, rows } = await mirrored({
      served: { ...served, route },
      plan: { ...plan, shadow: route.shadows[0]! },
    });
    expect(batch).toMatchObject({ eligible: 1, classes: {}, skipped: { [reason]: 1 } });
    expect(rows.map((blobs) => [blobs[5], blobs[6]])).toEqual([['skipped', reason]]);
  });

  it('waits for the live body’s end before it is judged', async () => {
    let end: (report: Awaited<Served['body']>) => void = () => {};
    const body = new Promise<Awaited<Served['body']>>((resolve) => {
      end = resolve;
    });
    setTimeout(() => end({ end: 'refused', bytes: 1, firstByteAtMs: 1, endedAtMs: 2 }), 30);
    const { batch } = await mirrored({ served: { body } });
    expect(batch.skipped).toEqual({ 'client-left': 1 });
  });

  it('that meets a 429 closes the budget, and is a pair where the baseline says so too', async () => {
    const quota: Origin = () => new Response('{}', { status: 429, headers: { 'content-type': 'application/json' } });
    const budget = new MirrorBudget();
    expect((await mirrored({ green: quota, budget })).batch.skipped).toEqual({ 'rate-limited': 1 });
    expect((await mirrored({ green: same, budget })).batch.skipped).toEqual({ 'rate-limited': 1 });
    const both = await mirrored({ green: quota, served: { status: 429 } });
    expect(both.batch.skipped).toEqual({});
    const repeated = await mirrored({ blue: quota, plan: { isRepeated: true } });
    expect(repeated.batch).toMatchObject({ classes: { match: 1 }, repeats: { 'skipped:rate-limited': 1 } });
  });

  it('says nothing of the versions where the visitor’s own quota met the candidate', async () => {
    const plan = { role: 'counterfactual', target: 'blue' } as const;
    const { batch } = await mirrored({ blue: same, plan, served: { status: 429 } });
    expect(batch).toMatchObject({ classes: {}, skipped: { 'rate-limited': 1 } });
  });

  it('spends the copies’ tokens, and not the visitor’s', async () => {
    const chat =
      (tokens: number): Origin =>
      () =>
        Response.json(chatOf(tokens));
    const candidate = await mirrored({ green: chat(70), blue: chat(30), plan: { isRepeated: true } });
    expect(candidate.batch.tokens).toBe(100);
    const plan = { role: 'counterfactual', target: 'blue' } as const;
    const counterfactual = await mirrored({ green: chat(70), blue: chat(30), plan });
    expect(counterfactual.batch.tokens).toBe(30);
  });

  it('spends a token for four bytes of what nobody can read, where tokens are bounded', async () => {
    const budget = { tokensPerDay: 1_000_000 };
    const green: Origin = () => new Response('x'.repeat(402));
    const upload = uploadOf('y'.repeat(400));
    const method = 'POST';
    const large: Origin = () => Response.json({ ...(chatOf(1) as object), more: 'z'.repeat(400_000) });
    const tokens = async (over: Parameters<typeof mirrored>[0]) => (await mirrored(over)).batch.tokens;
    const asked = { shadow: { budget }, served: { method, upload } };
    expect(await tokens({ ...asked, green })).toBe(201);
    expect(await tokens({ ...asked, green, blue: green, plan: { isRepeated: true } })).toBe(402);
    expect(await tokens({ ...asked, green: large })).toBeGreaterThan(65_536);
    expect(await tokens({ ...asked, green: () => Response.json(chatOf(70)) })).toBe(70);
    expect(await tokens({ ...asked, green: () => new Response('x'.repeat(400), { status: 503 }) })).toBe(0);
    expect(await tokens({ served: { method, upload }, green })).toBe(0);
  });

  it('knows copies to the baseline that are refused', async () => {
    const refused: Origin = () => new Response('{}', { status: 401 });
    const plan = { role: 'counterfactual', target: 'blue' } as const;
    expect((await mirrored({ blue: refused, plan })).batch.unauthorised).toBe(1);
    expect((await mirrored({ green: refused })).batch.unauthorised).toBe(1);
    expect((await mirrored({ served: { status: 401 } })).batch.unauthorised).toBe(0);
  });

  it('learns no noise from a baseline that refuses the repeat, but not the visitor, and says so', async () => {
    const refused: Origin = () => new Response('{}', { status: 403 });
    const { batch } = await mirrored({ blue: refused, plan: { isRepeated: true } });
    expect(batch).toMatchObject({ classes: { match: 1 }, repeats: { 'skipped:unauthorised': 1 } });
    const { notes } = reportOf(withBatch(startTotals('green', 0), batch));
    expect(notes[0]).toMatch(/1 repeats tell nothing of noise: they were answered 401 or 403.*secretHeaders/);
    const both = await mirrored({ served: { status: 403 }, blue: refused, plan: { isRepeated: true } });
    expect(Object.keys(both.batch.repeats)).toEqual(['body-mismatch']);
  });

  it('is flushed soon when it ends long after the live answer', async () => {
    expect((await mirrored()).flushings.every(({ isBusy }) => !isBusy)).toBe(true);
    const late = await mirrored({ served: { headersAtMs: Date.now() - 15_000 } });
    expect(late.flushings.every(({ isBusy }) => isBusy)).toBe(true);
  });

  it('spends nothing of the copies a minute when none is sent', async () => {
    const budget = new MirrorBudget();
    const shadow = { budget: { requestsPerMinute: 1 } };
    expect((await mirrored({ budget, shadow, served: { upload: uploadOf(null) } })).batch.skipped).toEqual({
      'too-large': 1,
    });
    expect((await mirrored({ budget, shadow })).batch.classes).toEqual({ match: 1 });
    expect((await mirrored({ budget, shadow })).batch.skipped).toEqual({ 'budget-requests': 1 });
  });

  it('beyond the places is busy', async () => {
    const budget = new MirrorBudget();
    const places = Array.from({ length: MAX_COPIES }, () => budget.take('main/green', {}, Date.now()) as CopySlot);
    const { batch, asked } = await mirrored({ budget });
    expect(batch).toMatchObject({ eligible: 1, skipped: { busy: 1 } });
    expect(asked).toEqual([]);
    budget.done(places[0]!);
  });
});

function routeShadow(): MirrorPlan['shadow'] {
  const variants = { blue: { service: 'BLUE' }, green: { service: 'GREEN' } };
  return routeOf({ variants, shadows: [{ variant: 'green' }] }).shadows[0]!;
}

function chatOf(tokens: number): unknown {
  const usage = { prompt_tokens: 0, completion_tokens: tokens, total_tokens: tokens };
  const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'yes' } }];
  return { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices, usage };
}
