import { describe, expect, it } from 'vitest';
import { compareReplies } from '../../../src/shadow/compare/compare.ts';
import { redactPair, redactRequest } from '../../../src/shadow/compare/redact.ts';
import type { Observation } from '../../../src/shadow/observation.ts';
import { json, observed, stream, transcript } from './observed.ts';

const secret = 'sesame-4711';
const options = { ignore: ['/**/token'], redact: ['/messages/*/content', '/email'] };

describe('what is kept of a pair', () => {
  it.each<[string, Observation, Observation]>([
    ['members', json({ token: secret, email: secret, n: 1 }), json({ token: `${secret}x`, email: `${secret}y`, n: 2 })],
    ['deep members', json({ a: [{ token: { [secret]: secret } }] }), json({ a: 1 })],
    ['names below a redacted member', json({ email: { [secret]: 1 } }), json({ email: { [secret]: 2, n: 1 } })],
    ['broken JSON', json({ token: 1 }), observed(`{"token":"${secret}"`, 'application/json')],
    ['two broken documents', observed(`{"token":"${secret}"`, 'application/json'), observed('{', 'application/json')],
    ['plain text', observed(`token=${secret}`, 'text/plain'), observed('none', 'text/plain')],
    ['bare text that calls itself a stream', stream(`token=${secret}`), stream('none')],
    ['events', stream(`data: {"token":"${secret}"}\n\n`), stream('data: {"token":1}\n\ndata: 1\n\n')],
    [
      'truncated JSON',
      json({ n: 1, token: secret, m: 2 }, { end: 'truncated' }),
      json({ n: 2, m: 1 }, { end: 'truncated' }),
    ],
    ['binary', observed(`\0${secret}`, 'image/png'), observed('\0', 'image/png')],
  ])('holds no ignored or redacted secret: %s', async (_name, live, candidate) => {
    for (const [left, right] of [
      [live, candidate],
      [candidate, live],
    ] as const) {
      const comparison = await compareReplies(left, right, { options, role: 'candidate' });
      expect(comparison.class).not.toBe('match');
      expect(JSON.stringify(comparison)).not.toContain(secret);
      expect(JSON.stringify(await redactPair(left, right, options))).not.toContain(secret);
    }
  });

  it.each([
    ['events of no known dialect', 'text/event-stream', (body: string) => `data: ${body}\n\ndata: [BYE]\n\n`],
    ['lines', 'application/x-ndjson', (body: string) => `${body}\n{"n":0}\n`],
  ])('ignores and masks by path in %s', async (_name, type, wrap) => {
    const rules = { ignore: ['/user/token'], redact: ['/email'] };
    const bodyOf = (of: string, n: number) =>
      observed(wrap(JSON.stringify({ user: { token: of }, email: `${secret}@x`, n })), type);
    const same = compareReplies(bodyOf(secret, 1), bodyOf('other', 1), { options: rules, role: 'candidate' });
    expect(same.class).toBe('match');
    const pair = await redactPair(bodyOf(secret, 1), bodyOf('other', 2), rules);
    expect(JSON.stringify(pair)).not.toContain(secret);
    expect(pair.candidate).toContain('"user":{},"email":"[redacted]","n":2');
    expect(pair.candidate).not.toContain('BYE');
  });

  it('masks by path within JSON that stands in a text, and withholds what breaks off there', async () => {
    const rules = { redact: ['/**/email'] };
    const args = `{"email":"${secret}","n":1}`;
    const call = (text: string) => ({ tool_calls: [{ function: { name: 'send', arguments: text } }] });
    const whole = json({ choices: [{ message: call(args) }], n: 1, last: 2 }, { end: 'truncated' });
    expect((await redactPair(whole, whole, rules)).live).toContain('"arguments":{"email":"[redacted]","n":1}');
    for (const wrap of [
      (text: string) => `[1,${text}]`,
      (text: string) => `[[${text}]]`,
      (text: string) => ` ${JSON.stringify(text)}`,
      (text: string) => `["x", ${text.slice(0, -4)}`,
      (text: string) => `[[${text},]`,
      (text: string) => JSON.stringify(text).slice(0, -4),
      () => `["${secret}", "x`,
      () => `[[ "${secret}", "x`,
      () => `[null, "${secret}`,
    ])
      expect(redactRequest(new TextEncoder().encode(JSON.stringify({ a: wrap(args) })), rules)).not.toContain(secret);
    for (const text of ['{"a":"[see] \\"x\\""}', '{"a":"[1] Smith says so"}'])
      expect(redactRequest(new TextEncoder().encode(text), rules)).toBe(text);
    const half = json({ choices: [{ index: 0, message: call(args.slice(0, -6)), finish_reason: 'length' }] });
    expect((await redactPair(half, whole, rules)).live).toContain('"arguments":"[redacted]"');
    const delta = (partial: string) =>
      `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { partial_json: partial } })}\n\n`;
    const cut = stream(delta(args.slice(0, -6)), { end: 'timeout' });
    expect(JSON.stringify(await redactPair(cut, cut, rules))).not.toContain(secret);
    const request = new TextEncoder().encode(JSON.stringify({ messages: [call(args), { content: 'see [1] {x}' }] }));
    expect(redactRequest(request, rules)).toBe(
      '{"messages":[{"tool_calls":[{"function":{"name":"send","arguments":{"email":"[redacted]","n":1}}}]},{"content":"see [1] {x}"}]}',
    );
    expect(redactRequest(request, {})).toContain(secret);
  });

  it('reads texts of nothing but spaces as fast as others', () => {
    const request = new TextEncoder().encode(
      JSON.stringify({ a: `${' '.repeat(250_000)}x`, b: `[${' '.repeat(250_000)}x` }),
    );
    expect(redactRequest(request, { redact: ['/email'] })).toMatch(/^\{"a":" +/);
  }, 2_000);

  it('keeps no half of an event that broke off', async () => {
    const broken = stream(`data: {"n":1}\n\ndata: {"user":{"token":"${secret}`, { end: 'cut' });
    const { candidate } = await redactPair(stream('data: 1\n\n'), broken, { redact: ['/user/token'] });
    expect(candidate).not.toContain(secret);
    expect((await redactPair(stream('data: 1\n\n'), broken, {})).candidate).toContain('token');
  });

  it('keeps what is not hidden', async () => {
    const pair = await redactPair(json({ token: secret, email: 'a', n: 1 }), json({ n: 2 }), options);
    expect(pair).toEqual({ live: '{"email":"[redacted]","n":1}', candidate: '{"n":2}' });
  });

  it('shows a stream as the answer it makes', async () => {
    const reply = stream(transcript('workers-ai.txt'));
    expect((await redactPair(reply, reply, {})).live).toBe('{"response":"The answer is 42, süß 🍯."}');
  });

  it('shows a stream as it was compared: under a preset too, one of another kind is the list of its events', async () => {
    const tick = (n: number) => stream(`data: {"tick":${n},"email":"${secret}"}\n\n`);
    const kept = await redactPair(tick(1), tick(2), { preset: 'openai-chat', redact: ['/email'] });
    expect(kept.live).toContain('"tick":1');
    expect(kept.live).not.toContain(secret);
  });

  it('shows texts around the place where they part', async () => {
    const same = 'x'.repeat(10_000);
    const pair = await redactPair(observed(`${same}a`, 'text/plain'), observed(`${same}b`, 'text/plain'), {}, 100);
    expect(pair.live.endsWith('xa')).toBe(true);
    expect(pair.candidate.endsWith('xb')).toBe(true);
    expect(pair.live.length).toBeLessThanOrEqual(101);
  });

  it('is bounded for any document', async () => {
    const large = json({ list: Array.from({ length: 20_000 }, (_, n) => ({ n })) });
    const pair = await redactPair(large, large, {}, 500);
    expect(pair.live.length).toBeLessThanOrEqual(501);
  });

  it('hides in requests what it hides in replies, and withholds what is no JSON', () => {
    const body = new TextEncoder().encode(JSON.stringify({ messages: [{ role: 'user', content: secret }] }));
    expect(redactRequest(body, options)).toBe('{"messages":[{"role":"user","content":"[redacted]"}]}');
    expect(redactRequest(new TextEncoder().encode(`q=${secret}`), options)).not.toContain(secret);
    expect(redactRequest(new TextEncoder().encode('q=1'), {})).toBe('q=1');
  });

  it('shows long texts around the place where they part', async () => {
    const [live, candidate] = ['old', 'new'].map((end) => observed(`${'x'.repeat(5000)}${end}`, 'text/plain'));
    const pair = await redactPair(live!, candidate!, {}, 200);
    expect(pair.live).toContain('old');
    expect(pair.candidate).toContain('new');
    expect(pair.live.length).toBeLessThan(250);
  });
});
