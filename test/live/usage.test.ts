import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Ends } from '../../src/forward/copies.ts';
import type { Served } from '../../src/forward/served.ts';
import { modelIn, Usages, usageIn } from '../../src/live/usage.ts';
import { readReply } from '../../src/shadow/compare/read.ts';
import { readSse } from '../../src/shadow/compare/sse.ts';
import { body, served } from './served.ts';

const folder = fileURLToPath(new URL('../shadow/compare/transcripts', import.meta.url).href);
const transcript = (name: string) => readFileSync(join(folder, name), 'utf8');

describe('the usage that an answer names', () => {
  it.each([
    'openai-chat.json',
    'openai-chat.txt',
    'openai-responses.json',
    'openai-responses.txt',
    'anthropic-messages.json',
    'anthropic-messages.txt',
    'workers-ai.json',
    'workers-ai.txt',
  ])('is what the reader of whole answers finds: %s', (name) => {
    const text = transcript(name);
    const contentType = name.endsWith('.json') ? 'application/json' : 'text/event-stream';
    const bytes = new TextEncoder().encode(text);
    const whole = { status: 200, contentType, body: bytes, bytes: bytes.byteLength, end: 'complete' as const };
    const { facts } = readReply(whole);
    expect(facts?.usage).toMatchObject({ tokensOut: expect.any(Number) });
    expect(usageIn(text)).toEqual(facts!.usage);
    expect(modelIn(text)).toBe(facts!.model);
  });

  it.each([
    ['nothing at all', ''],
    ['null while the stream runs', 'data: {"usage":null}'],
    ['no count of output', '{"usage":{"input_tokens":3}}'],
    ['a text that speaks of it', JSON.stringify({ text: '"usage": {"completion_tokens": 9}' })],
    ['an object that was cut off', '{"usage":{"completion_tokens":9'],
    ['no number', '{"usage":{"completion_tokens":"9"}}'],
    ['fewer than none', '{"usage":{"completion_tokens":-1}}'],
    ['more than sums can hold', '{"usage":{"completion_tokens":1e200}}'],
    ['infinitely many', '{"usage":{"completion_tokens":1e999}}'],
  ])('is none where it is %s', (_, text) => {
    expect(usageIn(text)).toBeNull();
  });

  it('counts cached input once: with `prompt_tokens` it is among them, with `input_tokens` beside them', () => {
    const cached = '"cache_read_input_tokens":80';
    expect(usageIn(`{"usage":{"prompt_tokens":100,"completion_tokens":5,${cached}}}`)?.tokensIn).toBe(100);
    expect(usageIn(`{"usage":{"input_tokens":20,"output_tokens":5,${cached}}}`)?.tokensIn).toBe(100);
  });

  it('is found where it has objects within objects, and of an embedding, which has no output', () => {
    const iterations = [{ type: 'message', input_tokens: 3, cache_creation: { ephemeral_5m_input_tokens: 1 } }];
    const usage = { input_tokens: 3, iterations, output_tokens: 6 };
    expect(usageIn(JSON.stringify({ id: 'x', usage }))).toEqual({ tokensIn: 3, tokensOut: 6 });
    const embedding = { data: [0.1], usage: { prompt_tokens: 8, total_tokens: 8 } };
    expect(usageIn(JSON.stringify(embedding))).toEqual({ tokensIn: 8, tokensOut: 0 });
    expect(usageIn('{"usage":{"prompt_tokens":8,"total_tokens":9}}')).toBeNull();
  });

  it.each([
    [
      'Gemini, whose thoughts are output',
      {
        usageMetadata: {
          promptTokenCount: 12,
          candidatesTokenCount: 30,
          totalTokenCount: 164,
          toolUsePromptTokenCount: 2,
          cachedContentTokenCount: 8,
          promptTokensDetails: [{ modality: 'TEXT', tokenCount: 12 }],
          thoughtsTokenCount: 120,
        },
        modelVersion: 'm-1',
      },
      { tokensIn: 14, tokensOut: 150, cachedIn: 8 },
    ],
    [
      'Gemini, which did nothing but think',
      { usageMetadata: { promptTokenCount: 12, totalTokenCount: 112, thoughtsTokenCount: 100 }, modelVersion: 'm-1' },
      { tokensIn: 12, tokensOut: 100 },
    ],
    [
      'Ollama',
      { model: 'm-1', message: { content: 'Hi' }, done: true, prompt_eval_count: 26, eval_count: 298 },
      { tokensIn: 26, tokensOut: 298 },
    ],
    [
      'Cohere, as it is billed',
      {
        usage: {
          billed_units: { input_tokens: 5, output_tokens: 418 },
          tokens: { input_tokens: 71, output_tokens: 420 },
          cached_tokens: 64,
        },
      },
      { tokensIn: 5, tokensOut: 418 },
    ],
    [
      'Bedrock, whose cached input stands beside the other',
      { usage: { inputTokens: 30, outputTokens: 62, totalTokens: 192, cacheReadInputTokens: 100 } },
      { tokensIn: 130, tokensOut: 62, cachedIn: 100 },
    ],
    [
      'OpenAI, whose cached input is among the other',
      { model: 'm-1', usage: { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } } },
      { tokensIn: 9, tokensOut: 2, cachedIn: 4 },
    ],
    [
      "OpenAI's Responses",
      { model: 'm-1', usage: { input_tokens: 9, output_tokens: 2, input_tokens_details: { cached_tokens: 4 } } },
      { tokensIn: 9, tokensOut: 2, cachedIn: 4 },
    ],
    [
      'Qwen, all of whose cached input is among the other, in names of Anthropic',
      {
        model: 'm-1',
        usage: {
          ...{ input_tokens: 9, output_tokens: 2 },
          prompt_tokens_details: { cached_tokens: 4, cache_creation_input_tokens: 5, cache_read_input_tokens: 4 },
        },
      },
      { tokensIn: 9, tokensOut: 2, cachedIn: 4 },
    ],
    [
      'Anthropic, which reads a cache and writes it',
      {
        model: 'm-1',
        usage: { input_tokens: 3, output_tokens: 2, cache_read_input_tokens: 40, cache_creation_input_tokens: 7 },
      },
      { tokensIn: 50, tokensOut: 2, cachedIn: 40 },
    ],
  ])('is read in the words of %s', (_, document, usage) => {
    const bytes = bytesOf(JSON.stringify(document));
    const whole = { status: 200, contentType: 'application/json', body: bytes, bytes: 1, end: 'complete' as const };
    const { facts } = readReply(whole);
    expect(facts?.usage).toEqual(usage);
    expect(usageIn(JSON.stringify(document, null, 2))).toEqual(usage);
    expect(modelIn(JSON.stringify(document))).toBe(facts!.model);
  });

  it('is that of the last event of streams that are no event streams, or of a dialect that nobody knows', () => {
    const counted = (n: number) => ({ usageMetadata: { promptTokenCount: 7, candidatesTokenCount: n } });
    const lines = [
      { message: {}, done: false },
      { message: {}, done: true, prompt_eval_count: 7, eval_count: 3 },
    ];
    const cohere = { type: 'message-end', delta: { usage: { billed_units: { input_tokens: 7, output_tokens: 3 } } } };
    const used = { tokensIn: 7, tokensOut: 3 };
    expect(usageIn(lines.map((line) => JSON.stringify(line)).join('\n'))).toEqual(used);
    expect(usageIn(JSON.stringify([1, 2, 3].map(counted)))).toEqual(used);
    for (const events of [[1, 2, 3].map(counted), [{ type: 'message-start' }, cohere]]) {
      const text = `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`;
      expect(usageIn(text)).toEqual(used);
      expect(readSse(bytesOf(text)).usage).toEqual(used);
    }
  });

  it('is that of the whole, where its parts are told as well', () => {
    const usage = { prompt_tokens: 5296, completion_tokens: 387 };
    const parts = [
      { model: 'm-1', usage: { prompt_tokens: 3011, completion_tokens: 165 } },
      { model: 'm-2', usage: { prompt_tokens: 2285, completion_tokens: 222 } },
    ];
    const whole = { tokensIn: 5296, tokensOut: 387 };
    expect(usageIn(JSON.stringify({ usage, usage_breakdown: { models: parts } }))).toEqual(whole);
    expect(usageIn(JSON.stringify({ usage_breakdown: { models: parts }, usage }))).toEqual(whole);
  });

  it('is the last, where a stream counts up', () => {
    const chunks = [1, 2, 3].map((n) => `data: {"usage":{"prompt_tokens":7,"completion_tokens":${n}}}\n\n`);
    expect(usageIn(chunks.join(''))).toEqual({ tokensIn: 7, tokensOut: 3 });
    // Anthropic's, where the prompt was compacted on the way.
    const counts = [
      { input_tokens: 55_277, output_tokens: 1 },
      { input_tokens: 181, output_tokens: 8 },
    ];
    const events = counts.map((usage) => `data: ${JSON.stringify({ usage })}\n\n`);
    expect(usageIn(events.join(''))).toEqual({ tokensIn: 181, tokensOut: 8 });
  });
});

