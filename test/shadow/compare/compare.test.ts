import { describe, expect, it } from 'vitest';
import { type Comparison, compareReplies, type PairContext } from '../../../src/shadow/compare/compare.ts';
import type { CompareOptions } from '../../../src/shadow/compare/presets.ts';
import type { Observation } from '../../../src/shadow/observation.ts';
import { json, observed, stream, transcript } from './observed.ts';

async function compare(
  live: Observation,
  candidate: Observation,
  options: CompareOptions = {},
  over: Partial<PairContext> = {},
): Promise<Comparison> {
  return compareReplies(live, candidate, { options, role: 'candidate', ...over });
}

const gone: Partial<Observation> = { status: 0, end: 'unreachable', body: new Uint8Array(), bytes: 0 };
const late: Partial<Observation> = { status: 0, end: 'timeout', body: new Uint8Array(), headersMs: undefined };
const chat = { preset: 'openai-chat' } as const;

const latin = (...bytes: number[]) => new Uint8Array(bytes);

describe('the class of a pair', () => {
  const good = json({ a: 1 });
  it.each<[string, Observation, Observation, Partial<PairContext>, string, string]>([
    ['equal answers match', good, json({ a: 1 }), {}, 'match', ''],
    ['a failed baseline teaches nothing', json({}, gone), good, {}, 'skipped', 'baseline-failed'],
    ['a baseline cut off teaches nothing', json({}, { end: 'cut' }), good, {}, 'skipped', 'baseline-failed'],
    [
      'a failed baseline goes before a late candidate',
      json({}, late),
      json({}, late),
      {},
      'skipped',
      'baseline-failed',
    ],
    ['a visitor who left says nothing', json({}, { end: 'abandoned' }), good, {}, 'skipped', 'client-left'],
    ['no headers in time is a timeout', good, json({}, late), {}, 'timeout', 'headers'],
    ['no end in time is a timeout', good, json({}, { end: 'timeout' }), {}, 'timeout', 'body'],
    ['an unreachable candidate is an error', good, json({}, gone), {}, 'error', 'unreachable'],
    ['a candidate that breaks off is an error', good, json({}, { end: 'cut' }), {}, 'error', 'cut'],
    ['an error goes before the status', good, json({}, { end: 'cut', status: 500 }), {}, 'error', 'cut'],
    ['another status is a mismatch', good, json({ a: 1 }, { status: 500 }), {}, 'status-mismatch', '200-500'],
    ['a status goes before the body', good, json({ b: 2 }, { status: 404 }), {}, 'status-mismatch', '200-404'],
    ['equal failures match', json({ e: 1 }, { status: 500 }), json({ e: 1 }, { status: 500 }), {}, 'match', ''],
    ['another body is a mismatch', good, json({ a: 2 }), {}, 'body-mismatch', 'differs'],
    [
      'a mirrored baseline that fails is skipped',
      json({}, { status: 503 }),
      good,
      { role: 'counterfactual' },
      'skipped',
      'baseline-failed',
    ],
  ])('%s', async (_name, live, candidate, over, name, reason) => {
    const result = await compare(live, candidate, {}, over);
    expect([result.class, result.reason]).toEqual([name, reason]);
  });

  it('calls its own fault an error, and keeps the record', async () => {
    const broken = json({ a: 1 });
    Object.defineProperty(broken, 'body', {
      get: () => {
        throw new RangeError('secret text');
      },
    });
    const result = await compare(json({ a: 1 }), broken);
    expect(result).toMatchObject({ class: 'error', reason: 'comparator', diffCount: 0, diffs: 'RangeError' });
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  it.each<[string, Observation, Observation, string, string]>([
    ['no body at all', observed('', null), observed('', 'text/html'), 'match', ''],
    ['no body on one side', observed('', null), observed('x', null), 'body-mismatch', 'empty'],
    ['JSON against a page', json({ a: 1 }), observed('<html>', 'text/html'), 'body-mismatch', 'kind'],
    ['JSON that is none', json({ a: 1 }), observed('{"a":', 'application/json'), 'body-mismatch', 'json'],
    [
      'JSON named otherwise',
      json({ a: 1 }),
      observed('{ "a": 1 }', 'application/problem+json; charset=utf-8'),
      'match',
      '',
    ],
    ['JSON without a type', json({ a: 1 }), observed('{ "a": 1 }', null), 'match', ''],
    [
      'lines of JSON',
      observed('{"a":1}\n{"b":2}\n', 'application/x-ndjson'),
      observed('{ "a":1}\n\n{"b": 2}', 'application/x-ndjson'),
      'match',
      '',
    ],
    [
      'lines of JSON that became a list',
      observed('{"a":1}\n{"b":2}', 'application/x-ndjson'),
      json([{ a: 1 }, { b: 2 }]),
      'body-mismatch',
      'kind',
    ],
    ['line ends', observed('a \r\nb', 'text/plain'), observed('a\nb\n', 'text/plain'), 'match', ''],
    ['words', observed('a b', 'text/plain'), observed('a c', 'text/plain'), 'body-mismatch', 'differs'],
    [
      'latin text',
      observed(new Uint8Array([0xe9]), 'text/plain; charset=iso-8859-1'),
      observed('é', 'text/plain'),
      'match',
      '',
    ],
    [
      'letters of no declared set',
      observed(latin(0xe9), 'text/plain'),
      observed(latin(0xe9), 'text/plain'),
      'match',
      '',
    ],
    [
      'other letters of no declared set',
      observed(latin(0xe9), 'text/plain'),
      observed(latin(0xe8), 'text/plain'),
      'body-mismatch',
      'differs',
    ],
    [
      'other letters of no declared set in JSON',
      observed(latin(0x22, 0xe9, 0x22), 'application/json'),
      observed(latin(0x22, 0xe8, 0x22), 'application/json'),
      'body-mismatch',
      'differs',
    ],
    [
      'equal bytes',
      observed(new Uint8Array([0, 1]), 'image/png'),
      observed(new Uint8Array([0, 1]), 'image/png'),
      'match',
      '',
    ],
    [
      'other bytes',
      observed(new Uint8Array([0, 1]), null),
      observed(new Uint8Array([0, 2]), null),
      'body-mismatch',
      'differs',
    ],
    ['generic events', stream('data: {"a":1,"b":2}\n\n'), stream('data: {"b":2,"a":1}\n\n'), 'match', ''],
    ['other generic events', stream('data: {"a":1}\n\n'), stream('data: {"a":2}\n\n'), 'body-mismatch', 'differs'],
    ['words that became JSON', stream('data: hello\n\n'), stream('data: "hello"\n\n'), 'body-mismatch', 'differs'],
    ['words as JSON', stream('data: "é"\n\n'), stream('data: "\\u00e9"\n\n'), 'match', ''],
    ['bare text that calls itself a stream', stream('good words'), stream('bad words'), 'body-mismatch', 'differs'],
    ['streams of nothing but heartbeats', stream(': ping\n\n'), stream(': ping\n\n: pong\n\n'), 'match', ''],
    ['bare text among heartbeats', stream('a\nb'), stream(': ping\r\n\r\na\n: ping\n\nb'), 'match', ''],
    ['streams of nothing but empty events', stream('data:\r\n\r\n'), stream('data:\n\ndata: \n\n'), 'match', ''],
  ])('compares by kind: %s', async (_name, live, candidate, name, reason) => {
    const result = await compare(live, candidate);
    expect([result.class, result.reason]).toEqual([name, reason]);
  });

  it('compares binary answers byte by byte', async () => {
    const result = await compare(
      observed(new Uint8Array([1]), 'image/png'),
      observed(new Uint8Array([2]), 'image/png'),
    );
    expect(result.fields).toEqual(['@bytes']);
  });

  it('tells redirects apart by all that they say, and keeps nothing of it', async () => {
    const to = (location: string) => observed('', null, { status: 302, location });
    expect((await compare(to('https://a.example/x?t=1'), to('https://a.example/x?t=1'))).class).toBe('match');
    const differs = { class: 'body-mismatch', reason: 'location', fields: ['@location'] };
    expect(await compare(to('https://a.example/x'), to('https://b.example/x'))).toMatchObject(differs);
    const result = await compare(to('https://a.example/x?token=sesame'), to('https://a.example/y'));
    expect(result).toMatchObject(differs);
    expect(JSON.stringify(result)).not.toContain('sesame');
  });
});

describe('answers that were not seen whole', () => {
  const cut = (text: string, type: string) => observed(text, type, { end: 'truncated' });
  const halfOf = (text: string) =>
    observed(new TextEncoder().encode(text).slice(0, -1), 'text/plain', { end: 'truncated' });
  const callOf = (args: string, end: Observation['end'] = 'complete') => {
    const call = { index: 0, id: 'c', type: 'function', function: { name: 'sum', arguments: args } };
    const delta = (choice: object) => `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`;
    const rest = end === 'complete' ? `${delta({ delta: {}, finish_reason: 'tool_calls' })}data: [DONE] \n\n` : '';
    return stream(delta({ delta: { tool_calls: [call] } }) + rest, { end });
  };
  const wide = Array.from({ length: 200 }, (_, n) => ({ n, é: 'é' }));
  const items = (n: number, from = 0) => JSON.stringify({ items: Array.from({ length: n }, (_, i) => i + from), z: 1 });
  it.each<[string, Observation, Observation, string, string]>([
    ['equal beginnings are no match', cut('abcdef', 'text/plain'), cut('abcdef', 'text/plain'), 'skipped', 'truncated'],
    [
      'streams within their first event',
      cut('data: {"a', 'text/event-stream'),
      cut('data: {"b', 'text/event-stream'),
      'skipped',
      'truncated',
    ],
    ['beginnings differ', cut('abcdef', 'text/plain'), cut('abXdef', 'text/plain'), 'body-mismatch', 'differs'],
    [
      'bytes that end where the other ones go on',
      observed('x'.repeat(95), 'image/png'),
      cut('x'.repeat(100), 'image/png'),
      'body-mismatch',
      'length',
    ],
    ['a character that is not whole', cut('aé', 'text/plain'), halfOf('aé'), 'skipped', 'truncated'],
    [
      'arguments that run away',
      callOf('{"n":[2]}'),
      callOf(`{"n":[${'1,'.repeat(2_000)}`, 'truncated'),
      'body-mismatch',
      'length',
    ],
    [
      'arguments that are only spaced and written otherwise',
      callOf(JSON.stringify(wide)),
      callOf(JSON.stringify(wide, null, 8).replaceAll('é', '\\u00e9').slice(0, -9), 'truncated'),
      'skipped',
      'truncated',
    ],
    [
      'a document that is only spaced otherwise',
      json(wide),
      cut(JSON.stringify(wide, null, 8).slice(0, -9), 'application/json'),
      'skipped',
      'truncated',
    ],
    [
      'a short answer against one long text',
      json({ id: 'x', image: '' }),
      cut(`{"id":"x","image":"${'a'.repeat(900)}`, 'application/json'),
      'body-mismatch',
      'length',
    ],
    [
      'a whole answer of half the length',
      json({ text: 'x'.repeat(500) }),
      cut(`{"text":"${'x'.repeat(900)}`, 'application/json'),
      'body-mismatch',
      'length',
    ],
    [
      'slashes that are only escaped',
      json(Array.from({ length: 100 }, () => 'a/b/c/d')),
      cut(
        JSON.stringify(Array.from({ length: 95 }, () => 'a/b/c/d'))
          .replaceAll('/', '\\/')
          .slice(0, -1),
        'application/json',
      ),
      'skipped',
      'truncated',
    ],
    [
      'numbers that are only written otherwise',
      json(Array.from({ length: 200 }, () => 1)),
      cut(`[${'1.0,'.repeat(190)}1.`, 'application/json'),
      'skipped',
      'truncated',
    ],
    [
      'lines that only end otherwise',
      observed('a\n'.repeat(100), 'text/csv'),
      cut('a\r\n'.repeat(90), 'text/csv'),
      'skipped',
      'truncated',
    ],
    [
      'a member that is missing where all was seen',
      cut(JSON.stringify(wide).slice(0, -3), 'application/json'),
      cut(JSON.stringify(wide.map(({ n }) => ({ n }))).slice(0, -3), 'application/json'),
      'body-mismatch',
      'differs',
    ],
    [
      'a line that lacks a member',
      cut('{"a":1,"b":2}\n{"a":1,"b":2}\n{"a', 'application/x-ndjson'),
      cut('{"a":1}\n{"a":1,"b":2}\n{"a', 'application/x-ndjson'),
      'body-mismatch',
      'differs',
    ],
    ['arguments that go on', callOf('{"n":[2]}'), callOf('{"n":[2', 'truncated'), 'skipped', 'truncated'],
    ['equal bytes are no match', cut('ab', 'image/png'), cut('ab', 'image/png'), 'skipped', 'truncated'],
    ['bytes differ', cut('ab', 'image/png'), cut('aX', 'image/png'), 'body-mismatch', 'differs'],
    [
      'a short answer against a long one',
      json({ a: 1 }),
      cut(items(100), 'application/json'),
      'body-mismatch',
      'length',
    ],
    [
      'equal JSON beginnings are no match',
      cut(items(100).slice(0, -20), 'application/json'),
      cut(items(100).slice(0, -10), 'application/json'),
      'skipped',
      'truncated',
    ],
    [
      'JSON beginnings differ',
      cut(items(100).slice(0, -20), 'application/json'),
      cut(items(100, 1).slice(0, -10), 'application/json'),
      'body-mismatch',
      'differs',
    ],
    [
      'a stream that began alike is no match',
      stream(transcript('openai-chat.txt')),
      cut(transcript('openai-chat.txt').slice(0, 1500), 'text/event-stream'),
      'skipped',
      'truncated',
    ],
    [
      'a stream that began otherwise',
      stream(transcript('openai-chat.txt')),
      cut(transcript('openai-chat.txt').replace('Grüße', 'Hallo').slice(0, 1500), 'text/event-stream'),
      'body-mismatch',
      'differs',
    ],
    [
      'a stream that went on past the other answer',
      stream(transcript('openai-chat.txt')),
      cut(transcript('openai-chat.txt').replace('"."', '". And more."'), 'text/event-stream'),
      'body-mismatch',
      'differs',
    ],
  ])('%s', async (_name, live, candidate, name, reason) => {
    const result = await compare(live, candidate);
    expect([result.class, result.reason]).toEqual([name, reason]);
  });

  it('are not told apart by a text that is ignored', async () => {
    const said = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
    const long = cut(said('one '.repeat(100)), 'text/event-stream');
    const options = { ignore: ['/choices/*/message/content'] };
    for (const other of [cut(said('two '.repeat(100)), 'text/event-stream'), stream(`${said('two')}data: [DONE]\n\n`)])
      expect(await compare(long, other, options)).toMatchObject({ class: 'skipped', reason: 'truncated' });
  });

  it('are not alike where a model’s answer ends at its beginning', async () => {
    const said = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
    const short = stream(`${said('It is')}data: [DONE]\n\n`);
    const long = cut(said(`It is ${'well known that '.repeat(100)}`), 'text/event-stream');
    for (const pair of [compare(short, long), compare(long, short)]) {
      const { class: name, similarity } = await pair;
      expect(name).toBe('body-mismatch');
      expect(similarity).toBeLessThan(0.1);
    }
  });
});

describe('a document deeper than the cap', () => {
  const deep = (leaf: string) => `${'{"a":'.repeat(70)}${leaf}${'}'.repeat(70)}`;

  it('matches one of the same bytes, and nothing else', async () => {
    const typed = (text: string) => observed(text, 'application/json');
    expect((await compare(typed(deep('1')), typed(deep('1')))).class).toBe('match');
    expect(await compare(typed(deep('1')), typed(deep('2')))).toMatchObject({ reason: 'capped-depth' });
    const events = stream(`data: ${deep('1')}\n\n`);
    expect((await compare(events, events)).class).toBe('match');
  });
});

describe('answers of models', () => {
  it('matches streams that differ in ids, times, fingerprints and the way they were chopped', async () => {
    const live = transcript('openai-chat.txt');
    const other = live
      .replaceAll('chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG', 'chatcmpl-other')
      .replaceAll('1763942400', '1763942999')
      .replaceAll('fp_44709d6fcb', 'fp_x')
      .replaceAll('m-1-2026-08-07', 'm-2')
      .replace('" weit"', '" we"},"finish_reason":null}]}\n\ndata: {"choices":[{"index":0,"delta":{"content":"it"');
    const result = await compare(stream(live), stream(other));
    expect(result).toMatchObject({ class: 'match', similarity: 1, dialect: 'openai-chat', bodyKind: 'sse' });
    expect(result.ignoredCount).toBeGreaterThan(0);
  });

  it('matches streams that differ in the padding which hides how long their words are', async () => {
    const padded = (name: string, lengths: number[]) => {
      const chunk = (n: number, i: number) => ({
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta: { content: `word${i} ` }, finish_reason: i === 2 ? 'stop' : null }],
        [name]: 'abcdefghijklmnop'.slice(0, n),
      });
      return stream(`${lengths.map((n, i) => `data: ${JSON.stringify(chunk(n, i))}\n\n`).join('')}data: [DONE]\n\n`);
    };
    // OpenAI's name for it, and Mistral's and Cloudflare's.
    for (const name of ['obfuscation', 'p']) {
      const [live, candidate] = [padded(name, [3, 9, 4]), padded(name, [12, 1, 7])];
      expect(await compare(live, candidate, chat)).toMatchObject({ class: 'match', diffs: '' });
    }
  });

  it.each([
    ['Cerebras', { time_info: { queue_time: 0.0002, total_time: 1.17, created: 1748552717 } }, {}],
    ['llama.cpp', { timings: { prompt_n: 21, prompt_ms: 47.946, predicted_per_second: 114.8 } }, {}],
    ['Together', {}, { seed: 10652 }],
  ])('matches answers that differ in the times and seeds of their server: %s', async (_, top, inChoice) => {
    const other = (members: object) => JSON.parse(JSON.stringify(members).replaceAll(/\d+/g, '7')) as object;
    const answer = (top: object, inChoice: object) => {
      const message = { role: 'assistant', content: 'Bern' };
      return json({ choices: [{ index: 0, finish_reason: 'stop', message, ...inChoice }], ...top });
    };
    const pair = [answer(top, inChoice), answer(other(top), other(inChoice))] as const;
    expect(await compare(...pair, chat)).toMatchObject({ class: 'match', diffs: '' });
    const ended = (top: object) =>
      stream(
        `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'Bern' } }], ...top })}\n\ndata: [DONE]\n\n`,
      );
    expect(await compare(ended(top), ended(other(top)), chat)).toMatchObject({ class: 'match', diffs: '' });
  });

  it('matches answers of Anthropic’s that differ in what they carry encrypted', async () => {
    const answer = (n: number) => {
      const found = { type: 'web_search_result', url: 'https://bern.example', encrypted_content: `Eo${n}` };
      const cited = { type: 'web_search_result_location', url: found.url, encrypted_index: `Ei${n}` };
      const advice = { type: 'advisor_redacted_result', encrypted_content: `Ea${n}` };
      const content = [
        { type: 'web_search_tool_result', tool_use_id: `srvtoolu_${n}`, content: [found] },
        { type: 'advisor_tool_result', tool_use_id: `srvtoolu_${n}`, content: advice },
        { type: 'text', text: 'Bern.', citations: [cited] },
      ];
      return json({ type: 'message', role: 'assistant', content, stop_reason: 'end_turn' });
    };
    const result = await compare(answer(1), answer(2), { preset: 'anthropic-messages' });
    expect(result).toMatchObject({ class: 'match', diffs: '' });
  });

  it('matches answers that differ in signatures and ids of their reasoning and calls', async () => {
    const answer = (n: number) => ({
      id: `gen-${n}`,
      choices: [
        {
          index: 0,
          finish_reason: 'tool_calls',
          message: {
            role: 'assistant',
            content: 'Let me see.',
            reasoning_details: [
              { type: 'reasoning.summary', summary: 'The user asks.', id: `rs_${n}`, format: 'openai-responses-v1' },
              { type: 'reasoning.encrypted', data: `gAAAA${n}`, id: `rs_${n}`, format: 'openai-responses-v1' },
            ],
            tool_calls: [
              {
                id: `call_${n}`,
                type: 'function',
                function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
                extra_content: { google: { thought_signature: `sig${n}` } },
              },
            ],
          },
        },
      ],
    });
    expect(await compare(json(answer(1)), json(answer(2)), chat)).toMatchObject({ class: 'match', diffs: '' });
  });

  it('matches streams that open with empty content, with null, and without any', async () => {
    const live = transcript('openai-chat-tools.txt');
    for (const opening of ['"content":""', '"annotations":null']) {
      const other = stream(live.replace('"content":null', opening).replace('"annotations":null,', ''));
      expect((await compare(stream(live), other)).class).toBe('match');
    }
  });

  it('finds a regression hidden in the tool-call arguments of a stream, and names it', async () => {
    const live = transcript('openai-chat-tools.txt');
    const result = await compare(stream(live), stream(live.replace('"arguments":"Paris"', '"arguments":"Par"')), chat);
    expect(result).toMatchObject({
      class: 'body-mismatch',
      firstDiff: '/choices/0/message/tool_calls/0/function/arguments/city',
      fields: ['/choices/*/message/tool_calls/*/function/arguments/city'],
      diffCount: 1,
      invariants: [],
    });
  });

  it('compares arguments as JSON: their white space and order do not matter', async () => {
    const live = json(JSON.parse(transcript('openai-chat.json')));
    const answer = JSON.parse(transcript('openai-chat.json'));
    answer.id = 'other';
    answer.choices[0].message.tool_calls[0].function.arguments = '{"unit":"celsius","city":"Paris"}';
    expect((await compare(live, json(answer), chat)).class).toBe('match');
  });

  it.each<[string, string, string, string[]]>([
    ['another finish reason', '"finish_reason":"tool_calls"', '"finish_reason":"length"', ['finish']],
    ['another tool', '"name":"get_time"', '"name":"get_date"', ['tools']],
    ['arguments that are no JSON', '"arguments":"}"', '"arguments":""', ['arguments']],
  ])('holds %s to be a hard difference', async (_name, from, to, invariants) => {
    const live = transcript('openai-chat-tools.txt');
    const result = await compare(stream(live), stream(live.replace(from, to)), chat);
    expect(result).toMatchObject({ class: 'body-mismatch', reason: invariants[0], invariants });
    expect(result.fields).toContain(`@${invariants[0]}`);
  });

  it('holds an empty answer and a refusal to be hard differences', async () => {
    const live = stream(transcript('openai-chat.txt'));
    const empty = transcript('openai-chat.txt').replaceAll(/"content":"[^"]*"/g, '"content":""');
    expect((await compare(live, stream(empty), chat)).invariants).toEqual(['empty']);
    expect((await compare(live, stream(transcript('openai-chat-refusal.txt')), chat)).invariants).toEqual(['refusal']);
  });

  it('asks for JSON where the request did', async () => {
    const answer = (content: string) =>
      json({ choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }] });
    const requestBody = new TextEncoder().encode('{"response_format":{"type":"json_object"}}');
    const [good, bad] = [answer('{"a":1}'), answer('Sure! {"a":1}')];
    expect((await compare(good, bad, chat, { requestBody })).invariants).toEqual(['json']);
    // Nor is it the candidate's fault where the baseline's is none either.
    expect((await compare(bad, answer('Of course!'), chat, { requestBody })).invariants).toEqual([]);
    expect((await compare(good, bad, chat)).invariants).toEqual([]);
    expect((await compare(good, answer('{"a":2}'), chat, { requestBody })).invariants).toEqual([]);
    expect((await compare(bad, good, chat, { requestBody })).invariants).toEqual([]);
  });

  it('leaves out hard invariants of what the config ignores', async () => {
    const live = transcript('openai-chat.txt');
    const other = live.replace('"finish_reason":"stop"', '"finish_reason":"length"');
    const ignore = ['/choices/*/finish_reason'];
    expect((await compare(stream(live), stream(other), { ...chat, ignore })).class).toBe('match');
    expect((await compare(stream(live), stream(other), chat)).class).toBe('body-mismatch');
  });

  it('scores likeness and does not judge it', async () => {
    const live = transcript('anthropic-messages.txt');
    const result = await compare(stream(live), stream(live.replace(' the weather', ' the wether')));
    expect(result).toMatchObject({ class: 'body-mismatch', reason: 'differs', fields: ['/content/*/text'] });
    expect(result.similarity).toBeGreaterThan(0.95);
    expect(result.similarity).toBeLessThan(1);
  });

  it('calls an error event, or a missing end, an error of the candidate and a failure of the baseline', async () => {
    const good = stream(transcript('openai-chat.txt'));
    for (const name of ['openai-chat-unterminated.txt', 'openai-chat-error.txt']) {
      const bad = stream(transcript(name));
      expect((await compare(good, bad, chat)).class).toBe('error');
      expect(await compare(bad, good, chat)).toMatchObject({ class: 'skipped', reason: 'baseline-failed' });
    }
    const result = await compare(good, stream(transcript('openai-chat-error.txt')), chat);
    expect(JSON.stringify(result)).not.toContain('secret-quote');
  });

  it.each([
    ['openai-chat.txt', 'data: {"error":{"message":"m","type":"overloaded"}}\n\n', 'error-event:overloaded'],
    ['openai-chat.txt', ': ping\n\n', 'unterminated'],
    ['openai-chat.txt', '', 'unterminated'],
    ['anthropic-messages.txt', 'event: ping\ndata: {"type":"ping"}\n\n', 'unterminated'],
    ['workers-ai.txt', 'data: {"errors":[{"code":3040}]}\n\n', 'error-event:3040'],
  ])('reads a stream beside %s that shows no dialect as that one: %j', async (name, text, reason) => {
    const good = stream(transcript(name));
    expect(await compare(good, stream(text))).toMatchObject({ class: 'error', reason });
    const found = await compare(stream(text), good);
    // A live stream of other events is no broken one.
    expect([found.class, found.reason]).toEqual(
      text.includes('ping"') ? ['body-mismatch', 'dialect'] : ['skipped', 'baseline-failed'],
    );
  });

  it('leaves empty streams alone where nobody streams a dialect, or the status says why', async () => {
    const good = stream(transcript('openai-chat.txt'));
    expect((await compare(stream(''), stream(''))).class).toBe('match');
    expect((await compare(stream('data: x\n\n'), stream(''))).class).toBe('body-mismatch');
    expect((await compare(good, stream('', { status: 503 }))).class).toBe('status-mismatch');
    expect((await compare(good, observed('', null))).class).toBe('body-mismatch');
  });

  it('tells dialects apart', async () => {
    const result = await compare(stream(transcript('openai-chat.txt')), stream(transcript('workers-ai.txt')));
    expect(result).toMatchObject({ class: 'body-mismatch', reason: 'dialect', fields: ['@dialect'] });
  });

  it.each([
    ['openai-chat', 'openai-chat.json', 19, 9, 'tool_calls'],
    ['openai-responses', 'openai-responses.json', 37, 11, 'completed'],
    ['anthropic-messages', 'anthropic-messages.json', 25, 42, 'tool_use'],
    ['workers-ai', 'workers-ai.json', 23, 9, ''],
  ] as const)('reads tokens and finish from a whole %s answer', async (preset, name, tokensIn, tokensOut, finish) => {
    const reply = observed(transcript(name), 'application/json');
    const result = await compare(reply, reply, { preset });
    expect(result).toMatchObject({
      class: 'match',
      dialect: preset,
      live: { tokensIn, tokensOut, tokensEstimated: false, finish },
      candidate: { tokensIn, tokensOut, tokensEstimated: false, finish },
    });
  });

  it('estimates tokens where the reply names none, and marks them', async () => {
    const reply = stream(transcript('openai-chat-refusal.txt'));
    const requestBody = new TextEncoder().encode('{"messages":[{"role":"user","content":"12345678"}]}');
    const { live } = await compare(reply, reply, chat, { requestBody });
    expect(live).toMatchObject({ tokensIn: 3, tokensOut: 9, tokensEstimated: true });
  });

  it('takes what a stream names at its beginning for no usage, where its end is not seen', async () => {
    const said = (data: { type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
    const usage = { input_tokens: 25, output_tokens: 1 };
    const message = { id: 'm', type: 'message', role: 'assistant', model: 'm-1', content: [], usage };
    const words = Array.from({ length: 400 }, () => ({ type: 'text_delta', text: 'word ' }));
    const text = [
      said({ type: 'message_start', message } as { type: string }),
      said({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as { type: string }),
      ...words.map((delta) => said({ type: 'content_block_delta', index: 0, delta } as { type: string })),
    ].join('');
    for (const end of ['truncated', 'complete'] as const) {
      const part = observed(text, 'text/event-stream', { end });
      const { live } = await compare(part, part, { preset: 'anthropic-messages' });
      expect(live).toMatchObject({ tokensIn: 25, tokensOut: 500, tokensEstimated: true });
    }
  });

  it('takes the usage in the last event of a stream of no known dialect, where it was read to its end', async () => {
    const usageMetadata = { promptTokenCount: 60, candidatesTokenCount: 40 };
    const text = `data: ${JSON.stringify({ candidates: [], usageMetadata, modelVersion: 'm-e' })}\n\n`;
    const prices = { 'm-e': { inputPerMillion: 1, outputPerMillion: 2 } };
    const { live, candidate } = await compare(stream(text), stream(text, { end: 'truncated' }), {}, { prices });
    expect(live).toMatchObject({ tokensIn: 60, tokensOut: 40, tokensEstimated: false, cost: 140 / 1e6 });
    expect(candidate).toEqual({ finish: '', tokensEstimated: false });
  });

  it('takes tokens and cost from JSON that is no model’s answer, where it names them', async () => {
    const usage = { prompt_tokens: 60, completion_tokens: 40 };
    const prices = { 'm-e': { inputPerMillion: 1, outputPerMillion: 2 } };
    const named = json({ object: 'list', data: [0.1], model: 'm-e', usage });
    const { live, candidate, similarity } = await compare(named, json({ data: [0.1] }), {}, { prices });
    expect(live).toMatchObject({ tokensIn: 60, tokensOut: 40, tokensEstimated: false, cost: 140 / 1e6 });
    expect(candidate).toEqual({ finish: '', tokensEstimated: false });
    expect(similarity).toBeUndefined();
    const said = json({ choices: [{ message: { content: 'hello' } }], model: 'm-e', usage });
    expect((await compare(said, named)).similarity).toBeUndefined();
  });

  it('prices cached input as its own, and never more of it than there is input', async () => {
    const prices = { m: { inputPerMillion: 1, cachedInputPerMillion: 0.1, outputPerMillion: 2 } };
    const costWith = async (cached_tokens: number) => {
      const usage = { prompt_tokens: 60, completion_tokens: 40, prompt_tokens_details: { cached_tokens } };
      const reply = json({ model: 'm', choices: [{ message: { content: 'hello' } }], usage });
      return (await compare(reply, reply, {}, { prices })).live.cost! * 1e6;
    };
    expect(await costWith(50)).toBeCloseTo(10 + 5 + 80);
    expect(await costWith(500)).toBeCloseTo(6 + 80);
  });

  it.each([
    ['broke off', { end: 'cut' }, 'baseline-failed'],
    ['was left', { end: 'abandoned' }, 'client-left'],
  ] as const)('reads what a copy has cost though the live answer %s', async (_, over, reason) => {
    const copy = json({ model: 'm', usage: { prompt_tokens: 1, completion_tokens: 9 }, choices: [] });
    const { candidate, ...pair } = await compare(json({}, over), copy);
    expect(pair).toMatchObject({ class: 'skipped', reason });
    expect(candidate).toMatchObject({ tokensIn: 1, tokensOut: 9 });
  });

  it('takes an answer without a body for no stream that lacks its end, whatever type it bears', async () => {
    const whole = stream(transcript('openai-chat.txt'));
    const none = stream('', { status: 204 });
    expect(await compare(whole, none)).toMatchObject({ class: 'status-mismatch', reason: '200-204' });
    expect(await compare(none, whole)).toMatchObject({ class: 'status-mismatch', reason: '204-200' });
  });

  it('leaves pairs without a body alone under a preset', async () => {
    expect(await compare(stream(''), stream(''), chat)).toMatchObject({ class: 'match' });
  });

  it('compares streams of their own kind under a preset as what they are', async () => {
    const tick = 'data: {"tick":1}\n\n';
    expect(await compare(stream(tick), stream(tick), chat)).toMatchObject({ class: 'match' });
    expect(await compare(stream(tick), stream('data: {"tick":2}\n\n'), chat)).toMatchObject({ class: 'body-mismatch' });
  });

  it('prices a dated release as its model, and never as another one', async () => {
    const reply = stream(transcript('openai-chat.txt'));
    const prices = { 'm-1': { inputPerMillion: 0.5, outputPerMillion: 1.5 } };
    const { live } = await compare(reply, reply, chat, { prices });
    expect(live.cost).toBeCloseTo((19 * 0.5 + 9 * 1.5) / 1e6, 15);
    const mini = stream(transcript('openai-chat.txt').replaceAll('m-1-2026-08-07', 'm-1-mini'));
    expect((await compare(mini, mini, chat, { prices })).live.cost).toBeUndefined();
  });
});
