import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOurSetCookie, joinCookieLines, OUR_COOKIES, readCookie, stripCookies } from '../../src/split/cookies.ts';

describe('readCookie', () => {
  it.each<[string, string, string[]]>([
    ['headgate=x', 'headgate', ['x']],
    ['a=1; headgate=x; b=2', 'headgate', ['x']],
    ['a=1;headgate=x;b=2', 'headgate', ['x']],
    ['a=1, headgate=x; b=2', 'headgate', ['x']], // two Cookie lines, as the runtime joins them
    ['headgate=x, b=2', 'headgate', ['x']],
    ['headgate=x; headgate=y', 'headgate', ['x', 'y']],
    ['a=1;\t headgate= x ;b', 'headgate', ['x']],
    ['headgate=', 'headgate', ['']],
    ['__Host-headgate=x; xheadgate=y; headgate-preview=z', 'headgate', []],
    ['a=headgate=x', 'headgate', []],
    ['headgate', 'headgate', []],
    ['headgate; headgate=x', 'headgate', ['x']],
    ['Headgate=x', 'headgate', []],
    ['prefs={"a":1,"b":[2, 3]}; uid=7', 'prefs', ['{"a":1,"b":[2, 3]}']],
    ['list=a,b, c; uid=7', 'list', ['a,b, c']],
    ['list=a,uid=8; uid=7', 'uid', ['7']], // no space after the comma: a value, not a join
    ['list=a, uid=8', 'list', ['a']],
    ['token=abc==; x=1', 'token', ['abc==']],
    ['', 'headgate', []],
  ])('reads %j as %s → %j', (header, name, values) => {
    expect(readCookie(header, name)).toEqual(values);
  });

  it('finds nothing where there is no Cookie header', () => {
    expect(readCookie(null, 'headgate')).toEqual([]);
  });
});

