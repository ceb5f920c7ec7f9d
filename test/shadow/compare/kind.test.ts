import { describe, expect, it } from 'vitest';
import { bodyType } from '../../../src/shadow/compare/kind.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the kind of a body', () => {
  it.each<[string | null, string, string]>([
    ['application/json', '<html>', 'json'],
    ['Application/Problem+JSON; charset=utf-8', '{}', 'json'],
    ['application/x-ndjson', '{}', 'json'],
    ['text/event-stream; charset=utf-8', 'data: 1', 'sse'],
    ['text/html', '{}', 'text'],
    ['image/svg+xml', '<svg/>', 'text'],
    ['application/octet-stream', '{}', 'binary'],
    ['application/json', '', 'empty'],
    [null, ' \n{"a":1}', 'json'],
    [null, '[1]', 'json'],
    [null, 'event: a\ndata: 1\n\n', 'sse'],
    [null, ': hello\n\ndata: 1\n\n', 'sse'],
    [null, 'event: an account of a meeting', 'text'],
    [null, 'plain words', 'text'],
    ['', 'plain words', 'text'],
    [null, '\u0000\u0001', 'binary'],
  ])('by content type %j and beginning %j is %s', (contentType, body, kind) => {
    expect(bodyType(contentType, bytes(body)).kind).toBe(kind);
  });

  it.each(['x-ndjson', 'ndjson', 'jsonl', 'x-jsonl', 'x-jsonlines', 'json-lines', 'stream+json'])(
    'reads lines of JSON by the name of %s',
    (name) => {
      expect(bodyType(`application/${name}; charset=utf-8`, bytes('{}\n'))).toEqual({ kind: 'json', lines: true });
    },
  );

  it('takes bytes that are no UTF-8 for binary, and a character cut by the sniffing bound for text', () => {
    expect(bodyType(null, new Uint8Array([0xff, 0xd8, 0xff])).kind).toBe('binary');
    expect(bodyType(null, bytes(`${'a'.repeat(1023)}東京`)).kind).toBe('text');
  });
});
