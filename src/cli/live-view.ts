/**
 * Owns lines that change in place: on a screen each picture is drawn over the one before, without blanking it first; in a pipe
 * a picture is printed only when it says something new.
 */

import type { Terminal } from './terminal.ts';

/** One picture on a terminal, shown again and again. */
export class LiveView {
  readonly #terminal: Terminal;
  #height = 0;
  #last = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** `key` is what makes a picture new where it cannot be drawn over; clocks that run are left out of it. */
  show(lines: readonly string[], key: string): void {
    const { rows, out } = this.#terminal;
    if (!Number.isFinite(rows)) {
      if (key !== this.#last) out([...(this.#last === '' ? [] : ['']), ...lines].join('\n'));
      this.#last = key;
      return;
    }
    // A picture higher than the screen scrolls, and could not be drawn over again. The last row holds the cursor.
    const room = rows - 1;
    const shown =
      lines.length <= room ? lines : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more lines`];
    const up = this.#height > 0 ? `\u001b[${this.#height}A` : '';
    out(`${up}${shown.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`);
    this.#height = shown.length;
  }
}
