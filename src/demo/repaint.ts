/** Owns lines that change: on a terminal each time over the ones before, in a pipe below them and less often. */

const TERMINAL_EVERY_MS = 1_000;
// A log or a pipe gets a new table less often: there it does not replace the one before.
const PIPE_EVERY_MS = 5_000;

/** Prints what `lines` gives, again and again, until `stop`, which prints it once more. */
export function repaint(lines: () => string[]): { stop(): void } {
  let height = 0;
  const show = () => {
    const { isTTY, columns } = process.stdout;
    // A line that the terminal breaks would take two, and the next picture would begin too low.
    const now = isTTY ? lines().map((line) => [...line].slice(0, columns).join('')) : lines();
    if (height > 0) process.stdout.write(isTTY ? `\x1b[${height}A\x1b[0J` : '\n');
    console.log(now.join('\n'));
    height = now.length;
  };
  const timer = setInterval(show, process.stdout.isTTY ? TERMINAL_EVERY_MS : PIPE_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      show();
    },
  };
}
