/**
 * Owns what the demo's visitors saw: who was answered by whom, when they asked, and how it went. Pure; it keeps every answer,
 * since the story is short. It is the visitors' side of the story, so that the controller's numbers can be held against it.
 */

import type { Visitor } from '../visitors.ts';

export interface Seen {
  /** Who answered; null when nobody did. */
  variant: string | null;
  visitor: Visitor;
  /** When the question was sent, epoch milliseconds. */
  sentAtMs: number;
  failed: boolean;
  ms: number;
}

interface Touched {
  requests: number;
  failed: number;
  /** Answered, but later than the given time. */
  slow: number;
  visitors: number;
  /** Visitors with a failed or a slow request. */
  harmed: number;
}

export class Ledger {
  readonly #seen: Seen[] = [];
  readonly #visitors = new Set<Visitor>();

  add(seen: Seen): void {
    this.#seen.push(seen);
    this.#visitors.add(seen.visitor);
  }

  /** How many visitors were ever answered. */
  get visitors(): number {
    return this.#visitors.size;
  }

  /** What a variant did to visitors with the questions sent from `sinceMs` on. */
  touched(variant: string, sinceMs: number, slowMs: number): Touched {
    const theirs = this.#since(sinceMs).filter((seen) => seen.variant === variant);
    const isSlow = ({ failed, ms }: Seen) => !failed && ms > slowMs;
    const visitors = (seen: readonly Seen[]) => new Set(seen.map(({ visitor }) => visitor)).size;
    return {
      requests: theirs.length,
      failed: theirs.filter(({ failed }) => failed).length,
      slow: theirs.filter(isSlow).length,
      visitors: visitors(theirs),
      harmed: visitors(theirs.filter((seen) => seen.failed || isSlow(seen))),
    };
  }

  /** Answers and failed ones to questions that were sent from `sinceMs` on. */
  count(sinceMs: number): { answers: number; failed: number } {
    const seen = this.#since(sinceMs);
    return { answers: seen.length, failed: seen.filter(({ failed }) => failed).length };
  }

  /** Share of each variant among the questions sent from `sinceMs` on, 0 to 1, by name; unanswered ones last. */
  shares(sinceMs: number): { variant: string | null; share: number }[] {
    const seen = this.#since(sinceMs);
    return [...Map.groupBy(seen, ({ variant }) => variant)]
      .sort(([a], [b]) => (a === null ? 1 : b === null ? -1 : a.localeCompare(b)))
      .map(([variant, theirs]) => ({ variant, share: theirs.length / seen.length }));
  }

  /** When the last question was sent that another than `variant` answered; null when there was none from `sinceMs` on. */
  lastToOthers(variant: string, sinceMs: number): number | null {
    return lastSent(this.#since(sinceMs).filter((seen) => seen.variant !== variant));
  }

  /** When the last question was sent that `variant` answered; null when there was none from `sinceMs` on. */
  lastTo(variant: string, sinceMs: number): number | null {
    return lastSent(this.#since(sinceMs).filter((seen) => seen.variant === variant));
  }

  #since(sinceMs: number): Seen[] {
    // Answers come nearly in the order of their questions; the few that do not are why this looks at all.
    return this.#seen.filter(({ sentAtMs }) => sentAtMs >= sinceMs);
  }
}

function lastSent(seen: readonly Seen[]): number | null {
  return seen.length === 0 ? null : seen.reduce((last, { sentAtMs }) => Math.max(last, sentAtMs), 0);
}
