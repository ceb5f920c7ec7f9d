import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spliceJson } from '../../src/forward/splice.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The spliced text, or `unfit`. */
function splice(text: string, members: Record<string, unknown>): string {
  const result = spliceJson(encoder.encode(text), members);
  return result.ok ? decoder.decode(result.value) : result.error;
}

const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 3 });

/** A JSON string literal in one of its many spellings: some characters escaped that need not be. */
const literal = fc
  .tuple(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.boolean())
  .map(([text, isEscaped]) =>
    isEscaped
      ? `"${[...Array(text.length).keys()].map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(text),
  );

const { value: jsonText } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      'null',
      'true',
      'false',
      '0',
      '-0',
      '12345678901234567890',
      '1e400',
      '1.0',
      '-2.50E+3',
      '"}"',
      '"]\\""',
    ),
    literal,
    fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 3 })
      .map((items) => `[${items.map((parts) => parts.join('')).join(',') || ' '}]`),
    fc
      .array(fc.tuple(space, literal, space, tie('value'), space), { maxLength: 3 })
      .map((items) => `{${items.map(([a, key, b, value, c]) => `${a}${key}${b}:${b}${value}${c}`).join(',')}}`),
  ),
}));

interface Member {
  before: string;
  key: string;
  middle: string;
  value: string;
  after: string;
}

const keyText = fc.oneof(fc.constantFrom('"model"', '"\\u006dodel"', '"a"', '"__proto__"', '""'), literal);
const document = fc.record({
  lead: space,
  members: fc.array(fc.record<Member>({ before: space, key: keyText, middle: space, value: jsonText, after: space }), {
    maxLength: 5,
  }),
  tail: space,
});
const wanted = fc.dictionary(
  fc.constantFrom('model', 'a', '', 'temperature', '__proto__'),
  fc.jsonValue({ maxDepth: 1 }),
  { minKeys: 1, maxKeys: 3 },
);

/** The document as text, with the value of each member as `textOf` says. */
function written(of: { lead: string; members: Member[]; tail: string }, textOf: (member: Member) => string): string {
  const inner = of.members.map((m) => `${m.before}${m.key}${m.middle}:${m.middle}${textOf(m)}${m.after}`).join(',');
  return `${of.lead}{${inner}}${of.tail}`;
}

const parsedKey = (member: Member) => JSON.parse(member.key) as string;

describe('splicing JSON members', () => {
  it('sets the members as JSON.parse reads them and leaves every other member alone', () => {
    fc.assert(
      fc.property(document, wanted, (of, members) => {
        const text = written(of, (member) => member.value);
        const expected = JSON.parse(text) as Record<string, unknown>;
        for (const [key, value] of Object.entries(members)) {
          Object.defineProperty(expected, key, {
            value: JSON.parse(JSON.stringify(value)),
            enumerable: true,
            configurable: true,
          });
        }
        const entries = (value: unknown) => new Map(Object.entries(value as object));
        expect(entries(JSON.parse(splice(text, members)))).toEqual(entries(expected));
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps every byte but the values it sets and the members it adds in one place', () => {
    fc.assert(
      fc.property(document, wanted, (of, members) => {
        const text = written(of, (member) => member.value);
        const replaced = written(of, (member) =>
          Object.hasOwn(members, parsedKey(member)) ? JSON.stringify(members[parsedKey(member)]) : member.value,
        );
        const present = new Set(of.members.map(parsedKey));
        const added = Object.keys(members)
          .filter((key) => !present.has(key))
          .map((key) => `${JSON.stringify(key)}:${JSON.stringify(members[key])}`)
          .join(',');
        const out = splice(text, members);
        if (added === '') {
          expect(out).toBe(replaced);
          return;
        }
        const insertion = of.members.length === 0 ? added : `${added},`;
        const at = out.indexOf(insertion);
        expect(at).toBeGreaterThan(0);
        expect(out.slice(0, at).trim()).toBe('{');
        expect(out.slice(0, at) + out.slice(at + insertion.length)).toBe(replaced);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['replaces a value', '{"model":"a","n":1}', '{"model":"m","n":1}'],
    ['keeps spacing', '{ "model" : "a" ,\n "n" : 1 }', '{ "model" : "m" ,\n "n" : 1 }'],
    ['keeps numbers beyond 2^53', '{"id":9007199254740993,"model":1}', '{"id":9007199254740993,"model":"m"}'],
    ['keeps 1.0 and 1e400', '{"a":1.0,"b":1e400,"model":null}', '{"a":1.0,"b":1e400,"model":"m"}'],
    ['leaves nested members alone', '{"x":{"model":"a"},"model":"a"}', '{"x":{"model":"a"},"model":"m"}'],
    ['leaves the member in a string alone', '{"x":"\\"model\\":1","model":{}}', '{"x":"\\"model\\":1","model":"m"}'],
    ['sets every duplicate', '{"model":"a","n":1,"model":["b"]}', '{"model":"m","n":1,"model":"m"}'],
    ['knows an escaped key', '{"\\u006dodel":"a"}', '{"\\u006dodel":"m"}'],
    ['replaces objects and arrays whole', '{"model":{"a":[1,{"b":"}"}]},"n":2}', '{"model":"m","n":2}'],
    ['adds a missing member first', '{ "n":1}', '{ "model":"m","n":1}'],
    ['adds a member to an empty object', ' { } ', ' { "model":"m"} '],
    ['keeps escapes and other scripts', '{"t":"\\u00e9é😀\\/","model":0}', '{"t":"\\u00e9é😀\\/","model":"m"}'],
  ])('%s', (_, text, expected) => {
    expect(splice(text, { model: 'm' })).toBe(expected);
  });

  it.each([
    ['an array', '[{"model":"a"}]'],
    ['a string', '"model"'],
    ['null', 'null'],
    ['a broken object', '{"model":"a"'],
    ['a trailing comma', '{"model":"a",}'],
    ['two documents', '{"model":"a"}{"model":"b"}'],
    ['nothing', ''],
    ['a byte order mark', '\ufeff{"model":"a"}'],
  ])('refuses %s', (_, text) => {
    expect(splice(text, { model: 'm' })).toBe('unfit');
  });

  it('refuses bytes that are not UTF-8 rather than to change them', () => {
    const body = Uint8Array.from([...encoder.encode('{"t":"'), 0xff, ...encoder.encode('","model":"a"}')]);
    expect(spliceJson(body, { model: 'm' })).toEqual({ ok: false, error: 'unfit' });
  });

  it('leaves the given bytes as they are', () => {
    const body = encoder.encode('{"model":"a"}');
    const copy = body.slice();
    spliceJson(body, { model: 'm' });
    expect(body).toEqual(copy);
  });
});

it('takes no longer for a body that is nearly all space', () => {
  const startedMs = performance.now();
  expect(splice(`{"a":1${' '.repeat(200_000)}}`, { b: 2 })).toMatch(/^\{"b":2,"a":1 +\}$/);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});
