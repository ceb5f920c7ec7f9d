/**
 * Owns the plans of the demo's story, as they go into the calls: real ones with their times made short. With so few samples a
 * bound is wide, so the guardrails allow more than a service should; the demo says so.
 */

/** What is slow, to headers. The models need a few milliseconds, also on a busy machine far less than this; the broken release more. */
export const SLO_MS = 400;

export const GUARDRAILS = [
  { metric: 'errors', critical: true, required: true, maxIncrease: 0.05 },
  { metric: 'rejected', critical: true, required: true, maxIncrease: 0.05 },
  { metric: 'slow', sloMs: SLO_MS, critical: true, required: true, maxIncrease: 0.15 },
] as const;

/** Where visitors say whether an answer was right. */
export const FEEDBACK_GUARDRAILS = [
  ...GUARDRAILS,
  { metric: 'outcome:correct', critical: true, required: true, maxIncrease: 0.05 },
] as const;

export interface StoryStep {
  shadow?: number;
  weight?: number;
  for: string;
  minSamples: number;
}

export interface Plans {
  shadow: StoryStep[];
  canary: StoryStep[];
  /** Its first step would last far longer than it takes to stop a bad release. */
  broken: StoryStep[];
  /** How long the traffic stays where a switch has brought it. */
  switchedMs: number;
  /** How long is looked after a way back whether anybody still gets there. */
  settleMs: number;
}

export const FULL: Plans = {
  shadow: [{ shadow: 100, for: '14s', minSamples: 300 }],
  canary: [
    { weight: 10, for: '12s', minSamples: 30 },
    { weight: 25, for: '10s', minSamples: 50 },
    { weight: 50, for: '10s', minSamples: 100 },
    { weight: 100, for: '10s', minSamples: 100 },
  ],
  broken: [
    { weight: 10, for: '40s', minSamples: 200 },
    { weight: 100, for: '40s', minSamples: 200 },
  ],
  switchedMs: 6_000,
  settleMs: 4_000,
};

/** For tests: the same story, told in a hurry. */
export const FAST: Plans = {
  shadow: [{ shadow: 100, for: '3s', minSamples: 60 }],
  canary: [
    { weight: 50, for: '3s', minSamples: 20 },
    { weight: 100, for: '2s', minSamples: 10 },
  ],
  broken: [
    { weight: 20, for: '40s', minSamples: 200 },
    { weight: 100, for: '40s', minSamples: 200 },
  ],
  switchedMs: 1_000,
  settleMs: 2_000,
};
