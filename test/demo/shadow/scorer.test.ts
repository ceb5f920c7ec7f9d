import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { languagesOf, truthOf } from '../../../src/demo/scorer/truth.ts';
import worker from '../../../src/demo/scorer/worker.ts';
import { labelledTexts } from '../../../src/demo/texts.ts';

const texts = labelledTexts({ seed: 3, perLanguage: Number.POSITIVE_INFINITY });
const file = join(import.meta.dirname, '../../../src/demo/scorer/truth.json');
const truth = JSON.parse(readFileSync(file, 'utf8'));

describe('the truth of the demo’s scorer', () => {
  it('is that of the demo’s texts (else run: node src/demo/scorer/emit-truth.ts)', () => {
    expect(truth).toEqual(truthOf(texts));
  });

  it('knows every text, and one language for all but the line that Danish and Norwegian share', () => {
    const knows = languagesOf(truth);
    const shared = texts.filter(({ text }) => knows(text).length !== 1);
    expect(new Set(shared.map(({ text }) => text))).toEqual(new Set(['Undervisningen skal være gratis,']));
    for (const { text, language } of texts) expect(knows(text)).toContain(language);
    expect(knows('a text of your own')).toEqual([]);
  });
});

describe('the demo’s scorer', () => {
  const { text, language } = texts[0]!;
  const wrong = language === 'deu' ? 'nld' : 'deu';
  const answer = (said: unknown, status = 200) => ({
    status,
    body: typeof said === 'string' ? said : JSON.stringify(said),
  });
  const ask = (live: object, candidate: object, body = JSON.stringify({ text })) =>
    worker.fetch(
      new Request('https://scorer.invalid/', {
        method: 'POST',
        body: JSON.stringify({ request: { method: 'POST', path: '/v1/detect', body }, answers: { live, candidate } }),
      }),
    );

  it.each([
    ['the right language', answer({ language }), 1],
    ['a wrong language', answer({ language: wrong }), 0],
    ['an error', answer({ language }, 500), 0],
    ['no JSON', answer('<html>'), 0],
    ['null', answer('null'), 0],
  ])('rates %s', async (_, candidate, expected) => {
    expect(await (await ask(answer({ language }), candidate)).json()).toEqual({ live: 1, candidate: expected });
  });

  it('gives no score for a text that it does not know', async () => {
    const right = answer({ language });
    for (const body of ['{"text":"my own"}', 'no json']) expect((await ask(right, right, body)).status).toBe(422);
  });

  it('takes POST only', async () => {
    expect((await worker.fetch(new Request('https://scorer.invalid/'))).status).toBe(405);
  });
});
