/**
 * Owns OpenAI's Responses API, as documented under "Responses" and "Streaming events": events named `response.…` that build
 * up `output`, ended by `response.completed`, `.incomplete` or `.failed`. What clients show while it streams, the deltas,
 * goes before the repetition in the last event.
 */

import {
  type Assembled,
  append,
  countOf,
  type Dialect,
  emptyMembers,
  errorReason,
  type Facts,
  inOrder,
  isMembers,
  listOf,
  type Members,
  membersOf,
  type SseEvent,
  type ToolCall,
  textOf,
} from './dialect.ts';
import { mergeFragment } from './merge.ts';
import { readFunction, usage } from './openai-chat.ts';

export const openaiResponses: Dialect = {
  name: 'openai-responses',
  claimsEvent: ({ json }) => isMembers(json) && typeof json.type === 'string' && json.type.startsWith('response.'),
  claimsDocument: (document) => document.object === 'response' && Array.isArray(document.output),
  assemble,
  facts,
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

const terminators = new Set(['response.completed', 'response.incomplete', 'response.failed']);

function assemble(events: readonly SseEvent[]): Assembled {
  const document = emptyMembers();
  const items = new Map<number, Members>();
  let terminated = false;
  let error: string | undefined;
  for (const { event, json, text } of events) {
    if (text === '[DONE]') continue;
    if (!isMembers(json)) {
      error ??= 'bad-event';
      continue;
    }
    const type = textOf(json.type) ?? event ?? '';
    if (type === 'error') error ??= errorReason(json.code ?? membersOf(json.error).code);
    if (isMembers(json.response)) Object.assign(document, json.response);
    if (terminators.has(type)) terminated = true;
    if (type === 'response.failed') error ??= errorReason(membersOf(document.error).code);
    addToItems(items, type, json);
  }
  if (items.size > 0) document.output = inOrder(items);
  return { document, terminated, error };
}

function addToItems(items: Map<number, Members>, type: string, json: Members): void {
  const index = countOf(json.output_index);
  if (index === null) return;
  const item = items.get(index) ?? emptyMembers();
  items.set(index, item);
  const delta = textOf(json.delta) ?? '';
  if (type === 'response.output_item.added' && isMembers(json.item)) mergeFragment(item, json.item);
  else if (type === 'response.output_item.done' && isMembers(json.item)) complete(item, json.item);
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
  }
}

function part(item: Members, json: Members, type: string): Members {
  const content = Array.isArray(item.content) ? (item.content as Members[]) : [];
  item.content = content;
  // Parts come in order; an index far ahead would make a list of holes.
  const index = Math.min(countOf(json.content_index) ?? 0, content.length);
  content[index] ??= Object.assign(emptyMembers(), { type });
  return content[index];
}

function facts(document: Members): Facts {
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
    dialect: 'openai-responses',
    model: textOf(document.model),
    text: texts.join('\n'),
    toolCalls,
    finish: why ?? textOf(document.status),
    refusal,
    usage: usage(document.usage),
  };
}
