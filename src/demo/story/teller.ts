/**
 * Owns how the story is told on a terminal as it happens: acts, moments with their time, verdicts, live shares. It breaks lines
 * where the terminal ends, needs no colour to be understood, and knows nothing of what it tells.
 */

import { bar, percent, shares } from '../../cli/figures.ts';
import { columnsOfScreen, type Screen } from '../../cli/screen.ts';
import { safe, wrap } from '../../cli/text.ts';
import type { Moment } from './api.ts';
import type { Ledger } from './ledger.ts';

/** Columns of the time before each line. */
const MARGIN = 9;
const BAR_WIDTH = 10;
/** What happens because the verdicts say so: their reason is the same in fewer words. */
const ON_VERDICTS = ['advanced', 'promoted'];

export class Teller {
  readonly #screen: Screen;
  readonly #out: (text: string) => void;
  readonly #now: () => number;
  #actAtMs: number;

  constructor({ screen, out, now }: { screen: Screen; out: (text: string) => void; now: () => number }) {
    this.#screen = screen;
    this.#out = out;
    this.#now = now;
    this.#actAtMs = now();
  }

  /** A plain paragraph. */
  say(text: string): void {
    for (const line of wrap(text, columnsOfScreen(this.#screen))) this.#out(line);
  }

  /** Begins an act: its times count from here. */
  act(title: string, sentence: string): void {
    this.#actAtMs = this.#now();
    this.#out('');
    for (const line of wrap(title, columnsOfScreen(this.#screen), '   ')) this.#out(this.#screen.paint.bold(line));
    this.say(sentence);
    this.#out('');
  }

  /** Something happened just now. */
  moment(text: string): void {
    const seconds = `${((this.#now() - this.#actAtMs) / 1000).toFixed(1)} s`.padStart(MARGIN - 2);
    this.#lines(`${seconds}  ${text}`, (line) => line);
  }

  /** More about the moment before. */
  detail(text: string, paint: (line: string) => string = this.#screen.paint.dim): void {
    this.#lines(' '.repeat(MARGIN) + text, paint);
  }

  /** What the history says: what was done, to what split, and on which evidence. */
  history({ action, reason, after, evidence = [] }: Moment): void {
    const mirrored = Object.values(after?.shadows ?? {}).some((share) => share > 0);
    const copies = mirrored ? `; copies: ${shares(after!.shadows!)}` : '';
    const step = action === 'advanced' ? ` to step ${after?.step} of ${after?.steps}` : '';
    this.moment(`${action}${step}: ${shares(after?.weights ?? {})}${copies}`);
    const verdicts = evidence.filter((sentence) => !sentence.endsWith('nothing to judge yet'));
    const isToldBelow = verdicts.includes(reason) || (verdicts.length > 0 && ON_VERDICTS.includes(action));
    if (!isToldBelow) this.detail(safe(reason));
    const { red, dim } = this.#screen.paint;
    for (const sentence of verdicts) this.detail(safe(sentence), sentence.endsWith(': fail') ? red : dim);
  }

  /** Who answers now, as visitors see it. */
  live(ledger: Ledger, sinceMs: number): void {
    const now = ledger.shares(sinceMs);
    const arms = now.map(({ variant, share }) => `${variant ?? '(nobody)'} ${bar(share, BAR_WIDTH)} ${percent(share)}`);
    this.moment(`live: ${arms.length === 0 ? 'no answer' : arms.join('   ')}`);
  }

  #lines(text: string, paint: (line: string) => string): void {
    const indent = ' '.repeat(MARGIN + 2);
    for (const line of wrap(text, columnsOfScreen(this.#screen), indent)) this.#out(paint(line));
  }
}
