/** Owns what a verb may do to the outside: print, read the environment, call the network. It refuses to decide anything. */

import { createInterface } from 'node:readline/promises';
import { createColors } from 'picocolors';

/** The outside of a verb. */
export interface Terminal {
  /** One line or more to standard output: what the caller asked for. */
  out(text: string): void;
  /** To standard error: what people should know, and scripts should not parse. */
  note(text: string): void;
  env: Record<string, string | undefined>;
  cwd: string;
  /** Characters a line may have; Infinity when the output is no terminal, so that nothing is cut from a file. */
  columns: number;
  /** Lines of the screen; Infinity when the output is no terminal. */
  rows: number;
  /** Milliseconds of the epoch. */
  now(): number;
  paint: ReturnType<typeof createColors>;
  fetch: typeof fetch;
  sleep(ms: number): Promise<void>;
  /** Asks a person yes or no; null where none sits at the terminal (a script, a pipe), who then meant what it said. */
  confirm: ((question: string) => Promise<boolean>) | null;
}

/** 128 and the number of SIGPIPE, as shells count. */
const BROKEN_PIPE = 141;

/** This process's own terminal. */
export function terminal(): Terminal {
  // A reader that has seen enough (`| head`) closes the pipe; that is no error, and no pass either: what was begun goes on to its own status.
  let isRead = true;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exit(1);
    isRead = false;
  });
  process.stderr.on('error', () => undefined);
  return {
    out: (text) => isRead && process.stdout.write(`${text}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
    env: process.env,
    cwd: process.cwd(),
    // Asked anew each time: people resize their windows while a live view runs.
    get columns() {
      return sizeOf('columns');
    },
    get rows() {
      return sizeOf('rows');
    },
    now: () => Date.now(),
    // A pipe's `isTTY` is undefined, for which picocolors would decide by itself, and colour wherever CI is set.
    paint: createColors(process.stdout.isTTY === true && !process.env.NO_COLOR),
    fetch,
    // What looks again and again has no end of its own, so it ends as SIGPIPE would end it.
    sleep: (ms) => new Promise((resolve) => setTimeout(isRead ? resolve : () => process.exit(BROKEN_PIPE), ms)),
    confirm: process.stdin.isTTY && process.stderr.isTTY ? confirm : null,
  };
}

/** Some terminals do not know their size, and say 0. */
function sizeOf(side: 'columns' | 'rows'): number {
  return (process.stdout.isTTY && process.stdout[side]) || Number.POSITIVE_INFINITY;
}

/** Only `y` or `yes` is a yes. Asked on standard error, so that what is piped stays clean. */
async function confirm(question: string): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await asking.question(`${question} [y/N] `)).trim());
  } catch (cause) {
    // Ctrl-C and the end of the input are a no as well.
    if ((cause as NodeJS.ErrnoException).code !== 'ABORT_ERR') throw cause;
    process.stderr.write('\n');
    return false;
  } finally {
    asking.close();
  }
}
