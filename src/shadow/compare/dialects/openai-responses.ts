/**
 * Owns OpenAI's Responses API, as documented under "Responses" and "Streaming events": events named `response.…` that build
 * up `output`, ended by `response.completed`, `.incomplete` or `.failed`. What clients show while it streams, the deltas,
 * goes before the repetition in the last event.
 */

import {
  append,
  assembled,
  type ByIndex,
  countOf,
  type Dialect,
  emptyMembers,
  errorReason,
  listOf,
  type Members,
  membersAt,
  membersOf,
  readFunction,
  type ToolCall,
  textOf,
} from './dialect.ts';
import { mergeFragment } from './merge.ts';

export const openaiResponses: Dialect = {
  name: 'openai-responses',
  claimsEvent: ({ type }) => textOf(type)?.startsWith('response.') === true,
  claimsDocument: (document) => document.object === 'response' && Array.isArray(document.output),
  assemble(events) {
    const items: ByIndex = {};
    const stream = assembled(events, ends, (json, type, document) => {
      Object.assign(document, membersOf(json.response));
      addToItems(items, type, json);
      if (type === 'error') return errorReason({ code: json.code ?? membersOf(json.error).code });
      if (type === 'response.failed') return errorReason(document.error);
    });
    const output = Object.values(items);
    if (output.length > 0) stream.document.output = output;
    return stream;
  },
  said,
  ignore: [
    '/id',
    '/created_at',
    '/completed_at',
    '/model',
    '/service_tier',
    '/prompt_cache_key',
    '/safety_identifier',
    '/usage/**',
    '/output/*/id',
    '/output/*/call_id',
    '/output/*/encrypted_content',
    '/output/*/content/*/logprobs/**',
  ],
  places: { text: '/output/0/content/0/text', toolName: '/output/0/name', finish: '/status' },
};

const ends = ['response.completed', 'response.incomplete', 'response.failed'];

function addToItems(items: ByIndex, type: string | null, json: Members): void {
  const index = countOf(json.output_index);
  if (index === null) return;
  const item = membersAt(items, index);
  const delta = textOf(json.delta) ?? '';
  if (type === 'response.output_item.added') mergeFragment(item, membersOf(json.item));
  else if (type === 'response.output_item.done') complete(item, membersOf(json.item));
  else if (type === 'response.output_text.delta') append(part(item, json, 'output_text'), 'text', delta);
  else if (type === 'response.refusal.delta') append(part(item, json, 'refusal'), 'refusal', delta);
  else if (type === 'response.function_call_arguments.delta') append(item, 'arguments', delta);
}

/** The finished item adds what no delta brought; what deltas did bring stays. */
function complete(item: Members, done: Members): void {
  for (const key of Object.keys(done)) {
    const known = item[key];
    const streamed = (key === 'content' && listOf(known).length > 0) || (key === 'arguments' && !!known);
    if (!streamed) item[key] = done[key];
    else if (key === 'content') {
      const parts = listOf(done.content);
      listOf(known).forEach((part, at) => void completePart(part, parts[at]));
    }
  }
}

/** Deltas bring texts alone; citations come when all is said. */
function completePart(part: Members, done: Members = {}): void {
  for (const key of Object.keys(done)) {
    const streamed = (key === 'text' || key === 'refusal') && part[key];
    if (!streamed) part[key] = done[key];
  }
}

function part(item: Members, json: Members, type: string): Members {
  const content = listOf(item.content);
  item.content = content;
  // Parts come in order; an index far ahead would make a list of holes.
  const index = Math.min(countOf(json.content_index) ?? 0, content.length);
  content[index] ??= Object.assign(emptyMembers(), { type });
  return content[index];
}

function said(document: Members) {
  const texts: string[] = [];
  const toolCalls: ToolCall[] = [];
  let refusal: string | null = null;
  for (const item of listOf(document.output)) {
    if (item.type === 'function_call') toolCalls.push(readFunction(item));
    for (const content of listOf(item.content)) {
      if (typeof content.text === 'string' && item.type !== 'reasoning') texts.push(content.text);
      refusal ??= textOf(content.refusal) || null;
    }
  }
  const why = textOf(membersOf(document.incomplete_details).reason);
  return {
    text: texts.join('\n'),
    toolCalls,
    finish: why ?? textOf(document.status),
    refusal,
  };
}
