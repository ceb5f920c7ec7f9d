/**
 * Owns what is known of one rollout, as plain JSON that survives restarts. A phase is derived and never stored, so a state
 * cannot contradict itself (paused and promoted, say). It refuses to decide anything: `advance.ts` does, and returns the next
 * state together with what must be done as data.
 */

import type { Judgement } from '../analysis/verdict.ts';
import type { Split } from '../config/split.ts';
import type { Guardrail } from '../config/types.ts';
import type { Result } from '../result.ts';
import type { Step } from './plan.ts';
import { iso } from './words.ts';

/** What a rollout does (design section 9). The last three are ends. */
export type Phase = 'progressing' | 'paused' | 'awaiting-approval' | 'promoted' | 'completed' | 'aborted';

/** A split as it stood or shall stand again. */
export interface Standing {
  /** 0 where the config's weights were in force. */
  revision: number;
  /** Percent by variant; sums to 100. */
  weights: Record<string, number>;
  /** Percent mirrored, by variant. */
  shadows: Record<string, number>;
  baseline: string;
  salt: string;
}

/** A split to publish, but for revision and time, which are the controller's. */
export type SplitDraft = Omit<Split, 'revision' | 'at'>;

/**
 * Why a rollout holds: a person; a step that did not pass in its longest time; a config that changed underneath; an experiment
 * that found the candidate worse, or cannot decide; a candidate that fails while the baseline it would return to is down.
 */
export type PauseCause = 'person' | 'late' | 'config' | 'experiment' | 'no-way-back';

/** Everything about one rollout. Stored as JSON: names must stay. */
export interface RolloutState {
  /** `r-<yyyymmdd>-<n>`. */
  id: string;
  route: string;
  /** The candidate. */
  to: string;
  baseline: string;
  /** Name of the plan, or `custom`. */
  plan: string;
  steps: Step[];
  guardrails: Guardrail[];
  /** What was in force when it started; a `rollback` without a revision returns to it. */
  before: Standing;
  /** The config's baseline and variantsHash at the start; when either changes, the rollout pauses. */
  configBaseline: string;
  variants: string;
  /** The route's variants that declared `health` at the start. */
  probed: string[];
  /** Id of the route's experiment at the start, where it had one. */
  experiment?: string;
  startedBy: string;
  startedMs: number;

  /** Index into `steps`. */
  step: number;
  /** Rises whenever a step begins or begins anew: evidence of an earlier run passes nothing. */
  stepRun: number;
  /** What it does when nothing holds it. */
  running: 'progressing' | 'awaiting-approval';
  pause: { cause: PauseCause; reason: string } | null;
  /** Weights set by hand are in force. */
  byHand: boolean;
  end: 'promoted' | 'completed' | 'aborted' | null;

  /** When the step began. */
  sinceMs: number;
  /** The step's time that counts towards `for`: while the controller was watching and nothing held the rollout. */
  creditedMs: number;
  /** The credited time at which the step pauses (`maxFor`); null where it has no longest time. */
  limitMs: number | null;
  /** The clock of the newest tick. */
  lastMs: number;
  /** What the step waits for, in sentences, by the newest tick. */
  waiting: string[];
  /** Why it is where it is. */
  reason: string;
  /** What this state publishes. A controller that wakes up and finds another split in KV publishes this one again. */
  split: SplitDraft;
}

/** The phase of a rollout. Weights by hand hold whatever else it would do. */
export function phaseOf(state: Pick<RolloutState, 'end' | 'pause' | 'byHand' | 'running'>): Phase {
  if (state.end !== null) return state.end;
  return state.byHand || state.pause !== null ? 'paused' : state.running;
}

/** What the route's evidence says at this moment. */
export interface Evidence {
  /** The `stepRun` that step counts belong to. */
  stepRun: number;
  /** By position in the rollout's guardrails; a missing one is no verdict. */
  judgements: readonly Judgement[];
  /** Candidate trials in this run of the step: live ones, and mirrored pairs that were compared. */
  samples: { live: number; compared: number };
  /** Whether each required guardrail of a step that takes all the traffic has an earlier baseline to be held against. */
  reference: boolean;
  /** What the experiment of an `experiment: true` step says; absent: nothing yet. */
  experiment?: { verdict: 'wait' | 'go' | 'stop'; sentence: string };
}

/** The evidence of a rollout for which nothing was gathered. */
export const noEvidence: Evidence = {
  stepRun: -1,
  judgements: [],
  samples: { live: 0, compared: 0 },
  reference: false,
};

/** All that the controller knows when it asks for the next state. */
export interface Seen {
  nowMs: number;
  /** Weights by hand are in force. The newest known: a failed read is not absence. */
  byHand: boolean;
  /** Isolates have lately reported that they serve by weights set by hand, which the controller does not see (yet, or any more). */
  isByHandElsewhere?: boolean;
  /** The route as the config describes it now; null when the config no longer has it. */
  config: { variants: string; names: readonly string[]; baseline: string } | null;
  evidence: Evidence;
  /** Health checks made just now, by variant. Where one that is needed is missing, a `probe` effect asks for it. */
  health?: Readonly<Record<string, { ok: boolean; detail: string }>>;
}

