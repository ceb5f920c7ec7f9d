/**
 * Owns the reading of a live model answer's usage from its first and last bytes: the tokens that it names, and their price. It refuses
 * to estimate: an answer that names no usage has none. No visitor waits for it, and each answer is read once for all who ask.
 */

import type { Config, Route } from '../config/types.ts';
import type { BodyReport } from '../forward/pump.ts';
import type { Served } from '../forward/served.ts';
import { isCoded } from '../forward/wire.ts';
import { getOrMake } from '../get-or-make.ts';
import { sleep } from '../limit.ts';
import { billedOf, countOf, outputOf, type Usage, usageOf } from '../shadow/compare/dialects/dialect.ts';
import { parseJson } from '../shadow/compare/json-text.ts';
import { costOf } from '../shadow/compare/tokens.ts';
import { decode } from '../shadow/decode.ts';
import { MAX_UNPACKED_BYTES } from './limits.ts';

/** What one answer used; `cost` is null where its model has no price. */
export interface Spent extends Usage {
  cost: number | null;
}

/** One isolate's reading of usage. */
export class Usages {
  #prices: () => Config['prices'];
  #read = new WeakMap<Served, Promise<Spent | null>>();

  constructor(prices: () => Config['prices']) {
    this.#prices = prices;
  }

  /** What an answer used, once it has ended; null at once where usage is not wanted. Never rejects. */
  readonly of = (served: Served): Promise<Spent | null> | null => {
    if (served.ends === null || !served.inForce.usage) return null;
    return getOrMake(this.#read, served, () =>
      spentBy(served, this.#prices()).catch((cause) => {
        console.error('usage', cause);
        return null;
      }),
    );
  };
}

async function spentBy(served: Served, prices: Config['prices']): Promise<Spent | null> {
  const body: BodyReport = await served.body;
  // A short answer has not left yet, and must not wait while it is read.
  await sleep(0);
  // A stream that broke off may have named its input already, and an output of one token.
  if (body.end !== 'complete') return null;
  const text = await textOf(served);
  const usage = text === null || hasBrokenOff(text) ? null : usageIn(text);
  if (text === null || usage === null) return null;
  const model = modelIn(text) ?? modelOf(served.route, served.variant);
  return { ...usage, cost: costOf(usage, model, prices) ?? null };
}

/** Whether a model's stream lacks its terminator. An error in the middle may end it cleanly for HTTP, but its usage is not complete. */
function hasBrokenOff(text: string): boolean {
  const isStream = /"message_start"|"chat\.completion\.chunk"|^(?:data:|\[).*"usageMetadata"/s.test(text);
  return isStream && !/\[DONE\]|"message_stop"|"finishReason"/.test(text);
}

/** The first and last bytes of an answer as text, joined by what no JSON has; null where it is coded and too long, or not sound. */
export async function textOf({ ends, responseHeaders }: Served): Promise<string | null> {
  const { head, tail } = ends!;
  const decoder = new TextDecoder();
  if (!isCoded(responseHeaders!)) {
    const beginning = decoder.decode(head.take());
    return head.isTruncated ? `${beginning};\n${decoder.decode(tail.take())}` : beginning;
  }
  if (head.isTruncated) return null;
  const decoded = await decode(responseHeaders!.get('content-encoding'), head.take(), MAX_UNPACKED_BYTES);
  return decoded?.isSound && !decoded.isTruncated ? decoder.decode(decoded.bytes) : null;
}

// Not after a backslash: within a text that the model wrote, quotation marks are escaped. A usage object nests at most two more levels,
// and has no braces within texts.
const USAGE = /(?<!\\)"usage"\s*:\s*(\{[^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*\})/g;
// Gemini's and Ollama's counts, which have names of their own.
const COUNT = /(?<!\\)"(\w+TokenCount|(?:prompt_)?eval_count)"\s*:\s*(\d+)/g;
// With a line's end in it, it is what was cut off.
const MODEL = /(?<!\\)"model(?:Version)?"\s*:\s*"([^"\\\n]{1,128})"/;

/**
 * The usage that a text names, in any dialect, streamed or not, also where only its ends are there: later counts take the place
 * of earlier ones, as in Anthropic's streams, whose end names the output alone. Of one event or document the largest is that of the
 * whole: some tell it model by model as well.
 */
export function usageIn(text: string): Usage | null {
  const counts: Record<string, number> = {};
  for (const event of text.split(/^data:/m)) {
    const told: Record<string, number> = {};
    const add = (name: string, value: unknown) => {
      const count = countOf(value);
      if (count !== null) told[name] = Math.max(told[name] ?? 0, count);
    };
    for (const [, found = ''] of event.matchAll(USAGE)) {
      for (const [name, value] of Object.entries(billedOf(parseJson(found)))) add(name, value);
    }
    for (const [, name = '', digits] of event.matchAll(COUNT)) add(name, Number(digits));
    Object.assign(counts, told);
  }
  const { prompt_tokens: input, total_tokens: total } = counts;
  // Without an output count the answer has not ended, unless it is an embedding, whose total is its input.
  const hasEnded = outputOf(counts) !== null || (input !== undefined && total === input);
  return hasEnded ? usageOf(counts) : null;
}

/** The model that an answer names; null where it names none, or behind more than was kept. */
export function modelIn(text: string): string | null {
  return MODEL.exec(text)?.[1] ?? null;
}

/** The model that a variant sets in its requests, for answers that do not name theirs. */
function modelOf({ variants }: Route, variant: string): string | null {
  const model = variants[variant]?.json?.model;
  return typeof model === 'string' ? model : null;
}
