import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRequestUrl, type RequestUrl } from '../../src/forward/request-url.ts';

const PARTS = ['href', 'origin', 'protocol', 'host', 'hostname', 'pathname', 'search'] as const;

const partsOf = (url: RequestUrl | null) => url && Object.fromEntries(PARTS.map((part) => [part, url[part]]));

/** Pieces that a URL parser is known to rewrite, refuse or read in its own way, among plain ones. */
const host = fc
  .array(
    fc.constantFrom(
      'a',
      'example',
      'xn--bcher-kva',
      'xn--',
      '0x7f',
      '127',
      '0',
      '1',
      '127.0.0.1',
      '08',
      '-',
      '_',
      'é',
      'B',
      '%41',
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((labels) => labels.join('.'));
const port = fc.constantFrom(
  '',
  ':80',
  ':443',
  ':8787',
  ':10080',
  ':59999',
  ':65535',
  ':65536',
  ':080',
  ':0',
  ':',
  ':800',
  ':4430',
  ':x',
);
const piece = fc.constantFrom(
  ...[
    '/',
    '//',
    '.',
    '..',
    '/.',
    '/..',
    '%2e',
    '%2F',
    '?',
    '#',
    "'",
    '"',
    '<',
    '\\',
    '|',
    '^',
    '`',
    '{',
    ' ',
    '\t',
    '@',
  ],
  ...[
    'a',
    'Z',
    '9',
    '~',
    '!',
    '$',
    '&',
    '(',
    ')',
    '*',
    '+',
    ',',
    ';',
    '=',
    ':',
    'ü',
    '\u{1f600}',
    '%',
    '%zz',
    '[',
    ']',
  ],
);
const rest = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
const url = fc
  .tuple(fc.constantFrom('http://', 'https://', 'HTTP://', 'ws://', 'http:', 'http:/'), host, port, rest)
  .map((parts) => parts.join(''));

describe('a request URL', () => {
  test('has the parts that the URL parser gives it, whatever is in it', () => {
    fc.assert(
      fc.property(url, (text) => {
        const expected = /^[^:]+:\/\/[^/?#\\]*$/.test(text) ? null : URL.parse(text);
        expect(partsOf(parseRequestUrl(text))).toEqual(partsOf(expected));
      }),
      { numRuns: 20_000 },
    );
  });

  test.each([
    'http://bench.example.com/json?x=1&y=%20',
    'https://a.b:8787/v1/chat/completions',
    'http://localhost:8787/',
    'http://127.0.0.1:43210/',
    'https://example.com/a//b;c=1',
  ])('is cut up where it stands when it is plain: %s', (text) => {
    expect(parseRequestUrl(text)).not.toBeInstanceOf(URL);
    expect(partsOf(parseRequestUrl(text))).toEqual(partsOf(new URL(text)));
  });

  test('that names no host or no path is none', () => {
    expect(parseRequestUrl('http://example.com*')).toBeNull();
    expect(parseRequestUrl('http://example.com')).toBeNull();
    expect(parseRequestUrl('http:///')).toBeNull();
    expect(parseRequestUrl('/')).toBeNull();
  });
});
