/**
 * Owns what the demo shows of its traffic: for each variant its share just now, how many answers were right, and how long
 * they took. Pure and bounded: it may run for days. It is a spectator's view, no evidence: nothing decides by it.
 */

export interface Answer {
  /** Who answered; null when nobody did. */
  variant: string | null;
  /** The true language of the text that was sent. */
  language: string;
  /** Whether the model found that language; null when it gave no answer (a failed request). */
  right: boolean | null;
  ms: number;
}

export interface Row {
  variant: string | null;
  /** Share of the answers of the last 10 s, 0 to 1. */
  shareNow: number;
  answers: number;
  failed: number;
  /** Of the answers that were not failed, 0 to 1; 0 when there are none. */
  accuracy: number;
  /** Of the newest 1,000 answers. */
  p50Ms: number;
  p95Ms: number;
  /** Languages that it gets wrong more often than not, after ten tries at least. */
  weakLanguages: string[];
}

interface Tally {
  answers: number;
  failed: number;
  right: number;
  times: number[];
  perSecond: Map<number, number>;
  languages: Map<string, { tried: number; right: number }>;
}

const RECENT_SECONDS = 10;
const KEPT_TIMES = 1_000;
const MIN_TRIES = 10;

export class Scoreboard {
  readonly #tallies = new Map<string | null, Tally>();

  add(answer: Answer, nowMs: number): void {
    const tally = this.#tally(answer.variant);
    tally.times[tally.answers % KEPT_TIMES] = answer.ms;
    tally.answers++;
    const second = Math.floor(nowMs / 1_000);
    tally.perSecond.set(second, (tally.perSecond.get(second) ?? 0) + 1);
    for (const old of tally.perSecond.keys()) {
      if (old <= second - RECENT_SECONDS) tally.perSecond.delete(old);
    }
    if (answer.right === null) {
      tally.failed++;
      return;
    }
    const language = tally.languages.get(answer.language) ?? { tried: 0, right: 0 };
    tally.languages.set(answer.language, language);
    language.tried++;
    if (answer.right) {
      language.right++;
      tally.right++;
    }
  }

  /** One row for each variant that ever answered, by name; unanswered requests last. */
  rows(nowMs: number): Row[] {
    const recent = new Map([...this.#tallies].map(([variant, tally]) => [variant, recentAnswers(tally, nowMs)]));
    const all = [...recent.values()].reduce((sum, count) => sum + count, 0);
    return [...this.#tallies]
      .sort(([a], [b]) => (a === null ? 1 : b === null ? -1 : a.localeCompare(b)))
      .map(([variant, tally]) => ({
        variant,
        shareNow: all === 0 ? 0 : recent.get(variant)! / all,
        answers: tally.answers,
        failed: tally.failed,
        accuracy: tally.answers === tally.failed ? 0 : tally.right / (tally.answers - tally.failed),
        p50Ms: quantile(tally.times, 0.5),
        p95Ms: quantile(tally.times, 0.95),
        weakLanguages: weakLanguages(tally),
      }));
  }

  #tally(variant: string | null): Tally {
    let tally = this.#tallies.get(variant);
    if (tally === undefined) {
      tally = { answers: 0, failed: 0, right: 0, times: [], perSecond: new Map(), languages: new Map() };
      this.#tallies.set(variant, tally);
    }
    return tally;
  }
}

function recentAnswers(tally: Tally, nowMs: number): number {
  const oldest = Math.floor(nowMs / 1_000) - RECENT_SECONDS;
  let count = 0;
  for (const [second, answers] of tally.perSecond) if (second > oldest) count += answers;
  return count;
}

function weakLanguages(tally: Tally): string[] {
  return [...tally.languages]
    .filter(([, { tried, right }]) => tried >= MIN_TRIES && right * 2 < tried)
    .map(([language]) => language)
    .sort();
}

/** Nearest rank on a sorted copy: exact, and quick enough for 1,000 values a second. */
function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return 0;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)]!;
}
