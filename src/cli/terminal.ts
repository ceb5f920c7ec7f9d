/** Owns what a verb may do to the outside: print, read the environment, call the network. It refuses to decide anything. */

import { createColors } from 'picocolors';

export interface Terminal {
  /** One line or more to standard output: what the caller asked for. */
  out(text: string): void;
  /** To standard error: what people should know, and scripts should not parse. */
  note(text: string): void;
  env: Record<string, string | undefined>;
  cwd: string;
  /** Characters a line may have; Infinity when the output is no terminal, so that nothing is cut from a file. */
  columns: number;
  paint: ReturnType<typeof createColors>;
  fetch: typeof fetch;
  sleep(ms: number): Promise<void>;
}

/** This process's own terminal. */
export function terminal(): Terminal {
  // A reader that has seen enough (`| head`) closes the pipe; that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return {
    out: (text) => process.stdout.write(`${text}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
    env: process.env,
    cwd: process.cwd(),
    columns: process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY,
    paint: createColors(process.stdout.isTTY && !process.env.NO_COLOR),
    fetch,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}
