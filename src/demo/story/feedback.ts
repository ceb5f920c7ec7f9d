/**
 * Owns the feedback of the story's visitors: whether an answer was right, posted back with its receipt as a backend would do it,
 * several at once. It is silent until an act asks for it.
 */

import { METRIC, ROUTE } from './config.ts';

const POST_EVERY_MS = 250;
/** As many as one call takes. */
const MAX_AT_ONCE = 100;

export class Feedback {
  readonly #url: string;
  #timer: ReturnType<typeof setInterval> | null = null;
  #waiting: { route: string; metric: string; value: boolean; receipt: string }[] = [];
  #posting: Promise<void> = Promise.resolve();
  /** Outcomes that were taken, and those that were not. */
  taken = 0;
  refused = 0;

  constructor(url: string) {
    this.#url = `${url}/_headgate/outcomes`;
  }

  begin(): void {
    this.#timer ??= setInterval(() => this.#post(), POST_EVERY_MS);
  }

  /** Posts what is left, and is silent again. */
  async end(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#post();
    await this.#posting;
  }

  add(receipt: string | null, right: boolean | null): void {
    if (this.#timer === null || receipt === null || right === null) return;
    this.#waiting.push({ route: ROUTE, metric: METRIC, value: right, receipt });
  }

  /** One call after another, in the order of the answers. */
  #post(): void {
    while (this.#waiting.length > 0) {
      const outcomes = this.#waiting.splice(0, MAX_AT_ONCE);
      this.#posting = this.#posting.then(() => this.#send(outcomes));
    }
  }

  async #send(outcomes: readonly unknown[]): Promise<void> {
    const counted = await fetch(this.#url, { method: 'POST', body: JSON.stringify(outcomes) })
      .then(async (answer) => (answer.ok ? ((await answer.json()) as { counted: number }).counted : 0))
      // A Headgate that is gone takes nothing; the story notices that by itself.
      .catch(() => 0);
    this.taken += counted;
    this.refused += outcomes.length - counted;
  }
}
