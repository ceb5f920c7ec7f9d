import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { ChangedRoute } from '../../../src/cli/route.ts';
import type { Moment, StoryApi } from '../../../src/demo/story/api.ts';
import { Feedback } from '../../../src/demo/story/feedback.ts';
import { runRollout, type Stage, secondsOf } from '../../../src/demo/story/follow.ts';
import { Ledger } from '../../../src/demo/story/ledger.ts';
import { FAST } from '../../../src/demo/story/plans.ts';
import { Teller } from '../../../src/demo/story/teller.ts';

const moment = (action: string, second: number): Moment => ({
  at: `2026-11-24T10:00:0${second}.000Z`,
  actor: 'controller',
  action,
  reason: `because of ${action}`,
  after: { weights: { blue: 50, green: 50 }, step: 2, steps: 2 },
});

/** A Headgate whose history grows by one at each look at the status, and whose phase is that of its newest moment. */
function stageOf(actions: string[], phases: Record<string, string>): { stage: Stage; said: string[] } {
  const said: string[] = [];
  let seen = 0;
  // Something that happened before this rollout.
  const past = [moment('promoted', 0)];
  const rollout = () => ({
    phase: phases[actions[seen]!] ?? 'progressing',
    startedAt: moment('', 1).at,
    waitsFor: null,
  });
  const api = {
    start: async () => ({ rollout: rollout(), warnings: ['step 1 of 2 will be late'] }) as unknown as ChangedRoute,
    status: async () => {
      seen++;
      return { rollout: rollout() } as ChangedRoute;
    },
    history: async () =>
      [
        ...past,
        ...(said.includes('asked') ? actions.slice(0, seen + 1).map((action, i) => moment(action, i + 1)) : []),
      ].reverse(),
  } as unknown as StoryApi;
  const { start } = api;
  api.start = (...asked) => {
    said.push('asked');
    return start(...asked);
  };
  const screen = { columns: 80, paint: createColors(false) };
  const teller = new Teller({
    screen,
    out: (text) => said.push(text.trim().replace(/^[\d.]+ s {2}/, '')),
    now: () => 0,
  });
  const { signal } = new AbortController();
  const feedback = new Feedback('http://127.0.0.1:1');
  return { stage: { api, ledger: new Ledger(), teller, plans: FAST, feedback, stopping: signal }, said };
}

const asked = { to: 'green', plan: FAST.canary, reason: 'release 2' };

describe('the watching of a rollout', () => {
  it('tells each of its moments once, in order, and none from before it', async () => {
    const { stage, said } = stageOf(['started', 'advanced', 'promoted'], { promoted: 'promoted' });
    const followed = await runRollout(stage, asked);
    expect(followed.moments.map(({ action }) => action)).toEqual(['started', 'advanced', 'promoted']);
    expect(said.filter((line) => /^(started|advanced|promoted)\b.*:/.test(line))).toEqual([
      'started: blue 50 %, green 50 %',
      'advanced to step 2 of 2: blue 50 %, green 50 %',
      'promoted: blue 50 %, green 50 %',
    ]);
    expect(secondsOf(followed)).toBe(2);
  });

  it('passes on what the start warned of, but not where no traffic moves', async () => {
    const moving = stageOf(['started'], { started: 'completed' });
    await runRollout(moving.stage, asked);
    expect(moving.said).toContain('! step 1 of 2 will be late');
    const mirroring = stageOf(['started'], { started: 'completed' });
    await runRollout(mirroring.stage, { ...asked, plan: FAST.shadow });
    expect(mirroring.said.join()).not.toContain('!');
  });

  it('does not wait for a rollout that waits for a person', async () => {
    const { stage } = stageOf(['started', 'paused'], { paused: 'paused' });
    expect((await runRollout(stage, asked)).rollout.phase).toBe('paused');
  });

  it('ends when the story is stopped', async () => {
    const { stage } = stageOf(['started', 'advanced'], {});
    const stopping = AbortSignal.timeout(50);
    await expect(runRollout({ ...stage, stopping }, asked)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
