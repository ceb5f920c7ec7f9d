/**
 * Owns OpenAI's chat completions (and the older text completions), as documented under "Chat Completions" and spoken by
 * most other providers: chunks with `choices[].delta`, ended by `data: [DONE]`.
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
  parseArguments,
  type SseEvent,
  type ToolCall,
  textOf,
  type Usage,
} from './dialect.ts';
import { mergeFragment } from './merge.ts';

export const openaiChat: Dialect = {
  name: 'openai-chat',
  claimsEvent: ({ json }) => isMembers(json) && isChat(json),
  claimsDocument: isChat,
  assemble,
  facts,
  ignore: [
    '/id',
    '/created',
    '/model',
    '/system_fingerprint',
    '/service_tier',
    '/usage/**',
    '/x_groq/**',
    '/choices/*/logprobs/**',
    '/choices/*/message/tool_calls/*/id',
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

function assemble(events: readonly SseEvent[]): Assembled {
  const document = emptyMembers();
  const choices = new Map<number, Members>();
  let terminated = false;
  let error: string | undefined;
  for (const { event, json, text } of events) {
    if (text === '[DONE]') terminated = true;
    else if (!isMembers(json)) error ??= 'bad-event';
    else if (isMembers(json.error) || typeof json.error === 'string' || event === 'error') {
      const { code, type } = membersOf(json.error);
      error ??= errorReason(code ?? type);
    } else addChunk(document, choices, json);
  }
  const sorted = inOrder(choices);
  for (const { message } of sorted) {
    dropEmpty(message as Members);
    // Calls are streamed in whatever order; their index is their place.
    const { tool_calls: calls } = message as { tool_calls?: unknown };
    if (Array.isArray(calls)) calls.sort((a, b) => (countOf(a?.index) ?? 0) - (countOf(b?.index) ?? 0));
  }
  document.choices = sorted;
  return { document, terminated, error };
}

function addChunk(document: Members, choices: Map<number, Members>, chunk: Members): void {
  for (const key of Object.keys(chunk)) {
    // Every chunk calls itself one; the whole is none.
    if (key === 'choices' || key === 'object' || key === 'obfuscation') continue;
    if (chunk[key] !== null || document[key] === undefined) document[key] = chunk[key];
  }
  for (const part of listOf(chunk.choices)) {
    const index = countOf(part.index) ?? 0;
    let choice = choices.get(index);
    if (choice === undefined) {
      choice = Object.assign(emptyMembers(), { index, message: emptyMembers(), finish_reason: null });
      choices.set(index, choice);
    }
    if (isMembers(part.delta)) mergeFragment(choice.message as Members, part.delta);
    if (typeof part.text === 'string') append(choice, 'text', part.text);
    if (part.finish_reason !== null && part.finish_reason !== undefined) choice.finish_reason = part.finish_reason;
  }
}

/** Whether a stream opens with `"content": ""`, with null or without it depends on the server's build, not on the answer. */
function dropEmpty(message: Members): void {
  for (const key of ['content', 'refusal']) {
    if (message[key] === null || message[key] === '') delete message[key];
  }
}

function facts(document: Members): Facts {
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
    dialect: 'openai-chat',
    model: textOf(document.model),
    text: texts.join('\n'),
    toolCalls,
    finish: finishes.length > 0 ? finishes.join(',') : null,
    refusal,
    usage: usage(document.usage),
  };
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => textOf(part.text) ?? '')
    .join('');
}

/** Reads a call and puts the parsed arguments in the place of their text. Used for every API with OpenAI's `function`. */
export function readFunction(call: Members): ToolCall {
  let valid = true;
  if (typeof call.arguments === 'string') {
    const parsed = parseArguments(call.arguments);
    call.arguments = parsed.value;
    valid = parsed.valid;
  }
  return { name: textOf(call.name) ?? '', arguments: call.arguments, valid };
}

/** Usage in OpenAI's names, or null when it names neither count. */
export function usage(value: unknown): Usage | null {
  if (!isMembers(value)) return null;
  const tokensIn = countOf(value.prompt_tokens) ?? countOf(value.input_tokens);
  const tokensOut = countOf(value.completion_tokens) ?? countOf(value.output_tokens);
  return tokensIn === null && tokensOut === null ? null : { tokensIn: tokensIn ?? 0, tokensOut: tokensOut ?? 0 };
}