describe('stripCookies', () => {
  it.each<[string, string | null]>([
    ['headgate=x', null],
    ['__Host-headgate=x; headgate=y; headgate-preview=p; __Host-headgate-preview=q', null],
    ['headgate=x;', null],
    [' headgate=x ; ', null],
    ['a=1; headgate=x; b=2', 'a=1; b=2'],
    ['a=1;headgate=x;b=2', 'a=1;b=2'],
    ['headgate=x; a=1', 'a=1'],
    ['a=1; headgate=x', 'a=1'],
    ['a=1; headgate=x; headgate=y; b=2', 'a=1; b=2'],
    ['a=1, headgate=x; b=2', 'a=1; b=2'],
    ['a=1; headgate=x, b=2', 'a=1; b=2'],
    ['a=1, headgate=x, b=2', 'a=1, b=2'],
    ['a=1,headgate=x,b=2', 'a=1,b=2'],
    ['a=1; headgate=x,y; b=2', 'a=1; b=2'],
    ['a=1; headgate = x; b=2', 'a=1; b=2'],
    ['a="q, r";  b={"c":1,"d":2} ; headgate=x;e', 'a="q, r";  b={"c":1,"d":2} ;e'],
    ['a=headgate=x; b=2', 'a=headgate=x; b=2'],
    ['myheadgate=x; headgate-other=1; Headgate=2', 'myheadgate=x; headgate-other=1; Headgate=2'],
    ['a=1; b=2,c', 'a=1; b=2,c'],
  ])('leaves of %j %j', (header, left) => {
    expect(stripCookies(header)).toBe(left);
  });

  it('leaves every byte of the others, wherever ours stand among them', () => {
    const octets = fc.string({ unit: fc.constantFrom(...'abz019!#$%&\'*+-.^_`|~"{}:/,é '), maxLength: 12 });
    const value = octets.map((text) => text.trim().replace(/, /g, ','));
    const others = fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,5}$/), value), { maxLength: 8 });
    const ours = fc.array(fc.tuple(fc.constantFrom(...OUR_COOKIES), fc.stringMatching(/^[\w.:-]{0,30}$/), fc.nat()), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(others, ours, (strangers, mine) => {
        const clean = strangers.map(([name, text]) => `${name}=${text}`);
        const mixed = [...clean];
        for (const [name, text, place] of mine) mixed.splice(place % (mixed.length + 1), 0, `${name}=${text}`);
        const expected = clean.length === 0 ? null : clean.join('; ');
        expect(stripCookies(mixed.join('; '))).toBe(mixed.length === 0 ? '' : expected);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a hostile Cookie header', () => {
  const pieces = [
    'headgate=',
    '__Host-headgate=',
    ';',
    ',',
    ', ',
    '=',
    ' ',
    '\t',
    'a',
    'é',
    '"',
    '\0',
    '😀',
    '.',
    '%00',
  ];
  const garbage = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary' })), { maxLength: 60 });

  it('never throws, and never lets a cookie of ours through', () => {
    fc.assert(
      fc.property(garbage, (parts) => {
        const header = parts.join('');
        const left = stripCookies(header) ?? '';
        joinCookieLines(header);
        isOurSetCookie(header);
        for (const name of OUR_COOKIES) {
          expect(readCookie(header, name).every((value) => header.includes(value))).toBe(true);
          expect(readCookie(left, name)).toEqual([]);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it.each<[string, string]>([
    ['a thousand pairs', Array.from({ length: 1_000 }, (_, index) => `c${index}=v${index}`).join('; ')],
    ['a thousand of ours', Array.from({ length: 1_000 }, () => 'headgate=x').join('; ')],
    ['60 KB of commas', ','.repeat(60_000)],
    ['60 KB of joins without a name', ', '.repeat(30_000)],
    ['60 KB of commas and letters', ',a'.repeat(30_000)],
    ['60 KB of blanks', `a=1;${' '.repeat(60_000)}headgate=x`],
    ['60 KB of our name', 'headgate'.repeat(7_500)],
    ['60 KB of our name and blanks', 'headgate '.repeat(6_600)],
    ['60 KB in one value', `headgate=${'x'.repeat(60_000)}`],
  ])('of %s is read and stripped in linear time', (_, header) => {
    const startedAtMs = performance.now();
    for (const name of OUR_COOKIES) readCookie(header, name);
    const left = stripCookies(header);
    joinCookieLines(header);
    expect(performance.now() - startedAtMs).toBeLessThan(1_000); // linear: about 2 ms; quadratic: many seconds
    expect(readCookie(left, 'headgate')).toEqual([]);
  });
});

describe('joinCookieLines', () => {
  it.each([
    ['a=1, headgate=x; b=2', 'a=1; headgate=x; b=2'],
    ['a=1, b=2, c=3', 'a=1; b=2; c=3'],
    ['list=a,b, c; uid=7', 'list=a,b, c; uid=7'],
    ['list={"a":1, "b":2}', 'list={"a":1, "b":2}'],
    ['a=1; b=2', 'a=1; b=2'],
  ])('writes %j as %j', (header, joined) => {
    expect(joinCookieLines(header)).toBe(joined);
  });
});

describe('isOurSetCookie', () => {
  it.each([
    ['headgate=x; Path=/', true],
    ['__Host-headgate=x', true],
    ['__Host-headgate-preview=; Max-Age=0', true],
    ['  headgate-preview =x', true],
    ['=headgate=x', true], // a nameless cookie comes back as `headgate=x`
    ['a=1, headgate=x; Path=/', true], // comes back as `a=1, headgate=x`, which reads like two Cookie lines
    ['a=1; Expires=Wed, headgate=x', false],
    ['a=1, b=2', false],
    ['session=headgate=x', false],
    ['headgates=x', false],
    ['headgate; a=b', false],
    ['', false],
  ])('of %j is %s', (line, ours) => {
    expect(isOurSetCookie(line)).toBe(ours);
  });
});
