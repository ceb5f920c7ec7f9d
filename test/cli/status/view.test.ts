import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { RouteStatus } from '../../../src/cli/route.ts';
import { listLines } from '../../../src/cli/status/list.ts';
import { statusLines } from '../../../src/cli/status/view.ts';
import { widthOf } from '../../../src/cli/text.ts';
import { describeRollout, type RolloutStatus } from '../../../src/rollout/describe.ts';
import type { RolloutState } from '../../../src/rollout/state.ts';
import { started, T0, watched } from '../../rollout/world.ts';
import { nowMs, quiet, rolloutWith, statusWith } from '../api.ts';

const screen = (columns = 80, colours = false) => ({ columns, paint: createColors(colours), nowMs });
const page = (status: RouteStatus, columns = 80) => statusLines(status, screen(columns)).join('\n');
const rolling = (rollout: Partial<RolloutStatus> = {}, status: Partial<RouteStatus> = {}) =>
  statusWith({ rollout: rolloutWith(rollout), ...status });

describe('the picture of a route', () => {
  it('shows traffic, steps, guardrails with their numbers, and what comes next and when', () => {
    expect(`\n${page(rolling())}`).toBe(`
detect   revision 12 by controller, 4 min 10 s ago
  step 2 of 4: errors 0.90 % vs 1.00 %, pass

           weight                            requests  failed   p50   p95    p99
  blue *     75 %  ██████████████████░░░░░░     9,800   1.0 %  12.0  48.0   91.4
  green      25 %  ██████░░░░░░░░░░░░░░░░░░     1,043   1.2 %  13.0  52.0  1,204
  * baseline; the last ten minutes, times in ms

rollout r-20261123-1 to green (canary), started 14 min 10 s ago by ci
  ● progressing
  ✔ 1  5 % for 10 min, 1,000 samples
  ● 2  25 % for 10 min, 1,000 samples
  ○ 3  50 % for 10 min, 1,000 samples
  ○ 4  100 % for 10 min, 1,000 samples

guardrails
  ✔ errors  pass  critical, required
    candidate 12 bad of 1,043 (1.15 %), baseline 98 bad of 9,800 (1.00 %)
    E 0.41, stops at 200; at most +0.31 pp (95 % sure), allowed +0.50 pp
    errors: candidate 12 bad of 1,043 unit checks (1.15 %), baseline 98 of 9,800
    (1.00 %); up 0.15 pp, at most 0.31 pp (95 % sure), allowed 0.50 pp: pass

why        step 2 of 4: errors 0.90 % vs 1.00 %, pass
waits for  6 min more of the step's 10 min
then       weight 50 % (step 3 of 4) if the guardrails pass
when       not before 10:14:20 UTC, in 5 min 50 s`);
  });

  it.each<[RolloutStatus['phase'], Partial<RolloutStatus>, RegExp[]]>([
    ['progressing', {}, [/● progressing/, /✔ 1 .*\n {2}● 2 .*\n {2}○ 3/, /not before/]],
    [
      'paused',
      { waitsFor: 'a person to resume, promote or abort it: held for lunch', nextAt: null },
      [/‖ paused/, /‖ 2 /, /waits for +a person to resume, promote or abort it: held for lunch/],
    ],
    [
      'awaiting-approval',
      {
        waitsFor: 'a person to promote it (headgate rollout promote detect) or to abort it',
        nextAt: null,
        nextIs: 'weight 50 % (step 3 of 4) when a person promotes it',
      },
      [/\? awaiting-approval/, /\? 2 /, /then +weight 50 % \(step 3 of 4\) when a person promotes it/],
    ],
    ['promoted', { step: 4, waitsFor: null, nextAt: null, nextIs: null }, [/✔ promoted/, /✔ 1 [\s\S]*✔ 4 /]],
    ['completed', { step: 4, waitsFor: null, nextAt: null, nextIs: null }, [/✔ completed/, /✔ 4 /]],
    [
      'aborted',
      { waitsFor: null, nextAt: null, nextIs: null, reason: 'errors: fail' },
      [/✗ aborted/, /✗ 2 .*\n {2}○ 3/, /why +errors: fail/],
    ],
  ])('tells the phase %s without colour, by marks of its own', (phase, changes, words) => {
    const told = page(rolling({ phase, ...changes }));
    for (const word of words) expect(told).toMatch(word);
    if (changes.nextAt === null) expect(told).not.toMatch(/^when/m);
    if (changes.waitsFor === null) expect(told).not.toMatch(/^(waits for|then)/m);
  });

  it('says that only the longest time is left once the step’s own is over', () => {
    const told = page(rolling({ waitsFor: '400 of 1,000 samples', nextAt: '2026-11-23T10:44:20Z' }));
    expect(told).toMatch(/when +as soon as it has that; else paused at 10:44:20 UTC, in 35 min 50 s/);
  });

  it.each<[string, () => RolloutState, number, RegExp]>([
    ['before the first look', () => started(), 0, /not before 10:00:10/],
    [
      'within the step’s time',
      () => watched(started(), 'inconclusive', 4_000).state,
      4_000,
      /weight 50 % \(step 2 of 3\) if the\s+guardrails pass[\s\S]*not before 10:00:10/,
    ],
    ['after it', () => watched(started(), 'marginal', 20_000).state, 20_000, /else paused at 10:00:40/],
  ])('understands the sentences of a real rollout %s', (_, make, afterMs, words) => {
    const rollout = describeRollout(make(), [], T0 + afterMs);
    expect(page(statusWith({ rollout }))).toMatch(words);
  });

  it.each<[string, Partial<RolloutStatus['guardrails'][number]>, RegExp[]]>([
    ['fail', { verdict: 'fail', e: 41_000_000 }, [/✗ errors {2}fail/, /E 10\^7, stops at 200/]],
    ['marginal', { verdict: 'marginal', upper: 0.012 }, [/~ errors {2}marginal/, /at most \+1\.20 pp/]],
    [
      'inconclusive',
      { verdict: 'inconclusive', candidate: { n: 0, bad: 0 }, baseline: { n: 0, bad: 0 }, upper: null, margin: null },
      [/… errors {2}inconclusive/, /candidate none yet, baseline none yet/, /no bound yet/],
    ],
  ])('shows a verdict of %s with its own mark', (_, changes, words) => {
    const [guardrail] = rolloutWith().guardrails;
    const told = page(rolling({ guardrails: [{ ...guardrail!, ...changes }] }));
    for (const word of words) expect(told).toMatch(word);
  });

  it('says loudly that weights are set by hand, and how that ends', () => {
    const inForce = { ...statusWith().inForce, source: 'weights' as const, notes: ['weights set by hand'] };
    const told = page(statusWith({ byHand: { blue: 100 }, inForce }));
    expect(told).toMatch(/! weights set by hand; to end that: headgate manual clear detect/);
    expect(told.match(/set by hand/g)).toHaveLength(1);
    expect(told).toMatch(/^detect {3}by hand, over revision \d+ by /);
    expect(told).not.toContain(statusWith().split.reason);
  });

  it('says that weights by hand are refused, why, how to mend them, and what stays in force', () => {
    const byHandFault = { path: '$', reason: 'weights sum to 97, not 100', mend: 'give the missing 3 to "blue"' };
    expect(page(statusWith({ byHandFault })).replace(/\s+/g, ' ')).toContain(
      '! weights:detect in KV is refused, so it moves no traffic: weights sum to 97, not 100; give the missing 3 to ' +
        '"blue"; or take it away: headgate manual clear detect',
    );
    const later = { byHandFault: { ...byHandFault, path: 'blue' }, byHand: { blue: 100 } };
    expect(page(statusWith(later)).replace(/\s+/g, ' ')).toMatch(/so the weights before it stay: blue: weights sum/);
  });

  it('says that KV has not taken the split yet', () => {
    expect(page(statusWith({ warnings: ['KV has not taken the split yet'] }))).toContain(
      '! KV has not taken the split yet',
    );
  });

  it('says why a split is not served, and what is mirrored', () => {
    const inForce = { ...statusWith().inForce, shadows: { green: 100 }, notes: ['the variants have changed'] };
    expect(page(statusWith({ inForce }))).toMatch(/! the variants have changed\n {2}mirrored: green 100 %/);
  });

  it('has dashes and no zeros where there was no traffic', () => {
    expect(page(statusWith({ live: { blue: quiet, green: quiet } }))).toMatch(/blue \* .* 0 +– +– +– +–/);
  });

  it.each([40, 60, 80, 120, 200])('keeps within %i columns, in colour and without', (columns) => {
    const long = { reason: 'because '.repeat(30), startedBy: 'someone with a very long name indeed '.repeat(2) };
    for (const colours of [false, true]) {
      const lines = statusLines(rolling(long), screen(columns, colours));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
      for (const line of lines) expect(widthOf(line.replace(/\u001b\[\d+m/g, ''))).toBeLessThanOrEqual(columns);
    }
  });

  it('never lets what people wrote command the terminal', () => {
    const told = page(rolling({ reason: 'x\u001b[2J', startedBy: '\u0007' }));
    expect(told).toContain('x�[2J');
    expect(told).not.toContain('\u0007');
  });
});

describe('the list of routes', () => {
  it('has a line for each, with what is in force, by whom, and the rollout', () => {
    const other = statusWith({
      name: 'chat',
      inForce: { ...statusWith().inForce, weights: { blue: 100 }, source: 'config' },
    });
    const lines = listLines([rolling(), other], Number.POSITIVE_INFINITY);
    expect(lines[1]).toMatch(
      /detect +blue 75 %, green 25 % +split +12 +10,843 +1\.0 % +to green: progressing, step 2 of 4/,
    );
    expect(lines[2]).toMatch(/chat +blue 100 % +config/);
  });

  it('says of a route whose controller is silent that nothing is known of its rollout', () => {
    const silent = statusWith({ live: {}, warnings: ['its controller does not answer'] });
    const [, line] = listLines([silent], Number.POSITIVE_INFINITY);
    expect(line).toMatch(/detect +blue 75 %, green 25 % +split +12 +0 +– +its controller does not answer$/);
  });
});
