import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Ends } from '../../src/forward/copies.ts';
import { EventEnds } from '../../src/forward/event-ends.ts';
import { streamEndedWell } from '../../src/live/stream-end.ts';
import { served } from './served.ts';

/** A stream in pieces of so many bytes. */
function streamOf(text: string, bytes: number): EventEnds {
  const events = new EventEnds();
  const all = new TextEncoder().encode(text);
  for (let at = 0; at < all.length; at += bytes) events.add(all.slice(at, at + bytes));
  return events;
}

const chat = 'data: {"choices":[{"index":0,"delta":{"content":"é [DONE]"}}]}\n\n';
const gemini = (said: string, finish?: string) =>
  `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: said }] }, finishReason: finish }] })}\n\n`;
const inSnakeCase = (said: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: said }] }, finish_reason: finish }] })}\n\n`;
const cohere = (type: string, rest: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
const cohereStart =
  cohere('message-start') + cohere('content-delta', { delta: { message: { content: { text: 'and' } } } });
const long = JSON.stringify({ output: 'x'.repeat(20_000) });
const ofResponses = (end: string) =>
  `event: response.created\ndata: {"type":"response.created","response":{}}\n\nevent: response.${end}\ndata: {"type":"response.${end}","response":${long}}\n\n`;

describe('an event stream', () => {
  it.each([
    ['OpenAI’s end', `${chat}data: [DONE]\n\n`, true],
    ['an end without its empty line', `${chat}data: [DONE]`, true],
    ['lines that end with CR LF', `${chat}data: [DONE]\n\n`.replaceAll('\n', '\r\n'), true],
    ['Anthropic’s end', 'event: message_stop\ndata: {"type":"message_stop"}\n\n', true],
    ['an end that is named in its data alone', 'data: {"type":"message_stop"}\n\n', true],
    ['an end that bears the whole answer', ofResponses('completed'), true],
    ['an end before the answer was whole', ofResponses('incomplete'), true],
    ['an end that says that it failed', ofResponses('failed'), false],
    ['an end that says that it failed, and an end mark', `${ofResponses('failed')}data: [DONE]\n\n`, false],
    ['an error, and an end mark', `${chat}data: {"error":{"message":"died"}}\n\ndata: [DONE]\n\n`, false],
    ['an error in words, and an end mark', `${chat}data: {"error":"boom"}\n\ndata: [DONE]\n\n`, false],
    ['an error in words, of no known API', 'data: {"error":"boom","error_type":"generation"}\n\n', false],
    ['an error by type, and an end mark', 'data: {"type":"error","errorText":"no"}\n\ndata: [DONE]\n\n', false],
    ['an error by name, and an end', 'event: error\ndata: {}\n\ndata: {"type":"message_stop"}\n\n', false],
    ['events of no model, and an error', `${'data: {"n":1}\n\n'.repeat(9)}data: {"error":{"code":503}}\n\n`, false],
    ['no end', chat, false],
    ['an end that is only spoken of', chat + chat, false],
    ['no end, after a ping', `: hello\n\nevent: ping\ndata: {"type":"ping"}\n\n${chat}`, false],
    ['no end of its one event', 'data: {"choices":[{"delta":{"content":"and th', false],
    ['nothing at all', '', false],
    [
      'an error and nothing else',
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n',
      false,
    ],
    ['Gemini’s end', gemini('and', undefined) + gemini('.', 'STOP'), true],
    ['Gemini’s end, and its usage', `${gemini('.', 'MAX_TOKENS')}data: {"usageMetadata":{}}\n\n`, true],
    ['no end of Gemini’s', gemini('and').repeat(9), false],
    ['a long last event of Gemini’s, whose end is not kept', gemini('and') + gemini('x'.repeat(5_000), 'STOP'), true],
    ['Gemini’s end as its Python library writes it', gemini('and') + inSnakeCase('.', 'STOP'), true],
    ['no end of Gemini’s as its Python library writes it', inSnakeCase('and') + inSnakeCase('.'), false],
    ['candidates of no model', 'data: {"candidates":[{"name":"a"}]}\n\n', true],
    ['Cohere’s end', cohereStart + cohere('message-end', { delta: { finish_reason: 'COMPLETE' } }), true],
    [
      'Cohere’s end that says that it failed',
      cohereStart + cohere('message-end', { delta: { finish_reason: 'ERROR' } }),
      false,
    ],
    ['no end of Cohere’s', cohereStart, false],
    ['an error without a name', 'data: {"error":{"message":"overloaded"}}\n\n', false],
    ['events of no model that tell of no error', 'data: {"error":null,"ask":12}\n\n', true],
    ['an answer of JSON-RPC that is an error, which is whole', 'data: {"jsonrpc":"2.0","id":1,"error":{}}\n\n', true],
    ['events of no model with an error of their own', 'data: {"error":3}\n\ndata: error\n\n', true],
    ['events of no model', 'event: price\ndata: {"ask":12}\n\ndata: 7\n\n', true],
    ['events of no model, the last one without its line’s end', 'data: {"ask":12}\n\ndata: {"ask":13}', true],
    ['a long last event of no model, cut', `data: {"ask":12}\n\ndata: {"all":"${'x'.repeat(5_000)}`, true],
    ['events of no model, cut within an object', 'data: {"ask":12}\n\ndata: {"ask":', false],
    ['an end, and a heartbeat after it', `${chat}data: [DONE]\n\ndata:\n\n`, true],
    ['an end, and a ping after it', 'data: {"type":"message_stop"}\n\nevent: ping\ndata: {"type":"ping"}\n\n', true],
    ['lines that end with CR', `${chat}data: [DONE]\n\n`.replaceAll('\n', '\r'), true],
    ['lines that end with CR, and no end', chat.replaceAll('\n', '\r'), false],
    [
      'no end behind a long opening',
      `event: response.created\ndata: {"type":"response.created","of":${long}}\n\n`,
      false,
    ],
    ['no end behind a long opening without a name', `data: {"type":"response.created","of":${long}}\n\n`, false],
  ])('ended well or not by its last events: %s', async (_, text, endedWell) => {
    for (const bytes of [1, 7, 100_000]) {
      const one = served({ method: 'POST', events: streamOf(text, bytes), responseHeaders: new Headers() });
      expect(await streamEndedWell(one)).toBe(endedWell);
    }
  });

  it('that was only listened to ended well without an event', async () => {
    const one = served({ method: 'GET', events: streamOf('', 1), responseHeaders: new Headers() });
    expect(await streamEndedWell(one)).toBe(true);
  });

  it.each([
    ['an end', `${chat}data: [DONE]\n\n`, 65_536, true],
    ['no end', chat, 65_536, false],
    ['more than was kept', `${chat}data: [DONE]\n\n`, 20, null],
    ['more than is unpacked', `${chat}${`: ${' '.repeat(1_000)}\n\n`.repeat(1_100)}data: [DONE]\n\n`, 65_536, null],
  ])('that is coded ended well or not by its copy: %s', async (_, text, maxBytes, endedWell) => {
    const ends = new Ends({ head: maxBytes, tail: 0 });
    ends.add(gzipSync(text));
    const responseHeaders = new Headers({ 'content-encoding': 'gzip' });
    expect(await streamEndedWell(served({ events: new EventEnds(), ends, responseHeaders }))).toBe(endedWell);
  });
});
