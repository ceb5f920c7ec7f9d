/**
 * Owns Anthropic's Messages API, as documented under "Streaming Messages": `message_start`, content blocks built up from
 * deltas, `message_delta` with stop reason and usage, ended by `message_stop`.
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

const eventTypes = new Set([
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
]);

export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',
  claimsEvent: ({ json }) => isMembers(json) && typeof json.type === 'string' && eventTypes.has(json.type),
  claimsDocument: (document) => document.type === 'message' && Array.isArray(document.content),
  assemble,
  facts,
  ignore: [
    '/id',
    '/model',
    '/usage/**',
    '/container/**',
    '/content/*/id',
    '/content/*/tool_use_id',
    '/content/*/signature',
  ],
  places: { text: '/content/0/text', toolName: '/content/0/name', finish: '/stop_reason' },
};

function assemble(events: readonly SseEvent[]): Assembled {
  const document = emptyMembers();
  const blocks = new Map<number, Members>();
  const inputs = new Map<Members, string>();
  let terminated = false;
  let error: string | undefined;
  for (const { event, json } of events) {
    if (!isMembers(json)) {
      error ??= 'bad-event';
      continue;
    }
    const type = textOf(json.type) ?? event;
    if (type === 'error') error ??= errorReason(membersOf(json.error).type);
    else if (type === 'message_start' && isMembers(json.message)) Object.assign(document, json.message);
    else if (type === 'message_delta') addMessageDelta(document, json);
    else if (type === 'message_stop') terminated = true;
    else addToBlock(blocks, inputs, json);
  }
  for (const [block, text] of inputs) block.input = parseArguments(text).value;
  const started = Array.isArray(document.content) ? document.content : [];
  document.content = [...started, ...inOrder(blocks)];
  return { document, terminated, error };
}

function addMessageDelta(document: Members, json: Members): void {
  if (isMembers(json.delta)) Object.assign(document, json.delta);
  if (isMembers(json.usage)) document.usage = { ...membersOf(document.usage), ...json.usage };
}

function addToBlock(blocks: Map<number, Members>, inputs: Map<Members, string>, json: Members): void {
  const index = countOf(json.index);
  if (index === null) return;
  const block = blocks.get(index) ?? emptyMembers();
  blocks.set(index, block);
  if (isMembers(json.content_block)) Object.assign(block, json.content_block);
  const { delta } = json;
  if (!isMembers(delta)) return;
  if (typeof delta.partial_json === 'string') inputs.set(block, (inputs.get(block) ?? '') + delta.partial_json);
  else if (isMembers(delta.citation)) block.citations = [...listOf(block.citations), delta.citation];
  else {
    for (const key of ['text', 'thinking', 'signature']) {
      if (typeof delta[key] === 'string') append(block, key, delta[key]);
    }
  }
}

function facts(document: Members): Facts {
  const texts: string[] = [];
  const toolCalls: ToolCall[] = [];
  for (const block of listOf(document.content)) {
    if (block.type === 'text') texts.push(textOf(block.text) ?? '');
    if (block.type === 'tool_use' || block.type === 'server_tool_use') {
      // Input is an object by contract; text in its place is what a stream left unfinished or broken.
      toolCalls.push({ name: textOf(block.name) ?? '', arguments: block.input, valid: isMembers(block.input) });
    }
  }
  const finish = textOf(document.stop_reason);
  const text = texts.join('');
  return {
    dialect: 'anthropic-messages',
    model: textOf(document.model),
    text,
    toolCalls,
    finish,
    refusal: finish === 'refusal' ? text || finish : null,
    usage: usage(document.usage),
  };
}

/** Cached input is input: the API's `input_tokens` leaves it out. */
function usage(value: unknown): Usage | null {
  if (!isMembers(value)) return null;
  const tokensIn = countOf(value.input_tokens);
  const tokensOut = countOf(value.output_tokens);
  if (tokensIn === null && tokensOut === null) return null;
  const cached = (countOf(value.cache_creation_input_tokens) ?? 0) + (countOf(value.cache_read_input_tokens) ?? 0);
  return { tokensIn: (tokensIn ?? 0) + cached, tokensOut: tokensOut ?? 0 };
}
