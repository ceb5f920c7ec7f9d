import { describe, expect, it } from 'vitest';
import { eld } from '../../src/demo/models/eld.ts';
import { mixedUp } from '../../src/demo/models/mixed-up.ts';
import { labelledTexts } from '../../src/demo/texts.ts';

describe('the wrong release', () => {
  it('gives the answer to the first text of a length to all texts of that length', () => {
    const { detect } = mixedUp();
    const first = 'Alle Menschen sind frei.';
    const second = 'Tous les hommes sont nés'.slice(0, first.length);
    expect(detect(first).language).toBe('deu');
    expect(second).toHaveLength(first.length);
    expect(detect(second)).toEqual(detect(first));
    expect(eld.detect(second).language).toBe('fra');
  });

  it('never fails, and is wrong far more often than not', () => {
    const { detect } = mixedUp();
    const texts = labelledTexts({ seed: 7, perLanguage: 40 });
    const right = texts.filter(({ text, language }) => detect(text).language === language).length;
    expect(right / texts.length).toBeLessThan(0.2);
  });
});
