/** Owns the command line of `npm start`: what may be asked for, and the words that explain it. It starts nothing. */

import { parseArgs } from 'node:util';
import { err, ok, type Result } from '../result.ts';
import { CANDIDATES } from './shadow/config.ts';

export interface StartOptions {
  /** Null: 8787, or the next port that is free. */
  port: number | null;
  /** Null: no traffic. */
  traffic: { perSecond: number; seconds: number } | null;
  /** The variant that gets a copy of every request; traffic is sent too. Null: no shadow. */
  shadow: string | null;
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
  --shadow [V]   send that traffic to blue, a copy of all of it to V (${CANDIDATES.join(' or ')}; ${CANDIDATES[0]} if not named),
                 and show where the two models disagree, who is right, and how much slower the copy is
  --rate N       with --traffic or --shadow: requests a second, 1 to ${MAX_RATE} (${DEFAULT_RATE})
  --seconds N    with either: stop sending after N seconds; Headgate runs on (without it, until Ctrl-C)
  --state DIR    keep local KV and records here (${DEFAULT_STATE}); wrangler then needs --persist-to DIR
  --help         this text`;

/** What the arguments ask for, or one sentence that says what is wrong with them. */
export function parseOptions(args: string[]): Result<StartOptions, string> {
  const parsed = parse(namedShadow(args));
  if (!parsed.ok) return parsed;
  const { values } = parsed.value;
  const { shadow = null } = values;
  if (shadow !== null && !CANDIDATES.includes(shadow)) {
    return err(`--shadow takes ${CANDIDATES.join(' or ')}, not "${shadow}": blue serves the visitors.`);
  }
  const isSending = values.traffic || shadow !== null;
  const port = wholeNumber('--port', values.port, { min: 1, max: 65535 });
  if (!port.ok) return port;
  const rate = wholeNumber('--rate', values.rate, { min: 1, max: MAX_RATE });
  if (!rate.ok) return rate;
  const seconds = wholeNumber('--seconds', values.seconds, { min: 1, max: 86_400 });
  if (!seconds.ok) return seconds;
  if (!isSending && (rate.value !== null || seconds.value !== null)) {
    return err('--rate and --seconds say how --traffic is sent: give --traffic or --shadow as well.');
  }
  return ok({
    port: port.value,
    traffic: isSending
      ? { perSecond: rate.value ?? DEFAULT_RATE, seconds: seconds.value ?? Number.POSITIVE_INFINITY }
      : null,
    shadow,
    stateDirectory: values.state ?? DEFAULT_STATE,
    help: values.help ?? false,
  });
}

/** `--shadow` may stand without a name, which the parser below does not know. */
function namedShadow(args: string[]): string[] {
  return args.flatMap((arg, i) => {
    if (arg !== '--shadow') return [arg];
    const next = args[i + 1];
    return next === undefined || next.startsWith('-') ? [`--shadow=${CANDIDATES[0]}`] : [arg];
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
          shadow: { type: 'string' },
          state: { type: 'string' },
          help: { type: 'boolean', short: 'h' },
        },
      }),
    );
  } catch (cause) {
    return err(cause instanceof Error ? cause.message : String(cause));
  }
}

/** The number that an option gives, null when it was not given, or one sentence that says what it takes. */
export function wholeNumber(name: string, text: string | undefined, { min, max }: { min: number; max: number }) {
  if (text === undefined) return ok(null);
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return ok(value);
  return err(`${name} takes a whole number from ${min} to ${max}, not "${text}".`);
}
