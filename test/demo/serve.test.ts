import { describe, expect, it } from 'vitest';
import { eld } from '../../src/demo/models/eld.ts';
import { serve } from '../../src/demo/models/serve.ts';

const worker = serve(eld);
const detect = 'http://model.test/v1/detect';

function post(body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return worker.fetch(new Request(detect, { method: 'POST', body, headers }));
}

describe('a model Worker', () => {
  it('answers a text with language, confidence and its own name', async () => {
    const response = await post('{"text":"Alle Menschen sind frei und gleich an Würde geboren."}');
    expect(response.status).toBe(200);
    const answer = (await response.json()) as Record<string, unknown>;
    expect(answer).toEqual({ language: 'deu', confidence: expect.any(Number), model: 'eld-medium' });
  });

  it('says that it is well', async () => {
    const response = await worker.fetch(new Request('http://model.test/healthz'));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok', model: 'eld-medium' });
  });

  it.each([
    ['no JSON', 'text=hello'],
    ['no object', '"hello"'],
    ['null', 'null'],
    ['no text', '{}'],
    ['a text that is a number', '{"text":7}'],
    ['an empty text', '{"text":"  "}'],
    ['an empty body', ''],
    ['bytes that are no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d])],
  ])('refuses %s with 400 and says what it expects', async (_, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: { code: 'bad_request', message: expect.stringContaining('"text"') },
    });
  });

  it('refuses another path with 404 and another method with 405', async () => {
    const elsewhere = await worker.fetch(new Request('http://model.test/v1/other'));
    expect(elsewhere.status).toBe(404);
    const read = await worker.fetch(new Request(detect));
    expect([read.status, read.headers.get('allow')]).toEqual([405, 'POST']);
    const written = await worker.fetch(new Request('http://model.test/healthz', { method: 'DELETE' }));
    expect([written.status, written.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('refuses a body over 64 KiB with 413, whether it is announced or not', async () => {
    const text = JSON.stringify({ text: 'x'.repeat(65_536) });
    expect((await post(text, { 'content-length': String(text.length) })).status).toBe(413);
    const stream = new Blob([text]).stream();
    const streamed = new Request(detect, { method: 'POST', body: stream, duplex: 'half' } as RequestInit);
    const response = await worker.fetch(streamed);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: 'too_large' } });
  });

  it('reads a body of exactly 64 KiB', async () => {
    const text = 'Alle Menschen sind frei. ';
    const body = `${JSON.stringify({ text }).slice(0, -2).padEnd(65_534, ' ')}"}`;
    expect(body).toHaveLength(65_536);
    expect((await post(body)).status).toBe(200);
  });
});
