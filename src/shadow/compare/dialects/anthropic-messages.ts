/**
 * Owns Anthropic's Messages API, as documented under "Streaming Messages": `message_start`, content blocks built up from
 * deltas, `message_delta` with stop reason and usage, ended by `message_stop`.
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
  parseArguments,
  type ToolCall,
  textOf,
} from './dialect.ts';

const eventTypes = new Set<unknown>([
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
]);

export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',
  claimsEvent: ({ type }) => eventTypes.has(type),
  claimsDocument: (document) => document.type === 'message' && Array.isArray(document.content),
  assemble(events) {
    const blocks: ByIndex = {};
    const inputs = new Map<Members, string>();
    const stream = assembled(events, ['message_stop'], (json, type, document) => {
      if (type === 'error') return errorReason(json.error);
      if (type === 'message_start') Object.assign(document, membersOf(json.message));
      else if (type === 'message_delta') addMessageDelta(document, json);
      else addToBlock(blocks, inputs, json);
    });
    const { document } = stream;
    for (const [block, text] of inputs) block.input = parseArguments(text).value;
    document.content = [...listOf(document.content), ...Object.values(blocks)];
    return stream;
  },
  said,
  ignore: [
    '/id',
    '/model',
    '/usage/**',
    '/container/**',
    '/content/*/id',
    '/content/*/tool_use_id',
    '/content/*/signature',
    '/content/*/data',
    '/content/*/content/**/encrypted_content',
    '/content/*/citations/*/encrypted_index',
  ],
  places: { text: '/content/0/text', toolName: '/content/0/name', finish: '/stop_reason' },
};

function addMessageDelta(document: Members, json: Members): void {
  Object.assign(document, membersOf(json.delta));
  if (!isMembers(json.usage)) return;
  const usage = isMembers(document.usage) ? document.usage : emptyMembers();
  document.usage = usage;
  // A count of null is one that has not changed.
  for (const [name, count] of Object.entries(json.usage)) if (count !== null) usage[name] = count;
}

function addToBlock(blocks: ByIndex, inputs: Map<Members, string>, json: Members): void {
  const index = countOf(json.index);
  if (index === null) return;
  const block = membersAt(blocks, index);
  Object.assign(block, membersOf(json.content_block));
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

function said(document: Members) {
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
    text,
    toolCalls,
    finish,
    refusal: finish === 'refusal' ? text || finish : null,
  };
}
