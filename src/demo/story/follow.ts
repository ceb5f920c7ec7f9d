/** Owns the watching of one rollout: it asks again and again, and tells what is new, until it is over or needs a person. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { RolloutStatus } from '../../rollout/describe.ts';
import type { Guardrails, Moment, StoryApi } from './api.ts';
import type { Feedback } from './feedback.ts';
import type { Ledger } from './ledger.ts';
import type { Plans } from './plans.ts';
import type { Teller } from './teller.ts';

/** What every act of the story has at hand. */
export interface Stage {
  api: StoryApi;
  ledger: Ledger;
  teller: Teller;
  plans: Plans;
  feedback: Feedback;
  /** Ends the story; whatever waits then rejects. */
  stopping: AbortSignal;
}

/** A rollout that was watched to its end. */
interface Followed {
  rollout: RolloutStatus;
  /** Its part of the history, oldest first. */
  moments: Moment[];
}

const LOOK_MS = 400;
const LIVE_EVERY_MS = 4_000;
/** The share of the last seconds. */
export const LIVE_WINDOW_MS = 3_000;
/** Longer than any plan of the story may take, on a machine that keeps up at all. */
const PATIENCE_MS = 180_000;

/** Starts a rollout and watches it. What it warned of at the start is told too. */
export async function runRollout(
  stage: Stage,
  asked: { to: string; plan: Parameters<StoryApi['start']>[1]; guardrails?: Guardrails; reason: string },
): Promise<Followed> {
  const { api, teller, ledger, stopping } = stage;
  const earlier = (await api.history()).length;
  const { rollout, warnings } = await api.start(asked.to, asked.plan, asked.reason, asked.guardrails);
  // The controller hears of the traffic with the first flush, which a plan that moves none need not wait for.
  const movesTraffic = asked.plan.some(({ weight }) => weight !== undefined);
  const moments: Moment[] = [];
  const until = Date.now() + PATIENCE_MS;
  let liveAtMs = Date.now() + LIVE_EVERY_MS;
  for (let now = rollout!; ; ) {
    const fresh = (await api.history()).reverse().slice(earlier + moments.length);
    for (const moment of fresh) teller.history(moment);
    if (moments.length === 0 && movesTraffic) for (const warning of warnings) teller.detail(`! ${warning}`);
    moments.push(...fresh);
    if (fresh.length > 0) liveAtMs = Date.now() + LIVE_EVERY_MS;
    if (now.phase !== 'progressing' || Date.now() > until) return { rollout: now, moments };
    if (Date.now() >= liveAtMs) {
      teller.live(ledger, Date.now() - LIVE_WINDOW_MS);
      // The first of several things it waits for; the others are told when the step has passed.
      if (now.waitsFor !== null) teller.detail(`waits for: ${now.waitsFor.split('; ')[0]}`);
      liveAtMs += LIVE_EVERY_MS;
    }
    await sleep(LOOK_MS, undefined, { signal: stopping });
    now = (await api.status()).rollout!;
  }
}

/** Seconds from the start of a rollout to its newest moment. */
export function secondsOf({ rollout, moments }: Followed): number {
  return (Date.parse(moments.at(-1)!.at) - Date.parse(rollout.startedAt)) / 1000;
}
