import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/analysis/verdict.ts';
import { advance } from '../../src/rollout/advance.ts';
import type { Step } from '../../src/rollout/plan.ts';
import { type Phase, phaseOf, type RolloutState, type Seen } from '../../src/rollout/state.ts';
import { isLegal, transitions } from '../../src/rollout/transitions.ts';
import { command, config, evidence, seen, started, step } from './world.ts';

const down = { ok: false, detail: 'answered 503' };
const up = { ok: true, detail: 'answered 200' };

const short = { forMs: 4_000, maxForMs: 8_000 };
const preview = step({ weight: 0, forMs: 0, maxForMs: undefined, approval: true });

const plans: Step[][] = [
  [step({ weight: 50, ...short }), step({ weight: 100, ...short })],
  [preview, step({ weight: 100, ...short })],
  [step({ shadow: 100, ...short })],
  [preview, step({ weight: 9, approval: true, ...short })],
  [step({ weight: 5, ...short }), step({ weight: 5, forMs: 0, maxForMs: undefined, approval: true })],
  [preview, preview],
];

interface Edge {
  input: ReturnType<typeof command>['kind'] | 'tick';
  to: RolloutState;
}

/** Every change that inputs can lead to, by brute force: all commands and looks, until no new state turns up. */
function explore(): Set<string> {
  const changes = new Set<string>();
  const known = new Set<string>();
  const open = plans.map((steps) => ({ ...started(steps, { steps }), probed: ['blue', 'green'] }));
  while (open.length > 0) {
    const from = open.pop()!;
    for (const { input, to } of edgesOf(from)) {
      const stays = phaseOf(from) === phaseOf(to) && from.step === to.step;
      if (input !== 'tick' || !stays) changes.add(`${phaseOf(from)} ${input} ${phaseOf(to)}`);
      const { step, creditedMs, limitMs, running, pause, byHand, end } = to;
      const key = [plans.indexOf(to.steps), step, creditedMs, limitMs, running, pause?.cause, byHand, end].join();
      if (!known.has(key) && (limitMs ?? 0) <= 16_000 && creditedMs <= 16_000) open.push(to);
      known.add(key);
    }
  }
  return changes;
}

const health = { blue: up, green: up };
const looks: { verdict: Verdict; changes: Partial<Seen> }[] = [
  ...(['pass', 'fail', 'inconclusive'] as const).map((verdict) => ({ verdict, changes: { health } })),
  { verdict: 'pass', changes: { health, byHand: true } },
  { verdict: 'pass', changes: { health, config: { ...config, variants: 'hash-2' } } },
  { verdict: 'fail', changes: { health: { blue: down, green: down } } },
];

function edgesOf(from: RolloutState): Edge[] {
  return looks.flatMap(({ verdict, changes }) => {
    const now = seen(from.lastMs + 4_000, evidence(from, verdict), changes);
    return (['tick', 'promote', 'pause', 'resume', 'abort', 'rollback'] as const).flatMap((input) => {
      const answer = advance(from, input === 'tick' ? { kind: 'tick' } : command(input), now);
      return answer.ok ? [{ input, to: answer.value.state }] : [];
    });
  });
}

describe('the table of transitions', () => {
  const happened = explore();

  it('has everything that can happen', () => {
    const missing = [...happened].filter((change) => {
      const [from, input, to] = change.split(' ') as [Phase, Edge['input'], Phase];
      return !isLegal(from, input, to);
    });
    expect(missing).toEqual([]);
  });

  it('has nothing that cannot happen', () => {
    const rows = transitions.map(({ from, input, to }) => `${from} ${input} ${to}`);
    expect(rows.filter((row) => !happened.has(row))).toEqual([]);
  });

  it('names no transition twice', () => {
    const rows = transitions.map(({ from, input, to }) => `${from} ${input} ${to}`);
    expect(new Set(rows).size).toBe(rows.length);
  });
});
