import { eld as library } from 'eld/medium';
import { describe, expect, it } from 'vitest';
import type { Detector } from '../../src/demo/models/detector.ts';
import { eld } from '../../src/demo/models/eld.ts';
import { franc } from '../../src/demo/models/franc.ts';
import { languageCode } from '../../src/demo/models/languages.ts';
import { tinyld } from '../../src/demo/models/tinyld.ts';
import { LANGUAGES, labelledTexts } from '../../src/demo/texts.ts';

const texts = labelledTexts({ seed: 7, perLanguage: 40 });

function accuracy(detector: Detector): number {
  return texts.filter(({ text, language }) => detector.detect(text).language === language).length / texts.length;
}

describe('the demo models', () => {
  it.each([
    { variant: 'blue', detector: tinyld, atLeast: 0.8, atMost: 0.9 },
    { variant: 'green', detector: eld, atLeast: 0.95, atMost: 1 },
    { variant: 'third', detector: franc, atLeast: 0.9, atMost: 0.97 },
  ])('$variant is right on more than $atLeast of the labelled texts', ({ detector, atLeast, atMost }) => {
    const share = accuracy(detector);
    expect(share).toBeGreaterThan(atLeast);
    expect(share).toBeLessThanOrEqual(atMost);
  });

  it.each([tinyld, eld, franc])(
    '$model answers every text in three letters with a confidence from 0 to 1',
    (detector) => {
      for (const { text } of texts) {
        const { language, confidence } = detector.detect(text);
        expect(language).toMatch(/^[a-z]{3}$/);
        expect(confidence).toBeGreaterThanOrEqual(0);
        expect(confidence).toBeLessThanOrEqual(1);
      }
    },
  );

  it.each([tinyld, eld, franc])('$model says und where there is no language', (detector) => {
    expect(detector.detect('12 34 56')).toEqual({ language: 'und', confidence: 0 });
  });

  it.each([
    ['Enhver har rett til utdanning, og den skal være gratis på barnetrinnet', 'nor'],
    ['Visi cilvēki piedzimst brīvi un vienlīdzīgi savā pašcieņā', 'lav'],
    ['人人生而自由，在尊严和权利上一律平等。', 'zho'],
    ['تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت برابرند', 'fas'],
  ])('spells the language of "%s" as %s in all models', (text, language) => {
    expect([tinyld, eld, franc].map((detector) => detector.detect(text).language)).toEqual([
      language,
      language,
      language,
    ]);
  });

  it('knows a code for every language of the installed eld', () => {
    const unknown = Object.values(library.info().Languages).filter((code) => languageCode(code) === 'und');
    expect(unknown).toEqual([]);
  });
});

describe('the labelled texts', () => {
  it('are the same for the same seed, and in another order for another', () => {
    expect(labelledTexts({ seed: 7, perLanguage: 40 })).toEqual(texts);
    expect(labelledTexts({ seed: 8, perLanguage: 40 })).not.toEqual(texts);
  });

  it('are lines of 15 to 80 characters, as many in each of 26 languages', () => {
    expect(LANGUAGES).toHaveLength(26);
    for (const language of LANGUAGES) expect(texts.filter((text) => text.language === language)).toHaveLength(40);
    for (const { text } of texts) {
      expect(text.length).toBeGreaterThanOrEqual(15);
      expect(text.length).toBeLessThanOrEqual(80);
      expect(text).not.toMatch(/[<>]|&\w+;/);
    }
  });
});
