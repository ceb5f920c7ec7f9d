/**
 * Owns tokens and their price: as the reply names them, else estimated from the length of the texts and marked so.
 * It refuses to guess for replies that are no model's.
 */

import type { Config } from '../../config/types.ts';
import { type Facts, isMembers, type Usage } from './dialects/dialect.ts';
import { CHARS_PER_TOKEN } from './limits.ts';

interface TokenCount extends Usage {
  /** True when the reply named no usage and the counts are characters / 4. */
  estimated: boolean;
}

export type Prices = Config['prices'];

/** Tokens of one reply. `request` is the parsed request body, needed only where the reply names no usage. */
export function countTokens(facts: Facts, request: unknown): TokenCount {
  if (facts.usage !== null) return { ...facts.usage, estimated: false };
  let chars = facts.text.length + (facts.refusal !== null && facts.refusal !== facts.text ? facts.refusal.length : 0);
  for (const call of facts.toolCalls) chars += call.name.length + (JSON.stringify(call.arguments) ?? '').length;
  return {
    tokensIn: Math.ceil(promptChars(request) / CHARS_PER_TOKEN),
    tokensOut: Math.ceil(chars / CHARS_PER_TOKEN),
    estimated: true,
  };
}

/** Cost of a count at the model's price; undefined when the model, or its dated release (`m-2-2026-11-01`), has none. */
export function costOf(count: Usage, model: string | null, prices: Prices): number | undefined {
  const price = model === null ? undefined : priceOf(model, prices);
  if (price === undefined) return undefined;
  const { tokensIn, tokensOut, cachedIn = 0 } = count;
  const { inputPerMillion, outputPerMillion, cachedInputPerMillion = inputPerMillion } = price;
  const cached = Math.min(cachedIn, tokensIn);
  return ((tokensIn - cached) * inputPerMillion + cached * cachedInputPerMillion + tokensOut * outputPerMillion) / 1e6;
}

/** Only a date may follow the name: `m-2-mini` is another model at another price. */
function priceOf(model: string, prices: Prices): Prices[string] | undefined {
  if (Object.hasOwn(prices, model)) return prices[model];
  const undated = model.replace(/[-@:]\d{4}-?\d{2}-?\d{2}$/, '');
  return Object.hasOwn(prices, undated) ? prices[undated] : undefined;
}

const promptMembers = ['messages', 'prompt', 'input', 'system', 'instructions', 'tools'];

/** Characters of the texts in a model request; inline images (data URLs) are not text and count nothing. */
function promptChars(request: unknown): number {
  if (!isMembers(request)) return 0;
  let chars = 0;
  const waiting: unknown[] = promptMembers.map((name) => request[name]);
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === 'string') chars += value.startsWith('data:') ? 0 : value.length;
    else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) waiting.push(inner);
  }
  return chars;
}
