/**
 * Owns OpenAI's chat completions (and the older text completions), as documented under "Chat Completions" and spoken by
 * most other providers: chunks with `choices[].delta`, ended by `data: [DONE]`.
 */

import {
  append,
  assembled,
  type ByIndex,
  countOf,
  type Dialect,
  emptyMembers,
  errorReason,
  isMembers,
  listOf,
  type Members,
  membersAt,
  membersOf,
  readFunction,
  type ToolCall,
  tellsOfError,
  textOf,
} from './dialect.ts';
import { mergeFragment } from './merge.ts';

export const openaiChat: Dialect = {
  name: 'openai-chat',
  claimsEvent: isChat,
  claimsDocument: isChat,
  assemble(events) {
    const choices: ByIndex = {};
    const stream = assembled(events, ['[DONE]'], (json, type, document) => {
      if (tellsOfError(type, json)) return errorReason(json.error);
      addChunk(document, choices, json);
    });
    const sorted = Object.values(choices);
    for (const { message } of sorted) {
      dropEmpty(message as Members);
      // Calls are streamed in whatever order; their index is their place.
      const { tool_calls: calls } = message as { tool_calls?: unknown };
      if (!Array.isArray(calls)) continue;
      calls.sort((a, b) => (countOf(a?.index) ?? 0) - (countOf(b?.index) ?? 0));
      for (const call of calls) if (isMembers(call)) delete call.index;
    }
    stream.document.choices = sorted;
    return stream;
  },
  said,
  ignore: [
    '/id',
    '/created',
    '/model',
    '/system_fingerprint',
    '/service_tier',
    '/usage/**',
    '/x_groq/**',
    '/time_info/**',
    '/timings/**',
    '/choices/*/seed',
    '/choices/*/logprobs/**',
    '/choices/*/message/tool_calls/*/id',
    '/choices/*/message/audio/id',
    '/choices/*/message/audio/expires_at',
    '/choices/*/message/reasoning_details/*/id',
    '/choices/*/message/reasoning_details/*/data',
    '/choices/*/message/reasoning_details/*/signature',
    '/choices/*/message/extra_content/**',
    '/choices/*/message/tool_calls/*/extra_content/**',
  ],
  places: {
    text: '/choices/0/message/content',
    toolName: '/choices/0/message/tool_calls/0/function/name',
    finish: '/choices/0/finish_reason',
  },
};

function isChat(document: Members): boolean {
  return Array.isArray(document.choices);
}

function addChunk(document: Members, choices: ByIndex, chunk: Members): void {
  for (const key of Object.keys(chunk)) {
    // Every chunk calls itself one; the whole is none. Padding hides how long its words are.
    if (/^(choices|object|obfuscation|p)$/.test(key)) continue;
    if (chunk[key] !== null || document[key] === undefined) document[key] = chunk[key];
  }
  // In Groq's words, and in Moonshot's.
  const usage = membersOf(chunk.x_groq).usage ?? listOf(chunk.choices)[0]?.usage;
  if (usage) document.usage ??= usage;
  for (const part of listOf(chunk.choices)) {
    const index = countOf(part.index) ?? 0;
    const choice = membersAt(choices, index);
    choice.index = index;
    choice.message ??= emptyMembers();
    mergeFragment(choice.message as Members, membersOf(part.delta));
    if (typeof part.text === 'string') append(choice, 'text', part.text);
    choice.finish_reason = part.finish_reason ?? choice.finish_reason ?? null;
  }
}

/** Whether a stream opens with `"content": ""`, with null or without it depends on the server's build, not on the answer. */
function dropEmpty(message: Members): void {
  for (const key of ['content', 'refusal']) {
    if (message[key] === null || message[key] === '') delete message[key];
  }
}

function said(document: Members) {
  const texts: string[] = [];
  const toolCalls: ToolCall[] = [];
  const finishes: string[] = [];
  let refusal: string | null = null;
  for (const choice of listOf(document.choices)) {
    const message = membersOf(choice.message);
    texts.push(textOf(choice.text) ?? contentText(message.content));
    for (const call of listOf(message.tool_calls)) {
      if (isMembers(call.function)) toolCalls.push(readFunction(call.function));
    }
    if (isMembers(message.function_call)) toolCalls.push(readFunction(message.function_call));
    const finish = textOf(choice.finish_reason);
    if (finish !== null && !finishes.includes(finish)) finishes.push(finish);
    refusal ??= textOf(message.refusal) || null;
  }
  return {
    text: texts.join('\n'),
    toolCalls,
    finish: finishes.length > 0 ? finishes.join(',') : null,
    refusal,
  };
}

function contentText(content: unknown): string {
  const parts: unknown[] = Array.isArray(content) ? content : [content];
  return parts.map((part) => textOf(part) ?? textOf(membersOf(part).text) ?? '').join('');
}
