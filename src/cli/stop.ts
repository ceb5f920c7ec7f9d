/** Owns the ways a verb ends early. A verb throws `Stop`; `run.ts` prints it and turns it into the exit status. */

import type { Fault } from '../result.ts';

/** Exit status: 0 done, 1 refused, 2 usage; of `status --wait` also 3 aborted, 4 paused. */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

/** Why a verb ends early, in the words that are printed. */
export interface Trouble {
  exitCode: 1 | 2;
  /** The problem's code when a Worker named one. */
  code?: string;
  what: string;
  why?: string;
  mend?: string;
  faults?: Fault[];
}

/** The end of a verb. Everything that a user can do or meet is one; any other error is a bug. */
export class Stop extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble.what);
    this.name = 'Stop';
    this.trouble = trouble;
  }
}

/** The command line itself is wrong: exit 2. */
export function usage(what: string, mend: string): Stop {
  return new Stop({ exitCode: 2, what, mend });
}
