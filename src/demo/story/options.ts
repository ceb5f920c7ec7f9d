/** Owns the command line of `npm run demo`: what may be asked for, and the words that explain it. It starts nothing. */

import { parseArgs } from 'node:util';
import { err, ok, type Result } from '../../result.ts';
import { wholeNumber } from '../options.ts';

export interface DemoOptions {
  /** Null: any that is free. */
  port: number | null;
  perSecond: number;
  /** The experiments instead of the story. */
  isAb: boolean;
  /** In a hurry, for tests. */
  isFast: boolean;
  help: boolean;
}

const DEFAULT_RATE = 80;
/** Visitors of experiments ask less of the Workers than a story with shadows. */
const AB_RATE = 120;
/** Below it a step does not come to its samples, above it a laptop does not keep up. */
const RATES = { min: 30, max: 300 };

export const HELP = `npm run demo -- [options]     the whole story in about two minutes, on this machine: two models are compared
                              in the shadow, the better one is rolled out, a broken and a wrong release
                              are stopped and taken back, and all traffic is switched there and back

  --ab        experiments instead: franc against eld, decided by outcomes, and beside it one model against
              itself, where nothing is to be found; about forty seconds
  --rate N    requests a second, ${RATES.min} to ${RATES.max} (${DEFAULT_RATE}, with --ab ${AB_RATE})
  --port N    listen on this port (without it, on one that is free)
  --fast      the same in less than half the time, with fewer samples
  --help      this text

It keeps its state in a temporary directory and takes it away. Exit codes: 0 the story went as told,
1 it did not, 2 wrong usage, 130 stopped by Ctrl-C.`;

/** What the arguments ask for, or one sentence that says what is wrong with them. */
export function parseDemoOptions(args: string[]): Result<DemoOptions, string> {
  const parsed = parse(args);
  if (!parsed.ok) return parsed;
  const { values } = parsed.value;
  const port = wholeNumber('--port', values.port, { min: 1, max: 65535 });
  if (!port.ok) return port;
  const rate = wholeNumber('--rate', values.rate, RATES);
  if (!rate.ok) return rate;
  const { ab = false, fast = false, help = false } = values;
  const perSecond = rate.value ?? (ab ? AB_RATE : DEFAULT_RATE);
  return ok({ port: port.value, perSecond, isAb: ab, isFast: fast, help });
}

function parse(args: string[]) {
  try {
    const options = {
      port: { type: 'string' },
      rate: { type: 'string' },
      ab: { type: 'boolean' },
      fast: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    return ok(parseArgs({ args, options }));
  } catch (cause) {
    return err(cause instanceof Error ? cause.message : String(cause));
  }
}
