/**
 * Owns Workers AI's own text generation shape, as documented under "Text Generation": `data: {"response": "…"}` chunks ended
 * by `data: [DONE]`, and the same members in a document, bare (binding) or under `result` (REST). Models there that speak
 * OpenAI's shape are that dialect.
 */

import {
  assembled,
  type Dialect,
  errorReason,
  isMembers,
  listOf,
  type Members,
  readFunction,
  textOf,
  usageOf,
} from './dialect.ts';

/** A chunk has no mark of its own but these members; one more, and it is someone else's API with a `response`. */
const chunkMembers = new Set(['response', 'p', 'tool_calls', 'usage', 'finish_reason']);

export const workersAi: Dialect = {
  name: 'workers-ai',
  claimsEvent: (json) => 'response' in json && Object.keys(json).every((key) => chunkMembers.has(key)),
  claimsDocument: (document) => {
    const inner = isMembers(document.result) ? document.result : document;
    return 'response' in inner && (isMembers(inner.usage) || Array.isArray(inner.tool_calls) || inner !== document);
  },
  assemble(events) {
    const toolCalls: unknown[] = [];
    let response = '';
    const stream = assembled(events, ['[DONE]'], (json, type, document) => {
      // Tokens that are digits come as numbers.
      if (typeof json.response === 'string' || typeof json.response === 'number') response += json.response;
      if (Array.isArray(json.tool_calls)) toolCalls.push(...json.tool_calls);
      for (const key of ['usage', 'finish_reason']) if (json[key] != null) document[key] = json[key];
      const failure = listOf(json.errors)[0] ?? json.error;
      if (failure != null || type === 'error') return errorReason(failure);
    });
    stream.document.response = response;
    if (toolCalls.length > 0) stream.document.tool_calls = toolCalls;
    return stream;
  },
  said,
  ignore: ['/usage/**', '/result/usage/**', '/tool_calls/*/id', '/result/tool_calls/*/id'],
  places: { text: '/response', toolName: '/tool_calls/0/name', finish: '/finish_reason' },
};

function said(document: Members) {
  const inner = isMembers(document.result) ? document.result : document;
  const { response } = inner;
  return {
    model: textOf(inner.model),
    // With a JSON schema asked for, the answer is a value and not text.
    text: typeof response === 'string' ? response : response == null ? '' : JSON.stringify(response),
    toolCalls: listOf(inner.tool_calls).map((call) => readFunction(isMembers(call.function) ? call.function : call)),
    finish: textOf(inner.finish_reason),
    refusal: null,
    usage: usageOf(inner.usage),
  };
}
