/**
 * Owns Workers AI's own text generation shape, as documented under "Text Generation": `data: {"response": "…"}` chunks ended
 * by `data: [DONE]`, and the same members in a document, bare (binding) or under `result` (REST). Models there that speak
 * OpenAI's shape are that dialect.
 */

import {
  type Assembled,
  type Dialect,
  emptyMembers,
  errorReason,
  type Facts,
  isMembers,
  listOf,
  type Members,
  membersOf,
  type SseEvent,
  textOf,
} from './dialect.ts';
import { readFunction, usage } from './openai-chat.ts';

/** A chunk has no mark of its own but these members; one more, and it is someone else's API with a `response`. */
const chunkMembers = new Set(['response', 'p', 'tool_calls', 'usage', 'finish_reason']);

export const workersAi: Dialect = {
  name: 'workers-ai',
  claimsEvent: ({ json }) =>
    isMembers(json) && 'response' in json && Object.keys(json).every((key) => chunkMembers.has(key)),
  claimsDocument: (document) => {
    const inner = isMembers(document.result) ? document.result : document;
    return 'response' in inner && (isMembers(inner.usage) || Array.isArray(inner.tool_calls) || inner !== document);
  },
  assemble,
  facts,
  ignore: ['/usage/**', '/result/usage/**', '/tool_calls/*/id', '/result/tool_calls/*/id'],
  places: { text: '/response', toolName: '/tool_calls/0/name', finish: '/finish_reason' },
};

function assemble(events: readonly SseEvent[]): Assembled {
  const document = emptyMembers();
  const toolCalls: unknown[] = [];
  let response = '';
  let terminated = false;
  let error: string | undefined;
  for (const { event, json, text } of events) {
    if (text === '[DONE]') {
      terminated = true;
      continue;
    }
    if (!isMembers(json)) {
      error ??= 'bad-event';
      continue;
    }
    const failure = listOf(json.errors)[0] ?? json.error;
    if (failure != null || event === 'error') {
      const { code, type } = membersOf(failure);
      error ??= errorReason(code ?? type);
    }
    // Tokens that are digits come as numbers.
    if (typeof json.response === 'string' || typeof json.response === 'number') response += json.response;
    if (Array.isArray(json.tool_calls)) toolCalls.push(...json.tool_calls);
    for (const key of ['usage', 'finish_reason']) if (json[key] != null) document[key] = json[key];
  }
  document.response = response;
  if (toolCalls.length > 0) document.tool_calls = toolCalls;
  return { document, terminated, error };
}

function facts(document: Members): Facts {
  const inner = isMembers(document.result) ? document.result : document;
  const { response } = inner;
  return {
    dialect: 'workers-ai',
    model: textOf(inner.model),
    // With a JSON schema asked for, the answer is a value and not text.
    text: typeof response === 'string' ? response : response == null ? '' : JSON.stringify(response),
    toolCalls: listOf(inner.tool_calls).map((call) => readFunction(isMembers(call.function) ? call.function : call)),
    finish: textOf(inner.finish_reason),
    refusal: null,
    usage: usage(inner.usage),
  };
}