const prices = { 'm-1': { inputPerMillion: 1, outputPerMillion: 4 } };
const document = (text: string) =>
  JSON.stringify({ model: 'm-1', text, usage: { prompt_tokens: 10, completion_tokens: 20 } });

function answered(
  bytes: Uint8Array,
  more: Parameters<typeof served>[0] = {},
  headers = {},
  bounds = { head: 64, tail: 128 },
) {
  const ends = new Ends(bounds);
  // Bodies come in pieces.
  for (let at = 0; at < bytes.byteLength; at += 50) ends.add(bytes.subarray(at, at + 50));
  const responseHeaders = new Headers({ 'content-type': 'application/json', ...headers });
  return served({ ends, responseHeaders, inForce: { usage: true }, ...more });
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const read = (one: Served) => new Usages(() => prices).of(one);

describe('what an answer has used', () => {
  it('is read from its two ends, and is priced by its model', async () => {
    const long = document('x'.repeat(5_000));
    for (const text of [document(''), document('x'.repeat(60)), long]) {
      expect(await read(answered(bytesOf(text)))).toEqual({ tokensIn: 10, tokensOut: 20, cost: 90 / 1e6 });
    }
  });

  it('is priced by its model wherever the end of what is kept of its beginning falls', async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 20 };
    for (let length = 0; length < 60; length++) {
      const text = JSON.stringify({ choices: 'x'.repeat(length), model: 'm-1', object: 'o', usage });
      const spent = await read(answered(bytesOf(text), {}, {}, { head: 64, tail: 16_384 }));
      expect(spent).toEqual({ tokensIn: 10, tokensOut: 20, cost: 90 / 1e6 });
    }
  });

  it('is read from a compressed answer that is short, and not from a part of one', async () => {
    const packed = gzipSync(document('y'));
    const headers = { 'content-encoding': 'gzip' };
    const whole = answered(packed, {}, headers, { head: 1_000, tail: 0 });
    expect(await read(whole)).toMatchObject({ tokensOut: 20 });
    const part = answered(packed, {}, headers, { head: 20, tail: 0 });
    expect(await read(part)).toBeNull();
  });

  it('is read from the ends of an answer that names no coding but `identity`', async () => {
    const coded = { 'content-encoding': 'identity' };
    expect(await read(answered(bytesOf(document('x'.repeat(5_000))), {}, coded))).toMatchObject({ tokensOut: 20 });
  });

  it('has no cost where the model has no price, and the price of the variant’s own model where none is named', async () => {
    const usage = '{"usage":{"completion_tokens":5}}';
    const of = (json: object) => ({ name: 'main', variants: { green: { json } } }) as unknown as Served['route'];
    expect(await read(answered(bytesOf(usage), { route: of({}) }))).toEqual({ tokensIn: 0, tokensOut: 5, cost: null });
    expect(await read(answered(bytesOf(usage), { route: of({ model: 'm-1' }) }))).toMatchObject({ cost: 20 / 1e6 });
  });

  it('has cached input at its own price, where there is one', async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 0, prompt_tokens_details: { cached_tokens: 8 } };
    const answer = bytesOf(JSON.stringify({ model: 'm-1', usage }));
    const own = { 'm-1': { ...prices['m-1'], cachedInputPerMillion: 0.1 } };
    expect(await new Usages(() => own).of(answered(answer))).toMatchObject({ cost: 2.8 / 1e6 });
    expect(await read(answered(answer))).toMatchObject({ cost: 10 / 1e6 });
  });

  it('is unknown where the answer broke off, and is not asked where nobody wants it', async () => {
    expect(await read(answered(bytesOf(document('')), { body: { ...body, end: 'cut' } }))).toBeNull();
    expect(read(served())).toBeNull();
  });

  it('is unknown where a stream ended well but before its end, whatever it has named by then', async () => {
    const plain = { route: { name: 'main', variants: { green: {} } } as unknown as Served['route'] };
    const bounds = { head: 4_096, tail: 16_384 };
    const opening = 'data: {"type":"message_start","message":{"usage":{"input_tokens":9,"output_tokens":1}}}\n\n';
    const error = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n';
    const end = 'data: {"usage":{"output_tokens":60}}\n\ndata: {"type":"message_stop"}\n\n';
    expect(await read(answered(bytesOf(opening + error), plain, {}, bounds))).toBeNull();
    expect(await read(answered(bytesOf(opening + end), plain, {}, bounds))).toMatchObject({ tokensOut: 60 });
    const gemini = (more: object) =>
      `data: ${JSON.stringify({ candidates: [more], usageMetadata: { candidatesTokenCount: 4 } })}\n\n`;
    expect(await read(answered(bytesOf(gemini({})), plain, {}, bounds))).toBeNull();
    const whole = gemini({}) + gemini({ finishReason: 'STOP' });
    expect(await read(answered(bytesOf(whole), plain, {}, bounds))).toMatchObject({ tokensOut: 4 });
    // Of a whole document the reason may stand before more than is kept.
    const candidates = [{ finishReason: 'STOP', groundingMetadata: 'x'.repeat(20_000) }];
    const document = JSON.stringify({
      text: 'y'.repeat(5_000),
      candidates,
      usageMetadata: { candidatesTokenCount: 4 },
    });
    expect(await read(answered(bytesOf(document), plain, {}, bounds))).toMatchObject({ tokensOut: 4 });
    expect(await read(answered(bytesOf(`[${gemini({}).slice(6)}`), plain, {}, bounds))).toBeNull();
    const usage = { prompt_tokens: 2, completion_tokens: 1 };
    const chunk = `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [], usage })}\n\n`;
    expect(await read(answered(bytesOf(chunk), plain, {}, bounds))).toBeNull();
    expect(await read(answered(bytesOf(`${chunk}data: [DONE]\n\n`), plain, {}, bounds))).toMatchObject({
      tokensOut: 1,
    });
  });

  it('is read once for all who ask', () => {
    const usages = new Usages(() => prices);
    const one = answered(bytesOf(document('')));
    expect(usages.of(one)).toBe(usages.of(one));
  });
});
