import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CookieSettings } from '../../src/config/types.ts';
import type { Pin } from '../../src/split/pins.ts';
import {
  peekVerified,
  readVisitor,
  serializeCookie,
  verify,
  visitorCookieName,
  visitorId,
  visitorValue,
} from '../../src/split/visitor.ts';

const SECRET = 'a secret of the tests';
const ID = 'AAAAAAAAAAAAAAAAAAAAAA';
const OTHER_ID = 'BBBBBBBBBBBBBBBBBBBBBA';
const pins: Pin[] = [
  { route: 'chat', variant: 'green', epoch: 'r-20261123-1' },
  { route: 'detect', variant: 'blue', epoch: '', seenAtMs: 1_795_428_000_000 },
];
const https = { https: true, secret: SECRET };

/** The tag as section 5 writes it, by another implementation. */
function tagOf(text: string, secret = SECRET): string {
  return createHmac('sha256', secret).update(`pin|${text}`).digest('base64url');
}

/** A true value that no other test has made this isolate remember. */
let made = 0;
function freshValue(id = ID): string {
  const text = `${id}.chat:green:fresh-${++made}`;
  return `${text}.${tagOf(text)}`;
}

describe('the cookie’s value', () => {
  it('is an id alone, or an id, pins and a tag over them', async () => {
    expect(await visitorValue(ID, [], SECRET)).toBe(ID);
    const text = `${ID}.chat:green:r-20261123-1.detect:blue::mwt3h340`;
    expect(await visitorValue(ID, pins, SECRET)).toBe(`${text}.${tagOf(text)}`);
  });

  it('has no pins without a secret', async () => {
    expect(await visitorValue(ID, pins, undefined)).toBe(ID);
    expect(await visitorValue(ID, pins, '')).toBe(ID);
  });

  it('comes back as it was given', async () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/);
    const seenAtMs = fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined });
    const pin = fc.record({ route: name, variant: name, epoch: fc.stringMatching(/^[\w-]{0,64}$/), seenAtMs });
    const random = fc.uint8Array({ minLength: 16, maxLength: 16 });
    await fc.assert(
      fc.asyncProperty(random, fc.array(pin, { maxLength: 20 }), async (bytes, given) => {
        const id = visitorId(bytes);
        expect(id).toMatch(/^[\w-]{22}$/);
        const value = await visitorValue(id, given, SECRET);
        expect(value.length).toBeLessThan(4_000);
        const header = `a=1; __Host-headgate=${value}; b=2`;
        expect(await readVisitor(header, https)).toEqual({ id, pins: given, replace: false });
      }),
    );
  });

  it('keeps the newest twenty pins', async () => {
    const many = Array.from({ length: 25 }, (_, index) => ({ route: `r${index}`, variant: 'green', epoch: 'e' }));
    const visitor = await readVisitor(`headgate=${await visitorValue(ID, many, SECRET)}`, { ...https, https: false });
    expect(visitor?.pins.map((pin) => pin.route)).toEqual(many.slice(5).map((pin) => pin.route));
  });
});

describe('reading the cookie', () => {
  it('takes only the name of the scheme', () => {
    expect(visitorCookieName(true)).toBe('__Host-headgate');
    const both = `headgate=${ID}; __Host-headgate=${OTHER_ID}`;
    expect(readVisitor(both, https)).toMatchObject({ id: OTHER_ID });
    expect(readVisitor(both, { ...https, https: false })).toMatchObject({ id: ID });
    expect(readVisitor(`headgate=${ID}`, https)).toBeNull();
  });

  it('takes the first that is valid', async () => {
    const header = `__Host-headgate=; __Host-headgate=short, __Host-headgate=${OTHER_ID}; __Host-headgate=${ID}`;
    expect(readVisitor(header, https)).toMatchObject({ id: OTHER_ID });
    const value = freshValue();
    const forgedFirst = `__Host-headgate=${OTHER_ID}.chat:green:x.${tagOf('other')}; __Host-headgate=${value}`;
    expect(await readVisitor(forgedFirst, https)).toMatchObject({ id: ID, replace: false });
  });

  it('asks the key once for each value, and answers at once afterwards', async () => {
    const header = `__Host-headgate=${freshValue()}`;
    const first = readVisitor(header, https);
    expect(first).toBeInstanceOf(Promise);
    const visitor = await first;
    expect(visitor?.pins).toHaveLength(1);
    expect(readVisitor(header, https)).toEqual(visitor);
  });

  it('knows at once a value that this isolate wrote itself', async () => {
    const value = await visitorValue(ID, [{ route: 'chat', variant: 'green', epoch: 'own' }], SECRET);
    expect(peekVerified(value, SECRET)).toMatchObject({ replace: false });
  });

  it('does not take a value verified under another secret', async () => {
    const value = freshValue();
    expect((await verify(value, SECRET))?.pins).toHaveLength(1);
    expect(await verify(value, 'another secret')).toEqual({ id: ID, pins: [], replace: true });
    expect((await verify(value, SECRET))?.pins).toHaveLength(1);
  });

  it('remembers at most some thousands of values', async () => {
    const first = freshValue();
    await verify(first, SECRET);
    for (let index = 0; index < 9_000; index++) await visitorValue(ID, [{ ...pins[0]!, epoch: `n${index}` }], SECRET);
    expect(peekVerified(first, SECRET)).toBeUndefined();
    expect((await verify(first, SECRET))?.pins).toHaveLength(1);
  });
});

