/**
 * Owns what `npm start -- --shadow` knows of the pairs: how they ended, how long both took, in which true languages the two
 * disagree and who was right. Pure and bounded. The truth is the traffic's own label, joined by request id.
 */

import type { ComparisonRow } from '../../records/rows.ts';
import type { LabelledText } from '../texts.ts';

/** Requests that may wait for their record; older ones are forgotten. */
const MAX_WAITING = 20_000;
const KEPT_TIMES = 2_000;

export interface LanguageRow {
  language: string;
  pairs: number;
  differ: number;
  /** Of the pairs that differ, as far as both answers are known. */
  baselineRight: number;
  candidateRight: number;
  neitherRight: number;
}

/** The language that each of the two says a text is in; null for no answer. */
export interface Answers {
  baseline: string | null;
  candidate: string | null;
}

/** A real text about which the two disagree. */
interface Disagreement extends LabelledText {
  times: number;
  answers: Answers | null;
}

export class ShadowBoard {
  readonly #waiting = new Map<string, LabelledText>();
  readonly #pairs = new Map<string, number>();
  /** By text: at most as many as the traffic has. */
  readonly #disagreements = new Map<string, Disagreement>();
  readonly #times: { baseline: number; candidate: number }[] = [];
  readonly classes: Record<string, number> = {};
  pairs = 0;
  skipped = 0;

  /** A text was sent; its record comes later. */
  sent(requestId: string, text: LabelledText): void {
    this.#waiting.set(requestId, text);
    if (this.#waiting.size > MAX_WAITING) this.#waiting.delete(this.#waiting.keys().next().value!);
  }

  /** A record of the comparisons dataset. Repeats and requests of others do not count. */
  record(row: Pick<ComparisonRow, 'requestId' | 'role' | 'class' | 'liveTotalMs' | 'candidateTotalMs'>): void {
    const sent = row.role === 'repeat' ? undefined : this.#waiting.get(row.requestId ?? '');
    if (sent === undefined) return;
    this.#waiting.delete(row.requestId!);
    if (row.class === 'skipped') {
      this.skipped++;
      return;
    }
    this.classes[row.class] = (this.classes[row.class] ?? 0) + 1;
    this.#pairs.set(sent.language, (this.#pairs.get(sent.language) ?? 0) + 1);
    if (row.class.endsWith('-mismatch')) {
      const known = this.#disagreements.get(sent.text);
      if (known) known.times++;
      else this.#disagreements.set(sent.text, { ...sent, times: 1, answers: null });
    }
    if (row.liveTotalMs !== undefined && row.candidateTotalMs !== undefined) {
      this.#times[this.pairs % KEPT_TIMES] = { baseline: row.liveTotalMs, candidate: row.candidateTotalMs };
    }
    this.pairs++;
  }

  /** Texts about which the two disagree, newest first. */
  disagreements(): Disagreement[] {
    return [...this.#disagreements.values()].reverse();
  }

  /** What both say of a text. */
  answered(text: string, answers: Answers): void {
    const disagreement = this.#disagreements.get(text);
    if (disagreement) disagreement.answers = answers;
  }

  /** Languages in which the two disagree, those first where they do most often. */
  languages(): LanguageRow[] {
    const rows = new Map<string, LanguageRow>();
    for (const { language, times, answers } of this.#disagreements.values()) {
      const none = { differ: 0, baselineRight: 0, candidateRight: 0, neitherRight: 0 };
      const row = rows.get(language) ?? { language, pairs: this.#pairs.get(language)!, ...none };
      rows.set(language, row);
      row.differ += times;
      if (answers === null) continue;
      if (answers.baseline === language) row.baselineRight += times;
      else if (answers.candidate === language) row.candidateRight += times;
      else row.neitherRight += times;
    }
    const share = ({ differ, pairs }: LanguageRow) => differ / pairs;
    return [...rows.values()].sort((a, b) => share(b) - share(a) || (a.language < b.language ? -1 : 1));
  }

  /** Of the newest 2,000 pairs: quantiles of both, and of what the candidate takes longer, pair by pair. */
  times(q: number): { baseline: number; candidate: number; slower: number } | null {
    if (this.#times.length === 0) return null;
    const at = (values: number[]) => values.sort((a, b) => a - b)[Math.ceil(q * values.length) - 1]!;
    return {
      baseline: at(this.#times.map(({ baseline }) => baseline)),
      candidate: at(this.#times.map(({ candidate }) => candidate)),
      slower: at(this.#times.map(({ baseline, candidate }) => candidate - baseline)),
    };
  }
}
