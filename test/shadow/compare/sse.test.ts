import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Prefix } from '../../../src/forward/copies.ts';
import { readSse, type StreamReading } from '../../../src/shadow/compare/sse.ts';
import { transcript } from './observed.ts';

const encoder = new TextEncoder();

function read(name: string): StreamReading {
  return readSse(encoder.encode(transcript(name)));
}

describe('re-assembling streams', () => {
  it.each<[string, Partial<StreamReading>]>([
    [
      'openai-chat.txt',
      {
        dialect: 'openai-chat',
        text: 'Grüße aus Zürich: 東京 liegt 🗼 weit weg.',
        finish: 'stop',
        usage: { tokensIn: 19, tokensOut: 9 },
        model: 'm-1-2026-08-07',
      },
    ],
    [
      'openai-chat-tools.txt',
      {
        dialect: 'openai-chat',
        text: '',
        finish: 'tool_calls',
        toolCalls: [
          { name: 'get_weather', arguments: { city: 'Paris', unit: 'celsius', days: 3 }, valid: true },
          { name: 'get_time', arguments: { zone: 'Europe/Paris' }, valid: true },
        ],
        usage: null,
      },
    ],
    ['openai-chat-refusal.txt', { finish: 'stop', text: '', refusal: "I'm sorry, I can't help with that." }],
    [
      'openai-responses.txt',
      {
        dialect: 'openai-responses',
        text: 'Hi there! 👋 How can I help?',
        toolCalls: [{ name: 'get_weather', arguments: { city: 'Paris' }, valid: true }],
        finish: 'completed',
        usage: { tokensIn: 37, tokensOut: 11 },
      },
    ],
    [
      'anthropic-messages.txt',
      {
        dialect: 'anthropic-messages',
        text: "Okay, let's check the weather in Zürich 🌦:",
        finish: 'end_turn',
        usage: { tokensIn: 125, tokensOut: 15 },
        refusal: null,
      },
    ],
    [
      'anthropic-messages-tools.txt',
      {
        finish: 'tool_use',
        toolCalls: [{ name: 'get_weather', arguments: { location: 'Zürich, ZH', unit: 'celsius' }, valid: true }],
      },
    ],
    ['anthropic-messages-refusal.txt', { finish: 'refusal', refusal: 'Hello' }],
    [
      'workers-ai.txt',
      {
        dialect: 'workers-ai',
        text: 'The answer is 42, süß 🍯.',
        finish: null,
        usage: { tokensIn: 23, tokensOut: 9 },
      },
    ],
    [
      'workers-ai-tools.txt',
      { text: '', toolCalls: [{ name: 'get_weather', arguments: { city: 'Paris', days: 3 }, valid: true }] },
    ],
  ])('%s says what its answer would say in one piece', (name, expected) => {
    const reading = read(name);
    expect(reading).toMatchObject({ ...expected, terminated: true });
    expect(reading.error).toBeUndefined();
  });

  it.each([
    ['openai-chat-unterminated.txt', 'unterminated', 'openai-chat'],
    ['openai-chat-error.txt', 'error-event:server_error', 'openai-chat'],
    ['openai-responses-unterminated.txt', 'unterminated', 'openai-responses'],
    ['openai-responses-failed.txt', 'error-event:server_error', 'openai-responses'],
    ['anthropic-messages-unterminated.txt', 'unterminated', 'anthropic-messages'],
    ['anthropic-messages-error.txt', 'error-event:overloaded_error', 'anthropic-messages'],
    ['workers-ai-unterminated.txt', 'unterminated', 'workers-ai'],
    ['workers-ai-error.txt', 'error-event:3040', 'workers-ai'],
  ])('%s is an error though its status was 200', (name, error, dialect) => {
    expect(read(name)).toMatchObject({ error, dialect });
  });

  it.each([
    ['data: {"choices":[{"delta":{"content":"a"}}]}', 'data: [DONE]'],
    ['data: {"response":"a"}', 'data: [DONE]'],
    ['data: {"type":"message_start","message":{"content":[]}}', 'data: {"type":"message_stop"}'],
    ['data: {"type":"response.created"}', 'data: {"type":"response.completed"}'],
  ])('takes an event named error for one, whatever type its data name: %s', (begins, ends) => {
    const failure = 'event: error\ndata: {"type":"server_error","message":"secret"}';
    expect(readSse(encoder.encode([begins, failure, ends, ''].join('\n\n'))).error).toBe('error-event');
  });

  it.each([
    ['{"code":"","type":"overloaded_error"}', 'error-event:overloaded_error'],
    ['{"code":null,"type":"server_error"}', 'error-event:server_error'],
    ['{"code":{"toString":1},"type":"server_error"}', 'error-event'],
    ['{"code":["words"]}', 'error-event'],
    ['{"code":429,"type":"rate_limit"}', 'error-event:429'],
    ['{"code":null,"type":null}', 'error-event'],
    ['"words"', 'error-event'],
  ])('takes the word for the error %s, and for none what is no word', (error, reason) => {
    const text = `data: {"choices":[]}\n\ndata: {"error":${error}}\n\n`;
    expect(readSse(encoder.encode(text)).error).toBe(reason);
  });

  it.each([
    [
      'a null for what has not changed',
      [
        '{"type":"message_start","message":{"type":"message","content":[],"usage":{"input_tokens":17,"output_tokens":1}}}',
        '{"type":"message_delta","delta":{},"usage":{"input_tokens":null,"output_tokens":7}}',
        '{"type":"message_stop"}',
      ],
    ],
    [
      'a usage that comes at the end alone',
      [
        '{"type":"message_start","message":{"type":"message","content":[],"usage":null}}',
        '{"type":"message_delta","delta":{},"usage":{"input_tokens":17,"output_tokens":7}}',
        '{"type":"message_stop"}',
      ],
    ],
    [
      'a usage of Groq',
      ['{"choices":[],"x_groq":{"usage":{"prompt_tokens":17,"completion_tokens":7}},"usage":null}', '[DONE]'],
    ],
    [
      'a usage of Moonshot',
      ['{"usage":null,"choices":[{"delta":{},"usage":{"prompt_tokens":17,"completion_tokens":7}}]}', '[DONE]'],
    ],
  ])('reads %s', (_, events) => {
    const text = events.map((data) => `data: ${data}\n\n`).join('');
    expect(readSse(encoder.encode(text)).usage).toEqual({ tokensIn: 17, tokensOut: 7 });
  });

  it.each([
    ['{"error":"boom","error_type":"generation"}', 'error-event'],
    ['{"error":{"code":503}}', 'error-event'],
    ['{"type":"error","errorText":"no"}', 'error-event'],
    ['{"error":null}', undefined],
    ['{"error":3}', undefined],
    ['{"jsonrpc":"2.0","id":1,"error":{"code":-32601}}', undefined],
  ])('knows an error of a stream of no known API by what it is: %s', (data, error) => {
    expect(readSse(encoder.encode(`data: {"n":1}\n\ndata: ${data}\n\n`))).toMatchObject({ dialect: 'generic', error });
  });

  it('says nothing of the end of a stream that we stopped reading', () => {
    const bytes = encoder.encode(transcript('openai-chat.txt'));
    const reading = readSse(bytes.subarray(0, 1500), { whole: false });
    expect(reading.error).toBeUndefined();
    expect('Grüße aus Zürich: 東京 liegt 🗼 weit weg.'.startsWith(reading.text)).toBe(true);
    expect(reading.text).not.toBe('');
  });

  it('takes an empty stream for the dialect that was expected, and so for an error', () => {
    expect(readSse(new Uint8Array(), { hint: 'openai-chat' })).toMatchObject({ error: 'unterminated' });
    expect(readSse(new Uint8Array())).toMatchObject({ dialect: 'generic', error: undefined });
  });

  it('keeps the events of an unknown stream as they are, JSON or text', () => {
    const text = 'event: tick\ndata: {"n":1}\n\n: comment\n\ndata: plain\ndata: text\n\n';
    expect(readSse(encoder.encode(text))).toMatchObject({
      dialect: 'generic',
      document: [
        { event: 'tick', data: { n: 1 } },
        { event: null, data: 'plain\ntext' },
      ],
    });
    expect(readSse(encoder.encode('event: error\ndata: {}\n\n')).error).toBe('error-event');
  });

  it('keeps unparsable tool arguments as text and says so', () => {
    const text = transcript('openai-chat-tools.txt').replace('"arguments":"}"', '"arguments":""');
    expect(readSse(encoder.encode(text)).toolCalls[0]).toEqual({
      name: 'get_weather',
      arguments: '{"city":"Paris","unit":"celsius","days":3',
      valid: false,
    });
  });

  it('puts tool calls in the order of their index, whatever order they were streamed in', () => {
    const chunk = (calls: unknown[]) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: calls } }] })}\n\n`;
    const call = (index: number, name: string) => ({ index, id: name, function: { name, arguments: '{}' } });
    const read = (...chunks: string[]) => readSse(new TextEncoder().encode(`${chunks.join('')}data: [DONE]\n\n`));
    const late = read(chunk([call(1, 'g')]), chunk([call(0, 'f')]));
    expect(late.toolCalls.map(({ name }) => name)).toEqual(['f', 'g']);
    expect(late.document).toEqual(read(chunk([call(0, 'f'), call(1, 'g')])).document);
  });

  it('keeps the citations that come with the end of a text, and the text as it was streamed', () => {
    const event = (type: string, more: object) => `data: ${JSON.stringify({ type, output_index: 0, ...more })}\n\n`;
    const part = { type: 'output_text', text: 'repeated', annotations: [{ url: 'https://a.example' }] };
    const text = [
      event('response.output_item.added', { item: { type: 'message', content: [] } }),
      event('response.output_text.delta', { content_index: 0, delta: 'streamed' }),
      event('response.output_item.done', { item: { type: 'message', content: [part] } }),
      event('response.completed', { response: { object: 'response', status: 'completed' } }),
    ].join('');
    const { document } = readSse(encoder.encode(text));
    expect(document).toMatchObject({ output: [{ content: [{ ...part, text: 'streamed' }] }] });
    const [item] = (document as { output: { content: object[] }[] }).output;
    expect(Object.keys(item!.content[0]!).sort()).toEqual(['annotations', 'text', 'type']);
  });

  it('joins what grows from chunk to chunk, and not what each of them repeats', () => {
    const chunk = (text: string) => {
      const reasoning_details = [{ index: 0, type: 'reasoning.text', format: 'anthropic-claude-v1', text }];
      return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { reasoning_details } }] })}\n\n`;
    };
    const read = (...texts: string[]) =>
      readSse(encoder.encode(`${texts.map(chunk).join('')}data: [DONE]\n\n`)).document;
    expect(read('a', 'b', 'c')).toEqual(read('abc'));
  });

  it('joins thoughts and texts that come in parts, as Mistral’s do, whatever they were cut into', () => {
    const say = (content: unknown) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
    const contentOf = (...parts: unknown[]) => {
      const { document, text } = readSse(encoder.encode(`${parts.map(say).join('')}data: [DONE]\n\n`));
      return [(document as { choices: { message: object }[] }).choices[0]!.message, text];
    };
    const text = (text: string) => ({ type: 'text', text });
    const thought = (said: string, more = {}) => ({ type: 'thinking', thinking: [text(said)], ...more });
    const whole = contentOf([thought('Let me see.', { closed: true }), text('Bern it is.')]);
    expect(whole[0]).toMatchObject({ content: [thought('Let me see.', { closed: true }), text('Bern it is.')] });
    expect(whole[1]).toBe('Bern it is.');
    expect(
      contentOf([thought('Let ')], [thought('me ')], [thought('see.', { closed: true }), text('Bern')], ' it', ' is.'),
    ).toEqual(whole);
    const calls = ['a', 'b'].map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } }));
    const both = calls.map((call) => `data: ${JSON.stringify({ choices: [{ delta: { tool_calls: [call] } }] })}\n\n`);
    expect(readSse(encoder.encode(`${both.join('')}data: [DONE]\n\n`)).toolCalls).toHaveLength(2);
  });

  it('keeps every part of a content that is now a text and now a list, and counts calls by no index', () => {
    const say = (content: unknown) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
    const contentOf = (...parts: unknown[]) => {
      const { document } = readSse(encoder.encode(`${parts.map(say).join('')}data: [DONE]\n\n`));
      return (document as { choices: { message: { content: unknown } }[] }).choices[0]!.message.content;
    };
    const reference = { type: 'reference', reference_ids: [1] };
    expect(contentOf('', 'Paris ', 'is', [reference], ' and', ' large.')).toEqual([
      'Paris is',
      reference,
      ' and large.',
    ]);
    expect(contentOf([reference], 'a', 'b', [reference], '')).toEqual([reference, 'ab', reference]);
    for (const parts of [
      [[], 'Paris'],
      ['Paris', []],
    ])
      expect(contentOf(...parts)).toBe('Paris');
    const call = (more: object) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [{ id: 'c', ...more }] } }] })}\n\ndata: [DONE]\n\n`;
    expect(readSse(encoder.encode(call({ index: 0 }))).document).toEqual(readSse(encoder.encode(call({}))).document);
  });

  it('takes no empty error of Workers AI for one', () => {
    const text = 'data: {"response":"a"}\n\ndata: {"response":"b","error":null}\n\ndata: [DONE]\n\n';
    expect(readSse(new TextEncoder().encode(text))).toMatchObject({ text: 'ab', error: undefined });
  });

  it('takes the last event without its empty line, and lines ended in any way', () => {
    const text = transcript('openai-chat.txt').trimEnd();
    const whole = read('openai-chat.txt');
    expect(readSse(encoder.encode(text))).toEqual(whole);
    expect(readSse(encoder.encode(text.replaceAll('\n', '\r\n')))).toEqual(whole);
    expect(readSse(encoder.encode(text.replaceAll('\n', '\r')))).toEqual(whole);
  });

  it.each([
    'openai-chat.txt',
    'openai-chat-tools.txt',
    'openai-chat-error.txt',
    'openai-responses.txt',
    'anthropic-messages-tools.txt',
    'anthropic-messages-unterminated.txt',
    'workers-ai.txt',
  ])('%s gives the same result under every split of its bytes, also inside a character', (name) => {
    for (const end of ['\n', '\r\n']) {
      const bytes = encoder.encode(transcript(name).replaceAll('\n', end));
      const whole = readSse(bytes);
      fc.assert(
        fc.property(fc.array(fc.nat(bytes.length), { maxLength: 60 }), (cuts) => {
          expect(inPieces(bytes, cuts)).toEqual(whole);
        }),
        { numRuns: 60 },
      );
      expect(inPieces(bytes, [...bytes.keys()])).toEqual(whole);
    }
  });

  it('gives the same result under every single cut of a stream full of wide characters', () => {
    const bytes = encoder.encode(
      'data: {"response":"ß東🗼"}\r\n\r\ndata: {"response":"é🍯"}\r\n\r\ndata: [DONE]\r\n\r\n',
    );
    for (let at = 0; at <= bytes.length; at++) expect(inPieces(bytes, [at]).text).toBe('ß東🗼é🍯');
  });

  it('never throws on any bytes', () => {
    const piece = fc.constantFrom(
      'data: ',
      '{"choices":[{"delta":',
      '{"type":"message_start"}',
      '}]}',
      '\n\n',
      '[DONE]',
      '"x"',
      'null',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
        expect(readSse(encoder.encode(pieces.join(''))).text).toBeTypeOf('string');
      }),
      { numRuns: 500 },
    );
  });
});

/** The stream as it comes of a body that arrived in pieces. */
function inPieces(bytes: Uint8Array, cuts: number[]): StreamReading {
  const captured = new Prefix(bytes.length);
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    captured.add(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  captured.add(bytes.subarray(from));
  return readSse(captured.take());
}