describe('a forged or damaged cookie', () => {
  it.each(['', 'x', ID.slice(1), `${ID}A`, `${ID}:`, `!${ID.slice(1)}`, `${ID.slice(1)}é`])(
    'of value %j is no visitor',
    (value) => {
      expect(readVisitor(`__Host-headgate=${value}`, https)).toBeNull();
    },
  );

  it.each<[string, string]>([
    ['a false tag', `${ID}.chat:green:r-1.${tagOf('something else')}`],
    ['a tag by another secret', `${ID}.chat:green:r-1.${tagOf(`${ID}.chat:green:r-1`, 'guess')}`],
    ['a tag that was made for another id', `${ID}.chat:green:r-1.${tagOf(`${OTHER_ID}.chat:green:r-1`)}`],
    [
      'a tag that was made for another purpose',
      `${ID}.chat:green:r-1.${createHmac('sha256', SECRET).update(`preview|${ID}.chat:green:r-1`).digest('base64url')}`,
    ],
    ['no tag', `${ID}.chat:green:r-1`],
    ['no pins', `${ID}.${tagOf(ID)}`],
    ['nothing after the dot', `${ID}.`],
    ['only dots', `${ID}${'.'.repeat(4_000)}`],
    ['a pin that is none', `${ID}.chat.${tagOf(`${ID}.chat`)}`],
    ['21 pins', `${ID}${'.chat:green:r'.repeat(21)}.${tagOf(`${ID}${'.chat:green:r'.repeat(21)}`)}`],
    ['60 KB', `${ID}.${'x'.repeat(60_000)}`],
  ])('with %s keeps its id, has no pins, and is replaced', async (_, value) => {
    expect(await readVisitor(`__Host-headgate=${value}`, https)).toEqual({ id: ID, pins: [], replace: true });
  });

  it('is found out whichever character was changed', async () => {
    const value = freshValue();
    for (let at = 0; at < value.length; at++) {
      const changed = value.slice(0, at) + (value.charAt(at) === 'a' ? 'b' : 'a') + value.slice(at + 1);
      expect((await verify(changed, SECRET))?.pins ?? [], changed).toEqual([]);
    }
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(value.at(-1)!);
    const spareBitSet =
      value.slice(0, -1) + 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.charAt(last + 1);
    expect((await verify(spareBitSet, SECRET))?.pins).toEqual([]);
  });

  it('keeps its id and is left alone where there is no secret to judge it', () => {
    const context = { https: true, secret: undefined };
    expect(readVisitor(`__Host-headgate=${freshValue()}`, context)).toEqual({ id: ID, pins: [], replace: false });
  });

  it('sent a thousand times is judged no more than a few times', async () => {
    const subtle = crypto.subtle;
    const original = subtle.verify;
    let checks = 0;
    subtle.verify = ((...given: Parameters<typeof original>) => {
      checks++;
      return original.apply(subtle, given);
    }) as typeof original;
    try {
      const forged = Array.from({ length: 1_000 }, (_, index) => `__Host-headgate=${ID}.c:g:${index}.${tagOf('x')}`);
      expect(await readVisitor(forged.join('; '), https)).toEqual({ id: ID, pins: [], replace: true });
    } finally {
      subtle.verify = original;
    }
    expect(checks).toBe(3);
  });

  it('never throws', async () => {
    const piece = fc.oneof(
      fc.constantFrom(ID, '.', ':', 'chat:green:r-1', tagOf('x'), '__Host-headgate=', '; ', ', ', '='),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (parts) => {
        const visitor = await readVisitor(`__Host-headgate=${parts.join('')}`, https);
        expect(visitor?.pins ?? []).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the Set-Cookie line', () => {
  const settings: CookieSettings = { maxAgeDays: 180, sameSite: 'lax', partitioned: false };
  const crossSite: CookieSettings = { maxAgeDays: 1, sameSite: 'none', partitioned: true };

  it.each<[boolean, CookieSettings, string]>([
    [true, settings, `__Host-headgate=${ID}; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax; Secure`],
    [false, settings, `headgate=${ID}; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax`],
    [true, crossSite, `__Host-headgate=${ID}; Path=/; Max-Age=86400; HttpOnly; SameSite=None; Secure; Partitioned`],
    [false, crossSite, `headgate=${ID}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax`],
    [false, { ...settings, sameSite: 'strict' }, `headgate=${ID}; Path=/; Max-Age=15552000; HttpOnly; SameSite=Strict`],
  ])('with https %s and %o is one that browsers keep', (secure, given, line) => {
    expect(serializeCookie({ value: ID, https: secure, settings: given })).toBe(line);
  });
});

describe('a visitor’s id', () => {
  it('is made of 16 bytes', () => {
    expect(visitorId(new Uint8Array(16))).toBe(ID);
  });
});
