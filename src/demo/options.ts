/** Owns the command line of `npm start`: what may be asked for, and the words that explain it. It starts nothing. */

import { parseArgs } from 'node:util';
import { err, ok, type Result } from '../result.ts';

export interface StartOptions {
  /** Null: 8787, or the next port that is free. */
  port: number | null;
  /** Null: no traffic. */
  traffic: { perSecond: number; seconds: number } | null;
  /** Where local KV and records are kept. */
  stateDirectory: string;
  help: boolean;
}

export const DEFAULT_PORT = 8787;
const DEFAULT_STATE = '.wrangler/state';
const DEFAULT_RATE = 40;
const MAX_RATE = 500;

export const HELP = `npm start -- [options]     runs Headgate in front of two language-detection models, on this machine

  --port N       listen on this port (without it ${DEFAULT_PORT}, or the next that is free)
  --traffic      send labelled text from many visitors; show share, accuracy and latency of each variant
  --rate N       with --traffic: requests a second, 1 to ${MAX_RATE} (${DEFAULT_RATE})
  --seconds N    with --traffic: stop sending after N seconds; Headgate runs on (without it, until Ctrl-C)
  --state DIR    keep local KV and records here (${DEFAULT_STATE}); wrangler then needs --persist-to DIR
  --help         this text`;

/** What the arguments ask for, or one sentence that says what is wrong with them. */
export function parseOptions(args: string[]): Result<StartOptions, string> {
  const parsed = parse(args);
  if (!parsed.ok) return parsed;
  const { values } = parsed.value;
  const port = wholeNumber('--port', values.port, { min: 1, max: 65535 });
  if (!port.ok) return port;
  const rate = wholeNumber('--rate', values.rate, { min: 1, max: MAX_RATE });
  if (!rate.ok) return rate;
  const seconds = wholeNumber('--seconds', values.seconds, { min: 1, max: 86_400 });
  if (!seconds.ok) return seconds;
  if (!values.traffic && (rate.value !== null || seconds.value !== null)) {
    return err('--rate and --seconds say how --traffic is sent: give --traffic as well.');
  }
  return ok({
    port: port.value,
    traffic: values.traffic
      ? { perSecond: rate.value ?? DEFAULT_RATE, seconds: seconds.value ?? Number.POSITIVE_INFINITY }
      : null,
    stateDirectory: values.state ?? DEFAULT_STATE,
    help: values.help ?? false,
  });
}

function parse(args: string[]) {
  try {
    return ok(
      parseArgs({
        args,
        options: {
          port: { type: 'string' },
          traffic: { type: 'boolean' },
          rate: { type: 'string' },
          seconds: { type: 'string' },
          state: { type: 'string' },
          help: { type: 'boolean', short: 'h' },
        },
      }),
    );
  } catch (cause) {
    return err(cause instanceof Error ? cause.message : String(cause));
  }
}

function wholeNumber(name: string, text: string | undefined, { min, max }: { min: number; max: number }) {
  if (text === undefined) return ok(null);
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return ok(value);
  return err(`${name} takes a whole number from ${min} to ${max}, not "${text}".`);
}
