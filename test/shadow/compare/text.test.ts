import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clip, normaliseText, similarity } from '../../../src/shadow/compare/text.ts';

describe('normalising text', () => {
  it.each([
    ['a\r\nb\rc', 'a\nb\nc'],
    ['a  \nb\t\n\n', 'a\nb'],
    ['e\u0301', '\u00e9'],
    ['\ufeffa', 'a'],
    ['  indented  twice', '  indented  twice'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(normaliseText(text)).toBe(expected);
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(normaliseText(normaliseText(text))).toBe(normaliseText(text));
      }),
    );
  });
});

describe('likeness of texts', () => {
  it.each<[string, string, number]>([
    ['', '', 1],
    ['same', 'same', 1],
    ['', 'some', 0],
    ['kitten', 'sitting', 1 - 3 / 7],
    ['abc', 'xyz', 0],
    ['prefix-a-suffix', 'prefix-b-suffix', 1 - 1 / 15],
  ])('of %j and %j is %d', (a, b, expected) => {
    expect(similarity(a, b)).toBeCloseTo(expected, 12);
    expect(similarity(b, a)).toBeCloseTo(expected, 12);
  });

  it('counts words in common past 4,000 characters', () => {
    const words = Array.from({ length: 1000 }, (_, n) => `word${n}`);
    const half = words.map((word, n) => (n % 2 === 0 ? word : `other${n}`));
    expect(similarity(words.join(' '), half.join(' '))).toBeCloseTo(0.5, 12);
  });

  it('counts characters as words in scripts without spaces', () => {
    const a = '東京都千代田区'.repeat(700);
    const b = `${'東京都千代田区'.repeat(350)}${'大阪府堺市西町'.repeat(350)}`;
    expect(similarity(a, b)).toBeGreaterThan(0.4);
    expect(similarity(a, b)).toBeLessThan(0.6);
  });

  it('is 1 for equal texts only, also when the words are the same in another order', () => {
    const a = 'one two three '.repeat(400);
    expect(similarity(a, `two ${a}`.slice(0, -4))).toBeLessThan(1);
  });

  it('lies between 0 and 1, and is 1 exactly for equal texts', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 50 }), fc.string({ maxLength: 50 }), (a, b) => {
        const alike = similarity(a, b);
        expect(alike).toBeGreaterThanOrEqual(0);
        expect(alike === 1).toBe(a === b);
      }),
    );
  });
});

describe('an excerpt', () => {
  it('shows that something was cut, and only then', () => {
    expect([clip('four', 4), clip('fours', 4)]).toEqual(['four', 'four…']);
  });

  it('never ends within a character', () => {
    expect(clip('ab🗼', 3)).toBe('ab\ufffd…');
  });
});