/** What a person may do to a running rollout. */
export type Command =
  | ({ kind: 'promote' | 'pause' | 'resume' | 'abort' } & By)
  /** `steady.ts` finds the target. `force`: also to variants that fail their health check. */
  | ({ kind: 'rollback'; target: Standing; force?: boolean } & By);

/** What can happen to a rollout. Ticks may come at any time: from alarms early or late, from every flush, twice. */
export type Input = { kind: 'tick' } | Command;

/** Who makes a move, and why, in one sentence. */
export interface By {
  actor: string;
  reason: string;
}

/** What the controller must do, in this order, after it has stored the state. Each may be done twice without harm. */
export type Effect =
  | { kind: 'publish'; split: SplitDraft }
  /** A promotion, or the way back from one: the config's new baseline and weights. A shadow of the new baseline would make the config faulty, so it goes. */
  | { kind: 'config'; baseline: string; weights: Record<string, number>; reason: string }
  | { kind: 'webhook'; event: RolloutEvent }
  /** Check the health of a variant and ask again, with the same input and `seen.health`. Nothing was decided yet. */
  | { kind: 'probe'; variant: string };

/** Where a rollout stands, in the words of history. */
interface Place {
  phase: Phase;
  /** From 1. */
  step: number;
  steps: number;
  weights: Record<string, number>;
  shadows: Record<string, number>;
}

/** What a line of history says was done. */
export type Action =
  | 'started'
  | 'advanced'
  | 'paused'
  | 'resumed'
  | 'awaiting-approval'
  | 'promoted'
  | 'completed'
  | 'aborted'
  | 'rolled-back';

/** A rollout’s line of history. */
export interface HistoryEntry {
  /** ISO 8601. */
  at: string;
  /** Who asked; `controller` for what evidence and time decided. */
  actor: string;
  action: Action;
  reason: string;
  before: Place | null;
  after: Place;
  /** The verdicts at that moment, in full sentences. */
  evidence: string[];
}

/** What webhooks tell. `text` is the sentence for people (Slack). */
export interface RolloutEvent {
  route: string;
  rollout: string;
  to: string;
  baseline: string;
  entry: HistoryEntry;
  text: string;
}

/** The next state, what to do, and what to write into the history (only when something changed that people care about). */
export interface Moved {
  state: RolloutState;
  effects: Effect[];
  entry?: HistoryEntry;
}

/** Why a call was refused: a word for programs, a sentence, and what to do instead. Answered with 409. */
export interface Refusal {
  code:
    | 'ended'
    | 'manual'
    | 'no_config'
    | 'variants_changed'
    | 'guardrail_fails'
    | 'unhealthy'
    | 'already_paused'
    | 'not_paused'
    | 'unknown_variant'
    | 'already_baseline';
  detail: string;
  mend: string;
}

/** The next state, or why a command is refused. */
export type Answer = Result<Moved, Refusal>;

/** Where a state stands. */
export function placeOf(state: RolloutState): Place {
  const { weights, shadows } = state.split;
  return { phase: phaseOf(state), step: state.step + 1, steps: state.steps.length, weights, shadows };
}

/** The step that a state is in. */
export const stepOf = (state: Pick<RolloutState, 'steps' | 'step'>): Step => state.steps[state.step]!;

/** Whether variants or baseline of the route are no longer those that the rollout started with. */
export function changedUnderneath(state: RolloutState, { config }: Pick<Seen, 'config'>): boolean {
  return config === null || config.variants !== state.variants || config.baseline !== state.configBaseline;
}

/** The next id of a route's rollouts on the day (UTC) of `nowMs`; `earlier` are the ids that were given out. */
export function nextRolloutId(nowMs: number, earlier: readonly string[]): string {
  const prefix = `r-${iso(nowMs).slice(0, 10).replaceAll('-', '')}-`;
  const numbers = earlier.filter((id) => id.startsWith(prefix)).map((id) => Number(id.slice(prefix.length)) || 0);
  return `${prefix}${Math.max(0, ...numbers) + 1}`;
}

/** The config as the rollout found it at its start. Stands in while it cannot be read: a failed read is not absence. */
export function asAtTheStart({ variants, before, configBaseline }: RolloutState): NonNullable<Seen['config']> {
  return { variants, names: Object.keys(before.weights), baseline: configBaseline };
}

/** Whether a state only holds the candidate back (aborted or paused): such a move needs no look at the config. */
export function holdsBack({ end, pause }: RolloutState): boolean {
  return end === 'aborted' || (end === null && pause !== null);
}
