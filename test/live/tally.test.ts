import { describe, expect, it } from 'vitest';
import { decodeHistogram, histogramCount, quantile } from '../../src/analysis/histogram.ts';
import { contentHash } from '../../src/config/hash.ts';
import type { Watched } from '../../src/config/split.ts';
import type { BodyReport } from '../../src/forward/pump.ts';
import type { Served } from '../../src/forward/served.ts';
import { MAX_BATCH_UNITS } from '../../src/live/limits.ts';
import { LiveTally } from '../../src/live/tally.ts';
import { body, served, T0, watched } from './served.ts';

const at = (ms: number) => ({ ...body, firstByteAtMs: ms, endedAtMs: ms });

describe('the tally', () => {
  it('counts by rollout, revision and variant, and begins anew when it is taken', () => {
    const tally = new LiveTally();
    expect(tally.isEmpty).toBe(true);
    tally.add(served(), body, null);
    tally.add(served({ status: 500 }), body, null);
    tally.add(served({ status: 404, variant: 'blue' }), body, null);
    tally.add(served({ status: 429, variant: 'blue' }), body, null);
    tally.add(served({ inForce: { revision: 4 } }), body, null);
    tally.add(served({ inForce: { rollout: null, revision: 5, guardrails: [] } }), body, null);
    const { live } = tally.take();
    expect(
      live.map(({ rollout, revision, variant, requests, failed, rejected }) => [
        ...[rollout, revision, variant],
        ...[requests, failed, rejected],
      ]),
    ).toEqual([
      ['r-1', 3, 'green', 2, 1, 0],
      ['r-1', 3, 'blue', 2, 0, 1],
      ['r-1', 4, 'green', 1, 0, 0],
      ['', 5, 'green', 1, 0, 0],
    ]);
    expect(tally.isEmpty).toBe(true);
    expect(tally.take()).toEqual({ live: [], evidence: [] });
  });

  it('keeps latencies to one percent, and total times only of bodies that came whole', () => {
    const tally = new LiveTally();
    tally.add(served(), { ...body, endedAtMs: T0 + 1_000 }, null);
    tally.add(served(), { ...body, end: 'cut', endedAtMs: T0 + 9_000 }, null);
    const [{ firstByte, total } = { firstByte: '', total: '' }] = tally.take().live;
    const median = (text: string) => quantile(decodeHistogram(text)!, 0.5)!;
    expect(Math.abs(median(firstByte) / 30 - 1)).toBeLessThan(0.02);
    expect(Math.abs(median(total) / 1_000 - 1)).toBeLessThan(0.02);
  });

  it('takes no time to the first byte from an answer that has none', () => {
    const tally = new LiveTally();
    tally.add(served({ status: 204 }), { ...body, bytes: 0, firstByteAtMs: null }, null);
    const { firstByte, total } = tally.take().live[0]!;
    expect([firstByte, total].map((text) => histogramCount(decodeHistogram(text)!))).toEqual([0, 1]);
  });

  it('takes a unit for a trial of each guardrail that any of its requests in the tick was one of', () => {
    const tally = new LiveTally();
    const guardrails: Watched[] = [
      { metric: 'errors', per: 'unit' },
      { metric: 'truncated', per: 'unit' },
    ];
    tally.add(served({ inForce: { guardrails } }), body, null);
    tally.add(served({ inForce: { guardrails } }), body, true);
    expect(tally.take().evidence[0]!.units).toEqual([[expect.anything(), 'green', 0b11, 0]]);
  });

  it('watches evidence alone, and a quota that both share against both', () => {
    const tally = new LiveTally();
    const route = { ...served().route, failover: { statuses: [429] } } as unknown as ReturnType<typeof served>['route'];
    for (const variant of ['blue', 'green']) {
      tally.add(served({ variant, route, status: 429 }), body, null);
      tally.add(served({ variant, route, status: 404, isEvidence: false }), body, null);
    }
    const counted = tally.take().live.map(({ requests, failed, rejected, watched }) => {
      return { requests, failed, rejected, watched };
    });
    const each = { requests: 2, failed: 0, rejected: 1, watched: { errors: 1, '!errors': 1, rejected: 1 } };
    expect(counted).toEqual([each, each]);
  });

  it.each([
    ['previews', { reason: 'preview' as const, isEvidence: false, isPreview: true }],
    ['those outside the audience', { isEvidence: false }],
    ['clients that left', { errorCode: 'client_left', status: null }],
    ['requests while no rollout runs', { inForce: { rollout: null, guardrails: [] } }],
  ])('takes nothing for evidence from %s', (_, changes) => {
    const tally = new LiveTally();
    tally.add(served(changes), body, null);
    expect(tally.take().evidence).toEqual([]);
  });

  it.each([
    ['the baseline’s 429 for bad where a candidate’s would be made good', 'GET', { statuses: [429] }, 1],
    ['it for no failure where it would not, by its method', 'POST', { statuses: [429] }, 0],
    ['it for no failure where nothing is made good', 'GET', false as const, 0],
  ])('takes %s', (_, method, failover, bad) => {
    const tally = new LiveTally();
    const route = { ...served().route, failover } as unknown as Served['route'];
    tally.add(served({ variant: 'blue', status: 429, method, route }), body, null);
    const { live, evidence } = tally.take();
    expect([live[0]?.failed, evidence[0]?.requests[0]?.bad[0]]).toEqual([0, bad]);
  });

  it('counts what an ejected candidate was not asked, as a trial of nobody', () => {
    const tally = new LiveTally();
    const away = { variant: 'blue', dealt: 'green', reason: 'ejected' as const, isEvidence: false };
    // Of what it would have been a trial of: a plain answer is no stream that may be truncated.
    const guardrails = [{ metric: 'errors' }, { metric: 'truncated' }] as unknown as Served['inForce']['guardrails'];
    for (const ended of [null, null, true]) tally.add(served({ ...away, inForce: { guardrails } }), body, ended);
    const [{ requests, units } = { requests: null, units: null }] = tally.take().evidence;
    expect([requests, units]).toEqual([[{ variant: '', n: [3, 1], bad: [0, 0] }], []]);
  });

  it('takes for trials of the hour before a rollout what would be trials in it', () => {
    const tally = new LiveTally();
    const before = { inForce: { rollout: null, guardrails: [] }, variant: 'blue' };
    tally.add(served(before), body, null);
    tally.add(served({ ...before, dealt: 'blue', unit: null }), body, null);
    tally.add(served(before), { ...body, end: 'refused' }, null);
    tally.add(served({ ...before, status: null, errorCode: 'client_left' }), body, null);
    // What its headers call a failure is one, whoever does not wait for its body.
    tally.add(served({ ...before, status: 503 }), { ...body, end: 'refused' }, null);
    expect(tally.take().live).toMatchObject([{ requests: 5, watched: { errors: 2, '!errors': 1, rejected: 2 } }]);
  });

  it('counts for the hour before a rollout what the guardrails of the config would have', () => {
    const tally = new LiveTally();
    const slow = (of: 'headers' | 'total', sloMs: number) => ({ metric: 'slow', slow: { sloMs, of } });
    const guardrails = [slow('headers', 19), slow('headers', 20), slow('total', 40), { metric: 'truncated' }];
    const route = { ...served().route, watched: watched(guardrails) } as unknown as Served['route'];
    const before = { inForce: { rollout: null, guardrails: [] }, variant: 'blue', route };
    for (const ended of [null, true, false]) tally.add(served(before), body, ended);
    for (const nobodys of [{ isEvidence: false }, { dealt: 'blue' }, { isPreview: true }]) {
      tally.add(served({ ...before, ...nobodys }), body, false);
    }
    expect(tally.take().live[0]!.watched).toEqual({
      ...{ 'slow:headers:19': 3, '!slow:headers:19': 3, 'slow:headers:20': 3 },
      ...{ 'slow:total:40': 3, '!slow:total:40': 3, truncated: 2, '!truncated': 1 },
    });
  });

  it('takes a failure for one by its headers, as where failover takes it away', () => {
    const slow = { metric: 'slow', per: 'unit', slow: { sloMs: 1_000, of: 'total' } };
    const guardrails = [{ metric: 'errors', per: 'unit' }, slow] as unknown as Served['inForce']['guardrails'];
    const seen = (end: BodyReport['end'], endedAtMs: number) => {
      const tally = new LiveTally();
      tally.add(served({ status: 503, inForce: { guardrails } }), { ...body, end, endedAtMs }, null);
      return tally.take().evidence[0]?.requests;
    };
    const failed = [{ variant: 'green', n: [1, 0], bad: [1, 0] }];
    expect(seen('refused', T0 + 50)).toEqual(failed);
    // How a stream would have ended nobody knows then.
    const tally = new LiveTally();
    const streams = [{ metric: 'truncated' }] as unknown as Served['inForce']['guardrails'];
    tally.add(served({ status: 503, inForce: { guardrails: streams } }), { ...body, end: 'refused' }, false);
    expect(tally.take().evidence).toEqual([]);
    expect(seen('complete', T0 + 5_000)).toEqual(failed);
  });

  it('counts a unit once a tick and variant, bad when it was bad once, and every request beside it', () => {
    const tally = new LiveTally();
    for (const status of [200, 500, 200]) tally.add(served({ status }), at(T0 + 1), null);
    tally.add(served({ unit: 'u-2' }), at(T0 + 2), null);
    tally.add(served(), at(T0 + 10_000), null);
    const { evidence } = tally.take();
    expect(evidence.map(({ tick }) => tick)).toEqual([T0 / 10_000, T0 / 10_000 + 1]);
    expect(evidence[0]!.units.map(([, variant, active, bad]) => [variant, active, bad])).toEqual([
      ['green', 3, 1],
      ['green', 3, 0],
    ]);
    expect(evidence[0]!.requests).toEqual([{ variant: 'green', n: [4, 4], bad: [1, 0] }]);
    expect(evidence[0]!.units[0]![0]).toMatch(/^[0-9a-f]{16}$/);
  });

  it('counts requests of nobody known one by one, as under two variants, and not by their address', () => {
    const tally = new LiveTally();
    const request = new Request('https://example.com/', { headers: { 'cf-connecting-ip': '192.0.2.1' } });
    for (let n = 0; n < 3; n++) tally.add(served({ request, unit: null, requestId: `id-${n}` }), at(T0 + n), null);
    expect(tally.take().evidence[0]!.units).toHaveLength(3);
  });

  it('judges slow by the time that is asked for, and streams by their end', () => {
    const tally = new LiveTally();
    const guardrails = [
      { metric: 'slow', per: 'request' as const, slow: { sloMs: 25, of: 'headers' as const } },
      { metric: 'slow', per: 'request' as const, slow: { sloMs: 25, of: 'firstByte' as const } },
      { metric: 'slow', per: 'request' as const, slow: { sloMs: 60, of: 'total' as const } },
      { metric: 'truncated', per: 'request' as const },
    ];
    const one = served({ inForce: { guardrails } });
    tally.add(one, body, null);
    tally.add(one, body, true);
    tally.add(one, body, false);
    tally.add(one, { ...body, end: 'cut' }, true);
    // How long the whole would have taken, nobody knows of what broke off.
    expect(tally.take().evidence[0]!.requests).toEqual([{ variant: 'green', n: [4, 4, 3, 3], bad: [0, 4, 0, 2] }]);
  });

  it('takes no answer that the visitor did not get for one that was fast enough', () => {
    const slow = { metric: 'slow', per: 'request' as const, slow: { sloMs: 25, of: 'headers' as const } };
    const tally = new LiveTally();
    const lost = { status: 503, isLost: true, inForce: { guardrails: [slow] } };
    tally.add(served(lost), body, null);
    tally.add(served({ ...lost, headersAtMs: T0 + 100 }), body, null);
    expect(tally.take().evidence[0]!.requests).toEqual([{ variant: 'green', n: [1], bad: [1] }]);
  });

  it('takes no failure for fast enough either, whatever became of it: both arms fail alike by a quota that they share', () => {
    const slow = { metric: 'slow', per: 'request' as const, slow: { sloMs: 25, of: 'headers' as const } };
    const route = { ...served().route, failover: { statuses: [429] } };
    const tally = new LiveTally();
    for (const changes of [{ variant: 'green', isLost: true }, { variant: 'blue' }]) {
      const all = { ...changes, route, inForce: { guardrails: [slow] } };
      tally.add(served({ ...all, status: 429 }), body, null);
      tally.add(served({ ...all, status: 429, headersAtMs: T0 + 100 }), body, null);
      tally.add(served({ ...all, isLost: false }), body, null);
    }
    expect(tally.take().evidence[0]!.requests).toEqual([
      { variant: 'green', n: [2], bad: [1] },
      { variant: 'blue', n: [2], bad: [1] },
    ]);
  });

  it('holds a client that left against the variant only where it was too slow by then', () => {
    const guardrails = (['headers', 'firstByte', 'total'] as const).map((of) => ({
      metric: 'slow',
      per: 'request' as const,
      slow: { sloMs: 1_000, of },
    }));
    const gaveUp = { status: null, errorCode: 'client_left' };
    const judged = (changes: Parameters<typeof served>[0], report: BodyReport) => {
      const tally = new LiveTally();
      tally.add(served({ ...changes, inForce: { guardrails } }), report, null);
      const { n, bad } = tally.take().evidence[0]?.requests[0] ?? { n: [0, 0, 0], bad: [0, 0, 0] };
      return { n, bad };
    };
    const late = { ...body, firstByteAtMs: null, endedAtMs: T0 + 5_000 };
    expect(judged({ ...gaveUp, headersAtMs: T0 + 5_000 }, late)).toEqual({ n: [1, 1, 1], bad: [1, 1, 1] });
    const soon = { ...body, firstByteAtMs: null, endedAtMs: T0 + 100 };
    expect(judged({ ...gaveUp, headersAtMs: T0 + 100 }, soon)).toEqual({ n: [0, 0, 0], bad: [0, 0, 0] });
    const inStream: BodyReport = { ...body, end: 'refused', endedAtMs: T0 + 500 };
    expect(judged({}, inStream)).toEqual({ n: [1, 1, 0], bad: [0, 0, 0] });
    expect(judged({}, { ...inStream, endedAtMs: T0 + 5_000 })).toEqual({ n: [1, 1, 1], bad: [0, 0, 1] });
  });

  it('counts no preview, whoever answers it', () => {
    const tally = new LiveTally();
    tally.add(served({ reason: 'preview', isEvidence: false, isPreview: true }), body, null);
    tally.add(served({ reason: 'json_unfit', variant: 'blue', isEvidence: false, isPreview: true }), body, null);
    tally.add(served({ variant: 'green' }), body, null);
    tally.spend(served({ reason: 'json_unfit', isPreview: true }), { tokensIn: 1, tokensOut: 2, cost: 3 });
    expect(tally.take().live).toMatchObject([{ variant: 'green', requests: 1 }]);
  });

  it('knows no cost of an answer whose model has no price', () => {
    const tally = new LiveTally();
    tally.add(served({}), body, null);
    tally.spend(served({}), { tokensIn: 1, tokensOut: 2, cost: null });
    expect(tally.take().live[0]).not.toHaveProperty('cost');
    tally.add(served({}), body, null);
    tally.spend(served({}), { tokensIn: 1, tokensOut: 2, cost: 3 });
    tally.spend(served({}), { tokensIn: 1, tokensOut: 2, cost: null });
    expect(tally.take().live).toMatchObject([{ tokensIn: 2, tokensOut: 4, cost: 3 }]);
  });

  it('thins out past its bound by hash alone, alike for both variants, and says where it cut', () => {
    const tally = new LiveTally();
    const units = MAX_BATCH_UNITS * 3;
    for (let n = 0; n < units; n++) {
      tally.add(served({ unit: `u-${n}`, variant: n % 2 === 0 ? 'blue' : 'green' }), body, null);
    }
    const [{ threshold, units: kept, requests } = { threshold: 0, units: [], requests: [] }] = tally.take().evidence;
    expect(kept.length).toBeLessThanOrEqual(MAX_BATCH_UNITS);
    expect(threshold).toBeLessThan(2 ** 32);
    expect(kept.every(([unit]) => Number.parseInt(unit.slice(0, 8), 16) < threshold)).toBe(true);
    const green = kept.filter(([, variant]) => variant === 'green').length;
    expect(Math.abs(green / kept.length - 0.5)).toBeLessThan(0.05);
    expect(requests.map(({ n }) => n[0])).toEqual([units / 2, units / 2]);
  });

  it('keeps its sample from whoever chooses units by their hash', () => {
    const tally = new LiveTally();
    const chosen: string[] = [];
    for (let n = 0; chosen.length < MAX_BATCH_UNITS + 100; n++)
      if (contentHash(`/u-${n}`).startsWith('00')) chosen.push(`u-${n}`);
    for (const unit of chosen) tally.add(served({ unit }), body, null, 'a secret');
    expect(tally.take().evidence[0]!.threshold).toBe(2 ** 31);
  });

  it('holds five minutes of ticks for a controller that is down, and its sample does not thin away', () => {
    const tally = new LiveTally();
    for (let tick = 0; tick < 400; tick++) {
      for (let n = 0; n < 50; n++) tally.add(served({ unit: `u-${tick}-${n}` }), at(T0 + tick * 10_000), null);
    }
    const { evidence, live } = tally.take();
    expect(evidence.map(({ tick }) => tick - T0 / 10_000)).toEqual(Array.from({ length: 30 }, (_, n) => 370 + n));
    expect(new Set(evidence.map(({ threshold }) => threshold))).toEqual(new Set([2 ** 32]));
    expect(live[0]!.requests).toBe(20_000);
  });

  it.each([1_000, 4_000])(
    'keeps a sample of %i units a tick that a rollout can see by, however long it waits',
    (units) => {
      const tally = new LiveTally();
      for (let tick = 0; tick < 30; tick++) {
        for (let n = 0; n < units; n++) tally.add(served({ unit: `u-${tick}-${n}` }), at(T0 + tick * 10_000), null);
      }
      const { evidence } = tally.take();
      expect(Math.min(...evidence.map(({ threshold }) => threshold))).toBeGreaterThanOrEqual(2 ** 29);
      expect(evidence.flatMap((one) => one.units).length).toBeGreaterThan(MAX_BATCH_UNITS / 4);
      expect(evidence.at(-1)!.tick).toBe(T0 / 10_000 + 29);
      // What is counted by request takes no room, and stays.
      expect(evidence.flatMap(({ requests }) => requests.map(({ n }) => n[0]))).toEqual(Array(30).fill(units));
    },
  );

  it('keeps a bounded number of counts, however often the split changes', () => {
    const tally = new LiveTally();
    for (let revision = 0; revision < 500; revision++) tally.add(served({ inForce: { revision } }), body, null);
    expect(tally.take().live).toHaveLength(64);
  });
});
